/*
 * Parquet files built by hand for the reader's tests: a naive Thrift compact writer, one column
 * whose pages are given as bytes, and a struct cdc_io that reads the result from memory. None of
 * the library's writer is used.
 */
#ifndef TESTS_PQ_BUILD_H
#define TESTS_PQ_BUILD_H

#include "parquet/parquet.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUILD_BYTES = 1 << 16 };

struct bytes {
	uint8_t p[BUILD_BYTES];
	size_t n;
	int last[8]; /* field id in each open struct */
	int depth;
};

static inline void put_byte(struct bytes *b, unsigned v)
{
	if (b->n == BUILD_BYTES)
		abort();
	b->p[b->n++] = (uint8_t)v;
}

static inline void put(struct bytes *b, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_byte(b, ((const uint8_t *)p)[i]);
}

static inline void put_u32(struct bytes *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		put_byte(b, v >> 8 * i & 0xff);
}

static inline void put_varint(struct bytes *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_byte(b, (v & 0x7f) | 0x80);
	put_byte(b, (unsigned)v);
}

static inline void put_zigzag(struct bytes *b, int64_t v)
{
	put_varint(b, v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1);
}

/* ------------------------------------------------------------------ Thrift */

static inline void t_field(struct bytes *b, int id, unsigned type)
{
	int delta = id - b->last[b->depth];

	if (delta > 0 && delta < 16) {
		put_byte(b, (unsigned)delta << 4 | type);
	} else {
		put_byte(b, type);
		put_zigzag(b, id);
	}
	b->last[b->depth] = id;
}

static inline void t_i32(struct bytes *b, int id, int64_t v)
{
	t_field(b, id, 5);
	put_zigzag(b, v);
}

static inline void t_i64(struct bytes *b, int id, int64_t v)
{
	t_field(b, id, 6);
	put_zigzag(b, v);
}

static inline void t_bool(struct bytes *b, int id, bool v)
{
	t_field(b, id, v ? 1 : 2);
}

static inline void t_binary(struct bytes *b, int id, const void *p, size_t n)
{
	t_field(b, id, 8);
	put_varint(b, n);
	put(b, p, n);
}

static inline void t_text(struct bytes *b, int id, const char *text)
{
	t_binary(b, id, text, strlen(text));
}

static inline void t_list(struct bytes *b, int id, unsigned type, size_t n)
{
	t_field(b, id, 9);
	put_byte(b, (n < 15 ? (unsigned)n << 4 : 0xf0u) | type);
	if (n >= 15)
		put_varint(b, n);
}

/* A struct as element of a list, or as a field. */
static inline void t_open(struct bytes *b)
{
	b->last[++b->depth] = 0;
}

static inline void t_struct(struct bytes *b, int id)
{
	t_field(b, id, 12);
	t_open(b);
}

static inline void t_close(struct bytes *b)
{
	put_byte(b, 0);
	b->depth--;
}

/* ------------------------------------------------------------------ pages */

/* A header; counts that are negative are left to the caller's imagination. */
struct page {
	int type; /* enum cdc_pq_page_type, or a foreign one */
	int64_t num_values;
	int encoding;
	int def_encoding; /* 0: RLE */
	int64_t full; /* uncompressed size; 0: that of the bytes */
	int64_t kept; /* compressed size; 0: that of the bytes */
	bool has_crc;
	uint32_t crc;
	int64_t def_length; /* V2 */
	int64_t rep_length;
	bool not_compressed;
};

static inline void put_page(struct bytes *b, const struct page *pg, const void *body, size_t n)
{
	b->depth = 0;
	b->last[0] = 0;
	t_i32(b, 1, pg->type);
	t_i32(b, 2, pg->full ? pg->full : (int64_t)n);
	t_i32(b, 3, pg->kept ? pg->kept : (int64_t)n);
	if (pg->has_crc)
		t_i32(b, 4, (int32_t)pg->crc);
	if (pg->type == CDC_PQ_DATA_PAGE) {
		t_struct(b, 5);
		t_i32(b, 1, pg->num_values);
		t_i32(b, 2, pg->encoding);
		t_i32(b, 3, pg->def_encoding ? pg->def_encoding : CDC_PQ_RLE);
		t_i32(b, 4, CDC_PQ_RLE);
		t_close(b);
	} else if (pg->type == CDC_PQ_DICTIONARY_PAGE) {
		t_struct(b, 7);
		t_i32(b, 1, pg->num_values);
		t_i32(b, 2, pg->encoding);
		t_close(b);
	} else if (pg->type == CDC_PQ_DATA_PAGE_V2) {
		t_struct(b, 8);
		t_i32(b, 1, pg->num_values);
		t_i32(b, 2, 0);
		t_i32(b, 3, pg->num_values);
		t_i32(b, 4, pg->encoding);
		t_i32(b, 5, pg->def_length);
		t_i32(b, 6, pg->rep_length);
		if (pg->not_compressed)
			t_bool(b, 7, false);
		t_close(b);
	}
	put_byte(b, 0);
	put(b, body, n);
}

/* ------------------------------------------------------------------ files */

/* A file of one column "c" in one row group; its pages are `chunk`. */
struct file {
	int type;
	int type_length;
	int repetition;
	int codec;
	const char *created_by;
	int64_t num_rows;
	int64_t num_values; /* 0: num_rows */
	int64_t data_page_offset; /* 0: 4 */
	int64_t dictionary_page_offset; /* 0: absent */
	int64_t chunk_size; /* 0: that of the bytes */
	int64_t offset_index_offset; /* 0: absent */
	int64_t offset_index_length;
	int64_t column_index_offset;
	int64_t column_index_length;
	bool has_file_path;
	bool second; /* there is a column "d" too, of the same pages, with num_rows values */
	bool encrypted;
	const char *magic; /* NULL: PAR1 at both ends */
	void (*schema)(struct bytes *b); /* the whole list of elements instead of one column */
	void (*stats)(struct bytes *b); /* fields of Statistics */
	void (*orders)(struct bytes *b); /* field 7 of the footer */
	struct bytes chunk;
};

static inline void put_schema(struct bytes *b, const struct file *f)
{
	if (f->schema) {
		f->schema(b);
		return;
	}
	t_list(b, 2, 12, f->second ? 3 : 2);
	t_open(b);
	t_text(b, 4, "schema");
	t_i32(b, 5, f->second ? 2 : 1);
	t_close(b);
	for (int i = 0; i < (f->second ? 2 : 1); i++) {
		t_open(b);
		t_i32(b, 1, f->type);
		if (f->type_length)
			t_i32(b, 2, f->type_length);
		t_i32(b, 3, f->repetition);
		t_text(b, 4, i ? "d" : "c");
		t_close(b);
	}
}

static inline void put_chunk(struct bytes *b, const struct file *f, char name, int64_t num_values)
{
	t_open(b);
	if (f->has_file_path)
		t_text(b, 1, "elsewhere.parquet");
	t_i64(b, 2, 0);
	t_struct(b, 3);
	t_i32(b, 1, f->type);
	t_list(b, 2, 5, 0);
	t_list(b, 3, 8, 1);
	put_varint(b, 1);
	put_byte(b, (unsigned char)name);
	t_i32(b, 4, f->codec);
	t_i64(b, 5, num_values);
	t_i64(b, 6, (int64_t)f->chunk.n);
	t_i64(b, 7, f->chunk_size ? f->chunk_size : (int64_t)f->chunk.n);
	t_i64(b, 9, f->data_page_offset ? f->data_page_offset : 4);
	if (f->dictionary_page_offset)
		t_i64(b, 11, f->dictionary_page_offset);
	if (f->stats) {
		t_struct(b, 12);
		f->stats(b);
		t_close(b);
	}
	t_close(b);
	if (f->offset_index_offset) {
		t_i64(b, 4, f->offset_index_offset);
		t_i32(b, 5, f->offset_index_length);
		t_i64(b, 6, f->column_index_offset);
		t_i32(b, 7, f->column_index_length);
	}
	if (f->encrypted) {
		t_struct(b, 8);
		t_close(b);
	}
	t_close(b);
}

static inline void put_footer(struct bytes *b, const struct file *f)
{
	b->depth = 0;
	b->last[0] = 0;
	t_i32(b, 1, 1);
	put_schema(b, f);
	t_i64(b, 3, f->num_rows);
	t_list(b, 4, 12, 1);
	t_open(b);
	t_list(b, 1, 12, f->second ? 2 : 1);
	put_chunk(b, f, 'c', f->num_values ? f->num_values : f->num_rows);
	if (f->second)
		put_chunk(b, f, 'd', f->num_rows);
	t_i64(b, 2, 0);
	t_i64(b, 3, f->num_rows);
	t_close(b);
	if (f->created_by)
		t_text(b, 6, f->created_by);
	if (f->orders)
		f->orders(b);
	put_byte(b, 0);
}

static inline void build(struct bytes *out, const struct file *f)
{
	const char *magic = f->magic ? f->magic : "PAR1";
	size_t footer;

	out->n = 0;
	put(out, "PAR1", 4);
	put(out, f->chunk.p, f->chunk.n);
	footer = out->n;
	put_footer(out, f);
	put_u32(out, (uint32_t)(out->n - footer));
	put(out, magic, 4);
}

/* ------------------------------------------------------------------ memory as a file */

struct memory {
	const uint8_t *p;
	size_t n;
};

static inline int mem_open(void *ctx, const char *path, int flags, mode_t mode)
{
	(void)ctx;
	(void)path;
	(void)flags;
	(void)mode;
	return 3;
}

static inline int mem_close(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return 0;
}

static inline ssize_t mem_pread(void *ctx, int fd, void *buf, size_t n, off_t offset)
{
	const struct memory *m = ctx;
	size_t at = (size_t)offset;

	(void)fd;
	if (at >= m->n)
		return 0;
	n = n < m->n - at ? n : m->n - at;
	memcpy(buf, m->p + at, n);
	return (ssize_t)n;
}

static inline int mem_fstat(void *ctx, int fd, struct stat *st)
{
	const struct memory *m = ctx;

	(void)fd;
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG | 0644;
	st->st_size = (off_t)m->n;
	return 0;
}

static inline struct cdc_io mem_io(struct memory *m)
{
	return (struct cdc_io){ .ctx = m,
				.open = mem_open,
				.close = mem_close,
				.pread = mem_pread,
				.fstat = mem_fstat };
}

#endif
