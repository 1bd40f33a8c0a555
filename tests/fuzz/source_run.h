/*
 * Runs a format over bytes as a stream of files would, for the fuzz targets. Whatever the bytes
 * are, each line that comes out is a change record, and rejects hold bytes of the input.
 */
#ifndef CDC_TESTS_SOURCE_RUN_H
#define CDC_TESTS_SOURCE_RUN_H

#include "record/record.h"
#include "source/source.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define INPUTS_PER_SOURCE 200 /* opening a source may cost more than an input does */

struct source_run {
	size_t size;
	struct cdc_tape tape;
	struct cdc_source *source;
	unsigned used;
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static int source_run_put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	struct source_run *run = ctx;
	struct cdc_record r;

	while (lines.n) {
		const char *end = memchr(lines.p, '\n', lines.n);

		require(end != NULL);
		require(cdc_record_parse(&r, &run->tape, cdc_str(lines.p, (size_t)(end - lines.p)),
					 err) == CDC_OK);
		lines = cdc_str(end + 1, lines.n - (size_t)(end + 1 - lines.p));
	}
	return CDC_OK;
}

static int source_run_reject(void *ctx, const struct cdc_reject *r, struct cdc_err *err)
{
	struct source_run *run = ctx;

	(void)err;
	require(r->reason && r->reason[0]);
	require(r->offset <= run->size);
	return CDC_OK;
}

static inline void source_run(struct source_run *run, struct cdc_source_options opt,
			      const uint8_t *data, size_t size)
{
	struct cdc_sink sink = { .ctx = run,
				 .put = source_run_put,
				 .on_reject = source_run_reject };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	int fd;

	if (run->used++ % INPUTS_PER_SOURCE == 0) {
		cdc_source_free(run->source);
		run->source = NULL;
		opt.record_max = 1 << 20;
		require(cdc_source_new(&run->source, &opt, &sink, &err) == CDC_OK);
	}
	run->size = size;
	fd = memfd_create("fuzz", 0);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	require(lseek(fd, 0, SEEK_SET) == 0);
	require(cdc_reader_fd(&r, &cdc_io_posix, fd, "fuzz.000007", &err) == CDC_OK);
	if (cdc_source_run(run->source, &r, &err) == CDC_OK)
		require(cdc_source_finish(run->source, &err) == CDC_OK);
	cdc_reader_close(&r);
	close(fd);
}

#endif
