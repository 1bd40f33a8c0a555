/*
 * The table that a merge writes to. See target.h.
 */
#include "table/target.h"

#include <stdlib.h>

int cdc_target_init(struct cdc_target *t, const struct cdc_merge_options *opt, struct cdc_err *err)
{
	size_t n = strlen(opt->table);

	*t = (struct cdc_target){ .io = opt->io, .opt = opt, .sequence = -1 };
	while (n > 1 && opt->table[n - 1] == '/')
		n--;
	t->path = strndup(opt->table, n);
	return t->path ? CDC_OK : cdc_fail_nomem(err);
}

void cdc_target_free(struct cdc_target *t)
{
	cdc_snapshot_free(t->snapshot);
	cdc_key_free(&t->key);
	free(t->path);
	*t = (struct cdc_target){ .io = NULL };
}

/* ------------------------------------------------------------------ creation: schema */

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

/* One column of a SCHEMA record into the schema, unless --schema names it. */
static int add_source_column(struct cdc_schema *s, const struct cdc_schema *given,
			     const struct cdc_tape *tape, uint32_t col, struct cdc_arena *arena,
			     struct cdc_err *err)
{
	struct cdc_buf ddl = CDC_BUF_INIT;
	struct cdc_schema one = CDC_SCHEMA_INIT;
	struct cdc_str name, type, source_type;
	uint32_t nullable = cdc_json_get(tape, col, "nullable");
	int have, rc;

	rc = member_text(tape, col, "name", arena, &name, err);
	if (!rc)
		rc = member_text(tape, col, "type", arena, &type, err);
	if (!rc)
		rc = member_text(tape, col, "sourceType", arena, &source_type, err);
	if (rc)
		return rc;
	have = cdc_schema_find(given, name);
	if (have >= 0)
		return cdc_schema_add(s, &given->field[have], err);
	rc = put_quoted_name(&ddl, name, err);
	if (!rc)
		rc = cdc_source_type(name, type, source_type, &ddl, err);
	if (!rc && nullable != CDC_JSON_NONE && tape->tok[nullable].type == CDC_JSON_FALSE)
		rc = cdc_buf_puts(&ddl, " NOT NULL", err);
	if (!rc)
		rc = cdc_schema_from_ddl(&one, cdc_buf_str(&ddl), err);
	if (!rc)
		rc = cdc_schema_add(s, &one.field[0], err);
	cdc_schema_free(&one);
	cdc_buf_free(&ddl);
	return rc;
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
static int build_schema(struct cdc_target *t, const struct cdc_record *rec, struct cdc_schema *out,
			struct cdc_err *err)
{
	struct cdc_schema given = CDC_SCHEMA_INIT;
	struct cdc_schema source = CDC_SCHEMA_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	int rc = CDC_OK;
	bool covered = true;

	if (t->opt->schema)
		rc = cdc_schema_from_ddl(&given, cdc_str_z(t->opt->schema), err);
	if (!rc && rec && rec->columns_tok != CDC_JSON_NONE) {
		const struct cdc_tape *tape = rec->tape;
		uint32_t cols = rec->columns_tok;

		for (uint32_t c = cdc_json_first(tape, cols); !rc && c != CDC_JSON_NONE;
		     c = cdc_json_after(tape, cols, c))
			rc = add_source_column(&source, &given, tape, c, &arena, err);
	}
	for (int i = 0; !rc && i < source.num_fields; i++)
		covered = covered && cdc_schema_find(&given, source.field[i].name) >= 0;
	if (!rc)
		rc = cdc_schema_copy(out, covered ? &given : &source, err);
	if (!rc)
		rc = add_missing(out, &given, err);
	if (!rc && !out->num_fields)
		rc = cdc_fail(err, CDC_EUSAGE,
			      "%s is no table yet, and nothing tells its columns: use --schema",
			      t->path);
	cdc_schema_free(&given);
	cdc_schema_free(&source);
	cdc_arena_free(&arena);
	return rc;
}

/* ------------------------------------------------------------------ creation: metadata */

/* Table properties that mean something to a reader or writer, and that are honoured here. */
static const char *const known_properties[] = {
	"delta.appendOnly",
	"delta.checkpointInterval",
	"delta.dataSkippingNumIndexedCols",
	"delta.deletedFileRetentionDuration",
	"delta.enableDeletionVectors",
	"delta.enableExpiredLogCleanup",
	"delta.logRetentionDuration",
	"delta.parquet.compression.codec",
	"delta.targetFileSize",
};

static int check_property(struct cdc_str key, struct cdc_err *err)
{
	if (key.n < 6 || memcmp(key.p, "delta.", 6))
		return CDC_OK;
	for (size_t i = 0; i < sizeof(known_properties) / sizeof(known_properties[0]); i++)
		if (cdc_str_eqz(key, known_properties[i]))
			return CDC_OK;
	return cdc_fail(err, CDC_EUSAGE, "--property %.*s is not supported", (int)key.n, key.p);
}

static struct cdc_str keep(struct cdc_arena *a, struct cdc_str s)
{
	return cdc_str(cdc_arena_dup(a, s.p, s.n), s.n);
}

static bool config_is(const struct cdc_metadata *m, const char *key, const char *value)
{
	struct cdc_str v;

	return cdc_metadata_config(m, key, &v) && cdc_str_eqz(v, value);
}

static int add_config(struct cdc_snapshot *s, struct cdc_str key, struct cdc_str value,
		      struct cdc_err *err)
{
	struct cdc_kv *kv = &s->metadata.config[s->metadata.num_config++];

	kv->key = keep(&s->arena, key);
	kv->value = keep(&s->arena, value);
	return kv->key.p && kv->value.p ? CDC_OK : cdc_fail_nomem(err);
}

/* The key as a JSON array of names: cdc.key. */
static int add_key_config(struct cdc_target *t, struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_putc(&b, '[', err);

	for (int i = 0; !rc && i < t->key.num_fields; i++) {
		if (i)
			rc = cdc_buf_putc(&b, ',', err);
		if (!rc)
			rc = cdc_json_put_string(&b, s->schema.field[t->key.field[i]].name, err);
	}
	if (!rc)
		rc = cdc_buf_putc(&b, ']', err);
	if (!rc)
		rc = add_config(s, CDC_STR("cdc.key"), cdc_buf_str(&b), err);
	cdc_buf_free(&b);
	return rc;
}

/* The database table that the rows come from: cdc.source. */
static int add_source_config(struct cdc_snapshot *s, const struct cdc_record *rec,
			     struct cdc_err *err)
{
	char *name;

	if (!rec || !rec->db_table.n)
		return CDC_OK;
	name = cdc_arena_alloc(&s->arena, rec->db_table.n);
	if (!name)
		return cdc_fail_nomem(err);
	return add_config(s, CDC_STR("cdc.source"),
			  cdc_str(name, cdc_json_unescape(rec->db_table, name)), err);
}

static int fill_config(struct cdc_target *t, struct cdc_snapshot *s, const struct cdc_record *rec,
		       struct cdc_err *err)
{
	const char *const *p = t->opt->property;
	size_t n = 0;
	int rc = CDC_OK;

	while (p && p[n])
		n++;
	s->metadata.config = cdc_arena_calloc(&s->arena, n + 3, sizeof(*s->metadata.config));
	if (!s->metadata.config)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n && !rc; i++) {
		const char *eq = strchr(p[i], '=');
		struct cdc_str key = cdc_str(p[i], eq ? (size_t)(eq - p[i]) : 0);

		if (!key.n)
			return cdc_fail(err, CDC_EUSAGE, "--property %s: not of the form KEY=VALUE",
					p[i]);
		rc = check_property(key, err);
		if (!rc)
			rc = add_config(s, key, cdc_str_z(eq + 1), err);
	}
	if (!rc && t->opt->mode == CDC_MERGE_DV &&
	    !config_is(&s->metadata, "delta.enableDeletionVectors", "true"))
		rc = add_config(s, CDC_STR("delta.enableDeletionVectors"), CDC_STR("true"), err);
	if (!rc)
		rc = add_key_config(t, s, err);
	return rc ? rc : add_source_config(s, rec, err);
}

/* The lowest protocol that the table's features need. */
static int fill_protocol(struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cdc_str *feature = cdc_arena_calloc(&s->arena, 4, sizeof(*feature));
	int n = 0;

	if (!feature)
		return cdc_fail_nomem(err);
	if (config_is(&s->metadata, "delta.enableDeletionVectors", "true"))
		feature[n++] = CDC_STR("deletionVectors");
	for (int i = 0; i < s->schema.num_fields; i++)
		if (s->schema.field[i].type == CDC_TYPE_TIMESTAMP_NTZ) {
			feature[n++] = CDC_STR("timestampNtz");
			break;
		}
	s->protocol = (struct cdc_protocol){ .reader_version = 1, .writer_version = 2 };
	if (!n)
		return CDC_OK;
	s->protocol = (struct cdc_protocol){ .reader_version = 3,
					     .writer_version = 7,
					     .reader_feature = feature,
					     .num_reader_features = n,
					     .writer_feature = feature,
					     .num_writer_features = n };
	/* What writer version 2 means: Spark refuses NOT NULL columns without the second. */
	feature[s->protocol.num_writer_features++] = CDC_STR("appendOnly");
	feature[s->protocol.num_writer_features++] = CDC_STR("invariants");
	return CDC_OK;
}

static int fill_partitions(struct cdc_target *t, struct cdc_snapshot *s, struct cdc_err *err)
{
	const char *const *p = t->opt->partition_by;
	int n = 0;

	while (p && p[n])
		n++;
	s->metadata.partition_column =
		cdc_arena_calloc(&s->arena, (size_t)n + 1, sizeof(*s->metadata.partition_column));
	if (!s->metadata.partition_column)
		return cdc_fail_nomem(err);
	for (int i = 0; i < n; i++) {
		int f = cdc_schema_find(&s->schema, cdc_str_z(p[i]));

		if (f < 0)
			return cdc_fail(err, CDC_EUSAGE, "--partition-by %s: no such column", p[i]);
		if (s->schema.field[f].is_partition)
			return cdc_fail(err, CDC_EUSAGE, "--partition-by %s: named twice", p[i]);
		s->schema.field[f].is_partition = true;
		s->metadata.partition_column[i] = s->schema.field[f].name;
	}
	if (n && n == s->schema.num_fields)
		return cdc_fail(err, CDC_EUSAGE, "every column is a partition column");
	s->metadata.num_partition_columns = n;
	return CDC_OK;
}

static int fill_metadata(struct cdc_target *t, struct cdc_snapshot *s, const struct cdc_record *rec,
			 struct cdc_err *err)
{
	struct cdc_buf json = CDC_BUF_INIT;
	char uuid[37];
	int rc = cdc_io_uuid(t->io, uuid, NULL, err);

	if (!rc)
		rc = cdc_schema_to_json(&s->schema, &json, err);
	if (!rc) {
		s->metadata.id = keep(&s->arena, cdc_str_z(uuid));
		s->metadata.schema_json = keep(&s->arena, cdc_buf_str(&json));
		s->metadata.has_created_time = true;
		s->metadata.created_time_ms = t->io->now_us(t->io->ctx) / 1000;
		if (!s->metadata.id.p || !s->metadata.schema_json.p)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&json);
	if (!rc)
		rc = fill_partitions(t, s, err);
	if (!rc)
		rc = fill_config(t, s, rec, err);
	return rc ? rc : fill_protocol(s, err);
}

/* ------------------------------------------------------------------ key */

static int option_names(const char *const *key, struct cdc_arena *arena, struct cdc_str **name,
			int *n, struct cdc_err *err)
{
	*n = 0;
	while (key[*n])
		++*n;
	*name = cdc_arena_calloc(arena, (size_t)*n + 1, sizeof(**name));
	if (!*name)
		return cdc_fail_nomem(err);
	for (int i = 0; i < *n; i++)
		(*name)[i] = cdc_str_z(key[i]);
	return CDC_OK;
}

/* Whether two keys are of the same columns, in any order. */
static bool same_columns(const struct cdc_key *a, const struct cdc_key *b)
{
	bool same = a->num_fields == b->num_fields;

	for (int i = 0; same && i < a->num_fields; i++) {
		same = false;
		for (int k = 0; !same && k < b->num_fields; k++)
			same = a->field[i] == b->field[k];
	}
	return same;
}

/*
 * A table whose rows are told apart by one key must not be merged by another: rows that are
 * distinct there would be one here.
 */
static int check_key(const struct cdc_target *t, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_key stored = { .num_fields = 0 };
	struct cdc_str *name = NULL, config = CDC_STR_INIT;
	int n = 0, rc = cdc_key_stored(&s->metadata, &tape, &arena, &name, &n, err);

	if (!rc && n)
		rc = cdc_key_init(&stored, &s->schema, name, n, err);
	if (!rc && n && !same_columns(&stored, &t->key)) {
		(void)cdc_metadata_config(&s->metadata, "cdc.key", &config);
		rc = cdc_fail(err, CDC_EUSAGE, "the key of %s is %.*s, not the columns of --key",
			      t->path, (int)config.n, config.p);
	}
	cdc_key_free(&stored);
	cdc_tape_free(&tape);
	cdc_arena_free(&arena);
	return rc;
}

/* --key, else the table's cdc.key, else the primary key of the SCHEMA record. */
static int find_key(struct cdc_target *t, const struct cdc_snapshot *s,
		    const struct cdc_record *rec, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_str *name = NULL;
	int n = 0, rc = CDC_OK;

	if (t->opt->key)
		rc = option_names(t->opt->key, &arena, &name, &n, err);
	else
		rc = cdc_key_stored(&s->metadata, &tape, &arena, &name, &n, err);
	if (!rc && !n && rec && rec->primary_key_tok != CDC_JSON_NONE)
		rc = cdc_key_names(rec->tape, rec->primary_key_tok, &arena, &name, &n, err);
	if (!rc && !n)
		rc = cdc_fail(err, CDC_EUSAGE, "nothing tells the key of %s: use --key", t->path);
	if (!rc) {
		cdc_key_free(&t->key);
		rc = cdc_key_init(&t->key, &s->schema, name, n, err);
	}
	cdc_tape_free(&tape);
	cdc_arena_free(&arena);
	return rc;
}

/* ------------------------------------------------------------------ opening */

static int draft(struct cdc_target *t, const struct cdc_record *rec, struct cdc_err *err)
{
	struct cdc_snapshot *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return cdc_fail_nomem(err);
	s->version = -1;
	s->checkpoint_version = -1;
	s->table = strdup(t->path);
	rc = s->table ? build_schema(t, rec, &s->schema, err) : cdc_fail_nomem(err);
	if (!rc)
		rc = find_key(t, s, rec, err);
	if (!rc)
		rc = fill_metadata(t, s, rec, err);
	if (rc) {
		cdc_snapshot_free(s);
		return rc;
	}
	t->snapshot = s;
	t->creating = true;
	return CDC_OK;
}

static int open_existing(struct cdc_target *t, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, t->io, t->path, -1, err);

	if (!rc)
		rc = cdc_snapshot_check_writable(s, err);
	if (rc) {
		cdc_snapshot_free(s);
		return rc;
	}
	t->snapshot = s;
	t->creating = false;
	return CDC_OK;
}

int cdc_target_ready(struct cdc_target *t, const struct cdc_record *schema_record,
		     struct cdc_err *err)
{
	bool exists = false;
	int rc;

	if (t->snapshot)
		return CDC_OK;
	rc = cdc_log_exists(t->io, t->path, &exists, err);
	if (rc)
		return rc;
	if (exists) {
		rc = open_existing(t, err);
		if (!rc)
			rc = find_key(t, t->snapshot, schema_record, err);
		return rc ? rc : check_key(t, t->snapshot, err);
	}
	if (!schema_record && !t->opt->create)
		return cdc_fail(err, CDC_EUSAGE,
				"%s is no table, and the input has no SCHEMA record: use --create "
				"with --schema and --key",
				t->path);
	return draft(t, schema_record, err);
}

int cdc_target_reload(struct cdc_target *t, struct cdc_snapshot **old, struct cdc_err *err)
{
	struct cdc_snapshot *before = t->snapshot;
	int rc;

	*old = NULL;
	rc = open_existing(t, err);
	if (rc)
		return rc;
	if (!cdc_str_eq(before->metadata.schema_json, t->snapshot->metadata.schema_json))
		rc = cdc_fail(err, CDC_ECONFLICT, "another writer changed the schema of %s",
			      t->path);
	else
		rc = check_key(t, t->snapshot, err);
	if (rc) {
		cdc_snapshot_free(t->snapshot);
		t->snapshot = before;
		return rc;
	}
	*old = before;
	return CDC_OK;
}
