/*
 * A column that is made row by row: of nested columns from values that were read, from cells, and
 * from JSON.
 *
 * A cell is one value that is not null as bytes that hold all of it: how rows of a merge keep
 *values of nested types. Two values of one type are equal exactly if their cells are (see
 * cdc_column_equal).
 *
 *	flat types	little-endian, booleans a byte, NaN always the same one, strings and
 *binaries with their length in 4 bytes before them STRUCT		its fields in order ARRAY,
 *MAP	the number of entries in 4 bytes; elements, or key and value by turns
 *	VARIANT		metadata and value in the canonical form (variant_build.h), each as a binary
 *
 * Each part of a nested value has a byte before it: 0 null, 1 a value.
 */
#ifndef CDC_TABLE_NESTED_BUILD_H
#define CDC_TABLE_NESTED_BUILD_H

#include "base/json.h"
#include "table/batch/batch.h"

struct cdc_nested_build;

/* For values of `field`, which is copied; any type that a table can have. */
int cdc_nested_build_new(struct cdc_nested_build **b, const struct cdc_field *field,
			 struct cdc_err *err) CDC_NODISCARD;
void cdc_nested_build_free(struct cdc_nested_build *b);

/* Forget all rows. After an error of the functions that add one only this and free are allowed. */
void cdc_nested_build_reset(struct cdc_nested_build *b);

/*
 * Add a row: a null; row `row` of a column of the same type that was read; a cell; value `tok` of a
 * scanned JSON text. Bytes of strings are borrowed from where they come and must live until reset,
 * those of JSON texts and of shredded variants are copied.
 *
 * JSON: what cdc-snapshot(1) prints, and beside it any text of flat values that a change record may
 * have (table/batch/cast.h), in strings or bare; maps as objects or as arrays of pairs whatever
 * their keys are, with their entries as they come, a key that is there twice too. Members of
 * structs that are missing are null. CDC_EDATA with the path of the part in the message: a member
 * that the struct does not have, or that is there twice; null where there must be a value; a value
 * that does not fit its type. A JSON null is a null, but of a builder of a VARIANT the variant's
 * own.
 *
 * CDC_EDATA also: more than 2^31 entries of one list or map in all rows. Variants: see
 * variant_build.h.
 */
int cdc_nested_build_null(struct cdc_nested_build *b, struct cdc_err *err) CDC_NODISCARD;
int cdc_nested_build_row(struct cdc_nested_build *b, const struct cdc_column *c, uint32_t row,
			 struct cdc_err *err) CDC_NODISCARD;
int cdc_nested_build_cell(struct cdc_nested_build *b, struct cdc_str cell,
			  struct cdc_err *err) CDC_NODISCARD;
int cdc_nested_build_json(struct cdc_nested_build *b, const struct cdc_tape *tape, uint32_t tok,
			  struct cdc_err *err) CDC_NODISCARD;

/* The rows so far; arrays live until the next call on `b`. */
uint32_t cdc_nested_build_rows(const struct cdc_nested_build *b);
void cdc_nested_build_column(struct cdc_nested_build *b, struct cdc_column *out);

/* Append the cell of a row that is not null. CDC_EDATA: a string of more than 4 GiB; variants: see
 * variant_build.h. */
int cdc_nested_serialize(const struct cdc_column *c, uint32_t row, struct cdc_buf *out,
			 struct cdc_err *err) CDC_NODISCARD;

/*
 * Whether two rows of columns of the same type, nested or not, hold the same: null equals null,
 * floating-point numbers are compared by their bits, but NaN equals NaN (so -0.0 is not 0.0: to
 * replace the one by the other is a change), maps entry by entry in their order, variants by their
 * canonical form.
 */
int cdc_column_equal(const struct cdc_column *a, uint32_t row_a, const struct cdc_column *b,
		     uint32_t row_b, bool *equal, struct cdc_err *err) CDC_NODISCARD;

#endif
