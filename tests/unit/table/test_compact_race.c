/*
 * Proves that a compaction and another writer that race both succeed: just before the compaction's
 * commit somebody else commits. Afterwards the rows are those that the other writer left, whatever
 * it did to the files that were being rewritten; nothing lies about that no version names; and what
 * could be kept of the work was kept.
 */
#include "compact_table.h"

static const char *const dv_on[] = { "delta.enableDeletionVectors=true", NULL };

struct race {
	struct ct t;
	void (*act)(struct race *r);
	int times; /* how often the other writer is faster; -1: always */
	int acted;
	struct ct_rows want; /* what it left */
	int64_t next_id;
};

static int race_link(void *ctx, const char *from, const char *to)
{
	struct race *r = ctx;

	if (strstr(to, "_delta_log") && r->act && r->acted != r->times) {
		r->acted++;
		r->act(r);
		ct_rows_free(&r->want);
		ct_read(&r->t, &r->want);
	}
	return cdc_io_posix.link(NULL, from, to);
}

/* `files` files of `rows` rows, with ids in a row; partitioned: each has both partitions. */
static void race_table(struct race *r, uint64_t seed, int files, int rows, bool partitioned)
{
	*r = (struct race){ .act = NULL };
	ct_init(&r->t, seed);
	r->t.io.ctx = r;
	r->t.io.link = race_link;
	for (int f = 0; f < files; f++) {
		struct ct_merge w;

		ct_begin(&w, &r->t, CDC_MERGE_DV, dv_on, partitioned);
		for (int i = 0; i < rows; i++, r->next_id++)
			ct_put(&w, r->next_id, (int)(r->next_id % 2));
		ct_end(&w);
	}
	ct_read(&r->t, &r->want);
}

static void race_run(struct race *r, struct cdc_compact_options o, void (*act)(struct race *r),
		     int times, struct cdc_compact_result *result)
{
	r->act = act;
	r->times = times;
	ct_compacts(&r->t, o, result);
	assert_int_equal(r->acted, times);
	assert_true(result->retries >= (uint64_t)times);
	ct_check(&r->t, &r->want);
	assert_int_equal(ct_strays(&r->t), 0);
}

static void race_free(struct race *r)
{
	ct_rows_free(&r->want);
	ct_free(&r->t);
}

static void delete_rows(struct race *r, enum cdc_merge_mode mode, int n, const int64_t *id)
{
	struct ct_merge w;

	ct_begin(&w, &r->t, mode, NULL, false);
	for (int i = 0; i < n; i++)
		ct_delete(&w, id[i]);
	ct_end(&w);
}

static void check_dvs(struct race *r, size_t files, size_t dvs, int64_t rows)
{
	struct cdc_snapshot *s = ct_state(&r->t);
	size_t have = 0;
	int64_t marked = 0;

	assert_int_equal(s->num_adds, files);
	for (size_t i = 0; i < s->num_adds; i++) {
		const struct cdc_add *a = &s->add[i];

		if (!a->dv.storage)
			continue;
		assert_false(a->data_change);
		have++;
		marked += a->dv.cardinality;
		assert_non_null(memmem(a->stats.p, a->stats.n, "\"tightBounds\":false", 19));
	}
	assert_int_equal(have, dvs);
	assert_int_equal(marked, rows);
	cdc_snapshot_free(s);
}

/* ------------------------------------------------------------------ packing */

static void mark_some(struct race *r)
{
	static const int64_t id[] = { 3, 60, 61, 149 };

	delete_rows(r, CDC_MERGE_DV, 4, id);
}

static void marked_rows_are_carried(void **state)
{
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 1, 3, 50, false);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, mark_some, 1, &result);
	assert_int_equal(result.dvs_carried, 1);
	assert_int_equal(result.dvs_removed, 3);
	assert_int_equal(result.retries, 1);
	check_dvs(&r, 1, 1, 4);
	race_free(&r);
}

/* Places count from the rows that were live when the file was read. */
static void marks_before_and_after(void **state)
{
	static const int64_t before[] = { 0, 2, 59, 62, 100, 148 };
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 2, 3, 50, false);
	delete_rows(&r, CDC_MERGE_DV, 6, before);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, mark_some, 1, &result);
	check_dvs(&r, 1, 1, 4);
	race_free(&r);
}

static void mark_one_more(struct race *r)
{
	int64_t id[] = { 10 * r->acted, 100 + r->acted };

	delete_rows(r, CDC_MERGE_DV, 2, id);
}

static void lost_three_times(void **state)
{
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 3, 3, 50, false);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, mark_one_more, 3, &result);
	assert_int_equal(result.retries, 3);
	check_dvs(&r, 1, 1, 6);
	race_free(&r);
}

static void append_some(struct race *r)
{
	struct ct_merge w;

	ct_begin(&w, &r->t, CDC_MERGE_DV, NULL, false);
	for (int i = 0; i < 20; i++, r->next_id++)
		ct_put(&w, r->next_id, (int)(r->next_id % 2));
	ct_end(&w);
}

static void appends_do_not_matter(void **state)
{
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 4, 3, 50, false);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, append_some, 2, &result);
	assert_int_equal(result.files_removed, 3);
	assert_int_equal(result.dvs_carried, 0);
	race_free(&r);
}

static void rewrite_even(struct race *r)
{
	static const int64_t id[] = { 4 };

	delete_rows(r, CDC_MERGE_COW, 1, id);
}

/* Id 4 is in a file of partition p0: p1 is packed all the same. */
static void only_the_touched_bin_is_lost(void **state)
{
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 5, 3, 50, true);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, rewrite_even, 1, &result);
	assert_int_equal(result.bins, 2);
	assert_int_equal(result.bins_lost, 1);
	assert_int_equal(result.files_removed, 3);
	check_dvs(&r, 4, 0, 0);
	race_free(&r);
}

/* Nothing is left: the work is done again on what the other writer made. */
static void all_lost_is_done_again(void **state)
{
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 6, 3, 50, false);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, rewrite_even, 1, &result);
	assert_int_equal(result.bins_lost, 0);
	check_dvs(&r, 1, 0, 0);
	race_free(&r);
}

static void remove_file(struct race *r)
{
	int64_t id[50];

	for (int i = 0; i < 50; i++)
		id[i] = 50 + i;
	delete_rows(r, CDC_MERGE_DV, 50, id);
}

static void a_file_that_is_gone(void **state)
{
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 7, 3, 50, false);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, remove_file, 1, &result);
	check_dvs(&r, 1, 0, 0);
	race_free(&r);
}

/* The commit of somebody who sets a property. */
static void change_metadata(struct race *r)
{
	struct cdc_snapshot *s = ct_state(&r->t);
	struct cdc_kv config[8] = { { CDC_STR("user.note"), CDC_STR("x") } };
	struct cdc_metadata m = s->metadata;
	struct cdc_commit c = { .operation = "SET TBLPROPERTIES",
				.isolation = "Serializable",
				.read_version = s->version,
				.metadata = &m };
	struct cdc_err err = CDC_ERR_INIT;

	assert_true(m.num_config < 7);
	memcpy(config + 1, m.config, (size_t)m.num_config * sizeof(*config));
	m.config = config;
	m.num_config++;
	if (cdc_commit_put(&cdc_io_posix, r->t.dir, s->version + 1, &c, &err))
		fail_msg("%s", err.msg);
	cdc_snapshot_free(s);
}

static void metadata_is_read_anew(void **state)
{
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 8, 3, 50, false);
	race_run(&r, (struct cdc_compact_options){ .dv_percent = 0 }, change_metadata, 1, &result);
	check_dvs(&r, 1, 0, 0);
	race_free(&r);
}

static void too_often_is_a_conflict(void **state)
{
	struct cdc_compact_result result;
	struct cdc_err err;
	struct race r;

	(void)state;
	race_table(&r, 9, 3, 50, false);
	r.act = append_some;
	r.times = -1;
	assert_int_equal(
		ct_compact(&r.t, (struct cdc_compact_options){ .retries = 2 }, &result, &err),
		CDC_ECONFLICT);
	assert_int_equal(r.acted, 3);
	assert_true(err.msg[0]);
	ct_check(&r.t, &r.want);
	assert_int_equal(ct_strays(&r.t), 0);
	race_free(&r);
}

/* ------------------------------------------------------------------ sorting */

static void marked_rows_are_carried_through_a_sort(void **state)
{
	static const char *const cols[] = { "s", "n", NULL };
	static const int64_t before[] = { 0, 2, 59, 62, 100, 148 };
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 10, 3, 50, false);
	delete_rows(&r, CDC_MERGE_DV, 6, before);
	race_run(&r, (struct cdc_compact_options){ .sort_by = cols }, mark_some, 1, &result);
	assert_int_equal(result.dvs_carried, 1);
	check_dvs(&r, 1, 1, 4);
	race_free(&r);
}

static void mark_a_batch(struct race *r)
{
	struct ct_merge w;

	ct_begin(&w, &r->t, CDC_MERGE_DV, NULL, false);
	for (int64_t id = 0; id < 4100; id++)
		ct_delete(&w, id);
	ct_end(&w);
}

/* Of the new files, of 4096 rows each, the first has no row left, the second lacks four. */
static void a_file_without_rows_is_not_added(void **state)
{
	static const char *const cols[] = { "id", NULL };
	struct cdc_compact_options o = { .sort_by = cols, .target_bytes = 1 };
	struct cdc_compact_result result;
	struct race r;

	(void)state;
	race_table(&r, 11, 2, 9000, false);
	race_run(&r, o, mark_a_batch, 1, &result);
	assert_int_equal(result.dvs_carried, 1);
	check_dvs(&r, 4, 1, 4);
	race_free(&r);
}

/* ------------------------------------------------------------------ anything */

static void anything(struct race *r)
{
	enum cdc_merge_mode mode = ct_random(&r->t, 3) ? CDC_MERGE_DV : CDC_MERGE_COW;
	uint64_t deletes = ct_random(&r->t, 3) ? ct_random(&r->t, 30) : 0;
	uint64_t puts = ct_random(&r->t, 2) ? ct_random(&r->t, 20) : 0;
	struct ct_merge w;

	if (ct_random(&r->t, 8) == 0) {
		change_metadata(r);
		return;
	}
	ct_begin(&w, &r->t, mode, NULL, false);
	for (uint64_t i = 0; i < deletes; i++)
		ct_delete(&w, (int64_t)ct_random(&r->t, (uint64_t)r->next_id));
	for (uint64_t i = 0; i < puts; i++)
		ct_put(&w, (int64_t)ct_random(&r->t, (uint64_t)r->next_id + 10), (int)(i % 2));
	ct_end(&w);
}

static void random_races(void **state)
{
	static const char *const cols[] = { "n", "s", NULL };

	(void)state;
	for (uint64_t seed = 100; seed < 140; seed++) {
		struct cdc_compact_options o = { .sort_by = seed % 3 ? NULL : cols,
						 .zorder = seed % 2 };
		struct cdc_compact_result result;
		struct race r;

		race_table(&r, seed, 3 + (int)(seed % 3), 40, seed % 4 == 0);
		anything(&r);
		ct_rows_free(&r.want);
		ct_read(&r.t, &r.want);
		r.act = anything;
		r.times = 1 + (int)(seed % 3);
		ct_compacts(&r.t, o, &result);
		ct_check(&r.t, &r.want);
		assert_int_equal(ct_strays(&r.t), 0);
		race_free(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked_rows_are_carried),
		cmocka_unit_test(marks_before_and_after),
		cmocka_unit_test(lost_three_times),
		cmocka_unit_test(appends_do_not_matter),
		cmocka_unit_test(only_the_touched_bin_is_lost),
		cmocka_unit_test(all_lost_is_done_again),
		cmocka_unit_test(a_file_that_is_gone),
		cmocka_unit_test(metadata_is_read_anew),
		cmocka_unit_test(too_often_is_a_conflict),
		cmocka_unit_test(marked_rows_are_carried_through_a_sort),
		cmocka_unit_test(a_file_without_rows_is_not_added),
		cmocka_unit_test(random_races),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
