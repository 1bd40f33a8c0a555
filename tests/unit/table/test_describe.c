/*
 * Proves that a description tells what a table's state holds: counts and sizes of files, deleted
 * rows, transactions, domains, the row tracking's mark, why a table cannot be written; and that
 * text of others that is no UTF-8, or JSON over several lines, still gives one line of JSON.
 */
#include "table/describe/describe.h"

#include "table/describe/describe_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SCHEMA                                                                                     \
	"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":false,"  \
	"\"metadata\":{}}]}"

static struct cdc_add file(int64_t size, const char *stats, int64_t deleted)
{
	return (struct cdc_add){
		.path = CDC_STR("f.parquet"),
		.size_bytes = size,
		.stats = cdc_str_z(stats),
		.dv = { .storage = deleted ? 'i' : 0, .cardinality = deleted },
	};
}

static struct cdc_snapshot table(struct cdc_add *add, size_t n)
{
	static char name[] = "t";
	struct cdc_snapshot s = {
		.table = name,
		.version = 7,
		.checkpoint_version = 5,
		.timestamp_ms = 1573701065120,
		.protocol = { .reader_version = 1, .writer_version = 2 },
		.metadata = { .id = CDC_STR("x"), .schema_json = CDC_STR(SCHEMA) },
		.add = add,
		.num_adds = n,
	};
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_schema_from_json(&s.schema, s.metadata.schema_json, &err) < 0)
		fail_msg("%s", err.msg);
	return s;
}

static char *describe(struct cdc_snapshot *s, int *rc)
{
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	*rc = cdc_describe(&cdc_io_posix, s, &out, &err);
	cdc_schema_free(&s->schema);
	if (*rc < 0)
		print_message("# %s\n", err.msg);
	if (!cdc_buf_z(&out))
		fail();
	return out.p;
}

static void whole_description(void **state)
{
	struct cdc_add add[] = {
		file(0, "{\"numRecords\":0}", 0),     file(1, "{\"numRecords\":2}", 0),
		file(1023, "{\"numRecords\":10}", 3), file(512, "{\"numRecords\":6}", 3),
		file(1024, "{\"numRecords\":9}", 0),
	};
	struct cdc_snapshot s = table(add, 5);
	struct cdc_kv config[] = { { CDC_STR("cdc.key"), CDC_STR("[\n \"id\" ]") },
				   { CDC_STR("k\xff\""), { NULL, 0 } } };
	struct cdc_txn txn[] = { { CDC_STR("app"), 9, true, 0 },
				 { CDC_STR("b"), INT64_MAX, false, 0 } };
	struct cdc_domain domain[] = {
		{ CDC_STR("delta.rowTracking"), CDC_STR("{\n\"rowIdHighWaterMark\" : 41}"), false },
		{ CDC_STR("mine"), CDC_STR("no {json"), false },
	};
	int rc;
	char *text;

	(void)state;
	s.metadata.config = config;
	s.metadata.num_config = 2;
	s.metadata.has_created_time = true;
	s.metadata.created_time_ms = 1;
	s.txn = txn;
	s.num_txns = 2;
	s.domain = domain;
	s.num_domains = 2;
	text = describe(&s, &rc);
	assert_int_equal(rc, 0);
	assert_string_equal(
		text,
		"{\"table\":\"t\",\"version\":7,\"timestamp\":\"2019-11-14T03:11:05.120Z\","
		"\"id\":\"x\",\"name\":null,\"description\":null,"
		"\"createdTime\":\"1970-01-01T00:00:00.001Z\",\"schema\":" SCHEMA ","
		"\"partitionColumns\":[],\"key\":[\"id\"],"
		"\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2,\"readerFeatures\":[],"
		"\"writerFeatures\":[]},"
		"\"properties\":{\"cdc.key\":\"[\\n \\\"id\\\" ]\",\"k\\\\xff\\\"\":null},"
		"\"files\":5,\"rows\":21,\"bytes\":2560,"
		"\"fileSizes\":[{\"from\":0,\"files\":1,\"bytes\":0},"
		"{\"from\":1,\"files\":1,\"bytes\":1},{\"from\":512,\"files\":2,\"bytes\":1535},"
		"{\"from\":1024,\"files\":1,\"bytes\":1024}],"
		"\"deletionVectors\":2,\"deletedRows\":6,\"deletedShare\":0.2222,"
		"\"checkpointVersion\":5,\"commitsSinceCheckpoint\":2,"
		"\"appTransactions\":[{\"appId\":\"app\",\"version\":9,"
		"\"lastUpdated\":\"1970-01-01T00:00:00.000Z\"},"
		"{\"appId\":\"b\",\"version\":9223372036854775807,\"lastUpdated\":null}],"
		"\"domains\":[{\"domain\":\"delta.rowTracking\","
		"\"configuration\":{\"rowIdHighWaterMark\":41}},"
		"{\"domain\":\"mine\",\"configuration\":\"no {json\"}],"
		"\"rowIdHighWaterMark\":41,\"writeRefusal\":null}");
	free(text);
}

static void refusal_is_a_sentence(void **state)
{
	struct cdc_snapshot s = table(NULL, 0);
	struct cdc_str feature = CDC_STR("moonPhases");
	int rc;
	char *text;

	(void)state;
	s.protocol = (struct cdc_protocol){ .reader_version = 1,
					    .writer_version = 7,
					    .writer_feature = &feature,
					    .num_writer_features = 1 };
	s.checkpoint_version = -1;
	text = describe(&s, &rc);
	assert_int_equal(rc, 0);
	assert_non_null(strstr(text, "\"deletedShare\":0.0000,"));
	assert_non_null(strstr(text, "\"checkpointVersion\":null,\"commitsSinceCheckpoint\":8,"));
	assert_non_null(strstr(text, "\"rowIdHighWaterMark\":null,"));
	assert_non_null(strstr(text, "\"writeRefusal\":\"table needs writer feature moonPhases, "));
	free(text);
}

static void counts_that_cannot_be(void **state)
{
	struct cdc_add negative[] = { file(1, "{\"numRecords\":5}", -1) };
	struct cdc_add many[] = { file(INT64_MAX, "{\"numRecords\":1}", 0),
				  file(1, "{\"numRecords\":1}", 0) };
	struct cdc_add lost[] = { file(1, "{\"numRecords\":5}", 6) };
	struct cdc_snapshot s;
	int rc;

	(void)state;
	s = table(negative, 1);
	free(describe(&s, &rc));
	assert_int_equal(rc, CDC_ECORRUPT);
	s = table(many, 2);
	free(describe(&s, &rc));
	assert_int_equal(rc, CDC_ECORRUPT);
	/* The file has the last word, and is not there. */
	s = table(lost, 1);
	free(describe(&s, &rc));
	assert_int_equal(rc, CDC_ECORRUPT);
}

static void short_form_wraps(void **state)
{
	struct cdc_snapshot s = table(NULL, 0);
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_writer w;
	char name[100], path[] = "/tmp/describeXXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	memset(name, 'n', sizeof(name));
	s.metadata.name = cdc_str(name, sizeof(name));
	s.metadata.description = CDC_STR("\x1b[2J");
	assert_int_equal(cdc_writer_init(&w, &cdc_io_posix, fd, &err), 0);
	assert_int_equal(cdc_describe_short(&cdc_io_posix, &s, &w, &err), 0);
	assert_int_equal(cdc_writer_flush(&w, &err), 0);
	cdc_writer_free(&w);
	assert_int_equal(cdc_io_read_file(&cdc_io_posix, path, &out, &err), 0);
	assert_non_null(cdc_buf_z(&out));
	assert_non_null(strstr(out.p, "|          name|nnnnnnnn"));
	assert_non_null(strstr(out.p, "|              |            nnnnnnnn"));
	assert_non_null(strstr(out.p, "|        column|"));
	assert_non_null(strstr(out.p, " id long not null|\n"));
	assert_non_null(strstr(out.p, " \\x1b[2J|\n"));
	assert_null(strchr(out.p, '\x1b'));
	unlink(path);
	close(fd);
	cdc_buf_free(&out);
	cdc_schema_free(&s.schema);
}

static void bytes_that_are_no_text(void **state)
{
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	(void)state;
	assert_int_equal(cdc_put_valid_utf8(&out, cdc_str("a\xff\xc3\xa4\xe2\x82", 6), &err), 0);
	assert_int_equal(out.len, 15);
	assert_memory_equal(out.p, "a\\xff\xc3\xa4\\xe2\\x82", 15);
	cdc_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_description),	  cmocka_unit_test(refusal_is_a_sentence),
		cmocka_unit_test(counts_that_cannot_be),  cmocka_unit_test(short_form_wraps),
		cmocka_unit_test(bytes_that_are_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
