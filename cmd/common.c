/*
 * Common options, messages, exit status, output, rejects and statistics. See common.h.
 */
#include "cmd/common.h"

#include "base/json.h"
#include "base/value.h"
#include "cmd/message.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const char *const when_choices[] = { "auto", "always", "never", NULL };

/* The order is that of the CMD_OPT_* bits. */
static const struct opt common_options[] = {
	{ 'o', "output", OPT_STRING, "FILE", "write to FILE, which appears only when all went well",
	  OPT_TARGET(cmd_common, output), NULL },
	{ 0, "reject", OPT_STRING, "FILE", "write rejected input with its reason to FILE, go on",
	  OPT_TARGET(cmd_common, reject), NULL },
	{ 0, "max-rejects", OPT_INT, "N", "stop after more than N rejects",
	  OPT_TARGET(cmd_common, max_rejects), NULL },
	{ 0, "stats", OPT_STRING, "FILE", "write counts and times as JSON to FILE (-: stderr)",
	  OPT_TARGET(cmd_common, stats), NULL },
	{ 0, "memory", OPT_SIZE, "SIZE", "ceiling of what is held in memory, e.g. 256M",
	  OPT_TARGET(cmd_common, memory), NULL },
	{ 0, "tmpdir", OPT_STRING, "DIR", "where to spill past the ceiling (default $TMPDIR)",
	  OPT_TARGET(cmd_common, tmpdir), NULL },
	{ 0, "progress", OPT_CHOICE, "WHEN", "progress line", OPT_TARGET(cmd_common, progress),
	  when_choices },
	{ 'q', "quiet", OPT_FLAG, NULL, "no messages but errors and warnings",
	  OPT_TARGET(cmd_common, quiet), NULL },
	{ 'v', "verbose", OPT_FLAG, NULL, "more messages", OPT_TARGET(cmd_common, verbose), NULL },
	{ 'h', "help", OPT_FLAG, NULL, "print this help", OPT_TARGET(cmd_common, help), NULL },
	{ 'V', "version", OPT_FLAG, NULL, "print the version (-v: of the libraries too)",
	  OPT_TARGET(cmd_common, version), NULL },
	{ 0, "dump-options", OPT_FLAG, NULL, NULL, OPT_TARGET(cmd_common, dump), NULL },
	{ 0, NULL, OPT_FLAG, NULL, NULL, 0, NULL }
};

static void say(const struct cmd *c, const char *place, const char *level, const char *text)
{
	if (c->has_progress && c->progress.shown)
		cdc_progress_done((struct cdc_progress *)(uintptr_t)&c->progress);
	message_print(c->program->name, place, level, text);
}

#define SAY(c, level, fmt)                                                                         \
	do {                                                                                       \
		char text_[1024];                                                                  \
		va_list ap_;                                                                       \
		va_start(ap_, fmt);                                                                \
		vsnprintf(text_, sizeof(text_), fmt, ap_);                                         \
		va_end(ap_);                                                                       \
		say(c, "", level, text_);                                                          \
	} while (0)

void cmd_warn(struct cmd *c, const char *fmt, ...)
{
	SAY(c, "warning", fmt);
}

void cmd_info(struct cmd *c, const char *fmt, ...)
{
	if (!c->opt.quiet)
		SAY(c, "info", fmt);
}

void cmd_debug(struct cmd *c, const char *fmt, ...)
{
	if (c->opt.verbose)
		SAY(c, "debug", fmt);
}

void cmd_usage(struct cmd *c, const char *fmt, ...)
{
	SAY(c, "error", fmt);
	cmd_status(c, CMD_USAGE);
}

void cmd_status(struct cmd *c, enum cmd_exit status)
{
	if (c->status == CMD_DONE || c->status == CMD_REJECTS)
		c->status = (int)status > c->status ? (int)status : c->status;
}

static enum cmd_exit exit_status(enum cdc_code code)
{
	switch (code) {
	case CDC_OK:
	case CDC_END:
		return CMD_DONE;
	case CDC_EUSAGE:
		return CMD_USAGE;
	case CDC_EDATA:
		return CMD_BAD_INPUT;
	case CDC_EIO:
	case CDC_ENOMEM:
	case CDC_EINTR:
		return CMD_ENVIRONMENT;
	case CDC_ECONFLICT:
		return CMD_CONFLICT;
	case CDC_ECORRUPT:
	case CDC_EUNSUPPORTED:
		return CMD_CORRUPT;
	case CDC_EINTERNAL:
		break;
	}
	return CMD_BUG;
}

void cmd_error(struct cmd *c, const struct cdc_err *err)
{
	char place[sizeof(err->file) + 64];
	int n = 0;

	cmd_status(c, exit_status(err->code));
	if (err->code == CDC_EIO && err->sys_errno == EPIPE) {
		/* The reader has what it wanted: die as a filter does, without a word. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
		return;
	}
	place[0] = 0;
	if (err->file[0])
		n = snprintf(place, sizeof(place), "%s:", err->file);
	if (n >= 0 && err->has_line)
		n += snprintf(place + n, sizeof(place) - (size_t)n,
			      "%llu:", (unsigned long long)err->line);
	else if (n >= 0 && err->has_offset)
		n += snprintf(place + n, sizeof(place) - (size_t)n,
			      "offset %llu:", (unsigned long long)err->offset);
	if (n > 0)
		snprintf(place + n, sizeof(place) - (size_t)n, " ");
	say(c, place, "error", err->msg);
}

static volatile sig_atomic_t caught_signal;

static void on_interrupt(int sig)
{
	caught_signal = sig;
	cdc_io_interrupt();
	signal(sig, SIG_DFL); /* a second one ends the program at once */
}

static void on_usr1(int sig)
{
	(void)sig;
	cdc_progress_request();
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_interrupt };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sa.sa_handler = on_usr1;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGPIPE, SIG_IGN); /* seen as EPIPE; cmd_error raises it again */
}

static int64_t monotonic_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void print_version(const struct cmd *c)
{
	printf("%s %s\n", c->program->name, CDC_VERSION);
	if (c->opt.verbose)
		printf("built with %s\n", CDC_LIBRARIES);
}

static void finish_stdout(struct cmd *c)
{
	if (fflush(stdout) || ferror(stdout)) {
		struct cdc_err err = CDC_ERR_INIT;

		cdc_fail_errno(&err, errno, "standard output");
		cmd_error(c, &err);
	}
}

/* Is there a regular file at both paths, the same one? Two paths of no file yet may be one too. */
static bool same_file(const struct cmd *c, const char *a, const char *b)
{
	struct stat x, y;

	if (!a || !b || !strcmp(a, "-") || !strcmp(b, "-"))
		return false;
	if (c->io->stat(c->io->ctx, a, &x) || c->io->stat(c->io->ctx, b, &y))
		return !strcmp(a, b);
	return S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Files that are written must not be each other's, nor, but for -o, which is renamed at the end,
 * those that are read. */
static bool check_files(struct cmd *c, int n, char **argv)
{
	const struct {
		const char *option;
		const char *path;
	} file[] = {
		{ "--reject", c->opt.reject },
		{ "--stats", c->opt.stats },
		{ "--output", c->opt.output },
	};
	const size_t last = sizeof(file) / sizeof(file[0]) - 1;

	for (size_t i = 0; i < last; i++) {
		for (size_t k = i + 1; k <= last; k++) {
			if (same_file(c, file[i].path, file[k].path)) {
				cmd_usage(c, "%s and %s are the same file: %s", file[i].option,
					  file[k].option, file[i].path);
				return false;
			}
		}
		for (int k = 1; k <= n; k++) {
			if (same_file(c, file[i].path, argv[k])) {
				cmd_usage(c, "%s would overwrite the input: %s", file[i].option,
					  argv[k]);
				return false;
			}
		}
	}
	return true;
}

int cmd_start(struct cmd *c, const struct opt_program *program, void *target, int argc, char **argv)
{
	struct opt_group group[2] = { { program->options, target, ~0u },
				      { common_options, &c->opt, program->common } };
	int n;

	*c = (struct cmd){
		.program = program, .io = &cdc_io_posix, .out_fd = -1, .rejects_fd = -1
	};
	c->opt.max_rejects = -1;
	c->opt.progress = "auto";
	c->start_us = monotonic_us();
	catch_signals();
	n = opt_parse(program, group, 2, argc, argv);
	if (n < 0) {
		cmd_status(c, CMD_USAGE);
		return -1;
	}
	if (c->opt.help)
		opt_print_help(program, group, 2);
	else if (c->opt.version)
		print_version(c);
	else if (c->opt.dump)
		opt_dump(program, group, 2);
	else {
		if (!check_files(c, n, argv))
			return -1;
		c->started = true;
		return n;
	}
	finish_stdout(c);
	return -1;
}

void cmd_limit_memory(const struct cmd *c)
{
#if !defined(__SANITIZE_ADDRESS__)
	long pages = sysconf(_SC_PHYS_PAGES);
	long page = sysconf(_SC_PAGESIZE);
	struct rlimit limit;

	if (getrlimit(RLIMIT_DATA, &limit) < 0)
		return;
	if (c->opt.memory)
		limit.rlim_cur = c->opt.memory;
	else if (pages > 0 && page > 0)
		limit.rlim_cur = (rlim_t)pages / 2 * (rlim_t)page;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_DATA, &limit);
#else
	(void)c;
#endif
}

/* ------------------------------------------------------------------ output */

static int open_output_file(struct cmd *c, struct cdc_err *err)
{
	const char *path = c->opt.output;
	struct stat st;
	size_t n = strlen(path) + 32;
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) + 1 : 0;

	if (!c->io->stat(c->io->ctx, path, &st) && !S_ISREG(st.st_mode)) {
		/* A device or pipe cannot be replaced: write to it. */
		c->out_fd = c->io->open(c->io->ctx, path, O_WRONLY | O_CLOEXEC, 0);
	} else {
		c->out_temp = malloc(n);
		if (!c->out_temp)
			return cdc_fail_nomem(err);
		snprintf(c->out_temp, n, "%.*s.%s.%ld.tmp", dir_len, path, path + dir_len,
			 (long)getpid());
		c->out_fd = c->io->open(c->io->ctx, c->out_temp,
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	}
	if (c->out_fd < 0)
		return cdc_fail_errno(err, errno, "cannot create %s", path);
	return CDC_OK;
}

int cmd_output_open(struct cmd *c, struct cdc_err *err)
{
	int rc = CDC_OK;

	if (!c->opt.output || !strcmp(c->opt.output, "-"))
		c->out_fd = STDOUT_FILENO;
	else
		rc = open_output_file(c, err);
	if (!rc)
		rc = cdc_writer_init(&c->out, c->io, c->out_fd, err);
	if (!rc)
		c->out_open = true;
	return rc;
}

uint32_t cmd_columns(const struct cmd *c)
{
	const char *given = getenv("COLUMNS");
	struct winsize size;
	int64_t n;

	if (given && cdc_int64_parse(cdc_str_z(given), &n) == CDC_PARSE_OK && n > 0 && n < 100000)
		return (uint32_t)n;
	if ((c->opt.output && strcmp(c->opt.output, "-") != 0) || !isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

static void output_close(struct cmd *c)
{
	if (c->out_open)
		cdc_writer_free(&c->out);
	c->out_open = false;
	if (c->out_fd > STDERR_FILENO)
		c->io->close(c->io->ctx, c->out_fd);
	c->out_fd = -1;
	if (c->out_temp)
		c->io->unlink(c->io->ctx, c->out_temp);
	free(c->out_temp);
	c->out_temp = NULL;
}

int cmd_output_done(struct cmd *c, struct cdc_err *err)
{
	int rc = cdc_writer_flush(&c->out, err);

	cmd_stat_int(c, "bytes_out", cdc_writer_offset(&c->out));
	if (!rc && c->out_temp) {
		if (c->io->fsync(c->io->ctx, c->out_fd) ||
		    c->io->rename(c->io->ctx, c->out_temp, c->opt.output)) {
			rc = cdc_fail_errno(err, errno, "cannot write %s", c->opt.output);
		} else {
			free(c->out_temp);
			c->out_temp = NULL;
		}
	}
	output_close(c);
	return rc;
}

/* ------------------------------------------------------------------ rejects */

static int rejects_open(struct cmd *c, struct cdc_err *err)
{
	int rc;

	if (!strcmp(c->opt.reject, "-"))
		c->rejects_fd = STDERR_FILENO;
	else
		c->rejects_fd = c->io->open(c->io->ctx, c->opt.reject,
					    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (c->rejects_fd < 0)
		return cdc_fail_errno(err, errno, "cannot create %s", c->opt.reject);
	rc = cdc_writer_init(&c->rejects, c->io, c->rejects_fd, err);
	c->rejects_open = !rc;
	return rc;
}

static int put_base64(struct cdc_buf *b, const char *member, struct cdc_str bytes,
		      struct cdc_err *err)
{
	int rc = cdc_buf_printf(b, err, ",\"%s\":\"", member);

	if (!rc)
		rc = cdc_buf_reserve(b, bytes.n / 3 * 4 + 8, err);
	if (!rc) {
		b->len += cdc_base64_encode(bytes.p, bytes.n, b->p + b->len);
		rc = cdc_buf_putc(b, '"', err);
	}
	return rc;
}

static int put_reject(struct cmd *c, const struct cmd_rejected *r, struct cdc_err *err)
{
	struct cdc_buf b = CDC_BUF_INIT;
	int rc = cdc_buf_puts(&b, "{\"reason\":", err);

	if (!rc)
		rc = cdc_json_put_string(&b, cdc_str_z(r->reason), err);
	if (!rc)
		rc = cdc_buf_puts(&b, ",\"file\":", err);
	if (!rc)
		rc = cdc_json_put_string(&b, cdc_str_z(r->file), err);
	if (!rc && r->line)
		rc = cdc_buf_printf(&b, err, ",\"line\":%llu", (unsigned long long)r->line);
	if (!rc && r->has_offset)
		rc = cdc_buf_printf(&b, err, ",\"offset\":%llu", (unsigned long long)r->offset);
	if (!rc && r->has_key)
		rc = put_base64(&b, "key", r->key, err);
	if (!rc)
		rc = put_base64(&b, "raw", r->raw, err);
	if (!rc)
		rc = cdc_buf_puts(&b, "}\n", err);
	if (!rc)
		rc = cdc_writer_put(&c->rejects, b.p, b.len, err);
	cdc_buf_free(&b);
	return rc;
}

/* What is wrong, as the error of the place where it is. */
static void place_error(struct cdc_err *err, const struct cmd_rejected *r, bool offset)
{
	cdc_err_file(err, r->file);
	if (r->line)
		cdc_err_line(err, r->line);
	if (offset && r->has_offset)
		cdc_err_offset(err, r->offset);
}

int cmd_reject(struct cmd *c, const struct cmd_rejected *r, struct cdc_err *err)
{
	int rc = CDC_OK;

	c->num_rejects++;
	if (!c->opt.reject) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		cdc_fail(err, CDC_EDATA, "%s", r->reason);
		place_error(err, r, true);
		return CDC_EDATA;
	}
	if (!c->rejects_open)
		rc = rejects_open(c, err);
	if (!rc)
		rc = put_reject(c, r, err);
	if (!rc && c->opt.max_rejects >= 0 && c->num_rejects > (uint64_t)c->opt.max_rejects) {
		*err = (struct cdc_err)CDC_ERR_INIT;
		rc = cdc_fail(err, CDC_EDATA, "more than %lld rejects, the last: %s",
			      (long long)c->opt.max_rejects, r->reason);
		place_error(err, r, false);
	}
	if (!rc)
		cmd_status(c, CMD_REJECTS);
	return rc;
}

static void rejects_close(struct cmd *c)
{
	struct cdc_err err = CDC_ERR_INIT;

	/* Without a reject the file is empty, not that of an earlier run. */
	if (c->opt.reject && c->started && c->status != CMD_USAGE && !c->rejects_open &&
	    rejects_open(c, &err))
		cmd_error(c, &err);
	if (!c->rejects_open)
		return;
	if (cdc_writer_flush(&c->rejects, &err))
		cmd_error(c, &err);
	cdc_writer_free(&c->rejects);
	if (c->rejects_fd != STDERR_FILENO)
		c->io->close(c->io->ctx, c->rejects_fd);
	c->rejects_open = false;
}

/* ------------------------------------------------------------------ input */

int cmd_input_count(int n)
{
	return n ? n : 1;
}

int cmd_input_check(const struct cmd *c, int n, struct cdc_err *err)
{
	if (!n && isatty(STDIN_FILENO))
		return cdc_fail(err, CDC_EUSAGE,
				"no input: name a file, or pipe records in (see %s --help)",
				c->program->name);
	return CDC_OK;
}

int cmd_input_open(struct cmd *c, struct cdc_reader *r, int n, char **argv, int i,
		   struct cdc_err *err)
{
	int rc = cmd_input_check(c, n, err);

	return rc < 0 ? rc : cdc_reader_open(r, c->io, n ? argv[i] : "-", err);
}

void cmd_progress_start(struct cmd *c, uint64_t total_bytes)
{
	enum cdc_progress_when when = CDC_PROGRESS_AUTO;

	if (!strcmp(c->opt.progress, "always"))
		when = CDC_PROGRESS_ALWAYS;
	else if (!strcmp(c->opt.progress, "never") || c->opt.quiet)
		when = CDC_PROGRESS_NEVER;
	cdc_progress_init(&c->progress, c->io, c->program->name, when, total_bytes);
	c->has_progress = true;
}

/* ------------------------------------------------------------------ statistics, exit */

void cmd_stat_int(struct cmd *c, const char *name, uint64_t v)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (c->opt.stats)
		(void)!cdc_buf_printf(&c->stats, &err, ",\"%s\":%llu", name, (unsigned long long)v);
}

void cmd_stat_str(struct cmd *c, const char *name, const char *v)
{
	struct cdc_err err = CDC_ERR_INIT;

	if (!c->opt.stats)
		return;
	if (!cdc_buf_printf(&c->stats, &err, ",\"%s\":", name))
		(void)!cdc_json_put_string(&c->stats, cdc_str_z(v), &err);
}

static double seconds(const struct timeval *tv)
{
	return (double)tv->tv_sec + (double)tv->tv_usec / 1e6;
}

static void write_stats(struct cmd *c)
{
	struct cdc_err err = CDC_ERR_INIT;
	struct cdc_buf b = CDC_BUF_INIT;
	struct rusage ru;
	bool to_stderr = !strcmp(c->opt.stats, "-");
	int fd = to_stderr ? STDERR_FILENO
			   : c->io->open(c->io->ctx, c->opt.stats,
					 O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int rc;

	getrusage(RUSAGE_SELF, &ru);
	rc = cdc_buf_printf(
		&b, &err,
		"{\"program\":\"%s\",\"exit\":%d,\"rejects\":%llu,\"seconds\":%.3f,"
		"\"user_seconds\":%.3f,\"system_seconds\":%.3f,\"peak_memory_bytes\":%llu",
		c->program->name, c->status, (unsigned long long)c->num_rejects,
		(double)(monotonic_us() - c->start_us) / 1e6, seconds(&ru.ru_utime),
		seconds(&ru.ru_stime), (unsigned long long)ru.ru_maxrss * 1024);
	if (!rc)
		rc = cdc_buf_put(&b, cdc_buf_str(&c->stats), &err);
	if (!rc)
		rc = cdc_buf_puts(&b, "}\n", &err);
	if (!rc && fd < 0)
		rc = cdc_fail_errno(&err, errno, "cannot create %s", c->opt.stats);
	if (!rc)
		rc = cdc_io_write_full(c->io, fd, b.p, b.len, &err);
	if (rc)
		cmd_error(c, &err);
	if (fd >= 0 && !to_stderr)
		c->io->close(c->io->ctx, fd);
	cdc_buf_free(&b);
}

int cmd_exit(struct cmd *c)
{
	if (c->has_progress)
		cdc_progress_done(&c->progress);
	output_close(c);
	rejects_close(c);
	if (c->opt.stats && c->started)
		write_stats(c);
	cdc_buf_free(&c->stats);
	if (caught_signal && c->status != CMD_DONE) {
		signal(caught_signal, SIG_DFL);
		raise(caught_signal);
	}
	return c->status;
}
