/*
 * A cursor over Thrift compact protocol that trusts no length, count or nesting in its input.
 *
 * The first violation is remembered in `bad`; from then on every read gives zero and every
 * iteration ends, so a parser checks once, when it is done. Nothing is allocated.
 *
 * Specification: thrift-compact-protocol.md of Apache Thrift.
 */
#ifndef CDC_PARQUET_PQ_THRIFT_READ_H
#define CDC_PARQUET_PQ_THRIFT_READ_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cdc_pq_wire {
	CDC_PQ_WIRE_STOP = 0,
	CDC_PQ_WIRE_TRUE = 1,
	CDC_PQ_WIRE_FALSE = 2,
	CDC_PQ_WIRE_I8 = 3,
	CDC_PQ_WIRE_I16 = 4,
	CDC_PQ_WIRE_I32 = 5,
	CDC_PQ_WIRE_I64 = 6,
	CDC_PQ_WIRE_DOUBLE = 7,
	CDC_PQ_WIRE_BINARY = 8,
	CDC_PQ_WIRE_LIST = 9,
	CDC_PQ_WIRE_SET = 10,
	CDC_PQ_WIRE_MAP = 11,
	CDC_PQ_WIRE_STRUCT = 12
};

struct cdc_pq_tread {
	const uint8_t *start;
	const uint8_t *p;
	const uint8_t *end;
	const char *bad; /* what was wrong, a string constant; NULL: nothing so far */
};

/* The field that is being read; start a struct with CDC_PQ_TFIELD_INIT. */
struct cdc_pq_tfield {
	int16_t id;
	uint8_t type;
};

#define CDC_PQ_TFIELD_INIT                                                                         \
	{                                                                                          \
		0, CDC_PQ_WIRE_STOP                                                                \
	}

void cdc_pq_tread_init(struct cdc_pq_tread *r, const void *p, size_t n);
void cdc_pq_tread_fail(struct cdc_pq_tread *r, const char *what);

/* Which fields of a struct are wanted: want[id] is a wire type, 0 for those that are not. */
struct cdc_pq_twant {
	uint8_t type[20];
};

/*
 * Next wanted field of a struct, whose value the caller has to read; false at the struct's end.
 * Others are passed over, and so is a field of another type than the wanted one, as generated
 * readers do: some writers use numbers of their own that were given away later. TRUE stands for
 * booleans, and integers of any width for each other.
 */
bool cdc_pq_tread_field(struct cdc_pq_tread *r, struct cdc_pq_tfield *f,
			const struct cdc_pq_twant *want);

/* The value of the field. */
bool cdc_pq_tread_bool(struct cdc_pq_tread *r, const struct cdc_pq_tfield *f);
int8_t cdc_pq_tread_i8(struct cdc_pq_tread *r);
int32_t cdc_pq_tread_i32(struct cdc_pq_tread *r);
int64_t cdc_pq_tread_i64(struct cdc_pq_tread *r);
struct cdc_str cdc_pq_tread_binary(struct cdc_pq_tread *r);

/*
 * Header of a list: the number of elements, which is never more than the bytes left. The
 * elements must be of `type`; CDC_PQ_WIRE_TRUE stands for booleans, which both 1 and 2 announce.
 */
uint32_t cdc_pq_tread_list(struct cdc_pq_tread *r, enum cdc_pq_wire type);

/* Pass over the value of the field. */
void cdc_pq_tread_pass(struct cdc_pq_tread *r, const struct cdc_pq_tfield *f);

/*
 * Optional fields: when what was read of field f since `before` went wrong, true, and the cursor
 * stands behind the field as if nobody had looked into it. False when nothing was wrong. A field
 * that does not end leaves the cursor bad.
 */
bool cdc_pq_tread_forgive(struct cdc_pq_tread *r, const struct cdc_pq_tread *before,
			  const struct cdc_pq_tfield *f);

/* A boolean that is an element of a list; other elements are read as fields are. */
bool cdc_pq_tread_elem_bool(struct cdc_pq_tread *r);

static inline size_t cdc_pq_tread_used(const struct cdc_pq_tread *r)
{
	return (size_t)(r->p - r->start);
}

#endif
