/*
 * Column types as MySQL spells them: "INT(10) UNSIGNED", "enum('a','b')", "double precision".
 */
#ifndef CDC_SOURCE_MYSQL_TYPE_H
#define CDC_SOURCE_MYSQL_TYPE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

/* What the values of a type are, as far as it matters for their text. */
enum cdc_mysql_kind {
	CDC_MYSQL_TEXT, /* and whatever is not known */
	CDC_MYSQL_INTEGER,
	CDC_MYSQL_DECIMAL,
	CDC_MYSQL_FLOAT,
	CDC_MYSQL_DOUBLE,
	CDC_MYSQL_BIT,
	CDC_MYSQL_DATE,
	CDC_MYSQL_TIME,
	CDC_MYSQL_DATETIME,
	CDC_MYSQL_TIMESTAMP,
	CDC_MYSQL_YEAR,
	CDC_MYSQL_ENUM,
	CDC_MYSQL_SET,
	CDC_MYSQL_JSON,
	CDC_MYSQL_BINARY,
	CDC_MYSQL_GEOMETRY
};

/*
 * The kind of a type, and its name for a SCHEMA record, appended to `name`: lower case, without
 * display width and zerofill, aliases as the type that they stand for ("dec(5)" -> "decimal(5)",
 * "real" -> "double", "serial" -> "bigint unsigned", "point" -> "geometry").
 */
int cdc_mysql_type(struct cdc_str spelled, struct cdc_buf *name, enum cdc_mysql_kind *kind,
		   struct cdc_err *err) CDC_NODISCARD;

/*
 * Member `number` (from 1) of the list of an ENUM or SET type, unquoted into `out` (room for
 * spelled.n bytes); its length in *n. False: there is no such member.
 */
bool cdc_mysql_member(struct cdc_str spelled, uint64_t number, char *out, size_t *n);

#endif
