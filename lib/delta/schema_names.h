/*
 * Inside the delta layer: the types of the schema by name, and the making of fields.
 */
#ifndef CDC_DELTA_SCHEMA_NAMES_H
#define CDC_DELTA_SCHEMA_NAMES_H

#include "delta/schema.h"

#define CDC_DECIMAL_MAX_PRECISION 38
#define CDC_DECIMAL_DEFAULT_PRECISION 10 /* `decimal` without parameters, as in Spark */

/* Spark's name of a type that needs no parameters; NULL for the others. */
const char *cdc_type_simple_name(enum cdc_type t);

/* The primitive type (or void, variant) that a type string of the schema JSON names: type,
 * precision and scale of *f. False: no such type. */
bool cdc_type_from_name(struct cdc_str text, struct cdc_field *f);

/* Room for one more field at s->field[s->num_fields]; the array lies in the schema's arena. */
int cdc_schema_reserve(struct cdc_schema *s, struct cdc_err *err) CDC_NODISCARD;

/* Whether two fields bear the same name (ASCII case-insensitive): *dup is the later one, or -1. */
int cdc_schema_duplicate(const struct cdc_schema *s, int *dup, struct cdc_err *err) CDC_NODISCARD;

#endif
