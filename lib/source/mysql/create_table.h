/*
 * CREATE TABLE statements, as mysqldump and SHOW CREATE TABLE of MySQL and MariaDB write them, to
 * columns and keys. Reads the text of a dump: statements of other kinds are passed over, USE names
 * the database of what follows.
 *
 * Comments are white space, also those with a version in them: what the dumps put there
 * (visibility, partitions, stand-ins of views) is nothing that is told here. Temporary tables are
 * left out.
 */
#ifndef CDC_SOURCE_CREATE_TABLE_H
#define CDC_SOURCE_CREATE_TABLE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct cdc_ddl_column {
	struct cdc_str name;
	/* As it is spelled, without white space that means nothing: "int(10) unsigned",
	 * "enum('a','b')", "double precision". */
	struct cdc_str type;
	struct cdc_str charset; /* empty: the table's */
	struct cdc_str collation; /* empty: the character set's */
	bool is_unsigned;
	bool not_null; /* so is every column of the primary key */
	bool generated;
	struct cdc_str *value; /* enum, set: the members, unquoted */
	uint32_t n_values;
};

struct cdc_ddl_table {
	struct cdc_str db; /* empty: not told */
	struct cdc_str name;
	struct cdc_str charset; /* default of its columns; empty: not told */
	struct cdc_str collation;
	struct cdc_ddl_column *column;
	uint32_t n_columns;
	struct cdc_str *key; /* names of the primary key, as its columns spell them */
	uint32_t n_key;
};

struct cdc_ddl {
	struct cdc_ddl_table
		*table; /* in the order of the text; one that comes twice is here twice */
	uint32_t n;
	uint32_t cap;
	struct cdc_arena arena; /* all text is here */
};

#define CDC_DDL_TEXT_MAX ((size_t)256 << 20)
#define CDC_DDL_COLUMNS_MAX 16384u /* of a table; MySQL stops at 4096 */
#define CDC_DDL_DEPTH_MAX 1000u /* of parentheses */

/*
 * Append the tables of `text` to *ddl, which is zeroed to begin with. CDC_EDATA with the line when
 * a CREATE TABLE cannot be read; then *ddl has the tables before it. Free it in any case.
 */
int cdc_ddl_parse(struct cdc_ddl *ddl, struct cdc_str text, struct cdc_err *err) CDC_NODISCARD;
void cdc_ddl_free(struct cdc_ddl *ddl);

/* The last table of that name; db may be empty: any. NULL: none. Names are compared exactly. */
const struct cdc_ddl_table *cdc_ddl_find(const struct cdc_ddl *ddl, struct cdc_str db,
					 struct cdc_str name);

/*
 * What --schema gives (NULL: nothing): statements as above, or a list like that of --columns, which
 * is for every table. CDC_EUSAGE when it cannot be read.
 */
int cdc_ddl_given(struct cdc_ddl *ddl, const char *text, struct cdc_err *err) CDC_NODISCARD;
/* The last table of that name, in that database or in one that neither side tells, or the list.
 * NULL: none. */
const struct cdc_ddl_table *cdc_ddl_find_given(const struct cdc_ddl *ddl, struct cdc_str db,
					       struct cdc_str name);

#endif
