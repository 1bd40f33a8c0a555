/*
 * The files in a table's directory. See tree.h.
 */
#include "table/vacuum/tree.h"

#include "base/hash.h"
#include "delta/path.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_DEPTH 32

/* ------------------------------------------------------------------ the set */

struct reference {
	struct cdc_str path; /* under the root; p == NULL: by inode */
	dev_t dev;
	ino_t ino;
};

struct cdc_tree_set {
	const struct cdc_io *io;
	const char *table;
	struct reference *ref;
	uint32_t n;
	uint32_t cap;
	struct cdc_map map;
	struct cdc_arena arena;
	struct cdc_buf scratch;
};

int cdc_tree_set_new(struct cdc_tree_set **out, const struct cdc_io *io, const char *table,
		     struct cdc_err *err)
{
	struct cdc_tree_set *s = calloc(1, sizeof(*s));

	if (!s)
		return cdc_fail_nomem(err);
	s->io = io;
	s->table = table;
	*out = s;
	return CDC_OK;
}

void cdc_tree_set_free(struct cdc_tree_set *s)
{
	if (!s)
		return;
	free(s->ref);
	cdc_map_free(&s->map);
	cdc_buf_free(&s->scratch);
	cdc_arena_free(&s->arena);
	free(s);
}

static uint64_t inode_hash(dev_t dev, ino_t ino)
{
	uint64_t w[2] = { (uint64_t)dev, (uint64_t)ino };

	return cdc_hash64(w, sizeof(w));
}

static int push(struct cdc_tree_set *s, const struct reference *ref, uint64_t hash,
		struct cdc_err *err)
{
	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 256;
		struct reference *grown = reallocarray(s->ref, cap, sizeof(*grown));

		if (!grown || cap < s->cap) {
			s->ref = grown ? grown : s->ref;
			return cdc_fail_nomem(err);
		}
		s->ref = grown;
		s->cap = cap;
	}
	s->ref[s->n] = *ref;
	return cdc_map_insert(&s->map, hash, s->n++, err);
}

/* Spelled as the walk spells it: no empty and no "." component. */
static bool is_plain(struct cdc_str path)
{
	size_t start = 0;

	for (size_t i = 0; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		if (i == start || (i == start + 1 && path.p[start] == '.'))
			return false;
		start = i + 1;
	}
	return true;
}

/* A file by its full path, as the actions of a table name it. */
static int add_path(struct cdc_tree_set *s, struct cdc_str full, struct cdc_err *err)
{
	size_t root = strlen(s->table);
	struct reference ref = { .dev = 0 };
	struct stat st;
	const char *z;

	if (full.n > root + 1 && !memcmp(full.p, s->table, root) && full.p[root] == '/' &&
	    is_plain(cdc_str(full.p + root + 1, full.n - root - 1))) {
		ref.path = cdc_str(cdc_arena_dup(&s->arena, full.p + root + 1, full.n - root - 1),
				   full.n - root - 1);
		if (!ref.path.p)
			return cdc_fail_nomem(err);
		return push(s, &ref, cdc_hash64(ref.path.p, ref.path.n), err);
	}
	z = cdc_arena_dupz(&s->arena, full);
	if (!z)
		return cdc_fail_nomem(err);
	if (s->io->stat(s->io->ctx, z, &st))
		return errno == ENOENT || errno == ENOTDIR
			       ? CDC_OK
			       : cdc_fail_errno(err, errno, "cannot stat %s", z);
	ref.dev = st.st_dev;
	ref.ino = st.st_ino;
	return push(s, &ref, inode_hash(st.st_dev, st.st_ino), err);
}

int cdc_tree_set_add(struct cdc_tree_set *s, struct cdc_str uri, const struct cdc_dv_ref *dv,
		     struct cdc_err *err)
{
	const char *dv_path = NULL;
	int rc;

	cdc_buf_reset(&s->scratch);
	rc = cdc_path_local(s->table, uri, &s->scratch, err);
	if (!rc)
		rc = add_path(s, cdc_buf_str(&s->scratch), err);
	if (!rc && dv->storage)
		rc = cdc_dv_file_path(dv, s->table, &s->arena, &dv_path, err);
	if (!rc && dv_path)
		rc = add_path(s, cdc_str_z(dv_path), err);
	return rc;
}

bool cdc_tree_set_has(const struct cdc_tree_set *s, struct cdc_str path, const struct stat *st)
{
	struct cdc_map_iter it = cdc_map_seek(&s->map, cdc_hash64(path.p, path.n));
	uint32_t i;

	while (cdc_map_next(&s->map, &it, &i))
		if (s->ref[i].path.p && cdc_str_eq(s->ref[i].path, path))
			return true;
	it = cdc_map_seek(&s->map, inode_hash(st->st_dev, st->st_ino));
	while (cdc_map_next(&s->map, &it, &i))
		if (!s->ref[i].path.p && s->ref[i].dev == st->st_dev && s->ref[i].ino == st->st_ino)
			return true;
	return false;
}

/* ------------------------------------------------------------------ the walk */

struct walk {
	const struct cdc_tree_walk *w;
	struct cdc_buf path; /* full path */
	struct cdc_buf prefix; /* scratch */
	struct cdc_err *err;
	bool iceberg;
	bool empty; /* the directory that is being listed has no entry yet */
	int depth;
	int rc;
};

/* "column=" as a directory begins: the name itself, or as cdc_partition_dir() escapes it. */
static bool begins(struct walk *k, const char *name, struct cdc_str column)
{
	struct cdc_err ignored = CDC_ERR_INIT;

	if (!strncmp(name, column.p, column.n) && name[column.n] == '=')
		return true;
	cdc_buf_reset(&k->prefix);
	/* Without memory for the comparison the name stays hidden: nothing is removed then. */
	if (cdc_partition_dir(column, CDC_STR("x"), &k->prefix, &ignored) < 0)
		return false;
	return !strncmp(name, k->prefix.p, k->prefix.len - 1);
}

static bool is_partition_dir(struct walk *k, const char *name)
{
	const struct cdc_snapshot *s = k->w->s;

	for (int i = 0; i < s->metadata.num_partition_columns; i++) {
		struct cdc_str column = s->metadata.partition_column[i];
		int f = cdc_schema_find(&s->schema, column);

		if (begins(k, name, column) ||
		    (f >= 0 && begins(k, name, s->schema.field[f].physical_name)))
			return true;
	}
	return false;
}

/* Names that belong to others, or to the log. */
static bool is_hidden(struct walk *k, const char *name, bool is_dir)
{
	if (name[0] != '_' && name[0] != '.')
		return is_dir && k->iceberg && !strcmp(name, "metadata");
	return !is_dir || (strcmp(name, "_change_data") && strcmp(name, "_delta_index") &&
			   !is_partition_dir(k, name));
}

static int visit(void *arg, const char *name);

static void visit_dir(struct walk *k, const struct stat *st)
{
	const struct cdc_tree_walk *w = k->w;
	bool outer = k->empty;

	if (k->depth == MAX_DEPTH) {
		k->rc = cdc_fail(k->err, CDC_EUNSUPPORTED, "%s: directories nested over %d deep",
				 k->path.p, MAX_DEPTH);
		return;
	}
	if (w->enter)
		k->rc = w->enter(w->ctx, k->err);
	if (k->rc)
		return;
	k->depth++;
	k->empty = true;
	if (w->io->list(w->io->ctx, k->path.p, visit, k) < 0 && !k->rc) {
		k->empty = false;
		if (errno != ENOENT)
			k->rc = cdc_fail_errno(k->err, errno, "cannot list %s", k->path.p);
	}
	if (!k->rc && w->leave && k->depth > 1)
		k->rc = w->leave(w->ctx, k->path.p, k->empty, st, k->err);
	k->empty = outer;
	k->depth--;
}

static void visit_entry(struct walk *k, const char *name)
{
	const struct cdc_tree_walk *w = k->w;
	size_t root = strlen(w->s->table) + 1;
	struct stat st;

	if (w->io->lstat(w->io->ctx, k->path.p, &st)) {
		if (errno != ENOENT)
			k->rc = cdc_fail_errno(k->err, errno, "cannot stat %s", k->path.p);
		return;
	}
	if (is_hidden(k, name, S_ISDIR(st.st_mode)))
		return;
	if (S_ISDIR(st.st_mode))
		visit_dir(k, &st);
	else if (S_ISREG(st.st_mode))
		k->rc = w->file(w->ctx, k->path.p, k->path.p + root, &st, k->err);
}

static int visit(void *arg, const char *name)
{
	struct walk *k = arg;
	size_t len = k->path.len;

	k->empty = false;
	if (k->w->io->interrupted(k->w->io->ctx))
		k->rc = cdc_fail(k->err, CDC_EINTR, "interrupted");
	/* Most hidden names need no look at what they are. */
	if (k->rc || ((name[0] == '_' || name[0] == '.') && is_hidden(k, name, true)))
		return k->rc;
	if (cdc_buf_printf(&k->path, k->err, "/%s", name) || !cdc_buf_z(&k->path)) {
		k->rc = cdc_fail_nomem(k->err);
		return k->rc;
	}
	visit_entry(k, name);
	k->path.len = len;
	(void)cdc_buf_z(&k->path);
	return k->rc;
}

/* The property is a list: "iceberg", or "iceberg,hudi". */
static bool has_iceberg(const struct cdc_snapshot *s)
{
	struct cdc_str v;

	return cdc_metadata_config(&s->metadata, "delta.universalFormat.enabledFormats", &v) &&
	       memmem(v.p, v.n, "iceberg", 7);
}

int cdc_tree_walk(const struct cdc_tree_walk *w, struct cdc_err *err)
{
	struct walk k = { .w = w, .err = err, .iceberg = has_iceberg(w->s) };
	struct stat st;

	if (cdc_buf_puts(&k.path, w->s->table, err) || !cdc_buf_z(&k.path))
		k.rc = cdc_fail_nomem(err);
	else if (w->io->stat(w->io->ctx, k.path.p, &st))
		k.rc = cdc_fail_errno(err, errno, "cannot stat %s", k.path.p);
	else
		visit_dir(&k, &st);
	cdc_buf_free(&k.path);
	cdc_buf_free(&k.prefix);
	return k.rc;
}
