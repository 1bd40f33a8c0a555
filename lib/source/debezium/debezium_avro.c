/*
 * Format debezium-avro: messages of Debezium, or rows of any other program, in Avro with a schema's
 * id in front, as the serializers of Confluent and Apicurio write them; and Avro containers of
 * Debezium's events. They are turned into the JSON that Kafka Connect would have written.
 */
#include "source/connect/connect_json.h"
#include "source/debezium/debezium_int.h"
#include "source/connect/schema_store.h"

#include <stdlib.h>
#include <string.h>

struct debezium_avro {
	struct cdc_source *s;
	struct debezium *d; /* a context of the format debezium */
	struct cdc_schema_store *store;
	struct cdc_out value; /* JSON */
	struct cdc_out key;
	/* The schema of the current container. */
	struct cdc_avro_plan *plan;
	struct cdc_out plan_schema;
	uint64_t plan_number;
};

/* Containers' schemas are numbered from here on, those of the store from 1. */
#define CONTAINER_NUMBERS ((uint64_t)1 << 32)

static void debezium_avro_close(void *ctx)
{
	struct debezium_avro *a = ctx;

	if (a->d)
		cdc_format_debezium.close(a->d);
	cdc_schema_store_free(a->store);
	cdc_avro_plan_free(a->plan);
	cdc_buf_free(&a->value.buf);
	cdc_buf_free(&a->key.buf);
	cdc_buf_free(&a->plan_schema.buf);
	free(a);
}

static int debezium_avro_open(struct cdc_source *s, void **ctx, struct cdc_err *err)
{
	struct debezium_avro *a = calloc(1, sizeof(*a));
	void *d = NULL;
	int rc;

	if (!a)
		return cdc_fail_nomem(err);
	a->s = s;
	a->plan_number = CONTAINER_NUMBERS;
	rc = cdc_format_debezium.open(s, &d, err);
	a->d = d;
	if (rc == CDC_OK)
		rc = cdc_schema_store_new(&a->store, &s->opt, err);
	if (rc < 0)
		debezium_avro_close(a);
	else
		*ctx = a;
	return rc;
}

/* --- data --------------------------------------------------------------- */

static int damaged(const struct cdc_avro_cur *c, const char *start, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EDATA, "byte %zu of the message: %s",
			(size_t)((const char *)c->p - start), c->why ? c->why : "it ends here");
}

static int put_datum(struct cdc_out *o, const struct cdc_stored_schema *schema,
		     struct cdc_str bytes, struct cdc_err *err)
{
	const unsigned char *start = (const unsigned char *)bytes.p;
	struct cdc_avro_cur c = { start, start + bytes.n, NULL };
	int rc;

	cdc_buf_reset(&o->buf);
	if (schema->raw)
		return cdc_fail(err, CDC_EDATA, "schema %s is of bytes, not of rows", schema->id);
	if (!cdc_connect_json_put(schema->plan, &c, o)) {
		struct cdc_err unused;

		(void)cdc_out_take(o, &unused);
		return damaged(&c, bytes.p, err);
	}
	rc = cdc_out_take(o, err);
	if (rc == CDC_OK && c.p != c.end)
		rc = cdc_fail(err, CDC_EDATA, "%zu bytes are left behind the datum",
			      (size_t)(c.end - c.p));
	return rc;
}

/* A key that is no Avro is what it is. */
static int read_key(struct debezium_avro *a, const struct cdc_message *m, struct cdc_message *json,
		    struct cdc_err *err)
{
	const struct cdc_stored_schema *schema;
	struct cdc_schema_prefix p;
	int rc;

	if (!m->has_key || !cdc_schema_prefix(m, true, &p))
		return CDC_OK;
	rc = cdc_schema_store_get(a->store, p.kind, p.id, &schema, err);
	if (rc == CDC_OK)
		rc = put_datum(&a->key, schema, cdc_str(m->key.p + p.len, m->key.n - p.len), err);
	if (rc < 0)
		return cdc_err_prefix(err, "the message's key");
	json->key = cdc_buf_str(&a->key.buf);
	return CDC_OK;
}

static int read_value(struct debezium_avro *a, const struct cdc_message *m,
		      struct cdc_message *json, struct cdc_err *err)
{
	const struct cdc_stored_schema *schema;
	struct cdc_schema_prefix p;
	int rc;

	if (!cdc_schema_prefix(m, false, &p))
		return cdc_fail(err, CDC_EDATA, "no schema's id is in front of the message");
	rc = cdc_schema_store_get(a->store, p.kind, p.id, &schema, err);
	if (rc == CDC_OK)
		rc = put_datum(&a->value, schema, cdc_str(m->value.p + p.len, m->value.n - p.len),
			       err);
	if (rc < 0)
		return rc;
	json->value = cdc_buf_str(&a->value.buf);
	a->d->given = schema->connect;
	a->d->given_no = schema->number;
	return CDC_OK;
}

static int debezium_avro_message(void *ctx, const struct cdc_message *m, struct cdc_err *err)
{
	struct debezium_avro *a = ctx;
	struct cdc_message json = *m;
	int rc = read_key(a, m, &json, err);

	if (rc == CDC_OK && !m->is_null)
		rc = read_value(a, m, &json, err);
	return rc < 0 ? rc : cdc_format_debezium.message(a->d, &json, err);
}

/* --- containers --------------------------------------------------------- */

static int debezium_avro_schema(void *ctx, struct cdc_str text, struct cdc_err *err)
{
	struct debezium_avro *a = ctx;
	const struct cdc_avro_node *row;
	int rc;

	cdc_avro_plan_free(a->plan);
	a->plan = NULL;
	cdc_buf_reset(&a->plan_schema.buf);
	rc = cdc_avro_plan_new(&a->plan, text, err);
	if (rc < 0)
		return rc;
	/* Of records that take no bytes a block may tell any number. */
	row = cdc_avro_node(a->plan, 0);
	if (row->kind != CDC_AVRO_RECORD || row->empty)
		return cdc_fail(err, CDC_EDATA,
				"the Avro container does not hold events: its schema is %s",
				row->empty ? "of empty records" : "no record");
	cdc_connect_json_schema(a->plan, &a->plan_schema);
	a->plan_number++;
	return cdc_out_take(&a->plan_schema, err);
}

static int debezium_avro_datum(void *ctx, const struct cdc_message *m, size_t *used,
			       struct cdc_err *err)
{
	struct debezium_avro *a = ctx;
	const unsigned char *start = (const unsigned char *)m->value.p;
	struct cdc_avro_cur c = { start, start + m->value.n, NULL };
	struct cdc_message json = *m;
	int rc;

	cdc_buf_reset(&a->value.buf);
	if (!cdc_connect_json_put(a->plan, &c, &a->value)) {
		(void)cdc_out_take(&a->value, err);
		return damaged(&c, m->value.p, err);
	}
	*used = (size_t)(c.p - start);
	rc = cdc_out_take(&a->value, err);
	if (rc < 0)
		return rc;
	json.value = cdc_buf_str(&a->value.buf);
	a->d->given = cdc_buf_str(&a->plan_schema.buf);
	a->d->given_no = a->plan_number;
	return cdc_format_debezium.message(a->d, &json, err);
}

/* --- the rest ----------------------------------------------------------- */

static void debezium_avro_rejected(void *ctx)
{
	struct debezium_avro *a = ctx;

	cdc_format_debezium.rejected(a->d);
}

static int debezium_avro_flush(void *ctx, struct cdc_err *err)
{
	struct debezium_avro *a = ctx;

	return cdc_format_debezium.flush(a->d, err);
}

static bool debezium_avro_holds(const void *ctx)
{
	const struct debezium_avro *a = ctx;

	return cdc_format_debezium.holds(a->d);
}

/* A datum that can be read is sure. One that only has an id in front, as many things have, is taken
 * for one when the format was named and no more than the framing is to be told. */
static enum cdc_fit debezium_avro_probe(void *ctx, const struct cdc_message *m)
{
	struct debezium_avro *a = ctx;
	const struct cdc_source_options *opt = &a->s->opt;
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_message json = *m;
	struct cdc_schema_prefix p;

	if (!cdc_schema_prefix(m, false, &p))
		return CDC_FIT_NO;
	if (!opt->schema_dir && !opt->registry)
		return opt->format && strcmp(opt->format, "auto") != 0 ? CDC_FIT_WEAK : CDC_FIT_NO;
	/* Where the schema cannot be had, reading the message will say why. */
	return read_value(a, m, &json, &ignored) == CDC_OK ? CDC_FIT_YES : CDC_FIT_WEAK;
}

static bool has_field(const struct cdc_avro_plan *plan, const char *name)
{
	const struct cdc_avro_node *n = cdc_avro_node(plan, 0);

	for (uint32_t i = 0; i < n->n; i++) {
		if (strcmp(cdc_avro_child(plan, n, i)->name, name) == 0)
			return true;
	}
	return false;
}

/* Debezium's envelope. */
static enum cdc_fit debezium_avro_probe_schema(void *ctx, struct cdc_str text)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_avro_plan *plan = NULL;
	enum cdc_fit fit = CDC_FIT_NO;

	(void)ctx;
	if (cdc_avro_plan_new(&plan, text, &ignored) == CDC_OK &&
	    cdc_avro_node(plan, 0)->kind == CDC_AVRO_RECORD && has_field(plan, "op") &&
	    has_field(plan, "source") && has_field(plan, "after"))
		fit = CDC_FIT_YES;
	cdc_avro_plan_free(plan);
	return fit;
}

const struct cdc_format cdc_format_debezium_avro = {
	.name = "debezium-avro",
	.open = debezium_avro_open,
	.close = debezium_avro_close,
	.message = debezium_avro_message,
	.rejected = debezium_avro_rejected,
	.flush = debezium_avro_flush,
	.holds = debezium_avro_holds,
	.schema = debezium_avro_schema,
	.datum = debezium_avro_datum,
	.probe = debezium_avro_probe,
	.probe_schema = debezium_avro_probe_schema,
};
