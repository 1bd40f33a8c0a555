/*
 * Column types of databases to types of the table: the mapping that cdc-table(5) prints.
 */
#include "table/merge/target.h"

#include "base/value.h"

enum integer_width { NOT_INTEGER, TINY, SMALL, MEDIUM, INT, BIG };

struct type_row {
	const char *source;
	const char *ddl; /* NULL: computed */
	enum integer_width width;
};

/* Integers need to know their sign, decimals their digits; everything else is settled by name. */
static const struct type_row types[] = {
	{ "tinyint", NULL, TINY },
	{ "smallint", NULL, SMALL },
	{ "mediumint", NULL, MEDIUM },
	{ "int", NULL, INT },
	{ "integer", NULL, INT },
	{ "bigint", NULL, BIG },
	{ "date", "DATE", NOT_INTEGER },
	{ "datetime", "TIMESTAMP_NTZ", NOT_INTEGER },
	{ "timestamp", "TIMESTAMP", NOT_INTEGER },
	{ "timestamptz", "TIMESTAMP", NOT_INTEGER },
	{ "timestamp_ntz", "TIMESTAMP_NTZ", NOT_INTEGER },
	{ "time", "STRING", NOT_INTEGER },
	{ "year", "INT", NOT_INTEGER },
	{ "float", "FLOAT", NOT_INTEGER },
	{ "real", "FLOAT", NOT_INTEGER },
	{ "double", "DOUBLE", NOT_INTEGER },
	{ "boolean", "BOOLEAN", NOT_INTEGER },
	{ "bool", "BOOLEAN", NOT_INTEGER },
	{ "char", "STRING", NOT_INTEGER },
	{ "varchar", "STRING", NOT_INTEGER },
	{ "string", "STRING", NOT_INTEGER },
	{ "tinytext", "STRING", NOT_INTEGER },
	{ "text", "STRING", NOT_INTEGER },
	{ "mediumtext", "STRING", NOT_INTEGER },
	{ "longtext", "STRING", NOT_INTEGER },
	{ "enum", "STRING", NOT_INTEGER },
	{ "set", "STRING", NOT_INTEGER },
	{ "json", "STRING", NOT_INTEGER },
	{ "geometry", "STRING", NOT_INTEGER },
	{ "binary", "BINARY", NOT_INTEGER },
	{ "varbinary", "BINARY", NOT_INTEGER },
	{ "tinyblob", "BINARY", NOT_INTEGER },
	{ "blob", "BINARY", NOT_INTEGER },
	{ "mediumblob", "BINARY", NOT_INTEGER },
	{ "longblob", "BINARY", NOT_INTEGER },
	{ "byte", "BYTE", NOT_INTEGER },
	{ "short", "SHORT", NOT_INTEGER },
	{ "long", "LONG", NOT_INTEGER },
};

/* "DECIMAL(10,2) unsigned" -> "DECIMAL": the letters before anything else. */
static struct cdc_str base_name(struct cdc_str type)
{
	size_t n = 0;

	while (n < type.n && type.p[n] != '(' && type.p[n] != ' ')
		n++;
	return cdc_str(type.p, n);
}

static bool contains(struct cdc_str s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++)
		if (cdc_str_ieq(cdc_str(s.p + i, n), cdc_str(word, n)))
			return true;
	return false;
}

/* The numbers in the brackets; how many there are. */
static int arguments(struct cdc_str type, int64_t arg[2])
{
	const char *open = type.n ? memchr(type.p, '(', type.n) : NULL;
	const char *end = type.p + type.n;
	int n = 0;

	if (!open)
		return 0;
	for (const char *p = open + 1; p < end && n < 2; p++) {
		size_t len = 0;

		while (p + len < end && p[len] != ',' && p[len] != ')')
			len++;
		if (cdc_int64_parse(cdc_str(p, len), &arg[n]))
			return n;
		n++;
		p += len;
		if (p < end && *p == ')')
			break;
		while (p + 1 < end && p[1] == ' ')
			p++;
	}
	return n;
}

static int ask(struct cdc_str name, struct cdc_str type, const char *what, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EUSAGE,
			"column \"%.*s\": the source says \"%.*s\" but not %s; give its type with "
			"--schema '%.*s TYPE'",
			(int)name.n, name.p, (int)type.n, type.p, what, (int)name.n, name.p);
}

static int integer_type(struct cdc_str name, struct cdc_str type, struct cdc_str source_type,
			enum integer_width width, struct cdc_buf *ddl, struct cdc_err *err)
{
	static const char *const is_signed[] = { "", "BYTE", "SHORT", "INT", "INT", "LONG" };
	static const char *const is_unsigned[] = { "",	  "SHORT", "INT",
						   "INT", "LONG",  "DECIMAL(20,0)" };
	bool unsigned_ = contains(source_type, "unsigned") || contains(type, "unsigned");

	if (!source_type.n && !unsigned_)
		return ask(name, type, "whether it has a sign", err);
	return cdc_buf_puts(ddl, unsigned_ ? is_unsigned[width] : is_signed[width], err);
}

static int decimal_type(struct cdc_str name, struct cdc_str type, struct cdc_buf *ddl,
			struct cdc_err *err)
{
	int64_t arg[2] = { 0, 0 };

	if (!arguments(type, arg))
		return ask(name, type, "how many digits it has", err);
	if (arg[0] > 38)
		return cdc_buf_puts(ddl, "STRING", err);
	return cdc_buf_printf(ddl, err, "DECIMAL(%d,%d)", (int)arg[0], (int)arg[1]);
}

static int bit_type(struct cdc_str name, struct cdc_str type, struct cdc_buf *ddl,
		    struct cdc_err *err)
{
	int64_t arg[2] = { 0, 0 };

	if (!arguments(type, arg))
		return ask(name, type, "how many bits it has", err);
	return cdc_buf_puts(ddl,
			    arg[0] == 1	  ? "BOOLEAN"
			    : arg[0] < 64 ? "LONG"
					  : "DECIMAL(20,0)",
			    err);
}

/* A nested type or a variant, which no database has: it comes from a table, in the DDL form. */
static bool is_nested(struct cdc_str type)
{
	static const char *const word[] = { "array<", "map<", "struct<" };

	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		size_t n = strlen(word[i]);

		if (type.n > n && cdc_str_ieq(cdc_str(type.p, n), cdc_str(word[i], n)))
			return true;
	}
	return cdc_str_ieq(type, CDC_STR("variant"));
}

int cdc_source_type(struct cdc_str name, struct cdc_str type, struct cdc_str source_type,
		    struct cdc_buf *ddl, struct cdc_err *err)
{
	struct cdc_str base = base_name(type);
	struct cdc_str detail = memchr(type.p ? type.p : "", '(', type.n) ? type : source_type;

	if (is_nested(type))
		return cdc_buf_put(ddl, type, err);
	if (cdc_str_ieq(base, CDC_STR("decimal")) || cdc_str_ieq(base, CDC_STR("numeric")))
		return decimal_type(name, detail.n ? detail : type, ddl, err);
	if (cdc_str_ieq(base, CDC_STR("bit")))
		return bit_type(name, detail.n ? detail : type, ddl, err);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!cdc_str_ieq(base, cdc_str_z(types[i].source)))
			continue;
		if (types[i].ddl)
			return cdc_buf_puts(ddl, types[i].ddl, err);
		return integer_type(name, type, source_type, types[i].width, ddl, err);
	}
	return ask(name, type, "what that is", err);
}
