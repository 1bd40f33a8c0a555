/*
 * Messages to standard error. See message.h.
 */
#include "cmd/message.h"

#include "base/value.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct line {
	char text[2048];
	size_t n;
};

/* Bytes of the character at `t` that a terminal may see as they are; 0: none. */
static size_t harmless(const char *t)
{
	unsigned char b = (unsigned char)*t;
	size_t n = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;

	if (strnlen(t, n) < n || !cdc_utf8_valid(t, n))
		return 0;
	/* The control characters of Unicode are 00-1f and 7f-9f, the latter as c2 80 to c2 9f. */
	if (b < 0x20 || b == 0x7f || (b == 0xc2 && (unsigned char)t[1] < 0xa0))
		return 0;
	return n;
}

static void put(struct line *l, const char *text)
{
	while (*text && l->n < sizeof(l->text) - 8) {
		size_t n = harmless(text);

		if (n)
			memcpy(l->text + l->n, text, n);
		else
			snprintf(l->text + l->n, 5, "\\x%02x", (unsigned char)*text);
		l->n += n ? n : 4;
		text += n ? n : 1;
	}
}

void message_print(const char *program, const char *place, const char *level, const char *text)
{
	struct line l = { .n = 0 };

	put(&l, program);
	put(&l, ": ");
	put(&l, place);
	put(&l, level);
	put(&l, ": ");
	put(&l, text);
	l.text[l.n++] = '\n';
	(void)!write(STDERR_FILENO, l.text, l.n);
}
