/*
 * The values of one page, decoded densely (nulls are not in a page) from any encoding.
 *
 * Output slots are those of struct cdc_pq_vec. Strings point into the page, the dictionary, or the
 * arena. The bytes need CDC_PQ_SLACK readable bytes after their end. Errors are CDC_ECORRUPT, or
 * CDC_EUNSUPPORTED for an encoding that is not known.
 */
#ifndef CDC_PARQUET_PQ_VALUE_READ_H
#define CDC_PARQUET_PQ_VALUE_READ_H

#include "parquet/pq_delta_read.h"
#include "parquet/pq_format.h"
#include "parquet/pq_rle_read.h"

/* Memory that is reused: 64-byte aligned, CDC_PQ_SLACK zeroed bytes after the n asked for. */
struct cdc_pq_mem {
	uint8_t *p;
	size_t cap;
};

#define CDC_PQ_MEM_INIT                                                                            \
	{                                                                                          \
		NULL, 0                                                                            \
	}

/* Room for n bytes; what was there is kept up to `keep` bytes. */
int cdc_pq_mem_reserve(struct cdc_pq_mem *m, size_t n, size_t keep,
		       struct cdc_err *err) CDC_NODISCARD;
void cdc_pq_mem_free(struct cdc_pq_mem *m);

/* What decoding a leaf needs to know. */
struct cdc_pq_value_type {
	enum cdc_pq_type type;
	uint32_t length; /* FIXED: bytes */
};

/* Bytes of a slot. */
size_t cdc_pq_slot_size(enum cdc_pq_type type);

struct cdc_pq_dictionary {
	bool present;
	uint32_t n;
	struct cdc_pq_mem slots;
	struct cdc_pq_mem body; /* where strings point */
};

/* Decode a dictionary page's n values from its bytes, which must live on. */
int cdc_pq_dictionary_read(struct cdc_pq_dictionary *d, struct cdc_pq_value_type t, uint32_t n,
			   const uint8_t *p, size_t len, struct cdc_err *err) CDC_NODISCARD;

/* Where strings that have to be built go, and how much may be there. */
struct cdc_pq_string_space {
	struct cdc_arena arena;
	size_t max_bytes;
};

struct cdc_pq_values {
	struct cdc_pq_value_type t;
	enum cdc_pq_encoding encoding; /* PLAIN, RLE, RLE_DICTIONARY or DELTA_* */
	const uint8_t *p; /* PLAIN */
	const uint8_t *end;
	uint32_t bit; /* PLAIN booleans: next bit of *p */
	struct cdc_pq_rle rle; /* RLE, RLE_DICTIONARY */
	const struct cdc_pq_dictionary *dict;
	union {
		struct cdc_pq_dbp dbp;
		struct cdc_pq_dlba dlba;
		struct cdc_pq_dba dba;
	};
};

/*
 * Begin a page whose value section is p[0..n) and which has at most `max` values. BYTE_STREAM_SPLIT
 * is put in order into `transposed` at once and is PLAIN from then on.
 */
int cdc_pq_values_init(struct cdc_pq_values *v, struct cdc_pq_value_type t,
		       enum cdc_pq_encoding encoding, const struct cdc_pq_dictionary *dict,
		       const uint8_t *p, size_t n, uint32_t max, struct cdc_pq_mem *transposed,
		       struct cdc_err *err) CDC_NODISCARD;

int cdc_pq_values_read(struct cdc_pq_values *v, void *out, uint32_t n,
		       struct cdc_pq_string_space *space, struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_values_skip(struct cdc_pq_values *v, uint32_t n, struct cdc_pq_string_space *space,
		       struct cdc_err *err) CDC_NODISCARD;

/* The next n values where they lie, consumed; NULL when they have to be decoded. */
const void *cdc_pq_values_direct(struct cdc_pq_values *v, uint32_t n);

/* Do strings point into the page (and not into the dictionary alone)? */
bool cdc_pq_values_point_into_page(const struct cdc_pq_values *v);

#endif
