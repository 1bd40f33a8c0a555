/*
 * Thrift compact protocol, reading: the cursor that pq_thrift_read.h describes.
 */
#include "parquet/pq_thrift_read.h"

#include <limits.h>

/* Structs and containers inside each other; Parquet itself needs 7. */
#define MAX_DEPTH 64

void cdc_pq_tread_init(struct cdc_pq_tread *r, const void *p, size_t n)
{
	r->start = p;
	r->p = r->start;
	r->end = n ? r->start + n : r->start;
	r->bad = NULL;
}

void cdc_pq_tread_fail(struct cdc_pq_tread *r, const char *what)
{
	if (!r->bad)
		r->bad = what;
	r->end = r->p;
}

static uint8_t byte(struct cdc_pq_tread *r)
{
	if (r->p == r->end) {
		cdc_pq_tread_fail(r, "it ends inside a value");
		return 0;
	}
	return *r->p++;
}

static uint64_t varint(struct cdc_pq_tread *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t b = byte(r);

		if (shift == 63 && b > 1)
			break;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	cdc_pq_tread_fail(r, "a varint is longer than 64 bits");
	return 0;
}

static int64_t zigzag(struct cdc_pq_tread *r)
{
	uint64_t v = varint(r);

	return (int64_t)((v >> 1) ^ (0 - (v & 1)));
}

static int64_t zigzag_in(struct cdc_pq_tread *r, int64_t min, int64_t max)
{
	int64_t v = zigzag(r);

	if (v < min || v > max) {
		cdc_pq_tread_fail(r, "an integer is out of its range");
		return 0;
	}
	return v;
}

static struct cdc_str binary(struct cdc_pq_tread *r)
{
	uint64_t n = varint(r);
	struct cdc_str s;

	if (n > (uint64_t)(r->end - r->p)) {
		cdc_pq_tread_fail(r, "a string is longer than what is left");
		return cdc_str("", 0);
	}
	s = cdc_str((const char *)r->p, (size_t)n);
	r->p += n;
	return s;
}

/* Header of the next field; false at the struct's end. */
static bool field_header(struct cdc_pq_tread *r, struct cdc_pq_tfield *f)
{
	uint8_t h = byte(r);
	int delta = h >> 4;

	f->type = h & 0x0f;
	if (r->bad || f->type == CDC_PQ_WIRE_STOP)
		return false;
	if (f->type > CDC_PQ_WIRE_STRUCT) {
		cdc_pq_tread_fail(r, "a field has an unknown type");
		return false;
	}
	if (delta == 0)
		f->id = (int16_t)zigzag_in(r, INT16_MIN, INT16_MAX);
	else if (f->id > INT16_MAX - delta)
		cdc_pq_tread_fail(r, "a field id is out of range");
	else
		f->id = (int16_t)(f->id + delta);
	return !r->bad;
}

static bool is_integer(uint8_t type)
{
	return type >= CDC_PQ_WIRE_I16 && type <= CDC_PQ_WIRE_I64;
}

static bool wanted(const struct cdc_pq_tfield *f, const struct cdc_pq_twant *want)
{
	uint8_t type;

	if (f->id < 0 || (size_t)f->id >= sizeof(want->type))
		return false;
	type = want->type[f->id];
	if (type == CDC_PQ_WIRE_TRUE)
		return f->type == CDC_PQ_WIRE_TRUE || f->type == CDC_PQ_WIRE_FALSE;
	return type && (type == f->type || (is_integer(type) && is_integer(f->type)));
}

static void skip_value(struct cdc_pq_tread *r, uint8_t type, bool element, unsigned depth);

bool cdc_pq_tread_field(struct cdc_pq_tread *r, struct cdc_pq_tfield *f,
			const struct cdc_pq_twant *want)
{
	while (field_header(r, f)) {
		if (wanted(f, want))
			return true;
		skip_value(r, f->type, false, 0);
	}
	return false;
}

void cdc_pq_tread_pass(struct cdc_pq_tread *r, const struct cdc_pq_tfield *f)
{
	skip_value(r, f->type, false, 0);
}

bool cdc_pq_tread_forgive(struct cdc_pq_tread *r, const struct cdc_pq_tread *before,
			  const struct cdc_pq_tfield *f)
{
	if (!r->bad)
		return false;
	*r = *before;
	cdc_pq_tread_pass(r, f);
	return true;
}

bool cdc_pq_tread_bool(struct cdc_pq_tread *r, const struct cdc_pq_tfield *f)
{
	(void)r;
	return f->type == CDC_PQ_WIRE_TRUE;
}

int8_t cdc_pq_tread_i8(struct cdc_pq_tread *r)
{
	return (int8_t)byte(r);
}

int32_t cdc_pq_tread_i32(struct cdc_pq_tread *r)
{
	return (int32_t)zigzag_in(r, INT32_MIN, INT32_MAX);
}

int64_t cdc_pq_tread_i64(struct cdc_pq_tread *r)
{
	return zigzag(r);
}

struct cdc_str cdc_pq_tread_binary(struct cdc_pq_tread *r)
{
	return binary(r);
}

/* Count and element type of a list or set. */
static uint32_t list_header(struct cdc_pq_tread *r, uint8_t *type)
{
	uint8_t h = byte(r);
	uint64_t n = h >> 4;

	*type = h & 0x0f;
	if (n == 15)
		n = varint(r);
	/* Each element takes a byte at least, a struct its STOP. */
	if (n > (uint64_t)(r->end - r->p) || n > INT32_MAX) {
		cdc_pq_tread_fail(r, "a list is longer than what is left");
		return 0;
	}
	return (uint32_t)n;
}

uint32_t cdc_pq_tread_list(struct cdc_pq_tread *r, enum cdc_pq_wire type)
{
	uint8_t t = CDC_PQ_WIRE_STOP;
	uint32_t n = list_header(r, &t);

	if (t == CDC_PQ_WIRE_FALSE)
		t = CDC_PQ_WIRE_TRUE;
	/* An empty list may announce any type: some writers put 0 there. */
	if (n > 0 && t != (uint8_t)type) {
		cdc_pq_tread_fail(r, "a list has elements of an unexpected type");
		return 0;
	}
	return n;
}

bool cdc_pq_tread_elem_bool(struct cdc_pq_tread *r)
{
	return byte(r) == 1;
}

static void skip_struct(struct cdc_pq_tread *r, unsigned depth)
{
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (field_header(r, &f))
		skip_value(r, f.type, false, depth);
}

static void skip_map(struct cdc_pq_tread *r, unsigned depth)
{
	uint64_t n = varint(r);
	uint8_t types;

	if (n == 0)
		return;
	types = byte(r);
	if (n > (uint64_t)(r->end - r->p) / 2) {
		cdc_pq_tread_fail(r, "a map is longer than what is left");
		return;
	}
	for (; n > 0 && !r->bad; n--) {
		skip_value(r, types >> 4, true, depth);
		skip_value(r, types & 0x0f, true, depth);
	}
}

static void skip_bytes(struct cdc_pq_tread *r, size_t n)
{
	if (n > (size_t)(r->end - r->p))
		cdc_pq_tread_fail(r, "it ends inside a value");
	else
		r->p += n;
}

/* Booleans are in the header as fields, and one byte as elements. */
static void skip_value(struct cdc_pq_tread *r, uint8_t type, bool element, unsigned depth)
{
	uint8_t t;
	uint32_t n;

	if (depth >= MAX_DEPTH) {
		cdc_pq_tread_fail(r, "it is nested too deeply");
		return;
	}
	switch (type) {
	case CDC_PQ_WIRE_TRUE:
	case CDC_PQ_WIRE_FALSE:
		if (element)
			skip_bytes(r, 1);
		break;
	case CDC_PQ_WIRE_I8:
		skip_bytes(r, 1);
		break;
	case CDC_PQ_WIRE_I16:
	case CDC_PQ_WIRE_I32:
	case CDC_PQ_WIRE_I64:
		varint(r);
		break;
	case CDC_PQ_WIRE_DOUBLE:
		skip_bytes(r, 8);
		break;
	case CDC_PQ_WIRE_BINARY:
		binary(r);
		break;
	case CDC_PQ_WIRE_LIST:
	case CDC_PQ_WIRE_SET:
		for (n = list_header(r, &t); n > 0 && !r->bad; n--)
			skip_value(r, t, true, depth + 1);
		break;
	case CDC_PQ_WIRE_MAP:
		skip_map(r, depth + 1);
		break;
	case CDC_PQ_WIRE_STRUCT:
		skip_struct(r, depth + 1);
		break;
	default:
		cdc_pq_tread_fail(r, "a field has an unknown type");
	}
}
