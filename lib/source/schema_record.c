/* Prints SCHEMA records. */
#include "source/schema_record.h"

static bool in_key(struct cdc_str name, const struct cdc_str *key, size_t n_key)
{
	for (size_t i = 0; i < n_key; i++) {
		if (cdc_str_ieq(name, key[i]))
			return true;
	}
	return false;
}

static void print_column(struct cdc_out *o, const struct cdc_schema_column *c, bool nullable)
{
	cdc_out_lit(o, "{\"name\":");
	cdc_out_quoted(o, c->name);
	if (c->type.n) {
		cdc_out_lit(o, ",\"type\":");
		cdc_out_quoted(o, c->type);
	}
	cdc_out_lit(o, ",\"nullable\":");
	cdc_out_raw(o, nullable ? CDC_STR("true") : CDC_STR("false"));
	if (c->source_type.n) {
		cdc_out_lit(o, ",\"sourceType\":");
		cdc_out_quoted(o, c->source_type);
	}
	cdc_out_char(o, '}');
}

void cdc_schema_record_print(struct cdc_out *o, struct cdc_str db_table,
			     const struct cdc_schema_column *col, size_t n,
			     const struct cdc_str *key, size_t n_key)
{
	cdc_out_lit(o, "{\"recordType\":\"SCHEMA\",\"dbTable\":");
	cdc_out_quoted(o, db_table);
	cdc_out_lit(o, ",\"columns\":[");
	for (size_t i = 0; i < n; i++) {
		if (i)
			cdc_out_char(o, ',');
		print_column(o, &col[i], !col[i].not_null && !in_key(col[i].name, key, n_key));
	}
	cdc_out_char(o, ']');
	for (size_t i = 0; i < n_key; i++) {
		cdc_out_raw(o, i ? CDC_STR(",") : CDC_STR(",\"primaryKey\":["));
		cdc_out_quoted(o, key[i]);
	}
	cdc_out_raw(o, n_key ? CDC_STR("]}\n") : CDC_STR("}\n"));
}

/* Display widths mean nothing for these; for the others what is in the parentheses is kept. */
static bool width_is_display(struct cdc_str base)
{
	static const char *const names[] = { "tinyint", "smallint", "mediumint", "int",
					     "integer", "bigint",   "year" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (cdc_str_eqz(base, names[i]))
			return true;
	}
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t cdc_schema_type(struct cdc_str ddl, char *out)
{
	size_t n = 0, base;
	bool inside = false, drop = false;

	for (base = 0; base < ddl.n && ddl.p[base] != '(' && ddl.p[base] != ' '; base++)
		out[n++] = lower(ddl.p[base]);
	drop = width_is_display(cdc_str(out, n));
	for (size_t i = base; i < ddl.n; i++) {
		char c = lower(ddl.p[i]);

		inside = inside || c == '(';
		if (!(inside && (drop || c == ' ')) && !(c == ' ' && (n == 0 || out[n - 1] == ' ')))
			out[n++] = c;
		if (c == ')')
			inside = false;
	}
	while (n && out[n - 1] == ' ')
		n--;
	return n;
}
