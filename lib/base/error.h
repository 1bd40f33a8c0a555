/*
 * Error reporting for the whole library.
 *
 * Every fallible function returns CDC_OK (0), CDC_END (1, iterators only) or a negative
 * enum cdc_code, and on failure fills a caller-owned struct cdc_err. The struct has a fixed size
 * and owns nothing, so an error can be reported when memory is gone. It is untouched on success.
 * The first error wins: callers that add context prefix the message, they do not replace it.
 */
#ifndef CDC_BASE_ERROR_H
#define CDC_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

enum cdc_code {
	CDC_OK = 0,
	CDC_END = 1, /* iterator: no more items */
	CDC_EUSAGE = -1, /* the caller asked for something that makes no sense */
	CDC_EDATA = -2, /* bad input data */
	CDC_EIO = -3, /* environment: I/O, space, permission; sys_errno tells */
	CDC_ENOMEM = -4, /* memory, or a configured ceiling, is exhausted */
	CDC_ECONFLICT = -5, /* another writer won; safe to retry */
	CDC_ECORRUPT = -6, /* the table or a file of it is damaged */
	CDC_EUNSUPPORTED = -7, /* a valid feature this build does not know; the message names it */
	CDC_EINTERNAL = -8, /* a bug in this program */
	CDC_EINTR = -9 /* the user interrupted the run */
};

struct cdc_err {
	enum cdc_code code;
	int sys_errno; /* errno behind CDC_EIO, else 0 */
	bool has_line;
	bool has_offset;
	uint64_t line; /* 1-based line in `file`, if has_line */
	uint64_t offset; /* 0-based byte offset in `file`, if has_offset */
	char file[256]; /* file the error is about, or "" */
	char msg[512]; /* lower case, no trailing dot, NUL-terminated, cut if too long */
};

#define CDC_ERR_INIT                                                                               \
	{                                                                                          \
		.code = CDC_OK                                                                     \
	}
#define CDC_NODISCARD __attribute__((warn_unused_result))
#define CDC_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Fill *err and return code, so that `return cdc_fail(err, CDC_EDATA, "...")` reads well. */
int cdc_fail(struct cdc_err *err, enum cdc_code code, const char *fmt, ...) CDC_PRINTF(3, 4);

/* The same for a failed system call: code CDC_EIO (CDC_ENOMEM for ENOMEM), ": strerror" appended.
 */
int cdc_fail_errno(struct cdc_err *err, int sys_errno, const char *fmt, ...) CDC_PRINTF(3, 4);

/* Shorthand for the commonest failure. Always returns CDC_ENOMEM. */
int cdc_fail_nomem(struct cdc_err *err);

/* Put "text: " before the message of an error that is already filled. Returns err->code. */
int cdc_err_prefix(struct cdc_err *err, const char *fmt, ...) CDC_PRINTF(2, 3);

/* Say which file (and line or offset) the error is about, unless that is already known. */
void cdc_err_file(struct cdc_err *err, const char *file);
void cdc_err_line(struct cdc_err *err, uint64_t line);
void cdc_err_offset(struct cdc_err *err, uint64_t offset);

#endif
