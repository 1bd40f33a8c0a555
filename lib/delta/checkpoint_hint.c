/*
 * The hint _last_checkpoint and its checksum. See checkpoint_hint.h.
 */
#include "delta/checkpoint_hint.h"

#include <inttypes.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ the checksum */

/* "path=value" of every value, one behind the other. */
struct flat {
	const struct cdc_tape *t;
	struct cdc_buf path; /* of the value at hand */
	struct cdc_buf text; /* all entries */
	size_t *start; /* of each in text */
	size_t n;
	size_t cap;
};

/* Percent-encoded but for what RFC 3986 leaves unreserved, in quotes. */
static int put_quoted(struct cdc_buf *b, struct cdc_str s, struct cdc_err *err)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";
	int rc = cdc_buf_putc(b, '"', err);

	for (size_t i = 0; !rc && i < s.n; i++) {
		if (s.p[i] && strchr(plain, s.p[i]))
			rc = cdc_buf_putc(b, s.p[i], err);
		else
			rc = cdc_buf_printf(b, err, "%%%02X", (unsigned char)s.p[i]);
	}
	return rc ? rc : cdc_buf_putc(b, '"', err);
}

static int put_string(const struct cdc_tape *t, uint32_t i, struct cdc_buf *b, struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_str s;
	int rc = cdc_json_string(t, i, &arena, &s, err);

	if (!rc)
		rc = put_quoted(b, s, err);
	cdc_arena_free(&arena);
	return rc;
}

static int put_entry(struct flat *f, uint32_t value, struct cdc_err *err)
{
	int rc;

	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 16;
		size_t *p = reallocarray(f->start, cap, sizeof(*p));

		if (!p)
			return cdc_fail_nomem(err);
		f->start = p;
		f->cap = cap;
	}
	f->start[f->n++] = f->text.len;
	rc = cdc_buf_put(&f->text, cdc_buf_str(&f->path), err);
	if (!rc)
		rc = cdc_buf_putc(&f->text, '=', err);
	if (rc)
		return rc;
	if (f->t->tok[value].type == CDC_JSON_STRING)
		rc = put_string(f->t, value, &f->text, err);
	else
		rc = cdc_buf_put(&f->text, cdc_json_raw(f->t, value), err);
	return rc ? rc : cdc_buf_putc(&f->text, 0, err);
}

/* The tape bounds the depth. */
static int flatten(struct flat *f, uint32_t value, struct cdc_err *err)
{
	bool object = f->t->tok[value].type == CDC_JSON_OBJECT;
	size_t len = f->path.len, at = 0;
	int rc = CDC_OK;

	if (!object && f->t->tok[value].type != CDC_JSON_ARRAY)
		return put_entry(f, value, err);
	for (uint32_t i = cdc_json_first(f->t, value); !rc && i != CDC_JSON_NONE;
	     i = cdc_json_after(f->t, value, i)) {
		if (value == 0 && object && cdc_json_is(f->t, i, CDC_STR("checksum")))
			continue;
		if (len)
			rc = cdc_buf_putc(&f->path, '+', err);
		if (!rc && object)
			rc = put_string(f->t, i, &f->path, err);
		else if (!rc)
			rc = cdc_buf_printf(&f->path, err, "%zu", at++);
		if (!rc)
			rc = flatten(f, object ? i + 1 : i, err);
		f->path.len = len;
	}
	return rc;
}

static int compare(const void *a, const void *b, void *text)
{
	return strcmp((const char *)text + *(const size_t *)a,
		      (const char *)text + *(const size_t *)b);
}

int cdc_cp_hint_checksum(struct cdc_str json, char out[CDC_MD5_TEXT_MAX], struct cdc_err *err)
{
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_buf joined = CDC_BUF_INIT;
	struct flat f = { .t = &tape };
	int rc = cdc_json_scan(&tape, json, NULL, err);

	if (!rc)
		rc = flatten(&f, 0, err);
	if (!rc && f.n)
		qsort_r(f.start, f.n, sizeof(*f.start), compare, f.text.p);
	for (size_t i = 0; !rc && i < f.n; i++) {
		if (i)
			rc = cdc_buf_putc(&joined, ',', err);
		if (!rc)
			rc = cdc_buf_puts(&joined, f.text.p + f.start[i], err);
	}
	if (!rc)
		cdc_md5_text(joined.p, joined.len, out);
	free(f.start);
	cdc_buf_free(&f.path);
	cdc_buf_free(&f.text);
	cdc_buf_free(&joined);
	cdc_tape_free(&tape);
	return rc;
}

/* ------------------------------------------------------------------ the file */

/* The version that _last_checkpoint names, -1 if there is none to be read. */
static int64_t hinted_version(const struct cdc_io *io, const char *path)
{
	struct cdc_buf text = CDC_BUF_INIT;
	struct cdc_tape tape = CDC_TAPE_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	int64_t version = -1;

	if (cdc_io_read_file(io, path, &text, &err) == CDC_OK &&
	    cdc_json_scan(&tape, cdc_buf_str(&text), NULL, &err) == CDC_OK) {
		uint32_t v = cdc_json_get(&tape, 0, "version");

		if (v == CDC_JSON_NONE || !cdc_json_int64(&tape, v, &version))
			version = -1;
	}
	cdc_tape_free(&tape);
	cdc_buf_free(&text);
	return version;
}

/* Whether a newer checkpoint is there and the hint says so: another writer was faster. */
static int hint_is_newer(const struct cdc_io *io, const char *table, int64_t version,
			 const char *path, bool *newer, struct cdc_err *err)
{
	struct cdc_log_list list;
	struct cdc_log_checkpoint cp;
	int64_t hinted = hinted_version(io, path);
	size_t at;
	int rc;

	*newer = false;
	if (hinted <= version)
		return CDC_OK;
	rc = cdc_log_list_read(&list, io, table, err);
	if (rc)
		return rc;
	at = list.n;
	*newer = cdc_log_checkpoint_before(&list, hinted, &at, &cp) && cp.version == hinted;
	cdc_log_list_free(&list);
	return CDC_OK;
}

static int put_hint(const struct cdc_cp_hint *h, struct cdc_buf *b, struct cdc_err *err)
{
	char sum[CDC_MD5_TEXT_MAX];
	int rc = cdc_buf_printf(b, err,
				"{\"version\":%" PRId64 ",\"size\":%" PRId64
				",\"sizeInBytes\":%" PRId64 ",\"numOfAddFiles\":%" PRId64,
				h->version, h->num_actions, h->size_bytes, h->num_adds);

	if (!rc && h->top_name[0])
		rc = cdc_buf_printf(b, err,
				    ",\"v2Checkpoint\":{\"path\":\"%s\",\"sizeInBytes\":%" PRId64
				    ",\"modificationTime\":%" PRId64 "}",
				    h->top_name, h->top_bytes, h->top_modification_time_ms);
	if (!rc)
		rc = cdc_buf_putc(b, '}', err);
	if (!rc)
		rc = cdc_cp_hint_checksum(cdc_buf_str(b), sum, err);
	if (rc)
		return rc;
	b->len--;
	return cdc_buf_printf(b, err, ",\"checksum\":\"%s\"}\n", sum);
}

int cdc_cp_hint_write(const struct cdc_io *io, const char *table, const struct cdc_cp_hint *h,
		      struct cdc_err *err)
{
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	const char *dir, *path;
	bool newer = false;
	int rc = cdc_log_path(table, NULL, &arena, &dir, err);

	if (!rc)
		rc = cdc_log_path(table, "_last_checkpoint", &arena, &path, err);
	if (!rc)
		rc = hint_is_newer(io, table, h->version, path, &newer, err);
	if (rc || newer)
		goto out;
	rc = put_hint(h, &b, err);
	if (!rc)
		rc = cdc_io_commit_replace(io, dir, "_last_checkpoint", cdc_buf_str(&b), err);
out:
	cdc_buf_free(&b);
	cdc_arena_free(&arena);
	return rc;
}
