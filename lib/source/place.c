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
		p.known = with_offset(base, '+', &p) || with_offset(base, '-', &p);
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
