/*
 * A growable byte buffer with a hard cap, and an arena for memory that dies together.
 *
 * Buffer: `p` may be NULL while `len` is 0. Growth past `max` is an error of the input that asked
 * for it (CDC_EDATA), running out of memory is CDC_ENOMEM; the content is intact after both.
 */
#ifndef CDC_BASE_BUF_H
#define CDC_BASE_BUF_H

#include "base/error.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct cdc_buf {
	char *p;
	size_t len;
	size_t cap;
	size_t max; /* 0: no cap but memory */
};

#define CDC_BUF_INIT                                                                               \
	{                                                                                          \
		NULL, 0, 0, 0                                                                      \
	}
#define CDC_BUF_INIT_MAX(max_bytes)                                                                \
	{                                                                                          \
		NULL, 0, 0, (max_bytes)                                                            \
	}

/* Make room for `extra` more bytes at p + len. */
int cdc_buf_reserve(struct cdc_buf *b, size_t extra, struct cdc_err *err) CDC_NODISCARD;
int cdc_buf_append(struct cdc_buf *b, const void *p, size_t n, struct cdc_err *err) CDC_NODISCARD;
int cdc_buf_putc(struct cdc_buf *b, char c, struct cdc_err *err) CDC_NODISCARD;
int cdc_buf_puts(struct cdc_buf *b, const char *z, struct cdc_err *err) CDC_NODISCARD;
int cdc_buf_put(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err) CDC_NODISCARD;
int cdc_buf_printf(struct cdc_buf *b, struct cdc_err *err, const char *fmt, ...)
	CDC_PRINTF(3, 4) CDC_NODISCARD;
/* NUL-terminate (not counted in len) and return p, or NULL when memory is gone. */
const char *cdc_buf_z(struct cdc_buf *b);
void cdc_buf_reset(struct cdc_buf *b); /* len = 0, keeps the memory */
void cdc_buf_free(struct cdc_buf *b);

static inline struct cdc_str cdc_buf_str(const struct cdc_buf *b)
{
	return cdc_str(b->p, b->len);
}

/*
 * Arena: allocations are freed together. Blocks double from 64 KiB to 8 MiB; an allocation larger
 * than a block gets its own. cdc_arena_reset keeps the largest block for reuse.
 */
struct cdc_arena_block;

struct cdc_arena {
	struct cdc_arena_block *head;
	char *next; /* bump pointer in head */
	char *end;
	size_t total_bytes; /* memory held, blocks included */
};

#define CDC_ARENA_INIT                                                                             \
	{                                                                                          \
		NULL, NULL, NULL, 0                                                                \
	}

/* 16-byte aligned; NULL when memory is gone. */
void *cdc_arena_alloc(struct cdc_arena *a, size_t n) __attribute__((malloc));
/* Zeroed array with checked multiplication. */
void *cdc_arena_calloc(struct cdc_arena *a, size_t count, size_t size) __attribute__((malloc));
/* Unaligned copy of n bytes; NULL when memory is gone. A copy of 0 bytes is not NULL. */
char *cdc_arena_dup(struct cdc_arena *a, const void *p, size_t n);
/* The same with a NUL after it. */
char *cdc_arena_dupz(struct cdc_arena *a, struct cdc_str s);
void cdc_arena_reset(struct cdc_arena *a);
void cdc_arena_free(struct cdc_arena *a);

#endif
