/*
 * Values computed from the columns of a row, as Spark computes them: what the constraints, the
 * generated columns and the defaults of a table are made of.
 *
 * THE LANGUAGE is that of where.h, and wherever it has a value also
 *
 *	- + * / %	unary and binary; || for text
 *	CAST(value AS type)
 *	CASE WHEN condition THEN value ... [ELSE value] END
 *	10L 10S 10Y 1D 1F 1BD	numbers that tell their type
 *	name(value, ...) as listed in expr_call.c
 *	current_date, current_timestamp, also with ()
 *
 * Types are Spark's: 12 is INT, or BIGINT or a decimal if it is too large, 0.5 is DECIMAL(1,1), 1e3
 * is DOUBLE; two integers add up to the wider of their types and divide to DOUBLE; decimals grow by
 * Spark's rules. Where Spark's answer depends on its settings (ANSI mode) or version, there is none
 * here: an expression is refused when the types tell that already, and else the row is in error:
 * overflow, division by zero, text that is not plainly what it is cast to, a character past ASCII
 * in upper(). Who writes a table refuses such a row, as Spark in ANSI mode does.
 *
 * Times with a zone are taken apart in UTC.
 */
#ifndef CDC_TABLE_EXPR_H
#define CDC_TABLE_EXPR_H

#include "table/batch/batch.h"

struct cdc_expr; /* an expression bound to a schema; belongs to one thread */

/* What an expression is for a row: cdc_expr_eval puts it in out->valid. */
enum { CDC_ROW_NULL = 0, CDC_ROW_VALUE = 1, CDC_ROW_ERROR = 2 };

/*
 * Parse and bind. The text is copied, the schema is borrowed and must outlive the expression.
 * CDC_EUNSUPPORTED, with the place in the text: it is beyond the language, or names no column.
 */
int cdc_expr_new(struct cdc_expr **e, struct cdc_str text, const struct cdc_schema *schema,
		 struct cdc_err *err) CDC_NODISCARD;
void cdc_expr_free(struct cdc_expr *e);

/*
 * Make it of the type of `f`, as an assignment would: CDC_EUNSUPPORTED when that is no widening of
 * numbers. For defaults.
 */
int cdc_expr_assign(struct cdc_expr *e, const struct cdc_field *f,
		    struct cdc_err *err) CDC_NODISCARD;

/* Its type: type, precision and scale count. CDC_TYPE_VOID: it is NULL. */
const struct cdc_field *cdc_expr_type(const struct cdc_expr *e);
/* Set used[i] for each field i of the schema that it uses. */
void cdc_expr_mark(const struct cdc_expr *e, bool *used);
/* Whether it uses any column, and any field inside a struct. */
bool cdc_expr_uses_columns(const struct cdc_expr *e);
bool cdc_expr_uses_nested(const struct cdc_expr *e);
/* Whether it depends on the time of its evaluation. */
bool cdc_expr_uses_time(const struct cdc_expr *e);

/*
 * Evaluate: column i of the batch is field i of the schema; those that are not used may be empty.
 * out->valid[row] is one of CDC_ROW_*; NULL: all rows have a value. Slots without a value hold
 * nothing that counts. The arrays live until the next call, or as long as the batch. CDC_ENOMEM is
 * the only error.
 */
int cdc_expr_eval(struct cdc_expr *e, const struct cdc_batch *batch, int64_t now_us,
		  struct cdc_column *out, struct cdc_err *err) CDC_NODISCARD;

#endif
