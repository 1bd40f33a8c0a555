/*
 * libFuzzer target: the record parser, its images, the printer and the positions, on any bytes. The
 * checks: what is printed without a patch parses to the same record; what is printed with one has
 * the patched members and all the others as they were; images are what a plain walk of the tape
 * finds.
 */
#include "record/positions.h"
#include "record/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_image(const struct cdc_record *r, uint32_t image)
{
	struct cdc_image_iter it = cdc_image_begin(r, image);
	struct cdc_image_col col;
	struct cdc_image_col found;
	uint32_t hint = 0;
	uint32_t n = 0;

	while (cdc_image_next(&it, &col)) {
		uint32_t far = n * 7 + 3;

		require(cdc_image_find(r, image, col.name, &hint, &found));
		require(found.value_tok == col.value_tok && hint == n + 1);
		require(cdc_image_find(r, image, col.name, n < 100 ? &far : NULL, &found));
		require(found.value_tok == col.value_tok);
		require(col.is_null ==
			cdc_str_eqz(cdc_json_source(r->tape, col.value_tok), "null"));
		n++;
	}
	require(n == (image == CDC_JSON_NONE ? 0 : r->tape->tok[image].count));
	require(!cdc_image_find(r, image, CDC_STR("no\\u0020such"), &hint, &found) ||
		cdc_json_same(found.name, CDC_STR("no such")));
}

/* Members of `b` are those of `a` but for the patched ones; a patched one that a lacks is last. */
static void check_patch(const struct cdc_record *a, const struct cdc_record *b,
			const struct cdc_record_patch *patch)
{
	uint32_t i = cdc_json_first(a->tape, 0);
	uint32_t k = cdc_json_first(b->tape, 0);

	for (; i != CDC_JSON_NONE;
	     i = cdc_json_after(a->tape, 0, i), k = cdc_json_after(b->tape, 0, k)) {
		require(k != CDC_JSON_NONE);
		require(cdc_str_eq(cdc_json_raw(a->tape, i), cdc_json_raw(b->tape, k)));
		if (cdc_json_is(a->tape, i, CDC_STR("recordType")) && patch->type_name)
			require(cdc_str_eqz(cdc_json_raw(b->tape, k + 1), patch->type_name));
		else if (cdc_json_is(a->tape, i, CDC_STR("beforeImages")) && patch->before.p)
			require(cdc_str_eq(cdc_json_source(b->tape, k + 1), patch->before));
		else if (cdc_json_is(a->tape, i, CDC_STR("afterImages")) && patch->after.p)
			require(cdc_str_eq(cdc_json_source(b->tape, k + 1), patch->after));
		else
			require(cdc_str_eq(cdc_json_source(a->tape, i + 1),
					   cdc_json_source(b->tape, k + 1)));
	}
	if (patch->before.p)
		require(cdc_str_eq(cdc_json_source(b->tape, b->before_tok), patch->before));
	if (patch->after.p)
		require(cdc_str_eq(cdc_json_source(b->tape, b->after_tok), patch->after));
}

static void check_print(const struct cdc_record *r, unsigned which)
{
	struct cdc_record_patch patch = {
		.type_name = which & 1 ? "UPDATE" : NULL,
		.before = which & 2 ? CDC_STR("{\"before\":null}") : (struct cdc_str)CDC_STR_INIT,
		.after = which & 4 ? CDC_STR("{\"after\":\"1\"}") : (struct cdc_str)CDC_STR_INIT,
	};
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_record again;
	int rc;

	require(cdc_record_print(&out, r, which ? &patch : NULL, &err) == CDC_OK);
	require(out.len > 1 && out.p[out.len - 1] == '\n');
	rc = cdc_record_parse(&again, &tape, cdc_str(out.p, out.len - 1), &err);
	if (rc != CDC_OK) /* an UPDATE needs an after image, which the line may lack */
		require((which & 1) && r->after_tok == CDC_JSON_NONE && !patch.after.p);
	else
		check_patch(r, &again, &patch);
	cdc_tape_free(&tape);
	cdc_buf_free(&out);
}

static void check_positions(const struct cdc_record *r)
{
	struct cdc_positions p = CDC_POSITIONS_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_record again;

	if (r->has_position)
		require(cdc_positions_note(&p, &r->position, &err) == CDC_OK);
	if (cdc_positions_checkpoint(&p, r, &err) == CDC_OK) {
		require(cdc_positions_print(&p, r->final, &out, &err) == CDC_OK);
		require(cdc_record_parse(&again, &tape, cdc_str(out.p, out.len - 1), &err) ==
			CDC_OK);
		require(again.type == CDC_RECORD_CHECKPOINT && again.final == r->final);
		require(tape.tok[again.positions_tok].count == p.n);
	}
	cdc_tape_free(&tape);
	cdc_buf_free(&out);
	cdc_positions_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_record r;
	char *line = malloc(size ? size : 1);

	if (!line)
		return 0;
	memcpy(line, data, size);
	if (cdc_record_parse(&r, &tape, cdc_str(line, size), &err) == CDC_OK) {
		check_image(&r, r.before_tok);
		check_image(&r, r.after_tok);
		for (unsigned which = 0; which < 8; which++)
			check_print(&r, which);
		check_positions(&r);
	} else {
		require(err.code == CDC_EDATA && err.has_offset && err.offset <= size);
	}
	cdc_tape_free(&tape);
	free(line);
	return 0;
}
