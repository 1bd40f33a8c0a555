/* Column lists of the command line: --key and --columns. */
#ifndef CDC_SOURCE_COLUMNS_H
#define CDC_SOURCE_COLUMNS_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"
#include "source/schema_record.h"

struct cdc_names {
	char *text;
	struct cdc_str *name; /* into text */
	size_t n;
};

/* "a, b" at commas, spaces around names dropped. CDC_EUSAGE on an empty name; `what` for messages.
 */
int cdc_names_split(struct cdc_names *names, const char *list, const char *what,
		    struct cdc_err *err) CDC_NODISCARD;
void cdc_names_free(struct cdc_names *names);

/*
 * "id BIGINT NOT NULL, `my col` DECIMAL(7,2), name": names, each with a type or not. The columns
 * and their text live in the arena. CDC_EUSAGE on what cannot be read, and on a name that comes
 * twice.
 */
int cdc_columns_parse(const char *text, struct cdc_arena *a, struct cdc_schema_column **col,
		      size_t *n, struct cdc_err *err) CDC_NODISCARD;

/* CDC_EUSAGE when two names are equal but for ASCII case, which no table can hold. */
int cdc_columns_check(const struct cdc_schema_column *col, size_t n,
		      struct cdc_err *err) CDC_NODISCARD;

#endif
