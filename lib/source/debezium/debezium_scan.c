/*
 * A Debezium message onto the tape. With schemas a message is ten times its row, but they repeat: a
 * message that begins like the one before is scanned from its payload on.
 */
#include "source/debezium/debezium_int.h"

#include <stdlib.h>

static const struct cdc_str envelope[] = { { "schema", 6 }, { "payload", 7 } };

static void forget_schemas(struct debezium *d)
{
	for (size_t i = 0; i < d->n_schemas; i++)
		free(d->schemas[i].text);
	d->n_schemas = d->schemas_bytes = 0;
	d->prefix.len = 0;
}

/* The number of a schema's text. Numbers are never given again to another text. */
static int schema_number(struct debezium *d, struct cdc_str text, uint64_t *no, struct cdc_err *err)
{
	struct debezium_schema *s;

	for (size_t i = d->n_schemas; i-- > 0;) {
		s = &d->schemas[i];
		if (cdc_str_eq(cdc_str(s->text, s->n), text)) {
			*no = s->no;
			return CDC_OK;
		}
	}
	if (d->n_schemas == DEBEZIUM_SCHEMAS_MAX || d->schemas_bytes + text.n > d->j.s->record_max)
		forget_schemas(d);
	s = &d->schemas[d->n_schemas];
	s->text = malloc(text.n + 1);
	if (!s->text)
		return cdc_fail_nomem(err);
	memcpy(s->text, text.p, text.n);
	s->n = text.n;
	s->no = *no = ++d->last_no;
	d->n_schemas++;
	d->schemas_bytes += text.n;
	return CDC_OK;
}

struct cdc_str debezium_schema_text(const struct debezium *d)
{
	size_t i = 0;

	if (d->given_no)
		return d->given;
	while (i < d->n_schemas && d->schemas[i].no != d->schema_no)
		i++;
	return i < d->n_schemas ? cdc_str(d->schemas[i].text, d->schemas[i].n) : CDC_STR("");
}

/* The payload behind the prefix that is known; false: it is another message. */
static bool scan_payload(struct debezium *d, struct cdc_str value)
{
	struct cdc_err ignored = CDC_ERR_INIT;
	struct cdc_str rest;
	size_t used;

	if (d->prefix.len == 0 || value.n <= d->prefix.len ||
	    memcmp(value.p, d->prefix.p, d->prefix.len) != 0)
		return false;
	rest = cdc_str(value.p + d->prefix.len, value.n - d->prefix.len);
	if (cdc_json_scan(&d->j.tape, rest, &used, &ignored) != CDC_OK)
		return false;
	/* One brace and no more. */
	rest = cdc_str(rest.p + used, rest.n - used);
	return rest.n && rest.p[0] == '}' && cdc_source_blank(cdc_str(rest.p + 1, rest.n - 1));
}

int debezium_scan(struct debezium *d, struct cdc_str value, bool *null, struct cdc_err *err)
{
	uint32_t tok[2];
	size_t at;
	int rc;

	d->root = 0;
	d->schema_no = 0;
	*null = false;
	if (d->given_no) {
		d->schema_no = d->given_no;
		return cdc_json_in_scan(&d->j, value, envelope, 0, tok, err);
	}
	if (scan_payload(d, value)) {
		d->schema_no = d->prefix_no;
		*null = d->j.tape.tok[0].type == CDC_JSON_NULL;
		return CDC_OK;
	}
	rc = cdc_json_in_scan(&d->j, value, envelope, 2, tok, err);
	if (rc < 0)
		return rc;
	if (d->j.tape.tok[0].count != 2 || cdc_json_get(&d->j.tape, 0, "schema") == CDC_JSON_NONE ||
	    cdc_json_get(&d->j.tape, 0, "payload") == CDC_JSON_NONE)
		return CDC_OK;
	d->root = tok[1];
	*null = tok[1] == CDC_JSON_NONE;
	if (*null || tok[0] == CDC_JSON_NONE)
		return CDC_OK;
	rc = schema_number(d, cdc_json_source(&d->j.tape, tok[0]), &d->schema_no, err);
	if (rc < 0 || tok[0] > tok[1])
		return rc;
	at = (size_t)(cdc_json_source(&d->j.tape, tok[1]).p - value.p);
	cdc_buf_reset(&d->prefix);
	d->prefix_no = d->schema_no;
	return cdc_buf_put(&d->prefix, cdc_str(value.p, at), err);
}

int debezium_scan_key(struct debezium *d, const struct cdc_message *m, struct cdc_err *err)
{
	uint32_t tok[2];
	int rc;

	d->key_root = CDC_JSON_NONE;
	if (!m->has_key || m->key.n == 0 || m->key.p[0] != '{')
		return CDC_OK;
	rc = cdc_json_in_scan(&d->key, m->key, envelope, 2, tok, err);
	if (rc < 0)
		return cdc_err_prefix(err, "the message's key");
	d->key_root = 0;
	if (d->key.tape.tok[0].count == 2 && tok[0] != CDC_JSON_NONE && tok[1] != CDC_JSON_NONE)
		d->key_root = tok[1];
	if (!cdc_json_in_is(&d->key, d->key_root, CDC_JSON_OBJECT))
		d->key_root = CDC_JSON_NONE;
	return CDC_OK;
}
