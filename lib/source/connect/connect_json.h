/*
 * Avro data as Kafka Connect's JSON converter would have written it: a schema, once, and payloads.
 * What decodes the JSON then decodes Avro as well.
 */
#ifndef CDC_SOURCE_CONNECT_JSON_H
#define CDC_SOURCE_CONNECT_JSON_H

#include "source/avro/avro_plan.h"
#include "source/out.h"

/* Append the Connect schema of the plan's datum. */
void cdc_connect_json_schema(const struct cdc_avro_plan *plan, struct cdc_out *o);

/* Append the datum at c as JSON: bytes are base64, numbers have all their digits. False: the datum
 * is damaged at c->p, as c->why tells. */
bool cdc_connect_json_put(const struct cdc_avro_plan *plan, struct cdc_avro_cur *c,
			  struct cdc_out *o);

#endif
