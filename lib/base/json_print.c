/*
 * JSON strings out: escapes what JSON requires to be escaped, and copies the runs between.
 */
#include "base/endian.h"
#include "base/json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A bit (SSE2) or the top bit of a byte for each byte of a block that needs an escape; the lowest
 * is exact. */
#ifdef __SSE2__
#define BLOCK 16
#define BLOCK_BITS_PER_BYTE 1

static inline uint64_t escaped_bytes(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	/* unsigned v <= 0x1f */
	__m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);

	return (uint64_t)(uint32_t)_mm_movemask_epi8(
		_mm_or_si128(_mm_or_si128(quote, slash), control));
}
#else
#define BLOCK 8
#define BLOCK_BITS_PER_BYTE 8
#define EACH_BYTE UINT64_C(0x0101010101010101)

static inline uint64_t escaped_bytes(const char *p)
{
	uint64_t v = cdc_le64(p);
	uint64_t quote = v ^ EACH_BYTE * '"';
	uint64_t slash = v ^ EACH_BYTE * '\\';
	uint64_t hit = ((quote - EACH_BYTE) & ~quote) | ((slash - EACH_BYTE) & ~slash) |
		       ((v - EACH_BYTE * 0x20) & ~v);

	return hit & EACH_BYTE * 0x80;
}
#endif

static inline bool needs_escape(char c)
{
	return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

static char *put_escape(char *out, char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	const char *at = memchr(from, c, sizeof(from) - 1);

	*out++ = '\\';
	if (at) {
		*out++ = to[at - from];
		return out;
	}
	memcpy(out, "u00", 3);
	out[3] = hex[(unsigned char)c >> 4];
	out[4] = hex[c & 0xf];
	return out + 5;
}

/* A whole block is stored before it is known how much of it counts: output never is shorter than
 * the input, so it has room for the block as long as the input has one. */
char *cdc_json_escape_to(char *out, struct cdc_str s)
{
	const char *p = s.n > 0 ? s.p : "";
	const char *end = p + s.n;

	while (end - p >= BLOCK) {
		uint64_t hit = escaped_bytes(p);
		int run = hit ? __builtin_ctzll(hit) / BLOCK_BITS_PER_BYTE : BLOCK;

		memcpy(out, p, BLOCK);
		out += run;
		p += run;
		if (hit)
			out = put_escape(out, *p++);
	}
	for (; p < end; p++) {
		if (needs_escape(*p))
			out = put_escape(out, *p);
		else
			*out++ = *p;
	}
	return out;
}

size_t cdc_json_escaped_len(struct cdc_str s)
{
	char escape[CDC_JSON_ESCAPE_MAX];
	size_t n = s.n;

	for (size_t i = 0; i < s.n; i++) {
		if (needs_escape(s.p[i]))
			n += (size_t)(put_escape(escape, s.p[i]) - escape) - 1;
	}
	return n;
}

/* The worst case where it fits what is there, the exact length where memory would have to grow: a
 * cap of the buffer must not fail text that fits it. */
static int reserve(struct cdc_buf *b, struct cdc_str s, size_t quotes, struct cdc_err *err)
{
	if (s.n > 0 && s.n <= (b->cap - b->len) / (CDC_JSON_ESCAPE_MAX + 2))
		return CDC_OK;
	return cdc_buf_reserve(b, cdc_json_escaped_len(s) + quotes, err);
}

int cdc_json_put_string(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err)
{
	int rc = reserve(b, s, 2, err);
	char *p;

	if (rc < 0)
		return rc;
	p = b->p + b->len;
	*p++ = '"';
	p = cdc_json_escape_to(p, s);
	*p++ = '"';
	b->len = (size_t)(p - b->p);
	return CDC_OK;
}

int cdc_json_put_escaped(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err)
{
	int rc = s.n > 0 ? reserve(b, s, 0, err) : CDC_OK;

	if (rc < 0 || s.n == 0)
		return rc;
	b->len = (size_t)(cdc_json_escape_to(b->p + b->len, s) - b->p);
	return CDC_OK;
}
