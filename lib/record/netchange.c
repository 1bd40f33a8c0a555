/*
 * Net change: what callers see. See netchange.h, and net_impl.h for who does the work.
 */
#include "record/netchange.h"

#include "record/net_impl.h"

#include <stdlib.h>

#define DEFAULT_MEMORY_BYTES ((uint64_t)256 << 20)
/* What a new record may take beside its line and keys, maps aside. */
#define RECORD_BYTES (sizeof(struct net_rec) + 2 * sizeof(struct net_key) + 64)

int cdc_net_new(struct cdc_net **out, const struct cdc_net_options *opt, struct cdc_err *err)
{
	struct cdc_net *net = calloc(1, sizeof(*net));

	*out = NULL;
	if (!net)
		return cdc_fail_nomem(err);
	net->opt = *opt;
	net->memory_bytes = opt->memory_bytes ? opt->memory_bytes : DEFAULT_MEMORY_BYTES;
	*out = net;
	return CDC_OK;
}

void cdc_net_free(struct cdc_net *net)
{
	if (!net)
		return;
	net_spill_free(net->spill);
	net_window_free(&net->w);
	net_image_free(&net->image);
	cdc_arena_free(&net->names);
	free(net->table);
	free(net->shape);
	cdc_map_free(&net->tables);
	cdc_map_free(&net->shapes);
	cdc_tape_free(&net->tape[0]);
	cdc_tape_free(&net->tape[1]);
	cdc_buf_free(&net->kb);
	cdc_buf_free(&net->ka);
	cdc_buf_free(&net->out);
	cdc_buf_free(&net->before);
	cdc_buf_free(&net->packed);
	free(net);
}

void cdc_net_reset(struct cdc_net *net)
{
	net_spill_free(net->spill);
	net->spill = NULL;
	net_window_reset(&net->w);
	cdc_arena_reset(&net->names);
	cdc_map_clear(&net->tables);
	cdc_map_clear(&net->shapes);
	net->num_table = net->num_shape = 0;
	net->last_table = 0;
	net->last_shape = 0;
	net->truncated_all = false;
	net->num_added = net->num_controls = net->num_truncates = 0;
}

uint64_t cdc_net_count(const struct cdc_net *net)
{
	return net->num_added;
}

uint64_t cdc_net_bytes(const struct cdc_net *net)
{
	return net_window_bytes(&net->w) + net_spill_bytes(net->spill) + net->names.total_bytes +
	       net->num_table * sizeof(*net->table) + cdc_map_bytes(&net->tables) +
	       cdc_map_bytes(&net->shapes);
}

/* ------------------------------------------------------------------ adding */

/* Before the records that are there and this one together pass the ceiling. */
static int make_room(struct cdc_net *net, const struct net_new *n, struct cdc_err *err)
{
	uint64_t want = n->line.n + n->kb.n + n->ka.n + RECORD_BYTES;

	if (cdc_net_bytes(net) + want <= net->memory_bytes)
		return CDC_OK;
	if (!net->opt.spill)
		return cdc_fail(err, CDC_ENOMEM, "the window does not fit in %llu bytes of memory",
				(unsigned long long)net->memory_bytes);
	return net_spill_chunk(net, err);
}

static int add(struct cdc_net *net, struct net_new *n, struct cdc_err *err)
{
	int rc = make_room(net, n, err);

	n->seq = net->num_added;
	if (!rc)
		rc = net_window_add(net, n, err);
	if (!rc)
		net->num_added++;
	return rc;
}

/* Key bytes before and after; ka == kb when they are the same. */
static int keys_of(struct cdc_net *net, const struct cdc_record *r, struct net_new *n,
		   struct cdc_err *err)
{
	cdc_net_key_fn key_of = net->opt.key_of;
	void *ctx = net->opt.key_ctx;
	uint32_t b = r->before_tok, a = r->after_tok;
	int rc;

	cdc_buf_reset(&net->kb);
	cdc_buf_reset(&net->ka);
	if (r->type == CDC_RECORD_DELETE)
		rc = key_of(ctx, r, b, CDC_JSON_NONE, &net->kb, err);
	else if (r->type != CDC_RECORD_UPDATE || b == CDC_JSON_NONE)
		rc = key_of(ctx, r, a, CDC_JSON_NONE, &net->kb, err);
	else
		rc = key_of(ctx, r, b, a, &net->kb, err);
	n->kb = n->ka = cdc_buf_str(&net->kb);
	if (rc || r->type != CDC_RECORD_UPDATE || b == CDC_JSON_NONE)
		return rc;
	rc = key_of(ctx, r, a, b, &net->ka, err);
	if (!rc && !cdc_str_eq(n->kb, cdc_buf_str(&net->ka)))
		n->ka = cdc_buf_str(&net->ka);
	return rc;
}

static int check_line(const struct cdc_record *r, struct cdc_err *err)
{
	if (r->line.n >= UINT32_MAX)
		return cdc_fail(err, CDC_EDATA, "a record of %zu bytes is too long", r->line.n);
	return CDC_OK;
}

static int add_row(struct cdc_net *net, const struct cdc_record *r, struct net_new *n,
		   struct cdc_err *err)
{
	int rc = net_table_of(net, r->db_table, &n->table, err);

	if (!rc)
		rc = keys_of(net, r, n, err);
	if (!rc && r->after_tok != CDC_JSON_NONE) {
		struct cdc_str after = cdc_json_source(r->tape, r->after_tok);

		n->after_off = (uint32_t)(after.p - r->line.p);
		n->after_len = (uint32_t)after.n;
		if (r->type != CDC_RECORD_DELETE)
			rc = net_shape_of(net, r, n->table, &n->shape, err);
	}
	if (net->opt.images_only) {
		n->line = cdc_str(n->line.p + n->after_off, n->after_len);
		n->after_off = 0;
	}
	return rc ? rc : add(net, n, err);
}

static int add_truncate(struct cdc_net *net, const struct cdc_record *r, struct net_new *n,
			struct cdc_err *err)
{
	bool all = !r->db_table.n && !net->opt.one_table;
	uint64_t seq = net->num_added;
	int rc = CDC_OK;

	n->table = NET_NONE;
	if (!all)
		rc = net_table_of(net, r->db_table, &n->table, err);
	if (!rc)
		rc = add(net, n, err);
	if (rc)
		return rc;
	net->num_truncates++;
	if (all) {
		if (!net->truncated_all || net->all_order <= n->order) {
			net->truncated_all = true;
			net->all_order = n->order;
			net->all_seq = seq;
		}
	} else {
		struct net_table *t = &net->table[n->table];

		if (!t->truncated || t->order <= n->order) {
			t->truncated = true;
			t->order = n->order;
			t->seq = seq;
		}
	}
	return CDC_OK;
}

int cdc_net_add(struct cdc_net *net, const struct cdc_record *r, int64_t order, uint64_t tag,
		struct cdc_err *err)
{
	struct net_new n = {
		.line = r->line, .order = order, .tag = tag, .type = (uint8_t)r->type
	};
	int rc = check_line(r, err);

	if (rc)
		return rc;
	if (r->type == CDC_RECORD_TRUNCATE)
		return add_truncate(net, r, &n, err);
	if (!cdc_record_is_row(r->type))
		return cdc_fail(err, CDC_EUSAGE, "%s is no row record",
				cdc_record_type_name(r->type));
	return add_row(net, r, &n, err);
}

int cdc_net_add_control(struct cdc_net *net, const struct cdc_record *r, int64_t order,
			struct cdc_err *err)
{
	struct net_new n = {
		.line = r->line, .order = order, .type = (uint8_t)r->type, .table = NET_NONE
	};
	int rc = check_line(r, err);

	if (!rc && (cdc_record_is_row(r->type) || r->type == CDC_RECORD_TRUNCATE))
		rc = cdc_fail(err, CDC_EUSAGE, "%s is no control record",
			      cdc_record_type_name(r->type));
	if (!rc)
		rc = add(net, &n, err);
	if (!rc)
		net->num_controls++;
	return rc;
}

/* ------------------------------------------------------------------ results */

/* Lines that lie side by side in the store go out as one piece. */
struct direct {
	struct net_sink sink;
	int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err);
	void *ctx;
	struct cdc_str pending;
};

static int direct_flush(struct direct *d, struct cdc_err *err)
{
	struct cdc_str lines = d->pending;

	d->pending = (struct cdc_str)CDC_STR_INIT;
	return lines.n ? d->put(d->ctx, lines, err) : CDC_OK;
}

static int direct_put(struct net_sink *s, int64_t order, uint64_t seq, struct cdc_str line,
		      bool stable, struct cdc_err *err)
{
	struct direct *d = (struct direct *)s;
	int rc;

	(void)order;
	(void)seq;
	if (stable && d->pending.n && d->pending.p + d->pending.n == line.p) {
		d->pending.n += line.n;
		return CDC_OK;
	}
	rc = direct_flush(d, err);
	if (!rc && !stable)
		return d->put(d->ctx, line, err);
	d->pending = line;
	return rc;
}

static int emit_direct(struct cdc_net *net,
		       int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err), void *ctx,
		       struct cdc_net_counts *counts, struct cdc_err *err)
{
	struct direct d = { .sink = { direct_put, counts }, .put = put, .ctx = ctx };
	int rc = net_fold(net, true, err);

	if (!rc)
		rc = net_emit_window(net, &d.sink, err);
	return rc ? rc : direct_flush(&d, err);
}

int cdc_net_emit(struct cdc_net *net,
		 int (*put)(void *ctx, struct cdc_str lines, struct cdc_err *err), void *ctx,
		 struct cdc_net_counts *counts, struct cdc_err *err)
{
	int rc;

	if (counts)
		*counts = (struct cdc_net_counts){
			.records_in = net->num_added - net->num_controls,
			.truncates = net->num_truncates,
		};
	if (net->spill)
		rc = net_spill_emit(net, put, ctx, counts, err);
	else
		rc = emit_direct(net, put, ctx, counts, err);
	cdc_net_reset(net);
	return rc;
}

static bool is_truncated(const struct cdc_net *net)
{
	for (uint32_t i = 0; i < net->num_table; i++)
		if (net->table[i].truncated)
			return true;
	return net->truncated_all;
}

int cdc_net_each(struct cdc_net *net, bool *truncated,
		 int (*visit)(void *ctx, const struct cdc_net_change *c, struct cdc_err *err),
		 void *ctx, struct cdc_err *err)
{
	int rc;

	*truncated = is_truncated(net);
	if (net->spill) {
		rc = net_spill_each(net, visit, ctx, err);
	} else {
		rc = net_fold(net, false, err);
		if (!rc)
			rc = net_each_window(net, visit, ctx, err);
	}
	cdc_net_reset(net);
	return rc;
}
