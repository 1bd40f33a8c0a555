/* The options of cdc-decode for live topics, and the run that they ask for. */
#ifndef CDC_CMD_DECODE_LIVE_H
#define CDC_CMD_DECODE_LIVE_H

#include "cmd/common.h"
#include "source/source.h"

struct live_options {
	const char *brokers; /* --kafka; NULL: no live topic */
	const char *offset;
	bool follow;
	int64_t max_records;
	const char *resume;
	const char *app_id;
	const char *config;
	const char *checkpoint_every;
	const char *on_loss;
};

#define LIVE_CHECKPOINT_EVERY "60s"

/* Read the topic into the source; partition -1: all. */
int live_run(struct cmd *c, const struct live_options *o, const char *topic, int64_t partition,
	     struct cdc_source *s, struct cdc_err *err) CDC_NODISCARD;
/* An option of a live topic that is given without --kafka, NULL: none. */
const char *live_stray(const struct live_options *o);

#endif
