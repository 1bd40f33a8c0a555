/*
 * The progress line: records, MB/s, share and time left, on standard error, at most four times a
 * second and only after the first second (CDC_PROGRESS_ALWAYS: at once). One status line on demand
 * (SIGUSR1), even when the progress line is off.
 */
#ifndef CDC_IO_PROGRESS_H
#define CDC_IO_PROGRESS_H

#include "io/io.h"

struct cdc_progress {
	const struct cdc_io *io;
	const char *program;
	int fd; /* -1: off */
	bool shown;
	uint64_t records;
	uint64_t bytes;
	uint64_t total_bytes; /* 0: unknown */
	bool has_lag;
	uint64_t lag; /* messages that are still to come */
	int64_t start_us; /* monotonic */
	int64_t next_us;
	uint64_t tick;
};

enum cdc_progress_when { CDC_PROGRESS_AUTO, CDC_PROGRESS_ALWAYS, CDC_PROGRESS_NEVER };

void cdc_progress_init(struct cdc_progress *p, const struct cdc_io *io, const char *program,
		       enum cdc_progress_when when, uint64_t total_bytes);
/* Cheap: looks at the clock once in 1024 calls, or when a status line was asked for. */
void cdc_progress_update(struct cdc_progress *p, uint64_t records, uint64_t bytes);
/* The same for a live stream, which may pause: looks at the clock in each call. */
void cdc_progress_live(struct cdc_progress *p, uint64_t records, uint64_t bytes, uint64_t lag);
void cdc_progress_done(struct cdc_progress *p); /* wipes the line */
void cdc_progress_request(void); /* async-signal-safe; for SIGUSR1 */

#endif
