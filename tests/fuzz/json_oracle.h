/*
 * What jansson says about a text, compared with what the scanner says: both accept it and find the
 * same values, both refuse it, or they differ in a way that is known and meant:
 *
 * - jansson refuses integers past 64 bits and reals past a double; the scanner keeps their digits
 * - jansson refuses NUL characters in member names
 * - jansson drops a NUL byte right after a number or a literal: it puts the byte back to be read
 *   again, where it means an empty buffer
 * - the scanner stops at depth CDC_JSON_DEPTH
 * - of members with one name jansson keeps the last; the scanner keeps all
 */
#ifndef CDC_TESTS_FUZZ_JSON_ORACLE_H
#define CDC_TESTS_FUZZ_JSON_ORACLE_H

#include "base/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum verdict { BOTH_ACCEPT, BOTH_REFUSE, KNOWN_DIFFERENCE, WRONG };

static bool same_number(const struct cdc_tape *t, uint32_t i, const json_t *j)
{
	struct cdc_str raw = cdc_json_raw(t, i);
	bool same = false;
	char *z = malloc(raw.n + 1);
	int64_t v;

	if (!z)
		return false;
	memcpy(z, raw.p, raw.n);
	z[raw.n] = '\0';
	if (json_is_integer(j))
		same = cdc_json_int64(t, i, &v) && v == json_integer_value(j) &&
		       v == strtoll(z, NULL, 10);
	else if (json_is_real(j))
		same = json_real_value(j) == strtod(z, NULL) && !cdc_json_int64(t, i, &v);
	free(z);
	return same;
}

static bool same_string(const struct cdc_tape *t, uint32_t i, const char *p, size_t n)
{
	struct cdc_str raw = cdc_json_raw(t, i);
	char *out;
	bool same;

	if (!cdc_json_is(t, i, cdc_str(p, n)))
		return false;
	out = malloc(raw.n + 1);
	if (!out)
		return false;
	same = cdc_str_eq(cdc_str(out, cdc_json_unescape(raw, out)), cdc_str(p, n)) &&
	       t->tok[i].escaped == (raw.n > 0 && memchr(raw.p, '\\', raw.n) != NULL);
	free(out);
	return same;
}

static bool same_value(const struct cdc_tape *t, uint32_t i, json_t *j);

static bool same_object(const struct cdc_tape *t, uint32_t obj, json_t *j)
{
	size_t distinct = 0;
	size_t members = 0;
	uint32_t k;

	for (k = cdc_json_first(t, obj); k != CDC_JSON_NONE; k = cdc_json_after(t, obj, k)) {
		uint32_t last = k;
		uint32_t later = cdc_json_after(t, obj, k);
		const char *name;
		json_t *v;

		members++;
		for (; later != CDC_JSON_NONE; later = cdc_json_after(t, obj, later)) {
			if (cdc_json_same(cdc_json_raw(t, k), cdc_json_raw(t, later)))
				last = later;
		}
		if (last != k)
			continue;
		distinct++;
		json_object_foreach(j, name, v)
		{
			if (cdc_json_is(t, k, cdc_str_z(name)))
				break;
		}
		if (!name || !same_value(t, k + 1, v))
			return false;
	}
	return members == t->tok[obj].count && distinct == json_object_size(j);
}

static bool same_array(const struct cdc_tape *t, uint32_t array, json_t *j)
{
	uint32_t k = cdc_json_first(t, array);
	size_t n = 0;

	for (; k != CDC_JSON_NONE; k = cdc_json_after(t, array, k), n++) {
		if (!same_value(t, k, json_array_get(j, n)))
			return false;
	}
	return n == json_array_size(j) && n == t->tok[array].count;
}

static bool same_value(const struct cdc_tape *t, uint32_t i, json_t *j)
{
	if (!j)
		return false;
	switch ((enum cdc_json_type)t->tok[i].type) {
	case CDC_JSON_NULL:
		return json_is_null(j);
	case CDC_JSON_FALSE:
		return json_is_false(j);
	case CDC_JSON_TRUE:
		return json_is_true(j);
	case CDC_JSON_NUMBER:
		return same_number(t, i, j);
	case CDC_JSON_STRING:
		return json_is_string(j) &&
		       same_string(t, i, json_string_value(j), json_string_length(j));
	case CDC_JSON_ARRAY:
		return json_is_array(j) && same_array(t, i, j);
	case CDC_JSON_OBJECT:
		return json_is_object(j) && same_object(t, i, j);
	}
	return false;
}

static bool ends_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* Compare the two on `text`, which is scanned onto `t`. */
static enum verdict json_verdict(struct cdc_tape *t, struct cdc_str text, struct cdc_err *err)
{
	int rc = cdc_json_scan(t, text, NULL, err);
	enum verdict verdict = WRONG;
	enum json_error_code code;
	json_error_t error;
	json_t *j;

	j = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (j && rc == CDC_OK) {
		if (same_value(t, 0, j))
			verdict = BOTH_ACCEPT;
	} else if (!j && rc == CDC_EDATA) {
		verdict = BOTH_REFUSE;
	} else if (!j && rc == CDC_OK) {
		code = json_error_code(&error);
		if (code == json_error_numeric_overflow || code == json_error_null_byte_in_key)
			verdict = KNOWN_DIFFERENCE;
	} else if (j && rc == CDC_EDATA && err->has_offset) {
		uint64_t at = err->offset;

		if (strcmp(err->msg, "nested too deeply") == 0)
			verdict = KNOWN_DIFFERENCE;
		else if (at > 0 && at < text.n && text.p[at] == '\0' && ends_word(text.p[at - 1]))
			verdict = KNOWN_DIFFERENCE;
	}
	json_decref(j);
	return verdict;
}

#endif
