/* Zone files (TZif, RFC 8536) and the rule of their last line (POSIX TZ). */
#include "source/value/zone.h"

#include "base/endian.h"
#include "base/value.h"

#include <stdlib.h>

#define DAY 86400
#define FILE_MAX ((size_t)1 << 20)
#define HEADER_BYTES 44

/* One of the two days of a year on which the clock changes: Mm.w.d/time. */
struct change {
	int month;
	int week; /* 5: the last */
	int weekday; /* 0: Sunday */
	int32_t time_s; /* of the day, wall clock; may pass a day or be negative */
};

struct cdc_zone {
	size_t n;
	int64_t *at; /* UTC seconds of transitions, ascending */
	int32_t *offset; /* east of UTC, from at[i] on */
	int32_t first; /* before at[0] */
	/* After the last transition. */
	int32_t standard;
	bool has_summer;
	int32_t summer;
	struct change begins;
	struct change ends;
};

/* --- the rule ----------------------------------------------------------- */

static bool number(struct cdc_str *s, int max, int *out)
{
	size_t n = 0;

	for (*out = 0; n < s->n && s->p[n] >= '0' && s->p[n] <= '9' && *out <= max; n++)
		*out = *out * 10 + (s->p[n] - '0');
	if (n == 0 || *out > max)
		return false;
	*s = cdc_str(s->p + n, s->n - n);
	return true;
}

static bool take(struct cdc_str *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = cdc_str(s->p + 1, s->n - 1);
	return true;
}

/* "[+-]hh[:mm[:ss]]" */
static bool clock_time(struct cdc_str *s, int32_t *out)
{
	bool minus = take(s, '-');
	int hour, minute = 0, second = 0;

	if (!minus)
		(void)take(s, '+');
	if (!number(s, 167, &hour) || (take(s, ':') && !number(s, 59, &minute)) ||
	    (take(s, ':') && !number(s, 59, &second)))
		return false;
	*out = (hour * 3600 + minute * 60 + second) * (minus ? -1 : 1);
	return true;
}

/* "CST" or "<+08>" */
static bool abbreviation(struct cdc_str *s)
{
	size_t n = 0;

	if (take(s, '<')) {
		while (n < s->n && s->p[n] != '>')
			n++;
		*s = cdc_str(s->p + n, s->n - n);
		return take(s, '>');
	}
	while (n < s->n &&
	       ((s->p[n] >= 'A' && s->p[n] <= 'Z') || (s->p[n] >= 'a' && s->p[n] <= 'z')))
		n++;
	*s = cdc_str(s->p + n, s->n - n);
	return n >= 3;
}

static bool change_day(struct cdc_str *s, struct change *c)
{
	c->time_s = 7200;
	if (!take(s, ',') || !take(s, 'M') || !number(s, 12, &c->month) || !take(s, '.') ||
	    !number(s, 5, &c->week) || !take(s, '.') || !number(s, 6, &c->weekday) ||
	    c->month == 0 || c->week == 0)
		return false;
	return !take(s, '/') || clock_time(s, &c->time_s);
}

/* "CST-8" or "CET-1CEST,M3.5.0,M10.5.0/3": offsets count west of UTC. */
static bool rule(struct cdc_zone *z, struct cdc_str s)
{
	int32_t west;

	if (!abbreviation(&s) || !clock_time(&s, &west))
		return false;
	z->standard = -west;
	if (s.n == 0)
		return true;
	z->summer = z->standard + 3600;
	if (!abbreviation(&s))
		return false;
	if (s.n && s.p[0] != ',') {
		if (!clock_time(&s, &west))
			return false;
		z->summer = -west;
	}
	z->has_summer = true;
	return change_day(&s, &z->begins) && change_day(&s, &z->ends) && s.n == 0;
}

/* The wall clock second of a year's change, as if it were UTC. */
static int64_t change_second(const struct change *c, int64_t year)
{
	int64_t first = cdc_days_from_civil(year, c->month, 1);
	int64_t next = c->month == 12 ? cdc_days_from_civil(year + 1, 1, 1)
				      : cdc_days_from_civil(year, c->month + 1, 1);
	int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	int64_t day = first + (c->weekday - weekday + 7) % 7 + (c->week - 1) * 7;

	while (day >= next)
		day -= 7;
	return day * DAY + c->time_s;
}

static int32_t offset_by_rule(const struct cdc_zone *z, int64_t utc)
{
	int64_t days = utc / DAY - (utc % DAY < 0), year, from, to;
	int month, day;

	if (!z->has_summer)
		return z->standard;
	cdc_civil_from_days(days, &year, &month, &day);
	from = change_second(&z->begins, year) - z->standard;
	to = change_second(&z->ends, year) - z->summer;
	if (from < to)
		return utc >= from && utc < to ? z->summer : z->standard;
	return utc >= to && utc < from ? z->standard : z->summer;
}

static int32_t offset_at(const struct cdc_zone *z, int64_t utc)
{
	size_t lo = 0, hi = z->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (z->at[mid] <= utc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == z->n)
		return offset_by_rule(z, utc);
	return lo ? z->offset[lo - 1] : z->first;
}

int64_t cdc_zone_to_utc(const struct cdc_zone *z, int64_t wall_s)
{
	/* No zone changes twice in two days. */
	int32_t before = offset_at(z, wall_s - DAY), after = offset_at(z, wall_s + DAY);

	if (before == after || offset_at(z, wall_s - before) == before)
		return wall_s - before;
	return offset_at(z, wall_s - after) == after ? wall_s - after : wall_s - before;
}

/* --- the file ----------------------------------------------------------- */

struct counts {
	uint64_t isut, isstd, leap, time, type, chars;
};

static bool header(struct cdc_str s, struct counts *n)
{
	if (s.n < HEADER_BYTES || memcmp(s.p, "TZif", 4) != 0)
		return false;
	n->isut = cdc_be32(s.p + 20);
	n->isstd = cdc_be32(s.p + 24);
	n->leap = cdc_be32(s.p + 28);
	n->time = cdc_be32(s.p + 32);
	n->type = cdc_be32(s.p + 36);
	n->chars = cdc_be32(s.p + 40);
	return true;
}

static uint64_t block_bytes(const struct counts *n, unsigned time_bytes)
{
	return n->time * (time_bytes + 1) + n->type * 6 + n->chars + n->leap * (time_bytes + 4) +
	       n->isstd + n->isut;
}

/* The second block, with times of 64 bits, and the rule in the line after it. */
static bool read_block(struct cdc_zone *z, struct cdc_str s, const struct counts *n)
{
	const char *index = s.p + n->time * 8, *type = index + n->time;
	struct cdc_str tail = cdc_str(s.p + block_bytes(n, 8), s.n - block_bytes(n, 8));

	z->at = calloc(n->time + 1, sizeof(*z->at));
	z->offset = calloc(n->time + 1, sizeof(*z->offset));
	if (!z->at || !z->offset || n->type == 0)
		return false;
	z->n = n->time;
	z->first = (int32_t)cdc_be32(type);
	for (size_t i = 0; i < n->time; i++) {
		uint8_t k = (uint8_t)index[i];

		if (k >= n->type)
			return false;
		z->at[i] = (int64_t)cdc_be64(s.p + i * 8);
		z->offset[i] = (int32_t)cdc_be32(type + k * 6u);
		if (z->offset[i] < -2 * DAY || z->offset[i] > 2 * DAY ||
		    (i && z->at[i] <= z->at[i - 1]))
			return false;
	}
	z->standard = z->n ? z->offset[z->n - 1] : z->first;
	if (tail.n < 2 || tail.p[0] != '\n' || tail.p[tail.n - 1] != '\n')
		return false;
	return tail.n == 2 || rule(z, cdc_str(tail.p + 1, tail.n - 2));
}

static bool read_zone(struct cdc_zone *z, struct cdc_str s)
{
	struct counts n;
	uint64_t skip;

	if (!header(s, &n) || s.p[4] < '2')
		return false;
	skip = HEADER_BYTES + block_bytes(&n, 4);
	if (skip > s.n)
		return false;
	s = cdc_str(s.p + skip, s.n - skip);
	if (!header(s, &n) || HEADER_BYTES + block_bytes(&n, 8) > s.n)
		return false;
	return read_block(z, cdc_str(s.p + HEADER_BYTES, s.n - HEADER_BYTES), &n);
}

/* "UTC", "Z", "+08:00", "-0330", "+8" */
static bool fixed(struct cdc_zone *z, struct cdc_str s)
{
	int hour, minute = 0;
	bool minus;

	if (cdc_str_ieq(s, CDC_STR("UTC")) || cdc_str_ieq(s, CDC_STR("Z")))
		return true;
	minus = take(&s, '-');
	if (!minus && !take(&s, '+'))
		return false;
	if (s.n == 4) {
		struct cdc_str two = cdc_str(s.p, 2);

		s = cdc_str(s.p + 2, 2);
		if (!number(&two, 14, &hour) || two.n || !number(&s, 59, &minute))
			return false;
	} else if (!number(&s, 14, &hour) || (take(&s, ':') && !number(&s, 59, &minute))) {
		return false;
	}
	z->standard = (hour * 3600 + minute * 60) * (minus ? -1 : 1);
	return s.n == 0;
}

/* Names are paths under the zone directory: nothing that leads out of it. */
static bool is_name(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
		    !(*p >= '0' && *p <= '9') && !strchr("/_+-", *p))
			return false;
	}
	return name[0] && name[0] != '/' && strlen(name) < 100;
}

int cdc_zone_new(struct cdc_zone **out, const struct cdc_io *io, const char *name,
		 struct cdc_err *err)
{
	struct cdc_zone *z = calloc(1, sizeof(*z));
	struct cdc_buf path = CDC_BUF_INIT, file = CDC_BUF_INIT_MAX(FILE_MAX);
	struct cdc_err ignored = CDC_ERR_INIT;
	int rc;

	if (!z)
		return cdc_fail_nomem(err);
	if (fixed(z, cdc_str_z(name))) {
		*out = z;
		return CDC_OK;
	}
	rc = cdc_buf_printf(&path, err, "/usr/share/zoneinfo/%s", name);
	if (rc == CDC_OK && !cdc_buf_z(&path))
		rc = cdc_fail_nomem(err);
	if (rc == CDC_OK && (!is_name(name) || cdc_io_read_file(io, path.p, &file, &ignored) < 0))
		rc = cdc_fail(err, CDC_EUSAGE, "there is no time zone %s", name);
	else if (rc == CDC_OK && !read_zone(z, cdc_buf_str(&file)))
		rc = cdc_fail(err, CDC_EUSAGE, "%s is no zone file", path.p);
	cdc_buf_free(&path);
	cdc_buf_free(&file);
	if (rc < 0)
		cdc_zone_free(z);
	else
		*out = z;
	return rc;
}

void cdc_zone_free(struct cdc_zone *z)
{
	if (!z)
		return;
	free(z->at);
	free(z->offset);
	free(z);
}
