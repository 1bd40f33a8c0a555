/*
 * Proves that a scan with a predicate gives exactly the rows for which it is true: random tables
 * of several files, with row groups and pages of a few rows, nulls, NaN, long strings, partitions,
 * deletion vectors, columns that a file lacks or has in a narrower type, and statistics that are
 * there, loose or missing, against random predicates. The rows that the scan gives, with all that
 * it skips, must be those that the predicate holds for when every row is read and tested, and both
 * must be those that SQLite selects. In the end something must have been skipped in every way.
 *
 *	prop_where [TABLES [SEED]]
 */
#include "table/scan/scan.h"

#include "base/endian.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MAX_FILES 5
#define MAX_ROWS 160 /* of a file */
#define PREDICATES 60 /* a table */
#define TEXT 6000

/* ------------------------------------------------------------------ random */

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)((rng >> 16) % n);
}

static int64_t around(int64_t centre, uint32_t width)
{
	return centre + (int64_t)rnd(2 * width + 1) - width;
}

/* ------------------------------------------------------------------ rows */

enum { ID, I, WIDE, D, F, N, M, S, DAY, TS, O, LATE, P, COLUMNS };

#define LEAVES P /* columns of the files, if all are there */

static const char *const name[COLUMNS] = { "id", "i",	"wide", "d", "f",    "n", "m",
					   "s",	 "day", "ts",	"o", "late", "p" };

struct row {
	bool null[COLUMNS];
	int64_t v[COLUMNS]; /* integers; N in hundredths, M in 1/10000 */
	double d[COLUMNS]; /* D, F */
	char s[80];
};

struct data {
	char path[32];
	int rows;
	struct row row[MAX_ROWS];
	int m_form; /* DECIMAL(9,2), (18,4), (20,4) in the file */
	bool narrow; /* WIDE is an INT in the file */
	bool late; /* has the column LATE */
	int64_t p;
	bool p_null;
	uint64_t deleted; /* marks row i where bit i % 64 is set */
};

static void random_string(struct row *r, int64_t base)
{
	size_t n = (size_t)rnd(4);

	memset(r->s, 0, sizeof(r->s));
	if (rnd(12) == 0)
		n = 30 + rnd(40);
	for (size_t i = 0; i < n; i++)
		r->s[i] = (char)(i < 29 && n > 29 ? 'q' : 'a' + (base + rnd(3)) % 5);
	if (rnd(10) == 0 && n < 60)
		strcpy(r->s + n, rnd(2) ? "\xc3\xab" : "\xf4\x8f\xbf\xbf");
}

static void random_row(struct row *r, int64_t id, int64_t base, bool nans)
{
	*r = (struct row){ .v = { [ID] = id,
				  [I] = around(base * 10, 6),
				  [WIDE] = around(base * 1000000, 100000),
				  [N] = around(base * 100, 120),
				  [M] = around(base * 5, 8) * 100,
				  [DAY] = around(18262 + base, 2),
				  [TS] = around(INT64_C(1577836800000000) + base * 5000, 4000),
				  [O] = rnd(2) && base % 3,
				  [LATE] = around(base, 3) } };
	r->d[D] = (double)around(base * 10, 10) / 4;
	r->d[F] = (double)(float)((double)around(base * 10, 10) / 10);
	if (nans && rnd(5) == 0)
		r->d[rnd(2) ? D : F] = (double)__builtin_nanf("");
	if (rnd(30) == 0)
		r->d[rnd(2) ? D : F] = rnd(2) ? (double)__builtin_inff() : -0.0;
	random_string(r, base);
	for (int c = I; c < P; c++)
		r->null[c] = rnd(8) == 0;
}

static void random_data(struct data *t, int file, int64_t *id)
{
	int64_t base = around(0, 4);
	bool nans = rnd(3) == 0;
	bool sorted = rnd(2);
	int all_null = rnd(3) == 0 ? (int)(I + rnd(P - I)) : -1;

	*t = (struct data){ .rows = 1 + (int)rnd(MAX_ROWS),
			    .m_form = (int)rnd(3),
			    .narrow = rnd(2),
			    .late = rnd(2),
			    .p = around(0, 2),
			    .p_null = rnd(5) == 0,
			    .deleted = rnd(3) ? 0 : (uint64_t)rnd(UINT32_MAX) << 20 };
	snprintf(t->path, sizeof(t->path), "f%d.parquet", file);
	for (int i = 0; i < t->rows; i++) {
		struct row *r = &t->row[i];

		random_row(r, (*id)++, sorted ? base + i / 20 : base, nans);
		r->v[P] = t->p;
		r->null[P] = t->p_null;
		r->null[LATE] |= !t->late;
		if (all_null >= 0)
			r->null[all_null] = true;
	}
}

static bool is_deleted(const struct data *t, int row)
{
	return t->deleted >> (row % 64) & 1;
}

/* ------------------------------------------------------------------ files */

static void fail(const char *what, const struct cdc_err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->msg);
	exit(4);
}

static struct cdc_schema schema_of(const char *ddl)
{
	struct cdc_schema s = CDC_SCHEMA_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	if (cdc_schema_from_ddl(&s, cdc_str_z(ddl), &err) < 0)
		fail(ddl, &err);
	return s;
}

static struct cdc_schema schema_of_file(const struct data *t)
{
	static const char *const m[] = { "DECIMAL(9,2)", "DECIMAL(18,4)", "DECIMAL(20,4)" };
	char ddl[400];

	snprintf(ddl, sizeof(ddl),
		 "id BIGINT NOT NULL, i INT, wide %s, d DOUBLE, f FLOAT, n DECIMAL(9,2), m %s, "
		 "s STRING, day DATE, ts TIMESTAMP, o BOOLEAN%s",
		 t->narrow ? "INT" : "BIGINT", m[t->m_form], t->late ? ", late INT" : "");
	return schema_of(ddl);
}

/* Values of column c in the C type of the leaf. */
union values {
	uint8_t flag[MAX_ROWS];
	int32_t i32[MAX_ROWS];
	int64_t i64[MAX_ROWS];
	float f32[MAX_ROWS];
	double f64[MAX_ROWS];
	struct cdc_str s[MAX_ROWS];
};

static void put_value(const struct data *t, int c, enum cdc_pq_type type, int i, union values *out,
		      char fixed[MAX_ROWS][9])
{
	const struct row *r = &t->row[i];
	int64_t v = r->null[c] ? 0 : c == M && t->m_form == 0 ? r->v[c] / 100 : r->v[c];

	if (type == CDC_PQ_BOOLEAN)
		out->flag[i] = (uint8_t)v;
	else if (type == CDC_PQ_INT32)
		out->i32[i] = (int32_t)v;
	else if (type == CDC_PQ_INT64)
		out->i64[i] = v;
	else if (type == CDC_PQ_FLOAT)
		out->f32[i] = r->null[c] ? 0 : (float)r->d[c];
	else if (type == CDC_PQ_DOUBLE)
		out->f64[i] = r->null[c] ? 0 : r->d[c];
	else if (type == CDC_PQ_BYTE_ARRAY)
		out->s[i] = r->null[c] ? cdc_str(NULL, 0) : cdc_str_z(r->s);
	else {
		fixed[i][0] = v < 0 ? -1 : 0;
		cdc_put_be64(fixed[i] + 1, (uint64_t)v);
		out->s[i] = r->null[c] ? cdc_str(NULL, 0) : cdc_str(fixed[i], 9);
	}
}

static void write_rows(struct cdc_pq_writer *w, const struct cdc_pq_schema *pq,
		       const struct data *t)
{
	static union values values[LEAVES];
	static uint8_t def[LEAVES][MAX_ROWS];
	static char fixed[MAX_ROWS][9];
	struct cdc_pq_vec vec[LEAVES];
	struct cdc_err err = CDC_ERR_INIT;

	for (int c = 0; c < pq->num_leaves; c++) {
		enum cdc_pq_type type = pq->node[pq->leaf_node[c]].type;

		memset(&values[c], 0, sizeof(values[c]));
		for (int i = 0; i < t->rows; i++) {
			put_value(t, c, type, i, &values[c], fixed);
			def[c][i] = !t->row[i].null[c];
		}
		vec[c] = (struct cdc_pq_vec){ type, (uint32_t)t->rows, &values[c],
					      c == ID ? NULL : def[c], NULL };
	}
	if (cdc_pq_writer_write(w, vec, (uint32_t)t->rows, &err) < 0)
		fail("write", &err);
}

/* The file, and its statistics into *stats. */
static void write_file(const char *dir, const struct data *t, struct cdc_buf *stats)
{
	struct cdc_schema schema = schema_of_file(t);
	struct cdc_arena arena = CDC_ARENA_INIT;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_pq_write_options opt;
	struct cdc_pq_summary sum;
	struct cdc_stats_columns columns;
	struct cdc_pq_schema pq;
	struct cdc_pq_writer *w;
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, t->path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	cdc_pq_write_options_init(&opt);
	opt.row_group_rows = 5 + rnd(60);
	opt.page_rows = 2 + rnd(8);
	if (rnd(2))
		opt.dictionary_bytes = 0;
	if (cdc_schema_to_parquet(&schema, &pq, &arena, &err) < 0 ||
	    cdc_pq_writer_new(&w, &cdc_io_posix, fd, &pq, &opt, &err) < 0)
		fail("open", &err);
	write_rows(w, &pq, t);
	if (cdc_pq_writer_finish(w, &sum, &err) < 0 ||
	    cdc_stats_columns_first(&columns, &schema, -1, &arena, &err) < 0)
		fail("finish", &err);
	columns.tight_bounds = t->deleted != 0;
	if (cdc_stats_write(&schema, &sum, &columns, stats, &err) < 0)
		fail("finish", &err);
	cdc_pq_writer_free(w);
	cdc_pq_summary_free(&sum);
	close(fd);
	cdc_arena_free(&arena);
	cdc_schema_free(&schema);
}

/* ------------------------------------------------------------------ tables */

struct table {
	char dir[40];
	int files;
	struct data data[MAX_FILES];
	struct cdc_snapshot s;
	struct cdc_add add[MAX_FILES];
	struct cdc_kv part[MAX_FILES];
	struct cdc_buf stats[MAX_FILES];
	char p_text[MAX_FILES][24];
	sqlite3 *db;
};

static void mark_deleted(struct table *t, int file)
{
	const struct data *d = &t->data[file];
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_dv_writer *w;
	struct cdc_dv *dv;

	if (!d->deleted)
		return;
	if (cdc_dv_new(&dv, &err) < 0 || cdc_dv_writer_new(&w, &cdc_io_posix, t->dir, &err) < 0)
		fail("dv", &err);
	for (int i = 0; i < d->rows; i++)
		if (is_deleted(d, i) && cdc_dv_add(dv, (uint64_t)i, &err) < 0)
			fail("dv", &err);
	if (cdc_dv_count(dv) &&
	    (cdc_dv_writer_add(w, dv, &t->add[file].dv, &t->s.arena, &err) < 0 ||
	     cdc_dv_writer_finish(w, &err) < 0))
		fail("dv", &err);
	cdc_dv_writer_free(w);
	cdc_dv_free(dv);
}

static void add_file(struct table *t, int file)
{
	struct data *d = &t->data[file];
	struct cdc_add *add = &t->add[file];
	struct cdc_buf loose = CDC_BUF_INIT;
	struct cdc_err err = CDC_ERR_INIT;

	write_file(t->dir, d, &t->stats[file]);
	snprintf(t->p_text[file], sizeof(t->p_text[file]), "%lld", (long long)d->p);
	t->part[file] = (struct cdc_kv){ CDC_STR("p"), d->p_null ? cdc_str(NULL, 0)
								 : cdc_str_z(t->p_text[file]) };
	*add = (struct cdc_add){ .path = cdc_str_z(d->path),
				 .partition_value = &t->part[file],
				 .num_partition_values = 1,
				 .stats = cdc_buf_str(&t->stats[file]) };
	mark_deleted(t, file);
	if (rnd(4) == 0) {
		add->stats = cdc_str(NULL, 0);
	} else if (add->dv.storage) {
		if (cdc_stats_loosen(add->stats, d->rows, &loose, &err) < 0)
			fail("stats", &err);
		cdc_buf_free(&t->stats[file]);
		t->stats[file] = loose;
		add->stats = cdc_buf_str(&t->stats[file]);
	}
}

static void sql(sqlite3 *db, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(db, text, NULL, NULL, &message) != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s: %s\n", message, text);
		exit(4);
	}
}

/*
 * Numbers as they are, decimals as integers; NaN as text, which SQLite orders behind all numbers;
 * days and strings as text. No column has an affinity.
 */
static void bind_row(sqlite3_stmt *st, const struct row *r)
{
	char day[CDC_VALUE_TEXT_MAX];

	for (int c = 0; c < COLUMNS; c++) {
		if (r->null[c])
			sqlite3_bind_null(st, c + 1);
		else if (c == S)
			sqlite3_bind_text(st, c + 1, r->s, -1, SQLITE_TRANSIENT);
		else if (c == DAY)
			sqlite3_bind_text(st, c + 1, day,
					  (int)cdc_date_format((int32_t)r->v[c], day),
					  SQLITE_TRANSIENT);
		else if (c != D && c != F)
			sqlite3_bind_int64(st, c + 1, r->v[c]);
		else if (r->d[c] != r->d[c])
			sqlite3_bind_text(st, c + 1, "NaN", -1, SQLITE_STATIC);
		else
			sqlite3_bind_double(st, c + 1, r->d[c]);
	}
}

static void fill_sqlite(struct table *t)
{
	sqlite3_stmt *st = NULL;

	sqlite3_open(":memory:", &t->db);
	sql(t->db, "PRAGMA case_sensitive_like=ON");
	sql(t->db, "CREATE TABLE t(id,i,wide,d,f,n,m,s,day,ts,o,late,p)");
	sqlite3_prepare_v2(t->db, "INSERT INTO t VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)", -1, &st, NULL);
	for (int f = 0; f < t->files; f++) {
		for (int i = 0; i < t->data[f].rows; i++) {
			if (is_deleted(&t->data[f], i))
				continue;
			bind_row(st, &t->data[f].row[i]);
			sqlite3_step(st);
			sqlite3_reset(st);
		}
	}
	sqlite3_finalize(st);
}

static void make_table(struct table *t, const char *dir)
{
	int64_t id = 1;

	memset(t, 0, sizeof(*t));
	snprintf(t->dir, sizeof(t->dir), "%s", dir);
	t->files = 1 + (int)rnd(MAX_FILES);
	t->s.table = t->dir;
	t->s.schema = schema_of("id BIGINT NOT NULL, i INT, wide BIGINT, d DOUBLE, f FLOAT, "
				"n DECIMAL(9,2), m DECIMAL(20,4), s STRING, day DATE, "
				"ts TIMESTAMP, o BOOLEAN, late INT, p INT");
	t->s.schema.field[P].is_partition = true;
	t->s.add = t->add;
	t->s.num_adds = (size_t)t->files;
	for (int f = 0; f < t->files; f++) {
		random_data(&t->data[f], f, &id);
		add_file(t, f);
	}
	fill_sqlite(t);
}

static void drop_table(struct table *t)
{
	sqlite3_close(t->db);
	for (int f = 0; f < t->files; f++)
		cdc_buf_free(&t->stats[f]);
	cdc_schema_free(&t->s.schema);
	cdc_arena_free(&t->s.arena);
}

/* ------------------------------------------------------------------ predicates */

/* The same condition for us and for SQLite. */
struct pair {
	char ours[TEXT];
	char sqlite[TEXT];
};

static void put(struct pair *p, const char *ours, const char *sqlite)
{
	strncat(p->ours, ours, TEXT - strlen(p->ours) - 1);
	strncat(p->sqlite, sqlite ? sqlite : ours, TEXT - strlen(p->sqlite) - 1);
}

/* Thousandths as a decimal's text. */
static void thousandths(int64_t v, char out[32])
{
	int64_t a = v < 0 ? -v : v;

	snprintf(out, 32, "%s%lld.%03lld", v < 0 ? "-" : "", (long long)(a / 1000),
		 (long long)(a % 1000));
}

static void quoted(const char *s, char out[200])
{
	snprintf(out, 200, "'%s'", s);
}

/* A literal that column c may stand against, near the values that rows have. */
static void put_literal(struct pair *p, const struct row *r, int c)
{
	static const char *const odd[] = { "0.5", "1e3", "99999999999", "-1e30", "2.25", "-0.75" };
	char ours[200];
	char theirs[200];

	if (c == S) {
		quoted(r->s, ours);
		if (rnd(4) == 0)
			ours[2] = '\'', ours[3] = 0;
		put(p, r->s[0] ? ours : "''", NULL);
	} else if (c == DAY) {
		ours[0] = '\'';
		ours[1 + cdc_date_format((int32_t)around(r->v[c], 1), ours + 1)] = 0;
		strcat(ours, "'");
		put(p, ours, NULL);
	} else if (c == TS) {
		int64_t us = around(r->v[c], 2);

		ours[0] = '\'';
		ours[1 + cdc_timestamp_format(us, ' ', false, ours + 1)] = 0;
		strcat(ours, "'");
		snprintf(theirs, sizeof(theirs), "%lld", (long long)us);
		put(p, ours, theirs);
	} else if (c == O) {
		put(p, rnd(2) ? "TRUE" : "FALSE", NULL);
	} else if (c == D || c == F) {
		if (rnd(6) == 0)
			put(p, "'NaN'", NULL);
		else if (rnd(12) == 0)
			put(p, "'Infinity'", "9e999");
		else {
			snprintf(ours, sizeof(ours), "%.17g",
				 r->d[c] - r->d[c] == 0 ? r->d[c] : 0.5);
			put(p, rnd(5) ? ours : odd[rnd(6)], NULL);
		}
	} else if (rnd(6) == 0) {
		put(p, odd[rnd(6)], NULL);
	} else {
		snprintf(ours, sizeof(ours), "%lld", (long long)around(r->v[c], 1));
		put(p, ours, NULL);
	}
}

/* Decimals are integers for SQLite, of which the literal's thousandths are a multiple. */
static void put_decimal_column(struct pair *p, int c)
{
	put(p, name[c], c == N ? "n*10" : "m");
}

static void put_decimal_literal(struct pair *p, const struct row *r, int c)
{
	int64_t v = c == N ? around(r->v[c], 2) * 10 + rnd(2) * 5 : around(r->v[c] / 10, 2);
	char ours[32];
	char theirs[32];

	thousandths(v, ours);
	snprintf(theirs, sizeof(theirs), "%lld", (long long)(c == N ? v : v * 10));
	put(p, ours, theirs);
}

static void put_column(struct pair *p, int c)
{
	if (c == N || c == M)
		put_decimal_column(p, c);
	else
		put(p, name[c], NULL);
}

static void put_value_of(struct pair *p, const struct table *t, int c)
{
	const struct data *d = &t->data[rnd((uint32_t)t->files)];
	const struct row *r = &d->row[rnd((uint32_t)d->rows)];

	if (rnd(25) == 0)
		put(p, "NULL", NULL);
	else if (c == N || c == M)
		put_decimal_literal(p, r, c);
	else
		put_literal(p, r, c);
}

static void put_comparison(struct pair *p, const struct table *t, int c)
{
	static const char *const ops[] = { "=", "<>", "<", "<=", ">", ">=", "=", "<=>" };
	uint32_t op = rnd(8);

	if (rnd(4) == 0) {
		put_value_of(p, t, c);
		put(p, " ", NULL);
		put(p, ops[op], op == 7 ? "IS" : NULL);
		put(p, " ", NULL);
		put_column(p, c);
		return;
	}
	put_column(p, c);
	put(p, " ", NULL);
	put(p, ops[op], op == 7 ? "IS" : NULL);
	put(p, " ", NULL);
	put_value_of(p, t, c);
}

static void put_in(struct pair *p, const struct table *t, int c)
{
	uint32_t n = 1 + rnd(6);

	put_column(p, c);
	put(p, rnd(3) ? " IN (" : " NOT IN (", NULL);
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			put(p, ", ", NULL);
		put_value_of(p, t, c);
	}
	put(p, ")", NULL);
}

static void put_like(struct pair *p, const struct table *t)
{
	const struct data *d = &t->data[rnd((uint32_t)t->files)];
	const char *s = d->row[rnd((uint32_t)d->rows)].s;
	char pattern[200] = "";
	size_t n = 0;

	for (; *s && n < 40 && rnd(8); s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x80 && rnd(6) == 0)
			pattern[n++] = rnd(2) ? '_' : '%';
		else
			pattern[n++] = *s;
	}
	/* Not within a character. */
	while (n && (unsigned char)pattern[n - 1] >= 0x80)
		n--;
	if (rnd(3))
		pattern[n++] = '%';
	pattern[n] = 0;
	put(p, rnd(4) ? "s LIKE '" : "s NOT LIKE '", NULL);
	put(p, pattern, NULL);
	put(p, "'", "' ESCAPE '\\'");
}

static void put_columns(struct pair *p)
{
	static const char *const both[][2] = {
		{ "i < id", NULL },	  { "i = late", NULL },
		{ "late >= p", NULL },	  { "d > i", NULL },
		{ "f <= d", NULL },	  { "n < i", "n < i*100" },
		{ "m = n", "m = n*100" }, { "m >= i", "m >= i*10000" },
		{ "wide <> i", NULL },	  { "i <=> late", "i IS late" },
	};
	uint32_t k = rnd(10);

	put(p, both[k][0], both[k][1]);
}

static void put_condition(struct pair *p, const struct table *t, int depth)
{
	int c = (int)rnd(COLUMNS);

	switch (depth > 0 ? rnd(14) : 4 + rnd(10)) {
	case 0:
	case 1:
		put(p, "(", NULL);
		put_condition(p, t, depth - 1);
		put(p, rnd(2) ? " AND " : " OR ", NULL);
		put_condition(p, t, depth - 1);
		put(p, ")", NULL);
		break;
	case 2:
		put(p, "NOT (", NULL);
		put_condition(p, t, depth - 1);
		put(p, ")", NULL);
		break;
	case 3:
		put(p, "(", NULL);
		put_condition(p, t, depth - 1);
		put(p, rnd(2) ? ") IS NOT TRUE" : ") IS NULL", NULL);
		break;
	case 4:
		put_in(p, t, c);
		break;
	case 5:
		put_column(p, c);
		put(p, rnd(2) ? " BETWEEN " : " NOT BETWEEN ", NULL);
		put_value_of(p, t, c);
		put(p, " AND ", NULL);
		put_value_of(p, t, c);
		break;
	case 6:
		put_like(p, t);
		break;
	case 7:
		put(p, name[c], NULL);
		put(p, rnd(2) ? " IS NULL" : " IS NOT NULL", NULL);
		break;
	case 8:
		put(p, rnd(2) ? "o" : "o IS TRUE", NULL);
		break;
	case 9:
		put_columns(p);
		break;
	default:
		put_comparison(p, t, c);
	}
}

/* ------------------------------------------------------------------ the three ways */

#define MAX_IDS (MAX_FILES * MAX_ROWS)

struct ids {
	size_t n;
	int64_t id[MAX_IDS];
};

static struct cdc_scan_counts total;

static void take_ids(const struct cdc_column *c, uint32_t rows, const uint8_t *outcome,
		     struct ids *out)
{
	for (uint32_t i = 0; i < rows; i++) {
		if (!outcome || outcome[i] == CDC_TRUE)
			out->id[out->n++] = ((const int64_t *)c->values)[i];
	}
}

static int scan_filtered(const struct table *t, struct cdc_filter *f, struct ids *out,
			 struct cdc_err *err)
{
	static const int columns[] = { S, ID };
	struct cdc_scan_options opt = { .columns = columns, .num_columns = 2, .where = f };
	struct cdc_scan_counts n;
	struct cdc_scan *scan;
	struct cdc_batch b;
	int rc = cdc_scan_new(&scan, &cdc_io_posix, &t->s, &opt, err);

	out->n = 0;
	while (rc == CDC_OK && (rc = cdc_scan_next(scan, &b, err)) == CDC_OK)
		take_ids(&b.column[1], b.rows, NULL, out);
	n = cdc_scan_counts(scan);
	total.files_skipped += n.files_skipped;
	total.row_groups_skipped += n.row_groups_skipped;
	total.rows_skipped += n.rows_skipped;
	total.rows_tested += n.rows_tested;
	cdc_scan_free(scan);
	return rc < 0 ? rc : CDC_OK;
}

/* All rows, each tested. */
static int scan_all(const struct table *t, struct cdc_filter *f, struct ids *out,
		    struct cdc_err *err)
{
	int columns[COLUMNS + 1];
	struct cdc_scan_options opt = { .columns = columns };
	uint8_t outcome[CDC_BATCH_ROWS];
	struct cdc_scan *scan;
	struct cdc_batch b;
	const int *used = cdc_filter_columns(f, &opt.num_columns);
	int rc;

	memcpy(columns, used, (size_t)opt.num_columns * sizeof(int));
	columns[opt.num_columns++] = ID;
	rc = cdc_scan_new(&scan, &cdc_io_posix, &t->s, &opt, err);
	out->n = 0;
	while (rc == CDC_OK && (rc = cdc_scan_next(scan, &b, err)) == CDC_OK) {
		rc = cdc_filter_eval(f, &b, outcome, err);
		take_ids(&b.column[b.num_columns - 1], b.rows, outcome, out);
	}
	cdc_scan_free(scan);
	return rc < 0 ? rc : CDC_OK;
}

static void select_ids(const struct table *t, const struct pair *p, struct ids *out)
{
	char text[TEXT + 100];
	sqlite3_stmt *st = NULL;

	snprintf(text, sizeof(text), "SELECT id FROM t WHERE %s ORDER BY id", p->sqlite);
	if (sqlite3_prepare_v2(t->db, text, -1, &st, NULL) != SQLITE_OK) {
		fprintf(stderr, "sqlite: %s: %s\n", sqlite3_errmsg(t->db), text);
		exit(4);
	}
	for (out->n = 0; sqlite3_step(st) == SQLITE_ROW; out->n++)
		out->id[out->n] = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
}

static bool same(const struct ids *a, const struct ids *b)
{
	return a->n == b->n && memcmp(a->id, b->id, a->n * sizeof(a->id[0])) == 0;
}

static bool check(const struct table *t, const struct pair *p)
{
	static struct ids filtered, tested, selected;
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_where *w = NULL;
	struct cdc_filter *f = NULL;
	bool good = false;

	select_ids(t, p, &selected);
	if (cdc_where_parse(&w, cdc_str_z(p->ours), &err) < 0 ||
	    cdc_filter_new(&f, w, &t->s.schema, &err) < 0 || scan_all(t, f, &tested, &err) < 0 ||
	    scan_filtered(t, f, &filtered, &err) < 0) {
		printf("# %s: %s\n", p->ours, err.msg);
	} else {
		good = same(&filtered, &tested) && same(&tested, &selected);
		if (!good)
			printf("# %s: %zu rows, tested one by one %zu, by SQLite %zu (%s)\n",
			       p->ours, filtered.n, tested.n, selected.n, p->sqlite);
	}
	cdc_filter_free(f);
	cdc_where_free(w);
	return good;
}

/* ------------------------------------------------------------------ main */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 150;
	unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (unsigned long)time(NULL);
	unsigned long failed = 0;
	unsigned long ran = 0;
	static struct table t;
	static struct pair p;

	printf("# seed %lu\n", seed);
	for (unsigned long i = 0; i < count && failed < 5; i++) {
		char dir[] = "/tmp/prop-where-XXXXXX";

		if (!mkdtemp(dir))
			return 4;
		rng = (seed + i) * 0x9e3779b97f4a7c15u | 1;
		rnd(2);
		make_table(&t, dir);
		for (int k = 0; k < PREDICATES && failed < 5; k++, ran++) {
			p.ours[0] = p.sqlite[0] = 0;
			put_condition(&p, &t, 3);
			if (check(&t, &p))
				continue;
			failed++;
			printf("# in the table of seed %lu\n", seed + i);
		}
		drop_table(&t);
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	printf("# skipped %llu files, %llu row groups, %llu rows of files read; tested %llu rows\n",
	       (unsigned long long)total.files_skipped,
	       (unsigned long long)total.row_groups_skipped, (unsigned long long)total.rows_skipped,
	       (unsigned long long)total.rows_tested);
	printf("%s 1 - %lu predicates select what SQLite selects\n", failed ? "not ok" : "ok", ran);
	printf("%s 2 - files, row groups and rows were skipped\n",
	       total.files_skipped && total.row_groups_skipped && total.rows_skipped ? "ok"
										     : "not ok");
	printf("1..2\n");
	return 0;
}
