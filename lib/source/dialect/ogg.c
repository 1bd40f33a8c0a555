/*
 * Format ogg: JSON of Oracle GoldenGate for Big Data (spec section 6). An update may hold the key
 * and what changed only: the rest is unknown.
 */
#include "source/dialect/json_in.h"

#include <stdlib.h>

enum member { TABLE, OP_TYPE, OP_TS, POS, CSN, XID, PRIMARY_KEYS, TOKENS, BEFORE, AFTER, MEMBERS };

static const struct cdc_str members[MEMBERS] = {
	[TABLE] = { "table", 5 },
	[OP_TYPE] = { "op_type", 7 },
	[OP_TS] = { "op_ts", 5 },
	[POS] = { "pos", 3 },
	[CSN] = { "csn", 3 },
	[XID] = { "xid", 3 },
	[PRIMARY_KEYS] = { "primary_keys", 12 },
	[TOKENS] = { "tokens", 6 },
	[BEFORE] = { "before", 6 },
	[AFTER] = { "after", 5 },
};

struct ogg {
	struct cdc_json_in j;
	uint32_t tok[MEMBERS];
};

static void ogg_close(void *ctx)
{
	struct ogg *d = ctx;

	cdc_json_in_free(&d->j);
	free(d);
}

static int ogg_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct ogg *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR("Oracle"), err);
	if (rc < 0)
		ogg_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct ogg *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct ogg *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

static void put_tags(void *ctx)
{
	static const enum member tags[] = { POS, CSN, XID };
	struct ogg *d = ctx;
	const char *put[sizeof(tags) / sizeof(tags[0]) + 1];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (!cdc_json_in_is_tag(&d->j, d->tok[tags[i]]))
			continue;
		cdc_change_tag_raw(&d->j.c, members[tags[i]], raw(d, d->tok[tags[i]]));
		put[n++] = members[tags[i]].p;
	}
	put[n] = NULL;
	/* Tokens are named by users: one may be called as a member of the message. */
	cdc_json_in_tags(&d->j, d->tok[TOKENS], put);
}

static int put_truncate(struct ogg *d, struct cdc_change_table *t, const struct cdc_message *m,
			struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = cdc_json_in_time(&d->j, d->tok[OP_TS], 1000, &us);

	if (!t->keep) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	cdc_change_begin_named(&d->j.c, cdc_buf_str(&t->name), "TRUNCATE",
			       cdc_change_id(&d->j.c, m), timed, us);
	put_tags(d);
	cdc_change_ddl(&d->j.c, (struct cdc_str)CDC_STR_INIT);
	return cdc_change_end(&d->j.c, m, err);
}

static int put_message(struct ogg *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_json_row row = {
		.before = d->tok[BEFORE], .after = d->tok[AFTER], .ctx = d, .tags = put_tags
	};
	char op = raw(d, d->tok[OP_TYPE]).n == 1 ? raw(d, d->tok[OP_TYPE]).p[0] : '\0';
	struct cdc_change_table *t;
	struct cdc_str *key;
	int rc = cdc_json_in_table(&d->j, &d->tok[TABLE], 1, &t, err);

	cdc_arena_reset(&d->j.scratch);
	if (rc == CDC_OK)
		rc = cdc_json_in_names(&d->j, d->tok[PRIMARY_KEYS], &key, &row.n_key, err);
	if (rc < 0)
		return rc;
	row.key = key;
	row.has_time = cdc_json_in_time(&d->j, d->tok[OP_TS], 1000, &row.time_us);
	switch (op) {
	case 'I':
		row.type = "INSERT";
		row.before = CDC_JSON_NONE;
		break;
	case 'U':
		row.type = "UPDATE";
		break;
	case 'D':
		row.type = "DELETE";
		row.after = CDC_JSON_NONE;
		break;
	case 'T':
		return put_truncate(d, t, m, err);
	default:
		return cdc_fail(
			err, CDC_EDATA, "unknown op_type %.*s",
			(int)(raw(d, d->tok[OP_TYPE]).n < 40 ? raw(d, d->tok[OP_TYPE]).n : 40),
			raw(d, d->tok[OP_TYPE]).p);
	}
	if (op == 'D' ? !is_a(d, row.before, CDC_JSON_OBJECT)
		      : !is_a(d, row.after, CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "a row without %s", op == 'D' ? "before" : "after");
	return cdc_json_in_put_row(&d->j, t, &row, m, err);
}

static int scan(struct ogg *d, struct cdc_str text, struct cdc_err *err)
{
	int rc = cdc_json_in_scan(&d->j, text, members, MEMBERS, d->tok, err);

	if (rc == CDC_OK && (!is_a(d, d->tok[TABLE], CDC_JSON_STRING) ||
			     !is_a(d, d->tok[OP_TYPE], CDC_JSON_STRING)))
		rc = cdc_fail(err, CDC_EDATA, "not a GoldenGate message: no table or no op_type");
	return rc;
}

static int ogg_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct ogg *d = ctx;
	int rc;

	cdc_change_message(&d->j.c);
	if (m->is_null || cdc_source_blank(m->value)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = scan(d, m->value, err);
	return rc < 0 ? rc : put_message(d, m, err);
}

static void ogg_rejected(void *ctx)
{
	struct ogg *d = ctx;

	cdc_change_rejected(&d->j.c);
}

static enum cdc_fit ogg_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_err ignored = CDC_ERR_INIT;

	return scan(ctx, m->value, &ignored) == CDC_OK ? CDC_FIT_YES : CDC_FIT_NO;
}

const struct cdc_format cdc_format_ogg = {
	.name = "ogg",
	.text = true,
	.open = ogg_open,
	.close = ogg_close,
	.message = ogg_message,
	.rejected = ogg_rejected,
	.probe = ogg_probe,
};
