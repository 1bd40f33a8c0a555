/*
 * Proves what cdc.h promises beyond what merge and scan do: options of other sizes, errors that
 * stay, arguments that are copied, batches by hand, rejects, positions, rows over many batches.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cdc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/test_public.XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const char *const id_key[] = { "id", NULL };

/* Options of a table that is made when it is not there. */
static struct cdc_apply_options options(const char *name)
{
	struct cdc_apply_options o = CDC_APPLY_OPTIONS_INIT;

	o.table = path_of(name);
	o.schema = "id BIGINT NOT NULL, name STRING";
	o.key = id_key;
	o.create = 1;
	return o;
}

static int put(struct cdc_apply *a, const char *line, struct cdc_error *e)
{
	return cdc_apply_put(a, line, strlen(line), e);
}

static int insert(struct cdc_apply *a, int id, const char *more, struct cdc_error *e)
{
	char line[256];

	snprintf(line, sizeof(line),
		 "{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":\"%d\",\"name\":\"n%d\"}%s}",
		 id, id, more);
	return put(a, line, e);
}

static size_t count_rows(const char *name, int64_t version)
{
	struct cdc_table *t;
	struct cdc_cursor *c;
	struct cdc_error e;
	const char *line;
	size_t n = 0, length;
	int rc;

	assert_int_equal(cdc_table_open(&t, path_of(name), version, &e), 0);
	assert_int_equal(cdc_cursor_open(&c, t, NULL, &e), 0);
	while ((rc = cdc_cursor_next(c, &line, &length, &e)) == 0) {
		assert_int_equal(strlen(line), length);
		assert_int_equal(line[length - 1], '}');
		n++;
	}
	assert_int_equal(rc, CDC_CURSOR_END);
	assert_null(line);
	assert_int_equal(cdc_cursor_next(c, &line, &length, NULL), CDC_CURSOR_END);
	cdc_cursor_close(c);
	cdc_table_close(t);
	return n;
}

static void options_of_other_sizes(void **state)
{
	struct {
		struct cdc_apply_options known;
		uint64_t later;
	} o;
	struct cdc_apply *a = (struct cdc_apply *)&o;
	struct cdc_error e;

	(void)state;
	memset(&o, 0, sizeof(o));
	o.known = options("sizes");
	o.known.size = 0;
	assert_int_equal(cdc_apply_open(&a, &o.known, &e), CDC_ERROR_USAGE);
	assert_int_equal(e.code, CDC_ERROR_USAGE);
	assert_null(a);
	assert_int_equal(cdc_apply_open(&a, NULL, &e), CDC_ERROR_USAGE);
	/* A caller of an older header: what lies behind its struct is not looked at. */
	o.known.size = offsetof(struct cdc_apply_options, create);
	o.known.mode = 99;
	assert_int_equal(cdc_apply_open(&a, &o.known, &e), 0);
	cdc_apply_close(a);
	o.known.size = sizeof(o.known);
	assert_int_equal(cdc_apply_open(&a, &o.known, &e), CDC_ERROR_USAGE);
	o.known.mode = CDC_APPLY_AUTO;
	/* One of a newer header, whose new member says nothing, then something. */
	o.known.size = sizeof(o);
	assert_int_equal(cdc_apply_open(&a, &o.known, &e), 0);
	cdc_apply_close(a);
	o.later = 1;
	assert_int_equal(cdc_apply_open(&a, &o.known, &e), CDC_ERROR_USAGE);
	o.known.size = sizeof(o.known);
	o.known.table = NULL;
	assert_int_equal(cdc_apply_open(&a, &o.known, NULL), CDC_ERROR_USAGE);
	cdc_apply_close(NULL);
	cdc_table_close(NULL);
	cdc_cursor_close(NULL);
}

static void arguments_are_copied(void **state)
{
	char schema[] = "id BIGINT NOT NULL, name STRING", name[] = "id", table[128], line[64];
	const char *key[] = { name, NULL };
	struct cdc_apply_options o = options("copied");
	struct cdc_apply *a;
	struct cdc_error e;

	(void)state;
	snprintf(table, sizeof(table), "%s", o.table);
	o.table = table;
	o.schema = schema;
	o.key = key;
	assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
	memset(schema, 'x', sizeof(schema) - 1);
	memset(name, 'x', sizeof(name) - 1);
	memset(table, 'x', sizeof(table) - 1);
	key[0] = NULL;
	strcpy(line, "{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":\"7\"}}\r\n");
	assert_int_equal(put(a, line, &e), 0);
	memset(line, 'x', sizeof(line));
	assert_int_equal(put(a, "\n", &e), 0);
	assert_int_equal(put(a, "", &e), 0);
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	cdc_apply_close(a);
	assert_int_equal(count_rows("copied", -1), 1);
}

/* Only what was committed is there, and a handle goes on after a commit. */
static void batches_by_hand(void **state)
{
	struct cdc_apply_options o = options("batches");
	struct cdc_apply *a;
	struct cdc_error e;

	(void)state;
	assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
	assert_int_equal(cdc_apply_version(a), -1);
	assert_int_equal(insert(a, 1, "", &e), 0);
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	assert_int_equal(cdc_apply_version(a), 1);
	assert_int_equal(insert(a, 2, "", &e), 0);
	assert_int_equal(count_rows("batches", -1), 1);
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	assert_int_equal(cdc_apply_version(a), 2);
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	assert_int_equal(cdc_apply_version(a), 2);
	assert_int_equal(insert(a, 3, "", &e), 0);
	cdc_apply_close(a);
	assert_int_equal(count_rows("batches", -1), 2);
	assert_int_equal(count_rows("batches", 1), 1);
	assert_int_equal(count_rows("batches", 0), 0);
}

static void errors_stay(void **state)
{
	struct cdc_apply_options o = options("errors");
	struct cdc_error first, again;
	struct cdc_apply *a;

	(void)state;
	assert_int_equal(cdc_apply_open(&a, &o, &first), 0);
	assert_int_equal(insert(a, 1, "", &first), 0);
	assert_int_equal(cdc_apply_commit(a, &first), 0);
	assert_int_equal(insert(a, 2, "", &first), 0);
	assert_int_equal(
		put(a, "{\"recordType\":\"INSERT\",\"afterImages\":{\"id\":\"x\"}}", &first),
		CDC_ERROR_DATA);
	assert_int_equal(first.code, CDC_ERROR_DATA);
	assert_non_null(strstr(first.message, "record 3: "));
	assert_int_equal(insert(a, 4, "", &again), CDC_ERROR_DATA);
	assert_string_equal(again.message, first.message);
	assert_int_equal(cdc_apply_commit(a, &again), CDC_ERROR_DATA);
	assert_string_equal(again.message, first.message);
	assert_int_equal(cdc_apply_version(a), 1);
	cdc_apply_close(a);
	assert_int_equal(count_rows("errors", -1), 1);
}

struct seen {
	int rejects;
	uint64_t number;
	char reason[200];
	char line[200];
	int commits;
	int stop;
};

static int on_reject(void *context, const struct cdc_apply_reject *r)
{
	struct seen *s = context;

	s->rejects++;
	s->number = r->number;
	snprintf(s->reason, sizeof(s->reason), "%s", r->reason);
	snprintf(s->line, sizeof(s->line), "%.*s", (int)r->length, r->line);
	return s->stop;
}

static void on_commit(void *context, const struct cdc_apply_result *r)
{
	struct seen *s = context;

	s->commits++;
	assert_int_equal(r->version, 1);
	assert_int_equal(r->inserted, 1);
	assert_int_equal(r->files_added, 1);
}

static void rejects(void **state)
{
	struct cdc_apply_options o = options("rejects");
	struct seen s = { .rejects = 0 };
	struct cdc_apply *a;
	struct cdc_error e;

	(void)state;
	o.on_reject = on_reject;
	o.on_commit = on_commit;
	o.context = &s;
	assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
	assert_int_equal(insert(a, 1, "", &e), 0);
	assert_int_equal(put(a, "{no record\n", &e), 0);
	assert_int_equal(s.rejects, 1);
	assert_int_equal(s.number, 2);
	assert_string_equal(s.line, "{no record");
	assert_true(s.reason[0] != '\0');
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	assert_int_equal(s.commits, 1);
	s.stop = 1;
	assert_int_equal(put(a, "{no record", &e), CDC_ERROR_DATA);
	assert_int_equal(s.rejects, 2);
	cdc_apply_close(a);
}

static void positions(void **state)
{
	struct cdc_apply_options o = options("positions");
	struct cdc_apply *a;
	struct cdc_table *t;
	struct cdc_error e;

	(void)state;
	o.stream = "s:1";
	for (int round = 0; round < 2; round++) {
		assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
		assert_int_equal(
			insert(a, 1,
			       ",\"position\":{\"topic\":\"q\\\"t\",\"partition\":3,\"offset\":41}",
			       &e),
			0);
		assert_int_equal(cdc_apply_commit(a, &e), 0);
		assert_int_equal(cdc_apply_skipped(a), round);
		assert_int_equal(cdc_apply_version(a), round ? -1 : 1);
		cdc_apply_close(a);
	}
	assert_int_equal(cdc_table_open(&t, path_of("positions"), -1, &e), 0);
	assert_int_equal(cdc_table_version(t), 1);
	assert_int_equal(cdc_table_position(t, "s:1", "q\"t", 3), 41);
	assert_int_equal(cdc_table_position(t, "s:1", "q\"t", 33), -1);
	assert_int_equal(cdc_table_position(t, "s:1", "q\"", 3), -1);
	assert_int_equal(cdc_table_position(t, "s", "1:q\"t", 3), 41);
	assert_int_equal(cdc_table_position(t, NULL, "q\"t", 3), -1);
	assert_int_equal(cdc_table_position(t, "s:1", NULL, 0), -1);
	cdc_table_close(t);

	o = options("numbered");
	o.identity = CDC_APPLY_BY_RECORD_ID;
	assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
	assert_int_equal(insert(a, 1, ",\"recordID\":99", &e), 0);
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	cdc_apply_close(a);
	assert_int_equal(cdc_table_open(&t, path_of("numbered"), -1, &e), 0);
	assert_int_equal(cdc_table_position(t, NULL, NULL, 0), 99);
	assert_int_equal(cdc_table_position(t, "cdc", NULL, 0), 99);
	cdc_table_close(t);
}

static void no_such_table(void **state)
{
	struct cdc_apply_options o = options("absent");
	struct cdc_table *t = (struct cdc_table *)&o;
	struct cdc_apply *a;
	struct cdc_error e;

	(void)state;
	assert_int_equal(cdc_table_open(&t, path_of("absent"), -1, &e), CDC_ERROR_USAGE);
	assert_null(t);
	assert_non_null(strstr(e.message, "absent"));
	o.create = 0;
	assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
	assert_int_equal(insert(a, 1, "", &e), CDC_ERROR_USAGE);
	cdc_apply_close(a);
	assert_int_equal(access(path_of("absent"), F_OK), -1);
}

/* More rows than a batch holds, in order, with the columns that were asked for. */
static void many_rows(void **state)
{
	static const char *const columns[] = { "name", "id", NULL };
	static const char *const unknown[] = { "id", "other", NULL };
	struct cdc_apply_options o = options("many");
	struct cdc_apply *a;
	struct cdc_table *t;
	struct cdc_cursor *c, *d;
	struct cdc_error e;
	const char *line, *json;
	size_t length;
	const int n = 10000;

	(void)state;
	assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(insert(a, i, "", &e), 0);
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	cdc_apply_close(a);

	assert_int_equal(cdc_table_open(&t, path_of("many"), -1, &e), 0);
	assert_int_equal(cdc_table_column_count(t), 2);
	assert_string_equal(cdc_table_column_name(t, 0), "id");
	assert_string_equal(cdc_table_column_name(t, 1), "name");
	assert_null(cdc_table_column_name(t, 2));
	assert_int_equal(cdc_table_describe(t, &json, &e), 0);
	assert_non_null(strstr(json, "\"rows\":10000,"));
	assert_int_equal(cdc_table_describe(t, &json, &e), 0);
	assert_int_equal(strlen(strchr(json, '{')), strlen(json));

	assert_int_equal(cdc_cursor_open(&d, t, unknown, &e), CDC_ERROR_USAGE);
	assert_null(d);
	assert_non_null(strstr(e.message, "\"other\""));
	assert_int_equal(cdc_cursor_open(&c, t, columns, &e), 0);
	assert_int_equal(cdc_cursor_open(&d, t, NULL, &e), 0);
	for (int i = 0; i < n; i++) {
		char want[64];

		assert_int_equal(cdc_cursor_next(c, &line, &length, &e), 0);
		snprintf(want, sizeof(want), "{\"name\":\"n%d\",\"id\":%d}", i, i);
		assert_string_equal(line, want);
		assert_int_equal(length, strlen(want));
		assert_int_equal(cdc_cursor_next(d, &line, &length, &e), 0);
	}
	assert_int_equal(cdc_cursor_next(c, &line, &length, &e), CDC_CURSOR_END);
	cdc_cursor_close(c);
	cdc_cursor_close(d);
	cdc_table_close(t);
}

/* A damaged file is an error that stays with the cursor. */
static void damaged(void **state)
{
	struct cdc_apply_options o = options("damaged");
	struct cdc_apply *a;
	struct cdc_table *t;
	struct cdc_cursor *c;
	struct cdc_error e;
	const char *line;
	char command[128];
	size_t length;

	(void)state;
	assert_int_equal(cdc_apply_open(&a, &o, &e), 0);
	assert_int_equal(insert(a, 1, "", &e), 0);
	assert_int_equal(cdc_apply_commit(a, &e), 0);
	cdc_apply_close(a);
	snprintf(command, sizeof(command), "rm %s/damaged/*.parquet", dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(cdc_table_open(&t, path_of("damaged"), -1, &e), 0);
	assert_int_equal(cdc_cursor_open(&c, t, NULL, &e), 0);
	assert_int_equal(cdc_cursor_next(c, &line, &length, NULL), CDC_ERROR_CORRUPT);
	assert_int_equal(cdc_cursor_next(c, &line, &length, &e), CDC_ERROR_CORRUPT);
	assert_int_equal(e.code, CDC_ERROR_CORRUPT);
	assert_null(line);
	cdc_cursor_close(c);
	cdc_table_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_other_sizes),
		cmocka_unit_test(arguments_are_copied),
		cmocka_unit_test(batches_by_hand),
		cmocka_unit_test(errors_stay),
		cmocka_unit_test(rejects),
		cmocka_unit_test(positions),
		cmocka_unit_test(no_such_table),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
