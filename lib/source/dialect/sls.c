/*
 * Format sls: MySQL binlog events as Logtail and its successors put them into Log Service (spec
 * section 6): one flat object of strings, or with the row packed into `data` and `old_data`. Null
 * is the text <nil>, which a column may hold as well.
 */
#include "source/dialect/json_in.h"

#include <stdlib.h>

enum member {
	DB,
	TABLE,
	EVENT,
	GTID,
	FILENAME,
	OFFSET,
	EVENT_TIME,
	DATA,
	OLD_DATA,
	QUERY,
	ERROR_CODE,
	MEMBERS
};

static const struct cdc_str members[MEMBERS] = {
	[DB] = { "_db_", 4 },
	[TABLE] = { "_table_", 7 },
	[EVENT] = { "_event_", 7 },
	[GTID] = { "_gtid_", 6 },
	[FILENAME] = { "_filename_", 10 },
	[OFFSET] = { "_offset_", 8 },
	[EVENT_TIME] = { "_event_time_", 12 },
	[DATA] = { "data", 4 },
	[OLD_DATA] = { "old_data", 8 },
	[QUERY] = { "Query", 5 },
	[ERROR_CODE] = { "ErrorCode", 9 },
};

#define OLD_PREFIX "_old_"
#define OLD_PREFIX_BYTES (sizeof(OLD_PREFIX) - 1)

struct sls {
	struct cdc_json_in j;
	uint32_t tok[MEMBERS];
	struct cdc_buf packed; /* a message whose packed rows were laid open */
};

static void sls_close(void *ctx)
{
	struct sls *d = ctx;

	cdc_json_in_free(&d->j);
	cdc_buf_free(&d->packed);
	free(d);
}

static int sls_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct sls *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	rc = cdc_json_in_init(&d->j, s, CDC_STR("MySQL"), err);
	if (rc < 0)
		sls_close(d);
	else
		*ctx = d;
	return rc;
}

static bool is_a(const struct sls *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct sls *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

/* Plain text of a key; until the next call. */
static struct cdc_str name_of(struct sls *d, uint32_t k)
{
	return cdc_json_in_text(&d->j, k);
}

/* What Log Service and Logtail add; no table has such columns. */
static bool is_meta(struct cdc_str name)
{
	static const char *const names[] = {
		"_host_",	"_db_",
		"_table_",	"_event_",
		"_id_",		"_gtid_",
		"_filename_",	"_offset_",
		"_event_time_", "_event_log_postion_",
		"_event_size_", "_event_server_id_",
		"__source__",	"__topic__",
		"__time__",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (cdc_str_eqz(name, names[i]))
			return true;
	}
	return (name.n > 6 && memcmp(name.p, "__tag_", 6) == 0) ||
	       (name.n > 7 && memcmp(name.p, "__pack_", 7) == 0);
}

static bool is_old(struct cdc_str name)
{
	return name.n > OLD_PREFIX_BYTES && memcmp(name.p, OLD_PREFIX, OLD_PREFIX_BYTES) == 0;
}

static void put_tags(void *ctx)
{
	static const enum member tags[] = { GTID, FILENAME, OFFSET };
	struct sls *d = ctx;

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		struct cdc_str name = members[tags[i]];

		if (cdc_json_in_is_tag(&d->j, d->tok[tags[i]]) && raw(d, d->tok[tags[i]]).n)
			cdc_change_tag_raw(&d->j.c, cdc_str(name.p + 1, name.n - 2),
					   raw(d, d->tok[tags[i]]));
	}
}

/* --- columns ------------------------------------------------------------ */

/* A message that will be rejected must not leave its columns in the table. */
static int check_once(struct sls *d, struct cdc_err *err)
{
	uint32_t twice;
	int rc = cdc_json_duplicate(&d->j.tape, 0, &twice, err);
	struct cdc_str name;

	if (rc < 0 || twice == CDC_JSON_NONE)
		return rc;
	name = name_of(d, twice);
	if (is_meta(name))
		return CDC_OK;
	if (is_old(name))
		name = cdc_str(name.p + OLD_PREFIX_BYTES, name.n - OLD_PREFIX_BYTES);
	return cdc_fail(err, CDC_EDATA, "column %.*s comes twice in a row",
			(int)(name.n < 100 ? name.n : 100), name.p);
}

/* Columns that the message has and the table has not, in the message's order. */
static int add_columns(struct sls *d, struct cdc_change_table *t, struct cdc_err *err)
{
	int rc = cdc_json_in_grow(&d->j, t, t->defined ? t->n : 0, cdc_json_in_tok(&d->j, 0)->count,
				  err);

	for (uint32_t k = cdc_json_first(&d->j.tape, 0); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, 0, k)) {
		struct cdc_str name = name_of(d, k);

		if (is_meta(name) || is_old(name))
			continue;
		rc = cdc_json_string(&d->j.tape, k, &d->j.scratch, &name, err);
		if (rc == CDC_OK)
			rc = cdc_json_in_add(&d->j, name, err);
	}
	return rc < 0 ? rc : cdc_json_in_define(&d->j, t, t->key, t->n_key, err);
}

static bool covers(struct sls *d, struct cdc_change_table *t)
{
	uint32_t hint = 0;

	for (uint32_t k = cdc_json_first(&d->j.tape, 0); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, 0, k)) {
		struct cdc_str name = name_of(d, k);

		if (!is_meta(name) && !is_old(name) && !cdc_json_in_column(&d->j, t, k, &hint))
			return false;
	}
	return true;
}

/* --- rows --------------------------------------------------------------- */

static void put_value(void *ctx, const struct cdc_change_column *col, uint32_t i)
{
	struct sls *d = ctx;

	(void)col;
	/* Where a row is packed, its signs are escaped. */
	if (cdc_json_in_is(&d->j, i, CDC_JSON_STRING) &&
	    cdc_str_eqz(cdc_json_in_text(&d->j, i), "<nil>"))
		cdc_out_lit(&d->j.s->out, "null");
	else
		cdc_json_in_put(&d->j, i);
}

/* The members with the prefix, under the names without it, and those that have none. */
static int read_images(struct sls *d, struct cdc_change_table *t, struct cdc_err *err)
{
	uint32_t hint = 0, old_hint = 0;
	int rc = cdc_json_in_reset(&d->j, t, err);

	for (uint32_t k = cdc_json_first(&d->j.tape, 0); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, 0, k)) {
		struct cdc_str name = name_of(d, k);

		if (is_meta(name))
			continue;
		if (is_old(name))
			rc = cdc_json_in_note(&d->j, t, k, OLD_PREFIX_BYTES, &old_hint, d->j.old,
					      err);
		else
			rc = cdc_json_in_note(&d->j, t, k, 0, &hint, d->j.value, err);
	}
	return rc;
}

static int put_row(struct sls *d, struct cdc_change_table *t, const char *type,
		   const struct cdc_message *m, struct cdc_err *err)
{
	bool is_delete = strcmp(type, "DELETE") == 0;
	int64_t us = 0;
	bool timed = cdc_json_in_seconds(&d->j, d->tok[EVENT_TIME], &us);
	struct cdc_json_row row = { .type = type, .ctx = d, .put = put_value };
	int rc = CDC_OK;

	if (!t->keep) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	if (!t->defined || !covers(d, t)) {
		rc = check_once(d, err);
		if (rc == CDC_OK)
			rc = add_columns(d, t, err);
	}
	if (rc == CDC_OK)
		rc = read_images(d, t, err);
	if (rc < 0)
		return rc;
	cdc_change_begin(&d->j.c, t, type, cdc_change_id(&d->j.c, m), timed, us);
	put_tags(d);
	cdc_change_images(&d->j.c, t);
	if (strcmp(type, "INSERT") != 0)
		cdc_json_in_image(&d->j, t, &row, is_delete ? d->j.value : d->j.old);
	cdc_change_after(&d->j.c);
	if (!is_delete)
		cdc_json_in_image(&d->j, t, &row, d->j.value);
	return cdc_change_end(&d->j.c, m, err);
}

/* The server logs what failed halfway too, and with which error. */
static bool has_failed(const struct sls *d)
{
	uint32_t code = d->tok[ERROR_CODE];

	return code != CDC_JSON_NONE && !cdc_str_eqz(raw(d, code), "0");
}

static int put_ddl(struct sls *d, struct cdc_change_table *t, const struct cdc_message *m,
		   struct cdc_err *err)
{
	struct cdc_json_row as = { .ctx = d, .tags = put_tags };
	struct cdc_str sql;
	int rc;

	t->defined = false;
	if (!cdc_source_keeps(d->j.s, t->name.p, raw(d, d->tok[TABLE]).n == 0)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	as.has_time = cdc_json_in_seconds(&d->j, d->tok[EVENT_TIME], &as.time_us);
	cdc_change_begin_named(&d->j.c, cdc_buf_str(&t->name), "DDL", cdc_change_id(&d->j.c, m),
			       as.has_time, as.time_us);
	put_tags(d);
	sql = d->tok[QUERY] == CDC_JSON_NONE ? CDC_STR("") : cdc_json_in_text(&d->j, d->tok[QUERY]);
	cdc_change_ddl(&d->j.c, sql);
	rc = cdc_change_end(&d->j.c, m, err);
	if (rc < 0 || has_failed(d))
		return rc;
	return cdc_json_in_truncate(&d->j, &as, sql, d->tok[DB], m, err);
}

/* --- messages ----------------------------------------------------------- */

static int scan(struct sls *d, struct cdc_str text, struct cdc_err *err)
{
	int rc = cdc_json_in_scan(&d->j, text, members, MEMBERS, d->tok, err);

	if (rc == CDC_OK &&
	    (!is_a(d, d->tok[DB], CDC_JSON_STRING) || !is_a(d, d->tok[EVENT], CDC_JSON_STRING)))
		rc = cdc_fail(err, CDC_EDATA, "not an event of Logtail: no _db_ or _event_");
	return rc;
}

/* Append the members of a packed object's text to the message that is being laid open. */
static int open_packed(struct sls *d, uint32_t i, struct cdc_err *err)
{
	struct cdc_str s = cdc_json_in_text(&d->j, i);

	while (s.n && strchr(" \t\r\n", s.p[0]))
		s = cdc_str(s.p + 1, s.n - 1);
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	if (s.n < 2 || s.p[0] != '{' || s.p[s.n - 1] != '}')
		return cdc_fail(err, CDC_EDATA, "a packed row is no object");
	if (cdc_source_blank(cdc_str(s.p + 1, s.n - 2)))
		return CDC_OK;
	if (cdc_buf_putc(&d->packed, ',', err) < 0)
		return err->code;
	return cdc_buf_put(&d->packed, cdc_str(s.p + 1, s.n - 2), err);
}

/* A message whose row is packed, as the flat one that it stands for. */
static int unpack(struct sls *d, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&d->packed);
	rc = cdc_buf_putc(&d->packed, '{', err);
	for (uint32_t k = cdc_json_first(&d->j.tape, 0); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, 0, k)) {
		if (k + 1 == d->tok[DATA] || k + 1 == d->tok[OLD_DATA])
			continue;
		if (d->packed.len > 1)
			rc = cdc_buf_putc(&d->packed, ',', err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(&d->packed, cdc_json_source(&d->j.tape, k), err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(&d->packed, ':', err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(&d->packed, cdc_json_source(&d->j.tape, k + 1), err);
	}
	if (rc == CDC_OK)
		rc = open_packed(d, d->tok[DATA], err);
	/* Empty when the event has no row before. */
	if (rc == CDC_OK && is_a(d, d->tok[OLD_DATA], CDC_JSON_STRING) &&
	    raw(d, d->tok[OLD_DATA]).n)
		rc = open_packed(d, d->tok[OLD_DATA], err);
	if (rc == CDC_OK)
		rc = cdc_buf_putc(&d->packed, '}', err);
	return rc < 0 ? rc : scan(d, cdc_buf_str(&d->packed), err);
}

/* Packed rows are objects as text, and then there are no other columns. */
static bool is_packed(struct sls *d)
{
	struct cdc_str s = raw(d, d->tok[DATA]);

	if (!is_a(d, d->tok[DATA], CDC_JSON_STRING) || s.n == 0 || s.p[0] != '{')
		return false;
	for (uint32_t k = cdc_json_first(&d->j.tape, 0); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, 0, k)) {
		if (k + 1 != d->tok[DATA] && k + 1 != d->tok[OLD_DATA] && !is_meta(name_of(d, k)))
			return false;
	}
	return true;
}

static int put_message(struct sls *d, const struct cdc_message *m, struct cdc_err *err)
{
	static const struct {
		const char *event;
		const char *type;
	} events[] = {
		{ "row_insert", "INSERT" },
		{ "row_update", "UPDATE" },
		{ "row_delete", "DELETE" },
	};
	uint32_t part[2];
	struct cdc_change_table *t;
	struct cdc_str event;
	int rc = is_packed(d) ? unpack(d, err) : CDC_OK;

	if (rc < 0)
		return rc;
	event = raw(d, d->tok[EVENT]);
	part[0] = d->tok[DB];
	part[1] = is_a(d, d->tok[TABLE], CDC_JSON_STRING) ? d->tok[TABLE] : CDC_JSON_NONE;
	rc = cdc_json_in_table(&d->j, part, 2, &t, err);
	cdc_arena_reset(&d->j.scratch);
	if (rc < 0)
		return rc;
	if (cdc_str_eqz(event, "ddl"))
		return put_ddl(d, t, m, err);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (cdc_str_eqz(event, events[i].event))
			return put_row(d, t, events[i].type, m, err);
	}
	return cdc_fail(err, CDC_EDATA, "unknown _event_ %.*s", (int)(event.n < 40 ? event.n : 40),
			event.p);
}

static int sls_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct sls *d = ctx;
	int rc;

	cdc_change_message(&d->j.c);
	if (m->is_null || cdc_source_blank(m->value)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = scan(d, m->value, err);
	return rc < 0 ? rc : put_message(d, m, err);
}

static void sls_rejected(void *ctx)
{
	struct sls *d = ctx;

	cdc_change_rejected(&d->j.c);
}

static enum cdc_fit sls_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_err ignored = CDC_ERR_INIT;

	return scan(ctx, m->value, &ignored) == CDC_OK ? CDC_FIT_YES : CDC_FIT_NO;
}

const struct cdc_format cdc_format_sls = {
	.name = "sls",
	.text = true,
	.open = sls_open,
	.close = sls_close,
	.message = sls_message,
	.rejected = sls_rejected,
	.probe = sls_probe,
};
