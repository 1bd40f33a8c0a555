/*
 * The columns that --schema and SCHEMA records tell of a table.
 */
#include "table/merge/target_int.h"

/* Text of member `name` of the JSON object at `obj`, "" if it is no string. */
static int member_text(const struct cdc_tape *tape, uint32_t obj, const char *name,
		       struct cdc_arena *arena, struct cdc_str *out, struct cdc_err *err)
{
	uint32_t i = cdc_json_get(tape, obj, name);

	*out = CDC_STR("");
	if (i == CDC_JSON_NONE || tape->tok[i].type != CDC_JSON_STRING)
		return CDC_OK;
	return cdc_json_string(tape, i, arena, out, err);
}

static int put_quoted_name(struct cdc_buf *ddl, struct cdc_str name, struct cdc_err *err)
{
	int rc = cdc_buf_putc(ddl, '`', err);

	for (size_t i = 0; i < name.n && !rc; i++) {
		if (name.p[i] == '`')
			rc = cdc_buf_putc(ddl, '`', err);
		if (!rc)
			rc = cdc_buf_putc(ddl, name.p[i], err);
	}
	return rc ? rc : cdc_buf_puts(ddl, "` ", err);
}

/* What is told of a table's columns, and where. */
struct told {
	const struct cdc_schema *given; /* by --schema */
	const struct cdc_schema *table; /* NULL: it is yet to be created */
	const struct cdc_tape *tape; /* of the record */
	struct cdc_arena arena;
	struct cdc_buf ddl;
};

/* The field of the table that bears the name; NULL: none does. */
static const struct cdc_field *stored_field(const struct told *k, struct cdc_str name)
{
	int i = k->table ? cdc_schema_find(k->table, name) : -1;

	return i < 0 ? NULL : &k->table->field[i];
}

/* Only a source that says whether nulls can come changes what the table has. */
static bool is_nullable(const struct told *k, uint32_t col, const struct cdc_field *stored)
{
	uint32_t v = cdc_json_get(k->tape, col, "nullable");

	if (v != CDC_JSON_NONE && k->tape->tok[v].type == CDC_JSON_FALSE)
		return false;
	if (v != CDC_JSON_NONE && k->tape->tok[v].type == CDC_JSON_TRUE)
		return true;
	return !stored || stored->nullable;
}

/* The type of a column of the record, as DDL with its name. */
static int put_source_type(struct told *k, uint32_t col, struct cdc_str name, struct cdc_err *err)
{
	struct cdc_str type = CDC_STR_INIT, source_type = CDC_STR_INIT;
	int rc = member_text(k->tape, col, "type", &k->arena, &type, err);

	if (!rc)
		rc = member_text(k->tape, col, "sourceType", &k->arena, &source_type, err);
	cdc_buf_reset(&k->ddl);
	if (!rc)
		rc = put_quoted_name(&k->ddl, name, err);
	return rc ? rc : cdc_source_type(name, type, source_type, &k->ddl, err);
}

/* One column of a SCHEMA record into the schema, unless --schema names it. */
static int add_source_column(struct told *k, struct cdc_schema *s, uint32_t col,
			     struct cdc_err *err)
{
	struct cdc_schema one = CDC_SCHEMA_INIT;
	const struct cdc_field *stored;
	struct cdc_field f = { .nullable = true };
	struct cdc_str name;
	int have, rc = member_text(k->tape, col, "name", &k->arena, &name, err);

	if (rc)
		return rc;
	have = cdc_schema_find(k->given, name);
	if (have >= 0)
		return cdc_schema_add(s, &k->given->field[have], err);
	stored = stored_field(k, name);
	rc = put_source_type(k, col, name, err);
	if (!rc)
		rc = cdc_schema_from_ddl(&one, cdc_buf_str(&k->ddl), err);
	if (!rc) {
		f = one.field[0];
	} else if (rc == CDC_EUSAGE && stored) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		f = *stored;
		rc = CDC_OK;
	}
	f.nullable = is_nullable(k, col, stored);
	if (!rc)
		rc = cdc_schema_add(s, &f, err);
	cdc_schema_free(&one);
	return rc;
}

static int add_source_columns(struct told *k, struct cdc_schema *s, uint32_t cols,
			      struct cdc_err *err)
{
	int rc = CDC_OK;

	for (uint32_t c = cdc_json_first(k->tape, cols); !rc && c != CDC_JSON_NONE;
	     c = cdc_json_after(k->tape, cols, c))
		rc = add_source_column(k, s, c, err);
	return rc;
}

/* --schema names types; that a column of the table may be null it does not say. */
static void keep_nullable(const struct told *k, struct cdc_schema *s)
{
	for (int i = 0; i < s->num_fields; i++) {
		const struct cdc_field *stored = stored_field(k, s->field[i].name);

		if (stored && cdc_schema_find(k->given, s->field[i].name) >= 0)
			s->field[i].nullable = stored->nullable;
	}
}

static int add_missing(struct cdc_schema *s, const struct cdc_schema *given, struct cdc_err *err)
{
	for (int i = 0; i < given->num_fields; i++)
		if (cdc_schema_find(s, given->field[i].name) < 0 &&
		    cdc_schema_add(s, &given->field[i], err))
			return err->code;
	return CDC_OK;
}

/* --schema first where it names every column, else the source's order and what --schema adds. */
int target_columns(struct cdc_target *t, const struct cdc_record *rec,
		   const struct cdc_schema *table, struct cdc_schema *out, struct cdc_err *err)
{
	struct cdc_schema given = CDC_SCHEMA_INIT;
	struct cdc_schema source = CDC_SCHEMA_INIT;
	struct told k = { .given = &given, .table = table };
	int rc = CDC_OK;
	bool covered = true;

	if (t->opt->schema)
		rc = cdc_schema_from_ddl(&given, cdc_str_z(t->opt->schema), err);
	if (!rc && rec && rec->columns_tok != CDC_JSON_NONE) {
		k.tape = rec->tape;
		rc = add_source_columns(&k, &source, rec->columns_tok, err);
	}
	for (int i = 0; !rc && i < source.num_fields; i++)
		covered = covered && cdc_schema_find(&given, source.field[i].name) >= 0;
	if (!rc)
		rc = cdc_schema_copy(out, covered ? &given : &source, err);
	if (!rc)
		rc = add_missing(out, &given, err);
	if (!rc)
		keep_nullable(&k, out);
	cdc_schema_free(&given);
	cdc_schema_free(&source);
	cdc_arena_free(&k.arena);
	cdc_buf_free(&k.ddl);
	return rc;
}
