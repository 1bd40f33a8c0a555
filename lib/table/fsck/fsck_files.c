/*
 * The files of a version: whether each is there, is what its add says, and can be read; and what
 * lies in the table's directory that nothing refers to.
 */
#include "table/fsck/fsck_int.h"

#include "base/json.h"
#include "delta/path.h"
#include "table/datafile/datafile.h"

#include <errno.h>

/* ------------------------------------------------------------------ deletion vectors */

/* Spark takes an add with a deletion vector only with these statistics (spec section 8). */
static int check_dv_stats(struct fsck *k, const struct cdc_add *a, struct cdc_err *err)
{
	const struct fsck_place at = { a->path, -1 };
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err why = CDC_ERR_INIT;
	bool loose = false;
	int rc = CDC_OK;

	if (a->stats.n && cdc_json_scan(&tape, a->stats, NULL, &why) == CDC_OK) {
		uint32_t v = cdc_json_get(&tape, 0, "tightBounds");

		loose = v != CDC_JSON_NONE && tape.tok[v].type == CDC_JSON_FALSE;
	}
	cdc_tape_free(&tape);
	if (cdc_stats_num_records(a->stats) < 0)
		rc = fsck_report(k, FSCK_DV_STATS, at, err,
				 "it has a deletion vector, and no numRecords");
	if (!rc && !loose)
		rc = fsck_report(k, FSCK_DV_STATS, at, err,
				 "it has a deletion vector, and its tightBounds is not false");
	return rc;
}

static int find_last(void *ctx, uint64_t row)
{
	uint64_t *last = ctx;

	*last = row;
	return 0;
}

static int check_dv(struct fsck *k, const struct cdc_add *a, uint64_t rows, struct cdc_dv **dv,
		    struct cdc_err *err)
{
	const struct fsck_place at = { a->path, -1 };
	struct cdc_err why = CDC_ERR_INIT;
	uint64_t last = 0;
	int rc;

	if (!a->dv.storage)
		return CDC_OK;
	rc = check_dv_stats(k, a, err);
	if (rc)
		return rc;
	if (cdc_dv_load(dv, k->io, k->table, k->opt->allow_external, &a->dv, &why))
		return fsck_report_err(k, FSCK_DV, at, &why, err);
	(void)cdc_dv_each(*dv, find_last, &last);
	if (cdc_dv_count(*dv) && last >= rows)
		rc = fsck_report(k, FSCK_DV, at, err,
				 "its deletion vector marks row %llu, and it has %llu rows",
				 (unsigned long long)last, (unsigned long long)rows);
	return rc;
}

/* ------------------------------------------------------------------ one file */

static int check_rows(struct fsck *k, const struct cdc_add *a, uint64_t rows, struct cdc_err *err)
{
	int64_t said = cdc_stats_num_records(a->stats);

	if (said < 0 || (uint64_t)said == rows)
		return CDC_OK;
	return fsck_report(k, FSCK_NUM_RECORDS, (struct fsck_place){ a->path, -1 }, err,
			   "its numRecords is %lld, and it has %llu rows", (long long)said,
			   (unsigned long long)rows);
}

static int check_content(struct fsck *k, const struct cdc_add *a, struct cdc_err *err)
{
	const struct fsck_place at = { a->path, -1 };
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_datafile *df = NULL;
	struct cdc_dv *dv = NULL;
	uint64_t rows;
	int rc;

	if (cdc_datafile_open(&df, k->io, k->bare, a, &why))
		return fsck_report_err(k, FSCK_PARQUET, at, &why, err);
	rows = cdc_datafile_rows(df);
	k->r->rows += rows;
	rc = check_rows(k, a, rows, err);
	if (!rc)
		rc = check_dv(k, a, rows, &dv, err);
	if (!rc)
		rc = fsck_types(k, df, err);
	if (!rc)
		rc = fsck_data(k, df, dv, err);
	cdc_dv_free(dv);
	cdc_datafile_close(df);
	return rc;
}

/* Where an add leads to: *there when it is a file of the size that the add says. */
static int find_file(struct fsck *k, const struct cdc_add *a, struct cdc_buf *path, bool *there,
		     struct cdc_err *err)
{
	const struct fsck_place at = { a->path, -1 };
	struct cdc_err why = CDC_ERR_INIT;
	struct stat st;

	*there = false;
	if (cdc_path_local(k->table, a->path, path, &why))
		return fsck_report_err(k, why.code == CDC_EUNSUPPORTED ? FSCK_EXTERNAL : FSCK_PATH,
				       at, &why, err);
	if (cdc_path_check(k->io, k->table, k->opt->allow_external, a->path, &why) ==
	    CDC_EUNSUPPORTED)
		return fsck_report(k, FSCK_EXTERNAL, at, err,
				   "it lies outside the table and is not looked at");
	if (why.code) {
		*err = why;
		return why.code;
	}
	if (!cdc_buf_z(path))
		return cdc_fail_nomem(err);
	if (k->io->stat(k->io->ctx, path->p, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return cdc_fail_errno(err, errno, "cannot stat %s", path->p);
		return fsck_report(k, FSCK_FILE, at, err, "it is not there");
	}
	if (!S_ISREG(st.st_mode))
		return fsck_report(k, FSCK_FILE, at, err, "it is not a file");
	if ((int64_t)st.st_size != a->size_bytes)
		return fsck_report(k, FSCK_SIZE, at, err,
				   "it has %lld bytes, and the log says %lld",
				   (long long)st.st_size, (long long)a->size_bytes);
	*there = true;
	return CDC_OK;
}

/* What can be told of a file depends on what is found before. */
static int check_file(struct fsck *k, const struct cdc_add *a, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	bool there = false;
	int rc = fsck_partition_values(k, a, err);

	if (!rc)
		rc = find_file(k, a, &path, &there, err);
	if (!rc && there) {
		k->r->bytes += (uint64_t)a->size_bytes;
		rc = fsck_side_file(k, path.p, (struct fsck_place){ a->path, -1 }, err);
	}
	if (!rc && there)
		rc = check_content(k, a, err);
	cdc_buf_free(&path);
	return rc;
}

int fsck_files(struct fsck *k, struct cdc_err *err)
{
	const struct cdc_snapshot *s = k->s;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < s->num_adds; i++) {
		rc = check_file(k, &s->add[i], err);
		k->r->files++;
		if (k->opt->on_progress)
			k->opt->on_progress(k->opt->ctx, k->r->rows, k->r->bytes);
	}
	return rc;
}

/* ------------------------------------------------------------------ the rest of the directory */

/* Of a removed file only travel in time needs that it is there. */
static int check_tombstone(struct fsck *k, const struct cdc_remove *t, struct cdc_err *err)
{
	struct cdc_buf path = CDC_BUF_INIT;
	struct cdc_err why = CDC_ERR_INIT;
	struct stat st;
	int rc = CDC_OK;

	if (cdc_path_local(k->table, t->path, &path, &why) ||
	    cdc_path_check(k->io, k->table, k->opt->allow_external, t->path, &why))
		rc = fsck_is_finding(&why) ? CDC_OK : why.code;
	else if (!cdc_buf_z(&path))
		rc = cdc_fail_nomem(&why);
	else if (k->io->stat(k->io->ctx, path.p, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
		rc = fsck_report(k, FSCK_TOMBSTONE, (struct fsck_place){ t->path, -1 }, &why,
				 "it was removed within the retention and is not there any more: "
				 "older versions cannot be read");
	cdc_buf_free(&path);
	if (rc)
		*err = why;
	return rc;
}

static int visit_file(void *ctx, const char *path, const char *relative, const struct stat *st,
		      struct cdc_err *err)
{
	struct fsck *k = ctx;

	(void)path;
	if (cdc_tree_set_has(k->known, cdc_str_z(relative), st))
		return CDC_OK;
	k->r->orphan_files++;
	k->r->orphan_bytes += (uint64_t)st->st_size;
	return fsck_report(k, FSCK_ORPHAN, (struct fsck_place){ cdc_str_z(relative), -1 }, err,
			   "no version within the retention refers to it: %lld bytes",
			   (long long)st->st_size);
}

/* A path that leads nowhere is told of where the files are; it keeps no file from being one that
 * nothing refers to. */
static int know(struct fsck *k, struct cdc_str path, const struct cdc_dv_ref *dv,
		struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;

	if (!cdc_tree_set_add(k->known, path, dv, &why) || fsck_is_finding(&why))
		return CDC_OK;
	*err = why;
	return why.code;
}

int fsck_orphans(struct fsck *k, struct cdc_err *err)
{
	const struct cdc_tree_walk w = { .io = k->io, .s = k->s, .ctx = k, .file = visit_file };
	const struct cdc_snapshot *s = k->s;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < s->num_adds; i++)
		rc = know(k, s->add[i].path, &s->add[i].dv, err);
	for (size_t i = 0; !rc && i < s->num_tombstones; i++) {
		rc = know(k, s->tombstone[i].path, &s->tombstone[i].dv, err);
		if (!rc)
			rc = check_tombstone(k, &s->tombstone[i], err);
	}
	return rc ? rc : cdc_tree_walk(&w, err);
}
