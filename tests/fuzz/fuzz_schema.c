/*
 * Schemas (JSON and DDL), statistics and partition values from anyone: no crash, and what is
 * accepted means the same after it was printed and read again, also when it was changed before.
 * Table properties: no crash.
 */
#include "base/json.h"
#include "delta/log.h"
#include "delta/property.h"
#include "delta/stats.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_schema(const struct cdc_schema *s)
{
	struct cdc_schema again = CDC_SCHEMA_INIT;
	struct cdc_buf first = CDC_BUF_INIT;
	struct cdc_buf second = CDC_BUF_INIT;
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_schema pq;

	check(cdc_schema_to_json(s, &first, &err) == CDC_OK);
	check(cdc_schema_from_json(&again, cdc_buf_str(&first), &err) == CDC_OK);
	check(cdc_schema_to_json(&again, &second, &err) == CDC_OK);
	check(cdc_str_eq(cdc_buf_str(&first), cdc_buf_str(&second)));
	check(again.num_fields == s->num_fields);
	for (int i = 0; i < s->num_fields; i++) {
		check(cdc_schema_find(s, s->field[i].name) == i);
		check(again.field[i].type == s->field[i].type);
		check(cdc_str_eq(again.field[i].physical_name, s->field[i].physical_name));
	}
	(void)!cdc_schema_to_parquet(s, &pq, &arena, &err);
	cdc_arena_free(&arena);
	cdc_buf_free(&second);
	cdc_buf_free(&first);
	cdc_schema_free(&again);
}

/* Protocols are made for any schema, and made once. */
static void check_upgrade(const struct cdc_schema *s, struct cdc_str json)
{
	struct cdc_protocol old = { .reader_version = 1, .writer_version = 2 }, once, again;
	struct cdc_metadata m = { .schema_json = json };
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	bool changed;

	check(cdc_protocol_upgrade(&old, &m, s, &arena, &once, &changed, &err) == CDC_OK);
	check(cdc_protocol_upgrade(&once, &m, s, &arena, &again, &changed, &err) == CDC_OK);
	check(!changed);
	cdc_arena_free(&arena);
}

/* Column mapping for all, and a wider type for every integer. */
static void check_changes(const struct cdc_schema *s)
{
	struct cdc_field wide = { .type = CDC_TYPE_LONG };
	struct cdc_schema changed = CDC_SCHEMA_INIT, again = CDC_SCHEMA_INIT;
	struct cdc_buf json = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int64_t max = 0;

	check(cdc_schema_copy(&changed, s, &err) == CDC_OK);
	for (int i = 0; i < s->num_fields; i++)
		if (cdc_type_widens(&s->field[i], &wide))
			check(cdc_field_widen(&changed, &changed.field[i], &wide, &err) == CDC_OK);
	if (cdc_schema_map(&changed, &cdc_io_posix, false, &max, &err) == CDC_OK) {
		check(cdc_schema_to_json(&changed, &json, &err) == CDC_OK);
		check(cdc_schema_from_json(&again, cdc_buf_str(&json), &err) == CDC_OK);
		check(again.num_fields == s->num_fields);
		check_upgrade(&again, cdc_buf_str(&json));
	}
	for (int i = 0; i < again.num_fields; i++) {
		const struct cdc_field *f = &again.field[i];

		check(cdc_str_eq(f->name, s->field[i].name));
		check(f->has_field_id && f->field_id <= max);
		check(f->type == changed.field[i].type);
		check(cdc_str_eq(f->physical_name, changed.field[i].physical_name));
	}
	cdc_buf_free(&json);
	cdc_schema_free(&again);
	cdc_schema_free(&changed);
}

static void try_property(struct cdc_str text)
{
	const char *eq = memchr(text.p, '=', text.n);
	struct cdc_err err = CDC_ERR_INIT;
	size_t n = eq ? (size_t)(eq - text.p) : 0;

	if (eq)
		(void)!cdc_property_check(cdc_str(text.p, n), cdc_str(eq + 1, text.n - n - 1),
					  &err);
}

static void try_schema(struct cdc_str text, bool json)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	if ((json ? cdc_schema_from_json(&s, text, &err) : cdc_schema_from_ddl(&s, text, &err)) ==
	    CDC_OK) {
		check_schema(&s);
		check_changes(&s);
	}
	cdc_schema_free(&s);
}

static struct cdc_schema every_type(void)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	check(cdc_schema_from_ddl(&s,
				  CDC_STR("b BOOLEAN, i TINYINT, j SMALLINT, k INT, l BIGINT, "
					  "f FLOAT, d DOUBLE, m DECIMAL(7,2), o DECIMAL(38,3), "
					  "s STRING, x BINARY, y DATE, t TIMESTAMP, "
					  "w TIMESTAMP_NTZ"),
				  &err) == CDC_OK);
	return s;
}

static void try_stats(struct cdc_str text)
{
	struct cdc_schema s = every_type();
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_buf loose = CDC_BUF_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_file_stats st;
	int64_t n = cdc_stats_num_records(text);

	check(cdc_stats_read(&s, text, &arena, &st, &err) == CDC_OK);
	if (cdc_json_scan(&tape, text, NULL, &err) == CDC_OK)
		check(n == (st.has_num_records ? st.num_records : -1));
	check(cdc_stats_loosen(text, 3, &loose, &err) == CDC_OK);
	check(cdc_json_scan(&tape, cdc_buf_str(&loose), NULL, &err) == CDC_OK);
	cdc_tape_free(&tape);
	cdc_buf_free(&loose);
	cdc_arena_free(&arena);
	cdc_schema_free(&s);
}

/* Order of a value and of its own printed text. */
static void try_partition(struct cdc_str text, unsigned which)
{
	struct cdc_schema s = every_type();
	const struct cdc_field *f = &s.field[which % (unsigned)s.num_fields];
	struct cdc_buf out = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	union cdc_value v = { .dec = 0 };
	union cdc_value w = { .dec = 0 };
	bool is_null;

	if (cdc_partition_parse(f, text, &v, &is_null, &err) == CDC_OK && !is_null) {
		check(cdc_partition_format(f, &v, &out, &err) == CDC_OK);
		check(cdc_partition_parse(f, cdc_buf_str(&out), &w, &is_null, &err) == CDC_OK);
		check(!is_null && cdc_value_cmp(f->type, &v, &w) == 0);
	}
	cdc_buf_free(&out);
	cdc_schema_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cdc_str rest;

	if (n < 2)
		return 0;
	rest = cdc_str((const char *)data + 1, n - 1);
	switch (data[0] & 3) {
	case 0:
		try_schema(rest, true);
		break;
	case 1:
		try_schema(rest, false);
		break;
	case 2:
		if (data[0] & 4)
			try_property(rest);
		else
			try_stats(rest);
		break;
	default:
		try_partition(rest, data[0] >> 2);
	}
	return 0;
}
