/* Kafka Connect's types: semantic names, names of types, values of numbers. */
#include "source/connect/connect_type.h"

#include "base/value.h"
#include "source/mysql/mysql_type.h"
#include "source/value/value_text.h"

#include <strings.h>

/* Base types; JSON converters and Avro schemas spell some of them differently. */
static const struct {
	const char *name;
	enum cdc_connect_kind kind;
	const char *type;
} bases[] = {
	{ "int8", CDC_CONNECT_INTEGER, "tinyint" },    { "int16", CDC_CONNECT_INTEGER, "smallint" },
	{ "int32", CDC_CONNECT_INTEGER, "int" },       { "int64", CDC_CONNECT_INTEGER, "bigint" },
	{ "float", CDC_CONNECT_FLOAT, "float" },       { "float32", CDC_CONNECT_FLOAT, "float" },
	{ "double", CDC_CONNECT_DOUBLE, "double" },    { "float64", CDC_CONNECT_DOUBLE, "double" },
	{ "boolean", CDC_CONNECT_BOOLEAN, "boolean" }, { "string", CDC_CONNECT_STRING, "text" },
	{ "bytes", CDC_CONNECT_BYTES, "blob" },	       { "struct", CDC_CONNECT_NESTED, "json" },
	{ "array", CDC_CONNECT_NESTED, "json" },       { "map", CDC_CONNECT_NESTED, "json" },
};

static const struct {
	const char *name;
	enum cdc_connect_kind kind;
	const char *type; /* NULL: made from parameters */
} meanings[] = {
	{ "org.apache.kafka.connect.data.Decimal", CDC_CONNECT_DECIMAL, NULL },
	{ "org.apache.kafka.connect.data.Date", CDC_CONNECT_DATE, "date" },
	{ "org.apache.kafka.connect.data.Time", CDC_CONNECT_TIME_MS, "time" },
	{ "org.apache.kafka.connect.data.Timestamp", CDC_CONNECT_DATETIME_MS, "datetime" },
	{ "io.debezium.data.VariableScaleDecimal", CDC_CONNECT_VARIABLE_DECIMAL, "text" },
	{ "io.debezium.time.Date", CDC_CONNECT_DATE, "date" },
	{ "io.debezium.time.Time", CDC_CONNECT_TIME_MS, "time" },
	{ "io.debezium.time.MicroTime", CDC_CONNECT_TIME_US, "time" },
	{ "io.debezium.time.NanoTime", CDC_CONNECT_TIME_NS, "time" },
	{ "io.debezium.time.Timestamp", CDC_CONNECT_DATETIME_MS, "datetime" },
	{ "io.debezium.time.MicroTimestamp", CDC_CONNECT_DATETIME_US, "datetime" },
	{ "io.debezium.time.NanoTimestamp", CDC_CONNECT_DATETIME_NS, "datetime" },
	{ "io.debezium.time.ZonedTimestamp", CDC_CONNECT_ZONED, "timestamp" },
	{ "io.debezium.time.ZonedTime", CDC_CONNECT_STRING, "text" },
	{ "io.debezium.time.IsoDate", CDC_CONNECT_ISO_DATE, "date" },
	{ "io.debezium.time.IsoTime", CDC_CONNECT_ISO_TIME, "time" },
	{ "io.debezium.time.IsoTimestamp", CDC_CONNECT_ISO_DATETIME, "datetime" },
	{ "io.debezium.time.Year", CDC_CONNECT_INTEGER, "year" },
	{ "io.debezium.time.Interval", CDC_CONNECT_STRING, "text" },
	{ "io.debezium.time.MicroDuration", CDC_CONNECT_INTEGER, "bigint" },
	{ "io.debezium.time.NanoDuration", CDC_CONNECT_INTEGER, "bigint" },
	/* Avro's own, see connect_json.c. */
	{ "timestamp-millis", CDC_CONNECT_INSTANT_MS, "timestamp" },
	{ "timestamp-micros", CDC_CONNECT_INSTANT_US, "timestamp" },
	{ "timestamp-nanos", CDC_CONNECT_INSTANT_NS, "timestamp" },
	{ "io.debezium.data.Bits", CDC_CONNECT_BITS, NULL },
	{ "io.debezium.data.Json", CDC_CONNECT_STRING, "json" },
	{ "io.debezium.data.Enum", CDC_CONNECT_STRING, "enum" },
	{ "io.debezium.data.EnumSet", CDC_CONNECT_STRING, "set" },
	{ "io.debezium.data.Uuid", CDC_CONNECT_STRING, "text" },
	{ "io.debezium.data.Xml", CDC_CONNECT_STRING, "text" },
	{ "io.debezium.data.Ltree", CDC_CONNECT_STRING, "text" },
	{ "io.debezium.data.geometry.Geometry", CDC_CONNECT_GEOMETRY, "geometry" },
	{ "io.debezium.data.geometry.Geography", CDC_CONNECT_GEOMETRY, "geometry" },
	{ "io.debezium.data.geometry.Point", CDC_CONNECT_GEOMETRY, "geometry" },
};

static int number(struct cdc_str s, const char *what, int64_t max, int64_t *out,
		  struct cdc_err *err)
{
	if (cdc_int64_parse(s, out) != CDC_PARSE_OK || *out > max || *out < -max)
		return cdc_fail(err, CDC_EDATA, "a schema has the %s %.*s", what,
				(int)(s.n < 40 ? s.n : 40), s.p);
	return CDC_OK;
}

/* Without a precision, the source has none to tell. */
static int decimal_type(const struct cdc_connect_schema *s, struct cdc_connect_type *t,
			struct cdc_err *err)
{
	int64_t scale = 0, precision = 0;
	int rc = s->scale.n ? number(s->scale, "scale", CDC_BIG_DECIMAL_DIGITS, &scale, err)
			    : CDC_OK;

	if (rc < 0)
		return rc;
	if (scale < 0)
		return cdc_fail(err, CDC_EDATA, "a schema has a negative scale");
	t->arg = (uint32_t)scale;
	if (s->precision.n == 0)
		return cdc_buf_puts(&t->type, "decimal", err);
	rc = number(s->precision, "precision", 1000, &precision, err);
	return rc < 0 ? rc
		      : cdc_buf_printf(&t->type, err, "decimal(%d,%d)", (int)precision, (int)scale);
}

static int bits_type(const struct cdc_connect_schema *s, struct cdc_connect_type *t,
		     struct cdc_err *err)
{
	int64_t length;
	int rc;

	if (s->length.n == 0)
		return cdc_buf_puts(&t->type, "bit(64)", err);
	rc = number(s->length, "length", INT32_MAX, &length, err);
	if (rc < 0)
		return rc;
	t->arg = (uint32_t)length;
	if (length > 64 || length <= 0)
		return cdc_buf_puts(&t->type, "blob", err);
	/* A bit(1) that came as bits is a number still. */
	return cdc_buf_printf(&t->type, err, "bit(%d)", length < 2 ? 2 : (int)length);
}

/* "DECIMAL(10,2) UNSIGNED" from what the connector propagates. */
static int spell_column(const struct cdc_connect_schema *s, struct cdc_buf *out,
			struct cdc_err *err)
{
	size_t word = 0;
	int rc;

	while (word < s->column_type.n && s->column_type.p[word] != ' ')
		word++;
	rc = cdc_buf_put(out, cdc_str(s->column_type.p, word), err);
	if (rc == CDC_OK && s->column_length.n) {
		rc = cdc_buf_putc(out, '(', err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(out, s->column_length, err);
		if (rc == CDC_OK && s->column_scale.n) {
			rc = cdc_buf_putc(out, ',', err);
			if (rc == CDC_OK)
				rc = cdc_buf_put(out, s->column_scale, err);
		}
		if (rc == CDC_OK)
			rc = cdc_buf_putc(out, ')', err);
	}
	if (rc == CDC_OK)
		rc = cdc_buf_put(out, cdc_str(s->column_type.p + word, s->column_type.n - word),
				 err);
	return rc;
}

/* Does the column's own type say more than Connect's, of the same values? */
static bool agrees(enum cdc_connect_kind kind, enum cdc_mysql_kind mysql)
{
	switch (mysql) {
	case CDC_MYSQL_INTEGER:
		return kind == CDC_CONNECT_INTEGER;
	case CDC_MYSQL_DECIMAL:
		return kind == CDC_CONNECT_DECIMAL || kind == CDC_CONNECT_STRING ||
		       kind == CDC_CONNECT_DOUBLE;
	case CDC_MYSQL_FLOAT:
		return kind == CDC_CONNECT_FLOAT;
	case CDC_MYSQL_BINARY:
		return kind == CDC_CONNECT_BYTES;
	case CDC_MYSQL_TIMESTAMP:
		return kind == CDC_CONNECT_ZONED;
	case CDC_MYSQL_TEXT:
	case CDC_MYSQL_DOUBLE:
	case CDC_MYSQL_BIT:
	case CDC_MYSQL_DATE:
	case CDC_MYSQL_TIME:
	case CDC_MYSQL_DATETIME:
	case CDC_MYSQL_YEAR:
	case CDC_MYSQL_ENUM:
	case CDC_MYSQL_SET:
	case CDC_MYSQL_JSON:
	case CDC_MYSQL_GEOMETRY:
		return false;
	}
	return false;
}

static bool ends_unsigned(struct cdc_str s)
{
	static const char word[] = "unsigned";
	size_t n = sizeof(word) - 1;

	return s.n > n && strncasecmp(s.p + s.n - n, word, n) == 0;
}

static int use_column(const struct cdc_connect_schema *s, struct cdc_connect_type *t,
		      struct cdc_err *err)
{
	struct cdc_buf name = CDC_BUF_INIT;
	enum cdc_mysql_kind mysql;
	int rc = spell_column(s, &t->source_type, err);

	if (rc == CDC_OK)
		rc = cdc_mysql_type(cdc_buf_str(&t->source_type), &name, &mysql, err);
	if (rc == CDC_OK && agrees(t->kind, mysql)) {
		cdc_buf_reset(&t->type);
		rc = cdc_buf_put(&t->type, cdc_buf_str(&name), err);
		if (t->kind == CDC_CONNECT_INTEGER && cdc_str_eqz(s->base, "int64") &&
		    ends_unsigned(cdc_buf_str(&name)))
			t->kind = CDC_CONNECT_UNSIGNED_LONG;
	}
	cdc_buf_free(&name);
	return rc;
}

static int find_meaning(const struct cdc_connect_schema *s, struct cdc_connect_type *t, bool *found,
			struct cdc_err *err)
{
	*found = true;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (!cdc_str_eqz(s->name, meanings[i].name))
			continue;
		t->kind = meanings[i].kind;
		if (meanings[i].type)
			return cdc_buf_puts(&t->type, meanings[i].type, err);
		return t->kind == CDC_CONNECT_DECIMAL ? decimal_type(s, t, err)
						      : bits_type(s, t, err);
	}
	*found = false;
	return CDC_OK;
}

int cdc_connect_type(const struct cdc_connect_schema *s, struct cdc_connect_type *t,
		     struct cdc_err *err)
{
	size_t n = sizeof(bases) / sizeof(bases[0]), i = 0;
	bool found;
	int rc;

	cdc_buf_reset(&t->type);
	cdc_buf_reset(&t->source_type);
	t->arg = 0;
	while (i < n && !cdc_str_eqz(s->base, bases[i].name))
		i++;
	if (i == n)
		return cdc_fail(err, CDC_EDATA, "a schema has the type %.*s",
				(int)(s->base.n < 40 ? s->base.n : 40), s->base.p);
	rc = find_meaning(s, t, &found, err);
	if (rc == CDC_OK && !found) {
		t->kind = bases[i].kind;
		rc = cdc_buf_puts(&t->type, bases[i].type, err);
	}
	if (rc < 0)
		return rc;
	if (s->column_type.n)
		return use_column(s, t, err);
	return cdc_buf_put(&t->source_type, found ? s->name : s->base, err);
}

void cdc_connect_type_free(struct cdc_connect_type *t)
{
	cdc_buf_free(&t->type);
	cdc_buf_free(&t->source_type);
}

void cdc_connect_put_number(struct cdc_out *o, enum cdc_connect_kind kind, int64_t v)
{
	bool ms = kind == CDC_CONNECT_TIME_MS || kind == CDC_CONNECT_DATETIME_MS ||
		  kind == CDC_CONNECT_INSTANT_MS;

	/* Milliseconds of any sane date stay inside 64 bits as microseconds. */
	if (ms && (v > INT64_MAX / 1000 || v < INT64_MIN / 1000)) {
		cdc_out_fail(o, "a time is out of range");
		return;
	}
	if (kind == CDC_CONNECT_DATE) {
		cdc_text_date_days(o, v);
	} else if (kind == CDC_CONNECT_TIME_MS) {
		cdc_text_time_us(o, v * 1000);
	} else if (kind == CDC_CONNECT_TIME_US) {
		cdc_text_time_us(o, v);
	} else if (kind == CDC_CONNECT_TIME_NS) {
		cdc_text_time_ns(o, v);
	} else if (kind == CDC_CONNECT_DATETIME_MS || kind == CDC_CONNECT_INSTANT_MS) {
		cdc_text_timestamp_us(o, v * 1000, kind == CDC_CONNECT_INSTANT_MS);
	} else if (kind == CDC_CONNECT_DATETIME_US || kind == CDC_CONNECT_INSTANT_US) {
		cdc_text_timestamp_us(o, v, kind == CDC_CONNECT_INSTANT_US);
	} else if (kind == CDC_CONNECT_DATETIME_NS || kind == CDC_CONNECT_INSTANT_NS) {
		cdc_text_timestamp_ns(o, v, kind == CDC_CONNECT_INSTANT_NS);
	} else {
		cdc_out_char(o, '"');
		if (kind == CDC_CONNECT_UNSIGNED_LONG)
			cdc_out_uint(o, (uint64_t)v);
		else
			cdc_out_int(o, v);
		cdc_out_char(o, '"');
	}
}

void cdc_connect_put_bits(struct cdc_out *o, struct cdc_str bytes)
{
	uint64_t v = 0;

	if (bytes.n > 8) {
		cdc_text_binary(o, bytes);
		return;
	}
	for (size_t i = bytes.n; i-- > 0;)
		v = v << 8 | (unsigned char)bytes.p[i];
	cdc_out_char(o, '"');
	cdc_out_uint(o, v);
	cdc_out_char(o, '"');
}

bool cdc_connect_unavailable(struct cdc_str text)
{
	return cdc_str_eq(text, CDC_STR("__debezium_unavailable_value")) ||
	       cdc_str_eq(text, CDC_STR("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="));
}
