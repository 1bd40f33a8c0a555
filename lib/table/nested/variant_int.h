/*
 * Inside the variants: walks over the binary encoding and the shredded form, which tell a sink what
 * they meet. See variant.h for what is refused.
 */
#ifndef CDC_TABLE_VARIANT_INT_H
#define CDC_TABLE_VARIANT_INT_H

#include "table/nested/variant.h"

/* The low two bits of a value's first byte. */
enum cdc_variant_basic {
	CDC_VARIANT_IS_PRIMITIVE,
	CDC_VARIANT_IS_SHORT_STRING,
	CDC_VARIANT_IS_OBJECT,
	CDC_VARIANT_IS_ARRAY
};

/* The other six bits of a primitive. */
enum cdc_variant_primitive {
	CDC_VARIANT_NULL,
	CDC_VARIANT_TRUE,
	CDC_VARIANT_FALSE,
	CDC_VARIANT_INT8,
	CDC_VARIANT_INT16,
	CDC_VARIANT_INT32,
	CDC_VARIANT_INT64,
	CDC_VARIANT_DOUBLE,
	CDC_VARIANT_DECIMAL4,
	CDC_VARIANT_DECIMAL8,
	CDC_VARIANT_DECIMAL16,
	CDC_VARIANT_DATE,
	CDC_VARIANT_TIMESTAMP,
	CDC_VARIANT_TIMESTAMP_NTZ,
	CDC_VARIANT_FLOAT,
	CDC_VARIANT_BINARY,
	CDC_VARIANT_STRING,
	CDC_VARIANT_TIME,
	CDC_VARIANT_TIMESTAMP_NS,
	CDC_VARIANT_TIMESTAMP_NTZ_NS,
	CDC_VARIANT_UUID,
	CDC_VARIANT_PRIMITIVES
};

#define CDC_VARIANT_SCALE_MAX 38 /* also the digits of a decimal of 16 bytes */
#define CDC_VARIANT_DECIMAL4_DIGITS 9
#define CDC_VARIANT_DECIMAL8_DIGITS 18

/*
 * What a walk tells, in the order of the value: a member or an element comes before its value. A
 * value that is no object or array comes as a row of a column of its type: BYTE to LONG by the
 * bytes that the integer takes, DECIMAL with the most digits of its bytes as precision, a shredded
 * one with the column's type, which may be one that no variant has; null is a null. A function that
 * fails ends the walk.
 */
struct cdc_variant_ops {
	int (*begin)(void *ctx, bool object, struct cdc_err *err);
	int (*member)(void *ctx, struct cdc_str name, struct cdc_err *err);
	int (*element)(void *ctx, struct cdc_err *err);
	int (*end)(void *ctx, bool object, struct cdc_err *err);
	int (*flat)(void *ctx, const struct cdc_column *c, uint32_t row, struct cdc_err *err);
};

struct cdc_variant_sink {
	const struct cdc_variant_ops *ops;
	void *ctx;
};

static inline int cdc_variant_tell_begin(const struct cdc_variant_sink *s, bool object,
					 struct cdc_err *err)
{
	return s->ops->begin(s->ctx, object, err);
}

static inline int cdc_variant_tell_member(const struct cdc_variant_sink *s, struct cdc_str name,
					  struct cdc_err *err)
{
	return s->ops->member(s->ctx, name, err);
}

static inline int cdc_variant_tell_element(const struct cdc_variant_sink *s, struct cdc_err *err)
{
	return s->ops->element(s->ctx, err);
}

static inline int cdc_variant_tell_end(const struct cdc_variant_sink *s, bool object,
				       struct cdc_err *err)
{
	return s->ops->end(s->ctx, object, err);
}

/* A value of a type without parameters. */
static inline int cdc_variant_tell_flat(const struct cdc_variant_sink *s, enum cdc_type type,
					const void *value, struct cdc_err *err)
{
	const struct cdc_field f = { .type = type };
	const struct cdc_column c = { .field = &f, .values = value };

	return s->ops->flat(s->ctx, &c, 0, err);
}

static inline int cdc_variant_tell_null(const struct cdc_variant_sink *s, struct cdc_err *err)
{
	static const uint8_t null[1] = { 0 };
	const struct cdc_field f = { .type = CDC_TYPE_VOID };
	const struct cdc_column c = { .field = &f, .valid = null };

	return s->ops->flat(s->ctx, &c, 0, err);
}

/* ---- variant.c */

/* The value in a row of a VARIANT column that is not null there, whole or shredded. */
int cdc_variant_walk(const struct cdc_variant_sink *s, const struct cdc_column *c, uint32_t row,
		     struct cdc_err *err) CDC_NODISCARD;
/* The same as the binaries that it is stored as, which are not looked at; CDC_END: it is shredded,
 * or missing. */
int cdc_variant_stored(const struct cdc_column *c, uint32_t row, struct cdc_str *metadata,
		       struct cdc_str *value, struct cdc_err *err) CDC_NODISCARD;

/* ---- variant_value.c */

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
int cdc_variant_value_walk(const struct cdc_variant_sink *s, const struct cdc_variant_names *names,
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
int cdc_variant_object_walk(struct cdc_variant_object *o, uint32_t i,
			    const struct cdc_variant_sink *s, struct cdc_err *err) CDC_NODISCARD;

#endif
