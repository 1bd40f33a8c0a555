/*
 * JSON actions to structs, by the tables of action_table.c. A commit is read as a stream of JSON
 * documents: writers exist that break an action over lines (spec section 2).
 */
#include "delta/log_int.h"
#include "delta/stats.h"

#include "base/value.h"

struct parser {
	struct cdc_tape *tape;
	struct cdc_arena *arena;
	struct cdc_err *err;
};

static int wrong_type(struct parser *p, uint32_t tok, const char *name)
{
	cdc_fail(p->err, CDC_ECORRUPT, "member %s is of the wrong type", name);
	cdc_err_offset(p->err, p->tape->tok[tok].off);
	return CDC_ECORRUPT;
}

/* Integers may be written by others as 12.0 or 1e3; nothing passes through a double. */
static bool integer(const struct cdc_tape *t, uint32_t tok, int64_t *out)
{
	return t->tok[tok].type == CDC_JSON_NUMBER &&
	       cdc_int64_parse(cdc_json_raw(t, tok), out) == CDC_PARSE_OK;
}

/* A string, or the text of another scalar: maps of the log hold strings, but not in every writer's
 * hands. */
static int text_of(struct parser *p, uint32_t tok, struct cdc_str *out)
{
	if (p->tape->tok[tok].type == CDC_JSON_NULL) {
		*out = (struct cdc_str)CDC_STR_INIT;
		return CDC_OK;
	}
	if (p->tape->tok[tok].type == CDC_JSON_STRING)
		return cdc_json_string(p->tape, tok, p->arena, out, p->err);
	*out = cdc_json_raw(p->tape, tok);
	return CDC_OK;
}

static int read_map(struct parser *p, uint32_t obj, struct cdc_kv **out, int *count)
{
	const struct cdc_tape *t = p->tape;
	struct cdc_kv *kv = cdc_arena_calloc(p->arena, t->tok[obj].count, sizeof(*kv));
	int n = 0;

	if (!kv && t->tok[obj].count)
		return cdc_fail_nomem(p->err);
	for (uint32_t i = cdc_json_first(t, obj); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, obj, i)) {
		int rc = cdc_json_string(t, i, p->arena, &kv[n].key, p->err);

		if (!rc)
			rc = text_of(p, i + 1, &kv[n].value);
		if (rc)
			return rc;
		n++;
	}
	*out = kv;
	*count = n;
	return CDC_OK;
}

static int read_list(struct parser *p, uint32_t arr, struct cdc_str **out, int *count)
{
	const struct cdc_tape *t = p->tape;
	struct cdc_str *s = cdc_arena_calloc(p->arena, t->tok[arr].count, sizeof(*s));
	int n = 0;

	if (!s && t->tok[arr].count)
		return cdc_fail_nomem(p->err);
	for (uint32_t i = cdc_json_first(t, arr); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, arr, i)) {
		int rc;

		if (t->tok[i].type != CDC_JSON_STRING)
			return wrong_type(p, i, "of a list");
		rc = cdc_json_string(t, i, p->arena, &s[n++], p->err);
		if (rc)
			return rc;
	}
	*out = s;
	*count = n;
	return CDC_OK;
}

static int read_object(struct parser *p, uint32_t obj, const struct cdc_member *member, int num,
		       void *body, uint32_t *seen);

static int read_dv(struct parser *p, uint32_t obj, void *to)
{
	uint32_t seen;
	int rc = read_object(p, obj, cdc_dv_member, CDC_DV_NUM_MEMBERS, to, &seen);

	if (rc)
		return rc;
	for (int i = 0; i < CDC_DV_NUM_MEMBERS; i++) {
		if (cdc_dv_member[i].required && !(seen >> i & 1))
			return cdc_fail(p->err, CDC_ECORRUPT, "deletionVector without %s",
					cdc_dv_member[i].name);
	}
	return CDC_OK;
}

static int read_storage(struct parser *p, uint32_t tok, char *to)
{
	struct cdc_str s = cdc_json_raw(p->tape, tok);

	if (s.n != 1 || !memchr("uip", s.p[0], 3))
		return cdc_fail(p->err, CDC_ECORRUPT, "unknown deletion vector storage type");
	*to = s.p[0];
	return CDC_OK;
}

static int read_stats_count(struct parser *p, uint32_t tok, int64_t *to)
{
	struct cdc_str s;
	int rc = cdc_json_string(p->tape, tok, p->arena, &s, p->err);

	if (!rc)
		*to = cdc_stats_num_records(s);
	return rc;
}

/* Which JSON types a member may have. */
static bool type_fits(enum cdc_member_type m, uint8_t json)
{
	switch (m) {
	case CDC_M_STRING:
	case CDC_M_COUNT_STATS:
	case CDC_M_STORAGE:
		return json == CDC_JSON_STRING;
	case CDC_M_INT64:
	case CDC_M_INT32:
		return json == CDC_JSON_NUMBER;
	case CDC_M_BOOL:
		return json == CDC_JSON_TRUE || json == CDC_JSON_FALSE;
	case CDC_M_MAP:
	case CDC_M_TAGS:
	case CDC_M_DV:
		return json == CDC_JSON_OBJECT;
	case CDC_M_LIST:
		return json == CDC_JSON_ARRAY;
	case CDC_M_EXTENDED:
	case CDC_M_FORMAT:
		break;
	}
	return true;
}

static int read_member(struct parser *p, uint32_t v, const struct cdc_member *m, void *body)
{
	void *to = cdc_member_to(body, m->at);
	int64_t n = 0;

	if (!type_fits(m->type, p->tape->tok[v].type))
		return wrong_type(p, v, m->name);
	if (m->flag_at != CDC_M_NO_FLAG)
		*(bool *)cdc_member_to(body, m->flag_at) = true;
	switch (m->type) {
	case CDC_M_STRING:
		return cdc_json_string(p->tape, v, p->arena, to, p->err);
	case CDC_M_INT64:
	case CDC_M_INT32:
		if (!integer(p->tape, v, &n) ||
		    (m->type == CDC_M_INT32 && (n < INT32_MIN || n > INT32_MAX)))
			return wrong_type(p, v, m->name);
		if (m->type == CDC_M_INT32)
			*(int32_t *)to = (int32_t)n;
		else
			*(int64_t *)to = n;
		break;
	case CDC_M_BOOL:
		*(bool *)to = p->tape->tok[v].type == CDC_JSON_TRUE;
		break;
	case CDC_M_MAP:
		return read_map(p, v, to, cdc_member_to(body, m->count_at));
	case CDC_M_LIST:
		return read_list(p, v, to, cdc_member_to(body, m->count_at));
	case CDC_M_TAGS:
		*(struct cdc_str *)to = cdc_json_raw(p->tape, v);
		break;
	case CDC_M_COUNT_STATS:
		return read_stats_count(p, v, to);
	case CDC_M_STORAGE:
		return read_storage(p, v, to);
	case CDC_M_DV:
		return read_dv(p, v, to);
	case CDC_M_EXTENDED:
	case CDC_M_FORMAT:
		break;
	}
	return CDC_OK;
}

static int member_index(const struct cdc_member *member, int num, struct cdc_str key)
{
	for (int i = 0; i < num; i++) {
		if (cdc_str_eqz(key, member[i].name))
			return i;
	}
	return -1;
}

/* Members that are null are absent; unknown ones are passed over. */
static int read_object(struct parser *p, uint32_t obj, const struct cdc_member *member, int num,
		       void *body, uint32_t *seen)
{
	const struct cdc_tape *t = p->tape;

	*seen = 0;
	for (uint32_t i = cdc_json_first(t, obj); i != CDC_JSON_NONE;
	     i = cdc_json_after(t, obj, i)) {
		struct cdc_str key;
		int m, rc = cdc_json_string(t, i, p->arena, &key, p->err);

		if (rc)
			return rc;
		m = member_index(member, num, key);
		if (m < 0 || t->tok[i + 1].type == CDC_JSON_NULL)
			continue;
		rc = read_member(p, i + 1, &member[m], body);
		if (rc)
			return rc;
		*seen |= UINT32_C(1) << m;
	}
	return CDC_OK;
}

/* commitInfo is free in form (spec section 3): what has an unexpected type is not there. */
static int read_info(struct parser *p, uint32_t obj, struct cdc_commit_info *out)
{
	const struct cdc_tape *t = p->tape;
	uint32_t v;

	memset(out, 0, sizeof(*out));
	out->raw = cdc_json_raw(t, obj);
	v = cdc_json_get(t, obj, "isBlindAppend");
	out->is_blind_append = v != CDC_JSON_NONE && t->tok[v].type == CDC_JSON_TRUE;
	v = cdc_json_get(t, obj, "inCommitTimestamp");
	out->has_in_commit_timestamp =
		v != CDC_JSON_NONE && integer(t, v, &out->in_commit_timestamp_ms);
	v = cdc_json_get(t, obj, "txnId");
	if (v != CDC_JSON_NONE && t->tok[v].type == CDC_JSON_STRING)
		return cdc_json_string(t, v, p->arena, &out->txn_id, p->err);
	return CDC_OK;
}

static int read_action(struct parser *p, uint32_t key_tok, struct cdc_action *a, bool *known)
{
	const struct cdc_tape *t = p->tape;
	struct cdc_str key;
	uint32_t seen;
	int kind, rc = cdc_json_string(t, key_tok, p->arena, &key, p->err);

	*known = false;
	if (rc || t->tok[key_tok + 1].type == CDC_JSON_NULL)
		return rc;
	for (kind = 0; kind < CDC_ACT_NUM_TABLES; kind++) {
		if (cdc_str_eqz(key, cdc_action_def[kind].name))
			break;
	}
	if (kind == CDC_ACT_NUM_TABLES && !cdc_str_eqz(key, "commitInfo"))
		return CDC_OK;
	if (t->tok[key_tok + 1].type != CDC_JSON_OBJECT)
		return wrong_type(p, key_tok + 1, "of an action");
	*known = true;
	cdc_action_init(a, (enum cdc_action_kind)kind);
	if (a->kind == CDC_ACT_COMMIT_INFO)
		return read_info(p, key_tok + 1, &a->u.info);
	rc = read_object(p, key_tok + 1, cdc_action_def[kind].member,
			 cdc_action_def[kind].num_members, &a->u, &seen);
	if (rc)
		return rc;
	return cdc_action_finish(a, seen, p->err);
}

static int read_document(struct parser *p, cdc_action_fn *each, void *ctx)
{
	const struct cdc_tape *t = p->tape;

	if (t->tok[0].type != CDC_JSON_OBJECT)
		return cdc_fail(p->err, CDC_ECORRUPT, "an action that is not a JSON object");
	for (uint32_t i = cdc_json_first(t, 0); i != CDC_JSON_NONE; i = cdc_json_after(t, 0, i)) {
		struct cdc_action a;
		bool known;
		int rc = read_action(p, i, &a, &known);

		if (!rc && known)
			rc = each(ctx, &a, p->err);
		if (rc)
			return rc;
	}
	return CDC_OK;
}

/* Editors of Windows leave a byte order mark, which is no part of the text. */
static size_t bom_length(struct cdc_str text)
{
	return text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

int cdc_actions_parse(struct cdc_tape *tape, struct cdc_str text, struct cdc_arena *arena,
		      cdc_action_fn *each, void *ctx, struct cdc_err *err)
{
	struct parser p = { tape, arena, err };
	size_t at = bom_length(text);

	while (at < text.n) {
		size_t left = text.n - at;
		bool cut = left > CDC_LOG_ACTION_MAX;
		struct cdc_str rest = cdc_str(text.p + at, cut ? CDC_LOG_ACTION_MAX : left);
		size_t used = 0;
		int rc;

		err->has_offset = false;
		rc = cdc_json_scan(tape, rest, &used, err);
		if (rc == CDC_END && !cut)
			break;
		if (cut && (rc == CDC_EDATA || rc == CDC_END))
			cdc_fail(err, CDC_ECORRUPT, "an action of more than %zu MiB",
				 CDC_LOG_ACTION_MAX >> 20);
		else if (rc == CDC_EDATA)
			err->code = CDC_ECORRUPT;
		else if (!rc)
			rc = read_document(&p, each, ctx);
		if (rc) {
			err->offset = (err->has_offset ? err->offset : 0) + at;
			err->has_offset = err->code == CDC_ECORRUPT;
			return err->code;
		}
		at += used;
	}
	return CDC_OK;
}

enum cdc_info_found cdc_commit_info_first(struct cdc_str text, struct cdc_arena *arena,
					  struct cdc_commit_info *out)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct parser p = { &tape, arena, &err };
	enum cdc_info_found found = CDC_INFO_CUT;
	size_t used, skip = bom_length(text);

	text = cdc_str(text.p + skip, text.n - skip);
	if (cdc_json_scan(&tape, text, &used, &err) == CDC_OK) {
		uint32_t v = cdc_json_get(&tape, 0, "commitInfo");

		found = CDC_INFO_NONE;
		if (v != CDC_JSON_NONE && tape.tok[v].type == CDC_JSON_OBJECT &&
		    read_info(&p, v, out) == CDC_OK)
			found = CDC_INFO_FOUND;
	}
	cdc_tape_free(&tape);
	return found;
}
