/*
 * Where and when a Debezium change was made: its source block, or the marks of a flattened row that
 * stand for it.
 */
#include "source/debezium/debezium_int.h"

/* Of the source, what a record says elsewhere, or that says nothing of the change. */
static const struct cdc_str no_tags[] = {
	{ "db", 2 },	    { "schema", 6 }, { "table", 5 }, { "collection", 10 },
	{ "connector", 9 }, { "ts_ms", 5 },  { "ts_us", 5 }, { "ts_ns", 5 },
	{ "ts_sec", 6 },    { "name", 4 },   { "query", 5 }, { "version", 7 },
};

static const struct {
	const char *connector;
	const char *source_type;
} sources[] = {
	{ "mysql", "MySQL" },	      { "mariadb", "MariaDB" },	    { "postgresql", "PostgreSQL" },
	{ "oracle", "Oracle" },	      { "sqlserver", "SQLServer" }, { "db2", "DB2" },
	{ "mongodb", "MongoDB" },     { "vitess", "Vitess" },	    { "spanner", "Spanner" },
	{ "cassandra", "Cassandra" }, { "informix", "Informix" },
};

static bool is_a(const struct debezium *d, uint32_t i, enum cdc_json_type type)
{
	return cdc_json_in_is(&d->j, i, type);
}

static struct cdc_str raw(const struct debezium *d, uint32_t i)
{
	return cdc_json_in_raw(&d->j, i);
}

int debezium_set_source(struct debezium *d, struct cdc_err *err)
{
	struct cdc_str c = raw(d, d->src[DBZ_SRC_CONNECTOR]);
	int rc;

	if (cdc_str_eq(c, cdc_buf_str(&d->last_connector)))
		return CDC_OK;
	cdc_buf_reset(&d->last_connector);
	rc = cdc_buf_put(&d->last_connector, c, err);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (cdc_str_eqz(c, sources[i].connector))
			c = cdc_str_z(sources[i].source_type);
	}
	return rc < 0 ? rc : cdc_change_source(&d->j.c, c, CDC_STR(""), err);
}

/* A time member in its unit; 0 says nothing (snapshots of old versions). */
static bool take_time(const struct debezium *d, uint32_t i, int64_t up, int64_t down, int64_t *us)
{
	int64_t v;

	if (!is_a(d, i, CDC_JSON_NUMBER) || !cdc_json_int64(&d->j.tape, i, &v) || v == 0 ||
	    v > INT64_MAX / up || v < INT64_MIN / up)
		return false;
	*us = v * up / down;
	return true;
}

bool debezium_time(const struct debezium *d, int64_t *us)
{
	return take_time(d, d->src[DBZ_SRC_TS_NS], 1, 1000, us) ||
	       take_time(d, d->src[DBZ_SRC_TS_US], 1, 1, us) ||
	       take_time(d, d->src[DBZ_SRC_TS_MS], 1000, 1, us) ||
	       take_time(d, d->src[DBZ_SRC_TS_SEC], 1000000, 1, us) ||
	       take_time(d, d->tok[DBZ_TS_NS], 1, 1000, us) ||
	       take_time(d, d->tok[DBZ_TS_US], 1, 1, us) ||
	       take_time(d, d->tok[DBZ_TS_MS], 1000, 1, us);
}

static bool is_tag(struct cdc_str name)
{
	for (size_t i = 0; i < sizeof(no_tags) / sizeof(no_tags[0]); i++) {
		if (cdc_str_eq(name, no_tags[i]))
			return false;
	}
	return true;
}

/* Scalars of an object as tags; of a flattened row those with two underscores. */
void debezium_tags(struct debezium *d, uint32_t object, bool flat)
{
	if (!is_a(d, object, CDC_JSON_OBJECT))
		return;
	for (uint32_t k = cdc_json_first(&d->j.tape, object); k != CDC_JSON_NONE;
	     k = cdc_json_after(&d->j.tape, object, k)) {
		enum cdc_json_type type = (enum cdc_json_type)d->j.tape.tok[k + 1].type;
		struct cdc_str name = cdc_json_raw(&d->j.tape, k);

		if (type == CDC_JSON_NULL || type == CDC_JSON_ARRAY || type == CDC_JSON_OBJECT)
			continue;
		if (flat ? !debezium_is_mark(name) : !is_tag(name))
			continue;
		if (d->j.tape.tok[k].escaped)
			continue;
		cdc_change_tag_raw(&d->j.c, flat ? cdc_str(name.p + 2, name.n - 2) : name,
				   cdc_json_raw(&d->j.tape, k + 1));
	}
}

void debezium_transaction(struct debezium *d)
{
	uint32_t id = cdc_json_get(&d->j.tape, d->tok[DBZ_TRANSACTION], "id");

	if (is_a(d, id, CDC_JSON_STRING))
		cdc_change_tag_raw(&d->j.c, CDC_STR("transaction"), raw(d, id));
}

/* What a flattened row's marks say of its table and time, where an envelope's source would. */
void debezium_flat_source(struct debezium *d)
{
	static const struct {
		enum debezium_source member;
		const char *name;
	} marks[] = {
		{ DBZ_SRC_DB, "__db" },
		{ DBZ_SRC_DB, "__source_db" },
		{ DBZ_SRC_SCHEMA, "__schema" },
		{ DBZ_SRC_SCHEMA, "__source_schema" },
		{ DBZ_SRC_TABLE, "__table" },
		{ DBZ_SRC_TABLE, "__source_table" },
		{ DBZ_SRC_TABLE, "__collection" },
		{ DBZ_SRC_CONNECTOR, "__connector" },
		{ DBZ_SRC_CONNECTOR, "__source_connector" },
		{ DBZ_SRC_TS_NS, "__source_ts_ns" },
		{ DBZ_SRC_TS_US, "__source_ts_us" },
		{ DBZ_SRC_TS_MS, "__source_ts_ms" },
		{ DBZ_SRC_TS_MS, "__ts_ms" },
	};

	for (size_t i = 0; i < DBZ_MEMBERS; i++)
		d->tok[i] = CDC_JSON_NONE;
	for (size_t i = 0; i < DBZ_SRC_MEMBERS; i++)
		d->src[i] = CDC_JSON_NONE;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		uint32_t tok = cdc_json_get(&d->j.tape, d->root, marks[i].name);

		if (tok != CDC_JSON_NONE && !is_a(d, tok, CDC_JSON_NULL) &&
		    d->src[marks[i].member] == CDC_JSON_NONE)
			d->src[marks[i].member] = tok;
	}
}
