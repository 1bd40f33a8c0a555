/*
 * The table that a merge writes to. See target.h.
 */
#include "table/merge/target_int.h"

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

int target_find_key(struct cdc_target *t, const struct cdc_snapshot *s,
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

/* Replace the snapshot by what the log has. The old one stays on failure. */
static int open_latest(struct cdc_target *t, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, t->io, t->path, -1, err);

	if (!rc)
		rc = cdc_snapshot_check_writable(s, err);
	if (rc) {
		cdc_snapshot_free(s);
		return rc;
	}
	cdc_snapshot_free(t->snapshot);
	t->snapshot = s;
	t->creating = false;
	cdc_target_committed(t);
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
		rc = open_latest(t, err);
		if (!rc)
			rc = target_find_key(t, t->snapshot, schema_record, err);
		return rc ? rc : check_key(t, t->snapshot, err);
	}
	if (!schema_record && !t->opt->create)
		return cdc_fail(err, CDC_EUSAGE,
				"%s is no table, and the input has no SCHEMA record: use --create "
				"with --schema and --key",
				t->path);
	return target_draft(t, schema_record, err);
}

/* Whether rows made for one schema fit the other: the same columns of the same types, in order. */
static bool same_shape(const struct cdc_schema *a, const struct cdc_schema *b)
{
	for (int i = 0; i < a->num_fields && i < b->num_fields; i++) {
		const struct cdc_field *x = &a->field[i], *y = &b->field[i];

		if (!cdc_str_eq(x->name, y->name) || x->type != y->type ||
		    x->precision != y->precision || x->scale != y->scale ||
		    x->nullable != y->nullable || x->is_partition != y->is_partition ||
		    (x->num_children && !cdc_str_eq(x->type_json, y->type_json)))
			return false;
	}
	return a->num_fields == b->num_fields;
}

int cdc_target_reload(struct cdc_target *t, struct cdc_snapshot **old, struct cdc_err *err)
{
	struct cdc_target before = *t;
	int rc;

	if (old)
		*old = NULL;
	t->snapshot = NULL;
	t->pending = false;
	t->raised = false;
	rc = open_latest(t, err);
	if (!rc && before.pending)
		rc = target_evolve_to(t, &before.snapshot->schema, err);
	if (!rc && !same_shape(&before.snapshot->schema, &t->snapshot->schema))
		rc = cdc_fail(err, CDC_ECONFLICT, "another writer changed the schema of %s",
			      t->path);
	if (!rc)
		rc = check_key(t, t->snapshot, err);
	if (rc) {
		cdc_snapshot_free(t->snapshot);
		*t = before;
		return rc;
	}
	if (old)
		*old = before.snapshot;
	else
		cdc_snapshot_free(before.snapshot);
	return CDC_OK;
}

void cdc_target_fill_commit(const struct cdc_target *t, struct cdc_commit *c)
{
	if (t->pending)
		c->metadata = &t->snapshot->metadata;
	if (t->pending && t->raised)
		c->protocol = &t->snapshot->protocol;
}

void cdc_target_committed(struct cdc_target *t)
{
	t->pending = false;
	t->raised = false;
	t->columns = (struct cdc_target_columns){ .added = 0 };
}
