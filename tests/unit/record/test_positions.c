/*
 * Proves that positions keep the highest offset of each partition, notice disorder, take promises
 * from CHECKPOINT records whole or not at all, and print what they know.
 */
#include "record/positions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int note(struct cdc_positions *p, const char *topic, int32_t partition, int64_t offset)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_position pos = { cdc_str_z(topic), partition, offset };

	return cdc_positions_note(p, &pos, &err);
}

static int checkpoint(struct cdc_positions *p, const char *line)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_record r;
	int rc;

	assert_int_equal(cdc_record_parse(&r, &tape, cdc_str_z(line), &err), CDC_OK);
	rc = cdc_positions_checkpoint(p, &r, &err);
	cdc_tape_free(&tape);
	return rc;
}

static void prints_as(const struct cdc_positions *p, bool final, const char *want)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;

	assert_int_equal(cdc_positions_print(p, final, &out, &err), CDC_OK);
	assert_non_null(cdc_buf_z(&out));
	assert_string_equal(out.p, want);
	cdc_buf_free(&out);
}

static void notes(void **state)
{
	struct cdc_positions p = CDC_POSITIONS_INIT;

	(void)state;
	prints_as(&p, false, "{\"recordType\":\"CHECKPOINT\",\"positions\":[]}\n");
	prints_as(&p, true, "{\"recordType\":\"CHECKPOINT\",\"positions\":[],\"final\":true}\n");
	assert_int_equal(note(&p, "t", 1, 5), CDC_OK);
	assert_int_equal(note(&p, "t", 0, 7), CDC_OK);
	assert_int_equal(note(&p, "t", 1, 5), CDC_OK); /* two records of one message */
	assert_int_equal(note(&p, "t", 1, 9), CDC_OK);
	assert_int_equal(note(&p, "tt", 1, 0), CDC_OK);
	assert_int_equal(p.n, 3);
	assert_false(p.entry[0].disordered);
	assert_int_equal(note(&p, "t", 1, 8), CDC_OK);
	assert_true(p.entry[0].disordered);
	assert_false(p.entry[1].disordered);
	assert_int_equal(p.entry[0].offset, 9);
	assert_int_equal(p.entry[0].promised, -1);
	prints_as(&p, true,
		  "{\"recordType\":\"CHECKPOINT\",\"positions\":["
		  "{\"topic\":\"t\",\"partition\":1,\"offset\":9},"
		  "{\"topic\":\"t\",\"partition\":0,\"offset\":7},"
		  "{\"topic\":\"tt\",\"partition\":1,\"offset\":0}],\"final\":true}\n");
	cdc_positions_free(&p);
	assert_int_equal(p.n, 0);
}

static void promises(void **state)
{
	struct cdc_positions p = CDC_POSITIONS_INIT;

	(void)state;
	assert_int_equal(note(&p, "t", 0, 5), CDC_OK);
	assert_int_equal(checkpoint(&p, "{\"recordType\":\"CHECKPOINT\",\"positions\":["
					"{\"topic\":\"t\",\"partition\":0,\"offset\":8},"
					"{\"file\":\"a.csv\",\"offset\":1},"
					"{\"topic\":\"u\",\"partition\":2,\"offset\":0}]}"),
			 CDC_OK);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.entry[0].offset, 5);
	assert_int_equal(p.entry[0].promised, 8);
	assert_int_equal(p.entry[1].offset, -1);
	assert_int_equal(p.entry[1].promised, 0);
	/* a promise is never taken back, and what is seen afterwards counts */
	assert_int_equal(checkpoint(&p, "{\"recordType\":\"CHECKPOINT\",\"positions\":["
					"{\"topic\":\"t\",\"partition\":0,\"offset\":3}]}"),
			 CDC_OK);
	assert_int_equal(p.entry[0].promised, 8);
	assert_int_equal(note(&p, "t", 0, 11), CDC_OK);
	prints_as(&p, false,
		  "{\"recordType\":\"CHECKPOINT\",\"positions\":["
		  "{\"topic\":\"t\",\"partition\":0,\"offset\":11},"
		  "{\"topic\":\"u\",\"partition\":2,\"offset\":0}]}\n");
	assert_int_equal(checkpoint(&p, "{\"recordType\":\"CHECKPOINT\"}"), CDC_OK);
	assert_int_equal(checkpoint(&p, "{\"recordType\":\"CHECKPOINT\",\"positions\":[]}"),
			 CDC_OK);
	assert_int_equal(p.n, 2);
	cdc_positions_free(&p);
}

static void bad_checkpoints(void **state)
{
	static const char *const lines[] = {
		"[{\"topic\":\"x\",\"partition\":0,\"offset\":1},5]",
		"[{\"topic\":\"x\",\"partition\":0,\"offset\":1},{\"topic\":\"y\",\"partition\":\"0\"}]",
		"[{\"topic\":\"x\",\"partition\":0,\"offset\":1},null]",
		"[{\"topic\":\"x\",\"partition\":0,\"offset\":1,\"offset\":2}]",
		"[{\"topic\":\"x\",\"partition\":0,\"offset\":-1}]",
	};
	struct cdc_positions p = CDC_POSITIONS_INIT;
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		sprintf(line, "{\"recordType\":\"CHECKPOINT\",\"positions\":%s}", lines[i]);
		assert_int_equal(checkpoint(&p, line), CDC_EDATA);
		assert_int_equal(p.n, 0);
	}
	cdc_positions_free(&p);
}

/* As many partitions as are allowed, visited in an order that defeats the memory of the last. */
static void many(void **state)
{
	struct cdc_positions p = CDC_POSITIONS_INIT;

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < CDC_POSITIONS_MAX; i++) {
			int k = (int)((int64_t)i * 7919 % CDC_POSITIONS_MAX);

			assert_int_equal(note(&p, k % 2 ? "odd" : "even", k / 2, k + round),
					 CDC_OK);
		}
		assert_int_equal(p.n, CDC_POSITIONS_MAX);
	}
	for (size_t i = 0; i < p.n; i++) {
		int64_t k = p.entry[i].partition * 2 + (p.entry[i].topic[0] == 'o');

		assert_int_equal(p.entry[i].offset, k + 1);
	}
	assert_int_equal(note(&p, "one more", 0, 0), CDC_EDATA);
	assert_int_equal(note(&p, "odd", 0, 100), CDC_OK);
	assert_int_equal(p.n, CDC_POSITIONS_MAX);
	cdc_positions_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notes),
		cmocka_unit_test(promises),
		cmocka_unit_test(bad_checkpoints),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
