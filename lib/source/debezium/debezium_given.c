/*
 * Types of columns whose messages come without a schema: from what --schema gives, as the
 * connectors of MySQL and MariaDB write values of these types by default.
 */
#include "source/debezium/debezium_int.h"

#include "source/mysql/mysql_type.h"

/* The numbers in a type's brackets: "decimal(10,2)", "datetime(6)"; those that are not there are 0.
 */
static void brackets(struct cdc_str type, uint32_t *a, uint32_t *b)
{
	uint32_t *n[] = { a, b };
	size_t i = 0, k = 0;

	*a = *b = 0;
	while (i < type.n && type.p[i] != '(')
		i++;
	for (i++; i < type.n && type.p[i] != ')'; i++) {
		if (type.p[i] == ',' && ++k == 2)
			return;
		if (type.p[i] >= '0' && type.p[i] <= '9' && *n[k] < 100000)
			*n[k] = *n[k] * 10 + (uint32_t)(type.p[i] - '0');
	}
}

static enum cdc_connect_kind kind_of(enum cdc_mysql_kind mysql, struct cdc_str type, uint32_t *arg)
{
	uint32_t first, second;

	brackets(type, &first, &second);
	*arg = 0;
	switch (mysql) {
	case CDC_MYSQL_INTEGER:
		return cdc_str_eqz(type, "bigint unsigned") ? CDC_CONNECT_UNSIGNED_LONG
							    : CDC_CONNECT_INTEGER;
	case CDC_MYSQL_YEAR:
		return CDC_CONNECT_INTEGER;
	case CDC_MYSQL_DECIMAL:
		*arg = debezium_decimal_arg(first, second,
					    memmem(type.p, type.n, "unsigned", 8) != NULL);
		return CDC_CONNECT_DECIMAL_OR_TEXT;
	case CDC_MYSQL_FLOAT:
		return CDC_CONNECT_FLOAT;
	case CDC_MYSQL_DOUBLE:
		return CDC_CONNECT_DOUBLE;
	case CDC_MYSQL_BIT:
		*arg = first;
		return first <= 1 ? CDC_CONNECT_BOOLEAN : CDC_CONNECT_BITS;
	case CDC_MYSQL_DATE:
		return CDC_CONNECT_DATE;
	case CDC_MYSQL_TIME:
		return CDC_CONNECT_TIME_US;
	case CDC_MYSQL_DATETIME:
		return first <= 3 ? CDC_CONNECT_DATETIME_MS : CDC_CONNECT_DATETIME_US;
	case CDC_MYSQL_TIMESTAMP:
		return CDC_CONNECT_ZONED;
	case CDC_MYSQL_BINARY:
		return CDC_CONNECT_BYTES;
	case CDC_MYSQL_GEOMETRY:
		return CDC_CONNECT_GEOMETRY;
	case CDC_MYSQL_TEXT:
	case CDC_MYSQL_ENUM:
	case CDC_MYSQL_SET:
	case CDC_MYSQL_JSON:
		break;
	}
	return CDC_CONNECT_STRING;
}

const struct cdc_ddl_table *debezium_given(const struct debezium *d,
					   const struct cdc_change_table *t)
{
	struct cdc_str name = cdc_buf_str(&t->name), db;
	struct cdc_str c = cdc_buf_str(&d->last_connector);
	size_t dot = name.n, start;

	/* A flattened row need not tell its connector. */
	if (d->given_tables.n == 0 ||
	    (c.n && !cdc_str_eqz(c, "mysql") && !cdc_str_eqz(c, "mariadb")))
		return NULL;
	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	start = dot ? dot - 1 : 0;
	while (start > 0 && name.p[start - 1] != '.')
		start--;
	db = dot ? cdc_str(name.p + start, dot - 1 - start) : CDC_STR("");
	return cdc_ddl_find_given(&d->given_tables, db, cdc_str(name.p + dot, name.n - dot));
}

int debezium_given_column(struct debezium *d, const struct cdc_ddl_table *ddl,
			  struct cdc_change_column *col, struct cdc_err *err)
{
	struct cdc_buf type = CDC_BUF_INIT;
	enum cdc_mysql_kind mysql;
	uint32_t i = 0;
	char *p;
	int rc;

	while (i < ddl->n_columns && !cdc_str_eq(ddl->column[i].name, col->name))
		i++;
	if (i == ddl->n_columns || ddl->column[i].type.n == 0)
		return CDC_OK;
	rc = cdc_mysql_type(ddl->column[i].type, &type, &mysql, err);
	if (rc == CDC_OK) {
		col->as = (uint8_t)kind_of(mysql, cdc_buf_str(&type), &col->arg);
		col->not_null = ddl->column[i].not_null;
		col->source_type = ddl->column[i].type;
		/* What came as true and false, its text is. */
		if (col->as == CDC_CONNECT_BOOLEAN) {
			cdc_buf_reset(&type);
			rc = cdc_buf_puts(&type, "boolean", err);
		}
	}
	if (rc == CDC_OK) {
		p = cdc_arena_dup(&d->j.scratch, type.p, type.len);
		col->type = cdc_str(p, type.len);
		if (!p)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&type);
	return rc;
}
