/*
 * Rows as a Parquet file: the same columns, types and nesting, without what only the table's log
 * knows of them (partitioning, column mapping).
 */
#include "table/print/print_int.h"

#include "parquet/parquet.h"
#include "table/nested/shred.h"

#include <stdlib.h>

struct cdc_print_parquet {
	struct cdc_schema schema;
	struct cdc_arena arena;
	struct cdc_pq_schema file;
	struct cdc_shredder *shredder;
	struct cdc_pq_vec *vec; /* one a leaf */
	struct cdc_pq_writer *writer;
};

/* The printed columns as a schema of their own. */
static int make_schema(struct cdc_printer *p, struct cdc_schema *out, struct cdc_err *err)
{
	struct cdc_schema some = { NULL, p->num_fields, CDC_ARENA_INIT };
	int rc;

	some.field = calloc((size_t)p->num_fields + 1, sizeof(*some.field));
	if (!some.field)
		return cdc_fail_nomem(err);
	for (int i = 0; i < p->num_fields; i++)
		some.field[i] = *p->field[i];
	rc = cdc_schema_copy(out, &some, err);
	free(some.field);
	if (rc < 0)
		return rc;
	cdc_schema_unmap(out);
	for (int i = 0; i < out->num_fields; i++)
		out->field[i].is_partition = false;
	return CDC_OK;
}

static int parquet_begin(struct cdc_printer *p, struct cdc_err *err)
{
	struct cdc_print_parquet *q = calloc(1, sizeof(*q));
	struct cdc_pq_write_options opt;
	int rc;

	if (!q)
		return cdc_fail_nomem(err);
	p->parquet = q;
	if ((rc = make_schema(p, &q->schema, err)) < 0 ||
	    (rc = cdc_schema_to_single_parquet(&q->schema, &q->file, &q->arena, err)) < 0 ||
	    (rc = cdc_shredder_new(&q->shredder, &q->schema, &q->file, err)) < 0)
		return rc;
	q->vec = cdc_arena_calloc(&q->arena, (size_t)q->file.num_leaves + 1, sizeof(*q->vec));
	if (!q->vec)
		return cdc_fail_nomem(err);
	cdc_pq_write_options_init(&opt);
	return cdc_pq_writer_new(&q->writer, p->out->io, p->out->fd, &q->file, &opt, err);
}

static int parquet_batch(struct cdc_printer *p, const struct cdc_batch *b, struct cdc_err *err)
{
	struct cdc_print_parquet *q = p->parquet;
	int rc = b->rows ? cdc_shredder_rows(q->shredder, b, q->vec, err) : CDC_END;

	return rc == CDC_OK ? cdc_pq_writer_write(q->writer, q->vec, b->rows, err)
	       : rc < 0	    ? rc
			    : CDC_OK;
}

static int parquet_finish(struct cdc_printer *p, struct cdc_err *err)
{
	struct cdc_pq_summary summary = { .num_leaves = 0 };
	int rc = cdc_pq_writer_finish(p->parquet->writer, &summary, err);

	/* The file went past the writer of text, which counts what went out. */
	if (rc == CDC_OK)
		p->out->written += summary.file_bytes;
	cdc_pq_summary_free(&summary);
	return rc;
}

void cdc_print_parquet_free(struct cdc_print_parquet *q)
{
	if (!q)
		return;
	cdc_pq_writer_free(q->writer);
	cdc_shredder_free(q->shredder);
	cdc_schema_free(&q->schema);
	cdc_arena_free(&q->arena);
	free(q);
}

const struct cdc_print_ops cdc_print_parquet = { parquet_begin, parquet_batch, parquet_finish };
