/*
 * Character sets by the names that MySQL (and others) give them, decoded to UTF-8 with iconv(3).
 */
#ifndef CDC_SOURCE_CHARSET_H
#define CDC_SOURCE_CHARSET_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct cdc_charset;

/* Converters that have been opened; one per stream of records. Zero it to begin. */
struct cdc_charsets {
	struct cdc_charset *list;
	size_t n;
	struct cdc_charset *last;
	struct cdc_buf text; /* the last conversion's result */
};

#define CDC_CHARSETS_MAX 64 /* different names in one stream */

/*
 * Decode `bytes` of the set called `name`. *out points to `bytes` itself when they are UTF-8
 * already (not checked then), or into cs->text. CDC_EDATA when the name is unknown or the bytes are
 * not of that set: nothing is replaced.
 */
int cdc_charset_decode(struct cdc_charsets *cs, struct cdc_str name, struct cdc_str bytes,
		       struct cdc_str *out, struct cdc_err *err) CDC_NODISCARD;
void cdc_charsets_free(struct cdc_charsets *cs);

#endif
