/*
 * Prints change records for benchmarks of the whole pipeline: a SCHEMA record, row records with
 * Kafka positions, and a final CHECKPOINT. The same options give the same bytes.
 *
 *	gen_records --init 1000000 | cdc-merge sales		the initial table
 *	gen_records -n 100000 -k 1000000 -f 1000000 | cdc-merge sales
 *
 * The two agree about the rows when --seed and --bytes are the same.
 */
#include "records.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#define OUT_SIZE (1 << 20)

static const char usage_text[] =
	"usage: gen_records [options]\n"
	"  -n, --records N       row records (default 1000000)\n"
	"      --init N          print rows 1..N of the initial table as INIT records instead\n"
	"  -k, --keys N          rows that UPDATE and DELETE choose from (default 100000)\n"
	"      --empty           none of them exists at first (default: all, as --init prints them)\n"
	"  -m, --mix I:U:D       weights of INSERT, UPDATE, DELETE (default 20:70:10)\n"
	"      --move PERCENT    UPDATEs that change the key (default 1)\n"
	"  -b, --bytes N         average bytes of an INSERT, at least 327 (default 360); an UPDATE has\n"
	"                        two images and about a third more\n"
	"      --full            also source, extraTags and fields\n"
	"      --partial         minimal row images\n"
	"  -f, --first N         first recordID and offset (default 0)\n"
	"  -p, --partitions N    Kafka partitions, by key (default 1)\n"
	"  -t, --topic NAME      (default sales)\n"
	"      --checkpoint N    a CHECKPOINT every N records\n"
	"  -s, --seed N          (default 1)\n";

enum { OPT_INIT = 256, OPT_EMPTY, OPT_MOVE, OPT_FULL, OPT_PARTIAL, OPT_CHECKPOINT };

static const struct option options[] = {
	{ "records", required_argument, NULL, 'n' },
	{ "init", required_argument, NULL, OPT_INIT },
	{ "keys", required_argument, NULL, 'k' },
	{ "empty", no_argument, NULL, OPT_EMPTY },
	{ "mix", required_argument, NULL, 'm' },
	{ "move", required_argument, NULL, OPT_MOVE },
	{ "bytes", required_argument, NULL, 'b' },
	{ "full", no_argument, NULL, OPT_FULL },
	{ "partial", no_argument, NULL, OPT_PARTIAL },
	{ "first", required_argument, NULL, 'f' },
	{ "partitions", required_argument, NULL, 'p' },
	{ "topic", required_argument, NULL, 't' },
	{ "checkpoint", required_argument, NULL, OPT_CHECKPOINT },
	{ "seed", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct settings {
	struct gen_options gen;
	uint64_t records;
	uint64_t init;
	uint64_t checkpoint;
};

static void usage(void)
{
	fputs(usage_text, stderr);
	exit(2);
}

static uint64_t number(const char *s, uint64_t max)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno || end == s || *end || *s == '-' || v > max)
		usage();
	return v;
}

static void mix(struct gen_options *o, const char *s)
{
	char tail;

	if (sscanf(s, "%3u:%3u:%3u%c", &o->insert, &o->update, &o->del, &tail) != 3)
		usage();
}

static void parse(struct settings *s, int argc, char **argv)
{
	struct gen_options *o = &s->gen;
	int c;

	while ((c = getopt_long(argc, argv, "n:k:m:b:f:p:t:s:h", options, NULL)) != -1) {
		switch (c) {
		case 'n':
			s->records = number(optarg, UINT32_MAX);
			break;
		case OPT_INIT:
			s->init = number(optarg, UINT32_MAX);
			break;
		case 'k':
			o->keys = number(optarg, UINT32_MAX);
			break;
		case OPT_EMPTY:
			o->empty = true;
			break;
		case 'm':
			mix(o, optarg);
			break;
		case OPT_MOVE:
			o->move_percent = (unsigned)number(optarg, 100);
			break;
		case 'b':
			o->bytes = (unsigned)number(optarg, 10000);
			break;
		case OPT_FULL:
			o->full = true;
			break;
		case OPT_PARTIAL:
			o->partial = true;
			break;
		case 'f':
			o->first = number(optarg, INT64_MAX / 2);
			break;
		case 'p':
			o->partitions = (unsigned)number(optarg, GEN_PARTITIONS_MAX);
			break;
		case 't':
			o->topic = optarg;
			break;
		case OPT_CHECKPOINT:
			s->checkpoint = number(optarg, UINT32_MAX);
			break;
		case 's':
			o->seed = number(optarg, UINT64_MAX);
			break;
		default:
			usage();
		}
	}
	if (optind < argc)
		usage();
}

static void flush(const char *p, const char *end)
{
	while (p < end) {
		ssize_t n = write(STDOUT_FILENO, p, (size_t)(end - p));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EPIPE)
				perror("gen_records: write");
			exit(4);
		}
		p += n;
	}
}

static void print_all(struct gen *g, const struct settings *s, char *buf)
{
	uint64_t n = s->init ? s->init : s->records;
	char *out = gen_schema(buf);

	for (uint64_t i = 1; i <= n; i++) {
		out = s->init ? gen_init(g, out, i) : gen_record(g, out);
		if (s->checkpoint && i % s->checkpoint == 0)
			out = gen_checkpoint(g, out, false);
		if (out - buf > OUT_SIZE) {
			flush(buf, out);
			out = buf;
		}
	}
	out = gen_checkpoint(g, out, true);
	flush(buf, out);
}

int main(int argc, char **argv)
{
	struct settings s = {
		.gen = { .seed = 1,
			 .keys = 100000,
			 .insert = 20,
			 .update = 70,
			 .del = 10,
			 .move_percent = 1,
			 .bytes = 360,
			 .topic = "sales",
			 .partitions = 1 },
		.records = 1000000,
	};
	static struct gen g;
	char *buf;

	parse(&s, argc, argv);
	if (s.init)
		s.gen.keys = s.init;
	buf = malloc(OUT_SIZE + 4 * GEN_LINE_MAX);
	if (!buf || !gen_open(&g, &s.gen, s.init ? 0 : s.records)) {
		fputs("gen_records: bad options, or no memory\n", stderr);
		return 2;
	}
	print_all(&g, &s, buf);
	gen_close(&g);
	free(buf);
	return 0;
}
