/*
 * Row tracking (Delta protocol, "Row Tracking"): ids that rows keep while they live.
 *
 * Each data file has a baseRowId and a defaultRowCommitVersion in its add action. The id of a row
 * is the base plus its position, and the version that last changed it is the default, unless the
 * file has other values in two columns whose names are properties of the table: a row that is
 * copied, or updated, to another file takes its id along that way.
 */
#ifndef CDC_DELTA_ROW_TRACKING_H
#define CDC_DELTA_ROW_TRACKING_H

#include "delta/log.h"

#define CDC_ROW_TRACKING_COLUMNS 2

/* Whether new files get ids: the feature is there, and not suspended. */
bool cdc_row_tracking_on(const struct cdc_snapshot *s);

/*
 * The table with the columns that new files must have for rows to keep their ids, id first, then
 * version, behind its own: what files are read and written by. There are none where the table does
 * not ask for that. Free it in any case; all zero is free.
 */
struct cdc_tracked_table {
	struct cdc_snapshot table; /* shares its memory with the snapshot that it is made of */
	struct cdc_field column[CDC_ROW_TRACKING_COLUMNS];
	int num_columns; /* 0: rows have no ids to keep */
};

/* CDC_ECORRUPT when the table asks for the columns and does not name them. */
int cdc_tracked_table_init(struct cdc_tracked_table *t, const struct cdc_snapshot *s,
			   struct cdc_err *err) CDC_NODISCARD;
void cdc_tracked_table_free(struct cdc_tracked_table *t);

/* The highest id that was given so far: of the table, and after the domain of a later commit, which
 * leaves *mark if it is another one. -1: none. */
int cdc_row_tracking_mark(const struct cdc_snapshot *s, int64_t *mark,
			  struct cdc_err *err) CDC_NODISCARD;
int cdc_row_tracking_follow(const struct cdc_domain *d, int64_t *mark,
			    struct cdc_err *err) CDC_NODISCARD;

/*
 * Give ids to the files of a commit that is to become `version`: those without a base get the next
 * ones behind `mark`, which *domain then has to raise with the same commit. *any tells whether
 * there were such files. Nothing happens where it is not on. Files must tell their number of
 * records. Memory from `arena`.
 */
int cdc_row_tracking_assign(const struct cdc_snapshot *s, int64_t mark, int64_t version,
			    struct cdc_add *add, size_t n, struct cdc_domain *domain, bool *any,
			    struct cdc_arena *arena, struct cdc_err *err) CDC_NODISCARD;

#endif
