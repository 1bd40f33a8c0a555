/*
 * Printing a change record that differs from the line it came from in a member or three: the bytes
 * between the edits are copied as they are, in their order.
 */
#include "record/record.h"

enum { EDITS = 3 };

struct edit {
	const char *at; /* where in the line */
	size_t cut; /* bytes of the line that go */
	const char *member; /* of a member that the line lacks: its name, else NULL */
	struct cdc_str text; /* what comes instead */
};

/* The value token of a member even if it is null, which the record does not tell from absent. */
static uint32_t value_token(const struct cdc_record *r, uint32_t known, const char *member)
{
	return known != CDC_JSON_NONE ? known : cdc_json_get(r->tape, 0, member);
}

static void plan(const struct cdc_record *r, struct edit *e, const char *member, uint32_t tok,
		 struct cdc_str text)
{
	struct cdc_str old = cdc_json_source(r->tape, 0);

	e->member = NULL;
	e->text = text;
	if (tok == CDC_JSON_NONE) {
		e->member = member;
		e->at = old.p + old.n - 1; /* the closing brace */
		e->cut = 0;
		return;
	}
	old = cdc_json_source(r->tape, tok);
	e->at = old.p;
	e->cut = old.n;
}

/* Edits in the order of the line; those at the same place keep theirs. */
static void sort_edits(struct edit *e, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct edit x = e[i];
		unsigned j = i;

		for (; j > 0 && e[j - 1].at > x.at; j--)
			e[j] = e[j - 1];
		e[j] = x;
	}
}

static char *put(char *out, const char *p, size_t n)
{
	memcpy(out, p, n);
	return out + n;
}

static char *put_edit(char *out, const struct edit *e)
{
	if (e->member) {
		out = put(out, ",\"", 2);
		out = put(out, e->member, strlen(e->member));
		out = put(out, "\":", 2);
	}
	return put(out, e->text.p, e->text.n);
}

int cdc_record_print(struct cdc_buf *out, const struct cdc_record *r,
		     const struct cdc_record_patch *patch, struct cdc_err *err)
{
	struct cdc_str doc = cdc_json_source(r->tape, 0);
	const char *from = doc.p;
	struct edit edit[EDITS];
	char type[24];
	unsigned n = 0;
	size_t grow = 0;
	char *p;
	int rc;

	if (patch && patch->type_name) {
		size_t len = strlen(patch->type_name);

		if (len > sizeof(type) - 2)
			return cdc_fail(err, CDC_EINTERNAL, "no such record type");
		type[0] = '"';
		memcpy(type + 1, patch->type_name, len);
		type[len + 1] = '"';
		plan(r, &edit[n++], "recordType", r->type_tok, cdc_str(type, len + 2));
	}
	if (patch && patch->before.p)
		plan(r, &edit[n++], "beforeImages", value_token(r, r->before_tok, "beforeImages"),
		     patch->before);
	if (patch && patch->after.p)
		plan(r, &edit[n++], "afterImages", value_token(r, r->after_tok, "afterImages"),
		     patch->after);
	sort_edits(edit, n);
	for (unsigned i = 0; i < n; i++)
		grow += edit[i].text.n + (edit[i].member ? strlen(edit[i].member) + 4 : 0);
	rc = cdc_buf_reserve(out, doc.n + grow + 1, err);
	if (rc < 0)
		return rc;
	p = out->p + out->len;
	for (unsigned i = 0; i < n; i++) {
		p = put(p, from, (size_t)(edit[i].at - from));
		p = put_edit(p, &edit[i]);
		from = edit[i].at + edit[i].cut;
	}
	p = put(p, from, (size_t)(doc.p + doc.n - from));
	*p++ = '\n';
	out->len = (size_t)(p - out->p);
	return CDC_OK;
}
