/*
 * Proves the reader and the writer: every line and byte comes through at any transfer size, with
 * the right offsets and line numbers; caps hold and are recovered from; errors, interruptions and a
 * blocked pipe are dealt with.
 */
#include "io/stream.h"

#include "tests/fault/faultio.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static int temp_with(const char *p, size_t n)
{
	struct cdc_err err = CDC_ERR_INIT;
	int fd = -1;

	assert_int_equal(cdc_io_open_temp(&cdc_io_posix, NULL, &fd, &err), CDC_OK);
	assert_int_equal(cdc_io_write_full(&cdc_io_posix, fd, p, n, &err), CDC_OK);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Text of many lines of many lengths, some longer than a chunk; no LF after the last. */
static char *make_text(size_t *n)
{
	size_t cap = (size_t)4 << 20;
	char *p = malloc(cap);
	uint32_t seed = 1;
	size_t len = 0;

	assert_non_null(p);
	while (len < cap - 700000) {
		size_t line;

		seed = seed * 1103515245 + 12345;
		line = seed >> 16 & 255;
		if (line == 7)
			line = 600000 + (seed >> 8 & 0xffff);
		for (size_t i = 0; i < line; i++)
			p[len++] = (char)('a' + (i + line) % 26);
		p[len++] = '\n';
	}
	memcpy(p + len, "the end\r", 8);
	*n = len + 8;
	return p;
}

static void check_lines(const char *text, size_t n, size_t max_transfer)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	struct faultio f;
	struct cdc_str line;
	uint64_t lines = 0;
	size_t at = 0;
	bool terminated;
	int fd = temp_with(text, n);
	int rc;

	faultio_init(&f, &cdc_io_posix);
	f.max_transfer = max_transfer;
	assert_int_equal(cdc_reader_fd(&r, &f.io, fd, "text", &err), CDC_OK);
	assert_int_equal(r.size, n);
	for (;;) {
		const char *lf = memchr(text + at, '\n', n - at);
		size_t len = lf ? (size_t)(lf - text) - at : n - at;

		assert_int_equal(cdc_reader_offset(&r), at);
		rc = cdc_reader_line(&r, &line, &terminated, &err);
		if (rc == CDC_END)
			break;
		assert_int_equal(rc, CDC_OK);
		assert_int_equal(line.n, len);
		assert_memory_equal(line.p, text + at, len);
		assert_int_equal(terminated, lf != NULL);
		at += len + terminated;
		assert_int_equal(r.line, ++lines);
	}
	assert_int_equal(at, n);
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_END);
	cdc_reader_close(&r);
	close(fd);
}

static void test_lines(void **state)
{
	size_t n;
	char *text = make_text(&n);

	(void)state;
	check_lines(text, n, 0);
	check_lines(text, n, 4096);
	check_lines(text, n, 65537);
	check_lines(text + n - 3000, 3000, 1);
	check_lines("", 0, 0);
	check_lines("\n", 1, 0);
	check_lines("\n\n\nx\n", 5, 1);
	check_lines("x", 1, 1);
	free(text);
}

static void test_big_reads(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	struct faultio f;
	struct cdc_str line;
	size_t n;
	char *text = make_text(&n);
	int fd = temp_with(text, n);

	(void)state;
	faultio_init(&f, &cdc_io_posix);
	assert_int_equal(cdc_reader_fd(&r, &f.io, fd, "text", &err), CDC_OK);
	while (cdc_reader_line(&r, &line, NULL, &err) == CDC_OK)
		;
	assert_true(f.max_asked >= CDC_STREAM_CHUNK);
	assert_true(f.calls[FAULTIO_READ] < 3 * n / CDC_STREAM_CHUNK + 4);
	cdc_reader_close(&r);
	close(fd);
	free(text);
}

static void test_cap(void **state)
{
	static const char text[] =
		"12345678\n123456789\nshort\n1234567890123456789012345\nlast56789";
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_str line;

	(void)state;
	for (size_t transfer = 0; transfer < 12; transfer++) {
		struct cdc_reader r;
		struct faultio f;
		int fd = temp_with(text, sizeof(text) - 1);

		faultio_init(&f, &cdc_io_posix);
		f.max_transfer = transfer;
		assert_int_equal(cdc_reader_fd(&r, &f.io, fd, "text", &err), CDC_OK);
		r.max = 8;
		assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_OK);
		assert_int_equal(line.n, 8);
		/* Too long: told with its place, and the next call goes on behind it. */
		assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_EDATA);
		assert_string_equal(err.msg, "line of more than 8 bytes");
		assert_string_equal(err.file, "text");
		assert_true(err.has_line && err.line == 2 && err.has_offset && err.offset == 9);
		assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_OK);
		assert_true(cdc_str_eqz(line, "short"));
		assert_int_equal(r.line, 3);
		assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_EDATA);
		assert_true(err.line == 4 && err.offset == 25);
		assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_EDATA);
		assert_true(err.line == 5 && err.offset == 51);
		assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_END);
		cdc_reader_close(&r);
		close(fd);
	}
}

static void test_cap_bounds_memory(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	struct cdc_str line;

	(void)state;
	/* A line that never ends. */
	assert_int_equal(cdc_reader_open(&r, &cdc_io_posix, "/dev/zero", &err), CDC_OK);
	r.max = 1000000;
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_EDATA);
	assert_true(r.cap <= 1000001);
	assert_int_equal(cdc_reader_peek(&r, 1000001, &line, &err), CDC_EDATA);
	cdc_reader_close(&r);
}

static void test_peek(void **state)
{
	size_t n;
	char *text = make_text(&n);
	static const size_t transfers[] = { 0, 1000, 300000 };

	(void)state;
	for (size_t t = 0; t < sizeof(transfers) / sizeof(transfers[0]); t++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_reader r;
		struct cdc_str s;
		struct faultio f;
		size_t at = 0;
		size_t want = 1;
		int fd = temp_with(text, n);

		faultio_init(&f, &cdc_io_posix);
		f.max_transfer = transfers[t];
		assert_int_equal(cdc_reader_fd(&r, &f.io, fd, "text", &err), CDC_OK);
		for (;;) {
			assert_int_equal(cdc_reader_peek(&r, want, &s, &err), CDC_OK);
			if (s.n < want)
				break;
			assert_memory_equal(s.p, text + at, want);
			cdc_reader_skip(&r, want);
			at += want;
			assert_int_equal(cdc_reader_offset(&r), at);
			want = want * 3 % 700001;
		}
		/* Less than asked for means that this is the end of the input. */
		assert_int_equal(s.n, n - at);
		assert_memory_equal(s.p, text + at, s.n);
		cdc_reader_skip(&r, SIZE_MAX);
		assert_int_equal(cdc_reader_offset(&r), n);
		assert_int_equal(cdc_reader_peek(&r, 1, &s, &err), CDC_OK);
		assert_int_equal(s.n, 0);
		cdc_reader_close(&r);
		close(fd);
	}
	free(text);
}

static void test_reader_errors(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	struct cdc_str line;
	struct faultio f;
	int fd = temp_with("a\nb\n", 4);

	(void)state;
	assert_int_equal(cdc_reader_open(&r, &cdc_io_posix, "/nonexistent/x", &err), CDC_EIO);
	assert_int_equal(err.sys_errno, ENOENT);
	assert_int_equal(cdc_reader_open(&r, &cdc_io_posix, "/tmp", &err), CDC_OK);
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_EIO);
	assert_int_equal(err.sys_errno, EISDIR);
	assert_string_equal(err.file, "/tmp");
	cdc_reader_close(&r);

	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_READ;
	f.fail_at = 1;
	f.fail_for = 3;
	f.fail_errno = EINTR;
	f.max_transfer = 2;
	assert_int_equal(cdc_reader_fd(&r, &f.io, fd, "text", &err), CDC_OK);
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_OK);
	assert_int_equal(f.hits, 3);
	f.interrupted = true;
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_EINTR);
	f.interrupted = false;
	f.fail_at = f.calls[FAULTIO_READ] + 1;
	f.fail_errno = EIO;
	f.fail_for = 1;
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_EIO);
	assert_true(err.has_offset && err.offset == 2);
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_OK);
	assert_true(cdc_str_eqz(line, "b"));
	cdc_reader_close(&r);
	close(fd);
}

static void test_buffered_and_tied(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_reader r;
	struct cdc_writer w;
	struct cdc_str line;
	char got[16] = "";
	int in[2];
	int out[2];

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(cdc_reader_fd(&r, &cdc_io_posix, in[0], "pipe", &err), CDC_OK);
	assert_int_equal(cdc_writer_init(&w, &cdc_io_posix, out[1], &err), CDC_OK);
	cdc_reader_tie(&r, &w);
	assert_false(cdc_reader_buffered(&r));
	assert_int_equal(write(in[1], "one\ntwo\npart", 12), 12);
	assert_true(cdc_reader_buffered(&r));
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_OK);
	assert_true(cdc_reader_buffered(&r));
	assert_int_equal(cdc_writer_put(&w, "1", 1, &err), CDC_OK);
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_OK);
	assert_int_equal(cdc_writer_put(&w, "2", 1, &err), CDC_OK);
	/* Part of a line is left and nothing is in the pipe. */
	assert_false(cdc_reader_buffered(&r));
	assert_int_equal(w.written, 0);
	if (fork() == 0) {
		/* The other end: goes on only after it has seen the output. */
		bool seen = read(out[0], got, 2) == 2 && memcmp(got, "12", 2) == 0;

		_exit(seen && write(in[1], "ial\n", 4) == 4 ? 0 : 1);
	}
	assert_int_equal(close(in[1]), 0);
	alarm(20);
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_OK);
	alarm(0);
	assert_true(cdc_str_eqz(line, "partial"));
	assert_int_equal(w.written, 2);
	assert_int_equal(cdc_reader_line(&r, &line, NULL, &err), CDC_END);
	assert_true(cdc_reader_buffered(&r));
	cdc_reader_close(&r);
	cdc_writer_free(&w);
	close(in[0]);
	close(out[0]);
	close(out[1]);
}

static void check_content(int fd, const char *text, size_t n)
{
	char *back = malloc(n + 1);
	struct cdc_err err = CDC_ERR_INIT;

	assert_non_null(back);
	assert_int_equal(cdc_io_pread_full(&cdc_io_posix, fd, back, n, 0, "temp", &err), CDC_OK);
	assert_memory_equal(back, text, n);
	assert_int_equal(cdc_io_pread_full(&cdc_io_posix, fd, back, n + 1, 0, "temp", &err),
			 CDC_ECORRUPT);
	free(back);
}

static void test_writer(void **state)
{
	static const size_t transfers[] = { 0, 1, 70000 };
	size_t n;
	char *text = make_text(&n);

	(void)state;
	for (size_t t = 0; t < sizeof(transfers) / sizeof(transfers[0]); t++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_writer w;
		struct faultio f;
		size_t len = transfers[t] == 1 ? 5000 : n;
		size_t step = 1;
		int fd = temp_with("", 0);

		faultio_init(&f, &cdc_io_posix);
		f.max_transfer = transfers[t];
		assert_int_equal(cdc_writer_init(&w, &f.io, fd, &err), CDC_OK);
		for (size_t at = 0; at < len; at += step) {
			step = step * 5 % 400009;
			if (step > len - at)
				step = len - at;
			assert_int_equal(cdc_writer_offset(&w), at);
			if (step % 2) {
				assert_int_equal(cdc_writer_put(&w, text + at, step, &err), CDC_OK);
			} else {
				char *p = cdc_writer_reserve(&w, step + 10, &err);

				assert_non_null(p);
				memcpy(p, text + at, step);
				cdc_writer_advance(&w, step);
			}
		}
		assert_int_equal(cdc_writer_flush(&w, &err), CDC_OK);
		assert_int_equal(w.written, len);
		check_content(fd, text, len);
		cdc_writer_free(&w);
		close(fd);
	}
	free(text);
}

static void test_writer_errors_stick(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_writer w;
	struct faultio f;
	int out[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(close(out[0]), 0);
	assert_int_equal(cdc_writer_init(&w, &cdc_io_posix, out[1], &err), CDC_OK);
	assert_int_equal(cdc_writer_put(&w, "x", 1, &err), CDC_OK);
	assert_int_equal(cdc_writer_flush(&w, &err), CDC_EIO);
	assert_int_equal(err.sys_errno, EPIPE);
	err = (struct cdc_err)CDC_ERR_INIT;
	assert_int_equal(cdc_writer_put(&w, "x", 1, &err), CDC_EIO);
	assert_int_equal(err.sys_errno, EPIPE);
	assert_null(cdc_writer_reserve(&w, 1, &err));
	assert_int_equal(cdc_writer_flush(&w, &err), CDC_EIO);
	cdc_writer_free(&w);

	faultio_init(&f, &cdc_io_posix);
	f.fail_op = FAULTIO_WRITE;
	f.fail_at = 1;
	f.fail_for = 0;
	f.fail_errno = EINTR;
	f.interrupted = true;
	assert_int_equal(cdc_writer_init(&w, &f.io, out[1], &err), CDC_OK);
	assert_int_equal(cdc_writer_put(&w, "x", 1, &err), CDC_OK);
	assert_int_equal(cdc_writer_flush(&w, &err), CDC_EINTR);
	assert_int_equal(cdc_writer_put(&w, "x", 1, &err), CDC_EINTR);
	cdc_writer_free(&w);
	close(out[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_big_reads),
		cmocka_unit_test(test_cap),
		cmocka_unit_test(test_cap_bounds_memory),
		cmocka_unit_test(test_peek),
		cmocka_unit_test(test_reader_errors),
		cmocka_unit_test(test_buffered_and_tied),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_writer_errors_stick),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
