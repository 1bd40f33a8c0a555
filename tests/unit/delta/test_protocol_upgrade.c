/*
 * Proves what becomes of a protocol when the metadata asks for more than it supports: the versions
 * and lists are written by hand from the tables "Reader Features" and "Writer Features" of the
 * Delta protocol.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "delta/log.h"

#define FIELD(name, type, null, meta)                                                              \
	"{\"name\":\"" name "\",\"type\":" type ",\"nullable\":" null ",\"metadata\":{" meta "}}"
#define STRUCT(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"
#define LONG(meta) STRUCT(FIELD("a", "\"long\"", "true", meta))
#define PLAIN LONG("")

struct upgrade_case {
	const char *old; /* "READER WRITER reader,list writer,list"; - for an empty list */
	const char *config; /* "key=value", or "" */
	const char *schema;
	const char *now; /* in the form of `old`; NULL: as it was */
};

static const struct upgrade_case cases[] = {
	/* nothing to do */
	{ "1 2 - -", "", PLAIN, NULL },
	{ "1 2 - -", "delta.appendOnly=true", PLAIN, NULL },
	{ "1 2 - -", "delta.columnMapping.mode=none", PLAIN, NULL },
	{ "1 2 - -", "delta.enableDeletionVectors=false", PLAIN, NULL },
	{ "1 2 - -", "delta.checkpointPolicy=classic", PLAIN, NULL },
	{ "1 2 - -", "", STRUCT(FIELD("a", "\"long\"", "false", "")), NULL },
	{ "1 4 - -", "delta.enableChangeDataFeed=true", PLAIN, NULL },
	{ "2 6 - -", "delta.columnMapping.mode=id", PLAIN, NULL },
	{ "3 7 deletionVectors deletionVectors", "delta.enableDeletionVectors=true", PLAIN, NULL },
	{ "3 7 variantType-preview variantType-preview", "",
	  STRUCT(FIELD("v", "\"variant\"", "true", "")), NULL },
	/* legacy versions where they suffice */
	{ "1 1 - -", "delta.appendOnly=true", PLAIN, "1 2 - -" },
	{ "1 1 - -", "", STRUCT(FIELD("a", "\"long\"", "false", "")), "1 2 - -" },
	{ "1 2 - -", "delta.constraints.c=a > 0", PLAIN, "1 3 - -" },
	{ "1 2 - -", "delta.enableChangeDataFeed=true", PLAIN, "1 4 - -" },
	{ "1 3 - -", "", LONG("\"delta.generationExpression\":\"1\""), "1 4 - -" },
	{ "1 2 - -", "delta.columnMapping.mode=name", PLAIN, "2 5 - -" },
	{ "1 2 - -", "", LONG("\"delta.identity.start\":1"), "1 6 - -" },
	/* lists, with what the legacy version implied */
	{ "1 2 - -", "delta.enableDeletionVectors=true", PLAIN,
	  "3 7 deletionVectors appendOnly,invariants,deletionVectors" },
	{ "1 2 - -", "", STRUCT(FIELD("t", "\"timestamp_ntz\"", "true", "")),
	  "3 7 timestampNtz appendOnly,invariants,timestampNtz" },
	{ "1 1 - -", "delta.checkpointPolicy=v2", PLAIN, "3 7 v2Checkpoint v2Checkpoint" },
	{ "1 4 - -", "delta.enableInCommitTimestamps=true", PLAIN,
	  "1 7 - appendOnly,invariants,checkConstraints,changeDataFeed,generatedColumns,"
	  "inCommitTimestamp" },
	{ "2 5 - -", "delta.enableInCommitTimestamps=true", PLAIN,
	  "2 7 - appendOnly,invariants,checkConstraints,changeDataFeed,generatedColumns,"
	  "columnMapping,inCommitTimestamp" },
	{ "2 5 - -", "delta.enableDeletionVectors=true", PLAIN,
	  "3 7 columnMapping,deletionVectors appendOnly,invariants,checkConstraints,"
	  "changeDataFeed,generatedColumns,columnMapping,deletionVectors" },
	{ "1 2 - -", "delta.enableRowTracking=true", PLAIN,
	  "1 7 - appendOnly,invariants,domainMetadata,rowTracking" },
	{ "1 2 - -", "", LONG("\"CURRENT_DEFAULT\":\"1\""),
	  "1 7 - appendOnly,invariants,allowColumnDefaults" },
	/* lists that grow; what they name stays, known or not */
	{ "3 7 deletionVectors deletionVectors,appendOnly", "delta.enableChangeDataFeed=true",
	  PLAIN, "3 7 deletionVectors deletionVectors,appendOnly,changeDataFeed" },
	{ "1 7 - invariants,futureThing", "delta.columnMapping.mode=name", PLAIN,
	  "2 7 - invariants,futureThing,columnMapping" },
	{ "2 7 - columnMapping", "delta.enableDeletionVectors=true", PLAIN,
	  "3 7 columnMapping,deletionVectors columnMapping,deletionVectors" },
	{ "3 7 v2Checkpoint v2Checkpoint", "", STRUCT(FIELD("a", "\"long\"", "false", "")),
	  "3 7 v2Checkpoint v2Checkpoint,invariants" },
	/* at any depth */
	{ "1 2 - -", "",
	  STRUCT(FIELD("s",
		       "{\"type\":\"array\",\"containsNull\":true,\"elementType\":" STRUCT(
			       FIELD("t", "\"timestamp_ntz\"", "true", "")) "}",
		       "true", "")),
	  "3 7 timestampNtz appendOnly,invariants,timestampNtz" },
	{ "1 2 - -", "", STRUCT(FIELD("v", "\"variant\"", "true", "")),
	  "3 7 variantType appendOnly,invariants,variantType" },
};

/* "a,b" to names; "-": none. */
static int parse_list(char *text, struct cdc_str *list)
{
	int n = 0;

	for (char *save = NULL, *p = strtok_r(text, ",", &save); p && strcmp(p, "-");
	     p = strtok_r(NULL, ",", &save))
		list[n++] = cdc_str_z(p);
	return n;
}

static void print_list(char *out, const struct cdc_str *list, int n)
{
	out += strlen(out);
	*out++ = ' ';
	if (!n)
		*out++ = '-';
	for (int i = 0; i < n; i++)
		out += sprintf(out, "%s%.*s", i ? "," : "", (int)list[i].n, list[i].p);
	*out = '\0';
}

static int order(const void *a, const void *b)
{
	return cdc_str_cmp(*(const struct cdc_str *)a, *(const struct cdc_str *)b);
}

/* The same whatever the order of the lists. */
static void canonical(struct cdc_protocol *p, char *out)
{
	sprintf(out, "%d %d", p->reader_version, p->writer_version);
	if (p->num_reader_features)
		qsort(p->reader_feature, (size_t)p->num_reader_features, sizeof(struct cdc_str),
		      order);
	if (p->num_writer_features)
		qsort(p->writer_feature, (size_t)p->num_writer_features, sizeof(struct cdc_str),
		      order);
	print_list(out, p->reader_feature, p->num_reader_features);
	print_list(out, p->writer_feature, p->num_writer_features);
}

struct parsed {
	char text[2][512];
	struct cdc_str reader[32];
	struct cdc_str writer[32];
	struct cdc_protocol p;
};

static void parse(const char *text, struct parsed *out)
{
	memset(out, 0, sizeof(*out));
	assert_int_equal(sscanf(text, "%d %d %511s %511s", &out->p.reader_version,
				&out->p.writer_version, out->text[0], out->text[1]),
			 4);
	out->p.reader_feature = out->reader;
	out->p.writer_feature = out->writer;
	out->p.num_reader_features = parse_list(out->text[0], out->reader);
	out->p.num_writer_features = parse_list(out->text[1], out->writer);
}

static void check(const struct upgrade_case *c)
{
	struct parsed *old = malloc(sizeof(*old)), *want = malloc(sizeof(*want));
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	const char *eq = strchr(c->config, '=');
	struct cdc_kv kv = { cdc_str(c->config, eq ? (size_t)(eq - c->config) : 0),
			     cdc_str_z(eq ? eq + 1 : "") };
	struct cdc_metadata m = { .schema_json = cdc_str_z(c->schema),
				  .config = &kv,
				  .num_config = eq ? 1 : 0 };
	struct cdc_protocol now;
	char have_text[1024], want_text[1024];
	bool changed;

	assert_non_null(old);
	assert_non_null(want);
	parse(c->old, old);
	parse(c->now ? c->now : c->old, want);
	assert_int_equal(cdc_schema_from_json(&schema, m.schema_json, &err), 0);
	assert_int_equal(cdc_protocol_upgrade(&old->p, &m, &schema, &arena, &now, &changed, &err),
			 0);
	assert_int_equal(changed, c->now != NULL);
	canonical(&now, have_text);
	canonical(&want->p, want_text);
	if (strcmp(have_text, want_text))
		fail_msg("%s with %s: \"%s\", not \"%s\"", c->old, c->config, have_text, want_text);
	cdc_schema_free(&schema);
	cdc_arena_free(&arena);
	free(old);
	free(want);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i]);
}

/* Raising it once more for the same metadata changes nothing. */
static void test_twice(void **state)
{
	struct cdc_kv kv[] = { { CDC_STR("delta.enableDeletionVectors"), CDC_STR("true") },
			       { CDC_STR("delta.columnMapping.mode"), CDC_STR("name") },
			       { CDC_STR("delta.enableRowTracking"), CDC_STR("true") } };
	struct cdc_metadata m = { .schema_json = CDC_STR(PLAIN), .config = kv, .num_config = 3 };
	struct cdc_protocol old = { .reader_version = 1, .writer_version = 2 }, once, again;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	bool changed;

	(void)state;
	assert_int_equal(cdc_schema_from_json(&schema, m.schema_json, &err), 0);
	assert_int_equal(cdc_protocol_upgrade(&old, &m, &schema, &arena, &once, &changed, &err), 0);
	assert_true(changed);
	assert_int_equal(cdc_protocol_upgrade(&once, &m, &schema, &arena, &again, &changed, &err),
			 0);
	assert_false(changed);
	assert_int_equal(again.num_writer_features, 6);
	cdc_schema_free(&schema);
	cdc_arena_free(&arena);
}

/* A schema whose text is damaged is an error, not a feature that nobody uses. */
static void test_damaged(void **state)
{
	struct cdc_metadata m = { .schema_json = CDC_STR("{\"type\"") };
	struct cdc_protocol old = { .reader_version = 1, .writer_version = 2 }, now;
	struct cdc_schema schema = CDC_SCHEMA_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	bool changed;

	(void)state;
	assert_true(cdc_protocol_upgrade(&old, &m, &schema, &arena, &now, &changed, &err) < 0);
	cdc_arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
