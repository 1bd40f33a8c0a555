/*
 * Speed of the scanner, of the record parser and printer, and of jansson, on the same made-up
 * change records in memory, in one run: best of five, one core.
 */
#include "records.h"

#include "record/record.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#define ROUNDS 5
#define TEXT_BYTES (24u << 20)

struct text {
	char *p;
	size_t n;
	uint64_t lines;
};

struct work {
	struct text text;
	struct cdc_tape tape;
	struct cdc_buf out;
	uint64_t tokens;
	uint64_t sum;
};

static void die(const char *what, const struct cdc_err *err)
{
	fprintf(stderr, "bench_json: %s: %s\n", what, err ? err->msg : "failed");
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct text make_text(const struct gen_options *opt)
{
	static struct gen g;
	struct text t = { malloc(TEXT_BYTES + GEN_LINE_MAX), 0, 0 };
	char *out = t.p;

	if (!t.p || !gen_open(&g, opt, TEXT_BYTES / 100))
		die("no records", NULL);
	for (; (size_t)(out - t.p) < TEXT_BYTES; t.lines++)
		out = gen_record(&g, out);
	t.n = (size_t)(out - t.p);
	gen_close(&g);
	return t;
}

static void run_split(struct work *w, struct cdc_str line)
{
	w->sum += line.n;
}

static void run_scan(struct work *w, struct cdc_str line)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_json_scan(&w->tape, line, NULL, &err) < 0)
		die("scan", &err);
	w->tokens += w->tape.n;
}

static void run_parse(struct work *w, struct cdc_str line)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_record r;

	if (cdc_record_parse(&r, &w->tape, line, &err) < 0)
		die("parse", &err);
	w->sum += (uint64_t)r.id;
}

static void run_print(struct work *w, struct cdc_str line)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_record_patch patch = { .type_name = "INSERT", .before = CDC_STR("{}") };
	struct cdc_record r;

	if (cdc_record_parse(&r, &w->tape, line, &err) < 0)
		die("parse", &err);
	if (w->out.len > 256 * 1024)
		cdc_buf_reset(&w->out);
	if (cdc_record_print(&w->out, &r, &patch, &err) < 0)
		die("print", &err);
}

static void run_find(struct work *w, struct cdc_str line)
{
	static const struct cdc_str name[] = { { "id", 2 },    { "date", 4 }, { "name", 4 },
					       { "sales", 5 }, { "note", 4 }, { "ts", 2 } };
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_image_col col;
	struct cdc_record r;
	uint32_t hint = 0;

	if (cdc_record_parse(&r, &w->tape, line, &err) < 0)
		die("parse", &err);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		w->sum += cdc_image_find(&r, r.after_tok, name[i], &hint, &col) ? col.value.n : 0;
}

static void run_jansson(struct work *w, struct cdc_str line)
{
	json_error_t error;
	json_t *j = json_loadb(line.p, line.n, 0, &error);

	if (!j)
		die(error.text, NULL);
	w->sum += json_object_size(j);
	json_decref(j);
}

static void bench(struct work *w, const char *name, void (*run)(struct work *, struct cdc_str),
		  int rounds)
{
	double best = 1e9;

	for (int i = 0; i < rounds; i++) {
		const char *p = w->text.p;
		const char *end = p + w->text.n;
		double t = seconds();

		while (p < end) {
			const char *lf = memchr(p, '\n', (size_t)(end - p));

			run(w, cdc_str(p, (size_t)(lf - p)));
			p = lf + 1;
		}
		t = seconds() - t;
		if (t < best)
			best = t;
	}
	printf("  %-28s %8.0f MB/s %8.0f ns/record\n", name, (double)w->text.n / best / 1e6,
	       best * 1e9 / (double)w->text.lines);
}

static void bench_tokens(struct work *w, const char *name)
{
	const char *lf = memchr(w->text.p, '\n', w->text.n);

	w->tokens = 0;
	run_scan(w, cdc_str(w->text.p, (size_t)(lf - w->text.p)));
	printf("%s: %.0f bytes a record, %.0f MB; the first has %u tokens\n", name,
	       (double)w->text.n / (double)w->text.lines, (double)w->text.n / 1e6,
	       (unsigned)w->tokens);
}

static void bench_set(struct work *w, const char *name)
{
	bench_tokens(w, name);
	bench(w, "split lines only", run_split, ROUNDS);
	bench(w, "cdc_json_scan", run_scan, ROUNDS);
	bench(w, "cdc_record_parse", run_parse, ROUNDS);
	bench(w, "parse, find 6 columns", run_find, ROUNDS);
	bench(w, "parse, print with a patch", run_print, ROUNDS);
	bench(w, "jansson json_loadb", run_jansson, 1);
}

int main(void)
{
	const struct gen_options base = {
		.seed = 1, .keys = 100000, .topic = "sales", .partitions = 1, .move_percent = 1
	};
	struct {
		const char *name;
		unsigned mix[3];
		unsigned bytes;
		bool full;
	} const set[] = {
		{ "INSERT, short envelope", { 1, 0, 0 }, 360, false },
		{ "mixed, short envelope", { 20, 70, 10 }, 360, false },
		{ "mixed, full envelope", { 20, 70, 10 }, 360, true },
	};

	for (size_t i = 0; i < sizeof(set) / sizeof(set[0]); i++) {
		struct gen_options opt = base;
		struct work w = { .tape = CDC_TAPE_INIT, .out = CDC_BUF_INIT };

		opt.insert = set[i].mix[0];
		opt.update = set[i].mix[1];
		opt.del = set[i].mix[2];
		opt.bytes = set[i].bytes;
		opt.full = set[i].full;
		w.text = make_text(&opt);
		bench_set(&w, set[i].name);
		cdc_tape_free(&w.tape);
		cdc_buf_free(&w.out);
		free(w.text.p);
	}
	return 0;
}
