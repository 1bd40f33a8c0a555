/*
 * The hint _last_checkpoint: whether it leads to a checkpoint, and tells what that holds (spec
 * section 9). A hint may be old, which costs readers a longer way; what it says of the checkpoint
 * that it names must be true.
 */
#include "table/fsck_int.h"

#include "base/md5.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define HINT "_last_checkpoint"
#define HINT_MAX ((size_t)64 << 20) /* it may hold the names of all sidecar files */

/* ------------------------------------------------------------------ its checksum */

struct entries {
	const struct cdc_tape *t;
	struct cdc_arena arena;
	struct cdc_str *entry;
	size_t n;
	size_t cap;
	struct cdc_buf path; /* of the value that is looked at */
	struct cdc_buf text;
};

/* A string in quotes, all but the unreserved characters of URIs as %XX. */
static int put_quoted(struct entries *e, uint32_t tok, struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_str s;
	int rc = cdc_json_string(e->t, tok, &e->arena, &s, err);

	if (!rc)
		rc = cdc_buf_putc(out, '"', err);
	for (size_t i = 0; !rc && i < s.n; i++) {
		char c = s.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || memchr("-._~", c, 4);

		if (plain)
			rc = cdc_buf_putc(out, c, err);
		else
			rc = cdc_buf_printf(out, err, "%%%02X", (unsigned)(unsigned char)c);
	}
	return rc ? rc : cdc_buf_putc(out, '"', err);
}

static int add_entry(struct entries *e, uint32_t tok, struct cdc_err *err)
{
	bool string = e->t->tok[tok].type == CDC_JSON_STRING;
	struct cdc_str text;
	int rc;

	cdc_buf_reset(&e->text);
	rc = cdc_buf_put(&e->text, cdc_buf_str(&e->path), err);
	if (!rc)
		rc = cdc_buf_putc(&e->text, '=', err);
	if (!rc)
		rc = string ? put_quoted(e, tok, &e->text, err)
			    : cdc_buf_put(&e->text, cdc_json_raw(e->t, tok), err);
	if (rc)
		return rc;
	if (e->n == e->cap) {
		size_t cap = e->cap ? e->cap * 2 : 64;
		struct cdc_str *grown = reallocarray(e->entry, cap, sizeof(*grown));

		if (!grown)
			return cdc_fail_nomem(err);
		e->entry = grown;
		e->cap = cap;
	}
	text = cdc_buf_str(&e->text);
	text.p = cdc_arena_dup(&e->arena, text.p, text.n);
	if (!text.p)
		return cdc_fail_nomem(err);
	e->entry[e->n++] = text;
	return CDC_OK;
}

/* Depth is bounded by the scanner. */
static int flatten(struct entries *e, uint32_t value, struct cdc_err *err)
{
	const struct cdc_tape *t = e->t;
	bool object = t->tok[value].type == CDC_JSON_OBJECT;
	unsigned index = 0;
	int rc = CDC_OK;

	if (!object && t->tok[value].type != CDC_JSON_ARRAY)
		return add_entry(e, value, err);
	for (uint32_t i = cdc_json_first(t, value); !rc && i != CDC_JSON_NONE;
	     i = cdc_json_after(t, value, i), index++) {
		size_t len = e->path.len;

		if (object && value == 0 && cdc_json_is(t, i, CDC_STR("checksum")))
			continue;
		if (len)
			rc = cdc_buf_putc(&e->path, '+', err);
		if (!rc)
			rc = object ? put_quoted(e, i, &e->path, err)
				    : cdc_buf_printf(&e->path, err, "%u", index);
		if (!rc)
			rc = flatten(e, object ? i + 1 : i, err);
		e->path.len = len;
	}
	return rc;
}

static int compare_entries(const void *a, const void *b)
{
	return cdc_str_cmp(*(const struct cdc_str *)a, *(const struct cdc_str *)b);
}

int fsck_hint_digest(const struct cdc_tape *t, char out[33], struct cdc_err *err)
{
	struct entries e = { .t = t };
	int rc = flatten(&e, 0, err);

	if (!rc && e.n)
		qsort(e.entry, e.n, sizeof(*e.entry), compare_entries);
	cdc_buf_reset(&e.text);
	for (size_t i = 0; !rc && i < e.n; i++) {
		if (i)
			rc = cdc_buf_putc(&e.text, ',', err);
		if (!rc)
			rc = cdc_buf_put(&e.text, e.entry[i], err);
	}
	if (!rc)
		cdc_md5_hex(e.text.p, e.text.len, out);
	cdc_arena_free(&e.arena);
	cdc_buf_free(&e.path);
	cdc_buf_free(&e.text);
	free(e.entry);
	return rc;
}

/* ------------------------------------------------------------------ what it says */

struct hint {
	struct fsck *k;
	struct cdc_tape tape;
	struct fsck_place at;
	struct cdc_log_checkpoint cp;
	int64_t num_actions; /* of the checkpoint */
	int64_t num_adds;
	int64_t bytes;
};

static int count_action(void *ctx, const struct cdc_action *a, struct cdc_err *err)
{
	struct hint *h = ctx;

	(void)err;
	h->num_actions++;
	h->num_adds += a->kind == CDC_ACT_ADD;
	return CDC_OK;
}

static int count_bytes(struct hint *h, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < h->cp.num_files; i++) {
		const char *path;
		struct stat st;

		rc = cdc_log_path(h->k->table, h->cp.file[i].name, &arena, &path, err);
		if (!rc && h->k->io->stat(h->k->io->ctx, path, &st) < 0)
			rc = cdc_fail_errno(err, errno, "cannot stat %s", path);
		if (!rc)
			h->bytes += (int64_t)st.st_size;
	}
	cdc_arena_free(&arena);
	return rc;
}

static int check_number(struct hint *h, const char *member, int64_t is, struct cdc_err *err)
{
	uint32_t v = cdc_json_get(&h->tape, 0, member);
	int64_t said;

	if (v == CDC_JSON_NONE || h->tape.tok[v].type == CDC_JSON_NULL ||
	    (cdc_json_int64(&h->tape, v, &said) && said == is))
		return CDC_OK;
	return fsck_report(h->k, FSCK_HINT, h->at, err,
			   "%s is %.*s, and the checkpoint has %" PRId64, member,
			   FSCK_SHOWN(cdc_json_raw(&h->tape, v)), is);
}

/* What a checkpoint of version 2 counts as its size writers do not agree on. */
static int check_numbers(struct hint *h, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	const struct fsck *k = h->k;
	bool v2 = h->cp.file[0].kind == CDC_LOG_CHECKPOINT_V2 ||
		  (k->s && cdc_protocol_has_feature(&k->s->protocol, "v2Checkpoint"));
	int rc = cdc_checkpoint_read(k->io, k->table, &h->cp, count_action, h, &why);

	if (rc && !fsck_is_finding(&why)) {
		*err = why;
		return rc;
	}
	if (rc)
		return CDC_OK; /* it was told where the checkpoint was read */
	rc = count_bytes(h, err);
	if (!rc)
		rc = check_number(h, "numOfAddFiles", h->num_adds, err);
	if (!rc && !v2)
		rc = check_number(h, "size", h->num_actions, err);
	if (!rc && !v2)
		rc = check_number(h, "sizeInBytes", h->bytes, err);
	if (!rc && h->cp.file[0].kind == CDC_LOG_CHECKPOINT_PART)
		rc = check_number(h, "parts", h->cp.file[0].parts, err);
	return rc;
}

static int check_version(struct hint *h, struct cdc_err *err)
{
	uint32_t v = cdc_json_get(&h->tape, 0, "version");
	struct fsck *k = h->k;
	size_t at = k->list.n;

	if (v == CDC_JSON_NONE || !cdc_json_int64(&h->tape, v, &h->at.version))
		return fsck_report(k, FSCK_HINT, h->at, err, "it names no version");
	if (!cdc_log_checkpoint_before(&k->list, h->at.version, &at, &h->cp) ||
	    h->cp.version != h->at.version)
		return fsck_report(k, FSCK_HINT, h->at, err,
				   "there is no whole checkpoint of the version that it names");
	if (k->newest_checkpoint > h->at.version &&
	    fsck_report(k, FSCK_HINT_OLD, h->at, err,
			"there is a newer checkpoint, of version %" PRId64, k->newest_checkpoint))
		return err->code;
	return check_numbers(h, err);
}

static int check_digest(struct hint *h, struct cdc_err *err)
{
	uint32_t v = cdc_json_get(&h->tape, 0, "checksum");
	char digest[33];
	int rc;

	if (v == CDC_JSON_NONE || h->tape.tok[v].type == CDC_JSON_NULL)
		return CDC_OK;
	rc = fsck_hint_digest(&h->tape, digest, err);
	if (!rc && !cdc_json_is(&h->tape, v, cdc_str_z(digest)))
		rc = fsck_report(h->k, FSCK_HINT, h->at, err,
				 "its checksum is not that of its content, %s", digest);
	return rc;
}

static int check_text(struct hint *h, struct cdc_str text, struct cdc_err *err)
{
	struct cdc_err why = CDC_ERR_INIT;
	int rc = cdc_json_scan(&h->tape, text, NULL, &why);

	if (rc == CDC_EDATA || (!rc && h->tape.tok[0].type != CDC_JSON_OBJECT))
		return fsck_report(h->k, FSCK_HINT, h->at, err, "it is no JSON object");
	if (rc) {
		*err = why;
		return rc;
	}
	rc = check_digest(h, err);
	return rc ? rc : check_version(h, err);
}

int fsck_hint(struct fsck *k, struct cdc_err *err)
{
	struct hint h = {
		.k = k, .tape = CDC_TAPE_INIT, .at = { CDC_STR(HINT), -1 }, .num_actions = 0
	};
	struct cdc_buf text = CDC_BUF_INIT_MAX(HINT_MAX);
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err why = CDC_ERR_INIT;
	const char *path;
	int rc = cdc_log_path(k->table, HINT, &arena, &path, err);

	if (rc)
		goto out;
	rc = cdc_log_read_file(k->io, path, &text, &why);
	if (rc == CDC_EIO && why.sys_errno == ENOENT) {
		rc = CDC_OK;
		goto out;
	}
	rc = rc ? fsck_report_err(k, FSCK_HINT, h.at, &why, err)
		: check_text(&h, cdc_buf_str(&text), err);
	if (!rc)
		rc = fsck_side_file(k, path, h.at, err);
out:
	cdc_arena_free(&arena);
	cdc_tape_free(&h.tape);
	cdc_buf_free(&text);
	return rc;
}
