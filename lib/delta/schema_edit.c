/*
 * Changes of a schema in memory: the metadata of fields, column mapping (spec section 11), and
 * wider types (section 13). The schema's JSON is made anew afterwards.
 */
#include "delta/schema.h"

#include "base/json.h"
#include "io/io.h"

static int keep(struct cdc_schema *s, const struct cdc_buf *b, struct cdc_str *out,
		struct cdc_err *err)
{
	*out = cdc_str(cdc_arena_dup(&s->arena, b->p ? b->p : "", b->len), b->len);
	return out->p ? CDC_OK : cdc_fail_nomem(err);
}

/* ------------------------------------------------------------------ metadata */

static int put_member(struct cdc_buf *out, struct cdc_str key_source, struct cdc_str value,
		      struct cdc_err *err)
{
	int rc = out->len > 1 ? cdc_buf_putc(out, ',', err) : CDC_OK;

	if (!rc)
		rc = cdc_buf_put(out, key_source, err);
	if (!rc)
		rc = cdc_buf_putc(out, ':', err);
	return rc ? rc : cdc_buf_put(out, value, err);
}

/* The members of the object on the tape, but the one that is to be set. */
static int put_others(const struct cdc_tape *t, const char *key, struct cdc_buf *out,
		      struct cdc_err *err)
{
	int rc = cdc_buf_putc(out, '{', err);

	if (t->tok[0].type != CDC_JSON_OBJECT)
		return rc;
	for (uint32_t k = cdc_json_first(t, 0); !rc && k != CDC_JSON_NONE;
	     k = cdc_json_after(t, 0, k))
		if (!cdc_json_is(t, k, cdc_str_z(key)))
			rc = put_member(out, cdc_json_source(t, k), cdc_json_source(t, k + 1), err);
	return rc;
}

int cdc_field_set_metadata(struct cdc_schema *s, struct cdc_field *f, const char *key,
			   struct cdc_str value, struct cdc_err *err)
{
	struct cdc_str old = f->metadata.n ? f->metadata : CDC_STR("{}");
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_buf name = CDC_BUF_INIT;
	int rc = cdc_json_scan(&tape, old, NULL, err);

	if (!rc)
		rc = put_others(&tape, key, &out, err);
	if (!rc)
		rc = cdc_json_put_string(&name, cdc_str_z(key), err);
	if (!rc)
		rc = put_member(&out, cdc_buf_str(&name), value, err);
	if (!rc)
		rc = cdc_buf_putc(&out, '}', err);
	if (!rc)
		rc = keep(s, &out, &f->metadata, err);
	cdc_buf_free(&name);
	cdc_buf_free(&out);
	cdc_tape_free(&tape);
	return rc;
}

/* ------------------------------------------------------------------ column mapping */

struct mapping {
	struct cdc_schema *schema;
	const struct cdc_io *io;
	bool new_names;
	int64_t max_id;
	struct cdc_buf text;
};

static void find_max_id(const struct cdc_field *f, int n, int64_t *max)
{
	for (int i = 0; i < n; i++) {
		if (f[i].has_field_id && f[i].field_id > *max)
			*max = f[i].field_id;
		find_max_id(f[i].child, f[i].num_children, max);
	}
}

static int name_field(struct mapping *m, struct cdc_field *f, struct cdc_err *err)
{
	char uuid[37];
	int rc = m->new_names ? cdc_io_uuid(m->io, uuid, NULL, err) : CDC_OK;

	cdc_buf_reset(&m->text);
	if (!rc)
		rc = m->new_names ? cdc_buf_printf(&m->text, err, "col-%s", uuid)
				  : cdc_buf_put(&m->text, f->name, err);
	if (!rc)
		rc = keep(m->schema, &m->text, &f->physical_name, err);
	cdc_buf_reset(&m->text);
	if (!rc)
		rc = cdc_json_put_string(&m->text, f->physical_name, err);
	return rc ? rc
		  : cdc_field_set_metadata(m->schema, f, "delta.columnMapping.physicalName",
					   cdc_buf_str(&m->text), err);
}

static int map_field(struct mapping *m, struct cdc_field *f, struct cdc_err *err)
{
	int rc;

	if (f->has_field_id)
		return CDC_OK;
	if (!m->new_names && !f->name.n)
		return cdc_fail(err, CDC_EUNSUPPORTED, "a column without a name cannot be mapped");
	if (m->max_id >= INT32_MAX)
		return cdc_fail(err, CDC_EUNSUPPORTED, "no ids for columns are left");
	f->has_field_id = true;
	f->field_id = (int32_t)++m->max_id;
	rc = cdc_buf_printf(&m->text, err, "%lld", (long long)m->max_id);
	if (!rc)
		rc = cdc_field_set_metadata(m->schema, f, "delta.columnMapping.id",
					    cdc_buf_str(&m->text), err);
	return rc ? rc : name_field(m, f, err);
}

/* Lists and maps have no ids themselves, nor have their parts, but structs in them do. */
static int map_fields(struct mapping *m, struct cdc_field *f, int n, bool named,
		      struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; i < n && !rc; i++) {
		cdc_buf_reset(&m->text);
		if (named)
			rc = map_field(m, &f[i], err);
		if (rc || !f[i].num_children)
			continue;
		f[i].type_json = (struct cdc_str)CDC_STR_INIT;
		rc = map_fields(m, f[i].child, f[i].num_children, f[i].type == CDC_TYPE_STRUCT,
				err);
	}
	return rc;
}

int cdc_schema_map(struct cdc_schema *s, const struct cdc_io *io, bool new_names, int64_t *max_id,
		   struct cdc_err *err)
{
	struct mapping m = { .schema = s, .io = io, .new_names = new_names, .max_id = *max_id };
	int rc;

	find_max_id(s->field, s->num_fields, &m.max_id);
	rc = map_fields(&m, s->field, s->num_fields, true, err);
	*max_id = m.max_id;
	cdc_buf_free(&m.text);
	return rc;
}

/* ------------------------------------------------------------------ wider types */

/* Digits before the point that the integer type needs, as a decimal; 0: it is none. */
static int integer_digits(enum cdc_type t)
{
	switch (t) {
	case CDC_TYPE_BYTE:
	case CDC_TYPE_SHORT:
	case CDC_TYPE_INTEGER:
		return 10;
	case CDC_TYPE_LONG:
		return 20;
	case CDC_TYPE_BOOLEAN:
	case CDC_TYPE_FLOAT:
	case CDC_TYPE_DOUBLE:
	case CDC_TYPE_DECIMAL:
	case CDC_TYPE_STRING:
	case CDC_TYPE_BINARY:
	case CDC_TYPE_DATE:
	case CDC_TYPE_TIMESTAMP:
	case CDC_TYPE_TIMESTAMP_NTZ:
	case CDC_TYPE_VOID:
	case CDC_TYPE_VARIANT:
	case CDC_TYPE_STRUCT:
	case CDC_TYPE_ARRAY:
	case CDC_TYPE_MAP:
	case CDC_TYPE_TIME:
	case CDC_TYPE_TIMESTAMP_NS:
	case CDC_TYPE_TIMESTAMP_NTZ_NS:
	case CDC_TYPE_UUID:
	case CDC_TYPE_INTERVAL:
	case CDC_TYPE_BIG_DECIMAL:
		break;
	}
	return 0;
}

static bool widens_to_decimal(const struct cdc_field *from, const struct cdc_field *to)
{
	int digits = integer_digits(from->type);
	int scale = 0;

	if (from->type == CDC_TYPE_DECIMAL) {
		digits = from->precision;
		scale = from->scale;
		if (to->precision == digits && to->scale == scale)
			return false;
	}
	return digits && to->scale >= scale && to->precision - digits >= to->scale - scale;
}

bool cdc_type_widens(const struct cdc_field *from, const struct cdc_field *to)
{
	static const struct {
		enum cdc_type from;
		enum cdc_type to;
	} wider[] = {
		{ CDC_TYPE_BYTE, CDC_TYPE_SHORT },	   { CDC_TYPE_BYTE, CDC_TYPE_INTEGER },
		{ CDC_TYPE_BYTE, CDC_TYPE_LONG },	   { CDC_TYPE_BYTE, CDC_TYPE_DOUBLE },
		{ CDC_TYPE_SHORT, CDC_TYPE_INTEGER },	   { CDC_TYPE_SHORT, CDC_TYPE_LONG },
		{ CDC_TYPE_SHORT, CDC_TYPE_DOUBLE },	   { CDC_TYPE_INTEGER, CDC_TYPE_LONG },
		{ CDC_TYPE_INTEGER, CDC_TYPE_DOUBLE },	   { CDC_TYPE_FLOAT, CDC_TYPE_DOUBLE },
		{ CDC_TYPE_DATE, CDC_TYPE_TIMESTAMP_NTZ },
	};

	if (to->type == CDC_TYPE_DECIMAL)
		return widens_to_decimal(from, to);
	for (size_t i = 0; i < sizeof(wider) / sizeof(wider[0]); i++)
		if (wider[i].from == from->type && wider[i].to == to->type)
			return true;
	return false;
}

/* The list of changes so far without its end, so that one more can follow. */
static int begin_changes(struct cdc_str metadata, struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_str list;
	uint32_t v = CDC_JSON_NONE;
	int rc = metadata.n ? cdc_json_scan(&tape, metadata, NULL, err) : CDC_OK;

	if (!rc && metadata.n)
		v = cdc_json_get(&tape, 0, "delta.typeChanges");
	if (!rc && v != CDC_JSON_NONE && tape.tok[v].type == CDC_JSON_ARRAY && tape.tok[v].count) {
		list = cdc_json_source(&tape, v);
		rc = cdc_buf_put(out, cdc_str(list.p, list.n - 1), err);
		if (!rc)
			rc = cdc_buf_putc(out, ',', err);
	} else if (!rc) {
		rc = cdc_buf_putc(out, '[', err);
	}
	cdc_tape_free(&tape);
	return rc;
}

int cdc_field_widen(struct cdc_schema *s, struct cdc_field *f, const struct cdc_field *to,
		    struct cdc_err *err)
{
	char from_name[CDC_TYPE_NAME_MAX], to_name[CDC_TYPE_NAME_MAX];
	struct cdc_buf list = CDC_BUF_INIT;
	int rc = begin_changes(f->metadata, &list, err);

	if (!rc)
		rc = cdc_buf_printf(&list, err, "{\"fromType\":\"%s\",\"toType\":\"%s\"}]",
				    cdc_type_name(f, from_name), cdc_type_name(to, to_name));
	if (!rc)
		rc = cdc_field_set_metadata(s, f, "delta.typeChanges", cdc_buf_str(&list), err);
	if (!rc) {
		f->type = to->type;
		f->precision = to->precision;
		f->scale = to->scale;
	}
	cdc_buf_free(&list);
	return rc;
}
