/*
 * Proves that an archive is written whole or reported as failed, whatever call to the system fails;
 * that short transfers change nothing of it; what its directory is called; that names which would
 * write over the copy's log, or twice, are replaced; and that compression adds nothing random.
 */
#include "table/archive/archive.h"

#include "tests/fault/faultio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES 5
#define FILE_BYTES 300000 /* more than is copied at once */

struct fixture {
	char dir[40];
	char table[60];
	char out[60];
	struct cdc_snapshot s;
	struct cdc_add add[FILES];
	struct cdc_arena arena;
	struct cdc_io io;
};

/* Always the same names, so that two runs can be compared. */
static uint8_t drawn;

static int fixed_random(void *ctx, void *buf, size_t n)
{
	uint8_t *p = buf;

	(void)ctx;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(drawn++ * 7 + i);
	return 0;
}

static int64_t fixed_clock(void *ctx)
{
	(void)ctx;
	return INT64_C(1700000000000000);
}

static void write_file(const struct fixture *f, const char *name, size_t n)
{
	char path[200];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->table, name);
	out = fopen(path, "w");
	assert_non_null(out);
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(fputc((int)(i * 31 % 251), out), EOF);
	assert_int_equal(fclose(out), 0);
}

static void add_vector(struct fixture *f, int file)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_writer *w;
	struct cdc_dv *dv;

	assert_int_equal(cdc_dv_new(&dv, &err), 0);
	assert_int_equal(cdc_dv_add(dv, 3, &err), 0);
	assert_int_equal(cdc_dv_writer_new(&w, &f->io, f->table, &err), 0);
	assert_int_equal(cdc_dv_writer_add(w, dv, &f->add[file].dv, &f->arena, &err), 0);
	assert_int_equal(cdc_dv_writer_finish(w, &err), 0);
	cdc_dv_writer_free(w);
	cdc_dv_free(dv);
}

static int make_table(void **state)
{
	static const char *const paths[FILES] = { "a.parquet", "p=x%2520y/b.parquet",
						  "_DELTA_LOG/c.parquet", "a.parquet",
						  "d\\e.parquet" };
	struct fixture *f = calloc(1, sizeof(*f));
	char path[100];

	assert_non_null(f);
	strcpy(f->dir, "/tmp/archiveXXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->table, sizeof(f->table), "%s/sales", f->dir);
	snprintf(f->out, sizeof(f->out), "%s/out", f->dir);
	assert_int_equal(mkdir(f->table, 0777), 0);
	snprintf(path, sizeof(path), "%s/p=x%%20y", f->table);
	assert_int_equal(mkdir(path, 0777), 0);
	snprintf(path, sizeof(path), "%s/_DELTA_LOG", f->table);
	assert_int_equal(mkdir(path, 0777), 0);
	write_file(f, "a.parquet", FILE_BYTES);
	write_file(f, "p=x%20y/b.parquet", 10);
	write_file(f, "_DELTA_LOG/c.parquet", 0);
	write_file(f, "d\\e.parquet", 1);
	f->io = cdc_io_posix;
	f->io.random = fixed_random;
	f->io.now_us = fixed_clock;
	for (int i = 0; i < FILES; i++)
		f->add[i] = (struct cdc_add){ .path = cdc_str_z(paths[i]) };
	f->add[0].size_bytes = f->add[3].size_bytes = FILE_BYTES;
	f->add[1].size_bytes = 10;
	f->add[4].size_bytes = 1;
	f->s = (struct cdc_snapshot){
		.table = f->table,
		.protocol = { .reader_version = 1, .writer_version = 2 },
		.metadata = { .id = CDC_STR("x"), .schema_json = CDC_STR("{}") },
		.add = f->add,
		.num_adds = FILES,
	};
	drawn = 0;
	add_vector(f, 0);
	*state = f;
	return 0;
}

static int remove_table(void **state)
{
	struct fixture *f = *state;
	char command[100];

	cdc_arena_free(&f->arena);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	free(f);
	return system(command);
}

/* Writes an archive to a file; what is in the file then goes to `made`. */
static int archive(const struct fixture *f, const struct cdc_io *io, const char *name,
		   struct cdc_buf *made, struct cdc_err *err)
{
	struct cdc_archive_options opt = { .io = io, .snapshot = &f->s, .name = name };
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_archive_counts n;
	struct cdc_writer w;
	int rc, fd = open(f->out, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	*err = (struct cdc_err)CDC_ERR_INIT;
	drawn = 100;
	assert_int_equal(cdc_writer_init(&w, io, fd, &why), 0);
	rc = cdc_archive_write(&opt, &w, &n, err);
	if (rc == CDC_OK) {
		assert_int_equal(n.files, FILES + 1);
		rc = cdc_writer_flush(&w, err);
	}
	assert_int_equal(rc, err->code);
	cdc_writer_free(&w);
	close(fd);
	cdc_buf_reset(made);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, f->out, made, &why), 0);
	return rc;
}

static bool holds(const struct cdc_buf *b, const char *text)
{
	return b->p && memmem(b->p, b->len, text, strlen(text));
}

static void names_in_the_copy(void **state)
{
	struct fixture *f = *state;
	struct cdc_buf made = CDC_BUF_INIT;
	struct cdc_err err;

	if (archive(f, &f->io, "copy.tar", &made, &err) < 0)
		fail_msg("%s", err.msg);
	assert_string_equal(made.p, "copy/");
	/* Kept, with the path encoded once more; replaced: the log's directory in any case of
	 * letters, a name that is taken, a backslash. */
	assert_true(holds(&made, "{\"add\":{\"path\":\"a.parquet\""));
	assert_true(holds(&made, "{\"add\":{\"path\":\"p=x%2520y/b.parquet\""));
	assert_true(holds(&made, "copy/p=x%20y/b.parquet"));
	assert_true(holds(&made, "{\"add\":{\"path\":\"part-00002-"));
	assert_true(holds(&made, "{\"add\":{\"path\":\"part-00003-"));
	assert_true(holds(&made, "{\"add\":{\"path\":\"part-00004-"));
	assert_false(holds(&made, "_DELTA_LOG"));
	assert_false(holds(&made, "d\\"));
	cdc_buf_free(&made);
}

static void name_of_the_directory(void **state)
{
	static const struct {
		const char *name;
		const char *directory;
	} cases[] = {
		{ "x/y/sales-1.0.tar", "sales-1.0/" },
		{ "-", "sales/" },
		{ "x/.tar", "sales/" },
		{ "two words\xc3\xa4.tar", "two_words__/" },
		{ "...tar", "table/" },
	};
	struct fixture *f = *state;
	struct cdc_buf made = CDC_BUF_INIT;
	struct cdc_err err;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(archive(f, &f->io, cases[i].name, &made, &err), 0);
		assert_string_equal(made.p, cases[i].directory);
	}
	cdc_buf_free(&made);
}

static void suffixes(void **state)
{
	(void)state;
	assert_true(cdc_archive_known("a.tar.zst"));
	assert_true(cdc_archive_known("A.TAR.GZ"));
	assert_true(cdc_archive_known(".7z"));
	assert_true(cdc_archive_known("-"));
	assert_false(cdc_archive_known("tar"));
	assert_false(cdc_archive_known("a.gz"));
	assert_false(cdc_archive_known(""));
	assert_false(cdc_archive_known("a.tar/"));
}

static void every_call_may_fail(void **state)
{
	struct fixture *f = *state;
	struct cdc_buf sound = CDC_BUF_INIT, made = CDC_BUF_INIT;
	struct cdc_err err;
	struct faultio io;
	uint64_t n = 1;

	assert_int_equal(archive(f, &f->io, "copy.tar.gz", &sound, &err), 0);
	for (;; n++) {
		int rc;

		faultio_init(&io, &f->io);
		io.fail_at = n;
		io.fail_for = 1;
		io.fail_errno = EIO;
		rc = archive(f, &io.io, "copy.tar.gz", &made, &err);
		if (!io.hits)
			break;
		/* Nothing is lost with a file that was read. */
		if (rc == CDC_OK && io.last_hit != FAULTIO_CLOSE)
			fail_msg("call %llu failed, of kind %d, and nobody noticed",
				 (unsigned long long)n, io.last_hit);
		if (rc == CDC_OK)
			assert_memory_equal(made.p, sound.p, sound.len);
	}
	assert_true(n > 30);
	cdc_buf_free(&made);
	cdc_buf_free(&sound);
}

static void short_transfers_and_formats(void **state)
{
	static const char *const names[] = { "copy.tar",    "copy.tar.gz",  "copy.tar.bz2",
					     "copy.tar.xz", "copy.tar.zst", "copy.tar.lz4",
					     "copy.zip",    "copy.cpio",    "copy.7z" };
	struct fixture *f = *state;
	struct cdc_buf sound = CDC_BUF_INIT, made = CDC_BUF_INIT;
	struct cdc_err err;
	struct faultio io;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (archive(f, &f->io, names[i], &sound, &err) < 0)
			fail_msg("%s: %s", names[i], err.msg);
		faultio_init(&io, &f->io);
		io.max_transfer = 777;
		assert_int_equal(archive(f, &io.io, names[i], &made, &err), 0);
		assert_int_equal(made.len, sound.len);
		assert_memory_equal(made.p, sound.p, sound.len);
	}
	cdc_buf_free(&made);
	cdc_buf_free(&sound);
}

static void a_wish_to_stop(void **state)
{
	struct fixture *f = *state;
	struct cdc_buf made = CDC_BUF_INIT;
	struct cdc_err err;
	struct faultio io;

	faultio_init(&io, &f->io);
	io.interrupted = true;
	assert_int_equal(archive(f, &io.io, "copy.zip", &made, &err), CDC_EINTR);
	assert_int_equal(made.len, 0);
	cdc_buf_free(&made);
}

static void paths_that_leave(void **state)
{
	static const char *const paths[] = { "../secret", "a/../../secret", "/etc/passwd",
					     "s3://bucket/key", "p=x%2520y" };
	struct fixture *f = *state;
	struct cdc_str kept = f->add[1].path;
	struct cdc_buf made = CDC_BUF_INIT;
	struct cdc_err err;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		f->add[1].path = cdc_str_z(paths[i]);
		assert_true(archive(f, &f->io, "copy.tar", &made, &err) < 0);
		assert_true(err.code == CDC_ECORRUPT || err.code == CDC_EUNSUPPORTED);
		assert_int_equal(made.len, 0);
	}
	f->add[1].path = kept;
	cdc_buf_free(&made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_the_copy),
		cmocka_unit_test(name_of_the_directory),
		cmocka_unit_test(suffixes),
		cmocka_unit_test(every_call_may_fail),
		cmocka_unit_test(short_transfers_and_formats),
		cmocka_unit_test(a_wish_to_stop),
		cmocka_unit_test(paths_that_leave),
	};

	return cmocka_run_group_tests(tests, make_table, remove_table);
}
