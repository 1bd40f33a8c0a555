/*
 * Whether the versions, the changes and the change files of a table are what SQLite has. For tests,
 * all static inline.
 */
#ifndef CDC_TESTS_TABLE_CHECK_H
#define CDC_TESTS_TABLE_CHECK_H

#include "table/changes/changes.h"
#include "tests/property/feed.h"
#include "tests/property/table_run.h"

#include <jansson.h>

/* ------------------------------------------------------------------ comparison: rows */

static inline int differ(struct run *r, struct law_lines *want, struct law_lines *have,
			 const char *what, struct cdc_err *err)
{
	for (size_t i = 0; r->verbose && (i < want->n || i < have->n); i++)
		printf("#   %-60s %s\n", i < want->n ? want->line[i] : "-",
		       i < have->n ? have->line[i] : "-");
	return cdc_fail(err, CDC_EDATA, "%s has %zu rows, SQLite %zu, or they differ", what,
			have->n, want->n);
}

/* An error is in order when what it needs may be gone, and if it tells so. */
static inline int refused(struct cdc_err *err, bool may_be_gone, const char *what)
{
	enum cdc_code code = err->code;

	if (may_be_gone && (code == CDC_ECORRUPT || code == CDC_EUSAGE) && err->msg[0]) {
		tally.refused++;
		*err = (struct cdc_err)CDC_ERR_INIT;
		return CDC_OK;
	}
	return cdc_err_prefix(err, "%s", what);
}

static inline int check_version(struct run *r, size_t version, struct cdc_err *err)
{
	struct law_lines want = { .n = 0 }, have = { .n = 0 };
	const struct version *v = &r->v[version];
	char what[32];
	int rc = law_table_rows(&r->world.io, r->path, (int64_t)version, &have, err);

	snprintf(what, sizeof(what), "version %zu", version);
	tally.versions++;
	law_sqlite_rows(rows_of(r, version), v->columns, &want);
	if (rc)
		rc = refused(err, v->no_files || v->no_log, what);
	else if (!law_same(&want, &have))
		rc = differ(r, &want, &have, what, err);
	law_lines_free(&want);
	law_lines_free(&have);
	return rc;
}

/* ------------------------------------------------------------------ comparison: changes */

static inline void image_of(json_t *object, struct law_image *im)
{
	memset(im, 0, sizeof(*im));
	for (int c = 0; c < LAW_COLUMNS; c++) {
		json_t *v = json_object_get(object, law_column[c]);

		im->present[c] = v != NULL;
		im->null[c] = json_is_null(v);
		if (json_is_string(v))
			snprintf(im->text[c], sizeof(im->text[c]), "%s", json_string_value(v));
	}
}

/* The row that the record says was there must be there, and no other of its key. */
static inline int apply(sqlite3 *db, const struct law_shape *shape, const char *type,
			json_t *record, struct cdc_err *err)
{
	struct law_image before, after, row;
	bool is_insert = !strcmp(type, "INSERT"), found;

	image_of(json_object_get(record, "beforeImages"), &before);
	image_of(json_object_get(record, "afterImages"), &after);
	found = law_take(db, shape, is_insert ? &after : &before, &row);
	if (found == is_insert)
		return cdc_fail(err, CDC_EDATA, "%s of a key that is %s", type,
				found ? "there" : "not there");
	for (int c = 0; !is_insert && c < LAW_COLUMNS; c++)
		if (before.present[c] &&
		    (before.null[c] != row.null[c] || strcmp(before.text[c], row.text[c]) != 0))
			return cdc_fail(err, CDC_EDATA, "%s: %s was not '%s' but '%s'", type,
					law_column[c], before.text[c], row.text[c]);
	if (strcmp(type, "DELETE") != 0)
		law_put(db, shape, &after);
	return CDC_OK;
}

/* Apply all records of a file; the last must be the final CHECKPOINT. */
static inline int apply_all(sqlite3 *db, const struct law_shape *shape, FILE *f,
			    struct cdc_err *err)
{
	char *line = NULL;
	size_t cap = 0;
	json_int_t last = -1;
	bool final = false;
	int rc = CDC_OK;

	while (!rc && getline(&line, &cap, f) > 0) {
		json_t *record = json_loads(line, 0, NULL);
		const char *type = json_string_value(json_object_get(record, "recordType"));
		json_int_t id = json_integer_value(json_object_get(record, "recordID"));

		if (!type || final) {
			rc = cdc_fail(err, CDC_EDATA, "not a record, or one after the last");
		} else if (!strcmp(type, "CHECKPOINT")) {
			final = json_is_true(json_object_get(record, "final"));
		} else if (strcmp(type, "SCHEMA") != 0) {
			rc = id > last ? apply(db, shape, type, record, err)
				       : cdc_fail(err, CDC_EDATA, "recordID goes back");
			last = id;
			tally.changes++;
		}
		json_decref(record);
	}
	free(line);
	if (!rc && !final)
		rc = cdc_fail(err, CDC_EDATA, "the changes have no end");
	return rc;
}

/* The rows of a version as the table m of a database of its own. */
static inline sqlite3 *copy_of(struct run *r, size_t version)
{
	sqlite3 *db = law_open();
	sqlite3_stmt *from = rows_of(r, version);

	while (sqlite3_step(from) == SQLITE_ROW) {
		sqlite3_stmt *to = law_prepare(db, "INSERT INTO m VALUES (?1,?2,?3,?4,?5,?6,?7)");

		for (int c = 0; c < LAW_COLUMNS; c++)
			sqlite3_bind_value(to, c + 1, sqlite3_column_value(from, c));
		sqlite3_step(to);
		sqlite3_finalize(to);
	}
	sqlite3_finalize(from);
	return db;
}

/* Whether the retentions promise all that the changes from .. to need. */
static inline bool changes_promised(const struct run *r, size_t from, size_t to)
{
	bool yes = from == 0 || !r->v[from - 1].no_log;

	for (size_t i = from; yes && i <= to; i++)
		yes = !r->v[i].no_log && r->v[i].since_us > r->vacuumed_us;
	return yes;
}

static inline int check_changes(struct run *r, size_t from, size_t to, struct cdc_err *err)
{
	struct cdc_changes_options o = { .io = &r->world.io,
					 .table = r->path,
					 .from = (int64_t)from,
					 .to = (int64_t)to,
					 .limit = UINT64_MAX };
	struct law_lines want = { .n = 0 }, have = { .n = 0 };
	struct cdc_changes_counts counts;
	struct cdc_writer w;
	FILE *f = tmpfile();
	sqlite3 *db = NULL;
	char what[64];
	int rc;

	if (!f)
		exit(4);
	snprintf(what, sizeof(what), "changes %zu..%zu", from, to);
	tally.ranges++;
	rc = cdc_writer_init(&w, &cdc_io_posix, fileno(f), err);
	if (!rc)
		rc = cdc_changes_print(&o, &w, &counts, err);
	if (rc) {
		rc = refused(err, !changes_promised(r, from, to), what);
		goto out;
	}
	rc = cdc_writer_flush(&w, err);
	rewind(f);
	db = from ? copy_of(r, from - 1) : law_open();
	if (!rc && apply_all(db, &r->shape, f, err))
		rc = cdc_err_prefix(err, "%s", what);
	law_sqlite_rows(rows_of(r, to), r->v[to].columns, &want);
	law_sqlite_rows(law_prepare(db, "SELECT * FROM m"), r->v[to].columns, &have);
	if (!rc && !law_same(&want, &have))
		rc = differ(r, &want, &have, what, err);
out:
	law_lines_free(&want);
	law_lines_free(&have);
	sqlite3_close(db);
	cdc_writer_free(&w);
	fclose(f);
	return rc;
}

/* The change files of a commit must be there and say what it changed, an update as such. */
static inline int check_feed(struct run *r, size_t version, struct cdc_err *err)
{
	struct law_lines want = { .n = 0 };
	struct feed feed = { .files = 0 };
	size_t updates, deletes;
	char what[64];
	int rc = feed_of_commit(&r->world.io, r->path, (int64_t)version, &feed, err);

	snprintf(what, sizeof(what), "the feed of version %zu", version);
	feed_wanted(r->db, &r->shape, (int64_t)version, r->v[version].columns, &want, &updates,
		    &deletes);
	if (rc)
		rc = cdc_err_prefix(err, "%s", what);
	else if (!feed.files && updates + deletes && r->v[version].has_feed)
		rc = cdc_fail(err, CDC_EDATA, "%s is not there", what);
	else if (feed.files && !law_same(&want, &feed.lines))
		rc = differ(r, &want, &feed.lines, what, err);
	else if (feed.files && (feed.preimages != feed.postimages || feed.preimages < updates))
		rc = cdc_fail(err, CDC_EDATA, "%s has %zu old and %zu new rows of %zu updates",
			      what, feed.preimages, feed.postimages, updates);
	tally.feeds += feed.files != 0;
	law_lines_free(&want);
	law_lines_free(&feed.lines);
	return rc;
}

static inline int check_some_changes(struct run *r, struct cdc_err *err)
{
	size_t to = law_rnd((uint32_t)r->num_versions);
	size_t from = law_rnd((uint32_t)to + 1);

	return check_changes(r, from, to, err);
}

#endif
