/*
 * Inside the variants: the binary encoding, as the shredded form needs it. See variant.h for what
 * is refused.
 */
#ifndef CDC_TABLE_VARIANT_INT_H
#define CDC_TABLE_VARIANT_INT_H

#include "table/variant.h"

/* The dictionary of names that the values of one row share. */
struct cdc_variant_names {
	uint32_t n;
	unsigned width; /* bytes of an offset */
	const char *offset;
	struct cdc_str text;
};

/* CDC_EUNSUPPORTED: a version other than 1. Names are checked when they are asked for. */
int cdc_variant_names_open(struct cdc_variant_names *names, struct cdc_str metadata,
			   struct cdc_err *err) CDC_NODISCARD;

/* A value in the binary encoding. */
int cdc_variant_value_print(const struct cdc_print_sink *s, const struct cdc_variant_names *names,
			    struct cdc_str value, struct cdc_err *err) CDC_NODISCARD;

/* An object in the binary encoding, to go through its members. */
struct cdc_variant_object {
	const struct cdc_variant_names *names;
	uint32_t n;
	unsigned id_width;
	unsigned offset_width;
	const char *id;
	const char *offset;
	struct cdc_str values;
	uint64_t budget; /* bytes that its values may still take, each byte once */
};

/* CDC_END: the value is no object. */
int cdc_variant_object_open(struct cdc_variant_object *o, const struct cdc_variant_names *names,
			    struct cdc_str value, struct cdc_err *err) CDC_NODISCARD;
/* For i = 0, 1, 2 …: `name` still is the name before, which this one must not repeat. */
int cdc_variant_object_name(const struct cdc_variant_object *o, uint32_t i, struct cdc_str *name,
			    struct cdc_err *err) CDC_NODISCARD;
int cdc_variant_object_print(struct cdc_variant_object *o, uint32_t i,
			     const struct cdc_print_sink *s, struct cdc_err *err) CDC_NODISCARD;

#endif
