/*
 * Made-up change records of one table of sales, the same for the same options: what the benchmarks
 * and the mutation tests feed on. Uses nothing but libc, so that it cannot share a bug with what it
 * measures.
 *
 * Rows are a function of (seed, key, version), so a before image is what the row's last after image
 * was, and records made by one run fit the initial table that another one (with the same seed)
 * printed. Per key the generator keeps its version and whether it exists: 4 bytes.
 */
#ifndef CDC_TESTS_BENCH_RECORDS_H
#define CDC_TESTS_BENCH_RECORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* No record or control record is longer than this, whatever the options. */
#define GEN_LINE_MAX 16384
#define GEN_NOTE_MAX 2000
/* Measured: the average INSERT in the short envelope, when its note is empty. Rows must not depend
 * on more than the seed and this length, so that streams of different mixes fit one table. */
#define GEN_INSERT_BYTES 327
#define GEN_PARTITIONS_MAX 64

enum gen_op { GEN_INIT, GEN_INSERT, GEN_UPDATE, GEN_DELETE, GEN_OPS };

struct gen_options {
	uint64_t seed;
	uint64_t keys; /* UPDATE and DELETE draw from 1..keys */
	bool empty; /* none of them exists at first; else all do, at version 0 */
	unsigned insert; /* weights of the three operations */
	unsigned update;
	unsigned del;
	unsigned move_percent; /* of the UPDATEs: to a new key */
	unsigned bytes; /* wanted average length of an INSERT in the short envelope */
	bool full; /* also source, extraTags, fields */
	bool partial; /* UPDATE: only the key before, only what changed after */
	const char *topic;
	unsigned partitions;
	uint64_t first; /* recordID and offset of the first record */
};

struct gen {
	struct gen_options opt;
	uint64_t random; /* state of the operation stream */
	uint64_t next_id; /* recordID */
	uint64_t max_key; /* highest key ever used */
	uint32_t *row; /* by key - 1: version << 1 | exists */
	uint64_t rows; /* allocated */
	unsigned note; /* average length of a note */
	int64_t offset[GEN_PARTITIONS_MAX];
	char date[4096][10];
	uint64_t count[GEN_OPS];
};

static inline uint64_t gen_mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* splitmix64 */
static inline uint64_t gen_random(struct gen *g)
{
	g->random += UINT64_C(0x9e3779b97f4a7c15);
	return gen_mix(g->random);
}

/* Uniform enough in 0..n-1. */
static inline uint64_t gen_below(struct gen *g, uint64_t n)
{
	return (gen_random(g) >> 32) * n >> 32;
}

/* --- text ----------------------------------------------------------------- */

#define GEN_LIT(out, literal) gen_put((out), (literal), sizeof(literal) - 1)

static inline char *gen_put(char *out, const char *p, size_t n)
{
	memcpy(out, p, n);
	return out + n;
}

static inline char *gen_digits(char *out, uint64_t v, int n)
{
	for (int i = n; i-- > 0; v /= 10)
		out[i] = (char)('0' + v % 10);
	return out + n;
}

static inline char *gen_uint(char *out, uint64_t v)
{
	char t[20];
	int n = 0;

	do
		t[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n > 0)
		*out++ = t[--n];
	return out;
}

/* The dates from 2015-01-01 on, by day. */
static inline void gen_make_dates(struct gen *g)
{
	static const unsigned days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned y = 2015;
	unsigned m = 0;
	unsigned d = 1;

	for (size_t i = 0; i < sizeof(g->date) / sizeof(g->date[0]); i++) {
		char *p = g->date[i];

		p = gen_digits(p, y, 4);
		*p++ = '-';
		p = gen_digits(p, m + 1, 2);
		*p++ = '-';
		gen_digits(p, d, 2);
		if (++d > days[m] + (m == 1 && y % 4 == 0)) {
			d = 1;
			m = (m + 1) % 12;
			y += m == 0;
		}
	}
}

/* YYYY-MM-DDTHH:MM:SS.f…Z with `digits` digits of the fraction, from a time in microseconds. */
static inline char *gen_time(const struct gen *g, char *out, uint64_t us, int digits)
{
	uint64_t s = us / 1000000;

	out = gen_put(out, g->date[s / 86400 % 4096], 10);
	*out++ = 'T';
	out = gen_digits(out, s / 3600 % 24, 2);
	*out++ = ':';
	out = gen_digits(out, s / 60 % 60, 2);
	*out++ = ':';
	out = gen_digits(out, s % 60, 2);
	*out++ = '.';
	out = gen_digits(out, digits == 3 ? us / 1000 % 1000 : us % 1000000, digits);
	*out++ = 'Z';
	return out;
}

static inline char *gen_name(char *out, uint64_t h)
{
	static const char given[16][9] = { "Ada",  "Bela",   "Chidi",	   "Dora",
					   "Emil", "Fatima", "Goran",	   "Hana",
					   "Ivo",  "Jun",    "Kofi",	   "Lena",
					   "Mei",  "Noor",   "Zo\xc3\xab", "\xe6\x9d\x8e" };
	static const char family[16][10] = {
		"Adeyemi",	 "Brandt", "Castro",  "Dimov",	     "Eriksen",	 "Fischer",
		"Garcia",	 "Horvat", "Ito",     "Jensen",	     "Kowalski", "Lopez",
		"M\xc3\xbcller", "Novak",  "O'Brien", "\xe9\x9b\xb7"
	};
	const char *a = given[h % 16];
	const char *b = family[h / 16 % 16];

	out = gen_put(out, a, strlen(a));
	*out++ = ' ';
	out = gen_put(out, b, strlen(b));
	*out++ = ' ';
	return gen_uint(out, h / 256 % 10000);
}

/* A slice of a text, with now and then an escape: exactly n bytes long. */
static inline char *gen_note(char *out, uint64_t h, unsigned n)
{
	static const char prose[] =
		"paid in cash and picked up on the same day, no bag, receipt by mail; second visit "
		"this week, asked about the blue one again and left a card with the shop assistant. ";
	unsigned len = sizeof(prose) - 1;
	unsigned at = (unsigned)(h % len);
	char *start = out;

	for (unsigned left = n; left > 0;) {
		unsigned run = left < len - at ? left : len - at;

		out = gen_put(out, prose + at, run);
		left -= run;
		at = 0;
	}
	if (n >= 8 && (h >> 32) % 8 == 0)
		memcpy(start + n / 2, "\\n", 2);
	if (n >= 8 && (h >> 40) % 16 == 0)
		memcpy(start + 2, "\\\"", 2);
	return out;
}

static inline char *gen_sales(char *out, uint64_t h)
{
	uint64_t cents = h % 10000000;

	if (h >> 60 == 0)
		*out++ = '-';
	out = gen_uint(out, cents / 100);
	*out++ = '.';
	return gen_digits(out, cents % 100, 2);
}

static inline uint64_t gen_row_hash(const struct gen *g, uint64_t key, uint32_t version)
{
	return gen_mix(g->opt.seed ^ gen_mix(key * UINT64_C(0x9e3779b97f4a7c15) + version));
}

/* {"id":…} with the columns asked for. sales and ts change with every version, date, name and note
 * stay those of the key. */
static inline char *gen_image(const struct gen *g, char *out, uint64_t key, uint32_t version,
			      bool id, bool stable, bool changing)
{
	uint64_t k = gen_row_hash(g, key, UINT32_MAX);
	uint64_t v = gen_row_hash(g, key, version);
	unsigned note = g->note / 2 + (unsigned)(k % (g->note + 1));

	*out++ = '{';
	if (id) {
		out = GEN_LIT(out, "\"id\":\"");
		out = gen_uint(out, key);
		out = GEN_LIT(out, "\",");
	}
	if (stable) {
		out = GEN_LIT(out, "\"date\":\"");
		out = gen_put(out, g->date[k % 4000], 10);
		out = GEN_LIT(out, "\",\"name\":\"");
		out = gen_name(out, k >> 12);
		out = GEN_LIT(out, "\",");
	}
	if (changing) {
		out = GEN_LIT(out, "\"sales\":\"");
		out = gen_sales(out, v);
		out = GEN_LIT(out, "\",");
	}
	if (stable) {
		if ((k >> 32) % 16 == 0) {
			out = GEN_LIT(out, "\"note\":null,");
		} else {
			out = GEN_LIT(out, "\"note\":\"");
			out = gen_note(out, k, note);
			out = GEN_LIT(out, "\",");
		}
	}
	if (changing) {
		out = GEN_LIT(out, "\"ts\":\"");
		out = gen_time(g, out, v % UINT64_C(345600000000000), 6);
		out = GEN_LIT(out, "\",");
	}
	out[-1] = '}';
	return out;
}

/* --- records -------------------------------------------------------------- */

static inline bool gen_open(struct gen *g, const struct gen_options *opt, uint64_t records)
{
	unsigned weight = opt->insert + opt->update + opt->del;

	memset(g, 0, sizeof(*g));
	g->opt = *opt;
	if (weight == 0 || opt->keys == 0 || opt->keys > UINT32_MAX || records > UINT32_MAX ||
	    opt->partitions == 0 || opt->partitions > GEN_PARTITIONS_MAX ||
	    strlen(opt->topic) > 100)
		return false;
	g->random = opt->seed;
	g->next_id = opt->first;
	g->max_key = opt->keys;
	for (unsigned i = 0; i < opt->partitions; i++)
		g->offset[i] = (int64_t)opt->first - 1;
	if (opt->bytes > GEN_INSERT_BYTES)
		g->note = opt->bytes - GEN_INSERT_BYTES;
	if (g->note > GEN_NOTE_MAX)
		g->note = GEN_NOTE_MAX;
	gen_make_dates(g);
	g->rows = opt->keys + records;
	g->row = malloc(g->rows * sizeof(*g->row));
	if (!g->row)
		return false;
	for (uint64_t i = 0; i < g->rows; i++)
		g->row[i] = i < opt->keys && !opt->empty;
	return true;
}

static inline void gen_close(struct gen *g)
{
	free(g->row);
	g->row = NULL;
}

/* {"recordID":… up to the images. */
static inline char *gen_head(struct gen *g, char *out, const char *type)
{
	out = GEN_LIT(out, "{\"recordID\":");
	out = gen_uint(out, g->next_id);
	if (g->opt.full)
		out = GEN_LIT(out, ",\"source\":{\"sourceType\":\"MySQL\",\"version\":\"8.0.35\"}");
	out = GEN_LIT(out, ",\"dbTable\":\"shop.sales\",\"recordType\":\"");
	out = gen_put(out, type, strlen(type));
	out = GEN_LIT(out, "\",\"recordTimestamp\":\"");
	/* from 2024-01-01 on, a record each millisecond */
	out = gen_time(g, out, (UINT64_C(3287) * 86400000 + g->next_id) * 1000, 3);
	if (g->opt.full) {
		out = GEN_LIT(out, "\",\"extraTags\":{\"thread_id\":\"");
		out = gen_uint(out, g->next_id % 97);
		out = GEN_LIT(
			out, "\"},\"fields\":[\"id\",\"date\",\"name\",\"sales\",\"note\",\"ts\"]");
	} else {
		*out++ = '"';
	}
	return out;
}

static inline char *gen_tail(struct gen *g, char *out, uint64_t key)
{
	unsigned partition = (unsigned)(key % g->opt.partitions);

	out = GEN_LIT(out, ",\"position\":{\"topic\":\"");
	out = gen_put(out, g->opt.topic, strlen(g->opt.topic));
	out = GEN_LIT(out, "\",\"partition\":");
	out = gen_uint(out, partition);
	out = GEN_LIT(out, ",\"offset\":");
	out = gen_uint(out, (uint64_t)++g->offset[partition]);
	out = GEN_LIT(out, "}}\n");
	g->next_id++;
	return out;
}

/* A key that no row has: one of 1..keys if a few tries find it, else a new one. */
static inline uint64_t gen_free_key(struct gen *g)
{
	for (int i = 0; i < 4; i++) {
		uint64_t key = 1 + gen_below(g, g->opt.keys);

		if (!(g->row[key - 1] & 1))
			return key;
	}
	return ++g->max_key;
}

static inline char *gen_insert(struct gen *g, char *out, uint64_t key)
{
	uint32_t *row = &g->row[key - 1];

	if (*row || key > g->opt.keys)
		*row += 2;
	*row |= 1;
	g->count[GEN_INSERT]++;
	out = gen_head(g, out, "INSERT");
	out = GEN_LIT(out, ",\"beforeImages\":{},\"afterImages\":");
	out = gen_image(g, out, key, *row >> 1, true, true, true);
	return gen_tail(g, out, key);
}

static inline char *gen_delete(struct gen *g, char *out, uint64_t key)
{
	uint32_t *row = &g->row[key - 1];

	g->count[GEN_DELETE]++;
	out = gen_head(g, out, "DELETE");
	out = GEN_LIT(out, ",\"beforeImages\":");
	out = gen_image(g, out, key, *row >> 1, true, !g->opt.partial, !g->opt.partial);
	out = GEN_LIT(out, ",\"afterImages\":{}");
	*row &= ~UINT32_C(1);
	return gen_tail(g, out, key);
}

static inline char *gen_update(struct gen *g, char *out, uint64_t key)
{
	uint32_t *row = &g->row[key - 1];
	bool move = gen_below(g, 100) < g->opt.move_percent;
	bool whole = !g->opt.partial;
	uint64_t to = key;

	g->count[GEN_UPDATE]++;
	out = gen_head(g, out, "UPDATE");
	out = GEN_LIT(out, ",\"beforeImages\":");
	out = gen_image(g, out, key, *row >> 1, true, whole, whole);
	if (move) {
		to = gen_free_key(g);
		*row &= ~UINT32_C(1);
		row = &g->row[to - 1];
		whole = true;
	}
	*row = (*row + 2) | 1;
	out = GEN_LIT(out, ",\"afterImages\":");
	out = gen_image(g, out, to, *row >> 1, true, whole, true);
	return gen_tail(g, out, key);
}

/* The next record of the stream into `out`, which has room for GEN_LINE_MAX; returns its end. */
static inline char *gen_record(struct gen *g, char *out)
{
	unsigned op = (unsigned)gen_below(g, g->opt.insert + g->opt.update + g->opt.del);
	uint64_t key;

	if (op < g->opt.insert)
		return gen_insert(g, out, gen_free_key(g));
	key = 1 + gen_below(g, g->opt.keys);
	if (!(g->row[key - 1] & 1))
		return gen_insert(g, out, key);
	if (op < g->opt.insert + g->opt.update)
		return gen_update(g, out, key);
	return gen_delete(g, out, key);
}

/* Row `key` of the initial table. */
static inline char *gen_init(struct gen *g, char *out, uint64_t key)
{
	g->count[GEN_INIT]++;
	out = gen_head(g, out, "INIT");
	out = GEN_LIT(out, ",\"beforeImages\":{},\"afterImages\":");
	out = gen_image(g, out, key, 0, true, true, true);
	return gen_tail(g, out, key);
}

static inline char *gen_schema(char *out)
{
	return GEN_LIT(
		out,
		"{\"recordType\":\"SCHEMA\",\"dbTable\":\"shop.sales\",\"columns\":["
		"{\"name\":\"id\",\"type\":\"bigint\",\"nullable\":false,\"sourceType\":\"bigint(20)\"},"
		"{\"name\":\"date\",\"type\":\"date\",\"nullable\":true,\"sourceType\":\"date\"},"
		"{\"name\":\"name\",\"type\":\"string\",\"nullable\":true,\"sourceType\":\"varchar(64)\"},"
		"{\"name\":\"sales\",\"type\":\"decimal(7,2)\",\"nullable\":true,"
		"\"sourceType\":\"decimal(7,2)\"},"
		"{\"name\":\"note\",\"type\":\"string\",\"nullable\":true,\"sourceType\":\"text\"},"
		"{\"name\":\"ts\",\"type\":\"timestamp\",\"nullable\":true,\"sourceType\":\"timestamp(6)\"}"
		"],\"primaryKey\":[\"id\"]}\n");
}

static inline char *gen_checkpoint(const struct gen *g, char *out, bool final)
{
	bool first = true;

	out = GEN_LIT(out, "{\"recordType\":\"CHECKPOINT\",\"positions\":[");
	for (unsigned i = 0; i < g->opt.partitions; i++) {
		if (g->offset[i] < (int64_t)g->opt.first)
			continue;
		if (!first)
			*out++ = ',';
		first = false;
		out = GEN_LIT(out, "{\"topic\":\"");
		out = gen_put(out, g->opt.topic, strlen(g->opt.topic));
		out = GEN_LIT(out, "\",\"partition\":");
		out = gen_uint(out, i);
		out = GEN_LIT(out, ",\"offset\":");
		out = gen_uint(out, (uint64_t)g->offset[i]);
		*out++ = '}';
	}
	if (final)
		return GEN_LIT(out, "],\"final\":true}\n");
	return GEN_LIT(out, "]}\n");
}

#endif
