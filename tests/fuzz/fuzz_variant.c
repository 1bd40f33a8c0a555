/*
 * Variants from anyone: whatever bytes are accepted print as one JSON document, of a length that
 * the input bounds, and the same value prints the same beside a shredded tree that holds nothing.
 * Written anew it has the same text but for the order of members, and then always the same bytes.
 *
 * Input: a byte that says how long the metadata is, the metadata, the value.
 */
#include "table/nested/variant.h"
#include "table/print/print_sink.h"

#include "base/json.h"
#include "table/nested/variant_build.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static bool is_object(struct cdc_str s)
{
	return s.n && s.p[0] == '{';
}

/* Two members are shredded, out of order, and missing in this row. No JSON text has their names. */
static int print_shredded(struct cdc_str metadata, struct cdc_str value, struct cdc_buf *out,
			  struct cdc_err *err)
{
	static struct cdc_field member_parts[] = {
		{ .name = CDC_STR("value"), .type = CDC_TYPE_BINARY },
		{ .name = CDC_STR("typed_value"), .type = CDC_TYPE_LONG },
	};
	static struct cdc_field members[] = {
		{ CDC_STR("\xff\xff"), .type = CDC_TYPE_STRUCT, .child = member_parts,
		  .num_children = 2 },
		{ CDC_STR("\xff"), .type = CDC_TYPE_STRUCT, .child = member_parts,
		  .num_children = 2 },
	};
	static struct cdc_field parts[] = {
		{ .name = CDC_STR("metadata"), .type = CDC_TYPE_BINARY },
		{ .name = CDC_STR("value"), .type = CDC_TYPE_BINARY },
		{ .name = CDC_STR("typed_value"),
		  .type = CDC_TYPE_STRUCT,
		  .child = members,
		  .num_children = 2 },
	};
	static const struct cdc_field field = {
		.name = CDC_STR("v"), .type = CDC_TYPE_VARIANT, .child = parts, .num_children = 3
	};
	static const uint8_t null[1] = { 0 };
	struct cdc_column leaf[] = { { &member_parts[0], NULL, null, NULL },
				     { &member_parts[1], NULL, null, NULL } };
	struct cdc_column member[] = { { &members[0], NULL, NULL, leaf },
				       { &members[1], NULL, NULL, leaf } };
	struct cdc_column child[] = { { &parts[0], &metadata, NULL, NULL },
				      { &parts[1], &value, NULL, NULL },
				      { &parts[2], NULL, NULL, member } };
	const struct cdc_column c = { &field, NULL, NULL, child };
	const struct cdc_print_sink sink = { .buf = out };

	return cdc_variant_print(&sink, &c, 0, err);
}

/* What prints is refused only for members of one name. */
static void rewrite(struct cdc_str metadata, struct cdc_str value, const struct cdc_buf *text)
{
	static struct cdc_field parts[] = {
		{ .name = CDC_STR("metadata"), .type = CDC_TYPE_BINARY },
		{ .name = CDC_STR("value"), .type = CDC_TYPE_BINARY },
	};
	static const struct cdc_field field = {
		.name = CDC_STR("v"), .type = CDC_TYPE_VARIANT, .child = parts, .num_children = 2
	};
	struct cdc_column child[] = { { &parts[0], &metadata, NULL, NULL },
				      { &parts[1], &value, NULL, NULL } };
	const struct cdc_column c = { &field, NULL, NULL, child };
	struct cdc_variant_build *first, *second;
	struct cdc_str m, v;
	struct cdc_buf out = CDC_BUF_INIT;
	const struct cdc_print_sink sink = { .buf = &out };
	struct cdc_err err = CDC_ERR_INIT;

	check(cdc_variant_build_new(&first, &err) == CDC_OK);
	check(cdc_variant_build_new(&second, &err) == CDC_OK);
	if (cdc_variant_from_column(first, &c, 0, &metadata, &value, &err) == CDC_OK) {
		check(cdc_variant_print_binary(&sink, metadata, value, &err) == CDC_OK);
		check(out.len == text->len);
		check(cdc_variant_from_column(second, &c, 0, &m, &v, &err) == CDC_OK);
		check(cdc_str_eq(m, metadata) && cdc_str_eq(v, value));
	} else {
		check(err.code == CDC_ECORRUPT && strstr(err.msg, "one name"));
	}
	cdc_buf_free(&out);
	cdc_variant_build_free(first);
	cdc_variant_build_free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cdc_buf whole = CDC_BUF_INIT;
	struct cdc_buf shredded = CDC_BUF_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	const struct cdc_print_sink sink = { .buf = &whole };
	const char *p = (const char *)data;
	size_t m = n ? data[0] : 0;
	struct cdc_str metadata;
	struct cdc_str value;
	int rc;

	if (!n || m > n - 1)
		return 0;
	metadata = cdc_str(p + 1, m);
	value = cdc_str(p + 1 + m, n - 1 - m);
	rc = cdc_variant_print_binary(&sink, metadata, value, &err);
	check(whole.len <= (value.n + 1) * ((metadata.n + 16) * CDC_JSON_ESCAPE_MAX));
	if (rc == CDC_OK) {
		/* The reader of JSON goes less deep. */
		check(cdc_json_scan(&tape, cdc_buf_str(&whole), NULL, &err) == CDC_OK ||
		      whole.len > 2 * CDC_JSON_DEPTH);
		rc = print_shredded(metadata, value, &shredded, &err);
		check((rc == CDC_OK) == is_object(cdc_buf_str(&whole)));
		check(rc < 0 || cdc_str_eq(cdc_buf_str(&whole), cdc_buf_str(&shredded)));
		rewrite(metadata, value, &whole);
	} else {
		/* The shredded tree hides a member of the same name, whatever it is. */
		(void)!print_shredded(metadata, value, &shredded, &err);
	}
	cdc_tape_free(&tape);
	cdc_buf_free(&whole);
	cdc_buf_free(&shredded);
	return 0;
}
