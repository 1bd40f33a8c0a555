/*
 * JSON: a strict scanner onto a flat tape, and a printer into a buffer.
 *
 * The scanner checks the whole grammar (RFC 8259) and UTF-8 in one pass, builds no tree, copies and
 * allocates nothing in steady state: each value is one token that points into the input. Numbers
 * stay text, so that no digit is lost. It is the parser of the record path and of the Delta log.
 *
 *	struct cdc_tape tape = CDC_TAPE_INIT;
 *	if (cdc_json_scan(&tape, text, &used, &err) < 0) ...
 *	for (i = cdc_json_first(&tape, 0); i != CDC_JSON_NONE; i = cdc_json_after(&tape, 0, i))
 *		key is tape.tok[i], value is tape.tok[i + 1]
 *
 * Token 0 is the document. The members of an object are key, value, key, value…; the elements of an
 * array follow it; tok[i].next is the index after the whole value i, so a value is skipped in O(1).
 *
 * Refused: invalid UTF-8, unpaired surrogate escapes, control characters in strings, depth over
 * CDC_JSON_DEPTH, documents over 2 GiB, a byte order mark. A scalar is a document. \u0000 is
 * accepted: decoded text may hold NUL bytes. Duplicate member names are accepted here too; users
 * of a tape decide (cdc_json_duplicate).
 */
#ifndef CDC_BASE_JSON_H
#define CDC_BASE_JSON_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum cdc_json_type {
	CDC_JSON_NULL,
	CDC_JSON_FALSE,
	CDC_JSON_TRUE,
	CDC_JSON_NUMBER,
	CDC_JSON_STRING,
	CDC_JSON_ARRAY,
	CDC_JSON_OBJECT
};

struct cdc_json_tok {
	uint8_t type; /* enum cdc_json_type */
	bool escaped; /* string: holds at least one backslash */
	uint32_t count; /* array: elements; object: members */
	uint32_t off; /* first byte in the text; of a string, the one after the quote */
	uint32_t len; /* bytes; of a string, without the quotes */
	uint32_t next; /* index of the first token after this value */
};

struct cdc_tape {
	const char *text; /* the scanned input, borrowed */
	struct cdc_json_tok *tok;
	uint32_t n;
	uint32_t cap;
	uint32_t *slot; /* scratch of cdc_json_duplicate */
	uint32_t slots;
};

#define CDC_TAPE_INIT                                                                              \
	{                                                                                          \
		NULL, NULL, 0, 0, NULL, 0                                                          \
	}
#define CDC_JSON_NONE UINT32_MAX
#define CDC_JSON_DEPTH 256 /* arrays and objects open at the same time */

/*
 * Scan one document at the start of `text` (leading and trailing white space is skipped). `used`
 * receives the bytes consumed, so that a stream of documents can be read by calling again; pass
 * NULL to require that the document is all there is. The tape is valid until the next scan with it
 * and while `text` lives. CDC_EDATA with err->offset at the offending byte of `text`; CDC_END when
 * text is empty or white space only (used != NULL). After a failure the tape holds no document.
 */
int cdc_json_scan(struct cdc_tape *t, struct cdc_str text, size_t *used,
		  struct cdc_err *err) CDC_NODISCARD;
void cdc_tape_free(struct cdc_tape *t);

/* The raw text of value i: of a string the bytes between the quotes, else the whole value. */
static inline struct cdc_str cdc_json_raw(const struct cdc_tape *t, uint32_t i)
{
	return cdc_str(t->text + t->tok[i].off, t->tok[i].len);
}

/* The same, with the quotes of a string: a slice that can be copied into other JSON. */
static inline struct cdc_str cdc_json_source(const struct cdc_tape *t, uint32_t i)
{
	uint32_t q = t->tok[i].type == CDC_JSON_STRING;

	return cdc_str(t->text + t->tok[i].off - q, (size_t)t->tok[i].len + 2 * (size_t)q);
}

/* First key of object i (or first element of array i), or CDC_JSON_NONE when it is empty. */
static inline uint32_t cdc_json_first(const struct cdc_tape *t, uint32_t i)
{
	return t->tok[i].count ? i + 1 : CDC_JSON_NONE;
}

/* Next key of object `obj` after key i, or next element of array `obj` after element i. */
static inline uint32_t cdc_json_after(const struct cdc_tape *t, uint32_t obj, uint32_t i)
{
	uint32_t k = t->tok[obj].type == CDC_JSON_OBJECT ? t->tok[i + 1].next : t->tok[i].next;

	return k < t->tok[obj].next ? k : CDC_JSON_NONE;
}

/* Value token of `key` in object `obj` (first match; CDC_JSON_NONE if absent or not an object, also
 * when obj is CDC_JSON_NONE itself: lookups can be chained). */
uint32_t cdc_json_get(const struct cdc_tape *t, uint32_t obj, const char *key);

/* Whether string token i, decoded, is exactly `text`. */
bool cdc_json_is(const struct cdc_tape *t, uint32_t i, struct cdc_str text);

/* Whether two string bodies (raw of string tokens) decode to the same text. */
bool cdc_json_same(struct cdc_str raw_a, struct cdc_str raw_b);

/*
 * *key receives the first key token of object `obj` whose decoded name repeats an earlier one, or
 * CDC_JSON_NONE. Time is linear; scratch memory stays with the tape. Fails only for lack of memory.
 */
int cdc_json_duplicate(struct cdc_tape *t, uint32_t obj, uint32_t *key,
		       struct cdc_err *err) CDC_NODISCARD;

/* Unescape a string body (raw of a string token). Returns the bytes written, at most s.n. */
size_t cdc_json_unescape(struct cdc_str s, char *out);

/*
 * The decoded text of string token i: the raw slice itself when nothing is escaped, otherwise
 * unescaped into the arena. Fails only for lack of memory.
 */
int cdc_json_string(const struct cdc_tape *t, uint32_t i, struct cdc_arena *a, struct cdc_str *out,
		    struct cdc_err *err) CDC_NODISCARD;

/* Number token as int64; false if it is not written as plain digits or does not fit. */
bool cdc_json_int64(const struct cdc_tape *t, uint32_t i, int64_t *out);

/* Append "text" quoted and escaped (only what JSON requires: quote, backslash, controls). */
int cdc_json_put_string(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err) CDC_NODISCARD;
/* The same without quotes. */
int cdc_json_put_escaped(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err) CDC_NODISCARD;
/* Worst case growth of one byte by escaping: \u00XX. */
#define CDC_JSON_ESCAPE_MAX 6
/* Bytes of s once escaped. */
size_t cdc_json_escaped_len(struct cdc_str s);
/* Into memory that has room for the escaped text (cdc_json_escaped_len, at most
 * CDC_JSON_ESCAPE_MAX * s.n bytes); returns the end. */
char *cdc_json_escape_to(char *out, struct cdc_str s);

#endif
