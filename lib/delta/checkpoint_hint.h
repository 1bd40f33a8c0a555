/*
 * Private to the checkpoint writer: the hint _last_checkpoint (spec section 9).
 */
#ifndef CDC_DELTA_CHECKPOINT_HINT_H
#define CDC_DELTA_CHECKPOINT_HINT_H

#include "base/md5.h"
#include "delta/log_int.h"

struct cdc_cp_hint {
	int64_t version;
	int64_t num_actions;
	int64_t size_bytes; /* of all files */
	int64_t num_adds;
	/* V2: its top file, which has a name of its own; "" for a classic one. */
	char top_name[2 * CDC_LOG_NAME_MAX];
	int64_t top_bytes;
	int64_t top_modification_time_ms;
};

/* Point to a checkpoint that is there, unless the hint says that of a newer one. */
int cdc_cp_hint_write(const struct cdc_io *io, const char *table, const struct cdc_cp_hint *h,
		      struct cdc_err *err) CDC_NODISCARD;

/*
 * The checksum of a hint, which is an object of JSON: the MD5 of its values, each behind the names
 * that lead to it, in the order of their bytes; a member "checksum" does not count. CDC_EDATA when
 * the text is none.
 */
int cdc_cp_hint_checksum(struct cdc_str json, char out[CDC_MD5_TEXT_MAX],
			 struct cdc_err *err) CDC_NODISCARD;

#endif
