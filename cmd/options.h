/*
 * Command line options: one table per program, from which come the parser, --help and (through the
 * hidden --dump-options) the shell completions.
 *
 * Long options are spelled in full, as --name VALUE or --name=VALUE; short ones may be bundled and
 * take their value attached or as the next argument. Options and operands may be mixed; "--" ends
 * options.
 */
#ifndef CDC_CMD_OPTIONS_H
#define CDC_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
	OPT_FLAG, /* bool */
	OPT_STRING, /* const char * */
	OPT_CHOICE, /* const char *, one of choices */
	OPT_LIST, /* struct opt_list: may be repeated */
	OPT_INT, /* int64_t, decimal */
	OPT_SIZE, /* uint64_t bytes: 64K, 256MiB */
	OPT_DURATION /* uint64_t seconds: 90s, 5m, 7d */
};

struct opt_list {
	const char **item; /* NULL-terminated */
	size_t n;
};

#define OPT_RARE "~"

struct opt {
	char short_name; /* 0: none */
	const char *name;
	enum opt_kind kind;
	const char *arg; /* "FILE"; completions take FILE and DIR from it */
	const char *help; /* begins with OPT_RARE: --help leaves the option to the manual */
	size_t offset; /* of the target in the options struct */
	const char *const *choices;
};

#define OPT_TARGET(type, member) offsetof(struct type, member)

struct opt_program {
	const char *name;
	const char *synopsis; /* after the name: "[options] TABLE [FILE...]" */
	const char *summary; /* one sentence */
	const struct opt *options; /* ends with an entry whose name is NULL */
	const char *example[2];
	unsigned common; /* CMD_OPT_* bits of common.h */
};

/* One group of options and the struct that they fill. */
struct opt_group {
	const struct opt *options;
	void *target;
	unsigned mask; /* entry i counts if mask has bit i; all: ~0u */
};

/*
 * Parse argv. Operands are moved to the front of argv[1..]; their number is returned. -1: usage
 * error, already reported.
 */
int opt_parse(const struct opt_program *p, const struct opt_group *group, size_t groups, int argc,
	      char **argv);
void opt_list_free(struct opt_list *l);

/* --help to standard output; --dump-options: one option a line, tab-separated. */
void opt_print_help(const struct opt_program *p, const struct opt_group *group, size_t groups);
void opt_dump(const struct opt_program *p, const struct opt_group *group, size_t groups);

/* Split "a,b , c" at commas, spaces around names dropped, into a NULL-terminated array that the
 * caller frees with one free(). NULL on an empty name or when memory is gone. */
char **opt_split(const char *list, size_t *n);

#endif
