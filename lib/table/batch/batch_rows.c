/*
 * Rows of a batch in memory. See batch_rows.h.
 */
#include "table/batch/batch_rows.h"

#include <stdlib.h>

int cdc_rows_init(struct cdc_rows *r, const struct cdc_schema *schema, struct cdc_err *err)
{
	*r = (struct cdc_rows){ .schema = schema };
	r->column = calloc((size_t)schema->num_fields + 1, sizeof(*r->column));
	if (!r->column)
		return cdc_fail_nomem(err);
	for (int i = 0; i < schema->num_fields; i++)
		r->column[i].size = cdc_cell_size(schema->field[i].type);
	return CDC_OK;
}

void cdc_rows_free(struct cdc_rows *r)
{
	for (int i = 0; r->column && i < r->schema->num_fields; i++) {
		free(r->column[i].values);
		free(r->column[i].cell);
	}
	free(r->column);
	cdc_arena_free(&r->strings);
	*r = (struct cdc_rows){ .schema = NULL };
}

static int grow(struct cdc_rows *r, struct cdc_err *err)
{
	uint32_t cap = r->cap ? r->cap * 2 : 1024;

	if (cap <= r->cap)
		return cdc_fail(err, CDC_ENOMEM, "more than 2^32 rows in one batch");
	for (int i = 0; i < r->schema->num_fields; i++) {
		struct cdc_rows_column *c = &r->column[i];
		void *values = realloc(c->values, (size_t)cap * (c->size ? c->size : 1));
		void *cell;

		if (!values)
			return cdc_fail_nomem(err);
		c->values = values;
		cell = realloc(c->cell, cap);
		if (!cell)
			return cdc_fail_nomem(err);
		c->cell = cell;
	}
	r->cap = cap;
	return CDC_OK;
}

int cdc_rows_append(struct cdc_rows *r, enum cdc_cell cell, uint32_t *row, struct cdc_err *err)
{
	int rc = r->n == r->cap ? grow(r, err) : CDC_OK;

	if (rc)
		return rc;
	for (int i = 0; i < r->schema->num_fields; i++) {
		struct cdc_rows_column *c = &r->column[i];

		memset(c->values + (size_t)r->n * c->size, 0, c->size);
		c->cell[r->n] = (uint8_t)cell;
	}
	*row = r->n++;
	return CDC_OK;
}

union cdc_value cdc_value_load(enum cdc_type t, const void *values, size_t i)
{
	union cdc_value v = { .dec = 0 };

	switch (t) {
	case CDC_TYPE_BOOLEAN:
		v.i = ((const uint8_t *)values)[i];
		break;
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_DATE:
		v.i = ((const int32_t *)values)[i];
		break;
	case CDC_TYPE_LONG:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
		v.i = ((const int64_t *)values)[i];
		break;
	case CDC_TYPE_FLOAT:
		v.d = (double)((const float *)values)[i];
		break;
	case CDC_TYPE_DOUBLE:
		v.d = ((const double *)values)[i];
		break;
	case CDC_TYPE_DECIMAL:
		v.dec = ((const cdc_i128 *)values)[i];
		break;
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
		v.s = ((const struct cdc_str *)values)[i];
		break;
	case CDC_TYPE_VOID:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return v;
}

void cdc_value_store(enum cdc_type t, void *values, size_t i, const union cdc_value *v)
{
	switch (t) {
	case CDC_TYPE_BOOLEAN:
		((uint8_t *)values)[i] = (uint8_t)v->i;
		break;
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_DATE:
		((int32_t *)values)[i] = (int32_t)v->i;
		break;
	case CDC_TYPE_LONG:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
		((int64_t *)values)[i] = v->i;
		break;
	case CDC_TYPE_FLOAT:
		((float *)values)[i] = (float)v->d;
		break;
	case CDC_TYPE_DOUBLE:
		((double *)values)[i] = v->d;
		break;
	case CDC_TYPE_DECIMAL:
		((cdc_i128 *)values)[i] = v->dec;
		break;
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
		((struct cdc_str *)values)[i] = v->s;
		break;
	case CDC_TYPE_VOID:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
}

int cdc_rows_set(struct cdc_rows *r, uint32_t row, int field, const union cdc_value *v,
		 struct cdc_err *err)
{
	enum cdc_type t = r->schema->field[field].type;
	struct cdc_rows_column *c = &r->column[field];
	union cdc_value copy = *v;

	if (t == CDC_TYPE_STRING || t == CDC_TYPE_BINARY || cdc_type_is_nested(t)) {
		copy.s.p = cdc_arena_dup(&r->strings, v->s.p, v->s.n);
		if (!copy.s.p)
			return cdc_fail_nomem(err);
	}
	cdc_value_store(t, c->values, row, &copy);
	c->cell[row] = CDC_CELL_VALUE;
	return CDC_OK;
}
