/*
 * A schema registry over HTTP, through libcurl: Confluent's interface, or Apicurio's own. Optional
 * at build: without it cdc_registry_new() is CDC_EUSAGE.
 */
#ifndef CDC_SOURCE_REGISTRY_H
#define CDC_SOURCE_REGISTRY_H

#include "base/buf.h"

/* What an id is an id of. */
enum cdc_schema_id {
	CDC_SCHEMA_ID, /* 4 bytes behind the magic byte: Confluent's, or Apicurio's content id */
	CDC_SCHEMA_GUID, /* text */
	CDC_SCHEMA_GLOBAL_ID, /* Apicurio's */
	CDC_SCHEMA_CONTENT_ID
};

struct cdc_registry;

/* url: of http or https; may hold a user and password, else ~/.netrc is looked at. */
int cdc_registry_new(struct cdc_registry **r, const char *url, struct cdc_err *err) CDC_NODISCARD;
/*
 * Fetch a schema's Avro JSON, replacing *schema. CDC_EDATA: there is none, or it is no Avro schema
 * that stands alone; CDC_EIO: the registry does not answer or refuses.
 */
int cdc_registry_get(struct cdc_registry *r, enum cdc_schema_id kind, const char *id,
		     struct cdc_buf *schema, struct cdc_err *err) CDC_NODISCARD;
void cdc_registry_free(struct cdc_registry *r);

#endif
