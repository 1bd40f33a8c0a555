/*
 * Format debezium: change events of Debezium as JSON, with and without schemas, whole and flattened
 * (spec section 4); schema changes and transactions of its other topics.
 */
#include "source/debezium/debezium_int.h"

#include "base/value.h"

#include <stdlib.h>
#include <strings.h>

static const struct cdc_str members[DBZ_MEMBERS] = {
	[DBZ_BEFORE] = { "before", 6 },
	[DBZ_AFTER] = { "after", 5 },
	[DBZ_SOURCE] = { "source", 6 },
	[DBZ_OP] = { "op", 2 },
	[DBZ_TS_MS] = { "ts_ms", 5 },
	[DBZ_TS_US] = { "ts_us", 5 },
	[DBZ_TS_NS] = { "ts_ns", 5 },
	[DBZ_TRANSACTION] = { "transaction", 11 },
	[DBZ_DATABASE_NAME] = { "databaseName", 12 },
	[DBZ_SCHEMA_NAME] = { "schemaName", 10 },
	[DBZ_DDL] = { "ddl", 3 },
	[DBZ_TABLE_CHANGES] = { "tableChanges", 12 },
	[DBZ_STATUS] = { "status", 6 },
	[DBZ_ID] = { "id", 2 },
	[DBZ_EVENT_COUNT] = { "event_count", 11 },
};

static const struct cdc_str source_members[DBZ_SRC_MEMBERS] = {
	[DBZ_SRC_DB] = { "db", 2 },
	[DBZ_SRC_SCHEMA] = { "schema", 6 },
	[DBZ_SRC_TABLE] = { "table", 5 },
	[DBZ_SRC_COLLECTION] = { "collection", 10 },
	[DBZ_SRC_CONNECTOR] = { "connector", 9 },
	[DBZ_SRC_TS_MS] = { "ts_ms", 5 },
	[DBZ_SRC_TS_US] = { "ts_us", 5 },
	[DBZ_SRC_TS_NS] = { "ts_ns", 5 },
	[DBZ_SRC_TS_SEC] = { "ts_sec", 6 },
};

static void debezium_close(void *ctx)
{
	struct debezium *d = ctx;

	cdc_json_in_free(&d->j);
	cdc_json_in_free(&d->key);
	cdc_connect_type_free(&d->type);
	cdc_buf_free(&d->prefix);
	cdc_tape_free(&d->schema_tape);
	cdc_ddl_free(&d->given_tables);
	cdc_buf_free(&d->last_connector);
	cdc_buf_free(&d->held.line);
	cdc_buf_free(&d->held.topic);
	cdc_buf_free(&d->held.new_key);
	debezium_topics_free(d);
	for (size_t i = 0; i < d->n_schemas; i++)
		free(d->schemas[i].text);
	free(d);
}

static int debezium_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct debezium *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR(""), err);
	if (rc == CDC_OK)
		rc = cdc_json_in_init(&d->key, s, CDC_STR(""), err);
	if (rc == CDC_OK)
		rc = cdc_ddl_given(&d->given_tables, s->opt.schema, err);
	if (rc < 0)
		debezium_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct debezium *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct debezium *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

static int skip(struct debezium *d)
{
	d->j.s->counts.skipped++;
	return CDC_OK;
}

/* --- tables ------------------------------------------------------------- */

/* "prefix.db.table" -> "db.table": what a connector calls its topics. */
static struct cdc_str name_of_topic(struct cdc_str topic)
{
	const char *dot = topic.n ? memchr(topic.p, '.', topic.n) : NULL;
	size_t rest = dot ? topic.n - (size_t)(dot - topic.p) - 1 : 0;

	return rest && memchr(dot + 1, '.', rest) ? cdc_str(dot + 1, rest) : topic;
}

/* A table that the message does not name. */
static int table_of_topic(struct debezium *d, const struct cdc_message *m,
			  struct cdc_change_table **t, struct cdc_err *err)
{
	const struct cdc_source_options *opt = &d->j.s->opt;
	struct cdc_str name = m->has_kafka ? name_of_topic(m->topic)
			      : opt->topic ? name_of_topic(cdc_str_z(opt->topic))
					   : CDC_STR("");
	int rc;

	if (opt->db_table)
		name = cdc_str_z(opt->db_table);
	if (name.n == 0)
		return cdc_fail(err, CDC_EDATA,
				"a row of a table that is not named: give --db-table");
	rc = cdc_change_table(&d->j.c, name, t, err);
	if (rc == CDC_OK && !(*t)->named)
		rc = cdc_change_name(&d->j.c, *t, &name, 1, err);
	return rc;
}

static int find_table(struct debezium *d, const struct cdc_message *m, struct cdc_change_table **t,
		      struct cdc_err *err)
{
	uint32_t table = d->src[DBZ_SRC_TABLE];
	uint32_t part[3];

	if (table == CDC_JSON_NONE)
		table = d->src[DBZ_SRC_COLLECTION];
	part[0] = d->src[DBZ_SRC_DB];
	part[1] = d->src[DBZ_SRC_SCHEMA];
	part[2] = table;
	if (!is_a(d, table, CDC_JSON_STRING))
		return table_of_topic(d, m, t, err);
	for (size_t i = 0; i < 2; i++) {
		if (part[i] != CDC_JSON_NONE && !is_a(d, part[i], CDC_JSON_STRING))
			return cdc_fail(err, CDC_EDATA, "a name in source is no string");
	}
	return cdc_json_in_table(&d->j, part, 3, t, err);
}

/* --- rows --------------------------------------------------------------- */

static int put_change(struct debezium *d, struct debezium_row *r, const struct cdc_message *m,
		      struct cdc_err *err)
{
	struct cdc_change_table *t;
	int rc;

	if (r->kind != DBZ_DELETE && !is_a(d, r->after, CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "a row without after");
	rc = find_table(d, m, &t, err);
	if (rc < 0)
		return rc;
	r->joined = r->kind == DBZ_INSERT && debezium_joins(d, t, m);
	if (!r->joined)
		rc = debezium_flush_held(d, err);
	if (rc < 0)
		return rc;
	if (!t->keep)
		return skip(d);
	rc = debezium_set_source(d, err);
	if (rc == CDC_OK)
		rc = debezium_columns(d, t, r->before, r->after, r->flat, err);
	if (rc == CDC_OK)
		rc = debezium_key_image(d, r, m, err);
	if (rc == CDC_OK)
		rc = debezium_put_row(d, t, r, m, err);
	return rc;
}

/* --- other events ------------------------------------------------------- */

static int put_control(struct debezium *d, struct cdc_str name, const char *type,
		       struct cdc_str ddl, const struct cdc_message *m, struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = debezium_time(d, &us);

	cdc_change_begin_named(&d->j.c, name, type, cdc_change_id(&d->j.c, m), timed, us);
	debezium_tags(d, d->tok[DBZ_SOURCE], false);
	if (is_a(d, d->tok[DBZ_ID], CDC_JSON_STRING))
		cdc_change_tag_raw(&d->j.c, CDC_STR("transaction"), raw(d, d->tok[DBZ_ID]));
	cdc_change_ddl(&d->j.c, ddl);
	return cdc_change_end(&d->j.c, m, err);
}

static int put_truncate(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_change_table *t;
	int rc = debezium_flush_held(d, err);

	if (rc == CDC_OK)
		rc = find_table(d, m, &t, err);
	if (rc == CDC_OK)
		rc = debezium_set_source(d, err);
	if (rc < 0)
		return rc;
	if (!t->keep)
		return skip(d);
	return put_control(d, cdc_buf_str(&t->name), "TRUNCATE", (struct cdc_str)CDC_STR_INIT, m,
			   err);
}

/* Also of one that truncates: its topic is in no order with the table's, so a TRUNCATE could remove
 * rows that came after it. */
static int put_schema_change(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str db, ddl = CDC_STR("");
	char *name;
	int rc;

	cdc_arena_reset(&d->j.scratch);
	if (!is_a(d, d->tok[DBZ_DDL], CDC_JSON_STRING))
		return skip(d);
	rc = cdc_json_string(&d->j.tape, d->tok[DBZ_DDL], &d->j.scratch, &ddl, err);
	db = CDC_STR("");
	if (rc == CDC_OK && is_a(d, d->tok[DBZ_DATABASE_NAME], CDC_JSON_STRING))
		rc = cdc_json_string(&d->j.tape, d->tok[DBZ_DATABASE_NAME], &d->j.scratch, &db,
				     err);
	if (rc == CDC_OK)
		rc = debezium_set_source(d, err);
	if (rc < 0)
		return rc;
	name = cdc_arena_dupz(&d->j.scratch, db);
	if (!name)
		return cdc_fail_nomem(err);
	if (db.n && !cdc_source_keeps(d->j.s, name, true))
		return skip(d);
	return put_control(d, db, "DDL", ddl, m, err);
}

static int put_boundary(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str status = raw(d, d->tok[DBZ_STATUS]);
	const char *type = cdc_str_eqz(status, "BEGIN") ? "BEGIN"
			   : cdc_str_eqz(status, "END") ? "COMMIT"
							: NULL;

	if (!type)
		return cdc_fail(err, CDC_EDATA, "unknown status %.*s",
				(int)(status.n < 40 ? status.n : 40), status.p);
	if (!d->j.s->opt.control)
		return skip(d);
	return put_control(d, CDC_STR(""), type, (struct cdc_str)CDC_STR_INIT, m, err);
}

static int put_heartbeat(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = debezium_time(d, &us);

	return d->j.s->opt.control ? cdc_change_heartbeat(&d->j.c, timed, us, m, err) : skip(d);
}

/* --- messages ----------------------------------------------------------- */

static bool is_envelope(const struct debezium *d)
{
	return is_a(d, d->tok[DBZ_OP], CDC_JSON_STRING) && raw(d, d->tok[DBZ_OP]).n == 1 &&
	       (d->tok[DBZ_SOURCE] != CDC_JSON_NONE || d->tok[DBZ_AFTER] != CDC_JSON_NONE ||
		d->tok[DBZ_BEFORE] != CDC_JSON_NONE);
}

static bool is_boundary(const struct debezium *d)
{
	return is_a(d, d->tok[DBZ_STATUS], CDC_JSON_STRING) &&
	       is_a(d, d->tok[DBZ_ID], CDC_JSON_STRING) &&
	       cdc_json_get(&d->j.tape, d->root, "event_count") != CDC_JSON_NONE;
}

static bool is_schema_change(const struct debezium *d)
{
	return is_a(d, d->tok[DBZ_DDL], CDC_JSON_STRING) &&
	       (d->tok[DBZ_DATABASE_NAME] != CDC_JSON_NONE ||
		is_a(d, d->tok[DBZ_TABLE_CHANGES], CDC_JSON_ARRAY));
}

static bool is_heartbeat(const struct debezium *d)
{
	return d->j.tape.tok[d->root].count == 1 && is_a(d, d->tok[DBZ_TS_MS], CDC_JSON_NUMBER);
}

/* A row that says of itself that it is one may have columns of any names. */
static bool is_marked(const struct debezium *d)
{
	for (uint32_t k = cdc_json_first(&d->j.tape, d->root); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, d->root, k)) {
		if (debezium_is_mark(cdc_json_raw(&d->j.tape, k)))
			return true;
	}
	return false;
}

static uint32_t mark(const struct debezium *d, const char *name)
{
	return cdc_json_get(&d->j.tape, d->root, name);
}

static int put_envelope(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct debezium_row r = { .before = d->tok[DBZ_BEFORE], .after = d->tok[DBZ_AFTER] };

	switch (raw(d, d->tok[DBZ_OP]).p[0]) {
	case 'c':
		r.kind = DBZ_INSERT;
		break;
	case 'u':
		r.kind = DBZ_UPDATE;
		break;
	case 'd':
		r.kind = DBZ_DELETE;
		break;
	case 'r':
		r.kind = DBZ_INIT;
		break;
	case 't':
		return put_truncate(d, m, err);
	case 'm':
		return skip(d);
	default:
		return cdc_fail(err, CDC_EDATA, "unknown op %c", raw(d, d->tok[DBZ_OP]).p[0]);
	}
	return put_change(d, &r, m, err);
}

static int put_flat(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	uint32_t deleted = mark(d, "__deleted"), op = mark(d, "__op");
	const struct cdc_header *h = debezium_header(m, "__op");
	struct cdc_str how = is_a(d, op, CDC_JSON_STRING) ? raw(d, op) : h ? h->value : CDC_STR("");
	struct debezium_row r = { .before = CDC_JSON_NONE, .after = d->root, .flat = true };
	int rc;

	debezium_flat_source(d);
	if (cdc_str_eqz(raw(d, deleted), "true") || cdc_str_eqz(how, "d")) {
		r.kind = DBZ_DELETE;
		r.before = d->root;
		r.after = CDC_JSON_NONE;
	} else if (cdc_str_eqz(how, "u")) {
		r.kind = DBZ_UPDATE;
	} else if (cdc_str_eqz(how, "r")) {
		r.kind = DBZ_INIT;
	} else if (how.n && !cdc_str_eqz(how, "c")) {
		return cdc_fail(err, CDC_EDATA, "unknown __op %.*s", (int)(how.n < 40 ? how.n : 40),
				how.p);
	}
	rc = put_change(d, &r, m, err);
	return rc < 0 ? rc : debezium_topic_note(d, m, d->j.c.last, err);
}

/*
 * No value. Behind a deletion it is for the topic's compaction only; in a topic of flattened rows
 * it may be all that tells of a deletion.
 */
static int put_tombstone(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct debezium_row r = { .kind = DBZ_DELETE,
				  .before = CDC_JSON_NONE,
				  .after = CDC_JSON_NONE,
				  .key_before = true };
	struct cdc_change_table *t;
	int rc = debezium_topic_table(d, m, &t, err);

	if (rc < 0)
		return rc;
	if (!t || d->key_root == CDC_JSON_NONE || !t->keep || !t->defined)
		return skip(d);
	for (size_t i = 0; i < DBZ_MEMBERS; i++)
		d->tok[i] = CDC_JSON_NONE;
	for (size_t i = 0; i < DBZ_SRC_MEMBERS; i++)
		d->src[i] = CDC_JSON_NONE;
	d->root = CDC_JSON_NONE;
	return debezium_put_row(d, t, &r, m, err);
}

static int put_message(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!is_marked(d) && is_envelope(d))
		return put_envelope(d, m, err);
	rc = debezium_flush_held(d, err);
	if (rc < 0)
		return rc;
	if (is_marked(d))
		return put_flat(d, m, err);
	if (is_boundary(d))
		return put_boundary(d, m, err);
	if (is_schema_change(d))
		return put_schema_change(d, m, err);
	if (is_heartbeat(d))
		return put_heartbeat(d, m, err);
	return put_flat(d, m, err);
}

static void find_members(struct debezium *d)
{
	cdc_json_members(&d->j.tape, d->root, members, DBZ_MEMBERS, d->tok);
	for (size_t i = 0; i < DBZ_SRC_MEMBERS; i++)
		d->src[i] = CDC_JSON_NONE;
	if (is_a(d, d->tok[DBZ_SOURCE], CDC_JSON_OBJECT))
		cdc_json_members(&d->j.tape, d->tok[DBZ_SOURCE], source_members, DBZ_SRC_MEMBERS,
				 d->src);
}

static int debezium_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct debezium *d = ctx;
	bool null = m->is_null;
	int rc = debezium_scan_key(d, m, err);

	cdc_change_message(&d->j.c);
	if (rc < 0)
		return rc;
	if (!null && cdc_source_blank(m->value))
		return skip(d);
	if (!null)
		rc = debezium_scan(d, m->value, &null, err);
	if (rc < 0)
		return rc;
	if (null)
		return put_tombstone(d, m, err);
	if (!is_a(d, d->root, CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "the payload is no object");
	find_members(d);
	return put_message(d, m, err);
}

static void debezium_rejected(void *ctx)
{
	struct debezium *d = ctx;

	cdc_change_rejected(&d->j.c);
	debezium_hold_again(d);
}

static bool debezium_holds(const void *ctx)
{
	const struct debezium *d = ctx;

	return d->held.is;
}

static int debezium_flush(void *ctx, struct cdc_err *err)
{
	return debezium_flush_held(ctx, err);
}

static enum cdc_fit debezium_probe(void *ctx, const struct cdc_message *m)
{
	struct debezium *d = ctx;
	struct cdc_err ignored = CDC_ERR_INIT;
	bool null;

	if (debezium_scan(d, m->value, &null, &ignored) < 0)
		return CDC_FIT_NO;
	if (null)
		return CDC_FIT_NO;
	if (!is_a(d, d->root, CDC_JSON_OBJECT))
		return CDC_FIT_NO;
	find_members(d);
	if (is_marked(d))
		return mark(d, "__op") != CDC_JSON_NONE || mark(d, "__deleted") != CDC_JSON_NONE
			       ? CDC_FIT_YES
			       : CDC_FIT_NO;
	if (is_envelope(d) && (is_a(d, d->tok[DBZ_SOURCE], CDC_JSON_OBJECT) || d->schema_no))
		return CDC_FIT_YES;
	if (is_envelope(d) && (is_a(d, d->tok[DBZ_AFTER], CDC_JSON_OBJECT) ||
			       is_a(d, d->tok[DBZ_BEFORE], CDC_JSON_OBJECT)))
		return CDC_FIT_WEAK;
	return is_boundary(d) || is_schema_change(d) ? CDC_FIT_YES : CDC_FIT_NO;
}

const struct cdc_format cdc_format_debezium = {
	.name = "debezium",
	.text = true,
	.open = debezium_open,
	.close = debezium_close,
	.message = debezium_message,
	.rejected = debezium_rejected,
	.flush = debezium_flush,
	.holds = debezium_holds,
	.probe = debezium_probe,
};
