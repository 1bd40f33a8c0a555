/*
 * Paths in the log: percent-encoding of add.path, Hive-style partition directories, and the
 * canonical form by which adds and removes find each other (spec sections 4 and 7).
 */
#include "delta/log_int.h"

#include "base/hash.h"

#define HIVE_NULL "__HIVE_DEFAULT_PARTITION__"
#define MAX_DIR_BYTES 240 /* file systems have 255 */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* A percent sign that no two hexadecimal digits follow stands for itself: such paths exist. */
int cdc_path_decode(struct cdc_str uri, struct cdc_buf *out, struct cdc_err *err)
{
	char *to;
	int rc = cdc_buf_reserve(out, uri.n + 1, err);

	if (rc)
		return rc;
	to = out->p + out->len;
	for (size_t i = 0; i < uri.n; i++) {
		char c = uri.p[i];

		if (c == '%' && uri.n - i > 2 && hex_value(uri.p[i + 1]) >= 0 &&
		    hex_value(uri.p[i + 2]) >= 0) {
			c = (char)(hex_value(uri.p[i + 1]) * 16 + hex_value(uri.p[i + 2]));
			i += 2;
		}
		if (c == 0)
			return cdc_fail(err, CDC_ECORRUPT, "a path holds a zero byte");
		*to++ = c;
	}
	out->len = (size_t)(to - out->p);
	return CDC_OK;
}

static int put_hex(struct cdc_buf *out, char c, struct cdc_err *err)
{
	static const char hex[] = "0123456789ABCDEF";
	unsigned u = (unsigned char)c;
	char t[3] = { '%', hex[u >> 4], hex[u & 15] };

	return cdc_buf_append(out, t, sizeof(t), err);
}

/* `set`: what is escaped besides control characters, and bytes over 0x7F if `ascii`. */
static int escape(struct cdc_str s, const char *set, bool ascii, struct cdc_buf *out,
		  struct cdc_err *err)
{
	int rc = CDC_OK;

	for (size_t i = 0; !rc && i < s.n; i++) {
		char c = s.p[i];

		if ((unsigned char)c < 0x20 || c == 0x7f || (ascii && (c & 0x80)) || strchr(set, c))
			rc = put_hex(out, c, err);
		else
			rc = cdc_buf_putc(out, c, err);
	}
	return rc;
}

int cdc_path_encode(struct cdc_str path, struct cdc_buf *out, struct cdc_err *err)
{
	return escape(path, "% \"#<>?[\\]^`{|}", true, out, err);
}

/* Cut a name that file systems refuse; a hash keeps values apart. Readers take nothing from it. */
static int shorten(struct cdc_buf *out, size_t start, struct cdc_str value, struct cdc_err *err)
{
	size_t keep = start + MAX_DIR_BYTES - 17;

	if (out->len - start <= MAX_DIR_BYTES)
		return CDC_OK;
	for (int i = 0; i < 2; i++)
		if (out->p[keep - 1 - (size_t)i] == '%') {
			keep -= (size_t)i + 1;
			break;
		}
	out->len = keep;
	return cdc_buf_printf(out, err, "-%016llx",
			      (unsigned long long)cdc_hash64(value.p, value.n));
}

/*
 * Letters beyond ASCII are escaped in the directory's own name, so that there are none in paths: of
 * a path that has them raw, delta-rs writes a remove that does not match; of one that has them
 * encoded, VACUUM of Spark does not recognise the file and removes it. The tilde is escaped for
 * delta-rs too, which looks for such a file under another name.
 */
int cdc_partition_dir(struct cdc_str column, struct cdc_str value, struct cdc_buf *out,
		      struct cdc_err *err)
{
	static const char set[] = "\"#%'*/:=?\\{[]^~";
	size_t start = out->len;
	int rc = escape(column, set, true, out, err);

	if (!rc)
		rc = cdc_buf_putc(out, '=', err);
	if (rc)
		return rc;
	/* The empty string is null too (spec section 7). */
	if (value.n == 0)
		return cdc_buf_puts(out, HIVE_NULL, err);
	rc = escape(value, set, true, out, err);
	return rc ? rc : shorten(out, start, value, err);
}

/* The path of a file: URI ("file:/x", "file:///x", "file://host/x"), or the path itself. */
static struct cdc_str strip_scheme(struct cdc_str s)
{
	if (s.n < 6 || !cdc_str_ieq(cdc_str(s.p, 5), CDC_STR("file:")) || s.p[5] != '/')
		return s;
	s = cdc_str(s.p + 5, s.n - 5);
	if (s.n > 2 && s.p[1] == '/') {
		const char *slash = memchr(s.p + 2, '/', s.n - 2);

		if (slash)
			s = cdc_str(slash, s.n - (size_t)(slash - s.p));
	}
	return s;
}

/* Inside `dir` (no slash at its end), which is not empty. */
static bool is_under(struct cdc_str s, struct cdc_str dir)
{
	return dir.n && s.n > dir.n && s.p[dir.n] == '/' && memcmp(s.p, dir.p, dir.n) == 0;
}

static bool same_dir(struct cdc_path_root *r, const char *z)
{
	struct stat st;

	return r->io->stat(r->io->ctx, z, &st) == 0 && st.st_dev == r->dev && st.st_ino == r->ino;
}

/*
 * Look for the table's root among the parents of an absolute path, by device and inode: the table
 * may have been named by a relative path or through a symbolic link.
 */
static int find_root(struct cdc_path_root *r, struct cdc_str abs, struct cdc_err *err)
{
	struct stat st;
	struct cdc_buf dir = CDC_BUF_INIT;
	int rc = CDC_OK;

	if (!r->known) {
		r->known = true;
		r->there = r->io->stat(r->io->ctx, r->table, &st) == 0;
		r->dev = r->there ? st.st_dev : 0;
		r->ino = r->there ? st.st_ino : 0;
	}
	for (size_t n = abs.n; r->there && !rc && n > 1; n--) {
		if (abs.p[n - 1] != '/')
			continue;
		cdc_buf_reset(&dir);
		rc = cdc_buf_append(&dir, abs.p, n - 1, err);
		if (!rc && !cdc_buf_z(&dir))
			rc = cdc_fail_nomem(err);
		if (!rc && same_dir(r, dir.p)) {
			cdc_buf_reset(&r->prefix);
			rc = cdc_buf_put(&r->prefix, cdc_buf_str(&dir), err);
			break;
		}
		if (!rc && r->foreign.len == 0)
			rc = cdc_buf_put(&r->foreign, cdc_buf_str(&dir), err);
	}
	cdc_buf_free(&dir);
	return rc;
}

static int relative_to_root(struct cdc_path_root *r, struct cdc_str *s, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!is_under(*s, cdc_buf_str(&r->prefix))) {
		const char *slash = memrchr(s->p, '/', s->n);
		struct cdc_str dir = cdc_str(s->p, (size_t)(slash - s->p));

		if (r->foreign.len && cdc_str_eq(dir, cdc_buf_str(&r->foreign)))
			return CDC_OK;
		cdc_buf_reset(&r->foreign);
		rc = find_root(r, *s, err);
	}
	if (!rc && is_under(*s, cdc_buf_str(&r->prefix))) {
		size_t skip = r->prefix.len;

		while (skip < s->n && s->p[skip] == '/')
			skip++;
		*s = cdc_str(s->p + skip, s->n - skip);
	}
	return rc;
}

/* Whether components of a relative path are empty or ".". */
static bool is_untidy(struct cdc_str s)
{
	return (s.n > 1 && s.p[0] == '.' && s.p[1] == '/') || memmem(s.p, s.n, "//", 2) ||
	       memmem(s.p, s.n, "/./", 3);
}

/* "./a//b" and "a/b" are one file: the components that say nothing are left out. */
static int tidy(struct cdc_path_root *r, struct cdc_str *s, struct cdc_err *err)
{
	struct cdc_buf made = CDC_BUF_INIT;
	int rc = cdc_buf_reserve(&made, s->n + 1, err);

	for (size_t i = 0, end; !rc && i < s->n; i = end + 1) {
		for (end = i; end < s->n && s->p[end] != '/';)
			end++;
		if (end == i || (end - i == 1 && s->p[i] == '.'))
			continue;
		if (made.len)
			made.p[made.len++] = '/';
		memcpy(made.p + made.len, s->p + i, end - i);
		made.len += end - i;
	}
	if (!rc) {
		cdc_buf_free(&r->path);
		r->path = made;
		*s = cdc_buf_str(&r->path);
	}
	return rc;
}

int cdc_path_canonical(struct cdc_path_root *r, struct cdc_str uri, struct cdc_str *out,
		       struct cdc_err *err)
{
	struct cdc_str s = uri;
	int rc = CDC_OK;

	if (memchr(s.p, '%', s.n)) {
		cdc_buf_reset(&r->path);
		rc = cdc_path_decode(s, &r->path, err);
		s = cdc_buf_str(&r->path);
	}
	if (rc)
		return rc;
	s = strip_scheme(s);
	if (s.n && s.p[0] == '/') {
		while (s.n > 1 && s.p[1] == '/')
			s = cdc_str(s.p + 1, s.n - 1);
		rc = relative_to_root(r, &s, err);
	}
	if (!rc && s.n && s.p[0] != '/' && !memmem(s.p, s.n, "://", 3) && is_untidy(s))
		rc = tidy(r, &s, err);
	*out = s;
	return rc;
}

void cdc_path_root_free(struct cdc_path_root *r)
{
	cdc_buf_free(&r->prefix);
	cdc_buf_free(&r->foreign);
	cdc_buf_free(&r->path);
}
