/*
 * The table properties that we know, and what their values look like.
 */
#ifndef CDC_DELTA_PROPERTY_H
#define CDC_DELTA_PROPERTY_H

#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Whether "KEY=VALUE" may be set on some table. Keys without the prefix "delta." are the user's own
 * and always may, but for those with "cdc.", which are ours. CDC_EUSAGE with the reason.
 */
int cdc_property_check(struct cdc_str key, struct cdc_str value, struct cdc_err *err) CDC_NODISCARD;

/* "interval 1 week 2 days", "7 days": in milliseconds. Months have no fixed length. */
bool cdc_interval_parse(struct cdc_str text, int64_t *ms);

#endif
