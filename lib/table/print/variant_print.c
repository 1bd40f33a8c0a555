/*
 * Variants as JSON. See variant.h.
 */
#include "table/print/print_int.h"
#include "table/nested/variant_int.h"

struct printing {
	const struct cdc_print_sink *out;
	bool first; /* nothing stands before in the object or array at hand */
};

static int put_comma(struct printing *p, struct cdc_err *err)
{
	bool first = p->first;

	p->first = false;
	return first ? CDC_OK : cdc_print_put(p->out, CDC_STR(","), err);
}

static int print_begin(void *ctx, bool object, struct cdc_err *err)
{
	struct printing *p = ctx;

	p->first = true;
	return cdc_print_put(p->out, object ? CDC_STR("{") : CDC_STR("["), err);
}

static int print_member(void *ctx, struct cdc_str name, struct cdc_err *err)
{
	struct printing *p = ctx;
	int rc = put_comma(p, err);

	if (rc == CDC_OK)
		rc = cdc_print_json_string(p->out, name, err);
	return rc < 0 ? rc : cdc_print_put(p->out, CDC_STR(":"), err);
}

static int print_element(void *ctx, struct cdc_err *err)
{
	return put_comma(ctx, err);
}

static int print_end(void *ctx, bool object, struct cdc_err *err)
{
	struct printing *p = ctx;

	p->first = false;
	return cdc_print_put(p->out, object ? CDC_STR("}") : CDC_STR("]"), err);
}

static int print_flat(void *ctx, const struct cdc_column *c, uint32_t row, struct cdc_err *err)
{
	struct printing *p = ctx;

	return cdc_print_json(p->out, c, row, err);
}

static const struct cdc_variant_ops print_ops = { print_begin, print_member, print_element,
						  print_end, print_flat };

int cdc_variant_print(const struct cdc_print_sink *s, const struct cdc_column *c, uint32_t row,
		      struct cdc_err *err)
{
	struct printing p = { .out = s };
	const struct cdc_variant_sink sink = { &print_ops, &p };

	return cdc_variant_walk(&sink, c, row, err);
}

int cdc_variant_print_binary(const struct cdc_print_sink *s, struct cdc_str metadata,
			     struct cdc_str value, struct cdc_err *err)
{
	struct printing p = { .out = s };
	const struct cdc_variant_sink sink = { &print_ops, &p };
	struct cdc_variant_names names;
	int rc = cdc_variant_names_open(&names, metadata, err);

	return rc < 0 ? rc : cdc_variant_value_walk(&sink, &names, value, err);
}
