/*
 * DTS events between the stages of the decoder: dts_layout.c resolves a writer's schema into
 * steps, dts_event.c walks a datum by them into a flat struct dts_event, dts_image.c its images,
 * dts_field.c single fields, dts_value.c prints image values, dts_table.c knows what is constant
 * for a table, dts.c puts the record together.
 */
#ifndef CDC_SOURCE_DTS_INT_H
#define CDC_SOURCE_DTS_INT_H

#include "source/avro/avro_plan.h"
#include "source/value/charset.h"
#include "source/out.h"
#include "source/value/value_text.h"

#define DTS_COLUMNS_MAX 16384u /* MySQL stops at 4096 */
#define DTS_TAGS_MAX 1024u

enum dts_operation {
	DTS_INSERT,
	DTS_UPDATE,
	DTS_DELETE,
	DTS_DDL,
	DTS_BEGIN,
	DTS_COMMIT,
	DTS_ROLLBACK,
	DTS_ABORT,
	DTS_HEARTBEAT,
	DTS_CHECKPOINT,
	DTS_COMMAND,
	DTS_FILL,
	DTS_FINISH,
	DTS_CONTROL,
	DTS_RDB,
	DTS_NOOP,
	DTS_INIT,
	DTS_OPERATIONS,
	DTS_OPERATION_UNKNOWN = DTS_OPERATIONS /* a symbol of a later schema */
};

/* Branches of the image value union (spec section 1.2), told apart by their names. */
enum dts_kind {
	DTS_NULL,
	DTS_ABSENT, /* EmptyObject NONE */
	DTS_INTEGER,
	DTS_CHARACTER,
	DTS_DECIMAL,
	DTS_FLOAT,
	DTS_TIMESTAMP,
	DTS_DATETIME,
	DTS_TIMESTAMP_TZ,
	DTS_BINARY_GEOMETRY,
	DTS_TEXT_GEOMETRY,
	DTS_BINARY_OBJECT,
	DTS_TEXT_OBJECT,
	DTS_EMPTY_OBJECT /* in a layout only: becomes DTS_NULL or DTS_ABSENT */
};

enum dts_part {
	DTS_YEAR,
	DTS_MONTH,
	DTS_DAY,
	DTS_HOUR,
	DTS_MINUTE,
	DTS_SECOND,
	DTS_MICROS,
	DTS_PARTS
};

struct dts_value {
	uint16_t
		kind; /* enum dts_kind; not of a byte, which a compiler takes to alias everything */
	uint16_t present; /* bit n: part[n] is not null */
	int32_t part[DTS_PARTS]; /* DateTime; [DTS_MICROS] of Timestamp too */
	union {
		struct cdc_str text; /* value, as string or bytes */
		int64_t seconds;
		double number;
	} u;
	struct cdc_str tag; /* charset, timezone, or type of an object */
};

/* What a step of the walk does with the writer's next field. */
enum dts_op {
	DTS_OP_SKIP,
	/* of the event */
	DTS_OP_ID,
	DTS_OP_TIMESTAMP,
	DTS_OP_POSITION,
	DTS_OP_SAFE_POSITION,
	DTS_OP_TXID,
	DTS_OP_SOURCE,
	DTS_OP_OPERATION,
	DTS_OP_OBJECT,
	DTS_OP_TAGS,
	DTS_OP_FIELDS,
	DTS_OP_BEFORE,
	DTS_OP_AFTER,
	/* of its source */
	DTS_OP_SOURCE_TYPE,
	DTS_OP_SOURCE_VERSION,
	/* of a field */
	DTS_OP_FIELD_NAME,
	DTS_OP_FIELD_TYPE,
	/* of a value */
	DTS_OP_TEXT,
	DTS_OP_TAG,
	DTS_OP_NUMBER,
	DTS_OP_SECONDS,
	DTS_OP_MICROS,
	DTS_OP_PART, /* + enum dts_part */
	DTS_OP_NESTED = DTS_OP_PART + DTS_PARTS /* the DateTime in a TimestampWithTimeZone */
};

struct dts_step {
	uint8_t op; /* enum dts_op */
	uint32_t node;
};

/* Steps of one record type. */
struct dts_steps {
	uint32_t first;
	uint32_t n;
};

/* What the record of a value is made of, if that is as in the published layout. */
enum dts_recipe {
	DTS_RECIPE_NONE, /* something else */
	DTS_RECIPE_NULL,
	DTS_RECIPE_SIZE_TEXT, /* an int that is not used, a string or bytes */
	DTS_RECIPE_TAG_TEXT,
	DTS_RECIPE_TEXT_SIZES, /* two of them */
	DTS_RECIPE_NUMBER_SIZES, /* a double */
	DTS_RECIPE_INSTANT, /* seconds as a long, microseconds as an int */
	DTS_RECIPE_PARTS /* all of them, each null or an int */
};

struct dts_node {
	struct dts_steps steps; /* of a record */
	uint16_t kind; /* of a value branch: enum dts_kind */
	uint16_t recipe; /* of a value branch: enum dts_recipe */
};

struct dts_layout {
	uint64_t id; /* different for every layout that a decoder has had */
	struct cdc_avro_plan *plan;
	struct dts_step *step;
	uint32_t n_steps;
	uint32_t cap_steps;
	struct dts_steps event;
	struct dts_node *of; /* by node: value branches, source and field records */
	uint8_t *operation; /* by symbol of the operation enum: enum dts_operation */
	bool tail_optional; /* bornTimestamp may be missing: no schema came with the data */
};

int dts_layout_new(struct dts_layout **layout, struct cdc_str schema,
		   struct cdc_err *err) CDC_NODISCARD;
/* The published layout, both versions: the last field may be missing. */
int dts_layout_builtin(struct dts_layout **layout, struct cdc_err *err) CDC_NODISCARD;
void dts_layout_free(struct dts_layout *layout);
extern const char dts_schema_json[];

/* A union of null, string and array. */
enum dts_shape { DTS_NONE, DTS_STRING, DTS_ARRAY };

struct dts_image {
	enum dts_shape shape;
	struct cdc_str text; /* DTS_STRING */
	struct dts_value *value; /* DTS_ARRAY; owned, reused by the next event */
	uint32_t n;
	uint32_t cap;
};

struct dts_column {
	struct cdc_str name;
	int32_t type; /* dataTypeNumber */
};

struct dts_tag {
	struct cdc_str key;
	struct cdc_str value;
};

struct dts_event {
	int64_t id;
	int64_t timestamp_s;
	struct cdc_str position;
	struct cdc_str safe_position;
	struct cdc_str txid;
	const char *source_type; /* symbol, in the plan */
	struct cdc_str source_version;
	uint8_t operation;
	bool has_object;
	struct cdc_str object; /* objectName as it came */
	struct dts_tag *tag;
	uint32_t n_tags;
	uint32_t cap_tags;
	/* The tags as they were encoded, and what `tag` then points into: most events have those of
	 * the one before. */
	struct cdc_buf raw_tags; /* empty: not kept */
	uint64_t tags_layout; /* id of the layout that they were read by */
	uint32_t n_raw_tags;
	uint64_t tags_no; /* another number whenever the tags are others */
	enum dts_shape fields_shape;
	struct cdc_str fields; /* DTS_ARRAY: its encoded blocks */
	uint32_t fields_node;
	struct dts_image before;
	struct dts_image after;
};

/* Walk one datum. False: cur->why tells what is wrong at cur->p, or *nomem is set. */
bool dts_event_read(const struct dts_layout *l, struct cdc_avro_cur *cur, struct dts_event *e,
		    struct cdc_str known_fields, bool *nomem);
/* The image of a field of the event, which may be null or a string too. img->n is 0 before. */
bool dts_image_read(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		    struct dts_image *img, bool *nomem);

/*
 * A field at the cursor, behind a union or not. False: cur->why tells what is wrong at cur->p.
 * Integers may be int or long, text may be string, bytes or, where the layout allowed it, null,
 * which is empty; is_null may be NULL.
 */
bool dts_integral_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		     int64_t *v);
bool dts_int32_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node, int32_t *v);
bool dts_text_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		 struct cdc_str *s, bool *is_null);
/* *name is a symbol of the plan, *index its place in the enum. */
bool dts_symbol_at(const struct dts_layout *l, struct cdc_avro_cur *cur, uint32_t node,
		   const char **name, uint32_t *index);

/* Decode e->fields, at most DTS_COLUMNS_MAX; *col is malloced. */
int dts_event_columns(const struct dts_layout *l, const struct dts_event *e,
		      struct dts_column **col, uint32_t *n, struct cdc_err *err) CDC_NODISCARD;
void dts_event_free(struct dts_event *e);

/* dataTypeNumbers of MySQL that change how a value prints (spec section 1.4). */
enum dts_text_as { DTS_AS_IT_IS, DTS_AS_FLOAT, DTS_AS_DATE, DTS_AS_TIME, DTS_AS_YEAR };

/* Print a value that is neither null nor absent, with its quotes. */
void dts_value_print(struct cdc_out *o, struct cdc_charsets *cs, const struct dts_value *v,
		     enum dts_text_as as);

#endif
