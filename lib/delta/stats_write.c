/*
 * Per-file statistics as JSON, from what the Parquet writer saw (Delta protocol, "Per-file
 * Statistics"; spec section 8).
 *
 * Readers answer MIN, MAX and COUNT from numbers, dates and counts, so these are exact. Strings and
 * timestamps are bounds: cut or rounded outwards.
 */
#include "delta/stats.h"

#include "base/json.h"

#include <math.h>

#define DATE_MIN (-719528) /* 0000-01-01 */
#define DATE_MAX 2932896 /* 9999-12-31 */
#define US_PER_MS 1000
#define US_PER_DAY INT64_C(86400000000)

enum side { SIDE_MIN, SIDE_MAX };

/* ------------------------------------------------------------------ strings */

/* One character of UTF-8 that is known to be valid; its bytes. */
static size_t next_char(struct cdc_str s, size_t at, uint32_t *c)
{
	unsigned char b = (unsigned char)s.p[at];
	size_t n = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;

	*c = n == 1 ? b : b & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		*c = *c << 6 | ((unsigned char)s.p[at + i] & 0x3f);
	return n;
}

/* UTF-16 units of a character: what Spark counts. */
static int units(uint32_t c)
{
	return c > 0xffff ? 2 : 1;
}

static struct cdc_str cut_min(struct cdc_str s, int32_t limit)
{
	size_t at = 0;
	uint32_t c;

	for (int32_t chars = 0; at < s.n && chars < limit; chars++)
		at += next_char(s, at, &c);
	return cdc_str(s.p, at);
}

/*
 * A string that is too long is cut, and a character that is at least as large as the one after the
 * cut is put behind it. Nothing sorts after U+10FFFF, so those are kept, up to twice the limit.
 * False: no bound.
 */
static bool cut_max(struct cdc_str s, int32_t limit, struct cdc_str *head, struct cdc_str *tail)
{
	size_t at = 0;
	int64_t used = 0;
	uint32_t c;

	*tail = cdc_str("", 0);
	while (at < s.n) {
		size_t n = next_char(s, at, &c);

		if (used + units(c) > limit && c != 0x10ffff) {
			*tail = c < 0x7f ? CDC_STR("\x7f") : CDC_STR("\xf4\x8f\xbf\xbf");
			break;
		}
		at += n;
		used += units(c);
	}
	*head = cdc_str(s.p, at);
	return used <= 2 * (int64_t)limit;
}

static int put_string(struct cdc_str s, enum side side, int32_t limit, struct cdc_buf *out,
		      struct cdc_err *err)
{
	struct cdc_str head = cut_min(s, limit);
	struct cdc_str tail = CDC_STR("");
	int rc;

	if (side == SIDE_MAX)
		(void)cut_max(s, limit, &head, &tail);
	if ((rc = cdc_buf_putc(out, '"', err)) < 0 ||
	    (rc = cdc_json_put_escaped(out, head, err)) < 0 ||
	    (rc = cdc_buf_put(out, tail, err)) < 0)
		return rc;
	return cdc_buf_putc(out, '"', err);
}

/* ------------------------------------------------------------------ values */

/* Rounded outwards to milliseconds. */
static int64_t to_ms(int64_t us, enum side side)
{
	int64_t rest = us % US_PER_MS;

	if (rest < 0)
		rest += US_PER_MS;
	us -= rest;
	return side == SIDE_MAX && rest ? us + US_PER_MS : us;
}

static bool day_in_range(int64_t days)
{
	return days >= DATE_MIN && days <= DATE_MAX;
}

static bool timestamp_in_range(int64_t us, enum side side)
{
	if (us > INT64_MAX - US_PER_MS || us < INT64_MIN + US_PER_MS)
		return false;
	us = to_ms(us, side);
	return us >= DATE_MIN * US_PER_DAY && us < (DATE_MAX + 1) * US_PER_DAY;
}

static cdc_i128 decimal_value(const union cdc_pq_scalar *v, int precision)
{
	cdc_u128 u;

	if (precision <= 18)
		return v->i;
	u = v->s.n && (unsigned char)v->s.p[0] & 0x80 ? ~(cdc_u128)0 : 0;
	for (size_t i = 0; i < v->s.n; i++)
		u = u << 8 | (unsigned char)v->s.p[i];
	return (cdc_i128)u;
}

/* Whether the bound can be written in full: else there is none, which is always true. */
static bool writable(const struct cdc_field *f, const union cdc_pq_scalar *v, enum side side,
		     int32_t limit)
{
	struct cdc_str head;
	struct cdc_str tail;

	if (f->type == CDC_TYPE_FLOAT || f->type == CDC_TYPE_DOUBLE)
		return !isnan(v->d);
	if (f->type == CDC_TYPE_STRING)
		return cdc_utf8_valid(v->s.p, v->s.n) &&
		       (side == SIDE_MIN || cut_max(v->s, limit, &head, &tail));
	if (f->type == CDC_TYPE_DATE)
		return day_in_range(v->i);
	if (f->type == CDC_TYPE_TIMESTAMP || f->type == CDC_TYPE_TIMESTAMP_NTZ)
		return timestamp_in_range(v->i, side);
	return cdc_stats_has_bounds(f->type);
}

static size_t format_value(const struct cdc_field *f, const union cdc_pq_scalar *v, enum side side,
			   char *text)
{
	if (f->type == CDC_TYPE_DECIMAL)
		return cdc_decimal_format(decimal_value(v, f->precision), f->scale, text);
	if (f->type == CDC_TYPE_DATE)
		return cdc_date_format((int32_t)v->i, text);
	if (f->type == CDC_TYPE_TIMESTAMP || f->type == CDC_TYPE_TIMESTAMP_NTZ)
		return cdc_timestamp_format_fixed(to_ms(v->i, side), 'T',
						  f->type == CDC_TYPE_TIMESTAMP, 3, text);
	/*
	 * A MIN of -0.0 shows only where one is stored. The MAX is then 0.0: delta-rs takes equal
	 * bounds for the value itself, and some engines order the two zeros.
	 */
	if (f->type == CDC_TYPE_FLOAT)
		return cdc_float_format((float)v->d, text);
	if (f->type == CDC_TYPE_DOUBLE)
		return cdc_double_format(v->d, text);
	return cdc_int64_format(v->i, text);
}

static int put_value(const struct cdc_field *f, const union cdc_pq_scalar *v, enum side side,
		     int32_t limit, struct cdc_buf *out, struct cdc_err *err)
{
	bool is_float = f->type == CDC_TYPE_FLOAT || f->type == CDC_TYPE_DOUBLE;
	char text[CDC_VALUE_TEXT_MAX];
	struct cdc_str s;

	if (f->type == CDC_TYPE_STRING)
		return put_string(v->s, side, limit, out, err);
	s = cdc_str(text, format_value(f, v, side, text));
	if (f->type == CDC_TYPE_DATE || f->type == CDC_TYPE_TIMESTAMP ||
	    f->type == CDC_TYPE_TIMESTAMP_NTZ || (is_float && isinf(v->d)))
		return cdc_json_put_string(out, s, err);
	return cdc_buf_put(out, s, err);
}

/* ------------------------------------------------------------------ the object */

static int put_key(struct cdc_buf *out, bool *first, struct cdc_str name, struct cdc_err *err)
{
	int rc;

	if (!*first && (rc = cdc_buf_putc(out, ',', err)) < 0)
		return rc;
	*first = false;
	rc = cdc_json_put_string(out, name, err);
	return rc < 0 ? rc : cdc_buf_putc(out, ':', err);
}

/* What is told of each column. */
enum fact { FACT_MIN, FACT_MAX, FACT_NULL_COUNT };

struct telling {
	const struct cdc_pq_summary *sum;
	const struct cdc_stats_columns *columns;
	enum fact fact;
	int32_t column; /* next one */
	int32_t leaf; /* next one of the file */
	struct cdc_buf *out;
};

/* Both are null where the variant is, so that the first one's nulls are the variant's; its bounds
 * are of bytes, and no one's. */
#define VARIANT_LEAVES 2

/* Leaves of the file: lists and maps have those of their entries. */
static int32_t count_leaves(const struct cdc_field *f, int n)
{
	int32_t leaves = 0;

	for (int i = 0; i < n; i++) {
		if (f[i].is_partition || f[i].type == CDC_TYPE_VOID)
			continue;
		if (f[i].type == CDC_TYPE_VARIANT)
			leaves += VARIANT_LEAVES;
		else
			leaves +=
				f[i].num_children ? count_leaves(f[i].child, f[i].num_children) : 1;
	}
	return leaves;
}

/* Of lists and maps the null slots of their leaves are not their nulls (spec 3.1). */
static int64_t count_nulls(const struct cdc_field *f, const struct cdc_pq_leaf_summary *l)
{
	return f->type == CDC_TYPE_ARRAY || f->type == CDC_TYPE_MAP ? l->null_lists : l->null_count;
}

static int put_fact(struct telling *t, const struct cdc_field *f, bool *first, struct cdc_err *err)
{
	const struct cdc_pq_leaf_summary *l = &t->sum->leaf[t->leaf];
	enum side side = t->fact == FACT_MIN ? SIDE_MIN : SIDE_MAX;
	const union cdc_pq_scalar *v = t->fact == FACT_MIN ? &l->min : &l->max;
	int32_t limit = t->columns->string_chars;
	int rc;

	t->leaf += count_leaves(f, 1);
	if (!t->columns->covered[t->column++])
		return CDC_OK;
	if (t->fact != FACT_NULL_COUNT && (!l->has_min_max || !writable(f, v, side, limit)))
		return CDC_OK;
	if (t->fact == FACT_NULL_COUNT && count_nulls(f, l) < 0)
		return CDC_OK;
	rc = put_key(t->out, first, f->physical_name, err);
	if (rc < 0)
		return rc;
	if (t->fact == FACT_NULL_COUNT)
		return cdc_buf_printf(t->out, err, "%lld", (long long)count_nulls(f, l));
	return put_value(f, v, side, limit, t->out, err);
}

/* The members for n fields. Structs are objects, left out where nothing is told of their fields. */
static int put_facts(struct telling *t, const struct cdc_field *f, int n, struct cdc_err *err)
{
	bool first = true;
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < n; i++, f++) {
		size_t start = t->out->len;
		bool was_first = first;
		size_t inside;

		if (f->is_partition || f->type == CDC_TYPE_VOID)
			continue;
		if (f->type != CDC_TYPE_STRUCT) {
			rc = put_fact(t, f, &first, err);
			continue;
		}
		rc = put_key(t->out, &first, f->physical_name, err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(t->out, '{', err);
		inside = t->out->len;
		if (rc == CDC_OK)
			rc = put_facts(t, f->child, f->num_children, err);
		if (rc == CDC_OK && t->out->len == inside) {
			t->out->len = start;
			first = was_first;
		} else if (rc == CDC_OK) {
			rc = cdc_buf_putc(t->out, '}', err);
		}
	}
	return rc;
}

static int put_object(const struct cdc_schema *schema, const struct cdc_pq_summary *sum,
		      const struct cdc_stats_columns *columns, enum fact fact, struct cdc_buf *out,
		      struct cdc_err *err)
{
	static const char *const name[] = { ",\"minValues\":{", ",\"maxValues\":{",
					    ",\"nullCount\":{" };
	struct telling t = { .sum = sum, .columns = columns, .fact = fact, .out = out };
	int rc = cdc_buf_puts(out, name[fact], err);

	if (rc == CDC_OK)
		rc = put_facts(&t, schema->field, schema->num_fields, err);
	return rc < 0 ? rc : cdc_buf_putc(out, '}', err);
}

int cdc_stats_write(const struct cdc_schema *schema, const struct cdc_pq_summary *sum,
		    const struct cdc_stats_columns *columns, struct cdc_buf *out,
		    struct cdc_err *err)
{
	int rc;

	if (count_leaves(schema->field, schema->num_fields) != sum->num_leaves ||
	    cdc_stats_count_columns(schema->field, schema->num_fields) != columns->num_columns)
		return cdc_fail(err, CDC_EINTERNAL, "statistics: file and schema differ");
	rc = cdc_buf_printf(out, err, "{\"numRecords\":%lld", (long long)sum->num_rows);
	for (int fact = FACT_MIN;
	     rc == CDC_OK && columns->num_covered > 0 && fact <= FACT_NULL_COUNT; fact++)
		rc = put_object(schema, sum, columns, (enum fact)fact, out, err);
	if (rc == CDC_OK && columns->tight_bounds)
		rc = cdc_buf_puts(out, ",\"tightBounds\":true", err);
	return rc < 0 ? rc : cdc_buf_putc(out, '}', err);
}

/* ------------------------------------------------------------------ loosening */

static int copy_members(const struct cdc_tape *t, struct cdc_buf *out, bool *first,
			struct cdc_err *err)
{
	int rc = CDC_OK;

	for (uint32_t k = cdc_json_first(t, 0); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(t, 0, k)) {
		if (cdc_str_eqz(cdc_json_raw(t, k), "tightBounds"))
			continue;
		if (!*first)
			rc = cdc_buf_putc(out, ',', err);
		*first = false;
		if (rc == CDC_OK && (rc = cdc_buf_put(out, cdc_json_source(t, k), err)) == CDC_OK &&
		    (rc = cdc_buf_putc(out, ':', err)) == CDC_OK)
			rc = cdc_buf_put(out, cdc_json_source(t, k + 1), err);
	}
	return rc;
}

int cdc_stats_loosen(struct cdc_str stats, int64_t num_records, struct cdc_buf *out,
		     struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err ignored = CDC_ERR_INIT;
	bool good = stats.n && cdc_json_scan(&tape, stats, NULL, &ignored) == CDC_OK &&
		    tape.tok[0].type == CDC_JSON_OBJECT;
	bool first = true;
	int rc = cdc_buf_putc(out, '{', err);

	if (rc == CDC_OK && (!good || cdc_json_get(&tape, 0, "numRecords") == CDC_JSON_NONE)) {
		rc = cdc_buf_printf(out, err, "\"numRecords\":%lld", (long long)num_records);
		first = false;
	}
	if (rc == CDC_OK && good)
		rc = copy_members(&tape, out, &first, err);
	if (rc == CDC_OK)
		rc = cdc_buf_puts(out, ",\"tightBounds\":false}", err);
	cdc_tape_free(&tape);
	return rc;
}
