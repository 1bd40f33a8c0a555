/*
 * Tables for the tests of compaction: made by merges of random rows, read back as lines of text.
 * For tests, all static inline.
 */
#ifndef TESTS_COMPACT_TABLE_H
#define TESTS_COMPACT_TABLE_H

#include "base/value.h"
#include "delta/log.h"
#include "table/batch/batch_rows.h"
#include "table/compact/compact.h"
#include "table/merge/merge.h"
#include "table/scan/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CT_SCHEMA "id BIGINT NOT NULL, part STRING, n INT, d DOUBLE, s STRING"

struct ct {
	char dir[40];
	uint64_t seed;
	int64_t next_record;
	const char *only_d; /* the only value of d, NULL: any */
	struct cdc_io io; /* of the compaction; cdc_io_posix by default */
};

static inline uint64_t ct_random(struct ct *t, uint64_t n)
{
	t->seed = t->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (t->seed >> 33) % n;
}

static inline void ct_init(struct ct *t, uint64_t seed)
{
	*t = (struct ct){ .dir = "/tmp/test_compact.XXXXXX", .seed = seed, .io = cdc_io_posix };
	assert_non_null(mkdtemp(t->dir));
	assert_int_equal(rmdir(t->dir), 0);
}

static inline void ct_free(struct ct *t)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", t->dir);
	assert_int_equal(system(command), 0);
}

static inline int ct_no_reject(void *ctx, const char *reason, const char *file, uint64_t line,
			       struct cdc_str raw, struct cdc_err *err)
{
	(void)ctx;
	(void)file;
	(void)line;
	(void)raw;
	return cdc_fail(err, CDC_EDATA, "rejected: %s", reason);
}

struct ct_merge {
	struct ct *t;
	struct cdc_merge *m;
};

/* `property` and `part` only count when the table is made. */
static inline void ct_begin(struct ct_merge *w, struct ct *t, enum cdc_merge_mode mode,
			    const char *const *property, bool partitioned)
{
	static const char *const key[] = { "id", NULL };
	static const char *const part[] = { "part", NULL };
	struct cdc_merge_options o = { .io = &cdc_io_posix,
				       .table = t->dir,
				       .create = true,
				       .schema = CT_SCHEMA,
				       .key = key,
				       .partition_by = partitioned ? part : NULL,
				       .property = property,
				       .mode = mode,
				       .position = CDC_POSITION_NONE,
				       .on_reject = ct_no_reject };
	struct cdc_err err = CDC_ERR_INIT;

	w->t = t;
	if (cdc_merge_new(&w->m, &o, &err))
		fail_msg("%s", err.msg);
}

static inline void ct_line(struct ct_merge *w, const char *line, int n)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_merge_line(w->m, cdc_str(line, (size_t)n), 1, "test", &err))
		fail_msg("%s", err.msg);
}

/* A row with an id, the rest drawn. */
static inline void ct_put(struct ct_merge *w, int64_t id, int part)
{
	char line[512], d[40] = "null", s[64] = "null";
	struct ct *t = w->t;
	int n;

	if (t->only_d)
		snprintf(d, sizeof(d), "\"%s\"", t->only_d);
	else if (ct_random(t, 10))
		snprintf(d, sizeof(d), "\"%s\"",
			 (const char *[]){ "NaN", "-Infinity", "0.0", "-0.0", "1.5", "-2.25",
					   "1e300", "7.125" }[ct_random(t, 8)]);
	if (ct_random(t, 10))
		snprintf(s, sizeof(s), "\"text %" PRIu64 "\"", ct_random(t, 1000));
	n = snprintf(line, sizeof(line),
		     "{\"recordID\":%" PRId64 ",\"dbTable\":\"d.t\",\"recordType\":\"INSERT\","
		     "\"beforeImages\":{},\"afterImages\":{\"id\":\"%" PRId64
		     "\",\"part\":\"p%d\",\"n\":\"%d\",\"d\":%s,\"s\":%s}}",
		     t->next_record++, id, part, (int)ct_random(t, 100000) - 50000, d, s);
	ct_line(w, line, n);
}

static inline void ct_delete(struct ct_merge *w, int64_t id)
{
	char line[256];
	int n = snprintf(line, sizeof(line),
			 "{\"recordID\":%" PRId64 ",\"dbTable\":\"d.t\",\"recordType\":\"DELETE\","
			 "\"beforeImages\":{\"id\":\"%" PRId64 "\"},\"afterImages\":{}}",
			 w->t->next_record++, id);

	ct_line(w, line, n);
}

static inline void ct_end(struct ct_merge *w)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_merge_finish(w->m, &err))
		fail_msg("%s", err.msg);
	cdc_merge_free(w->m);
}

/* ------------------------------------------------------------------ reading back */

struct ct_rows {
	char **line; /* "part|id|n|d|s", in the order of the scan */
	size_t n;
	size_t cap;
};

static inline size_t ct_text(const struct cdc_column *c, uint32_t row, char *out, size_t room)
{
	union cdc_value v;

	if (cdc_column_is_null(c, row))
		return (size_t)snprintf(out, room, "null|");
	v = cdc_value_load(c->field->type, c->values, row);
	if (c->field->type == CDC_TYPE_STRING)
		return (size_t)snprintf(out, room, "'%.*s'|", (int)v.s.n, v.s.p);
	if (c->field->type == CDC_TYPE_DOUBLE)
		return (size_t)snprintf(out, room, "%a|", v.d);
	return (size_t)snprintf(out, room, "%" PRId64 "|", v.i);
}

static inline void ct_keep(struct ct_rows *r, const struct cdc_batch *b, uint32_t row)
{
	static const int order[] = { 1, 0, 2, 3, 4 };
	char text[512];
	size_t n = 0;

	for (size_t i = 0; i < 5; i++)
		n += ct_text(&b->column[order[i]], row, text + n, sizeof(text) - n);
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 1024;
		r->line = realloc(r->line, r->cap * sizeof(*r->line));
		assert_non_null(r->line);
	}
	r->line[r->n++] = strdup(text);
}

static inline void ct_read(struct ct *t, struct ct_rows *r)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;
	struct cdc_scan *scan = NULL;
	struct cdc_batch b;
	int rc = cdc_snapshot_load(&s, &cdc_io_posix, t->dir, -1, &err);

	*r = (struct ct_rows){ .n = 0 };
	if (!rc)
		rc = cdc_scan_new(&scan, &cdc_io_posix, s, NULL, &err);
	while (!rc && !(rc = cdc_scan_next(scan, &b, &err)))
		for (uint32_t i = 0; i < b.rows; i++)
			ct_keep(r, &b, i);
	if (rc != CDC_END)
		fail_msg("%s", err.msg);
	cdc_scan_free(scan);
	cdc_snapshot_free(s);
}

static inline void ct_rows_free(struct ct_rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->line[i]);
	free(r->line);
}

static inline int ct_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void ct_sort(struct ct_rows *r)
{
	if (r->n)
		qsort(r->line, r->n, sizeof(*r->line), ct_compare);
}

static inline void ct_same(const struct ct_rows *a, const struct ct_rows *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		assert_string_equal(a->line[i], b->line[i]);
}

/* The rows are those of `want`, as a set with repetitions. */
static inline void ct_check(struct ct *t, struct ct_rows *want)
{
	struct ct_rows is;

	ct_read(t, &is);
	ct_sort(&is);
	ct_sort(want);
	ct_same(want, &is);
	ct_rows_free(&is);
}

static inline struct cdc_snapshot *ct_state(struct ct *t)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;

	if (cdc_snapshot_load(&s, &cdc_io_posix, t->dir, -1, &err))
		fail_msg("%s", err.msg);
	return s;
}

static inline int ct_compact(struct ct *t, struct cdc_compact_options o,
			     struct cdc_compact_result *r, struct cdc_err *err)
{
	*err = (struct cdc_err)CDC_ERR_INIT;
	o.io = &t->io;
	o.table = t->dir;
	return cdc_compact(&o, r, err);
}

static inline void ct_compacts(struct ct *t, struct cdc_compact_options o,
			       struct cdc_compact_result *r)
{
	struct cdc_err err;

	if (ct_compact(t, o, r, &err))
		fail_msg("%s", err.msg);
}

static inline int ct_count(struct ct *t, const char *list)
{
	char command[512];
	FILE *p;
	int n = -1;

	snprintf(command, sizeof(command), "cd %s && %s | wc -l", t->dir, list);
	p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	assert_int_equal(pclose(p), 0);
	return n;
}

/* Files in the table's directory that no version names. */
static inline int ct_strays(struct ct *t)
{
	return ct_count(t,
			"find . -name '*.parquet' ! -path './_delta_log/*' -printf '%f\\n' | "
			"while read f; do grep -q -F \"$f\" _delta_log/*.json || echo $f; done") +
	       ct_count(t, "find . -name 'deletion_vector*'") -
	       ct_count(t, "grep -ho '\"pathOrInlineDv\":\"[^\"]*\"' _delta_log/*.json | sort -u");
}

#endif
