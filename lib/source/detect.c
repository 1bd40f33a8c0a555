/*
 * Telling format and framing from the first bytes of an input (spec section 9). What has no mark
 * (CSV and its kin) is never guessed, and what is not proven is refused.
 */
#include "source/source_int.h"

#include "base/endian.h"

/* No-op messages at the start of a dump that are passed over to find a real one. */
#define PROBE_MESSAGES 64
#define HEAD_BYTES 6

static const struct {
	const char *magic;
	size_t n;
	const char *what;
} foreign[] = {
	{ "\xfe\x62\x69\x6e", 4, "a MySQL binlog, which this program does not read" },
	{ "PAR1", 4, "a Parquet file, which this program does not read" },
	{ "\x1f\x8b", 2, "compressed with gzip: decompress it first" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed with zstd: decompress it first" },
	{ "\xfd"
	  "7zXZ",
	  5, "compressed with xz: decompress it first" },
	{ "BZh", 3, "compressed with bzip2: decompress it first" },
	{ "PK\x03\x04", 4, "a zip archive: unpack it first" },
};

static bool starts_with(struct cdc_str s, const char *magic, size_t n)
{
	return s.n >= n && memcmp(s.p, magic, n) == 0;
}

struct probe {
	struct cdc_source *s;
	struct cdc_reader *r;
	const struct cdc_format *format; /* that is asked */
	void *ctx;
};

/*
 * Is this a kcat dump of messages that the format knows? Null and tiny messages mean nothing, so
 * the first one of substance decides; a dump of nothing else is a dump if its lengths add up.
 */
static int probe_kcat(struct probe *p, bool *yes, struct cdc_err *err)
{
	size_t at = 0;

	*yes = false;
	for (int i = 0; i < PROBE_MESSAGES; i++) {
		struct cdc_str head;
		int32_t n;
		int rc = cdc_reader_peek(p->r, at + 4 < p->r->max ? at + 4 : p->r->max, &head, err);

		if (rc < 0)
			return rc;
		*yes = head.n == at;
		if (head.n < at + 4)
			return CDC_OK;
		n = (int32_t)cdc_be32(head.p + at);
		if (n < -1 || (n > 0 && (size_t)n > p->s->record_max - at))
			return CDC_OK;
		at += 4;
		if (n <= 0)
			continue;
		rc = cdc_reader_peek(p->r, at + (size_t)n, &head, err);
		if (rc < 0)
			return rc;
		if (head.n < at + (size_t)n)
			return CDC_OK;
		if (n > 2) {
			*yes = p->format->probe(p->ctx, cdc_str(head.p + at, (size_t)n));
			/* A bad first message is a reject, if what follows it is not bad too. */
			if (*yes || i > 0)
				return CDC_OK;
		}
		at += (size_t)n;
	}
	return CDC_OK;
}

static int probe_single(struct probe *p, bool *yes, struct cdc_err *err)
{
	struct cdc_str all;
	int rc = cdc_reader_peek(p->r, p->s->record_max + 1, &all, err);

	if (rc < 0)
		return rc;
	*yes = all.n <= p->s->record_max && p->format->probe(p->ctx, all);
	return CDC_OK;
}

/* Change records begin with a brace and one line is one of them. */
static int probe_records(struct probe *p, bool *yes, struct cdc_err *err)
{
	struct cdc_str head;
	const char *lf;
	int rc = cdc_reader_peek(p->r, 1, &head, err);

	*yes = false;
	if (rc < 0 || head.n == 0 || head.p[0] != '{')
		return rc;
	for (size_t want = 1;;) {
		rc = cdc_reader_peek(p->r, want, &head, err);
		if (rc < 0)
			return rc;
		lf = memchr(head.p, '\n', head.n);
		if (lf || head.n < want || head.n >= p->s->record_max)
			break;
		want = head.n + 1;
	}
	if (lf)
		head.n = (size_t)(lf - head.p);
	*yes = p->format->probe(p->ctx, head);
	return CDC_OK;
}

static int use(struct probe *p, const struct cdc_format *f, struct cdc_err *err)
{
	p->format = f;
	return cdc_source_use(p->s, f, &p->ctx, err);
}

static int refuse(struct cdc_str head, const struct cdc_format *format, struct cdc_err *err)
{
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (starts_with(head, foreign[i].magic, foreign[i].n))
			return cdc_fail(err, CDC_EDATA, "the input is %s", foreign[i].what);
	}
	if (format)
		return cdc_fail(
			err, CDC_EDATA,
			"cannot tell how messages of format %s are framed here: give --framing",
			format->name);
	return cdc_fail(err, CDC_EDATA, "cannot tell what the input is: give --from and --framing");
}

/* The framing of an input whose format is known. */
static int find_framing(struct probe *p, struct cdc_str head, const char **name,
			struct cdc_err *err)
{
	bool yes = false;
	int rc = CDC_OK;

	*name = NULL;
	if (p->format == &cdc_format_dts && starts_with(head, "Obj\x01", 4)) {
		*name = "ocf";
		return CDC_OK;
	}
	if (p->format != &cdc_format_dts) {
		*name = "lines";
		return CDC_OK;
	}
	rc = probe_kcat(p, &yes, err);
	if (rc < 0 || yes) {
		*name = "kcat";
		return rc;
	}
	rc = probe_single(p, &yes, err);
	if (rc == CDC_OK && yes)
		*name = "single";
	return rc;
}

/* Neither was given. */
static int find_both(struct probe *p, struct cdc_str head, const char **framing,
		     struct cdc_err *err)
{
	bool yes = false;
	int rc = use(p, &cdc_format_records, err);

	if (rc == CDC_OK)
		rc = probe_records(p, &yes, err);
	if (rc < 0)
		return rc;
	if (yes) {
		*framing = "lines";
		return CDC_OK;
	}
	rc = use(p, &cdc_format_dts, err);
	return rc < 0 ? rc : find_framing(p, head, framing, err);
}

/* The format of an input whose framing is known; *framing becomes NULL if none fits. */
static int find_format(struct probe *p, const char **framing, struct cdc_err *err)
{
	bool yes = false;
	int rc;

	if (strcmp(*framing, "ocf") == 0)
		return use(p, &cdc_format_dts, err);
	rc = use(p, &cdc_format_records, err);
	if (rc == CDC_OK && strcmp(*framing, "lines") == 0)
		rc = probe_records(p, &yes, err);
	if (rc < 0 || yes)
		return rc;
	rc = use(p, &cdc_format_dts, err);
	if (rc == CDC_OK && strcmp(*framing, "kcat") == 0)
		rc = probe_kcat(p, &yes, err);
	else if (rc == CDC_OK && strcmp(*framing, "single") == 0)
		rc = probe_single(p, &yes, err);
	if (!yes)
		*framing = NULL;
	return rc;
}

static int check_pair(const struct cdc_format *f, const char *framing, struct cdc_err *err)
{
	if (f->stream && strcmp(framing, "lines") != 0)
		return cdc_fail(err, CDC_EUSAGE, "format %s is text: --framing %s cannot be",
				f->name, framing);
	if (!f->datum && strcmp(framing, "ocf") == 0)
		return cdc_fail(err, CDC_EUSAGE, "format %s does not come in Avro containers",
				f->name);
	return CDC_OK;
}

static const char *given(const char *option)
{
	return option && strcmp(option, "auto") != 0 ? option : NULL;
}

int cdc_source_detect(struct cdc_source *s, struct cdc_reader *r, const struct cdc_format **format,
		      const struct cdc_framing **framing, struct cdc_err *err)
{
	const char *from = given(s->opt.format);
	const char *framed = given(s->opt.framing);
	struct probe p = { .s = s, .r = r, .format = from ? cdc_format_find(from) : NULL };
	struct cdc_str head = CDC_STR("");
	char first[HEAD_BYTES]; /* the reader's buffer moves while more is looked at */
	int rc = CDC_OK;

	*framing = NULL;
	if (from && framed) {
		*format = p.format;
		*framing = cdc_framing_find(framed);
		return check_pair(p.format, framed, err);
	}
	if (p.format && !p.format->datum)
		framed = "lines"; /* text: there is nothing to look at */
	else
		rc = cdc_reader_peek(r, HEAD_BYTES, &head, err);
	if (rc < 0)
		return rc;
	head.n = head.n < HEAD_BYTES ? head.n : HEAD_BYTES;
	memcpy(first, head.p, head.n);
	head.p = first;
	if (p.format && framed) {
		*format = p.format;
		*framing = cdc_framing_find(framed);
		return CDC_OK;
	}
	if (head.n == 0)
		return CDC_OK;
	if (p.format) {
		rc = use(&p, p.format, err);
		if (rc == CDC_OK)
			rc = find_framing(&p, head, &framed, err);
	} else if (framed) {
		rc = find_format(&p, &framed, err);
	} else {
		rc = find_both(&p, head, &framed, err);
	}
	if (rc < 0)
		return rc;
	if (!framed)
		return refuse(head, from ? p.format : NULL, err);
	*format = p.format;
	*framing = cdc_framing_find(framed);
	return check_pair(p.format, framed, err);
}
