/* How far a stream has been merged. See next_offset.h. */
#include "table/merge/next_offset.h"

#include "base/json.h"

#include <string.h>

int cdc_partition_app_id(const char *app_id, struct cdc_str topic, int32_t partition,
			 struct cdc_buf *out, struct cdc_err *err)
{
	if (cdc_buf_printf(out, err, "%s:", app_id) || cdc_buf_reserve(out, topic.n, err))
		return err->code;
	out->len += cdc_json_unescape(topic, out->p + out->len);
	return cdc_buf_printf(out, err, ":%d", (int)partition);
}

int cdc_next_offset(const struct cdc_snapshot *s, const char *app_id, const char *topic,
		    int32_t partition, int64_t *next, struct cdc_err *err)
{
	struct cdc_buf id = CDC_BUF_INIT;
	int rc = cdc_buf_printf(&id, err, "%s:%s:%d", app_id ? app_id : CDC_APP_ID, topic,
				(int)partition);
	int64_t last = rc < 0 ? -1 : cdc_snapshot_txn(s, cdc_buf_str(&id));

	if (last >= 0 && last < INT64_MAX)
		*next = last + 1;
	cdc_buf_free(&id);
	return rc;
}
