/*
 * What a table's metadata demands of the rows that are written, and how cells are filled that
 * nobody gave (spec section 5):
 *
 *	invariants		delta.invariants of a column: must be true
 *	CHECK constraints	delta.constraints.NAME of the table: must be true
 *	generated columns	delta.generationExpression: the column <=> the expression
 *	defaults		CURRENT_DEFAULT: the value of a row that does not tell it
 *	identity columns	delta.identity.*: values that the source gives, where it may
 *
 * Each counts where the table's protocol has its feature, by version or by list, and not else: what
 * a writer must honour is what the protocol says, and metadata without its feature means nothing.
 * Null is not true. The expressions are those of table/expr/expr.h.
 */
#ifndef CDC_TABLE_CONSTRAINTS_H
#define CDC_TABLE_CONSTRAINTS_H

#include "delta/log.h"
#include "table/batch/batch_rows.h"

struct cdc_constraints; /* belongs to one thread */

/*
 * The snapshot is borrowed and must outlive it. CDC_EUNSUPPORTED, quoting the expression and naming
 * the column or the constraint, when one cannot be evaluated here, or an identity column takes no
 * values: nothing may be written to the table then.
 */
int cdc_constraints_new(struct cdc_constraints **out, const struct cdc_snapshot *s,
			struct cdc_err *err) CDC_NODISCARD;
void cdc_constraints_free(struct cdc_constraints *c);

/* Whether there is anything to check, and anything to fill. */
bool cdc_constraints_any(const struct cdc_constraints *c);
bool cdc_constraints_any_fill(const struct cdc_constraints *c);
/* Whether the field is generated or has a default: an image may lack it, even if it is NOT NULL. */
bool cdc_constraints_fills(const struct cdc_constraints *c, int field);

/* What current_timestamp() is from now on; 0 at first. To be told with each batch. */
void cdc_constraints_time(struct cdc_constraints *c, int64_t now_us);

/*
 * Fill the cells of a row that neither its image gave (CDC_CELL_VALUE, CDC_CELL_NULL) nor, for
 * other than generated columns, a stored row: call it when cells are KEPT_* or will not be. A
 * generated column that is not given is computed, also over what a stored row has. Without a base,
 * a stored row that UNKNOWN cells are kept from, columns get their defaults. CDC_EDATA: the row
 * cannot be, since a value cannot be computed, is null in a NOT NULL column, or is missing from an
 * identity column; cells may be filled in part.
 */
int cdc_constraints_fill(struct cdc_constraints *c, struct cdc_rows *rows, uint32_t row,
			 bool has_base, struct cdc_err *err) CDC_NODISCARD;

/*
 * Check complete rows: column i of the batch is field i of the schema. bad[row] is 0, or tells
 * cdc_constraints_reason the first demand that the row does not meet. CDC_ENOMEM is the only error.
 */
int cdc_constraints_check(struct cdc_constraints *c, const struct cdc_batch *batch, uint32_t *bad,
			  struct cdc_err *err) CDC_NODISCARD;
/* "CHECK constraint positive (sales > 0) is not true", NUL-terminated, cut to n bytes. */
void cdc_constraints_reason(const struct cdc_constraints *c, uint32_t bad, char *out, size_t n);

#endif
