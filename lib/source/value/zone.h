/*
 * Time zones of sources that print local time: "UTC", "+08:00", or a name of the zone database
 * ("Asia/Shanghai"), whose file is read from the system's zoneinfo directory (TZif, RFC 8536).
 */
#ifndef CDC_SOURCE_ZONE_H
#define CDC_SOURCE_ZONE_H

#include "base/error.h"
#include "base/str.h"
#include "io/io.h"

struct cdc_zone;

/* CDC_EUSAGE when there is no such zone. */
int cdc_zone_new(struct cdc_zone **zone, const struct cdc_io *io, const char *name,
		 struct cdc_err *err) CDC_NODISCARD;
/*
 * Seconds since the epoch, UTC, of a wall clock in the zone (its seconds as if it were UTC). An
 * hour that comes twice is its first coming, one that is left out counts on from before it.
 */
int64_t cdc_zone_to_utc(const struct cdc_zone *zone, int64_t wall_s);
void cdc_zone_free(struct cdc_zone *zone);

#endif
