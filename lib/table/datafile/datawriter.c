/*
 * New data files of a table. See datawriter.h.
 */
#include "table/datafile/datawriter.h"

#include "table/nested/shred.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define DEFAULT_TARGET_BYTES ((uint64_t)128 << 20)

struct cdc_datawriter {
	const struct cdc_io *io;
	const struct cdc_snapshot *snapshot;
	struct cdc_datawriter_options opt;
	struct cdc_arena arena; /* everything the add actions point to */
	struct cdc_schema layout; /* the table's columns and the extra ones */
	struct cdc_pq_schema pq_schema;
	struct cdc_shredder *shredder;
	struct cdc_pq_vec *vec; /* one a leaf */
	struct cdc_stats_columns stats;
	/* the partition and the file that are open */
	struct cdc_kv *value;
	int num_values;
	char *dir; /* relative, "" or "a=1/", from the arena */
	char *path; /* full path of the open file, from the arena */
	char *relative;
	int fd;
	struct cdc_pq_writer *pq;
	/* done */
	struct cdc_add *add;
	char **add_path; /* full paths, for clean-up */
	size_t num_adds;
	size_t cap_adds;
	char **sync_dir; /* full paths of directories that got files */
	size_t num_dirs;
	uint64_t total_bytes;
};

static int map_leaves(struct cdc_datawriter *w, struct cdc_err *err)
{
	int rc = cdc_schema_copy(&w->layout, &w->snapshot->schema, err);

	for (int i = 0; !rc && i < w->opt.num_extra; i++)
		rc = cdc_schema_add(&w->layout, &w->opt.extra[i], err);
	if (!rc)
		rc = cdc_schema_to_parquet(&w->layout, &w->pq_schema, &w->arena, err);
	if (rc)
		return rc;
	w->vec = cdc_arena_calloc(&w->arena, (size_t)w->pq_schema.num_leaves + 1, sizeof(*w->vec));
	if (!w->vec)
		return cdc_fail_nomem(err);
	return cdc_shredder_new(&w->shredder, &w->layout, &w->pq_schema, err);
}

int cdc_datawriter_new(struct cdc_datawriter **out, const struct cdc_io *io,
		       const struct cdc_snapshot *snapshot,
		       const struct cdc_datawriter_options *opt, struct cdc_err *err)
{
	struct cdc_datawriter *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (!w)
		return cdc_fail_nomem(err);
	w->io = io;
	w->snapshot = snapshot;
	w->opt = *opt;
	w->fd = -1;
	if (!w->opt.target_bytes)
		w->opt.target_bytes = DEFAULT_TARGET_BYTES;
	if (map_leaves(w, err) || cdc_stats_columns_of(&w->stats, snapshot, &w->arena, err)) {
		cdc_datawriter_free(w, false);
		return err->code;
	}
	*out = w;
	return CDC_OK;
}

/* ------------------------------------------------------------------ partitions, files */

static int note_dir(struct cdc_datawriter *w, const char *full, struct cdc_err *err)
{
	char **dirs;

	for (size_t i = w->num_dirs; i-- > 0;)
		if (!strcmp(w->sync_dir[i], full))
			return CDC_OK;
	dirs = realloc(w->sync_dir, (w->num_dirs + 1) * sizeof(*dirs));
	if (!dirs)
		return cdc_fail_nomem(err);
	w->sync_dir = dirs;
	w->sync_dir[w->num_dirs] = cdc_arena_dupz(&w->arena, cdc_str_z(full));
	if (!w->sync_dir[w->num_dirs])
		return cdc_fail_nomem(err);
	w->num_dirs++;
	return CDC_OK;
}

/*
 * The directory and those above it, up to the root: one that a writer made which then died may be
 * there without being on disk.
 */
static int note_dirs(struct cdc_datawriter *w, char *full, struct cdc_err *err)
{
	size_t root = strlen(w->snapshot->table);
	int rc = note_dir(w, full, err);

	for (size_t n = strlen(full) - 1; !rc && n > root; n--) {
		if (full[n - 1] != '/')
			continue;
		full[n] = 0;
		rc = note_dir(w, full, err);
	}
	return rc;
}

static int keep_values(struct cdc_datawriter *w, const struct cdc_kv *value, int n,
		       struct cdc_err *err)
{
	w->num_values = n;
	w->value = cdc_arena_calloc(&w->arena, (size_t)n + 1, sizeof(*w->value));
	if (!w->value)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++) {
		struct cdc_kv *v = &w->value[i];

		v->key = cdc_str(cdc_arena_dup(&w->arena, value[i].key.p, value[i].key.n),
				 value[i].key.n);
		if (value[i].value.p)
			v->value = cdc_str(
				cdc_arena_dup(&w->arena, value[i].value.p, value[i].value.n),
				value[i].value.n);
		if (!v->key.p || (value[i].value.p && !v->value.p))
			return cdc_fail_nomem(err);
	}
	return CDC_OK;
}

/* delta.randomizeFilePrefixes: letters by chance, for stores that spread objects by their names. */
static int put_random_dir(struct cdc_datawriter *w, struct cdc_buf *dir, struct cdc_err *err)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	int64_t n = cdc_snapshot_config_int(w->snapshot, "delta.randomPrefixLength", 2);
	uint8_t drawn[32];
	int rc = CDC_OK;

	n = n < 1 ? 1 : n > (int64_t)sizeof(drawn) ? (int64_t)sizeof(drawn) : n;
	if (w->io->random(w->io->ctx, drawn, (size_t)n) < 0)
		return cdc_fail_errno(err, errno, "no random bytes");
	for (int64_t i = 0; !rc && i < n; i++)
		rc = cdc_buf_putc(dir, letters[drawn[i] % (sizeof(letters) - 1)], err);
	return rc ? rc : cdc_buf_putc(dir, '/', err);
}

/* Where the files of the partition go, relative to the root, "" or with a slash at the end. */
static int put_dir(struct cdc_datawriter *w, struct cdc_buf *dir, struct cdc_err *err)
{
	int rc = w->opt.change_data ? cdc_buf_puts(dir, "_change_data/", err) : CDC_OK;

	if (!rc &&
	    cdc_metadata_config_is(&w->snapshot->metadata, "delta.randomizeFilePrefixes", "true"))
		return put_random_dir(w, dir, err);
	for (int i = 0; !rc && i < w->num_values; i++) {
		rc = cdc_partition_dir(w->value[i].key, w->value[i].value, dir, err);
		if (!rc)
			rc = cdc_buf_putc(dir, '/', err);
	}
	return rc;
}

int cdc_datawriter_begin(struct cdc_datawriter *w, const struct cdc_kv *value, int num_values,
			 struct cdc_err *err)
{
	struct cdc_buf dir = CDC_BUF_INIT;
	struct cdc_buf full = CDC_BUF_INIT;
	int rc = keep_values(w, value, num_values, err);

	if (!rc)
		rc = put_dir(w, &dir, err);
	if (!rc)
		rc = cdc_buf_printf(&full, err, "%s/", w->snapshot->table);
	if (!rc)
		rc = cdc_buf_put(&full, cdc_buf_str(&dir), err);
	if (!rc && !cdc_buf_z(&full))
		rc = cdc_fail_nomem(err);
	if (!rc && dir.len)
		rc = cdc_io_mkdirs(w->io, full.p, err);
	if (!rc)
		rc = note_dirs(w, full.p, err);
	if (!rc) {
		w->dir = cdc_arena_dupz(&w->arena, cdc_buf_str(&dir));
		if (!w->dir)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&dir);
	cdc_buf_free(&full);
	return rc;
}

static const char *codec_suffix(enum cdc_pq_codec c)
{
	static const char *const suffix[] = { "",    ".snappy", ".gz",	 ".lzo",
					      ".br", ".lz4",	".zstd", ".lz4raw" };

	return (unsigned)c < sizeof(suffix) / sizeof(suffix[0]) ? suffix[c] : "";
}

/* A name that no file has. Under SOURCE_DATE_EPOCH each run draws the same names: try on. */
#define NAME_TRIES 10000

static int create_file(struct cdc_datawriter *w, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	char uuid[37];
	size_t root = strlen(w->snapshot->table) + 1;
	int rc = cdc_io_uuid(w->io, uuid, NULL, err);

	if (!rc)
		rc = cdc_buf_printf(&b, err, "%s/%s%s-%05zu-%s-c000%s.parquet", w->snapshot->table,
				    w->dir, w->opt.change_data ? "cdc" : "part", w->num_adds, uuid,
				    codec_suffix(w->opt.codec));
	if (!rc) {
		w->path = cdc_arena_dupz(&w->arena, cdc_buf_str(&b));
		if (!w->path)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&b);
	if (rc)
		return rc;
	w->relative = w->path + root;
	w->fd = w->io->open(w->io->ctx, w->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return CDC_OK;
}

/*
 * Dates count in the proleptic Gregorian calendar, as they do in files of Spark since 3.1. Spark
 * refuses days before 1582-10-15, and times before 1900, in files that do not name such a version.
 */
static const struct cdc_pq_key_value calendar = { "org.apache.spark.version", "3.1.0" };

static int open_file(struct cdc_datawriter *w, struct cdc_err *err)
{
	struct cdc_pq_write_options opt;

	for (int i = 0; w->fd < 0; i++) {
		if (create_file(w, err))
			return err->code;
		if (w->fd < 0 && (errno != EEXIST || i == NAME_TRIES))
			return cdc_fail_errno(err, errno, "cannot create %s", w->path);
	}
	cdc_pq_write_options_init(&opt);
	opt.codec = w->opt.codec;
	if (w->opt.codec_level)
		opt.level = w->opt.codec_level;
	opt.key_value = &calendar;
	opt.num_key_values = 1;
	return cdc_pq_writer_new(&w->pq, w->io, w->fd, &w->pq_schema, &opt, err);
}

static void drop_open_file(struct cdc_datawriter *w)
{
	cdc_pq_writer_free(w->pq);
	w->pq = NULL;
	if (w->fd >= 0) {
		w->io->close(w->io->ctx, w->fd);
		w->io->unlink(w->io->ctx, w->path);
	}
	w->fd = -1;
}

static int push_add(struct cdc_datawriter *w, const struct cdc_add *add, struct cdc_err *err)
{
	if (w->num_adds == w->cap_adds) {
		size_t cap = w->cap_adds ? w->cap_adds * 2 : 16;
		void *p = realloc(w->add, cap * sizeof(*w->add));

		if (!p)
			return cdc_fail_nomem(err);
		w->add = p;
		p = realloc(w->add_path, cap * sizeof(*w->add_path));
		if (!p)
			return cdc_fail_nomem(err);
		w->add_path = p;
		w->cap_adds = cap;
	}
	w->add_path[w->num_adds] = w->path;
	w->add[w->num_adds++] = *add;
	w->total_bytes += (uint64_t)add->size_bytes;
	return CDC_OK;
}

static int describe(struct cdc_datawriter *w, const struct cdc_pq_summary *summary,
		    struct cdc_err *err)
{
	const struct cdc_snapshot *s = w->snapshot;
	struct cdc_add add = { .partition_value = w->value,
			       .num_partition_values = w->num_values,
			       .size_bytes = (int64_t)summary->file_bytes,
			       .modification_time_ms = w->io->now_us(w->io->ctx) / 1000,
			       .data_change = w->opt.data_change };
	struct cdc_pq_summary tabled = *summary; /* without the extra columns, which are last */
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_path_encode(cdc_str_z(w->relative), &b, err);

	if (!rc) {
		add.path = cdc_str(cdc_arena_dup(&w->arena, b.p, b.len), b.len);
		cdc_buf_reset(&b);
		tabled.num_leaves -= w->opt.num_extra;
		rc = cdc_stats_write(&s->schema, &tabled, &w->stats, &b, err);
	}
	if (!rc) {
		add.stats = cdc_str(cdc_arena_dup(&w->arena, b.p, b.len), b.len);
		rc = add.path.p && add.stats.p ? push_add(w, &add, err) : cdc_fail_nomem(err);
	}
	cdc_buf_free(&b);
	return rc;
}

int cdc_datawriter_end(struct cdc_datawriter *w, struct cdc_err *err)
{
	struct cdc_pq_summary summary = { .num_leaves = 0 };
	int fd = w->fd;
	int rc;

	if (!w->pq)
		return CDC_OK;
	rc = cdc_pq_writer_finish(w->pq, &summary, err);
	if (!rc && w->io->fsync(w->io->ctx, fd))
		rc = cdc_fail_errno(err, errno, "cannot fsync %s", w->path);
	if (!rc) {
		w->fd = -1;
		if (w->io->close(w->io->ctx, fd))
			rc = cdc_fail_errno(err, errno, "cannot close %s", w->path);
		if (!rc)
			rc = describe(w, &summary, err);
		if (rc)
			w->io->unlink(w->io->ctx, w->path);
	}
	cdc_pq_writer_free(w->pq);
	w->pq = NULL;
	cdc_pq_summary_free(&summary);
	if (rc)
		drop_open_file(w);
	return rc;
}

/* ------------------------------------------------------------------ rows */

int cdc_datawriter_write(struct cdc_datawriter *w, const struct cdc_batch *batch,
			 struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!batch->rows)
		return CDC_OK;
	if (w->pq && cdc_pq_writer_bytes(w->pq) >= w->opt.target_bytes)
		rc = cdc_datawriter_end(w, err);
	if (!rc && !w->pq)
		rc = open_file(w, err);
	if (!rc)
		rc = cdc_shredder_rows(w->shredder, batch, w->vec, err);
	if (!rc)
		rc = cdc_pq_writer_write(w->pq, w->vec, batch->rows, err);
	return rc;
}

bool cdc_datawriter_can_splice(const struct cdc_datawriter *w, const struct cdc_pq_file *f)
{
	return cdc_pq_can_splice(f, &w->pq_schema);
}

int cdc_datawriter_splice(struct cdc_datawriter *w, struct cdc_pq_file *f, int32_t row_group,
			  const bool *plain_zero, struct cdc_err *err)
{
	int rc = w->pq ? CDC_OK : open_file(w, err);

	return rc ? rc : cdc_pq_writer_splice(w->pq, f, row_group, plain_zero, err);
}

uint64_t cdc_datawriter_open_bytes(const struct cdc_datawriter *w)
{
	return w->pq ? cdc_pq_writer_bytes(w->pq) : 0;
}

uint64_t cdc_datawriter_open_rows(const struct cdc_datawriter *w)
{
	return w->pq ? cdc_pq_writer_rows(w->pq) : 0;
}

uint64_t cdc_datawriter_waiting_rows(const struct cdc_datawriter *w)
{
	return w->pq ? cdc_pq_writer_open_rows(w->pq) : 0;
}

int cdc_datawriter_sync(struct cdc_datawriter *w, struct cdc_err *err)
{
	for (size_t i = 0; i < w->num_dirs; i++)
		if (cdc_io_sync_dir(w->io, w->sync_dir[i], err))
			return err->code;
	return CDC_OK;
}

const struct cdc_add *cdc_datawriter_adds(const struct cdc_datawriter *w, size_t *n)
{
	*n = w->num_adds;
	return w->add;
}

const struct cdc_change_file *cdc_datawriter_changes(struct cdc_datawriter *w, size_t *n)
{
	struct cdc_change_file *c = cdc_arena_calloc(&w->arena, w->num_adds + 1, sizeof(*c));

	*n = c ? w->num_adds : 0;
	for (size_t i = 0; i < *n; i++)
		c[i] = (struct cdc_change_file){ .path = w->add[i].path,
						 .partition_value = w->add[i].partition_value,
						 .num_partition_values =
							 w->add[i].num_partition_values,
						 .size_bytes = w->add[i].size_bytes };
	return c;
}

uint64_t cdc_datawriter_bytes(const struct cdc_datawriter *w)
{
	return w->total_bytes;
}

void cdc_datawriter_discard(struct cdc_datawriter *w, size_t add)
{
	if (!w->add_path[add])
		return;
	w->io->unlink(w->io->ctx, w->add_path[add]);
	w->add_path[add] = NULL;
}

void cdc_datawriter_free(struct cdc_datawriter *w, bool keep_files)
{
	if (!w)
		return;
	drop_open_file(w);
	for (size_t i = 0; !keep_files && i < w->num_adds; i++)
		cdc_datawriter_discard(w, i);
	free(w->add);
	free(w->add_path);
	free(w->sync_dir);
	cdc_shredder_free(w->shredder);
	cdc_schema_free(&w->layout);
	cdc_arena_free(&w->arena);
	free(w);
}

int cdc_datawriter_codec(const struct cdc_snapshot *s, enum cdc_pq_codec *codec,
			 struct cdc_err *err)
{
	static const struct {
		const char *name;
		enum cdc_pq_codec codec;
	} codecs[] = { { "zstd", CDC_PQ_ZSTD },	       { "snappy", CDC_PQ_SNAPPY },
		       { "gzip", CDC_PQ_GZIP },	       { "lz4", CDC_PQ_LZ4_RAW },
		       { "lz4_raw", CDC_PQ_LZ4_RAW },  { "uncompressed", CDC_PQ_UNCOMPRESSED },
		       { "none", CDC_PQ_UNCOMPRESSED } };
	struct cdc_str v;

	*codec = CDC_PQ_ZSTD;
	if (!cdc_metadata_config(&s->metadata, "delta.parquet.compression.codec", &v))
		return CDC_OK;
	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (cdc_str_ieq(v, cdc_str_z(codecs[i].name))) {
			*codec = codecs[i].codec;
			return CDC_OK;
		}
	return cdc_fail(err, CDC_EUNSUPPORTED, "delta.parquet.compression.codec \"%.*s\"", (int)v.n,
			v.p);
}

bool cdc_commit_may_be_there(const struct cdc_io *io, const char *table, int64_t version, int rc)
{
	struct cdc_buf path = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct stat st;
	bool there = rc != CDC_ECONFLICT;

	if (rc && there &&
	    !cdc_buf_printf(&path, &err, "%s/_delta_log/%020lld.json", table, (long long)version) &&
	    cdc_buf_z(&path))
		there = !io->lstat(io->ctx, path.p, &st) || errno != ENOENT;
	cdc_buf_free(&path);
	return there;
}

void cdc_remove_of(const struct cdc_add *add, int64_t now_ms, bool data_change,
		   struct cdc_remove *r)
{
	*r = (struct cdc_remove){ .path = add->path,
				  .has_deletion_timestamp = true,
				  .deletion_timestamp_ms = now_ms,
				  .data_change = data_change,
				  .extended = true,
				  .partition_value = add->partition_value,
				  .num_partition_values = add->num_partition_values,
				  .size_bytes = add->size_bytes,
				  .num_records = cdc_stats_num_records(add->stats),
				  .dv = add->dv,
				  .has_base_row_id = add->has_base_row_id,
				  .base_row_id = add->base_row_id,
				  .has_default_row_commit_version =
					  add->has_default_row_commit_version,
				  .default_row_commit_version = add->default_row_commit_version };
}
