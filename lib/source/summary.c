/* What a run read: the counting. See summary.h; summary_print.c prints it. */
#include "source/summary_int.h"

#include "base/value.h"

#include <stdlib.h>

#define TABLES_MAX 100000u
#define PARTS_MAX 100000u
#define KEY_MAX ((size_t)1 << 10) /* longer keys are not counted */
#define COUNTERS 8192u /* of keys */
#define SEEN_MAX ((size_t)256 << 20) /* memory of all series together */

int cdc_summary_new(struct cdc_summary **out, struct cdc_err *err)
{
	struct cdc_summary *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return cdc_fail_nomem(err);
	s->fresh = true;
	rc = cdc_topk_init(&s->keys, COUNTERS, err);
	if (rc < 0)
		free(s);
	else
		*out = s;
	return rc;
}

static void forget_key(struct cdc_summary_table *t)
{
	for (uint32_t i = 0; i < t->n_key; i++)
		cdc_buf_free(&t->key_name[i]);
	free(t->key_name);
	t->key_name = NULL;
	t->n_key = 0;
}

void cdc_summary_free(struct cdc_summary *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->n_table; i++) {
		forget_key(&s->table[i]);
		cdc_buf_free(&s->table[i].fields);
		cdc_buf_free(&s->table[i].key);
		free(s->table[i].name);
	}
	for (uint32_t i = 0; i < s->n_part; i++) {
		cdc_idset_free(&s->part[i].offset.seen);
		cdc_idset_free(&s->part[i].id.seen);
		free(s->part[i].topic);
	}
	free(s->table);
	free(s->part);
	cdc_map_free(&s->table_map);
	cdc_map_free(&s->part_map);
	cdc_topk_free(&s->keys);
	cdc_tape_free(&s->tape);
	cdc_buf_free(&s->text);
	free(s);
}

void cdc_summary_format(struct cdc_summary *s, const char *format, const char *framing)
{
	for (size_t i = 0; i < s->n_format; i++) {
		if (s->format[i].format == format && s->format[i].framing == framing) {
			s->format[i].inputs++;
			return;
		}
	}
	if (s->n_format < sizeof(s->format) / sizeof(s->format[0]))
		s->format[s->n_format++] = (struct cdc_summary_format){ format, framing, 1 };
}

/* ------------------------------------------------------------------ series */

static size_t seen_bytes(const struct cdc_summary *s)
{
	size_t sum = 0;

	for (uint32_t i = 0; i < s->n_part; i++)
		sum += cdc_idset_bytes(&s->part[i].offset.seen) +
		       cdc_idset_bytes(&s->part[i].id.seen);
	return sum;
}

static int note(struct cdc_summary *s, struct cdc_series *q, int64_t v, struct cdc_err *err)
{
	size_t bytes = cdc_idset_bytes(&q->seen);
	bool was = false;
	int rc = s->uncounted ? CDC_OK : cdc_idset_add(&q->seen, v, &was, err);

	if (rc < 0)
		return rc;
	if (cdc_idset_bytes(&q->seen) != bytes)
		s->uncounted = seen_bytes(s) > SEEN_MAX;
	q->duplicates += was ? 1 : 0;
	if (!q->known) {
		q->first = q->last = v;
		q->known = true;
	} else {
		q->inversions += v < q->before ? 1 : 0;
		q->jumps += v > q->last && v - 1 != q->last ? 1 : 0;
		q->first = v < q->first ? v : q->first;
		q->last = v > q->last ? v : q->last;
	}
	q->before = v;
	return CDC_OK;
}

/* ------------------------------------------------------------------ messages */

static void *grow(void *array, uint32_t *cap, size_t size)
{
	uint32_t n = *cap ? *cap * 2 : 16;
	void *grown = reallocarray(array, n, size);

	if (grown)
		*cap = n;
	return grown;
}

static bool is_part(const struct cdc_summary_part *p, struct cdc_str topic, int32_t partition)
{
	return p->partition == partition && (p->topic != NULL) == (topic.p != NULL) &&
	       cdc_str_eq(cdc_str(p->topic, p->topic_len), topic);
}

/* topic.p NULL: none. */
static int find_part(struct cdc_summary *s, struct cdc_str topic, int32_t partition,
		     struct cdc_err *err)
{
	uint64_t hash = cdc_hash64(topic.p ? topic.p : "", topic.n) + (uint32_t)partition;
	struct cdc_map_iter it = cdc_map_seek(&s->part_map, hash);
	struct cdc_summary_part *grown;
	char *name = NULL;
	int rc;

	if (s->n_part && is_part(&s->part[s->at], topic, partition))
		return CDC_OK;
	while (cdc_map_next(&s->part_map, &it, &s->at)) {
		if (is_part(&s->part[s->at], topic, partition))
			return CDC_OK;
	}
	s->at = 0;
	if (s->n_part == PARTS_MAX)
		return cdc_fail(err, CDC_EDATA, "more than %u partitions", PARTS_MAX);
	if (s->n_part == s->cap_part) {
		grown = grow(s->part, &s->cap_part, sizeof(*grown));
		if (!grown)
			return cdc_fail_nomem(err);
		s->part = grown;
	}
	if (topic.p) {
		name = malloc(topic.n + 1);
		if (!name)
			return cdc_fail_nomem(err);
		memcpy(name, topic.p, topic.n);
	}
	rc = cdc_map_insert(&s->part_map, hash, s->n_part, err);
	if (rc < 0) {
		free(name);
		return rc;
	}
	s->at = s->n_part++;
	s->part[s->at] = (struct cdc_summary_part){ .topic = name,
						    .topic_len = topic.n,
						    .partition = partition };
	return CDC_OK;
}

int cdc_summary_message(struct cdc_summary *s, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_str topic = { NULL, 0 };
	int rc;

	if (m->has_kafka)
		topic = m->topic.p ? m->topic : CDC_STR("");
	rc = find_part(s, topic, m->has_kafka ? m->partition : 0, err);
	if (rc < 0)
		return rc;
	s->fresh = true;
	s->has_messages = true;
	s->part[s->at].messages++;
	return m->has_kafka ? note(s, &s->part[s->at].offset, m->kafka_offset, err) : CDC_OK;
}

/* ------------------------------------------------------------------ tables */

static int find_table(struct cdc_summary *s, struct cdc_str name, struct cdc_summary_table **t,
		      struct cdc_err *err)
{
	uint64_t hash = cdc_hash64(name.p ? name.p : "", name.n);
	struct cdc_map_iter it = cdc_map_seek(&s->table_map, hash);
	struct cdc_summary_table *grown;
	uint32_t i = s->last_table;
	char *copy;
	int rc;

	if (i < s->n_table && cdc_str_eq(cdc_str(s->table[i].name, s->table[i].name_len), name)) {
		*t = &s->table[i];
		return CDC_OK;
	}
	while (cdc_map_next(&s->table_map, &it, &i)) {
		if (!cdc_str_eq(cdc_str(s->table[i].name, s->table[i].name_len), name))
			continue;
		s->last_table = i;
		*t = &s->table[i];
		return CDC_OK;
	}
	if (s->n_table == TABLES_MAX)
		return cdc_fail(err, CDC_EDATA, "more than %u tables", TABLES_MAX);
	if (s->n_table == s->cap_table) {
		grown = grow(s->table, &s->cap_table, sizeof(*grown));
		if (!grown)
			return cdc_fail_nomem(err);
		s->table = grown;
	}
	copy = malloc(name.n + 1);
	if (!copy)
		return cdc_fail_nomem(err);
	memcpy(copy, name.n ? name.p : "", name.n);
	rc = cdc_map_insert(&s->table_map, hash, s->n_table, err);
	if (rc < 0) {
		free(copy);
		return rc;
	}
	s->last_table = s->n_table++;
	*t = &s->table[s->last_table];
	**t = (struct cdc_summary_table){ .name = copy, .name_len = name.n };
	return CDC_OK;
}

static int keep(struct cdc_buf *b, struct cdc_str text, struct cdc_err *err)
{
	cdc_buf_reset(b);
	return cdc_buf_put(b, text, err);
}

static int take_schema(struct cdc_summary *s, struct cdc_summary_table *t,
		       const struct cdc_record *r, struct cdc_err *err)
{
	const struct cdc_tape *tape = &s->tape;
	uint32_t key = r->primary_key_tok;
	int rc;

	forget_key(t);
	cdc_buf_reset(&t->key);
	if (key == CDC_JSON_NONE || tape->tok[key].type != CDC_JSON_ARRAY || !tape->tok[key].count)
		return CDC_OK;
	rc = keep(&t->key, cdc_json_source(tape, key), err);
	t->key_name = calloc(tape->tok[key].count, sizeof(*t->key_name));
	if (!t->key_name)
		return cdc_fail_nomem(err);
	for (uint32_t i = cdc_json_first(tape, key); rc == CDC_OK && i != CDC_JSON_NONE;
	     i = cdc_json_after(tape, key, i))
		rc = cdc_buf_put(&t->key_name[t->n_key++], cdc_json_raw(tape, i), err);
	return rc;
}

/* {"dbTable":…,"key":{…}} of the row's key; empty when that is not told. */
static int key_text(struct cdc_summary *s, const struct cdc_summary_table *t,
		    const struct cdc_record *r, uint32_t image, struct cdc_err *err)
{
	struct cdc_buf *b = &s->text;
	uint32_t hint = 0;
	int rc;

	cdc_buf_reset(b);
	rc = cdc_buf_puts(b, "{\"dbTable\":\"", err);
	if (rc == CDC_OK)
		rc = cdc_buf_put(b, cdc_str(t->name, t->name_len), err);
	if (rc == CDC_OK)
		rc = cdc_buf_puts(b, "\",\"key\":{", err);
	for (uint32_t i = 0; rc == CDC_OK && i < t->n_key; i++) {
		struct cdc_image_col col;

		if (!cdc_image_find(r, image, cdc_buf_str(&t->key_name[i]), &hint, &col)) {
			cdc_buf_reset(b);
			return CDC_OK;
		}
		rc = cdc_buf_puts(b, i ? ",\"" : "\"", err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(b, cdc_buf_str(&t->key_name[i]), err);
		if (rc == CDC_OK)
			rc = cdc_buf_puts(b, "\":", err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(b, cdc_json_source(&s->tape, col.value_tok), err);
	}
	return rc < 0 ? rc : cdc_buf_putc(b, '}', err);
}

/* The key that the change is about: as it was before it, if that is told. */
static int count_key(struct cdc_summary *s, const struct cdc_summary_table *t,
		     const struct cdc_record *r, struct cdc_err *err)
{
	uint32_t image[2] = { r->before_tok, r->after_tok };

	for (int i = 0; t->n_key && i < 2; i++) {
		int rc;

		if (image[i] == CDC_JSON_NONE)
			continue;
		rc = key_text(s, t, r, image[i], err);
		if (rc < 0)
			return rc;
		if (s->text.len && s->text.len <= KEY_MAX)
			return cdc_topk_add(&s->keys, cdc_buf_str(&s->text), err);
	}
	s->no_key++;
	return CDC_OK;
}

/* ------------------------------------------------------------------ records */

static void take_time(struct cdc_span *span, int64_t us)
{
	if (!span->known || us < span->first_us)
		span->first_us = us;
	if (!span->known || us > span->last_us)
		span->last_us = us;
	span->known = true;
}

static int take_row(struct cdc_summary *s, struct cdc_summary_table *t, const struct cdc_record *r,
		    struct cdc_err *err)
{
	struct cdc_series *id;
	int rc = CDC_OK;

	if (r->fields_tok != CDC_JSON_NONE)
		rc = keep(&t->fields, cdc_json_source(&s->tape, r->fields_tok), err);
	if (rc == CDC_OK && !s->part)
		rc = find_part(s, (struct cdc_str){ NULL, 0 }, 0, err);
	if (rc < 0 || !s->part)
		return rc;
	id = &s->part[s->at].id;
	/* Rows of one message may share a recordID. */
	if (r->has_id && (s->fresh || r->id != id->before))
		rc = note(s, id, r->id, err);
	s->fresh = !s->has_messages;
	return rc < 0 ? rc : count_key(s, t, r, err);
}

static int take_record(struct cdc_summary *s, const struct cdc_record *r, struct cdc_err *err)
{
	struct cdc_summary_table *t = NULL;
	int64_t us;
	bool zone;
	int rc = CDC_OK;

	if (r->type == CDC_RECORD_CHECKPOINT)
		return CDC_OK;
	s->count[r->type]++;
	if (r->db_table.n) {
		rc = find_table(s, r->db_table, &t, err);
		if (rc < 0 || !t)
			return rc;
		t->count[r->type]++;
	}
	if (r->timestamp_tok != CDC_JSON_NONE &&
	    cdc_timestamp_parse(cdc_json_raw(&s->tape, r->timestamp_tok), false, &us, &zone) ==
		    CDC_PARSE_OK) {
		take_time(&s->span, us);
		if (t)
			take_time(&t->span, us);
	}
	if (t && r->type == CDC_RECORD_SCHEMA)
		rc = take_schema(s, t, r, err);
	else if (t && cdc_record_is_row(r->type))
		rc = take_row(s, t, r, err);
	return rc;
}

int cdc_summary_lines(struct cdc_summary *s, struct cdc_str lines, struct cdc_err *err)
{
	int rc = CDC_OK;

	while (rc == CDC_OK && lines.n) {
		const char *end = memchr(lines.p, '\n', lines.n);
		size_t n = end ? (size_t)(end - lines.p) : lines.n;
		struct cdc_record r;

		rc = cdc_record_parse(&r, &s->tape, cdc_str(lines.p, n), err);
		if (rc == CDC_OK)
			rc = take_record(s, &r, err);
		n += end ? 1 : 0;
		lines = cdc_str(lines.p + n, lines.n - n);
	}
	return rc;
}
