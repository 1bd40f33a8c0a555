/*
 * Changes of a table, commit by commit. See changes.h.
 */
#include "table/changes/changes_int.h"

#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>

/* recordID = version << NUMBER_BITS | number: of up to 2^31 versions. */
#define NUMBER_BITS 32
#define MAX_NUMBER UINT32_MAX

#define PROGRESS_RECORDS 1024

/* ------------------------------------------------------------------ names */

/* The last component of the table's path; "table" where it does not tell ("." or "/"). */
static struct cdc_str base_name(const char *table)
{
	size_t n = strlen(table), from;

	while (n && table[n - 1] == '/')
		n--;
	for (from = n; from && table[from - 1] != '/';)
		from--;
	n -= from;
	if (!n || (n == 1 && table[from] == '.') || (n == 2 && !memcmp(table + from, "..", 2)))
		return CDC_STR("table");
	return cdc_str(table + from, n);
}

/* ,"source":{…},"dbTable":"…" */
static int name_table(struct changes_out *o, const struct cdc_snapshot *s, struct cdc_err *err)
{
	struct cdc_buf name = CDC_BUF_INIT;
	struct cdc_str text;
	int rc = CDC_OK;

	if (!cdc_metadata_config(&s->metadata, "cdc.source", &text) || !text.n) {
		text = s->metadata.name.n ? s->metadata.name : base_name(o->opt->table);
		if (!memchr(text.p, '.', text.n))
			rc = cdc_buf_puts(&name, "default.", err);
	}
	if (!rc)
		rc = cdc_buf_put(&name, text, err);
	if (!rc && !cdc_utf8_valid(name.p, name.len))
		rc = cdc_fail(err, CDC_EUNSUPPORTED, "the name of %s is not UTF-8", o->opt->table);
	if (!rc)
		rc = cdc_buf_puts(&o->db_table,
				  ",\"source\":{\"sourceType\":\"Delta\"},\"dbTable\":", err);
	if (!rc)
		rc = cdc_json_put_string(&o->db_table, cdc_buf_str(&name), err);
	cdc_buf_free(&name);
	return rc;
}

static int name_topic(struct changes_out *o, const struct cdc_snapshot *s, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&o->topic);
	rc = cdc_buf_puts(&o->topic, "{\"topic\":\"delta:", err);
	if (!rc)
		rc = cdc_json_put_escaped(&o->topic, s->metadata.id, err);
	return rc ? rc : cdc_buf_puts(&o->topic, "\",\"partition\":0,\"offset\":", err);
}

/* ,"recordTimestamp":"…","extraTags":{…} */
static int name_commit(struct changes_out *o, const struct cdc_commit_actions *a, int64_t time_ms,
		       struct cdc_err *err)
{
	bool in_range = time_ms <= INT64_MAX / 1000 && time_ms >= INT64_MIN / 1000;
	struct cdc_tape tape = CDC_TAPE_INIT;
	uint32_t v = CDC_JSON_NONE;
	char time[CDC_VALUE_TEXT_MAX];
	size_t n = cdc_timestamp_format_fixed(in_range ? time_ms * 1000 : 0, 'T', true, 3, time);
	int rc = CDC_OK;

	o->version = a->version;
	o->num = 0;
	cdc_buf_reset(&o->tags);
	if (a->commit_info.p) {
		rc = cdc_json_scan(&tape, a->commit_info, NULL, err);
		v = rc ? v : cdc_json_get(&tape, 0, "operation");
	}
	if (!rc)
		rc = cdc_buf_printf(&o->tags, err,
				    ",\"recordTimestamp\":\"%.*s\",\"extraTags\":{"
				    "\"deltaVersion\":\"%" PRId64 "\"",
				    (int)n, time, a->version);
	if (!rc && v != CDC_JSON_NONE && tape.tok[v].type == CDC_JSON_STRING) {
		rc = cdc_buf_puts(&o->tags, ",\"operation\":", err);
		if (!rc)
			rc = cdc_buf_put(&o->tags, cdc_json_source(&tape, v), err);
	}
	cdc_tape_free(&tape);
	return rc ? rc : cdc_buf_putc(&o->tags, '}', err);
}

/* ------------------------------------------------------------------ records */

static int put_parts(struct cdc_buf *b, const struct cdc_str *part, size_t n, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < n; i++)
		rc = cdc_buf_put(b, part[i], err);
	return rc;
}

int changes_put(struct changes_out *o, const struct changes_view *v, struct cdc_str before,
		struct cdc_str after, struct cdc_err *err)
{
	static const struct cdc_str none = CDC_STR("{}");
	char digits[CDC_VALUE_TEXT_MAX];
	struct cdc_str id;
	int rc;

	if (o->records >= o->opt->limit) {
		o->stopped = true;
		return CDC_END;
	}
	if (o->num > MAX_NUMBER)
		return cdc_fail(err, CDC_EUNSUPPORTED, "more than 2^32 changes in one commit");
	id = cdc_str(digits, cdc_int64_format(o->version << NUMBER_BITS | (int64_t)o->num, digits));
	cdc_buf_reset(&o->record);
	rc = put_parts(&o->record,
		       (struct cdc_str[]){ CDC_STR("{\"recordID\":"), id, cdc_buf_str(&o->db_table),
					   CDC_STR(",\"recordType\":"),
					   !before.n  ? CDC_STR("\"INSERT\"")
					   : !after.n ? CDC_STR("\"DELETE\"")
						      : CDC_STR("\"UPDATE\""),
					   cdc_buf_str(&o->tags), CDC_STR(",\"fields\":"),
					   cdc_buf_str(&v->fields), CDC_STR(",\"beforeImages\":"),
					   before.n ? before : none, CDC_STR(",\"afterImages\":"),
					   after.n ? after : none, CDC_STR(",\"position\":"),
					   cdc_buf_str(&o->topic), id, CDC_STR("}}\n") },
		       16, err);
	if (!rc)
		rc = cdc_writer_put(o->w, o->record.p, o->record.len, err);
	if (rc)
		return rc;
	o->num++;
	o->records++;
	o->counts->inserted += !before.n;
	o->counts->deleted += !after.n;
	o->counts->updated += before.n && after.n;
	if (o->opt->on_progress && o->records % PROGRESS_RECORDS == 0)
		o->opt->on_progress(o->opt->ctx, o->records, cdc_writer_offset(o->w));
	return CDC_OK;
}

/* All of the commit is told: its last possible number is promised, as it may be told by another key
 * the next time. */
static int put_checkpoint(struct changes_out *o, bool final, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&o->record);
	rc = cdc_buf_printf(&o->record, err,
			    "{\"recordType\":\"CHECKPOINT\",\"positions\":[%.*s%" PRId64 "}]%s}\n",
			    (int)o->topic.len, o->topic.p,
			    o->version << NUMBER_BITS | (int64_t)MAX_NUMBER,
			    final ? ",\"final\":true" : "");
	return rc ? rc : cdc_writer_put(o->w, o->record.p, o->record.len, err);
}

/* ------------------------------------------------------------------ commits */

struct changes {
	const struct cdc_changes_options *opt;
	struct changes_out o;
	struct changes_view *view; /* of the last commit that was told */
	struct cdc_buf schema; /* SCHEMA record printed last */
	struct cdc_log_times times;
	int64_t from, to;
};

/* A SCHEMA record where it is not the one before. */
static int put_schema(struct changes *c, const struct changes_view *v, struct cdc_err *err)
{
	int rc;

	if (cdc_str_eq(cdc_buf_str(&c->schema), cdc_buf_str(&v->schema)))
		return CDC_OK;
	cdc_buf_reset(&c->schema);
	rc = cdc_buf_put(&c->schema, cdc_buf_str(&v->schema), err);
	return rc ? rc : cdc_writer_put(c->o.w, v->schema.p, v->schema.len, err);
}

/*
 * The new rows do not look like the old ones: the columns were replaced. The old rows go as they
 * were, the new ones come as they are.
 */
static int replace_all(struct changes *c, struct changes_view *old, struct changes_view *now,
		       struct changes_set *set, struct cdc_err *err)
{
	size_t num_new = set->num_files[CHANGES_NEW];
	int rc = put_schema(c, old, err);

	set->num_files[CHANGES_NEW] = 0;
	if (!rc)
		rc = changes_match(&c->o, old, set, err);
	if (!rc)
		rc = put_schema(c, now, err);
	set->num_files[CHANGES_NEW] = num_new;
	set->num_files[CHANGES_OLD] = 0;
	return rc ? rc : changes_match(&c->o, now, set, err);
}

/* `old`: how rows looked before the commit, if they did otherwise; else NULL. */
static int tell_rows(struct changes *c, struct changes_view *old, struct changes_view *now,
		     const struct cdc_commit_actions *a, struct cdc_err *err)
{
	bool replaced = old && !a->num_changes && !changes_view_reads(now, old);
	struct changes_set set;
	int rc = changes_set_make(&set, c->opt->io, replaced ? old : now, now, a, err);

	if (!rc && replaced && set.num_files[CHANGES_OLD]) {
		rc = replace_all(c, old, now, &set, err);
	} else {
		if (!rc)
			rc = put_schema(c, now, err);
		if (!rc)
			rc = changes_match(&c->o, now, &set, err);
	}
	changes_set_free(&set);
	return rc;
}

/* The view of a version, and whether the one before it may differ. */
static int turn_view(struct changes *c, const struct cdc_commit_actions *a,
		     struct changes_view **old, struct cdc_err *err)
{
	struct cdc_err lost = CDC_ERR_INIT;
	struct changes_view *now = NULL;
	int rc;

	*old = NULL;
	if (c->view && !a->has_metadata && !a->has_protocol)
		return CDC_OK;
	rc = c->view ? changes_view_turn(&now, c->opt, c->view, a, &c->o.db_table, err)
		     : changes_view_load(&now, c->opt, a->version, &c->o.db_table, err);
	if (rc)
		return rc;
	*old = c->view;
	/* Of the first commit the state before may be gone: then its old rows must look like the
	 * new ones. */
	if (!c->view && a->has_metadata && a->num_removes && a->version > 0 &&
	    changes_view_load(old, c->opt, a->version - 1, &c->o.db_table, &lost))
		*old = NULL;
	c->view = now;
	return name_topic(&c->o, now->s, err);
}

static int tell_commit(struct changes *c, int64_t version, struct cdc_err *err)
{
	const struct cdc_log_times *t = &c->times;
	int64_t time_ms =
		t->timestamp_ms[t->readable + (size_t)(version - t->version[t->readable])];
	struct cdc_commit_actions a;
	struct changes_view *old = NULL;
	int rc = cdc_commit_read(c->opt->io, c->opt->table, version, &a, err);

	if (rc == CDC_END)
		return cdc_fail(err, CDC_EUSAGE, "version %" PRId64 " is not in the log of %s",
				version, c->opt->table);
	if (rc)
		return rc;
	rc = turn_view(c, &a, &old, err);
	if (!rc)
		rc = name_commit(&c->o, &a, time_ms, err);
	if (!rc)
		rc = tell_rows(c, old, c->view, &a, err);
	if (!rc && c->o.num && version < c->to)
		rc = put_checkpoint(&c->o, false, err);
	if (rc < 0)
		cdc_err_prefix(err, "changes of version %" PRId64, version);
	changes_view_free(old);
	cdc_commit_actions_free(&a);
	return rc;
}

/* ------------------------------------------------------------------ versions */

/* The latest state tells which commits there are, when they were made, and the table's name. */
static int learn_table(struct changes *c, struct cdc_err *err)
{
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, c->opt->io, c->opt->table, -1, err);

	if (!rc)
		rc = cdc_log_times(c->opt->io, s, &c->times, err);
	if (!rc)
		rc = name_table(&c->o, s, err);
	cdc_snapshot_free(s);
	return rc;
}

/* Settle which commits. Those that can be read are without a gap. */
static int choose_versions(struct changes *c, struct cdc_err *err)
{
	const struct cdc_log_times *t = &c->times;
	int64_t first, last;

	if (t->readable == t->n)
		return cdc_fail(err, CDC_EUSAGE, "no commit of %s is left to tell its changes",
				c->opt->table);
	first = t->version[t->readable];
	last = t->version[t->n - 1];
	c->from = c->opt->from;
	c->to = c->opt->to < 0 ? last : c->opt->to;
	if (c->opt->to >= 0 && c->from > c->to)
		return cdc_fail(err, CDC_EUSAGE,
				"changes from version %" PRId64 " to %" PRId64
				": the first is later",
				c->from, c->to);
	if (c->from < first || c->from > last || c->to > last)
		return cdc_fail(err, CDC_EUSAGE,
				"version %" PRId64 " is not in the log of %s: versions %" PRId64
				" to %" PRId64 " are there",
				c->to > last && c->from <= last && c->from >= first ? c->to
										    : c->from,
				c->opt->table, first, last);
	if (c->to >> (63 - NUMBER_BITS))
		return cdc_fail(err, CDC_EUNSUPPORTED, "changes of versions past 2^31");
	return CDC_OK;
}

int cdc_changes_print(const struct cdc_changes_options *opt, struct cdc_writer *out,
		      struct cdc_changes_counts *counts, struct cdc_err *err)
{
	struct changes c = { .opt = opt, .o = { .opt = opt, .w = out, .counts = counts } };
	int rc;

	*counts = (struct cdc_changes_counts){ .version = -1 };
	rc = learn_table(&c, err);
	if (!rc)
		rc = choose_versions(&c, err);
	for (int64_t v = c.from; !rc && v <= c.to; v++) {
		rc = tell_commit(&c, v, err);
		if (rc)
			break;
		counts->version = v;
		counts->commits++;
	}
	if (!rc)
		rc = put_checkpoint(&c.o, true, err);
	changes_view_free(c.view);
	cdc_log_times_free(&c.times);
	cdc_buf_free(&c.schema);
	cdc_buf_free(&c.o.db_table);
	cdc_buf_free(&c.o.tags);
	cdc_buf_free(&c.o.topic);
	cdc_buf_free(&c.o.record);
	return rc == CDC_END ? CDC_OK : rc;
}
