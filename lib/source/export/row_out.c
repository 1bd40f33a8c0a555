/* Prints rows as change records. */
#include "source/export/row_out.h"

#include <stdlib.h>
#include <strings.h>

size_t cdc_row_find(const struct cdc_schema_column *col, size_t n, struct cdc_str name)
{
	size_t i = 0;

	while (i < n && !cdc_str_eq(col[i].name, name))
		i++;
	return i;
}

int cdc_row_open(struct cdc_row_out *r, struct cdc_source *s, struct cdc_err *err)
{
	r->s = s;
	r->op = CDC_ROW_NO_COLUMN;
	return s->opt.key ? cdc_names_split(&r->key, s->opt.key, "--key", err) : CDC_OK;
}

static void forget_columns(struct cdc_row_out *r)
{
	for (size_t i = 0; r->prefix && i < r->n; i++)
		cdc_buf_free(&r->prefix[i].buf);
	free(r->prefix);
	r->prefix = NULL;
	r->n = 0;
}

void cdc_row_free(struct cdc_row_out *r)
{
	forget_columns(r);
	cdc_names_free(&r->key);
	cdc_buf_free(&r->head.buf);
	cdc_buf_free(&r->names.buf);
	cdc_buf_free(&r->schema.buf);
}

static int render_head(struct cdc_row_out *r, struct cdc_str table, struct cdc_err *err)
{
	cdc_buf_reset(&r->head.buf);
	cdc_out_lit(&r->head,
		    ",\"source\":{\"sourceType\":\"FILE\",\"version\":\"\"},\"dbTable\":");
	cdc_out_quoted(&r->head, table);
	cdc_out_lit(&r->head, ",\"recordType\":\"");
	return cdc_out_take(&r->head, err);
}

static int render_names(struct cdc_row_out *r, struct cdc_err *err)
{
	bool first = true;
	int rc = CDC_OK;

	cdc_buf_reset(&r->names.buf);
	cdc_out_lit(&r->names, ",\"fields\":[");
	for (size_t i = 0; rc == CDC_OK && i < r->n; i++) {
		cdc_out_quoted(&r->prefix[i], r->col[i].name);
		cdc_out_char(&r->prefix[i], ':');
		rc = cdc_out_take(&r->prefix[i], err);
		if (i == r->op)
			continue;
		if (!first)
			cdc_out_char(&r->names, ',');
		first = false;
		cdc_out_quoted(&r->names, r->col[i].name);
	}
	cdc_out_char(&r->names, ']');
	return rc < 0 ? rc : cdc_out_take(&r->names, err);
}

/* The SCHEMA record, if anything is known beyond names and it is not what was printed before. */
static int put_schema(struct cdc_row_out *r, struct cdc_str table, struct cdc_err *err)
{
	struct cdc_schema_column *col = calloc(r->n ? r->n : 1, sizeof(*col));
	struct cdc_out now = { .buf = CDC_BUF_INIT };
	bool known = r->key.n > 0;
	size_t n = 0;
	int rc = CDC_OK;

	if (!col)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < r->n; i++) {
		known = known || r->col[i].type.n;
		if (i != r->op)
			col[n++] = r->col[i];
	}
	if (known) {
		cdc_schema_record_print(&now, table, col, n, r->key.name, r->key.n);
		rc = cdc_out_take(&now, err);
	}
	if (known && rc == CDC_OK &&
	    !cdc_str_eq(cdc_buf_str(&now.buf), cdc_buf_str(&r->schema.buf))) {
		struct cdc_out old = r->schema;

		r->schema = now;
		now = old;
		cdc_out_raw(&r->s->out, cdc_buf_str(&r->schema.buf));
		r->s->counts.control++;
		rc = cdc_out_take(&r->s->out, err);
	}
	cdc_buf_free(&now.buf);
	free(col);
	return rc;
}

/* What --op-column and --key name must be there. */
static int check_options(struct cdc_row_out *r, struct cdc_err *err)
{
	const char *op = r->s->opt.op_column;

	r->op = CDC_ROW_NO_COLUMN;
	if (op) {
		r->op = cdc_row_find(r->col, r->n, cdc_str_z(op));
		if (r->op == r->n)
			return cdc_fail(err, CDC_EUSAGE, "--op-column: there is no column %s", op);
	}
	for (size_t i = 0; i < r->key.n; i++) {
		size_t k = cdc_row_find(r->col, r->n, r->key.name[i]);

		if (k == r->n || k == r->op)
			return cdc_fail(err, CDC_EUSAGE, "--key: there is no column %.*s",
					(int)r->key.name[i].n, r->key.name[i].p);
	}
	return CDC_OK;
}

int cdc_row_define(struct cdc_row_out *r, struct cdc_str table, const struct cdc_schema_column *col,
		   size_t n, struct cdc_err *err)
{
	int rc;

	if (r->s->opt.db_table)
		table = cdc_str_z(r->s->opt.db_table);
	forget_columns(r);
	r->col = col;
	r->prefix = calloc(n ? n : 1, sizeof(*r->prefix));
	if (!r->prefix)
		return cdc_fail_nomem(err);
	r->n = n;
	rc = check_options(r, err);
	if (rc == CDC_OK)
		rc = render_head(r, table, err);
	if (rc == CDC_EDATA)
		return cdc_fail(err, CDC_EUSAGE, "the table's name is not UTF-8");
	if (rc == CDC_OK)
		rc = render_names(r, err);
	return rc < 0 ? rc : put_schema(r, table, err);
}

static bool is_one_of(struct cdc_str s, const char *const *names)
{
	for (; *names; names++) {
		if (strlen(*names) == s.n && strncasecmp(*names, s.p, s.n) == 0)
			return true;
	}
	return false;
}

int cdc_row_operation(struct cdc_str s, enum cdc_record_type *type, struct cdc_err *err)
{
	static const char *const inserts[] = { "I", "c", "insert", NULL };
	static const char *const updates[] = { "U", "update", NULL };
	static const char *const deletes[] = { "D", "delete", NULL };
	static const char *const reads[] = { "r", NULL };

	if (is_one_of(s, updates))
		*type = CDC_RECORD_UPDATE;
	else if (is_one_of(s, deletes))
		*type = CDC_RECORD_DELETE;
	else if (is_one_of(s, reads))
		*type = CDC_RECORD_INIT;
	else if (is_one_of(s, inserts))
		*type = CDC_RECORD_INSERT;
	else
		return cdc_fail(err, CDC_EDATA, "unknown operation %.*s",
				(int)(s.n < 40 ? s.n : 40), s.p ? s.p : "");
	return CDC_OK;
}

void cdc_row_begin(struct cdc_row_out *r, uint64_t id, enum cdc_record_type type)
{
	struct cdc_out *o = &r->s->out;

	cdc_out_lit(o, "{\"recordID\":");
	cdc_out_uint(o, id);
	cdc_out_raw(o, cdc_buf_str(&r->head.buf));
	cdc_out_raw(o, cdc_str_z(cdc_record_type_name(type)));
	cdc_out_lit(o, "\",\"extraTags\":{}");
	cdc_out_raw(o, cdc_buf_str(&r->names.buf));
	cdc_out_raw(o, type == CDC_RECORD_DELETE
			       ? CDC_STR(",\"beforeImages\":{")
			       : CDC_STR(",\"beforeImages\":{},\"afterImages\":{"));
	r->first = true;
}

int cdc_row_end(struct cdc_row_out *r, enum cdc_record_type type, const struct cdc_message *m,
		struct cdc_err *err)
{
	struct cdc_out *o = &r->s->out;

	cdc_out_char(o, '}');
	if (type == CDC_RECORD_DELETE)
		cdc_out_lit(o, ",\"afterImages\":{}");
	cdc_source_put_position(r->s, m);
	cdc_out_lit(o, "}\n");
	r->s->counts.records++;
	return cdc_out_take(o, err);
}

void cdc_row_blame(struct cdc_row_out *r, size_t i)
{
	struct cdc_str name = r->col[i].name;

	cdc_err_prefix(&r->s->out.err, "column %.*s", (int)(name.n < 100 ? name.n : 100), name.p);
}
