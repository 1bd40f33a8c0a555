/*
 * The rows of a bin in a new order. See compact_int.h.
 *
 * A row is sorted with the key of its columns, or its place on a Z-order curve, and behind it its
 * place in the order of reading: equal rows keep their order. The rest of it goes along as bytes.
 */
#include "table/compact/compact_int.h"

#include "base/endian.h"
#include "io/stream.h"
#include "table/sort/row_bytes.h"
#include "table/sort/row_sort.h"
#include "table/sort/sort_key.h"
#include "table/sort/zrank.h"

#include <stdlib.h>

#define DEFAULT_MEMORY ((uint64_t)256 << 20)
#define PLACE_BYTES 8

struct sorting {
	struct compaction *k;
	struct compact_bin *b;
	int *field; /* to sort by */
	int num_fields;
	struct cdc_zrank *rank; /* NULL: by the columns themselves */
	struct cdc_sorter *sorter;
	struct cdc_row_builder *builder;
	struct cdc_buf key;
	struct cdc_buf row;
	struct cdc_writer places; /* to b->places_fd, if it is open */
};

/* ------------------------------------------------------------------ columns */

static int find_column(const struct cdc_snapshot *s, const char *name, int *field,
		       struct cdc_err *err)
{
	char type[CDC_TYPE_NAME_MAX];
	const struct cdc_field *f;

	*field = cdc_schema_find(&s->schema, cdc_str_z(name));
	if (*field < 0)
		return cdc_fail(err, CDC_EUSAGE, "no column \"%.128s\" to sort by", name);
	f = &s->schema.field[*field];
	if (f->is_partition)
		return cdc_fail(err, CDC_EUSAGE,
				"\"%.128s\" is a partition column: files hold one value of it, and "
				"are not sorted by it",
				name);
	if (!cdc_sort_key_possible(f->type))
		return cdc_fail(err, CDC_EUSAGE, "column \"%.128s\": type %s has no order", name,
				cdc_type_name(f, type));
	return CDC_OK;
}

static int find_columns(const struct compaction *k, int **field, int *n, struct cdc_err *err)
{
	int rc = CDC_OK;

	*n = 0;
	while (k->opt->sort_by[*n])
		++*n;
	*field = calloc((size_t)*n + 1, sizeof(**field));
	if (!*field)
		return cdc_fail_nomem(err);
	for (int i = 0; !rc && i < *n; i++)
		rc = find_column(k->s, k->opt->sort_by[i], &(*field)[i], err);
	return rc;
}

int compact_sort_check(const struct compaction *k, struct cdc_err *err)
{
	int *field = NULL;
	int n;
	int rc = find_columns(k, &field, &n, err);

	free(field);
	return rc;
}

/* ------------------------------------------------------------------ reading */

/* A first pass over the columns alone: what their values are like. */
static int sample(struct sorting *s, struct cdc_err *err)
{
	const struct compact_bin *b = s->b;
	const struct cdc_add **file = calloc(b->n + 1, sizeof(*file));
	struct cdc_scan_options so = {
		.columns = s->field, .num_columns = s->num_fields, .file = file, .num_files = b->n
	};
	struct cdc_scan *scan = NULL;
	struct cdc_batch rows;
	int rc = file ? cdc_zrank_new(&s->rank, s->num_fields, err) : cdc_fail_nomem(err);

	for (size_t i = 0; !rc && i < b->n; i++)
		file[i] = b->input[i].add;
	if (!rc)
		rc = cdc_scan_new(&scan, s->k->io, s->k->s, &so, err);
	while (!rc && !(rc = cdc_scan_next(scan, &rows, err)))
		rc = cdc_zrank_sample(s->rank, &rows, err);
	cdc_scan_free(scan);
	free(file);
	if (rc != CDC_END)
		return rc;
	cdc_zrank_finish(s->rank);
	return CDC_OK;
}

static int put_key(struct sorting *s, const struct cdc_batch *rows, uint32_t row,
		   struct cdc_err *err)
{
	char place[PLACE_BYTES];
	int rc = CDC_OK;

	cdc_buf_reset(&s->key);
	if (s->rank)
		rc = cdc_zrank_put(s->rank, &s->key, rows, s->field, row, err);
	for (int i = 0; !rc && !s->rank && i < s->num_fields; i++)
		rc = cdc_sort_key_put(&s->key, &rows->column[s->field[i]], row, err);
	cdc_put_be64(place, s->b->rows);
	return rc ? rc : cdc_buf_append(&s->key, place, sizeof(place), err);
}

static int take_rows(void *ctx, const struct cdc_batch *rows, struct cdc_err *err)
{
	struct sorting *s = ctx;
	int rc = CDC_OK;

	for (uint32_t i = 0; !rc && i < rows->rows; i++, s->b->rows++) {
		cdc_buf_reset(&s->row);
		rc = put_key(s, rows, i, err);
		if (!rc)
			rc = cdc_row_put(&s->row, rows, i, err);
		if (!rc)
			rc = cdc_sorter_add(s->sorter, cdc_buf_str(&s->key), cdc_buf_str(&s->row),
					    err);
	}
	return rc;
}

static int read_inputs(struct sorting *s, struct cdc_err *err)
{
	struct compact_source src;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < s->b->n; i++) {
		struct compact_input *in = &s->b->input[i];

		rc = compact_source_open(&src, s->k, in->add, err);
		if (rc)
			break;
		in->out_first = s->b->rows;
		in->rows = cdc_datafile_rows(src.df);
		rc = compact_source_read(&src, s->k, 0, in->rows, take_rows, s, err);
		compact_source_close(&src);
	}
	return rc;
}

/* ------------------------------------------------------------------ writing */

static int write_batch(struct sorting *s, struct cdc_err *err)
{
	struct cdc_batch rows;

	cdc_row_builder_take(s->builder, &rows);
	return cdc_datawriter_write(s->k->writer, &rows, err);
}

static int note_place(struct sorting *s, struct cdc_str key, struct cdc_err *err)
{
	uint64_t place = cdc_be64(key.p + key.n - PLACE_BYTES);

	return s->b->places_fd < 0 ? CDC_OK
				   : cdc_writer_put(&s->places, &place, sizeof(place), err);
}

static int write_rows(struct sorting *s, struct cdc_err *err)
{
	struct cdc_str key, row;
	int rc;

	while (!(rc = cdc_sorter_next(s->sorter, &key, &row, err))) {
		rc = cdc_row_builder_add(s->builder, row, err);
		if (!rc)
			rc = note_place(s, key, err);
		if (!rc && cdc_row_builder_full(s->builder))
			rc = write_batch(s, err);
		if (rc)
			return rc;
	}
	if (rc != CDC_END)
		return rc;
	rc = write_batch(s, err);
	if (!rc && s->b->places_fd >= 0)
		rc = cdc_writer_flush(&s->places, err);
	return rc;
}

/* Places are of use where a merge may mark rows meanwhile. */
static int open_places(struct sorting *s, struct cdc_err *err)
{
	const struct compaction *k = s->k;
	int rc;

	if (!cdc_deletion_vectors_on(k->s))
		return CDC_OK;
	rc = cdc_io_open_temp(k->io, k->opt->tmpdir, &s->b->places_fd, err);
	return rc ? rc : cdc_writer_init(&s->places, k->io, s->b->places_fd, err);
}

int compact_sort(struct compaction *k, struct compact_bin *b, struct cdc_err *err)
{
	uint64_t memory = k->opt->memory_bytes ? k->opt->memory_bytes : DEFAULT_MEMORY;
	struct sorting s = { .k = k, .b = b };
	int rc = find_columns(k, &s.field, &s.num_fields, err);

	(void)cdc_datawriter_adds(k->writer, &b->first_output);
	if (!rc && k->opt->zorder)
		rc = sample(&s, err);
	if (!rc)
		rc = cdc_row_builder_new(&s.builder, &k->tracked.table.schema, err);
	if (!rc)
		rc = cdc_sorter_new(&s.sorter, k->io, k->opt->tmpdir, memory, err);
	if (!rc)
		rc = open_places(&s, err);
	if (!rc)
		rc = read_inputs(&s, err);
	if (!rc)
		rc = write_rows(&s, err);
	if (!rc)
		rc = cdc_datawriter_end(k->writer, err);
	(void)cdc_datawriter_adds(k->writer, &b->num_outputs);
	b->num_outputs -= b->first_output;
	cdc_writer_free(&s.places);
	cdc_sorter_free(s.sorter);
	cdc_row_builder_free(s.builder);
	cdc_zrank_free(s.rank);
	cdc_buf_free(&s.key);
	cdc_buf_free(&s.row);
	free(s.field);
	return rc;
}
