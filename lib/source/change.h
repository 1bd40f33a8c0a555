/*
 * From a decoder's view of a change to the canonical record (cdc-record(5)): the tables of a stream
 * with what is constant for each, and the printing of records in the order of their members.
 *
 *	rc = cdc_change_table(c, id, &t, err);              once a message, by its table's bytes
 *	if (!t->named)
 *		rc = cdc_change_name(c, t, part, n, err);
 *	if (!cdc_change_same(t, shape))
 *		rc = cdc_change_define(c, t, shape, col, n, key, n_key, err);
 *	if (!t->keep) ... skipped
 *	cdc_change_begin(c, t, "UPDATE", m, true, ts_us);   SCHEMA if it is due, head, "extraTags":{
 *	cdc_change_tag(c, CDC_STR("gtid"), gtid);
 *	cdc_change_images(c, t);                            "fields":[…],"beforeImages":{
 *	cdc_change_value(c, &t->col[i]); print the value …  for each column that is known
 *	cdc_change_after(c);                                },"afterImages":{
 *	...
 *	rc = cdc_change_end(c, m, err);                     position, LF, counts; the first failure
 *
 * Printing goes to c->s->out, whose failures stick, so nothing is checked before the end.
 */
#ifndef CDC_SOURCE_CHANGE_H
#define CDC_SOURCE_CHANGE_H

#include "base/hash.h"
#include "source/columns.h"
#include "source/source_int.h"

/* A column. Given to cdc_change_define: name to detail; the rest is rendered by it. */
struct cdc_change_column {
	struct cdc_str name; /* plain text */
	struct cdc_str type; /* of the SCHEMA record; empty: not known */
	struct cdc_str source_type; /* as the source spells it; empty: not known */
	bool not_null;
	uint8_t as; /* the format's: how values are printed */
	uint32_t arg; /* the format's */
	struct cdc_str detail; /* the format's; copied */
	/* Rendered. */
	struct cdc_str raw; /* name as JSON text, without quotes */
	struct cdc_str prefix; /* "name": */
};

/* All memory is the table's own. */
struct cdc_change_table {
	struct cdc_str id; /* by which it is found */
	bool named;
	bool keep; /* by --table */
	bool defined; /* columns are known */
	bool printed; /* the SCHEMA record as it is now is in the output */
	uint64_t printed_in; /* the message that it was printed with */
	struct cdc_buf name; /* db.table, NUL-terminated */
	struct cdc_out name_json; /* with quotes */
	struct cdc_buf shape; /* by which the format knows that the columns are the same */
	struct cdc_change_column *col;
	uint32_t n;
	struct cdc_str *key; /* names */
	uint32_t n_key;
	bool key_told; /* by the source, not by --key */
	struct cdc_str fields; /* ["id","date"] */
	struct cdc_out schema; /* the SCHEMA record that was printed last */
	struct cdc_arena arena; /* id */
	struct cdc_arena columns; /* col, key, fields */
	uint64_t format_state; /* the format's, 0 at first */
};

struct cdc_change {
	struct cdc_source *s;
	struct cdc_out source; /* ,"source":{…} */
	struct cdc_change_table **table;
	uint32_t n;
	uint32_t cap;
	size_t bytes; /* of the tables, about */
	uint64_t forgotten; /* how often all tables were: pointers to them are of one such number */
	struct cdc_map map;
	struct cdc_change_table *last;
	uint64_t message; /* the number of the current one */
	bool announced; /* SCHEMA records are part of it */
	struct cdc_names given_key; /* --key */
	bool first; /* no member of the object that is open has been printed */
	bool row; /* the open record is a row */
	size_t record_at; /* where the open record begins in the output */
	/* The time of the last record: consecutive ones share it. */
	int64_t time_us;
	char time_text[64];
	size_t time_len;
};

/* Past either, all tables are forgotten: their SCHEMA records are printed again. */
#define CDC_CHANGE_TABLES_MAX 20000u
#define CDC_CHANGE_BYTES_MAX ((size_t)32 << 20) /* of names, about */
#define CDC_CHANGE_COLUMNS_MAX 16384u /* MySQL stops at 4096 */

/* source_type, version: of "source"; version may be empty. */
int cdc_change_init(struct cdc_change *c, struct cdc_source *s, struct cdc_str source_type,
		    struct cdc_str version, struct cdc_err *err) CDC_NODISCARD;
void cdc_change_free(struct cdc_change *c);
/* Another source from now on (formats that carry several). Cheap when it is the same. */
int cdc_change_source(struct cdc_change *c, struct cdc_str source_type, struct cdc_str version,
		      struct cdc_err *err) CDC_NODISCARD;

/*
 * The table that these bytes stand for (any bytes that tell the format's tables apart), made if it
 * is new: then it has no name and no columns. It lives until CDC_CHANGE_TABLES_MAX are passed.
 */
int cdc_change_table(struct cdc_change *c, struct cdc_str id, struct cdc_change_table **t,
		     struct cdc_err *err) CDC_NODISCARD;
/* Give a table its name from its parts, joined by dots; empty parts are left out. CDC_EDATA when it
 * is not UTF-8. */
int cdc_change_name(struct cdc_change *c, struct cdc_change_table *t, const struct cdc_str *part,
		    size_t n, struct cdc_err *err) CDC_NODISCARD;

static inline bool cdc_change_same(const struct cdc_change_table *t, struct cdc_str shape)
{
	return t->defined && cdc_str_eq(cdc_buf_str(&t->shape), shape);
}

/*
 * The table's columns and key from now on; everything is copied, and may point into the table's own
 * old columns. CDC_EDATA on two columns of one name and on too many: then the table is as before. A
 * key whose columns are not
 * all there counts as none; where the source tells none, --key is taken.
 */
int cdc_change_define(struct cdc_change *c, struct cdc_change_table *t, struct cdc_str shape,
		      const struct cdc_change_column *col, size_t n, const struct cdc_str *key,
		      size_t n_key, struct cdc_err *err) CDC_NODISCARD;

/* Are these the names of the table's key, in their order? */
bool cdc_change_has_key(const struct cdc_change_table *t, const struct cdc_str *key, size_t n_key);

/*
 * Is this a part of the table's columns, names and types the same, or all of them with the same key
 * in another order? Messages with the columns of a partial image define no new table, nor do those
 * whose source prints its columns in no order.
 */
bool cdc_change_covers(const struct cdc_change_table *t, const struct cdc_change_column *col,
		       size_t n, const struct cdc_str *key, size_t n_key);

/*
 * The column whose name is `raw` as JSON text, NULL if there is none. *hint (0 at first) is where
 * to look first and receives the place after it: images come in the order of columns.
 */
struct cdc_change_column *cdc_change_find(struct cdc_change_table *t, struct cdc_str raw,
					  uint32_t *hint);

/* The order number of the message's records: its Kafka offset, else its number in the run from 1.
 */
int64_t cdc_change_id(const struct cdc_change *c, const struct cdc_message *m);

/*
 * Begin a record of the table t, or of none (NULL). A row's table must be defined. `id` is its
 * recordID; without has_time there is no recordTimestamp.
 */
void cdc_change_begin(struct cdc_change *c, struct cdc_change_table *t, const char *type,
		      int64_t id, bool has_time, int64_t time_us);
/* The same for a control record of a table or database that is known by name only (may be ""). */
void cdc_change_begin_named(struct cdc_change *c, struct cdc_str name, const char *type, int64_t id,
			    bool has_time, int64_t time_us);
/* A tag: plain text, or JSON text that is between quotes already. */
void cdc_change_tag(struct cdc_change *c, struct cdc_str name, struct cdc_str value);
void cdc_change_tag_raw(struct cdc_change *c, struct cdc_str name, struct cdc_str raw);
void cdc_change_tag_int(struct cdc_change *c, struct cdc_str name, int64_t value);
/* Close the tags of a row, open its images. */
void cdc_change_images(struct cdc_change *c, const struct cdc_change_table *t);
void cdc_change_after(struct cdc_change *c);
/* "name": of the next value of the image that is open. */
static inline void cdc_change_value(struct cdc_change *c, const struct cdc_change_column *col)
{
	if (!c->first)
		cdc_out_char(&c->s->out, ',');
	c->first = false;
	cdc_out_raw(&c->s->out, col->prefix);
}
/* Close the tags of a control record; `ddl` (p NULL: none) becomes its statement. */
void cdc_change_ddl(struct cdc_change *c, struct cdc_str ddl);
/* A whole record: a mark of a place in the stream, when control records are asked for. */
int cdc_change_heartbeat(struct cdc_change *c, bool has_time, int64_t time_us,
			 const struct cdc_message *m, struct cdc_err *err) CDC_NODISCARD;
/* End the record: a row after its images, a control record after cdc_change_ddl. */
int cdc_change_end(struct cdc_change *c, const struct cdc_message *m,
		   struct cdc_err *err) CDC_NODISCARD;

/* The message was rejected: what it announced is taken back. */
void cdc_change_rejected(struct cdc_change *c);
/* Call at the start of each message. */
static inline void cdc_change_message(struct cdc_change *c)
{
	c->message++;
	c->announced = false;
}

/*
 * One pass over the members of object `obj`: tok[i] receives the value of names[i], CDC_JSON_NONE
 * when it is absent or null. A name that comes twice: the last one.
 */
void cdc_json_members(const struct cdc_tape *t, uint32_t obj, const struct cdc_str *names, size_t n,
		      uint32_t *tok);

#endif
