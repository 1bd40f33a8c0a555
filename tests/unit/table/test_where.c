/*
 * Proves what predicates mean: each line of a table here is a predicate and its outcomes on rows
 * that are written down by hand. Also that names, nested fields and errors with their places are
 * as where.h says, and that hostile text is refused.
 */
#include "where_rows.h"

#include <stdlib.h>

struct expectation {
	const char *predicate;
	const char *outcomes;
};

static void check_all(const struct expectation *e, size_t n)
{
	struct cdc_schema s = rows_schema();

	for (size_t i = 0; i < n; i++)
		expect(&s, e[i].predicate, e[i].outcomes);
	cdc_schema_free(&s);
}

#define CHECK_ALL(table) check_all(table, sizeof(table) / sizeof((table)[0]))

static void integers_compare_exactly(void **state)
{
	static const struct expectation e[] = {
		{ "i = 1", "1000?" },
		{ "1 = i", "1000?" },
		{ "i == 1.0", "1000?" },
		{ "i <> 1", "0111?" },
		{ "i != 1", "0111?" },
		{ "i < 2", "1001?" },
		{ "2 > i", "1001?" },
		{ "i <= 2", "1101?" },
		{ "i > 2", "0010?" },
		{ "i >= 2", "0110?" },
		{ "i < 2.5", "1101?" },
		{ "i > 2.5", "0010?" },
		{ "i = 2.5", "0000?" },
		{ "i <> 2.5", "1111?" },
		{ "i >= -4.5", "1111?" },
		{ "i > -4.0001", "1111?" },
		{ "i < -3.9999", "0001?" },
		{ "i <= - 4", "0001?" },
		{ "i = +1", "1000?" },
		{ "i = 1e0", "1000?" },
		{ "i = 30e-1", "0010?" },
		{ "i = '3'", "0010?" },
		{ "l = 1e3", "0100?" },
		{ "l = 1000.00000000000000000000000000000000000000000000001", "0000?" },
		{ "l > 1000.00000000000000000000000000000000000000000000001", "0010?" },
		{ "l = 9223372036854775807", "0010?" },
		{ "l >= 9223372036854775807", "0010?" },
		{ "l > 9223372036854775807", "0000?" },
		{ "l < 9223372036854775808", "1111?" },
		{ "l = 9223372036854775808", "0000?" },
		{ "l <> 9223372036854775808", "1111?" },
		{ "l >= -9223372036854775808", "1111?" },
		{ "l < -9223372036854775808", "0000?" },
		{ "l < -9223372036854775807.5", "0001?" },
		{ "l > -1e400", "1111?" },
		{ "l < 1e999999999999999999999", "1111?" },
		{ "l > 1e-999999999999999999999", "1110?" },
		{ "i > 9999999999", "0000?" },
		{ "i < 9999999999", "1111?" },
		{ "NOT i > 9999999999", "1111?" },
		{ "tm > '11:00'", "0111?" },
	};

	(void)state;
	CHECK_ALL(e);
}

static void decimals_and_floats(void **state)
{
	static const struct expectation e[] = {
		{ "n = 1", "1000?" },
		{ "n = 1.005", "0000?" },
		{ "n <> 1.005", "1111?" },
		{ "n > 1.005", "0010?" },
		{ "n > 0.995", "1010?" },
		{ "n < -0.049", "0101?" },
		{ "n <= -0.05", "0101?" },
		{ "n < -0.05", "0001?" },
		{ "n < 100000", "1111?" },
		{ "n > -99999.995", "1111?" },
		{ "n >= 99999.99", "0010?" },
		{ "n = .5e1", "0000?" },
		{ "w = 1.0000000001", "0100?" },
		{ "w > 1.00000000009", "0110?" },
		{ "w = 1000000000000000000000000000", "0010?" },
		{ "w > 1e27", "0000?" },
		{ "w >= 1e27", "0010?" },
		{ "w < 1e38", "1111?" },
		{ "w > -1e39", "1111?" },
		{ "w BETWEEN -1e27 AND 1", "1001?" },
		{ "d = 0.5", "1000?" },
		{ "d = 0", "0010?" },
		{ "d >= 0", "1111?" },
		{ "d < 0", "0000?" },
		{ "d > 0.5", "0101?" },
		{ "d = 'NaN'", "0100?" },
		{ "d > 'Infinity'", "0100?" },
		{ "d >= 'inf'", "0101?" },
		{ "d < 'NaN'", "1011?" },
		{ "d > 1e400", "0101?" },
		{ "d < 1e400", "1010?" },
		{ "d = 1e400", "0000?" },
		{ "f = 0.1", "0000?" }, /* 0.1f is 0.100000001490116... */
		{ "f > 0.1", "1101?" },
		{ "f = 0.100000001490116119384765625", "1000?" },
		{ "f = 0.5", "0100?" },
		{ "f <> 0.5", "1011?" },
		{ "f IN (0, 0.5, 'NaN')", "0111?" },
		{ "d IN (0, 0.5, 0.1)", "1010?" },
	};

	(void)state;
	CHECK_ALL(e);
}

static void text_bytes_and_booleans(void **state)
{
	static const struct expectation e[] = {
		{ "s = 'abc'", "1000?" },
		{ "s = \"abc\"", "1000?" },
		{ "s = ''", "0010?" },
		{ "s < 'abc'", "0111?" },
		{ "s >= 'Zo'", "1001?" },
		{ "s > 'ABC' AND s < 'abc'", "0001?" },
		{ "s BETWEEN 'ABC' AND 'abc'", "1101?" },
		{ "s NOT BETWEEN 'ABC' AND 'abc'", "0010?" },
		{ "b = X'00ff'", "1000?" },
		{ "b = x''", "0100?" },
		{ "b >= X'61'", "0011?" },
		{ "b = 'abc'", "0010?" },
		{ "o", "1010?" },
		{ "NOT o", "0101?" },
		{ "!o", "0101?" },
		{ "o = FALSE", "0101?" },
		{ "o <> true", "0101?" },
		{ "o IS TRUE", "10100" },
		{ "o IS NOT TRUE", "01011" },
		{ "o IS FALSE", "01010" },
		{ "o IS NOT FALSE", "10101" },
		{ "o IS UNKNOWN", "00001" },
		{ "o IN (true)", "1010?" },
		{ "u = '00112233-4455-6677-8899-aabbccddeeff'", "1000?" },
		{ "u > '7FFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'", "0101?" },
		{ "u IN ('ff112233-4455-6677-8899-aabbccddeeff')", "0100?" },
	};

	(void)state;
	CHECK_ALL(e);
}

static void dates_and_times(void **state)
{
	static const struct expectation e[] = {
		{ "day = '2020-01-01'", "1000?" },
		{ "day = DATE '2020-01-01'", "1000?" },
		{ "day >= '2020-01-01'", "1100?" },
		{ "day < TIMESTAMP '1970-01-01 00:00:00.000000001'", "0011?" },
		{ "day = '2020-01-01 12:00:00'", "0000?" },
		{ "day > '2020-01-01 12:00:00'", "0100?" },
		{ "day < date'1970-01-01'", "0010?" },
		{ "ts = '2020-01-01'", "1000?" },
		{ "ts > DATE '2020-01-01'", "0101?" },
		{ "ts = '2020-01-01T00:00:00.000001Z'", "0100?" },
		{ "ts = '2020-01-01T02:00:00.000001+02:00'", "0100?" },
		{ "ts < '2020-01-01 00:00:00.000000500'", "1010?" },
		{ "ts >= '2020-01-01 00:00:00.000000500'", "0101?" },
		{ "ts = '2020-01-01 00:00:00.000000500'", "0000?" },
		{ "ts < '1970-01-01'", "0010?" },
		{ "ts >= TIMESTAMP '1969-12-31 23:59:59.5'", "1111?" },
		{ "ns > '1970-01-01'", "0101?" },
		{ "ns = '1969-12-31 23:59:59.999999999'", "0010?" },
		{ "ns < '9999-12-31'", "1111?" },
		{ "ns > '0001-01-01'", "1111?" },
		{ "tm = '12:00'", "0100?" },
		{ "tm > TIME '12:00:00'", "0011?" },
		{ "tm = '23:59:59.999999999'", "0010?" },
		{ "day IN ('2020-01-02', DATE '1970-01-01')", "0101?" },
	};

	(void)state;
	CHECK_ALL(e);
}

static void three_valued_logic(void **state)
{
	static const struct expectation e[] = {
		{ "i = 1 AND NULL", "?000?" },
		{ "i = 1 OR NULL", "1????" },
		{ "NOT NULL", "?????" },
		{ "NULL", "?????" },
		{ "true", "11111" },
		{ "false", "00000" },
		{ "false AND NULL", "00000" },
		{ "true OR NULL", "11111" },
		{ "true AND NULL", "?????" },
		{ "i = NULL", "?????" },
		{ "i <> NULL", "?????" },
		{ "i <=> NULL", "00001" },
		{ "NULL <=> i", "00001" },
		{ "i <=> 1", "10000" },
		{ "NOT i <=> 1", "01111" },
		{ "i <=> `and`", "11111" },
		{ "i IS NULL", "00001" },
		{ "i IS NOT NULL", "11110" },
		{ "NOT i IS NULL", "11110" },
		{ "(i = 1) IS NULL", "00001" },
		{ "i = 1 IS NOT UNKNOWN", "11110" },
		{ "(i = 1 OR o) IS FALSE", "01010" },
		{ "i IN (1, 2)", "1100?" },
		{ "i IN (1, NULL)", "1????" },
		{ "i NOT IN (1, NULL)", "0????" },
		{ "i NOT IN (1, 2)", "0011?" },
		{ "i IN (NULL)", "?????" },
		{ "i IN (1.5, 9999999999999, 3)", "0010?" },
		{ "i IN (5, 4, 3, 2, 1, 1, 1)", "1110?" },
		{ "s IN ('', 'b', 'abc')", "1010?" },
		{ "n IN (1, 0.001, -99999.99)", "1001?" },
		{ "1 IN (i, `and`)", "1000?" },
		{ "i IN (`and`, 7)", "1111?" },
		{ "NULL IN (1)", "?????" },
		{ "i BETWEEN 1 AND 2", "1100?" },
		{ "i BETWEEN 2 AND 1", "0000?" },
		{ "i NOT BETWEEN 1 AND 2", "0011?" },
		{ "i BETWEEN NULL AND 1", "?00??" },
		{ "2 BETWEEN i AND 3", "1101?" },
		{ "i = 1 OR i = 2 AND o", "1000?" },
		{ "(i = 1 OR i = 2) AND o", "1000?" },
		{ "NOT i = 1 AND NOT i = 2 OR s = 'ABC'", "0111?" },
		{ "1 < 2", "11111" },
		{ "1.50 = 1.5", "11111" },
		{ "'a' > 'b'", "00000" },
		{ "1 = NULL", "?????" },
		{ "NULL IS NULL", "11111" },
		{ "z IS NULL", "11111" },
		{ "z = 5", "?????" },
		{ "z IN (5)", "?????" },
		{ "z", "?????" },
	};

	(void)state;
	CHECK_ALL(e);
}

static void columns_with_columns(void **state)
{
	static const struct expectation e[] = {
		{ "i = `and`", "1111?" }, { "i < `and`", "0000?" }, { "i < l", "1110?" },
		{ "l > i", "1110?" },	  { "l >= n", "1110?" },    { "i = n", "1000?" },
		{ "n = i", "1000?" },	  { "i <> n", "0111?" },    { "n < w", "0110?" },
		{ "w > n", "0110?" },	  { "d > i", "0101?" },	    { "d > n", "0101?" },
		{ "f < d", "1100?" },	  { "f = d", "0010?" },	    { "day = ts", "1000?" },
		{ "ts >= day", "1011?" }, { "ns < ts", "1101?" },   { "s = s", "1111?" },
		{ "b <= b", "1111?" },	  { "u < u", "0000?" },	    { "o = o", "1111?" },
	};

	(void)state;
	CHECK_ALL(e);
}

static void like(void **state)
{
	static const struct expectation e[] = {
		{ "s LIKE 'abc'", "1000?" },
		{ "s LIKE 'a%'", "1000?" },
		{ "s LIKE '%c'", "1000?" },
		{ "s LIKE '%'", "1111?" },
		{ "s LIKE ''", "0010?" },
		{ "s LIKE '_'", "0000?" },
		{ "s LIKE '___'", "1100?" },
		{ "s LIKE '____'", "0001?" }, /* the e with two dots is one character */
		{ "s LIKE 'Zo_%'", "0001?" },
		{ "s LIKE '%\\%'", "0001?" },
		{ "s LIKE '%!%' ESCAPE '!'", "0001?" },
		{ "s LIKE '%\xc3\xab_'", "0001?" },
		{ "s LIKE '%b%b%'", "0000?" },
		{ "s LIKE '%B%'", "0100?" },
		{ "s NOT LIKE '%B%'", "1011?" },
		{ "s LIKE '_%_%_'", "1101?" },
		{ "s like 'a_c' or s Like 'A_C'", "1100?" },
	};

	(void)state;
	CHECK_ALL(e);
}

/* ------------------------------------------------------------------ names */

static void names_go_by_case_last(void **state)
{
	struct cdc_schema s = rows_schema();

	(void)state;
	expect(&s, "I = 1", "1000?");
	expect(&s, "`And` = 1", "1000?");
	expect(&s, "dAy = '2020-01-01' and DAY = date '2020-01-01'", "1000?");
	cdc_schema_free(&s);
}

#define INT_FIELD(name)                                                                            \
	"{\"name\":\"" name "\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}}"

static void fields_of_structs(void **state)
{
	static const char json[] =
		"{\"type\":\"struct\",\"fields\":[{\"name\":\"st\",\"type\":{\"type\":\"struct\","
		"\"fields\":[" INT_FIELD(
			"a.b") ",{\"name\":\"in\",\"type\":{\"type\":\"struct\","
			       "\"fields\":[" INT_FIELD(
				       "B") "]},\"nullable\":true,\"metadata\":{}}]},"
					    "\"nullable\":true,\"metadata\":{}}]}";
	static const int32_t values[4] = { 1, 2, 3, 4 };
	static const uint8_t outer[4] = { 1, 0, 1, 1 };
	static const uint8_t inner[4] = { 1, 1, 0, 1 };
	static const uint8_t leaf[4] = { 1, 1, 1, 0 };
	static const struct {
		const char *predicate;
		const char *outcomes;
	} e[] = {
		{ "st.in.b = 1", "1???" },   { "st.in.b >= 1", "1???" },
		{ "st.`a.b` >= 3", "0?11" }, { "st.in.b IS NULL", "0111" },
		{ "st.IN IS NULL", "0110" }, { "st.`IN` IS NULL", "0110" },
		{ "st IS NULL", "0100" },    { "st.in.B = st.`a.b`", "1???" },
	};
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_field *st;
	struct cdc_column b;
	struct cdc_column in[2];
	struct cdc_column column;
	struct cdc_batch batch = { .rows = 4, .num_columns = 1, .column = &column };

	(void)state;
	if (cdc_schema_from_json(&s, cdc_str_z(json), &err) < 0)
		fail_msg("%s", err.msg);
	st = &s.field[0];
	b = (struct cdc_column){ &st->child[1].child[0], values, leaf, NULL };
	in[0] = (struct cdc_column){ &st->child[0], values, NULL, NULL };
	in[1] = (struct cdc_column){ &st->child[1], NULL, inner, &b };
	column = (struct cdc_column){ st, NULL, outer, in };
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		struct cdc_filter *f = NULL;
		struct cdc_where *w = NULL;
		uint8_t out[4];
		int rc;

		err = (struct cdc_err)CDC_ERR_INIT;
		rc = cdc_where_parse(&w, cdc_str_z(e[i].predicate), &err);
		if (rc < 0 || cdc_filter_new(&f, w, &s, &err) < 0)
			fail_msg("%s: %s", e[i].predicate, err.msg);
		assert_int_equal(cdc_filter_eval(f, &batch, out, &err), 0);
		for (int r = 0; r < 4; r++)
			if ("01?"[out[r]] != e[i].outcomes[r])
				fail_msg("%s: row %d is %d", e[i].predicate, r, out[r]);
		cdc_filter_free(f);
		cdc_where_free(w);
	}
	cdc_schema_free(&s);
}

/* ------------------------------------------------------------------ refusals */

static void errors_have_a_place(void **state)
{
	static const struct {
		const char *predicate;
		const char *message; /* a part of it */
	} e[] = {
		{ "", "a value is missing at character 1" },
		{ "i =", "a value is missing at character 4" },
		{ "i = 1 x", "instead of x at character 7" },
		{ "i = 1 AND", "missing at character 10" },
		{ "(i = 1", ") is missing at character 7" },
		{ "i = 'abc'", "'abc' is no value of column \"i\", which is of type integer at "
			       "character 5" },
		{ "s = '\xc3\xab' AND i = 'x'", "at character 17" },
		{ "s = 5", "no value of column \"s\", which is of type string at character 5" },
		{ "nowhere = 1", "no column \"nowhere\" at character 1" },
		{ "i.x = 1", "\"i\" has no field \"x\" at character 1" },
		{ "i = 'x' OR", "missing at character 11" },
		{ "s = 'abc", "no ' ends what begins at character 5" },
		{ "b = X'0'", "two digits a byte at character 5" },
		{ "b = X'0g'", "hexadecimal digit at character 5" },
		{ "i = 1x", "malformed number at character 5" },
		{ "i = 1.2.3", "malformed number at character 5" },
		{ "i # 1", "unexpected character at character 3" },
		{ "i", "\"i\" of type integer is no condition at character 1" },
		{ "5", "a value is no condition at character 1" },
		{ "i = (o AND o)", "condition cannot be compared at character 5" },
		{ "i LIKE 'a'", "column of strings at character 1" },
		{ "s LIKE s", "pattern in quotes is wanted instead of s at character 8" },
		{ "s LIKE 'a\\'", "follows the escape character in the pattern at character 8" },
		{ "s LIKE 'a\\b'", "may only stand before %, _ and itself at character 8" },
		{ "s LIKE 'a' ESCAPE 'ab'", "ESCAPE wants one character at character 19" },
		{ "i NOT 5", "IN, BETWEEN or LIKE is wanted instead of 5 at character 7" },
		{ "i IS 5", "NULL, TRUE, FALSE or UNKNOWN is wanted instead of 5 at character 6" },
		{ "i IN ()", "a value is wanted instead of ) at character 7" },
		{ "i BETWEEN 1", "AND is missing at character 12" },
		{ "i = s", "cannot be compared at character 1" },
		{ "o = 1", "1 is no value of column \"o\"" },
		{ "day = 'today'", "'today' is no value of column \"day\"" },
		{ "day = '2020-02-30'", "is no value of column \"day\"" },
		{ "tm = '25:00'", "is no value of column \"tm\"" },
		{ "ts = '2020-01-01 00:00:00.1234567891'", "is no value of column \"ts\"" },
		{ "u = '0011'", "is no value of column \"u\"" },
		{ "1 = 'a'", "a value of another type at character 5" },
	};
	struct cdc_schema s = rows_schema();

	(void)state;
	for (size_t i = 0; i < sizeof(e) / sizeof(e[0]); i++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_filter *f = NULL;
		struct cdc_where *w = NULL;
		int rc = cdc_where_parse(&w, cdc_str_z(e[i].predicate), &err);

		if (rc == CDC_OK)
			rc = cdc_filter_new(&f, w, &s, &err);
		if (rc != CDC_EUSAGE || !strstr(err.msg, e[i].message))
			fail_msg("%s: %d, %s", e[i].predicate, rc, err.msg);
		cdc_where_free(w);
	}
	cdc_schema_free(&s);
}

static void some_types_only_know_null(void **state)
{
	static const enum cdc_type types[] = { CDC_TYPE_ARRAY, CDC_TYPE_MAP, CDC_TYPE_VARIANT,
					       CDC_TYPE_INTERVAL, CDC_TYPE_BIG_DECIMAL };
	struct cdc_schema s = rows_schema();

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct cdc_err err = CDC_ERR_INIT;
		struct cdc_where *w;
		struct cdc_filter *f;

		s.field[I].type = types[i];
		assert_int_equal(cdc_where_parse(&w, CDC_STR("i IS NOT NULL"), &err), 0);
		assert_int_equal(cdc_filter_new(&f, w, &s, &err), 0);
		cdc_filter_free(f);
		cdc_where_free(w);
		assert_int_equal(cdc_where_parse(&w, CDC_STR("i = 'a'"), &err), 0);
		assert_int_equal(cdc_filter_new(&f, w, &s, &err), CDC_EUSAGE);
		assert_non_null(strstr(err.msg, "only knows IS NULL"));
		cdc_where_free(w);
	}
	s.field[I].type = CDC_TYPE_INTEGER;
	cdc_schema_free(&s);
}

static int parse_repeated(const char *before, size_t times, const char *behind, struct cdc_err *err)
{
	size_t n = strlen(before);
	size_t tail = strlen(behind);
	char *text = malloc(n * times + tail + 1);
	struct cdc_where *w = NULL;
	int rc;

	assert_non_null(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * n, before, n);
	memcpy(text + n * times, behind, tail + 1);
	*err = (struct cdc_err)CDC_ERR_INIT;
	rc = cdc_where_parse(&w, cdc_str(text, n * times + tail), err);
	cdc_where_free(w);
	free(text);
	return rc;
}

static void hostile_text_is_refused(void **state)
{
	struct cdc_err err;

	(void)state;
	assert_int_equal(parse_repeated("(", 300000, "o", &err), CDC_EUSAGE);
	assert_non_null(strstr(err.msg, "too deep"));
	assert_int_equal(parse_repeated("NOT ", 200000, "o", &err), CDC_EUSAGE);
	assert_non_null(strstr(err.msg, "too deep"));
	assert_int_equal(parse_repeated("NOT ", 50, "o", &err), CDC_OK);
	assert_int_equal(parse_repeated("o IS TRUE ", 1000, "", &err), CDC_EUSAGE);
	assert_int_equal(parse_repeated("i.", 1000, "i = 1", &err), CDC_EUSAGE);
	assert_int_equal(parse_repeated("o AND ", 100000, "o", &err), CDC_OK);
	assert_int_equal(parse_repeated("'a' = 'b' OR ", 70000, "o", &err), CDC_OK);
	assert_int_equal(parse_repeated(" ", CDC_WHERE_MAX_BYTES + 1, "o", &err), CDC_EUSAGE);
}

static void text_with_nul_is_no_predicate(void **state)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_where *w = NULL;

	(void)state;
	assert_int_equal(cdc_where_parse(&w, cdc_str("o\0", 2), &err), CDC_EUSAGE);
	assert_null(w);
	assert_int_equal(cdc_where_parse(&w, cdc_str(NULL, 0), &err), CDC_EUSAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_compare_exactly),
		cmocka_unit_test(decimals_and_floats),
		cmocka_unit_test(text_bytes_and_booleans),
		cmocka_unit_test(dates_and_times),
		cmocka_unit_test(three_valued_logic),
		cmocka_unit_test(columns_with_columns),
		cmocka_unit_test(like),
		cmocka_unit_test(names_go_by_case_last),
		cmocka_unit_test(fields_of_structs),
		cmocka_unit_test(errors_have_a_place),
		cmocka_unit_test(some_types_only_know_null),
		cmocka_unit_test(hostile_text_is_refused),
		cmocka_unit_test(text_with_nul_is_no_predicate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
