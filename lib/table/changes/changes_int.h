/*
 * Inside the changes of a table: what a commit touched, the rows of that, and how they become
 * records.
 */
#ifndef CDC_TABLE_CHANGES_INT_H
#define CDC_TABLE_CHANGES_INT_H

#include "base/hash.h"
#include "table/changes/changes.h"
#include "table/datafile/datafile.h"
#include "table/print/image_text.h"
#include "table/batch/key.h"

/* ------------------------------------------------------------------ views */

/* How the rows of a version look. */
struct changes_view {
	struct cdc_snapshot *s;
	struct cdc_key key; /* num_fields 0: none */
	struct cdc_image_text images;
	struct cdc_buf schema; /* SCHEMA record, with its LF */
	struct cdc_buf fields; /* `fields` member */
	/* The same table with the column _change_type at the end, for files of change rows. */
	struct cdc_snapshot feed;
	bool has_feed;
};

int changes_view_load(struct changes_view **out, const struct cdc_changes_options *opt,
		      int64_t version, const struct cdc_buf *db_table,
		      struct cdc_err *err) CDC_NODISCARD;
/* The view after a commit, from that before it. */
int changes_view_turn(struct changes_view **out, const struct cdc_changes_options *opt,
		      const struct changes_view *before, const struct cdc_commit_actions *a,
		      const struct cdc_buf *db_table, struct cdc_err *err) CDC_NODISCARD;
void changes_view_free(struct changes_view *v);
/* Make v->feed, if it is not there yet. */
int changes_view_feed(struct changes_view *v, struct cdc_err *err) CDC_NODISCARD;
/* Whether rows of `old` can be read as rows of `now`, with nothing lost. */
bool changes_view_reads(const struct changes_view *now, const struct changes_view *old);

/* ------------------------------------------------------------------ rows of a commit */

enum changes_side { CHANGES_OLD, CHANGES_NEW, CHANGES_SIDES };

/* Some rows of one file. */
struct changes_file {
	const struct cdc_add *add; /* path and partition values */
	const struct cdc_dv_ref *only; /* rows that count; NULL: all */
	const struct cdc_dv_ref *except; /* but not these; NULL: none */
	bool feed; /* rows count by their _change_type */
};

struct changes_set {
	struct changes_file *file[CHANGES_SIDES];
	size_t num_files[CHANGES_SIDES];
	struct cdc_snapshot *before; /* state before the commit, if it had to be looked at */
	struct cdc_map before_paths; /* path in the file system -> its add */
	struct cdc_arena arena; /* owns all of it but what the commit and `before` own */
};

/* What a commit touched; `old` is how the rows that it took away look. The set borrows from `a`,
 * and must be freed in any case. */
int changes_set_make(struct changes_set *set, const struct cdc_io *io,
		     const struct changes_view *old, struct changes_view *now,
		     const struct cdc_commit_actions *a, struct cdc_err *err) CDC_NODISCARD;
void changes_set_free(struct changes_set *set);

/* The rows of one side, in the order of the log's files. */
struct changes_scan;

int changes_scan_new(struct changes_scan **out, const struct cdc_io *io, struct changes_view *v,
		     const struct changes_set *set, enum changes_side side,
		     struct cdc_err *err) CDC_NODISCARD;
void changes_scan_free(struct changes_scan *s);
/* The next row as *row of *b, CDC_END after the last. The batch lives until the next call. */
int changes_scan_next(struct changes_scan *s, const struct cdc_batch **b, uint32_t *row,
		      struct cdc_err *err) CDC_NODISCARD;

/* ------------------------------------------------------------------ records */

struct changes_out {
	const struct cdc_changes_options *opt;
	struct cdc_writer *w;
	struct cdc_changes_counts *counts;
	uint64_t records;
	bool stopped; /* there is more than the limit allows */
	/* of the commit */
	int64_t version;
	uint64_t num; /* records of it so far */
	struct cdc_buf db_table; /* ,"source":…,"dbTable":…  */
	struct cdc_buf tags; /* ,"recordTimestamp":…,"extraTags":… */
	struct cdc_buf topic; /* {"topic":…,"partition":0,"offset": */
	struct cdc_buf record;
};

/* One record; an image that is not there is "". CDC_END, and nothing printed: the limit is reached.
 */
int changes_put(struct changes_out *o, const struct changes_view *v, struct cdc_str before,
		struct cdc_str after, struct cdc_err *err) CDC_NODISCARD;

/* Print what turns the old rows of a set into its new ones. CDC_END: the limit is reached. */
int changes_match(struct changes_out *o, struct changes_view *v, const struct changes_set *set,
		  struct cdc_err *err) CDC_NODISCARD;

#endif
