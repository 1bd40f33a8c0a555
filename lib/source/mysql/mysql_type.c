/* MySQL's column types: names, aliases, kinds, the members of ENUM and SET. */
#include "source/mysql/mysql_type.h"

#include "source/schema_record.h"

#include <strings.h>

static const struct {
	const char *spelled;
	const char *name; /* NULL: as it is spelled */
	enum cdc_mysql_kind kind;
} types[] = {
	{ "tinyint", NULL, CDC_MYSQL_INTEGER },
	{ "smallint", NULL, CDC_MYSQL_INTEGER },
	{ "mediumint", NULL, CDC_MYSQL_INTEGER },
	{ "int", NULL, CDC_MYSQL_INTEGER },
	{ "integer", "int", CDC_MYSQL_INTEGER },
	{ "bigint", NULL, CDC_MYSQL_INTEGER },
	{ "serial", "bigint unsigned", CDC_MYSQL_INTEGER },
	{ "bool", "tinyint", CDC_MYSQL_INTEGER },
	{ "boolean", "tinyint", CDC_MYSQL_INTEGER },
	{ "decimal", NULL, CDC_MYSQL_DECIMAL },
	{ "dec", "decimal", CDC_MYSQL_DECIMAL },
	{ "numeric", "decimal", CDC_MYSQL_DECIMAL },
	{ "fixed", "decimal", CDC_MYSQL_DECIMAL },
	{ "float", NULL, CDC_MYSQL_FLOAT },
	{ "double", NULL, CDC_MYSQL_DOUBLE },
	{ "double precision", "double", CDC_MYSQL_DOUBLE },
	{ "real", "double", CDC_MYSQL_DOUBLE },
	{ "bit", NULL, CDC_MYSQL_BIT },
	{ "date", NULL, CDC_MYSQL_DATE },
	{ "time", NULL, CDC_MYSQL_TIME },
	{ "datetime", NULL, CDC_MYSQL_DATETIME },
	{ "timestamp", NULL, CDC_MYSQL_TIMESTAMP },
	{ "year", NULL, CDC_MYSQL_YEAR },
	{ "enum", "enum", CDC_MYSQL_ENUM },
	{ "set", "set", CDC_MYSQL_SET },
	{ "json", NULL, CDC_MYSQL_JSON },
	{ "binary", NULL, CDC_MYSQL_BINARY },
	{ "varbinary", NULL, CDC_MYSQL_BINARY },
	{ "tinyblob", NULL, CDC_MYSQL_BINARY },
	{ "blob", NULL, CDC_MYSQL_BINARY },
	{ "mediumblob", NULL, CDC_MYSQL_BINARY },
	{ "longblob", NULL, CDC_MYSQL_BINARY },
	{ "geometry", NULL, CDC_MYSQL_GEOMETRY },
	{ "point", "geometry", CDC_MYSQL_GEOMETRY },
	{ "linestring", "geometry", CDC_MYSQL_GEOMETRY },
	{ "polygon", "geometry", CDC_MYSQL_GEOMETRY },
	{ "multipoint", "geometry", CDC_MYSQL_GEOMETRY },
	{ "multilinestring", "geometry", CDC_MYSQL_GEOMETRY },
	{ "multipolygon", "geometry", CDC_MYSQL_GEOMETRY },
	{ "geometrycollection", "geometry", CDC_MYSQL_GEOMETRY },
	{ "geomcollection", "geometry", CDC_MYSQL_GEOMETRY },
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The words in front of a bracket or an attribute; "double precision" is the one of two. */
static size_t base_length(struct cdc_str s)
{
	static const char two[] = "double precision";
	size_t n = sizeof(two) - 1;

	if (s.n >= n && strncasecmp(s.p, two, n) == 0)
		return n;
	for (n = 0; n < s.n && is_letter(s.p[n]); n++)
		;
	return n;
}

/* Cut " zerofill" off the end of a type's name. */
static size_t without_zerofill(const char *p, size_t n)
{
	static const char word[] = " zerofill";
	size_t k = sizeof(word) - 1;

	return n > k && memcmp(p + n - k, word, k) == 0 ? n - k : n;
}

int cdc_mysql_type(struct cdc_str spelled, struct cdc_buf *name, enum cdc_mysql_kind *kind,
		   struct cdc_err *err)
{
	size_t base = base_length(spelled), i = 0, count = sizeof(types) / sizeof(types[0]);
	struct cdc_str rest = cdc_str(spelled.p + base, spelled.n - base);
	int rc;

	while (i < count && (strlen(types[i].spelled) != base ||
			     strncasecmp(types[i].spelled, spelled.p, base) != 0))
		i++;
	*kind = i < count ? types[i].kind : CDC_MYSQL_TEXT;
	/* Members of a list are not part of the type's name, brackets of a geometry are none. */
	if (*kind == CDC_MYSQL_ENUM || *kind == CDC_MYSQL_SET || *kind == CDC_MYSQL_GEOMETRY)
		return cdc_buf_puts(name, types[i].name ? types[i].name : types[i].spelled, err);
	rc = cdc_buf_reserve(name, spelled.n + 32, err);
	if (rc < 0)
		return rc;
	if (i < count && types[i].name) {
		rc = cdc_buf_puts(name, types[i].name, err);
		if (rc < 0 || *kind == CDC_MYSQL_INTEGER) {
			/* The width of an alias says nothing; a sign does. */
			if (rc == CDC_OK && rest.n >= 9 &&
			    strncasecmp(rest.p + rest.n - 8, "unsigned", 8) == 0)
				rc = cdc_buf_puts(name, " unsigned", err);
			return rc;
		}
		rc = cdc_buf_put(name, rest, err);
		if (rc < 0)
			return rc;
		/* Again, now under the name that says what the brackets mean. */
		name->len = cdc_schema_type(cdc_buf_str(name), name->p);
	} else {
		name->len += cdc_schema_type(spelled, name->p + name->len);
	}
	name->len = without_zerofill(name->p, name->len);
	return CDC_OK;
}

bool cdc_mysql_member(struct cdc_str spelled, uint64_t number, char *out, size_t *n)
{
	const char *p = spelled.n ? memchr(spelled.p, '(', spelled.n) : NULL;
	const char *end = spelled.p + spelled.n;

	if (!p || number == 0)
		return false;
	for (p++; p < end; number--) {
		while (p < end && (*p == ' ' || *p == ','))
			p++;
		if (p == end || *p != '\'')
			return false;
		/* A quote inside is doubled, or behind a backslash. */
		for (p++, *n = 0; p < end; p++) {
			if (*p == '\'' && (p + 1 == end || p[1] != '\''))
				break;
			if ((*p == '\'' || *p == '\\') && p + 1 < end)
				p++;
			if (number == 1)
				out[(*n)++] = *p;
		}
		if (p == end)
			return false;
		p++;
		if (number == 1)
			return true;
	}
	return false;
}
