/*
 * libFuzzer target: Canal's protobuf and TiCDC's open protocol. The first byte chooses: a message
 * of Canal, a dump of them, TiCDC's key and value as bytes cut at the first 0xFF, or its events as
 * texts cut at each 0xFF (the key of one, its value, the key of the next), put under their lengths.
 * TiCDC's messages go through a line of kcat -J.
 */
#include "source_run.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 65536
#define PARTS_MAX 64

struct text {
	uint8_t p[TEXT_MAX + 8 * PARTS_MAX + 8];
	size_t n;
};

static void put_be64(struct text *t, uint64_t v)
{
	for (unsigned i = 8; i-- > 0;)
		t->p[t->n++] = (uint8_t)(v >> (8 * i));
}

static void put(struct text *t, const uint8_t *p, size_t n)
{
	memcpy(t->p + t->n, p, n);
	t->n += n;
}

static const uint8_t *part_end(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *q = p < end ? memchr(p, 0xff, (size_t)(end - p)) : NULL;

	return q ? q : end;
}

static void cut_bytes(const uint8_t *p, const uint8_t *end, struct text *key, struct text *value)
{
	const uint8_t *q = part_end(p, end);

	put(key, p, (size_t)(q - p));
	if (q < end)
		put(value, q + 1, (size_t)(end - q - 1));
}

static void cut_events(const uint8_t *p, const uint8_t *end, struct text *key, struct text *value)
{
	put_be64(key, 1);
	for (unsigned i = 0; i < 2 * PARTS_MAX && p < end; i++) {
		const uint8_t *q = part_end(p, end);
		struct text *to = i % 2 ? value : key;

		put_be64(to, (uint64_t)(q - p));
		put(to, p, (size_t)(q - p));
		p = q + 1;
	}
}

/* A string of JSON with the bytes as kcat prints them; at most 6 for one. */
static size_t put_string(uint8_t *out, size_t n, const struct text *t)
{
	static const char hex[] = "0123456789ABCDEF";

	out[n++] = '"';
	for (size_t i = 0; i < t->n; i++) {
		uint8_t c = t->p[i];

		if (c < 0x20) {
			memcpy(out + n, "\\u00", 4);
			out[n + 4] = (uint8_t)hex[c >> 4];
			out[n + 5] = (uint8_t)hex[c & 15];
			n += 6;
			continue;
		}
		if (c == '"' || c == '\\')
			out[n++] = '\\';
		out[n++] = c;
	}
	out[n++] = '"';
	return n;
}

static size_t put_line(uint8_t *out, const struct text *key, const struct text *value)
{
	static const char head[] = "{\"topic\":\"s\",\"partition\":0,\"offset\":7,\"key\":";
	static const char middle[] = ",\"payload\":";
	size_t n = sizeof(head) - 1;

	memcpy(out, head, n);
	n = put_string(out, n, key);
	memcpy(out + n, middle, sizeof(middle) - 1);
	n = put_string(out, n + sizeof(middle) - 1, value);
	memcpy(out + n, "}\n", 2);
	return n + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct source_run canal, dump, ticdc;
	static struct text key, value;
	static uint8_t line[2 * 6 * sizeof(struct text)];
	unsigned choice = size ? data[0] % 4 : 0;

	if (size == 0 || size > TEXT_MAX)
		return 0;
	if (choice < 2) {
		source_run(choice ? &dump : &canal,
			   (struct cdc_source_options){ .format = "canal-pb",
							.framing = choice ? "kcat" : "single",
							.control = true },
			   data + 1, size - 1);
		return 0;
	}
	key.n = value.n = 0;
	(choice == 2 ? cut_bytes : cut_events)(data + 1, data + size, &key, &value);
	source_run(&ticdc,
		   (struct cdc_source_options){
			   .format = "ticdc", .framing = "kcat-json", .control = true },
		   line, put_line(line, &key, &value));
	return 0;
}
