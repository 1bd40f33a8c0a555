/*
 * The partition values of an add: one for each column, of its type, in the form that the protocol
 * gives it (spec section 7).
 */
#include "table/fsck/fsck_int.h"

static const struct cdc_kv *value_of(const struct cdc_add *a, struct cdc_str column)
{
	for (int i = 0; i < a->num_partition_values; i++)
		if (cdc_str_eq(a->partition_value[i].key, column))
			return &a->partition_value[i];
	return NULL;
}

static bool is_time(const struct cdc_field *f)
{
	return f->type == CDC_TYPE_TIMESTAMP || f->type == CDC_TYPE_TIMESTAMP_NTZ;
}

/*
 * Times are written in more than one form, of which all are read: with a zone since Spark 4, before
 * without one, and with or without zeros at the end of the fraction.
 */
static bool is_other_time(const struct cdc_field *f, const union cdc_value *v, struct cdc_str text)
{
	char made[CDC_VALUE_TEXT_MAX];
	bool zulu = text.n && text.p[text.n - 1] == 'Z';
	char sep = zulu ? 'T' : ' ';

	if (!is_time(f) || (zulu && f->type == CDC_TYPE_TIMESTAMP_NTZ))
		return false;
	return cdc_str_eq(text, cdc_str(made, cdc_timestamp_format(v->i, sep, zulu, made))) ||
	       cdc_str_eq(text,
			  cdc_str(made, cdc_timestamp_format_fixed(v->i, sep, zulu, 6, made)));
}

static int check_form(struct fsck *k, const struct cdc_field *f, struct fsck_place at,
		      const union cdc_value *v, struct cdc_str text, struct cdc_err *err)
{
	struct cdc_buf made = CDC_BUF_INIT;
	int rc = cdc_partition_format(f, v, &made, err);

	if (!rc && !cdc_str_eq(cdc_buf_str(&made), text) && !is_other_time(f, v, text))
		rc = fsck_report(k, FSCK_PARTITION_FORM, at, err,
				 "partition column \"%.*s\": \"%.*s\" is not in the form of the "
				 "protocol, \"%.*s\"",
				 FSCK_SHOWN(f->name), FSCK_SHOWN(text),
				 FSCK_SHOWN(cdc_buf_str(&made)));
	cdc_buf_free(&made);
	return rc;
}

static int check_column(struct fsck *k, const struct cdc_field *f, const struct cdc_add *a,
			struct cdc_err *err)
{
	const struct fsck_place at = { a->path, -1 };
	const struct cdc_kv *kv = value_of(a, f->physical_name);
	struct cdc_err why = CDC_ERR_INIT;
	union cdc_value v;
	bool is_null;

	if (!kv)
		return fsck_report(k, FSCK_PARTITION, at, err,
				   "it has no value of the partition column \"%.*s\"",
				   FSCK_SHOWN(f->name));
	if (cdc_partition_parse(f, kv->value, &v, &is_null, &why))
		return fsck_report_err(k, FSCK_PARTITION, at, &why, err);
	if (is_null && !f->nullable)
		return fsck_report(k, FSCK_PARTITION, at, err,
				   "partition column \"%.*s\" is null, and must not be",
				   FSCK_SHOWN(f->name));
	if (is_null)
		return CDC_OK;
	return check_form(k, f, at, &v, kv->value, err);
}

int fsck_partition_values(struct fsck *k, const struct cdc_add *a, struct cdc_err *err)
{
	const struct cdc_schema *schema = &k->s->schema;
	int rc = CDC_OK;

	for (int i = 0; !rc && i < schema->num_fields; i++)
		if (schema->field[i].is_partition)
			rc = check_column(k, &schema->field[i], a, err);
	if (!rc && a->num_partition_values > k->s->metadata.num_partition_columns)
		rc = fsck_report(k, FSCK_PARTITION_FORM, (struct fsck_place){ a->path, -1 }, err,
				 "it has %d partition values, and the table %d partition columns",
				 a->num_partition_values, k->s->metadata.num_partition_columns);
	return rc;
}
