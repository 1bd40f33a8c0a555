/*
 * Which files a compaction rewrites together. See compact_int.h.
 *
 * Files of a partition go to bins in their order, each to a bin that has room for it: no two bins
 * of a partition could be one, so that a second run finds nothing to do.
 */
#include "table/compact/compact_int.h"

#include "table/batch/batch_rows.h"

#include <stdlib.h>

#define DEFAULT_DV_PERCENT 5
#define OPEN_BINS 64 /* of a partition, that are looked at for room */

/* ------------------------------------------------------------------ files */

static bool dv_has_grown(const struct compaction *k, const struct cdc_add *a)
{
	int64_t rows = cdc_stats_num_records(a->stats);
	int percent = k->opt->dv_percent > 0 ? k->opt->dv_percent : DEFAULT_DV_PERCENT;

	if (!a->dv.storage)
		return false;
	return rows <= 0 || a->dv.cardinality > rows / 100 * percent + rows % 100 * percent / 100;
}

/* Bytes of a file without the share of the rows that are deleted. */
static uint64_t live_bytes(const struct cdc_add *a)
{
	int64_t rows = cdc_stats_num_records(a->stats);
	uint64_t size = a->size_bytes > 0 ? (uint64_t)a->size_bytes : 0;

	if (!a->dv.storage || rows <= 0 || a->dv.cardinality < 0 || a->dv.cardinality > rows)
		return size;
	return (uint64_t)((unsigned __int128)size * (uint64_t)(rows - a->dv.cardinality) /
			  (uint64_t)rows);
}

/* ------------------------------------------------------------------ --where */

struct condition {
	struct cdc_where *where; /* NULL: none */
	struct cdc_filter *filter;
	const int *column; /* fields, all partition columns */
	int num_columns;
};

static void condition_free(struct condition *c)
{
	cdc_filter_free(c->filter);
	cdc_where_free(c->where);
}

static int condition_init(struct condition *c, const struct compaction *k, struct cdc_err *err)
{
	const struct cdc_schema *s = &k->s->schema;

	*c = (struct condition){ .where = NULL };
	if (!k->opt->where)
		return CDC_OK;
	if (cdc_where_parse(&c->where, cdc_str_z(k->opt->where), err) < 0 ||
	    cdc_filter_new(&c->filter, c->where, s, err) < 0)
		return cdc_err_prefix(err, "--where");
	c->column = cdc_filter_columns(c->filter, &c->num_columns);
	for (int i = 0; i < c->num_columns; i++) {
		const struct cdc_field *f = &s->field[c->column[i]];

		if (!f->is_partition)
			return cdc_fail(err, CDC_EUSAGE,
					"--where: \"%.*s\" is no partition column, and files are "
					"rewritten whole",
					(int)(f->name.n > 128 ? 128 : f->name.n), f->name.p);
	}
	return CDC_OK;
}

/* The values of a partition as a batch of one row. */
static int choose_partition(const struct condition *c, struct compaction *k, uint32_t partition,
			    bool *chosen, struct cdc_err *err)
{
	const struct cdc_kv *values = k->partitions.value[partition];
	struct cdc_column *column =
		cdc_arena_calloc(&k->arena, (size_t)c->num_columns + 1, sizeof(*column));
	struct cdc_batch row = { .rows = 1, .num_columns = c->num_columns, .column = column };
	uint8_t outcome = CDC_TRUE;
	int rc = CDC_OK;

	if (!column)
		return cdc_fail_nomem(err);
	for (int i = 0; rc == CDC_OK && i < c->num_columns; i++) {
		const struct cdc_field *f = &k->s->schema.field[c->column[i]];
		void *value = cdc_arena_calloc(&k->arena, 1, sizeof(cdc_i128));
		uint8_t *valid = cdc_arena_calloc(&k->arena, 1, 1);
		struct cdc_str text = CDC_STR_INIT;
		union cdc_value v;
		bool is_null = true;

		if (!value || !valid)
			return cdc_fail_nomem(err);
		for (int j = 0; j < k->partitions.num_columns; j++)
			if (cdc_str_eq(values[j].key, f->physical_name))
				text = values[j].value;
		rc = cdc_partition_parse(f, text, &v, &is_null, err);
		if (rc == CDC_OK && !is_null)
			cdc_value_store(f->type, value, 0, &v);
		*valid = !is_null;
		column[i] = (struct cdc_column){ .field = f, .values = value, .valid = valid };
	}
	if (rc == CDC_OK && c->filter)
		rc = cdc_filter_eval(c->filter, &row, &outcome, err);
	*chosen = outcome == CDC_TRUE;
	return rc;
}

/* ------------------------------------------------------------------ partitions */

static int new_partition(struct compaction *k, const struct condition *c, struct cdc_err *err)
{
	struct compact_partition *p;

	if (k->partitions.n > k->cap_partitions) {
		p = reallocarray(k->partition, k->partitions.cap, sizeof(*k->partition));
		if (!p)
			return cdc_fail_nomem(err);
		k->partition = p;
		k->cap_partitions = k->partitions.cap;
	}
	p = &k->partition[k->partitions.n - 1];
	*p = (struct compact_partition){ .last_bin = SIZE_MAX };
	return choose_partition(c, k, k->partitions.n - 1, &p->chosen, err);
}

static int find_partition(struct compaction *k, const struct condition *c, const struct cdc_add *a,
			  uint32_t *index, struct cdc_err *err)
{
	uint32_t before = k->partitions.n;
	int rc = cdc_partitions_of_file(&k->partitions, a, index, err);

	return rc || k->partitions.n == before ? rc : new_partition(k, c, err);
}

/* ------------------------------------------------------------------ bins */

/* A bin of the partition with room, from the newest; SIZE_MAX: none. */
static size_t find_room(const struct compaction *k, const struct compact_partition *p,
			uint64_t bytes)
{
	size_t i = p->last_bin;

	if (k->opt->sort_by)
		return i;
	for (int seen = 0; i != SIZE_MAX && seen < OPEN_BINS; seen++, i = k->prev_bin[i])
		if (bytes <= k->target && k->bin[i].bytes <= k->target - bytes)
			return i;
	return SIZE_MAX;
}

static int new_bin(struct compaction *k, uint32_t partition, size_t *index, struct cdc_err *err)
{
	struct compact_partition *p = &k->partition[partition];

	if (k->num_bins == k->cap_bins) {
		size_t cap = k->cap_bins ? k->cap_bins * 2 : 16;
		void *grown = reallocarray(k->bin, cap, sizeof(*k->bin));

		if (!grown)
			return cdc_fail_nomem(err);
		k->bin = grown;
		grown = reallocarray(k->prev_bin, cap, sizeof(*k->prev_bin));
		if (!grown)
			return cdc_fail_nomem(err);
		k->prev_bin = grown;
		k->cap_bins = cap;
	}
	*index = k->num_bins++;
	k->bin[*index] = (struct compact_bin){ .partition = partition, .places_fd = -1 };
	k->prev_bin[*index] = p->last_bin;
	p->last_bin = *index;
	return CDC_OK;
}

static int grow_bin(struct compact_bin *b, size_t n, struct cdc_err *err)
{
	size_t cap = b->cap ? b->cap : 8;
	void *grown;

	while (cap < n)
		cap *= 2;
	if (cap == b->cap)
		return CDC_OK;
	grown = reallocarray(b->input, cap, sizeof(*b->input));
	if (!grown)
		return cdc_fail_nomem(err);
	b->input = grown;
	b->cap = cap;
	return CDC_OK;
}

static int put_in_bin(struct compaction *k, uint32_t partition, const struct cdc_add *a,
		      struct cdc_err *err)
{
	uint64_t bytes = live_bytes(a);
	size_t i = find_room(k, &k->partition[partition], bytes);
	struct compact_bin *b;
	int rc = i == SIZE_MAX ? new_bin(k, partition, &i, err) : CDC_OK;

	if (rc)
		return rc;
	b = &k->bin[i];
	rc = grow_bin(b, b->n + 1, err);
	if (rc)
		return rc;
	b->input[b->n++] = (struct compact_input){ .add = a, .now = *a };
	if (__builtin_add_overflow(b->bytes, bytes, &b->bytes))
		b->bytes = UINT64_MAX;
	b->purge = b->purge || dv_has_grown(k, a);
	return CDC_OK;
}

int compact_join_bins(struct compact_bin *to, struct compact_bin *from, struct cdc_err *err)
{
	int rc = grow_bin(to, to->n + from->n, err);

	if (rc)
		return rc;
	memcpy(to->input + to->n, from->input, from->n * sizeof(*from->input));
	to->n += from->n;
	to->bytes += from->bytes;
	from->bytes = 0;
	from->n = 0;
	return CDC_OK;
}

static int by_partition(const void *a, const void *b)
{
	const struct compact_bin *x = a, *y = b;

	/* Until they are written, first_output is the order in which they were made. */
	if (x->partition != y->partition)
		return x->partition < y->partition ? -1 : 1;
	return (x->first_output > y->first_output) - (x->first_output < y->first_output);
}

/* Bins that are worth the work have several files, or a deletion vector to get rid of. */
static void judge_bins(struct compaction *k)
{
	for (size_t i = 0; i < k->num_bins; i++) {
		struct compact_bin *b = &k->bin[i];

		b->idle = b->n == 1 && !b->purge && !k->opt->sort_by;
		b->first_output = i;
		k->r->bins += !b->idle;
	}
	if (k->num_bins)
		qsort(k->bin, k->num_bins, sizeof(*k->bin), by_partition);
}

int compact_plan(struct compaction *k, struct cdc_err *err)
{
	struct condition c;
	int rc = condition_init(&c, k, err);

	if (!rc)
		rc = cdc_partitions_init(&k->partitions, k->s, err);
	for (size_t i = 0; !rc && i < k->s->num_adds; i++) {
		const struct cdc_add *a = &k->s->add[i];
		bool large = (uint64_t)a->size_bytes >= k->target - k->target / 4;
		uint32_t partition = 0;

		if (large && !dv_has_grown(k, a) && !k->opt->sort_by)
			continue;
		rc = find_partition(k, &c, a, &partition, err);
		if (!rc && k->partition[partition].chosen)
			rc = put_in_bin(k, partition, a, err);
	}
	if (!rc)
		judge_bins(k);
	condition_free(&c);
	return rc;
}

void compact_bins_free(struct compaction *k)
{
	for (size_t i = 0; i < k->num_bins; i++) {
		free(k->bin[i].input);
		if (k->bin[i].places_fd >= 0)
			k->io->close(k->io->ctx, k->bin[i].places_fd);
	}
	free(k->bin);
	free(k->prev_bin);
	free(k->partition);
	cdc_partitions_free(&k->partitions);
}

/* ------------------------------------------------------------------ telling */

/* Partition values by the names that people know. */
static struct cdc_kv *named_values(struct compaction *k, const struct cdc_kv *value)
{
	int n = k->s->metadata.num_partition_columns;
	struct cdc_kv *v = cdc_arena_calloc(&k->arena, (size_t)n + 1, sizeof(*v));

	for (int i = 0; v && i < n; i++)
		v[i] = (struct cdc_kv){ k->s->metadata.partition_column[i], value[i].value };
	return v;
}

static int report_bin(struct compaction *k, const struct compact_bin *b, struct cdc_err *err)
{
	const struct cdc_add **file = cdc_arena_calloc(&k->arena, b->n + 1, sizeof(*file));
	struct cdc_compact_bin t = { .operation = !k->opt->sort_by ? "compact"
						  : k->opt->zorder ? "zorder"
								   : "sort",
				     .partition_value =
					     named_values(k, k->partitions.value[b->partition]),
				     .num_partition_values = k->s->metadata.num_partition_columns,
				     .file = file,
				     .num_files = b->n };
	int rc = CDC_OK;

	if (!file || !t.partition_value)
		return cdc_fail_nomem(err);
	for (size_t i = 0; !rc && i < b->n; i++) {
		uint64_t rows = 0;
		bool copied = false;

		file[i] = b->input[i].add;
		t.bytes += (uint64_t)file[i]->size_bytes;
		t.dvs += file[i]->dv.storage != 0;
		rc = compact_look(k, &b->input[i], &rows, &copied, err);
		t.rows += rows;
		t.copied = t.copied || (copied && !k->opt->sort_by);
	}
	k->r->rows += t.rows;
	if (!rc && k->opt->on_bin)
		rc = k->opt->on_bin(k->opt->ctx, &t, err);
	return rc;
}

int compact_report(struct compaction *k, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < k->num_bins; i++)
		rc = k->bin[i].idle ? CDC_OK : report_bin(k, &k->bin[i], err);
	return rc;
}
