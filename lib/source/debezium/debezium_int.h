/*
 * Debezium JSON between its files: debezium.c tells messages apart, debezium_row.c makes records of
 * rows, debezium_columns.c the columns of a table from a schema or a row, debezium_given.c their
 * types from --schema, debezium_value.c prints values, debezium_decimal.c tells what decimals are.
 */
#ifndef CDC_SOURCE_DEBEZIUM_INT_H
#define CDC_SOURCE_DEBEZIUM_INT_H

#include "source/connect/connect_type.h"
#include "source/mysql/create_table.h"
#include "source/dialect/json_in.h"

enum debezium_member {
	DBZ_BEFORE,
	DBZ_AFTER,
	DBZ_SOURCE,
	DBZ_OP,
	DBZ_TS_MS,
	DBZ_TS_US,
	DBZ_TS_NS,
	DBZ_TRANSACTION,
	/* of other topics */
	DBZ_DATABASE_NAME,
	DBZ_SCHEMA_NAME,
	DBZ_DDL,
	DBZ_TABLE_CHANGES,
	DBZ_STATUS,
	DBZ_ID,
	DBZ_EVENT_COUNT,
	DBZ_MEMBERS
};

enum debezium_source {
	DBZ_SRC_DB,
	DBZ_SRC_SCHEMA,
	DBZ_SRC_TABLE,
	DBZ_SRC_COLLECTION,
	DBZ_SRC_CONNECTOR,
	DBZ_SRC_TS_MS,
	DBZ_SRC_TS_US,
	DBZ_SRC_TS_NS,
	DBZ_SRC_TS_SEC,
	DBZ_SRC_MEMBERS
};

/* A DELETE with a header that says the row came back under another key: kept until it is known
 * whether the next message is that row. */
struct debezium_held {
	bool is;
	uint64_t printed_with; /* the number of the message whose coming had it printed */
	struct cdc_buf line; /* the DELETE record */
	size_t before_at; /* its before image, without the braces */
	size_t before_len;
	struct cdc_change_table *t;
	uint64_t forgotten; /* of cdc_change, when t was taken */
	struct cdc_buf topic;
	int32_t partition;
	struct cdc_buf new_key; /* as JSON text; empty: not known */
};

/* A topic of flattened rows: the table that its last row was of. */
struct debezium_topic {
	struct cdc_buf name;
	struct cdc_buf table; /* what cdc_change_table finds it by */
};

#define DEBEZIUM_TOPICS_MAX 256 /* then all are forgotten */

/* A schema's text, so that the same text is known again by a number. */
struct debezium_schema {
	char *text;
	size_t n;
	uint64_t no;
};

/* Then all are forgotten, or when together they are longer than one message may be. */
#define DEBEZIUM_SCHEMAS_MAX 256

struct debezium {
	struct cdc_json_in j;
	uint32_t root; /* of the payload */
	uint32_t tok[DBZ_MEMBERS];
	uint32_t src[DBZ_SRC_MEMBERS];
	/* {"schema":…,"payload": as it came last: most messages begin like the one before, and then
	 * only their payload is scanned. */
	struct cdc_buf prefix;
	uint64_t prefix_no;
	uint64_t schema_no; /* of the current message's schema, 0: it has none */
	/* The schema of payloads that come without it, and its number; 0: they come with it. */
	struct cdc_str given;
	uint64_t given_no;
	struct cdc_tape schema_tape; /* while a table is defined */
	struct cdc_ddl given_tables; /* --schema: of messages without a schema */
	struct debezium_schema schemas[DEBEZIUM_SCHEMAS_MAX];
	size_t n_schemas;
	size_t schemas_bytes;
	uint64_t last_no;
	struct cdc_str connector; /* in the message */
	struct cdc_buf last_connector;
	struct cdc_json_in key; /* the message key, on a tape of its own */
	uint32_t key_root; /* its object, CDC_JSON_NONE: there is none */
	struct cdc_connect_type type; /* scratch */
	struct debezium_held held;
	struct debezium_topic topics[DEBEZIUM_TOPICS_MAX];
	size_t n_topics;
	size_t last_topic;
};

enum debezium_row_kind { DBZ_INSERT, DBZ_UPDATE, DBZ_DELETE, DBZ_INIT };

struct debezium_row {
	enum debezium_row_kind kind;
	uint32_t before;
	uint32_t after;
	bool flat;
	bool joined; /* the before image is the held one */
	bool key_before; /* the before image is the key on the key's tape */
};

/* debezium_row.c: find what a DELETE was of when its image was not sent, and what a moved row's key
 * was; then print the row. */
int debezium_key_image(struct debezium *d, struct debezium_row *r, const struct cdc_message *m,
		       struct cdc_err *err) CDC_NODISCARD;
int debezium_put_row(struct debezium *d, struct cdc_change_table *t, const struct debezium_row *r,
		     const struct cdc_message *m, struct cdc_err *err) CDC_NODISCARD;

/* Set the table's columns from the schema or, without one, from the rows `a` and `b` (either may be
 * CDC_JSON_NONE). Cheap when nothing changed. `flat`: names with two underscores are no columns. */
int debezium_columns(struct debezium *d, struct cdc_change_table *t, uint32_t a, uint32_t b,
		     bool flat, struct cdc_err *err) CDC_NODISCARD;

/* debezium_given.c: the table in --schema, NULL: it is not there, or its connector is none that
 * writes MySQL's types. */
const struct cdc_ddl_table *debezium_given(const struct debezium *d,
					   const struct cdc_change_table *t);
/* Set a column's type, kind and nullability if the table has one of its name. Text is in ddl or in
 * the scratch arena. */
int debezium_given_column(struct debezium *d, const struct cdc_ddl_table *ddl,
			  struct cdc_change_column *col, struct cdc_err *err) CDC_NODISCARD;

/* Is the member of a flattened row metadata? */
static inline bool debezium_is_mark(struct cdc_str name)
{
	return name.n > 2 && name.p[0] == '_' && name.p[1] == '_';
}

/* Read a message: root, schema, schema_no, key. *null: it has no payload. CDC_EDATA. */
int debezium_scan(struct debezium *d, struct cdc_str value, bool *null,
		  struct cdc_err *err) CDC_NODISCARD;
/* The text of the current message's schema. */
struct cdc_str debezium_schema_text(const struct debezium *d);
int debezium_scan_key(struct debezium *d, const struct cdc_message *m,
		      struct cdc_err *err) CDC_NODISCARD;

/* debezium_source.c: name the change's source; its time, false if none is told; tags from the
 * source block or, of a flattened row, from its marks; the transaction as a tag. */
int debezium_set_source(struct debezium *d, struct cdc_err *err) CDC_NODISCARD;
bool debezium_time(const struct debezium *d, int64_t *us);
void debezium_tags(struct debezium *d, uint32_t object, bool flat);
void debezium_transaction(struct debezium *d);
/* Set tok and src from the marks of a flattened row. */
void debezium_flat_source(struct debezium *d);

/* debezium_moved.c: a header of the message that has a value, or NULL. */
const struct cdc_header *debezium_header(const struct cdc_message *m, const char *name);
/* Take the DELETE that was just printed off the output; its before image is from before_at to
 * before_end there. */
int debezium_hold(struct debezium *d, struct cdc_change_table *t, size_t before_at,
		  size_t before_end, const struct cdc_message *m,
		  struct cdc_err *err) CDC_NODISCARD;
/* Print it after all. */
int debezium_flush_held(struct debezium *d, struct cdc_err *err) CDC_NODISCARD;
/* The current message was rejected, and what was printed with it taken back: hold it again. */
void debezium_hold_again(struct debezium *d);
/* Is the message, a creation in table t, the other half of it? */
bool debezium_joins(const struct debezium *d, const struct cdc_change_table *t,
		    const struct cdc_message *m);

/* debezium_topics.c: note that the message, a flattened row, is of this table; and the table of a
 * message without a value, NULL if its topic is none of flattened rows. */
int debezium_topic_note(struct debezium *d, const struct cdc_message *m,
			const struct cdc_change_table *t, struct cdc_err *err) CDC_NODISCARD;
int debezium_topic_table(struct debezium *d, const struct cdc_message *m,
			 struct cdc_change_table **t, struct cdc_err *err) CDC_NODISCARD;
void debezium_topics_free(struct debezium *d);

/* Print a value of the table's column, which is not unavailable. */
void debezium_put(struct debezium *d, const struct cdc_change_table *t,
		  const struct cdc_change_column *col, uint32_t i);

/* debezium_decimal.c: the arg of a column of kind CDC_CONNECT_DECIMAL_OR_TEXT; precision 0: MySQL's
 * default. */
uint32_t debezium_decimal_arg(uint32_t precision, uint32_t scale, bool is_unsigned);
/* Note in the columns what the decimals of an image are, before they are printed. */
void debezium_note_decimals(struct debezium *d, const struct cdc_change_table *t,
			    const uint32_t *value);
/* Is the text base64 of a number of that scale, and not digits? The output fails when that cannot
 * be told. */
bool debezium_is_base64(struct debezium *d, const struct cdc_change_table *t, uint32_t arg,
			struct cdc_str text, uint32_t *scale);

#endif
