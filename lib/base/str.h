/*
 * A borrowed run of bytes. Input is bytes, not C strings: it may hold NUL, and has no terminator.
 */
#ifndef CDC_BASE_STR_H
#define CDC_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct cdc_str {
	const char *p;
	size_t n;
};

#define CDC_STR(literal) ((struct cdc_str){ (literal), sizeof(literal) - 1 })
#define CDC_STR_INIT                                                                               \
	{                                                                                          \
		NULL, 0                                                                            \
	}

static inline struct cdc_str cdc_str(const char *p, size_t n)
{
	return (struct cdc_str){ p, n };
}

static inline struct cdc_str cdc_str_z(const char *z)
{
	return (struct cdc_str){ z, z ? strlen(z) : 0 };
}

static inline bool cdc_str_eq(struct cdc_str a, struct cdc_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool cdc_str_eqz(struct cdc_str a, const char *z)
{
	return cdc_str_eq(a, cdc_str_z(z));
}

/* Unsigned byte order, a shorter prefix first. */
static inline int cdc_str_cmp(struct cdc_str a, struct cdc_str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* ASCII case-insensitive equality: how Delta compares column names. */
bool cdc_str_ieq(struct cdc_str a, struct cdc_str b);

#endif
