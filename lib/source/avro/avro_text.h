/*
 * Avro values in the text forms of cdc-record(5): what a node of a plan means is settled once, then
 * values are printed straight from the datum.
 */
#ifndef CDC_SOURCE_AVRO_TEXT_H
#define CDC_SOURCE_AVRO_TEXT_H

#include "source/avro/avro_plan.h"
#include "source/out.h"

#define CDC_AVRO_NESTED_MAX ((size_t)256 << 20) /* bytes of JSON text of one value */

/* How values of a node are printed. */
enum cdc_avro_as {
	CDC_AVRO_AS_IT_IS, /* by the Avro type */
	CDC_AVRO_AS_DECIMAL, /* unscaled bytes */
	CDC_AVRO_AS_DATE, /* days */
	CDC_AVRO_AS_TIME_MS,
	CDC_AVRO_AS_TIME_US,
	CDC_AVRO_AS_TIME_NS,
	CDC_AVRO_AS_INSTANT_MS,
	CDC_AVRO_AS_INSTANT_US,
	CDC_AVRO_AS_INSTANT_NS,
	CDC_AVRO_AS_DATETIME_MS, /* without a zone */
	CDC_AVRO_AS_DATETIME_US,
	CDC_AVRO_AS_DATETIME_NS,
	CDC_AVRO_AS_INSTANT_TEXT, /* RFC 3339, any zone */
	CDC_AVRO_AS_UUID, /* 16 bytes */
	CDC_AVRO_AS_BITS, /* little-endian */
	CDC_AVRO_AS_YEAR,
	CDC_AVRO_AS_JSON,
	CDC_AVRO_AS_ENUM,
	CDC_AVRO_AS_DURATION,
	CDC_AVRO_AS_SCALED /* record of scale and value */
};

struct cdc_avro_text {
	const struct cdc_avro_plan *plan;
	uint8_t *as; /* by node: enum cdc_avro_as */
	struct cdc_out nested; /* JSON text of a value being printed */
};

/* The plan must outlive it. Free it in any case; *t is zeroed to begin with. */
int cdc_avro_text_init(struct cdc_avro_text *t, const struct cdc_avro_plan *plan,
		       struct cdc_err *err) CDC_NODISCARD;
void cdc_avro_text_free(struct cdc_avro_text *t);

/*
 * Print the value at c of node `node`: null, or a JSON string; records, arrays and maps as a string
 * that holds their JSON text. Goes on over failures of the output, so that the datum's end is
 * found. False: the datum is damaged at c->p, as c->why tells.
 */
bool cdc_avro_text_put(struct cdc_avro_text *t, uint32_t node, struct cdc_avro_cur *c,
		       struct cdc_out *o);

/* The type of a SCHEMA record for a node (behind its union with null). At most
 * CDC_AVRO_TYPE_MAX bytes into `out`; the length. *nullable: it is a union with null. */
#define CDC_AVRO_TYPE_MAX 32
size_t cdc_avro_text_type(const struct cdc_avro_text *t, uint32_t node, char *out, bool *nullable);

#endif
