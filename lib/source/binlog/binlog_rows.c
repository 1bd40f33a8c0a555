/* Rows events to change records (spec section 5.4). */
#include "source/binlog/binlog_int.h"

#include <stdlib.h>

#define FLAG_STATEMENT_END 1

struct rows_event {
	const char *type; /* of its records */
	bool update;
	bool has_after; /* the first image of a row is the one after */
	bool partial; /* MySQL's partial JSON updates */
	unsigned version;
	bool compressed;
	uint64_t n; /* columns */
	const unsigned char *present[2]; /* bitmaps: of the first image, of an update's second */
	uint32_t n_present[2];
};

static bool bit(const unsigned char *map, uint64_t i)
{
	return map[i / 8] >> (i % 8) & 1;
}

static uint32_t count_bits(const unsigned char *map, uint64_t n)
{
	uint32_t count = 0;

	for (uint64_t i = 0; i < n; i++)
		count += bit(map, i);
	return count;
}

static const struct {
	uint8_t event;
	uint8_t version;
	char op; /* I, U, D */
	bool compressed;
	bool partial;
} kinds[] = {
	{ 20, 0, 'I', false, false }, { 21, 0, 'U', false, false }, { 22, 0, 'D', false, false },
	{ 23, 1, 'I', false, false }, { 24, 1, 'U', false, false }, { 25, 1, 'D', false, false },
	{ 30, 2, 'I', false, false }, { 31, 2, 'U', false, false }, { 32, 2, 'D', false, false },
	{ 39, 2, 'U', false, true },  { 166, 1, 'I', true, false }, { 167, 1, 'U', true, false },
	{ 168, 1, 'D', true, false }, { 169, 2, 'I', true, false }, { 170, 2, 'U', true, false },
	{ 171, 2, 'D', true, false },
};

static bool kind_of(uint8_t event, struct rows_event *e)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].event != event)
			continue;
		e->version = kinds[i].version;
		e->compressed = kinds[i].compressed;
		e->partial = kinds[i].partial;
		e->update = kinds[i].op == 'U';
		e->has_after = kinds[i].op == 'I';
		e->type = kinds[i].op == 'I' ? "INSERT" : kinds[i].op == 'U' ? "UPDATE" : "DELETE";
		return true;
	}
	return false;
}

/* The event's head; the cursor is then at the first row. */
static int read_head(struct binlog *b, struct rows_event *e, struct binlog_cur *c,
		     struct binlog_table **bt, uint64_t *flags, struct cdc_err *err)
{
	uint64_t id = binlog_le(c, b->table_id_bytes);
	uint32_t i = 0;

	*flags = binlog_le(c, 2);
	if (e->version == 2) {
		uint64_t extra = binlog_le(c, 2);

		(void)binlog_take(c, extra < 2 ? UINT64_MAX : extra - 2);
	}
	e->n = binlog_lenenc(c);
	if (c->bad)
		return cdc_fail(err, CDC_EDATA, "a rows event is damaged");
	while (i < b->n_mapped && b->mapped[i].id != id)
		i++;
	/* The dummy event that ends a statement of several tables. */
	*bt = i < b->n_mapped ? b->mapped[i].table : NULL;
	if (!*bt)
		return *flags & FLAG_STATEMENT_END && e->n == 0
			       ? CDC_OK
			       : cdc_fail(err, CDC_EDATA, "rows of a table that has no table map");
	if (e->n != (*bt)->n)
		return cdc_fail(err, CDC_EDATA, "rows of %llu columns, the table map has %u",
				(unsigned long long)e->n, (*bt)->n);
	for (unsigned k = 0; k < (e->update ? 2u : 1u); k++) {
		e->present[k] = binlog_take(c, (e->n + 7) / 8);
		if (!e->present[k])
			return cdc_fail(err, CDC_EDATA, "a rows event is damaged");
		e->n_present[k] = count_bits(e->present[k], e->n);
	}
	return CDC_OK;
}

/*
 * Of a partial update's second image: which JSON columns are differences. One bit for each JSON
 * column of the table, there or not.
 */
static const unsigned char *partial_bits(const struct binlog_table *bt, struct binlog_cur *c)
{
	uint64_t options = binlog_lenenc(c);
	uint32_t n = 0;

	for (uint32_t i = 0; i < bt->n; i++)
		n += bt->col[i].type == BL_JSON;
	return options & 1 ? binlog_take(c, (n + 7) / 8) : NULL;
}

/* Where the documents of the row before are: partial updates build on them. */
static bool reserve_before(struct binlog *b, uint32_t n)
{
	struct cdc_str *grown;

	if (n > b->cap_before) {
		grown = reallocarray(b->before, n, sizeof(*grown));
		if (!grown)
			return false;
		b->before = grown;
		b->cap_before = n;
	}
	for (uint32_t i = 0; i < n; i++)
		b->before[i] = (struct cdc_str)CDC_STR_INIT;
	return true;
}

/* One image of a row, printed or passed over. */
static void image(struct binlog *b, const struct rows_event *e, struct binlog_table *bt, unsigned k,
		  struct binlog_cur *c, bool print)
{
	const unsigned char *partial = e->partial && k == 1 ? partial_bits(bt, c) : NULL;
	const unsigned char *nulls = binlog_take(c, (e->n_present[k] + 7u) / 8);
	uint32_t at = 0, json = 0;

	for (uint32_t i = 0; nulls && i < bt->n && !c->bad && b->s->out.rc == CDC_OK; i++) {
		bool is_json = bt->col[i].type == BL_JSON;
		bool is_partial = is_json && partial && bit(partial, json);
		struct binlog_cur here;

		json += is_json;
		if (!bit(e->present[k], i))
			continue;
		if (print)
			cdc_change_value(&b->c, &bt->t->col[i]);
		if (bit(nulls, at++)) {
			if (print)
				cdc_out_lit(&b->s->out, "null");
			continue;
		}
		here = *c;
		if (e->partial && k == 0 && is_json)
			b->before[i] = binlog_json_bytes(&bt->col[i], &here);
		if (is_partial)
			binlog_partial_value(b, &bt->col[i], c, b->before[i], print);
		else
			binlog_value(b, &bt->col[i], c, print);
		if (b->s->out.rc < 0)
			cdc_err_prefix(&b->s->out.err, "column %u of %s", i + 1, bt->t->name.p);
	}
}

static int put_row(struct binlog *b, const struct rows_event *e, struct binlog_table *bt,
		   struct binlog_cur *c, const struct cdc_message *m, struct cdc_err *err)
{
	b->ordinal++;
	if (e->partial && !reserve_before(b, bt->n))
		return cdc_fail_nomem(err);
	if (!bt->t->keep) {
		image(b, e, bt, 0, c, false);
		if (e->update)
			image(b, e, bt, 1, c, false);
		b->s->counts.skipped++;
		return cdc_out_take(&b->s->out, err);
	}
	binlog_begin(b, bt->t, CDC_STR(""), e->type);
	cdc_change_images(&b->c, bt->t);
	if (!e->has_after)
		image(b, e, bt, 0, c, true);
	cdc_change_after(&b->c);
	if (e->has_after || e->update)
		image(b, e, bt, e->update ? 1 : 0, c, true);
	return cdc_change_end(&b->c, m, err);
}

int binlog_rows(struct binlog *b, const struct cdc_message *m, struct cdc_str body,
		struct cdc_err *err)
{
	struct binlog_cur c = binlog_cur(body);
	struct rows_event e = { .type = NULL };
	struct binlog_table *bt = NULL;
	uint64_t flags = 0;
	int rc;

	if (!kind_of(b->event_type, &e))
		return cdc_fail(err, CDC_EDATA, "a rows event of type %u", b->event_type);
	rc = read_head(b, &e, &c, &bt, &flags, err);
	if (rc < 0)
		return rc;
	if (bt && e.compressed) {
		rc = binlog_uncompress(cdc_str((const char *)c.p, binlog_left(&c)), &b->rows, err);
		if (rc < 0)
			return rc;
		c = binlog_cur(cdc_buf_str(&b->rows));
	}
	if (bt && bt->t->keep)
		rc = binlog_table_define(b, bt, err);
	while (rc == CDC_OK && bt && binlog_left(&c)) {
		const unsigned char *row = c.p;

		rc = put_row(b, &e, bt, &c, m, err);
		if (rc == CDC_OK && (c.bad || c.p == row))
			rc = cdc_fail(err, CDC_EDATA, "a row of %s is damaged", bt->t->name.p);
		/* An event of short rows can be much text: it goes on its way while it is made. */
		if (rc == CDC_OK && cdc_source_full(b->s))
			rc = cdc_source_flush(b->s, err);
	}
	if (flags & FLAG_STATEMENT_END)
		b->n_mapped = 0;
	return rc;
}
