/*
 * Which columns of a table have statistics: by number, by name, and those that it is clustered by
 * (Delta protocol, spec section 8).
 */
#include "delta/stats.h"

#include "base/json.h"
#include "delta/log.h"

#define NUM_INDEXED 32
#define STRING_CHARS 32
#define PATH_MAX_PARTS CDC_JSON_DEPTH /* deeper than any schema */

bool cdc_stats_has_bounds(enum cdc_type t)
{
	switch (t) {
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
	case CDC_TYPE_LONG:
	case CDC_TYPE_FLOAT:
	case CDC_TYPE_DOUBLE:
	case CDC_TYPE_DECIMAL:
	case CDC_TYPE_STRING:
	case CDC_TYPE_DATE:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
		return true;
	case CDC_TYPE_BOOLEAN:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return false;
}

int32_t cdc_stats_count_columns(const struct cdc_field *f, int n)
{
	int32_t columns = 0;

	for (int i = 0; i < n; i++) {
		if (f[i].is_partition || f[i].type == CDC_TYPE_VOID)
			continue;
		columns += f[i].type == CDC_TYPE_STRUCT
				   ? cdc_stats_count_columns(f[i].child, f[i].num_children)
				   : 1;
	}
	return columns;
}

static int start(struct cdc_stats_columns *out, const struct cdc_schema *schema,
		 struct cdc_arena *arena, struct cdc_err *err)
{
	*out = (struct cdc_stats_columns){ .num_columns = cdc_stats_count_columns(
						   schema->field, schema->num_fields),
					   .string_chars = STRING_CHARS };
	out->covered = cdc_arena_calloc(arena, (size_t)out->num_columns + 1, sizeof(bool));
	return out->covered ? CDC_OK : cdc_fail_nomem(err);
}

static void cover(struct cdc_stats_columns *c, int32_t from, int32_t to)
{
	for (; from < to; from++) {
		c->num_covered += !c->covered[from];
		c->covered[from] = true;
	}
}

static void cover_first(struct cdc_stats_columns *c, int64_t n)
{
	cover(c, 0, n < 0 || n > c->num_columns ? c->num_columns : (int32_t)n);
}

int cdc_stats_columns_first(struct cdc_stats_columns *out, const struct cdc_schema *schema,
			    int64_t n, struct cdc_arena *arena, struct cdc_err *err)
{
	int rc = start(out, schema, arena, err);

	if (!rc)
		cover_first(out, n);
	return rc;
}

/* ------------------------------------------------------------------ by name */

/* The names that lead to a column. */
struct path {
	struct cdc_str part[PATH_MAX_PARTS];
	int n;
	bool physical; /* the names of files; else those of the schema, in any case */
};

/*
 * The column or columns that a path leads to: all fields of a struct that it ends at. `first` is
 * the number of the first column of the n fields. A name that is not there covers nothing.
 */
static void cover_path(struct cdc_stats_columns *c, const struct cdc_schema *schema,
		       const struct path *p)
{
	const struct cdc_field *f = schema->field;
	int num_fields = schema->num_fields;
	int32_t first = 0;

	for (int part = 0; part < p->n; part++) {
		int32_t columns = 0;
		int i;

		for (i = 0; i < num_fields; i++) {
			columns = cdc_stats_count_columns(&f[i], 1);
			if (p->physical ? cdc_str_eq(f[i].physical_name, p->part[part])
					: cdc_str_ieq(f[i].name, p->part[part]))
				break;
			first += columns;
		}
		if (i == num_fields)
			return;
		if (part + 1 == p->n)
			cover(c, first, first + columns);
		else if (f[i].type != CDC_TYPE_STRUCT)
			return;
		num_fields = f[i].num_children;
		f = f[i].child;
	}
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(struct cdc_str *s)
{
	while (s->n && is_space(s->p[0]))
		*s = cdc_str(s->p + 1, s->n - 1);
}

/* One name: bare, up to a dot or a comma, or in back quotes, where two of them stand for one. */
static bool read_name(struct cdc_str *s, char **to, struct cdc_str *name)
{
	bool quoted;
	char *out = *to;

	skip_spaces(s);
	quoted = s->n && s->p[0] == '`';
	if (quoted)
		*s = cdc_str(s->p + 1, s->n - 1);
	for (; s->n; *s = cdc_str(s->p + 1, s->n - 1)) {
		char c = s->p[0];

		if (quoted ? c == '`' : c == '.' || c == ',' || is_space(c)) {
			if (!quoted || s->n < 2 || s->p[1] != '`')
				break;
			*s = cdc_str(s->p + 1, s->n - 1);
		}
		*out++ = c;
	}
	if (quoted && !s->n)
		return false;
	if (quoted)
		*s = cdc_str(s->p + 1, s->n - 1);
	skip_spaces(s);
	*name = cdc_str(*to, (size_t)(out - *to));
	*to = out;
	return name->n > 0;
}

/* "a, `b.c`.d": false when it is no list of names. An empty list is one. */
static bool cover_names(struct cdc_stats_columns *c, const struct cdc_schema *schema,
			struct cdc_str text, char *scratch)
{
	skip_spaces(&text);
	while (text.n) {
		struct path p = { .n = 0 };
		bool more = true;

		while (more) {
			if (p.n == PATH_MAX_PARTS || !read_name(&text, &scratch, &p.part[p.n++]))
				return false;
			more = text.n && text.p[0] == '.';
			if (more)
				text = cdc_str(text.p + 1, text.n - 1);
		}
		cover_path(c, schema, &p);
		if (!text.n)
			break;
		if (text.p[0] != ',' || text.n == 1)
			return false;
		text = cdc_str(text.p + 1, text.n - 1);
	}
	return true;
}

static int cover_listed(struct cdc_stats_columns *c, const struct cdc_snapshot *s, bool *listed,
			struct cdc_arena *arena, struct cdc_err *err)
{
	struct cdc_str text;
	char *scratch;

	*listed = false;
	if (!cdc_metadata_config(&s->metadata, "delta.dataSkippingStatsColumns", &text))
		return CDC_OK;
	scratch = cdc_arena_alloc(arena, text.n + 1);
	if (!scratch)
		return cdc_fail_nomem(err);
	*listed = cover_names(c, &s->schema, text, scratch);
	if (!*listed) {
		memset(c->covered, 0, (size_t)c->num_columns * sizeof(bool));
		c->num_covered = 0;
	}
	return CDC_OK;
}

/* ------------------------------------------------------------------ clustering */

/* One clustering column: a list of physical names, or one name by itself. */
static int cover_cluster(struct cdc_stats_columns *c, const struct cdc_schema *schema,
			 const struct cdc_tape *t, uint32_t i, struct cdc_arena *arena,
			 struct cdc_err *err)
{
	struct path p = { .physical = true };
	int rc = CDC_OK;

	if (t->tok[i].type == CDC_JSON_STRING) {
		rc = cdc_json_string(t, i, arena, &p.part[p.n++], err);
	} else if (t->tok[i].type == CDC_JSON_ARRAY && t->tok[i].count <= PATH_MAX_PARTS) {
		for (uint32_t k = cdc_json_first(t, i); !rc && k != CDC_JSON_NONE;
		     k = cdc_json_after(t, i, k)) {
			if (t->tok[k].type != CDC_JSON_STRING)
				return CDC_OK;
			rc = cdc_json_string(t, k, arena, &p.part[p.n++], err);
		}
	}
	if (!rc)
		cover_path(c, schema, &p);
	return rc;
}

static int cover_clustering(struct cdc_stats_columns *c, const struct cdc_snapshot *s,
			    struct cdc_arena *arena, struct cdc_err *err)
{
	struct cdc_tape t = CDC_TAPE_INIT;
	struct cdc_err ignored = CDC_ERR_INIT;
	int rc = CDC_OK;

	for (size_t d = 0; !rc && d < s->num_domains; d++) {
		uint32_t list;

		if (!cdc_str_eqz(s->domain[d].domain, "delta.clustering") ||
		    cdc_json_scan(&t, s->domain[d].configuration, NULL, &ignored))
			continue;
		list = cdc_json_get(&t, 0, "clusteringColumns");
		if (list == CDC_JSON_NONE || t.tok[list].type != CDC_JSON_ARRAY)
			continue;
		for (uint32_t i = cdc_json_first(&t, list); !rc && i != CDC_JSON_NONE;
		     i = cdc_json_after(&t, list, i))
			rc = cover_cluster(c, &s->schema, &t, i, arena, err);
	}
	cdc_tape_free(&t);
	return rc;
}

int cdc_stats_columns_of(struct cdc_stats_columns *out, const struct cdc_snapshot *s,
			 struct cdc_arena *arena, struct cdc_err *err)
{
	int64_t n = cdc_snapshot_config_int(s, "delta.dataSkippingNumIndexedCols", NUM_INDEXED);
	int64_t chars =
		cdc_snapshot_config_int(s, "delta.dataSkippingStringPrefixLength", STRING_CHARS);
	bool listed;
	int rc = start(out, &s->schema, arena, err);

	if (!rc)
		rc = cover_listed(out, s, &listed, arena, err);
	if (!rc && !listed)
		cover_first(out, n < -1 ? NUM_INDEXED : n);
	if (!rc)
		rc = cover_clustering(out, s, arena, err);
	if (!rc && chars > 0 && chars <= INT32_MAX)
		out->string_chars = (int32_t)chars;
	out->tight_bounds = cdc_protocol_has_feature(&s->protocol, "deletionVectors");
	return rc;
}
