/* Change records as a box for people. See show.h. */
#include "source/show.h"

#include "base/display.h"
#include "record/record.h"

#include <stdlib.h>

enum { ID, SOURCE, TABLE, TYPE, TIME, TAGS, FIELDS, BEFORE, AFTER, COLUMNS };

static const char *const titles[COLUMNS] = {
	"recordid",  "source", "dbtable",      "recordtype",  "recordtimestamp",
	"extratags", "fields", "beforeimages", "afterimages",
};

/* What gives way first on a narrow terminal; the rest stays. */
static const unsigned char least[] = { FIELDS, SOURCE, TAGS, TIME };

#define CUT_MIN 12u /* columns that are cut keep so many: the length of their titles */
#define IMAGE_MIN 24u /* unless the time can give way */
#define ELLIPSIS "\xe2\x80\xa6"

struct cell {
	size_t off; /* in text */
	uint32_t len;
	uint32_t width;
};

struct cdc_show {
	struct cdc_writer *out;
	uint32_t columns;
	struct cdc_tape tape;
	struct cdc_buf raw; /* a cell before control bytes are escaped */
	struct cdc_buf text; /* of the batch */
	struct cell *cell; /* COLUMNS a record */
	size_t n;
	size_t cap;
	uint32_t natural[COLUMNS]; /* widest cell so far */
	uint32_t width[COLUMNS]; /* as drawn, 0: left out */
	bool open; /* a box is drawn and not closed */
};

int cdc_show_new(struct cdc_show **out, struct cdc_writer *w, uint32_t columns, struct cdc_err *err)
{
	struct cdc_show *s = calloc(1, sizeof(*s));

	if (!s)
		return cdc_fail_nomem(err);
	s->out = w;
	s->columns = columns;
	for (int i = 0; i < COLUMNS; i++)
		s->natural[i] = (uint32_t)strlen(titles[i]);
	*out = s;
	return CDC_OK;
}

void cdc_show_free(struct cdc_show *s)
{
	if (!s)
		return;
	cdc_tape_free(&s->tape);
	cdc_buf_free(&s->raw);
	cdc_buf_free(&s->text);
	free(s->cell);
	free(s);
}

/* ------------------------------------------------------------------ cells */

static int put_cell(struct cdc_show *s, int column, struct cdc_str text, struct cdc_err *err)
{
	struct cell *c = &s->cell[s->n++];
	int rc;

	*c = (struct cell){ .off = s->text.len };
	rc = cdc_display_put(&s->text, text, &c->width, err);
	c->len = (uint32_t)(s->text.len - c->off);
	if (c->width > s->natural[column])
		s->natural[column] = c->width;
	return rc;
}

/* The member's text as it is in the record; a string without its quotes and escapes. */
static int put_member(struct cdc_show *s, int column, uint32_t tok, struct cdc_err *err)
{
	struct cdc_str text = CDC_STR("");

	if (tok != CDC_JSON_NONE) {
		text = cdc_json_raw(&s->tape, tok);
		if (s->tape.tok[tok].escaped) {
			cdc_buf_reset(&s->raw);
			if (cdc_buf_reserve(&s->raw, text.n, err) < 0)
				return err->code;
			text = cdc_str(s->raw.p, cdc_json_unescape(text, s->raw.p));
		}
	}
	return put_cell(s, column, text, err);
}

/* "2019-11-11 08:00:00" of a time in UTC that is written with T and Z. */
static int put_time(struct cdc_show *s, uint32_t tok, struct cdc_err *err)
{
	struct cdc_str t = tok == CDC_JSON_NONE ? CDC_STR("") : cdc_json_raw(&s->tape, tok);
	char text[40];

	if (t.n < 20 || t.n > sizeof(text) || t.p[10] != 'T' || t.p[t.n - 1] != 'Z')
		return put_cell(s, TIME, t, err);
	memcpy(text, t.p, t.n);
	text[10] = ' ';
	return put_cell(s, TIME, cdc_str(text, t.n - 1), err);
}

/* An image with all of the table's columns: what it does not tell is unknown. */
static int put_image(struct cdc_show *s, int column, const struct cdc_record *r, uint32_t image,
		     struct cdc_err *err)
{
	struct cdc_buf *b = &s->raw;
	const char *comma = "{";
	uint32_t hint = 0;
	int rc = CDC_OK;

	if (image == CDC_JSON_NONE || s->tape.tok[image].count == 0)
		return put_cell(s, column, CDC_STR("{}"), err);
	if (r->fields_tok == CDC_JSON_NONE || s->tape.tok[r->fields_tok].type != CDC_JSON_ARRAY)
		return put_cell(s, column, cdc_json_source(&s->tape, image), err);
	cdc_buf_reset(b);
	for (uint32_t i = cdc_json_first(&s->tape, r->fields_tok);
	     rc == CDC_OK && i != CDC_JSON_NONE; i = cdc_json_after(&s->tape, r->fields_tok, i)) {
		struct cdc_image_col col;
		struct cdc_str value = CDC_STR("?");

		if (cdc_image_find(r, image, cdc_json_raw(&s->tape, i), &hint, &col))
			value = cdc_json_source(&s->tape, col.value_tok);
		rc = cdc_buf_puts(b, comma, err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(b, cdc_json_source(&s->tape, i), err);
		if (rc == CDC_OK)
			rc = cdc_buf_putc(b, ':', err);
		if (rc == CDC_OK)
			rc = cdc_buf_put(b, value, err);
		comma = ",";
	}
	if (rc == CDC_OK)
		rc = cdc_buf_puts(b, *comma == '{' ? "{}" : "}", err);
	return rc < 0 ? rc : put_cell(s, column, cdc_buf_str(b), err);
}

static int reserve_row(struct cdc_show *s, struct cdc_err *err)
{
	size_t cap = s->cap ? s->cap * 2 : (size_t)64 * COLUMNS;
	struct cell *grown;

	if (s->n + COLUMNS <= s->cap)
		return CDC_OK;
	grown = reallocarray(s->cell, cap, sizeof(*grown));
	if (!grown)
		return cdc_fail_nomem(err);
	s->cell = grown;
	s->cap = cap;
	return CDC_OK;
}

static int put_record(struct cdc_show *s, const struct cdc_record *r, struct cdc_err *err)
{
	uint32_t ddl = cdc_json_get(&s->tape, 0, "ddl");
	int rc = reserve_row(s, err);

	if (rc == CDC_OK)
		rc = put_member(s, ID, cdc_json_get(&s->tape, 0, "recordID"), err);
	if (rc == CDC_OK)
		rc = put_member(s, SOURCE, cdc_json_get(&s->tape, 0, "source"), err);
	if (rc == CDC_OK)
		rc = put_member(s, TABLE, cdc_json_get(&s->tape, 0, "dbTable"), err);
	if (rc == CDC_OK)
		rc = put_member(s, TYPE, r->type_tok, err);
	if (rc == CDC_OK)
		rc = put_time(s, r->timestamp_tok, err);
	if (rc == CDC_OK)
		rc = put_member(s, TAGS, cdc_json_get(&s->tape, 0, "extraTags"), err);
	if (rc == CDC_OK)
		rc = put_member(s, FIELDS, r->fields_tok, err);
	if (rc == CDC_OK)
		rc = put_image(s, BEFORE, r, r->before_tok, err);
	if (rc < 0)
		return rc;
	return ddl != CDC_JSON_NONE ? put_member(s, AFTER, ddl, err)
				    : put_image(s, AFTER, r, r->after_tok, err);
}

/* ------------------------------------------------------------------ the box */

static uint32_t total(const uint32_t *width)
{
	uint32_t sum = 1;

	for (int i = 0; i < COLUMNS; i++)
		sum += width[i] ? width[i] + 1 : 0;
	return sum;
}

/* Take what is too much from the widest of what can be cut. */
static void shrink(uint32_t *width, uint32_t max)
{
	static const unsigned char cut[] = { BEFORE, AFTER, TABLE };

	for (uint32_t sum = total(width); sum > max; sum--) {
		int widest = cut[0];

		for (size_t i = 1; i < sizeof(cut); i++)
			widest = width[cut[i]] > width[widest] ? cut[i] : widest;
		if (width[widest] <= CUT_MIN)
			return;
		width[widest]--;
	}
}

static uint32_t least_width(uint32_t width)
{
	return width < IMAGE_MIN ? width : IMAGE_MIN;
}

/* Does it do to cut the images and the table's name? */
static bool can_shrink(const uint32_t *width, uint32_t max)
{
	uint32_t least_total = total(width) - width[BEFORE] - width[AFTER] - width[TABLE] +
			       least_width(width[BEFORE]) + least_width(width[AFTER]) +
			       least_width(width[TABLE]);

	return least_total <= max;
}

/* The widths to draw with; true when they are not those of the box that is open. */
static bool lay_out(struct cdc_show *s)
{
	uint32_t width[COLUMNS];
	bool changed;

	memcpy(width, s->natural, sizeof(width));
	if (s->columns) {
		for (size_t i = 0; i < sizeof(least) && total(width) > s->columns; i++) {
			if (least[i] == TIME && can_shrink(width, s->columns))
				break;
			width[least[i]] = 0;
		}
		shrink(width, s->columns);
	}
	changed = memcmp(width, s->width, sizeof(width)) != 0;
	memcpy(s->width, width, sizeof(width));
	return changed;
}

static int fill(struct cdc_show *s, char c, uint32_t n, struct cdc_err *err)
{
	char *at = cdc_writer_reserve(s->out, n, err);

	if (!at)
		return err->code;
	memset(at, c, n);
	cdc_writer_advance(s->out, n);
	return CDC_OK;
}

static int draw_rule(struct cdc_show *s, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < COLUMNS; i++) {
		if (!s->width[i])
			continue;
		rc = cdc_writer_put(s->out, "+", 1, err);
		if (rc == CDC_OK)
			rc = fill(s, '-', s->width[i], err);
	}
	return rc < 0 ? rc : cdc_writer_put(s->out, "+\n", 2, err);
}

static int draw_text(struct cdc_show *s, struct cdc_str text, uint32_t width, uint32_t room,
		     struct cdc_err *err)
{
	bool cut = width > room;
	int rc;

	if (cut)
		text.n = cdc_display_cut(text, room - 1, &width);
	rc = cdc_writer_put(s->out, "|", 1, err);
	if (rc == CDC_OK)
		rc = cdc_writer_put(s->out, text.p, text.n, err);
	if (rc == CDC_OK && cut) {
		rc = cdc_writer_put(s->out, ELLIPSIS, sizeof(ELLIPSIS) - 1, err);
		width++;
	}
	return rc < 0 ? rc : fill(s, ' ', room - width, err);
}

static int draw_header(struct cdc_show *s, struct cdc_err *err)
{
	int rc = draw_rule(s, err);

	for (int i = 0; rc == CDC_OK && i < COLUMNS; i++) {
		struct cdc_str title = cdc_str_z(titles[i]);

		if (s->width[i])
			rc = draw_text(s, title, (uint32_t)title.n, s->width[i], err);
	}
	if (rc == CDC_OK)
		rc = cdc_writer_put(s->out, "|\n", 2, err);
	return rc < 0 ? rc : draw_rule(s, err);
}

static int draw_row(struct cdc_show *s, const struct cell *row, struct cdc_err *err)
{
	int rc = CDC_OK;

	for (int i = 0; rc == CDC_OK && i < COLUMNS; i++) {
		if (s->width[i])
			rc = draw_text(s, cdc_str(s->text.p + row[i].off, row[i].len), row[i].width,
				       s->width[i], err);
	}
	return rc < 0 ? rc : cdc_writer_put(s->out, "|\n", 2, err);
}

static int draw(struct cdc_show *s, struct cdc_err *err)
{
	struct cdc_show was = *s;
	int rc = CDC_OK;

	if (lay_out(s) || !s->open) {
		if (s->open)
			rc = draw_rule(&was, err);
		if (rc == CDC_OK)
			rc = draw_header(s, err);
		s->open = true;
	}
	for (size_t i = 0; rc == CDC_OK && i < s->n; i += COLUMNS)
		rc = draw_row(s, s->cell + i, err);
	s->n = 0;
	cdc_buf_reset(&s->text);
	return rc;
}

/* ------------------------------------------------------------------ batches */

int cdc_show_lines(struct cdc_show *s, struct cdc_str lines, struct cdc_err *err)
{
	int rc = CDC_OK;

	while (rc == CDC_OK && lines.n) {
		const char *end = memchr(lines.p, '\n', lines.n);
		size_t n = end ? (size_t)(end - lines.p) : lines.n;
		struct cdc_record r;

		rc = cdc_record_parse(&r, &s->tape, cdc_str(lines.p, n), err);
		if (rc == CDC_OK && r.type != CDC_RECORD_SCHEMA && r.type != CDC_RECORD_CHECKPOINT)
			rc = put_record(s, &r, err);
		n += end ? 1 : 0;
		lines = cdc_str(lines.p + n, lines.n - n);
	}
	return rc < 0 || s->n == 0 ? rc : draw(s, err);
}

int cdc_show_finish(struct cdc_show *s, struct cdc_err *err)
{
	int rc = s->open ? CDC_OK : draw(s, err);

	return rc < 0 ? rc : draw_rule(s, err);
}
