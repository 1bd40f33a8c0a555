/*
 * A snapshot made from one file. See parquet_table.h.
 */
#include "table/scan/parquet_table.h"

#include "parquet/parquet.h"

#include <stdlib.h>
#include <sys/stat.h>

bool cdc_is_parquet_operand(const struct cdc_io *io, const char *path)
{
	struct stat st;

	return io->stat(io->ctx, path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* The directory and the name in it, so that the add action is a relative path as in a log. */
static int split(struct cdc_snapshot *s, const char *path, struct cdc_str *name,
		 struct cdc_err *err)
{
	const char *slash = strrchr(path, '/');
	struct cdc_str dir = CDC_STR(".");

	*name = cdc_str_z(slash ? slash + 1 : path);
	if (slash)
		dir = slash == path ? CDC_STR("/") : cdc_str(path, (size_t)(slash - path));
	s->table = malloc(dir.n + 1);
	if (!s->table)
		return cdc_fail_nomem(err);
	memcpy(s->table, dir.p, dir.n);
	s->table[dir.n] = '\0';
	return CDC_OK;
}

static int add_file(struct cdc_snapshot *s, struct cdc_str name, const struct stat *st,
		    struct cdc_err *err)
{
	struct cdc_buf uri = CDC_BUF_INIT;
	struct cdc_add *add = calloc(1, sizeof(*add));
	int rc;

	if (!add)
		return cdc_fail_nomem(err);
	s->add = add;
	s->num_adds = 1;
	add->size_bytes = st->st_size;
	add->modification_time_ms =
		(int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
	add->data_change = true;
	rc = cdc_path_encode(name, &uri, err);
	if (rc == CDC_OK) {
		add->path = cdc_str(cdc_arena_dup(&s->arena, uri.p, uri.len), uri.len);
		if (!add->path.p)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&uri);
	return rc;
}

/* The metadata tells the schema as that of a table does. */
static int tell_schema(struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cdc_buf json = CDC_BUF_INIT;
	int rc = cdc_schema_to_json(&s->schema, &json, err);

	if (rc == CDC_OK) {
		char *p = cdc_arena_dup(&s->arena, json.p, json.len);

		rc = p ? CDC_OK : cdc_fail_nomem(err);
		s->metadata.schema_json = cdc_str(p, json.len);
	}
	cdc_buf_free(&json);
	return rc;
}

/* The schema's names point into the file's memory, which goes: it is copied. */
static int take_schema(struct cdc_snapshot *s, const struct cdc_pq_file *f, struct cdc_err *err)
{
	struct cdc_schema borrowed = CDC_SCHEMA_INIT;
	int rc = cdc_schema_from_parquet(&borrowed, &cdc_pq_metadata(f)->schema, err);

	if (rc == CDC_OK)
		rc = cdc_schema_copy(&s->schema, &borrowed, err);
	cdc_schema_free(&borrowed);
	return rc < 0 ? rc : tell_schema(s, err);
}

int cdc_parquet_table_open(struct cdc_snapshot **out, const struct cdc_io *io, const char *path,
			   struct cdc_err *err)
{
	struct cdc_snapshot *s = calloc(1, sizeof(*s));
	struct cdc_pq_file *f = NULL;
	struct cdc_str name;
	struct stat st = { 0 };
	int rc;

	if (!s)
		return cdc_fail_nomem(err);
	s->protocol = (struct cdc_protocol){ .reader_version = 1, .writer_version = 2 };
	s->checkpoint_version = -1;
	(void)io->stat(io->ctx, path, &st);
	rc = cdc_pq_open(&f, io, path, 0, err);
	if (rc == CDC_OK)
		rc = split(s, path, &name, err);
	if (rc == CDC_OK)
		rc = add_file(s, name, &st, err);
	if (rc == CDC_OK)
		rc = take_schema(s, f, err);
	if (f)
		cdc_pq_close(f);
	if (rc < 0) {
		cdc_snapshot_free(s);
		return rc;
	}
	s->timestamp_ms = s->add->modification_time_ms;
	*out = s;
	return CDC_OK;
}
