/*
 * Which engines can read a table and write to it: by the features of its protocol, and by what was
 * found.
 *
 * Versions: Delta Lake 3.3 and 4.0 for Spark, deltalake (delta-rs) 1.6, DuckDB 1.5 with its
 * extension delta. A feature counts as known when some of these versions of Spark have it.
 */
#include "table/fsck/fsck_int.h"

#include "table/describe/describe_json.h"

static const struct {
	const char *name;
	unsigned bit;
	int reader_version; /* the highest without lists of features, or with them */
	int writer_version;
} engine[] = {
	{ "Spark", FSCK_SPARK, 3, 7 },
	{ "delta-rs", FSCK_RUST, 3, 7 },
	{ "DuckDB", FSCK_DUCKDB, 3, 7 },
};

/* Who reads, and who writes, tables that list a feature. */
static const struct {
	const char *name;
	int writer_version; /* the one before lists that implies it; 0: none */
	unsigned read;
	unsigned write;
} feature[] = {
	{ "appendOnly", 2, FSCK_ALL, FSCK_ALL },
	{ "invariants", 2, FSCK_ALL, FSCK_ALL },
	{ "checkConstraints", 3, FSCK_ALL, FSCK_SPARK | FSCK_RUST },
	{ "changeDataFeed", 4, FSCK_ALL, FSCK_ALL },
	{ "generatedColumns", 4, FSCK_ALL, FSCK_SPARK | FSCK_RUST },
	{ "columnMapping", 5, FSCK_ALL, FSCK_SPARK | FSCK_RUST },
	{ "identityColumns", 6, FSCK_ALL, FSCK_SPARK },
	{ "deletionVectors", 0, FSCK_ALL, FSCK_ALL },
	{ "timestampNtz", 0, FSCK_ALL, FSCK_ALL },
	{ "v2Checkpoint", 0, FSCK_ALL, FSCK_ALL },
	{ "vacuumProtocolCheck", 0, FSCK_SPARK | FSCK_DUCKDB, FSCK_SPARK | FSCK_DUCKDB },
	{ "typeWidening", 0, FSCK_SPARK | FSCK_DUCKDB, FSCK_SPARK },
	{ "typeWidening-preview", 0, FSCK_SPARK | FSCK_DUCKDB, FSCK_SPARK },
	{ "variantType", 0, FSCK_ALL, FSCK_SPARK | FSCK_RUST },
	{ "variantType-preview", 0, FSCK_ALL, FSCK_SPARK | FSCK_RUST },
	{ "variantShredding-preview", 0, FSCK_SPARK | FSCK_DUCKDB, FSCK_SPARK },
	{ "domainMetadata", 0, FSCK_ALL, FSCK_SPARK | FSCK_DUCKDB },
	{ "rowTracking", 0, FSCK_ALL, FSCK_SPARK | FSCK_DUCKDB },
	{ "clustering", 0, FSCK_ALL, FSCK_SPARK },
	{ "inCommitTimestamp", 0, FSCK_ALL, FSCK_SPARK | FSCK_DUCKDB },
	{ "allowColumnDefaults", 0, FSCK_ALL, FSCK_SPARK },
	{ "icebergCompatV1", 0, FSCK_ALL, FSCK_SPARK },
	{ "icebergCompatV2", 0, FSCK_ALL, FSCK_SPARK },
	{ "materializePartitionColumns", 0, FSCK_ALL, FSCK_SPARK | FSCK_DUCKDB },
	{ "checkpointProtection", 0, FSCK_ALL, FSCK_SPARK },
	{ "coordinatedCommits-preview", 0, FSCK_SPARK, FSCK_SPARK },
};

#define NUM_ENGINES (sizeof(engine) / sizeof(engine[0]))
#define NUM_FEATURES (sizeof(feature) / sizeof(feature[0]))

struct verdict {
	struct cdc_json_out j;
	struct cdc_buf text;
	unsigned bit;
	bool readable;
	bool writable;
};

static void add_reason(struct verdict *v, bool can_read, int rc)
{
	v->readable = v->readable && can_read;
	v->writable = false;
	if (!v->j.rc)
		v->j.rc = rc;
	cdc_json_out_str(&v->j, cdc_buf_str(&v->text));
	cdc_buf_reset(&v->text);
}

static void weigh_feature(struct verdict *v, struct cdc_str name, bool for_readers)
{
	unsigned read = 0, write = 0;

	for (size_t i = 0; i < NUM_FEATURES; i++) {
		if (cdc_str_eqz(name, feature[i].name)) {
			read = feature[i].read;
			write = feature[i].write;
		}
	}
	if (for_readers && !(read & v->bit))
		add_reason(v, false,
			   cdc_buf_printf(&v->text, v->j.err, "reader feature %.*s",
					  FSCK_SHOWN(name)));
	else if (!for_readers && !(write & v->bit))
		add_reason(v, true,
			   cdc_buf_printf(&v->text, v->j.err, "writer feature %.*s",
					  FSCK_SHOWN(name)));
}

static bool is_listed(const struct cdc_str *list, int n, struct cdc_str name)
{
	for (int i = 0; i < n; i++)
		if (cdc_str_eq(list[i], name))
			return true;
	return false;
}

static void weigh_protocol(struct verdict *v, const struct cdc_protocol *p)
{
	for (int i = 0; i < p->num_reader_features; i++)
		weigh_feature(v, p->reader_feature[i], true);
	/* Who does not read it for a feature does not write it either: one reason is enough. */
	for (int i = 0; i < p->num_writer_features; i++)
		if (v->readable ||
		    !is_listed(p->reader_feature, p->num_reader_features, p->writer_feature[i]))
			weigh_feature(v, p->writer_feature[i], false);
	for (size_t i = 0; p->writer_version < 7 && i < NUM_FEATURES; i++)
		if (feature[i].writer_version && feature[i].writer_version <= p->writer_version)
			weigh_feature(v, cdc_str_z(feature[i].name), false);
	if (p->writer_list_missing)
		add_reason(v, true,
			   cdc_buf_puts(&v->text, "writer version 7 without writerFeatures",
					v->j.err));
}

static void weigh_findings(struct verdict *v, const struct fsck *k)
{
	for (int i = 0; i < FSCK_NUM_CHECKS; i++) {
		const struct fsck_def *d = &fsck_def[i];

		if (k->found[i] && ((d->no_read | d->no_write) & v->bit))
			add_reason(v, !(d->no_read & v->bit),
				   cdc_buf_printf(&v->text, v->j.err, "%s: %llu findings", d->name,
						  (unsigned long long)k->found[i]));
	}
}

/* The reasons come before what they decide, and are printed after it. */
static int put_verdict(struct fsck *k, size_t i, struct cdc_err *err)
{
	struct cdc_buf reasons = CDC_BUF_INIT;
	struct verdict v = { .j = { .buf = &reasons, .err = err },
			     .bit = engine[i].bit,
			     .readable = k->s->protocol.reader_version <= engine[i].reader_version,
			     .writable =
				     k->s->protocol.writer_version <= engine[i].writer_version };
	struct cdc_json_out j = { .buf = &k->line, .err = err };

	cdc_json_out_open(&v.j, '[');
	weigh_protocol(&v, &k->s->protocol);
	weigh_findings(&v, k);
	cdc_json_out_close(&v.j, ']');
	j.rc = v.j.rc;
	cdc_json_out_open(&j, '{');
	cdc_json_out_key(&j, "check");
	cdc_json_out_str(&j, CDC_STR("verdict"));
	cdc_json_out_key(&j, "engine");
	cdc_json_out_str(&j, cdc_str_z(engine[i].name));
	cdc_json_out_key(&j, "readable");
	cdc_json_out_bool(&j, v.readable);
	cdc_json_out_key(&j, "writable");
	cdc_json_out_bool(&j, v.readable && v.writable);
	cdc_json_out_key(&j, "reason");
	cdc_json_out_raw(&j, cdc_buf_str(&reasons));
	cdc_json_out_close(&j, '}');
	cdc_buf_free(&reasons);
	cdc_buf_free(&v.text);
	return fsck_put_line(k, j.rc, err);
}

int fsck_verdicts(struct fsck *k, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < NUM_ENGINES; i++)
		rc = put_verdict(k, i, err);
	return rc;
}
