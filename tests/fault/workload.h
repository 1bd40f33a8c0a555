/*
 * What the fault tests do to a table, and what the table must be afterwards: batches of full-image
 * changes made from a seed, and the rows after each of them by a model that is an array. For tests,
 * all static inline.
 */
#ifndef CDC_TESTS_WORKLOAD_H
#define CDC_TESTS_WORKLOAD_H

#include "delta/log.h"
#include "table/compact/compact.h"
#include "table/vacuum/vacuum.h"
#include "table/merge/merge.h"
#include "table/scan/scan.h"

#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WL_KEYS 48
#define WL_BATCHES 5
#define WL_RECORDS 30 /* a batch */
#define WL_PARTITIONS 3

struct wl_row {
	bool live;
	int n;
	int part;
};

struct wl_record {
	char type; /* I, U, D */
	int id;
	int n;
	int part;
};

struct workload {
	enum cdc_merge_mode mode;
	bool partitioned;
	const char *property[6];
	struct wl_record record[WL_BATCHES][WL_RECORDS];
	struct wl_row state[WL_BATCHES + 1][WL_KEYS]; /* state[b]: after b batches */
};

static inline uint32_t wl_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return (uint32_t)(*s >> 24);
}

static inline void wl_init(struct workload *w, enum cdc_merge_mode mode, bool partitioned)
{
	uint64_t seed = 88172645463325252u;
	int n = 0;

	memset(w, 0, sizeof(*w));
	w->mode = mode;
	w->partitioned = partitioned;
	for (int b = 0; b < WL_BATCHES; b++) {
		memcpy(w->state[b + 1], w->state[b], sizeof(w->state[b]));
		for (int i = 0; i < WL_RECORDS; i++) {
			struct wl_record *r = &w->record[b][i];
			struct wl_row *row;

			r->id = (int)(wl_random(&seed) % WL_KEYS);
			row = &w->state[b + 1][r->id];
			r->type = !row->live ? 'I' : wl_random(&seed) % 4 ? 'U' : 'D';
			r->n = n++;
			r->part = (int)(wl_random(&seed) % WL_PARTITIONS);
			*row = (struct wl_row){ r->type != 'D', r->n, r->part };
		}
	}
}

/* ------------------------------------------------------------------ doing */

static inline int wl_reject(void *ctx, const char *reason, const char *file, uint64_t line,
			    struct cdc_str raw, struct cdc_err *err)
{
	(void)ctx;
	(void)file;
	(void)raw;
	return cdc_fail(err, CDC_EDATA, "line %llu rejected: %s", (unsigned long long)line, reason);
}

static inline size_t wl_line(const struct wl_record *r, int offset, char out[512])
{
	static const char *const type[] = { "INSERT", "UPDATE", "DELETE" };
	const char *before = r->type == 'I' ? "" : "\"id\":\"%d\"";
	char image[128], key[64] = "";
	int n = snprintf(image, sizeof(image), "\"id\":\"%d\",\"n\":\"%d\",\"part\":\"p/%d\"",
			 r->id, r->n, r->part);

	(void)n;
	if (*before)
		snprintf(key, sizeof(key), "\"id\":\"%d\"", r->id);
	return (size_t)snprintf(out, 512,
				"{\"recordID\":%d,\"dbTable\":\"d.t\",\"recordType\":\"%s\","
				"\"beforeImages\":{%s},\"afterImages\":{%s},\"position\":"
				"{\"topic\":\"t\",\"partition\":0,\"offset\":%d}}",
				offset,
				type[r->type == 'I'   ? 0
				     : r->type == 'U' ? 1
						      : 2],
				key, r->type == 'D' ? "" : image, offset);
}

/* Merge batches first .. last-1, each ending with a CHECKPOINT. *done: those acknowledged. */
static inline int wl_merge(const struct workload *w, const struct cdc_io *io, const char *path,
			   int first, int last, int *done, struct cdc_err *err)
{
	static const char *const key[] = { "id", NULL };
	static const char *const part[] = { "part", NULL };
	struct cdc_merge_options o = { .io = io,
				       .table = path,
				       .create = true,
				       .schema = "id BIGINT NOT NULL, n INT, part STRING",
				       .key = key,
				       .partition_by = w->partitioned ? part : NULL,
				       .property = w->property[0] ? w->property : NULL,
				       .mode = w->mode,
				       .on_reject = wl_reject };
	struct cdc_merge *m = NULL;
	char line[512];
	int rc = cdc_merge_new(&m, &o, err);

	for (int b = first; !rc && b < last; b++) {
		size_t n;

		for (int i = 0; !rc && i < WL_RECORDS; i++) {
			n = wl_line(&w->record[b][i], b * WL_RECORDS + i, line);
			rc = cdc_merge_line(m, cdc_str(line, n), (uint64_t)i + 1, "wl", err);
		}
		n = (size_t)snprintf(line, sizeof(line),
				     "{\"recordType\":\"CHECKPOINT\",\"positions\":[{\"topic\":"
				     "\"t\",\"partition\":0,\"offset\":%d}]}",
				     (b + 1) * WL_RECORDS - 1);
		if (!rc)
			rc = cdc_merge_line(m, cdc_str(line, n), 0, "wl", err);
		if (!rc && done)
			*done = b + 1;
	}
	if (!rc)
		rc = cdc_merge_finish(m, err);
	cdc_merge_free(m);
	return rc;
}

static inline int wl_compact(const struct cdc_io *io, const char *path, int64_t *version,
			     struct cdc_err *err)
{
	struct cdc_compact_options o = { .io = io, .table = path, .dv_percent = 1 };
	struct cdc_compact_result r;
	int rc = cdc_compact(&o, &r, err);

	*version = r.version;
	return rc;
}

/* Without the rows' order the table is the same. */
static inline int wl_sort(const struct cdc_io *io, const char *path, int64_t *version,
			  struct cdc_err *err)
{
	static const char *const cols[] = { "n", NULL };
	struct cdc_compact_options o = { .io = io, .table = path, .sort_by = cols, .zorder = true };
	struct cdc_compact_result r;
	int rc = cdc_compact(&o, &r, err);

	*version = r.version;
	return rc;
}

static inline int wl_checkpoint(const struct cdc_io *io, const char *path, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, io, path, -1, err);

	if (!rc)
		rc = cdc_checkpoint_write(io, s, err);
	cdc_snapshot_free(s);
	return rc;
}

static inline int wl_vacuum(const struct cdc_io *io, const char *path, int64_t retain_ms,
			    uint64_t *files, struct cdc_err *err)
{
	struct cdc_vacuum_options o = {
		.io = io, .table = path, .retain_ms = retain_ms, .force = true
	};
	struct cdc_vacuum_result r = { .files_removed = 0 };
	int rc = cdc_vacuum(&o, &r, err);

	*files = r.files_removed;
	return rc;
}

/* ------------------------------------------------------------------ looking */

static inline int wl_read(const struct cdc_io *io, const char *path, struct wl_row row[WL_KEYS],
			  int64_t *version, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	struct cdc_scan *scan = NULL;
	struct cdc_batch b;
	int rc = cdc_snapshot_load(&s, io, path, -1, err);

	memset(row, 0, WL_KEYS * sizeof(*row));
	*version = rc ? -1 : s->version;
	if (!rc)
		rc = cdc_scan_new(&scan, io, s, NULL, err);
	while (!rc && !(rc = cdc_scan_next(scan, &b, err))) {
		for (uint32_t i = 0; !rc && i < b.rows; i++) {
			int64_t id = ((const int64_t *)b.column[0].values)[i];
			const struct cdc_str *part =
				&((const struct cdc_str *)b.column[2].values)[i];

			if (id < 0 || id >= WL_KEYS || row[id].live) {
				rc = cdc_fail(err, CDC_EDATA, "row %lld is there twice",
					      (long long)id);
				break;
			}
			row[id].live = true;
			row[id].n = ((const int32_t *)b.column[1].values)[i];
			row[id].part = part->n == 3 ? part->p[2] - '0' : -1;
		}
	}
	cdc_scan_free(scan);
	cdc_snapshot_free(s);
	return rc == CDC_END ? CDC_OK : rc;
}

#define WL_ABSENT (-1)
#define WL_BROKEN (-2)

/* After how many batches the table is as it is; WL_ABSENT: no table; WL_BROKEN: err tells. */
static inline int wl_state(const struct workload *w, const struct cdc_io *io, const char *path,
			   int64_t *version, struct cdc_err *err)
{
	struct wl_row row[WL_KEYS];
	bool exists = false;

	*version = -1;
	if (cdc_log_exists(io, path, &exists, err))
		return WL_BROKEN;
	if (!exists)
		return WL_ABSENT;
	if (wl_read(io, path, row, version, err))
		return WL_BROKEN;
	for (int b = WL_BATCHES; b >= 0; b--) {
		bool same = true;

		for (int k = 0; same && k < WL_KEYS; k++) {
			const struct wl_row *want = &w->state[b][k];

			same = want->live == row[k].live &&
			       (!want->live || (want->n == row[k].n && want->part == row[k].part));
		}
		if (same)
			return b;
	}
	cdc_fail(err, CDC_EDATA, "the rows of version %lld are those of no batch",
		 (long long)*version);
	return WL_BROKEN;
}

/* ------------------------------------------------------------------ directories */

static inline int wl_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void wl_remove_tree(const char *path)
{
	nftw(path, wl_remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

/* A directory for the test, in memory where there is one. */
static inline bool wl_scratch(char *path, size_t n)
{
	snprintf(path, n, "%s/cdc-fault-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	return mkdtemp(path) != NULL;
}

static inline int wl_no_fsync(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

#endif
