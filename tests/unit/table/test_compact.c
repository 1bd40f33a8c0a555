/*
 * Proves that compaction keeps every row, and their order where it is not asked for another; that
 * it leaves nothing to do for a second run; that row groups are taken over whole where they are
 * large and decoded where they are small, and that the statistics are exact either way; that
 * sorted files are sorted, whatever the memory; that Z-ordered ones are narrow in each column.
 */
#include "compact_table.h"

#include "base/json.h"

static const char *const dv_on[] = { "delta.enableDeletionVectors=true", NULL };

/* ------------------------------------------------------------------ packing */

static void random_table(struct ct *t, bool partitioned, int parts)
{
	int64_t top = 0;

	for (int batch = 0; batch < 8; batch++) {
		enum cdc_merge_mode mode = ct_random(t, 2) ? CDC_MERGE_DV : CDC_MERGE_COW;
		int rows = 1 + (int)ct_random(t, ct_random(t, 3) ? 40 : 3000);
		struct ct_merge w;

		ct_begin(&w, t, mode, dv_on, partitioned);
		for (int i = 0; i < rows; i++, top++)
			ct_put(&w, top, (int)(top % parts));
		for (int i = 0; i < (int)ct_random(t, 200); i++)
			ct_delete(&w, (int64_t)ct_random(t, (uint64_t)top));
		ct_end(&w);
	}
}

/* The lines of one partition, in their order. */
static void of_partition(const struct ct_rows *all, int part, struct ct_rows *out)
{
	char prefix[16];
	size_t n = (size_t)snprintf(prefix, sizeof(prefix), "'p%d'|", part);

	*out = (struct ct_rows){ .line = calloc(all->n + 1, sizeof(*out->line)) };
	for (size_t i = 0; i < all->n; i++)
		if (!strncmp(all->line[i], prefix, n))
			out->line[out->n++] = all->line[i];
}

static void one_table(uint64_t seed)
{
	int parts = 1 + (int)(seed % 4);
	bool partitioned = seed % 3 > 0;
	struct cdc_compact_result r;
	struct ct_rows before, after;
	struct ct t;

	ct_init(&t, seed);
	random_table(&t, partitioned, parts);
	ct_read(&t, &before);
	ct_compacts(&t, (struct cdc_compact_options){ .dv_percent = 1 + (int)(seed % 30) }, &r);
	ct_read(&t, &after);
	for (int p = 0; p < parts && partitioned; p++) {
		struct ct_rows a, b;

		of_partition(&before, p, &a);
		of_partition(&after, p, &b);
		ct_same(&a, &b);
		free(a.line);
		free(b.line);
	}
	if (!partitioned)
		ct_same(&before, &after);
	assert_int_equal(before.n, after.n);
	assert_int_equal(ct_strays(&t), 0);
	ct_compacts(&t, (struct cdc_compact_options){ .dv_percent = 1 + (int)(seed % 30) }, &r);
	assert_int_equal(r.version, -1);
	ct_rows_free(&before);
	ct_rows_free(&after);
	ct_free(&t);
}

static void random_tables(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++)
		one_table(seed);
}

/* Whatever sizes the files have, one run leaves nothing for another. */
static void second_run_has_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct cdc_compact_options o = { .target_bytes = 6000 + 3000 * seed };
		struct cdc_compact_result r;
		struct ct_rows before;
		struct ct t;
		int64_t id = 0;

		ct_init(&t, seed);
		for (int f = 0; f < 30; f++) {
			struct ct_merge w;
			int rows = 1 + (int)ct_random(&t, 250);

			ct_begin(&w, &t, CDC_MERGE_DV, dv_on, false);
			for (int i = 0; i < rows; i++)
				ct_put(&w, id++, 0);
			ct_end(&w);
		}
		ct_read(&t, &before);
		ct_compacts(&t, o, &r);
		assert_true(r.version > 0);
		assert_true(r.files_added < r.files_removed);
		ct_check(&t, &before);
		ct_compacts(&t, o, &r);
		assert_int_equal(r.version, -1);
		ct_rows_free(&before);
		ct_free(&t);
	}
}

static void only_chosen_partitions(void **state)
{
	struct cdc_compact_options o = { .where = "part in ('p1', 'p2')" };
	struct cdc_compact_result r;
	struct cdc_snapshot *s;
	struct ct_rows before;
	struct cdc_err err;
	struct ct t;
	int files[4] = { 0 };

	(void)state;
	ct_init(&t, 5);
	for (int f = 0; f < 3; f++) {
		struct ct_merge w;

		ct_begin(&w, &t, CDC_MERGE_DV, dv_on, true);
		for (int i = 0; i < 40; i++)
			ct_put(&w, f * 40 + i, i % 4);
		ct_end(&w);
	}
	ct_read(&t, &before);
	ct_compacts(&t, o, &r);
	assert_int_equal(r.files_removed, 6);
	assert_int_equal(r.files_added, 2);
	s = ct_state(&t);
	for (size_t i = 0; i < s->num_adds; i++)
		files[s->add[i].partition_value[0].value.p[1] - '0']++;
	assert_int_equal(files[0], 3);
	assert_int_equal(files[1], 1);
	assert_int_equal(files[2], 1);
	assert_int_equal(files[3], 3);
	cdc_snapshot_free(s);
	ct_check(&t, &before);
	o.where = "part = 'p0' and n > 3";
	assert_int_equal(ct_compact(&t, o, &r, &err), CDC_EUSAGE);
	assert_non_null(strstr(err.msg, "\"n\" is no partition column"));
	o.where = "part = ";
	assert_int_equal(ct_compact(&t, o, &r, &err), CDC_EUSAGE);
	ct_rows_free(&before);
	ct_free(&t);
}

/* ------------------------------------------------------------------ row groups */

#define LARGE 132000 /* rows: more than is decoded for being few */

static void large_files(struct ct *t, int files, const int *rows)
{
	int64_t id = 0;

	for (int f = 0; f < files; f++) {
		struct ct_merge w;

		ct_begin(&w, t, CDC_MERGE_DV, dv_on, false);
		for (int i = 0; i < rows[f]; i++)
			ct_put(&w, id++, f);
		ct_end(&w);
	}
}

static int32_t row_groups(struct ct *t, size_t *files)
{
	struct cdc_snapshot *s = ct_state(t);
	struct cdc_err err = CDC_ERR_INIT;
	int32_t n = 0;

	*files = s->num_adds;
	for (size_t i = 0; i < s->num_adds; i++) {
		struct cdc_datafile *df;

		assert_int_equal(cdc_datafile_open(&df, &cdc_io_posix, s, &s->add[i], &err), 0);
		n += cdc_datafile_row_groups(df);
		cdc_datafile_close(df);
	}
	cdc_snapshot_free(s);
	return n;
}

/* What the statistics of the only file say, against a count of the lines. */
static void check_statistics(struct ct *t, const struct ct_rows *rows)
{
	struct cdc_snapshot *s = ct_state(t);
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int64_t min = INT64_MAX, max = INT64_MIN, nulls = 0, told = 0;
	uint32_t min_values, max_values, null_count;

	assert_int_equal(s->num_adds, 1);
	for (size_t i = 0; i < rows->n; i++) {
		int64_t id, n;
		char d[40], rest[80];

		assert_int_equal(sscanf(rows->line[i],
					"'p%*d'|%" SCNd64 "|%" SCNd64 "|%39[^|]|%79s", &id, &n, d,
					rest),
				 4);
		min = n < min ? n : min;
		max = n > max ? n : max;
		nulls += !strcmp(d, "null");
	}
	assert_int_equal(cdc_json_scan(&tape, s->add[0].stats, NULL, &err), 0);
	assert_int_equal(cdc_stats_num_records(s->add[0].stats), rows->n);
	min_values = cdc_json_get(&tape, 0, "minValues");
	max_values = cdc_json_get(&tape, 0, "maxValues");
	null_count = cdc_json_get(&tape, 0, "nullCount");
	assert_true(cdc_json_int64(&tape, cdc_json_get(&tape, min_values, "n"), &told));
	assert_int_equal(told, min);
	assert_true(cdc_json_int64(&tape, cdc_json_get(&tape, max_values, "n"), &told));
	assert_int_equal(told, max);
	assert_true(cdc_json_int64(&tape, cdc_json_get(&tape, null_count, "d"), &told));
	assert_int_equal(told, nulls);
	/* NaN is among the values: numbers for d would be no bounds in Spark's order. */
	assert_true(cdc_json_get(&tape, min_values, "d") == CDC_JSON_NONE);
	assert_true(cdc_json_get(&tape, max_values, "d") == CDC_JSON_NONE);
	cdc_tape_free(&tape);
	cdc_snapshot_free(s);
}

static void large_row_groups_are_copied(void **state)
{
	/* The small file in the middle is decoded, and so is the one after it, with which it shares
	 * a row group. */
	static const int rows[] = { LARGE, 100, LARGE + 1, LARGE + 2 };
	struct cdc_compact_result r;
	struct ct_rows before, after;
	struct ct t;
	size_t files;

	(void)state;
	ct_init(&t, 7);
	large_files(&t, 4, rows);
	ct_read(&t, &before);
	ct_compacts(&t, (struct cdc_compact_options){ .dv_percent = 0 }, &r);
	assert_int_equal(r.rows, 3 * LARGE + 3 + 100);
	assert_int_equal(r.rows_copied, 2 * LARGE + 2);
	assert_int_equal(row_groups(&t, &files), 3);
	assert_int_equal(files, 1);
	ct_read(&t, &after);
	ct_same(&before, &after);
	check_statistics(&t, &after);
	ct_rows_free(&before);
	ct_rows_free(&after);
	ct_free(&t);
}

static void small_row_groups_are_decoded(void **state)
{
	int rows[40];
	struct cdc_compact_result r;
	struct ct_rows before, after;
	struct ct t;
	size_t files;

	(void)state;
	for (int i = 0; i < 40; i++)
		rows[i] = 100;
	ct_init(&t, 8);
	large_files(&t, 40, rows);
	ct_read(&t, &before);
	ct_compacts(&t, (struct cdc_compact_options){ .dv_percent = 0 }, &r);
	assert_int_equal(r.rows_copied, 0);
	assert_int_equal(row_groups(&t, &files), 1);
	ct_read(&t, &after);
	ct_same(&before, &after);
	check_statistics(&t, &after);
	ct_rows_free(&before);
	ct_rows_free(&after);
	ct_free(&t);
}

static void marked_row_groups_are_decoded(void **state)
{
	static const int rows[] = { LARGE, LARGE };
	struct cdc_compact_result r;
	struct ct_merge w;
	struct ct_rows before, after;
	struct ct t;

	(void)state;
	ct_init(&t, 9);
	large_files(&t, 2, rows);
	ct_begin(&w, &t, CDC_MERGE_DV, NULL, false);
	ct_delete(&w, 5);
	ct_delete(&w, LARGE - 1);
	ct_end(&w);
	ct_read(&t, &before);
	assert_int_equal(before.n, 2 * LARGE - 2);
	ct_compacts(&t, (struct cdc_compact_options){ .dv_percent = 0 }, &r);
	assert_int_equal(r.rows, 2 * LARGE - 2);
	assert_int_equal(r.rows_copied, LARGE);
	assert_int_equal(r.dvs_removed, 1);
	ct_read(&t, &after);
	/* The file that was marked was added again: it is the last. */
	assert_int_equal(before.n, after.n);
	check_statistics(&t, &after);
	ct_check(&t, &before);
	ct_rows_free(&before);
	ct_rows_free(&after);
	ct_free(&t);
}

/* MIN is answered from the statistics: that of plain zeros is not -0.0, though row groups say so.
 */
static void zeros_keep_their_sign(void **state)
{
	static const char *const value[] = { "0.0", "-0.0" };
	static const char *const told[] = { "\"d\":0.0,", "\"d\":-0.0," };

	(void)state;
	for (int i = 0; i < 2; i++) {
		static const int rows[] = { LARGE, LARGE };
		struct cdc_compact_result r;
		struct cdc_snapshot *s;
		struct ct t;

		ct_init(&t, 10);
		t.only_d = value[i];
		large_files(&t, 2, rows);
		ct_compacts(&t, (struct cdc_compact_options){ .dv_percent = 0 }, &r);
		assert_int_equal(r.rows_copied, 2 * LARGE);
		s = ct_state(&t);
		assert_non_null(
			memmem(s->add[0].stats.p, s->add[0].stats.n, told[i], strlen(told[i])));
		cdc_snapshot_free(s);
		ct_free(&t);
	}
}

/* ------------------------------------------------------------------ sorting */

/* The order that is asked for, written down without the code under test. */
static int by_d_then_s(const struct ct_rows *r, size_t i, size_t j)
{
	char *line[2] = { strdup(r->line[i]), strdup(r->line[j]) };
	char *field[2][5];
	int c = 0;

	for (int k = 0; k < 2; k++) {
		char *save = NULL;

		for (int f = 0; f < 5; f++)
			field[k][f] = strtok_r(f ? NULL : line[k], "|", &save);
	}
	for (int f = 3; !c && f < 5; f++) {
		bool null[2] = { !strcmp(field[0][f], "null"), !strcmp(field[1][f], "null") };

		if (null[0] || null[1]) {
			c = null[1] - null[0];
		} else if (f == 4) {
			c = strcmp(field[0][f], field[1][f]);
		} else {
			double a = strtod(field[0][f], NULL), b = strtod(field[1][f], NULL);

			c = a != a || b != b ? (a != a) - (b != b) : (a > b) - (a < b);
		}
	}
	free(line[0]);
	free(line[1]);
	return c;
}

static void sort_rows(uint64_t memory, uint64_t target)
{
	static const char *const cols[] = { "d", "s", NULL };
	struct cdc_compact_options o = { .sort_by = cols,
					 .memory_bytes = memory,
					 .target_bytes = target };
	struct cdc_compact_result r;
	struct ct_rows before, after;
	struct ct t;

	ct_init(&t, 11);
	random_table(&t, true, 2);
	ct_read(&t, &before);
	ct_compacts(&t, o, &r);
	assert_int_equal(r.rows, before.n);
	ct_read(&t, &after);
	for (int p = 0; p < 2; p++) {
		struct ct_rows rows;

		of_partition(&after, p, &rows);
		assert_true(rows.n > 100);
		for (size_t i = 1; i < rows.n; i++)
			assert_true(by_d_then_s(&rows, i - 1, i) <= 0);
		free(rows.line);
	}
	ct_check(&t, &before);
	assert_int_equal(ct_strays(&t), 0);
	ct_rows_free(&before);
	ct_rows_free(&after);
	ct_free(&t);
}

static void sorted_in_memory(void **state)
{
	(void)state;
	sort_rows(0, 0);
}

static void sorted_into_many_files(void **state)
{
	(void)state;
	sort_rows(1 << 20, 4000);
}

/* More rows than the memory holds, several times. */
static void sorted_on_disk(void **state)
{
	static const int rows[] = { 30000, 30000 };
	static const char *const cols[] = { "s", NULL };
	struct cdc_compact_options o = { .sort_by = cols, .memory_bytes = 1 << 20 };
	struct cdc_compact_result r;
	struct ct_rows before, after;
	struct ct t;

	(void)state;
	ct_init(&t, 12);
	large_files(&t, 2, rows);
	ct_read(&t, &before);
	ct_compacts(&t, o, &r);
	ct_read(&t, &after);
	for (size_t i = 1; i < after.n; i++) {
		const char *a =
			strrchr(after.line[i - 1], '\'') ? strstr(after.line[i - 1], "'text") : "";
		const char *b = strrchr(after.line[i], '\'') ? strstr(after.line[i], "'text") : "";

		assert_true(strcmp(a ? a : "", b ? b : "") <= 0);
	}
	ct_check(&t, &before);
	ct_rows_free(&before);
	ct_rows_free(&after);
	ct_free(&t);
}

static void bad_columns_are_refused(void **state)
{
	static const char *const none[] = { "nothing", NULL };
	static const char *const part[] = { "part", NULL };
	struct cdc_compact_result r;
	struct ct_merge w;
	struct cdc_err err;
	struct ct t;

	(void)state;
	ct_init(&t, 13);
	ct_begin(&w, &t, CDC_MERGE_DV, NULL, true);
	ct_put(&w, 1, 1);
	ct_end(&w);
	assert_int_equal(ct_compact(&t, (struct cdc_compact_options){ .sort_by = none }, &r, &err),
			 CDC_EUSAGE);
	assert_non_null(strstr(err.msg, "nothing"));
	assert_int_equal(ct_compact(&t, (struct cdc_compact_options){ .sort_by = part }, &r, &err),
			 CDC_EUSAGE);
	assert_non_null(strstr(err.msg, "partition column"));
	ct_free(&t);
}

/* The share of a column's range that a file covers, on average over the files, in percent. */
static int64_t covered(struct ct *t, int field, int64_t range)
{
	struct cdc_snapshot *s = ct_state(t);
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int64_t sum = 0;

	assert_true(s->num_adds >= 25);
	for (size_t i = 0; i < s->num_adds; i++) {
		struct cdc_file_stats st;

		assert_int_equal(cdc_stats_read(&s->schema, s->add[i].stats, &arena, &st, &err), 0);
		sum += st.column[field].max.i - st.column[field].min.i;
	}
	sum = 100 * sum / range / (int64_t)s->num_adds;
	cdc_arena_free(&arena);
	cdc_snapshot_free(s);
	return sum;
}

static void zordered_files_are_narrow(void **state)
{
	static const int rows[] = { 60000, 60000 };
	static const char *const cols[] = { "id", "n", NULL };
	struct cdc_compact_options o = { .sort_by = cols, .zorder = true, .target_bytes = 30000 };
	struct cdc_compact_result r;
	struct ct_rows before;
	struct ct t;

	(void)state;
	ct_init(&t, 14);
	large_files(&t, 2, rows);
	ct_read(&t, &before);
	ct_compacts(&t, o, &r);
	/* Forty files are rectangles of a sixth or so each side, or two of them that touch. */
	assert_true(covered(&t, 0, 120000) < 40);
	assert_true(covered(&t, 2, 100000) < 40);
	ct_check(&t, &before);
	ct_rows_free(&before);
	ct_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_tables),
		cmocka_unit_test(second_run_has_nothing),
		cmocka_unit_test(only_chosen_partitions),
		cmocka_unit_test(large_row_groups_are_copied),
		cmocka_unit_test(small_row_groups_are_decoded),
		cmocka_unit_test(marked_row_groups_are_decoded),
		cmocka_unit_test(zeros_keep_their_sign),
		cmocka_unit_test(sorted_in_memory),
		cmocka_unit_test(sorted_into_many_files),
		cmocka_unit_test(sorted_on_disk),
		cmocka_unit_test(bad_columns_are_refused),
		cmocka_unit_test(zordered_files_are_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
