/*
 * libFuzzer target: the scanner against jansson, on any bytes; what both accept must be the same
 * values, and what is printed again from the tape must scan to the same tape.
 */
#include "tests/fuzz/json_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Print each string of the tape decoded and escaped anew, everything else as it is. */
static void print_again(const struct cdc_tape *t, uint32_t i, struct cdc_arena *a,
			struct cdc_buf *b)
{
	struct cdc_err err = CDC_ERR_INIT;
	bool object = t->tok[i].type == CDC_JSON_OBJECT;
	struct cdc_str s;
	int rc;

	if (t->tok[i].type == CDC_JSON_STRING) {
		rc = cdc_json_string(t, i, a, &s, &err);
		rc = rc < 0 ? rc : cdc_json_put_string(b, s, &err);
	} else if (object || t->tok[i].type == CDC_JSON_ARRAY) {
		rc = cdc_buf_putc(b, object ? '{' : '[', &err);
		for (uint32_t k = cdc_json_first(t, i); k != CDC_JSON_NONE;
		     k = cdc_json_after(t, i, k)) {
			if (k != i + 1)
				rc = cdc_buf_putc(b, ',', &err);
			print_again(t, k, a, b);
			if (object) {
				rc = cdc_buf_putc(b, ':', &err);
				print_again(t, k + 1, a, b);
			}
		}
		rc = cdc_buf_putc(b, object ? '}' : ']', &err);
	} else {
		rc = cdc_buf_put(b, cdc_json_source(t, i), &err);
	}
	if (rc < 0)
		abort();
}

static void round_trip(const struct cdc_tape *t)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape again = CDC_TAPE_INIT;

	print_again(t, 0, &arena, &out);
	if (cdc_json_scan(&again, cdc_buf_str(&out), NULL, &err) != CDC_OK || again.n != t->n)
		abort();
	for (uint32_t i = 0; i < t->n; i++) {
		const struct cdc_json_tok *x = &t->tok[i];
		const struct cdc_json_tok *y = &again.tok[i];

		if (x->type != y->type || x->count != y->count || x->next != y->next)
			abort();
		if (x->type == CDC_JSON_STRING &&
		    !cdc_json_same(cdc_json_raw(t, i), cdc_json_raw(&again, i)))
			abort();
	}
	cdc_tape_free(&again);
	cdc_buf_free(&out);
	cdc_arena_free(&arena);
}

/* By comparing all names with all. */
static uint32_t first_duplicate(const struct cdc_tape *t, uint32_t obj)
{
	for (uint32_t k = cdc_json_first(t, obj); k != CDC_JSON_NONE;
	     k = cdc_json_after(t, obj, k)) {
		for (uint32_t j = cdc_json_first(t, obj); j != k; j = cdc_json_after(t, obj, j)) {
			if (cdc_json_same(cdc_json_raw(t, j), cdc_json_raw(t, k)))
				return k;
		}
	}
	return CDC_JSON_NONE;
}

static void check_duplicates(struct cdc_tape *t)
{
	struct cdc_err err = CDC_ERR_INIT;
	uint32_t key;

	for (uint32_t i = 0; i < t->n; i++) {
		if (t->tok[i].type != CDC_JSON_OBJECT || t->tok[i].count > 500)
			continue;
		if (cdc_json_duplicate(t, i, &key, &err) != CDC_OK || key != first_duplicate(t, i))
			abort();
	}
}

/* A stream of documents: each call moves on and never past the end. */
static void stream(struct cdc_tape *t, struct cdc_str rest)
{
	struct cdc_err err = CDC_ERR_INIT;
	size_t used;
	int rc;

	while ((rc = cdc_json_scan(t, rest, &used, &err)) == CDC_OK) {
		if (used == 0 || used > rest.n)
			abort();
		rest = cdc_str(rest.p + used, rest.n - used);
	}
	if (rc == CDC_EDATA && (!err.has_offset || err.offset > rest.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape t = CDC_TAPE_INIT;
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text = realloc(text, size ? size : 1);
	if (json_verdict(&t, cdc_str(text, size), &err) == WRONG)
		abort();
	if (t.n > 0) {
		round_trip(&t);
		check_duplicates(&t);
	}
	stream(&t, cdc_str(text, size));
	cdc_tape_free(&t);
	free(text);
	return 0;
}
