/*
 * Format dataworks: JSON of DataWorks (version 0.0.1, spec section 1.7). An update is one message
 * with both rows, or two: UPDATE_BEFORE, which is kept until its UPDATE_AFTER comes.
 */
#include "source/dialect/json_in.h"
#include "source/value/value_text.h"

#include "base/value.h"

#include <stdlib.h>

enum kind { TEXT, LONG, DOUBLE, BOOLEAN, DATE, BYTES };

static const struct {
	const char *name;
	enum kind kind;
	const char *type;
} types[] = {
	{ "LONG", LONG, "bigint" },    { "DOUBLE", DOUBLE, "double" },
	{ "STRING", TEXT, "text" },    { "BOOLEAN", BOOLEAN, "boolean" },
	{ "DATE", DATE, "timestamp" }, { "BYTES", BYTES, "blob" },
};

struct dataworks {
	struct cdc_json_in j;
	uint32_t schema;
	uint32_t payload;
	struct cdc_buf held; /* an UPDATE_BEFORE message; empty: none */
	struct cdc_buf held_source; /* its table */
	struct cdc_buf held_topic;
	int32_t held_partition;
};

static void dataworks_close(void *ctx)
{
	struct dataworks *d = ctx;

	cdc_json_in_free(&d->j);
	cdc_buf_free(&d->held);
	cdc_buf_free(&d->held_source);
	cdc_buf_free(&d->held_topic);
	free(d);
}

static int dataworks_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct dataworks *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR(""), err);
	if (rc < 0)
		dataworks_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct dataworks *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct dataworks *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

static uint32_t get(const struct dataworks *d, uint32_t obj, const char *name)
{
	uint32_t i = cdc_json_get(&d->j.tape, obj, name);

	return is_a(d, i, CDC_JSON_NULL) ? CDC_JSON_NONE : i;
}

/* --- columns ------------------------------------------------------------ */

static int column(struct dataworks *d, uint32_t field, struct cdc_change_column *col,
		  struct cdc_err *err)
{
	uint32_t name = get(d, field, "name"), type = get(d, field, "type");
	int rc;

	if (!is_a(d, name, CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "a column without a name");
	rc = cdc_json_string(&d->j.tape, name, &d->j.scratch, &col->name, err);
	if (rc == CDC_OK && is_a(d, type, CDC_JSON_STRING))
		rc = cdc_json_string(&d->j.tape, type, &d->j.scratch, &col->source_type, err);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!cdc_str_eqz(col->source_type, types[i].name))
			continue;
		col->as = (uint8_t)types[i].kind;
		col->type = cdc_str_z(types[i].type);
	}
	return rc;
}

static int define(struct dataworks *d, struct cdc_change_table *t, struct cdc_err *err)
{
	uint32_t list = get(d, d->schema, "dataColumn");
	struct cdc_change_column *col;
	struct cdc_str *key;
	size_t n = 0, n_key;
	int rc;

	if (cdc_change_same(t, cdc_json_source(&d->j.tape, d->schema)))
		return CDC_OK;
	if (!is_a(d, list, CDC_JSON_ARRAY))
		return cdc_fail(err, CDC_EDATA, "the schema has no dataColumn");
	rc = cdc_json_in_names(&d->j, get(d, d->schema, "primaryKey"), &key, &n_key, err);
	if (rc < 0)
		return rc;
	col = cdc_arena_calloc(&d->j.scratch, cdc_json_in_tok(&d->j, list)->count + 1u,
			       sizeof(*col));
	if (!col)
		return cdc_fail_nomem(err);
	for (uint32_t i = cdc_json_first(&d->j.tape, list); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(&d->j.tape, list, i))
		rc = column(d, i, &col[n++], err);
	return rc < 0 ? rc
		      : cdc_change_define(&d->j.c, t, cdc_json_source(&d->j.tape, d->schema), col,
					  n, key, n_key, err);
}

/* --- rows --------------------------------------------------------------- */

/* DATE is milliseconds; DOUBLE comes as text. */
static void put_value(void *ctx, const struct cdc_change_column *col, uint32_t i)
{
	struct dataworks *d = ctx;
	struct cdc_out *o = &d->j.s->out;
	struct cdc_str s = cdc_json_in_text(&d->j, i);
	int64_t ms;

	if (col->as == DOUBLE)
		cdc_text_float(o, s, false);
	else if (col->as == BOOLEAN)
		cdc_text_bool(o, s);
	else if (col->as == DATE && is_a(d, i, CDC_JSON_NUMBER) &&
		 cdc_int64_parse(s, &ms) == CDC_PARSE_OK && ms < INT64_MAX / 1000 &&
		 ms > INT64_MIN / 1000)
		cdc_text_timestamp_us(o, ms * 1000, true);
	else
		cdc_out_quoted(o, s);
}

static void put_tags(void *ctx)
{
	struct dataworks *d = ctx;
	uint32_t sequence = get(d, d->payload, "sequenceId");

	if (cdc_json_in_is_tag(&d->j, sequence))
		cdc_change_tag_raw(&d->j.c, CDC_STR("sequenceId"), raw(d, sequence));
}

static uint32_t event_time(const struct dataworks *d)
{
	return get(d, get(d, d->payload, "timestamp"), "eventTime");
}

static uint32_t row_of(const struct dataworks *d, const char *name)
{
	return get(d, get(d, d->payload, name), "dataColumn");
}

static int scan(struct dataworks *d, struct cdc_str text, struct cdc_err *err)
{
	static const struct cdc_str members[] = { { "schema", 6 }, { "payload", 7 } };
	uint32_t tok[2];
	int rc = cdc_json_in_scan(&d->j, text, members, 2, tok, err);

	if (rc < 0)
		return rc;
	d->schema = tok[0];
	d->payload = tok[1];
	if (!is_a(d, tok[0], CDC_JSON_OBJECT) || !is_a(d, tok[1], CDC_JSON_OBJECT) ||
	    !is_a(d, get(d, tok[0], "source"), CDC_JSON_OBJECT) ||
	    get(d, tok[0], "dataColumn") == CDC_JSON_NONE)
		return cdc_fail(err, CDC_EDATA, "not a DataWorks message");
	return CDC_OK;
}

/* An UPDATE_BEFORE whose UPDATE_AFTER did not come is a row that is lost, and is told. */
static int drop_held(struct dataworks *d, struct cdc_err *err)
{
	int rc;

	if (d->held.len == 0)
		return CDC_OK;
	cdc_fail(err, CDC_EDATA, "an UPDATE_BEFORE without UPDATE_AFTER");
	rc = cdc_source_reject(d->j.s, 0, 0, cdc_buf_str(&d->held), err);
	cdc_buf_reset(&d->held);
	return rc;
}

static struct cdc_str source_text(const struct dataworks *d)
{
	return cdc_json_source(&d->j.tape, get(d, d->schema, "source"));
}

static int hold(struct dataworks *d, const struct cdc_message *m, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&d->held_source);
	cdc_buf_reset(&d->held_topic);
	d->held_partition = m->has_kafka ? m->partition : 0;
	rc = cdc_buf_put(&d->held_source, source_text(d), err);
	if (rc == CDC_OK && m->has_kafka)
		rc = cdc_buf_put(&d->held_topic, m->topic, err);
	return rc < 0 ? rc : cdc_buf_put(&d->held, m->value, err);
}

/* Is the message the other half of the one that is kept? */
static bool completes(const struct dataworks *d, const struct cdc_message *m)
{
	return d->held.len && !is_a(d, row_of(d, "before"), CDC_JSON_OBJECT) &&
	       cdc_str_eq(cdc_buf_str(&d->held_source), source_text(d)) &&
	       cdc_str_eq(cdc_buf_str(&d->held_topic), m->has_kafka ? m->topic : CDC_STR("")) &&
	       d->held_partition == (m->has_kafka ? m->partition : 0);
}

/*
 * The row of the message that was kept, as text that both scans can be made of: the two messages
 * become one, whose before is the first one's.
 */
static int join(struct dataworks *d, struct cdc_str after, struct cdc_err *err)
{
	struct cdc_buf both = CDC_BUF_INIT;
	struct cdc_str before, schema, payload;
	uint32_t i;
	int rc = scan(d, cdc_buf_str(&d->held), err);

	if (rc < 0)
		return rc;
	i = get(d, d->payload, "before");
	before = i == CDC_JSON_NONE ? CDC_STR("null") : cdc_json_source(&d->j.tape, i);
	rc = cdc_buf_puts(&both, "{\"before\":", err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&both, before, err);
	if (rc == CDC_OK)
		rc = scan(d, after, err);
	if (rc < 0)
		goto out;
	schema = cdc_json_source(&d->j.tape, d->schema);
	payload = cdc_json_source(&d->j.tape, d->payload);
	/* The first member of a name counts (cdc_json_get). */
	rc = cdc_buf_puts(&both, ",", err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&both, cdc_str(payload.p + 1, payload.n - 1), err);
	if (rc == CDC_OK)
		rc = cdc_buf_puts(&both, ",\"schema\":", err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&both, schema, err);
	if (rc < 0)
		goto out;
	cdc_buf_reset(&d->held);
	rc = cdc_buf_puts(&d->held, "{\"payload\":", err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&d->held, cdc_buf_str(&both), err);
	if (rc == CDC_OK)
		rc = cdc_buf_puts(&d->held, "}", err);
	if (rc == CDC_OK)
		rc = scan(d, cdc_buf_str(&d->held), err);
out:
	cdc_buf_free(&both);
	return rc;
}

static int put_ddl(struct dataworks *d, struct cdc_change_table *t, uint32_t ddl,
		   const struct cdc_message *m, struct cdc_err *err)
{
	uint32_t db = get(d, get(d, d->schema, "source"), "dbName");
	struct cdc_json_row as = { .ctx = d, .tags = put_tags };
	struct cdc_str sql;
	int rc;

	if (!t->keep) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	t->defined = false;
	as.has_time = cdc_json_in_time(&d->j, event_time(d), 1000, &as.time_us);
	cdc_change_begin_named(&d->j.c, cdc_buf_str(&t->name), "DDL", cdc_change_id(&d->j.c, m),
			       as.has_time, as.time_us);
	put_tags(d);
	sql = is_a(d, ddl, CDC_JSON_STRING) ? cdc_json_in_text(&d->j, ddl)
					    : cdc_json_raw(&d->j.tape, ddl);
	cdc_change_ddl(&d->j.c, sql);
	rc = cdc_change_end(&d->j.c, m, err);
	return rc < 0 ? rc : cdc_json_in_truncate(&d->j, &as, sql, db, m, err);
}

/* Rows of a full load have neither a number nor a time. */
static bool is_load(const struct dataworks *d)
{
	return cdc_str_eqz(raw(d, get(d, d->payload, "sequenceId")), "-1");
}

static int put_row(struct dataworks *d, struct cdc_change_table *t, struct cdc_str op,
		   const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_json_row row = { .before = row_of(d, "before"),
				    .after = row_of(d, "after"),
				    .ctx = d,
				    .tags = put_tags,
				    .put = put_value };
	int rc = define(d, t, err);

	if (rc < 0)
		return rc;
	if (cdc_str_eqz(op, "INSERT")) {
		row.type = is_load(d) ? "INIT" : "INSERT";
		row.before = CDC_JSON_NONE;
	} else if (cdc_str_eqz(op, "DELETE")) {
		row.type = "DELETE";
		row.after = CDC_JSON_NONE;
	} else if (cdc_str_eqz(op, "UPDATE_AFTER") || cdc_str_eqz(op, "UPDATE")) {
		row.type = "UPDATE";
	} else {
		return cdc_fail(err, CDC_EDATA, "unknown op %.*s", (int)(op.n < 40 ? op.n : 40),
				op.p);
	}
	if (!is_a(d, row.after == CDC_JSON_NONE ? row.before : row.after, CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "a row without its image");
	row.has_time = cdc_json_in_time(&d->j, event_time(d), 1000, &row.time_us);
	return cdc_json_in_put_row(&d->j, t, &row, m, err);
}

/* A message that is whole. */
static int put_change(struct dataworks *d, const struct cdc_message *m, struct cdc_err *err)
{
	uint32_t source = get(d, d->schema, "source"), ddl = get(d, d->payload, "ddl");
	const uint32_t part[] = { get(d, source, "dbName"), get(d, source, "schemaName"),
				  get(d, source, "tableName") };
	struct cdc_change_table *t;
	int rc;

	for (size_t i = 0; i < 3; i++) {
		if (part[i] != CDC_JSON_NONE && !is_a(d, part[i], CDC_JSON_STRING))
			return cdc_fail(err, CDC_EDATA, "a name in source is no string");
	}
	rc = cdc_change_source(&d->j.c, raw(d, get(d, source, "dbType")), CDC_STR(""), err);
	if (rc == CDC_OK)
		rc = cdc_json_in_table(&d->j, part, 3, &t, err);
	cdc_arena_reset(&d->j.scratch);
	if (rc < 0)
		return rc;
	if (ddl == CDC_JSON_NONE)
		ddl = get(d, 0, "ddl");
	if (ddl != CDC_JSON_NONE)
		return put_ddl(d, t, ddl, m, err);
	return put_row(d, t, raw(d, get(d, d->payload, "op")), m, err);
}

static int put_message(struct dataworks *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str op = raw(d, get(d, d->payload, "op"));
	int rc;

	if (cdc_str_eqz(op, "UPDATE_BEFORE")) {
		rc = drop_held(d, err);
		d->j.s->counts.skipped += rc == CDC_OK;
		return rc < 0 ? rc : hold(d, m, err);
	}
	if (cdc_str_eqz(op, "UPDATE_AFTER") && completes(d, m))
		rc = join(d, m->value, err);
	else
		rc = drop_held(d, err);
	if (rc == CDC_OK)
		rc = put_change(d, m, err);
	/* What was kept is part of this message now, whatever became of that. */
	cdc_buf_reset(&d->held);
	return rc;
}

static bool dataworks_holds(const void *ctx)
{
	const struct dataworks *d = ctx;

	return d->held.len > 0;
}

static int dataworks_flush(void *ctx, struct cdc_err *err)
{
	return drop_held(ctx, err);
}

static int dataworks_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct dataworks *d = ctx;
	int rc;

	cdc_change_message(&d->j.c);
	if (m->is_null || cdc_source_blank(m->value)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = scan(d, m->value, err);
	return rc < 0 ? rc : put_message(d, m, err);
}

static void dataworks_rejected(void *ctx)
{
	struct dataworks *d = ctx;

	cdc_change_rejected(&d->j.c);
}

static enum cdc_fit dataworks_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_err ignored = CDC_ERR_INIT;

	return scan(ctx, m->value, &ignored) == CDC_OK ? CDC_FIT_YES : CDC_FIT_NO;
}

const struct cdc_format cdc_format_dataworks = {
	.name = "dataworks",
	.text = true,
	.open = dataworks_open,
	.close = dataworks_close,
	.message = dataworks_message,
	.rejected = dataworks_rejected,
	.flush = dataworks_flush,
	.holds = dataworks_holds,
	.probe = dataworks_probe,
};
