/*
 * Format ticdc: the open protocol of TiCDC (spec section 6). A message is a batch of events: its
 * Kafka key holds a version and the events' own keys, its value what they say, each after a length
 * of eight bytes. Keys name table and time; rows carry their columns' definitions.
 */
#include "source/ticdc/ticdc.h"

#include "source/input/codec.h"

#include "base/endian.h"
#include "base/value.h"

#include <stdlib.h>

#define VERSION 1
/* A TSO is milliseconds and a counter of as many bits. */
#define TSO_COUNTER_BITS 18

enum { EVENT_ROW = 1, EVENT_DDL = 2, EVENT_RESOLVED = 3 };
enum { DDL_TRUNCATE_TABLE = 11 };

enum { KEY_TS, KEY_SCHEMA, KEY_TABLE, KEY_TYPE, KEY_ONLY_KEYS, KEY_CLAIM, KEY_MEMBERS };
static const struct cdc_str key_members[KEY_MEMBERS] = {
	[KEY_TS] = { "ts", 2 },	 [KEY_SCHEMA] = { "scm", 3 },	 [KEY_TABLE] = { "tbl", 3 },
	[KEY_TYPE] = { "t", 1 }, [KEY_ONLY_KEYS] = { "ohk", 3 }, [KEY_CLAIM] = { "ccl", 3 },
};

enum { VALUE_UPDATE, VALUE_BEFORE, VALUE_DELETE, VALUE_QUERY, VALUE_TYPE, VALUE_MEMBERS };
static const struct cdc_str value_members[VALUE_MEMBERS] = {
	[VALUE_UPDATE] = { "u", 1 }, [VALUE_BEFORE] = { "p", 1 }, [VALUE_DELETE] = { "d", 1 },
	[VALUE_QUERY] = { "q", 1 },  [VALUE_TYPE] = { "t", 1 },
};

struct ticdc {
	struct cdc_json_in j;
	struct cdc_buf shape;
	struct cdc_buf unpacked; /* the value of a compressed event */
	/* Of the current event's key; slices of the message. */
	uint64_t type;
	uint64_t ts;
	struct cdc_str ts_text;
	struct cdc_str claim; /* where the whole row is; JSON text */
	bool only_keys; /* the row was too long for a message: only its key is here */
	bool db_only; /* no table is named */
	struct cdc_change_table *table;
	uint32_t tok[VALUE_MEMBERS];
};

static void ticdc_close(void *ctx)
{
	struct ticdc *d = ctx;

	cdc_json_in_free(&d->j);
	cdc_buf_free(&d->shape);
	cdc_buf_free(&d->unpacked);
	free(d);
}

static int ticdc_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct ticdc *d = calloc(1, sizeof(*d));
	int rc;

	if (!d)
		return cdc_fail_nomem(err);
	d->unpacked.max = s->record_max;
	rc = cdc_json_in_init(&d->j, s, CDC_STR("TiDB"), err);
	if (rc < 0)
		ticdc_close(d);
	else
		*ctx = d;
	return rc;
}

/* --- a batch ------------------------------------------------------------ */

/* What is left of a key or a value: parts after their lengths. */
static bool take(struct cdc_str *rest, struct cdc_str *part)
{
	uint64_t n;

	if (rest->n < 8)
		return false;
	n = cdc_be64(rest->p);
	if (n > rest->n - 8)
		return false;
	*part = cdc_str(rest->p + 8, (size_t)n);
	rest->p += 8 + n;
	rest->n -= 8 + (size_t)n;
	return true;
}

/* The parts of a message's key behind its version. */
static int open_key(const struct cdc_message *m, struct cdc_str *parts, struct cdc_err *err)
{
	if (!m->has_key)
		return cdc_fail(
			err, CDC_EDATA,
			"a message of TiCDC without its Kafka key, which names the table: "
			"framings segment and kcat-json have it, and --kcat-format with %%k");
	if (m->key.n < 8)
		return cdc_fail(err, CDC_EDATA, "not a key of TiCDC's open protocol");
	if (cdc_be64(m->key.p) != VERSION)
		return cdc_fail(err, CDC_EDATA, "version %llu of TiCDC's open protocol",
				(unsigned long long)cdc_be64(m->key.p));
	*parts = cdc_str(m->key.p + 8, m->key.n - 8);
	return CDC_OK;
}

static int scan_key(struct ticdc *d, struct cdc_str text, uint32_t *tok, struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	int rc = cdc_json_in_scan(j, text, key_members, KEY_MEMBERS, tok, err);

	if (rc < 0)
		return rc;
	d->ts_text = cdc_json_in_raw(j, tok[KEY_TS]);
	if (!cdc_json_in_is(j, tok[KEY_TS], CDC_JSON_NUMBER) ||
	    cdc_uint64_parse(d->ts_text, &d->ts) != CDC_PARSE_OK ||
	    !cdc_json_in_is(j, tok[KEY_TYPE], CDC_JSON_NUMBER) ||
	    cdc_uint64_parse(cdc_json_in_raw(j, tok[KEY_TYPE]), &d->type) != CDC_PARSE_OK)
		return cdc_fail(err, CDC_EDATA, "the key of an event has no time or type");
	return CDC_OK;
}

/* Read an event's key, and find its table. */
static int read_key(struct ticdc *d, struct cdc_str text, struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	uint32_t tok[KEY_MEMBERS], *name = &tok[KEY_SCHEMA];
	int rc = scan_key(d, text, tok, err);

	if (rc < 0 || d->type == EVENT_RESOLVED)
		return rc;
	for (unsigned i = 0; i < 2; i++) {
		if (name[i] != CDC_JSON_NONE && !cdc_json_in_is(j, name[i], CDC_JSON_STRING))
			return cdc_fail(err, CDC_EDATA, "the name of a table is no string");
	}
	d->only_keys = cdc_json_in_is(j, tok[KEY_ONLY_KEYS], CDC_JSON_TRUE);
	d->claim = cdc_json_in_is(j, tok[KEY_CLAIM], CDC_JSON_STRING)
			   ? cdc_json_in_raw(j, tok[KEY_CLAIM])
			   : CDC_STR("");
	d->db_only = cdc_json_in_raw(j, tok[KEY_TABLE]).n == 0;
	return cdc_json_in_table(j, name, 2, &d->table, err);
}

static int scan_value(struct ticdc *d, struct cdc_str text, struct cdc_err *err)
{
	return cdc_json_in_scan(&d->j, text, value_members, VALUE_MEMBERS, d->tok, err);
}

/* TiCDC can compress what an event says, with LZ4 or Snappy, and does not say so. */
static int read_value(struct ticdc *d, struct cdc_str text, struct cdc_err *err)
{
	struct cdc_err other = CDC_ERR_INIT;
	int rc;

	cdc_buf_reset(&d->unpacked);
	if (text.n >= 4 && memcmp(text.p, "\x04\x22\x4d\x18", 4) == 0) {
		rc = cdc_unpack_lz4(text, &d->unpacked, err);
		return rc < 0 ? rc : scan_value(d, cdc_buf_str(&d->unpacked), err);
	}
	rc = scan_value(d, text, err);
	if (rc == CDC_EDATA && cdc_unpack_snappy(text, &d->unpacked, &other) == CDC_OK &&
	    scan_value(d, cdc_buf_str(&d->unpacked), &other) == CDC_OK) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		return CDC_OK;
	}
	return rc;
}

/* --- columns ------------------------------------------------------------ */

static int number(struct ticdc *d, uint32_t object, const char *member, uint64_t *v,
		  struct cdc_err *err)
{
	uint32_t i = cdc_json_get(&d->j.tape, object, member);

	if (!cdc_json_in_is(&d->j, i, CDC_JSON_NUMBER) ||
	    cdc_uint64_parse(cdc_json_in_raw(&d->j, i), v) != CDC_PARSE_OK)
		return cdc_fail(err, CDC_EDATA, "a column without %s",
				*member == 't' ? "a type" : "flags");
	return CDC_OK;
}

/* What tells that the columns are as before: their names, types and flags. */
static int find_shape(struct ticdc *d, uint32_t row, struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	int rc = CDC_OK;

	cdc_buf_reset(&d->shape);
	for (uint32_t k = cdc_json_first(&j->tape, row); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, row, k)) {
		struct cdc_str part[] = {
			cdc_json_source(&j->tape, k),
			cdc_json_in_raw(j, cdc_json_get(&j->tape, k + 1, "t")),
			CDC_STR(":"),
			cdc_json_in_raw(j, cdc_json_get(&j->tape, k + 1, "f")),
		};

		for (unsigned i = 0; rc == CDC_OK && i < 4; i++)
			rc = cdc_buf_put(&d->shape, part[i], err);
	}
	return rc;
}

/* The table's columns by those of a row. They come in the order of their names: the table's own is
 * not told. */
static int define(struct ticdc *d, uint32_t row, struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	uint32_t count = cdc_json_in_tok(j, row)->count;
	struct cdc_change_column *col;
	struct cdc_str *key, *primary;
	size_t n = 0, n_key = 0, n_primary = 0;

	cdc_arena_reset(&j->scratch);
	col = cdc_arena_calloc(&j->scratch, count + 1u, sizeof(*col));
	key = cdc_arena_calloc(&j->scratch, count + 1u, sizeof(*key));
	primary = cdc_arena_calloc(&j->scratch, count + 1u, sizeof(*key));
	if (!col || !key || !primary)
		return cdc_fail_nomem(err);
	for (uint32_t k = cdc_json_first(&j->tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, row, k), n++) {
		uint64_t code, flags;
		int rc = cdc_json_string(&j->tape, k, &j->scratch, &col[n].name, err);

		if (rc == CDC_OK)
			rc = number(d, k + 1, "t", &code, err);
		if (rc == CDC_OK)
			rc = number(d, k + 1, "f", &flags, err);
		if (rc < 0)
			return rc;
		ticdc_column(&col[n], code, flags);
		if (flags & TICDC_HANDLE_KEY)
			key[n_key++] = col[n].name;
		if (flags & TICDC_PRIMARY_KEY)
			primary[n_primary++] = col[n].name;
	}
	/* Rows of deletes may hold their key alone. */
	if (n_key == 0) {
		key = primary;
		n_key = n_primary;
	}
	if (cdc_change_covers(d->table, col, n, key, n_key)) {
		cdc_buf_reset(&d->table->shape);
		return cdc_buf_put(&d->table->shape, cdc_buf_str(&d->shape), err);
	}
	return cdc_change_define(&j->c, d->table, cdc_buf_str(&d->shape), col, n, key, n_key, err);
}

/* --- rows --------------------------------------------------------------- */

/*
 * *nameless (NULL: that is an error): TiCDC 8.5 and later, told to send only what was updated,
 * loses the name of a column that became null, and writes the members of its object without one.
 */
static int read_image(struct ticdc *d, uint32_t row, uint32_t *value, bool *nameless,
		      struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	uint32_t hint = 0;

	for (uint32_t k = cdc_json_first(&j->tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, row, k)) {
		struct cdc_change_column *col = cdc_json_in_column(j, d->table, k, &hint);
		uint32_t v = cdc_json_get(&j->tape, k + 1, "v");
		struct cdc_str name = cdc_json_in_raw(j, k);

		if (nameless && !cdc_json_in_is(j, k + 1, CDC_JSON_OBJECT)) {
			*nameless = true;
			continue;
		}
		if (!col || v == CDC_JSON_NONE || value[col - d->table->col] != CDC_JSON_NONE)
			return cdc_fail(err, CDC_EDATA, "column %.*s %s",
					(int)(name.n < 100 ? name.n : 100), name.p,
					!col		     ? "is not of its table"
					: v == CDC_JSON_NONE ? "has no value"
							     : "comes twice in a row");
		value[col - d->table->col] = v;
	}
	return CDC_OK;
}

/* `over`: what `value` has only where it differs. With null_unknown a null of `value` may be new.
 */
static void put_image(struct ticdc *d, const uint32_t *value, const uint32_t *over,
		      bool null_unknown)
{
	struct cdc_change_table *t = d->table;

	for (uint32_t i = 0; i < t->n; i++) {
		uint32_t tok = over && over[i] != CDC_JSON_NONE ? over[i] : value[i];

		if (tok == CDC_JSON_NONE ||
		    (null_unknown && tok == value[i] && cdc_json_in_is(&d->j, tok, CDC_JSON_NULL)))
			continue;
		cdc_change_value(&d->j.c, &t->col[i]);
		if (cdc_json_in_is(&d->j, tok, CDC_JSON_NULL))
			cdc_out_lit(&d->j.s->out, "null");
		else
			ticdc_put(&d->j, &t->col[i], tok);
	}
}

static void put_tags(struct ticdc *d)
{
	cdc_change_tag_raw(&d->j.c, CDC_STR("commitTs"), d->ts_text);
	if (d->only_keys)
		cdc_change_tag(&d->j.c, CDC_STR("onlyHandleKey"), CDC_STR("true"));
	if (d->claim.n)
		cdc_change_tag_raw(&d->j.c, CDC_STR("claimCheckLocation"), d->claim);
}

static int64_t time_us(const struct ticdc *d)
{
	return (int64_t)(d->ts >> TSO_COUNTER_BITS) * 1000;
}

static int put_row(struct ticdc *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	uint32_t before = d->tok[VALUE_BEFORE], gone = d->tok[VALUE_DELETE];
	bool deletes = cdc_json_in_is(j, gone, CDC_JSON_OBJECT);
	bool updates = cdc_json_in_is(j, before, CDC_JSON_OBJECT);
	uint32_t row = deletes ? gone : d->tok[VALUE_UPDATE];
	bool nameless = false;
	int rc;

	if (!cdc_json_in_is(j, row, CDC_JSON_OBJECT))
		return cdc_fail(err, CDC_EDATA, "an event of a row without a row");
	rc = find_shape(d, row, err);
	if (rc == CDC_OK && !cdc_change_same(d->table, cdc_buf_str(&d->shape)))
		rc = define(d, row, err);
	if (rc == CDC_OK)
		rc = cdc_json_in_reset(j, d->table, err);
	if (rc == CDC_OK)
		rc = read_image(d, row, j->value, NULL, err);
	if (rc == CDC_OK && updates)
		rc = read_image(d, before, j->old, &nameless, err);
	if (rc < 0)
		return rc;
	/* A row that is not all here must not replace what is stored. */
	cdc_change_begin(&j->c, d->table,
			 deletes				 ? "DELETE"
			 : updates || d->only_keys || d->claim.n ? "UPDATE"
								 : "INSERT",
			 cdc_change_id(&j->c, m), true, time_us(d));
	put_tags(d);
	cdc_change_images(&j->c, d->table);
	/* `p` may leave out what did not change. */
	if (updates || deletes)
		put_image(d, j->value, j->old, nameless);
	cdc_change_after(&j->c);
	if (!deletes)
		put_image(d, j->value, NULL, false);
	return cdc_change_end(&j->c, m, err);
}

/* --- statements --------------------------------------------------------- */

static int put_control(struct ticdc *d, const char *type, struct cdc_str ddl,
		       const struct cdc_message *m, struct cdc_err *err)
{
	cdc_change_begin_named(&d->j.c, cdc_buf_str(&d->table->name), type,
			       cdc_change_id(&d->j.c, m), true, time_us(d));
	put_tags(d);
	cdc_change_ddl(&d->j.c, ddl);
	return cdc_change_end(&d->j.c, m, err);
}

static int put_statement(struct ticdc *d, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_json_in *j = &d->j;
	struct cdc_str ddl;
	int64_t type;
	int rc;

	/* Columns may be others from now on. */
	d->table->defined = false;
	if (!cdc_source_keeps(j->s, d->table->name.p, d->db_only)) {
		j->s->counts.skipped++;
		return CDC_OK;
	}
	if (!cdc_json_in_is(j, d->tok[VALUE_QUERY], CDC_JSON_STRING))
		return cdc_fail(err, CDC_EDATA, "an event of a statement without a statement");
	cdc_arena_reset(&j->scratch);
	rc = cdc_json_string(&j->tape, d->tok[VALUE_QUERY], &j->scratch, &ddl, err);
	if (rc == CDC_OK)
		rc = put_control(d, "DDL", ddl, m, err);
	if (rc == CDC_OK && !d->db_only && cdc_json_in_is(j, d->tok[VALUE_TYPE], CDC_JSON_NUMBER) &&
	    cdc_json_int64(&j->tape, d->tok[VALUE_TYPE], &type) && type == DDL_TRUNCATE_TABLE)
		rc = put_control(d, "TRUNCATE", (struct cdc_str)CDC_STR_INIT, m, err);
	return rc;
}

/* --- messages ----------------------------------------------------------- */

static int put_event(struct ticdc *d, struct cdc_str key, struct cdc_str value,
		     const struct cdc_message *m, struct cdc_err *err)
{
	int rc = read_key(d, key, err);

	if (rc < 0)
		return rc;
	if (d->type == EVENT_RESOLVED && d->j.s->opt.control)
		return cdc_change_heartbeat(&d->j.c, true, time_us(d), m, err);
	if (d->type == EVENT_RESOLVED || (d->type == EVENT_ROW && !d->table->keep)) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	if (d->type != EVENT_ROW && d->type != EVENT_DDL)
		return cdc_fail(err, CDC_EDATA, "an event of unknown type %llu",
				(unsigned long long)d->type);
	rc = read_value(d, value, err);
	if (rc < 0)
		return rc;
	return d->type == EVENT_ROW ? put_row(d, m, err) : put_statement(d, m, err);
}

static int ticdc_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str keys, values = m->value, key, value;
	struct ticdc *d = ctx;
	int rc;

	cdc_change_message(&d->j.c);
	if (m->is_null && !m->has_key) {
		d->j.s->counts.skipped++;
		return CDC_OK;
	}
	rc = open_key(m, &keys, err);
	while (rc == CDC_OK && keys.n) {
		if (!take(&keys, &key))
			return cdc_fail(err, CDC_EDATA, "the key of a message ends inside a part");
		value = CDC_STR("");
		/* Old versions write no value at all for a resolved time. */
		if (m->value.n && !take(&values, &value))
			return cdc_fail(err, CDC_EDATA,
					"the value of a message ends inside a part");
		rc = put_event(d, key, value, m, err);
	}
	if (rc == CDC_OK && values.n)
		return cdc_fail(err, CDC_EDATA, "a message has more values than keys");
	return rc;
}

static void ticdc_rejected(void *ctx)
{
	struct ticdc *d = ctx;

	cdc_change_rejected(&d->j.c);
}

/* Version, lengths, and a first key with a time and a type. */
static enum cdc_fit ticdc_probe(void *ctx, const struct cdc_message *m)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_str keys, key, values = m->value, value;
	struct ticdc *d = ctx;
	uint32_t tok[KEY_MEMBERS];

	if (open_key(m, &keys, &ignored) < 0 || !take(&keys, &key) || !take(&values, &value) ||
	    scan_key(d, key, tok, &ignored) < 0)
		return CDC_FIT_NO;
	return d->type >= EVENT_ROW && d->type <= EVENT_RESOLVED ? CDC_FIT_YES : CDC_FIT_NO;
}

const struct cdc_format cdc_format_ticdc = {
	.name = "ticdc",
	.open = ticdc_open,
	.close = ticdc_close,
	.message = ticdc_message,
	.rejected = ticdc_rejected,
	.probe = ticdc_probe,
};
