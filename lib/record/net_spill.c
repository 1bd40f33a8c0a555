/*
 * A window that passes its memory: through temporary files to the same result.
 *
 *  1. While records come: each time the memory is full, the records go to a file as a sorted run;
 *     a run that begins where the last one ended continues it, so ordered input is one run. Keys
 *     that a key change links are noted in a union-find, by their hashes.
 *  2. At the end the runs are merged by order, and each record goes to the partition of its key:
 *     linked keys to the same one. SCHEMA, DDL and TRUNCATE records go to the output as they are.
 *  3. Each partition is folded in memory as if it were the window; its survivors are a run.
 *  4. These runs are merged.
 *
 * Two records whose keys are in different partitions have nothing to do with each other, so the
 * order of the merge is all that joins the partitions, and the result is that of one window.
 */
#include "record/net_impl.h"

#include <stdlib.h>

#define MAX_PARTITIONS 1024u
#define MIN_BUFFER ((size_t)4 << 10)
#define MAX_BUFFER ((size_t)256 << 10)
#define MIN_FOLD_BYTES ((uint64_t)64 << 10)
#define MIN_LASTING_BYTES ((uint64_t)16 << 20)

/* Union-find over the hashes of keys. Two keys of one hash are taken for linked: no harm is done.
 */
struct links {
	struct cdc_map map;
	uint64_t *hash;
	uint32_t *parent;
	uint32_t n, cap;
};

struct net_spill {
	struct net_file file;
	struct net_run *run;
	uint32_t num_run, cap_run;
	int64_t last_order; /* of the last run */
	uint64_t frames;
	struct links links;
};

struct partitions {
	struct net_file file;
	struct net_run *run;
	char *buf; /* n * buffer_bytes */
	size_t *used;
	uint32_t n;
	size_t buffer_bytes;
};

/* ------------------------------------------------------------------ linked keys */

static uint32_t root_of(struct links *l, uint32_t i)
{
	while (l->parent[i] != i) {
		l->parent[i] = l->parent[l->parent[i]];
		i = l->parent[i];
	}
	return i;
}

static int link_node(struct links *l, uint64_t hash, uint32_t *node, struct cdc_err *err)
{
	struct cdc_map_iter it = cdc_map_seek(&l->map, hash);
	uint32_t cap = l->cap;
	void *p;

	if (cdc_map_next(&l->map, &it, node))
		return CDC_OK;
	p = net_grown(l->hash, &cap, (uint64_t)l->n + 1, sizeof(*l->hash));
	if (!p)
		return cdc_fail_nomem(err);
	l->hash = p;
	cap = l->cap;
	p = net_grown(l->parent, &cap, (uint64_t)l->n + 1, sizeof(*l->parent));
	if (!p)
		return cdc_fail_nomem(err);
	l->parent = p;
	l->cap = cap;
	l->hash[l->n] = hash;
	l->parent[l->n] = l->n;
	*node = l->n;
	return cdc_map_insert(&l->map, hash, l->n++, err);
}

static int link_keys(struct links *l, uint64_t a, uint64_t b, struct cdc_err *err)
{
	uint32_t i, j;
	int rc = link_node(l, a, &i, err);

	if (!rc)
		rc = link_node(l, b, &j, err);
	if (rc)
		return rc;
	i = root_of(l, i);
	j = root_of(l, j);
	/* The older node as root: long chains of key changes stay flat. */
	if (i < j)
		l->parent[j] = i;
	else
		l->parent[i] = j;
	return CDC_OK;
}

/* The hash that stands for a key and all keys linked with it. */
static uint64_t link_root(struct links *l, uint64_t hash)
{
	struct cdc_map_iter it = cdc_map_seek(&l->map, hash);
	uint32_t i;

	return cdc_map_next(&l->map, &it, &i) ? l->hash[root_of(l, i)] : hash;
}

/* ------------------------------------------------------------------ while records come */

static int spill_new(struct cdc_net *net, struct cdc_err *err)
{
	struct net_spill *sp = calloc(1, sizeof(*sp));
	int rc;

	if (!sp)
		return cdc_fail_nomem(err);
	rc = net_file_open(&sp->file, net->opt.io, net->opt.tmpdir, err);
	if (rc)
		free(sp);
	else
		net->spill = sp;
	return rc;
}

void net_spill_free(struct net_spill *sp)
{
	if (!sp)
		return;
	net_file_close(&sp->file);
	free(sp->run);
	cdc_map_free(&sp->links.map);
	free(sp->links.hash);
	free(sp->links.parent);
	free(sp);
}

uint64_t net_spill_bytes(const struct net_spill *sp)
{
	if (!sp)
		return 0;
	return cdc_map_bytes(&sp->links.map) +
	       sp->links.cap * (sizeof(*sp->links.hash) + sizeof(*sp->links.parent)) +
	       sp->file.cap_ext * sizeof(*sp->file.ext) + sp->num_run * sizeof(*sp->run);
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int run_new(struct cdc_net *net, struct cdc_err *err)
{
	struct net_spill *sp = net->spill;
	uint64_t room = at_least(net->memory_bytes / 2, MIN_LASTING_BYTES);
	void *grown;

	/* Each run needs a buffer when they are merged. */
	if ((sp->num_run + (uint64_t)1) * MIN_BUFFER > room)
		return cdc_fail(
			err, CDC_ENOMEM,
			"the input is too long and too far out of order for %llu bytes of memory",
			(unsigned long long)net->memory_bytes);
	grown = net_grown(sp->run, &sp->cap_run, (uint64_t)sp->num_run + 1, sizeof(*sp->run));
	if (!grown)
		return cdc_fail_nomem(err);
	sp->run = grown;
	sp->run[sp->num_run++] = (struct net_run)NET_RUN_INIT;
	return CDC_OK;
}

static int spill_rec(struct cdc_net *net, uint32_t i, struct cdc_err *err)
{
	const struct net_window *w = &net->w;
	struct net_spill *sp = net->spill;
	struct net_run *run = &sp->run[sp->num_run - 1];
	const struct net_rec *r = &w->rec[i];
	const struct net_key *kb = r->kb == NET_NONE ? NULL : &w->key[r->kb];
	const struct net_key *ka = r->kb == r->ka || !kb ? NULL : &w->key[r->ka];
	struct net_frame f;
	int rc;

	memset(&f, 0, sizeof(f));
	f.order = r->order;
	f.seq = net_rec_seq(w, i);
	f.tag = r->tag;
	f.line_len = r->line_len;
	f.after_off = r->after_off;
	f.after_len = r->after_len;
	f.table = kb ? kb->table : r->ka;
	f.kb_len = kb ? kb->n : 0;
	f.ka_len = ka ? ka->n : NET_SAME_KEY;
	f.shape = r->shape;
	f.type = r->type;
	rc = net_file_append(&sp->file, run, &f, sizeof(f), err);
	if (!rc && kb)
		rc = net_file_append(&sp->file, run, kb->p, kb->n, err);
	if (!rc && ka)
		rc = net_file_append(&sp->file, run, ka->p, ka->n, err);
	if (!rc)
		rc = net_file_append(&sp->file, run, r->line, r->line_len, err);
	if (!rc && ka)
		rc = link_keys(&sp->links, net_key_hash(net, kb->table, cdc_str(kb->p, kb->n)),
			       net_key_hash(net, ka->table, cdc_str(ka->p, ka->n)), err);
	return rc;
}

int net_spill_chunk(struct cdc_net *net, struct cdc_err *err)
{
	struct net_window *w = &net->w;
	struct net_spill *sp;
	int rc = CDC_OK;

	if (!w->num_rec)
		return CDC_OK;
	if (!net->spill)
		rc = spill_new(net, err);
	if (!rc)
		rc = net_window_sort(w, err);
	sp = net->spill;
	if (!rc && (!sp->num_run || w->rec[net_at(w, 0)].order < sp->last_order))
		rc = run_new(net, err);
	for (uint32_t i = 0; !rc && i < w->num_rec; i++)
		rc = spill_rec(net, net_at(w, i), err);
	if (rc)
		return rc;
	sp->last_order = w->rec[net_at(w, w->num_rec - 1)].order;
	sp->frames += w->num_rec;
	net_window_reset(w);
	w->first_seq = net->num_added;
	if (net_spill_bytes(sp) > at_least(net->memory_bytes, MIN_LASTING_BYTES))
		return cdc_fail(err, CDC_ENOMEM,
				"the key changes of the window do not fit in %llu bytes of memory",
				(unsigned long long)net->memory_bytes);
	return CDC_OK;
}

/* ------------------------------------------------------------------ partitions */

static size_t buffer_for(const struct cdc_net *net, uint32_t n)
{
	uint64_t b = net->memory_bytes / 4 / (n ? n : 1);

	if (b < MIN_BUFFER)
		return MIN_BUFFER;
	return b > MAX_BUFFER ? MAX_BUFFER : (size_t)b;
}

static void partitions_close(struct partitions *ps)
{
	net_file_close(&ps->file);
	free(ps->run);
	free(ps->buf);
	free(ps->used);
	*ps = (struct partitions){ .file = { .fd = -1 } };
}

/* So many that one takes an eighth of the memory: keys do not spread evenly, and a record takes
 * more room in a window than in a file. */
static int partitions_open(struct partitions *ps, struct cdc_net *net, struct cdc_err *err)
{
	const struct net_spill *sp = net->spill;
	uint64_t n = cdc_writer_offset(&sp->file.w) / (net->memory_bytes / 8 + 1) + 1;

	if (n > sp->frames / 4 + 1)
		n = sp->frames / 4 + 1;
	if (n > MAX_PARTITIONS)
		n = MAX_PARTITIONS;
	*ps = (struct partitions){ .n = (uint32_t)n, .file = { .fd = -1 } };
	ps->buffer_bytes = buffer_for(net, ps->n);
	ps->run = calloc(ps->n, sizeof(*ps->run));
	ps->used = calloc(ps->n, sizeof(*ps->used));
	ps->buf = malloc(ps->n * ps->buffer_bytes);
	if (!ps->run || !ps->used || !ps->buf)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < ps->n; i++)
		ps->run[i] = (struct net_run)NET_RUN_INIT;
	return net_file_open(&ps->file, net->opt.io, net->opt.tmpdir, err);
}

static int partition_flush(struct partitions *ps, uint32_t p, struct cdc_err *err)
{
	size_t n = ps->used[p];

	ps->used[p] = 0;
	if (!n)
		return CDC_OK;
	return net_file_append(&ps->file, &ps->run[p], ps->buf + p * ps->buffer_bytes, n, err);
}

static int partition_put(struct partitions *ps, uint32_t p, const void *data, size_t n,
			 struct cdc_err *err)
{
	int rc = CDC_OK;

	if (n > ps->buffer_bytes - ps->used[p])
		rc = partition_flush(ps, p, err);
	if (rc)
		return rc;
	if (n > ps->buffer_bytes)
		return net_file_append(&ps->file, &ps->run[p], data, n, err);
	memcpy(ps->buf + p * ps->buffer_bytes + ps->used[p], data, n);
	ps->used[p] += n;
	return CDC_OK;
}

/* ------------------------------------------------------------------ output runs */

struct output {
	struct net_sink sink;
	struct net_file file;
	struct net_run *run; /* one a partition, and the last for records that are not rows */
	uint32_t at;
	uint32_t n;
};

static int output_put(struct output *o, int64_t order, uint64_t seq, struct cdc_str line,
		      struct cdc_err *err)
{
	struct net_frame f;
	int rc;

	memset(&f, 0, sizeof(f));
	f.order = order;
	f.seq = seq;
	f.ka_len = NET_SAME_KEY;
	f.line_len = (uint32_t)line.n;
	if (line.n > UINT32_MAX)
		return cdc_fail(err, CDC_EDATA, "a record passes 4 GiB");
	rc = net_file_append(&o->file, &o->run[o->at], &f, sizeof(f), err);
	return rc ? rc : net_file_append(&o->file, &o->run[o->at], line.p, line.n, err);
}

static int output_sink(struct net_sink *s, int64_t order, uint64_t seq, struct cdc_str line,
		       bool stable, struct cdc_err *err)
{
	(void)stable;
	return output_put((struct output *)s, order, seq, line, err);
}

static void output_close(struct output *o)
{
	net_file_close(&o->file);
	free(o->run);
	o->run = NULL;
}

static int output_open(struct output *o, struct cdc_net *net, uint32_t n, struct cdc_err *err)
{
	o->n = n;
	o->run = calloc(n, sizeof(*o->run));
	if (!o->run)
		return cdc_fail_nomem(err);
	for (uint32_t i = 0; i < n; i++)
		o->run[i] = (struct net_run)NET_RUN_INIT;
	return net_file_open(&o->file, net->opt.io, net->opt.tmpdir, err);
}

/* Merge the output runs into `put`, in pieces of about MAX_BUFFER. */
static int output_merge(struct output *o, struct cdc_net *net,
			int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err), void *ctx,
			struct cdc_err *err)
{
	struct net_merge m = { 0 };
	struct cdc_buf *out = &net->out;
	struct net_frame f;
	const char *line;
	int rc = net_file_flush(&o->file, err);

	cdc_buf_reset(out);
	if (!rc)
		rc = net_merge_open(&m, &o->file, o->run, o->n, buffer_for(net, o->n), err);
	while (!rc && !(rc = net_merge_next(&m, &f, &line, err))) {
		rc = cdc_buf_append(out, line, f.line_len, err);
		if (!rc && out->len >= MAX_BUFFER) {
			rc = put(ctx, cdc_buf_str(out), err);
			cdc_buf_reset(out);
		}
	}
	if (rc == CDC_END)
		rc = out->len ? put(ctx, cdc_buf_str(out), err) : CDC_OK;
	net_merge_close(&m);
	return rc;
}

/* ------------------------------------------------------------------ the passes */

static int put_other(struct cdc_net *net, struct output *o, const struct net_frame *f,
		     const char *line, struct cdc_err *err)
{
	int rc;

	if (f->type == CDC_RECORD_TRUNCATE) {
		if (!net_truncate_counts(net, f->table, f->order, f->seq))
			return CDC_OK;
		if (o->sink.counts)
			o->sink.counts->records_out++;
	}
	cdc_buf_reset(&net->out);
	rc = cdc_buf_append(&net->out, line, f->line_len, err);
	if (!rc)
		rc = cdc_buf_putc(&net->out, '\n', err);
	o->at = o->n - 1;
	return rc ? rc : output_put(o, f->order, f->seq, cdc_buf_str(&net->out), err);
}

/* Second pass: sorted runs to partitions. `o` is NULL when nothing is printed. */
static int distribute(struct cdc_net *net, struct partitions *ps, struct output *o,
		      struct cdc_err *err)
{
	struct net_spill *sp = net->spill;
	struct net_merge m = { 0 };
	struct net_frame f;
	const char *payload;
	int rc = net_file_flush(&sp->file, err);

	if (!rc)
		rc = net_merge_open(&m, &sp->file, sp->run, sp->num_run,
				    buffer_for(net, sp->num_run), err);
	while (!rc && !(rc = net_merge_next(&m, &f, &payload, err))) {
		uint64_t hash;
		uint32_t p;

		if (!cdc_record_is_row(f.type)) {
			rc = o ? put_other(net, o, &f, payload, err) : CDC_OK;
			continue;
		}
		if (net_is_truncated(net, f.table, f.order, f.seq))
			continue;
		hash = net_key_hash(net, f.table, cdc_str(payload, f.kb_len));
		p = (uint32_t)(cdc_hash64_u64(link_root(&sp->links, hash)) % ps->n);
		rc = partition_put(ps, p, &f, sizeof(f), err);
		if (!rc)
			rc = partition_put(ps, p, payload, net_frame_payload(&f), err);
	}
	if (rc == CDC_END)
		rc = CDC_OK;
	for (uint32_t p = 0; !rc && p < ps->n; p++)
		rc = partition_flush(ps, p, err);
	net_merge_close(&m);
	return rc ? rc : net_file_flush(&ps->file, err);
}

static int window_frame(struct cdc_net *net, const struct net_frame *f, const char *payload,
			struct cdc_err *err)
{
	struct net_new n = {
		.order = f->order,
		.seq = f->seq,
		.tag = f->tag,
		.after_off = f->after_off,
		.after_len = f->after_len,
		.table = f->table,
		.shape = f->shape,
		.type = f->type,
		.kb = cdc_str(payload, f->kb_len),
	};

	payload += f->kb_len;
	n.ka = n.kb;
	if (f->ka_len != NET_SAME_KEY) {
		n.ka = cdc_str(payload, f->ka_len);
		payload += f->ka_len;
	}
	n.line = cdc_str(payload, f->line_len);
	return net_window_add(net, &n, err);
}

/*
 * Load a partition and fold it. It is in order, so records that have become superfluous can be
 * forgotten when they fill half of the memory; the other half is for the copy of those that stay.
 */
static int fold_partition(struct cdc_net *net, struct partitions *ps, uint32_t p, bool moves,
			  struct cdc_err *err)
{
	uint64_t room = at_least(net->memory_bytes, MIN_FOLD_BYTES);
	uint64_t limit = room / 2;
	struct net_merge m = { 0 };
	struct net_frame f;
	const char *payload;
	int rc;

	net_window_reset(&net->w);
	net->w.own_seq = true;
	rc = net_merge_open(&m, &ps->file, &ps->run[p], 1, MAX_BUFFER, err);
	while (!rc && !(rc = net_merge_next(&m, &f, &payload, err))) {
		rc = window_frame(net, &f, payload, err);
		if (rc || net_window_bytes(&net->w) <= limit)
			continue;
		rc = net_fold(net, moves, err);
		if (!rc)
			rc = net_window_compact(&net->w, err);
		limit = at_least(room / 2, net_window_bytes(&net->w) + room / 8);
		if (!rc && limit > room)
			rc = cdc_fail(
				err, CDC_ENOMEM,
				"keys that belong together do not fit in %llu bytes of memory",
				(unsigned long long)room);
	}
	net_merge_close(&m);
	return rc == CDC_END ? net_fold(net, moves, err) : rc;
}

/* The first two passes. Their file is given back to the disk before the others are needed. */
static int partition(struct cdc_net *net, struct partitions *ps, struct output *o,
		     struct cdc_err *err)
{
	int rc = net_spill_chunk(net, err);

	net_window_free(&net->w);
	if (!rc)
		rc = partitions_open(ps, net, err);
	if (!rc && o)
		rc = output_open(o, net, ps->n + 1, err);
	if (!rc)
		rc = distribute(net, ps, o, err);
	net_spill_free(net->spill);
	net->spill = NULL;
	free(ps->buf);
	ps->buf = NULL;
	return rc;
}

int net_spill_emit(struct cdc_net *net,
		   int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err), void *ctx,
		   struct cdc_net_counts *counts, struct cdc_err *err)
{
	struct partitions ps = { .file = { .fd = -1 } };
	struct output o = { .sink = { output_sink, counts }, .file = { .fd = -1 } };
	int rc = partition(net, &ps, &o, err);

	for (o.at = 0; !rc && o.at < ps.n; o.at++) {
		rc = fold_partition(net, &ps, o.at, true, err);
		if (!rc)
			rc = net_emit_window(net, &o.sink, err);
	}
	partitions_close(&ps);
	net_window_free(&net->w);
	if (!rc)
		rc = output_merge(&o, net, put, ctx, err);
	output_close(&o);
	return rc;
}

int net_spill_each(struct cdc_net *net,
		   int (*visit)(void *ctx, const struct cdc_net_change *c, struct cdc_err *err),
		   void *ctx, struct cdc_err *err)
{
	struct partitions ps = { .file = { .fd = -1 } };
	int rc = partition(net, &ps, NULL, err);

	for (uint32_t p = 0; !rc && p < ps.n; p++) {
		rc = fold_partition(net, &ps, p, false, err);
		if (!rc)
			rc = net_each_window(net, visit, ctx, err);
	}
	partitions_close(&ps);
	net_window_free(&net->w);
	return rc;
}
