/*
 * Inside the deletion vector code: the buckets of a set, their serialised form, and Z85.
 *
 * A bucket is the 32-bit Roaring bitmap of the rows that share their upper 32 bits.
 */
#ifndef CDC_DELTA_DV_INT_H
#define CDC_DELTA_DV_INT_H

#include "base/buf.h"
#include "delta/dv.h"

/* dv.c: the only place that knows the bitmap library. */

/* Choose the smallest containers; called before the sizes are asked for. */
void cdc_dv_compact(struct cdc_dv *dv);
size_t cdc_dv_num_buckets(const struct cdc_dv *dv);
uint32_t cdc_dv_bucket_key(const struct cdc_dv *dv, size_t i);
size_t cdc_dv_bucket_bytes(const struct cdc_dv *dv, size_t i);
void cdc_dv_bucket_write(const struct cdc_dv *dv, size_t i, char *out);
/* Append a bucket, keys ascending, from bytes that cdc_roaring_check found good. */
int cdc_dv_bucket_read(struct cdc_dv *dv, uint32_t key, struct cdc_str bytes,
		       struct cdc_err *err) CDC_NODISCARD;

/*
 * roaring_check.c: check the portable serialisation of a 32-bit bitmap at the start of `bytes`,
 * which may come from anyone. `used` receives its length.
 */
int cdc_roaring_check(struct cdc_str bytes, size_t *used, struct cdc_err *err) CDC_NODISCARD;

/* dv_format.c: the serialised set, as it stands between length and checksum in a file. */
int cdc_dv_encode(struct cdc_dv *dv, struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;
int cdc_dv_decode(struct cdc_dv **dv, struct cdc_str bytes, struct cdc_err *err) CDC_NODISCARD;

/* z85.c (ZeroMQ RFC 32). n must be a multiple of 4; writes n / 4 * 5 characters. */
void cdc_z85_encode(const uint8_t *p, size_t n, char *out);
/* Writes at most text.n / 5 * 4 bytes and tells how many; false: not Z85. */
bool cdc_z85_decode(struct cdc_str text, uint8_t *out, size_t *n);

#endif
