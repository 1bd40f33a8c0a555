/* Operands to inputs: files, directories in the order of their offsets. See input.h. */
#include "source/input/input_int.h"
#include "source/place.h"

#include <stdio.h>
#include <stdlib.h>

#define DIRECTORY_DEPTH_MAX 32

/* --- what is passed over ------------------------------------------------ */

static bool ends_with(struct cdc_str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

bool cdc_input_is_passed(const char *path, const struct cdc_inputs *in)
{
	static const char *const suffixes[] = {
		".crc",	     ".md5",	   ".sha1",	    ".sha256",	  ".sha512",
		".md5sum",   ".sha256sum", ".index",	    ".timeindex", ".txnindex",
		".snapshot", ".keys.avro", ".headers.avro",
	};
	static const char *const names[] = { "leader-epoch-checkpoint", "partition.metadata" };
	const char *slash = strrchr(path, '/');
	struct cdc_str name = cdc_str_z(slash ? slash + 1 : path);
	bool pass = name.n && (name.p[0] == '.' || name.p[0] == '_');

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
		pass = pass || ends_with(name, suffixes[i]);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		pass = pass || cdc_str_eqz(name, names[i]);
	if (pass && in->passed)
		in->passed(in->ctx, path, "hidden, a mark, a checksum or an index");
	return pass;
}

/* --- one input ---------------------------------------------------------- */

/* Formats that read from the end need a file. */
static int spill(const struct cdc_inputs *in, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_reader file;
	uint64_t written = 0, max = in->max_unpacked ? in->max_unpacked : CDC_UNPACK_MAX;
	int fd, rc = cdc_io_open_temp(in->io, in->tmpdir, &fd, err);

	if (rc < 0)
		return rc;
	for (;;) {
		struct cdc_str head;

		rc = cdc_reader_peek(r, 1, &head, err);
		if (rc < 0 || head.n == 0)
			break;
		written += head.n;
		rc = written > max
			     ? cdc_fail(err, CDC_EDATA, "more than %llu bytes (--max-unpacked)",
					(unsigned long long)max)
			     : cdc_io_write_full(in->io, fd, head.p, head.n, err);
		if (rc < 0)
			break;
		cdc_reader_skip(r, head.n);
	}
	if (rc == CDC_OK)
		rc = cdc_io_rewind(fd, err);
	if (rc == CDC_OK)
		rc = cdc_reader_fd(&file, in->io, fd, r->name, err);
	if (rc == CDC_OK) {
		rc = in->each(in->ctx, &file, err);
		cdc_reader_close(&file);
	}
	in->io->close(in->io->ctx, fd);
	return rc;
}

/* As much of the head as tells what it is: a pipe may give less than that for long. */
static int look(struct cdc_reader *r, struct cdc_str *head, struct cdc_err *err)
{
	int rc = cdc_reader_peek(r, 4, head, err);

	/* Names of tar's entries begin with letters, as text does. */
	if (rc == CDC_OK && r->regular && head->n >= 4)
		rc = cdc_reader_peek(r, CDC_INPUT_HEAD, head, err);
	return rc;
}

int cdc_input_open(const struct cdc_inputs *in, struct cdc_reader *r, unsigned depth,
		   struct cdc_err *err)
{
	struct cdc_str head;
	int rc = look(r, &head, err);

	if (rc < 0)
		return rc;
	if (cdc_input_is_gzip(head))
		return cdc_input_gunzip(in, r, depth, err);
	if (cdc_input_is_packed(head))
		return cdc_input_unpack(in, r, depth, err);
	if ((r->pull || !r->regular) && head.n >= 4 && memcmp(head.p, "PAR1", 4) == 0)
		return spill(in, r, err);
	return in->each(in->ctx, r, err);
}

/* --- directories -------------------------------------------------------- */

struct names {
	char **name;
	size_t n;
	size_t cap;
	bool nomem;
};

static int note_name(void *arg, const char *name)
{
	struct names *l = arg;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		char **q = realloc(l->name, cap * sizeof(char *));

		if (!q) {
			l->nomem = true;
			return 1;
		}
		l->name = q;
		l->cap = cap;
	}
	l->name[l->n] = strdup(name);
	l->nomem = !l->name[l->n];
	l->n += !l->nomem;
	return l->nomem;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Numbers in names by their value, the rest by bytes. */
static int natural(const char *a, const char *b)
{
	while (*a && *b) {
		size_t n = 0, m = 0;
		int c;

		if (!is_digit(*a) || !is_digit(*b)) {
			if (*a != *b)
				return (unsigned char)*a - (unsigned char)*b;
			a++;
			b++;
			continue;
		}
		while (*a == '0' && is_digit(a[1]))
			a++;
		while (*b == '0' && is_digit(b[1]))
			b++;
		while (is_digit(a[n]))
			n++;
		while (is_digit(b[m]))
			m++;
		if (n != m)
			return n < m ? -1 : 1;
		c = memcmp(a, b, n);
		if (c)
			return c;
		a += n;
		b += m;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static int compare(const void *x, const void *y)
{
	const char *a = *(char *const *)x, *b = *(char *const *)y;
	struct cdc_place p = cdc_place_of(a), q = cdc_place_of(b);
	int c = natural(a, b);

	if (p.known && q.known) {
		c = cdc_str_cmp(p.topic, q.topic);
		if (c == 0)
			c = (p.partition > q.partition) - (p.partition < q.partition);
		if (c == 0)
			c = (p.offset > q.offset) - (p.offset < q.offset);
	}
	return c ? c : strcmp(a, b);
}

static int one_path(const struct cdc_inputs *in, const char *path, unsigned depth,
		    struct cdc_err *err);

/* A link may lead anywhere, and twice to the same file. */
static int one_entry(const struct cdc_inputs *in, const char *path, unsigned depth,
		     struct cdc_err *err)
{
	struct stat st;

	if (in->io->lstat(in->io->ctx, path, &st) < 0)
		return cdc_fail_errno(err, errno, "cannot read %s", path);
	if (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
		return cdc_input_is_passed(path, in) ? CDC_OK : one_path(in, path, depth, err);
	if (in->passed)
		in->passed(in->ctx, path, "no regular file");
	return CDC_OK;
}

static int directory(const struct cdc_inputs *in, const char *path, unsigned depth,
		     struct cdc_err *err)
{
	struct names l = { .name = NULL };
	struct cdc_buf name = CDC_BUF_INIT;
	int rc = CDC_OK;

	if (depth == DIRECTORY_DEPTH_MAX)
		return cdc_fail(err, CDC_EDATA, "%s lies too deep", path);
	if (in->io->list(in->io->ctx, path, note_name, &l) < 0)
		rc = cdc_fail_errno(err, errno, "cannot list %s", path);
	else if (l.nomem)
		rc = cdc_fail_nomem(err);
	if (rc == CDC_OK && l.n)
		qsort(l.name, l.n, sizeof(char *), compare);
	for (size_t i = 0; rc == CDC_OK && i < l.n; i++) {
		cdc_buf_reset(&name);
		rc = cdc_buf_printf(&name, err, "%s/%s", path, l.name[i]);
		if (rc == CDC_OK && !cdc_buf_z(&name))
			rc = cdc_fail_nomem(err);
		if (rc == CDC_OK)
			rc = one_entry(in, name.p, depth + 1, err);
	}
	for (size_t i = 0; i < l.n; i++)
		free(l.name[i]);
	free(l.name);
	cdc_buf_free(&name);
	return rc;
}

static int one_path(const struct cdc_inputs *in, const char *path, unsigned depth,
		    struct cdc_err *err)
{
	struct cdc_reader r;
	struct stat st;
	int rc;

	if (path && strcmp(path, "-") != 0 && in->io->stat(in->io->ctx, path, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return directory(in, path, depth, err);
	rc = cdc_reader_open(&r, in->io, path, err);
	if (rc < 0)
		return rc;
	rc = cdc_input_open(in, &r, 0, err);
	cdc_reader_close(&r);
	return rc;
}

int cdc_inputs_of(const struct cdc_inputs *in, const char *path, struct cdc_err *err)
{
	return one_path(in, path, 0, err);
}
