/*
 * Proves that a failing system leaves a whole table. For each job (create, merge by rewriting, by
 * deletion vectors and with partitions, compact, sort, checkpoint, vacuum) every call to the system
 *is made to fail: each one once, each one and all that follow, for good, each one reported as
 *failed though it was done. Afterwards
 *
 *	- the table opens and its rows are those before or after the job;
 *	- if the job said that it was done, they are those after it;
 *	- nothing is left in the directory that no version refers to (unless removing failed);
 *	- the same job, run again on a sound system, completes the table.
 *
 * The same holds when the user stops it at any point. Short reads and writes must change nothing.
 */
#include "faultio.h"
#include "workload.h"

enum job { CREATE, MERGE, COMPACT, SORT, CHECKPOINT, CHECKPOINT_V2, CHECKPOINT_VERSION, VACUUM };

struct scenario {
	const char *name;
	enum job job;
	enum cdc_merge_mode mode;
	bool partitioned;
	const char *property[3];
	int before; /* batches in the table when the job starts */
};

#define NO_CHECKPOINTS "delta.checkpointInterval=1000000"

static const struct scenario scenarios[] = {
	{ "create", CREATE, CDC_MERGE_AUTO, false, { NULL }, 0 },
	{ "create partitioned", CREATE, CDC_MERGE_AUTO, true, { NULL }, 0 },
	{ "merge, rewriting", MERGE, CDC_MERGE_COW, false, { NULL }, 2 },
	{ "merge, deletion vectors", MERGE, CDC_MERGE_DV, false, { NULL }, 2 },
	{ "merge, partitioned", MERGE, CDC_MERGE_COW, true, { NULL }, 2 },
	{ "merge, then a checkpoint",
	  MERGE,
	  CDC_MERGE_DV,
	  true,
	  { "delta.checkpointInterval=3", NULL },
	  2 },
	{ "compact", COMPACT, CDC_MERGE_DV, false, { NO_CHECKPOINTS, NULL }, 4 },
	{ "compact, partitioned",
	  COMPACT,
	  CDC_MERGE_DV,
	  true,
	  { "delta.checkpointInterval=5", NULL },
	  4 },
	{ "sort",
	  SORT,
	  CDC_MERGE_DV,
	  true,
	  { "delta.enableDeletionVectors=true", NO_CHECKPOINTS, NULL },
	  4 },
	{ "checkpoint", CHECKPOINT, CDC_MERGE_DV, true, { NO_CHECKPOINTS, NULL }, 4 },
	{ "checkpoint, version 2", CHECKPOINT_V2, CDC_MERGE_DV, true, { NO_CHECKPOINTS, NULL }, 4 },
	{ "checkpoint out of the one before",
	  CHECKPOINT_VERSION,
	  CDC_MERGE_DV,
	  true,
	  { "delta.checkpointInterval=3", NULL },
	  4 },
	{ "vacuum", VACUUM, CDC_MERGE_COW, true, { NO_CHECKPOINTS, NULL }, 4 },
};

struct run {
	const struct scenario *s;
	struct workload w;
	struct cdc_io plain;
	char template[96]; /* the table before the job */
	char work[96];
	int64_t version; /* of the template */
	uint64_t tries;
	uint64_t failed;
};

/* ------------------------------------------------------------------ trees */

struct names {
	char **name;
	size_t n, cap;
	size_t root;
};

static struct names *collecting;
static const char *copy_from, *copy_to;

static int collect(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	if (collecting->n == collecting->cap) {
		collecting->cap = collecting->cap ? 2 * collecting->cap : 64;
		collecting->name =
			realloc(collecting->name, collecting->cap * sizeof(*collecting->name));
	}
	collecting->name[collecting->n++] = strdup(path + collecting->root + 1);
	return 0;
}

static void tree(struct names *t, const char *path)
{
	*t = (struct names){ .root = strlen(path) };
	collecting = t;
	nftw(path, collect, 32, FTW_PHYS);
}

static void names_free(struct names *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->name[i]);
	free(t->name);
}

static bool has(const struct names *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->name[i], name))
			return true;
	return false;
}

/* Files of a table are never written in place: links will do, and show it if one is. */
static int link_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	char to[PATH_MAX];

	(void)st;
	(void)ftw;
	snprintf(to, sizeof(to), "%s%s", copy_to, path + strlen(copy_from));
	return type == FTW_D ? mkdir(to, 0777) : link(path, to);
}

static void copy_template(struct run *r)
{
	wl_remove_tree(r->work);
	if (access(r->template, F_OK))
		return;
	copy_from = r->template;
	copy_to = r->work;
	if (nftw(r->template, link_one, 32, FTW_PHYS)) {
		perror("copy");
		exit(70);
	}
}

/* ------------------------------------------------------------------ one try */

static int do_job(struct run *r, const struct cdc_io *io, struct cdc_err *err)
{
	struct cdc_checkpoint_result made;
	int64_t version;
	uint64_t files;

	switch (r->s->job) {
	case CREATE:
	case MERGE:
		return wl_merge(&r->w, io, r->work, 0, r->s->before + 1, NULL, err);
	case COMPACT:
		return wl_compact(io, r->work, &version, err);
	case SORT:
		return wl_sort(io, r->work, &version, err);
	case CHECKPOINT:
	case CHECKPOINT_V2:
		return wl_checkpoint(io, r->work, err);
	case CHECKPOINT_VERSION:
		return cdc_checkpoint_write_version(io, r->work, -1, &made, err);
	case VACUUM:
		return wl_vacuum(io, r->work, 0, &files, err);
	}
	return CDC_EINTERNAL;
}

static int after(const struct scenario *s)
{
	return s->job == CREATE || s->job == MERGE ? s->before + 1 : s->before;
}

static void complain(struct run *r, const struct faultio *f, const char *how, const char *what)
{
	if (r->failed++ < 5)
		printf("# %s: %s, call %llu of kind %d: %s\n", r->s->name, how,
		       (unsigned long long)f->fail_at, (int)f->fail_op, what);
}

/* Sidecars come with a file that names them, and no other checkpoint of the template does. */
static bool has_v2_checkpoint(const struct names *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *rest = strstr(t->name[i], ".checkpoint.");

		if (rest && !strstr(t->name[i], "/.") &&
		    strlen(rest) == strlen(".checkpoint..parquet") + 36)
			return true;
	}
	return false;
}

static bool is_checkpoint(const struct names *t, const char *name, const char *base)
{
	if (!strncmp(name, "_delta_log/_sidecars/", 21))
		return base[0] != '.' && has_v2_checkpoint(t);
	return base[0] != '.' && strstr(base, ".checkpoint.");
}

/* What the log's latest version and its commits do not account for. */
static void check_leftovers(struct run *r, const struct faultio *f, const char *how,
			    int64_t version)
{
	struct names was, is;
	struct cdc_snapshot *s = NULL;
	struct cdc_err err = CDC_ERR_INIT;
	char text[512];
	int64_t logged = 0;

	if (r->version >= 0)
		tree(&was, r->template);
	else
		was = (struct names){ .n = 0 };
	tree(&is, r->work);
	if (version >= 0 && cdc_snapshot_load(&s, &r->plain, r->work, -1, &err))
		complain(r, f, how, err.msg);
	for (size_t i = 0; i < is.n; i++) {
		const char *base = strrchr(is.name[i], '/');
		bool known = has(&was, is.name[i]);

		base = base ? base + 1 : is.name[i];
		if (!strncmp(is.name[i], "_delta_log/", 11))
			known = known || is_checkpoint(&is, is.name[i], base) ||
				!strcmp(base, "_last_checkpoint") ||
				(sscanf(base, "%20" SCNd64 ".json", &logged) == 1 &&
				 base[0] != '.' && logged <= version);
		for (size_t k = 0; s && !known && k < s->num_adds; k++) {
			struct cdc_buf b = CDC_BUF_INIT;
			const char *dv = NULL;

			if (cdc_path_decode(s->add[k].path, &b, &err) || !cdc_buf_z(&b))
				exit(70);
			known = !strcmp(b.p, is.name[i]);
			if (!known && s->add[k].dv.storage &&
			    !cdc_dv_file_path(&s->add[k].dv, r->work, &s->arena, &dv, &err) && dv)
				known = !strcmp(dv + strlen(r->work) + 1, is.name[i]);
			cdc_buf_free(&b);
		}
		if (!known) {
			snprintf(text, sizeof(text), "%s is left behind", is.name[i]);
			complain(r, f, how, text);
		}
	}
	cdc_snapshot_free(s);
	names_free(&was);
	names_free(&is);
}

/* False: fewer calls were made than fail_at; the sweep is over. */
static bool try_once(struct run *r, struct faultio *f, const char *how)
{
	struct cdc_err err = CDC_ERR_INIT;
	int64_t version;
	int rc, state;
	char text[1024];
	bool hit;

	copy_template(r);
	rc = do_job(r, &f->io, &err);
	hit = f->hits || f->max_transfer;
	r->tries++;
	if (rc == CDC_EINTERNAL) {
		complain(r, f, how, err.msg);
	} else if (rc && !err.msg[0]) {
		complain(r, f, how, "failed without a message");
	} else if (rc && !f->hits) {
		snprintf(text, sizeof(text), "failed by itself: %s", err.msg);
		complain(r, f, how, text);
	}
	err = (struct cdc_err)CDC_ERR_INIT;
	state = wl_state(&r->w, &r->plain, r->work, &version, &err);
	if (state == WL_BROKEN) {
		snprintf(text, sizeof(text), "broken: %s", err.msg);
		complain(r, f, how, text);
		return hit;
	}
	if (!rc && state != after(r->s)) {
		snprintf(text, sizeof(text), "said done, but has %d batches", state);
		complain(r, f, how, text);
	} else if (state != after(r->s) && state != r->s->before &&
		   !(r->s->job == CREATE && state == WL_ABSENT)) {
		snprintf(text, sizeof(text), "%d batches are neither before nor after", state);
		complain(r, f, how, text);
	}
	/* Where removing fails something is left; what fails for good fails that too. */
	if (!(f->hits && (f->last_hit == FAULTIO_UNLINK || (!f->fail_for && !f->fail_op))) &&
	    !(f->hits && !f->fail_for && f->fail_op == FAULTIO_UNLINK))
		check_leftovers(r, f, how, version);
	err = (struct cdc_err)CDC_ERR_INIT;
	if (do_job(r, &r->plain, &err) ||
	    wl_state(&r->w, &r->plain, r->work, &version, &err) != after(r->s)) {
		snprintf(text, sizeof(text), "does not converge: %s", err.msg);
		complain(r, f, how, text);
	}
	return hit;
}

static void sweep(struct run *r, enum faultio_op op, int why, uint64_t fail_for, bool fail_after,
		  const char *how)
{
	for (uint64_t n = 1;; n++) {
		struct faultio f;

		faultio_init(&f, &r->plain);
		f.fail_op = op;
		f.fail_at = n;
		f.fail_errno = why;
		f.fail_for = fail_for;
		f.fail_after = fail_after;
		if (!try_once(r, &f, how) || r->failed > 20)
			break;
	}
}

/* The user's wish to stop, after the nth call to the system. */
static bool stop_after(void *ctx)
{
	struct faultio *f = ctx;

	f->hits += f->calls[FAULTIO_ANY] >= f->fail_at;
	return f->hits;
}

static void interrupts(struct run *r)
{
	for (uint64_t n = 1;; n++) {
		struct faultio f;

		faultio_init(&f, &r->plain);
		f.fail_op = FAULTIO_OPS; /* no call fails */
		f.fail_at = n;
		f.io.interrupted = stop_after;
		if (!try_once(r, &f, "interrupted") || r->failed > 20)
			break;
	}
}

static void short_transfers(struct run *r)
{
	static const size_t sizes[] = { 1, 7, 4096 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct faultio f;

		faultio_init(&f, &r->plain);
		f.max_transfer = sizes[i];
		try_once(r, &f, "short transfers");
	}
}

/* ------------------------------------------------------------------ scenarios */

/* The table gets the feature of V2 checkpoints, and wants them. */
static int want_v2(struct run *r, struct cdc_err *err)
{
	struct cdc_str reader[8], writer[8];
	struct cdc_kv config[8];
	struct cdc_commit c = { .operation = "UPGRADE PROTOCOL", .isolation = "Serializable" };
	struct cdc_protocol p;
	struct cdc_metadata m;
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, &r->plain, r->template, -1, err);

	if (rc)
		return rc;
	p = s->protocol;
	m = s->metadata;
	memcpy(reader, p.reader_feature, (size_t)p.num_reader_features * sizeof(*reader));
	memcpy(writer, p.writer_feature, (size_t)p.num_writer_features * sizeof(*writer));
	memcpy(config, m.config, (size_t)m.num_config * sizeof(*config));
	reader[p.num_reader_features++] = writer[p.num_writer_features++] = CDC_STR("v2Checkpoint");
	config[m.num_config].key = CDC_STR("delta.checkpointPolicy");
	config[m.num_config++].value = CDC_STR("v2");
	p.reader_feature = reader;
	p.writer_feature = writer;
	m.config = config;
	c.protocol = &p;
	c.metadata = &m;
	c.read_version = s->version;
	rc = cdc_commit_put(&r->plain, r->template, s->version + 1, &c, err);
	cdc_snapshot_free(s);
	return rc;
}

static void make_template(struct run *r)
{
	struct cdc_err err = CDC_ERR_INIT;

	r->version = -1;
	/* A merge of its own a batch, as cron would do it. */
	for (int b = 0; b < r->s->before; b++)
		if (wl_merge(&r->w, &r->plain, r->template, b, b + 1, NULL, &err))
			goto fail;
	if (r->s->job == CHECKPOINT_V2 && want_v2(r, &err))
		goto fail;
	if (r->s->before &&
	    wl_state(&r->w, &r->plain, r->template, &r->version, &err) != r->s->before)
		goto fail;
	return;
fail:
	fprintf(stderr, "template: %s\n", err.msg);
	exit(70);
}

static void run_scenario(struct run *r, const char *root)
{
	static const enum faultio_op at_once[] = { FAULTIO_LINK, FAULTIO_RENAME, FAULTIO_UNLINK };

	snprintf(r->template, sizeof(r->template), "%s/template", root);
	snprintf(r->work, sizeof(r->work), "%s/work", root);
	r->plain = cdc_io_posix;
	r->plain.fsync = wl_no_fsync;
	wl_init(&r->w, r->s->mode, r->s->partitioned);
	memcpy(r->w.property, r->s->property, sizeof(r->s->property));
	make_template(r);
	short_transfers(r);
	interrupts(r);
	sweep(r, FAULTIO_ANY, EIO, 1, false, "EIO once");
	sweep(r, FAULTIO_ANY, ENOSPC, 0, false, "ENOSPC from then on");
	sweep(r, FAULTIO_WRITE, ENOSPC, 1, false, "a write without space");
	for (int op = FAULTIO_OPEN; op < FAULTIO_OPS; op++)
		sweep(r, (enum faultio_op)op, EIO, 0, false, "EIO from then on, of one kind");
	for (size_t i = 0; i < sizeof(at_once) / sizeof(at_once[0]); i++)
		sweep(r, at_once[i], EIO, 1, true, "done but reported as failed");
	wl_remove_tree(r->template);
	wl_remove_tree(r->work);
}

int main(void)
{
	size_t n = sizeof(scenarios) / sizeof(scenarios[0]);
	char root[64];

	if (!wl_scratch(root, sizeof(root)))
		return 4;
	for (size_t i = 0; i < n; i++) {
		struct run r = { .s = &scenarios[i] };

		run_scenario(&r, root);
		printf("%s %zu - %s: %llu failures injected\n", r.failed ? "not ok" : "ok", i + 1,
		       r.s->name, (unsigned long long)r.tries);
		fflush(stdout);
	}
	printf("1..%zu\n", n);
	wl_remove_tree(root);
	return 0;
}
