/*
 * The demands that a table's metadata holds, as rules with their expressions bound.
 */
#include "base/json.h"
#include "table/expr/constraints_int.h"
#include "table/where/where_tree.h"

#include <stdio.h>
#include <stdlib.h>

#define SHOWN(s) (int)((s).n > 100 ? 100 : (s).n), (s).p

size_t cdc_rule_title(const struct cdc_rule *r, char *out, size_t n)
{
	static const char *const what[] = {
		[CDC_RULE_INVARIANT] = "the invariant of column",
		[CDC_RULE_CHECK] = "CHECK constraint",
		[CDC_RULE_GENERATED] = "the expression of generated column",
		[CDC_RULE_DEFAULT] = "the default of column",
		[CDC_RULE_IDENTITY] = "identity column",
	};
	int k = snprintf(out, n, "%s %.*s (%.*s%s)", what[r->kind], SHOWN(r->name), SHOWN(r->text),
			 r->text.n > 100 ? "..." : "");

	return k < 0 ? 0 : (size_t)k;
}

/* ------------------------------------------------------------------ one rule */

static int refuse(const struct cdc_rule *r, struct cdc_err *err, const char *why)
{
	char title[300];

	(void)cdc_rule_title(r, title, sizeof(title));
	return cdc_fail(err, CDC_EUNSUPPORTED, "%s %s", title, why);
}

/* A generated column has the type of its expression, and needs no other than plain columns. */
static int check_generated(const struct cdc_constraints *c, const struct cdc_rule *r,
			   struct cdc_err *err)
{
	const struct cdc_field *f = &c->snapshot->schema.field[r->field];
	const struct cdc_field *t = cdc_expr_type(r->expr);

	if (f->type != t->type ||
	    (f->type == CDC_TYPE_DECIMAL && (f->precision != t->precision || f->scale != t->scale)))
		return refuse(r, err, "is of another type than the column");
	if (!cdc_columns_comparable(f, t))
		return refuse(r, err, "is of a type that is not compared");
	if (cdc_expr_uses_nested(r->expr))
		return refuse(r, err, "uses a field of a struct, which is not done here");
	if (cdc_expr_uses_time(r->expr))
		return refuse(r, err, "depends on the time");
	return CDC_OK;
}

static int check_rule(const struct cdc_constraints *c, const struct cdc_rule *r,
		      struct cdc_err *err)
{
	if (r->kind == CDC_RULE_GENERATED)
		return check_generated(c, r, err);
	if (r->kind == CDC_RULE_DEFAULT)
		return cdc_expr_uses_columns(r->expr) ? refuse(r, err, "uses columns") : CDC_OK;
	return cdc_expr_type(r->expr)->type == CDC_TYPE_BOOLEAN ? CDC_OK
								: refuse(r, err, "is no condition");
}

static int bind_rule(struct cdc_constraints *c, struct cdc_rule *r, struct cdc_err *err)
{
	const struct cdc_schema *s = &c->snapshot->schema;
	char title[300];
	int rc = cdc_expr_new(&r->expr, r->text, s, err);

	if (rc == CDC_OK && r->kind == CDC_RULE_DEFAULT)
		rc = cdc_expr_assign(r->expr, &s->field[r->field], err);
	if (rc == CDC_EUNSUPPORTED) {
		(void)cdc_rule_title(r, title, sizeof(title));
		return cdc_err_prefix(err, "%s cannot be evaluated", title);
	}
	return rc < 0 ? rc : check_rule(c, r, err);
}

static int add_rule(struct cdc_constraints *c, struct cdc_rule rule, struct cdc_err *err)
{
	struct cdc_rule *grown = reallocarray(c->rule, (size_t)c->num_rules + 1, sizeof(*c->rule));
	bool given = rule.kind != CDC_RULE_IDENTITY;

	if (!grown)
		return cdc_fail_nomem(err);
	c->rule = grown;
	c->rule[c->num_rules++] = rule;
	c->any_check = c->any_check || rule.kind <= CDC_RULE_GENERATED;
	c->any_fill = c->any_fill || rule.kind >= CDC_RULE_GENERATED;
	if (given && rule.kind >= CDC_RULE_GENERATED)
		c->fills[rule.field] = true;
	return given ? bind_rule(c, &c->rule[c->num_rules - 1], err) : CDC_OK;
}

/* ------------------------------------------------------------------ metadata of columns */

struct column {
	struct cdc_constraints *c;
	const struct cdc_field *f;
	const struct cdc_tape *tape; /* of its metadata */
	int field; /* of the schema; -1: inside one */
	bool in_list; /* inside an array or a map */
};

static bool has_feature(const struct cdc_constraints *c, const char *name)
{
	return cdc_protocol_has_feature(&c->snapshot->protocol, name);
}

/* The text of a string among the metadata; CDC_END: it is not there. */
static int member_text(const struct column *m, const char *key, struct cdc_str *out,
		       struct cdc_err *err)
{
	uint32_t i = cdc_json_get(m->tape, 0, key);

	if (i == CDC_JSON_NONE || m->tape->tok[i].type == CDC_JSON_NULL)
		return CDC_END;
	if (m->tape->tok[i].type != CDC_JSON_STRING)
		return cdc_fail(err, CDC_EUNSUPPORTED, "column %.*s: %s is no text",
				SHOWN(m->f->name), key);
	return cdc_json_string(m->tape, i, &m->c->arena, out, err);
}

/* What is no column of the table has only invariants, and inside lists not even these. */
static int refuse_inside(const struct column *m, const char *what, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EUNSUPPORTED, "column %.*s: %s of a nested field",
			SHOWN(m->f->name), what);
}

/* {"expression":{"expression":SQL}} as a text in the metadata */
static int read_invariant(const struct column *m, struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_rule rule = { .kind = CDC_RULE_INVARIANT, .name = m->f->name, .field = -1 };
	struct cdc_str json = CDC_STR_INIT;
	int rc = member_text(m, "delta.invariants", &json, err);
	uint32_t i;

	if (rc || m->in_list)
		return rc == CDC_END ? CDC_OK : rc ? rc : refuse_inside(m, "delta.invariants", err);
	rc = cdc_json_scan(&tape, json, NULL, err);
	if (rc == CDC_OK) {
		i = cdc_json_get(&tape, cdc_json_get(&tape, 0, "expression"), "expression");
		if (i == CDC_JSON_NONE || tape.tok[i].type != CDC_JSON_STRING)
			rc = CDC_EDATA;
		else
			rc = cdc_json_string(&tape, i, &m->c->arena, &rule.text, err);
	}
	cdc_tape_free(&tape);
	if (rc == CDC_EDATA)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"column %.*s: delta.invariants %.*s is not understood",
				SHOWN(m->f->name), SHOWN(json));
	return rc < 0 ? rc : add_rule(m->c, rule, err);
}

static int read_generated(const struct column *m, struct cdc_err *err)
{
	struct cdc_rule rule = { .kind = CDC_RULE_GENERATED,
				 .name = m->f->name,
				 .field = m->field };
	int rc = member_text(m, "delta.generationExpression", &rule.text, err);

	if (rc)
		return rc == CDC_END ? CDC_OK : rc;
	return m->field < 0 ? refuse_inside(m, "delta.generationExpression", err)
			    : add_rule(m->c, rule, err);
}

/* Fields of structs have no defaults: Spark knows none. */
static int read_default(const struct column *m, struct cdc_err *err)
{
	struct cdc_rule rule = { .kind = CDC_RULE_DEFAULT, .name = m->f->name, .field = m->field };
	int rc = m->field < 0 ? CDC_END : member_text(m, "CURRENT_DEFAULT", &rule.text, err);

	if (rc)
		return rc == CDC_END ? CDC_OK : rc;
	return add_rule(m->c, rule, err);
}

static int read_identity(const struct column *m, struct cdc_err *err)
{
	static const char *const keys[] = { "delta.identity.start", "delta.identity.step",
					    "delta.identity.allowExplicitInsert" };
	struct cdc_rule rule = { .kind = CDC_RULE_IDENTITY, .name = m->f->name, .field = m->field };
	bool is_one = false;
	uint32_t i = CDC_JSON_NONE;

	for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
		i = cdc_json_get(m->tape, 0, keys[k]);
		is_one = is_one || i != CDC_JSON_NONE;
	}
	if (!is_one)
		return CDC_OK;
	if (m->field < 0)
		return refuse_inside(m, "delta.identity", err);
	if (i == CDC_JSON_NONE || m->tape->tok[i].type != CDC_JSON_TRUE)
		return cdc_fail(err, CDC_EUNSUPPORTED,
				"column %.*s is GENERATED ALWAYS AS IDENTITY: it takes no values, "
				"and none are generated here",
				SHOWN(m->f->name));
	return add_rule(m->c, rule, err);
}

static int read_metadata(const struct column *m, struct cdc_err *err)
{
	static const struct {
		const char *feature;
		int (*read)(const struct column *m, struct cdc_err *err);
	} demands[] = {
		{ "invariants", read_invariant },
		{ "generatedColumns", read_generated },
		{ "allowColumnDefaults", read_default },
		{ "identityColumns", read_identity },
	};
	int rc = CDC_OK;

	for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]) && rc == CDC_OK; i++) {
		if (has_feature(m->c, demands[i].feature))
			rc = demands[i].read(m, err);
	}
	return rc;
}

static int read_column(struct cdc_constraints *c, const struct cdc_field *f, int field,
		       bool in_list, struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	const struct column m = { c, f, &tape, field, in_list };
	int rc = CDC_OK;

	if (f->metadata.n > 2) {
		rc = cdc_json_scan(&tape, f->metadata, NULL, err);
		if (rc == CDC_OK)
			rc = read_metadata(&m, err);
	}
	cdc_tape_free(&tape);
	for (int i = 0; i < f->num_children && rc == CDC_OK; i++)
		rc = read_column(c, &f->child[i], -1, in_list || f->type != CDC_TYPE_STRUCT, err);
	return rc;
}

/* ------------------------------------------------------------------ all of them */

static int read_checks(struct cdc_constraints *c, struct cdc_err *err)
{
	static const char prefix[] = "delta.constraints.";
	const struct cdc_metadata *m = &c->snapshot->metadata;
	size_t n = sizeof(prefix) - 1;
	int rc = CDC_OK;

	for (int i = 0; i < m->num_config && rc == CDC_OK; i++) {
		const struct cdc_kv *kv = &m->config[i];

		if (kv->value.p && kv->key.n > n && memcmp(kv->key.p, prefix, n) == 0)
			rc = add_rule(
				c,
				(struct cdc_rule){ .kind = CDC_RULE_CHECK,
						   .name = cdc_str(kv->key.p + n, kv->key.n - n),
						   .text = kv->value,
						   .field = -1 },
				err);
	}
	return rc;
}

/* A generated column is made of columns that are not. */
static int check_inputs(struct cdc_constraints *c, struct cdc_err *err)
{
	for (uint32_t i = 0; i < c->num_rules; i++) {
		if (c->rule[i].kind == CDC_RULE_GENERATED)
			cdc_expr_mark(c->rule[i].expr, c->used);
	}
	for (uint32_t i = 0; i < c->num_rules; i++) {
		if (c->rule[i].kind == CDC_RULE_GENERATED && c->used[c->rule[i].field])
			return refuse(&c->rule[i], err, "is used by a generated column");
	}
	return CDC_OK;
}

int cdc_constraints_read(struct cdc_constraints *c, struct cdc_err *err)
{
	const struct cdc_schema *s = &c->snapshot->schema;
	int rc = CDC_OK;

	for (int i = 0; i < s->num_fields && rc == CDC_OK; i++)
		rc = read_column(c, &s->field[i], i, false, err);
	if (rc == CDC_OK && has_feature(c, "checkConstraints"))
		rc = read_checks(c, err);
	return rc < 0 ? rc : check_inputs(c, err);
}
