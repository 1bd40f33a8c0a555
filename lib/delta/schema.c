/*
 * Schemas in memory: types by name, fields added, copied and found.
 */
#include "delta/schema_names.h"

#include "base/hash.h"

static const char *const simple_name[] = {
	[CDC_TYPE_BOOLEAN] = "boolean",
	[CDC_TYPE_BYTE] = "byte",
	[CDC_TYPE_SHORT] = "short",
	[CDC_TYPE_INTEGER] = "integer",
	[CDC_TYPE_LONG] = "long",
	[CDC_TYPE_FLOAT] = "float",
	[CDC_TYPE_DOUBLE] = "double",
	[CDC_TYPE_DECIMAL] = NULL,
	[CDC_TYPE_STRING] = "string",
	[CDC_TYPE_BINARY] = "binary",
	[CDC_TYPE_DATE] = "date",
	[CDC_TYPE_TIMESTAMP] = "timestamp",
	[CDC_TYPE_TIMESTAMP_NTZ] = "timestamp_ntz",
	[CDC_TYPE_VOID] = "void",
	[CDC_TYPE_VARIANT] = "variant",
	[CDC_TYPE_STRUCT] = NULL,
	[CDC_TYPE_ARRAY] = NULL,
	[CDC_TYPE_MAP] = NULL,
	[CDC_TYPE_TIME] = NULL,
	[CDC_TYPE_TIMESTAMP_NS] = NULL,
	[CDC_TYPE_TIMESTAMP_NTZ_NS] = NULL,
	[CDC_TYPE_UUID] = NULL,
	[CDC_TYPE_INTERVAL] = NULL,
	[CDC_TYPE_BIG_DECIMAL] = NULL,
};

/* Names for people; schemas in JSON never have them as words. */
static const char *const other_name[] = {
	[CDC_TYPE_STRUCT] = "struct",
	[CDC_TYPE_ARRAY] = "array",
	[CDC_TYPE_MAP] = "map",
	[CDC_TYPE_TIME] = "time",
	[CDC_TYPE_TIMESTAMP_NS] = "timestamp_ns",
	[CDC_TYPE_TIMESTAMP_NTZ_NS] = "timestamp_ntz_ns",
	[CDC_TYPE_UUID] = "uuid",
	[CDC_TYPE_INTERVAL] = "interval",
	[CDC_TYPE_BIG_DECIMAL] = NULL,
};

#define NUM_TYPES (sizeof(simple_name) / sizeof(simple_name[0]))

const char *cdc_type_simple_name(enum cdc_type t)
{
	return simple_name[t];
}

static bool small_number(struct cdc_str *s, int *out)
{
	int v = 0;
	size_t digits = 0;

	while (s->n && s->p[0] == ' ')
		*s = cdc_str(s->p + 1, s->n - 1);
	for (; s->n && s->p[0] >= '0' && s->p[0] <= '9' && digits < 4; digits++) {
		v = v * 10 + (s->p[0] - '0');
		*s = cdc_str(s->p + 1, s->n - 1);
	}
	while (s->n && s->p[0] == ' ')
		*s = cdc_str(s->p + 1, s->n - 1);
	*out = v;
	return digits > 0 && digits < 4;
}

static bool take(struct cdc_str *s, char c)
{
	if (!s->n || s->p[0] != c)
		return false;
	*s = cdc_str(s->p + 1, s->n - 1);
	return true;
}

static bool decimal_from_name(struct cdc_str text, struct cdc_field *f)
{
	const struct cdc_str word = CDC_STR("decimal");

	if (text.n < word.n || memcmp(text.p, word.p, word.n) != 0)
		return false;
	text = cdc_str(text.p + word.n, text.n - word.n);
	f->type = CDC_TYPE_DECIMAL;
	f->precision = CDC_DECIMAL_DEFAULT_PRECISION;
	f->scale = 0;
	if (!text.n)
		return true;
	if (!take(&text, '(') || !small_number(&text, &f->precision) || !take(&text, ',') ||
	    !small_number(&text, &f->scale) || !take(&text, ')') || text.n)
		return false;
	return f->precision >= 1 && f->precision <= CDC_DECIMAL_MAX_PRECISION &&
	       f->scale <= f->precision;
}

bool cdc_type_from_name(struct cdc_str text, struct cdc_field *f)
{
	f->precision = 0;
	f->scale = 0;
	for (size_t t = 0; t < NUM_TYPES; t++) {
		if (simple_name[t] && cdc_str_eqz(text, simple_name[t])) {
			f->type = (enum cdc_type)t;
			return true;
		}
	}
	return decimal_from_name(text, f);
}

const char *cdc_type_name(const struct cdc_field *f, char out[CDC_TYPE_NAME_MAX])
{
	struct cdc_str name;
	char *p = out;

	if (f->type == CDC_TYPE_DECIMAL || f->type == CDC_TYPE_BIG_DECIMAL) {
		memcpy(p, "decimal(", 8);
		p += 8;
		p += cdc_int64_format(f->precision, p);
		*p++ = ',';
		p += cdc_int64_format(f->scale, p);
		*p++ = ')';
		*p = '\0';
		return out;
	}
	name = cdc_str_z(simple_name[f->type] ? simple_name[f->type] : other_name[f->type]);
	memcpy(p, name.p, name.n);
	p[name.n] = '\0';
	return out;
}

size_t cdc_type_size(enum cdc_type t)
{
	switch (t) {
	case CDC_TYPE_BOOLEAN:
		return sizeof(uint8_t);
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_DATE:
		return sizeof(int32_t);
	case CDC_TYPE_LONG:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
	case CDC_TYPE_TIME:
		return sizeof(int64_t);
	case CDC_TYPE_FLOAT:
		return sizeof(float);
	case CDC_TYPE_DOUBLE:
		return sizeof(double);
	case CDC_TYPE_DECIMAL:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
		return sizeof(cdc_i128);
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		return sizeof(struct cdc_str);
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
		return sizeof(struct cdc_span);
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
		break;
	}
	return 0;
}

/*
 * The array has the least power of two that holds num_fields, so that it is full exactly when
 * num_fields is one (or zero): no capacity need be kept.
 */
int cdc_schema_reserve(struct cdc_schema *s, struct cdc_err *err)
{
	size_t n = (size_t)s->num_fields;
	struct cdc_field *grown;

	if (s->num_fields >= CDC_SCHEMA_MAX_FIELDS)
		return cdc_fail(err, CDC_EUNSUPPORTED, "schema has more than %d columns",
				CDC_SCHEMA_MAX_FIELDS);
	if (n & (n - 1))
		return CDC_OK;
	grown = cdc_arena_calloc(&s->arena, n ? 2 * n : 1, sizeof(*grown));
	if (!grown)
		return cdc_fail_nomem(err);
	if (n)
		memcpy(grown, s->field, n * sizeof(*grown));
	s->field = grown;
	return CDC_OK;
}

static int copy_str(struct cdc_arena *a, struct cdc_str from, struct cdc_str *to,
		    struct cdc_err *err)
{
	const char *p = NULL;

	if (from.p) {
		p = cdc_arena_dup(a, from.p, from.n);
		if (!p)
			return cdc_fail_nomem(err);
	}
	*to = cdc_str(p, from.n);
	return CDC_OK;
}

/* Children too; the depth of a schema is bounded where it is read. */
static int copy_field(struct cdc_arena *a, const struct cdc_field *f, struct cdc_field *c,
		      struct cdc_err *err)
{
	size_t n = (size_t)f->num_children;
	int rc;

	*c = *f;
	if (!f->physical_name.p)
		c->physical_name = f->name;
	if (!f->metadata.p)
		c->metadata = CDC_STR("{}");
	if ((rc = copy_str(a, f->name, &c->name, err)) < 0 ||
	    (rc = copy_str(a, c->physical_name, &c->physical_name, err)) < 0 ||
	    (rc = copy_str(a, c->metadata, &c->metadata, err)) < 0 ||
	    (rc = copy_str(a, f->type_json, &c->type_json, err)) < 0)
		return rc;
	if (n) {
		c->child = cdc_arena_calloc(a, n, sizeof(*c->child));
		if (!c->child)
			return cdc_fail_nomem(err);
	}
	for (size_t i = 0; rc == CDC_OK && i < n; i++)
		rc = copy_field(a, &f->child[i], &c->child[i], err);
	return rc;
}

static int append_copy(struct cdc_schema *s, const struct cdc_field *f, struct cdc_err *err)
{
	int rc = cdc_schema_reserve(s, err);

	if (rc == CDC_OK)
		rc = copy_field(&s->arena, f, &s->field[s->num_fields], err);
	if (rc == CDC_OK)
		s->num_fields++;
	return rc;
}

bool cdc_field_names_are_plain(const struct cdc_field *f, int n)
{
	for (int k = 0; k < n; k++) {
		for (size_t i = 0; i < f[k].name.n; i++) {
			if (!f[k].name.p[i] || strchr(" ,;{}()\n\t=", f[k].name.p[i]))
				return false;
		}
		if (!cdc_field_names_are_plain(f[k].child, f[k].num_children))
			return false;
	}
	return true;
}

/* In any table. */
static bool legal_name(struct cdc_str name)
{
	return name.n > 0 && !memchr(name.p, 0, name.n) && cdc_utf8_valid(name.p, name.n);
}

int cdc_schema_add(struct cdc_schema *s, const struct cdc_field *f, struct cdc_err *err)
{
	if (!legal_name(f->name))
		return cdc_fail(err, CDC_EUSAGE,
				"column name \"%.*s\" holds a character that Delta "
				"does not allow",
				(int)(f->name.n > 200 ? 200 : f->name.n),
				f->name.n ? f->name.p : "");
	if (cdc_schema_find(s, f->name) >= 0)
		return cdc_fail(err, CDC_EUSAGE, "column \"%.*s\" is there twice",
				(int)(f->name.n > 200 ? 200 : f->name.n), f->name.p);
	return append_copy(s, f, err);
}

int cdc_schema_copy(struct cdc_schema *to, const struct cdc_schema *from, struct cdc_err *err)
{
	struct cdc_schema copy = CDC_SCHEMA_INIT;
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < from->num_fields; i++)
		rc = append_copy(&copy, &from->field[i], err);
	if (rc < 0) {
		cdc_schema_free(&copy);
		return rc;
	}
	*to = copy;
	return CDC_OK;
}

int cdc_schema_find(const struct cdc_schema *s, struct cdc_str name)
{
	for (int i = 0; i < s->num_fields; i++) {
		if (cdc_str_eq(s->field[i].name, name))
			return i;
	}
	for (int i = 0; i < s->num_fields; i++) {
		if (cdc_str_ieq(s->field[i].name, name))
			return i;
	}
	return -1;
}

static uint64_t hash_folded(struct cdc_str name)
{
	uint64_t h = 0;
	char part[64];

	for (size_t i = 0; i < name.n;) {
		size_t n = 0;

		for (; n < sizeof(part) && i < name.n; n++, i++) {
			char c = name.p[i];

			part[n] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
		}
		h = h * 31 + cdc_hash64(part, n);
	}
	return h;
}

int cdc_schema_duplicate(const struct cdc_schema *s, int *dup, struct cdc_err *err)
{
	struct cdc_map map = CDC_MAP_INIT;
	int rc = cdc_map_reserve(&map, (size_t)s->num_fields, err);

	*dup = -1;
	for (int i = 0; rc == CDC_OK && i < s->num_fields && *dup < 0; i++) {
		uint64_t h = hash_folded(s->field[i].name);
		struct cdc_map_iter it = cdc_map_seek(&map, h);
		uint32_t k;

		while (cdc_map_next(&map, &it, &k)) {
			if (cdc_str_ieq(s->field[k].name, s->field[i].name))
				*dup = i;
		}
		rc = cdc_map_insert(&map, h, (uint32_t)i, err);
	}
	cdc_map_free(&map);
	return rc;
}

static void unmap(struct cdc_field *f, int n)
{
	for (int i = 0; i < n; i++) {
		f[i].physical_name = f[i].name;
		f[i].has_field_id = false;
		unmap(f[i].child, f[i].num_children);
	}
}

void cdc_schema_unmap(struct cdc_schema *s)
{
	unmap(s->field, s->num_fields);
}

void cdc_schema_free(struct cdc_schema *s)
{
	cdc_arena_free(&s->arena);
	s->field = NULL;
	s->num_fields = 0;
}
