/*
 * Proves the laws of the net change over random sequences of records, by a naive interpreter that
 * knows nothing of how the fold works:
 *
 *  fold	apply(emit(S)) = apply(S) from any table, for any split of S into windows
 *  map	the map of cdc_net_each gives the same table, applied all at once
 *  order	records may come shuffled, those of one recordID in their order: same bytes out
 *  spill	with hardly any memory: same bytes out
 *  again	emit(emit(S)) does what S does
 *  ascending	what comes out is in the order of recordID
 *  least	without key changes, at most one record a key comes out
 *
 * The sequences have key changes (chains, swaps, into and out of existing rows), re-inserts, nulls,
 * partial images in any column order, composite keys, key columns in one of the two images only,
 * TRUNCATE of one table or of all, and equal recordIDs.
 *
 * usage: prop_fold [SEQUENCES [SEED]]
 */
#include "record/netchange.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_COLS 6
#define MAX_KEYS 27
#define MAX_TABLES 3
#define MAX_RECS 640
#define ABSENT (-2)
#define NUL (-1)

enum law { FOLD, MAP, ORDER, SPILL, AGAIN, ASCENDING, LEAST, LAWS };

static const char *const law_name[LAWS] = { "fold",  "map",	  "order", "spill",
					    "again", "ascending", "least" };

struct rec {
	enum cdc_record_type type;
	int table; /* -1: TRUNCATE of all */
	long id;
	int arrival;
	bool has_before;
	int before[MAX_COLS]; /* value, NUL or ABSENT */
	int after[MAX_COLS];
};

struct row {
	bool there;
	int v[MAX_COLS]; /* not of key columns: the key says them */
};

struct table {
	struct row row[MAX_KEYS];
};

struct shape {
	int cols, keys, domain, tables;
	bool moves, truncates;
};

struct run {
	uint64_t seed;
	uint64_t rng;
	struct shape sh;
	struct rec rec[MAX_RECS];
	int n;
	unsigned long passed[LAWS], failed[LAWS];
	unsigned long records_in, records_out, moved;
	struct cdc_net *net, *tiny;
	bool bad;
};

/* ------------------------------------------------------------------ chance */

static uint64_t next(struct run *t)
{
	uint64_t z = (t->rng += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static int below(struct run *t, int n)
{
	return (int)(next(t) % (uint64_t)n);
}

static bool chance(struct run *t, int percent)
{
	return below(t, 100) < percent;
}

/* ------------------------------------------------------------------ the naive interpreter */

/* Key of an image, looking into `other` (may be NULL) for what it lacks. */
static int key_index(const struct shape *sh, const int *image, const int *other)
{
	int k = 0;

	for (int c = 0; c < sh->keys; c++) {
		int v = image[c] != ABSENT ? image[c] : other ? other[c] : ABSENT;

		if (v < 0 || v >= sh->domain)
			return -1;
		k = k * sh->domain + v;
	}
	return k;
}

static bool apply_one(const struct shape *sh, struct table *m, const struct rec *r)
{
	struct row row = { false, { 0 } };
	int j, k;

	if (r->type == CDC_RECORD_TRUNCATE) {
		for (int i = 0; i < sh->tables; i++)
			if (r->table < 0 || r->table == i)
				memset(&m[i], 0, sizeof(m[i]));
		return true;
	}
	m += r->table;
	for (int c = 0; c < sh->cols; c++)
		row.v[c] = NUL;
	if (r->type == CDC_RECORD_DELETE) {
		k = key_index(sh, r->before, NULL);
		if (k >= 0)
			m->row[k].there = false;
		return k >= 0;
	}
	if (r->type == CDC_RECORD_UPDATE) {
		k = key_index(sh, r->after, r->has_before ? r->before : NULL);
		j = r->has_before ? key_index(sh, r->before, r->after) : k;
		if (j < 0)
			return false;
		if (m->row[j].there)
			row = m->row[j];
		m->row[j].there = false;
	} else {
		k = key_index(sh, r->after, NULL);
	}
	if (k < 0)
		return false;
	for (int c = sh->keys; c < sh->cols; c++)
		if (r->after[c] != ABSENT)
			row.v[c] = r->after[c];
	row.there = true;
	m->row[k] = row;
	return true;
}

static bool same_tables(const struct shape *sh, const struct table *a, const struct table *b)
{
	int n = sh->keys == 1 ? sh->domain : sh->keys == 2 ? sh->domain * sh->domain : 27;

	for (int t = 0; t < sh->tables; t++)
		for (int k = 0; k < n; k++) {
			const struct row *x = &a[t].row[k], *y = &b[t].row[k];

			if (x->there != y->there)
				return false;
			for (int c = sh->keys; x->there && c < sh->cols; c++)
				if (x->v[c] != y->v[c])
					return false;
		}
	return true;
}

/* ------------------------------------------------------------------ random sequences */

static void random_values(struct run *t, struct rec *r, int full)
{
	for (int c = t->sh.keys; c < t->sh.cols; c++) {
		r->before[c] = chance(t, full) ? below(t, 50) : ABSENT;
		r->after[c] = chance(t, full) ? below(t, 50) : chance(t, 30) ? NUL : ABSENT;
	}
}

static void random_record(struct run *t, struct rec *r, int full)
{
	const struct shape *sh = &t->sh;
	int dice = below(t, 100);
	bool move = sh->moves && chance(t, 60);

	r->table = below(t, sh->tables);
	r->has_before = true;
	random_values(t, r, full);
	r->type = dice < 15   ? CDC_RECORD_INSERT
		  : dice < 20 ? CDC_RECORD_INIT
		  : dice < 35 ? CDC_RECORD_DELETE
			      : CDC_RECORD_UPDATE;
	for (int c = 0; c < sh->keys; c++) {
		int v = below(t, sh->domain);

		r->before[c] = r->after[c] = v;
		if (r->type != CDC_RECORD_UPDATE)
			continue;
		if (move)
			r->after[c] = below(t, sh->domain);
		else if (chance(t, 100 - full))
			*(chance(t, 50) ? &r->before[c] : &r->after[c]) = ABSENT;
		if (move && chance(t, 20))
			*(chance(t, 50) ? &r->before[c] : &r->after[c]) = ABSENT;
	}
	if (r->type == CDC_RECORD_UPDATE && chance(t, 10)) {
		r->has_before = false;
		for (int c = 0; c < sh->keys; c++)
			r->after[c] = below(t, sh->domain);
	}
	if (dice == 99 && sh->truncates) {
		r->type = CDC_RECORD_TRUNCATE;
		if (chance(t, 30))
			r->table = -1;
	}
	if (r->type == CDC_RECORD_INSERT || r->type == CDC_RECORD_INIT)
		r->has_before = false;
	if (r->type == CDC_RECORD_DELETE)
		for (int c = 0; c < sh->cols; c++)
			r->after[c] = ABSENT;
	if (!r->has_before)
		for (int c = 0; c < sh->cols; c++)
			r->before[c] = ABSENT;
}

static void random_sequence(struct run *t, bool ties)
{
	int full = chance(t, 30) ? 100 : 20 + below(t, 80);
	long id = below(t, 1000);

	t->sh.keys = chance(t, 70) ? 1 : chance(t, 70) ? 2 : 3;
	t->sh.cols = t->sh.keys + below(t, MAX_COLS - t->sh.keys + 1);
	t->sh.domain = t->sh.keys == 1 ? 2 + below(t, 6) : t->sh.keys == 2 ? 2 + below(t, 3) : 3;
	t->sh.tables = chance(t, 70) ? 1 : 1 + below(t, MAX_TABLES);
	t->sh.moves = chance(t, 80);
	t->sh.truncates = chance(t, 70);
	t->n = chance(t, 1) ? below(t, MAX_RECS) : chance(t, 30) ? below(t, 60) : below(t, 14);
	for (int i = 0; i < t->n; i++) {
		random_record(t, &t->rec[i], full);
		if (!ties || chance(t, 60))
			id += 1 + below(t, 3);
		t->rec[i].id = id;
		t->rec[i].arrival = i;
	}
}

static void random_tables(struct run *t, struct table *m)
{
	memset(m, 0, MAX_TABLES * sizeof(*m));
	for (int i = 0; i < t->sh.tables; i++)
		for (int k = 0; k < MAX_KEYS; k++) {
			m[i].row[k].there = chance(t, 60);
			for (int c = 0; c < MAX_COLS; c++)
				m[i].row[k].v[c] = chance(t, 10) ? NUL : 100 + below(t, 50);
		}
}

/* ------------------------------------------------------------------ to JSON and back */

/* The printer must give the same bytes when a sequence is printed again, shuffled: its own chance.
 */
static uint64_t mix(uint64_t a, uint64_t b)
{
	struct run t = { .rng = a * 31 + b };

	return next(&t);
}

static char *print_image(char *o, const struct run *t, const struct rec *r, const int *image)
{
	uint64_t m = mix(t->seed, (uint64_t)r->arrival);
	int rotate = m % 4 == 0 ? (int)(m >> 8) % t->sh.cols : 0;
	const char *sep = "";

	*o++ = '{';
	for (int i = 0; i < t->sh.cols; i++) {
		int c = (i + rotate + t->sh.cols) % t->sh.cols;

		if (image[c] == ABSENT)
			continue;
		if (image[c] == NUL)
			o += sprintf(o, "%s\"c%d\":null", sep, c);
		else if (m % 5 == 0)
			o += sprintf(o, "%s\"c%d\": %d", sep, c, image[c]);
		else if (m % 7 == 0)
			o += sprintf(o, "%s\"\\u0063%d\":\"%d\"", sep, c, image[c]);
		else
			o += sprintf(o, "%s\"c%d\":\"%d\"", sep, c, image[c]);
		sep = ",";
	}
	*o++ = '}';
	*o = 0;
	return o;
}

static struct cdc_str print_record(char *line, const struct run *t, const struct rec *r)
{
	char *o = line;

	o += sprintf(o, "{\"recordID\":%ld,\"recordType\":\"%s\"", r->id,
		     cdc_record_type_name(r->type));
	if (r->table >= 0)
		o += sprintf(o, ",\"dbTable\":\"db.t%d\"", r->table);
	if (r->type != CDC_RECORD_TRUNCATE) {
		if (r->has_before || r->arrival % 3) {
			o += sprintf(o, ",\"beforeImages\":");
			if (r->has_before || r->arrival % 2)
				o = print_image(o, t, r, r->before);
			else
				o += sprintf(o, "null");
		}
		if (r->type != CDC_RECORD_DELETE || r->arrival % 2) {
			o += sprintf(o, ",\"afterImages\":");
			o = print_image(o, t, r, r->after);
		}
	}
	o += sprintf(o, ",\"tag\":\"%d\"}", r->arrival);
	return cdc_str(line, (size_t)(o - line));
}

static bool parse_image(json_t *image, int *v)
{
	const char *name;
	json_t *val;

	for (int c = 0; c < MAX_COLS; c++)
		v[c] = ABSENT;
	if (!image || json_is_null(image))
		return true;
	json_object_foreach(image, name, val)
	{
		int c = name[1] - '0';

		if (name[0] != 'c' || c < 0 || c >= MAX_COLS || name[2])
			return false;
		if (json_is_integer(val))
			v[c] = (int)json_integer_value(val);
		else if (json_is_string(val))
			v[c] = atoi(json_string_value(val));
		else if (json_is_null(val))
			v[c] = NUL;
		else
			return false;
	}
	return json_is_object(image);
}

static bool parse_record(const char *line, size_t n, struct rec *r)
{
	json_t *o = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_string_value(json_object_get(o, "recordType"));
	const char *table = json_string_value(json_object_get(o, "dbTable"));
	json_t *before = json_object_get(o, "beforeImages");
	bool ok = type != NULL;

	memset(r, 0, sizeof(*r));
	r->id = (long)json_integer_value(json_object_get(o, "recordID"));
	r->table = table ? atoi(table + 4) : -1;
	r->type = CDC_RECORD_TYPES;
	for (int i = CDC_RECORD_INIT; ok && i <= CDC_RECORD_TRUNCATE; i++)
		if (!strcmp(type, cdc_record_type_name((enum cdc_record_type)i)))
			r->type = (enum cdc_record_type)i;
	ok = ok && r->type != CDC_RECORD_TYPES;
	ok = ok && parse_image(before, r->before);
	ok = ok && parse_image(json_object_get(o, "afterImages"), r->after);
	r->has_before = json_is_object(before);
	json_decref(o);
	return ok;
}

/* ------------------------------------------------------------------ callbacks of the engine */

static bool find_column(const struct cdc_record *r, uint32_t image, int c, struct cdc_str *value)
{
	struct cdc_image_iter it;
	struct cdc_image_col col;

	if (image == CDC_JSON_NONE)
		return false;
	it = cdc_image_begin(r, image);
	while (cdc_image_next(&it, &col))
		if (col.name.p[col.name.n - 1] == '0' + c) {
			*value = col.is_null ? cdc_str(NULL, 0) : col.value;
			return true;
		}
	return false;
}

static int key_of(void *ctx, const struct cdc_record *r, uint32_t primary, uint32_t fallback,
		  struct cdc_buf *key, struct cdc_err *err)
{
	const struct run *t = ctx;
	int rc = CDC_OK;

	for (int c = 0; !rc && c < t->sh.keys; c++) {
		struct cdc_str v = CDC_STR_INIT;

		if (!find_column(r, primary, c, &v))
			find_column(r, fallback, c, &v);
		if (!v.p)
			return cdc_fail(err, CDC_EDATA, "key column c%d is missing or null", c);
		rc = cdc_buf_put(key, v, err);
		if (!rc)
			rc = cdc_buf_putc(key, '/', err);
	}
	return rc;
}

static bool is_key(void *ctx, struct cdc_str table, struct cdc_str column)
{
	const struct run *t = ctx;

	(void)table;
	return column.p[column.n - 1] - '0' < t->sh.keys;
}

static int put(void *ctx, struct cdc_str lines, struct cdc_err *err)
{
	return cdc_buf_put(ctx, lines, err);
}

/* ------------------------------------------------------------------ the laws */

static void judge(struct run *t, enum law law, bool ok)
{
	if (ok) {
		t->passed[law]++;
		return;
	}
	t->failed[law]++;
	t->bad = true;
}

/* Abort the program on trouble that has nothing to do with the laws. */
static void must(int rc, const struct cdc_err *err)
{
	if (rc) {
		fprintf(stderr, "prop_fold: %s\n", err->msg);
		exit(70);
	}
}

static void feed(const struct run *t, struct cdc_net *net, const struct rec *r)
{
	static struct cdc_tape tape;
	struct cdc_err err = CDC_ERR_INIT;
	char line[1024];
	struct cdc_record rec;

	must(cdc_record_parse(&rec, &tape, print_record(line, t, r), &err), &err);
	must(cdc_net_add(net, &rec, rec.id, (uint64_t)r->arrival, &err), &err);
}

/* Fold records [from, to) in the order of `perm` and append what comes out. */
static void fold(const struct run *t, struct cdc_net *net, const int *perm, int from, int to,
		 struct cdc_buf *out)
{
	struct cdc_err err = CDC_ERR_INIT;

	for (int i = from; i < to; i++)
		feed(t, net, &t->rec[perm ? perm[i] : i]);
	must(cdc_net_emit(net, put, out, NULL, &err), &err);
}

static bool apply_text(const struct run *t, struct table *m, const struct cdc_buf *text)
{
	const char *p = text->p, *end = text->p + text->len;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct rec r;

		if (!lf || !parse_record(p, (size_t)(lf - p), &r) || !apply_one(&t->sh, m, &r))
			return false;
		p = lf + 1;
	}
	return true;
}

/* Law 2 of a folded window: ascending; and without key changes one record a key. */
static void check_survivors(struct run *t, const struct cdc_buf *text)
{
	int seen[MAX_TABLES][MAX_KEYS] = { { 0 } };
	const char *p = text->p, *end = text->p + text->len;
	bool ascending = true, least = true;
	long last = -1;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct rec r;

		if (!lf || !parse_record(p, (size_t)(lf - p), &r))
			break;
		ascending = ascending && r.id >= last;
		last = r.id;
		t->records_out++;
		if (r.type != CDC_RECORD_TRUNCATE) {
			const int *im = r.type == CDC_RECORD_DELETE ? r.before : r.after;
			int k = key_index(&t->sh, im, r.before);

			t->moved += r.type == CDC_RECORD_UPDATE && r.has_before &&
				    k != key_index(&t->sh, r.before, r.after);
			least = least && k >= 0 && !seen[r.table][k]++;
		}
		p = lf + 1;
	}
	judge(t, ASCENDING, ascending && p == end);
	if (!t->sh.moves)
		judge(t, LEAST, least);
}

struct map_check {
	struct run *t;
	const struct table *base;
	struct table *m;
	bool ok;
};

static int key_of_text(const struct shape *sh, struct cdc_str key)
{
	int k = 0, v = 0;

	for (size_t i = 0; i < key.n; i++) {
		if (key.p[i] == '/') {
			k = k * sh->domain + v;
			v = 0;
		} else {
			v = v * 10 + (key.p[i] - '0');
		}
	}
	return k;
}

static int visit(void *ctx, const struct cdc_net_change *c, struct cdc_err *err)
{
	struct map_check *mc = ctx;
	const struct shape *sh = &mc->t->sh;
	int table = c->db_table.p[c->db_table.n - 1] - '0';
	int k = key_of_text(sh, c->key);
	struct row *row = &mc->m[table].row[k];
	int v[MAX_COLS];
	json_t *o;

	(void)err;
	if (c->state == CDC_NET_DELETED) {
		row->there = false;
		return CDC_OK;
	}
	*row = (struct row){ true, { NUL, NUL, NUL, NUL, NUL, NUL } };
	if (c->state == CDC_NET_OVERLAY) {
		const struct row *from = &mc->base[table].row[key_of_text(sh, c->source_key)];

		if (from->there)
			*row = *from;
	}
	row->there = true;
	o = json_loadb(c->after.p, c->after.n, JSON_REJECT_DUPLICATES, NULL);
	mc->ok = mc->ok && o && parse_image(o, v) && key_index(sh, v, NULL) == k;
	json_decref(o);
	for (int i = sh->keys; mc->ok && i < sh->cols; i++)
		if (v[i] != ABSENT)
			row->v[i] = v[i];
	return CDC_OK;
}

static void check_map(struct run *t, struct cdc_net *net, const struct table *start)
{
	struct table base[MAX_TABLES], m[MAX_TABLES], want[MAX_TABLES];
	struct map_check mc = { t, base, m, true };
	struct cdc_err err = CDC_ERR_INIT;
	bool truncated, expect = false;

	memcpy(base, start, sizeof(base));
	memcpy(want, start, sizeof(want));
	for (int i = 0; i < t->n; i++) {
		const struct rec *r = &t->rec[i];

		feed(t, net, r);
		apply_one(&t->sh, want, r);
		if (r->type != CDC_RECORD_TRUNCATE)
			continue;
		expect = true;
		for (int k = 0; k < t->sh.tables; k++)
			if (r->table < 0 || r->table == k)
				memset(&base[k], 0, sizeof(base[k]));
	}
	memcpy(m, base, sizeof(m));
	must(cdc_net_each(net, &truncated, visit, &mc, &err), &err);
	judge(t, MAP, mc.ok && truncated == expect && same_tables(&t->sh, m, want));
}

static void check_fold(struct run *t, const struct table *start, bool ties, struct cdc_buf *text)
{
	struct table want[MAX_TABLES], got[MAX_TABLES];
	int windows = 1 + below(t, 3);
	int from = 0;
	bool ok = true;

	memcpy(want, start, sizeof(want));
	memcpy(got, start, sizeof(got));
	for (int i = 0; i < t->n; i++)
		ok = ok && apply_one(&t->sh, want, &t->rec[i]);
	for (int w = 0; w < windows; w++) {
		int to = w == windows - 1 ? t->n : from + below(t, t->n - from + 1);

		text->len = 0;
		fold(t, ties && chance(t, 50) ? t->tiny : t->net, NULL, from, to, text);
		ok = ok && apply_text(t, got, text);
		from = to;
	}
	judge(t, FOLD, ok && same_tables(&t->sh, want, got));
}

/* A random order in which records of one recordID keep theirs. */
static void shuffle(struct run *t, int *perm)
{
	for (int i = 0; i < t->n; i++) {
		int j = below(t, i + 1);

		perm[i] = perm[j];
		perm[j] = i;
	}
	for (int i = 0; i < t->n; i++)
		for (int j = i + 1; j < t->n; j++)
			if (perm[i] > perm[j] && t->rec[perm[i]].id == t->rec[perm[j]].id) {
				int k = perm[i];

				perm[i] = perm[j];
				perm[j] = k;
			}
}

/* Fold what came out once more. */
static void check_again(struct run *t, const struct table *start, const struct cdc_buf *text)
{
	static struct cdc_tape tape;
	struct table want[MAX_TABLES], got[MAX_TABLES];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf other = CDC_BUF_INIT;

	for (const char *p = text->p; p < text->p + text->len;) {
		const char *lf = memchr(p, '\n', (size_t)(text->p + text->len - p));
		struct cdc_record rec;

		must(cdc_record_parse(&rec, &tape, cdc_str(p, (size_t)(lf - p)), &err), &err);
		must(cdc_net_add(t->net, &rec, rec.id, 0, &err), &err);
		p = lf + 1;
	}
	must(cdc_net_emit(t->net, put, &other, NULL, &err), &err);
	memcpy(want, start, sizeof(want));
	memcpy(got, start, sizeof(got));
	for (int i = 0; i < t->n; i++)
		apply_one(&t->sh, want, &t->rec[i]);
	judge(t, AGAIN, apply_text(t, got, &other) && same_tables(&t->sh, want, got));
	cdc_buf_free(&other);
}

/* S in one window: shuffled, spilled and folded again. */
static void check_window(struct run *t, const struct table *start, struct cdc_buf *text)
{
	struct cdc_buf other = CDC_BUF_INIT;
	int perm[MAX_RECS];

	shuffle(t, perm);
	text->len = 0;
	fold(t, t->net, NULL, 0, t->n, text);
	check_survivors(t, text);
	fold(t, t->net, perm, 0, t->n, &other);
	judge(t, ORDER, cdc_str_eq(cdc_buf_str(text), cdc_buf_str(&other)));
	if (t->n > 100 || chance(t, 10)) {
		other.len = 0;
		fold(t, t->tiny, chance(t, 20) ? NULL : perm, 0, t->n, &other);
		judge(t, SPILL, cdc_str_eq(cdc_buf_str(text), cdc_buf_str(&other)));
	}
	if (chance(t, 30))
		check_again(t, start, text);
	cdc_buf_free(&other);
}

static void report(const struct run *t, const struct cdc_buf *out)
{
	char line[1024];

	printf("# seed %llu: %d key columns of %d values, %d columns, %d tables\n",
	       (unsigned long long)t->seed, t->sh.keys, t->sh.domain, t->sh.cols, t->sh.tables);
	for (int i = 0; i < t->n; i++) {
		struct cdc_str s = print_record(line, t, &t->rec[i]);

		printf("#  in  %.*s\n", (int)s.n, s.p);
	}
	printf("# out:\n%.*s", (int)out->len, out->p ? out->p : "");
}

static void one_sequence(struct run *t, uint64_t seed)
{
	struct table start[MAX_TABLES];
	struct cdc_buf text = CDC_BUF_INIT;
	bool ties;

	t->seed = t->rng = seed;
	t->bad = false;
	ties = chance(t, 20);
	random_sequence(t, ties);
	random_tables(t, start);
	t->records_in += (unsigned long)t->n;
	check_fold(t, start, ties, &text);
	check_map(t, chance(t, 5) ? t->tiny : t->net, start);
	check_window(t, start, &text);
	if (t->bad && t->failed[FOLD] + t->failed[MAP] + t->failed[ORDER] + t->failed[SPILL] < 3)
		report(t, &text);
	cdc_buf_free(&text);
}

int main(int argc, char **argv)
{
	static struct run t;
	long count = argc > 1 ? atol(argv[1]) : 100000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL) * 1000003u;
	struct cdc_net_options opt = { .io = &cdc_io_posix,
				       .key_of = key_of,
				       .is_key = is_key,
				       .key_ctx = &t,
				       .spill = true };
	struct cdc_err err = CDC_ERR_INIT;
	unsigned long failed = 0;

	must(cdc_net_new(&t.net, &opt, &err), &err);
	opt.memory_bytes = 1;
	must(cdc_net_new(&t.tiny, &opt, &err), &err);
	printf("# %ld sequences from seed %llu\n", count, (unsigned long long)seed);
	for (long i = 0; i < count; i++)
		one_sequence(&t, seed + (uint64_t)i);
	printf("1..%d\n", LAWS);
	for (int i = 0; i < LAWS; i++) {
		/* A law that was never put to the test proves nothing; few sequences may miss one.
		 */
		bool bad = t.failed[i] || (count >= 1000 && !t.passed[i]);

		printf("%sok %d - %s: %lu passed, %lu failed\n", bad ? "not " : "", i + 1,
		       law_name[i], t.passed[i], t.failed[i]);
		failed += bad;
	}
	printf("# %lu records in, %lu out of single windows, %lu of them moves\n", t.records_in,
	       t.records_out, t.moved);
	cdc_net_free(t.net);
	cdc_net_free(t.tiny);
	return failed != 0;
}
