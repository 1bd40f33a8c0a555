/*
 * Rows of Debezium whose key changed: a deletion with the header __debezium.newkey and, behind its
 * tombstone, a creation with __debezium.oldkey. The deletion is kept until the next message is
 * known.
 */
#include "source/debezium/debezium_int.h"

const struct cdc_header *debezium_header(const struct cdc_message *m, const char *name)
{
	for (uint32_t i = 0; i < m->n_headers; i++) {
		if (cdc_str_eqz(m->header[i].name, name) && !m->header[i].is_null)
			return &m->header[i];
	}
	return NULL;
}

int debezium_flush_held(struct debezium *d, struct cdc_err *err)
{
	if (!d->held.is)
		return CDC_OK;
	d->held.is = false;
	d->held.printed_with = d->j.s->counts.messages;
	cdc_out_raw(&d->j.s->out, cdc_buf_str(&d->held.line));
	d->j.s->counts.records++;
	return cdc_out_take(&d->j.s->out, err);
}

/* A message may be rejected before it comes here, so which one printed the line is told by number.
 */
void debezium_hold_again(struct debezium *d)
{
	if (d->held.printed_with == d->j.s->counts.messages)
		d->held.is = true;
}

static bool same_place(const struct debezium *d, const struct cdc_message *m)
{
	return cdc_str_eq(cdc_buf_str(&d->held.topic), m->has_kafka ? m->topic : CDC_STR("")) &&
	       d->held.partition == (m->has_kafka ? m->partition : 0);
}

/* The key that the row of the held DELETE has come to, where the header can be read. */
static int hold_key(struct debezium *d, const struct cdc_header *h, struct cdc_err *err)
{
	struct cdc_message as_key = { .has_key = true, .key = h->value };
	struct cdc_err ignored = CDC_ERR_INIT;
	int rc = debezium_scan_key(d, &as_key, &ignored);

	cdc_buf_reset(&d->held.new_key);
	if (rc == CDC_ENOMEM)
		return cdc_fail_nomem(err);
	if (rc < 0 || d->key_root == CDC_JSON_NONE)
		return CDC_OK;
	return cdc_buf_put(&d->held.new_key, cdc_json_source(&d->key.tape, d->key_root), err);
}

/* Another row that moved may come between the two halves, or in place of the second. */
static bool same_key(const struct debezium *d)
{
	return d->held.new_key.len == 0 || d->key_root == CDC_JSON_NONE ||
	       cdc_str_eq(cdc_buf_str(&d->held.new_key),
			  cdc_json_source(&d->key.tape, d->key_root));
}

/* Take the DELETE that was just printed off the output, until the next message is known. */
int debezium_hold(struct debezium *d, struct cdc_change_table *t, size_t before_at,
		  size_t before_end, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_out *o = &d->j.s->out;
	size_t at = d->j.c.record_at;
	int rc;

	cdc_buf_reset(&d->held.line);
	cdc_buf_reset(&d->held.topic);
	rc = cdc_buf_put(&d->held.line, cdc_str(o->buf.p + at, o->buf.len - at), err);
	if (rc == CDC_OK && m->has_kafka)
		rc = cdc_buf_put(&d->held.topic, m->topic, err);
	if (rc == CDC_OK)
		rc = hold_key(d, debezium_header(m, "__debezium.newkey"), err);
	if (rc < 0)
		return rc;
	d->held.is = true;
	d->held.before_at = before_at - at;
	d->held.before_len = before_end - before_at;
	d->held.t = t;
	d->held.forgotten = d->j.c.forgotten;
	d->held.partition = m->has_kafka ? m->partition : 0;
	o->buf.len = at;
	d->j.s->counts.records--;
	return CDC_OK;
}

bool debezium_joins(const struct debezium *d, const struct cdc_change_table *t,
		    const struct cdc_message *m)
{
	return d->held.is && d->held.t == t && d->held.forgotten == d->j.c.forgotten &&
	       same_place(d, m) && same_key(d) && debezium_header(m, "__debezium.oldkey");
}
