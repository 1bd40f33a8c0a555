/*
 * What every program shares: common options, messages, exit status, output, rejects, statistics,
 * signals. Calling sequence of a program's main:
 *
 *	struct cmd c;
 *	int n = cmd_start(&c, &program, &options, argc, argv);
 *	if (n < 0)
 *		return cmd_exit(&c);		(usage error, --help, --version)
 *	rc = run(…);
 *	if (rc < 0)
 *		cmd_error(&c, &err);		(prints, remembers the exit status)
 *	return cmd_exit(&c);			(flushes, writes --stats, re-raises a signal)
 */
#ifndef CDC_CMD_COMMON_H
#define CDC_CMD_COMMON_H

#include "base/buf.h"
#include "base/error.h"
#include "cmd/options.h"
#include "io/progress.h"
#include "io/stream.h"

enum cmd_exit {
	CMD_DONE = 0,
	CMD_REJECTS = 1, /* done, but records were rejected, or a difference was found */
	CMD_USAGE = 2,
	CMD_BAD_INPUT = 3,
	CMD_ENVIRONMENT = 4,
	CMD_CONFLICT = 5,
	CMD_CORRUPT = 6,
	CMD_BUG = 70
};

/* Which common options a program has: the bits are indexes in the table of common.c. */
enum {
	CMD_OPT_OUTPUT = 1u << 0, /* -o, --output FILE */
	CMD_OPT_REJECT = 1u << 1, /* --reject FILE */
	CMD_OPT_MAX_REJECTS = 1u << 2, /* --max-rejects N */
	CMD_OPT_STATS = 1u << 3, /* --stats FILE */
	CMD_OPT_MEMORY = 1u << 4, /* --memory SIZE */
	CMD_OPT_TMPDIR = 1u << 5, /* --tmpdir DIR */
	CMD_OPT_PROGRESS = 1u << 6, /* --progress WHEN */
	CMD_OPT_QUIET = 1u << 7, /* -q, --quiet */
	CMD_OPT_VERBOSE = 1u << 8, /* -v, --verbose */
	CMD_OPT_HELP = 1u << 9,
	CMD_OPT_VERSION = 1u << 10,
	CMD_OPT_DUMP = 1u << 11, /* hidden --dump-options */
	CMD_OPT_GENERAL = CMD_OPT_STATS | CMD_OPT_PROGRESS | CMD_OPT_QUIET | CMD_OPT_VERBOSE |
			  CMD_OPT_HELP | CMD_OPT_VERSION | CMD_OPT_DUMP,
	CMD_OPT_REJECTS = CMD_OPT_REJECT | CMD_OPT_MAX_REJECTS,
	CMD_OPT_SPILL = CMD_OPT_MEMORY | CMD_OPT_TMPDIR
};

struct cmd_common {
	const char *output;
	const char *reject;
	int64_t max_rejects;
	const char *stats;
	uint64_t memory; /* bytes, 0: the program's default */
	const char *tmpdir;
	const char *progress;
	bool quiet;
	bool verbose;
	bool help;
	bool version;
	bool dump;
};

struct cmd {
	const struct opt_program *program;
	const struct cdc_io *io;
	struct cmd_common opt;
	int status; /* worst so far */
	bool started; /* past the options: there is work to do */
	int64_t start_us; /* monotonic */
	struct cdc_progress progress;
	bool has_progress;
	/* output */
	struct cdc_writer out;
	bool out_open;
	int out_fd;
	char *out_temp; /* -o FILE: written here, renamed when all went well */
	/* rejects */
	struct cdc_writer rejects;
	bool rejects_open;
	int rejects_fd;
	uint64_t num_rejects;
	/* --stats: members of one JSON object */
	struct cdc_buf stats;
};

/* Parses options into `target` (the program's struct) and c->opt. Operands: argv[1..n]. */
int cmd_start(struct cmd *c, const struct opt_program *program, void *target, int argc,
	      char **argv);
int cmd_exit(struct cmd *c);

/*
 * Have the system refuse memory past --memory, or past half of the machine's without it: for
 * programs whose needs the input decides. What they fail with is CDC_ENOMEM. Not under a sanitizer,
 * which reserves more than any ceiling for itself.
 */
void cmd_limit_memory(const struct cmd *c);

/* Messages: "program: file:line: level: text", control bytes escaped, one write. */
void cmd_error(struct cmd *c, const struct cdc_err *err); /* also sets the exit status */
void cmd_usage(struct cmd *c, const char *fmt, ...) CDC_PRINTF(2, 3); /* status 2 */
void cmd_warn(struct cmd *c, const char *fmt, ...) CDC_PRINTF(2, 3);
void cmd_info(struct cmd *c, const char *fmt, ...) CDC_PRINTF(2, 3); /* not with --quiet */
void cmd_debug(struct cmd *c, const char *fmt, ...) CDC_PRINTF(2, 3); /* with --verbose */
void cmd_status(struct cmd *c, enum cmd_exit status); /* raise the exit status, unless it is set */

/* Standard output, or the -o FILE, as c->out. cmd_output_done flushes; with -o it renames. */
int cmd_output_open(struct cmd *c, struct cdc_err *err) CDC_NODISCARD;
int cmd_output_done(struct cmd *c, struct cdc_err *err) CDC_NODISCARD;
/* Columns of the terminal that the output goes to: $COLUMNS if that is set. 0: no terminal. */
uint32_t cmd_columns(const struct cmd *c);

/*
 * Reject a record. Without --reject the first one is fatal (CDC_EDATA with the reason and place);
 * with it a line {"reason":…,"file":…,"line":…,"offset":…,"key":base64,"raw":base64} is written and
 * CDC_OK returned until --max-rejects is passed.
 */
struct cmd_rejected {
	const char *reason;
	const char *file;
	uint64_t line; /* 0: none */
	bool has_offset;
	uint64_t offset;
	bool has_key;
	struct cdc_str key; /* of a Kafka message */
	struct cdc_str raw;
};

int cmd_reject(struct cmd *c, const struct cmd_rejected *r, struct cdc_err *err) CDC_NODISCARD;

/*
 * The next input of operands argv[0..n-1] ("-" or none: standard input). With no operand and a
 * terminal on standard input: a hint, status 2 and CDC_EUSAGE already reported (err->code set).
 */
int cmd_input_open(struct cmd *c, struct cdc_reader *r, int n, char **argv, int i,
		   struct cdc_err *err) CDC_NODISCARD;
/* Only the check for a terminal. */
int cmd_input_check(const struct cmd *c, int n, struct cdc_err *err) CDC_NODISCARD;
/* Number of inputs to open for n operands: n, or 1. */
int cmd_input_count(int n);

/* Add to --stats. */
void cmd_stat_int(struct cmd *c, const char *name, uint64_t v);
void cmd_stat_str(struct cmd *c, const char *name, const char *v);

void cmd_progress_start(struct cmd *c, uint64_t total_bytes);
static inline void cmd_progress(struct cmd *c, uint64_t records, uint64_t bytes)
{
	if (c->has_progress)
		cdc_progress_update(&c->progress, records, bytes);
}

#endif
