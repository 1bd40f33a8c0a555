/*
 * Rows of exports as change records: what is constant for the rows of an input, the SCHEMA record
 * in front of them, the operation of a row. Formats of rows differ in how they read values only.
 *
 *	cdc_row_define(r, table, col, n, err);      at an input's start
 *	cdc_row_begin(r, id, type);                 for each row
 *	cdc_row_value(r, i); print the value        for each column but r->op
 *	cdc_row_end(r, type, m, err);
 */
#ifndef CDC_SOURCE_ROW_OUT_H
#define CDC_SOURCE_ROW_OUT_H

#include "record/record.h"
#include "source/columns.h"
#include "source/source_int.h"

#define CDC_ROW_NO_COLUMN SIZE_MAX

struct cdc_row_out {
	struct cdc_source *s;
	struct cdc_names key; /* --key */
	const struct cdc_schema_column *col; /* of the current input; borrowed */
	size_t n;
	size_t op; /* index of --op-column, or CDC_ROW_NO_COLUMN */
	bool first; /* no value of the open image has been printed */
	struct cdc_out head; /* what is in front of the record type */
	struct cdc_out names; /* ,"fields":[…] */
	struct cdc_out *prefix; /* n: "name": */
	struct cdc_out schema; /* the SCHEMA record that is in the output */
};

/* *r is zeroed, or was freed. */
int cdc_row_open(struct cdc_row_out *r, struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
void cdc_row_free(struct cdc_row_out *r);

/*
 * The columns of the rows that follow, which must live until the next call; `table` is their name
 * when --db-table does not tell one. Prints the SCHEMA record if anything is known beyond names and
 * it is another than before. CDC_EUSAGE when the options do not suit the columns.
 */
int cdc_row_define(struct cdc_row_out *r, struct cdc_str table, const struct cdc_schema_column *col,
		   size_t n, struct cdc_err *err) CDC_NODISCARD;

/* The record type that a value of --op-column stands for; CDC_EDATA: none. */
int cdc_row_operation(struct cdc_str text, enum cdc_record_type *type,
		      struct cdc_err *err) CDC_NODISCARD;
/* The type of rows without --op-column: --as. */
static inline enum cdc_record_type cdc_row_type(const struct cdc_row_out *r)
{
	return r->s->opt.as_init ? CDC_RECORD_INIT : CDC_RECORD_INSERT;
}

/* Open a record and its image. */
void cdc_row_begin(struct cdc_row_out *r, uint64_t id, enum cdc_record_type type);
static inline void cdc_row_value(struct cdc_row_out *r, size_t i)
{
	struct cdc_out *o = &r->s->out;

	if (!r->first)
		cdc_out_char(o, ',');
	r->first = false;
	cdc_out_raw(o, cdc_buf_str(&r->prefix[i].buf));
}
/* Close both; counts the record. The first failure of the output, or CDC_OK. */
int cdc_row_end(struct cdc_row_out *r, enum cdc_record_type type, const struct cdc_message *m,
		struct cdc_err *err) CDC_NODISCARD;
/* Say which column a failure of the output is about. */
void cdc_row_blame(struct cdc_row_out *r, size_t i);

/* The index of a column, n when there is none. */
size_t cdc_row_find(const struct cdc_schema_column *col, size_t n, struct cdc_str name);

#endif
