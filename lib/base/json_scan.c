/*
 * The JSON scanner: one pass over the text checks the grammar of RFC 8259 and its UTF-8, and leaves
 * one token a value on the tape.
 *
 * It is the inner loop of every program that reads change records, hence its shape: one function
 * with its state in registers, string bodies searched 16 (or 8) bytes at a time, UTF-8 looked at
 * only where a byte of 0x80 or more occurs. An open container keeps the index of its parent in its
 * `next` until it is closed, so the stack of open containers needs no memory of its own.
 */
#include "base/endian.h"
#include "base/json.h"

#include <stdlib.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#define TEXT_MAX ((size_t)1 << 31) /* token offsets are 32 bits wide */
#define FIRST_TOKENS 256

/* Where and why a scan stopped; `what` is NULL when memory ran out. */
struct fault {
	const char *at;
	const char *what;
};

static const char *fail(struct fault *f, const char *at, const char *what)
{
	f->at = at;
	f->what = what;
	return NULL;
}

static inline bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static inline bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *skip_space(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	return p;
}

/*
 * A bit for each byte of a block that ends a run of plain string bytes: a quote, a backslash, a
 * control character, a byte of 0x80 or more. The lowest set bit is exact.
 */
#ifdef __SSE2__
#define BLOCK 16
#define BLOCK_BITS_PER_BYTE 1

static inline uint64_t special_bytes(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	/* signed: below 0x20 are the controls and everything from 0x80 up */
	__m128i other = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));

	return (uint64_t)(uint32_t)_mm_movemask_epi8(
		_mm_or_si128(_mm_or_si128(quote, slash), other));
}
#else
#define BLOCK 8
#define BLOCK_BITS_PER_BYTE 8
#define EACH_BYTE UINT64_C(0x0101010101010101)

static inline uint64_t special_bytes(const char *p)
{
	uint64_t v = cdc_le64(p);
	uint64_t quote = v ^ EACH_BYTE * '"';
	uint64_t slash = v ^ EACH_BYTE * '\\';
	uint64_t hit = ((quote - EACH_BYTE) & ~quote) | ((slash - EACH_BYTE) & ~slash) |
		       ((v - EACH_BYTE * 0x20) & ~v) | v;

	return hit & EACH_BYTE * 0x80;
}
#endif

static inline bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Skip well-formed multi-byte characters (Unicode 15, table 3-7) from p, which is at one. */
static const char *skip_utf8(const char *p, const char *end, struct fault *f)
{
	while (p < end && (unsigned char)*p >= 0x80) {
		unsigned char c = (unsigned char)*p;
		unsigned char c1 = end - p > 1 ? (unsigned char)p[1] : 0;

		if (c >= 0xe1 && c <= 0xec) {
			if (end - p < 3 || !is_continuation(p[1]) || !is_continuation(p[2]))
				break;
			p += 3;
		} else if (c >= 0xc2 && c <= 0xdf) {
			if ((c1 & 0xc0) != 0x80)
				break;
			p += 2;
		} else if (c >= 0xe0 && c <= 0xef) {
			unsigned char low = c == 0xe0 ? 0xa0 : 0x80;
			unsigned char high = c == 0xed ? 0x9f : 0xbf;

			if (c1 < low || c1 > high || end - p < 3 || !is_continuation(p[2]))
				break;
			p += 3;
		} else if (c >= 0xf0 && c <= 0xf4) {
			unsigned char low = c == 0xf0 ? 0x90 : 0x80;
			unsigned char high = c == 0xf4 ? 0x8f : 0xbf;

			if (c1 < low || c1 > high || end - p < 4 || !is_continuation(p[2]) ||
			    !is_continuation(p[3]))
				break;
			p += 4;
		} else {
			break;
		}
	}
	if (p < end && (unsigned char)*p >= 0x80)
		return fail(f, p, "invalid UTF-8");
	return p;
}

/* Four hexadecimal digits at p, or -1. */
static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		char lower = (char)(c | 0x20);

		if (is_digit(c))
			v = v * 16 + (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			v = v * 16 + (lower - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* Skip the escape sequence at p (a backslash). A surrogate must be half of a pair (RFC 8259, 8.2
 * leaves the rest undefined; it has no UTF-8). */
static const char *skip_escape(const char *p, const char *end, struct fault *f)
{
	int unit;

	if (end - p < 2)
		return fail(f, end, "string is not closed");
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return p + 2;
	case 'u':
		break;
	default:
		return fail(f, p, "invalid escape");
	}
	unit = hex4(p + 2, end);
	if (unit < 0)
		return fail(f, p, "invalid \\u escape");
	if (unit < 0xd800 || unit > 0xdfff)
		return p + 6;
	if (unit <= 0xdbff && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
		unit = hex4(p + 8, end);
		if (unit >= 0xdc00 && unit <= 0xdfff)
			return p + 12;
	}
	return fail(f, p, "unpaired surrogate escape");
}

/* Deal with the byte at p, which special_bytes points at and is no quote. */
static __attribute__((noinline)) const char *skip_special(const char *p, const char *end,
							  struct fault *f)
{
	if ((unsigned char)*p >= 0x80)
		return skip_utf8(p, end, f);
	if (*p == '\\')
		return skip_escape(p, end, f);
	return fail(f, p, "control character in a string");
}

/* The closing quote of the string whose body starts at p, or NULL. */
static inline const char *string_end(const char *p, const char *end, bool *escaped, struct fault *f)
{
	*escaped = false;
	for (;;) {
		while (LIKELY(end - p >= BLOCK)) {
			uint64_t hit = special_bytes(p);

			if (hit) {
				p += __builtin_ctzll(hit) / BLOCK_BITS_PER_BYTE;
				goto special;
			}
			p += BLOCK;
		}
		while (p < end && *p >= 0x20 && *p != '"' && *p != '\\')
			p++;
		if (UNLIKELY(p >= end))
			return fail(f, end, "string is not closed");
special:
		if (LIKELY(*p == '"'))
			return p;
		*escaped |= *p == '\\';
		p = skip_special(p, end, f);
		if (!p)
			return NULL;
	}
}

/* The byte after the number at p, or NULL. */
static inline const char *number_end(const char *p, const char *end, struct fault *f)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0') {
		p++;
	} else {
		if (p >= end || !is_digit(*p))
			return fail(f, p, "invalid number");
		while (p < end && is_digit(*p))
			p++;
	}
	if (p < end && *p == '.') {
		p++;
		if (p >= end || !is_digit(*p))
			return fail(f, p, "invalid number");
		while (p < end && is_digit(*p))
			p++;
	}
	if (p < end && (*p | 0x20) == 'e') {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (p >= end || !is_digit(*p))
			return fail(f, p, "invalid number");
		while (p < end && is_digit(*p))
			p++;
	}
	return p;
}

static const char *literal_end(const char *p, const char *end, uint8_t *type, struct fault *f)
{
	size_t left = (size_t)(end - p);

	if (left >= 4 && memcmp(p, "null", 4) == 0) {
		*type = CDC_JSON_NULL;
		return p + 4;
	}
	if (left >= 4 && memcmp(p, "true", 4) == 0) {
		*type = CDC_JSON_TRUE;
		return p + 4;
	}
	if (left >= 5 && memcmp(p, "false", 5) == 0) {
		*type = CDC_JSON_FALSE;
		return p + 5;
	}
	return fail(f, p, "expected a value");
}

static __attribute__((noinline)) bool grow(struct cdc_tape *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : FIRST_TOKENS;
	struct cdc_json_tok *tok;

	/* at most one token a byte of text: TEXT_MAX is the last doubling that fits 32 bits */
	if (t->cap > TEXT_MAX / 2)
		cap = UINT32_MAX;
	tok = realloc(t->tok, (size_t)cap * sizeof(*tok));
	if (!tok)
		return false;
	t->tok = tok;
	t->cap = cap;
	return true;
}

static inline void set_token(struct cdc_json_tok *k, uint8_t type, size_t off, size_t len,
			     uint32_t next)
{
	k->type = type;
	k->escaped = false;
	k->count = 0;
	k->off = (uint32_t)off;
	k->len = (uint32_t)len;
	k->next = next;
}

/* Scan the string at p (a quote) into token n; returns the byte after it or NULL. */
static inline const char *take_string(struct cdc_json_tok *tok, uint32_t n, const char *text,
				      const char *p, const char *end, struct fault *f)
{
	bool escaped;
	const char *q = string_end(++p, end, &escaped, f);

	if (UNLIKELY(!q))
		return NULL;
	set_token(&tok[n], CDC_JSON_STRING, (size_t)(p - text), (size_t)(q - p), n + 1);
	tok[n].escaped = escaped;
	return q + 1;
}

/* The same for a member's name and the colon after it. */
static inline const char *take_key(struct cdc_json_tok *tok, uint32_t n, const char *text,
				   const char *p, const char *end, struct fault *f)
{
	if (UNLIKELY(p < end && *p != '"'))
		p = skip_space(p, end);
	if (UNLIKELY(p >= end || *p != '"'))
		return fail(f, p, "expected a member name");
	p = take_string(tok, n, text, p, end, f);
	if (UNLIKELY(!p))
		return NULL;
	if (UNLIKELY(p < end && *p != ':'))
		p = skip_space(p, end);
	if (UNLIKELY(p >= end || *p != ':'))
		return fail(f, p, "expected ':'");
	return p + 1;
}

/* The same for a number or a literal. */
static inline const char *take_scalar(struct cdc_json_tok *tok, uint32_t n, const char *text,
				      const char *p, const char *end, struct fault *f)
{
	uint8_t type = CDC_JSON_NUMBER;
	const char *q =
		is_digit(*p) || *p == '-' ? number_end(p, end, f) : literal_end(p, end, &type, f);

	if (UNLIKELY(!q))
		return NULL;
	set_token(&tok[n], type, (size_t)(p - text), (size_t)(q - p), n + 1);
	return q;
}

/* Close container i, whose last byte is before p; returns its parent. */
static inline uint32_t close_container(struct cdc_json_tok *tok, uint32_t i, uint32_t n,
				       const char *text, const char *p)
{
	uint32_t parent = tok[i].next;

	tok[i].len = (uint32_t)((size_t)(p - text) - tok[i].off);
	tok[i].next = n;
	return parent;
}

static inline char closing_of(const struct cdc_json_tok *tok, uint32_t container)
{
	if (container == CDC_JSON_NONE)
		return 0;
	return tok[container].type == CDC_JSON_OBJECT ? '}' : ']';
}

/*
 * Scan the document at p onto the tape; returns the byte after it or NULL. Each turn takes a value,
 * with its key before it in an object, and closes what ends there. `parent` is the innermost open
 * container, `closing` the byte that ends it.
 */
static const char *scan_document(struct cdc_tape *t, const char *p, const char *end,
				 struct fault *f)
{
	const char *const text = t->text;
	struct cdc_json_tok *tok = t->tok;
	uint32_t cap = t->cap;
	uint32_t n = 0;
	uint32_t parent = CDC_JSON_NONE;
	int depth = 0;
	char closing = 0;

	do {
		if (UNLIKELY(cap - n < 2)) {
			if (!grow(t))
				return fail(f, p, NULL);
			tok = t->tok;
			cap = t->cap;
		}
		if (closing == '}') {
			p = take_key(tok, n++, text, p, end, f);
			if (UNLIKELY(!p))
				return NULL;
		}
		if (UNLIKELY(p < end && is_space(*p)))
			p = skip_space(p, end);
		if (UNLIKELY(p >= end))
			return fail(f, p, "expected a value");
		if (LIKELY(*p == '"')) {
			p = take_string(tok, n++, text, p, end, f);
		} else if (*p == '{' || *p == '[') {
			if (UNLIKELY(depth++ == CDC_JSON_DEPTH))
				return fail(f, p, "nested too deeply");
			set_token(&tok[n], *p == '{' ? CDC_JSON_OBJECT : CDC_JSON_ARRAY,
				  (size_t)(p - text), 0, parent);
			parent = n++;
			closing = closing_of(tok, parent);
			p = skip_space(p + 1, end);
			if (p >= end || *p != closing)
				continue;
			parent = close_container(tok, parent, n, text, ++p);
			closing = closing_of(tok, parent);
			depth--;
		} else {
			p = take_scalar(tok, n++, text, p, end, f);
		}
		if (UNLIKELY(!p))
			return NULL;
		while (parent != CDC_JSON_NONE) {
			tok[parent].count++;
			if (UNLIKELY(p < end && is_space(*p)))
				p = skip_space(p, end);
			if (LIKELY(p < end && *p == ','))
				break;
			if (UNLIKELY(p >= end || *p != closing))
				return fail(f, p, "expected ',' or the end of the array or object");
			parent = close_container(tok, parent, n, text, ++p);
			closing = closing_of(tok, parent);
			depth--;
		}
		p += parent != CDC_JSON_NONE;
	} while (parent != CDC_JSON_NONE);
	t->n = n;
	return p;
}

/* A root scalar ends where the text does, or at a byte that cannot belong to it. */
static bool ends_scalar(char c)
{
	char lower = (char)(c | 0x20);

	return !is_digit(c) && !(lower >= 'a' && lower <= 'z') && c != '.' && c != '+' &&
	       c != '-' && c != '_';
}

int cdc_json_scan(struct cdc_tape *t, struct cdc_str text, size_t *used, struct cdc_err *err)
{
	bool cut = text.n > TEXT_MAX;
	const char *start = text.n > 0 ? text.p : "";
	const char *end = start + (cut ? TEXT_MAX : text.n);
	const char *p = skip_space(start, end);
	struct fault f = { p, "expected a value" };
	int rc;

	t->text = start;
	t->n = 0;
	if (p == end && used && !cut) {
		*used = text.n;
		return CDC_END;
	}
	p = scan_document(t, p, end, &f);
	if (!p)
		goto bad;
	if (t->tok[0].type < CDC_JSON_STRING && p < end && !ends_scalar(*p)) {
		fail(&f, p, "unexpected byte after the value");
		goto bad;
	}
	p = skip_space(p, end);
	if (!used && (p < end || cut)) {
		fail(&f, p, "unexpected byte after the value");
		goto bad;
	}
	if (used)
		*used = (size_t)(p - start);
	return CDC_OK;

bad:
	t->n = 0;
	if (!f.what)
		return cdc_fail_nomem(err);
	if (cut && f.at == end)
		f.what = "JSON document over 2 GiB";
	rc = cdc_fail(err, CDC_EDATA, "%s", f.what);
	cdc_err_offset(err, (uint64_t)(f.at - start));
	return rc;
}

void cdc_tape_free(struct cdc_tape *t)
{
	free(t->tok);
	free(t->slot);
	*t = (struct cdc_tape)CDC_TAPE_INIT;
}
