/*
 * Page headers: from Thrift to struct cdc_pq_page_header (spec 1.4, PageHeader and its members).
 */
#include "parquet/pq_meta_read.h"

enum { HAS_TYPE = 1, HAS_FULL = 2, HAS_STORED = 4, HAS_VALUES = 8, HAS_ENCODING = 16 };

/* DataPageHeader (5) and DictionaryPageHeader (7) begin alike. */
static unsigned read_v1(struct cdc_pq_tread *r, struct cdc_pq_page_header *h, bool data)
{
	static const struct cdc_pq_twant of_data = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_I32,
		[3] = CDC_PQ_WIRE_I32,
		[4] = CDC_PQ_WIRE_I32,
	} };
	static const struct cdc_pq_twant of_dictionary = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_I32,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	unsigned has = 0;

	while (cdc_pq_tread_field(r, &f, data ? &of_data : &of_dictionary)) {
		int32_t v = cdc_pq_tread_i32(r);

		if (f.id == 1) {
			h->num_values = v;
			has |= HAS_VALUES;
		} else if (f.id == 2) {
			h->encoding = (enum cdc_pq_encoding)v;
			has |= HAS_ENCODING;
		} else if (f.id == 3) {
			h->def_encoding = (enum cdc_pq_encoding)v;
		} else {
			h->rep_encoding = (enum cdc_pq_encoding)v;
		}
	}
	return has;
}

static unsigned read_v2(struct cdc_pq_tread *r, struct cdc_pq_page_header *h)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_I32,
		[3] = CDC_PQ_WIRE_I32,
		[4] = CDC_PQ_WIRE_I32,
		[5] = CDC_PQ_WIRE_I32,
		[6] = CDC_PQ_WIRE_I32,
		[7] = CDC_PQ_WIRE_TRUE,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	unsigned has = 0;

	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
			h->num_values = cdc_pq_tread_i32(r);
			has |= HAS_VALUES;
			break;
		case 2:
			h->num_nulls = cdc_pq_tread_i32(r);
			break;
		case 3:
			h->num_rows = cdc_pq_tread_i32(r);
			break;
		case 4:
			h->encoding = (enum cdc_pq_encoding)cdc_pq_tread_i32(r);
			has |= HAS_ENCODING;
			break;
		case 5:
			h->def_length = cdc_pq_tread_i32(r);
			break;
		case 6:
			h->rep_length = cdc_pq_tread_i32(r);
			break;
		case 7:
			h->is_compressed = cdc_pq_tread_bool(r, &f);
			break;
		default:
			break;
		}
	}
	return has;
}

/* A struct that belongs to another type of page. */
static unsigned pass_struct(struct cdc_pq_tread *r)
{
	static const struct cdc_pq_twant nothing = { { 0 } };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;

	while (cdc_pq_tread_field(r, &f, &nothing))
		;
	return 0;
}

/* The struct of a page: only the one that belongs to the page's type counts. */
static unsigned read_member(struct cdc_pq_tread *r, struct cdc_pq_page_header *h, int16_t id)
{
	if (id == 5 && h->type == CDC_PQ_DATA_PAGE)
		return read_v1(r, h, true);
	if (id == 7 && h->type == CDC_PQ_DICTIONARY_PAGE)
		return read_v1(r, h, false);
	if (id == 8 && h->type == CDC_PQ_DATA_PAGE_V2)
		return read_v2(r, h);
	return pass_struct(r);
}

static unsigned read_fields(struct cdc_pq_tread *r, struct cdc_pq_page_header *h)
{
	static const struct cdc_pq_twant want = { {
		[1] = CDC_PQ_WIRE_I32,
		[2] = CDC_PQ_WIRE_I32,
		[3] = CDC_PQ_WIRE_I32,
		[4] = CDC_PQ_WIRE_I32,
		[5] = CDC_PQ_WIRE_STRUCT,
		[7] = CDC_PQ_WIRE_STRUCT,
		[8] = CDC_PQ_WIRE_STRUCT,
	} };
	struct cdc_pq_tfield f = CDC_PQ_TFIELD_INIT;
	unsigned has = 0;

	while (cdc_pq_tread_field(r, &f, &want)) {
		switch (f.id) {
		case 1:
			h->type = (enum cdc_pq_page_type)cdc_pq_tread_i32(r);
			has |= HAS_TYPE;
			break;
		case 2:
			h->uncompressed_size = cdc_pq_tread_i32(r);
			has |= HAS_FULL;
			break;
		case 3:
			h->compressed_size = cdc_pq_tread_i32(r);
			has |= HAS_STORED;
			break;
		case 4:
			h->crc = (uint32_t)cdc_pq_tread_i32(r);
			h->has_crc = h->crc != 0;
			break;
		default:
			has |= read_member(r, h, f.id);
			break;
		}
	}
	return has;
}

static const char *check(const struct cdc_pq_page_header *h, unsigned has)
{
	const unsigned sizes = HAS_TYPE | HAS_FULL | HAS_STORED;
	bool known = h->type == CDC_PQ_DATA_PAGE || h->type == CDC_PQ_DICTIONARY_PAGE ||
		     h->type == CDC_PQ_DATA_PAGE_V2;

	if ((has & sizes) != sizes)
		return "a required field is missing";
	if (h->compressed_size < 0 || h->uncompressed_size < 0)
		return "a size is negative";
	if (!known)
		return NULL;
	if ((has & (HAS_VALUES | HAS_ENCODING)) != (HAS_VALUES | HAS_ENCODING))
		return "the header of the page's type is missing";
	if (h->num_values < 0 || h->num_nulls < 0 || h->num_rows < 0)
		return "a count is negative";
	if (h->def_length < 0 || h->rep_length < 0)
		return "a length of levels is negative";
	return NULL;
}

int cdc_pq_page_header_read(struct cdc_pq_page_header *h, const void *p, size_t n, size_t *used,
			    struct cdc_err *err)
{
	struct cdc_pq_tread r;
	const char *wrong;
	unsigned has;

	*h = (struct cdc_pq_page_header){ .type = CDC_PQ_DATA_PAGE,
					  .def_encoding = CDC_PQ_RLE,
					  .rep_encoding = CDC_PQ_RLE,
					  .is_compressed = true };
	cdc_pq_tread_init(&r, p, n);
	has = read_fields(&r, h);
	wrong = r.bad ? NULL : check(h, has);
	if (wrong)
		cdc_pq_tread_fail(&r, wrong);
	if (r.bad)
		return cdc_pq_tread_error(&r, "page header", err);
	*used = cdc_pq_tread_used(&r);
	return CDC_OK;
}
