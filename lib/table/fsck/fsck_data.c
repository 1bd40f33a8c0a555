/*
 * The rows of a data file against what its add says of them: bounds and null counts of the
 * statistics (spec section 8), columns that must not be null, partition columns that the file has
 * too.
 *
 * A column at a time, so that one that cannot be read is in no other's way. Bounds are taken as the
 * most trusting reader takes them: only what a reader adds to the end of a range of times, or to a
 * decimal that came through a double, is left to their writers.
 */
#include "table/fsck/fsck_int.h"

#include "table/batch/batch_rows.h"
#include "table/datafile/datafile_int.h"

#define US_PER_MS 1000
#define DOUBLE_DIGITS 15

/* A column, or a field of a struct: what the statistics say, and what was seen. */
struct track {
	const struct cdc_field *f;
	struct cdc_str min_text; /* as in the statistics */
	struct cdc_str max_text;
	bool has_min;
	bool has_max;
	bool has_nulls;
	union cdc_value min;
	union cdc_value max;
	int64_t said_nulls;
	int64_t rows; /* that count */
	int64_t nulls;
	int64_t missing; /* nulls where there must be a value */
	bool any; /* low and high are set */
	union cdc_value low; /* of types whose values stay */
	union cdc_value high;
	bool below; /* a value under the minimum; over the maximum */
	bool above;
	uint64_t below_row;
	uint64_t above_row;
	struct track *child; /* of a struct */
};

struct data {
	struct fsck *k;
	struct cdc_datafile *df;
	const struct cdc_dv *dv;
	struct fsck_place at;
	struct cdc_tape tape; /* the statistics */
	bool has_stats;
	bool tight;
	int64_t num_records; /* by the statistics, -1: not told */
	uint32_t hint[3]; /* tokens: where the next column should stand in minValues … */
	struct cdc_arena arena;
};

/* How a row counts for a column. */
enum { ROW_DELETED = 0, ROW_HERE = 1, ROW_UNDER_NULL = 2 };

/* ------------------------------------------------------------------ what the statistics say */

static bool has_children(const struct cdc_field *f)
{
	return f->type == CDC_TYPE_STRUCT;
}

/* Types from whose bounds Spark answers MIN and MAX (spec section 20, T16). */
static bool must_be_exact(const struct cdc_field *f)
{
	return f->type == CDC_TYPE_BYTE || f->type == CDC_TYPE_SHORT ||
	       f->type == CDC_TYPE_INTEGER || f->type == CDC_TYPE_LONG ||
	       f->type == CDC_TYPE_FLOAT || f->type == CDC_TYPE_DOUBLE || f->type == CDC_TYPE_DATE;
}

static bool was_widened(const struct cdc_field *f)
{
	return f->metadata.n && memmem(f->metadata.p, f->metadata.n, "delta.typeChanges", 17);
}

/* Columns stand in the order of the schema nearly always. */
static uint32_t find_member(const struct cdc_tape *t, uint32_t obj, struct cdc_str name,
			    uint32_t *hint)
{
	if (obj == CDC_JSON_NONE || t->tok[obj].type != CDC_JSON_OBJECT)
		return CDC_JSON_NONE;
	if (*hint > obj && *hint < t->tok[obj].next && cdc_json_is(t, *hint, name)) {
		uint32_t v = *hint + 1;

		*hint = cdc_json_after(t, obj, *hint);
		return v;
	}
	for (uint32_t i = cdc_json_first(t, obj); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, obj, i)) {
		if (cdc_json_is(t, i, name)) {
			*hint = cdc_json_after(t, obj, i);
			return i + 1;
		}
	}
	return CDC_JSON_NONE;
}

static enum cdc_parse parse_timestamp(const struct cdc_field *f, struct cdc_str text, bool is_max,
				      int64_t *us)
{
	bool zone;
	enum cdc_parse p = cdc_timestamp_parse(text, false, us, &zone);

	/* Local times of an unknown place are no bounds to anybody. */
	if (p != CDC_PARSE_OK || zone != (f->type == CDC_TYPE_TIMESTAMP))
		return CDC_PARSE_INEXACT;
	if (is_max)
		return __builtin_add_overflow(*us, US_PER_MS - 1, us) ? CDC_PARSE_INEXACT
								      : CDC_PARSE_OK;
	/* Some round towards zero. */
	return *us < 0 && __builtin_sub_overflow(*us, US_PER_MS, us) ? CDC_PARSE_INEXACT
								     : CDC_PARSE_OK;
}

static enum cdc_parse parse_decimal(const struct cdc_field *f, struct cdc_str text, bool is_max,
				    cdc_i128 *out)
{
	enum cdc_parse p = cdc_decimal_parse(text, f->precision, f->scale, out);

	if (p == CDC_PARSE_OK && f->precision > DOUBLE_DIGITS) {
		cdc_i128 slack = ((*out < 0 ? -*out : *out) >> 51) + 1;

		*out += is_max ? slack : -slack;
	}
	return p == CDC_PARSE_RANGE ? CDC_PARSE_INEXACT : p;
}

/* INEXACT: not to be held against the rows; SYNTAX, RANGE: no bound of this type. */
static enum cdc_parse parse_bound(struct data *d, const struct cdc_field *f, uint32_t v,
				  bool is_max, union cdc_value *out, struct cdc_err *err)
{
	struct cdc_str text = cdc_json_raw(&d->tape, v);
	enum cdc_parse p;
	float narrow = 0;
	int32_t days = 0;

	switch (f->type) {
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_LONG:
		return cdc_int64_parse(text, &out->i);
	case CDC_TYPE_FLOAT:
		p = cdc_float_parse(text, &narrow);
		out->d = narrow;
		return p;
	case CDC_TYPE_DOUBLE:
		/* A float's digits, which lie a little beside the double that it became. */
		return was_widened(f) ? CDC_PARSE_INEXACT : cdc_double_parse(text, &out->d);
	case CDC_TYPE_DECIMAL:
		return parse_decimal(f, text, is_max, &out->dec);
	case CDC_TYPE_STRING:
		if (d->tape.tok[v].type != CDC_JSON_STRING)
			return CDC_PARSE_SYNTAX;
		return cdc_json_string(&d->tape, v, &d->arena, &out->s, err) ? CDC_PARSE_INEXACT
									     : CDC_PARSE_OK;
	case CDC_TYPE_DATE:
		p = cdc_date_parse(text, &days);
		out->i = days;
		return p;
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
		return parse_timestamp(f, text, is_max, &out->i);
	case CDC_TYPE_BOOLEAN:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return CDC_PARSE_INEXACT;
}

static int take_bound(struct data *d, const struct cdc_field *f, uint32_t v, bool is_max, bool *has,
		      union cdc_value *out, struct cdc_str *text, struct cdc_err *err)
{
	enum cdc_parse p;

	if (v == CDC_JSON_NONE || d->tape.tok[v].type == CDC_JSON_NULL)
		return CDC_OK;
	*text = cdc_json_raw(&d->tape, v);
	p = parse_bound(d, f, v, is_max, out, err);
	*has = p == CDC_PARSE_OK;
	if (p == CDC_PARSE_OK || p == CDC_PARSE_INEXACT)
		return err->code;
	return fsck_report(d->k, FSCK_STATS, d->at, err, "column \"%.*s\": its %s, \"%.*s\", is %s",
			   FSCK_SHOWN(f->name), is_max ? "maximum" : "minimum", FSCK_SHOWN(*text),
			   cdc_parse_text(p));
}

/* The members of minValues, maxValues and nullCount that are about the field; NONE: there is none.
 */
struct said {
	uint32_t min;
	uint32_t max;
	uint32_t nulls;
};

static int take_said(struct data *d, struct track *t, struct said said, struct cdc_err *err)
{
	const struct cdc_field *f = t->f;
	uint32_t hint[3] = { 0, 0, 0 };
	int rc = CDC_OK;

	if (!has_children(f)) {
		t->has_nulls = said.nulls != CDC_JSON_NONE &&
			       cdc_json_int64(&d->tape, said.nulls, &t->said_nulls);
		rc = take_bound(d, f, said.min, false, &t->has_min, &t->min, &t->min_text, err);
		return rc ? rc
			  : take_bound(d, f, said.max, true, &t->has_max, &t->max, &t->max_text,
				       err);
	}
	t->child = cdc_arena_calloc(&d->arena, (size_t)f->num_children + 1, sizeof(*t->child));
	if (!t->child)
		return cdc_fail_nomem(err);
	for (int i = 0; !rc && i < f->num_children; i++) {
		struct cdc_str name = f->child[i].physical_name;

		t->child[i].f = &f->child[i];
		rc = take_said(d, &t->child[i],
			       (struct said){ find_member(&d->tape, said.min, name, &hint[0]),
					      find_member(&d->tape, said.max, name, &hint[1]),
					      find_member(&d->tape, said.nulls, name, &hint[2]) },
			       err);
	}
	return rc;
}

static int prepare(struct data *d, struct track *t, struct cdc_err *err)
{
	struct cdc_str name = t->f->physical_name;
	struct said said = { CDC_JSON_NONE, CDC_JSON_NONE, CDC_JSON_NONE };

	if (d->has_stats) {
		said.min = find_member(&d->tape, cdc_json_get(&d->tape, 0, "minValues"), name,
				       &d->hint[0]);
		said.max = find_member(&d->tape, cdc_json_get(&d->tape, 0, "maxValues"), name,
				       &d->hint[1]);
		said.nulls = find_member(&d->tape, cdc_json_get(&d->tape, 0, "nullCount"), name,
					 &d->hint[2]);
	}
	return take_said(d, t, said, err);
}

/* ------------------------------------------------------------------ what the rows say */

static void take_value(struct track *t, const union cdc_value *v, uint64_t row)
{
	enum cdc_type type = t->f->type;

	if (t->has_min && !t->below && cdc_value_cmp(type, v, &t->min) < 0) {
		t->below = true;
		t->below_row = row;
	}
	if (t->has_max && !t->above && cdc_value_cmp(type, v, &t->max) > 0) {
		t->above = true;
		t->above_row = row;
	}
	if (!must_be_exact(t->f))
		return;
	if (!t->any || cdc_value_cmp(type, v, &t->low) < 0)
		t->low = *v;
	if (!t->any || cdc_value_cmp(type, v, &t->high) > 0)
		t->high = *v;
	t->any = true;
}

static void take_column(struct track *t, const struct cdc_column *c, const uint8_t *how,
			uint32_t rows, uint64_t first)
{
	bool primitive = cdc_type_is_primitive(t->f->type);

	for (uint32_t i = 0; i < rows; i++) {
		union cdc_value v;

		if (how[i] == ROW_DELETED)
			continue;
		t->rows++;
		if (how[i] == ROW_UNDER_NULL || cdc_column_is_null(c, i)) {
			t->nulls++;
			t->missing += how[i] == ROW_HERE && !t->f->nullable;
		} else if (primitive) {
			v = cdc_value_load(t->f->type, c->values, i);
			take_value(t, &v, first + i);
		}
	}
}

static void take_batch(struct track *t, const struct cdc_column *c, const uint8_t *how,
		       uint32_t rows, uint64_t first)
{
	uint8_t inner[CDC_BATCH_ROWS];

	take_column(t, c, how, rows, first);
	if (!t->child || !c->child)
		return;
	for (uint32_t i = 0; i < rows; i++)
		inner[i] = how[i] == ROW_HERE && cdc_column_is_null(c, i) ? ROW_UNDER_NULL : how[i];
	for (int i = 0; i < t->f->num_children; i++)
		take_batch(&t->child[i], &c->child[i], inner, rows, first);
}

static void mark_rows(const struct data *d, const struct cdc_batch *b, uint8_t *how)
{
	memset(how, ROW_HERE, b->rows);
	if (d->dv)
		cdc_dv_mask(d->dv, b->first_row, b->rows, how);
}

/* ------------------------------------------------------------------ the two side by side */

static int check_nulls(struct data *d, const struct track *t, struct cdc_err *err)
{
	bool tight = d->tight && !d->dv;
	bool wrong = tight ? t->said_nulls != t->nulls
			   : (t->said_nulls == 0 && t->nulls > 0) ||
				     (t->said_nulls == d->num_records && d->num_records > 0 &&
				      t->nulls < t->rows);

	if (!t->has_nulls || !wrong)
		return CDC_OK;
	return fsck_report(d->k, FSCK_STATS, d->at, err,
			   "column \"%.*s\" has %lld nulls in %lld rows, and its nullCount is %lld",
			   FSCK_SHOWN(t->f->name), (long long)t->nulls, (long long)t->rows,
			   (long long)t->said_nulls);
}

static int check_bounds(struct data *d, const struct track *t, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (t->below)
		rc = fsck_report(d->k, FSCK_STATS, d->at, err,
				 "column \"%.*s\": row %llu is less than the minimum, %.*s",
				 FSCK_SHOWN(t->f->name), (unsigned long long)t->below_row,
				 FSCK_SHOWN(t->min_text));
	if (!rc && t->above)
		rc = fsck_report(d->k, FSCK_STATS, d->at, err,
				 "column \"%.*s\": row %llu is greater than the maximum, %.*s",
				 FSCK_SHOWN(t->f->name), (unsigned long long)t->above_row,
				 FSCK_SHOWN(t->max_text));
	return rc;
}

static int check_exact(struct data *d, const struct track *t, struct cdc_err *err)
{
	enum cdc_type type = t->f->type;
	int rc = CDC_OK;

	if (!d->tight || d->dv || !t->rows || was_widened(t->f))
		return CDC_OK;
	if (t->has_min && !t->below && (!t->any || cdc_value_cmp(type, &t->low, &t->min)))
		rc = fsck_report(d->k, FSCK_STATS_EXACT, d->at, err,
				 "column \"%.*s\": its minimum is told to be %.*s, which no row is",
				 FSCK_SHOWN(t->f->name), FSCK_SHOWN(t->min_text));
	if (!rc && t->has_max && !t->above && (!t->any || cdc_value_cmp(type, &t->high, &t->max)))
		rc = fsck_report(d->k, FSCK_STATS_EXACT, d->at, err,
				 "column \"%.*s\": its maximum is told to be %.*s, which no row is",
				 FSCK_SHOWN(t->f->name), FSCK_SHOWN(t->max_text));
	return rc;
}

static int check_track(struct data *d, const struct track *t, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (t->missing)
		rc = fsck_report(d->k, FSCK_NOT_NULL, d->at, err,
				 "column \"%.*s\" must not be null, and is so in %lld rows",
				 FSCK_SHOWN(t->f->name), (long long)t->missing);
	if (!rc)
		rc = check_nulls(d, t, err);
	if (!rc)
		rc = check_bounds(d, t, err);
	if (!rc && must_be_exact(t->f))
		rc = check_exact(d, t, err);
	for (int i = 0; !rc && t->child && i < t->f->num_children; i++)
		rc = check_track(d, &t->child[i], err);
	return rc;
}

/* ------------------------------------------------------------------ columns */

/* The rows of one column; a finding about reading them ends it. *read: to the end. */
static int read_column(struct data *d, int field, struct track *t, bool *read, struct cdc_err *err)
{
	struct cdc_datafile_scan *scan = NULL;
	struct cdc_err why = CDC_ERR_INIT;
	uint8_t how[CDC_BATCH_ROWS];
	struct cdc_batch b;
	int rc = cdc_datafile_scan_new(&scan, d->df, &field, 1, &why);

	while (!rc) {
		if (d->k->io->interrupted(d->k->io->ctx))
			rc = cdc_fail(&why, CDC_EINTR, "interrupted");
		else
			rc = cdc_datafile_scan_next(scan, &b, &why);
		if (rc)
			break;
		mark_rows(d, &b, how);
		take_batch(t, &b.column[0], how, b.rows, b.first_row);
	}
	cdc_datafile_scan_free(scan);
	*read = rc == CDC_END;
	return *read ? CDC_OK : fsck_report_err(d->k, FSCK_COLUMN, d->at, &why, err);
}

static int check_column(struct data *d, int field, struct cdc_err *err)
{
	struct track *t = cdc_arena_calloc(&d->arena, 1, sizeof(*t));
	bool read = false;
	int rc;

	if (!t)
		return cdc_fail_nomem(err);
	t->f = &d->df->snapshot->schema.field[field];
	if (t->f->type == CDC_TYPE_VOID)
		return CDC_OK;
	rc = prepare(d, t, err);
	if (!rc)
		rc = read_column(d, field, t, &read, err);
	return rc || !read ? rc : check_track(d, t, err);
}

static const struct cdc_str *log_value(const struct cdc_add *a, struct cdc_str column)
{
	for (int i = 0; i < a->num_partition_values; i++)
		if (cdc_str_eq(a->partition_value[i].key, column))
			return &a->partition_value[i].value;
	return NULL;
}

/*
 * A partition column that the file has too must have the value of the log in every row: as bounds
 * that are both the value, and as a count of nulls that is none or all.
 */
static int check_copy(struct data *d, int field, struct cdc_err *err)
{
	struct track t = { .f = &d->df->snapshot->schema.field[field] };
	const struct cdc_str *text = log_value(d->df->add, t.f->physical_name);
	struct cdc_err why = CDC_ERR_INIT;
	bool is_null, read = false;
	int rc;

	/* What is wrong with the value itself is told elsewhere. */
	if (d->df->node[field] < 0 || !text ||
	    cdc_partition_parse(t.f, *text, &t.min, &is_null, &why))
		return CDC_OK;
	t.max = t.min;
	t.has_min = t.has_max = !is_null;
	rc = read_column(d, field, &t, &read, err);
	if (rc || !read || (!t.below && !t.above && t.nulls == (is_null ? t.rows : 0)))
		return rc;
	return fsck_report(
		d->k, FSCK_PARTITION, d->at, err,
		"the file holds values of the partition column \"%.*s\" that are not the "
		"log's",
		FSCK_SHOWN(t.f->name));
}

static int read_stats(struct data *d, struct cdc_err *err)
{
	struct cdc_str stats = d->df->add->stats;
	struct cdc_err why = CDC_ERR_INIT;
	uint32_t v;
	int rc;

	d->num_records = cdc_stats_num_records(stats);
	if (!stats.n)
		return CDC_OK;
	rc = cdc_json_scan(&d->tape, stats, NULL, &why);
	if (rc == CDC_ENOMEM)
		return cdc_fail_nomem(err);
	if (rc || d->tape.tok[0].type != CDC_JSON_OBJECT)
		return fsck_report(d->k, FSCK_STATS, d->at, err,
				   "its statistics are no JSON object");
	v = cdc_json_get(&d->tape, 0, "tightBounds");
	d->tight = v == CDC_JSON_NONE || d->tape.tok[v].type != CDC_JSON_FALSE;
	d->has_stats = true;
	return CDC_OK;
}

int fsck_data(struct fsck *k, struct cdc_datafile *df, const struct cdc_dv *dv, struct cdc_err *err)
{
	const struct cdc_schema *schema = &k->s->schema;
	struct data d = {
		.k = k, .df = df, .dv = dv, .at = { df->add->path, -1 }, .tape = CDC_TAPE_INIT
	};
	int rc = read_stats(&d, err);

	for (int i = 0; !rc && i < schema->num_fields; i++)
		rc = schema->field[i].is_partition ? check_copy(&d, i, err)
						   : check_column(&d, i, err);
	cdc_tape_free(&d.tape);
	cdc_arena_free(&d.arena);
	return rc;
}
