/* Image values of DTS events as the text forms of a change record (spec section 1.3). */
#include "source/dts/dts_int.h"

#include "base/value.h"

#define BIT(part) (1u << (part))
#define DATE_PARTS (BIT(DTS_YEAR) | BIT(DTS_MONTH) | BIT(DTS_DAY))

/* v in 0..99: 103 / 1024 is near enough to a tenth. */
static char *put2(char *p, unsigned v)
{
	unsigned tens = v * 103 >> 10;

	*p++ = (char)('0' + tens);
	*p++ = (char)('0' + v - 10 * tens);
	return p;
}

static char *put_micros(char *p, unsigned us)
{
	if (us == 0)
		return p;
	*p++ = '.';
	p = put2(p, us / 10000);
	p = put2(p, us / 100 % 100);
	return put2(p, us % 100);
}

static char *put_date(char *p, const struct dts_value *v)
{
	p = put2(p, (unsigned)v->part[DTS_YEAR] / 100);
	p = put2(p, (unsigned)v->part[DTS_YEAR] % 100);
	*p++ = '-';
	p = put2(p, (unsigned)v->part[DTS_MONTH]);
	*p++ = '-';
	return put2(p, (unsigned)v->part[DTS_DAY]);
}

/* The value of a part; a part that is not there counts as 0. */
static int32_t part(const struct dts_value *v, enum dts_part i)
{
	return v->present & BIT(i) ? v->part[i] : 0;
}

static unsigned magnitude(const struct dts_value *v, enum dts_part i)
{
	int32_t n = part(v, i);

	return n < 0 ? 0u - (unsigned)n : (unsigned)n;
}

static char *put_time(char *p, const struct dts_value *v)
{
	unsigned hour = magnitude(v, DTS_HOUR);

	if (hour > 99)
		*p++ = (char)('0' + hour / 100);
	p = put2(p, hour % 100);
	*p++ = ':';
	p = put2(p, magnitude(v, DTS_MINUTE));
	*p++ = ':';
	p = put2(p, magnitude(v, DTS_SECOND));
	return put_micros(p, magnitude(v, DTS_MICROS));
}

/* Hours of a TIME reach 838, and all of its parts share one sign. */
static bool time_in_range(const struct dts_value *v, unsigned max_hour, bool *negative)
{
	bool plus = false, minus = false;

	for (unsigned i = DTS_HOUR; i < DTS_PARTS; i++) {
		plus = plus || part(v, (enum dts_part)i) > 0;
		minus = minus || part(v, (enum dts_part)i) < 0;
	}
	*negative = minus;
	return !(plus && minus) && magnitude(v, DTS_HOUR) <= max_hour &&
	       magnitude(v, DTS_MINUTE) <= 59 && magnitude(v, DTS_SECOND) <= 59 &&
	       magnitude(v, DTS_MICROS) <= 999999;
}

static bool date_in_range(const struct dts_value *v)
{
	return part(v, DTS_YEAR) >= 0 && part(v, DTS_YEAR) <= 9999 && part(v, DTS_MONTH) >= 0 &&
	       part(v, DTS_MONTH) <= 12 && part(v, DTS_DAY) >= 0 && part(v, DTS_DAY) <= 31;
}

/* What a DateTime is made of, as far as can be told from the parts that are there. */
enum shape { SHAPE_BAD, SHAPE_DATE, SHAPE_TIME, SHAPE_DATETIME, SHAPE_YEAR };

static enum shape shape_of(const struct dts_value *v, enum dts_text_as as)
{
	unsigned date = v->present & DATE_PARTS;
	bool time = (v->present & BIT(DTS_HOUR)) != 0;
	bool no_time = !part(v, DTS_HOUR) && !part(v, DTS_MINUTE) && !part(v, DTS_SECOND) &&
		       !part(v, DTS_MICROS);
	bool no_date = !part(v, DTS_YEAR) && !part(v, DTS_MONTH) && !part(v, DTS_DAY);
	bool year_only = !part(v, DTS_MONTH) && !part(v, DTS_DAY) && no_time;

	/* The column's type settles it where zeroes fill the parts that it does not have. */
	if (as == DTS_AS_DATE && date == DATE_PARTS && no_time)
		return SHAPE_DATE;
	if (as == DTS_AS_TIME && time && no_date)
		return SHAPE_TIME;
	if (as == DTS_AS_YEAR && (date & BIT(DTS_YEAR)) && year_only)
		return SHAPE_YEAR;
	if (date == DATE_PARTS && time)
		return SHAPE_DATETIME;
	if (date == DATE_PARTS && no_time)
		return SHAPE_DATE;
	if (date == 0 && time)
		return SHAPE_TIME;
	if (date == BIT(DTS_YEAR) && !time && no_time)
		return SHAPE_YEAR;
	return SHAPE_BAD;
}

/* All parts are there, and each is what it is on most days: a DATETIME without more ado. */
static bool is_plain(const struct dts_value *v, enum dts_text_as as)
{
	const uint8_t all = BIT(DTS_PARTS) - 1;
	const int32_t *n = v->part;

	return as == DTS_AS_IT_IS && (v->present | BIT(DTS_MICROS)) == all &&
	       (uint32_t)n[DTS_YEAR] <= 9999 && (uint32_t)n[DTS_MONTH] <= 12 &&
	       (uint32_t)n[DTS_DAY] <= 31 && (uint32_t)n[DTS_HOUR] <= 23 &&
	       (uint32_t)n[DTS_MINUTE] <= 59 && (uint32_t)n[DTS_SECOND] <= 59 &&
	       (uint32_t)part(v, DTS_MICROS) <= 999999;
}

static void print_plain(struct cdc_out *o, const struct dts_value *v)
{
	char *start = cdc_out_room(o, 32), *p = start;

	if (!p)
		return;
	*p++ = '"';
	p = put_date(p, v);
	*p++ = ' ';
	p = put2(p, (unsigned)v->part[DTS_HOUR]);
	*p++ = ':';
	p = put2(p, (unsigned)v->part[DTS_MINUTE]);
	*p++ = ':';
	p = put2(p, (unsigned)v->part[DTS_SECOND]);
	p = put_micros(p, (unsigned)part(v, DTS_MICROS));
	*p++ = '"';
	o->buf.len += (size_t)(p - start);
}

static __attribute__((noinline)) void print_datetime(struct cdc_out *o, const struct dts_value *v,
						     enum dts_text_as as)
{
	enum shape shape;
	bool negative;
	char text[48];
	char *p = text;

	if (is_plain(v, as)) {
		print_plain(o, v);
		return;
	}
	shape = shape_of(v, as);

	if (shape == SHAPE_BAD) {
		cdc_out_fail(o, "a date or time lacks some of its parts");
		return;
	}
	if (!date_in_range(v) || !time_in_range(v, shape == SHAPE_TIME ? 999 : 23, &negative) ||
	    (negative && shape != SHAPE_TIME)) {
		cdc_out_fail(o, "a date or time is out of range");
		return;
	}
	*p++ = '"';
	if (shape == SHAPE_YEAR) {
		p += cdc_int64_format(v->part[DTS_YEAR], p);
	} else if (shape != SHAPE_TIME) {
		p = put_date(p, v);
		if (shape == SHAPE_DATETIME)
			*p++ = ' ';
	} else if (negative) {
		*p++ = '-';
	}
	if (shape == SHAPE_TIME || shape == SHAPE_DATETIME)
		p = put_time(p, v);
	*p++ = '"';
	cdc_out_raw(o, cdc_str(text, (size_t)(p - text)));
}

static void print_timestamp(struct cdc_out *o, const struct dts_value *v)
{
	/* The field is called millis and holds microseconds (spec section 0). */
	if (v->part[DTS_MICROS] < 0 || v->part[DTS_MICROS] > 999999)
		cdc_out_fail(o, "a timestamp's fraction is out of range");
	else
		cdc_text_instant_s(o, v->u.seconds, v->part[DTS_MICROS]);
}

static bool digits2(const char *p, int *v)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return false;
	*v = (p[0] - '0') * 10 + (p[1] - '0');
	return true;
}

/* "UTC", "Z", "GMT", or "[UTC|GMT]+HH[[:]MM]": seconds east of UTC. False: a named zone. */
static bool zone_offset(struct cdc_str z, int *offset)
{
	int hours, minutes = 0;
	bool west;

	if (cdc_str_ieq(z, CDC_STR("Z")) || cdc_str_ieq(z, CDC_STR("Etc/UTC"))) {
		*offset = 0;
		return true;
	}
	if (z.n >= 3 && (cdc_str_ieq(cdc_str(z.p, 3), CDC_STR("UTC")) ||
			 cdc_str_ieq(cdc_str(z.p, 3), CDC_STR("GMT")))) {
		z = cdc_str(z.p + 3, z.n - 3);
		*offset = 0;
		if (z.n == 0)
			return true;
	}
	if (z.n < 3 || (z.p[0] != '+' && z.p[0] != '-') || !digits2(z.p + 1, &hours))
		return false;
	west = z.p[0] == '-';
	z = cdc_str(z.p + 3, z.n - 3);
	if (z.n == 3 && z.p[0] == ':')
		z = cdc_str(z.p + 1, 2);
	if (z.n != 0 && (z.n != 2 || !digits2(z.p, &minutes)))
		return false;
	if (hours > 18 || minutes > 59)
		return false;
	*offset = (hours * 60 + minutes) * (west ? -60 : 60);
	return true;
}

/* The wall clock as seconds since the epoch, if its date exists. */
static bool wall_clock(const struct dts_value *v, int64_t *seconds)
{
	int64_t days, year;
	int month, day;

	if (part(v, DTS_MONTH) < 1 || part(v, DTS_DAY) < 1)
		return false;
	days = cdc_days_from_civil(v->part[DTS_YEAR], v->part[DTS_MONTH], v->part[DTS_DAY]);
	cdc_civil_from_days(days, &year, &month, &day);
	if (month != v->part[DTS_MONTH] || day != v->part[DTS_DAY])
		return false;
	*seconds = days * 86400 + part(v, DTS_HOUR) * 3600 + part(v, DTS_MINUTE) * 60 +
		   part(v, DTS_SECOND);
	return true;
}

/* With an offset it is an instant; a zone's name is kept, its rules are not ours to know. */
static __attribute__((noinline)) void print_zoned(struct cdc_out *o, const struct dts_value *v)
{
	bool negative;
	int64_t seconds;
	int offset;

	if ((v->present & DATE_PARTS) != DATE_PARTS) {
		cdc_out_fail(o, "a timestamp with time zone has no date");
		return;
	}
	if (!date_in_range(v) || !time_in_range(v, 23, &negative) || negative) {
		cdc_out_fail(o, "a timestamp with time zone is out of range");
		return;
	}
	if (zone_offset(v->tag, &offset) && wall_clock(v, &seconds)) {
		cdc_text_instant_s(o, seconds - offset, (int32_t)magnitude(v, DTS_MICROS));
	} else {
		char text[48];
		char *p = put_date(text, v);

		*p++ = ' ';
		p = put_time(p, v);
		*p++ = ' ';
		cdc_out_char(o, '"');
		cdc_out_raw(o, cdc_str(text, (size_t)(p - text)));
		cdc_out_text(o, v->tag);
		cdc_out_char(o, '"');
	}
}

/* utf8mb4 or utf8; compared by what a compiler makes of a constant length. */
static bool is_utf8(struct cdc_str set)
{
	return (set.n == 7 && memcmp(set.p, "utf8mb4", 7) == 0) ||
	       (set.n == 4 && memcmp(set.p, "utf8", 4) == 0);
}

static void print_decoded(struct cdc_out *o, struct cdc_charsets *cs, const struct dts_value *v)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_str text;

	if (cdc_charset_decode(cs, v->tag, v->u.text, &text, &err) == CDC_OK) {
		cdc_out_quoted(o, text);
	} else if (o->rc == CDC_OK) {
		o->rc = err.code;
		o->err = err;
	}
}

static void print_character(struct cdc_out *o, struct cdc_charsets *cs, const struct dts_value *v)
{
	/* Bytes that no character set is told for are binary. */
	if (v->tag.n == 0)
		cdc_text_binary(o, v->u.text);
	else if (is_utf8(v->tag))
		cdc_out_quoted(o, v->u.text);
	else
		print_decoded(o, cs, v);
}

/* What is rare or long is called, not inlined, so that the common kinds need no frame. */
void dts_value_print(struct cdc_out *o, struct cdc_charsets *cs, const struct dts_value *v,
		     enum dts_text_as as)
{
	switch ((enum dts_kind)v->kind) {
	case DTS_NULL:
	case DTS_ABSENT:
	case DTS_EMPTY_OBJECT:
		cdc_out_lit(o, "null");
		break;
	case DTS_INTEGER:
	case DTS_TEXT_GEOMETRY:
	case DTS_TEXT_OBJECT:
		cdc_out_quoted(o, v->u.text);
		break;
	case DTS_DECIMAL:
		cdc_text_decimal(o, v->u.text);
		break;
	case DTS_CHARACTER:
		print_character(o, cs, v);
		break;
	case DTS_FLOAT:
		cdc_text_double(o, v->u.number, as == DTS_AS_FLOAT);
		break;
	case DTS_TIMESTAMP:
		print_timestamp(o, v);
		break;
	case DTS_DATETIME:
		print_datetime(o, v, as);
		break;
	case DTS_TIMESTAMP_TZ:
		print_zoned(o, v);
		break;
	case DTS_BINARY_GEOMETRY:
		cdc_text_wkb(o, v->u.text);
		break;
	case DTS_BINARY_OBJECT:
		cdc_text_binary(o, v->u.text);
		break;
	}
}
