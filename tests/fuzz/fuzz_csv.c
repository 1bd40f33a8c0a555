/*
 * libFuzzer target: csv, tsv, sqoop and records. The first two bytes choose format and options.
 * What comes out is change records; and since no byte is skipped, the rejects and the accepted
 * records together are as many as the messages, less what was skipped.
 */
#include "record/record.h"
#include "source/source.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static int put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	struct cdc_tape *tape = ctx;
	struct cdc_record r;

	while (lines.n) {
		const char *end = memchr(lines.p, '\n', lines.n);

		require(end != NULL);
		require(cdc_record_parse(&r, tape, cdc_str(lines.p, (size_t)(end - lines.p)),
					 err) == CDC_OK);
		lines = cdc_str(end + 1, lines.n - (size_t)(end + 1 - lines.p));
	}
	return CDC_OK;
}

static int on_reject(void *ctx, const struct cdc_reject *r, struct cdc_err *err)
{
	(void)ctx;
	(void)err;
	require(r->reason && r->reason[0]);
	return CDC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const formats[] = { "csv", "tsv", "sqoop", "records" };
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_sink sink = { .ctx = &tape, .put = put, .on_reject = on_reject };
	struct cdc_source_options opt = { .record_max = 1 << 16 };
	const struct cdc_source_counts *n;
	struct cdc_source *s = NULL;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	int fd, rc;

	if (size < 2)
		return 0;
	opt.format = formats[data[0] & 3];
	opt.header = data[0] & 4;
	opt.columns = opt.header      ? NULL
		      : data[0] & 8   ? "a"
		      : data[1] & 128 ? "op, b BLOB, c BIT(8)"
				      : "op, b DATETIME NOT NULL, c FLOAT";
	opt.op_column = !opt.header && !(data[0] & 8) && data[0] & 16 ? "op" : NULL;
	opt.null_string = data[0] & 32 ? "x" : NULL;
	opt.fields_terminated = data[1] & 1 ? "," : data[1] & 2 ? "||" : NULL;
	opt.lines_terminated = data[1] & 4 ? "|\\n" : NULL;
	opt.fields_enclosed = data[1] & 8 ? "'" : NULL;
	opt.fields_escaped = data[1] & 16 ? "~" : data[1] & 32 ? "" : NULL;
	opt.charset = data[1] & 64 ? "gbk" : NULL;
	fd = memfd_create("fuzz", 0);
	require(fd >= 0 && write(fd, data + 2, size - 2) == (ssize_t)(size - 2));
	require(lseek(fd, 0, SEEK_SET) == 0);
	require(cdc_reader_fd(&r, &cdc_io_posix, fd, "fuzz", &err) == CDC_OK);
	require(cdc_source_new(&s, &opt, &sink, &err) == CDC_OK);
	rc = cdc_source_run(s, &r, &err);
	n = cdc_source_counts(s);
	if (rc == CDC_OK && (data[0] & 3) != 3)
		require(n->messages == n->records + n->rejected + n->skipped);
	if (rc == CDC_OK)
		require(cdc_reader_offset(&r) == size - 2 && cdc_source_finish(s, &err) == CDC_OK);
	cdc_source_free(s);
	cdc_reader_close(&r);
	close(fd);
	cdc_tape_free(&tape);
	return 0;
}
