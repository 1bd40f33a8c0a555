/*
 * From the URIs of the log to paths in the file system.
 */
#include "delta/path.h"

#include "delta/log_int.h"

#define SHOWN(s) (int)((s).n > 200 ? 200 : (s).n), (s).p

bool cdc_path_escapes(struct cdc_str path)
{
	size_t start = 0;

	for (size_t i = 0; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		if (i - start == 2 && path.p[start] == '.' && path.p[start + 1] == '.')
			return true;
		start = i + 1;
	}
	return false;
}

/* Length of "scheme:" when a slash follows it (RFC 3986 section 3.1), else 0. */
static size_t scheme_length(struct cdc_str uri)
{
	size_t i = 0;

	for (; i < uri.n && uri.p[i] != ':'; i++) {
		char c = uri.p[i];
		bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool later = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';

		if (!alpha && !(i && later))
			return 0;
	}
	return i && i + 1 < uri.n && uri.p[i + 1] == '/' ? i + 1 : 0;
}

/* Cut "file:", "file://" and "file://localhost" off. */
static int strip_scheme(struct cdc_str *uri, struct cdc_err *err)
{
	const struct cdc_str local = CDC_STR("localhost");
	size_t n = scheme_length(*uri);
	struct cdc_str rest;

	if (!n)
		return CDC_OK;
	if (!cdc_str_ieq(cdc_str(uri->p, n), CDC_STR("file:")))
		return cdc_fail(
			err, CDC_EUNSUPPORTED,
			"path \"%.*s\" has the scheme %.*s, and only local files can be read",
			SHOWN(*uri), (int)(n - 1 > 50 ? 50 : n - 1), uri->p);
	rest = cdc_str(uri->p + n, uri->n - n);
	if (rest.n >= 2 && rest.p[1] == '/') {
		rest = cdc_str(rest.p + 2, rest.n - 2);
		if (rest.n > local.n && memcmp(rest.p, local.p, local.n) == 0)
			rest = cdc_str(rest.p + local.n, rest.n - local.n);
	}
	if (!rest.n || rest.p[0] != '/')
		return cdc_fail(err, CDC_EUNSUPPORTED, "path \"%.*s\" is on another host",
				SHOWN(*uri));
	*uri = rest;
	return CDC_OK;
}

int cdc_path_local(const char *table, struct cdc_str uri, struct cdc_buf *out, struct cdc_err *err)
{
	struct cdc_str left = uri;
	struct cdc_str made;
	size_t start;
	int rc = strip_scheme(&left, err);

	if (rc < 0)
		return rc;
	if (!left.n)
		return cdc_fail(err, CDC_ECORRUPT, "the log names a file with an empty path");
	if (left.p[0] != '/' &&
	    ((rc = cdc_buf_puts(out, table, err)) < 0 || (rc = cdc_buf_putc(out, '/', err)) < 0))
		return rc;
	start = out->len;
	rc = cdc_path_decode(left, out, err);
	if (rc < 0)
		return rc;
	made = cdc_str(out->p + start, out->len - start);
	if (!made.n || memchr(made.p, '\0', made.n) || cdc_path_escapes(made) ||
	    (left.p[0] != '/' && made.p[0] == '/'))
		return cdc_fail(err, CDC_ECORRUPT, "path \"%.*s\" leaves the table", SHOWN(uri));
	return CDC_OK;
}

int cdc_path_check(const struct cdc_io *io, const char *table, bool external, struct cdc_str uri,
		   struct cdc_err *err)
{
	struct cdc_path_root root = { .io = io, .table = table };
	struct cdc_str canonical;
	int rc = CDC_OK;

	if (external || !uri.n || (uri.p[0] != '/' && !scheme_length(uri)))
		return CDC_OK;
	rc = cdc_path_canonical(&root, uri, &canonical, err);
	if (!rc && canonical.n && canonical.p[0] == '/')
		rc = cdc_fail(err, CDC_EUNSUPPORTED,
			      "path \"%.*s\" lies outside the table: cdc-snapshot --allow-external "
			      "reads such files",
			      SHOWN(uri));
	cdc_path_root_free(&root);
	return rc;
}
