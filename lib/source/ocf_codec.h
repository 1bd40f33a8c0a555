/* Block compression of Avro object containers. */
#ifndef CDC_SOURCE_OCF_CODEC_H
#define CDC_SOURCE_OCF_CODEC_H

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

#endif
