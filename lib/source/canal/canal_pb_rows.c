/*
 * Rows of Canal's protobuf. Each column of an image carries its definition: the table's columns are
 * those that either image has, in the order of their places.
 */
#include "source/canal/canal_pb.h"
#include "source/mysql/mysql_value.h"

#include <stdlib.h>

enum {
	COLUMN_INDEX,
	COLUMN_NAME,
	COLUMN_IS_KEY,
	COLUMN_IS_NULL,
	COLUMN_VALUE,
	COLUMN_MYSQL_TYPE,
	COLUMN_FIELDS
};
static const struct cdc_pb_want column_fields[COLUMN_FIELDS] = {
	[COLUMN_INDEX] = { 1, CDC_PB_VARINT },	[COLUMN_NAME] = { 3, CDC_PB_BYTES },
	[COLUMN_IS_KEY] = { 4, CDC_PB_VARINT }, [COLUMN_IS_NULL] = { 6, CDC_PB_VARINT },
	[COLUMN_VALUE] = { 8, CDC_PB_BYTES },	[COLUMN_MYSQL_TYPE] = { 10, CDC_PB_BYTES },
};

void canal_pb_rows_free(struct canal_pb *d)
{
	free(d->before.col);
	free(d->after.col);
	free(d->all);
	free(d->slot);
}

/* --- images ------------------------------------------------------------- */

static int add_column(struct canal_pb_image *image, const struct cdc_pb_value *v,
		      struct cdc_err *err)
{
	if (!v[COLUMN_NAME].bytes.n)
		return cdc_fail(err, CDC_EDATA, "a column without a name");
	if (image->n == image->cap) {
		uint32_t cap = image->cap ? image->cap * 2 : 16;
		struct canal_pb_column *q;

		if (cap > CDC_CHANGE_COLUMNS_MAX)
			return cdc_fail(err, CDC_EDATA, "a row of more than %u columns",
					CDC_CHANGE_COLUMNS_MAX);
		q = realloc(image->col, cap * sizeof(*q));
		if (!q)
			return cdc_fail_nomem(err);
		image->col = q;
		image->cap = cap;
	}
	/* A value that is not there is the empty string: it would be null otherwise. */
	image->col[image->n++] = (struct canal_pb_column){
		.index = (int64_t)v[COLUMN_INDEX].n,
		.is_key = v[COLUMN_IS_KEY].n != 0,
		.is_null = v[COLUMN_IS_NULL].n != 0,
		.name = v[COLUMN_NAME].bytes,
		.value = v[COLUMN_VALUE].bytes,
		.mysql_type = v[COLUMN_MYSQL_TYPE].bytes,
	};
	return CDC_OK;
}

static int read_image(struct cdc_str row, uint32_t number, struct canal_pb_image *image,
		      struct cdc_err *err)
{
	struct cdc_pb r = cdc_pb(row);
	struct cdc_str text;
	int rc = CDC_OK;

	image->n = 0;
	while (rc == CDC_OK && cdc_pb_next_bytes(&r, number, &text)) {
		struct cdc_pb_value v[COLUMN_FIELDS];

		if (!cdc_pb_read(text, column_fields, COLUMN_FIELDS, v))
			return cdc_fail(err, CDC_EDATA, "a column is malformed");
		rc = add_column(image, v, err);
	}
	if (rc == CDC_OK && r.bad)
		return cdc_fail(err, CDC_EDATA, "a row is malformed");
	return rc;
}

static bool has_column(const struct canal_pb_image *image, struct cdc_str name, uint32_t *hint)
{
	for (uint32_t i = *hint, looked = 0; looked < image->n; i++, looked++) {
		if (i >= image->n)
			i = 0;
		if (cdc_str_eq(image->col[i].name, name)) {
			*hint = i + 1;
			return true;
		}
	}
	return false;
}

/* The columns of the image after, then what only the one before has. */
static int list_columns(struct canal_pb *d, struct cdc_err *err)
{
	uint32_t most = d->before.n + d->after.n, hint = 0;

	if (most > d->all_cap) {
		const struct canal_pb_column **q =
			realloc(d->all, most * sizeof(const struct canal_pb_column *));

		if (!q)
			return cdc_fail_nomem(err);
		d->all = q;
		d->all_cap = most;
	}
	d->n_all = 0;
	for (uint32_t i = 0; i < d->after.n; i++) {
		d->after.col[i].order = d->n_all;
		d->all[d->n_all++] = &d->after.col[i];
	}
	for (uint32_t i = 0; i < d->before.n; i++) {
		if (has_column(&d->after, d->before.col[i].name, &hint))
			continue;
		d->before.col[i].order = d->n_all;
		d->all[d->n_all++] = &d->before.col[i];
	}
	return CDC_OK;
}

/* --- the table ---------------------------------------------------------- */

/* What tells that the columns are as before: their names, types and keys. */
static int find_shape(struct canal_pb *d, struct cdc_err *err)
{
	int rc = CDC_OK;

	cdc_buf_reset(&d->shape);
	for (uint32_t i = 0; rc == CDC_OK && i < d->n_all; i++) {
		rc = cdc_buf_put(&d->shape, d->all[i]->name, err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(&d->shape, d->all[i]->is_key ? '\1' : '\0', err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(&d->shape, d->all[i]->mysql_type, err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(&d->shape, '\0', err);
	}
	return rc;
}

static int by_place(const void *a, const void *b)
{
	const struct canal_pb_column *p = *(const struct canal_pb_column *const *)a;
	const struct canal_pb_column *q = *(const struct canal_pb_column *const *)b;

	if (p->index != q->index)
		return p->index < q->index ? -1 : 1;
	return p->order < q->order ? -1 : p->order > q->order;
}

static int define(struct canal_pb *d, struct cdc_change_table *t, struct cdc_err *err)
{
	struct cdc_change_column *col;
	size_t n_key = 0;
	struct cdc_str *key;

	cdc_arena_reset(&d->scratch);
	col = cdc_arena_calloc(&d->scratch, d->n_all + 1u, sizeof(*col));
	key = cdc_arena_calloc(&d->scratch, d->n_all + 1u, sizeof(*key));
	if (!col || !key)
		return cdc_fail_nomem(err);
	if (d->n_all > d->after.n)
		qsort(d->all, d->n_all, sizeof(const struct canal_pb_column *), by_place);
	for (uint32_t i = 0; i < d->n_all; i++) {
		int rc;

		col[i].name = d->all[i]->name;
		col[i].source_type = d->all[i]->mysql_type;
		rc = cdc_mysql_column(&col[i], &d->scratch, err);
		if (rc < 0)
			return rc;
		if (d->all[i]->is_key)
			key[n_key++] = d->all[i]->name;
	}
	/* Under a minimal row image a row has only some of the columns. */
	if (cdc_change_covers(t, col, d->n_all, key, n_key)) {
		cdc_buf_reset(&t->shape);
		return cdc_buf_put(&t->shape, cdc_buf_str(&d->shape), err);
	}
	return cdc_change_define(&d->c, t, cdc_buf_str(&d->shape), col, d->n_all, key, n_key, err);
}

/* --- records ------------------------------------------------------------ */

/* Put the columns of an image where the table has them. */
static int place(struct cdc_change_table *t, const struct canal_pb_image *image,
		 const struct canal_pb_column **slot, struct cdc_err *err)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < t->n; i++)
		slot[i] = NULL;
	for (uint32_t i = 0; i < image->n; i++) {
		struct cdc_str name = image->col[i].name;
		uint32_t looked = 0;

		while (looked < t->n && !cdc_str_eq(t->col[at].name, name)) {
			at = at + 1 < t->n ? at + 1 : 0;
			looked++;
		}
		if (looked == t->n || slot[at])
			return cdc_fail(err, CDC_EDATA, "column %.*s %s",
					(int)(name.n < 100 ? name.n : 100), name.p,
					looked == t->n ? "is not of its table"
						       : "comes twice in a row");
		slot[at] = &image->col[i];
	}
	return CDC_OK;
}

static int place_both(struct canal_pb *d, struct cdc_change_table *t, struct cdc_err *err)
{
	int rc;

	if (t->n > d->slot_cap) {
		const struct canal_pb_column **q =
			realloc(d->slot, 2 * t->n * sizeof(const struct canal_pb_column *));

		if (!q)
			return cdc_fail_nomem(err);
		d->slot = q;
		d->slot_cap = t->n;
	}
	rc = place(t, &d->before, d->slot, err);
	return rc < 0 ? rc : place(t, &d->after, d->slot + t->n, err);
}

static void put_image(struct canal_pb *d, const struct cdc_change_table *t,
		      const struct canal_pb_column *const *slot)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (!slot[i])
			continue;
		cdc_change_value(&d->c, &t->col[i]);
		if (slot[i]->is_null)
			cdc_out_lit(&d->s->out, "null");
		else
			cdc_mysql_put(&d->s->out, &d->scratch, d->s->opt.zone, &t->col[i],
				      slot[i]->value);
	}
}

static int put_row(struct canal_pb *d, struct cdc_change_table *t, const char *type,
		   const struct cdc_message *m, struct cdc_err *err)
{
	int64_t us = 0;
	bool timed = canal_pb_time(d, &us);
	int rc = list_columns(d, err);

	if (rc == CDC_OK)
		rc = find_shape(d, err);
	if (rc == CDC_OK && !cdc_change_same(t, cdc_buf_str(&d->shape)))
		rc = define(d, t, err);
	if (rc == CDC_OK)
		rc = place_both(d, t, err);
	if (rc < 0)
		return rc;
	cdc_change_begin(&d->c, t, type, cdc_change_id(&d->c, m), timed, us);
	canal_pb_tags(d);
	cdc_change_images(&d->c, t);
	put_image(d, t, d->slot);
	cdc_change_after(&d->c);
	put_image(d, t, d->slot + t->n);
	return cdc_change_end(&d->c, m, err);
}

int canal_pb_rows(struct canal_pb *d, struct cdc_change_table *t, const char *type,
		  struct cdc_str change, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_pb r = cdc_pb(change);
	struct cdc_str row;
	bool any = false;

	while (cdc_pb_next_bytes(&r, 12, &row)) {
		int rc = read_image(row, 1, &d->before, err);

		if (rc == CDC_OK)
			rc = read_image(row, 2, &d->after, err);
		if (rc == CDC_OK && strcmp(type, "INSERT") == 0)
			d->before.n = 0;
		if (rc == CDC_OK && strcmp(type, "DELETE") == 0)
			d->after.n = 0;
		if (rc == CDC_OK && d->before.n + d->after.n == 0)
			rc = cdc_fail(err, CDC_EDATA, "a row without columns");
		if (rc == CDC_OK)
			rc = put_row(d, t, type, m, err);
		if (rc < 0)
			return rc;
		any = true;
	}
	if (r.bad)
		return cdc_fail(err, CDC_EDATA, "a change of Canal is malformed");
	/* A statement of the old binlog format: its rows are not told. */
	return any ? CDC_OK : cdc_fail(err, CDC_EDATA, "a change of rows without rows");
}
