/*
 * Proves that what a program was told is done survives a power loss, and that nothing half done
 * does. A struct cdc_io keeps, beside the real files, what a disk would hold: the bytes of a file
 * as of its last fsync, the entries of a directory as of its last fsync. After every change the
 * power fails: the tree of the disk is laid out anew, in three ways
 *
 *	strict	only what was synced is there;
 *	eager	all names are there, and of the files the bytes that were synced;
 *	mixed	of each name and file, by chance, what was synced or what was last done;
 *
 * and the table in it must open with the rows of at least the batches that were acknowledged and at
 * most those that were begun, and merging the whole stream again must complete it. A second test
 * kills the process instead, lets another one finish its work, and fails the power then: what the
 * first did without syncing it must not be taken for granted by the second.
 */
#include "io/io.h"

#include "workload.h"

#include <errno.h>
#include <fcntl.h>

#define MAX_NODES 2048
#define MAX_ENTRIES 8192
#define MAX_FDS 256

/* A file or directory. */
struct node {
	bool dir;
	char *now; /* of files: the bytes */
	size_t now_n;
	char *disk;
	size_t disk_n;
};

/* A name in a directory. */
struct entry {
	int dir;
	char name[160];
	int now; /* node, -1: no such name */
	int disk;
};

struct disk {
	struct cdc_io io;
	const struct cdc_io *under;
	char root[96]; /* the mount point: what the model knows is below */
	struct node node[MAX_NODES];
	int num_nodes;
	struct entry entry[MAX_ENTRIES];
	int num_entries;
	int fd[MAX_FDS]; /* -> node, -1: none */
	uint64_t changes;
	uint64_t dead_at; /* this change and all later ones do not happen; 0: never */
	bool dead;
	int64_t ahead_us; /* the clock */
	void (*after_change)(struct disk *d);
	void *ctx;
};

/* ------------------------------------------------------------------ model */

static int new_node(struct disk *d, bool dir)
{
	if (d->num_nodes == MAX_NODES) {
		fprintf(stderr, "too many files\n");
		exit(70);
	}
	d->node[d->num_nodes].dir = dir;
	return d->num_nodes++;
}

static struct entry *find_entry(struct disk *d, int dir, const char *name, size_t n, bool make)
{
	struct entry *e;

	for (int i = 0; i < d->num_entries; i++) {
		e = &d->entry[i];
		if (e->dir == dir && strlen(e->name) == n && !memcmp(e->name, name, n))
			return e;
	}
	if (!make)
		return NULL;
	if (d->num_entries == MAX_ENTRIES || n >= sizeof(e->name)) {
		fprintf(stderr, "too many names\n");
		exit(70);
	}
	e = &d->entry[d->num_entries++];
	*e = (struct entry){ .dir = dir, .now = -1, .disk = -1 };
	memcpy(e->name, name, n);
	return e;
}

/* The entry that a path names; the root itself has none. NULL also when it lies elsewhere. */
static struct entry *resolve(struct disk *d, const char *path, bool make, int *node)
{
	size_t n = strlen(d->root);
	struct entry *e = NULL;
	int at = 0;

	*node = -1;
	if (strncmp(path, d->root, n) || (path[n] && path[n] != '/'))
		return NULL;
	path += n;
	for (;;) {
		size_t len;

		while (*path == '/')
			path++;
		if (!*path)
			break;
		len = strcspn(path, "/");
		if (at < 0)
			return NULL;
		e = find_entry(d, at, path, len, make);
		if (!e)
			return NULL;
		at = e->now;
		path += len;
	}
	*node = at;
	return e;
}

static void changed(struct disk *d)
{
	d->changes++;
	if (d->after_change)
		d->after_change(d);
}

/* Called before a change: false when the process is dead. */
static bool alive(struct disk *d)
{
	if (d->dead_at && d->changes + 1 >= d->dead_at)
		d->dead = true;
	if (d->dead)
		errno = EIO;
	return !d->dead;
}

/* ------------------------------------------------------------------ the seam */

static int d_open(void *ctx, const char *path, int flags, mode_t mode)
{
	struct disk *d = ctx;
	struct entry *e;
	int node, fd;

	if ((flags & O_CREAT) && !alive(d))
		return -1;
	fd = d->under->open(d->under->ctx, path, flags, mode);
	if (fd < 0)
		return -1;
	if (fd >= MAX_FDS)
		exit(70);
	e = resolve(d, path, flags & O_CREAT, &node);
	if ((flags & O_CREAT) && e && node < 0) {
		node = e->now = new_node(d, false);
		d->fd[fd] = node;
		changed(d);
	}
	d->fd[fd] = node;
	return fd;
}

static int d_close(void *ctx, int fd)
{
	struct disk *d = ctx;

	d->fd[fd] = -1;
	return d->under->close(d->under->ctx, fd);
}

static ssize_t d_write(void *ctx, int fd, const void *buf, size_t n)
{
	struct disk *d = ctx;
	ssize_t put;

	if (d->fd[fd] >= 0 && !alive(d))
		return -1;
	put = d->under->write(d->under->ctx, fd, buf, n);
	if (put > 0 && d->fd[fd] >= 0) {
		struct node *f = &d->node[d->fd[fd]];

		/* All files of a table are written from their start on. */
		f->now = realloc(f->now, f->now_n + (size_t)put);
		memcpy(f->now + f->now_n, buf, (size_t)put);
		f->now_n += (size_t)put;
		changed(d);
	}
	return put;
}

static int d_fsync(void *ctx, int fd)
{
	struct disk *d = ctx;
	int i = d->fd[fd];
	struct node *f;

	if (i < 0)
		return 0;
	if (!alive(d))
		return -1;
	f = &d->node[i];
	if (f->dir) {
		for (int k = 0; k < d->num_entries; k++)
			if (d->entry[k].dir == i)
				d->entry[k].disk = d->entry[k].now;
	} else {
		free(f->disk);
		f->disk = malloc(f->now_n + 1);
		if (f->now_n)
			memcpy(f->disk, f->now, f->now_n);
		f->disk_n = f->now_n;
	}
	changed(d);
	return 0;
}

static int d_link(void *ctx, const char *from, const char *to)
{
	struct disk *d = ctx;
	struct entry *e;
	int node, old;

	if (!alive(d))
		return -1;
	if (d->under->link(d->under->ctx, from, to))
		return -1;
	resolve(d, from, false, &node);
	e = resolve(d, to, true, &old);
	e->now = node;
	changed(d);
	return 0;
}

static int d_rename(void *ctx, const char *from, const char *to)
{
	struct disk *d = ctx;
	struct entry *a, *b;
	int node, old;

	if (!alive(d))
		return -1;
	if (d->under->rename(d->under->ctx, from, to))
		return -1;
	/* Making an entry may move none: the array is fixed. */
	b = resolve(d, to, true, &old);
	a = resolve(d, from, false, &node);
	b->now = node;
	a->now = -1;
	changed(d);
	return 0;
}

static int d_unlink(void *ctx, const char *path)
{
	struct disk *d = ctx;
	struct entry *e;
	int node;

	if (!alive(d))
		return -1;
	if (d->under->unlink(d->under->ctx, path))
		return -1;
	e = resolve(d, path, false, &node);
	if (e)
		e->now = -1;
	changed(d);
	return 0;
}

static int d_mkdir(void *ctx, const char *path, mode_t mode)
{
	struct disk *d = ctx;
	struct entry *e;
	int node;

	if (!alive(d))
		return -1;
	if (d->under->mkdir(d->under->ctx, path, mode))
		return -1;
	e = resolve(d, path, true, &node);
	if (e)
		e->now = new_node(d, true);
	changed(d);
	return 0;
}

static int d_rmdir(void *ctx, const char *path)
{
	struct disk *d = ctx;
	struct entry *e;
	int node;

	if (!alive(d))
		return -1;
	if (d->under->rmdir(d->under->ctx, path))
		return -1;
	e = resolve(d, path, false, &node);
	if (e)
		e->now = -1;
	changed(d);
	return 0;
}

static int64_t d_now_us(void *ctx)
{
	struct disk *d = ctx;

	return d->under->now_us(d->under->ctx) + d->ahead_us;
}

#define PASS(d) ((struct disk *)(d))->under

static ssize_t d_read(void *c, int fd, void *buf, size_t n)
{
	return PASS(c)->read(PASS(c)->ctx, fd, buf, n);
}

static ssize_t d_pread(void *c, int fd, void *buf, size_t n, off_t at)
{
	return PASS(c)->pread(PASS(c)->ctx, fd, buf, n, at);
}

static void disk_init(struct disk *d, const char *root)
{
	memset(d, 0, sizeof(*d));
	d->under = &cdc_io_posix;
	snprintf(d->root, sizeof(d->root), "%s", root);
	new_node(d, true);
	for (int i = 0; i < MAX_FDS; i++)
		d->fd[i] = -1;
	/* What only looks goes straight to the system. */
	d->io = cdc_io_posix;
	d->io.ctx = d;
	d->io.open = d_open;
	d->io.close = d_close;
	d->io.read = d_read;
	d->io.pread = d_pread;
	d->io.write = d_write;
	d->io.fsync = d_fsync;
	d->io.link = d_link;
	d->io.rename = d_rename;
	d->io.unlink = d_unlink;
	d->io.mkdir = d_mkdir;
	d->io.rmdir = d_rmdir;
	d->io.now_us = d_now_us;
}

static void disk_free(struct disk *d)
{
	for (int i = 0; i < d->num_nodes; i++) {
		free(d->node[i].now);
		free(d->node[i].disk);
	}
}

/* ------------------------------------------------------------------ the power fails */

enum way { STRICT, EAGER, MIXED, WAYS };

static const char *const way_name[] = { "strict", "eager", "mixed" };

static uint64_t dice = 0x2545f4914f6cdd1d;

static bool take_now(enum way way, bool name)
{
	return way == MIXED ? wl_random(&dice) % 2 : way == EAGER && name;
}

static void lay_out(const struct disk *d, int dir, const char *path, enum way way)
{
	mkdir(path, 0777);
	for (int i = 0; i < d->num_entries; i++) {
		const struct entry *e = &d->entry[i];
		const struct node *f;
		int node = take_now(way, true) ? e->now : e->disk;
		bool now;
		char to[PATH_MAX];
		int fd;

		if (e->dir != dir || node < 0)
			continue;
		f = &d->node[node];
		snprintf(to, sizeof(to), "%s/%s", path, e->name);
		if (f->dir) {
			lay_out(d, node, to, way);
			continue;
		}
		now = take_now(way, false);
		fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (fd < 0 || write(fd, now ? f->now : f->disk, now ? f->now_n : f->disk_n) < 0)
			exit(70);
		close(fd);
	}
}

struct test {
	struct disk *d;
	struct workload w;
	const char *name;
	char mount[64];
	char table[96];
	char crashed[96];
	char crashed_table[128];
	struct cdc_io plain;
	int acknowledged; /* batches that the program was told are in */
	int begun;
	uint64_t crashes;
	uint64_t failed;
};

static void complain(struct test *t, enum way way, const char *what)
{
	if (t->failed++ < 10)
		printf("# %s, %s, change %llu, %d batches acknowledged, %d begun: %s\n", t->name,
		       way_name[way], (unsigned long long)t->d->changes, t->acknowledged, t->begun,
		       what);
}

static void crash(struct test *t, enum way way)
{
	struct cdc_err err = CDC_ERR_INIT;
	int64_t version;
	int state, least = t->acknowledged;

	t->crashes++;
	lay_out(t->d, 0, t->crashed, way);
	state = wl_state(&t->w, &t->plain, t->crashed_table, &version, &err);
	if (state == WL_BROKEN)
		complain(t, way, err.msg);
	else if (state > t->begun || (state < least && !(state == WL_ABSENT && !least))) {
		char text[64];

		snprintf(text, sizeof(text), "the table has %d batches", state);
		complain(t, way, text);
	} else if (wl_merge(&t->w, &t->plain, t->crashed_table, 0, WL_BATCHES, NULL, &err) ||
		   wl_state(&t->w, &t->plain, t->crashed_table, &version, &err) != WL_BATCHES) {
		complain(t, way, err.msg[0] ? err.msg : "the stream does not complete it");
	}
	wl_remove_tree(t->crashed);
}

static void crash_all_ways(struct disk *d)
{
	for (int way = 0; way < WAYS; way++)
		crash(d->ctx, (enum way)way);
}

/* ------------------------------------------------------------------ tests */

static int one_batch(struct test *t, int b, struct cdc_err *err)
{
	int rc;

	t->begun = b + 1;
	rc = wl_merge(&t->w, &t->d->io, t->table, b, b + 1, NULL, err);
	if (!rc)
		t->acknowledged = b + 1;
	return rc;
}

/* Everything that is ever done to a table, 40 days between the steps. */
static int life(struct test *t, struct cdc_err *err)
{
	const int64_t step = (int64_t)40 * 24 * 3600 * 1000000;
	int64_t version;
	uint64_t files;
	int rc = CDC_OK;

	for (int b = 0; !rc && b < WL_BATCHES; b++) {
		rc = one_batch(t, b, err);
		if (!rc && b == 2)
			rc = wl_compact(&t->d->io, t->table, &version, err);
		t->d->ahead_us += step;
		if (!rc && b == 3)
			rc = wl_vacuum(&t->d->io, t->table, -1, &files, err);
		if (!rc && b == 3 && !files)
			rc = cdc_fail(err, CDC_EDATA, "the vacuum found nothing to do");
	}
	return rc;
}

static void test_init(struct test *t, struct disk *d, const char *root)
{
	snprintf(t->mount, sizeof(t->mount), "%s/mount", root);
	snprintf(t->table, sizeof(t->table), "%s/a/table", t->mount);
	snprintf(t->crashed, sizeof(t->crashed), "%s/crashed", root);
	snprintf(t->crashed_table, sizeof(t->crashed_table), "%s/a/table", t->crashed);
	mkdir(t->mount, 0777);
	disk_init(d, t->mount);
	t->d = d;
	t->plain = cdc_io_posix;
	t->plain.fsync = wl_no_fsync;
	d->ctx = t;
}

static void test_done(struct test *t)
{
	disk_free(t->d);
	wl_remove_tree(t->mount);
}

static void power_loss(struct test *t, struct disk *d, const char *root)
{
	struct cdc_err err = CDC_ERR_INIT;

	test_init(t, d, root);
	d->after_change = crash_all_ways;
	if (life(t, &err))
		complain(t, STRICT, err.msg);
	test_done(t);
}

/* Kill at change n, finish by another run, then lose the power. */
static bool kill_then_power_loss(struct test *t, struct disk *d, const char *root, uint64_t n)
{
	struct cdc_err err = CDC_ERR_INIT;
	bool killed;

	test_init(t, d, root);
	t->acknowledged = 0;
	t->begun = WL_BATCHES;
	d->dead_at = n;
	killed = wl_merge(&t->w, &d->io, t->table, 0, 2, NULL, &err) != CDC_OK;
	d->dead_at = 0;
	d->dead = false;
	err = (struct cdc_err)CDC_ERR_INIT;
	if (wl_merge(&t->w, &d->io, t->table, 0, 2, NULL, &err)) {
		complain(t, STRICT, err.msg);
	} else {
		t->acknowledged = 2;
		crash(t, STRICT);
		crash(t, MIXED);
	}
	test_done(t);
	return killed;
}

struct shape {
	const char *name;
	enum cdc_merge_mode mode;
	bool partitioned;
	const char *property;
};

static const struct shape shapes[] = {
	{ "rewriting", CDC_MERGE_COW, false, "delta.checkpointInterval=2" },
	{ "deletion vectors", CDC_MERGE_DV, false, "delta.checkpointInterval=3" },
	{ "partitions", CDC_MERGE_DV, true, "delta.checkpointInterval=2" },
	{ "partitions, rewriting", CDC_MERGE_COW, true, "delta.checkpointInterval=4" },
};

#define SHAPES ((int)(sizeof(shapes) / sizeof(shapes[0])))

static void setup(struct test *t, const struct shape *s)
{
	*t = (struct test){ .name = s->name };
	wl_init(&t->w, s->mode, s->partitioned);
	t->w.property[0] = s->property;
}

int main(void)
{
	struct disk *d = malloc(sizeof(*d));
	char root[32];
	int n = 0;

	if (!d || !wl_scratch(root, sizeof(root)))
		return 4;
	for (int i = 0; i < SHAPES; i++) {
		struct test t;

		setup(&t, &shapes[i]);
		power_loss(&t, d, root);
		printf("%s %d - %s: %llu power losses\n", t.failed ? "not ok" : "ok", ++n, t.name,
		       (unsigned long long)t.crashes);
		fflush(stdout);
	}
	for (int i = 0; i < SHAPES; i++) {
		struct test t;

		setup(&t, &shapes[i]);
		for (uint64_t at = 1; kill_then_power_loss(&t, d, root, at); at++)
			;
		printf("%s %d - %s: %llu kills, each with a power loss after the next run\n",
		       t.failed ? "not ok" : "ok", ++n, t.name, (unsigned long long)t.crashes);
		fflush(stdout);
	}
	printf("1..%d\n", n);
	free(d);
	wl_remove_tree(root);
	return 0;
}
