/*
 * Proves that changes of a table's columns and properties survive other writers: a commit that is
 * lost is made again on what the winner left, with columns that the winner added already, and is
 * given up where the winner's columns are others. And that a system that fails at any call leaves
 * a table that the same run completes.
 */
#include "table/merge/merge.h"

#include "delta/log.h"
#include "tests/fault/faultio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];

/* The system, but for a rival who commits just before the next commit of ours. */
static struct cdc_io io;
static void (*rival)(void);

static int link_after_rival(void *ctx, const char *from, const char *to)
{
	void (*now)(void) = rival;

	rival = NULL;
	if (now)
		now();
	return cdc_io_posix.link(ctx, from, to);
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_evolve.XXXXXX");
	io = cdc_io_posix;
	io.link = link_after_rival;
	rival = NULL;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[80];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

/* ------------------------------------------------------------------ merges */

static uint64_t retries;

static void on_commit(void *ctx, const struct cdc_merge_result *r)
{
	(void)ctx;
	retries = r->retries;
}

static int on_reject(void *ctx, const char *reason, const char *file, uint64_t line,
		     struct cdc_str raw, struct cdc_err *err)
{
	(void)ctx;
	(void)file;
	(void)line;
	(void)raw;
	return cdc_fail(err, CDC_EDATA, "%s", reason);
}

static int merge(const struct cdc_io *on, enum cdc_evolve evolve, const char *const *property,
		 const char *const *line, struct cdc_err *err)
{
	static const char *const key[] = { "id", NULL };
	struct cdc_merge_options opt = { .io = on,
					 .table = dir,
					 .create = true,
					 .schema = "id BIGINT",
					 .key = key,
					 .evolve = evolve,
					 .property = property,
					 .on_commit = on_commit,
					 .on_reject = on_reject };
	struct cdc_merge *m;
	int rc = cdc_merge_new(&m, &opt, err);

	for (uint64_t i = 0; !rc && line[i]; i++)
		rc = cdc_merge_line(m, cdc_str_z(line[i]), i + 1, "in", err);
	if (!rc)
		rc = cdc_merge_finish(m, err);
	cdc_merge_free(m);
	return rc;
}

static void merge_ok(const struct cdc_io *on, enum cdc_evolve evolve, const char *const *property,
		     const char *const *line)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (merge(on, evolve, property, line, &err))
		fail_msg("%s", err.msg);
}

#define COLUMN(name, type) ",{\"name\":\"" name "\",\"type\":\"" type "\",\"nullable\":true}"
#define SCHEMA(columns)                                                                            \
	"{\"recordType\":\"SCHEMA\",\"dbTable\":\"d.t\",\"columns\":[{\"name\":\"id\",\"type\":"   \
	"\"long\"}" columns "],\"primaryKey\":[\"id\"]}"
#define INSERT(image)                                                                              \
	"{\"recordID\":1,\"dbTable\":\"d.t\",\"recordType\":\"INSERT\",\"beforeImages\":{},"       \
	"\"afterImages\":{" image "}}"

static void create(void)
{
	static const char *const line[] = { INSERT("\"id\":\"1\""), NULL };

	merge_ok(&cdc_io_posix, CDC_EVOLVE_FAIL, NULL, line);
}

static const char *const ours[] = { SCHEMA(COLUMN("a", "date") COLUMN("b", "varchar")),
				    INSERT("\"id\":\"2\",\"b\":\"x\""), NULL };

/* The latest state: columns, live files, and the properties that start with "my.". */
static void expect(int64_t version, const char *columns, size_t files, const char *mine)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s;
	char have[256] = "", name[CDC_TYPE_NAME_MAX], config[256] = "";

	if (cdc_snapshot_load(&s, &cdc_io_posix, dir, -1, &err))
		fail_msg("%s", err.msg);
	for (int i = 0; i < s->schema.num_fields; i++) {
		const struct cdc_field *f = &s->schema.field[i];
		size_t n = strlen(have);

		snprintf(have + n, sizeof(have) - n, "%s%.*s %s", i ? ", " : "", (int)f->name.n,
			 f->name.p, cdc_type_name(f, name));
	}
	for (int i = 0; i < s->metadata.num_config; i++) {
		const struct cdc_kv *kv = &s->metadata.config[i];
		size_t n = strlen(config);

		if (kv->key.n > 3 && !memcmp(kv->key.p, "my.", 3))
			snprintf(config + n, sizeof(config) - n, "%s%.*s=%.*s", n ? " " : "",
				 (int)kv->key.n, kv->key.p, (int)kv->value.n, kv->value.p);
	}
	assert_string_equal(have, columns);
	assert_string_equal(config, mine);
	assert_int_equal(s->version, version);
	assert_int_equal(s->num_adds, files);
	cdc_snapshot_free(s);
}

/* ------------------------------------------------------------------ rivals */

static void rival_adds_rows(void)
{
	static const char *const line[] = { INSERT("\"id\":\"3\""), NULL };

	merge_ok(&cdc_io_posix, CDC_EVOLVE_FAIL, NULL, line);
}

static void rival_adds_the_same(void)
{
	static const char *const line[] = { SCHEMA(COLUMN("a", "date") COLUMN("b", "varchar")),
					    INSERT("\"id\":\"3\""), NULL };

	merge_ok(&cdc_io_posix, CDC_EVOLVE_ADD, NULL, line);
}

static void rival_adds_the_first(void)
{
	static const char *const line[] = { SCHEMA(COLUMN("a", "date")), NULL };

	merge_ok(&cdc_io_posix, CDC_EVOLVE_ADD, NULL, line);
}

static void rival_adds_another(void)
{
	static const char *const line[] = { SCHEMA(COLUMN("c", "date")), NULL };

	merge_ok(&cdc_io_posix, CDC_EVOLVE_ADD, NULL, line);
}

static void rival_types_otherwise(void)
{
	static const char *const line[] = { SCHEMA(COLUMN("b", "date")), NULL };

	merge_ok(&cdc_io_posix, CDC_EVOLVE_ADD, NULL, line);
}

static void rival_sets_properties(void)
{
	static const char *const property[] = { "my.b=2", "my.c=3", NULL };
	static const char *const nothing[] = { NULL };

	merge_ok(&cdc_io_posix, CDC_EVOLVE_FAIL, property, nothing);
}

/* ------------------------------------------------------------------ tests */

static void test_rows(void **state)
{
	(void)state;
	create();
	rival = rival_adds_rows;
	merge_ok(&io, CDC_EVOLVE_ADD, NULL, ours);
	assert_int_equal(retries, 1);
	expect(3, "id long, a date, b string", 3, "");
}

static void test_same_columns(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_commit_actions actions;

	(void)state;
	create();
	rival = rival_adds_the_same;
	merge_ok(&io, CDC_EVOLVE_ADD, NULL, ours);
	assert_int_equal(retries, 1);
	expect(3, "id long, a date, b string", 3, "");
	/* What was there already is not committed again. */
	assert_int_equal(cdc_commit_read(&cdc_io_posix, dir, 3, &actions, &err), 0);
	assert_false(actions.has_metadata);
	cdc_commit_actions_free(&actions);
}

static void test_some_columns(void **state)
{
	(void)state;
	create();
	rival = rival_adds_the_first;
	merge_ok(&io, CDC_EVOLVE_ADD, NULL, ours);
	expect(3, "id long, a date, b string", 2, "");
}

/* Rows that were made for other columns cannot be committed; a run of its own can. */
static void test_other_columns(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	create();
	rival = rival_adds_another;
	assert_int_equal(merge(&io, CDC_EVOLVE_ADD, NULL, ours, &err), CDC_ECONFLICT);
	assert_non_null(strstr(err.msg, "changed the schema"));
	expect(2, "id long, c date", 1, "");
	merge_ok(&io, CDC_EVOLVE_ADD, NULL, ours);
	expect(3, "id long, c date, a date, b string", 2, "");
}

static void test_other_type(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	create();
	rival = rival_types_otherwise;
	assert_int_equal(merge(&io, CDC_EVOLVE_ADD, NULL, ours, &err), CDC_ECONFLICT);
	expect(2, "id long, b date", 1, "");
}

static void test_widening(void **state)
{
	static const char *const first[] = { SCHEMA(COLUMN("n", "short")),
					     INSERT("\"id\":\"1\",\"n\":\"7\""), NULL };
	static const char *const wider[] = { SCHEMA(COLUMN("n", "long")),
					     INSERT("\"id\":\"2\",\"n\":\"5000000000\""), NULL };

	(void)state;
	merge_ok(&cdc_io_posix, CDC_EVOLVE_FAIL, NULL, first);
	rival = rival_adds_rows;
	merge_ok(&io, CDC_EVOLVE_WIDEN, NULL, wider);
	assert_int_equal(retries, 1);
	expect(3, "id long, n long", 3, "");
}

/* Both writers' properties are there in the end, the later one's where they differ. */
static void test_properties(void **state)
{
	static const char *const property[] = { "my.a=1", "my.b=1", NULL };
	static const char *const nothing[] = { NULL };

	(void)state;
	create();
	rival = rival_sets_properties;
	merge_ok(&io, CDC_EVOLVE_FAIL, property, nothing);
	expect(3, "id long", 1, "my.b=1 my.c=3 my.a=1");
}

static void test_properties_by_other(void **state)
{
	static const char *const property[] = { "my.b=2", NULL };
	static const char *const nothing[] = { NULL };

	(void)state;
	create();
	rival = rival_sets_properties;
	merge_ok(&io, CDC_EVOLVE_FAIL, property, nothing);
	expect(2, "id long", 1, "my.b=2 my.c=3");
}

/* Every call fails once; `onward`: some of them, and all that follow. */
static void sweep(bool onward)
{
	static const char *const property[] = { "my.b=2", "delta.columnMapping.mode=name", NULL };
	bool more = true;

	for (uint64_t n = 1; more; n += onward ? 7 : 1) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_snapshot *s;
		struct faultio f;
		void *no_state = NULL;

		assert_int_equal(make_dir(&no_state), 0);
		create();
		faultio_init(&f, &cdc_io_posix);
		f.fail_at = n;
		f.fail_for = onward ? 0 : 1;
		f.fail_errno = EIO;
		(void)merge(&f.io, CDC_EVOLVE_ADD, property, ours, &err);
		more = f.hits > 0;
		err = (struct cdc_err)CDC_ERR_INIT;
		if (cdc_snapshot_load(&s, &cdc_io_posix, dir, -1, &err))
			fail_msg("call %llu: %s", (unsigned long long)n, err.msg);
		assert_true(s->version <= 3);
		assert_int_equal(s->schema.num_fields, s->version == 3 ? 3 : 1);
		cdc_snapshot_free(s);
		/* Properties and columns are there once, rows replace themselves. */
		merge_ok(&cdc_io_posix, CDC_EVOLVE_ADD, property, ours);
		if (cdc_snapshot_load(&s, &cdc_io_posix, dir, -1, &err))
			fail_msg("call %llu: %s", (unsigned long long)n, err.msg);
		assert_int_equal(s->schema.num_fields, 3);
		assert_true(cdc_str_eqz(s->schema.field[0].physical_name, "id"));
		assert_int_equal(s->num_adds, 2);
		cdc_snapshot_free(s);
		assert_int_equal(remove_dir(&no_state), 0);
	}
}

static void test_failures(void **state)
{
	(void)state;
	sweep(false);
	sweep(true);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rows),
		TEST(test_same_columns),
		TEST(test_some_columns),
		TEST(test_other_columns),
		TEST(test_other_type),
		TEST(test_widening),
		TEST(test_properties),
		TEST(test_properties_by_other),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
