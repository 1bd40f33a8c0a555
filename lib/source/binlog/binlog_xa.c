/*
 * XA transactions in a binlog. Their rows stand where they were prepared; a statement that may come
 * much later, in another file, commits them or rolls them back. Until then their events are held,
 * and then decoded as if they stood at the commit: no other transaction could change the same rows
 * in between.
 */
#include "source/binlog/binlog_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LENGTH_BYTES 4
#define XID_PART_MAX 64 /* bytes of each of the two parts of a name */

void binlog_xa_begin(struct binlog *b)
{
	binlog_xa_abandon(b);
	b->xa.open = true;
}

void binlog_xa_abandon(struct binlog *b)
{
	b->xa.held -= b->xa.events.len;
	cdc_buf_reset(&b->xa.events);
	b->xa.open = false;
}

int binlog_xa_keep(struct binlog *b, struct cdc_str event, struct cdc_err *err)
{
	char length[LENGTH_BYTES];
	int rc;

	if (event.n + LENGTH_BYTES > b->xa.held_max - b->xa.held)
		return cdc_fail(err, CDC_ENOMEM,
				"prepared XA transactions hold more than %zu bytes of events",
				b->xa.held_max);
	cdc_put_le32(length, (uint32_t)event.n);
	rc = cdc_buf_reserve(&b->xa.events, LENGTH_BYTES + event.n, err);
	if (rc == CDC_OK)
		rc = cdc_buf_append(&b->xa.events, length, LENGTH_BYTES, err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(&b->xa.events, event, err);
	if (rc < 0)
		return rc;
	b->xa.held += LENGTH_BYTES + event.n;
	b->s->counts.skipped++;
	return CDC_OK;
}

/* Take the open transaction's events as due. */
static void commit_open(struct binlog_xa *xa)
{
	cdc_buf_free(&xa->due);
	xa->due = xa->events;
	xa->held -= xa->due.len;
	xa->events = (struct cdc_buf)CDC_BUF_INIT;
	xa->open = false;
}

static int put_hex(struct cdc_buf *out, struct cdc_str bytes, struct cdc_err *err)
{
	int rc = cdc_buf_puts(out, "X'", err);

	for (size_t i = 0; rc == CDC_OK && i < bytes.n; i++)
		rc = cdc_buf_printf(out, err, "%02x", (unsigned char)bytes.p[i]);
	return rc == CDC_OK ? cdc_buf_puts(out, "',", err) : rc;
}

static int add_prepared(struct binlog *b, struct cdc_str gtrid, struct cdc_str bqual,
			int32_t format, struct cdc_err *err)
{
	struct binlog_xa *xa = &b->xa;
	struct binlog_prepared *p;
	int rc;

	if (xa->n_prepared == xa->cap_prepared) {
		uint32_t cap = xa->cap_prepared ? xa->cap_prepared * 2 : 8;

		p = realloc(xa->prepared, cap * sizeof(*p));
		if (!p)
			return cdc_fail_nomem(err);
		xa->prepared = p;
		xa->cap_prepared = cap;
	}
	p = &xa->prepared[xa->n_prepared];
	*p = (struct binlog_prepared){ .xid = CDC_BUF_INIT, .events = xa->events };
	rc = put_hex(&p->xid, gtrid, err);
	if (rc == CDC_OK)
		rc = put_hex(&p->xid, bqual, err);
	if (rc == CDC_OK)
		rc = cdc_buf_printf(&p->xid, err, "%d", format);
	if (rc < 0) {
		cdc_buf_free(&p->xid);
		return rc;
	}
	xa->events = (struct cdc_buf)CDC_BUF_INIT;
	xa->open = false;
	xa->n_prepared++;
	b->s->counts.prepared = xa->n_prepared;
	return CDC_OK;
}

int binlog_xa_prepare(struct binlog *b, struct cdc_str body, struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	bool one_phase = binlog_le(&c, 1) != 0;
	int32_t format = (int32_t)binlog_le(&c, 4);
	uint64_t n_gtrid = binlog_le(&c, 4), n_bqual = binlog_le(&c, 4);
	struct cdc_str gtrid, bqual;

	if (n_gtrid > XID_PART_MAX || n_bqual > XID_PART_MAX)
		c.bad = true;
	gtrid = binlog_bytes(&c, n_gtrid);
	bqual = binlog_bytes(&c, n_bqual);
	if (c.bad)
		return cdc_fail(err, CDC_EDATA, "the end of an XA transaction is damaged");
	if (!b->xa.open)
		return cdc_fail(err, CDC_EDATA, "an XA transaction is prepared that did not begin");
	b->s->counts.skipped++;
	if (!one_phase)
		return add_prepared(b, gtrid, bqual, format, err);
	commit_open(&b->xa);
	return CDC_OK;
}

static uint32_t find(const struct binlog_xa *xa, struct cdc_str xid)
{
	uint32_t i = xa->n_prepared;

	while (i-- > 0) {
		const struct cdc_buf *x = &xa->prepared[i].xid;

		if (x->len == xid.n && strncasecmp(x->p, xid.p, xid.n) == 0)
			return i;
	}
	return UINT32_MAX;
}

static struct cdc_str word(struct cdc_str *rest)
{
	struct cdc_str w;

	while (rest->n && strchr(" \t\r\n", *rest->p))
		*rest = cdc_str(rest->p + 1, rest->n - 1);
	w = cdc_str(rest->p, 0);
	while (w.n < rest->n && !strchr(" \t\r\n", rest->p[w.n]))
		w.n++;
	*rest = cdc_str(rest->p + w.n, rest->n - w.n);
	return w;
}

static bool is(struct cdc_str w, const char *text)
{
	return w.n == strlen(text) && strncasecmp(w.p, text, w.n) == 0;
}

int binlog_xa_statement(struct binlog *b, struct cdc_str sql, struct cdc_err *err)
{
	struct binlog_xa *xa = &b->xa;
	struct cdc_str verb, xid;
	bool commits;
	uint32_t i;

	(void)word(&sql);
	verb = word(&sql);
	xid = word(&sql);
	commits = is(verb, "commit");
	if (is(verb, "start"))
		binlog_xa_begin(b);
	if (commits || is(verb, "rollback")) {
		i = find(xa, xid);
		if (i == UINT32_MAX && commits)
			return cdc_fail(err, CDC_EDATA,
					"XA transaction %.*s is committed, but the log in which it "
					"was prepared was not read",
					(int)(xid.n < 300 ? xid.n : 300), xid.p);
		if (i != UINT32_MAX) {
			struct binlog_prepared p = xa->prepared[i];

			memmove(xa->prepared + i, xa->prepared + i + 1,
				(xa->n_prepared - i - 1) * sizeof(p));
			b->s->counts.prepared = --xa->n_prepared;
			xa->held -= p.events.len;
			cdc_buf_free(&p.xid);
			cdc_buf_free(commits ? &xa->due : &p.events);
			if (commits)
				xa->due = p.events;
		}
	}
	b->s->counts.skipped++;
	return CDC_OK;
}

int binlog_xa_replay(struct binlog *b, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_buf due = b->xa.due;
	struct cdc_message event = *m;
	struct cdc_source_counts *counts = &b->s->counts;
	uint64_t messages = counts->messages, bytes = counts->bytes; /* these were counted */
	struct cdc_str rest = cdc_buf_str(&due);
	int rc = binlog_boundary(b, "BEGIN", m, err);

	b->xa.due = (struct cdc_buf)CDC_BUF_INIT;
	while (rc == CDC_OK && rest.n) {
		size_t n = cdc_le32(rest.p);

		event.index++;
		event.value = cdc_str(rest.p + LENGTH_BYTES, n);
		rc = cdc_source_message(b->s, &event, err);
		rest = cdc_str(event.value.p + n, rest.n - LENGTH_BYTES - n);
	}
	counts->messages = messages;
	counts->bytes = bytes;
	cdc_buf_free(&due);
	return rc == CDC_OK ? binlog_boundary(b, "COMMIT", m, err) : rc;
}

void binlog_xa_free(struct binlog *b)
{
	struct binlog_xa *xa = &b->xa;

	for (uint32_t i = 0; i < xa->n_prepared; i++) {
		cdc_buf_free(&xa->prepared[i].xid);
		cdc_buf_free(&xa->prepared[i].events);
	}
	free(xa->prepared);
	cdc_buf_free(&xa->events);
	cdc_buf_free(&xa->due);
}
