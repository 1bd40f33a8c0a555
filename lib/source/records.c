/*
 * Format records: change records are checked and passed through as they are. A closing CHECKPOINT
 * of an input is not the end of ours: its positions are kept for the one that is. Where an input
 * has CHECKPOINTs but not that one, the program that wrote it died, and ours must not look
 * complete.
 */
#include "record/record.h"
#include "source/source_int.h"

#include <stdlib.h>

struct records {
	struct cdc_source *s;
	struct cdc_tape tape;
	struct cdc_arena names;
	/* of the input */
	bool saw_checkpoint;
	bool ends_final; /* its last record was a final CHECKPOINT */
};

static int records_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct records *d = calloc(1, sizeof(*d));

	if (!d)
		return cdc_fail_nomem(err);
	d->s = s;
	*ctx = d;
	return CDC_OK;
}

static void records_close(void *ctx)
{
	struct records *d = ctx;

	cdc_tape_free(&d->tape);
	cdc_arena_free(&d->names);
	free(d);
}

/* Does --table keep the record? Records of no table are kept. */
static int keeps(struct records *d, const struct cdc_record *r, bool *yes, struct cdc_err *err)
{
	char *name;
	size_t n;

	*yes = true;
	if (!d->s->opt.tables || r->db_table.n == 0)
		return CDC_OK;
	cdc_arena_reset(&d->names);
	name = cdc_arena_alloc(&d->names, r->db_table.n + 1);
	if (!name)
		return cdc_fail_nomem(err);
	n = cdc_json_unescape(r->db_table, name);
	name[n] = '\0';
	*yes = cdc_source_keeps(d->s, name,
				r->type == CDC_RECORD_DDL && memchr(name, '.', n) == NULL);
	return CDC_OK;
}

/* White space between JSON tokens may hold line ends where a message is not a line. */
static void put_line(struct cdc_out *o, struct cdc_str line)
{
	size_t mark = o->buf.len;

	cdc_out_raw(o, line);
	for (char *p = o->buf.p + mark; o->rc == CDC_OK && p < o->buf.p + o->buf.len; p++) {
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
	cdc_out_char(o, '\n');
}

static int put_record(struct records *d, const struct cdc_record *r, struct cdc_err *err)
{
	struct cdc_source *s = d->s;

	if (cdc_record_is_row(r->type))
		s->counts.records++;
	else
		s->counts.control++;
	put_line(&s->out, r->line);
	return cdc_out_take(&s->out, err);
}

static int records_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct records *d = ctx;
	struct cdc_record r;
	bool yes = true;
	int rc;

	if (m->is_null || cdc_source_blank(m->value)) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	rc = cdc_record_parse(&r, &d->tape, m->value, err);
	if (rc < 0)
		return rc;
	/* A topic has no end that somebody closes. */
	d->saw_checkpoint = d->saw_checkpoint || (r.type == CDC_RECORD_CHECKPOINT && !m->has_kafka);
	d->ends_final = r.type == CDC_RECORD_CHECKPOINT && r.final;
	if (r.has_position && cdc_record_is_row(r.type))
		rc = cdc_positions_note(&d->s->positions, &r.position, err);
	if (rc == CDC_OK && r.type == CDC_RECORD_CHECKPOINT)
		rc = cdc_positions_checkpoint(&d->s->positions, &r, err);
	if (rc == CDC_OK)
		rc = keeps(d, &r, &yes, err);
	if (rc < 0)
		return rc;
	if (!yes || r.final) {
		d->s->counts.skipped++;
		return CDC_OK;
	}
	return put_record(d, &r, err);
}

/* The end of an input. */
static int records_flush(void *ctx, struct cdc_err *err)
{
	struct records *d = ctx;

	(void)err;
	d->s->counts.cut_off += d->saw_checkpoint && !d->ends_final;
	d->saw_checkpoint = d->ends_final = false;
	return CDC_OK;
}

static enum cdc_fit records_probe(void *ctx, const struct cdc_message *m)
{
	struct records *d = ctx;
	struct cdc_err unused = CDC_ERR_INIT;
	struct cdc_record r;

	return cdc_record_parse(&r, &d->tape, m->value, &unused) == CDC_OK ? CDC_FIT_YES
									   : CDC_FIT_NO;
}

const struct cdc_format cdc_format_records = {
	.name = "records",
	.text = true,
	.open = records_open,
	.close = records_close,
	.message = records_message,
	.flush = records_flush,
	.probe = records_probe,
};
