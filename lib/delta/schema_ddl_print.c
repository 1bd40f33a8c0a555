/*
 * Types in the DDL form that schema_ddl.c reads.
 */
#include "delta/schema.h"

static int put_name(struct cdc_str name, struct cdc_buf *out, struct cdc_err *err)
{
	int rc = cdc_buf_putc(out, '`', err);

	for (size_t i = 0; rc == CDC_OK && i < name.n; i++) {
		if (name.p[i] == '`')
			rc = cdc_buf_putc(out, '`', err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(out, name.p[i], err);
	}
	return rc < 0 ? rc : cdc_buf_puts(out, "`:", err);
}

/* Depth is bounded by that of the schema. */
int cdc_type_to_ddl(const struct cdc_field *f, struct cdc_buf *out, struct cdc_err *err)
{
	bool is_struct = f->type == CDC_TYPE_STRUCT;
	char name[CDC_TYPE_NAME_MAX];
	int rc = cdc_buf_puts(out, cdc_type_name(f, name), err);

	if (rc < 0 || (!is_struct && f->type != CDC_TYPE_ARRAY && f->type != CDC_TYPE_MAP))
		return rc;
	rc = cdc_buf_putc(out, '<', err);
	for (int i = 0; rc == CDC_OK && i < f->num_children; i++) {
		if (i)
			rc = cdc_buf_putc(out, ',', err);
		if (rc == CDC_OK && is_struct)
			rc = put_name(f->child[i].name, out, err);
		if (rc == CDC_OK)
			rc = cdc_type_to_ddl(&f->child[i], out, err);
		if (rc == CDC_OK && is_struct && !f->child[i].nullable)
			rc = cdc_buf_puts(out, " not null", err);
	}
	return rc < 0 ? rc : cdc_buf_putc(out, '>', err);
}
