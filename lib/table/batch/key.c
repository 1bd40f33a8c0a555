/*
 * Keys by value. See key.h.
 */
#include "table/batch/key.h"

#include "base/endian.h"

#include <stdlib.h>

static bool is_word_type(enum cdc_type t)
{
	return t <= CDC_TYPE_DOUBLE || t == CDC_TYPE_DATE || t == CDC_TYPE_TIMESTAMP ||
	       t == CDC_TYPE_TIMESTAMP_NTZ;
}

int cdc_key_init(struct cdc_key *k, const struct cdc_schema *schema, const struct cdc_str *name,
		 int num_names, struct cdc_err *err)
{
	*k = (struct cdc_key){ .num_fields = 0 };
	if (num_names <= 0)
		return cdc_fail(err, CDC_EUSAGE, "the key has no columns");
	k->field = calloc((size_t)num_names, sizeof(*k->field));
	if (!k->field)
		return cdc_fail_nomem(err);
	for (int i = 0; i < num_names; i++) {
		int f = cdc_schema_find(schema, name[i]);

		if (f < 0)
			return cdc_fail(err, CDC_EUSAGE, "key column \"%.*s\" is not in the table",
					(int)name[i].n, name[i].p);
		if (!cdc_type_is_primitive(schema->field[f].type))
			return cdc_fail(err, CDC_EUSAGE, "column \"%.*s\" cannot be a key",
					(int)name[i].n, name[i].p);
		for (int j = 0; j < i; j++)
			if (k->field[j] == f)
				return cdc_fail(err, CDC_EUSAGE, "key column \"%.*s\" occurs twice",
						(int)name[i].n, name[i].p);
		k->field[i] = f;
	}
	k->num_fields = num_names;
	k->is_word = num_names == 1 && is_word_type(schema->field[k->field[0]].type);
	return CDC_OK;
}

void cdc_key_free(struct cdc_key *k)
{
	free(k->field);
	*k = (struct cdc_key){ .num_fields = 0 };
}

int cdc_key_put(struct cdc_buf *out, enum cdc_type t, const union cdc_value *v, struct cdc_err *err)
{
	char word[16];
	size_t n = 8;

	if (is_word_type(t)) {
		cdc_put_le64(word, cdc_key_word(t, v));
	} else if (t == CDC_TYPE_DECIMAL) {
		cdc_put_le64(word, (uint64_t)v->dec);
		cdc_put_le64(word + 8, (uint64_t)(v->dec >> 64));
		n = 16;
	} else {
		if (v->s.n > UINT32_MAX)
			return cdc_fail(err, CDC_EDATA, "key of more than 4 GiB");
		cdc_put_le32(word, (uint32_t)v->s.n);
		n = 4;
	}
	if (cdc_buf_append(out, word, n, err))
		return err->code;
	if (n == 4)
		return cdc_buf_append(out, v->s.p, v->s.n, err);
	return CDC_OK;
}

size_t cdc_key_get(struct cdc_str key, enum cdc_type t, union cdc_value *v)
{
	if (t == CDC_TYPE_DECIMAL) {
		v->dec = (cdc_i128)((cdc_u128)cdc_le64(key.p + 8) << 64 | cdc_le64(key.p));
		return 16;
	}
	if (!is_word_type(t)) {
		v->s = cdc_str(key.p + 4, cdc_le32(key.p));
		return 4 + v->s.n;
	}
	if (t == CDC_TYPE_FLOAT || t == CDC_TYPE_DOUBLE)
		memcpy(&v->d, key.p, sizeof(v->d));
	else
		v->i = (int64_t)cdc_le64(key.p);
	return 8;
}

/* ------------------------------------------------------------------ names */

int cdc_key_names(const struct cdc_tape *tape, uint32_t i, struct cdc_arena *arena,
		  struct cdc_str **name, int *n, struct cdc_err *err)
{
	uint32_t count = tape->tok[i].count;

	*n = 0;
	*name = cdc_arena_calloc(arena, (size_t)count + 1, sizeof(**name));
	if (!*name)
		return cdc_fail_nomem(err);
	for (uint32_t e = cdc_json_first(tape, i); e != CDC_JSON_NONE;
	     e = cdc_json_after(tape, i, e)) {
		if (tape->tok[e].type != CDC_JSON_STRING)
			return cdc_fail(err, CDC_EDATA, "the key is not a list of names");
		if (cdc_json_string(tape, e, arena, &(*name)[(*n)++], err))
			return err->code;
	}
	return CDC_OK;
}

int cdc_key_stored(const struct cdc_metadata *m, struct cdc_tape *tape, struct cdc_arena *arena,
		   struct cdc_str **name, int *n, struct cdc_err *err)
{
	struct cdc_str config;
	int rc;

	*n = 0;
	if (!cdc_metadata_config(m, "cdc.key", &config) || !config.n)
		return CDC_OK;
	rc = cdc_json_scan(tape, config, NULL, err);
	if (rc || tape->tok[0].type != CDC_JSON_ARRAY)
		return cdc_fail(err, CDC_ECORRUPT, "table property cdc.key is no list");
	return cdc_key_names(tape, 0, arena, name, n, err);
}
