/*
 * The files in a table's directory: what is there, and which of it the log refers to.
 *
 * Both look at the directory as Spark's VACUUM does (spec section 15). Hidden are names with a
 * leading "_" or ".", but for the directories _change_data, _delta_index and those of a partition
 * ("_p=1", where the column is "_p"); also Iceberg's "metadata" in tables that have such. Symbolic
 * links and what is neither a file nor a directory are passed over.
 */
#ifndef CDC_TABLE_TREE_H
#define CDC_TABLE_TREE_H

#include "delta/log.h"

/*
 * A set of files. Those under the root are known by path; those that actions name by absolute path
 * or in an odd spelling by device and inode, since a root has many names.
 */
struct cdc_tree_set;

/* `table` is borrowed. */
int cdc_tree_set_new(struct cdc_tree_set **set, const struct cdc_io *io, const char *table,
		     struct cdc_err *err) CDC_NODISCARD;
void cdc_tree_set_free(struct cdc_tree_set *set);

/* The file of an action (its path as in the log), and that of its deletion vector. What does not
 * exist need not be there. */
int cdc_tree_set_add(struct cdc_tree_set *set, struct cdc_str uri, const struct cdc_dv_ref *dv,
		     struct cdc_err *err) CDC_NODISCARD;
/* By the path under the root and what lstat() says. */
bool cdc_tree_set_has(const struct cdc_tree_set *set, struct cdc_str path, const struct stat *st);

struct cdc_tree_walk {
	const struct cdc_io *io;
	const struct cdc_snapshot *s;
	void *ctx;
	/* Before a directory is listed, the root included; may be NULL. */
	int (*enter)(void *ctx, struct cdc_err *err);
	/* A file; `relative` is the part of `path` under the root. */
	int (*file)(void *ctx, const char *path, const char *relative, const struct stat *st,
		    struct cdc_err *err);
	/* After a directory under the root was listed; `empty` when it held no entry at all. May be
	 * NULL. */
	int (*leave)(void *ctx, const char *path, bool empty, const struct stat *st,
		     struct cdc_err *err);
};

/*
 * Directory by directory; nothing of a listing is kept. What vanishes meanwhile is passed over.
 * CDC_EUNSUPPORTED: directories nested too deep. CDC_EINTR when interrupted.
 */
int cdc_tree_walk(const struct cdc_tree_walk *w, struct cdc_err *err) CDC_NODISCARD;

/* When a file was last changed, in milliseconds. */
static inline int64_t cdc_tree_mtime_ms(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

#endif
