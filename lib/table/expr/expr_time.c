/*
 * Functions of dates and times. A timestamp with a zone is taken apart in UTC.
 */
#include "table/expr/expr_int.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

/* ------------------------------------------------------------------ parts of a date */

struct civil {
	int64_t year;
	int month;
	int day;
};

static struct civil civil_of(int64_t days)
{
	struct civil c;

	cdc_civil_from_days(days, &c.year, &c.month, &c.day);
	return c;
}

bool cdc_fn_year(struct cdc_expr_row *r)
{
	r->out.i = civil_of(r->arg[0].i).year;
	return true;
}

bool cdc_fn_quarter(struct cdc_expr_row *r)
{
	r->out.i = (civil_of(r->arg[0].i).month + 2) / 3;
	return true;
}

bool cdc_fn_month(struct cdc_expr_row *r)
{
	r->out.i = civil_of(r->arg[0].i).month;
	return true;
}

bool cdc_fn_day(struct cdc_expr_row *r)
{
	r->out.i = civil_of(r->arg[0].i).day;
	return true;
}

/* 0 is Monday; the epoch was a Thursday. */
static int64_t weekday_of(int64_t days)
{
	int64_t d = (days + 3) % 7;

	return d < 0 ? d + 7 : d;
}

bool cdc_fn_weekday(struct cdc_expr_row *r)
{
	r->out.i = weekday_of(r->arg[0].i);
	return true;
}

/* 1 is Sunday. */
bool cdc_fn_day_of_week(struct cdc_expr_row *r)
{
	r->out.i = (weekday_of(r->arg[0].i) + 1) % 7 + 1;
	return true;
}

bool cdc_fn_day_of_year(struct cdc_expr_row *r)
{
	struct civil c = civil_of(r->arg[0].i);

	r->out.i = r->arg[0].i - cdc_days_from_civil(c.year, 1, 1) + 1;
	return true;
}

/* ------------------------------------------------------------------ parts of a time */

static int64_t time_of_day(int64_t us)
{
	int64_t rest = us % US_PER_DAY;

	return rest < 0 ? rest + US_PER_DAY : rest;
}

bool cdc_fn_hour(struct cdc_expr_row *r)
{
	r->out.i = time_of_day(r->arg[0].i) / US_PER_HOUR;
	return true;
}

bool cdc_fn_minute(struct cdc_expr_row *r)
{
	r->out.i = time_of_day(r->arg[0].i) / US_PER_MINUTE % 60;
	return true;
}

bool cdc_fn_second(struct cdc_expr_row *r)
{
	r->out.i = time_of_day(r->arg[0].i) / US_PER_SECOND % 60;
	return true;
}

/* ------------------------------------------------------------------ date_trunc */

enum unit {
	UNIT_YEAR,
	UNIT_QUARTER,
	UNIT_MONTH,
	UNIT_WEEK,
	UNIT_DAY,
	UNIT_HOUR,
	UNIT_MINUTE,
	UNIT_SECOND
};

int cdc_expr_date_unit(struct cdc_str name)
{
	static const struct {
		const char *name;
		enum unit unit;
	} units[] = {
		{ "year", UNIT_YEAR },	     { "yyyy", UNIT_YEAR },   { "yy", UNIT_YEAR },
		{ "quarter", UNIT_QUARTER }, { "month", UNIT_MONTH }, { "mon", UNIT_MONTH },
		{ "mm", UNIT_MONTH },	     { "week", UNIT_WEEK },   { "day", UNIT_DAY },
		{ "dd", UNIT_DAY },	     { "hour", UNIT_HOUR },   { "minute", UNIT_MINUTE },
		{ "second", UNIT_SECOND },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (cdc_str_ieq(name, cdc_str_z(units[i].name)))
			return (int)units[i].unit;
	}
	return -1;
}

static int64_t first_day(enum unit unit, int64_t days)
{
	struct civil c = civil_of(days);

	switch (unit) {
	case UNIT_YEAR:
		return cdc_days_from_civil(c.year, 1, 1);
	case UNIT_QUARTER:
		return cdc_days_from_civil(c.year, (c.month - 1) / 3 * 3 + 1, 1);
	case UNIT_MONTH:
		return cdc_days_from_civil(c.year, c.month, 1);
	case UNIT_WEEK:
		return days - weekday_of(days);
	case UNIT_DAY:
	case UNIT_HOUR:
	case UNIT_MINUTE:
	case UNIT_SECOND:
		break;
	}
	return days;
}

bool cdc_fn_date_trunc(struct cdc_expr_row *r)
{
	static const int64_t length[] = { [UNIT_HOUR] = US_PER_HOUR,
					  [UNIT_MINUTE] = US_PER_MINUTE,
					  [UNIT_SECOND] = US_PER_SECOND };
	enum unit unit = (enum unit)r->node->unit;
	int64_t us = r->arg[0].i;

	if (unit < UNIT_HOUR)
		return !__builtin_mul_overflow(first_day(unit, cdc_expr_floor_div(us, US_PER_DAY)),
					       US_PER_DAY, &r->out.i);
	return !__builtin_mul_overflow(cdc_expr_floor_div(us, length[unit]), length[unit],
				       &r->out.i);
}

/* ------------------------------------------------------------------ date_format */

/* Letters of Java's patterns whose meaning no version or setting changes. */
static const struct {
	struct cdc_str letters;
	char part;
} pattern_parts[] = {
	{ { "yyyy", 4 }, 'y' }, { { "MM", 2 }, 'M' }, { { "dd", 2 }, 'd' },
	{ { "HH", 2 }, 'H' },	{ { "mm", 2 }, 'm' }, { { "ss", 2 }, 's' },
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The part at `s`, whose run of one letter ends there; 0: none. */
static char part_at(struct cdc_str s, size_t *n)
{
	*n = 1;
	while (*n < s.n && s.p[*n] == s.p[0])
		(*n)++;
	for (size_t i = 0; i < sizeof(pattern_parts) / sizeof(pattern_parts[0]); i++) {
		if (cdc_str_eq(cdc_str(s.p, *n), pattern_parts[i].letters))
			return pattern_parts[i].part;
	}
	return 0;
}

bool cdc_expr_is_date_pattern(struct cdc_str p)
{
	size_t n;

	for (size_t i = 0; i < p.n; i += n) {
		n = 1;
		if (is_letter(p.p[i]) ? !part_at(cdc_str(p.p + i, p.n - i), &n)
				      : p.p[i] == '\0' || !strchr("-/:_ .,", p.p[i]))
			return false;
	}
	return true;
}

static char *put_digits(char *p, int64_t v, int digits)
{
	for (int i = digits - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + digits;
}

/* The pattern's parts are as long as what stands for them. */
bool cdc_fn_date_format(struct cdc_expr_row *r)
{
	struct cdc_str pattern = r->node->pattern;
	int64_t us = time_of_day(r->arg[0].i);
	struct civil c = civil_of(cdc_expr_floor_div(r->arg[0].i, US_PER_DAY));
	char *out = cdc_arena_alloc(r->arena, pattern.n + 1);
	char *p = out;
	size_t n;

	r->nomem = !out;
	if (!out || c.year < 1 || c.year > 9999)
		return false;
	for (size_t i = 0; i < pattern.n; i += n) {
		char part = part_at(cdc_str(pattern.p + i, pattern.n - i), &n);
		int64_t v = part == 'y'	  ? c.year
			    : part == 'M' ? c.month
			    : part == 'd' ? c.day
			    : part == 'H' ? us / US_PER_HOUR
			    : part == 'm' ? us / US_PER_MINUTE % 60
					  : us / US_PER_SECOND % 60;

		if (part) {
			p = put_digits(p, v, (int)n);
		} else {
			memcpy(p, pattern.p + i, n);
			p += n;
		}
	}
	r->out.s = cdc_str(out, pattern.n);
	return true;
}
