/*
 * One position: {"topic":…,"partition":…,"offset":…}, or another object that says where a record
 * came from, which counts for nothing.
 */
#include "record/record.h"

static int bad(const struct cdc_tape *t, uint32_t tok, const char *what, struct cdc_err *err)
{
	int rc = cdc_fail(err, CDC_EDATA, "position: %s", what);

	cdc_err_offset(err, (uint64_t)(cdc_json_source(t, tok).p - t->text));
	return rc;
}

enum { TOPIC = 1, PARTITION = 2, OFFSET = 4, COMPLETE = 7 };

/* The member that key token k names, 0 when it is none that counts. */
static unsigned which_member(const struct cdc_tape *t, uint32_t k)
{
	struct cdc_str name = cdc_json_raw(t, k);

	if (name.n == 5 && memcmp(name.p, "topic", 5) == 0)
		return TOPIC;
	if (name.n == 9 && memcmp(name.p, "partition", 9) == 0)
		return PARTITION;
	if (name.n == 6 && memcmp(name.p, "offset", 6) == 0)
		return OFFSET;
	if (!t->tok[k].escaped)
		return 0;
	if (cdc_json_is(t, k, CDC_STR("topic")))
		return TOPIC;
	if (cdc_json_is(t, k, CDC_STR("partition")))
		return PARTITION;
	return cdc_json_is(t, k, CDC_STR("offset")) ? OFFSET : 0;
}

/* Set one member from its value token v. */
static int set_member(const struct cdc_tape *t, unsigned which, uint32_t v,
		      struct cdc_position *pos, struct cdc_err *err)
{
	int64_t i = 0;

	if (which == TOPIC) {
		if (t->tok[v].type != CDC_JSON_STRING)
			return bad(t, v, "the topic is not a string", err);
		pos->topic = cdc_json_raw(t, v);
		return CDC_OK;
	}
	if (!cdc_json_int64(t, v, &i))
		i = -1;
	if (which == OFFSET) {
		if (i < 0)
			return bad(t, v, "the offset is not an integer of 0..2^63-1", err);
		pos->offset = i;
		return CDC_OK;
	}
	if (i < 0 || i > INT32_MAX)
		return bad(t, v, "the partition is not an integer of 0..2^31-1", err);
	pos->partition = (int32_t)i;
	return CDC_OK;
}

int cdc_position_parse(const struct cdc_tape *t, uint32_t tok, struct cdc_position *pos,
		       bool *complete, struct cdc_err *err)
{
	unsigned seen = 0;
	unsigned filled = 0;
	int rc;

	*complete = false;
	if (t->tok[tok].type != CDC_JSON_OBJECT)
		return bad(t, tok, "not an object", err);
	for (uint32_t k = cdc_json_first(t, tok); k != CDC_JSON_NONE;
	     k = cdc_json_after(t, tok, k)) {
		unsigned which = which_member(t, k);

		if (seen & which)
			return bad(t, k, "a member occurs twice", err);
		seen |= which;
		if (which == 0 || t->tok[k + 1].type == CDC_JSON_NULL)
			continue;
		rc = set_member(t, which, k + 1, pos, err);
		if (rc < 0)
			return rc;
		filled |= which;
	}
	*complete = filled == COMPLETE;
	return CDC_OK;
}
