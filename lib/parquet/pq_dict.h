/*
 * Dictionary of one column chunk, building: values to indices in order of first appearance.
 *
 * The values are kept as the PLAIN bytes of the dictionary page, so nothing is encoded again when
 * the chunk ends. Fixed values of 4 and 8 bytes are compared by their bits; everything else as
 * byte strings (FIXED values and INT96 are stored without a length).
 */
#ifndef CDC_PARQUET_PQ_DICT_H
#define CDC_PARQUET_PQ_DICT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct cdc_pq_dict {
	uint32_t width; /* bytes a value; 0: variable, with a u32 length before it */
	uint32_t count; /* entries */
	uint64_t *slot; /* hash or value << 32 | index + 1; 0: free */
	uint32_t mask; /* slots - 1 */
	uint64_t probes; /* steps past the first slot: shows a hash that does not spread */
	struct cdc_buf plain;
	uint32_t *start; /* width 0: where the bytes of entry i begin in `plain` */
	uint32_t *stamp; /* for the caller, zero in a new entry; width other than 4 and 8 */
	uint32_t cap; /* of start and stamp */
};

void cdc_pq_dict_init(struct cdc_pq_dict *d, uint32_t width);
/* Forget the entries, keep the memory. */
void cdc_pq_dict_reset(struct cdc_pq_dict *d);
void cdc_pq_dict_free(struct cdc_pq_dict *d);

/* Look up n values, adding the new ones, and store their indices. */
int cdc_pq_dict_put32(struct cdc_pq_dict *d, const uint32_t *v, size_t n, uint32_t *index,
		      struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_dict_put64(struct cdc_pq_dict *d, const uint64_t *v, size_t n, uint32_t *index,
		      struct cdc_err *err) CDC_NODISCARD;
int cdc_pq_dict_put_str(struct cdc_pq_dict *d, const struct cdc_str *v, size_t n, uint32_t *index,
			struct cdc_err *err) CDC_NODISCARD;

/* Bytes of entry i, without length; they move when the dictionary grows. */
struct cdc_str cdc_pq_dict_get(const struct cdc_pq_dict *d, uint32_t i);

/* Memory held for the entries. */
size_t cdc_pq_dict_bytes(const struct cdc_pq_dict *d);

#endif
