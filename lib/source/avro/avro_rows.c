/*
 * Format avro: Avro containers whose records are rows, as Sqoop, Kafka Connect's sinks and others
 * write them. The fields of the record are the columns, its name is the table's.
 */
#include "source/avro/avro_text.h"
#include "source/export/row_out.h"

#include <stdlib.h>

struct avro_rows {
	struct cdc_source *s;
	struct cdc_row_out out;
	struct cdc_avro_plan *plan; /* of the current container */
	struct cdc_avro_text text;
	struct cdc_arena layout; /* what col points to */
	struct cdc_schema_column *col;
	bool keep; /* by --table */
};

static int avro_rows_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct avro_rows *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	d->s = s;
	rc = cdc_row_open(&d->out, s, err);
	if (rc < 0) {
		cdc_row_free(&d->out);
		free(d);
		return rc;
	}
	*ctx = d;
	return CDC_OK;
}

static void forget_schema(struct avro_rows *d)
{
	cdc_avro_text_free(&d->text);
	cdc_avro_plan_free(d->plan);
	d->plan = NULL;
	cdc_arena_reset(&d->layout);
}

static void avro_rows_close(void *ctx)
{
	struct avro_rows *d = ctx;

	cdc_row_free(&d->out);
	forget_schema(d);
	cdc_arena_free(&d->layout);
	free(d);
}

/* Only containers tell what their bytes are. */
static int avro_rows_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	(void)ctx;
	(void)m;
	return cdc_fail(err, CDC_EUSAGE, "format avro is of Avro containers: --framing ocf");
}

/* --- columns ------------------------------------------------------------ */

static const char *const kinds[] = {
	"null",	  "boolean", "int",  "long",   "float", "double", "bytes",
	"string", "fixed",   "enum", "record", "array", "map",	  "union",
};

/* The type as the schema spells it, without the union with null. */
static const char *source_type(const struct cdc_avro_plan *plan, uint32_t node)
{
	const struct cdc_avro_node *n = cdc_avro_node(plan, node);

	for (uint32_t i = 0; n->kind == CDC_AVRO_UNION && n->n <= 2 && i < n->n; i++) {
		const struct cdc_avro_node *b =
			cdc_avro_node(plan, cdc_avro_child(plan, n, i)->node);

		if (b->kind != CDC_AVRO_NULL)
			n = b;
	}
	return kinds[n->kind];
}

static int define_columns(struct avro_rows *d, const struct cdc_avro_node *row, struct cdc_err *err)
{
	d->col = cdc_arena_calloc(&d->layout, row->n ? row->n : 1, sizeof(*d->col));
	if (!d->col)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < row->n; i++) {
		const struct cdc_avro_child *f = cdc_avro_child(d->plan, row, i);
		struct cdc_schema_column *c = &d->col[i];
		char type[CDC_AVRO_TYPE_MAX];
		bool nullable;
		size_t n = cdc_avro_text_type(&d->text, f->node, type, &nullable);
		char *copy = cdc_arena_dup(&d->layout, type, n);

		if (!copy)
			return cdc_fail_nomem(err);
		c->name = cdc_str_z(f->name);
		c->type = cdc_str(copy, n);
		c->source_type = cdc_str_z(source_type(d->plan, f->node));
		c->not_null = !nullable;
	}
	return cdc_columns_check(d->col, row->n, err);
}

static int avro_rows_schema(void *ctx, struct cdc_str json, struct cdc_err *err)
{
	struct avro_rows *d = ctx;
	const struct cdc_avro_node *row;
	const char *table;
	int rc;

	forget_schema(d);
	rc = cdc_avro_plan_new(&d->plan, json, err);
	if (rc == CDC_OK)
		rc = cdc_avro_text_init(&d->text, d->plan, err);
	if (rc < 0)
		return rc;
	row = cdc_avro_node(d->plan, 0);
	if (row->kind != CDC_AVRO_RECORD || row->empty)
		return cdc_fail(err, CDC_EDATA,
				"the Avro container does not hold rows: its schema "
				"is no record");
	table = d->s->opt.db_table ? d->s->opt.db_table : row->name ? row->name : "";
	d->keep = cdc_source_keeps(d->s, table, false);
	rc = define_columns(d, row, err);
	if (rc < 0 || !d->keep)
		return rc;
	return cdc_row_define(&d->out, cdc_str_z(table), d->col, row->n, err);
}

/* --- rows --------------------------------------------------------------- */

static int bad_datum(struct cdc_avro_cur *c, const char *start, struct cdc_err *err)
{
	c->why = c->why ? c->why : "it ends here";
	return cdc_fail(err, CDC_EDATA, "byte %zu of the row: %s",
			(size_t)((const char *)c->p - start), c->why);
}

/* The value of --op-column at c. */
static bool read_operation(struct avro_rows *d, const struct cdc_avro_node *row,
			   struct cdc_avro_cur *c, struct cdc_str *text)
{
	const struct cdc_avro_node *n;
	uint32_t node;
	int64_t symbol;

	*text = CDC_STR("");
	for (uint32_t i = 0; i < d->out.op; i++) {
		if (!cdc_avro_skip(d->plan, cdc_avro_child(d->plan, row, i)->node, c))
			return false;
	}
	node = cdc_avro_child(d->plan, row, (uint32_t)d->out.op)->node;
	if (!cdc_avro_branch(d->plan, c, &node))
		return false;
	n = cdc_avro_node(d->plan, node);
	if (n->kind == CDC_AVRO_STRING || n->kind == CDC_AVRO_BYTES)
		return cdc_avro_bytes(c, text);
	if (n->kind != CDC_AVRO_ENUM)
		return true;
	if (!cdc_avro_long(c, &symbol))
		return false;
	if (symbol >= 0 && symbol < (int64_t)n->n)
		*text = cdc_str_z(cdc_avro_child(d->plan, n, (uint32_t)symbol)->name);
	return true;
}

static int put_row(struct avro_rows *d, const struct cdc_message *m, struct cdc_avro_cur *c,
		   enum cdc_record_type type, struct cdc_err *err)
{
	const struct cdc_avro_node *row = cdc_avro_node(d->plan, 0);
	struct cdc_out *o = &d->s->out;

	cdc_row_begin(&d->out, d->s->counts.messages, type);
	for (uint32_t i = 0; i < row->n; i++) {
		uint32_t node = cdc_avro_child(d->plan, row, i)->node;
		bool ok, good = o->rc == CDC_OK;

		if (i == d->out.op) {
			ok = cdc_avro_skip(d->plan, node, c);
		} else {
			cdc_row_value(&d->out, i);
			ok = cdc_avro_text_put(&d->text, node, c, o);
		}
		if (good && o->rc == CDC_EDATA)
			cdc_row_blame(&d->out, i);
		if (!ok)
			return bad_datum(c, m->value.p, err);
	}
	return cdc_row_end(&d->out, type, m, err);
}

static int avro_rows_datum(void *ctx, const struct cdc_message *m, size_t *used,
			   struct cdc_err *err)
{
	struct avro_rows *d = ctx;
	const unsigned char *start = (const unsigned char *)m->value.p;
	struct cdc_avro_cur c = { start, start + m->value.n, NULL };
	enum cdc_record_type type = cdc_row_type(&d->out);
	struct cdc_str op;
	int rc = CDC_OK;

	if (d->keep && d->out.op != CDC_ROW_NO_COLUMN) {
		if (!read_operation(d, cdc_avro_node(d->plan, 0), &c, &op))
			return bad_datum(&c, m->value.p, err);
		rc = cdc_row_operation(op, &type, err);
		c.p = start;
	}
	if (d->keep && rc == CDC_OK) {
		rc = put_row(d, m, &c, type, err);
		if (rc < 0 && c.why)
			return rc;
	} else if (!cdc_avro_skip(d->plan, 0, &c)) {
		return bad_datum(&c, m->value.p, err);
	}
	d->s->counts.skipped += !d->keep;
	*used = (size_t)(c.p - start);
	return rc;
}

static void avro_rows_rejected(void *ctx)
{
	(void)ctx;
}

/* Any record is a row, for want of a better reader. */
static enum cdc_fit avro_rows_probe_schema(void *ctx, struct cdc_str json)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_avro_plan *plan = NULL;
	enum cdc_fit fit = CDC_FIT_NO;

	(void)ctx;
	if (cdc_avro_plan_new(&plan, json, &ignored) == CDC_OK &&
	    cdc_avro_node(plan, 0)->kind == CDC_AVRO_RECORD)
		fit = CDC_FIT_WEAK;
	cdc_avro_plan_free(plan);
	return fit;
}

const struct cdc_format cdc_format_avro = {
	.name = "avro",
	.open = avro_rows_open,
	.close = avro_rows_close,
	.message = avro_rows_message,
	.rejected = avro_rows_rejected,
	.schema = avro_rows_schema,
	.datum = avro_rows_datum,
	.probe_schema = avro_rows_probe_schema,
};
