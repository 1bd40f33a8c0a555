/*
 * Structs to JSON actions, one a line, by the tables of action_table.c. Absent members are left
 * out, as Spark does; null and empty partition values are null (spec section 7).
 */
#include "delta/log_int.h"

#include "base/value.h"

static int put_z(struct cdc_buf *b, const char *z, struct cdc_err *err)
{
	return cdc_buf_puts(b, z, err);
}

static int put_int(struct cdc_buf *b, int64_t v, struct cdc_err *err)
{
	char text[CDC_VALUE_TEXT_MAX];

	return cdc_buf_append(b, text, cdc_int64_format(v, text), err);
}

static int put_map(struct cdc_buf *b, const struct cdc_kv *kv, int n, bool empty_is_null,
		   struct cdc_err *err)
{
	int rc = cdc_buf_putc(b, '{', err);

	for (int i = 0; !rc && i < n; i++) {
		if (i)
			rc = cdc_buf_putc(b, ',', err);
		if (!rc)
			rc = cdc_json_put_string(b, kv[i].key, err);
		if (!rc)
			rc = cdc_buf_putc(b, ':', err);
		if (rc)
			break;
		if (!kv[i].value.p || (empty_is_null && kv[i].value.n == 0))
			rc = put_z(b, "null", err);
		else
			rc = cdc_json_put_string(b, kv[i].value, err);
	}
	return rc ? rc : cdc_buf_putc(b, '}', err);
}

int cdc_action_put_map(struct cdc_buf *b, const struct cdc_kv *kv, int n, struct cdc_err *err)
{
	return put_map(b, kv, n, false, err);
}

static int put_list(struct cdc_buf *b, const struct cdc_str *s, int n, struct cdc_err *err)
{
	int rc = cdc_buf_putc(b, '[', err);

	for (int i = 0; !rc && i < n; i++) {
		if (i)
			rc = cdc_buf_putc(b, ',', err);
		if (!rc)
			rc = cdc_json_put_string(b, s[i], err);
	}
	return rc ? rc : cdc_buf_putc(b, ']', err);
}

static int put_members(struct cdc_buf *b, enum cdc_action_kind kind,
		       const struct cdc_member *member, int num, const void *body,
		       struct cdc_err *err);

static int put_value(struct cdc_buf *b, enum cdc_action_kind kind, const struct cdc_member *m,
		     const void *body, struct cdc_err *err)
{
	const void *at = cdc_member_at(body, m->at);
	int count = 0;

	if (m->type == CDC_M_MAP || m->type == CDC_M_LIST)
		count = *(const int *)cdc_member_at(body, m->count_at);
	switch (m->type) {
	case CDC_M_STRING:
		return cdc_json_put_string(b, *(const struct cdc_str *)at, err);
	case CDC_M_INT64:
		return put_int(b, *(const int64_t *)at, err);
	case CDC_M_INT32:
		return put_int(b, *(const int32_t *)at, err);
	case CDC_M_BOOL:
	case CDC_M_EXTENDED:
		return put_z(b, *(const bool *)at ? "true" : "false", err);
	case CDC_M_MAP:
		return put_map(b, *(struct cdc_kv *const *)at, count, kind != CDC_ACT_METADATA,
			       err);
	case CDC_M_LIST:
		return put_list(b, *(struct cdc_str *const *)at, count, err);
	case CDC_M_TAGS:
		return cdc_buf_put(b, *(const struct cdc_str *)at, err);
	case CDC_M_COUNT_STATS:
		return cdc_buf_printf(b, err, "\"{\\\"numRecords\\\":%lld}\"",
				      (long long)*(const int64_t *)at);
	case CDC_M_STORAGE:
		return cdc_buf_printf(b, err, "\"%c\"", *(const char *)at);
	case CDC_M_FORMAT:
		return put_z(b, "{\"provider\":\"parquet\",\"options\":{}}", err);
	case CDC_M_DV:
		return put_members(b, kind, cdc_dv_member, CDC_DV_NUM_MEMBERS, at, err);
	}
	return CDC_OK;
}

static int put_members(struct cdc_buf *b, enum cdc_action_kind kind,
		       const struct cdc_member *member, int num, const void *body,
		       struct cdc_err *err)
{
	const char *sep = "{\"";
	int rc = CDC_OK;

	for (int i = 0; !rc && i < num; i++) {
		if (!cdc_member_present(kind, &member[i], body))
			continue;
		rc = put_z(b, sep, err);
		if (!rc)
			rc = put_z(b, member[i].name, err);
		if (!rc)
			rc = put_z(b, "\":", err);
		if (!rc)
			rc = put_value(b, kind, &member[i], body, err);
		sep = ",\"";
	}
	return rc ? rc : cdc_buf_putc(b, '}', err);
}

int cdc_action_write(struct cdc_buf *b, enum cdc_action_kind kind, const void *body,
		     struct cdc_err *err)
{
	const struct cdc_action_def *d = &cdc_action_def[kind];
	int rc = cdc_buf_printf(b, err, "{\"%s\":", d->name);

	if (!rc)
		rc = put_members(b, kind, d->member, d->num_members, body, err);
	return rc ? rc : cdc_buf_puts(b, "}\n", err);
}

int cdc_protocol_write(struct cdc_buf *b, const struct cdc_protocol *p, struct cdc_err *err)
{
	return cdc_action_write(b, CDC_ACT_PROTOCOL, p, err);
}

int cdc_metadata_write(struct cdc_buf *b, const struct cdc_metadata *m, struct cdc_err *err)
{
	return cdc_action_write(b, CDC_ACT_METADATA, m, err);
}

int cdc_txn_write(struct cdc_buf *b, const struct cdc_txn *t, struct cdc_err *err)
{
	return cdc_action_write(b, CDC_ACT_TXN, t, err);
}

int cdc_domain_write(struct cdc_buf *b, const struct cdc_domain *d, struct cdc_err *err)
{
	return cdc_action_write(b, CDC_ACT_DOMAIN, d, err);
}

int cdc_add_write(struct cdc_buf *b, const struct cdc_add *a, struct cdc_err *err)
{
	return cdc_action_write(b, CDC_ACT_ADD, a, err);
}
