/*
 * Thrift's compact protocol, writing (spec 1.2).
 */
#include "parquet/pq_thrift_write.h"

enum wire {
	WIRE_STOP = 0,
	WIRE_TRUE = 1,
	WIRE_FALSE = 2,
	WIRE_I8 = 3,
	WIRE_I16 = 4,
	WIRE_LIST = 9
};

static void put(struct cdc_pq_tw *t, const void *p, size_t n)
{
	if (t->rc == CDC_OK)
		t->rc = cdc_buf_append(t->buf, p, n, t->err);
}

static void put_byte(struct cdc_pq_tw *t, unsigned v)
{
	uint8_t byte = (uint8_t)v;

	put(t, &byte, 1);
}

static void put_varint(struct cdc_pq_tw *t, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;

	while (v >= 0x80) {
		bytes[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	bytes[n++] = (uint8_t)v;
	put(t, bytes, n);
}

static void put_zigzag(struct cdc_pq_tw *t, int64_t v)
{
	put_varint(t, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static void field(struct cdc_pq_tw *t, int16_t id, unsigned type)
{
	int16_t *last = &t->last[t->depth];
	int delta = id - *last;

	if (delta > 0 && delta <= 15) {
		put_byte(t, (unsigned)delta << 4 | type);
	} else {
		put_byte(t, type);
		put_zigzag(t, id);
	}
	*last = id;
}

void cdc_pq_tw_init(struct cdc_pq_tw *t, struct cdc_buf *buf, struct cdc_err *err)
{
	t->buf = buf;
	t->err = err;
	t->rc = CDC_OK;
	t->depth = 0;
	t->last[0] = 0;
}

int cdc_pq_tw_finish(struct cdc_pq_tw *t)
{
	put_byte(t, WIRE_STOP);
	if (t->rc == CDC_OK && t->depth != 0)
		t->rc = cdc_fail(t->err, CDC_EINTERNAL, "a thrift struct was left open");
	return t->rc;
}

void cdc_pq_tw_bool(struct cdc_pq_tw *t, int16_t id, bool v)
{
	field(t, id, v ? WIRE_TRUE : WIRE_FALSE);
}

void cdc_pq_tw_i8(struct cdc_pq_tw *t, int16_t id, int8_t v)
{
	field(t, id, WIRE_I8);
	put_byte(t, (uint8_t)v);
}

void cdc_pq_tw_i16(struct cdc_pq_tw *t, int16_t id, int16_t v)
{
	field(t, id, WIRE_I16);
	put_zigzag(t, v);
}

void cdc_pq_tw_i32(struct cdc_pq_tw *t, int16_t id, int32_t v)
{
	field(t, id, CDC_PQ_TW_I32);
	put_zigzag(t, v);
}

void cdc_pq_tw_i64(struct cdc_pq_tw *t, int16_t id, int64_t v)
{
	field(t, id, CDC_PQ_TW_I64);
	put_zigzag(t, v);
}

void cdc_pq_tw_binary(struct cdc_pq_tw *t, int16_t id, struct cdc_str v)
{
	field(t, id, CDC_PQ_TW_BINARY);
	cdc_pq_tw_elem_binary(t, v);
}

void cdc_pq_tw_struct(struct cdc_pq_tw *t, int16_t id)
{
	if (id)
		field(t, id, CDC_PQ_TW_STRUCT);
	if (t->depth + 1 >= CDC_PQ_TW_DEPTH) {
		if (t->rc == CDC_OK)
			t->rc = cdc_fail(t->err, CDC_EINTERNAL, "thrift structs nested too deep");
		return;
	}
	t->last[++t->depth] = 0;
}

void cdc_pq_tw_end(struct cdc_pq_tw *t)
{
	put_byte(t, WIRE_STOP);
	if (t->depth > 0)
		t->depth--;
}

void cdc_pq_tw_empty(struct cdc_pq_tw *t, int16_t id)
{
	cdc_pq_tw_struct(t, id);
	cdc_pq_tw_end(t);
}

void cdc_pq_tw_list(struct cdc_pq_tw *t, int16_t id, enum cdc_pq_tw_type type, size_t count)
{
	field(t, id, WIRE_LIST);
	if (count < 15) {
		put_byte(t, (unsigned)count << 4 | type);
	} else {
		put_byte(t, 0xf0U | type);
		put_varint(t, count);
	}
}

void cdc_pq_tw_elem_bool(struct cdc_pq_tw *t, bool v)
{
	put_byte(t, v ? WIRE_TRUE : WIRE_FALSE);
}

void cdc_pq_tw_elem_int(struct cdc_pq_tw *t, int64_t v)
{
	put_zigzag(t, v);
}

void cdc_pq_tw_elem_binary(struct cdc_pq_tw *t, struct cdc_str v)
{
	put_varint(t, v.n);
	put(t, v.p, v.n);
}
