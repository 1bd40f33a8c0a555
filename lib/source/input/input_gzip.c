/* gzip files as inputs, with their checksums. See input.h. */
#include "source/input/codec.h"
#include "source/input/input_int.h"

struct gzip {
	const struct cdc_inputs *in;
	struct cdc_reader *r; /* of the packed bytes */
	struct cdc_gunzip *z;
	uint64_t packed;
	uint64_t unpacked;
};

static ssize_t pull(void *ctx, void *buf, size_t n, struct cdc_err *err)
{
	struct gzip *g = ctx;

	for (;;) {
		struct cdc_str head;
		size_t used, made;
		bool end;
		int rc = cdc_reader_peek(g->r, 1, &head, err);

		if (rc == CDC_OK)
			rc = cdc_gunzip_step(g->z, head, &used, buf, n, &made, &end, err);
		if (rc < 0)
			return rc;
		cdc_reader_skip(g->r, used);
		g->packed += used;
		g->unpacked += made;
		if (made)
			return cdc_input_check_size(g->in, g->packed, g->unpacked, err) < 0
				       ? err->code
				       : (ssize_t)made;
		if (head.n == 0)
			return end ? 0 : cdc_fail(err, CDC_EDATA, "damaged: it ends too early");
	}
}

int cdc_input_gunzip(const struct cdc_inputs *in, struct cdc_reader *r, unsigned depth,
		     struct cdc_err *err)
{
	struct gzip g = { .in = in, .r = r };
	struct cdc_reader plain = { .fd = -1 };
	struct cdc_str head;
	int rc = depth >= CDC_INPUT_DEPTH_MAX ? cdc_input_too_deep(r, err)
					      : cdc_gunzip_new(&g.z, err);

	if (rc == CDC_OK)
		rc = cdc_reader_pull(&plain, in->io, pull, &g, r->name, err);
	if (rc == CDC_OK)
		rc = cdc_reader_peek(&plain, CDC_INPUT_HEAD, &head, err);
	/* An archive and its compression are one package; anything else in it is one more. */
	if (rc == CDC_OK && cdc_input_is_tar(head))
		rc = cdc_input_unpack(in, &plain, depth, err);
	else if (rc == CDC_OK)
		rc = cdc_input_open(in, &plain, depth + 1, err);
	if (rc < 0)
		cdc_err_file(err, r->name);
	if (plain.buf)
		cdc_reader_close(&plain);
	cdc_gunzip_free(g.z);
	return rc;
}

bool cdc_input_is_gzip(struct cdc_str head)
{
	return head.n >= 3 && memcmp(head.p, "\x1f\x8b\x08", 3) == 0;
}
