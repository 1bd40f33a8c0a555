/*
 * Version checksums, _delta_log/<version>.crc: what they tell of a state against the state itself
 * (spec section 9). Spark derives the next one from the last, and other engines take one for the
 * state: a wrong one spreads.
 */
#include "table/fsck/fsck_int.h"

#include <inttypes.h>
#include <stdio.h>

#define CHECKSUM_MAX ((size_t)256 << 20) /* it may hold all files of a small table */
#define NEWEST 16 /* of the checksums; loading a state for each of all would be too dear */

struct sums {
	int64_t bytes;
	int64_t deleted_rows;
	int64_t dvs;
};

struct checksum {
	struct fsck *k;
	const struct cdc_snapshot *s;
	struct fsck_place at;
	struct cdc_tape tape;
	struct cdc_arena arena;
};

static struct sums sum_up(const struct cdc_snapshot *s)
{
	struct sums sum = { .bytes = 0 };

	for (size_t i = 0; i < s->num_adds; i++) {
		const struct cdc_add *a = &s->add[i];

		/* What does not fit is no sum that a checksum could hold. */
		if (__builtin_add_overflow(sum.bytes, a->size_bytes, &sum.bytes) ||
		    __builtin_add_overflow(sum.deleted_rows, a->dv.storage ? a->dv.cardinality : 0,
					   &sum.deleted_rows))
			sum.bytes = INT64_MAX;
		sum.dvs += a->dv.storage != 0;
	}
	return sum;
}

/* A member of an object; JSON null is as if it were not there. */
static uint32_t member(const struct checksum *c, uint32_t obj, const char *name)
{
	uint32_t v = cdc_json_get(&c->tape, obj, name);

	return v != CDC_JSON_NONE && c->tape.tok[v].type == CDC_JSON_NULL ? CDC_JSON_NONE : v;
}

static int check_number(struct checksum *c, const char *name, int64_t is, struct cdc_err *err)
{
	uint32_t v = member(c, 0, name);
	int64_t said;

	if (v == CDC_JSON_NONE || (cdc_json_int64(&c->tape, v, &said) && said == is))
		return CDC_OK;
	return fsck_report(c->k, FSCK_CHECKSUM, c->at, err, "%s is %.*s, and should be %" PRId64,
			   name, FSCK_SHOWN(cdc_json_raw(&c->tape, v)), is);
}

static int check_numbers(struct checksum *c, struct cdc_err *err)
{
	struct sums sum = sum_up(c->s);
	const struct {
		const char *name;
		int64_t is;
		bool applies;
	} number[] = {
		{ "numFiles", (int64_t)c->s->num_adds, true },
		{ "tableSizeBytes", sum.bytes, true },
		{ "numMetadata", 1, true },
		{ "numProtocol", 1, true },
		{ "numDeletedRecordsOpt", sum.deleted_rows, true },
		{ "numDeletionVectorsOpt", sum.dvs, true },
		{ "inCommitTimestampOpt", c->s->timestamp_ms, c->s->has_in_commit_timestamp },
	};
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < sizeof(number) / sizeof(number[0]); i++)
		if (number[i].applies)
			rc = check_number(c, number[i].name, number[i].is, err);
	return rc;
}

static bool same_text(const struct checksum *c, uint32_t obj, const char *name, struct cdc_str text)
{
	uint32_t v = member(c, obj, name);

	return v == CDC_JSON_NONE || cdc_json_is(&c->tape, v, text);
}

static bool same_int(const struct checksum *c, uint32_t obj, const char *name, int64_t is)
{
	uint32_t v = member(c, obj, name);
	int64_t said;

	return v == CDC_JSON_NONE || (cdc_json_int64(&c->tape, v, &said) && said == is);
}

static int check_heads(struct checksum *c, struct cdc_err *err)
{
	uint32_t m = member(c, 0, "metadata"), p = member(c, 0, "protocol");
	const struct cdc_snapshot *s = c->s;
	int rc = CDC_OK;

	if (m != CDC_JSON_NONE && (!same_text(c, m, "id", s->metadata.id) ||
				   !same_text(c, m, "schemaString", s->metadata.schema_json)))
		rc = fsck_report(c->k, FSCK_CHECKSUM, c->at, err,
				 "its metadata is not the table's of that version");
	if (!rc && p != CDC_JSON_NONE &&
	    (!same_int(c, p, "minReaderVersion", s->protocol.reader_version) ||
	     !same_int(c, p, "minWriterVersion", s->protocol.writer_version)))
		rc = fsck_report(c->k, FSCK_CHECKSUM, c->at, err,
				 "its protocol is not the table's of that version");
	return rc;
}

static int check_lists(struct checksum *c, struct cdc_err *err)
{
	uint32_t files = member(c, 0, "allFiles"), txns = member(c, 0, "setTransactions");
	const struct cdc_tape *t = &c->tape;
	int rc = CDC_OK;

	if (files != CDC_JSON_NONE && t->tok[files].type == CDC_JSON_ARRAY &&
	    t->tok[files].count != c->s->num_adds)
		rc = fsck_report(c->k, FSCK_CHECKSUM, c->at, err,
				 "allFiles has %u files, and the table %zu", t->tok[files].count,
				 c->s->num_adds);
	if (txns == CDC_JSON_NONE || t->tok[txns].type != CDC_JSON_ARRAY)
		return rc;
	for (uint32_t i = cdc_json_first(t, txns); !rc && i != CDC_JSON_NONE;
	     i = cdc_json_after(t, txns, i)) {
		uint32_t id = member(c, i, "appId");
		struct cdc_str app;

		if (id == CDC_JSON_NONE || t->tok[id].type != CDC_JSON_STRING)
			continue;
		rc = cdc_json_string(t, id, &c->arena, &app, err);
		if (!rc && !same_int(c, i, "version", cdc_snapshot_txn(c->s, app)))
			rc = fsck_report(c->k, FSCK_CHECKSUM, c->at, err,
					 "its version of the application \"%.*s\" is not the "
					 "table's",
					 FSCK_SHOWN(app));
	}
	return rc;
}

static int check_text(void *ctx, struct cdc_str text, struct cdc_err *err)
{
	struct checksum *c = ctx;
	struct cdc_err why = CDC_ERR_INIT;
	int rc;

	/* An empty one is passed over by all. */
	if (!text.n)
		return CDC_OK;
	rc = cdc_json_scan(&c->tape, text, NULL, &why);
	if (rc == CDC_EDATA || (!rc && c->tape.tok[0].type != CDC_JSON_OBJECT))
		return fsck_report(c->k, FSCK_CHECKSUM, c->at, err, "it is no JSON object");
	if (rc) {
		*err = why;
		return rc;
	}
	rc = check_numbers(c, err);
	if (!rc)
		rc = check_heads(c, err);
	return rc ? rc : check_lists(c, err);
}

static int check_file(struct fsck *k, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct checksum c = { .k = k, .s = s, .tape = CDC_TAPE_INIT };
	char name[CDC_LOG_NAME_MAX];
	int rc;

	snprintf(name, sizeof(name), "%020" PRId64 ".crc", s->version);
	c.at = (struct fsck_place){ cdc_str_z(name), s->version };
	rc = fsck_log_text(k, FSCK_CHECKSUM, name, CHECKSUM_MAX, c.at, check_text, &c, err);
	cdc_arena_free(&c.arena);
	cdc_tape_free(&c.tape);
	return rc;
}

static int check_version(struct fsck *k, int64_t version, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;
	int rc;

	if (version == k->s->version)
		return check_file(k, k->s, err);
	rc = cdc_snapshot_load(&s, k->io, k->table, version, &why);
	if (!rc) {
		rc = check_file(k, s, err);
	} else if (fsck_is_finding(&why) || rc == CDC_EUSAGE) {
		rc = CDC_OK; /* a version that the log does not reach back to any more */
	} else {
		*err = why;
	}
	cdc_snapshot_free(s);
	return rc;
}

int fsck_checksums(struct fsck *k, struct cdc_err *err)
{
	int left = NEWEST;
	int rc = CDC_OK;

	for (size_t i = k->list.n; !rc && i-- > 0 && left > 0;) {
		if (k->list.file[i].kind != CDC_LOG_CHECKSUM)
			continue;
		rc = check_version(k, k->list.file[i].version, err);
		left--;
	}
	return rc;
}
