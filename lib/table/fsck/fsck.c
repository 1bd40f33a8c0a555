/*
 * Checking a table: the order of the parts, and the summary. See fsck.h.
 */
#include "table/fsck/fsck_int.h"

#include "table/describe/describe_json.h"

#include <stdlib.h>

/*
 * The snapshot once more with no column marked as one of the partition: by it a data file shows its
 * own copies of partition columns, if it has any. Everything but the array of fields is borrowed.
 */
static int make_bare(struct fsck *k, struct cdc_err *err)
{
	size_t n = (size_t)k->s->schema.num_fields;

	k->bare = malloc(sizeof(*k->bare));
	k->bare_field = calloc(n + 1, sizeof(*k->bare_field));
	if (!k->bare || !k->bare_field)
		return cdc_fail_nomem(err);
	*k->bare = *k->s;
	if (n)
		memcpy(k->bare_field, k->s->schema.field, n * sizeof(*k->bare_field));
	for (size_t i = 0; i < n; i++)
		k->bare_field[i].is_partition = false;
	k->bare->schema.field = k->bare_field;
	return CDC_OK;
}

static int load(struct fsck *k, struct cdc_err *err)
{
	int rc = cdc_snapshot_load(&k->s, k->io, k->table, k->opt->version, err);

	if (rc)
		return rc;
	k->s->allow_external = k->opt->allow_external;
	k->r->version = k->s->version;
	return make_bare(k, err);
}

static int check_log(struct fsck *k, struct cdc_err *err)
{
	struct cdc_log_checkpoint cp;
	size_t at;
	int rc = cdc_log_list_read(&k->list, k->io, k->table, err);

	if (rc)
		return rc;
	at = k->list.n;
	if (cdc_log_checkpoint_before(&k->list, INT64_MAX, &at, &cp))
		k->newest_checkpoint = cp.version;
	rc = cdc_tree_set_new(&k->known, k->io, k->table, err);
	return rc ? rc : fsck_log(k, err);
}

static int check_derived(struct fsck *k, struct cdc_err *err)
{
	int rc = fsck_checkpoints(k, err);

	if (!rc)
		rc = fsck_hint(k, err);
	return rc ? rc : fsck_checksums(k, err);
}

static int put_summary(struct fsck *k, struct cdc_err *err)
{
	const struct cdc_fsck_result *r = k->r;
	const struct {
		const char *name;
		uint64_t n;
		bool whole; /* only told when all was looked at */
	} member[] = {
		{ "version", (uint64_t)r->version, false },
		{ "errors", r->errors, false },
		{ "warnings", r->warnings, false },
		{ "files", r->files, false },
		{ "rows", r->rows, false },
		{ "bytes", r->bytes, false },
		{ "orphanFiles", r->orphan_files, true },
		{ "orphanBytes", r->orphan_bytes, true },
	};
	struct cdc_json_out j = { .buf = &k->line, .err = err };

	cdc_json_out_open(&j, '{');
	cdc_json_out_key(&j, "check");
	cdc_json_out_str(&j, CDC_STR("summary"));
	for (size_t i = 0; i < sizeof(member) / sizeof(member[0]); i++) {
		if (member[i].whole && k->opt->files_only)
			continue;
		cdc_json_out_key(&j, member[i].name);
		cdc_json_out_int(&j, (int64_t)member[i].n);
	}
	cdc_json_out_close(&j, '}');
	return fsck_put_line(k, j.rc, err);
}

static int run(struct fsck *k, struct cdc_err *err)
{
	bool all = !k->opt->files_only;
	int rc = all ? check_log(k, err) : CDC_OK;

	if (!rc)
		rc = load(k, err);
	if (!rc && all)
		rc = check_derived(k, err);
	if (!rc)
		rc = fsck_files(k, err);
	if (!rc && all)
		rc = fsck_orphans(k, err);
	if (!rc && all)
		rc = fsck_verdicts(k, err);
	return rc ? rc : put_summary(k, err);
}

int cdc_fsck(const struct cdc_fsck_options *opt, struct cdc_writer *out, struct cdc_fsck_result *r,
	     struct cdc_err *err)
{
	struct fsck k = { .opt = opt, .io = opt->io, .out = out, .r = r, .newest_checkpoint = -1 };
	size_t n = strlen(opt->table);
	char *table;
	int rc;

	*r = (struct cdc_fsck_result){ .version = -1 };
	while (n > 1 && opt->table[n - 1] == '/')
		n--;
	table = strndup(opt->table, n);
	if (!table)
		return cdc_fail_nomem(err);
	k.table = table;
	rc = run(&k, err);
	cdc_tree_set_free(k.known);
	cdc_log_list_free(&k.list);
	free(k.bare_field);
	free(k.bare);
	cdc_snapshot_free(k.s);
	cdc_buf_free(&k.line);
	free(table);
	return rc;
}
