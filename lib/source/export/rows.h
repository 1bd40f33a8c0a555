/*
 * Delimited exports (CSV, mysqldump --tab, Sqoop): a dialect splits records and fields, rows.c
 * makes change records of them.
 */
#ifndef CDC_SOURCE_ROWS_H
#define CDC_SOURCE_ROWS_H

#include "source/source_int.h"

struct cdc_field {
	size_t off; /* of its text, from the start of the record */
	size_t len;
	bool quoted;
	bool escaped; /* holds escapes: unescape() before use */
};

/* A record being split. A splitter that ran out of bytes goes on where it was. */
struct cdc_split {
	struct cdc_field *field;
	size_t n;
	size_t cap;
	size_t pos; /* bytes looked at */
	size_t start; /* of the current field */
	size_t newlines; /* line ends looked at */
	const struct cdc_delimiters *how;
	unsigned state; /* the dialect's */
	bool open; /* the input ended before the record's line end */
	bool escaped; /* in the current field */
	const char *bad; /* what is wrong with the record, or NULL */
	bool nomem;
};

/* What the format's writer means by its delimiters. */
enum cdc_row_style { CDC_ROWS_CSV, CDC_ROWS_MYSQL, CDC_ROWS_SQOOP };

/* Delimiters of a text export, as LOAD DATA and Sqoop name them. */
struct cdc_delimiters {
	enum cdc_row_style style;
	bool given; /* by options: not all are the format's own */
	struct cdc_buf field; /* between fields */
	struct cdc_buf line; /* behind a record */
	bool line_given; /* then a CR in front of it is data */
	bool encloses, escapes;
	char enclose, escape;
	/* Two-byte characters whose second byte can look like an escape: 0 none, 's' SJIS, 'g' GBK
	 * and its kin. */
	char wide;
	bool special[256]; /* bytes that can end a plain run */
};

struct cdc_dialect {
	/* True when the record is complete: pos is behind its line end (or at the end of the
	 * input). */
	bool (*split)(struct cdc_split *sp, struct cdc_str in, bool eof);
	/* Write the field's text to `out` (room for s.n bytes), return its length. */
	size_t (*unescape)(const struct cdc_delimiters *how, struct cdc_str s, char *out);
	/* Is the field null when --null was not given? */
	bool (*is_null)(const struct cdc_delimiters *how, const struct cdc_field *f,
			struct cdc_str s);
	enum cdc_row_style style;
	/* The delimiters where options do not tell others; "" for none. */
	const char *field;
	const char *enclose;
	const char *escape;
};

/* delimited.c: the dialect of any delimiters. */
extern const struct cdc_dialect cdc_dialect_delimited;
/* Delimiters from the options, the rest from the format. CDC_EUSAGE on what cannot be. */
int cdc_delimiters_init(struct cdc_delimiters *how, const struct cdc_source_options *opt,
			const struct cdc_dialect *dialect, struct cdc_err *err) CDC_NODISCARD;
void cdc_delimiters_free(struct cdc_delimiters *how);

#define CDC_FIELDS_MAX 65536u

/* End the current field at byte `end` and begin the next one at sp->pos. */
void cdc_split_field(struct cdc_split *sp, size_t end, bool quoted);

int cdc_rows_open(struct cdc_source *s, const struct cdc_dialect *dialect, void **ctx,
		  struct cdc_err *err) CDC_NODISCARD;
void cdc_rows_close(void *ctx);
int cdc_rows_stream(void *ctx, struct cdc_reader *r, struct cdc_err *err) CDC_NODISCARD;

#endif
