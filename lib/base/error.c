/*
 * Filling a struct cdc_err: fixed size, no allocation, first error kept by prefixing.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Start the error over: a struct that is reused (one rejected record after another) must not keep
 * the place of the error before. Safe when an argument of the message points into *err.
 */
CDC_PRINTF(3, 0)
static int fill(struct cdc_err *err, enum cdc_code code, const char *fmt, va_list ap)
{
	char msg[sizeof(err->msg)];

	vsnprintf(msg, sizeof(msg), fmt, ap);
	memset(err, 0, sizeof(*err));
	err->code = code;
	memcpy(err->msg, msg, strlen(msg) + 1);
	return code;
}

int cdc_fail(struct cdc_err *err, enum cdc_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	fill(err, code, fmt, ap);
	va_end(ap);
	return code;
}

static void append(struct cdc_err *err, const char *text)
{
	size_t used = strlen(err->msg);
	size_t room = sizeof(err->msg) - 1 - used;
	size_t n = strlen(text);

	if (n > room)
		n = room;
	memcpy(err->msg + used, text, n);
	err->msg[used + n] = '\0';
}

int cdc_fail_errno(struct cdc_err *err, int sys_errno, const char *fmt, ...)
{
	enum cdc_code code = sys_errno == ENOMEM ? CDC_ENOMEM : CDC_EIO;
	const char *why;
	char number[32];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	fill(err, code, fmt, ap);
	va_end(ap);
	err->sys_errno = sys_errno;
	/* strerror is not thread-safe and speaks the locale's language; this one does neither. */
	why = strerrordesc_np(sys_errno);
	if (!why) {
		snprintf(number, sizeof(number), "error %d", sys_errno);
		why = number;
	}
	append(err, ": ");
	append(err, why);
	return code;
}

int cdc_fail_nomem(struct cdc_err *err)
{
	return cdc_fail(err, CDC_ENOMEM, "out of memory");
}

int cdc_err_prefix(struct cdc_err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	char text[sizeof(err->msg)];
	va_list ap;

	if (!err)
		return CDC_EINTERNAL;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err->msg[0] = '\0';
	append(err, text);
	append(err, ": ");
	append(err, old);
	return err->code;
}

void cdc_err_file(struct cdc_err *err, const char *file)
{
	size_t n;

	if (!err || err->file[0] || !file)
		return;
	n = strnlen(file, sizeof(err->file) - 1);
	memcpy(err->file, file, n);
	err->file[n] = '\0';
}

void cdc_err_line(struct cdc_err *err, uint64_t line)
{
	if (!err || err->has_line)
		return;
	err->has_line = true;
	err->line = line;
}

void cdc_err_offset(struct cdc_err *err, uint64_t offset)
{
	if (!err || err->has_offset)
		return;
	err->has_offset = true;
	err->offset = offset;
}
