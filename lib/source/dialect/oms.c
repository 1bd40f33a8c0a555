/*
 * Format oms: the default JSON of OceanBase Migration Service (spec section 6): two images, and
 * what else is known in allMetaData.
 */
#include "source/dialect/json_in.h"

#include <stdlib.h>

enum member { PREV, POST, META, RECORD_TYPE, MEMBERS };

static const struct cdc_str members[MEMBERS] = {
	[PREV] = { "prevStruct", 10 },
	[POST] = { "postStruct", 10 },
	[META] = { "allMetaData", 11 },
	[RECORD_TYPE] = { "recordType", 10 },
};

enum meta { DB, TABLE, TIMESTAMP, PRIMARY_KEY, METAS };

static const struct cdc_str metas[METAS] = {
	[DB] = { "db", 2 },
	[TABLE] = { "table_name", 10 },
	[TIMESTAMP] = { "timestamp", 9 },
	[PRIMARY_KEY] = { "record_primary_key", 18 },
};

struct oms {
	struct cdc_json_in j;
	uint32_t tok[MEMBERS];
	uint32_t meta[METAS];
};

static void oms_close(void *ctx)
{
	struct oms *d = ctx;

	cdc_json_in_free(&d->j);
	free(d);
}

static int oms_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct oms *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR("OceanBase"), err);
	if (rc < 0)
		oms_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct oms *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct oms *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

static void put_tags(void *ctx)
{
	static const char *const skip[] = {
		"db",	  "table_name", "timestamp", "record_primary_key", "record_primary_value",
		"dbType", "ddlType",	NULL
	};
	struct oms *d = ctx;

	cdc_json_in_tags(&d->j, d->tok[META], skip);
}

static bool time_of(struct oms *d, int64_t *us)
{
	return cdc_json_in_seconds(&d->j, d->meta[TIMESTAMP], us);
}

/* Names of key columns, with a control character between them. */
static int key_names(struct oms *d, struct cdc_str **key, size_t *n, struct cdc_err *err)
{
	struct cdc_str all, *name;
	int rc;

	*n = 0;
	*key = NULL;
	if (!is_a(d, d->meta[PRIMARY_KEY], CDC_JSON_STRING) || raw(d, d->meta[PRIMARY_KEY]).n == 0)
		return CDC_OK;
	rc = cdc_json_string(&d->j.tape, d->meta[PRIMARY_KEY], &d->j.scratch, &all, err);
	if (rc < 0)
		return rc;
	name = cdc_arena_calloc(&d->j.scratch, all.n + 1, sizeof(*name));
	if (!name)
		return cdc_fail_nomem(err);
	for (size_t at = 0, i = 0; i <= all.n; i++) {
		if (i < all.n && all.p[i] != '\x01')
			continue;
		name[(*n)++] = cdc_str(all.p + at, i - at);
		at = i + 1;
	}
	*key = name;
	return CDC_OK;
}

static int put_ddl(struct oms *d, struct cdc_change_table *t, const struct cdc_message *m,
		   struct cdc_err *err)
{
	uint32_t ddl = cdc_json_get(&d->j.tape, d->tok[POST], "ddl");
	struct cdc_json_row as = { .ctx = d, .tags = put_tags };
	struct cdc_str sql;
	int rc;

	t->defined = false;
	if (!cdc_source_keeps(d->j.s, t->name.p, d->meta[TABLE] == CDC_JSON_NONE)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	as.has_time = time_of(d, &as.time_us);
	cdc_change_begin_named(&d->j.c, cdc_buf_str(&t->name), "DDL", cdc_change_id(&d->j.c, m),
			       as.has_time, as.time_us);
	put_tags(d);
	sql = is_a(d, ddl, CDC_JSON_STRING) ? cdc_json_in_text(&d->j, ddl) : CDC_STR("");
	cdc_change_ddl(&d->j.c, sql);
	rc = cdc_change_end(&d->j.c, m, err);
	return rc < 0 ? rc : cdc_json_in_truncate(&d->j, &as, sql, d->meta[DB], m, err);
}

static int put_heartbeat(struct oms *d, const struct cdc_message *m, struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = time_of(d, &us);

	if (d->j.s->opt.control)
		return cdc_change_heartbeat(&d->j.c, timed, us, m, err);
	d->j.s->counts.skipped++;
	return CDC_OK;
}

static int put_message(struct oms *d, const struct cdc_message *m, struct cdc_err *err)
{
	const uint32_t part[] = { d->meta[DB], d->meta[TABLE] };
	struct cdc_json_row row = {
		.before = d->tok[PREV], .after = d->tok[POST], .ctx = d, .tags = put_tags
	};
	struct cdc_str type = raw(d, d->tok[RECORD_TYPE]);
	struct cdc_change_table *t;
	struct cdc_str *key = NULL;
	int rc;

	if (cdc_str_eqz(type, "HEARTBEAT"))
		return put_heartbeat(d, m, err);
	for (size_t i = 0; i < 2; i++) {
		if (part[i] != CDC_JSON_NONE && !is_a(d, part[i], CDC_JSON_STRING))
			return cdc_fail(err, CDC_EDATA, "a name in allMetaData is no string");
	}
	rc = cdc_json_in_table(&d->j, part, 2, &t, err);
	cdc_arena_reset(&d->j.scratch);
	if (rc == CDC_OK && cdc_str_eqz(type, "DDL"))
		return put_ddl(d, t, m, err);
	if (rc == CDC_OK)
		rc = key_names(d, &key, &row.n_key, err);
	if (rc < 0)
		return rc;
	row.key = key;
	row.has_time = time_of(d, &row.time_us);
	if (cdc_str_eqz(type, "INSERT") || cdc_str_eqz(type, "ROW")) {
		row.type = cdc_str_eqz(type, "ROW") ? "INIT" : "INSERT";
		row.before = CDC_JSON_NONE;
	} else if (cdc_str_eqz(type, "UPDATE")) {
		row.type = "UPDATE";
	} else if (cdc_str_eqz(type, "DELETE")) {
		row.type = "DELETE";
		row.after = CDC_JSON_NONE;
	} else {
		return cdc_fail(err, CDC_EDATA, "unknown recordType %.*s",
				(int)(type.n < 40 ? type.n : 40), type.p);
	}
	if (!is_a(d, row.after == CDC_JSON_NONE ? row.before : row.after, CDC_JSON_OBJECT) ||
	    part[1] == CDC_JSON_NONE)
		return cdc_fail(err, CDC_EDATA, "a row without its image or its table");
	return cdc_json_in_put_row(&d->j, t, &row, m, err);
}

static int scan(struct oms *d, struct cdc_str text, struct cdc_err *err)
{
	int rc = cdc_json_in_scan(&d->j, text, members, MEMBERS, d->tok, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < METAS; i++)
		d->meta[i] = CDC_JSON_NONE;
	if (!is_a(d, d->tok[RECORD_TYPE], CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "not an OMS message: it has no recordType");
	if (is_a(d, d->tok[META], CDC_JSON_OBJECT))
		cdc_json_members(&d->j.tape, d->tok[META], metas, METAS, d->meta);
	else if (!cdc_str_eqz(raw(d, d->tok[RECORD_TYPE]), "HEARTBEAT"))
		return cdc_fail(err, CDC_EDATA, "not an OMS message: it has no allMetaData");
	return CDC_OK;
}

static int oms_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct oms *d = ctx;
	int rc;

	cdc_change_message(&d->j.c);
	if (m->is_null || cdc_source_blank(m->value)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = scan(d, m->value, err);
	return rc < 0 ? rc : put_message(d, m, err);
}

static void oms_rejected(void *ctx)
{
	struct oms *d = ctx;

	cdc_change_rejected(&d->j.c);
}

static enum cdc_fit oms_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct oms *d = ctx;

	return scan(d, m->value, &ignored) == CDC_OK && d->tok[META] != CDC_JSON_NONE ? CDC_FIT_YES
										      : CDC_FIT_NO;
}

const struct cdc_format cdc_format_oms = {
	.name = "oms",
	.text = true,
	.open = oms_open,
	.close = oms_close,
	.message = oms_message,
	.rejected = oms_rejected,
	.probe = oms_probe,
};
