/*
 * MySQL and MariaDB binlogs between the files of their decoder: binlog.c reads events,
 * binlog_gtid.c names transactions, binlog_query.c reads statements, binlog_xa.c holds XA
 * transactions, binlog_table.c what a TABLE_MAP event says, binlog_rows.c rows, binlog_value.c
 * values, binlog_json.c binary JSON, binlog_json_diff.c its partial updates (spec section 5).
 */
#ifndef CDC_SOURCE_BINLOG_INT_H
#define CDC_SOURCE_BINLOG_INT_H

#include "base/endian.h"
#include "source/change.h"
#include "source/value/charset.h"
#include "source/mysql/create_table.h"

/* Column types as TABLE_MAP has them. */
enum binlog_type {
	BL_DECIMAL = 0,
	BL_TINY = 1,
	BL_SHORT = 2,
	BL_LONG = 3,
	BL_FLOAT = 4,
	BL_DOUBLE = 5,
	BL_NULL = 6,
	BL_TIMESTAMP = 7,
	BL_LONGLONG = 8,
	BL_INT24 = 9,
	BL_DATE = 10,
	BL_TIME = 11,
	BL_DATETIME = 12,
	BL_YEAR = 13,
	BL_NEWDATE = 14,
	BL_VARCHAR = 15,
	BL_BIT = 16,
	BL_TIMESTAMP2 = 17,
	BL_DATETIME2 = 18,
	BL_TIME2 = 19,
	BL_BLOB_COMPRESSED = 140, /* MariaDB */
	BL_VARCHAR_COMPRESSED = 141,
	BL_VECTOR = 242,
	BL_JSON = 245,
	BL_NEWDECIMAL = 246,
	BL_ENUM = 247,
	BL_SET = 248,
	BL_TINY_BLOB = 249,
	BL_MEDIUM_BLOB = 250,
	BL_LONG_BLOB = 251,
	BL_BLOB = 252,
	BL_VAR_STRING = 253,
	BL_STRING = 254,
	BL_GEOMETRY = 255
};

/* Reading position. What runs past the end sets `bad` and reads as 0. */
struct binlog_cur {
	const unsigned char *p;
	const unsigned char *end;
	bool bad;
};

static inline struct binlog_cur binlog_cur(struct cdc_str s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	return (struct binlog_cur){ p, p + s.n, false };
}

static inline size_t binlog_left(const struct binlog_cur *c)
{
	return (size_t)(c->end - c->p);
}

/* The next n bytes, NULL when there are fewer. */
static inline const unsigned char *binlog_take(struct binlog_cur *c, uint64_t n)
{
	const unsigned char *p = c->p;

	if (n > binlog_left(c)) {
		c->bad = true;
		c->p = c->end;
		return NULL;
	}
	c->p += n;
	return p;
}

/* Integers of 1 to 8 bytes, least or most significant byte first. */
static inline uint64_t binlog_le(struct binlog_cur *c, unsigned bytes)
{
	const unsigned char *p = binlog_take(c, bytes);
	uint64_t v = 0;

	for (unsigned i = bytes; p && i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static inline uint64_t binlog_be(struct binlog_cur *c, unsigned bytes)
{
	const unsigned char *p = binlog_take(c, bytes);
	uint64_t v = 0;

	for (unsigned i = 0; p && i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

/* A length-encoded integer. */
static inline uint64_t binlog_lenenc(struct binlog_cur *c)
{
	uint64_t v = binlog_le(c, 1);

	if (v < 251)
		return v;
	if (v == 252)
		return binlog_le(c, 2);
	if (v == 253)
		return binlog_le(c, 3);
	if (v == 254)
		return binlog_le(c, 8);
	c->bad = true;
	return 0;
}

static inline struct cdc_str binlog_bytes(struct binlog_cur *c, uint64_t n)
{
	const unsigned char *p = binlog_take(c, n);

	return p ? cdc_str((const char *)p, (size_t)n) : CDC_STR("");
}

enum binlog_sign { SIGN_UNKNOWN, SIGN_SIGNED, SIGN_UNSIGNED };

struct binlog_column {
	uint8_t type; /* enum binlog_type; of STRING the real one */
	uint8_t sign; /* enum binlog_sign */
	uint8_t length_bytes; /* of a string's or blob's length; of SET and ENUM: its own */
	uint8_t fsp; /* fraction digits of a time */
	uint16_t length; /* bytes at most of CHAR and VARCHAR; bits of BIT; precision of DECIMAL */
	uint16_t scale;
	const char *charset; /* NULL: not told */
	struct cdc_str name; /* p NULL: not told */
	struct cdc_str *member; /* of SET and ENUM, plain text; NULL: not told */
	uint32_t n_members;
	bool json; /* MariaDB's JSON is a LONGTEXT */
};

struct binlog_table {
	struct cdc_change_table *t;
	struct cdc_str raw; /* the TABLE_MAP event's body behind the table id */
	struct cdc_str db;
	struct cdc_str name;
	struct binlog_column *col;
	uint32_t n;
	const uint32_t *key; /* columns of the primary key */
	uint32_t n_key;
	bool defined; /* t has the columns */
	struct cdc_arena a;
};

#define BINLOG_TABLES_MAX 10000u /* then all are forgotten */
#define BINLOG_MAPPED_MAX 1024u /* tables in one statement */

/* An XA transaction stands in the log when it is prepared; whether it came to be is told later. */
struct binlog_prepared {
	struct cdc_buf xid; /* as statements have it: X'gtrid',X'bqual',format */
	struct cdc_buf events; /* of rows and maps: length in 4 bytes, head, body */
};

struct binlog_xa {
	bool open; /* events at hand belong to one that will be prepared */
	struct cdc_buf events; /* of that one */
	struct binlog_prepared *prepared;
	uint32_t n_prepared;
	uint32_t cap_prepared;
	size_t held; /* bytes of all */
	size_t held_max;
	struct cdc_buf due; /* events that the last message committed */
};

struct binlog {
	struct cdc_source *s;
	struct cdc_change c;
	struct cdc_charsets charsets;
	struct cdc_ddl given; /* --schema */
	struct cdc_ddl seen; /* CREATE TABLE statements in the log */
	struct binlog_table **table;
	uint32_t n_tables;
	struct cdc_map tables; /* hash of raw */
	struct {
		uint64_t id;
		struct binlog_table *table;
	} mapped[BINLOG_MAPPED_MAX]; /* of the current statement */
	uint32_t n_mapped;
	/* The log. */
	bool checksums;
	bool has_fde;
	bool mariadb;
	uint8_t table_id_bytes;
	char version[52]; /* of the server */
	uint64_t file_no; /* of the name */
	char file[256]; /* the log's own name, "" when it is not known */
	char next_file[256]; /* by ROTATE */
	uint64_t ordinal; /* of the last record in the file */
	/* The event at hand. */
	uint8_t event_type;
	uint32_t event_time_s;
	uint32_t server_id;
	uint64_t offset;
	/* The transaction. */
	char gtid[96];
	uint64_t commit_us; /* 0: not told */
	uint32_t thread_id;
	bool has_thread;
	struct binlog_xa xa;
	struct cdc_buf plain; /* a decompressed payload */
	struct cdc_buf rows; /* a decompressed event */
	struct cdc_buf value; /* a decompressed column */
	struct cdc_str *before; /* by column: binary JSON of the row before a partial update */
	uint32_t cap_before;
	struct cdc_buf text;
	struct cdc_buf name;
};

/* Print a record without rows; BEGIN and COMMIT count as records whether they are printed or not.
 */
int binlog_put(struct binlog *b, struct cdc_str name, const char *type, struct cdc_str ddl,
	       const struct cdc_message *m, struct cdc_err *err) CDC_NODISCARD;
int binlog_boundary(struct binlog *b, const char *type, const struct cdc_message *m,
		    struct cdc_err *err) CDC_NODISCARD;

/* A query event's body. */
int binlog_query(struct binlog *b, struct cdc_str body, bool compressed,
		 const struct cdc_message *m, struct cdc_err *err) CDC_NODISCARD;

/* Forget what is known of a transaction. */
void binlog_begin_transaction(struct binlog *b);
/* The body of a GTID event, of the three kinds: a transaction begins. */
int binlog_gtid(struct binlog *b, struct cdc_str body, bool anonymous,
		struct cdc_err *err) CDC_NODISCARD;
int binlog_gtid_tagged(struct binlog *b, struct cdc_str body, struct cdc_err *err) CDC_NODISCARD;
int binlog_gtid_mariadb(struct binlog *b, struct cdc_str body, const struct cdc_message *m,
			struct cdc_err *err) CDC_NODISCARD;

/* The events that follow belong to a transaction that will be prepared; it never was. */
void binlog_xa_begin(struct binlog *b);
void binlog_xa_abandon(struct binlog *b);
/* Hold an event, head and body. CDC_ENOMEM when all that is held is too much. */
int binlog_xa_keep(struct binlog *b, struct cdc_str event, struct cdc_err *err) CDC_NODISCARD;
/* The body of XA_PREPARE. */
int binlog_xa_prepare(struct binlog *b, struct cdc_str body, struct cdc_err *err) CDC_NODISCARD;
/* A statement that begins with XA. */
int binlog_xa_statement(struct binlog *b, struct cdc_str sql, struct cdc_err *err) CDC_NODISCARD;
/* Decode what is due, as if it stood where message m does. */
int binlog_xa_replay(struct binlog *b, const struct cdc_message *m,
		     struct cdc_err *err) CDC_NODISCARD;
void binlog_xa_free(struct binlog *b);

/* Called for the body of TABLE_MAP behind the table id. */
int binlog_table_map(struct binlog *b, uint64_t id, struct cdc_str body,
		     struct cdc_err *err) CDC_NODISCARD;
/* bt->raw onto bt's columns. */
int binlog_read_map(struct binlog *b, struct binlog_table *bt, struct cdc_err *err) CDC_NODISCARD;
/* Does SIGNEDNESS tell of the type? MariaDB counts YEAR. */
bool binlog_is_numeric(uint8_t type, bool mariadb);
void binlog_tables_forget(struct binlog *b);
/* Give bt->t its columns, if it does not have them from this map. */
int binlog_table_define(struct binlog *b, struct binlog_table *bt,
			struct cdc_err *err) CDC_NODISCARD;
/* The name of the character set of a collation number; NULL: not known. */
const char *binlog_charset(uint64_t collation);

/* A rows event's body, and the version of its format. */
int binlog_rows(struct binlog *b, const struct cdc_message *m, struct cdc_str body,
		struct cdc_err *err) CDC_NODISCARD;

/* Begin a record; recordID, time and tags are those of the event. */
void binlog_begin(struct binlog *b, struct cdc_change_table *t, struct cdc_str name,
		  const char *type);

/* Print the value at the cursor, or pass over it (print false). *unknown: it was not printed. */
void binlog_value(struct binlog *b, const struct binlog_column *col, struct binlog_cur *c,
		  bool print);

/* Binary JSON as text without quotes, appended; false: it is damaged. */
bool binlog_json(struct cdc_buf *out, struct cdc_str doc);

/* Apply the differences of a partial update to the text of the document before. */
int binlog_json_apply(struct cdc_buf *doc, struct cdc_str diffs, struct cdc_err *err) CDC_NODISCARD;

/* The same for a value at the cursor: the document is what `before`, binary JSON, was. p NULL: the
 * row before does not hold it. */
void binlog_partial_value(struct binlog *b, const struct binlog_column *col, struct binlog_cur *c,
			  struct cdc_str before, bool print);
/* The bytes of a JSON value at the cursor. */
struct cdc_str binlog_json_bytes(const struct binlog_column *col, struct binlog_cur *c);

/* Decimal digits of MySQL's packed form; at most 100 bytes. False: it is damaged. */
bool binlog_decimal(struct binlog_cur *c, unsigned precision, unsigned scale, char *out, size_t *n);

/* MariaDB's compressed area: a head byte, the length, a zlib stream. */
int binlog_uncompress(struct cdc_str in, struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;

#endif
