/*
 * Well-known binary to well-known text: the seven plain 2D types, either byte order, with or
 * without the four bytes of SRID that MySQL stores in front. Spelled as MySQL's ST_AsText does.
 */
#include "source/value/value_text.h"

#include "base/endian.h"
#include "base/value.h"

#define DEPTH_MAX 16 /* collections in collections */

enum type { POINT = 1, LINESTRING, POLYGON, MULTIPOINT, MULTILINESTRING, MULTIPOLYGON, COLLECTION };

static const char *const names[] = {
	"",	      "POINT",		 "LINESTRING",	 "POLYGON",
	"MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
};

struct wkb {
	struct cdc_out *o;
	const unsigned char *p;
	const unsigned char *end;
	bool big; /* byte order of the geometry being read */
};

static bool geometry(struct wkb *w, uint32_t want, bool name, unsigned depth);

static bool read_u32(struct wkb *w, uint32_t *v)
{
	if (w->end - w->p < 4)
		return false;
	*v = w->big ? cdc_be32(w->p) : cdc_le32(w->p);
	w->p += 4;
	return true;
}

static bool read_double(struct wkb *w, double *v)
{
	uint64_t bits;

	if (w->end - w->p < 8)
		return false;
	bits = w->big ? cdc_be64(w->p) : cdc_le64(w->p);
	memcpy(v, &bits, 8);
	w->p += 8;
	return *v - *v == 0; /* finite */
}

static void put_number(struct wkb *w, double v)
{
	char text[CDC_VALUE_TEXT_MAX];
	size_t n = cdc_double_format(v, text);

	if (n > 2 && text[n - 2] == '.' && text[n - 1] == '0')
		n -= 2;
	cdc_out_raw(w->o, cdc_str(text, n));
}

static bool point(struct wkb *w)
{
	double x, y;

	if (!read_double(w, &x) || !read_double(w, &y))
		return false;
	put_number(w, x);
	cdc_out_char(w->o, ' ');
	put_number(w, y);
	return true;
}

/* (x y,x y,…) */
static bool points(struct wkb *w)
{
	uint32_t n;

	if (!read_u32(w, &n) || n == 0)
		return false;
	cdc_out_char(w->o, '(');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			cdc_out_char(w->o, ',');
		if (!point(w))
			return false;
	}
	cdc_out_char(w->o, ')');
	return true;
}

/* ((x y,…),(x y,…)) */
static bool rings(struct wkb *w)
{
	uint32_t n;

	if (!read_u32(w, &n) || n == 0)
		return false;
	cdc_out_char(w->o, '(');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			cdc_out_char(w->o, ',');
		if (!points(w))
			return false;
	}
	cdc_out_char(w->o, ')');
	return true;
}

/* Parts of a multi-geometry, each a geometry with its own header; 0: of any type, named. */
static bool parts(struct wkb *w, uint32_t want, unsigned depth)
{
	bool big = w->big;
	uint32_t n;

	if (!read_u32(w, &n))
		return false;
	if (n == 0 && want != 0)
		return false;
	if (n == 0) {
		cdc_out_lit(w->o, " EMPTY");
		return true;
	}
	cdc_out_char(w->o, '(');
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			cdc_out_char(w->o, ',');
		if (!geometry(w, want, want == 0, depth + 1))
			return false;
	}
	cdc_out_char(w->o, ')');
	w->big = big;
	return true;
}

static bool body(struct wkb *w, uint32_t type, unsigned depth)
{
	switch ((enum type)type) {
	case POINT:
		cdc_out_char(w->o, '(');
		if (!point(w))
			return false;
		cdc_out_char(w->o, ')');
		return true;
	case LINESTRING:
		return points(w);
	case POLYGON:
		return rings(w);
	case MULTIPOINT:
		return parts(w, POINT, depth);
	case MULTILINESTRING:
		return parts(w, LINESTRING, depth);
	case MULTIPOLYGON:
		return parts(w, POLYGON, depth);
	case COLLECTION:
		return parts(w, 0, depth);
	}
	return false;
}

static bool geometry(struct wkb *w, uint32_t want, bool name, unsigned depth)
{
	uint32_t type;

	if (depth == DEPTH_MAX || w->p == w->end || *w->p > 1)
		return false;
	w->big = *w->p++ == 0;
	if (!read_u32(w, &type) || type < POINT || type > COLLECTION || (want && type != want))
		return false;
	if (name)
		cdc_out_raw(w->o, cdc_str_z(names[type]));
	return body(w, type, depth);
}

static bool whole(struct cdc_out *o, struct cdc_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	struct wkb w = { o, p, p + s.n, false };
	size_t mark = o->buf.len;

	cdc_out_char(o, '"');
	if (geometry(&w, 0, true, 0) && w.p == w.end) {
		cdc_out_char(o, '"');
		return true;
	}
	o->buf.len = mark;
	return false;
}

bool cdc_wkb_print(struct cdc_out *o, struct cdc_str wkb)
{
	return whole(o, wkb) || (wkb.n > 4 && whole(o, cdc_str(wkb.p + 4, wkb.n - 4)));
}
