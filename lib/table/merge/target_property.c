/*
 * --property: table properties asked for on the command line.
 */
#include "delta/property.h"
#include "table/merge/target_int.h"

#define SHOWN(s) (int)((s).n > 200 ? 200 : (s).n), (s).p

static struct cdc_str key_of(const char *property)
{
	const char *eq = strchr(property, '=');

	return cdc_str(property, eq ? (size_t)(eq - property) : 0);
}

int target_property(const struct cdc_target *t, size_t i, struct cdc_str *key,
		    struct cdc_str *value, struct cdc_err *err)
{
	const char *const *p = t->opt->property;

	*key = key_of(p[i]);
	if (!key->n)
		return cdc_fail(err, CDC_EUSAGE, "--property %s: not of the form KEY=VALUE", p[i]);
	for (size_t k = 0; k < i; k++)
		if (cdc_str_eq(key_of(p[k]), *key))
			return cdc_fail(err, CDC_EUSAGE, "--property %.*s is given twice",
					SHOWN(*key));
	*value = cdc_str_z(p[i] + key->n + 1);
	return cdc_property_check(*key, *value, err);
}

/* ------------------------------------------------------------------ a table that is there */

static int refuse(struct cdc_str key, struct cdc_str value, const char *reason, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EUSAGE, "--property %.*s=%.*s: %s", SHOWN(key), SHOWN(value),
			reason);
}

/* Some properties are for new tables, or for tables without rows. */
static int check_on_table(const struct target_change *c, const struct cdc_target *t,
			  struct cdc_str key, struct cdc_str value, struct cdc_err *err)
{
	static const char constraint[] = "delta.constraints.";
	size_t n = sizeof(constraint) - 1;
	bool has_files = t->snapshot->num_adds > 0;
	struct cdc_str mode;

	if (cdc_str_eqz(key, "delta.columnMapping.mode")) {
		if (!change_get(c, "delta.columnMapping.mode", &mode))
			mode = CDC_STR("none");
		if (!cdc_str_ieq(mode, value) &&
		    (!cdc_str_ieq(mode, CDC_STR("none")) || !cdc_str_ieq(value, CDC_STR("name"))))
			return refuse(key, value, "a table that is there may go from none to name",
				      err);
	}
	if (has_files && cdc_str_eqz(key, "delta.enableRowTracking") &&
	    cdc_str_ieq(value, CDC_STR("true")))
		return refuse(key, value, "the rows that the table holds have no ids", err);
	if (has_files && key.n > n && !memcmp(key.p, constraint, n))
		return refuse(key, value,
			      "whether the rows that the table holds meet it is not known", err);
	return CDC_OK;
}

/* Since when the commits tell their times (spec section 13): since the one that turns it on. */
static int note_commit_times(struct target_change *c, struct cdc_target *t, int64_t *ms,
			     struct cdc_err *err)
{
	struct cdc_buf number = CDC_BUF_INIT;
	int64_t now = t->io->now_us(t->io->ctx) / 1000;
	int rc;

	*ms = now > t->snapshot->timestamp_ms ? now : t->snapshot->timestamp_ms + 1;
	rc = cdc_buf_printf(&number, err, "%lld", (long long)t->snapshot->version + 1);
	if (!rc)
		rc = change_set(c, CDC_STR("delta.inCommitTimestampEnablementVersion"),
				cdc_buf_str(&number), err);
	cdc_buf_reset(&number);
	if (!rc)
		rc = cdc_buf_printf(&number, err, "%lld", (long long)*ms);
	if (!rc)
		rc = change_set(c, CDC_STR("delta.inCommitTimestampEnablementTimestamp"),
				cdc_buf_str(&number), err);
	cdc_buf_free(&number);
	return rc;
}

/* What other properties have to go with those that change. */
static int follow_up(struct target_change *c, struct cdc_target *t, int64_t *ict_ms,
		     struct cdc_err *err)
{
	const struct cdc_metadata *m = &t->snapshot->metadata;
	bool was_on = cdc_metadata_config_is(m, "delta.enableInCommitTimestamps", "true");
	bool is_on = change_is(c, "delta.enableInCommitTimestamps", "true");
	int rc = change_track_rows(c, t, err);

	if (!rc && change_is(c, "delta.columnMapping.mode", "name") &&
	    !cdc_mapped(&t->snapshot->protocol, m))
		rc = change_map_columns(c, t, false, err);
	if (!rc && is_on && !was_on)
		rc = note_commit_times(c, t, ict_ms, err);
	if (was_on && !is_on) {
		change_unset(c, "delta.inCommitTimestampEnablementVersion");
		change_unset(c, "delta.inCommitTimestampEnablementTimestamp");
	}
	return rc;
}

static int put_pair(struct cdc_buf *what, struct cdc_buf *json, struct cdc_str key,
		    struct cdc_str value, struct cdc_err *err)
{
	int rc = cdc_buf_puts(json, json->len ? "," : "{", err);

	if (!rc)
		rc = cdc_json_put_string(json, key, err);
	if (!rc)
		rc = cdc_buf_putc(json, ':', err);
	if (!rc)
		rc = cdc_json_put_string(json, value, err);
	return rc ? rc
		  : cdc_buf_printf(what, err, "%s%.*s=%.*s", what->len ? ", " : "", SHOWN(key),
				   SHOWN(value));
}

/* The properties that differ, into the change and, for the commit, as the text of an object. */
static int plan(struct target_change *c, struct cdc_target *t, struct cdc_buf *what,
		struct cdc_buf *json, struct cdc_err *err)
{
	const char *const *p = t->opt->property;

	for (size_t i = 0; p[i]; i++) {
		struct cdc_str key, value;
		int have;

		if (target_property(t, i, &key, &value, err))
			return err->code;
		for (have = 0; have < c->num_config; have++)
			if (cdc_str_eq(c->config[have].key, key) &&
			    cdc_str_eq(c->config[have].value, value))
				break;
		if (have < c->num_config)
			continue;
		if (check_on_table(c, t, key, value, err) || change_set(c, key, value, err) ||
		    put_pair(what, json, key, value, err))
			return err->code;
	}
	return json->len ? cdc_buf_putc(json, '}', err) : CDC_OK;
}

/* One attempt; CDC_ECONFLICT: another writer was first. */
static int try_once(struct cdc_target *t, struct cdc_buf *what, int64_t *version,
		    struct cdc_err *err)
{
	struct cdc_buf json = CDC_BUF_INIT;
	struct target_change c = { .added = 0 };
	struct cdc_kv parameter = { .key = CDC_STR("properties") };
	struct cdc_commit commit = { .operation = "SET TBLPROPERTIES",
				     .parameter = &parameter,
				     .num_parameters = 1,
				     .isolation = "Serializable",
				     .is_blind_append = true,
				     .read_version = t->snapshot->version };
	int rc = change_begin(&c, t, err);

	cdc_buf_reset(what);
	if (!rc)
		rc = plan(&c, t, what, &json, err);
	if (rc || !json.len)
		goto out;
	rc = follow_up(&c, t, &commit.in_commit_timestamp_ms, err);
	if (!rc)
		rc = change_apply(&c, t, err);
	/* The command line asked for what cannot be honoured; the table is as good as it was. */
	if (rc == CDC_EUNSUPPORTED)
		rc = err->code = CDC_EUSAGE;
	if (rc || t->opt->dry_run)
		goto out;
	parameter.value = cdc_buf_str(&json);
	cdc_target_fill_commit(t, &commit);
	rc = cdc_commit_put(t->io, t->path, commit.read_version + 1, &commit, err);
	if (!rc)
		*version = commit.read_version + 1;
out:
	cdc_target_committed(t);
	change_free(&c);
	cdc_buf_free(&json);
	return rc;
}

int cdc_target_set_properties(struct cdc_target *t, struct cdc_buf *what, int64_t *version,
			      struct cdc_err *err)
{
	struct cdc_err warning;
	int retries = 0, rc;

	*version = -1;
	if (!t->opt->property || !t->opt->property[0])
		return CDC_OK;
	while ((rc = try_once(t, what, version, err)) == CDC_ECONFLICT &&
	       retries < t->opt->retries) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		rc = cdc_io_back_off(t->io, (unsigned)retries++, err);
		if (!rc)
			rc = cdc_target_reload(t, NULL, err);
		if (rc)
			return rc;
	}
	if (rc || *version < 0)
		return rc;
	warning = *err;
	rc = cdc_target_reload(t, NULL, err);
	if (!rc)
		*err = warning;
	return rc;
}
