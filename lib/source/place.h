/* Where in Kafka a file is from, by its name: object-store sinks and brokers' own directories. */
#ifndef CDC_SOURCE_PLACE_H
#define CDC_SOURCE_PLACE_H

#include "base/str.h"

#include <stdint.h>

struct cdc_place {
	bool known;
	struct cdc_str topic; /* in the name */
	int32_t partition;
	int64_t offset; /* of the file's first message */
};

/*
 *	…/sales+3+0000000042.json.gz	Confluent's sinks
 *	…/sales-3-42[.gz]		Aiven's sinks, if it cannot be a date or another numbering
 *	…/sales-3-00000000000000000042[.gz], .jsonl, .csv
 *	…/sales-3/00000000000000000042.log	a broker's segment
 *
 * Names in an archive are read like paths.
 */
struct cdc_place cdc_place_of(const char *path);

#endif
