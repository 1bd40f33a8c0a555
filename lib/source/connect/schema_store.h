/*
 * Avro schemas by the ids in front of messages: from a directory (<id>.avsc), then from a registry.
 * Each is fetched once, and so is the news that there is none.
 */
#ifndef CDC_SOURCE_SCHEMA_STORE_H
#define CDC_SOURCE_SCHEMA_STORE_H

#include "source/avro/avro_plan.h"
#include "source/connect/registry.h"
#include "source/source.h"

struct cdc_stored_schema {
	enum cdc_schema_id kind;
	char id[40];
	struct cdc_avro_plan *plan; /* NULL: there is none, as `why` says */
	bool raw; /* the schema is "bytes": the datum has no length in front */
	struct cdc_str connect; /* Connect's JSON of the schema; owned */
	uint64_t number; /* from 1 */
	struct cdc_err why;
};

struct cdc_schema_store;

/* By the options schema_dir and registry. */
int cdc_schema_store_new(struct cdc_schema_store **store, const struct cdc_source_options *opt,
			 struct cdc_err *err) CDC_NODISCARD;
void cdc_schema_store_free(struct cdc_schema_store *store);

/* A schema, which lives as long as the store. CDC_EDATA: there is none. */
int cdc_schema_store_get(struct cdc_schema_store *store, enum cdc_schema_id kind, const char *id,
			 const struct cdc_stored_schema **schema,
			 struct cdc_err *err) CDC_NODISCARD;

/*
 * What is in front of an Avro value or key: the magic byte and an id (Confluent's of four bytes,
 * Apicurio's of four or eight), or an id in the headers and nothing. False: no such thing.
 */
struct cdc_schema_prefix {
	enum cdc_schema_id kind;
	char id[40];
	size_t len; /* bytes in front of the datum */
};
bool cdc_schema_prefix(const struct cdc_message *m, bool of_key, struct cdc_schema_prefix *prefix);

#endif
