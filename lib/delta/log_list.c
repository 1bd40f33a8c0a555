/*
 * The files of _delta_log: which names mean what (spec section 1), one listing, and what is found
 * in it. Names that match no known pattern are not ours to look at: Hadoop's .crc files, temporary
 * names of other writers, hints.
 */
#include "delta/log_int.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define VERSION_DIGITS 20
#define PART_DIGITS 10
#define UUID_CHARS 36
#define LIST_TRIES 16 /* while commits come faster than the directory is read */

/* Exactly `width` decimal digits of at most `max`; moves *z behind them. */
static bool digits(const char **z, int width, int64_t max, int64_t *out)
{
	int64_t v = 0;

	for (int i = 0; i < width; i++) {
		int64_t d = (*z)[i] - '0';

		if (d < 0 || d > 9 || v > (max - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*z += width;
	*out = v;
	return true;
}

static bool uuid(const char **z)
{
	for (int i = 0; i < UUID_CHARS; i++) {
		char c = (*z)[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

		if (dash ? c != '-' : !hex)
			return false;
	}
	*z += UUID_CHARS;
	return true;
}

/* What follows "<version>.checkpoint.". */
static void checkpoint_name(const char *z, struct cdc_log_file *out)
{
	int64_t part, parts;
	const char *at = z;

	if (strcmp(z, "parquet") == 0) {
		out->kind = CDC_LOG_CHECKPOINT;
	} else if (uuid(&at) && (strcmp(at, ".json") == 0 || strcmp(at, ".parquet") == 0)) {
		out->kind = CDC_LOG_CHECKPOINT_V2;
		out->json = at[1] == 'j';
	} else if (at = z, digits(&at, PART_DIGITS, UINT32_MAX, &part) && *at++ == '.' &&
				   digits(&at, PART_DIGITS, UINT32_MAX, &parts) &&
				   strcmp(at, ".parquet") == 0 && part >= 1 && part <= parts) {
		out->kind = CDC_LOG_CHECKPOINT_PART;
		out->part = (uint32_t)part;
		out->parts = (uint32_t)parts;
	}
}

void cdc_log_name_parse(const char *name, struct cdc_log_file *out)
{
	const char *z = name;
	int64_t last;

	*out = (struct cdc_log_file){ .kind = CDC_LOG_OTHER, .name = name };
	if (!digits(&z, VERSION_DIGITS, CDC_LOG_VERSION_MAX, &out->version) || *z++ != '.')
		return;
	if (strcmp(z, "json") == 0)
		out->kind = CDC_LOG_COMMIT;
	else if (strcmp(z, "crc") == 0)
		out->kind = CDC_LOG_CHECKSUM;
	else if (strncmp(z, "checkpoint.", 11) == 0)
		checkpoint_name(z + 11, out);
	else if (digits(&z, VERSION_DIGITS, CDC_LOG_VERSION_MAX, &last) && last > out->version &&
		 strcmp(z, ".compacted.json") == 0) {
		out->kind = CDC_LOG_COMPACTED;
		out->last = last;
	}
}

void cdc_log_commit_name(int64_t version, char out[CDC_LOG_NAME_MAX])
{
	snprintf(out, CDC_LOG_NAME_MAX, "%020" PRId64 ".json", version);
}

int cdc_log_path(const char *table, const char *name, struct cdc_arena *arena, const char **path,
		 struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&b, err, "%s/" CDC_LOG_DIR "%s%s", table, name ? "/" : "",
				name ? name : "");

	if (!rc) {
		*path = cdc_arena_dupz(arena, cdc_buf_str(&b));
		if (!*path)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&b);
	return rc;
}

int cdc_log_read_file(const struct cdc_io *io, const char *path, struct cdc_buf *b,
		      struct cdc_err *err)
{
	struct stat st;
	int rc;

	if (io->stat(io->ctx, path, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot open %s", path);
	if (!S_ISREG(st.st_mode))
		return cdc_fail(err, CDC_ECORRUPT, "%s is not a file", path);
	rc = cdc_io_read_file(io, path, b, err);
	if (rc == CDC_EDATA)
		rc = err->code = CDC_ECORRUPT;
	return rc;
}

struct collect {
	struct cdc_log_list *list;
	size_t cap;
	struct cdc_err *err;
};

static int collect_one(void *arg, const char *name)
{
	struct collect *c = arg;
	struct cdc_log_list *l = c->list;
	struct cdc_log_file f;

	cdc_log_name_parse(name, &f);
	if (f.kind == CDC_LOG_OTHER)
		return 0;
	if (l->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 64;
		struct cdc_log_file *p = reallocarray(l->file, cap, sizeof(*p));

		if (!p)
			return cdc_fail_nomem(c->err);
		l->file = p;
		c->cap = cap;
	}
	f.name = cdc_arena_dupz(&l->arena, cdc_str_z(name));
	if (!f.name)
		return cdc_fail_nomem(c->err);
	l->file[l->n++] = f;
	return 0;
}

static int file_cmp(const void *pa, const void *pb)
{
	const struct cdc_log_file *a = pa, *b = pb;

	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->parts != b->parts)
		return a->parts < b->parts ? -1 : 1;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The last version between the first commit and the last that has none; -1: each has one. */
static int64_t last_hole(const struct cdc_log_list *l)
{
	int64_t next = -1;

	for (size_t i = l->n; i-- > 0;) {
		if (l->file[i].kind != CDC_LOG_COMMIT)
			continue;
		if (next >= 0 && l->file[i].version != next - 1)
			return next - 1;
		next = l->file[i].version;
	}
	return -1;
}

/* Into an empty list. */
static int read_once(struct cdc_log_list *l, const struct cdc_io *io, const char *table,
		     struct cdc_err *err)
{
	struct cdc_err inner = CDC_ERR_INIT;
	struct collect c = { l, 0, &inner };
	const char *dir;
	int rc = cdc_log_path(table, NULL, &l->arena, &dir, err);

	if (rc)
		goto out;
	if (io->list(io->ctx, dir, collect_one, &c) < 0 && !inner.code) {
		if (errno == ENOENT || errno == ENOTDIR)
			goto out;
		rc = cdc_fail_errno(err, errno, "cannot list %s", dir);
		goto out;
	}
	if (inner.code) {
		*err = inner;
		rc = inner.code;
		goto out;
	}
	if (l->n)
		qsort(l->file, l->n, sizeof(*l->file), file_cmp);
out:
	if (rc)
		cdc_log_list_free(l);
	return rc;
}

/*
 * Of the names that come while a directory is read, readdir(3) may give any: a commit without the
 * one before it, although that was there first. A hole is believed when it is still there the next
 * time.
 */
int cdc_log_list_read(struct cdc_log_list *l, const struct cdc_io *io, const char *table,
		      struct cdc_err *err)
{
	int64_t hole, before = -1;
	int rc;

	*l = (struct cdc_log_list){ NULL, 0, CDC_ARENA_INIT };
	rc = read_once(l, io, table, err);
	hole = rc ? -1 : last_hole(l);
	for (int i = 0; !rc && hole >= 0 && hole != before && i < LIST_TRIES; i++) {
		before = hole;
		cdc_log_list_free(l);
		rc = read_once(l, io, table, err);
		hole = rc ? -1 : last_hole(l);
	}
	return rc;
}

void cdc_log_list_free(struct cdc_log_list *l)
{
	free(l->file);
	cdc_arena_free(&l->arena);
	*l = (struct cdc_log_list){ NULL, 0, CDC_ARENA_INIT };
}

/* Position of the first file of `version` or later. */
static size_t lower_bound(const struct cdc_log_list *l, int64_t version)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->file[mid].version < version)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct cdc_log_file *cdc_log_commit_find(const struct cdc_log_list *l, int64_t version)
{
	size_t i = lower_bound(l, version);

	/* A version's commit sorts before its other files. */
	if (i < l->n && l->file[i].version == version && l->file[i].kind == CDC_LOG_COMMIT)
		return &l->file[i];
	return NULL;
}

/* Whether the parts that end at position i are a whole set. */
static bool parts_complete(const struct cdc_log_list *l, size_t i)
{
	const struct cdc_log_file *last = &l->file[i];

	if (last->part != last->parts || last->parts > i + 1)
		return false;
	for (uint32_t k = 0; k < last->parts; k++) {
		const struct cdc_log_file *f = last - k;

		if (f->kind != CDC_LOG_CHECKPOINT_PART || f->version != last->version ||
		    f->parts != last->parts || f->part != last->parts - k)
			return false;
	}
	return true;
}

bool cdc_log_checkpoint_before(const struct cdc_log_list *l, int64_t version, size_t *at,
			       struct cdc_log_checkpoint *out)
{
	while (*at > 0) {
		const struct cdc_log_file *f = &l->file[--*at];

		if (f->version > version)
			continue;
		*out = (struct cdc_log_checkpoint){ f->version, f, 1 };
		if (f->kind == CDC_LOG_CHECKPOINT || f->kind == CDC_LOG_CHECKPOINT_V2)
			return true;
		if (f->kind == CDC_LOG_CHECKPOINT_PART && parts_complete(l, *at)) {
			out->file = f - (f->parts - 1);
			out->num_files = f->parts;
			*at -= f->parts - 1;
			return true;
		}
	}
	return false;
}

int cdc_log_exists(const struct cdc_io *io, const char *table, bool *exists, struct cdc_err *err)
{
	struct cdc_log_list l;
	int rc = cdc_log_list_read(&l, io, table, err);

	if (rc)
		return rc;
	*exists = false;
	for (size_t i = 0; i < l.n && !*exists; i++)
		*exists = l.file[i].kind <= CDC_LOG_CHECKPOINT_V2;
	cdc_log_list_free(&l);
	return CDC_OK;
}
