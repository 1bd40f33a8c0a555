/*
 * Writes DTS events as a Kafka dump, the way `kcat -f '%R%s'` does: for the demonstration, the
 *tests and the benchmarks. The encoder is written from the layout's description, not from the
 *decoder.
 *
 *	make_dump --sales init		the four rows that the sales example begins with
 *	make_dump --sales changes	DELETE 1, UPDATE 2 to 150, UPDATE 2 to 175, INSERT 5
 *	make_dump --count N [--seed S]	N random row events of two tables
 *	  --v1				events without bornTimestamp
 *	  --container SCHEMA		an Avro container with that schema file instead of a dump
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INSERT = 0, UPDATE = 1, DELETE = 2, INIT = 16 };
enum {
	T_INT = 3,
	T_DOUBLE = 5,
	T_TIMESTAMP = 7,
	T_BIGINT = 8,
	T_DATE = 10,
	T_DATETIME = 12,
	T_DECIMAL = 246,
	T_BLOB = 252,
	T_VARCHAR = 253
};
enum { V_NULL, V_INTEGER, V_CHARACTER, V_DECIMAL, V_FLOAT, V_TIMESTAMP, V_DATETIME };

#define EVENT_MAX 65536
#define BLOCK_EVENTS 1000

struct out {
	unsigned char *p;
	size_t n;
	size_t cap;
};

static void die(const char *what)
{
	fprintf(stderr, "make_dump: %s: %s\n", what, strerror(errno));
	exit(4);
}

static void put(struct out *o, const void *p, size_t n)
{
	if (o->cap - o->n < n) {
		o->cap = (o->cap + n) * 2;
		o->p = realloc(o->p, o->cap);
		if (!o->p)
			die("memory");
	}
	memcpy(o->p + o->n, p, n);
	o->n += n;
}

static void put_byte(struct out *o, unsigned char c)
{
	put(o, &c, 1);
}

/* Zigzag, then seven bits a byte, the lowest first. */
static void put_long(struct out *o, int64_t v)
{
	uint64_t u = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);

	for (; u >= 0x80; u >>= 7)
		put_byte(o, (unsigned char)(u | 0x80));
	put_byte(o, (unsigned char)u);
}

static void put_string(struct out *o, const char *s)
{
	put_long(o, (int64_t)strlen(s));
	put(o, s, strlen(s));
}

static void put_double(struct out *o, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, 8);
	for (int i = 0; i < 8; i++)
		put_byte(o, (unsigned char)(bits >> 8 * i));
}

/* --- values ------------------------------------------------------------- */

static void put_null(struct out *o)
{
	put_long(o, V_NULL);
}

static void put_integer(struct out *o, int bytes, long long v)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", v);
	put_long(o, V_INTEGER);
	put_long(o, bytes);
	put_string(o, text);
}

static void put_character(struct out *o, const char *s)
{
	put_long(o, V_CHARACTER);
	put_string(o, "utf8mb4");
	put_string(o, s);
}

static void put_decimal(struct out *o, long long cents)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld.%02lld", cents / 100, cents % 100);
	put_long(o, V_DECIMAL);
	put_string(o, text);
	put_long(o, (int64_t)strlen(text) - 1);
	put_long(o, 2);
}

static void put_float(struct out *o, double v)
{
	put_long(o, V_FLOAT);
	put_double(o, v);
	put_long(o, 22);
	put_long(o, 31);
}

static void put_timestamp(struct out *o, int64_t seconds, int micros)
{
	put_long(o, V_TIMESTAMP);
	put_long(o, seconds);
	put_long(o, micros);
}

/* Parts below 0 are null. */
static void put_datetime(struct out *o, const int part[7])
{
	put_long(o, V_DATETIME);
	for (int i = 0; i < 7; i++) {
		put_long(o, part[i] >= 0);
		if (part[i] >= 0)
			put_long(o, part[i]);
	}
}

static void put_date(struct out *o, int year, int month, int day)
{
	put_datetime(o, (const int[]){ year, month, day, -1, -1, -1, -1 });
}

/* --- events ------------------------------------------------------------- */

struct column {
	const char *name;
	int type;
};

struct event {
	int64_t id;
	int64_t timestamp;
	int operation;
	const char *table;
	const char *key; /* pk_uk_info */
	const struct column *column;
	size_t n;
	bool v1;
};

static void put_tag(struct out *o, const char *key, const char *value)
{
	put_string(o, key);
	put_string(o, value);
}

static void put_head(struct out *o, const struct event *e)
{
	char position[32];

	put_long(o, 0); /* version */
	put_long(o, e->id);
	put_long(o, e->timestamp);
	snprintf(position, sizeof(position), "%lld@12", (long long)e->id * 310);
	put_string(o, position);
	snprintf(position, sizeof(position), "%lld@12", (long long)e->id * 310 - 50);
	put_string(o, position);
	put_string(o, "0"); /* sourceTxid */
	put_long(o, 0); /* MySQL */
	put_string(o, "8.0.28");
	put_long(o, e->operation);
	put_long(o, 1);
	put_string(o, e->table);
	put_long(o, 0); /* processTimestamps */
	put_long(o, 4);
	put_tag(o, "thread_id", "2533976");
	put_tag(o, "readerThroughoutTime", "1712905965384");
	put_tag(o, "pk_uk_info", e->key);
	put_tag(o, "server_id", "2814094928");
	put_long(o, 0);
	put_long(o, 2);
	put_long(o, (int64_t)e->n);
	for (size_t i = 0; i < e->n; i++) {
		put_string(o, e->column[i].name);
		put_long(o, e->column[i].type);
	}
	put_long(o, 0);
}

static void begin_image(struct out *o, size_t n)
{
	put_long(o, 2);
	put_long(o, (int64_t)n);
}

static void put_tail(struct out *o, const struct event *e)
{
	if (!e->v1)
		put_long(o, e->timestamp);
}

/* --- the sales example -------------------------------------------------- */

static const struct column sales_columns[] = {
	{ "id", T_BIGINT },
	{ "date", T_DATE },
	{ "name", T_VARCHAR },
	{ "sales", T_DOUBLE },
};

struct sale {
	int id;
	int day;
	const char *name;
	double sales;
};

static void put_sale(struct out *o, const struct sale *s)
{
	if (!s) {
		put_long(o, 0);
		return;
	}
	begin_image(o, 4);
	put_integer(o, 8, s->id);
	put_date(o, 2019, 11, s->day);
	put_character(o, s->name);
	put_float(o, s->sales);
	put_long(o, 0);
}

static const struct sale robert1 = { 1, 11, "Robert", 323 };
static const struct sale lee2 = { 2, 11, "Lee", 500 };
static const struct sale lee2_150 = { 2, 11, "Lee", 150 };
static const struct sale lee2_175 = { 2, 11, "Lee", 175 };
static const struct sale robert3 = { 3, 12, "Robert", 136 };
static const struct sale lee4 = { 4, 13, "Lee", 211 };
static const struct sale robert5 = { 5, 14, "Robert", 233 };

struct change {
	int operation;
	const struct sale *before;
	const struct sale *after;
};

static const struct change sales_init[] = {
	{ INIT, NULL, &robert1 },
	{ INIT, NULL, &lee2 },
	{ INIT, NULL, &robert3 },
	{ INIT, NULL, &lee4 },
};

static const struct change sales_changes[] = {
	{ DELETE, &robert1, NULL },
	{ UPDATE, &lee2, &lee2_150 },
	{ UPDATE, &lee2_150, &lee2_175 },
	{ INSERT, NULL, &robert5 },
};

static void sale_event(struct out *o, const struct change *c, int64_t id, bool v1)
{
	struct event e = { id,
			   1573700000 + id,
			   c->operation,
			   "delta_cdc.sales",
			   "{\"PRIMARY\":[\"id\"]}",
			   sales_columns,
			   4,
			   v1 };

	put_head(o, &e);
	put_sale(o, c->before);
	put_sale(o, c->after);
	put_tail(o, &e);
}

/* --- random events ------------------------------------------------------ */

static uint64_t next(uint64_t *s)
{
	uint64_t z = *s += 0x9E3779B97F4A7C15u;

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static int below(uint64_t *s, int n)
{
	return (int)(next(s) % (unsigned)n);
}

static const struct column order_columns[] = {
	{ "id", T_BIGINT },	      { "customer", T_INT },	       { "name", T_VARCHAR },
	{ "note", T_BLOB },	      { "amount", T_DECIMAL },	       { "weight", T_DOUBLE },
	{ "gmt_create", T_DATETIME }, { "gmt_modified", T_TIMESTAMP },
};

static void put_order(struct out *o, uint64_t *s, long long id)
{
	static const char *const names[] = { "Robert",	 "Lee",	       "\xe9\xbd\xbf\xe7\xa0\x94",
					     "O\"Brien", "Anna Maria", "" };
	static const char *const notes[] = {
		"leave at the door",
		"call first",
		"fragile, keep upright; contents were checked by the depot at noon",
		"C:\\orders\\2023\nsecond line",
	};

	begin_image(o, 8);
	put_integer(o, 8, id);
	put_integer(o, 4, below(s, 100000));
	put_character(o, names[below(s, 6)]);
	if (below(s, 5) == 0)
		put_null(o);
	else
		put_character(o, notes[below(s, 4)]);
	put_decimal(o, below(s, 10000000));
	put_float(o, below(s, 100000) / 64.0);
	put_datetime(o, (const int[]){ 2023, 1 + below(s, 12), 1 + below(s, 28), below(s, 24),
				       below(s, 60), below(s, 60), 0 });
	put_timestamp(o, 1696984408 + below(s, 1000000), below(s, 1000000));
	put_long(o, 0);
}

static void random_event(struct out *o, uint64_t *s, int64_t i, bool v1)
{
	static const int operations[] = { INSERT, INSERT, INSERT, UPDATE, UPDATE,
					  UPDATE, UPDATE, UPDATE, UPDATE, DELETE };
	int operation = operations[below(s, 10)];
	struct event e = { i + 1,
			   1696984408 + i / 1000,
			   operation,
			   below(s, 8) ? "shop.orders" : "shop.orders_old",
			   "{\"PRIMARY\":[\"id\"]}",
			   order_columns,
			   8,
			   v1 };
	long long id = operation == INSERT ? i + 1 : 1 + below(s, 1000000);

	put_head(o, &e);
	if (operation == INSERT)
		put_long(o, 0);
	else
		put_order(o, s, id);
	if (operation == DELETE)
		put_long(o, 0);
	else
		put_order(o, s, id);
	put_tail(o, &e);
}

/* --- framing ------------------------------------------------------------ */

struct dump {
	bool container;
	struct out event;
	struct out block;
	int events; /* in the block */
};

static const unsigned char sync_marker[16] = "make_dump marker";

static void write_out(const void *p, size_t n)
{
	if (fwrite(p, 1, n, stdout) != n)
		die("write");
}

static void write_block(struct dump *d)
{
	struct out head = { NULL, 0, 0 };

	if (d->events == 0)
		return;
	put_long(&head, d->events);
	put_long(&head, (int64_t)d->block.n);
	write_out(head.p, head.n);
	write_out(d->block.p, d->block.n);
	write_out(sync_marker, sizeof(sync_marker));
	free(head.p);
	d->block.n = 0;
	d->events = 0;
}

static void write_event(struct dump *d)
{
	unsigned char head[4];

	if (d->container) {
		put(&d->block, d->event.p, d->event.n);
		if (++d->events == BLOCK_EVENTS)
			write_block(d);
	} else {
		for (int i = 0; i < 4; i++)
			head[i] = (unsigned char)(d->event.n >> (24 - 8 * i));
		write_out(head, 4);
		write_out(d->event.p, d->event.n);
	}
	d->event.n = 0;
}

static void write_container_head(const char *path)
{
	struct out o = { NULL, 0, 0 };
	static char text[1 << 16];
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		die(path);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	put(&o, "Obj\x01", 4);
	put_long(&o, 2);
	put_string(&o, "avro.schema");
	put_string(&o, text);
	put_string(&o, "avro.codec");
	put_string(&o, "null");
	put_long(&o, 0);
	put(&o, sync_marker, sizeof(sync_marker));
	write_out(o.p, o.n);
	free(o.p);
}

static _Noreturn void usage(void)
{
	fputs("usage: make_dump [--v1] [--container SCHEMA] --sales init|changes | --count N [--seed S]\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	const struct change *sales = NULL;
	const char *container = NULL;
	struct dump d = { .container = false };
	long long count = 0;
	uint64_t seed = 1;
	int64_t first_id = 1;
	bool v1 = false;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "--v1") == 0) {
			v1 = true;
			continue;
		}
		i++;
		if (strcmp(argv[i - 1], "--sales") == 0 && strcmp(value, "init") == 0)
			sales = sales_init;
		else if (strcmp(argv[i - 1], "--sales") == 0 && strcmp(value, "changes") == 0)
			sales = sales_changes;
		else if (strcmp(argv[i - 1], "--count") == 0)
			count = strtoll(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--seed") == 0)
			seed = strtoull(value, NULL, 10);
		else if (strcmp(argv[i - 1], "--container") == 0)
			container = value;
		else
			usage();
	}
	if ((sales != NULL) == (count > 0))
		usage();
	if (container) {
		d.container = true;
		write_container_head(container);
	}
	if (sales == sales_changes)
		first_id = 5;
	for (int i = 0; sales && i < 4; i++) {
		sale_event(&d.event, &sales[i], first_id + i, v1);
		write_event(&d);
	}
	for (long long i = 0; i < count; i++) {
		random_event(&d.event, &seed, i, v1);
		write_event(&d);
	}
	write_block(&d);
	free(d.event.p);
	free(d.block.p);
	if (fflush(stdout) != 0)
		die("write");
	return 0;
}
