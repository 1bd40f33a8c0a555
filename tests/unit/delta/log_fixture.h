/*
 * A scratch table directory for tests of the log, and files put into it by hand.
 */
#ifndef LOG_FIXTURE_H
#define LOG_FIXTURE_H

#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "delta/log.h"

#define PROTOCOL "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
#define SCHEMA                                                                                     \
	"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":"      \
	"\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},{\\\"name\\\":\\\"p\\\","         \
	"\\\"type\\\":\\\"string\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}"
#define METADATA_WITH(config)                                                                      \
	"{\"metaData\":{\"id\":\"t-1\",\"format\":{\"provider\":\"parquet\",\"options\":{}},"      \
	"\"schemaString\":\"" SCHEMA "\",\"partitionColumns\":[\"p\"],\"configuration\":{" config  \
	"},\"createdTime\":1}}\n"
#define METADATA METADATA_WITH("")
#define ADD(path)                                                                                  \
	"{\"add\":{\"path\":\"" path "\",\"partitionValues\":{\"p\":null},\"size\":1,"             \
	"\"modificationTime\":1,\"dataChange\":true}}\n"
#define ADD_DV(path, dv)                                                                           \
	"{\"add\":{\"path\":\"" path "\",\"partitionValues\":{},\"size\":1,"                       \
	"\"modificationTime\":1,\"dataChange\":true,\"deletionVector\":" dv "}}\n"
#define DV(text, at)                                                                               \
	"{\"storageType\":\"u\",\"pathOrInlineDv\":\"" text "\",\"offset\":" at                    \
	",\"sizeInBytes\":34,\"cardinality\":2}"
#define REMOVE_AT(path, ms)                                                                        \
	"{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":" ms ",\"dataChange\":true}}\n"
#define REMOVE(path) REMOVE_AT(path, "4102444800000") /* 2100: never expired */

struct fixture {
	char table[PATH_MAX];
	char log[PATH_MAX + 16];
};

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	assert_non_null(f);
	snprintf(f->table, sizeof(f->table), "%s/cdc-log-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->table));
	snprintf(f->log, sizeof(f->log), "%s/_delta_log", f->table);
	assert_int_equal(mkdir(f->log, 0777), 0);
	*state = f;
	return 0;
}

static inline int fixture_remove(const char *path, const struct stat *st, int flag, struct FTW *w)
{
	(void)st;
	(void)flag;
	(void)w;
	return remove(path);
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	nftw(f->table, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline void fixture_put(const struct fixture *f, const char *name, const char *text)
{
	char path[2 * PATH_MAX];
	FILE *o;

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	o = fopen(path, "wb");
	assert_non_null(o);
	assert_int_equal(fwrite(text, 1, strlen(text), o), strlen(text));
	assert_int_equal(fclose(o), 0);
}

static inline void fixture_commit(const struct fixture *f, int version, const char *text)
{
	char name[64];

	snprintf(name, sizeof(name), "%020d.json", version);
	fixture_put(f, name, text);
}

static inline void fixture_unlink(const struct fixture *f, const char *name)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	assert_int_equal(unlink(path), 0);
}

static inline bool fixture_has(const struct fixture *f, const char *name)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->log, name);
	return access(path, F_OK) == 0;
}

static inline struct cdc_snapshot *fixture_load(const struct fixture *f, int64_t version)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;
	int rc = cdc_snapshot_load(&s, &cdc_io_posix, f->table, version, &err);

	if (rc)
		print_message("load: %d %s: %s\n", rc, err.file, err.msg);
	assert_int_equal(rc, CDC_OK);
	return s;
}

/* Loading must fail with `code` and a message that contains `text`. */
static inline void fixture_refuse(const struct fixture *f, int64_t version, int code,
				  const char *text)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_snapshot *s = NULL;

	assert_int_equal(cdc_snapshot_load(&s, &cdc_io_posix, f->table, version, &err), code);
	assert_null(s);
	assert_int_equal(err.code, code);
	if (!strstr(err.msg, text))
		fail_msg("\"%s\" is not in \"%s\"", text, err.msg);
}

/* The paths of the live files, in order, each with "@dv" when it has one, joined by spaces. */
static inline void assert_live(const struct cdc_snapshot *s, const char *expected)
{
	char got[4096] = "";
	size_t n = 0;

	for (size_t i = 0; i < s->num_adds; i++) {
		const struct cdc_add *a = &s->add[i];

		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%.*s%s%.*s", i ? " " : "",
				      (int)a->path.n, a->path.p, a->dv.storage ? "@" : "",
				      a->dv.storage ? (int)a->dv.path.n : 0,
				      a->dv.storage ? a->dv.path.p : "");
		assert_true(n < sizeof(got));
	}
	assert_string_equal(got, expected);
}

static inline void assert_str(struct cdc_str s, const char *expected)
{
	assert_non_null(s.p);
	assert_int_equal(s.n, strlen(expected));
	assert_memory_equal(s.p, expected, s.n);
}

#endif
