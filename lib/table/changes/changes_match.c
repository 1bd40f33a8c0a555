/*
 * From old and new rows of a commit to records. See changes.h for what comes out, changes_int.h for
 * what goes in.
 *
 * Rows are told apart by the 128-bit hash of their image, keys by that of their encoding (key.h).
 * The files are read up to four times:
 *
 *	count	each old row is entered in a table: how often it is there, and in which key's group
 *	cancel	each new row that is in the table cancels one out; a bit remembers that it did
 *	delete	old rows that are left: as many as their group has new rows wait for those, with
 *		their images on a spool; the others are DELETE records
 *	insert	new rows that are left: UPDATE with an old one of their group, else INSERT
 *
 * Where the table passes the limit of memory the rows are split by a bit of the key's hash (of the
 * row's, without a key), and each half is done by itself, halved again if need be. Equal rows and
 * equal keys are then always in the same part.
 */
#include "table/changes/changes_int.h"

#include "table/batch/batch_rows.h"

#include <stdlib.h>

#define DEFAULT_MEMORY ((uint64_t)256 << 20)
#define NONE UINT32_MAX
#define MAX_BITS 24 /* of the hash, to split by */

struct old_row {
	struct cdc_hash128 hash;
	uint64_t count; /* old rows that no new one cancelled */
	uint32_t group; /* NONE: no key */
};

struct group {
	struct cdc_hash128 hash;
	uint64_t new_rows; /* that are left, and that no old row waits for */
	uint32_t head; /* images that wait, first to last */
	uint32_t tail;
};

struct waiting {
	uint64_t offset; /* of its image on the spool */
	uint64_t len;
	uint32_t next;
};

/* Images that wait for their pair: in memory, past the limit in a temporary file. */
struct spool {
	const struct cdc_io *io;
	const char *tmpdir;
	size_t max_bytes;
	struct cdc_buf memory;
	struct cdc_writer w;
	int fd; /* -1: none yet */
	struct cdc_buf back; /* what was read back */
};

struct table {
	struct cdc_map rows;
	struct cdc_map groups;
	struct old_row *row;
	struct group *group;
	struct waiting *waiting;
	size_t num_rows, cap_rows;
	size_t num_groups, cap_groups;
	size_t num_waiting, cap_waiting;
};

/* Rows whose hash has `value` in its lowest `bits`. */
struct part {
	uint32_t bits;
	uint64_t value;
};

struct matcher {
	struct changes_out *o;
	struct changes_view *v;
	const struct changes_set *set;
	uint64_t max_bytes;
	struct table t;
	struct spool spool;
	uint8_t *cancelled; /* a bit for each new row, by its place in the scan */
	size_t cap_cancelled; /* bytes */
	struct cdc_buf image; /* of the row at hand */
	struct cdc_buf key;
	struct cdc_hash128 row_hash;
	struct cdc_hash128 key_hash; /* without a key: row_hash */
};

/* ------------------------------------------------------------------ the spool */

static void spool_reset(struct spool *s)
{
	if (s->fd >= 0) {
		cdc_writer_free(&s->w);
		s->io->close(s->io->ctx, s->fd);
	}
	s->fd = -1;
	cdc_buf_reset(&s->memory);
}

static int spool_put(struct spool *s, struct cdc_str text, uint64_t *offset, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (s->fd < 0 && s->memory.len + text.n <= s->max_bytes) {
		*offset = s->memory.len;
		return cdc_buf_put(&s->memory, text, err);
	}
	if (s->fd < 0) {
		rc = cdc_io_open_temp(s->io, s->tmpdir, &s->fd, err);
		if (rc) {
			s->fd = -1;
			return rc;
		}
		rc = cdc_writer_init(&s->w, s->io, s->fd, err);
	}
	/* Behind what is in memory. */
	*offset = s->memory.len + cdc_writer_offset(&s->w);
	return rc ? rc : cdc_writer_put(&s->w, text.p, text.n, err);
}

static int spool_get(struct spool *s, uint64_t offset, uint64_t len, struct cdc_str *text,
		     struct cdc_err *err)
{
	int rc;

	if (offset < s->memory.len) {
		*text = cdc_str(s->memory.p + offset, (size_t)len);
		return CDC_OK;
	}
	cdc_buf_reset(&s->back);
	rc = cdc_writer_flush(&s->w, err);
	if (!rc)
		rc = cdc_buf_reserve(&s->back, (size_t)len, err);
	if (!rc)
		rc = cdc_io_pread_full(s->io, s->fd, s->back.p, (size_t)len, offset - s->memory.len,
				       "temporary file", err);
	*text = cdc_str(s->back.p, (size_t)len);
	return rc;
}

/* ------------------------------------------------------------------ the table */

static int grow(void *pp, size_t n, size_t *cap, size_t size, struct cdc_err *err)
{
	void **p = pp, *q;
	size_t want = *cap ? *cap * 2 : 256;

	if (n < *cap)
		return CDC_OK;
	if (n >= NONE)
		return cdc_fail(err, CDC_ENOMEM, "more than 2^32 rows to match");
	q = reallocarray(*p, want, size);
	if (!q)
		return cdc_fail_nomem(err);
	*p = q;
	*cap = want;
	return CDC_OK;
}

static void table_clear(struct table *t)
{
	cdc_map_clear(&t->rows);
	cdc_map_clear(&t->groups);
	t->num_rows = t->num_groups = t->num_waiting = 0;
}

static void table_free(struct table *t)
{
	cdc_map_free(&t->rows);
	cdc_map_free(&t->groups);
	free(t->row);
	free(t->group);
	free(t->waiting);
	*t = (struct table){ .num_rows = 0 };
}

/* What the table takes, the waiting rows included that there may be. */
static uint64_t table_bytes(const struct table *t)
{
	return cdc_map_bytes(&t->rows) + cdc_map_bytes(&t->groups) + t->num_rows * sizeof(*t->row) +
	       t->num_groups * (sizeof(*t->group) + sizeof(*t->waiting));
}

static bool same_hash(struct cdc_hash128 a, struct cdc_hash128 b)
{
	return a.lo == b.lo && a.hi == b.hi;
}

static struct old_row *find_row(const struct table *t, struct cdc_hash128 h)
{
	struct cdc_map_iter it = cdc_map_seek(&t->rows, h.lo);
	uint32_t i;

	while (cdc_map_next(&t->rows, &it, &i))
		if (same_hash(t->row[i].hash, h))
			return &t->row[i];
	return NULL;
}

static struct group *find_group(const struct table *t, struct cdc_hash128 h)
{
	struct cdc_map_iter it = cdc_map_seek(&t->groups, h.lo);
	uint32_t i;

	while (cdc_map_next(&t->groups, &it, &i))
		if (same_hash(t->group[i].hash, h))
			return &t->group[i];
	return NULL;
}

/* The group of the row at hand, made if there is none. */
static int want_group(struct matcher *m, uint32_t *index, struct cdc_err *err)
{
	struct table *t = &m->t;
	struct group *g = find_group(t, m->key_hash);

	*index = NONE;
	if (!m->v->key.num_fields)
		return CDC_OK;
	if (!g) {
		if (grow(&t->group, t->num_groups, &t->cap_groups, sizeof(*t->group), err) ||
		    cdc_map_insert(&t->groups, m->key_hash.lo, (uint32_t)t->num_groups, err))
			return err->code;
		g = &t->group[t->num_groups++];
		*g = (struct group){ .hash = m->key_hash, .head = NONE, .tail = NONE };
	}
	*index = (uint32_t)(g - t->group);
	return CDC_OK;
}

static int enter_row(struct matcher *m, struct cdc_err *err)
{
	struct table *t = &m->t;
	struct old_row *r = find_row(t, m->row_hash);
	uint32_t group;
	int rc = want_group(m, &group, err);

	if (!rc && !r) {
		rc = grow(&t->row, t->num_rows, &t->cap_rows, sizeof(*t->row), err);
		if (!rc)
			rc = cdc_map_insert(&t->rows, m->row_hash.lo, (uint32_t)t->num_rows, err);
		if (rc)
			return rc;
		r = &t->row[t->num_rows++];
		*r = (struct old_row){ .hash = m->row_hash, .group = group };
	}
	if (!rc)
		r->count++;
	return rc;
}

/* ------------------------------------------------------------------ the row at hand */

static int hash_key(struct matcher *m, const struct cdc_batch *b, uint32_t row, struct cdc_err *err)
{
	cdc_buf_reset(&m->key);
	for (int i = 0; i < m->v->key.num_fields; i++) {
		const struct cdc_column *c = &b->column[m->v->key.field[i]];
		bool null = cdc_column_is_null(c, row);
		union cdc_value value;
		int rc = cdc_buf_putc(&m->key, null ? 0 : 1, err);

		if (!rc && !null) {
			value = cdc_value_load(c->field->type, c->values, row);
			rc = cdc_key_put(&m->key, c->field->type, &value, err);
		}
		if (rc)
			return rc;
	}
	m->key_hash = cdc_hash128(m->key.p, m->key.len);
	return CDC_OK;
}

static int take_row(struct matcher *m, const struct cdc_batch *b, uint32_t row, struct cdc_err *err)
{
	int rc;

	cdc_buf_reset(&m->image);
	rc = cdc_image_text_put(&m->v->images, b, row, &m->image, err);
	if (rc)
		return rc;
	m->row_hash = cdc_hash128(m->image.p, m->image.len);
	m->key_hash = m->row_hash;
	return m->v->key.num_fields ? hash_key(m, b, row, err) : CDC_OK;
}

static bool in_part(const struct matcher *m, struct part p)
{
	return (m->key_hash.hi & ((UINT64_C(1) << p.bits) - 1)) == p.value;
}

/* ------------------------------------------------------------------ passes */

typedef int row_fn(struct matcher *m, uint64_t place, struct cdc_err *err);

/* Call each() for the rows of a side that are in the part. CDC_END: it has met the limit. */
static int each_row(struct matcher *m, enum changes_side side, struct part part, row_fn *each,
		    struct cdc_err *err)
{
	struct changes_scan *s = NULL;
	const struct cdc_batch *b;
	uint64_t place = 0;
	uint32_t row;
	int rc = changes_scan_new(&s, m->o->opt->io, m->v, m->set, side, err);

	while (!rc) {
		rc = changes_scan_next(s, &b, &row, err);
		if (!rc)
			rc = take_row(m, b, row, err);
		if (!rc && in_part(m, part))
			rc = each(m, place, err);
		place++;
	}
	changes_scan_free(s);
	return rc == CDC_END && !m->o->stopped ? CDC_OK : rc;
}

/* Answer of a pass over old rows when the table is full. */
#define FULL 2

static int count_old(struct matcher *m, uint64_t place, struct cdc_err *err)
{
	int rc = enter_row(m, err);

	(void)place;
	return !rc && table_bytes(&m->t) > m->max_bytes ? FULL : rc;
}

static int mark_cancelled(struct matcher *m, uint64_t place, struct cdc_err *err)
{
	size_t byte = (size_t)(place / 8);

	if (byte >= m->cap_cancelled) {
		size_t cap = byte * 2 + 4096;
		uint8_t *p = realloc(m->cancelled, cap);

		if (!p)
			return cdc_fail_nomem(err);
		memset(p + m->cap_cancelled, 0, cap - m->cap_cancelled);
		m->cancelled = p;
		m->cap_cancelled = cap;
	}
	m->cancelled[byte] = (uint8_t)(m->cancelled[byte] | 1u << place % 8);
	return CDC_OK;
}

static bool is_cancelled(const struct matcher *m, uint64_t place)
{
	size_t byte = (size_t)(place / 8);

	return byte < m->cap_cancelled && m->cancelled[byte] >> place % 8 & 1;
}

static int cancel_new(struct matcher *m, uint64_t place, struct cdc_err *err)
{
	struct old_row *r = find_row(&m->t, m->row_hash);
	struct group *g = NULL;

	if (r && r->count) {
		r->count--;
		return mark_cancelled(m, place, err);
	}
	g = find_group(&m->t, m->key_hash);
	if (g)
		g->new_rows++;
	return CDC_OK;
}

static int wait_for_pair(struct matcher *m, struct group *g, struct cdc_err *err)
{
	struct table *t = &m->t;
	struct waiting *w;
	int rc = grow(&t->waiting, t->num_waiting, &t->cap_waiting, sizeof(*t->waiting), err);

	if (rc)
		return rc;
	w = &t->waiting[t->num_waiting];
	*w = (struct waiting){ .len = m->image.len, .next = NONE };
	rc = spool_put(&m->spool, cdc_buf_str(&m->image), &w->offset, err);
	if (g->head == NONE)
		g->head = (uint32_t)t->num_waiting;
	else
		t->waiting[g->tail].next = (uint32_t)t->num_waiting;
	g->tail = (uint32_t)t->num_waiting++;
	g->new_rows--;
	return rc;
}

static int delete_old(struct matcher *m, uint64_t place, struct cdc_err *err)
{
	struct old_row *r = find_row(&m->t, m->row_hash);

	(void)place;
	if (!r)
		return cdc_fail(err, CDC_ECORRUPT, "a data file changed while it was read");
	if (!r->count)
		return CDC_OK;
	r->count--;
	if (r->group != NONE && m->t.group[r->group].new_rows)
		return wait_for_pair(m, &m->t.group[r->group], err);
	return changes_put(m->o, m->v, cdc_buf_str(&m->image), CDC_STR(""), err);
}

static int insert_new(struct matcher *m, uint64_t place, struct cdc_err *err)
{
	struct group *g = find_group(&m->t, m->key_hash);
	struct cdc_str before = CDC_STR("");
	const struct waiting *w;
	int rc;

	if (is_cancelled(m, place))
		return CDC_OK;
	if (g && g->head != NONE) {
		w = &m->t.waiting[g->head];
		g->head = w->next;
		rc = spool_get(&m->spool, w->offset, w->len, &before, err);
		if (rc)
			return rc;
	}
	return changes_put(m->o, m->v, before, cdc_buf_str(&m->image), err);
}

/* ------------------------------------------------------------------ parts */

static int match_part(struct matcher *m, struct part p, struct cdc_err *err)
{
	int rc;

	table_clear(&m->t);
	spool_reset(&m->spool);
	rc = each_row(m, CHANGES_OLD, p, count_old, err);
	if (rc == FULL && p.bits == MAX_BITS)
		return cdc_fail(err, CDC_ENOMEM, "too many rows to match in the memory allowed");
	if (rc == FULL) {
		table_free(&m->t);
		p.bits++;
		rc = match_part(m, p, err);
		p.value |= UINT64_C(1) << (p.bits - 1);
		return rc ? rc : match_part(m, p, err);
	}
	if (!rc)
		rc = each_row(m, CHANGES_NEW, p, cancel_new, err);
	if (!rc)
		rc = each_row(m, CHANGES_OLD, p, delete_old, err);
	/* Without a key nobody knows which rows have the same: INSERTs come after all DELETEs. */
	if (!rc && m->v->key.num_fields)
		rc = each_row(m, CHANGES_NEW, p, insert_new, err);
	return rc;
}

static int print_old(struct matcher *m, uint64_t place, struct cdc_err *err)
{
	(void)place;
	return changes_put(m->o, m->v, cdc_buf_str(&m->image), CDC_STR(""), err);
}

int changes_match(struct changes_out *o, struct changes_view *v, const struct changes_set *set,
		  struct cdc_err *err)
{
	const struct part all = { 0, 0 };
	struct matcher m = { .o = o, .v = v, .set = set };
	int rc = CDC_OK;

	m.max_bytes = (o->opt->memory_bytes ? o->opt->memory_bytes : DEFAULT_MEMORY) / 2;
	m.spool = (struct spool){ .io = o->opt->io,
				  .tmpdir = o->opt->tmpdir,
				  .max_bytes = (size_t)m.max_bytes,
				  .fd = -1 };
	if (!set->num_files[CHANGES_NEW])
		rc = each_row(&m, CHANGES_OLD, all, print_old, err);
	else if (set->num_files[CHANGES_OLD])
		rc = match_part(&m, all, err);
	if (!rc && (!set->num_files[CHANGES_OLD] || !v->key.num_fields))
		rc = each_row(&m, CHANGES_NEW, all, insert_new, err);
	table_free(&m.t);
	spool_reset(&m.spool);
	cdc_buf_free(&m.spool.memory);
	cdc_buf_free(&m.spool.back);
	cdc_buf_free(&m.image);
	cdc_buf_free(&m.key);
	free(m.cancelled);
	return rc;
}
