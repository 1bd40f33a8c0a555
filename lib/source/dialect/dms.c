/*
 * Format dms: JSON of AWS Database Migration Service for Kafka and Kinesis (spec section 6). The
 * row before an update comes as an object beside `data`, or as BI_ columns inside it.
 */
#include "source/dialect/json_in.h"

#include <stdlib.h>

enum member { DATA, METADATA, BEFORE, MEMBERS };

static const struct cdc_str members[MEMBERS] = {
	[DATA] = { "data", 4 },
	[METADATA] = { "metadata", 8 },
	[BEFORE] = { "before-image", 12 },
};

enum meta { TIMESTAMP, RECORD_TYPE, OPERATION, SCHEMA_NAME, TABLE_NAME, TRANSACTION_ID, METAS };

static const struct cdc_str metas[METAS] = {
	[TIMESTAMP] = { "timestamp", 9 },    [RECORD_TYPE] = { "record-type", 11 },
	[OPERATION] = { "operation", 9 },    [SCHEMA_NAME] = { "schema-name", 11 },
	[TABLE_NAME] = { "table-name", 10 }, [TRANSACTION_ID] = { "transaction-id", 14 },
};

#define BEFORE_MARK "BI_"
#define BEFORE_MARK_BYTES (sizeof(BEFORE_MARK) - 1)

struct dms {
	struct cdc_json_in j;
	uint32_t tok[MEMBERS];
	uint32_t meta[METAS];
};

static void dms_close(void *ctx)
{
	struct dms *d = ctx;

	cdc_json_in_free(&d->j);
	free(d);
}

static int dms_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct dms *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR(""), err);
	if (rc < 0)
		dms_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct dms *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct dms *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

static void put_tags(void *ctx)
{
	static const char *const skip[] = { "timestamp",   "record-type", "operation",
					    "schema-name", "table-name",  "partition-key-type",
					    NULL };
	struct dms *d = ctx;

	cdc_json_in_tags(&d->j, d->tok[METADATA], skip);
}

static const struct {
	const char *operation;
	const char *type;
} operations[] = {
	{ "load", "INIT" },
	{ "insert", "INSERT" },
	{ "update", "UPDATE" },
	{ "delete", "DELETE" },
};

static const char *row_type(const struct dms *d)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (cdc_str_eqz(raw(d, d->meta[OPERATION]), operations[i].operation))
			return operations[i].type;
	}
	return NULL;
}

/* DMS tells that something was done to a table, not the statement. */
static int put_control(struct dms *d, struct cdc_change_table *t, const char *type,
		       struct cdc_str ddl, const struct cdc_message *m, struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = cdc_json_in_time(&d->j, d->meta[TIMESTAMP], 1000, &us);

	cdc_change_begin_named(&d->j.c, cdc_buf_str(&t->name), type, cdc_change_id(&d->j.c, m),
			       timed, us);
	put_tags(d);
	cdc_change_ddl(&d->j.c, ddl);
	return cdc_change_end(&d->j.c, m, err);
}

static int put_operation(struct dms *d, struct cdc_change_table *t, const struct cdc_message *m,
			 struct cdc_err *err)
{
	int rc;

	t->defined = false;
	if (!t->keep) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = put_control(d, t, "DDL", raw(d, d->meta[OPERATION]), m, err);
	if (rc == CDC_OK && cdc_str_eqz(raw(d, d->meta[OPERATION]), "truncate-table"))
		rc = put_control(d, t, "TRUNCATE", (struct cdc_str)CDC_STR_INIT, m, err);
	return rc;
}

static bool has_member(const struct dms *d, struct cdc_str name)
{
	for (uint32_t k = cdc_json_first(&d->j.tape, d->tok[DATA]); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, d->tok[DATA], k)) {
		if (cdc_json_is(&d->j.tape, k, name))
			return true;
	}
	return false;
}

/* Is the key's name one of the row before? Then *name, plain, is without the mark. */
static bool is_before(struct dms *d, uint32_t k, struct cdc_str *name)
{
	*name = cdc_json_in_text(&d->j, k);
	if (name->n < BEFORE_MARK_BYTES || memcmp(name->p, BEFORE_MARK, BEFORE_MARK_BYTES) != 0)
		return false;
	*name = cdc_str(name->p + BEFORE_MARK_BYTES, name->n - BEFORE_MARK_BYTES);
	return true;
}

/*
 * Are there columns of the row before? They stand beside those of the row after; a column that does
 * not is the table's own, whatever its name begins with.
 */
static int find_before_columns(struct dms *d, bool *found, struct cdc_err *err)
{
	bool own = false;

	*found = false;
	if (cdc_json_in_tok(&d->j, d->tok[DATA])->count > 2 * CDC_CHANGE_COLUMNS_MAX)
		return cdc_fail(err, CDC_EDATA, "too many columns");
	for (uint32_t k = cdc_json_first(&d->j.tape, d->tok[DATA]); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, d->tok[DATA], k)) {
		struct cdc_str name;

		if (!is_before(d, k, &name))
			continue;
		if (has_member(d, name))
			*found = true;
		else
			own = true;
	}
	if (*found && own)
		return cdc_fail(err, CDC_EDATA,
				"columns BI_ of the table and of the row before an update");
	return CDC_OK;
}

/* The row before an update as BI_ columns: two passes over one object. */
static int put_before_columns(struct dms *d, struct cdc_change_table *t,
			      const struct cdc_json_row *row, const struct cdc_message *m,
			      struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	uint32_t hint = 0;
	int rc = cdc_json_in_columns(j, t, row, err);

	if (rc == CDC_OK)
		rc = cdc_json_in_reset(j, t, err);
	for (uint32_t k = cdc_json_first(&j->tape, d->tok[DATA]);
	     rc == CDC_OK && k != CDC_JSON_NONE; k = cdc_json_after(&j->tape, d->tok[DATA], k)) {
		struct cdc_str name;

		if (is_before(d, k, &name))
			rc = cdc_json_in_note(j, t, k, BEFORE_MARK_BYTES, &hint, j->old, err);
	}
	if (rc == CDC_OK)
		rc = cdc_json_in_object(j, t, row->after, row->skip, j->value, err);
	if (rc < 0)
		return rc;
	cdc_change_begin(&j->c, t, row->type, cdc_change_id(&j->c, m), row->has_time, row->time_us);
	put_tags(d);
	cdc_change_images(&j->c, t);
	cdc_json_in_image(j, t, row, j->old);
	cdc_change_after(&j->c);
	cdc_json_in_image(j, t, row, j->value);
	return cdc_change_end(&j->c, m, err);
}

static int put_row(struct dms *d, struct cdc_change_table *t, const char *type,
		   const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_json_row row = { .type = type,
				    .ctx = d,
				    .tags = put_tags,
				    .before = CDC_JSON_NONE,
				    .after = d->tok[DATA] };
	bool before;
	int rc;

	if (!is_a(d, d->tok[DATA], CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "a row without data");
	rc = find_before_columns(d, &before, err);
	if (rc < 0)
		return rc;
	row.skip = before ? BEFORE_MARK : NULL;
	row.has_time = cdc_json_in_time(&d->j, d->meta[TIMESTAMP], 1000, &row.time_us);
	cdc_arena_reset(&d->j.scratch);
	if (strcmp(type, "DELETE") == 0) {
		row.before = d->tok[DATA];
		row.after = CDC_JSON_NONE;
	} else if (strcmp(type, "UPDATE") == 0) {
		row.before = d->tok[BEFORE];
		if (row.before == CDC_JSON_NONE && t->keep && before)
			return put_before_columns(d, t, &row, m, err);
	}
	return cdc_json_in_put_row(&d->j, t, &row, m, err);
}

static int put_message(struct dms *d, const struct cdc_message *m, struct cdc_err *err)
{
	const uint32_t part[] = { d->meta[SCHEMA_NAME], d->meta[TABLE_NAME] };
	const char *type = row_type(d);
	struct cdc_change_table *t;
	int rc;

	if (!is_a(d, part[1], CDC_JSON_STRING) ||
	    (part[0] != CDC_JSON_NONE && !is_a(d, part[0], CDC_JSON_STRING)))
		return cdc_fail(err, CDC_EDATA, "a message without the name of its table");
	rc = cdc_json_in_table(&d->j, part, 2, &t, err);
	if (rc < 0)
		return rc;
	if (cdc_str_eqz(raw(d, d->meta[RECORD_TYPE]), "control"))
		return put_operation(d, t, m, err);
	if (!type)
		return cdc_fail(err, CDC_EDATA, "unknown operation %.*s",
				(int)(raw(d, d->meta[OPERATION]).n < 40
					      ? raw(d, d->meta[OPERATION]).n
					      : 40),
				raw(d, d->meta[OPERATION]).p);
	return put_row(d, t, type, m, err);
}

static int scan(struct dms *d, struct cdc_str text, struct cdc_err *err)
{
	int rc = cdc_json_in_scan(&d->j, text, members, MEMBERS, d->tok, err);

	if (rc < 0)
		return rc;
	if (!is_a(d, d->tok[METADATA], CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "not a DMS message: it has no metadata");
	cdc_json_members(&d->j.tape, d->tok[METADATA], metas, METAS, d->meta);
	if (!is_a(d, d->meta[RECORD_TYPE], CDC_JSON_STRING) ||
	    !is_a(d, d->meta[OPERATION], CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "not a DMS message: no record-type or operation");
	return CDC_OK;
}

static int dms_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct dms *d = ctx;
	int rc;

	cdc_change_message(&d->j.c);
	if (m->is_null || cdc_source_blank(m->value)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = scan(d, m->value, err);
	return rc < 0 ? rc : put_message(d, m, err);
}

static void dms_rejected(void *ctx)
{
	struct dms *d = ctx;

	cdc_change_rejected(&d->j.c);
}

static enum cdc_fit dms_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_err ignored = CDC_ERR_INIT;

	return scan(ctx, m->value, &ignored) == CDC_OK ? CDC_FIT_YES : CDC_FIT_NO;
}

const struct cdc_format cdc_format_dms = {
	.name = "dms",
	.text = true,
	.open = dms_open,
	.close = dms_close,
	.message = dms_message,
	.rejected = dms_rejected,
	.probe = dms_probe,
};
