/*
 * What goes into an archive: every file of the snapshot is looked at, and gets its name in the
 * copy.
 *
 * A name of the table is kept when it is a plain relative path: printable ASCII, no component that
 * is empty, "." or "..", not in the log's directory, and not taken. Other files get names made from
 * the copy's id.
 */
#include "table/archive/archive_int.h"

#include "delta/path.h"

#include <errno.h>

#define NAME_TRIES 10000

int cdc_plan_source(const struct cdc_snapshot *s, const struct cdc_add *add, struct cdc_buf *out,
		    struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(out);
	rc = cdc_path_local(s->table, add->path, out, err);
	if (rc == CDC_OK && !cdc_buf_z(out))
		rc = cdc_fail_nomem(err);
	return rc;
}

/* A symbolic link may lead anywhere: it is followed where files outside the table may be read. */
int cdc_plan_look(const struct cdc_io *io, const struct cdc_snapshot *s, const char *path,
		  struct stat *st, struct cdc_err *err)
{
	int rc = s->allow_external ? io->stat(io->ctx, path, st) : io->lstat(io->ctx, path, st);

	if (rc < 0 && (errno == ENOENT || errno == ENOTDIR))
		return cdc_fail(err, CDC_ECORRUPT, "file %s is not there", path);
	if (rc < 0)
		return cdc_fail_errno(err, errno, "cannot examine %s", path);
	if (S_ISLNK(st->st_mode))
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"file %s is a symbolic link: --allow-external follows them", path);
	if (!S_ISREG(st->st_mode))
		return cdc_fail(err, CDC_ECORRUPT, "file %s is no regular file", path);
	return CDC_OK;
}

/* ------------------------------------------------------------------ names */

static bool component_is_plain(struct cdc_str c)
{
	return c.n && !cdc_str_eqz(c, ".") && !cdc_str_eqz(c, "..");
}

static bool is_plain(struct cdc_str name)
{
	size_t start = 0;

	for (size_t i = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != '/') {
			if (name.p[i] < ' ' || name.p[i] > '~' || name.p[i] == '\\')
				return false;
			continue;
		}
		if (!component_is_plain(cdc_str(name.p + start, i - start)))
			return false;
		/* Other systems do not tell the case of letters. */
		if (!start && cdc_str_ieq(cdc_str(name.p, i), CDC_STR("_delta_log")))
			return false;
		start = i + 1;
	}
	return true;
}

static bool is_taken(const struct cdc_plan *plan, struct cdc_str name)
{
	struct cdc_map_iter it = cdc_map_seek(&plan->names, cdc_hash64(name.p, name.n));
	uint32_t i;

	while (cdc_map_next(&plan->names, &it, &i)) {
		if (cdc_str_eq(plan->taken[i], name))
			return true;
	}
	return false;
}

/* `name` lives as long as the plan. */
static int take(struct cdc_plan *plan, struct cdc_str name, struct cdc_err *err)
{
	plan->taken[plan->num_taken] = name;
	return cdc_map_insert(&plan->names, cdc_hash64(name.p, name.n), plan->num_taken++, err);
}

static int keep_text(struct cdc_plan *plan, const struct cdc_buf *text, struct cdc_str *out,
		     struct cdc_err *err)
{
	const char *p = cdc_arena_dup(&plan->arena, text->p, text->len);

	if (!p)
		return cdc_fail_nomem(err);
	*out = cdc_str(p, text->len);
	return CDC_OK;
}

/* A name as Spark gives them; a number more where it is taken. */
static int new_name(struct cdc_plan *plan, size_t file, struct cdc_buf *text, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < NAME_TRIES; i++) {
		cdc_buf_reset(text);
		rc = cdc_buf_printf(text, err, "part-%05zu-%s-c%03d.parquet", file, plan->id, i);
		if (rc == CDC_OK && !is_taken(plan, cdc_buf_str(text)))
			return CDC_OK;
	}
	return rc < 0 ? rc : cdc_fail(err, CDC_ECORRUPT, "no name is free in the copy");
}

/* The name of a data file, decoded, if it is relative; "" when it is not. */
static int relative_name(const struct cdc_snapshot *s, const struct cdc_buf *source,
			 struct cdc_str uri, struct cdc_buf *out, struct cdc_err *err)
{
	size_t root = strlen(s->table) + 1;

	cdc_buf_reset(out);
	/* What cdc_path_local took as relative it put under the root. */
	if (uri.n && uri.p[0] != '/' && source->len > root &&
	    memcmp(source->p, s->table, root - 1) == 0 && source->p[root - 1] == '/')
		return cdc_buf_append(out, source->p + root, source->len - root, err);
	return CDC_OK;
}

static int name_file(struct cdc_plan *plan, size_t i, const struct cdc_buf *source,
		     struct cdc_buf *text, struct cdc_err *err)
{
	int rc = relative_name(plan->s, source, plan->s->add[i].path, text, err);

	if (rc == CDC_OK && (!is_plain(cdc_buf_str(text)) || is_taken(plan, cdc_buf_str(text))))
		rc = new_name(plan, i, text, err);
	if (rc == CDC_OK)
		rc = keep_text(plan, text, &plan->name[i], err);
	return rc < 0 ? rc : take(plan, plan->name[i], err);
}

/* ------------------------------------------------------------------ deletion vectors */

static int name_vector(struct cdc_plan *plan, const struct cdc_dv_ref *ref,
		       struct cdc_plan_vector *v, struct cdc_buf *text, struct cdc_err *err)
{
	size_t root = strlen(plan->s->table) + 1;
	uint8_t uuid[16];
	char hex[37], *z85;
	int rc = CDC_OK;

	v->name = ref->storage == 'u' ? cdc_str_z(v->source + root) : CDC_STR("");
	v->uuid_path = ref->path;
	if (is_plain(v->name) && !is_taken(plan, v->name))
		return take(plan, v->name, err);
	do {
		rc = cdc_io_uuid(plan->io, hex, uuid, err);
		cdc_buf_reset(text);
		if (rc == CDC_OK)
			rc = cdc_buf_printf(text, err, "deletion_vector_%s.bin", hex);
	} while (rc == CDC_OK && is_taken(plan, cdc_buf_str(text)));
	if (rc == CDC_OK)
		rc = keep_text(plan, text, &v->name, err);
	if (rc < 0)
		return rc;
	z85 = cdc_arena_alloc(&plan->arena, CDC_DV_UUID_TEXT);
	if (!z85)
		return cdc_fail_nomem(err);
	cdc_dv_uuid_text(uuid, z85);
	v->uuid_path = cdc_str(z85, CDC_DV_UUID_TEXT);
	return take(plan, v->name, err);
}

static uint32_t find_vector(const struct cdc_plan *plan, const char *source)
{
	struct cdc_map_iter it = cdc_map_seek(&plan->sources, cdc_hash64(source, strlen(source)));
	uint32_t i;

	while (cdc_map_next(&plan->sources, &it, &i)) {
		if (!strcmp(plan->vector[i].source, source))
			return i;
	}
	return CDC_PLAN_NONE;
}

static int add_vector(struct cdc_plan *plan, const struct cdc_dv_ref *ref, const char *source,
		      struct cdc_buf *text, struct cdc_err *err)
{
	struct cdc_plan_vector *v = &plan->vector[plan->num_vectors];
	struct stat st;
	int rc = cdc_plan_look(plan->io, plan->s, source, &st, err);

	if (rc < 0)
		return rc;
	*v = (struct cdc_plan_vector){ .source = source, .size = (uint64_t)st.st_size };
	rc = name_vector(plan, ref, v, text, err);
	if (rc < 0)
		return rc;
	plan->bytes += v->size;
	return cdc_map_insert(&plan->sources, cdc_hash64(source, strlen(source)),
			      plan->num_vectors++, err);
}

/* Each set is read: a copy whose rows differ from the source's is none. */
static int plan_vector(struct cdc_plan *plan, size_t i, struct cdc_buf *text, struct cdc_err *err)
{
	const struct cdc_snapshot *s = plan->s;
	const struct cdc_dv_ref *ref = &s->add[i].dv;
	struct cdc_dv *dv = NULL;
	const char *source = NULL;
	int rc;

	plan->vector_of[i] = CDC_PLAN_NONE;
	if (!ref->storage)
		return CDC_OK;
	rc = cdc_dv_load(&dv, plan->io, s->table, s->allow_external, ref, err);
	if (rc < 0)
		return rc;
	cdc_dv_free(dv);
	rc = cdc_dv_file_path(ref, s->table, &plan->arena, &source, err);
	if (rc < 0 || !source)
		return rc;
	plan->vector_of[i] = find_vector(plan, source);
	if (plan->vector_of[i] != CDC_PLAN_NONE)
		return CDC_OK;
	plan->vector_of[i] = plan->num_vectors;
	return add_vector(plan, ref, source, text, err);
}

/* ------------------------------------------------------------------ the plan */

static int plan_file(struct cdc_plan *plan, size_t i, struct cdc_buf *source, struct cdc_buf *text,
		     struct cdc_err *err)
{
	const struct cdc_snapshot *s = plan->s;
	const struct cdc_add *add = &s->add[i];
	struct stat st;
	int rc = cdc_path_check(plan->io, s->table, s->allow_external, add->path, err);

	if (rc == CDC_OK)
		rc = cdc_plan_source(s, add, source, err);
	if (rc == CDC_OK)
		rc = cdc_plan_look(plan->io, s, source->p, &st, err);
	if (rc < 0)
		return rc;
	if (st.st_size != add->size_bytes)
		return cdc_fail(err, CDC_ECORRUPT, "file %s has %lld bytes, the log says %lld",
				source->p, (long long)st.st_size, (long long)add->size_bytes);
	plan->bytes += (uint64_t)st.st_size;
	return name_file(plan, i, source, text, err);
}

static int reserve(struct cdc_plan *plan, struct cdc_err *err)
{
	size_t n = plan->s->num_adds;

	if (n > UINT32_MAX / 4)
		return cdc_fail(err, CDC_EUNSUPPORTED, "an archive of %zu files", n);
	plan->name = cdc_arena_calloc(&plan->arena, n + 1, sizeof(*plan->name));
	plan->vector_of = cdc_arena_calloc(&plan->arena, n + 1, sizeof(*plan->vector_of));
	plan->vector = cdc_arena_calloc(&plan->arena, n + 1, sizeof(*plan->vector));
	plan->taken = cdc_arena_calloc(&plan->arena, 2 * n + 1, sizeof(*plan->taken));
	if (!plan->name || !plan->vector_of || !plan->vector || !plan->taken)
		return cdc_fail_nomem(err);
	return CDC_OK;
}

int cdc_plan_make(struct cdc_plan *plan, const struct cdc_io *io, const struct cdc_snapshot *s,
		  struct cdc_err *err)
{
	struct cdc_buf source = CDC_BUF_INIT, text = CDC_BUF_INIT;
	int rc;

	*plan = (struct cdc_plan){ .io = io, .s = s };
	rc = cdc_io_uuid(io, plan->id, NULL, err);
	if (rc == CDC_OK)
		rc = reserve(plan, err);
	for (size_t i = 0; rc == CDC_OK && i < s->num_adds; i++) {
		if (io->interrupted(io->ctx))
			rc = cdc_fail(err, CDC_EINTR, "interrupted");
		if (rc == CDC_OK)
			rc = plan_file(plan, i, &source, &text, err);
		if (rc == CDC_OK)
			rc = plan_vector(plan, i, &text, err);
	}
	cdc_buf_free(&source);
	cdc_buf_free(&text);
	return rc;
}

void cdc_plan_free(struct cdc_plan *plan)
{
	cdc_map_free(&plan->names);
	cdc_map_free(&plan->sources);
	cdc_arena_free(&plan->arena);
}
