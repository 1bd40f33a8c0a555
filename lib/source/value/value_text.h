/*
 * Values of sources in the text forms of cdc-record(5), each printed as a JSON string.
 *
 * Those that take text print it as it came when it is not of the form that they know (a zero date,
 * an infinite one): nothing is guessed, and who needs another type finds out by casting. Text is
 * plain, not JSON-escaped; what is not UTF-8 is a failure of the output.
 */
#ifndef CDC_SOURCE_VALUE_TEXT_H
#define CDC_SOURCE_VALUE_TEXT_H

#include "source/out.h"

struct cdc_zone;

/* --- from text ---------------------------------------------------------- */

/* Scientific notation is spelled out. */
void cdc_text_decimal(struct cdc_out *o, struct cdc_str s);
/* The shortest text that reads back, of a double or (single) a float. */
void cdc_text_float(struct cdc_out *o, struct cdc_str s, bool single);
/* For a column of either (TiCDC calls doubles float): a float where that loses nothing of what the
 * text says, else a double. */
void cdc_text_float_or_double(struct cdc_out *o, struct cdc_str s);
/* "2019-11-14", or with a time of midnight. */
void cdc_text_date(struct cdc_out *o, struct cdc_str s);
/* "[-]H{1,3}:MM:SS[.f{1,9}]": a fraction that is 0 goes, another has six digits, or nine if it
 * needs them. */
void cdc_text_time(struct cdc_out *o, struct cdc_str s);
/* "2019-11-14 03:11:05[.f{1,9}]", T between is accepted; the fraction as above. Zero dates pass. */
void cdc_text_datetime(struct cdc_out *o, struct cdc_str s);
/* The same as an instant: by the offset that the text ends in, else in `zone` (NULL: UTC). A time
 * that leaves the years 0000 to 9999 is a failure. */
void cdc_text_instant(struct cdc_out *o, struct cdc_str s, const struct cdc_zone *zone);
/* "true", "1", b'1'… */
void cdc_text_bool(struct cdc_out *o, struct cdc_str s);
/* Bytes that were written as code points 0 to 255, and zeros up to `length` bytes: base64. A code
 * point beyond is a failure. */
void cdc_text_latin1_binary(struct cdc_out *o, struct cdc_str utf8, size_t length);

/* --- from numbers ------------------------------------------------------- */

void cdc_text_double(struct cdc_out *o, double v, bool single);
void cdc_text_date_days(struct cdc_out *o, int64_t days);
/* Of the day; negative and past 24 hours are possible (MySQL's TIME). */
void cdc_text_time_us(struct cdc_out *o, int64_t us);
void cdc_text_time_ns(struct cdc_out *o, int64_t ns);
/* Since the epoch; zulu: an instant, else a wall clock. Out of years 0000 to 9999 is a failure. */
void cdc_text_timestamp_us(struct cdc_out *o, int64_t us, bool zulu);
/* The same for any seconds, without overflow; micros 0 to 999999. */
void cdc_text_instant_s(struct cdc_out *o, int64_t seconds, int32_t micros);
void cdc_text_timestamp_ns(struct cdc_out *o, int64_t ns, bool zulu);
/* Two's complement, big-endian; at most CDC_BIG_DECIMAL_BYTES. */
void cdc_text_unscaled(struct cdc_out *o, struct cdc_str bytes, int64_t scale);

/* --- from bytes --------------------------------------------------------- */

void cdc_text_binary(struct cdc_out *o, struct cdc_str bytes);
/* Well-known text, or base64 when it is not plain two-dimensional WKB. */
void cdc_text_wkb(struct cdc_out *o, struct cdc_str wkb);

/* wkb.c: the text without quotes; false (nothing printed) when it is not. A leading SRID of four
 * bytes (MySQL) is passed over. */
bool cdc_wkb_print(struct cdc_out *o, struct cdc_str wkb);

#endif
