/*
 * Predicates: conditions on the rows of a table, in the manner of SQL.
 *
 * Text is parsed into a tree, a tree is bound to a schema, and what was bound, a filter, is
 * evaluated on batches of rows, or on what is known of rows that nobody has read yet:
 *
 *	cdc_where_parse		text -> struct cdc_where; no schema is needed
 *	cdc_filter_new		tree and schema -> struct cdc_filter
 *	cdc_filter_columns	which fields a batch has to bring
 *	cdc_filter_eval		batch -> false, true or unknown for each row
 *	cdc_filter_outcomes	bounds of columns -> which of the three can occur
 *
 * THE LANGUAGE
 *
 *	condition   condition OR condition, condition AND condition, NOT condition, ( condition )
 *		    value = value		also == <> != < <= > >= and <=> (null-safe equality)
 *		    value [NOT] IN (value, …)
 *		    value [NOT] BETWEEN value AND value
 *		    column [NOT] LIKE 'pattern' [ESCAPE 'c']
 *		    column IS [NOT] NULL
 *		    condition IS [NOT] TRUE, FALSE, NULL, UNKNOWN
 *		    a boolean column, TRUE, FALSE, NULL
 *	value	    a column or a literal
 *	column	    name or `any name`; a.b is field b of struct a. Names match exactly, else but
 *		    for the case of ASCII letters.
 *	literal	    12, -0.5, 1e3: exact numbers; 'text' or "text", the quote doubled within it;
 *		    X'00ff'; TRUE; FALSE; NULL; DATE 'Y-M-D'; TIMESTAMP 'Y-M-D H:M:S'; TIME 'H:M:S'
 *
 * As in Spark, text in double quotes is a string. A backslash in a string stands for itself; only
 * LIKE gives it a meaning: \% and \_ and \\ are those characters. % is any text, _ one character
 * of UTF-8. Words of the language are the same in any case.
 *
 * A literal takes the type of the column that it stands against, and compares exactly with it: an
 * integer column is less than 3.5, a decimal(7,2) never equals 1.005, a number past the column's
 * range is greater than all its values. FLOAT and DOUBLE columns compare as doubles; NaN equals
 * NaN and is greater than all else, -0 equals 0. Text in quotes may stand for a value of any type;
 * what cannot be one is an error. Strings compare by their bytes, which is the order of their
 * characters. Times without a zone are UTC. Columns compare with each other when both are numbers,
 * both dates or timestamps, or of one type.
 *
 * Conditions are true, false or unknown, as in SQL: a comparison with null is unknown.
 *
 * Columns of the types array, map, struct, variant, interval and decimal of more than 38 digits
 * only know IS NULL.
 */
#ifndef CDC_TABLE_WHERE_H
#define CDC_TABLE_WHERE_H

#include "delta/stats.h"
#include "table/batch/batch.h"

#define CDC_WHERE_MAX_BYTES (1u << 20) /* of the text */
#define CDC_WHERE_MAX_DEPTH 100 /* parentheses and NOT inside each other */

struct cdc_where; /* a parsed predicate; independent of any table */
struct cdc_filter; /* a predicate bound to a schema */

/* What a condition is for a row; the values of cdc_filter_eval. */
enum cdc_outcome { CDC_FALSE = 0, CDC_TRUE = 1, CDC_UNKNOWN = 2 };

/* Sets of outcomes, as cdc_filter_outcomes gives them. */
#define CDC_OUTCOME(o) (1u << (o))
#define CDC_OUTCOMES_ALL 7u

/*
 * Parse. The text is copied. CDC_EUSAGE: it is no predicate, too long or too deep; the message ends
 * with "at character N", counted from 1.
 */
int cdc_where_parse(struct cdc_where **w, struct cdc_str text, struct cdc_err *err) CDC_NODISCARD;
void cdc_where_free(struct cdc_where *w);

/*
 * Bind to a schema. The tree and the schema are borrowed and must outlive the filter. CDC_EUSAGE
 * with the place in the text: no such column, or a value that cannot be of the column's type.
 */
int cdc_filter_new(struct cdc_filter **f, const struct cdc_where *w,
		   const struct cdc_schema *schema, struct cdc_err *err) CDC_NODISCARD;
void cdc_filter_free(struct cdc_filter *f);

/* The fields of the schema that the predicate uses, each once; lives as long as the filter. */
const int *cdc_filter_columns(const struct cdc_filter *f, int *n);

/*
 * Evaluate: out[row] is the enum cdc_outcome of each row. column[i] of the batch is the field that
 * cdc_filter_columns gives as its i-th; more columns may follow. A filter has working memory of
 * its own, of some bytes a row: it belongs to one thread. CDC_ENOMEM is the only error.
 */
int cdc_filter_eval(struct cdc_filter *f, const struct cdc_batch *batch, uint8_t *out,
		    struct cdc_err *err) CDC_NODISCARD;

/*
 * What is known of the values of one column in some rows. All zero but the first two, which are
 * true, is: nothing.
 */
struct cdc_bounds {
	bool may_be_null; /* a row without a value is possible */
	bool may_have_value; /* a row with one is */
	bool has_min;
	bool has_max;
	union cdc_value min; /* every value is >= min, in the order of cdc_value_cmp */
	union cdc_value max; /* and <= max; with both NaN and numbers around, NaN is the largest */
};

/*
 * Where knowledge comes from. `column` is an index into cdc_filter_columns; only columns that are
 * no structs are asked for.
 */
struct cdc_facts {
	void *ctx;
	/* *b is "nothing" before; set what is known. */
	void (*bounds)(void *ctx, int column, struct cdc_bounds *b);
	/* Whether some row may hold exactly this value: for Bloom filters. May be NULL. */
	bool (*may_hold)(void *ctx, int column, const union cdc_value *v);
};

/*
 * Which outcomes can occur among the rows that the facts are about: a set that is never too small.
 * Without CDC_TRUE in it no row matches; CDC_OUTCOME(CDC_TRUE) alone means that all do.
 */
unsigned cdc_filter_outcomes(const struct cdc_filter *f, const struct cdc_facts *facts);

#endif
