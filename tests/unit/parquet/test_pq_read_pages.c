/*
 * Proves that pages built by hand come out as their values: both versions, dictionaries in odd
 * places, foreign and empty pages, the known bugs of old writers; that what a header says against
 * its bytes is refused with the file's name and the offset; and that no truncation and no flipped
 * byte does more than give an error or other values.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pq_build.h"

static struct file file;
static struct bytes built;
static uint32_t max_page; /* 0: the reader's own */

static int start(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	max_page = 0;
	file.type = CDC_PQ_INT32;
	return 0;
}

/* Open the file and read column 0 of row group 0 in batches of 3 to text: "1 2 null 4". */
static int read_text(const struct bytes *b, char *text, size_t size, struct cdc_err *err)
{
	struct memory mem = { b->p, b->n };
	struct cdc_io io = mem_io(&mem);
	struct cdc_pq_column *c = NULL;
	struct cdc_pq_file *f = NULL;
	struct cdc_pq_vec v;
	size_t n = 0;
	int rc = cdc_pq_open(&f, &io, "test.parquet", 0, err);

	text[0] = '\0';
	if (rc == CDC_OK && max_page)
		cdc_pq_limit_page(f, max_page);
	if (rc == CDC_OK &&
	    (cdc_pq_metadata(f)->num_row_groups == 0 || cdc_pq_metadata(f)->schema.num_leaves == 0))
		rc = CDC_END;
	else if (rc == CDC_OK)
		rc = cdc_pq_column_open(&c, f, 0, 0, err);
	while (rc == CDC_OK) {
		rc = cdc_pq_column_read(c, 3, &v, err);
		for (uint32_t i = 0; rc == CDC_OK && i < v.n && n + 100 < size; i++) {
			const struct cdc_str *s = (const struct cdc_str *)v.values + i;

			if (v.def && v.def[i] == 0)
				n += (size_t)snprintf(text + n, size - n, "null ");
			else if (v.type == CDC_PQ_INT32)
				n += (size_t)snprintf(text + n, size - n, "%d ",
						      ((const int32_t *)v.values)[i]);
			else if (v.type == CDC_PQ_BOOLEAN)
				n += (size_t)snprintf(text + n, size - n, "%d ",
						      ((const uint8_t *)v.values)[i]);
			else if (v.type == CDC_PQ_INT96)
				n += (size_t)snprintf(
					text + n, size - n, "%u:%llu ",
					((const struct cdc_pq_int96 *)v.values)[i].julian_day,
					(unsigned long long)((const struct cdc_pq_int96 *)
								     v.values)[i]
						.nanos);
			else
				n += (size_t)snprintf(text + n, size - n, "%.*s ",
						      s->n < 40 ? (int)s->n : 40, s->p);
		}
	}
	cdc_pq_column_close(c);
	cdc_pq_close(f);
	return rc == CDC_END ? CDC_OK : rc;
}

static void expect(const char *want)
{
	struct cdc_err err = CDC_ERR_INIT;
	char text[2000];
	int rc;

	build(&built, &file);
	rc = read_text(&built, text, sizeof(text), &err);
	if (rc < 0)
		print_message("%s\n", err.msg);
	assert_int_equal(rc, CDC_OK);
	assert_string_equal(text, want);
}

static void refuse(enum cdc_code code, const char *part)
{
	struct cdc_err err = CDC_ERR_INIT;
	char text[2000];
	int rc;

	build(&built, &file);
	rc = read_text(&built, text, sizeof(text), &err);
	assert_int_equal(rc, code);
	if (!strstr(err.msg, part))
		print_message("%s\n", err.msg);
	assert_non_null(strstr(err.msg, part));
	assert_string_equal(err.file, "test.parquet");
}

static void data(int version, int64_t n, int encoding, const void *body, size_t len)
{
	struct page pg = { .type = version == 2 ? CDC_PQ_DATA_PAGE_V2 : CDC_PQ_DATA_PAGE,
			   .num_values = n,
			   .encoding = encoding };

	put_page(&file.chunk, &pg, body, len);
}

static void dictionary(int64_t n, const void *body, size_t len)
{
	struct page pg = { .type = CDC_PQ_DICTIONARY_PAGE,
			   .num_values = n,
			   .encoding = CDC_PQ_PLAIN };

	put_page(&file.chunk, &pg, body, len);
}

static const uint8_t int_1_2_3[12] = { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0 };

/* ------------------------------------------------------------------ right */

static void plain_required(void **state)
{
	(void)state;
	file.num_rows = 7;
	data(1, 3, CDC_PQ_PLAIN, int_1_2_3, 12);
	data(1, 1, CDC_PQ_PLAIN, "\xff\xff\xff\xff", 4);
	data(2, 3, CDC_PQ_PLAIN, int_1_2_3, 12);
	expect("1 2 3 -1 1 2 3 ");
}

/* Levels 1 0 1 1 in one group of bits (0x0d), length 2, then "ab", "", "c". */
static void optional_strings(void **state)
{
	static const char v1[] = "\2\0\0\0\x03\x0d\2\0\0\0ab\0\0\0\0\1\0\0\0c";
	static const char v2[] = "\x03\x0d\2\0\0\0ab\0\0\0\0\1\0\0\0c";
	struct page pg = { .type = CDC_PQ_DATA_PAGE_V2, .num_values = 4, .def_length = 2 };

	(void)state;
	file.type = CDC_PQ_BYTE_ARRAY;
	file.repetition = CDC_PQ_OPTIONAL;
	file.num_rows = 8;
	data(1, 4, CDC_PQ_PLAIN, v1, sizeof(v1) - 1);
	put_page(&file.chunk, &pg, v2, sizeof(v2) - 1);
	expect("ab null  c ab null  c ");
}

/* BIT_PACKED levels: 1 0 1 is 0xa0, no length in front. */
static void bit_packed_levels(void **state)
{
	static const char body[] = "\xa0\7\0\0\0\x08\0\0\0";
	struct page pg = { .num_values = 3, .def_encoding = CDC_PQ_BIT_PACKED };

	(void)state;
	file.repetition = CDC_PQ_OPTIONAL;
	file.num_rows = 3;
	put_page(&file.chunk, &pg, body, sizeof(body) - 1);
	expect("7 null 8 ");
}

/* All present, then all null, each one run: 3 << 1 of 1 and of 0. */
static void whole_page_runs(void **state)
{
	static const char present[] = "\2\0\0\0\x06\1\1\0\0\0\2\0\0\0\3\0\0\0";
	static const char absent[] = "\2\0\0\0\x06\0";

	(void)state;
	file.repetition = CDC_PQ_OPTIONAL;
	file.num_rows = 9;
	data(1, 3, CDC_PQ_PLAIN, present, sizeof(present) - 1);
	data(1, 3, CDC_PQ_PLAIN, absent, sizeof(absent) - 1);
	data(1, 3, CDC_PQ_PLAIN, present, sizeof(present) - 1);
	expect("1 2 3 null null null 1 2 3 ");
}

/* Indices 2 1 0 in 2 bits: width byte 2, one group (header 3), 0x06. No offset names the page. */
static void dictionary_without_offset(void **state)
{
	(void)state;
	file.num_rows = 6;
	dictionary(3, int_1_2_3, 12);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\2\3\x06\0", 4);
	data(1, 3, CDC_PQ_PLAIN_DICTIONARY, "\2\3\x06\0", 4);
	expect("3 2 1 3 2 1 ");
}

/* Index width 0: everything is entry 0. After the dictionary a PLAIN page. */
static void dictionary_of_one_and_fallback(void **state)
{
	(void)state;
	file.num_rows = 6;
	file.dictionary_page_offset = 4;
	dictionary(1, int_1_2_3, 4);
	file.data_page_offset = 4 + (int64_t)file.chunk.n;
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\0\6", 2);
	data(1, 3, CDC_PQ_PLAIN, int_1_2_3, 12);
	expect("1 1 1 1 2 3 ");
}

/* Index pages, unknown pages and pages of nothing are passed over; surplus values are padding. */
static void foreign_pages(void **state)
{
	struct page index = { .type = CDC_PQ_INDEX_PAGE };
	struct page unknown = { .type = 77 };

	(void)state;
	file.num_rows = 2;
	put_page(&file.chunk, &index, "abcdef", 6);
	put_page(&file.chunk, &unknown, "", 0);
	data(1, 0, CDC_PQ_PLAIN, "", 0);
	data(1, 3, CDC_PQ_PLAIN, int_1_2_3, 12);
	expect("1 2 ");
}

static void booleans(void **state)
{
	(void)state;
	file.type = CDC_PQ_BOOLEAN;
	file.num_rows = 22;
	data(1, 11, CDC_PQ_PLAIN, "\x95\x05", 2);
	data(1, 11, CDC_PQ_RLE, "\5\0\0\0\x03\x95\x06\1\0", 9);
	expect("1 0 1 0 1 0 0 1 1 0 1 1 0 1 0 1 0 0 1 1 1 1 ");
}

/* Two values of four streams: 0x04030201 and 0x08070605. */
static void byte_stream_split(void **state)
{
	(void)state;
	file.num_rows = 2;
	data(1, 2, CDC_PQ_BYTE_STREAM_SPLIT, "\1\5\2\6\3\7\4\x08", 8);
	expect("67305985 134678021 ");
}

/* Letters in streams, for every length of value and number of values that is gone about otherwise.
 */
static void byte_stream_split_fixed(void **state)
{
	for (int length = 1; length <= 17; length++)
		for (int n = 1; n <= 40; n++) {
			char streams[17 * 40];
			char want[18 * 40 + 1];
			char *w = want;

			for (int i = 0; i < n; i++) {
				for (int k = 0; k < length; k++) {
					*w = (char)('a' + (i * 7 + k * 3) % 26);
					streams[k * n + i] = *w++;
				}
				*w++ = ' ';
			}
			*w = '\0';
			assert_int_equal(start(state), 0);
			file.type = CDC_PQ_FIXED;
			file.type_length = length;
			file.num_rows = n;
			data(1, n, CDC_PQ_BYTE_STREAM_SPLIT, streams, (size_t)(n * length));
			expect(want);
		}
}

static void int96(void **state)
{
	(void)state;
	file.type = CDC_PQ_INT96;
	file.num_rows = 1;
	data(1, 1, CDC_PQ_PLAIN, "\1\0\0\0\1\0\0\0\x8c\x3d\x25\0", 12);
	expect("2440588:4294967297 ");
}

static void fixed_length(void **state)
{
	(void)state;
	file.type = CDC_PQ_FIXED;
	file.type_length = 3;
	file.num_rows = 4;
	dictionary(2, "foobar", 6);
	data(1, 2, CDC_PQ_RLE_DICTIONARY, "\1\3\1", 3);
	data(1, 2, CDC_PQ_PLAIN, "abcxyz", 6);
	expect("bar foo abc xyz ");
}

/* CRC-32 of "123456789" is cbf43926: the check value of the algorithm. */
static void checksum(void **state)
{
	struct page pg = { .num_values = 1, .has_crc = true, .crc = 0xcbf43926 };

	(void)state;
	file.type = CDC_PQ_FIXED;
	file.type_length = 9;
	file.num_rows = 1;
	put_page(&file.chunk, &pg, "123456789", 9);
	expect("123456789 ");
	file.chunk.n = 0;
	put_page(&file.chunk, &pg, "123456780", 9);
	refuse(CDC_ECORRUPT, "checksum");
	/* HAWQ and Parquet.jl write the field, and no checksum. */
	pg.crc = 0;
	file.chunk.n = 0;
	put_page(&file.chunk, &pg, "123456780", 9);
	expect("123456780 ");
}

static void no_values(void **state)
{
	(void)state;
	expect("");
}

/* A dictionary of nothing in front of pages of nulls, whose indices have a width byte, none of any
 * use, or no byte at all; the pages of nothing behind them are never looked at. */
static void nulls_only(void **state)
{
	(void)state;
	file.repetition = CDC_PQ_OPTIONAL;
	file.num_rows = 9;
	dictionary(0, "", 0);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\2\0\0\0\x06\0\0", 7);
	data(1, 3, CDC_PQ_PLAIN_DICTIONARY, "\2\0\0\0\x06\0\x20", 7);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\2\0\0\0\x06\0", 6);
	data(1, 0, 99, "rubbish", 7);
	data(1, 0, CDC_PQ_PLAIN, "", 0);
	expect("null null null null null null null null null ");
}

/* Values that take no bytes may be no bytes, or an empty stream, under a codec. */
static void empty_values(void **state)
{
	struct page pg = {
		.type = CDC_PQ_DATA_PAGE_V2, .num_values = 3, .def_length = 2, .full = 2
	};

	(void)state;
	file.repetition = CDC_PQ_OPTIONAL;
	file.num_rows = 6;
	file.codec = CDC_PQ_SNAPPY;
	put_page(&file.chunk, &pg, "\x06\0", 2);
	put_page(&file.chunk, &pg, "\x06\0\0", 3);
	expect("null null null null null null ");
	file.chunk.n = 0;
	pg.full = 6;
	put_page(&file.chunk, &pg, "\x06\1", 2);
	refuse(CDC_ECORRUPT, "does not decompress");
	pg.full = 1;
	file.chunk.n = 0;
	put_page(&file.chunk, &pg, "\x06\0", 2);
	refuse(CDC_ECORRUPT, "levels are longer");
}

/* A dictionary that no page uses, and bytes behind the values that nobody needs. */
static void surplus(void **state)
{
	(void)state;
	file.num_rows = 6;
	dictionary(1, int_1_2_3, 4);
	data(1, 2, CDC_PQ_PLAIN, int_1_2_3, 12);
	data(2, 2, CDC_PQ_PLAIN, int_1_2_3, 9);
	data(1, 2, CDC_PQ_PLAIN, int_1_2_3, 8);
	expect("1 2 1 2 1 2 ");
}

/* Levels of a column that has none: V2 gives their length, which is passed over. */
static void levels_of_required(void **state)
{
	struct page pg = { .type = CDC_PQ_DATA_PAGE_V2, .num_values = 2, .def_length = 2 };

	(void)state;
	file.num_rows = 2;
	put_page(&file.chunk, &pg, "\x04\0\1\0\0\0\2\0\0\0", 10);
	expect("1 2 ");
}

/* ------------------------------------------------------------------ bugs of writers */

/* "axis"; then a page whose first value is 3 of it and "d". */
static void put_carried(void)
{
	static const uint8_t page1[] = { 0x80, 1, 4, 1, 0, 0x80, 1, 4, 1, 8, 'a', 'x', 'i', 's' };
	static const uint8_t page2[] = { 0x80, 1, 4, 1, 6, 0x80, 1, 4, 1, 2, 'd' };

	file.type = CDC_PQ_BYTE_ARRAY;
	file.num_rows = 2;
	data(1, 1, CDC_PQ_DELTA_BYTE_ARRAY, page1, sizeof(page1));
	data(1, 1, CDC_PQ_DELTA_BYTE_ARRAY, page2, sizeof(page2));
}

static void carried_prefix(void **state)
{
	(void)state;
	put_carried();
	file.created_by = "parquet-mr version 1.7.9 (build x)";
	expect("axis axid ");
	file.created_by = "parquet-mr version 1.8.0 (build x)";
	refuse(CDC_ECORRUPT, "prefix");
}

/* The chunk is said to be shorter than it is: PARQUET-816, and writers that leave the headers or
 * the dictionary out. Strings of the first page are still whole when the rest was read again. */
static void size_too_small(void **state)
{
	static const char strings[] = "\1\0\0\0a\1\0\0\0b";

	(void)state;
	file.num_rows = 3;
	data(1, 3, CDC_PQ_PLAIN, int_1_2_3, 12);
	for (int64_t n = 1; n < (int64_t)file.chunk.n; n++) {
		file.chunk_size = n;
		expect("1 2 3 ");
	}
	start(NULL);
	file.type = CDC_PQ_BYTE_ARRAY;
	file.num_rows = 5;
	dictionary(2, strings, 10);
	data(1, 2, CDC_PQ_PLAIN, strings, 10);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\1\3\2", 3);
	for (int64_t n = 1; n < (int64_t)file.chunk.n; n++) {
		file.chunk_size = n;
		expect("a b a b a ");
	}
}

/* It is said to go into the footer: what there is counts. */
static void size_too_large(void **state)
{
	(void)state;
	file.num_rows = 3;
	data(1, 3, CDC_PQ_PLAIN, int_1_2_3, 12);
	file.chunk_size = (int64_t)file.chunk.n + 1;
	expect("1 2 3 ");
	file.chunk_size = INT64_MAX;
	expect("1 2 3 ");
}

/* The row group and the pages agree on 3; only the chunk says 2 or 4. */
static void values_that_lie(void **state)
{
	(void)state;
	file.num_rows = 3;
	data(1, 2, CDC_PQ_PLAIN, int_1_2_3, 8);
	data(2, 1, CDC_PQ_PLAIN, int_1_2_3 + 8, 4);
	file.num_values = 2;
	expect("1 2 3 ");
	file.num_values = 4;
	expect("1 2 3 ");
	file.num_rows = 4;
	file.num_values = 3;
	refuse(CDC_ECORRUPT, "3 values in 4 rows");
	file.num_rows = 2;
	refuse(CDC_ECORRUPT, "3 values in 2 rows");
	/* Another column agrees with the row group: what is over does not count. */
	file.second = true;
	expect("1 2 ");
	file.num_rows = 4;
	refuse(CDC_ECORRUPT, "3 values in 4 rows");
}

/* Of 4 values that chunk and page promise, only those of the 2 rows are there. */
static void values_past_the_rows(void **state)
{
	(void)state;
	file.num_rows = 2;
	file.num_values = 4;
	data(1, 4, CDC_PQ_PLAIN, int_1_2_3, 8);
	refuse(CDC_ECORRUPT, "4 values in 2 rows");
	file.second = true;
	expect("1 2 ");
}

/* Snappy of 12 bytes as one literal, flagged as not compressed. */
static void flag_that_lies(void **state)
{
	static const uint8_t snappy[14] = { 12, 44, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0 };
	struct page pg = {
		.type = CDC_PQ_DATA_PAGE_V2, .num_values = 3, .full = 12, .not_compressed = true
	};

	(void)state;
	file.num_rows = 3;
	file.codec = CDC_PQ_SNAPPY;
	put_page(&file.chunk, &pg, snappy, sizeof(snappy));
	file.created_by = "parquet-cpp-arrow version 2.0.0";
	expect("1 2 3 ");
	file.created_by = "parquet-cpp-arrow version 3.0.0";
	refuse(CDC_ECORRUPT, "an uncompressed page has 14 bytes and says 12");
}

/* ------------------------------------------------------------------ refused by name */

static void unsupported(void **state)
{
	(void)state;
	file.num_rows = 3;
	data(1, 3, 10, int_1_2_3, 12);
	refuse(CDC_EUNSUPPORTED, "ALP");
	file.chunk.n = 0;
	data(1, 3, 1, int_1_2_3, 12);
	refuse(CDC_EUNSUPPORTED, "encoding 1");
	file.codec = CDC_PQ_LZO;
	refuse(CDC_EUNSUPPORTED, "LZO");
	file.codec = 99;
	refuse(CDC_EUNSUPPORTED, "codec 99");
	file.codec = 0;
	file.encrypted = true;
	refuse(CDC_EUNSUPPORTED, "encrypted");
	file.encrypted = false;
	file.has_file_path = true;
	refuse(CDC_EUNSUPPORTED, "another file");
	file.has_file_path = false;
	file.magic = "PARE";
	refuse(CDC_EUNSUPPORTED, "encrypted");
	file.magic = "PAR2";
	refuse(CDC_ECORRUPT, "not a Parquet file");
}

static void page_too_large(void **state)
{
	struct page pg = { .num_values = 3, .full = 1001 };

	(void)state;
	file.num_rows = 3;
	file.codec = CDC_PQ_ZSTD;
	put_page(&file.chunk, &pg, "abc", 3);
	max_page = 1000;
	refuse(CDC_EUNSUPPORTED, "a page of 1001 bytes; the limit is 1000");
	max_page = 0;
	file.codec = CDC_PQ_SNAPPY;
	file.chunk.n = 0;
	pg.full = 100000;
	put_page(&file.chunk, &pg, "abc", 3);
	refuse(CDC_ECORRUPT, "cannot come from");
}

/* ------------------------------------------------------------------ lies */

static void one_page(const struct page *pg, const char *part)
{
	file.chunk.n = 0;
	put_page(&file.chunk, pg, int_1_2_3, 12);
	refuse(CDC_ECORRUPT, part);
}

static void sizes_that_lie(void **state)
{
	(void)state;
	file.num_rows = 3;
	one_page(&(struct page){ .num_values = 3, .kept = 13 },
		 "a page of 13 bytes where 12 are left");
	one_page(&(struct page){ .num_values = 3, .kept = -1 }, "negative");
	one_page(&(struct page){ .num_values = 3, .full = -1 }, "negative");
	one_page(&(struct page){ .num_values = 3, .full = 13 }, "12 bytes and says 13");
	one_page(&(struct page){ .num_values = -3 }, "negative");
	one_page(&(struct page){ .num_values = 2 }, "1 values early");
	one_page(&(struct page){ .type = 3, .num_values = 3, .def_length = -1 }, "negative");
	one_page(&(struct page){ .type = 3, .num_values = 3, .rep_length = 9, .def_length = 4 },
		 "longer");
	one_page(&(struct page){ .num_values = 3, .encoding = CDC_PQ_RLE }, "not for");
	one_page(&(struct page){ .num_values = 3, .encoding = CDC_PQ_DELTA_BYTE_ARRAY }, "not for");
	one_page(&(struct page){ .num_values = 3, .encoding = CDC_PQ_DELTA_LENGTH_BYTE_ARRAY },
		 "not for");
	one_page(&(struct page){ .num_values = 3, .encoding = CDC_PQ_DELTA_BINARY_PACKED },
		 "block size");
	file.num_values = 4;
	one_page(&(struct page){ .num_values = 4 }, "4 values in 3 rows");
	file.num_values = 0;
	file.num_rows = 4;
	one_page(&(struct page){ .num_values = 4 }, "ends before its values");
	file.data_page_offset = 3;
	one_page(&(struct page){ .num_values = 4 }, "outside");
	file.data_page_offset = 1000000;
	one_page(&(struct page){ .num_values = 4 }, "outside");
	file.data_page_offset = -1;
	one_page(&(struct page){ .num_values = 4 }, "outside");
	file.data_page_offset = 0;
	file.chunk_size = -1;
	one_page(&(struct page){ .num_values = 4 }, "negative");
}

static void levels_that_lie(void **state)
{
	(void)state;
	file.repetition = CDC_PQ_OPTIONAL;
	file.num_rows = 3;
	data(1, 3, CDC_PQ_PLAIN, "\xff\xff\xff\xff\x06\1", 6);
	refuse(CDC_ECORRUPT, "levels are longer");
	file.chunk.n = 0;
	data(1, 3, CDC_PQ_PLAIN, "\2\0", 2);
	refuse(CDC_ECORRUPT, "before its levels");
	file.chunk.n = 0;
	data(1, 3, CDC_PQ_PLAIN, "\2\0\0\0\x06\2\1\0\0\0", 10);
	refuse(CDC_ECORRUPT, "over the maximum");
	file.chunk.n = 0;
	data(1, 3, CDC_PQ_PLAIN, "\2\0\0\0\x04\1\1\0\0\0\1\0\0\0", 14);
	refuse(CDC_ECORRUPT, "runs end");
	file.chunk.n = 0;
	put_page(&file.chunk,
		 &(struct page){ .num_values = 3, .def_encoding = CDC_PQ_PLAIN_DICTIONARY },
		 int_1_2_3, 12);
	refuse(CDC_EUNSUPPORTED, "levels in encoding 2");
}

static void dictionaries_that_lie(void **state)
{
	(void)state;
	file.num_rows = 3;
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\0\6", 2);
	refuse(CDC_ECORRUPT, "without a dictionary");
	file.chunk.n = 0;
	dictionary(3, int_1_2_3, 12);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\2\6\3", 3);
	refuse(CDC_ECORRUPT, "dictionary index 3 of 3");
	file.chunk.n = 0;
	dictionary(3, int_1_2_3, 12);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\2\3\x0c\0", 4);
	refuse(CDC_ECORRUPT, "dictionary index 3 of 3");
	file.chunk.n = 0;
	dictionary(3, int_1_2_3, 12);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\x21\6\3\0\0\0\0", 7);
	refuse(CDC_ECORRUPT, "33 bits");
	file.chunk.n = 0;
	dictionary(4, int_1_2_3, 12);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\0\6", 2);
	refuse(CDC_ECORRUPT, "a dictionary of 4 values");
	file.chunk.n = 0;
	dictionary(3, int_1_2_3, 12);
	dictionary(3, int_1_2_3, 12);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\0\6", 2);
	refuse(CDC_ECORRUPT, "second dictionary");
}

static void strings_that_lie(void **state)
{
	(void)state;
	file.type = CDC_PQ_BYTE_ARRAY;
	file.num_rows = 1;
	data(1, 1, CDC_PQ_PLAIN, "\4\0\0\0abc", 7);
	refuse(CDC_ECORRUPT, "longer than its page");
	file.chunk.n = 0;
	data(1, 1, CDC_PQ_PLAIN,
	     "\xff\xff\xff\xff"
	     "abc",
	     7);
	refuse(CDC_ECORRUPT, "longer than its page");
	file.chunk.n = 0;
	data(1, 1, CDC_PQ_PLAIN, "\0\0\0", 3);
	refuse(CDC_ECORRUPT, "before its values");
}

/* 2^31 - 1 values in 6 bytes: decoding stops where the rows do, and costs what was asked for. */
static void many_values_of_few_bytes(void **state)
{
	struct memory mem;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_column *c = NULL;
	struct cdc_pq_file *f = NULL;
	struct cdc_pq_vec v;
	struct cdc_io io;

	(void)state;
	file.num_rows = INT32_MAX;
	dictionary(1, int_1_2_3, 4);
	data(1, INT32_MAX, CDC_PQ_RLE_DICTIONARY, "\0\xfe\xff\xff\xff\x0f", 6);
	build(&built, &file);
	mem = (struct memory){ built.p, built.n };
	io = mem_io(&mem);
	assert_int_equal(cdc_pq_open(&f, &io, "x", 0, &err), CDC_OK);
	assert_int_equal(cdc_pq_column_open(&c, f, 0, 0, &err), CDC_OK);
	assert_int_equal(cdc_pq_column_read(c, 1000, &v, &err), CDC_OK);
	assert_int_equal(v.n, 1000);
	assert_int_equal(((const int32_t *)v.values)[999], 1);
	assert_int_equal(cdc_pq_column_skip(c, INT32_MAX - 1001, &err), CDC_OK);
	assert_int_equal(cdc_pq_column_read(c, 1000, &v, &err), CDC_OK);
	assert_int_equal(v.n, 1);
	assert_int_equal(cdc_pq_column_read(c, 1000, &v, &err), CDC_END);
	cdc_pq_column_close(c);
	cdc_pq_close(f);
}

/* ------------------------------------------------------------------ damage */

static void damaged_everywhere(void **state)
{
	static struct bytes copy;
	char text[2000];
	size_t refused = 0;

	(void)state;
	put_carried();
	file.num_rows = 6;
	file.repetition = CDC_PQ_OPTIONAL;
	file.chunk.n = 0;
	dictionary(2, "\2\0\0\0ab\3\0\0\0cde", 13);
	data(1, 3, CDC_PQ_RLE_DICTIONARY, "\2\0\0\0\x03\x05\1\3\2", 9);
	data(1, 3, CDC_PQ_PLAIN, "\2\0\0\0\x06\1\1\0\0\0x\1\0\0\0y\1\0\0\0z", 21);
	expect("ab null cde x y z ");
	for (size_t n = 0; n < built.n; n++) {
		struct cdc_err err = CDC_ERR_INIT;

		copy = built;
		copy.n = n;
		assert_int_equal(read_text(&copy, text, sizeof(text), &err), CDC_ECORRUPT);
	}
	for (size_t i = 0; i < built.n; i++)
		for (unsigned bit = 0; bit < 9; bit++) {
			struct cdc_err err = CDC_ERR_INIT;
			int rc;

			copy = built;
			copy.p[i] = (uint8_t)(bit == 8 ? 0xff : copy.p[i] ^ 1u << bit);
			rc = read_text(&copy, text, sizeof(text), &err);
			if (rc != CDC_OK && rc != CDC_ECORRUPT && rc != CDC_EUNSUPPORTED)
				fail_msg("byte %zu, case %u: %d %s", i, bit, rc, err.msg);
			assert_int_equal(err.code, rc);
			refused += rc != CDC_OK;
		}
	assert_true(refused > built.n);
}

#define CASE(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(plain_required),
		CASE(optional_strings),
		CASE(bit_packed_levels),
		CASE(whole_page_runs),
		CASE(dictionary_without_offset),
		CASE(dictionary_of_one_and_fallback),
		CASE(foreign_pages),
		CASE(booleans),
		CASE(byte_stream_split),
		CASE(byte_stream_split_fixed),
		CASE(int96),
		CASE(fixed_length),
		CASE(checksum),
		CASE(no_values),
		CASE(nulls_only),
		CASE(empty_values),
		CASE(surplus),
		CASE(levels_of_required),
		CASE(carried_prefix),
		CASE(size_too_small),
		CASE(size_too_large),
		CASE(values_that_lie),
		CASE(values_past_the_rows),
		CASE(flag_that_lies),
		CASE(unsupported),
		CASE(page_too_large),
		CASE(sizes_that_lie),
		CASE(levels_that_lie),
		CASE(dictionaries_that_lie),
		CASE(strings_that_lie),
		CASE(many_values_of_few_bytes),
		CASE(damaged_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
