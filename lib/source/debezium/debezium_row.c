/* Rows of Debezium as records, with their images (see debezium_int.h). */
#include "source/debezium/debezium_int.h"

static int read_image(struct debezium *d, struct cdc_change_table *t, uint32_t row, bool flat,
		      uint32_t *value, struct cdc_err *err)
{
	uint32_t unknown = CDC_JSON_NONE;
	int rc;

	if (!cdc_json_in_is(&d->j, row, CDC_JSON_OBJECT))
		return CDC_OK;
	rc = cdc_json_in_row(&d->j, t, row, flat ? "__" : NULL, value, &unknown, err);
	if (rc == CDC_OK && unknown != CDC_JSON_NONE) {
		struct cdc_str name = cdc_json_in_raw(&d->j, unknown);

		rc = cdc_fail(err, CDC_EDATA, "column %.*s is not in the schema",
			      (int)(name.n < 100 ? name.n : 100), name.p);
	}
	return rc;
}

static bool is_placeholder(const struct debezium *d, uint32_t i)
{
	return cdc_json_in_is(&d->j, i, CDC_JSON_STRING) &&
	       cdc_connect_unavailable(cdc_json_in_raw(&d->j, i));
}

/* Did the connector put a placeholder in the value's place? In arrays and maps it is all there is.
 */
static bool is_unavailable(const struct debezium *d, uint32_t i)
{
	const struct cdc_json_tok *t = cdc_json_in_tok(&d->j, i);

	if (t->type == CDC_JSON_ARRAY)
		return t->count == 1 && is_placeholder(d, i + 1);
	if (t->type == CDC_JSON_OBJECT)
		return t->count == 1 && is_placeholder(d, i + 1) && is_placeholder(d, i + 2);
	return is_placeholder(d, i);
}

static void put_image(struct debezium *d, const struct cdc_change_table *t, const uint32_t *value)
{
	debezium_note_decimals(d, t, value);
	for (uint32_t i = 0; i < t->n; i++) {
		if (value[i] == CDC_JSON_NONE || is_unavailable(d, value[i]))
			continue;
		cdc_change_value(&d->j.c, &t->col[i]);
		debezium_put(d, t, &t->col[i], value[i]);
	}
}

/* The image of a key that is on the other tape. */
static int put_key(struct debezium *d, struct cdc_change_table *t, struct cdc_err *err)
{
	struct cdc_tape tape = d->j.tape;
	int rc;

	d->j.tape = d->key.tape;
	rc = cdc_json_in_reset(&d->j, t, err);
	if (rc == CDC_OK)
		rc = read_image(d, t, d->key_root, false, d->j.value, err);
	if (rc == CDC_OK)
		put_image(d, t, d->j.value);
	d->key.tape = d->j.tape;
	d->j.tape = tape;
	return rc;
}

/* The before image of a row that has one. */
static int put_before(struct debezium *d, struct cdc_change_table *t, const struct debezium_row *r,
		      struct cdc_err *err)
{
	int rc;

	if (r->joined) {
		cdc_out_raw(&d->j.s->out,
			    cdc_str(d->held.line.p + d->held.before_at, d->held.before_len));
		return CDC_OK;
	}
	if (r->key_before)
		return put_key(d, t, err);
	rc = cdc_json_in_reset(&d->j, t, err);
	if (rc == CDC_OK)
		rc = read_image(d, t, r->before, r->flat, d->j.old, err);
	if (rc == CDC_OK)
		put_image(d, t, d->j.old);
	return rc;
}

static int put_after(struct debezium *d, struct cdc_change_table *t, const struct debezium_row *r,
		     struct cdc_err *err)
{
	int rc;

	if (r->kind == DBZ_DELETE)
		return CDC_OK;
	rc = cdc_json_in_reset(&d->j, t, err);
	if (rc == CDC_OK)
		rc = read_image(d, t, r->after, r->flat, d->j.value, err);
	if (rc == CDC_OK)
		put_image(d, t, d->j.value);
	return rc;
}

int debezium_put_row(struct debezium *d, struct cdc_change_table *t, const struct debezium_row *r,
		     const struct cdc_message *m, struct cdc_err *err)
{
	static const char *const names[] = { "INSERT", "UPDATE", "DELETE", "INIT" };
	struct cdc_out *o = &d->j.s->out;
	size_t before_at, before_end;
	int64_t us = 0;
	bool timed = debezium_time(d, &us);
	int rc;

	cdc_change_begin(&d->j.c, t, names[r->kind], cdc_change_id(&d->j.c, m), timed, us);
	debezium_tags(d, r->flat ? d->root : d->tok[DBZ_SOURCE], r->flat);
	debezium_transaction(d);
	cdc_change_images(&d->j.c, t);
	before_at = o->buf.len;
	rc = put_before(d, t, r, err);
	before_end = o->buf.len;
	cdc_change_after(&d->j.c);
	if (rc == CDC_OK)
		rc = put_after(d, t, r, err);
	if (rc == CDC_OK)
		rc = cdc_change_end(&d->j.c, m, err);
	if (rc < 0)
		return rc;
	d->held.is = d->held.is && !r->joined;
	if (r->kind == DBZ_DELETE && debezium_header(m, "__debezium.newkey"))
		rc = debezium_hold(d, t, before_at, before_end, m, err);
	return rc;
}

int debezium_key_image(struct debezium *d, struct debezium_row *r, const struct cdc_message *m,
		       struct cdc_err *err)
{
	const struct cdc_header *old = debezium_header(m, "__debezium.oldkey");
	struct cdc_message as_key = { .has_key = true };
	int rc;

	if (r->kind == DBZ_INSERT && old) {
		r->kind = DBZ_UPDATE;
		if (r->joined)
			return CDC_OK;
		as_key.key = old->value;
		rc = debezium_scan_key(d, &as_key, err);
		r->key_before = d->key_root != CDC_JSON_NONE;
		return rc;
	}
	if (r->kind == DBZ_DELETE && !cdc_json_in_is(&d->j, r->before, CDC_JSON_OBJECT)) {
		if (d->key_root == CDC_JSON_NONE)
			return cdc_fail(err, CDC_EDATA,
					"a deletion without a row and without a key");
		r->key_before = true;
	}
	return CDC_OK;
}
