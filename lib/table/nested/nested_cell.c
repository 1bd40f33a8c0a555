/*
 * Cells: values of any type as bytes, back, and compared. See nested_build.h.
 */
#include "base/endian.h"
#include "table/nested/nested_int.h"
#include "table/nested/variant_int.h"

#include <math.h>

/* ------------------------------------------------------------------ to bytes */

static int put_count(struct cdc_buf *out, size_t n, struct cdc_err *err)
{
	char word[4];

	if (n > UINT32_MAX)
		return cdc_fail(err, CDC_EDATA, "a value of more than 4 GiB");
	cdc_put_le32(word, (uint32_t)n);
	return cdc_buf_append(out, word, sizeof(word), err);
}

static int put_bytes(struct cdc_buf *out, struct cdc_str s, struct cdc_err *err)
{
	int rc = put_count(out, s.n, err);

	return rc < 0 ? rc : cdc_buf_put(out, s, err);
}

/* Equal numbers must be equal bytes: there are many NaNs, of which one stands for all. */
static void one_nan(enum cdc_type type, char *bytes)
{
	double d;
	float f;

	if (type == CDC_TYPE_DOUBLE) {
		memcpy(&d, bytes, sizeof(d));
		if (isnan(d))
			cdc_put_le64(bytes, UINT64_C(0x7ff8000000000000));
	}
	if (type == CDC_TYPE_FLOAT) {
		memcpy(&f, bytes, sizeof(f));
		if (isnan(f))
			cdc_put_le32(bytes, UINT32_C(0x7fc00000));
	}
}

/* The bytes of a number as they lie in memory, little-endian. */
static size_t number_bytes(const struct cdc_column *c, uint32_t row, char out[16])
{
	size_t size = cdc_type_size(c->field->type);
	const char *from = (const char *)c->values + row * size;
	uint32_t narrow;
	uint64_t wide[2];

	if (size == 1) {
		out[0] = from[0];
	} else if (size == sizeof(narrow)) {
		memcpy(&narrow, from, sizeof(narrow));
		cdc_put_le32(out, narrow);
	} else if (size == sizeof(wide[0])) {
		memcpy(wide, from, sizeof(wide[0]));
		cdc_put_le64(out, wide[0]);
	} else {
		cdc_i128 v;

		memcpy(&v, from, sizeof(v));
		cdc_put_le64(out, (uint64_t)v);
		cdc_put_le64(out + 8, (uint64_t)(v >> 64));
	}
	one_nan(c->field->type, out);
	return size;
}

/* *v: the writer of variants, made when one comes. */
static int put_value(struct cdc_variant_build **v, const struct cdc_column *c, uint32_t row,
		     struct cdc_buf *out, struct cdc_err *err);

static int put_part(struct cdc_variant_build **v, const struct cdc_column *c, uint32_t row,
		    struct cdc_buf *out, struct cdc_err *err)
{
	bool null = cdc_column_is_null(c, row);
	int rc = cdc_buf_putc(out, null ? 0 : 1, err);

	return rc < 0 || null ? rc : put_value(v, c, row, out, err);
}

static int put_variant(struct cdc_variant_build **v, const struct cdc_column *c, uint32_t row,
		       struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_str metadata = CDC_STR_INIT;
	struct cdc_str value = CDC_STR_INIT;
	int rc = *v ? CDC_OK : cdc_variant_build_new(v, err);

	if (rc == CDC_OK)
		rc = cdc_variant_from_column(*v, c, row, &metadata, &value, err);
	if (rc == CDC_OK)
		rc = put_bytes(out, metadata, err);
	return rc < 0 ? rc : put_bytes(out, value, err);
}

static int put_list(struct cdc_variant_build **v, const struct cdc_column *c, uint32_t row,
		    struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_span span = ((const struct cdc_span *)c->values)[row];
	int rc = put_count(out, span.n, err);

	for (uint32_t i = 0; rc == CDC_OK && i < span.n; i++) {
		for (int k = 0; rc == CDC_OK && k < c->field->num_children; k++)
			rc = put_part(v, &c->child[k], span.first + i, out, err);
	}
	return rc;
}

static int put_value(struct cdc_variant_build **v, const struct cdc_column *c, uint32_t row,
		     struct cdc_buf *out, struct cdc_err *err)
{
	char number[16];
	int rc = CDC_OK;

	if (c->field->type == CDC_TYPE_VARIANT)
		return put_variant(v, c, row, out, err);
	if (c->field->type == CDC_TYPE_ARRAY || c->field->type == CDC_TYPE_MAP)
		return put_list(v, c, row, out, err);
	if (c->field->type == CDC_TYPE_STRING || c->field->type == CDC_TYPE_BINARY)
		return put_bytes(out, ((const struct cdc_str *)c->values)[row], err);
	if (c->field->type != CDC_TYPE_STRUCT)
		return cdc_buf_append(out, number, number_bytes(c, row, number), err);
	for (int k = 0; rc == CDC_OK && k < c->field->num_children; k++)
		rc = put_part(v, &c->child[k], row, out, err);
	return rc;
}

int cdc_nested_serialize(const struct cdc_column *c, uint32_t row, struct cdc_buf *out,
			 struct cdc_err *err)
{
	struct cdc_variant_build *v = NULL;
	int rc = put_value(&v, c, row, out, err);

	cdc_variant_build_free(v);
	return rc;
}

/* ------------------------------------------------------------------ and back */

/* Cells are made here, so that a bad one is a mistake of this program. */
static int bad_cell(struct cdc_err *err)
{
	return cdc_fail(err, CDC_EINTERNAL, "a cell of a nested type is cut off");
}

/* The next n bytes; NULL: there are not so many. */
static const char *take(struct cdc_str *s, size_t n)
{
	const char *p = s->p;

	if (s->n < n)
		return NULL;
	*s = cdc_str(p + n, s->n - n);
	return p;
}

static int take_count(struct cdc_str *s, uint32_t *n, struct cdc_err *err)
{
	const char *p = take(s, 4);

	*n = p ? cdc_le32(p) : 0;
	return p ? CDC_OK : bad_cell(err);
}

static int take_bytes(struct cdc_str *s, struct cdc_str *out, struct cdc_err *err)
{
	uint32_t n;
	int rc = take_count(s, &n, err);

	if (rc < 0)
		return rc;
	*out = cdc_str(take(s, n), n);
	return out->p ? CDC_OK : bad_cell(err);
}

static int add_number(struct cdc_nested_part *p, struct cdc_str *s, struct cdc_err *err)
{
	const char *bytes = take(s, p->size);
	uint32_t narrow;
	uint64_t wide;
	cdc_i128 v;

	if (!bytes)
		return bad_cell(err);
	if (p->size == 1)
		return cdc_nested_add(p, bytes, err);
	if (p->size == sizeof(narrow)) {
		narrow = cdc_le32(bytes);
		return cdc_nested_add(p, &narrow, err);
	}
	wide = cdc_le64(bytes);
	if (p->size == sizeof(wide))
		return cdc_nested_add(p, &wide, err);
	v = (cdc_i128)((cdc_u128)cdc_le64(bytes + 8) << 64 | wide);
	return cdc_nested_add(p, &v, err);
}

static int add_cell(struct cdc_nested_part *p, struct cdc_str *s, struct cdc_err *err);

static int add_part(struct cdc_nested_part *p, struct cdc_str *s, struct cdc_err *err)
{
	const char *has = take(s, 1);

	if (!has)
		return bad_cell(err);
	return *has ? add_cell(p, s, err) : cdc_nested_add_null(p, err);
}

static int add_list(struct cdc_nested_part *p, struct cdc_str *s, struct cdc_err *err)
{
	uint32_t place;
	uint32_t n = 0;
	int rc = take_count(s, &n, err);

	if (rc == CDC_OK)
		rc = cdc_nested_open_list(p, &place, err);
	for (uint32_t i = 0; rc == CDC_OK && i < n; i++) {
		for (int k = 0; rc == CDC_OK && k < p->field->num_children; k++)
			rc = add_part(&p->child[k], s, err);
	}
	if (rc == CDC_OK)
		cdc_nested_close_list(p, place);
	return rc;
}

static int add_struct(struct cdc_nested_part *p, struct cdc_str *s, struct cdc_err *err)
{
	int rc = cdc_nested_add_group(p, err);

	for (int k = 0; rc == CDC_OK && k < p->field->num_children; k++)
		rc = add_part(&p->child[k], s, err);
	return rc;
}

/* Depth is bounded by that of the schema. */
static int add_cell(struct cdc_nested_part *p, struct cdc_str *s, struct cdc_err *err)
{
	enum cdc_type type = p->field->type;
	struct cdc_str bytes = CDC_STR_INIT;
	struct cdc_str more = CDC_STR_INIT;
	int rc;

	if (type == CDC_TYPE_STRUCT)
		return add_struct(p, s, err);
	if (type == CDC_TYPE_ARRAY || type == CDC_TYPE_MAP)
		return add_list(p, s, err);
	if (type != CDC_TYPE_STRING && type != CDC_TYPE_BINARY && type != CDC_TYPE_VARIANT)
		return add_number(p, s, err);
	rc = take_bytes(s, &bytes, err);
	if (rc < 0 || type != CDC_TYPE_VARIANT)
		return rc < 0 ? rc : cdc_nested_add(p, &bytes, err);
	rc = take_bytes(s, &more, err);
	return rc < 0 ? rc : cdc_nested_add_variant(p, bytes, more, err);
}

int cdc_nested_build_cell(struct cdc_nested_build *b, struct cdc_str cell, struct cdc_err *err)
{
	int rc = add_cell(&b->top, &cell, err);

	return rc == CDC_OK && cell.n ? bad_cell(err) : rc;
}

/* ------------------------------------------------------------------ compared */

static int equal_variants(const struct cdc_column *a, uint32_t i, const struct cdc_column *b,
			  uint32_t k, bool *equal, struct cdc_err *err)
{
	struct cdc_variant_build *v[2] = { NULL, NULL };
	struct cdc_str m[2], s[2];
	int stored_a = cdc_variant_stored(a, i, &m[0], &s[0], err);
	int stored_b = stored_a < 0 ? stored_a : cdc_variant_stored(b, k, &m[1], &s[1], err);
	int rc;

	if (stored_b < 0)
		return stored_b;
	*equal = stored_a == CDC_OK && stored_b == CDC_OK && cdc_str_eq(m[0], m[1]) &&
		 cdc_str_eq(s[0], s[1]);
	if (*equal)
		return CDC_OK;
	if ((rc = cdc_variant_build_new(&v[0], err)) == CDC_OK &&
	    (rc = cdc_variant_build_new(&v[1], err)) == CDC_OK &&
	    (rc = cdc_variant_from_column(v[0], a, i, &m[0], &s[0], err)) == CDC_OK &&
	    (rc = cdc_variant_from_column(v[1], b, k, &m[1], &s[1], err)) == CDC_OK)
		*equal = cdc_str_eq(m[0], m[1]) && cdc_str_eq(s[0], s[1]);
	cdc_variant_build_free(v[0]);
	cdc_variant_build_free(v[1]);
	return rc;
}

static int equal_lists(const struct cdc_column *a, uint32_t i, const struct cdc_column *b,
		       uint32_t k, bool *equal, struct cdc_err *err)
{
	struct cdc_span x = ((const struct cdc_span *)a->values)[i];
	struct cdc_span y = ((const struct cdc_span *)b->values)[k];
	int rc = CDC_OK;

	*equal = x.n == y.n;
	for (uint32_t e = 0; rc == CDC_OK && *equal && e < x.n; e++) {
		for (int c = 0; rc == CDC_OK && *equal && c < a->field->num_children; c++)
			rc = cdc_column_equal(&a->child[c], x.first + e, &b->child[c], y.first + e,
					      equal, err);
	}
	return rc;
}

int cdc_column_equal(const struct cdc_column *a, uint32_t i, const struct cdc_column *b, uint32_t k,
		     bool *equal, struct cdc_err *err)
{
	enum cdc_type type = a->field->type;
	char x[16], y[16];
	int rc = CDC_OK;

	*equal = cdc_column_is_null(a, i) == cdc_column_is_null(b, k);
	if (!*equal || cdc_column_is_null(a, i))
		return CDC_OK;
	if (type == CDC_TYPE_VARIANT)
		return equal_variants(a, i, b, k, equal, err);
	if (type == CDC_TYPE_ARRAY || type == CDC_TYPE_MAP)
		return equal_lists(a, i, b, k, equal, err);
	if (type == CDC_TYPE_STRUCT) {
		for (int c = 0; rc == CDC_OK && *equal && c < a->field->num_children; c++)
			rc = cdc_column_equal(&a->child[c], i, &b->child[c], k, equal, err);
	} else if (type == CDC_TYPE_STRING || type == CDC_TYPE_BINARY) {
		*equal = cdc_str_eq(((const struct cdc_str *)a->values)[i],
				    ((const struct cdc_str *)b->values)[k]);
	} else {
		size_t n = number_bytes(a, i, x);

		*equal = n == number_bytes(b, k, y) && !memcmp(x, y, n);
	}
	return rc;
}
