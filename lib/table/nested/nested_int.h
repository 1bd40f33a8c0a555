/*
 * Inside the builder of nested columns: its tree of arrays.
 */
#ifndef CDC_TABLE_NESTED_INT_H
#define CDC_TABLE_NESTED_INT_H

#include "table/nested/nested_build.h"
#include "table/nested/variant_build.h"

/* A column that grows, or a part of one. */
struct cdc_nested_part {
	const struct cdc_field *field;
	struct cdc_field own; /* VARIANT: the field, with the two binaries as children */
	size_t size; /* of an element of values */
	unsigned char *values;
	uint8_t *valid;
	uint32_t n;
	uint32_t cap;
	struct cdc_nested_part *child; /* of a VARIANT: metadata, value */
	struct cdc_column *column; /* of the children */
};

struct cdc_nested_build {
	struct cdc_schema schema; /* the field, copied */
	struct cdc_nested_part top;
	struct cdc_variant_build *variant; /* NULL until one is needed */
	struct cdc_arena tree;
	struct cdc_arena bytes; /* of strings that are borrowed from nowhere */
};

/* Add a null, and below a struct or a variant nulls. */
int cdc_nested_add_null(struct cdc_nested_part *p, struct cdc_err *err) CDC_NODISCARD;
/* Add a value of cdc_type_size bytes. */
int cdc_nested_add(struct cdc_nested_part *p, const void *value, struct cdc_err *err) CDC_NODISCARD;
/* Add a struct, whose fields come next, each a value of a child. */
int cdc_nested_add_group(struct cdc_nested_part *p, struct cdc_err *err) CDC_NODISCARD;
/* Add a variant by its binaries, which are borrowed. */
int cdc_nested_add_variant(struct cdc_nested_part *p, struct cdc_str metadata, struct cdc_str value,
			   struct cdc_err *err) CDC_NODISCARD;

/*
 * Add a list or map of which the entries come next, each a value of the children; then close it
 * with the place that open gave.
 */
int cdc_nested_open_list(struct cdc_nested_part *p, uint32_t *place,
			 struct cdc_err *err) CDC_NODISCARD;
void cdc_nested_close_list(struct cdc_nested_part *p, uint32_t place);

/* The writer of variants, made when first asked for. */
int cdc_nested_variant(struct cdc_nested_build *b, struct cdc_variant_build **v,
		       struct cdc_err *err) CDC_NODISCARD;

#endif
