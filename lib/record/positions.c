/*
 * Bookkeeping of Kafka positions: what was seen, what was promised, and the CHECKPOINT that tells.
 */
#include "record/positions.h"

#include "base/value.h"

#include <inttypes.h>
#include <stdlib.h>

static bool is_entry(const struct cdc_positions_entry *e, const struct cdc_position *pos)
{
	return e->partition == pos->partition &&
	       cdc_str_eq(cdc_str(e->topic, e->topic_len), pos->topic);
}

static uint64_t hash_of(const struct cdc_position *pos)
{
	return cdc_hash64(pos->topic.p, pos->topic.n) ^
	       cdc_hash64_u64((uint64_t)(uint32_t)pos->partition);
}

static int add(struct cdc_positions *p, const struct cdc_position *pos, uint64_t hash,
	       struct cdc_err *err)
{
	struct cdc_positions_entry *e;
	int rc;

	if (p->n == CDC_POSITIONS_MAX)
		return cdc_fail(err, CDC_EDATA, "positions of more than %d partitions",
				CDC_POSITIONS_MAX);
	if (pos->topic.n > 0 && memchr(pos->topic.p, '\0', pos->topic.n))
		return cdc_fail(err, CDC_EDATA, "a topic name holds a NUL byte");
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 8;

		e = realloc(p->entry, cap * sizeof(*e));
		if (!e)
			return cdc_fail_nomem(err);
		p->entry = e;
		p->cap = cap;
	}
	e = &p->entry[p->n];
	*e = (struct cdc_positions_entry){
		.topic = malloc(pos->topic.n + 1),
		.topic_len = pos->topic.n,
		.partition = pos->partition,
		.offset = -1,
		.promised = -1,
	};
	if (!e->topic)
		return cdc_fail_nomem(err);
	if (pos->topic.n > 0)
		memcpy(e->topic, pos->topic.p, pos->topic.n);
	e->topic[pos->topic.n] = '\0';
	rc = cdc_map_insert(&p->map, hash, (uint32_t)p->n, err);
	if (rc < 0) {
		free(e->topic);
		return rc;
	}
	p->last = p->n++;
	return CDC_OK;
}

/* Make p->last the entry of pos. */
static int find(struct cdc_positions *p, const struct cdc_position *pos, struct cdc_err *err)
{
	struct cdc_map_iter it;
	uint64_t hash;
	uint32_t i;

	if (p->n > 0 && is_entry(&p->entry[p->last], pos))
		return CDC_OK;
	hash = hash_of(pos);
	it = cdc_map_seek(&p->map, hash);
	while (cdc_map_next(&p->map, &it, &i)) {
		if (is_entry(&p->entry[i], pos)) {
			p->last = i;
			return CDC_OK;
		}
	}
	return add(p, pos, hash, err);
}

int cdc_positions_note(struct cdc_positions *p, const struct cdc_position *pos, struct cdc_err *err)
{
	struct cdc_positions_entry *e;
	int rc = find(p, pos, err);

	if (rc < 0)
		return rc;
	e = &p->entry[p->last];
	/* one message may hold several records: an equal offset is in order */
	if (pos->offset < e->offset)
		e->disordered = true;
	else
		e->offset = pos->offset;
	return CDC_OK;
}

/* Visit the positions of a CHECKPOINT; p == NULL checks them only. */
static int each_promise(struct cdc_positions *p, const struct cdc_record *r, struct cdc_err *err)
{
	const struct cdc_tape *t = r->tape;
	uint32_t array = r->positions_tok;
	struct cdc_position pos;
	bool complete;
	int rc;

	for (uint32_t i = cdc_json_first(t, array); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, array, i)) {
		rc = cdc_position_parse(t, i, &pos, &complete, err);
		if (rc < 0)
			return rc;
		if (!complete || !p)
			continue;
		rc = find(p, &pos, err);
		if (rc < 0)
			return rc;
		if (pos.offset > p->entry[p->last].promised)
			p->entry[p->last].promised = pos.offset;
	}
	return CDC_OK;
}

int cdc_positions_checkpoint(struct cdc_positions *p, const struct cdc_record *r,
			     struct cdc_err *err)
{
	int rc;

	if (r->positions_tok == CDC_JSON_NONE)
		return CDC_OK;
	rc = each_promise(NULL, r, err);
	return rc < 0 ? rc : each_promise(p, r, err);
}

static int print_entry(const struct cdc_positions_entry *e, bool first, struct cdc_buf *out,
		       struct cdc_err *err)
{
	return cdc_buf_printf(
		out, err, "%s{\"topic\":\"%s\",\"partition\":%" PRId32 ",\"offset\":%" PRId64 "}",
		first ? "" : ",", e->topic, e->partition,
		e->offset > e->promised ? e->offset : e->promised);
}

int cdc_positions_print(const struct cdc_positions *p, bool final, struct cdc_buf *out,
			struct cdc_err *err)
{
	int rc = cdc_buf_puts(out, "{\"recordType\":\"CHECKPOINT\",\"positions\":[", err);

	for (size_t i = 0; i < p->n && rc == CDC_OK; i++)
		rc = print_entry(&p->entry[i], i == 0, out, err);
	if (rc == CDC_OK)
		rc = cdc_buf_puts(out, final ? "],\"final\":true}\n" : "]}\n", err);
	return rc;
}

void cdc_positions_free(struct cdc_positions *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->entry[i].topic);
	free(p->entry);
	cdc_map_free(&p->map);
	*p = (struct cdc_positions)CDC_POSITIONS_INIT;
}
