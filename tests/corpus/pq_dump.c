/*
 * Prints what the Parquet reader gives, for comparison with what other readers give.
 *
 *	pq_dump FILE		rows of the top-level leaf columns as NDJSON, physical values
 *	pq_dump -l FILE		every leaf: a JSON line that describes it, then one line a slot:
 *				"rep def value", and an empty line at its end
 *	pq_dump -q FILE		reads everything and prints only the number of slots
 *
 * -b N in front of these reads N slots a batch (1000).
 *
 * Values are physical: integers in decimal, floats with 17 digits, INT96 as "day:nanos", strings
 * in hexadecimal. Exit status: 0 read, 1 refused as unsupported, 2 refused as corrupt, 3 others.
 */
#include "parquet/parquet.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_hex(struct cdc_str s)
{
	putchar('"');
	for (size_t i = 0; i < s.n; i++)
		printf("%02x", (unsigned char)s.p[i]);
	putchar('"');
}

/* With a point, so that -0 keeps its sign wherever it is read as a number. */
static void put_real(double v, int digits)
{
	char text[40];

	snprintf(text, sizeof(text), "%.*g", digits, v);
	if (isnan(v))
		fputs("\"NaN\"", stdout);
	else if (isinf(v))
		fputs(v > 0 ? "\"Infinity\"" : "\"-Infinity\"", stdout);
	else
		printf("%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void put_value(const struct cdc_pq_vec *v, uint32_t i)
{
	const struct cdc_pq_int96 *t;

	switch (v->type) {
	case CDC_PQ_BOOLEAN:
		fputs(((const uint8_t *)v->values)[i] ? "true" : "false", stdout);
		break;
	case CDC_PQ_INT32:
		printf("%" PRId32, ((const int32_t *)v->values)[i]);
		break;
	case CDC_PQ_INT64:
		printf("%" PRId64, ((const int64_t *)v->values)[i]);
		break;
	case CDC_PQ_INT96:
		t = (const struct cdc_pq_int96 *)v->values + i;
		printf("\"%" PRIu32 ":%" PRIu64 "\"", t->julian_day, t->nanos);
		break;
	case CDC_PQ_FLOAT:
		put_real((double)((const float *)v->values)[i], 9);
		break;
	case CDC_PQ_DOUBLE:
		put_real(((const double *)v->values)[i], 17);
		break;
	case CDC_PQ_BYTE_ARRAY:
	case CDC_PQ_FIXED:
		put_hex(((const struct cdc_str *)v->values)[i]);
		break;
	}
}

static const struct cdc_pq_node *leaf_node(const struct cdc_pq_metadata *m, int32_t leaf)
{
	return &m->schema.node[m->schema.leaf_node[leaf]];
}

static bool has_value(const struct cdc_pq_vec *v, uint32_t i, uint8_t max_def)
{
	return !v->def || v->def[i] == max_def;
}

/* ["a","list","element"] with the level limits of each part. */
static void put_path(const struct cdc_pq_metadata *m, int32_t leaf)
{
	int32_t path[64];
	int n = 0;

	for (int32_t i = m->schema.leaf_node[leaf]; i > 0 && n < 64; i = m->schema.node[i].parent)
		path[n++] = i;
	putchar('[');
	while (n-- > 0) {
		const struct cdc_pq_node *p = &m->schema.node[path[n]];

		fputs("{\"name\":", stdout);
		put_hex(p->name);
		printf(",\"repetition\":%d,\"def\":%u,\"rep\":%u}%s", (int)p->repetition,
		       (unsigned)p->max_def, (unsigned)p->max_rep, n ? "," : "");
	}
	putchar(']');
}

struct options {
	bool levels;
	bool quiet;
	uint32_t batch;
	const char *path;
};

static int dump_leaf(struct cdc_pq_file *f, int32_t group, int32_t leaf, const struct options *o,
		     uint64_t *slots, struct cdc_err *err)
{
	const struct cdc_pq_node *n = leaf_node(cdc_pq_metadata(f), leaf);
	struct cdc_pq_column *c = NULL;
	struct cdc_pq_vec v;
	int rc = cdc_pq_column_open(&c, f, group, leaf, err);

	while (rc == CDC_OK) {
		rc = cdc_pq_column_read(c, o->batch, &v, err);
		if (rc != CDC_OK)
			break;
		*slots += v.n;
		for (uint32_t i = 0; i < v.n && !o->quiet; i++) {
			printf("%u %u ", v.rep ? (unsigned)v.rep[i] : 0u,
			       v.def ? (unsigned)v.def[i] : (unsigned)n->max_def);
			if (has_value(&v, i, n->max_def))
				put_value(&v, i);
			putchar('\n');
		}
	}
	cdc_pq_column_close(c);
	return rc < 0 ? rc : CDC_OK;
}

static int dump_leaves(struct cdc_pq_file *f, const struct options *o, struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);
	uint64_t slots = 0;
	int rc = CDC_OK;

	for (int32_t leaf = 0; leaf < m->schema.num_leaves && rc == CDC_OK; leaf++) {
		const struct cdc_pq_node *n = leaf_node(m, leaf);

		if (!o->quiet) {
			printf("{\"leaf\":%d,\"type\":%d,\"length\":%d,\"logical\":%d,"
			       "\"converted\":%d,\"scale\":%d,\"unit\":%d,\"path\":",
			       (int)leaf, (int)n->type, (int)n->type_length, (int)n->logical,
			       (int)n->converted, (int)n->scale, (int)n->unit);
			put_path(m, leaf);
			puts("}");
		}
		for (int32_t g = 0; g < m->num_row_groups && rc == CDC_OK; g++)
			rc = dump_leaf(f, g, leaf, o, &slots, err);
		if (!o->quiet)
			putchar('\n');
	}
	if (o->quiet)
		printf("%" PRIu64 "\n", slots);
	return rc;
}

enum { MAX_COLUMNS = 4096 };

struct flat {
	int32_t leaf[MAX_COLUMNS];
	struct cdc_pq_column *column[MAX_COLUMNS];
	struct cdc_pq_vec vec[MAX_COLUMNS];
	int n;
};

static void put_row(const struct cdc_pq_metadata *m, const struct flat *fl, uint32_t i)
{
	for (int k = 0; k < fl->n; k++) {
		const struct cdc_pq_node *n = leaf_node(m, fl->leaf[k]);

		putchar(k ? ',' : '{');
		printf("\"%.*s\":", (int)n->name.n, n->name.p);
		if (has_value(&fl->vec[k], i, n->max_def))
			put_value(&fl->vec[k], i);
		else
			fputs("null", stdout);
	}
	puts(fl->n ? "}" : "{}");
}

static int dump_group(struct cdc_pq_file *f, int32_t g, struct flat *fl, uint32_t batch,
		      struct cdc_err *err)
{
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);
	int rc = CDC_OK;

	for (int k = 0; k < fl->n && rc == CDC_OK; k++)
		rc = cdc_pq_column_open(&fl->column[k], f, g, fl->leaf[k], err);
	for (int64_t left = m->row_group[g].num_rows; left > 0 && rc == CDC_OK;) {
		uint32_t n = left < batch ? (uint32_t)left : batch;

		for (int k = 0; k < fl->n && rc == CDC_OK; k++)
			rc = cdc_pq_column_read(fl->column[k], n, &fl->vec[k], err);
		for (uint32_t i = 0; i < n && rc == CDC_OK; i++)
			put_row(m, fl, i);
		left -= n;
	}
	for (int k = 0; k < fl->n; k++) {
		cdc_pq_column_close(fl->column[k]);
		fl->column[k] = NULL;
	}
	return rc == CDC_END ? cdc_fail(err, CDC_ECORRUPT, "a column ends early") : rc;
}

static int dump_rows(struct cdc_pq_file *f, uint32_t batch, struct cdc_err *err)
{
	static struct flat fl;
	const struct cdc_pq_metadata *m = cdc_pq_metadata(f);
	int rc = CDC_OK;

	for (int32_t i = 0; i < m->schema.num_leaves && fl.n < MAX_COLUMNS; i++)
		if (leaf_node(m, i)->parent == 0 && leaf_node(m, i)->max_rep == 0)
			fl.leaf[fl.n++] = i;
	for (int32_t g = 0; g < m->num_row_groups && rc == CDC_OK; g++)
		rc = dump_group(f, g, &fl, batch, err);
	return rc;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	int i = 1;

	for (; i < argc - 1; i++) {
		if (strcmp(argv[i], "-l") == 0)
			o->levels = true;
		else if (strcmp(argv[i], "-q") == 0)
			o->quiet = true;
		else if (strcmp(argv[i], "-b") == 0 && i + 1 < argc - 1)
			o->batch = (uint32_t)strtoul(argv[++i], NULL, 10);
		else
			return false;
	}
	o->path = i < argc ? argv[i] : NULL;
	return o->path && o->batch > 0;
}

int main(int argc, char **argv)
{
	struct options o = { .batch = 1000 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_file *f = NULL;
	int rc;

	if (!read_options(argc, argv, &o)) {
		fputs("usage: pq_dump [-l | -q] [-b N] FILE\n", stderr);
		return 3;
	}
	rc = cdc_pq_open(&f, &cdc_io_posix, o.path, 0, &err);
	if (rc == CDC_OK)
		rc = o.levels || o.quiet ? dump_leaves(f, &o, &err) : dump_rows(f, o.batch, &err);
	cdc_pq_close(f);
	if (rc == CDC_OK)
		return 0;
	fprintf(stderr, "pq_dump: %s:%llu: %s\n", err.file, (unsigned long long)err.offset,
		err.msg);
	return rc == CDC_EUNSUPPORTED ? 1 : rc == CDC_ECORRUPT ? 2 : 3;
}
