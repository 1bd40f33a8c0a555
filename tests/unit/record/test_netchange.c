/*
 * Proves, on cases worked out by hand, which records survive a fold and how they look; that the
 * memory ceiling holds; and that every failure of a temporary file is reported and leaves a net
 * change that works again. The laws themselves are proved in tests/property/prop_fold.c.
 */
#include "record/netchange.h"
#include "record/textkey.h"

#include "../../fault/faultio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
	struct cdc_net *net;
	struct cdc_textkey key;
	struct cdc_tape tape;
	struct cdc_buf out;
	struct cdc_net_counts counts;
	struct cdc_err err;
};

static void begin_with(struct fixture *f, const char *const *key, size_t n,
		       struct cdc_net_options opt)
{
	*f = (struct fixture){ .key = CDC_TEXTKEY_INIT, .err = CDC_ERR_INIT };
	assert_int_equal(cdc_textkey_set(&f->key, key, n, &f->err), 0);
	if (!opt.io)
		opt.io = &cdc_io_posix;
	opt.key_of = cdc_textkey_of;
	opt.is_key = cdc_textkey_is_key;
	opt.key_ctx = &f->key;
	assert_int_equal(cdc_net_new(&f->net, &opt, &f->err), 0);
}

static void begin(struct fixture *f)
{
	static const char *const id[] = { "id" };

	begin_with(f, id, 1, (struct cdc_net_options){ .spill = true });
}

static void end(struct fixture *f)
{
	cdc_net_free(f->net);
	cdc_textkey_free(&f->key);
	cdc_tape_free(&f->tape);
	cdc_buf_free(&f->out);
}

static int put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	return cdc_buf_put(ctx, lines, err);
}

static int add(struct fixture *f, const char *line)
{
	struct cdc_record r;

	assert_int_equal(cdc_record_parse(&r, &f->tape, cdc_str_z(line), &f->err), 0);
	if (cdc_record_is_row(r.type) || r.type == CDC_RECORD_TRUNCATE)
		return cdc_net_add(f->net, &r, r.id, (uint64_t)r.id, &f->err);
	return cdc_net_add_control(f->net, &r, r.id, &f->err);
}

/* Feed the lines of `in`, compare what comes out. */
static void expect(struct fixture *f, const char *in, const char *out)
{
	while (*in) {
		const char *lf = strchr(in, '\n');
		char line[4096];

		snprintf(line, sizeof(line), "%.*s", (int)(lf - in), in);
		assert_int_equal(add(f, line), 0);
		in = lf + 1;
	}
	cdc_buf_reset(&f->out);
	assert_int_equal(cdc_net_emit(f->net, put, &f->out, &f->counts, &f->err), 0);
	assert_non_null(cdc_buf_z(&f->out));
	assert_string_equal(f->out.p, out);
	assert_int_equal(cdc_net_count(f->net), 0);
}

static void expect_id(const char *in, const char *out)
{
	struct fixture f;

	begin(&f);
	expect(&f, in, out);
	end(&f);
}

#define R(id, type, b, a)                                                                          \
	"{\"recordID\":" #id ",\"recordType\":\"" type "\",\"beforeImages\":{" b "},"              \
	"\"afterImages\":{" a "}}\n"
#define ID(n) "\"id\":\"" #n "\""
#define V(n) "\"v\":\"" #n "\""

static void test_single(void **state)
{
	(void)state;
	/* As it came, with its spaces and members nobody knows. */
	expect_id("{ \"x\":[1, 2] , \"recordType\":\"INSERT\",\"afterImages\": {\"id\" : 1}}\n",
		  "{ \"x\":[1, 2] , \"recordType\":\"INSERT\",\"afterImages\": {\"id\" : 1}}\n");
	expect_id("", "");
}

static void test_latest(void **state)
{
	(void)state;
	expect_id(R(1, "INSERT", "", ID(1) "," V(1)) R(2, "UPDATE", ID(1) "," V(1), ID(1) "," V(2)),
		  R(2, "INSERT", "", ID(1) "," V(2)));
	expect_id(R(1, "INIT", "", ID(1) "," V(1)) R(2, "INIT", "", ID(1) "," V(2)),
		  R(2, "INIT", "", ID(1) "," V(2)));
	expect_id(R(1, "DELETE", ID(1), "") R(2, "INIT", "", ID(1) "," V(2)),
		  R(2, "INSERT", "", ID(1) "," V(2)));
	/* The before image is that of the first, the columns are those of both. */
	expect_id(R(1, "UPDATE", ID(1) "," V(1), V(2)) R(2, "UPDATE", ID(1), "\"w\":\"3\""),
		  R(2, "UPDATE", ID(1) "," V(1), V(2) ",\"w\":\"3\""));
	expect_id(R(1, "UPDATE", ID(1) "," V(1), ID(1) "," V(2)) R(2, "DELETE", ID(1) "," V(2), ""),
		  R(2, "DELETE", ID(1) "," V(1), ""));
	/* A row made and deleted in the window may have been there before it. */
	expect_id(R(1, "INSERT", "", ID(1)) R(2, "DELETE", ID(1), ""), R(2, "DELETE", ID(1), ""));
}

static void test_order(void **state)
{
	(void)state;
	expect_id(R(2, "INSERT", "", ID(1) "," V(2)) R(1, "INSERT", "", ID(1) "," V(1)),
		  R(2, "INSERT", "", ID(1) "," V(2)));
	expect_id(R(3, "INSERT", "", ID(3)) R(1, "INSERT", "", ID(1)) R(2, "INSERT", "", ID(2)),
		  R(1, "INSERT", "", ID(1)) R(2, "INSERT", "", ID(2)) R(3, "INSERT", "", ID(3)));
	/* Equal: the later line. */
	expect_id(R(1, "INSERT", "", ID(1) "," V(1)) R(1, "INSERT", "", ID(1) "," V(2)),
		  R(1, "INSERT", "", ID(1) "," V(2)));
}

static void test_moves(void **state)
{
	(void)state;
	/* 1 -> 2 -> 3: what was 2 is gone, too. */
	expect_id(R(1, "UPDATE", ID(1), ID(2)) R(2, "UPDATE", ID(2), ID(3)),
		  R(2, "DELETE", ID(2), "") R(2, "UPDATE", ID(1), ID(3)));
	/* There and back is no move. */
	expect_id(R(1, "UPDATE", ID(1), ID(2)) R(2, "UPDATE", ID(2), ID(1) "," V(5)),
		  R(2, "DELETE", ID(2), "") R(2, "UPDATE", ID(1), ID(1) "," V(5)));
	/* A swap through a third key: the first step must stay, or 1 would be filled twice. */
	expect_id(R(1, "UPDATE", ID(1), ID(9)) R(2, "UPDATE", ID(2), ID(1))
			  R(3, "UPDATE", ID(9), ID(2)),
		  R(1, "UPDATE", ID(1), ID(9)) R(2, "UPDATE", ID(2), ID(1))
			  R(3, "UPDATE", ID(9), ID(2)));
	/* What a pending move brought is destroyed: its source is gone all the same. */
	expect_id(R(1, "UPDATE", ID(1), ID(2)) R(2, "DELETE", ID(2), ""),
		  R(1, "DELETE", ID(1), "") R(2, "DELETE", ID(2), ""));
	expect_id(R(1, "UPDATE", ID(1), ID(2)) R(2, "INSERT", "", ID(2)),
		  R(1, "DELETE", ID(1), "") R(2, "INSERT", "", ID(2)));
	/* The source is filled again: the move stays where it was. */
	expect_id(R(1, "UPDATE", ID(1), ID(2)) R(2, "INSERT", "", ID(1))
			  R(3, "UPDATE", ID(2), ID(2) "," V(1)),
		  R(1, "UPDATE", ID(1), ID(2)) R(2, "INSERT", "", ID(1))
			  R(3, "UPDATE", ID(2), ID(2) "," V(1)));
	/* A new row that changes its key is an insert there. */
	expect_id(R(1, "INSERT", "", ID(1) "," V(1)) R(2, "UPDATE", ID(1), ID(2)),
		  R(2, "DELETE", ID(1), "") R(2, "INSERT", "", ID(2) "," V(1)));
}

static void test_keys_in_one_image(void **state)
{
	static const char *const ab[] = { "a", "b" };
	struct fixture f;

	(void)state;
	/* The row is not there: what the UPDATE makes must have its key. */
	expect_id(R(1, "DELETE", ID(1), "") R(2, "UPDATE", ID(1), V(2)),
		  R(2, "INSERT", "", ID(1) "," V(2)));
	/* No before image at first: the move that follows must say where it came from. */
	expect_id(R(1, "UPDATE", "", ID(1) "," V(1)) R(2, "UPDATE", ID(1), ID(2)),
		  R(2, "UPDATE", ID(1), ID(2) "," V(1)));
	begin_with(&f, ab, 2, (struct cdc_net_options){ .spill = true });
	expect(&f,
	       R(1, "DELETE", "\"a\":\"1\",\"b\":\"2\"", "")
		       R(2, "UPDATE", "\"a\":\"1\",\"b\":\"2\"", "\"b\":\"2\",\"c\":null"),
	       R(2, "INSERT", "", "\"a\":\"1\",\"b\":\"2\",\"c\":null"));
	/* (1, 23) and (12, 3) are two keys. */
	expect(&f,
	       R(1, "INSERT", "", "\"a\":\"1\",\"b\":\"23\"")
		       R(2, "INSERT", "", "\"a\":\"12\",\"b\":\"3\""),
	       R(1, "INSERT", "", "\"a\":\"1\",\"b\":\"23\"")
		       R(2, "INSERT", "", "\"a\":\"12\",\"b\":\"3\""));
	end(&f);
}

static void test_names(void **state)
{
	(void)state;
	/* An escaped name is the same column, printed as it first came. */
	expect_id(R(1, "INSERT", "", ID(1) ",\"\\u0076\":\"1\"")
			  R(2, "UPDATE", ID(1), ID(1) "," V(2)),
		  R(2, "INSERT", "", ID(1) ",\"\\u0076\":\"2\""));
	/* Columns in another order, numbers, and text that needs escapes. */
	expect_id(R(1, "INSERT", "", ID(1) "," V(1) ",\"w\":\"\\\"\\n\"")
			  R(2, "UPDATE", ID(1), "\"v\":3.0,\"id\":1"),
		  R(2, "INSERT", "", "\"id\":1,\"v\":3.0,\"w\":\"\\\"\\n\""));
}

#define T(id, table) "{\"recordID\":" #id ",\"recordType\":\"TRUNCATE\"" table "}\n"
#define RT(id, type, table, b, a)                                                                  \
	"{\"recordID\":" #id ",\"recordType\":\"" type "\",\"dbTable\":\"" table "\","             \
	"\"beforeImages\":{" b "},\"afterImages\":{" a "}}\n"

static void test_truncate(void **state)
{
	struct fixture f;

	(void)state;
	expect_id(R(1, "INSERT", "", ID(1)) T(2, "") R(3, "DELETE", ID(1), "")
			  R(4, "UPDATE", ID(2), V(4)),
		  T(2, "") R(4, "INSERT", "", ID(2) "," V(4)));
	expect_id(T(1, "") T(2, ""), T(2, ""));
	expect_id(RT(1, "INSERT", "d.a", "", ID(1)) RT(1, "INSERT", "d.b", "", ID(1))
			  T(2, ",\"dbTable\":\"d.a\""),
		  RT(1, "INSERT", "d.b", "", ID(1)) T(2, ",\"dbTable\":\"d.a\""));
	expect_id(RT(1, "INSERT", "d.a", "", ID(1)) T(3, "") RT(2, "INSERT", "d.b", "", ID(1))
			  T(2, ",\"dbTable\":\"d.a\""),
		  T(3, ""));
	begin(&f);
	expect(&f, R(1, "INSERT", "", ID(1)) T(2, "") R(3, "INSERT", "", ID(1)),
	       T(2, "") R(3, "INSERT", "", ID(1)));
	assert_int_equal(f.counts.records_in, 3);
	assert_int_equal(f.counts.records_out, 2);
	assert_int_equal(f.counts.truncates, 1);
	end(&f);
}

static void test_controls(void **state)
{
	static const char ddl[] = "{\"recordID\":2,\"recordType\":\"DDL\",\"sql\":\"alter\"}\n";

	(void)state;
	expect_id(R(3, "INSERT", "",
		    ID(3)) "{\"recordID\":2,\"recordType\":\"DDL\",\"sql\":\"alter\"}\n" R(1,
											   "INSERT",
											   "",
											   ID(1)),
		  R(1, "INSERT", "",
		    ID(1)) "{\"recordID\":2,\"recordType\":\"DDL\",\"sql\":\"alter\"}\n" R(3,
											   "INSERT",
											   "",
											   ID(3)));
	expect_id(ddl, ddl);
}

static void test_tables(void **state)
{
	static const char *const id[] = { "id" };
	struct fixture f;

	(void)state;
	expect_id(RT(1, "INSERT", "d.a", "", ID(1)) RT(2, "DELETE", "d.b", ID(1), ""),
		  RT(1, "INSERT", "d.a", "", ID(1)) RT(2, "DELETE", "d.b", ID(1), ""));
	begin_with(&f, id, 1, (struct cdc_net_options){ .one_table = true });
	expect(&f, RT(1, "INSERT", "d.a", "", ID(1)) RT(2, "DELETE", "d.b", ID(1), ""),
	       RT(2, "DELETE", "d.b", ID(1), ""));
	end(&f);
}

static void test_rejects(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	assert_int_equal(add(&f, "{\"recordType\":\"INSERT\",\"afterImages\":{\"v\":1}}"),
			 CDC_EDATA);
	assert_string_equal(f.err.msg, "key column \"id\" is missing");
	assert_int_equal(add(&f, "{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":null}}"),
			 CDC_EDATA);
	assert_string_equal(f.err.msg, "key column \"id\" is null");
	assert_int_equal(
		add(&f,
		    "{\"recordType\":\"DELETE\",\"beforeImages\":{},\"afterImages\":{\"id\":1}}"),
		CDC_EDATA);
	/* The window goes on without them. */
	expect(&f, R(1, "INSERT", "", ID(1)), R(1, "INSERT", "", ID(1)));
	end(&f);
}

/* More different lists of columns than are remembered. */
static void test_many_shapes(void **state)
{
	struct fixture f;
	char line[256];

	(void)state;
	begin(&f);
	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof(line), R(1, "UPDATE", ID(1), "\"c%d\":\"%d\""), i, i);
		line[strlen(line) - 1] = 0;
		assert_int_equal(add(&f, line), 0);
	}
	assert_int_equal(
		add(&f, "{\"recordID\":2,\"recordType\":\"UPDATE\",\"beforeImages\":{\"id\":1},"
			"\"afterImages\":{\"c4999\":\"x\",\"c0\":\"y\"}}"),
		0);
	assert_int_equal(cdc_net_emit(f.net, put, &f.out, NULL, &f.err), 0);
	assert_non_null(cdc_buf_z(&f.out));
	assert_non_null(strstr(f.out.p, "{\"c0\":\"y\",\"c1\":\"1\",\"c2\":\"2\","));
	assert_non_null(strstr(f.out.p, ",\"c4998\":\"4998\",\"c4999\":\"x\"}"));
	assert_null(strchr(strchr(f.out.p, '\n') + 1, '\n'));
	end(&f);
}

struct seen {
	char text[1024];
	size_t n;
};

static int visit(void *ctx, const struct cdc_net_change *c, struct cdc_err *err)
{
	static const char *const name[] = { "DELETED", "WHOLE", "OVERLAY" };
	struct seen *s = ctx;

	(void)err;
	s->n += (size_t)snprintf(s->text + s->n, sizeof(s->text) - s->n,
				 "%s%s %.*s<%.*s %.*s at %lld tag %llu\n", name[c->state],
				 c->init ? " init" : "", (int)c->key.n, c->key.p,
				 (int)c->source_key.n, c->source_key.p, (int)c->after.n, c->after.p,
				 (long long)c->order, (unsigned long long)c->tag);
	return CDC_OK;
}

static void test_each(void **state)
{
	struct fixture f;
	struct seen s = { "", 0 };
	bool truncated = true;

	(void)state;
	begin(&f);
	add(&f,
	    "{\"recordID\":1,\"recordType\":\"UPDATE\",\"beforeImages\":{\"id\":1},\"afterImages\":{\"id\":2}}");
	add(&f, "{\"recordID\":2,\"recordType\":\"INSERT\",\"afterImages\":{\"id\":1,\"v\":1}}");
	add(&f,
	    "{\"recordID\":3,\"recordType\":\"UPDATE\",\"beforeImages\":{\"id\":3},\"afterImages\":{\"v\":1}}");
	add(&f, "{\"recordID\":4,\"recordType\":\"INIT\",\"afterImages\":{\"id\":4}}");
	add(&f, "{\"recordID\":5,\"recordType\":\"DELETE\",\"beforeImages\":{\"id\":5}}");
	assert_int_equal(cdc_net_each(f.net, &truncated, visit, &s, &f.err), 0);
	assert_false(truncated);
	assert_string_equal(s.text, "OVERLAY 2<1 {\"id\":2} at 1 tag 1\n"
				    "WHOLE 1<1 {\"id\":1,\"v\":1} at 2 tag 2\n"
				    "OVERLAY 3<3 {\"id\":3,\"v\":1} at 3 tag 3\n"
				    "WHOLE init 4<4 {\"id\":4} at 4 tag 4\n"
				    "DELETED 5<5 {} at 5 tag 5\n");
	end(&f);
}

/* ------------------------------------------------------------------ memory and files */

#define MANY 3000

static void line_of(char *line, size_t n, int i)
{
	int key = i * 7919 % 500;

	snprintf(line, n,
		 "{\"recordID\":%d,\"recordType\":\"UPDATE\",\"beforeImages\":{\"id\":\"%d\"},"
		 "\"afterImages\":{\"id\":\"%d\",\"v\":\"%d\"}}",
		 i * 37 % MANY, key, i % 40 ? key : (key + 1) % 500, i);
}

static void add_many(struct fixture *f)
{
	char line[256];

	for (int i = 0; i < MANY; i++) {
		line_of(line, sizeof(line), i);
		assert_int_equal(add(f, line), 0);
	}
}

static void test_ceiling(void **state)
{
	static const char *const id[] = { "id" };
	struct fixture f;
	char line[256];
	int rc = 0;

	(void)state;
	begin_with(&f, id, 1, (struct cdc_net_options){ .memory_bytes = 300000 });
	for (int i = 0; i < MANY && !rc; i++) {
		line_of(line, sizeof(line), i);
		rc = add(&f, line);
		assert_true(cdc_net_bytes(f.net) <= 300000);
	}
	assert_int_equal(rc, CDC_ENOMEM);
	end(&f);
}

/* The same bytes, whatever the ceiling, and however little a read or write moves. */
static void test_spill(void **state)
{
	static const uint64_t ceiling[] = { 1, 70000, 100000, 200000, 400000, 1000000 };
	static const char *const id[] = { "id" };
	struct fixture whole;
	struct faultio io;

	(void)state;
	begin(&whole);
	add_many(&whole);
	assert_int_equal(cdc_net_emit(whole.net, put, &whole.out, NULL, &whole.err), 0);
	faultio_init(&io, &cdc_io_posix);
	for (size_t i = 0; i < sizeof(ceiling) / sizeof(ceiling[0]); i++) {
		struct cdc_net_options opt = { .io = &io.io,
					       .spill = true,
					       .memory_bytes = ceiling[i] };
		struct fixture f;

		io.max_transfer = i % 2 ? 0 : 997;
		begin_with(&f, id, 1, opt);
		add_many(&f);
		assert_int_equal(cdc_net_count(f.net), MANY);
		assert_int_equal(cdc_net_emit(f.net, put, &f.out, NULL, &f.err), 0);
		assert_int_equal(f.out.len, whole.out.len);
		assert_memory_equal(f.out.p, whole.out.p, whole.out.len);
		end(&f);
	}
	assert_true(io.calls[FAULTIO_WRITE] > 0);
	end(&whole);
}

/* One window that must fail at the nth call of a kind; then one that must not. */
static bool fails_at(struct fixture *f, struct faultio *io, enum faultio_op op, uint64_t n, int why)
{
	char line[256];
	int rc = 0;

	faultio_init(io, &cdc_io_posix);
	io->fail_op = op;
	io->fail_at = n;
	io->fail_errno = why;
	for (int i = 0; i < MANY && !rc; i++) {
		line_of(line, sizeof(line), i);
		rc = add(f, line);
	}
	if (!rc)
		rc = cdc_net_emit(f->net, put, &f->out, NULL, &f->err);
	cdc_net_reset(f->net);
	if (!io->hits)
		return false;
	assert_int_equal(rc, CDC_EIO);
	assert_int_equal(f->err.sys_errno, why);
	io->fail_at = 0;
	expect(f, R(1, "INSERT", "", ID(1)), R(1, "INSERT", "", ID(1)));
	return true;
}

static void test_faults(void **state)
{
	static const enum faultio_op op[] = { FAULTIO_OPEN, FAULTIO_WRITE, FAULTIO_PREAD };
	static const int why[] = { EMFILE, ENOSPC, EIO };
	static const char *const id[] = { "id" };
	struct faultio io;
	struct fixture f;

	(void)state;
	faultio_init(&io, &cdc_io_posix);
	begin_with(&f, id, 1,
		   (struct cdc_net_options){ .io = &io.io, .spill = true, .memory_bytes = 200000 });
	for (size_t i = 0; i < 3; i++) {
		uint64_t n = 1;

		while (fails_at(&f, &io, op[i], n, why[i]))
			n++;
		assert_true(n > 2);
	}
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_latest),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_keys_in_one_image),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_truncate),
		cmocka_unit_test(test_controls),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_rejects),
		cmocka_unit_test(test_many_shapes),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_spill),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
