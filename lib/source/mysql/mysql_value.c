/* Values of MySQL from Canal's spelling to the text forms of cdc-record(5). */
#include "source/mysql/mysql_value.h"

#include "source/value/value_text.h"

#include "base/value.h"

struct put {
	struct cdc_out *o;
	struct cdc_arena *scratch;
	const struct cdc_zone *zone;
	const struct cdc_change_column *col;
};

int cdc_mysql_column(struct cdc_change_column *col, struct cdc_arena *a, struct cdc_err *err)
{
	struct cdc_buf name = CDC_BUF_INIT;
	enum cdc_mysql_kind kind;
	int rc = cdc_mysql_type(col->source_type, &name, &kind, err);

	if (rc == CDC_OK) {
		char *p = cdc_arena_dup(a, name.p, name.len);

		if (!p)
			rc = cdc_fail_nomem(err);
		col->type = cdc_str(p, name.len);
		col->as = (uint8_t)kind;
	}
	cdc_buf_free(&name);
	return rc;
}

/* ENUM comes as the number of its member, as other writers' name otherwise. */
static void put_enum(const struct put *q, struct cdc_str s)
{
	struct cdc_out *o = q->o;
	uint64_t number;
	size_t n;
	char *name;

	if (cdc_uint64_parse(s, &number) != CDC_PARSE_OK) {
		cdc_out_quoted(o, s);
		return;
	}
	cdc_arena_reset(q->scratch);
	name = cdc_arena_alloc(q->scratch, q->col->source_type.n + 1);
	if (!name)
		cdc_out_fail(o, "out of memory");
	else if (number == 0)
		cdc_out_lit(o, "\"\"");
	else if (cdc_mysql_member(q->col->source_type, number, name, &n))
		cdc_out_quoted(o, cdc_str(name, n));
	else
		cdc_out_quoted(o, s);
}

/* SET comes as the bits of its members. */
static void put_set(const struct put *q, struct cdc_str s)
{
	struct cdc_out *o = q->o;
	size_t mark = o->buf.len, n;
	bool first = true;
	uint64_t bits;
	char *name;

	cdc_arena_reset(q->scratch);
	name = cdc_arena_alloc(q->scratch, q->col->source_type.n + 1);
	if (!name || cdc_uint64_parse(s, &bits) != CDC_PARSE_OK) {
		cdc_out_quoted(o, s);
		return;
	}
	cdc_out_char(o, '"');
	for (uint64_t i = 0; i < 64; i++) {
		if (!(bits >> i & 1))
			continue;
		if (!cdc_mysql_member(q->col->source_type, i + 1, name, &n)) {
			o->buf.len = mark;
			cdc_out_quoted(o, s);
			return;
		}
		if (!first)
			cdc_out_char(o, ',');
		first = false;
		cdc_out_text(o, cdc_str(name, n));
	}
	cdc_out_char(o, '"');
}

/* BINARY(n) loses its trailing zeros in the log: its length, 0 for other types. */
static size_t padded_length(struct cdc_str type)
{
	enum { MOST = 255 }; /* bytes of a BINARY */
	uint64_t n;

	if (type.n < 9 || memcmp(type.p, "binary(", 7) != 0 ||
	    cdc_uint64_parse(cdc_str(type.p + 7, type.n - 8), &n) != CDC_PARSE_OK)
		return 0;
	return n <= MOST ? (size_t)n : 0;
}

/* A geometry travels like binary: its bytes as code points. */
static void put_geometry(const struct put *q, struct cdc_str s)
{
	struct cdc_out *o = q->o;
	size_t mark = o->buf.len, n;
	char *bytes;

	cdc_text_latin1_binary(o, s, 0);
	if (o->rc < 0)
		return;
	cdc_arena_reset(q->scratch);
	bytes = cdc_arena_alloc(q->scratch, s.n + 3);
	if (!bytes ||
	    cdc_base64_decode(cdc_str(o->buf.p + mark + 1, o->buf.len - mark - 2), bytes, &n)) {
		cdc_out_fail(o, "out of memory");
		return;
	}
	o->buf.len = mark;
	cdc_text_wkb(o, cdc_str(bytes, n));
}

static void put_text(const struct put *q, struct cdc_str s)
{
	struct cdc_out *o = q->o;

	switch ((enum cdc_mysql_kind)q->col->as) {
	case CDC_MYSQL_TEXT:
	case CDC_MYSQL_INTEGER:
	case CDC_MYSQL_BIT:
	case CDC_MYSQL_YEAR:
	case CDC_MYSQL_JSON:
		cdc_out_quoted(o, s);
		break;
	case CDC_MYSQL_DECIMAL:
		cdc_text_decimal(o, s);
		break;
	case CDC_MYSQL_FLOAT:
	case CDC_MYSQL_DOUBLE:
		cdc_text_float(o, s, q->col->as == CDC_MYSQL_FLOAT);
		break;
	case CDC_MYSQL_DATE:
		cdc_text_date(o, s);
		break;
	case CDC_MYSQL_TIME:
		cdc_text_time(o, s);
		break;
	case CDC_MYSQL_DATETIME:
		cdc_text_datetime(o, s);
		break;
	case CDC_MYSQL_TIMESTAMP:
		cdc_text_instant(o, s, q->zone);
		break;
	case CDC_MYSQL_ENUM:
		put_enum(q, s);
		break;
	case CDC_MYSQL_SET:
		put_set(q, s);
		break;
	case CDC_MYSQL_BINARY:
		cdc_text_latin1_binary(o, s, padded_length(q->col->type));
		break;
	case CDC_MYSQL_GEOMETRY:
		put_geometry(q, s);
		break;
	}
}

void cdc_mysql_put(struct cdc_out *o, struct cdc_arena *scratch, const struct cdc_zone *zone,
		   const struct cdc_change_column *col, struct cdc_str s)
{
	struct put q = { o, scratch, zone, col };

	/* What failed before is not this column's. */
	if (o->rc < 0)
		return;
	put_text(&q, s);
	if (o->rc < 0)
		cdc_err_prefix(&o->err, "column %.*s", (int)(col->name.n < 100 ? col->name.n : 100),
			       col->name.p);
}
