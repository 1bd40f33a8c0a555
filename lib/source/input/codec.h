/*
 * Decompression of what comes in one piece: blocks of Avro containers, batches of Kafka, events of
 * binlogs. Each replaces the content of `out`, which has at most out->max bytes; CDC_EDATA when the
 * input is damaged or holds more.
 */
#ifndef CDC_SOURCE_CODEC_H
#define CDC_SOURCE_CODEC_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum cdc_ocf_codec { CDC_OCF_NULL, CDC_OCF_DEFLATE, CDC_OCF_SNAPPY, CDC_OCF_ZSTANDARD };

/* CDC_EDATA naming the codec when it is not one of these. An empty name is "null". */
int cdc_ocf_codec_find(struct cdc_str name, enum cdc_ocf_codec *codec,
		       struct cdc_err *err) CDC_NODISCARD;
/* Replace the content of `out` (at most out->max bytes) by the block's. Not for CDC_OCF_NULL. */
int cdc_ocf_decompress(enum cdc_ocf_codec codec, struct cdc_str block, struct cdc_buf *out,
		       struct cdc_err *err) CDC_NODISCARD;

/* zlib's streams: RFC 1951 bare, RFC 1950 with a header, RFC 1952 (gzip). */
enum cdc_zlib_wrap { CDC_ZLIB_RAW, CDC_ZLIB_HEADER, CDC_ZLIB_GZIP };
int cdc_unpack_zlib(enum cdc_zlib_wrap wrap, struct cdc_str in, struct cdc_buf *out,
		    struct cdc_err *err) CDC_NODISCARD;
int cdc_unpack_zstd(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;
/* LZ4 frames. The header's checksum is not checked: old Kafka clients wrote a wrong one. */
int cdc_unpack_lz4(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;
/* A raw block, appended to what is in `out`. */
int cdc_unpack_snappy(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;
/* CRC-32 as zlib has it. */
uint32_t cdc_crc32(struct cdc_str s);

/*
 * A gzip file piece by piece, all its members, with their checksums: give bytes, take bytes.
 * *used of `in` and *made of `out` tell what was done; *end: the input may end here.
 */
struct cdc_gunzip;
int cdc_gunzip_new(struct cdc_gunzip **g, struct cdc_err *err) CDC_NODISCARD;
int cdc_gunzip_step(struct cdc_gunzip *g, struct cdc_str in, size_t *used, char *out, size_t room,
		    size_t *made, bool *end, struct cdc_err *err) CDC_NODISCARD;
void cdc_gunzip_free(struct cdc_gunzip *g);

#endif
