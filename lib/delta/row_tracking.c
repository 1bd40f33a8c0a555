/*
 * Row ids of new files. See row_tracking.h.
 */
#include "delta/row_tracking.h"

#include "base/json.h"
#include "delta/stats.h"

#include <inttypes.h>

#define DOMAIN CDC_STR("delta.rowTracking")
#define HIGH_WATER_MARK "rowIdHighWaterMark"

bool cdc_row_tracking_on(const struct cdc_snapshot *s)
{
	return cdc_protocol_has_feature(&s->protocol, "rowTracking") &&
	       !cdc_metadata_config_is(&s->metadata, "delta.rowTrackingSuspended", "true");
}

static int find_columns(const struct cdc_snapshot *s,
			struct cdc_field out[CDC_ROW_TRACKING_COLUMNS], int *n, struct cdc_err *err)
{
	static const struct {
		const char *key;
		enum cdc_field_role role;
	} column[CDC_ROW_TRACKING_COLUMNS] = {
		{ "delta.rowTracking.materializedRowIdColumnName", CDC_FIELD_ROW_ID },
		{ "delta.rowTracking.materializedRowCommitVersionColumnName",
		  CDC_FIELD_ROW_COMMIT_VERSION }
	};

	*n = 0;
	if (!cdc_row_tracking_on(s) ||
	    !cdc_metadata_config_is(&s->metadata, "delta.enableRowTracking", "true"))
		return CDC_OK;
	for (int i = 0; i < CDC_ROW_TRACKING_COLUMNS; i++) {
		struct cdc_str name;

		if (!cdc_metadata_config(&s->metadata, column[i].key, &name) || !name.n)
			return cdc_fail(err, CDC_ECORRUPT,
					"table tracks rows, and its property %s is missing",
					column[i].key);
		out[i] = (struct cdc_field){ .name = name,
					     .physical_name = name,
					     .type = CDC_TYPE_LONG,
					     .nullable = true,
					     .role = column[i].role,
					     .metadata = CDC_STR("{}") };
	}
	*n = CDC_ROW_TRACKING_COLUMNS;
	return CDC_OK;
}

int cdc_tracked_table_init(struct cdc_tracked_table *t, const struct cdc_snapshot *s,
			   struct cdc_err *err)
{
	int rc;

	*t = (struct cdc_tracked_table){ .num_columns = 0 };
	rc = find_columns(s, t->column, &t->num_columns, err);
	return rc ? rc : cdc_snapshot_extend(&t->table, s, t->column, t->num_columns, err);
}

void cdc_tracked_table_free(struct cdc_tracked_table *t)
{
	cdc_snapshot_extend_free(&t->table);
}

int cdc_row_tracking_follow(const struct cdc_domain *d, int64_t *mark, struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	uint32_t at;
	int rc;

	if (!cdc_str_eq(d->domain, DOMAIN))
		return CDC_OK;
	rc = cdc_json_scan(&tape, d->configuration, NULL, err);
	at = rc ? CDC_JSON_NONE : cdc_json_get(&tape, 0, HIGH_WATER_MARK);
	if (rc || at == CDC_JSON_NONE || !cdc_json_int64(&tape, at, mark) || *mark < -1)
		rc = cdc_fail(err, CDC_ECORRUPT,
			      "domain delta.rowTracking does not tell the high-water mark");
	cdc_tape_free(&tape);
	return rc;
}

int cdc_row_tracking_mark(const struct cdc_snapshot *s, int64_t *mark, struct cdc_err *err)
{
	int rc = CDC_OK;

	*mark = -1;
	for (size_t i = 0; !rc && i < s->num_domains; i++)
		rc = cdc_row_tracking_follow(&s->domain[i], mark, err);
	return rc;
}

static int put_domain(struct cdc_domain *d, int64_t mark, struct cdc_arena *arena,
		      struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&b, err, "{\"" HIGH_WATER_MARK "\":%" PRId64 "}", mark);

	*d = (struct cdc_domain){ .domain = DOMAIN };
	if (!rc) {
		d->configuration = cdc_str(cdc_arena_dup(arena, b.p, b.len), b.len);
		if (!d->configuration.p)
			rc = cdc_fail_nomem(err);
	}
	cdc_buf_free(&b);
	return rc;
}

int cdc_row_tracking_assign(const struct cdc_snapshot *s, int64_t mark, int64_t version,
			    struct cdc_add *add, size_t n, struct cdc_domain *domain, bool *any,
			    struct cdc_arena *arena, struct cdc_err *err)
{
	*any = false;
	for (size_t i = 0; cdc_row_tracking_on(s) && i < n; i++) {
		int64_t rows = cdc_stats_num_records(add[i].stats);

		if (add[i].has_base_row_id)
			continue;
		if (rows < 0 || mark > INT64_MAX - rows)
			return cdc_fail(err, CDC_ECORRUPT,
					"row ids: a file of %lld rows after %lld", (long long)rows,
					(long long)mark);
		add[i].has_base_row_id = true;
		add[i].base_row_id = mark + 1;
		add[i].has_default_row_commit_version = true;
		add[i].default_row_commit_version = version;
		mark += rows;
		*any = true;
	}
	return *any ? put_domain(domain, mark, arena, err) : CDC_OK;
}
