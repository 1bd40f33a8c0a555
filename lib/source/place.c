/* Names of files that tell topic, partition and offset (spec section 7.4). */
#include "source/place.h"

#include "base/value.h"

static bool number(struct cdc_str s, int64_t max, int64_t *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0 && cdc_int64_parse(s, out) == CDC_PARSE_OK && *out <= max;
}

/* What is in front of and behind the last c; false: there is none. */
static bool split_last(struct cdc_str s, char c, struct cdc_str *head, struct cdc_str *tail)
{
	for (size_t i = s.n; i-- > 0;) {
		if (s.p[i] != c)
			continue;
		*head = cdc_str(s.p, i);
		*tail = cdc_str(s.p + i + 1, s.n - i - 1);
		return true;
	}
	return false;
}

/* "sales-3": topic and partition. */
static bool topic_partition(struct cdc_str s, char c, struct cdc_place *p)
{
	struct cdc_str partition;
	int64_t n;

	if (!split_last(s, c, &p->topic, &partition) || p->topic.n == 0 ||
	    !number(partition, INT32_MAX, &n))
		return false;
	p->partition = (int32_t)n;
	return true;
}

/* "sales+3+0000000042": the offset, then the rest. */
static bool with_offset(struct cdc_str s, char c, struct cdc_place *p)
{
	struct cdc_str rest, offset;

	return split_last(s, c, &rest, &offset) && number(offset, INT64_MAX, &p->offset) &&
	       topic_partition(rest, c, p);
}

/* --- names with '-' between --------------------------------------------- */

/*
 * Such names are everybody's: orders-2024-11-15.json, chunk-1-2.csv. Where one is taken for a
 * position that is none, rows of a later file are skipped as seen. So it must be sure.
 */

#define PADDED_DIGITS 10 /* of an offset that is filled up with zeros */
#define PARTITION_DIGITS 5 /* more partitions a topic does not have; days have eight */

static bool has_zeros(struct cdc_str number)
{
	return number.n > 1 && number.p[0] == '0';
}

static unsigned digits(const char *p, size_t n)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned)(p[i] - '0');
	return v;
}

static bool is_year(struct cdc_str number)
{
	unsigned v = number.n == 4 ? digits(number.p, 4) : 0;

	return v >= 1900 && v < 2200;
}

/* YYYYMMDD, with hours and minutes or without. */
static bool is_day(struct cdc_str number)
{
	unsigned month, day;

	if ((number.n != 8 && number.n != 12 && number.n != 14) || !is_year(cdc_str(number.p, 4)))
		return false;
	month = digits(number.p + 4, 2);
	day = digits(number.p + 6, 2);
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* orders-2024, 2024, orders2024: with what follows it may be a date. */
static bool ends_in_number(struct cdc_str topic)
{
	size_t n = 0;

	while (n < topic.n && topic.p[topic.n - 1 - n] >= '0' && topic.p[topic.n - 1 - n] <= '9')
		n++;
	return n >= 4 || n == topic.n || (n && memchr("-_.", topic.p[topic.n - 1 - n], 3));
}

/* What follows the offset in a sink's name by default: how the file is compressed. */
static bool is_compression(struct cdc_str suffix)
{
	static const char *const known[] = { "", ".gz", ".snappy", ".zst" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (cdc_str_eqz(suffix, known[i]))
			return true;
	}
	return false;
}

static bool is_sure(struct cdc_str s, struct cdc_str suffix)
{
	struct cdc_str rest, offset, topic, partition;

	if (!split_last(s, '-', &rest, &offset) || !split_last(rest, '-', &topic, &partition))
		return false;
	if (has_zeros(offset) && offset.n >= PADDED_DIGITS)
		return true;
	return !has_zeros(offset) && !has_zeros(partition) && partition.n <= PARTITION_DIGITS &&
	       !is_year(partition) && !is_day(offset) && !ends_in_number(topic) &&
	       is_compression(suffix);
}

/* --- paths -------------------------------------------------------------- */

struct cdc_place cdc_place_of(const char *path)
{
	struct cdc_str all = cdc_str_z(path), dir = CDC_STR(""), name = all, base,
		       stem = CDC_STR("");
	struct cdc_place p = { .known = false };

	(void)split_last(all, '/', &dir, &name);
	for (size_t i = 0; i <= name.n; i++) {
		if (i == name.n || name.p[i] == '.') {
			stem = cdc_str(name.p, i);
			break;
		}
	}
	/* A topic may hold dots: the name without its last suffixes, one after the other. */
	for (base = name;; base = stem) {
		struct cdc_str suffix = cdc_str(base.p + base.n, name.n - base.n);

		p.known = with_offset(base, '+', &p) ||
			  (is_sure(base, suffix) && with_offset(base, '-', &p));
		if (p.known || !split_last(base, '.', &stem, &(struct cdc_str){ NULL, 0 }))
			break;
	}
	if (!p.known && split_last(name, '.', &stem, &base) && cdc_str_eqz(base, "log") &&
	    stem.n == 20 && number(stem, INT64_MAX, &p.offset)) {
		(void)split_last(dir, '/', &(struct cdc_str){ NULL, 0 }, &dir);
		p.known = topic_partition(dir, '-', &p);
	}
	return p;
}
