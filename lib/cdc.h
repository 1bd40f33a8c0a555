/*
 * cdc.h: apply change records to Delta Lake tables, and read such tables, from a program.
 *
 * This is the library under the programs cdc-merge(1) and cdc-snapshot(1). What change records are
 * and mean is in cdc-record(5) and cdc(7), what is written to disk in cdc-table(5).
 *
 *	struct cdc_apply_options opt = CDC_APPLY_OPTIONS_INIT;
 *	struct cdc_error err;
 *	struct cdc_apply *a;
 *
 *	opt.table = "./sales";
 *	if (cdc_apply_open(&a, &opt, &err))
 *		return report(&err);
 *	while (rc == 0 && next_record(&line, &length))
 *		rc = cdc_apply_put(a, line, length, &err);
 *	if (rc == 0)
 *		rc = cdc_apply_commit(a, &err);
 *	cdc_apply_close(a);
 *
 * Compile and link with `pkg-config --cflags --libs cdc`.
 *
 *
 * ERRORS
 *
 * A function that can fail returns 0 when all is well, CDC_CURSOR_END (1) at the end of rows, and a
 * negative enum cdc_error_code when it failed. It then fills *error, which the caller owns and
 * need not initialise; it is left alone otherwise. `error` may be NULL. The library never prints,
 * never ends the program, and keeps no memory behind an error.
 *
 * What still works afterwards is said at each function. As a rule: where opening failed there is
 * nothing to close; a handle whose call failed gives the same error again to every later call, and
 * all that is left to do with it is to close it; other handles are not affected.
 *
 *
 * OWNERSHIP AND LIFETIMES
 *
 * Handles come from an _open function and go with the _close function of the same name, which takes
 * NULL as well. All strings, lists and structs that are passed in are copied or done with when the
 * call returns. Pointers that are handed out belong to the library and live as long as the function
 * that gives them says.
 *
 *
 * THREADS
 *
 * A handle is for one thread at a time; different handles may be used in different threads, also on
 * one table. A cursor counts as a use of its table only while it is opened. Callbacks run in the
 * thread of the call that they are given for, and must not use the handle that calls them.
 *
 *
 * CAVEATS
 *
 * - Close cursors before their table: they borrow its state.
 * - Do not use a handle in the child of a fork; opening a new one there is fine.
 * - cdc_apply_put may commit by itself: at CHECKPOINT records, at the limits of the options, and
 *when a batch has outgrown its memory. What must be atomic has to fit in one batch.
 * - A commit that is reported as done is on the disk. After a failure cdc_apply_version says which
 *   commits of this handle are certain. When the message says that the outcome of one is not known
 *   (the disk failed while it was written), open the table and look at its version and position.
 * - Records without a position (cdc-record(5)) are applied again when they are put again. Put them
 *   with position, and a replay does nothing.
 * - Other writers, cdc-merge and Spark among them, may commit meanwhile. A commit that was lost to
 *one is made again on the new state, as often as the option `retries` says. When another one has
 *   applied the same stream meanwhile, or changed the schema, it is CDC_ERROR_CONFLICT.
 * - The file system must be local: hard links, or renameat2(2), decide who wrote a version.
 * - The environment variable SOURCE_DATE_EPOCH, when it is set at the first use of the library,
 *   replaces the clock and seeds the names of new files. Not for tables with more than one writer.
 * - The library neither installs signal handlers nor changes the locale, and does not depend on it.
 */
#ifndef CDC_H
#define CDC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#define CDC_API __attribute__((visibility("default")))
#else
#define CDC_API
#endif

/* ------------------------------------------------------------------ version, errors */

/* Version of the library that is linked, as "0.1.0". Static. */
CDC_API const char *cdc_version_string(void);

/* The numbers are part of the interface; new ones may be added. */
enum cdc_error_code {
	/* An option or argument makes no sense, or there is no such table, version or column. */
	CDC_ERROR_USAGE = -1,
	/* A record cannot be applied. */
	CDC_ERROR_DATA = -2,
	/* The system refused: disk, space, permission. */
	CDC_ERROR_IO = -3,
	/* Memory, or a limit that was set, is exhausted. */
	CDC_ERROR_MEMORY = -4,
	/* Lost to another writer; safe to do again from the start. */
	CDC_ERROR_CONFLICT = -5,
	/* The table or one of its files is damaged. */
	CDC_ERROR_CORRUPT = -6,
	/* The table has a feature that the library lacks; the message names it. */
	CDC_ERROR_UNSUPPORTED = -7,
	/* A bug in the library. */
	CDC_ERROR_INTERNAL = -8
};

struct cdc_error {
	int code; /* enum cdc_error_code, as the function returned it */
	int system_error; /* errno behind CDC_ERROR_IO, else 0 */
	/* English, one line without its end. What it quotes of the input is not escaped. */
	char message[1008];
};

/* ------------------------------------------------------------------ applying change records */

/* A stream of change records on its way into one table. */
struct cdc_apply;

/* How files that hold changed rows are written. */
enum cdc_apply_mode {
	CDC_APPLY_AUTO = 0, /* per file, by cost */
	CDC_APPLY_DELETION_VECTORS = 1, /* mark old rows; the table must allow it */
	CDC_APPLY_COPY_ON_WRITE = 2 /* write the file again without them */
};

/* What tells that a record was applied before. */
enum cdc_apply_identity {
	CDC_APPLY_BY_KAFKA_POSITION = 0, /* topic, partition and offset of `position` */
	CDC_APPLY_BY_RECORD_ID = 1, /* recordID */
	CDC_APPLY_BY_NOTHING = 2
};

/* What a TRUNCATE record does. */
enum cdc_apply_truncate {
	CDC_APPLY_TRUNCATE = 0, /* empties the table */
	CDC_APPLY_TRUNCATE_IGNORE = 1,
	CDC_APPLY_TRUNCATE_FAIL = 2 /* CDC_ERROR_DATA */
};

/* A record that cannot be applied. All of it lives until the callback returns. */
struct cdc_apply_reject {
	const char *reason;
	uint64_t number; /* of the record: 1 for the first that was put */
	const char *line; /* its bytes, not NUL-terminated */
	size_t length;
};

/* What a commit did. Members may be added at the end. */
struct cdc_apply_result {
	int64_t version; /* of the table, now */
	uint64_t records; /* change records of the batch */
	uint64_t inserted; /* rows */
	uint64_t updated;
	uint64_t deleted;
	uint64_t files_added;
	uint64_t files_removed;
	uint64_t bytes_added;
	uint64_t bytes_removed;
	uint64_t deletion_vectors_added;
	uint64_t lost_commits; /* to other writers, before this one */
};

/*
 * Start with CDC_APPLY_OPTIONS_INIT; zero and NULL stand for the default. Only `table` must be set.
 * Members may be added at the end: `size` tells the library what the caller knows.
 */
struct cdc_apply_options {
	size_t size; /* sizeof(struct cdc_apply_options) */
	const char *table; /* directory */

	/*
	 * Creation. Without these a table is created when a SCHEMA record comes before its rows.
	 *
	 * schema: "id BIGINT NOT NULL, sales DECIMAL(7,2)"; overrides the SCHEMA record for the
	 * columns that it names. key: column names, then NULL; default what the table remembers,
	 * else the primary key of the SCHEMA record. partition_by: column names, then NULL.
	 * property: "name=value" table properties, then NULL; on a table that is there those that
	 * differ are set before the first batch. create, if not 0: make the table from `schema` and
	 * `key` even if no SCHEMA record comes.
	 */
	const char *schema;
	const char *const *key;
	const char *const *partition_by;
	const char *const *property;
	int create;

	int mode; /* enum cdc_apply_mode */
	int identity; /* enum cdc_apply_identity */
	int truncate; /* enum cdc_apply_truncate */
	int ignore_unknown_columns; /* not 0: drop what the table lacks; 0: reject the record */
	int insert_only; /* not 0: records of keys that exist change nothing */
	int retries; /* commits that may be lost in one batch; 0: 100 */
	const char *stream; /* name of this stream in the table; NULL: "cdc" */

	/* A batch is committed when it has reached one of these; 0: no limit. */
	uint64_t batch_records;
	uint64_t batch_bytes; /* of records as they were put */
	uint64_t memory_bytes; /* that the batch takes; 0: 464 MiB */

	/* Handed to the callbacks, each of which may be NULL. */
	void *context;
	/* Return 0 to go on without the record. Other values stop: the call that is under way fails
	 * with CDC_ERROR_DATA. Without the callback the first reject stops. */
	int (*on_reject)(void *context, const struct cdc_apply_reject *reject);
	/* After each commit; the result lives until the callback returns. */
	void (*on_commit)(void *context, const struct cdc_apply_result *result);
	/* Something worth a line in a log; the text lives until the callback returns. */
	void (*on_warning)(void *context, const char *text);
};

/* clang-format off */
#define CDC_APPLY_OPTIONS_INIT { .size = sizeof(struct cdc_apply_options) }
/* clang-format on */

/*
 * Make ready to apply records to options->table. Nothing is read or written yet: a table that is
 * missing or cannot be written shows at the first record that needs it. *apply is NULL after an
 * error (USAGE, MEMORY).
 */
CDC_API int cdc_apply_open(struct cdc_apply **apply, const struct cdc_apply_options *options,
			   struct cdc_error *error);

/*
 * Add one record: a JSON object of `length` bytes, with or without a line end after it. It joins
 * the open batch and is not in the table before the batch is committed. An empty line is nothing.
 *
 * After an error the records of the open batch are not applied, batches before it are.
 */
CDC_API int cdc_apply_put(struct cdc_apply *apply, const char *line, size_t length,
			  struct cdc_error *error);

/*
 * Commit the open batch, and create the table if that is due. Records may be put afterwards; they
 * start a new batch. With nothing to commit it does nothing and no version is made.
 */
CDC_API int cdc_apply_commit(struct cdc_apply *apply, struct cdc_error *error);

/* Version of the last commit that this handle made, -1: none. Also after an error. */
CDC_API int64_t cdc_apply_version(const struct cdc_apply *apply);

/* Records that were passed over since the table had their positions. Also after an error. */
CDC_API uint64_t cdc_apply_skipped(const struct cdc_apply *apply);

/* Free the handle. Records that are not committed are dropped: this never writes. */
CDC_API void cdc_apply_close(struct cdc_apply *apply);

/* ------------------------------------------------------------------ reading a table */

/* The state of a table at one version. Commits that others make do not change it. */
struct cdc_table;

/* The rows of a table, one by one. */
struct cdc_cursor;

#define CDC_CURSOR_END 1

/*
 * Read the state at `version`, -1: the latest. *table is NULL after an error: USAGE if there is no
 * such table or version, else IO, MEMORY, CORRUPT or UNSUPPORTED.
 */
CDC_API int cdc_table_open(struct cdc_table **table, const char *path, int64_t version,
			   struct cdc_error *error);

CDC_API int64_t cdc_table_version(const struct cdc_table *table);

/* Number of columns, and the name of one, 0 to count - 1: UTF-8, NUL-terminated, living until
 * cdc_table_close. NULL if `i` is out of range. */
CDC_API size_t cdc_table_column_count(const struct cdc_table *table);
CDC_API const char *cdc_table_column_name(const struct cdc_table *table, size_t i);

/*
 * How far a stream was applied: the offset of a partition of a topic, or the recordID when `topic`
 * is NULL. -1: never. `stream` is that of struct cdc_apply_options, NULL: "cdc". Start reading the
 * stream after this, and nothing is lost or done twice.
 */
CDC_API int64_t cdc_table_position(const struct cdc_table *table, const char *stream,
				   const char *topic, int32_t partition);

/*
 * Schema, protocol, properties and counts as one JSON object, that of `cdc-snapshot --describe`.
 * *json is NUL-terminated and lives until the next call or cdc_table_close. Counting rows may read
 * data files. An error (IO, MEMORY, CORRUPT) is not remembered: the table can be used on.
 */
CDC_API int cdc_table_describe(struct cdc_table *table, const char **json, struct cdc_error *error);

/* Free the state. Its cursors must be closed already. */
CDC_API void cdc_table_close(struct cdc_table *table);

/*
 * The rows of the table, `columns` of them: names, then NULL, in the order wanted; NULL: all
 * columns. *cursor is NULL after an error: USAGE if there is no such column, or MEMORY.
 */
CDC_API int cdc_cursor_open(struct cdc_cursor **cursor, const struct cdc_table *table,
			    const char *const *columns, struct cdc_error *error);

/*
 * The next row as a JSON object, in the form of cdc-snapshot(1): *line is *length bytes and a NUL,
 * without a line end, and lives until the next call or cdc_cursor_close. CDC_CURSOR_END after the
 * last row, then and ever after; *line is then NULL. Rows come in the order of the log's files.
 * Some thousand rows are decoded at a time and held as text.
 */
CDC_API int cdc_cursor_next(struct cdc_cursor *cursor, const char **line, size_t *length,
			    struct cdc_error *error);

CDC_API void cdc_cursor_close(struct cdc_cursor *cursor);

#ifdef __cplusplus
}
#endif

#endif
