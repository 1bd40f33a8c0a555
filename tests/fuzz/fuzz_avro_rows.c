/*
 * libFuzzer target: Avro containers of rows, and of messages of Kafka Connect. The input is a byte
 * of options, two of the schema's length, the schema, and then datums of one block: the container
 * around them is made here, since its parts have a target of their own. What comes out is change
 * records.
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

static void add(struct cdc_buf *b, const void *p, size_t n)
{
	struct cdc_err err;

	require(cdc_buf_append(b, p, n, &err) == CDC_OK);
}

static void add_long(struct cdc_buf *b, uint64_t v)
{
	for (v <<= 1; v > 0x7f; v >>= 7)
		add(b, &(char){ (char)(v | 0x80) }, 1);
	add(b, &(char){ (char)v }, 1);
}

static void add_text(struct cdc_buf *b, const void *p, size_t n)
{
	add_long(b, n);
	add(b, p, n);
}

/* A container of one block of `count` rows, which may say more than there are. */
static void container(struct cdc_buf *b, struct cdc_str schema, struct cdc_str rows, unsigned count)
{
	static const char sync[16] = "0123456789abcde";

	add(b, "Obj\x01", 4);
	add_long(b, 1);
	add_text(b, "avro.schema", 11);
	add_text(b, schema.p, schema.n);
	add_long(b, 0);
	add(b, sync, 16);
	add_long(b, count);
	add_text(b, rows.p, rows.n);
	add(b, sync, 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_sink sink = { .ctx = &tape, .put = put, .on_reject = on_reject };
	struct cdc_source_options opt = { .format = "avro",
					  .framing = "ocf",
					  .record_max = 1 << 16 };
	struct cdc_buf file = CDC_BUF_INIT;
	struct cdc_source *s = NULL;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	size_t n;
	int fd;

	if (size < 3)
		return 0;
	n = (size_t)data[1] << 8 | data[2];
	n = n < size - 3 ? n : size - 3;
	opt.op_column = data[0] & 1 ? "op" : NULL;
	if (data[0] & 2) {
		/* The same through Kafka Connect's JSON. */
		opt.format = "debezium-avro";
		opt.db_table = "s.t";
	}
	container(&file, cdc_str((const char *)data + 3, n),
		  cdc_str((const char *)data + 3 + n, size - 3 - n), data[0] >> 2);
	fd = memfd_create("fuzz", 0);
	require(fd >= 0 && write(fd, file.p, file.len) == (ssize_t)file.len);
	require(lseek(fd, 0, SEEK_SET) == 0);
	require(cdc_reader_fd(&r, &cdc_io_posix, fd, "fuzz", &err) == CDC_OK);
	require(cdc_source_new(&s, &opt, &sink, &err) == CDC_OK);
	if (cdc_source_run(s, &r, &err) == CDC_OK)
		require(cdc_source_finish(s, &err) == CDC_OK);
	cdc_source_free(s);
	cdc_reader_close(&r);
	close(fd);
	cdc_buf_free(&file);
	cdc_tape_free(&tape);
	return 0;
}
