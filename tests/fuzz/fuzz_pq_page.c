/*
 * Pages and decoders on their own: the first bytes choose type, encoding, codec, levels and counts,
 * the rest is the page. Nothing is read outside of it but the promised slack, and what is decoded
 * in one go is what is decoded in pieces.
 */
#include "base/hash.h"
#include "parquet/parquet.h"
#include "parquet/pq_batch.h"
#include "parquet/pq_unpack.h"

#include <stdlib.h>

enum { HEAD = 8, SLOTS_MAX = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

struct pass {
	struct cdc_pq_page page;
	struct cdc_pq_mem body;
	struct cdc_pq_mem transposed;
	struct cdc_pq_string_space space;
	struct cdc_pq_batch batch;
	int rc;
};

/* Decode up to SLOTS_MAX slots, `step` at a time. */
static void run(struct pass *p, const struct cdc_pq_page_env *env,
		const struct cdc_pq_page_header *h, const uint8_t *stored,
		const struct cdc_pq_dictionary *dict, uint32_t step)
{
	struct cdc_err err = CDC_ERR_INIT;

	p->space.max_bytes = 64 << 20;
	p->batch.type = env->t.type;
	p->batch.max_def = env->max_def;
	p->batch.max_rep = env->max_rep;
	p->rc = cdc_pq_page_begin(&p->page, env, h, stored, dict, &p->body, &p->transposed, &err);
	while (p->rc >= 0 && p->page.left > 0 && p->batch.n < SLOTS_MAX) {
		uint32_t k = p->page.left < step ? p->page.left : step;

		k = k < SLOTS_MAX - p->batch.n ? k : SLOTS_MAX - p->batch.n;
		p->rc = cdc_pq_batch_append(&p->batch, &p->page, k, &p->space, &err);
	}
	check(p->rc >= 0 || err.code == p->rc);
}

static void end(struct pass *p)
{
	cdc_pq_mem_free(&p->body);
	cdc_pq_mem_free(&p->transposed);
	cdc_arena_free(&p->space.arena);
	cdc_pq_batch_free(&p->batch);
}

static void same(const struct pass *a, const struct pass *b)
{
	size_t size = cdc_pq_slot_size(a->batch.type);

	if (a->rc < 0 || b->rc < 0)
		return;
	check(a->batch.n == b->batch.n && a->batch.has_def == b->batch.has_def);
	check(a->batch.rows == b->batch.rows);
	if (a->batch.has_def)
		check(memcmp(a->batch.def.p, b->batch.def.p, a->batch.n) == 0);
	for (uint32_t i = 0; i < a->batch.n; i++) {
		const uint8_t *x = a->batch.values.p + i * size;
		const uint8_t *y = b->batch.values.p + i * size;

		if (a->batch.type == CDC_PQ_BYTE_ARRAY || a->batch.type == CDC_PQ_FIXED)
			check(cdc_str_eq(*(const struct cdc_str *)x, *(const struct cdc_str *)y));
		else if (a->batch.type == CDC_PQ_INT96)
			check(memcmp(x, y, 12) == 0);
		else
			check(memcmp(x, y, size) == 0);
	}
}

static struct cdc_pq_page_header page_header(const uint8_t *head, size_t n, bool compressed)
{
	return (struct cdc_pq_page_header){
		.type = head[2] >> 6 & 1 ? CDC_PQ_DATA_PAGE_V2 : CDC_PQ_DATA_PAGE,
		.compressed_size = (int32_t)n,
		.uncompressed_size = (int32_t)(compressed ? n * (1 + head[5] % 8) : n),
		.num_values = head[3] | (head[4] & 0x7f) << 8,
		.encoding = (enum cdc_pq_encoding)(head[1] & 15),
		.def_encoding = head[4] >> 7 ? CDC_PQ_BIT_PACKED : CDC_PQ_RLE,
		.rep_encoding = CDC_PQ_RLE,
		.def_length = head[5],
		.rep_length = head[5] >> 4,
		.is_compressed = !(head[2] >> 5 & 1),
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cdc_pq_codec_ctx codec = CDC_PQ_CODEC_CTX_INIT;
	struct cdc_pq_dictionary dict = { 0 };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_page_env env;
	struct cdc_pq_page_header h;
	struct pass whole = { .batch = { 0 } };
	struct pass pieces = { .batch = { 0 } };
	uint8_t *stored;
	size_t split;

	if (n < HEAD)
		return 0;
	n -= HEAD;
	stored = calloc(1, n + CDC_PQ_SLACK);
	check(stored != NULL);
	memcpy(stored, data + HEAD, n);
	split = data[6] <= n ? data[6] : n;
	env = (struct cdc_pq_page_env){
		.codec_ctx = &codec,
		.t = { (enum cdc_pq_type)(data[0] & 7), 1u + (data[0] >> 3) },
		.max_page = 64u << 20,
		.max_def = data[2] & 7,
		.max_rep = data[2] >> 3 & 3,
		.v2_flag_lies = data[2] >> 7,
	};
	/* The first `split` bytes are a dictionary, the others the page. */
	h = (struct cdc_pq_page_header){ .type = CDC_PQ_DICTIONARY_PAGE,
					 .compressed_size = (int32_t)split,
					 .uncompressed_size = (int32_t)split,
					 .num_values = data[7] };
	(void)!cdc_pq_page_dictionary(&dict, &env, &h, stored, &err);
	env.codec = (enum cdc_pq_codec)(data[1] >> 4 & 7);
	h = page_header(data, n - split, env.codec != CDC_PQ_UNCOMPRESSED);
	run(&whole, &env, &h, stored + split, &dict, SLOTS_MAX);
	run(&pieces, &env, &h, stored + split, &dict, 1 + data[5] % 61);
	same(&whole, &pieces);
	end(&whole);
	end(&pieces);
	cdc_pq_mem_free(&dict.slots);
	cdc_pq_mem_free(&dict.body);
	cdc_pq_codec_ctx_free(&codec);
	free(stored);
	return 0;
}
