/*
 * One page: from stored bytes, as the chunk has them, to level and value decoders.
 *
 * Checks what a header says against the bytes (spec 3.5), the checksum if there is one, and
 * decompresses. Errors are CDC_ECORRUPT, CDC_EUNSUPPORTED for a page over env->max_page or an
 * encoding that is not known, CDC_ENOMEM.
 */
#ifndef CDC_PARQUET_PQ_PAGE_READ_H
#define CDC_PARQUET_PQ_PAGE_READ_H

#include "parquet/pq_codec.h"
#include "parquet/pq_format.h"
#include "parquet/pq_level_read.h"
#include "parquet/pq_value_read.h"

/* What stays the same for all pages of a chunk. */
struct cdc_pq_page_env {
	struct cdc_pq_codec_ctx *codec_ctx;
	enum cdc_pq_codec codec;
	struct cdc_pq_value_type t;
	uint8_t max_def;
	uint8_t max_rep;
	uint32_t max_page; /* the largest page, uncompressed: what a lie in a header can cost */
	bool v2_flag_lies; /* is_compressed may be false on compressed pages */
};

struct cdc_pq_page {
	uint32_t num_values; /* slots, as the header says */
	uint32_t left; /* slots that were not read */
	struct cdc_pq_levels rep;
	struct cdc_pq_levels def;
	struct cdc_pq_values values;
};

/*
 * Begin a data page of either version whose stored bytes are `stored` (h->compressed_size of them,
 * with CDC_PQ_SLACK readable bytes after). `body` and `transposed` take what has to be unpacked and
 * must not change while the page is in use; nor must `stored`.
 */
int cdc_pq_page_begin(struct cdc_pq_page *pg, const struct cdc_pq_page_env *env,
		      const struct cdc_pq_page_header *h, const uint8_t *stored,
		      const struct cdc_pq_dictionary *dict, struct cdc_pq_mem *body,
		      struct cdc_pq_mem *transposed, struct cdc_err *err) CDC_NODISCARD;

/* Decode a dictionary page. `stored` must live as long as the dictionary. */
int cdc_pq_page_dictionary(struct cdc_pq_dictionary *d, const struct cdc_pq_page_env *env,
			   const struct cdc_pq_page_header *h, const uint8_t *stored,
			   struct cdc_err *err) CDC_NODISCARD;

#endif
