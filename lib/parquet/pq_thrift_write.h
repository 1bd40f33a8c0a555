/*
 * Thrift's compact protocol, writing: fields of nested structs and lists into a buffer.
 *
 * Errors stick: after one, every call does nothing and `rc` holds it, so that a struct is written
 * without a check per field. Field ids within a struct must ascend.
 */
#ifndef CDC_PARQUET_PQ_THRIFT_WRITE_H
#define CDC_PARQUET_PQ_THRIFT_WRITE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { CDC_PQ_TW_DEPTH = 16 };

/* Element types of lists. */
enum cdc_pq_tw_type {
	CDC_PQ_TW_BOOL = 2, /* what the Thrift libraries write; readers accept 1 as well */
	CDC_PQ_TW_I32 = 5,
	CDC_PQ_TW_I64 = 6,
	CDC_PQ_TW_BINARY = 8,
	CDC_PQ_TW_STRUCT = 12
};

struct cdc_pq_tw {
	struct cdc_buf *buf;
	struct cdc_err *err;
	int rc;
	int depth;
	int16_t last[CDC_PQ_TW_DEPTH]; /* last field id, one per open struct */
};

/* Starts with the outermost struct open; cdc_pq_tw_finish closes it and returns rc. */
void cdc_pq_tw_init(struct cdc_pq_tw *t, struct cdc_buf *buf, struct cdc_err *err);
int cdc_pq_tw_finish(struct cdc_pq_tw *t) CDC_NODISCARD;

void cdc_pq_tw_bool(struct cdc_pq_tw *t, int16_t id, bool v);
void cdc_pq_tw_i8(struct cdc_pq_tw *t, int16_t id, int8_t v);
void cdc_pq_tw_i16(struct cdc_pq_tw *t, int16_t id, int16_t v);
void cdc_pq_tw_i32(struct cdc_pq_tw *t, int16_t id, int32_t v);
void cdc_pq_tw_i64(struct cdc_pq_tw *t, int16_t id, int64_t v);
void cdc_pq_tw_binary(struct cdc_pq_tw *t, int16_t id, struct cdc_str v);

/* A struct field, or with id 0 a list element; closed by cdc_pq_tw_end. */
void cdc_pq_tw_struct(struct cdc_pq_tw *t, int16_t id);
void cdc_pq_tw_end(struct cdc_pq_tw *t);
/* A struct field without members: how the format spells most union members. */
void cdc_pq_tw_empty(struct cdc_pq_tw *t, int16_t id);

/* A list field; exactly `count` elements must follow. */
void cdc_pq_tw_list(struct cdc_pq_tw *t, int16_t id, enum cdc_pq_tw_type type, size_t count);
void cdc_pq_tw_elem_bool(struct cdc_pq_tw *t, bool v);
void cdc_pq_tw_elem_int(struct cdc_pq_tw *t, int64_t v);
void cdc_pq_tw_elem_binary(struct cdc_pq_tw *t, struct cdc_str v);

#endif
