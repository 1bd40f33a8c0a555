/*
 * LIKE: patterns of literal bytes, '_' for one character and '%' for any text.
 */
#include "table/where/where_tree.h"

/* Bytes of the character at `p`; what is no UTF-8 counts byte by byte. */
static size_t char_bytes(const char *p, const char *end)
{
	unsigned char c = (unsigned char)*p;
	size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

	if (n > (size_t)(end - p))
		return 1;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 1;
	}
	return n;
}

const char *cdc_like_compile(struct cdc_like *l, struct cdc_str pattern, struct cdc_str escape,
			     struct cdc_arena *a, bool *nomem)
{
	char *text = cdc_arena_alloc(a, pattern.n + 1);
	size_t n = 0;

	*nomem = false;
	*l = (struct cdc_like){ .wild = cdc_arena_calloc(a, pattern.n + 1, 1) };
	if (!text || !l->wild) {
		*nomem = true;
		return "memory";
	}
	for (size_t i = 0; i < pattern.n; i++, n++) {
		const char *c = pattern.p + i;
		bool escaped =
			escape.n && escape.n <= pattern.n - i && memcmp(c, escape.p, escape.n) == 0;

		if (escaped) {
			i += escape.n;
			c = pattern.p + i;
			if (i == pattern.n)
				return "nothing follows the escape character in the pattern";
			if (*c != '%' && *c != '_' &&
			    (pattern.n - i < escape.n || memcmp(c, escape.p, escape.n) != 0))
				return "the escape character may only stand before %, _ and itself";
		} else if (*c == '%' || *c == '_') {
			l->wild[n] = (uint8_t)*c;
		}
		text[n] = *c;
	}
	l->text = cdc_str(text, n);
	while (l->prefix < n && !l->wild[l->prefix])
		l->prefix++;
	l->prefix_only = l->prefix + 1 == n && l->wild[l->prefix] == '%';
	return NULL;
}

/* When a part does not fit, the last % takes a character more: no earlier one need change. */
bool cdc_like_match(const struct cdc_like *l, struct cdc_str s)
{
	const char *p = s.n ? s.p : "";
	const char *end = p + s.n;
	const char *retry = NULL; /* where the last % ends at present */
	size_t i = l->prefix;
	size_t behind = 0; /* the last %, in the pattern */

	if (s.n < i || (i && memcmp(s.p, l->text.p, i) != 0))
		return false;
	if (l->prefix_only)
		return true;
	p += i;
	for (;;) {
		if (i < l->text.n && l->wild[i] == '%') {
			behind = ++i;
			retry = p;
		} else if (i < l->text.n && p < end &&
			   (l->wild[i] == '_' || (!l->wild[i] && *p == l->text.p[i]))) {
			p += l->wild[i] ? char_bytes(p, end) : 1;
			i++;
		} else if (i == l->text.n && p == end) {
			return true;
		} else if (retry && retry < end) {
			retry += char_bytes(retry, end);
			p = retry;
			i = behind;
		} else {
			return false;
		}
	}
}
