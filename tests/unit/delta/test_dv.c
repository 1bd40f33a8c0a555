/*
 * Proves that deletion vectors are sets (against a naive one: sparse, dense, in runs, past 2^32
 * rows), that what others wrote is read (inline vectors of Delta writers, the legacy form), that
 * files survive a round trip, and that damage is found.
 */
#include "base/endian.h"
#include "delta/dv_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SPAN 400000 /* rows that a naive set covers, from a base on */

struct naive {
	uint64_t base;
	uint8_t *in; /* SPAN flags */
	uint64_t count;
};

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void naive_add(struct naive *s, struct cdc_dv *dv, uint64_t i)
{
	struct cdc_err err = CDC_ERR_INIT;

	s->count += !s->in[i];
	s->in[i] = 1;
	assert_int_equal(cdc_dv_add(dv, s->base + i, &err), 0);
}

enum shape { SPARSE, DENSE, RUNS, MIXED, SHAPES };

static void fill(struct naive *s, struct cdc_dv *dv, enum shape shape)
{
	uint64_t n = shape == SPARSE ? 500 : shape == DENSE ? 200000 : 0;

	for (uint64_t i = 0; i < n; i++)
		naive_add(s, dv, next_random() % SPAN);
	for (int run = 0; (shape == RUNS || shape == MIXED) && run < 12; run++) {
		uint64_t from = next_random() % SPAN;
		uint64_t len = next_random() % 70000;

		for (uint64_t i = from; i < from + len && i < SPAN; i++)
			naive_add(s, dv, i);
	}
	for (uint64_t i = 0; shape == MIXED && i < 65536; i += 3)
		naive_add(s, dv, i);
}

struct visit {
	const struct naive *s;
	uint64_t next;
	uint64_t seen;
};

static int visit_row(void *ctx, uint64_t row)
{
	struct visit *v = ctx;

	assert_true(row >= v->next);
	v->next = row + 1;
	if (row >= v->s->base && row < v->s->base + SPAN) {
		assert_true(v->s->in[row - v->s->base]);
		v->seen++;
	}
	return 0;
}

static void same(const struct naive *s, const struct cdc_dv *dv)
{
	struct visit v = { s, 0, 0 };
	uint8_t *keep = malloc(SPAN);

	assert_non_null(keep);
	assert_int_equal(cdc_dv_each(dv, visit_row, &v), 0);
	assert_int_equal(v.seen, s->count);
	for (size_t at = 0; at < SPAN;) {
		size_t n = 1 + next_random() % 9000;
		size_t cleared;
		size_t want = 0;

		n = n < SPAN - at ? n : SPAN - at;
		memset(keep + at, 1, n);
		cleared = cdc_dv_mask(dv, s->base + at, n, keep + at);
		for (size_t i = at; i < at + n; i++) {
			assert_int_equal(keep[i], !s->in[i]);
			want += s->in[i];
		}
		assert_int_equal(cleared, want);
		at += n;
	}
	for (int i = 0; i < 2000; i++) {
		uint64_t row = next_random() % SPAN;

		assert_int_equal(cdc_dv_contains(dv, s->base + row), s->in[row]);
	}
	free(keep);
}

static void like_a_naive_set(void **state)
{
	static const uint64_t bases[] = { 0, 65536, 4294967296 - 200000, 8589934592 + 7,
					  9223372036854000000u };

	(void)state;
	for (int shape = 0; shape < SHAPES; shape++) {
		for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
			struct naive s = { bases[b], calloc(SPAN, 1), 0 };
			struct cdc_buf bytes = CDC_BUF_INIT;
			struct cdc_err err = CDC_ERR_INIT;
			struct cdc_dv *dv;
			struct cdc_dv *back;

			assert_non_null(s.in);
			assert_int_equal(cdc_dv_new(&dv, &err), 0);
			fill(&s, dv, (enum shape)shape);
			assert_int_equal(cdc_dv_count(dv), s.count);
			same(&s, dv);
			assert_int_equal(cdc_dv_encode(dv, &bytes, &err), 0);
			same(&s, dv);
			assert_int_equal(cdc_dv_decode(&back, cdc_buf_str(&bytes), &err), 0);
			assert_int_equal(cdc_dv_count(back), s.count);
			same(&s, back);
			cdc_buf_free(&bytes);
			cdc_dv_free(back);
			cdc_dv_free(dv);
			free(s.in);
		}
	}
}

static void unions(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	for (int i = 0; i < SHAPES * SHAPES; i++) {
		struct naive s = { 4294967296 - 100000, calloc(SPAN, 1), 0 };
		struct cdc_buf bytes = CDC_BUF_INIT;
		struct cdc_dv *a;
		struct cdc_dv *b;

		assert_non_null(s.in);
		assert_int_equal(cdc_dv_new(&a, &err), 0);
		assert_int_equal(cdc_dv_new(&b, &err), 0);
		fill(&s, a, (enum shape)(i % SHAPES));
		fill(&s, b, (enum shape)(i / SHAPES));
		cdc_dv_compact(b);
		assert_int_equal(cdc_dv_union(a, b, &err), 0);
		assert_int_equal(cdc_dv_count(a), s.count);
		same(&s, a);
		cdc_dv_free(b);
		assert_int_equal(cdc_dv_encode(a, &bytes, &err), 0);
		assert_int_equal(cdc_dv_decode(&b, cdc_buf_str(&bytes), &err), 0);
		same(&s, b);
		cdc_buf_free(&bytes);
		cdc_dv_free(a);
		cdc_dv_free(b);
		free(s.in);
	}
}

static int stop_at_7(void *ctx, uint64_t row)
{
	(*(int *)ctx)++;
	return row == 7 ? 42 : 0;
}

static struct cdc_dv *load(struct cdc_dv_ref ref)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv *dv = NULL;

	if (cdc_dv_load(&dv, &cdc_io_posix, "/nowhere", false, &ref, &err) < 0)
		fail_msg("%s", err.msg);
	return dv;
}

static struct cdc_dv_ref inlined(const char *text, int32_t size, int64_t cardinality)
{
	return (struct cdc_dv_ref){ .storage = 'i',
				    .path = cdc_str_z(text),
				    .size_bytes = size,
				    .cardinality = cardinality };
}

/* The first is in the Delta test tables of Spark, the last two come from a Rust writer. */
static void inline_vectors(void **state)
{
	static const uint64_t rows[] = { 3, 4, 7, 11, 18, 29 };
	struct cdc_dv *dv =
		load(inlined("^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", 44, 6));
	int calls = 0;

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_true(cdc_dv_contains(dv, rows[i]));
	assert_int_equal(cdc_dv_each(dv, stop_at_7, &calls), 42);
	assert_int_equal(calls, 3);
	cdc_dv_free(dv);
	dv = load(inlined("^Bg9^0rr910000000000iXQKl0rr91000315c8Xg000f5", 36, 2));
	assert_true(cdc_dv_contains(dv, 0));
	assert_int_equal(cdc_dv_count(dv), 2);
	cdc_dv_free(dv);
	/* 34 bytes: the last group "##093" stands for the two bytes 03 00. */
	dv = load(inlined("^Bg9^0rr910000000000iXQKl0rr91000005c8Xg##093", 34, 1));
	assert_true(cdc_dv_contains(dv, 3));
	cdc_dv_free(dv);
}

static int load_code(struct cdc_dv_ref ref, const char *hint)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv *dv = NULL;
	int rc = cdc_dv_load(&dv, &cdc_io_posix, "/nowhere", false, &ref, &err);

	assert_null(dv);
	if (!strstr(err.msg, hint))
		fail_msg("\"%s\" lacks \"%s\"", err.msg, hint);
	return rc;
}

static void bad_inline_vectors(void **state)
{
	const char *good = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";

	(void)state;
	assert_int_equal(load_code(inlined(good, 44, 5), "marks 6 rows"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined(good, 40, 6), "bytes inline"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined(good, 45, 6), "bytes inline"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined(good, 42, 6), "bitmap"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined(good, -1, 6), "negative"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined(good + 1, 44, 6), "Z85"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined("", 0, 0), "cut off"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined("ab\"de", 4, 0), "Z85"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined("#####", 4, 0), "Z85"), CDC_ECORRUPT);
	assert_int_equal(load_code(inlined("00000", 4, 0), "magic"), CDC_ECORRUPT);
	assert_int_equal(load_code((struct cdc_dv_ref){ .storage = 'x',
							.size_bytes = 4,
							.path = CDC_STR("00000") },
				   "\"x\""),
			 CDC_EUNSUPPORTED);
}

/* ZeroMQ RFC 32's own test case. */
static void z85_vector(void **state)
{
	const uint8_t bytes[8] = { 0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b };
	uint8_t back[8];
	char text[10];
	size_t n;

	(void)state;
	cdc_z85_encode(bytes, sizeof(bytes), text);
	assert_memory_equal(text, "HelloWorld", 10);
	assert_true(cdc_z85_decode(cdc_str(text, 10), back, &n));
	assert_int_equal(n, 8);
	assert_memory_equal(back, bytes, 8);
	assert_false(cdc_z85_decode(CDC_STR("Hello World"), back, &n));
}

static void file_names(void **state)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_ref ref = { .storage = 'u', .path = CDC_STR("ab^-aqEH.-t@S}K{vb[*k^") };
	const char *path;

	(void)state;
	assert_int_equal(cdc_dv_file_path(&ref, "/t", &arena, &path, &err), 0);
	assert_string_equal(path, "/t/ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
	ref.path = CDC_STR("^-aqEH.-t@S}K{vb[*k^");
	assert_int_equal(cdc_dv_file_path(&ref, "t", &arena, &path, &err), 0);
	assert_string_equal(path, "t/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin");
	ref = (struct cdc_dv_ref){ .storage = 'p', .path = CDC_STR("file:///a%20b/x%25.bin") };
	assert_int_equal(cdc_dv_file_path(&ref, "t", &arena, &path, &err), 0);
	assert_string_equal(path, "/a b/x%.bin");
	ref.path = CDC_STR("s3://bucket/x.bin");
	assert_int_equal(cdc_dv_file_path(&ref, "t", &arena, &path, &err), CDC_EUNSUPPORTED);
	ref.storage = 'u';
	ref.path = CDC_STR("../x^-aqEH.-t@S}K{vb[*k^");
	assert_int_equal(cdc_dv_file_path(&ref, "t", &arena, &path, &err), CDC_ECORRUPT);
	ref.path = CDC_STR("short");
	assert_int_equal(cdc_dv_file_path(&ref, "t", &arena, &path, &err), CDC_ECORRUPT);
	ref.storage = 'i';
	assert_int_equal(cdc_dv_file_path(&ref, "t", &arena, &path, &err), 0);
	assert_null(path);
	cdc_arena_free(&arena);
}

/* ------------------------------------------------------------------ serialised bytes by hand */

struct bytes {
	uint8_t p[256];
	size_t n;
};

static void put16(struct bytes *b, unsigned v)
{
	cdc_put_le16(b->p + b->n, (uint16_t)v);
	b->n += 2;
}

static void put32(struct bytes *b, uint32_t v)
{
	cdc_put_le32(b->p + b->n, v);
	b->n += 4;
}

static int decode_code(const struct bytes *b, struct cdc_dv **dv)
{
	struct cdc_err err = CDC_ERR_INIT;
	/* A copy of the exact size, so that the sanitizer sees a read past the end. */
	char *exact = malloc(b->n ? b->n : 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact, b->p, b->n);
	rc = cdc_dv_decode(dv, cdc_str(exact, b->n), &err);
	free(exact);
	return rc;
}

/* Rows 10..12 and 20 as runs of one container. */
static void put_run_bitmap(struct bytes *b)
{
	put32(b, 12347); /* one container */
	b->p[b->n++] = 1; /* which has runs */
	put16(b, 0);
	put16(b, 4 - 1);
	put16(b, 2);
	put16(b, 10);
	put16(b, 2);
	put16(b, 20);
	put16(b, 0);
}

static void run_containers(void **state)
{
	struct bytes b = { .n = 0 };
	struct bytes bad;
	struct cdc_dv *dv;

	(void)state;
	put32(&b, 1681511377);
	put32(&b, 1);
	put32(&b, 0);
	put32(&b, 1); /* rows from 2^32 on */
	put_run_bitmap(&b);
	assert_int_equal(decode_code(&b, &dv), 0);
	assert_int_equal(cdc_dv_count(dv), 4);
	assert_true(cdc_dv_contains(dv, 4294967296 + 12));
	assert_true(cdc_dv_contains(dv, 4294967296 + 20));
	assert_false(cdc_dv_contains(dv, 4294967296 + 13));
	assert_false(cdc_dv_contains(dv, 12));
	cdc_dv_free(dv);
	for (size_t cut = 0; cut < b.n; cut++) {
		bad = b;
		bad.n = cut;
		assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
	}
	bad = b;
	bad.p[bad.n++] = 0; /* one byte too many */
	assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
	bad = b;
	bad.p[b.n - 4] = 12; /* runs overlap */
	assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
	bad = b;
	bad.p[b.n - 1] = 0xff; /* run past the end of the container */
	assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
	bad = b;
	bad.p[23]++; /* cardinality of the container */
	assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
	bad = b;
	bad.p[15] = 0x80; /* row positions are positive */
	assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
	bad = b;
	bad.p[4] = 2; /* a bitmap that is not there */
	assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
}

static void legacy_form(void **state)
{
	struct bytes b = { .n = 0 };
	struct bytes bad;
	struct cdc_dv *dv;
	size_t size_at;

	(void)state;
	put32(&b, 1681511376);
	put32(&b, 2);
	put32(&b, 8); /* an empty bitmap for rows below 2^32 */
	put32(&b, 12346);
	put32(&b, 0);
	size_at = b.n;
	put32(&b, 0);
	put_run_bitmap(&b);
	b.p[size_at] = (uint8_t)(b.n - size_at - 4);
	assert_int_equal(decode_code(&b, &dv), 0);
	assert_int_equal(cdc_dv_count(dv), 4);
	assert_true(cdc_dv_contains(dv, 4294967296 + 11));
	cdc_dv_free(dv);
	for (size_t cut = 0; cut < b.n; cut++) {
		bad = b;
		bad.n = cut;
		assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
	}
	bad = b;
	bad.p[size_at]--;
	assert_int_equal(decode_code(&bad, &dv), CDC_ECORRUPT);
}

static void array_order(void **state)
{
	struct bytes b = { .n = 0 };
	struct cdc_dv *dv;

	(void)state;
	put32(&b, 1681511377);
	put32(&b, 1);
	put32(&b, 0);
	put32(&b, 0);
	put32(&b, 12346);
	put32(&b, 1);
	put16(&b, 0);
	put16(&b, 2 - 1);
	put32(&b, 16);
	put16(&b, 5);
	put16(&b, 6);
	assert_int_equal(decode_code(&b, &dv), 0);
	cdc_dv_free(dv);
	b.p[b.n - 2] = 5;
	assert_int_equal(decode_code(&b, &dv), CDC_ECORRUPT);
}

/* ------------------------------------------------------------------ files */

#define SETS 5

static void write_sets(const char *dir, struct cdc_dv **dv, struct cdc_dv_ref *ref,
		       struct cdc_arena *arena, struct naive *s, char *path)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_writer *w;

	assert_int_equal(cdc_dv_writer_new(&w, &cdc_io_posix, dir, &err), 0);
	for (int i = 0; i < SETS; i++) {
		s[i] = (struct naive){ (uint64_t)i << 31, calloc(SPAN, 1), 0 };
		assert_non_null(s[i].in);
		assert_int_equal(cdc_dv_new(&dv[i], &err), 0);
		if (i < SHAPES) /* the last one stays empty */
			fill(&s[i], dv[i], (enum shape)i);
		assert_int_equal(cdc_dv_writer_add(w, dv[i], &ref[i], arena, &err), 0);
	}
	assert_int_equal(cdc_dv_writer_finish(w, &err), 0);
	(void)snprintf(path, 200, "%s", cdc_dv_writer_path(w));
	cdc_dv_writer_free(w);
}

static void flip_byte(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	int c;

	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	c = fgetc(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_equal(fputc(c ^ 0x10, f), c ^ 0x10);
	assert_int_equal(fclose(f), 0);
}

static void damaged_file(const char *dir, const char *path, const struct cdc_dv_ref *ref)
{
	static const long offsets[] = { 0, 1, 4, 8, 20 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_ref wrong = *ref;
	struct cdc_dv *dv = NULL;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		int want = offsets[i] ? CDC_ECORRUPT : CDC_EUNSUPPORTED;

		flip_byte(path, offsets[i]);
		assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, ref, &err), want);
		flip_byte(path, offsets[i]);
	}
	/* Without an offset it is the first set of the file. */
	wrong.has_offset = false;
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, &wrong, &err), 0);
	cdc_dv_free(dv);
	wrong = *ref;
	wrong.storage = 'p';
	wrong.path = cdc_str_z(path);
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, &wrong, &err), 0);
	cdc_dv_free(dv);
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, "/usr", true, &wrong, &err), 0);
	cdc_dv_free(dv);
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, "/usr", false, &wrong, &err),
			 CDC_EUNSUPPORTED);
	assert_non_null(strstr(err.msg, "--allow-external"));
	wrong = *ref;
	wrong.offset += 1;
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, &wrong, &err), CDC_ECORRUPT);
	wrong.offset = INT32_MAX;
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, &wrong, &err), CDC_ECORRUPT);
	wrong = *ref;
	wrong.size_bytes = INT32_MAX;
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, &wrong, &err), CDC_ECORRUPT);
	assert_int_equal(truncate(path, 30), 0);
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, ref, &err), CDC_ECORRUPT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(cdc_dv_load(&dv, &cdc_io_posix, dir, false, ref, &err), CDC_ECORRUPT);
	assert_non_null(strstr(err.msg, "not there"));
}

static void several_in_a_file(void **state)
{
	char dir[] = "/tmp/test_dv.XXXXXX";
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_ref ref[SETS];
	struct naive s[SETS];
	struct cdc_dv *dv[SETS];
	char path[200];

	(void)state;
	assert_non_null(mkdtemp(dir));
	write_sets(dir, dv, ref, &arena, s, path);
	assert_int_equal(ref[0].offset, 1);
	for (int i = 0; i < SETS; i++) {
		struct cdc_dv *back;

		assert_int_equal(ref[i].storage, 'u');
		assert_int_equal(ref[i].path.n, 20);
		assert_int_equal(ref[i].cardinality, s[i].count);
		if (i)
			assert_int_equal(ref[i].offset,
					 ref[i - 1].offset + ref[i - 1].size_bytes + 8);
		assert_int_equal(cdc_dv_load(&back, &cdc_io_posix, dir, false, &ref[i], &err), 0);
		same(&s[i], back);
		cdc_dv_free(back);
		cdc_dv_free(dv[i]);
		free(s[i].in);
	}
	damaged_file(dir, path, &ref[0]);
	assert_int_equal(rmdir(dir), 0);
	cdc_arena_free(&arena);
}

static void unfinished_file_goes(void **state)
{
	char dir[] = "/tmp/test_dv.XXXXXX";
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_writer *w;
	struct cdc_dv_ref ref;
	struct cdc_dv *dv;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(cdc_dv_new(&dv, &err), 0);
	assert_int_equal(cdc_dv_add(dv, 5, &err), 0);
	assert_int_equal(cdc_dv_add(dv, UINT64_MAX, &err), CDC_EINTERNAL);
	assert_int_equal(cdc_dv_writer_new(&w, &cdc_io_posix, dir, &err), 0);
	assert_int_equal(cdc_dv_writer_add(w, dv, &ref, &arena, &err), 0);
	assert_int_equal(access(cdc_dv_writer_path(w), F_OK), 0);
	cdc_dv_writer_free(w);
	assert_int_equal(rmdir(dir), 0);
	cdc_dv_free(dv);
	cdc_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(like_a_naive_set),	cmocka_unit_test(unions),
		cmocka_unit_test(inline_vectors),	cmocka_unit_test(bad_inline_vectors),
		cmocka_unit_test(z85_vector),		cmocka_unit_test(file_names),
		cmocka_unit_test(run_containers),	cmocka_unit_test(legacy_form),
		cmocka_unit_test(array_order),		cmocka_unit_test(several_in_a_file),
		cmocka_unit_test(unfinished_file_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
