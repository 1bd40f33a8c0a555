/*
 * Inside constraints: one rule for each demand of the metadata.
 */
#ifndef CDC_TABLE_CONSTRAINTS_INT_H
#define CDC_TABLE_CONSTRAINTS_INT_H

#include "table/expr/constraints.h"
#include "table/expr/expr.h"

enum cdc_rule_kind {
	CDC_RULE_INVARIANT,
	CDC_RULE_CHECK,
	CDC_RULE_GENERATED,
	CDC_RULE_DEFAULT, /* fills, and is not checked */
	CDC_RULE_IDENTITY /* has no expression; nor is it checked */
};

struct cdc_rule {
	enum cdc_rule_kind kind;
	struct cdc_str name; /* of the column or the constraint */
	struct cdc_str text; /* of the expression */
	struct cdc_expr *expr;
	int field; /* of the schema, -1: of none */
};

struct cdc_constraints {
	const struct cdc_snapshot *snapshot;
	struct cdc_rule *rule;
	uint32_t num_rules;
	bool *fills; /* a field each */
	bool any_check;
	bool any_fill; /* and identity columns, which must be given */
	int64_t now_us;
	/* One row as a batch, of the fields that generated columns use. */
	struct cdc_column *column;
	uint8_t *valid;
	bool *used;
	uint8_t *work; /* for checks: 2 arrays of `work_rows` */
	uint32_t work_rows;
	struct cdc_arena arena;
};

/* "CHECK constraint positive (sales > 0)": what a rule is called in messages. */
size_t cdc_rule_title(const struct cdc_rule *r, char *out, size_t n);
/* All rules that the metadata holds, bound. */
int cdc_constraints_read(struct cdc_constraints *c, struct cdc_err *err) CDC_NODISCARD;

#endif
