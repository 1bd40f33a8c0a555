/*
 * Reading a tape: members by name, decoded text, integers, names that occur twice.
 */
#include "base/hash.h"
#include "base/json.h"

#include <stdlib.h>

#define SLOTS_MAX ((uint32_t)1 << 31)

static unsigned hex_digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static unsigned hex4(const char *p)
{
	return hex_digit(p[0]) << 12 | hex_digit(p[1]) << 8 | hex_digit(p[2]) << 4 |
	       hex_digit(p[3]);
}

/* UTF-8 of a code point; returns its length. */
static size_t put_utf8(unsigned c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/*
 * Decode the escape sequence at *p, which the scanner has accepted, into at most 4 bytes, no more
 * than the sequence has. *p moves past it. A sequence that the end cuts is copied as it is.
 */
static size_t decode_escape(const char **p, const char *end, char *out)
{
	static const char plain[] = "\"\\/bfnrt";
	static const char value[] = "\"\\/\b\f\n\r\t";
	const char *e = *p;
	const char *at;
	unsigned unit;

	if (end - e < 2 || (e[1] == 'u' && end - e < 6)) {
		*p = e + 1;
		out[0] = *e;
		return 1;
	}
	if (e[1] != 'u') {
		at = memchr(plain, e[1], sizeof(plain) - 1);
		*p = e + 2;
		out[0] = at ? value[at - plain] : e[1];
		return 1;
	}
	unit = hex4(e + 2);
	*p = e + 6;
	if (unit >= 0xd800 && unit <= 0xdbff && end - e >= 12) {
		*p = e + 12;
		unit = 0x10000 + ((unit & 0x3ff) << 10) + (hex4(e + 8) & 0x3ff);
	}
	return put_utf8(unit, out);
}

/* Decode a string body into a buffer piece by piece; *p moves. Returns bytes written, 0 at the end.
 */
static size_t decode_some(const char **p, const char *end, char *out, size_t size)
{
	size_t n = 0;

	while (*p < end && size - n >= 4) {
		if (**p == '\\')
			n += decode_escape(p, end, out + n);
		else
			out[n++] = *(*p)++;
	}
	return n;
}

size_t cdc_json_unescape(struct cdc_str s, char *out)
{
	const char *p = s.n > 0 ? s.p : "";
	const char *end = p + s.n;
	char *o = out;

	while (p < end) {
		const char *slash = memchr(p, '\\', (size_t)(end - p));
		size_t run = (size_t)((slash ? slash : end) - p);

		memmove(o, p, run);
		o += run;
		p += run;
		if (p < end)
			o += decode_escape(&p, end, o);
	}
	return (size_t)(o - out);
}

int cdc_json_string(const struct cdc_tape *t, uint32_t i, struct cdc_arena *a, struct cdc_str *out,
		    struct cdc_err *err)
{
	struct cdc_str raw = cdc_json_raw(t, i);
	char *p;

	if (!t->tok[i].escaped) {
		*out = raw;
		return CDC_OK;
	}
	p = cdc_arena_alloc(a, raw.n);
	if (!p)
		return cdc_fail_nomem(err);
	*out = cdc_str(p, cdc_json_unescape(raw, p));
	return CDC_OK;
}

static bool same_decoded(struct cdc_str raw, struct cdc_str text)
{
	const char *p = raw.p;
	const char *end = raw.p + raw.n;
	const char *x = text.p;
	size_t left = text.n;
	char piece[4];

	while (p < end) {
		size_t n = decode_some(&p, end, piece, sizeof(piece));

		if (n > left || memcmp(piece, x, n) != 0)
			return false;
		x += n;
		left -= n;
	}
	return left == 0;
}

bool cdc_json_is(const struct cdc_tape *t, uint32_t i, struct cdc_str text)
{
	struct cdc_str raw = cdc_json_raw(t, i);

	if (t->tok[i].type != CDC_JSON_STRING)
		return false;
	return t->tok[i].escaped ? same_decoded(raw, text) : cdc_str_eq(raw, text);
}

/* Byte by byte through the decoded form of a string body. */
struct decoder {
	const char *p;
	const char *end;
	size_t n;
	size_t at;
	char buf[64];
};

static struct decoder decoder_of(struct cdc_str raw)
{
	struct decoder d;

	d.p = raw.p;
	d.end = raw.n ? raw.p + raw.n : raw.p;
	d.n = 0;
	d.at = 0;
	return d;
}

static bool decoder_next(struct decoder *d, char *c)
{
	if (d->at == d->n) {
		d->at = 0;
		d->n = decode_some(&d->p, d->end, d->buf, sizeof(d->buf));
		if (d->n == 0)
			return false;
	}
	*c = d->buf[d->at++];
	return true;
}

bool cdc_json_same(struct cdc_str raw_a, struct cdc_str raw_b)
{
	struct decoder a = decoder_of(raw_a);
	struct decoder b = decoder_of(raw_b);
	char ca;
	char cb;

	if (cdc_str_eq(raw_a, raw_b))
		return true;
	/* an escape never decodes to nothing */
	if (raw_a.n == 0 || raw_b.n == 0)
		return false;
	if (!memchr(raw_a.p, '\\', raw_a.n) && !memchr(raw_b.p, '\\', raw_b.n))
		return false;
	while (decoder_next(&a, &ca)) {
		if (!decoder_next(&b, &cb) || ca != cb)
			return false;
	}
	return !decoder_next(&b, &cb);
}

uint32_t cdc_json_get(const struct cdc_tape *t, uint32_t obj, const char *key)
{
	struct cdc_str name = cdc_str_z(key);

	if (obj >= t->n || t->tok[obj].type != CDC_JSON_OBJECT)
		return CDC_JSON_NONE;
	for (uint32_t i = cdc_json_first(t, obj); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, obj, i)) {
		if (cdc_json_is(t, i, name))
			return i + 1;
	}
	return CDC_JSON_NONE;
}

bool cdc_json_int64(const struct cdc_tape *t, uint32_t i, int64_t *out)
{
	struct cdc_str s = cdc_json_raw(t, i);
	bool minus = s.n > 0 && s.p[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + minus;
	uint64_t v = 0;

	if (t->tok[i].type != CDC_JSON_NUMBER || s.n - minus > 19)
		return false;
	for (size_t k = minus; k < s.n; k++) {
		unsigned d = (unsigned)(unsigned char)s.p[k] - '0';

		if (d > 9)
			return false;
		v = v * 10 + d; /* 19 digits cannot overflow 64 bits */
	}
	if (v > limit)
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* --- names that occur twice ----------------------------------------------- */

/* Few names: a signature of each, compared with all before it. */
#define FEW 16

static uint64_t load(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

/* Cheap, and equal for equal names: from the length, the first and the last bytes. */
static inline uint64_t signature(const char *p, size_t n)
{
	uint64_t head;
	uint64_t tail;

	if (n >= 8) {
		head = load(p, 8);
		tail = load(p + n - 8, 8);
	} else if (n >= 4) {
		head = load(p, 4);
		tail = load(p + n - 4, 4);
	} else if (n > 0) {
		head = (unsigned char)p[0];
		tail = (uint64_t)(unsigned char)p[n / 2] << 8 | (unsigned char)p[n - 1];
	} else {
		head = tail = 0;
	}
	return (head * UINT64_C(0x9e3779b97f4a7c15)) ^ (tail * UINT64_C(0xc2b2ae3d27d4eb4f)) ^ n;
}

/* *many: there is an escaped name or there are too many; nothing is known then. */
static uint32_t duplicate_of_few(const struct cdc_tape *t, uint32_t obj, bool *many)
{
	uint64_t sig[FEW];
	uint32_t key[FEW];
	uint32_t n = 0;

	*many = t->tok[obj].count > FEW;
	if (*many)
		return CDC_JSON_NONE;
	for (uint32_t i = cdc_json_first(t, obj); i != CDC_JSON_NONE && n < FEW;
	     i = cdc_json_after(t, obj, i)) {
		uint64_t s = signature(t->text + t->tok[i].off, t->tok[i].len);

		if (t->tok[i].escaped) {
			*many = true;
			return CDC_JSON_NONE;
		}
		for (uint32_t j = 0; j < n; j++) {
			if (sig[j] == s && cdc_str_eq(cdc_json_raw(t, key[j]), cdc_json_raw(t, i)))
				return i;
		}
		sig[n] = s;
		key[n++] = i;
	}
	return CDC_JSON_NONE;
}

/* Hash of the decoded name, the same for all spellings of it. */
static uint64_t name_hash(const struct cdc_tape *t, uint32_t i)
{
	struct cdc_str raw = cdc_json_raw(t, i);
	struct decoder d = decoder_of(raw);
	char piece[256];
	uint64_t h = 0;
	size_t n;

	if (!t->tok[i].escaped && raw.n <= sizeof(piece))
		return cdc_hash64(raw.p, raw.n);
	for (bool first = true;; first = false) {
		for (n = 0; n < sizeof(piece) && decoder_next(&d, &piece[n]); n++)
			;
		if (first)
			h = cdc_hash64(piece, n);
		else if (n > 0)
			h = (h ^ cdc_hash64(piece, n)) * UINT64_C(0x9e3779b97f4a7c15);
		if (n < sizeof(piece))
			return h;
	}
}

/* An open-addressing table of key tokens in the tape's scratch, at most half full. */
static int reserve_slots(struct cdc_tape *t, uint32_t names, struct cdc_err *err)
{
	uint32_t want = 64;
	uint32_t *slot;

	while (want < SLOTS_MAX && want / 2 < names)
		want *= 2;
	if (want > t->slots) {
		slot = realloc(t->slot, (size_t)want * sizeof(*slot));
		if (!slot)
			return cdc_fail_nomem(err);
		t->slot = slot;
		t->slots = want;
	}
	memset(t->slot, 0xff, (size_t)want * sizeof(*t->slot));
	return (int)__builtin_ctz(want);
}

int cdc_json_duplicate(struct cdc_tape *t, uint32_t obj, uint32_t *key, struct cdc_err *err)
{
	bool many;
	uint64_t mask;
	int bits;

	*key = duplicate_of_few(t, obj, &many);
	if (!many)
		return CDC_OK;
	bits = reserve_slots(t, t->tok[obj].count, err);
	if (bits < 0)
		return bits;
	mask = (UINT64_C(1) << bits) - 1;
	for (uint32_t i = cdc_json_first(t, obj); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, obj, i)) {
		uint64_t s = name_hash(t, i) & mask;

		for (; t->slot[s] != CDC_JSON_NONE; s = (s + 1) & mask) {
			if (cdc_json_same(cdc_json_raw(t, t->slot[s]), cdc_json_raw(t, i))) {
				*key = i;
				return CDC_OK;
			}
		}
		t->slot[s] = i;
	}
	return CDC_OK;
}
