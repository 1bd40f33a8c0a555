/*
 * The progress line on standard error, and the status line that SIGUSR1 asks for.
 */
#include "io/progress.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FIRST_US INT64_C(1000000)
#define EVERY_US INT64_C(250000)
#define LOOK_EVERY 1024

static volatile sig_atomic_t status_asked;

void cdc_progress_request(void)
{
	status_asked = 1;
}

void cdc_progress_init(struct cdc_progress *p, const struct cdc_io *io, const char *program,
		       enum cdc_progress_when when, uint64_t total_bytes)
{
	bool on =
		when == CDC_PROGRESS_ALWAYS || (when == CDC_PROGRESS_AUTO && isatty(STDERR_FILENO));

	*p = (struct cdc_progress){
		.io = io,
		.program = program,
		.fd = on ? STDERR_FILENO : -1,
		.total_bytes = total_bytes,
		.start_us = io->mono_us(io->ctx),
	};
	p->next_us = p->start_us + (when == CDC_PROGRESS_ALWAYS ? 0 : FIRST_US);
}

/* Share done and time left, when the size is known; "" otherwise. */
static void format_rest(const struct cdc_progress *p, double seconds, char *out, size_t size)
{
	double share;
	uint64_t left;

	out[0] = '\0';
	if (p->has_lag)
		snprintf(out, size, ", lag %" PRIu64, p->lag);
	if (!p->total_bytes || !p->bytes)
		return;
	share = (double)p->bytes / (double)p->total_bytes;
	if (share > 1)
		share = 1;
	left = (uint64_t)(seconds / share - seconds + 0.5);
	snprintf(out, size, ", %d%%, %" PRIu64 ":%02" PRIu64 ":%02" PRIu64 " left",
		 (int)(share * 100), left / 3600, left / 60 % 60, left % 60);
}

static void print(const struct cdc_progress *p, int fd, const char *before, const char *after,
		  int64_t now_us)
{
	double seconds = (double)(now_us - p->start_us) / 1e6;
	uint64_t tenths;
	char rest[64];
	char line[320];
	int n;

	if (seconds < 0.001)
		seconds = 0.001;
	/* Tenths by hand: %.1f would follow the locale. */
	tenths = (uint64_t)((double)p->bytes / 1e5 / seconds + 0.5);
	format_rest(p, seconds, rest, sizeof(rest));
	n = snprintf(line, sizeof(line),
		     "%s%.80s: %" PRIu64 " records, %" PRIu64 ".%" PRIu64 " MB/s%s%s", before,
		     p->program, p->records, tenths / 10, tenths % 10, rest, after);
	/* Progress is a courtesy: a short or failed write is not worth an error. */
	if (n > 0)
		(void)p->io->write(p->io->ctx, fd, line, (size_t)n);
}

#define CLEAR_TO_END "\033[K"

void cdc_progress_update(struct cdc_progress *p, uint64_t records, uint64_t bytes)
{
	int64_t now;

	p->records = records;
	p->bytes = bytes;
	if (p->tick++ % LOOK_EVERY && !status_asked)
		return;
	if (p->fd < 0 && !status_asked)
		return;
	now = p->io->mono_us(p->io->ctx);
	if (status_asked) {
		status_asked = 0;
		print(p, STDERR_FILENO, p->shown ? "\r" CLEAR_TO_END : "", "\n", now);
		p->shown = false;
	}
	if (p->fd < 0 || now < p->next_us)
		return;
	print(p, p->fd, "\r", CLEAR_TO_END, now);
	p->shown = true;
	p->next_us = now + EVERY_US;
}

void cdc_progress_live(struct cdc_progress *p, uint64_t records, uint64_t bytes, uint64_t lag)
{
	p->has_lag = true;
	p->lag = lag;
	p->tick = 0;
	cdc_progress_update(p, records, bytes);
}

void cdc_progress_done(struct cdc_progress *p)
{
	static const char wipe[] = "\r" CLEAR_TO_END;

	if (p->shown)
		(void)p->io->write(p->io->ctx, p->fd, wipe, sizeof(wipe) - 1);
	p->shown = false;
}
