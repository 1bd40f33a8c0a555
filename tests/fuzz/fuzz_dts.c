/*
 * libFuzzer target: DTS messages and Avro containers. The first byte chooses the framing. Whatever
 * the bytes are, each line that comes out is a change record, and each row has all or none of its
 * columns in an image; rejects hold bytes of the input.
 */
#include "record/record.h"
#include "source/source.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* avro-c 1.11 loses what it had built of a schema that turns out to be bad. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libavro\n";
}

struct run {
	size_t size;
	struct cdc_tape tape;
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static int put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	struct run *run = ctx;
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

static int on_reject(void *ctx, const struct cdc_reject *r, struct cdc_err *err)
{
	struct run *run = ctx;

	(void)err;
	require(r->reason && r->reason[0]);
	require(r->offset <= run->size);
	return CDC_OK;
}

/*
 * Opening a source compiles the layout, which costs more than most inputs do: one for each framing
 * is used for many inputs, as a stream of files would.
 */
#define INPUTS_PER_SOURCE 200

static struct slot {
	struct run run;
	struct cdc_source *source;
	unsigned used;
} slots[4];

static struct slot *open_slot(unsigned i)
{
	static const char *const framings[] = { "single", "kcat", "ocf", "auto" };
	struct slot *slot = &slots[i];
	struct cdc_sink sink = { .ctx = &slot->run, .put = put, .on_reject = on_reject };
	struct cdc_source_options opt = {
		.format = "dts", .framing = framings[i], .control = true, .record_max = 1 << 20
	};
	struct cdc_err err = CDC_ERR_INIT;

	if (slot->used++ % INPUTS_PER_SOURCE == 0) {
		cdc_source_free(slot->source);
		slot->source = NULL;
		require(cdc_source_new(&slot->source, &opt, &sink, &err) == CDC_OK);
	}
	return slot;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	struct slot *slot;
	int fd;

	if (size == 0)
		return 0;
	slot = open_slot(data[0] & 3);
	slot->run.size = size - 1;
	fd = memfd_create("fuzz", 0);
	require(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
	require(lseek(fd, 0, SEEK_SET) == 0);
	require(cdc_reader_fd(&r, &cdc_io_posix, fd, "fuzz", &err) == CDC_OK);
	if (cdc_source_run(slot->source, &r, &err) == CDC_OK)
		require(cdc_source_finish(slot->source, &err) == CDC_OK);
	cdc_reader_close(&r);
	close(fd);
	return 0;
}
