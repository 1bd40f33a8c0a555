/*
 * Partial updates of JSON documents (MySQL's binlog_row_value_options=PARTIAL_JSON): differences
 * that are applied to the text of the document before. Each is an operation, a path of keys and
 * indexes, and a value as binary JSON.
 */
#include "source/binlog/binlog_int.h"

#include "base/json.h"

enum { DIFF_REPLACE, DIFF_INSERT, DIFF_REMOVE };

struct patch {
	struct cdc_buf *doc; /* text, in MySQL's spelling: ", " and ": " */
	struct cdc_tape tape;
	struct cdc_arena arena;
	struct cdc_buf value; /* of the difference, as text */
	struct cdc_err *err;
};

/* A step of a path. */
struct leg {
	bool is_index;
	uint64_t index;
	struct cdc_str key; /* plain text */
};

static int bad(struct patch *p, const char *what)
{
	return cdc_fail(p->err, CDC_EDATA, "a partial update of a JSON document: %s", what);
}

/* --- paths -------------------------------------------------------------- */

static int quoted_key(struct patch *p, struct cdc_str *path, struct cdc_str *key)
{
	size_t n = 1;
	char *text;

	while (n < path->n && path->p[n] != '"')
		n += path->p[n] == '\\' ? 2 : 1;
	if (n >= path->n)
		return bad(p, "a path is damaged");
	text = cdc_arena_alloc(&p->arena, n + 1);
	if (!text)
		return cdc_fail_nomem(p->err);
	*key = cdc_str(text, cdc_json_unescape(cdc_str(path->p + 1, n - 1), text));
	*path = cdc_str(path->p + n + 1, path->n - n - 1);
	return CDC_OK;
}

static int index_leg(struct patch *p, struct cdc_str *path, struct leg *leg)
{
	size_t n = 1;

	leg->is_index = true;
	leg->index = 0;
	while (n < path->n && path->p[n] >= '0' && path->p[n] <= '9' && n < 12)
		leg->index = leg->index * 10 + (uint64_t)(path->p[n++] - '0');
	if (n == 1 || n >= path->n || path->p[n] != ']')
		return bad(p, "a path is damaged");
	*path = cdc_str(path->p + n + 1, path->n - n - 1);
	return CDC_OK;
}

/* Take the first leg off a path. */
static int next_leg(struct patch *p, struct cdc_str *path, struct leg *leg)
{
	size_t n = 1;

	*leg = (struct leg){ .is_index = false };
	if (path->p[0] == '[')
		return index_leg(p, path, leg);
	if (path->p[0] != '.' || path->n < 2)
		return bad(p, "a path is damaged");
	if (path->p[1] == '"') {
		*path = cdc_str(path->p + 1, path->n - 1);
		return quoted_key(p, path, &leg->key);
	}
	while (n < path->n && path->p[n] != '.' && path->p[n] != '[')
		n++;
	leg->key = cdc_str(path->p + 1, n - 1);
	*path = cdc_str(path->p + n, path->n - n);
	return CDC_OK;
}

/* The token of the member or element that a leg names, CDC_JSON_NONE if there is none. Of a member
 * the key's. */
static uint32_t child(const struct patch *p, uint32_t tok, const struct leg *leg)
{
	uint64_t i = 0;
	bool object = p->tape.tok[tok].type == CDC_JSON_OBJECT;

	if (!object && p->tape.tok[tok].type != CDC_JSON_ARRAY)
		return CDC_JSON_NONE;
	if (object == leg->is_index)
		return CDC_JSON_NONE;
	for (uint32_t k = cdc_json_first(&p->tape, tok); k != CDC_JSON_NONE;
	     k = cdc_json_after(&p->tape, tok, k)) {
		if (object ? cdc_json_is(&p->tape, k, leg->key) : i++ == leg->index)
			return k;
	}
	return CDC_JSON_NONE;
}

/* --- the text ----------------------------------------------------------- */

static size_t start_of(const struct patch *p, uint32_t tok)
{
	return (size_t)(cdc_json_source(&p->tape, tok).p - p->doc->p);
}

static size_t end_of(const struct patch *p, uint32_t tok)
{
	struct cdc_str s = cdc_json_source(&p->tape, tok);

	return (size_t)(s.p + s.n - p->doc->p);
}

/* Put the texts in the place of the bytes from `at` to `end`. */
static int splice(struct patch *p, size_t at, size_t end, const struct cdc_str *text, size_t n)
{
	struct cdc_buf out = CDC_BUF_INIT_MAX(p->doc->max);
	int rc = cdc_buf_append(&out, p->doc->p, at, p->err);

	for (size_t i = 0; rc == CDC_OK && i < n; i++)
		rc = cdc_buf_put(&out, text[i], p->err);
	if (rc == CDC_OK)
		rc = cdc_buf_append(&out, p->doc->p + end, p->doc->len - end, p->err);
	if (rc < 0) {
		cdc_buf_free(&out);
		return rc;
	}
	cdc_buf_free(p->doc);
	*p->doc = out;
	return CDC_OK;
}

/* Take the element or member at token k out of `parent`, with one of the commas beside it. */
static int take_out(struct patch *p, uint32_t parent, uint32_t k)
{
	bool object = p->tape.tok[parent].type == CDC_JSON_OBJECT;
	uint32_t next = cdc_json_after(&p->tape, parent, k), before = CDC_JSON_NONE;
	size_t at = start_of(p, k), end = end_of(p, object ? k + 1 : k);

	for (uint32_t i = cdc_json_first(&p->tape, parent); i != k;
	     i = cdc_json_after(&p->tape, parent, i))
		before = i;
	if (next != CDC_JSON_NONE)
		end = start_of(p, next);
	else if (before != CDC_JSON_NONE)
		at = end_of(p, object ? before + 1 : before);
	return splice(p, at, end, NULL, 0);
}

/* MySQL orders keys by length, then by bytes. */
static int compare_keys(struct patch *p, uint32_t tok, struct cdc_str key, bool *after)
{
	struct cdc_str other;
	int rc = cdc_json_string(&p->tape, tok, &p->arena, &other, p->err);

	if (rc == CDC_OK)
		*after = other.n != key.n ? other.n > key.n : cdc_str_cmp(other, key) > 0;
	return rc;
}

/* Where the new member or element goes: the token that it comes before, or the end. */
static int find_place(struct patch *p, uint32_t parent, const struct leg *leg, uint32_t *before)
{
	uint64_t i = 0;
	int rc = CDC_OK;

	*before = CDC_JSON_NONE;
	for (uint32_t k = cdc_json_first(&p->tape, parent); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(&p->tape, parent, k)) {
		bool here = leg->is_index && i++ == leg->index;

		if (!leg->is_index)
			rc = compare_keys(p, k, leg->key, &here);
		if (here) {
			*before = k;
			break;
		}
	}
	return rc;
}

static int put_in(struct patch *p, uint32_t parent, const struct leg *leg)
{
	struct cdc_buf key = CDC_BUF_INIT;
	struct cdc_str text[5];
	uint32_t before;
	size_t at, n = 0;
	int rc = find_place(p, parent, leg, &before);
	bool empty = p->tape.tok[parent].count == 0;

	if (rc == CDC_OK && !leg->is_index)
		rc = cdc_json_put_string(&key, leg->key, p->err);
	if (before == CDC_JSON_NONE && !empty)
		text[n++] = CDC_STR(", ");
	if (!leg->is_index) {
		text[n++] = cdc_buf_str(&key);
		text[n++] = CDC_STR(": ");
	}
	text[n++] = cdc_buf_str(&p->value);
	if (before != CDC_JSON_NONE)
		text[n++] = CDC_STR(", ");
	at = before != CDC_JSON_NONE ? start_of(p, before) : end_of(p, parent) - 1;
	if (rc == CDC_OK)
		rc = splice(p, at, at, text, n);
	cdc_buf_free(&key);
	return rc;
}

/* --- differences -------------------------------------------------------- */

static int apply(struct patch *p, unsigned op, struct cdc_str path)
{
	uint32_t parent = CDC_JSON_NONE, tok = 0, value = 0;
	struct cdc_str text = cdc_buf_str(&p->value);
	struct leg leg = { .is_index = false };
	int rc = cdc_json_scan(&p->tape, cdc_buf_str(p->doc), NULL, p->err);

	if (rc < 0)
		return rc;
	if (path.n == 0 || path.p[0] != '$')
		return bad(p, "a path is damaged");
	path = cdc_str(path.p + 1, path.n - 1);
	while (path.n) {
		if (value == CDC_JSON_NONE)
			return bad(p, "a path leads nowhere");
		parent = value;
		rc = next_leg(p, &path, &leg);
		if (rc < 0)
			return rc;
		tok = child(p, parent, &leg);
		value = tok == CDC_JSON_NONE || leg.is_index ? tok : tok + 1;
	}
	if (op == DIFF_INSERT) {
		bool fits = parent != CDC_JSON_NONE && (leg.is_index || tok == CDC_JSON_NONE) &&
			    p->tape.tok[parent].type ==
				    (leg.is_index ? CDC_JSON_ARRAY : CDC_JSON_OBJECT);

		return fits ? put_in(p, parent, &leg) : bad(p, "there is no place for a value");
	}
	if (value == CDC_JSON_NONE)
		return bad(p, "a path leads nowhere");
	if (op == DIFF_REPLACE)
		return splice(p, start_of(p, value), end_of(p, value), &text, 1);
	return parent == CDC_JSON_NONE ? bad(p, "a document is removed") : take_out(p, parent, tok);
}

static int apply_all(struct patch *p, struct cdc_str diffs)
{
	struct binlog_cur c = binlog_cur(diffs);
	int rc = CDC_OK;

	while (rc == CDC_OK && binlog_left(&c)) {
		unsigned op = (unsigned)binlog_le(&c, 1);
		struct cdc_str path = binlog_bytes(&c, binlog_lenenc(&c));

		cdc_buf_reset(&p->value);
		cdc_arena_reset(&p->arena);
		if (op > DIFF_REMOVE || c.bad)
			return bad(p, "it is damaged");
		if (op != DIFF_REMOVE &&
		    (!binlog_json(&p->value, binlog_bytes(&c, binlog_lenenc(&c))) || c.bad))
			return bad(p, "a value is damaged");
		rc = apply(p, op, path);
	}
	return rc;
}

int binlog_json_apply(struct cdc_buf *doc, struct cdc_str diffs, struct cdc_err *err)
{
	struct patch p = { .doc = doc,
			   .tape = CDC_TAPE_INIT,
			   .arena = CDC_ARENA_INIT,
			   .value = CDC_BUF_INIT,
			   .err = err };
	int rc = apply_all(&p, diffs);

	cdc_tape_free(&p.tape);
	cdc_arena_free(&p.arena);
	cdc_buf_free(&p.value);
	return rc;
}
