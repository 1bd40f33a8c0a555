/*
 * Reads per-file statistics for pruning (spec section 8, and what section 24 tells of other
 * writers): a bound that cannot be trusted is widened, or is not there.
 */
#include "delta/stats.h"

#include "base/json.h"

#include <math.h>

#define US_PER_MS 1000
#define CUT_CHARS 32 /* the shortest length that writers cut strings to */
#define DOUBLE_DIGITS 15 /* decimal digits that survive a double */

/* ------------------------------------------------------------------ one bound */

static size_t count_chars(struct cdc_str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
	return n;
}

/* Integers of the narrower types must fit them: what does not is no bound that we understand. */
static bool parse_integer(const struct cdc_field *f, struct cdc_str text, int64_t *out)
{
	int bits = f->type == CDC_TYPE_BYTE	 ? 8
		   : f->type == CDC_TYPE_SHORT	 ? 16
		   : f->type == CDC_TYPE_INTEGER ? 32
						 : 64;

	return cdc_int64_parse(text, out) == CDC_PARSE_OK &&
	       (bits == 64 ||
		(*out >= -(INT64_C(1) << (bits - 1)) && *out < INT64_C(1) << (bits - 1)));
}

static bool parse_float(const struct cdc_field *f, struct cdc_str text, double *out)
{
	float narrow;

	if (f->type == CDC_TYPE_DOUBLE)
		return cdc_double_parse(text, out) == CDC_PARSE_OK;
	if (cdc_float_parse(text, &narrow) != CDC_PARSE_OK)
		return false;
	*out = narrow;
	return true;
}

static bool parse_date(struct cdc_str text, int64_t *out)
{
	int32_t days;

	if (cdc_date_parse(text, &days) != CDC_PARSE_OK)
		return false;
	*out = days;
	return true;
}

/* An instant without a zone is the local time of a machine we do not know. */
static bool parse_timestamp(const struct cdc_field *f, struct cdc_str text, int64_t *out)
{
	bool zone;

	return cdc_timestamp_parse(text, false, out, &zone) == CDC_PARSE_OK &&
	       zone == (f->type == CDC_TYPE_TIMESTAMP);
}

int cdc_stats_value(const struct cdc_field *f, const struct cdc_tape *t, uint32_t v,
		    struct cdc_arena *a, union cdc_value *out, bool *known, struct cdc_err *err)
{
	struct cdc_str text = cdc_json_raw(t, v);
	bool is_string = t->tok[v].type == CDC_JSON_STRING;
	bool is_number = t->tok[v].type == CDC_JSON_NUMBER;

	*known = false;
	switch (f->type) {
	case CDC_TYPE_BOOLEAN:
		out->i = t->tok[v].type == CDC_JSON_TRUE;
		*known = out->i || t->tok[v].type == CDC_JSON_FALSE;
		break;
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_LONG:
		*known = is_number && parse_integer(f, text, &out->i);
		break;
	case CDC_TYPE_FLOAT:
	case CDC_TYPE_DOUBLE:
		*known = (is_number || is_string) && parse_float(f, text, &out->d);
		break;
	case CDC_TYPE_DECIMAL:
		*known = is_number &&
			 cdc_decimal_parse(text, f->precision, f->scale, &out->dec) == CDC_PARSE_OK;
		break;
	case CDC_TYPE_STRING:
		*known = is_string;
		return is_string ? cdc_json_string(t, v, a, &out->s, err) : CDC_OK;
	case CDC_TYPE_DATE:
		*known = is_string && parse_date(text, &out->i);
		break;
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
		*known = is_string && parse_timestamp(f, text, &out->i);
		break;
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return CDC_OK;
}

/* A prefix of what it bounds is fine as a minimum; a maximum may lack what was cut off. */
static int widen_string(bool is_max, struct cdc_arena *a, struct cdc_str *s, struct cdc_err *err)
{
	char *p;

	if (!is_max || count_chars(*s) < CUT_CHARS)
		return CDC_OK;
	p = cdc_arena_alloc(a, s->n + 4);
	if (!p)
		return cdc_fail_nomem(err);
	memcpy(p, s->p, s->n);
	memcpy(p + s->n, "\xf4\x8f\xbf\xbf", 4);
	*s = cdc_str(p, s->n + 4);
	return CDC_OK;
}

static bool widen_timestamp(bool is_max, int64_t *us)
{
	return is_max ? !__builtin_add_overflow(*us, US_PER_MS, us)
		      : !__builtin_sub_overflow(*us, *us < 0 ? US_PER_MS : 0, us);
}

/* Some writers print decimals through a double; past 15 digits the bound is moved by its error. */
static void widen_decimal(const struct cdc_field *f, bool is_max, cdc_i128 *v)
{
	cdc_i128 slack;

	if (f->precision <= DOUBLE_DIGITS)
		return;
	slack = ((*v < 0 ? -*v : *v) >> 51) + 1;
	*v += is_max ? slack : -slack;
}

/*
 * A float that became a double has bounds printed as a float, which may lie a little inside the
 * true ones (delta.typeChanges tells of it).
 */
static bool was_widened(const struct cdc_field *f)
{
	return f->metadata.n && memmem(f->metadata.p, f->metadata.n, "delta.typeChanges", 17);
}

static int read_bound(const struct cdc_field *f, const struct cdc_tape *t, uint32_t v, bool is_max,
		      struct cdc_arena *a, union cdc_value *out, bool *known, struct cdc_err *err)
{
	int rc = cdc_stats_value(f, t, v, a, out, known, err);

	if (rc || !*known)
		return rc;
	if (f->type == CDC_TYPE_STRING)
		return widen_string(is_max, a, &out->s, err);
	if (f->type == CDC_TYPE_TIMESTAMP || f->type == CDC_TYPE_TIMESTAMP_NTZ)
		*known = widen_timestamp(is_max, &out->i);
	else if (f->type == CDC_TYPE_DECIMAL)
		widen_decimal(f, is_max, &out->dec);
	else if (f->type == CDC_TYPE_FLOAT || f->type == CDC_TYPE_DOUBLE)
		*known = !is_max && (f->type == CDC_TYPE_FLOAT || !was_widened(f));
	return CDC_OK;
}

/* ------------------------------------------------------------------ all columns */

struct reading {
	const struct cdc_schema *schema;
	const struct cdc_tape *t;
	struct cdc_arena *arena;
	struct cdc_file_stats *out;
	bool tight;
};

enum member { MIN_VALUES, MAX_VALUES, NULL_COUNT };

static int read_column(struct reading *r, int i, enum member m, uint32_t v, struct cdc_err *err)
{
	const struct cdc_field *f = &r->schema->field[i];
	struct cdc_column_stats *c = &r->out->column[i];
	int64_t n;

	if (m == MIN_VALUES)
		return read_bound(f, r->t, v, false, r->arena, &c->min, &c->has_min, err);
	if (m == MAX_VALUES)
		return read_bound(f, r->t, v, true, r->arena, &c->max, &c->has_max, err);
	if (cdc_type_is_primitive(f->type) && cdc_json_int64(r->t, v, &n) && n >= 0) {
		/* With a deletion vector only "none" and "all" still tell something. */
		c->has_null_count =
			r->tight || n == 0 || (r->out->has_num_records && n == r->out->num_records);
		c->null_count = n;
	}
	return CDC_OK;
}

/* Names come in the order of the schema nearly always: look at the field after the last match. */
static int find_field(const struct cdc_schema *s, struct cdc_str name, int guess)
{
	if (guess < s->num_fields && cdc_str_eq(s->field[guess].physical_name, name))
		return guess;
	for (int i = 0; i < s->num_fields; i++) {
		if (cdc_str_eq(s->field[i].physical_name, name))
			return i;
	}
	return -1;
}

static int read_member(struct reading *r, const char *key, enum member m, struct cdc_err *err)
{
	uint32_t obj = cdc_json_get(r->t, 0, key);
	int guess = 0, rc = CDC_OK;

	if (obj == CDC_JSON_NONE || r->t->tok[obj].type != CDC_JSON_OBJECT)
		return CDC_OK;
	for (uint32_t k = cdc_json_first(r->t, obj); !rc && k != CDC_JSON_NONE;
	     k = cdc_json_after(r->t, obj, k)) {
		struct cdc_str name;
		int i;

		rc = cdc_json_string(r->t, k, r->arena, &name, err);
		if (rc)
			break;
		i = find_field(r->schema, name, guess);
		if (i < 0)
			continue;
		guess = i + 1;
		if (!r->schema->field[i].is_partition)
			rc = read_column(r, i, m, k + 1, err);
	}
	return rc;
}

int cdc_stats_read(const struct cdc_schema *schema, struct cdc_str stats, struct cdc_arena *arena,
		   struct cdc_file_stats *out, struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err ignored = CDC_ERR_INIT;
	struct reading r = { schema, &tape, arena, out, true };
	uint32_t v;
	int rc;

	memset(out, 0, sizeof(*out));
	out->column = cdc_arena_calloc(arena, (size_t)schema->num_fields + 1, sizeof(*out->column));
	if (!out->column)
		return cdc_fail_nomem(err);
	if (!stats.n)
		return CDC_OK;
	rc = cdc_json_scan(&tape, stats, NULL, &ignored);
	if (rc == CDC_OK && tape.tok[0].type == CDC_JSON_OBJECT) {
		v = cdc_json_get(&tape, 0, "numRecords");
		out->has_num_records = v != CDC_JSON_NONE &&
				       cdc_json_int64(&tape, v, &out->num_records) &&
				       out->num_records >= 0;
		v = cdc_json_get(&tape, 0, "tightBounds");
		r.tight = v == CDC_JSON_NONE || tape.tok[v].type != CDC_JSON_FALSE;
		rc = read_member(&r, "minValues", MIN_VALUES, err);
		if (!rc)
			rc = read_member(&r, "maxValues", MAX_VALUES, err);
		if (!rc)
			rc = read_member(&r, "nullCount", NULL_COUNT, err);
	}
	cdc_tape_free(&tape);
	return rc == CDC_ENOMEM ? cdc_fail_nomem(err) : CDC_OK;
}

int64_t cdc_stats_num_records(struct cdc_str stats)
{
	const struct cdc_str usual = CDC_STR("{\"numRecords\":");
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	int64_t n = -1;
	uint32_t v;

	/* Nearly every writer starts so; a number of up to 18 digits needs no check. */
	if (stats.n > usual.n && memcmp(stats.p, usual.p, usual.n) == 0) {
		size_t at = usual.n;

		for (n = 0;
		     at < stats.n && at < usual.n + 18 && stats.p[at] >= '0' && stats.p[at] <= '9';
		     at++)
			n = n * 10 + (stats.p[at] - '0');
		if (at > usual.n && at < stats.n && (stats.p[at] == ',' || stats.p[at] == '}'))
			return n;
	}
	n = -1;
	if (stats.n && cdc_json_scan(&tape, stats, NULL, &ignored) == CDC_OK) {
		v = cdc_json_get(&tape, 0, "numRecords");
		if (v == CDC_JSON_NONE || !cdc_json_int64(&tape, v, &n) || n < 0)
			n = -1;
	}
	cdc_tape_free(&tape);
	return n;
}

/* ------------------------------------------------------------------ order */

static int cmp_double(double a, double b)
{
	if (isnan(a) || isnan(b))
		return (int)!!isnan(a) - (int)!!isnan(b);
	return (a > b) - (a < b);
}

int cdc_value_cmp(enum cdc_type t, const union cdc_value *a, const union cdc_value *b)
{
	switch (t) {
	case CDC_TYPE_FLOAT:
	case CDC_TYPE_DOUBLE:
		return cmp_double(a->d, b->d);
	case CDC_TYPE_DECIMAL:
		return (a->dec > b->dec) - (a->dec < b->dec);
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
		return cdc_str_cmp(a->s, b->s);
	case CDC_TYPE_BOOLEAN:
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_LONG:
	case CDC_TYPE_DATE:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return (a->i > b->i) - (a->i < b->i);
}
