/* Tapes, names and images of JSON dialects. */
#include "source/json_in.h"

#include <stdlib.h>

int cdc_json_in_init(struct cdc_json_in *j, struct cdc_source *s, struct cdc_str source_type,
		     struct cdc_err *err)
{
	*j = (struct cdc_json_in){ .s = s };
	return cdc_change_init(&j->c, s, source_type, CDC_STR(""), err);
}

void cdc_json_in_free(struct cdc_json_in *j)
{
	cdc_change_free(&j->c);
	cdc_tape_free(&j->tape);
	cdc_buf_free(&j->text);
	cdc_buf_free(&j->id);
	cdc_arena_free(&j->scratch);
	free(j->value);
	free(j->old);
}

int cdc_json_in_scan(struct cdc_json_in *j, struct cdc_str text, const struct cdc_str *names,
		     size_t n, uint32_t *tok, struct cdc_err *err)
{
	int rc = cdc_json_scan(&j->tape, text, NULL, err);

	if (rc < 0)
		return rc;
	if (j->tape.tok[0].type != CDC_JSON_OBJECT)
		return cdc_fail(err, CDC_EDATA, "not a JSON object");
	cdc_json_members(&j->tape, 0, names, n, tok);
	return CDC_OK;
}

struct cdc_str cdc_json_in_text(struct cdc_json_in *j, uint32_t i)
{
	struct cdc_str s = cdc_json_raw(&j->tape, i);
	struct cdc_out *o = &j->s->out;

	if (!j->tape.tok[i].escaped)
		return s;
	cdc_buf_reset(&j->text);
	if (cdc_buf_reserve(&j->text, s.n, &o->err) < 0) {
		if (o->rc == CDC_OK)
			o->rc = o->err.code;
		return CDC_STR("");
	}
	return cdc_str(j->text.p, cdc_json_unescape(s, j->text.p));
}

static int name_table(struct cdc_json_in *j, const uint32_t *part, size_t n,
		      struct cdc_change_table *t, struct cdc_err *err)
{
	struct cdc_str name[4];
	size_t named = 0;
	int rc = CDC_OK;

	cdc_arena_reset(&j->scratch);
	for (size_t i = 0; rc == CDC_OK && i < n; i++) {
		if (part[i] != CDC_JSON_NONE)
			rc = cdc_json_string(&j->tape, part[i], &j->scratch, &name[named++], err);
	}
	return rc < 0 ? rc : cdc_change_name(&j->c, t, name, named, err);
}

int cdc_json_in_table(struct cdc_json_in *j, const uint32_t *part, size_t n,
		      struct cdc_change_table **t, struct cdc_err *err)
{
	int rc = CDC_OK;

	cdc_buf_reset(&j->id);
	for (size_t i = 0; rc == CDC_OK && i < n; i++) {
		if (part[i] != CDC_JSON_NONE)
			rc = cdc_buf_put(&j->id, cdc_json_raw(&j->tape, part[i]), err);
		/* No name holds a bare control character. */
		if (rc == CDC_OK)
			rc = cdc_buf_putc(&j->id, '\n', err);
	}
	if (rc == CDC_OK)
		rc = cdc_change_table(&j->c, cdc_buf_str(&j->id), t, err);
	if (rc == CDC_OK && !(*t)->named)
		rc = name_table(j, part, n, *t, err);
	return rc;
}

int cdc_json_in_names(struct cdc_json_in *j, uint32_t array, struct cdc_str **name, size_t *n,
		      struct cdc_err *err)
{
	*n = 0;
	*name = NULL;
	if (!cdc_json_in_is(j, array, CDC_JSON_ARRAY))
		return CDC_OK;
	*name = cdc_arena_calloc(&j->scratch, j->tape.tok[array].count + 1u, sizeof(**name));
	if (!*name)
		return cdc_fail_nomem(err);
	for (uint32_t i = cdc_json_first(&j->tape, array); i != CDC_JSON_NONE;
	     i = cdc_json_after(&j->tape, array, i)) {
		int rc;

		if (j->tape.tok[i].type != CDC_JSON_STRING)
			return cdc_fail(err, CDC_EDATA, "the key has something that is no name");
		rc = cdc_json_string(&j->tape, i, &j->scratch, &(*name)[(*n)++], err);
		if (rc < 0)
			return rc;
	}
	return CDC_OK;
}

int cdc_json_in_reset(struct cdc_json_in *j, const struct cdc_change_table *t, struct cdc_err *err)
{
	if (t->n > j->cap) {
		uint32_t *value = realloc(j->value, t->n * sizeof(*value));
		uint32_t *old;

		if (!value)
			return cdc_fail_nomem(err);
		j->value = value;
		old = realloc(j->old, t->n * sizeof(*old));
		if (!old)
			return cdc_fail_nomem(err);
		j->old = old;
		j->cap = t->n;
	}
	for (uint32_t i = 0; i < t->n; i++)
		j->value[i] = j->old[i] = CDC_JSON_NONE;
	return CDC_OK;
}

int cdc_json_in_row(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t row,
		    const char *skip, uint32_t *value, uint32_t *unknown, struct cdc_err *err)
{
	size_t skip_n = skip ? strlen(skip) : 0;
	uint32_t hint = 0;

	*unknown = CDC_JSON_NONE;
	for (uint32_t k = cdc_json_first(&j->tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, row, k)) {
		struct cdc_str name = cdc_json_raw(&j->tape, k);
		const struct cdc_change_column *col;

		if (skip_n && name.n >= skip_n && memcmp(name.p, skip, skip_n) == 0)
			continue;
		col = cdc_change_find(t, name, &hint);
		if (!col) {
			*unknown = k;
			return CDC_OK;
		}
		if (value[col - t->col] != CDC_JSON_NONE)
			return cdc_fail(err, CDC_EDATA, "column %.*s comes twice in a row",
					(int)(name.n < 100 ? name.n : 100), name.p);
		value[col - t->col] = k + 1;
	}
	return CDC_OK;
}
