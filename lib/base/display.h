/*
 * Text for a terminal: how many columns it takes, and nothing in it that would move the cursor.
 */
#ifndef CDC_BASE_DISPLAY_H
#define CDC_BASE_DISPLAY_H

#include "base/buf.h"

/*
 * Append s. Control characters and bytes that are not UTF-8 become escapes (\n, \x1b, \u0085);
 * *width grows by the columns that were taken: two for the wide characters of East Asia and for
 * what lies past U+FFFF.
 */
int cdc_display_put(struct cdc_buf *out, struct cdc_str s, uint32_t *width,
		    struct cdc_err *err) CDC_NODISCARD;

/* How many bytes of s, which cdc_display_put has made, fit into `max` columns; *width receives the
 * columns that these take. */
size_t cdc_display_cut(struct cdc_str s, uint32_t max, uint32_t *width);

#endif
