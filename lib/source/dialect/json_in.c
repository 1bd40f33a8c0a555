/* Tapes, names and images of JSON dialects. */
#include "source/dialect/json_in.h"
#include "source/mysql/truncate.h"

#include "base/value.h"
#include "source/value/zone.h"

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
	cdc_map_free(&j->names);
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

struct cdc_change_column *cdc_json_in_column(const struct cdc_json_in *j,
					     struct cdc_change_table *t, uint32_t k, uint32_t *hint)
{
	if (!cdc_json_in_tok(j, k)->escaped)
		return cdc_change_find(t, cdc_json_in_raw(j, k), hint);
	/* Go's and other writers escape more than JSON must. */
	for (uint32_t i = *hint, looked = 0; looked < t->n; i++, looked++) {
		if (i >= t->n)
			i = 0;
		if (cdc_json_is(&j->tape, k, t->col[i].name)) {
			*hint = i + 1;
			return &t->col[i];
		}
	}
	return NULL;
}

static bool is_skipped(struct cdc_json_in *j, uint32_t k, const char *skip)
{
	size_t n = skip ? strlen(skip) : 0;
	struct cdc_str name;

	if (!n)
		return false;
	name = cdc_json_in_text(j, k);
	return name.n >= n && memcmp(name.p, skip, n) == 0;
}

static int comes_twice(struct cdc_str name, struct cdc_err *err)
{
	return cdc_fail(err, CDC_EDATA, "column %.*s comes twice in a row",
			(int)(name.n < 100 ? name.n : 100), name.p);
}

int cdc_json_in_row(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t row,
		    const char *skip, uint32_t *value, uint32_t *unknown, struct cdc_err *err)
{
	uint32_t hint = 0;

	*unknown = CDC_JSON_NONE;
	for (uint32_t k = cdc_json_first(&j->tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, row, k)) {
		const struct cdc_change_column *col;

		if (is_skipped(j, k, skip))
			continue;
		col = cdc_json_in_column(j, t, k, &hint);
		if (!col) {
			*unknown = k;
			return CDC_OK;
		}
		if (value[col - t->col] != CDC_JSON_NONE)
			return comes_twice(cdc_json_raw(&j->tape, k), err);
		value[col - t->col] = k + 1;
	}
	return CDC_OK;
}

static struct cdc_change_column *find_name(struct cdc_change_table *t, struct cdc_str name,
					   uint32_t *hint)
{
	for (uint32_t i = *hint, looked = 0; looked < t->n; i++, looked++) {
		if (i >= t->n)
			i = 0;
		if (cdc_str_eq(t->col[i].name, name)) {
			*hint = i + 1;
			return &t->col[i];
		}
	}
	return NULL;
}

int cdc_json_in_note(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t k, size_t cut,
		     uint32_t *hint, uint32_t *value, struct cdc_err *err)
{
	struct cdc_str all = cdc_json_in_text(j, k), name = cdc_str(all.p + cut, all.n - cut);
	const struct cdc_change_column *col = find_name(t, name, hint);

	if (!col)
		return cdc_fail(err, CDC_EDATA, "there is no column %.*s",
				(int)(name.n < 100 ? name.n : 100), name.p);
	if (value[col - t->col] != CDC_JSON_NONE)
		return comes_twice(name, err);
	value[col - t->col] = k + 1;
	return CDC_OK;
}

/* --- rows by themselves ------------------------------------------------- */

static bool covers(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t row,
		   const char *skip)
{
	uint32_t hint = 0;

	if (!cdc_json_in_is(j, row, CDC_JSON_OBJECT))
		return true;
	for (uint32_t k = cdc_json_first(&j->tape, row); k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, row, k)) {
		if (!is_skipped(j, k, skip) && !cdc_json_in_column(j, t, k, &hint))
			return false;
	}
	return true;
}

int cdc_json_in_grow(struct cdc_json_in *j, const struct cdc_change_table *t, size_t known,
		     size_t more, struct cdc_err *err)
{
	size_t most = CDC_CHANGE_COLUMNS_MAX;
	int rc = CDC_OK;

	j->n_col = 0;
	cdc_map_clear(&j->names);
	j->col = cdc_arena_calloc(&j->scratch, (more < most - known ? known + more : most) + 1,
				  sizeof(*j->col));
	if (!j->col)
		return cdc_fail_nomem(err);
	for (size_t i = 0; rc == CDC_OK && i < known; i++) {
		rc = cdc_json_in_add(j, t->col[i].name, err);
		j->col[i] = t->col[i];
	}
	return rc;
}

int cdc_json_in_add(struct cdc_json_in *j, struct cdc_str name, struct cdc_err *err)
{
	uint64_t hash = cdc_hash64(name.p, name.n);
	struct cdc_map_iter it = cdc_map_seek(&j->names, hash);
	uint32_t i;

	while (cdc_map_next(&j->names, &it, &i)) {
		if (cdc_str_eq(j->col[i].name, name))
			return CDC_OK;
	}
	if (j->n_col == CDC_CHANGE_COLUMNS_MAX)
		return cdc_fail(err, CDC_EDATA, "more than %u columns", CDC_CHANGE_COLUMNS_MAX);
	j->col[j->n_col].name = name;
	return cdc_map_insert(&j->names, hash, (uint32_t)j->n_col++, err);
}

int cdc_json_in_define(struct cdc_json_in *j, struct cdc_change_table *t, const struct cdc_str *key,
		       size_t n_key, struct cdc_err *err)
{
	return cdc_change_define(&j->c, t, CDC_STR(""), j->col, j->n_col, key, n_key, err);
}

static int add_names(struct cdc_json_in *j, uint32_t row, const char *skip, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!cdc_json_in_is(j, row, CDC_JSON_OBJECT))
		return CDC_OK;
	for (uint32_t k = cdc_json_first(&j->tape, row); rc == CDC_OK && k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, row, k)) {
		struct cdc_str name;

		if (is_skipped(j, k, skip))
			continue;
		rc = cdc_json_string(&j->tape, k, &j->scratch, &name, err);
		if (rc == CDC_OK)
			rc = cdc_json_in_add(j, name, err);
	}
	return rc;
}

static size_t count(const struct cdc_json_in *j, uint32_t row)
{
	return cdc_json_in_is(j, row, CDC_JSON_OBJECT) ? cdc_json_in_tok(j, row)->count : 0;
}

static int add_columns(struct cdc_json_in *j, struct cdc_change_table *t,
		       const struct cdc_json_row *row, struct cdc_err *err)
{
	const struct cdc_str *key = row->n_key || !t->defined ? row->key : t->key;
	size_t n_key = row->n_key || !t->defined ? row->n_key : t->n_key;
	int rc = cdc_json_in_grow(j, t, t->defined ? t->n : 0,
				  count(j, row->before) + count(j, row->after), err);

	if (rc == CDC_OK)
		rc = add_names(j, row->after, row->skip, err);
	if (rc == CDC_OK)
		rc = add_names(j, row->before, row->skip, err);
	return rc < 0 ? rc : cdc_json_in_define(j, t, key, n_key, err);
}

/* A message that will be rejected must not leave its columns in the table. */
static int check_once(struct cdc_json_in *j, uint32_t row, struct cdc_err *err)
{
	uint32_t twice = CDC_JSON_NONE;
	int rc = CDC_OK;

	if (cdc_json_in_is(j, row, CDC_JSON_OBJECT))
		rc = cdc_json_duplicate(&j->tape, row, &twice, err);
	if (rc == CDC_OK && twice != CDC_JSON_NONE)
		rc = comes_twice(cdc_json_raw(&j->tape, twice), err);
	return rc;
}

int cdc_json_in_columns(struct cdc_json_in *j, struct cdc_change_table *t,
			const struct cdc_json_row *row, struct cdc_err *err)
{
	int rc;

	if (t->defined && (row->n_key == 0 || cdc_change_has_key(t, row->key, row->n_key)) &&
	    covers(j, t, row->after, row->skip) && covers(j, t, row->before, row->skip))
		return CDC_OK;
	rc = check_once(j, row->after, err);
	if (rc == CDC_OK)
		rc = check_once(j, row->before, err);
	return rc < 0 ? rc : add_columns(j, t, row, err);
}

int cdc_json_in_object(struct cdc_json_in *j, struct cdc_change_table *t, uint32_t row,
		       const char *skip, uint32_t *value, struct cdc_err *err)
{
	uint32_t unknown = CDC_JSON_NONE;
	int rc = CDC_OK;

	if (cdc_json_in_is(j, row, CDC_JSON_OBJECT))
		rc = cdc_json_in_row(j, t, row, skip, value, &unknown, err);
	if (rc == CDC_OK && unknown != CDC_JSON_NONE)
		rc = cdc_fail(err, CDC_EDATA, "a row has a column that its table has not");
	return rc;
}

void cdc_json_in_put(struct cdc_json_in *j, uint32_t tok)
{
	if (cdc_json_in_is(j, tok, CDC_JSON_NULL))
		cdc_out_lit(&j->s->out, "null");
	else
		cdc_out_quoted(&j->s->out, cdc_json_in_text(j, tok));
}

void cdc_json_in_image(struct cdc_json_in *j, const struct cdc_change_table *t,
		       const struct cdc_json_row *row, const uint32_t *value)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (value[i] == CDC_JSON_NONE)
			continue;
		cdc_change_value(&j->c, &t->col[i]);
		if (row->put && !cdc_json_in_is(j, value[i], CDC_JSON_NULL))
			row->put(row->ctx, &t->col[i], value[i]);
		else
			cdc_json_in_put(j, value[i]);
	}
}

int cdc_json_in_put_row(struct cdc_json_in *j, struct cdc_change_table *t,
			const struct cdc_json_row *row, const struct cdc_message *m,
			struct cdc_err *err)
{
	int rc;

	if (!t->keep) {
		j->s->counts.skipped++;
		return CDC_OK;
	}
	rc = cdc_json_in_columns(j, t, row, err);
	if (rc == CDC_OK)
		rc = cdc_json_in_reset(j, t, err);
	if (rc == CDC_OK)
		rc = cdc_json_in_object(j, t, row->before, row->skip, j->old, err);
	if (rc == CDC_OK)
		rc = cdc_json_in_object(j, t, row->after, row->skip, j->value, err);
	if (rc < 0)
		return rc;
	cdc_change_begin(&j->c, t, row->type, cdc_change_id(&j->c, m), row->has_time, row->time_us);
	if (row->tags)
		row->tags(row->ctx);
	cdc_change_images(&j->c, t);
	cdc_json_in_image(j, t, row, j->old);
	cdc_change_after(&j->c);
	cdc_json_in_image(j, t, row, j->value);
	return cdc_change_end(&j->c, m, err);
}

bool cdc_json_in_time(struct cdc_json_in *j, uint32_t tok, int64_t unit_us, int64_t *us)
{
	bool zoned;

	if (cdc_json_in_is(j, tok, CDC_JSON_NUMBER)) {
		if (!cdc_json_int64(&j->tape, tok, us) || *us <= 0 || *us > INT64_MAX / unit_us)
			return false;
		*us *= unit_us;
		return true;
	}
	if (!cdc_json_in_is(j, tok, CDC_JSON_STRING) ||
	    cdc_timestamp_parse(cdc_json_in_text(j, tok), false, us, &zoned) != CDC_PARSE_OK)
		return false;
	if (!zoned && j->s->opt.zone) {
		int64_t part = (*us % 1000000 + 1000000) % 1000000;

		*us = cdc_zone_to_utc(j->s->opt.zone, (*us - part) / 1000000) * 1000000 + part;
	}
	return true;
}

bool cdc_json_in_seconds(struct cdc_json_in *j, uint32_t tok, int64_t *us)
{
	struct cdc_str s = cdc_json_in_raw(j, tok);
	int64_t v = 0;

	if (!cdc_json_in_is(j, tok, CDC_JSON_STRING))
		return cdc_json_in_time(j, tok, s.n > 10 ? 1000 : 1000000, us);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || v > INT64_MAX / 100)
			return cdc_json_in_time(j, tok, 1000, us);
		v = v * 10 + (s.p[i] - '0');
	}
	if (v <= 0 || s.n >= 15)
		return false;
	*us = s.n > 10 ? v * 1000 : v * 1000000;
	return true;
}

int cdc_json_in_truncate(struct cdc_json_in *j, const struct cdc_json_row *row, struct cdc_str sql,
			 uint32_t db, const struct cdc_message *m, struct cdc_err *err)
{
	struct cdc_buf name = CDC_BUF_INIT;
	struct cdc_str given_in = CDC_STR("");
	bool yes = false;
	int rc = CDC_OK;

	if (cdc_json_in_is(j, db, CDC_JSON_STRING))
		rc = cdc_json_string(&j->tape, db, &j->scratch, &given_in, err);
	if (rc == CDC_OK)
		rc = cdc_truncated_table(sql, given_in, &name, &yes, err);
	if (rc < 0 || !yes || !cdc_source_keeps(j->s, name.p, false))
		goto out;
	cdc_change_begin_named(&j->c, cdc_buf_str(&name), "TRUNCATE", cdc_change_id(&j->c, m),
			       row->has_time, row->time_us);
	row->tags(row->ctx);
	cdc_change_ddl(&j->c, (struct cdc_str)CDC_STR_INIT);
	rc = cdc_change_end(&j->c, m, err);
out:
	cdc_buf_free(&name);
	return rc;
}

static bool is_listed(struct cdc_str name, const char *const *list)
{
	for (; list && *list; list++) {
		if (cdc_str_eqz(name, *list))
			return true;
	}
	return false;
}

/* A record with a member twice would be read by others as they like. */
static bool has_twice(struct cdc_json_in *j, uint32_t object)
{
	struct cdc_out *o = &j->s->out;
	uint32_t twice = CDC_JSON_NONE;
	struct cdc_str name;

	if (o->rc == CDC_OK)
		o->rc = cdc_json_duplicate(&j->tape, object, &twice, &o->err);
	if (twice == CDC_JSON_NONE)
		return o->rc < 0;
	name = cdc_json_raw(&j->tape, twice);
	cdc_out_fail(o, "tag %.*s comes twice", (int)(name.n < 100 ? name.n : 100), name.p);
	return true;
}

void cdc_json_in_tags(struct cdc_json_in *j, uint32_t object, const char *const *skip)
{
	if (!cdc_json_in_is(j, object, CDC_JSON_OBJECT) || has_twice(j, object))
		return;
	for (uint32_t k = cdc_json_first(&j->tape, object); k != CDC_JSON_NONE;
	     k = cdc_json_after(&j->tape, object, k)) {
		enum cdc_json_type type = (enum cdc_json_type)j->tape.tok[k + 1].type;
		struct cdc_str name = cdc_json_in_text(j, k);

		if (type == CDC_JSON_NULL || type == CDC_JSON_ARRAY || type == CDC_JSON_OBJECT ||
		    j->tape.tok[k + 1].len == 0 || is_listed(name, skip))
			continue;
		cdc_change_tag_raw(&j->c, name, cdc_json_raw(&j->tape, k + 1));
	}
}
