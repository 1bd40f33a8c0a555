/*
 * The option parser, --help and --dump-options. See options.h.
 */
#include "cmd/options.h"

#include "base/error.h"
#include "base/str.h"
#include "base/value.h"
#include "cmd/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

CDC_PRINTF(2, 3)
static void usage_error(const struct opt_program *p, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	message_print(p->name, "", "error", text);
}

static bool counts(const struct opt_group *g, size_t i)
{
	return g->mask == ~0u || (i < 32 && (g->mask >> i & 1u));
}

static const struct opt *find(const struct opt_group *group, size_t groups, char short_name,
			      struct cdc_str name, void **target)
{
	for (size_t g = 0; g < groups; g++) {
		const struct opt *o = group[g].options;

		for (size_t i = 0; o[i].name; i++) {
			if (!counts(&group[g], i))
				continue;
			if (short_name ? o[i].short_name == short_name
				       : cdc_str_eqz(name, o[i].name)) {
				*target = (char *)group[g].target + o[i].offset;
				return &o[i];
			}
		}
	}
	return NULL;
}

static int bad_value(const struct opt_program *p, const struct opt *o, const char *v)
{
	usage_error(p, "--%s: \"%s\" is not a valid %s", o->name, v, o->arg);
	return -1;
}

static int list_add(struct opt_list *l, const char *v)
{
	const char **item = realloc(l->item, (l->n + 2) * sizeof(*item));

	if (!item)
		return -1;
	item[l->n++] = v;
	item[l->n] = NULL;
	l->item = item;
	return 0;
}

static int set_choice(const struct opt_program *p, const struct opt *o, void *target, const char *v)
{
	char all[512];
	size_t n = 0;

	for (size_t i = 0; o->choices[i]; i++)
		if (!strcmp(o->choices[i], v)) {
			*(const char **)target = v;
			return 0;
		}
	for (size_t i = 0; o->choices[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i ? ", " : "",
				      o->choices[i]);
	usage_error(p, "--%s: \"%s\" is not one of %s", o->name, v, all);
	return -1;
}

static int set(const struct opt_program *p, const struct opt *o, void *target, const char *v)
{
	struct cdc_str s = cdc_str_z(v);

	switch (o->kind) {
	case OPT_FLAG:
		*(bool *)target = true;
		return 0;
	case OPT_STRING:
		*(const char **)target = v;
		return 0;
	case OPT_CHOICE:
		return set_choice(p, o, target, v);
	case OPT_LIST:
		return list_add(target, v);
	case OPT_INT:
		return cdc_int64_parse(s, target) ? bad_value(p, o, v) : 0;
	case OPT_SIZE:
		return cdc_size_parse(s, target) ? bad_value(p, o, v) : 0;
	case OPT_DURATION:
		return cdc_duration_parse(s, target) ? bad_value(p, o, v) : 0;
	}
	return -1;
}

struct parse {
	const struct opt_program *program;
	const struct opt_group *group;
	size_t groups;
	int argc;
	char **argv;
	int i;
};

static int parse_long(struct parse *ps)
{
	const char *a = ps->argv[ps->i] + 2;
	const char *eq = strchr(a, '=');
	struct cdc_str name = eq ? cdc_str(a, (size_t)(eq - a)) : cdc_str_z(a);
	void *target = NULL;
	const struct opt *o = find(ps->group, ps->groups, 0, name, &target);
	const char *v = eq ? eq + 1 : NULL;

	if (!o) {
		usage_error(ps->program, "unknown option --%.*s (see %s --help)", (int)name.n,
			    name.p, ps->program->name);
		return -1;
	}
	if (o->kind == OPT_FLAG && v) {
		usage_error(ps->program, "option takes no value: --%s", o->name);
		return -1;
	}
	if (o->kind != OPT_FLAG && !v) {
		if (ps->i + 1 >= ps->argc) {
			usage_error(ps->program, "option needs a value: --%s %s", o->name, o->arg);
			return -1;
		}
		v = ps->argv[++ps->i];
	}
	return set(ps->program, o, target, v);
}

static int parse_short(struct parse *ps)
{
	for (const char *a = ps->argv[ps->i] + 1; *a; a++) {
		void *target = NULL;
		const struct opt *o =
			find(ps->group, ps->groups, *a, (struct cdc_str)CDC_STR_INIT, &target);
		const char *v = a + 1;

		if (!o) {
			usage_error(ps->program, "unknown option -%c (see %s --help)", *a,
				    ps->program->name);
			return -1;
		}
		if (o->kind == OPT_FLAG) {
			if (set(ps->program, o, target, NULL))
				return -1;
			continue;
		}
		if (!*v) {
			if (ps->i + 1 >= ps->argc) {
				usage_error(ps->program, "option needs a value: -%c %s", *a,
					    o->arg);
				return -1;
			}
			v = ps->argv[++ps->i];
		}
		return set(ps->program, o, target, v);
	}
	return 0;
}

int opt_parse(const struct opt_program *p, const struct opt_group *group, size_t groups, int argc,
	      char **argv)
{
	struct parse ps = { p, group, groups, argc, argv, 1 };
	int operands = 0;
	bool only_operands = false;

	for (; ps.i < argc; ps.i++) {
		const char *a = argv[ps.i];

		if (only_operands || a[0] != '-' || !a[1])
			argv[1 + operands++] = argv[ps.i];
		else if (!strcmp(a, "--"))
			only_operands = true;
		else if (a[1] == '-' ? parse_long(&ps) : parse_short(&ps))
			return -1;
	}
	return operands;
}

void opt_list_free(struct opt_list *l)
{
	free(l->item);
	*l = (struct opt_list){ NULL, 0 };
}

#define SCREEN_WIDTH 100
#define TEXT_COLUMN 30 /* of what is said of an option */

static void print_option(const struct opt *o)
{
	char left[64];
	const char *const *c = o->choices;
	int at;

	snprintf(left, sizeof(left), "%c%c%s --%s%s%s", o->short_name ? '-' : ' ',
		 o->short_name ? o->short_name : ' ', o->short_name ? "," : " ", o->name,
		 o->kind == OPT_FLAG ? "" : " ", o->kind == OPT_FLAG ? "" : o->arg);
	at = printf("  %-27s %s", left, o->help);
	for (; c && *c; c++) {
		int n = (int)strlen(*c) + 2;

		/* A list that is too long goes on under the text. */
		if (at + n >= SCREEN_WIDTH) {
			printf(",\n%*s%s", TEXT_COLUMN, "", *c);
			at = TEXT_COLUMN + n - 2;
			continue;
		}
		at += printf("%s%s", c == o->choices ? ": " : ", ", *c);
	}
	putchar('\n');
}

/* Options that are only in the manual and the completions. */
static bool is_rare(const struct opt *o)
{
	return o->help[0] == OPT_RARE[0];
}

void opt_print_help(const struct opt_program *p, const struct opt_group *group, size_t groups)
{
	printf("usage: %s %s\n%s\n\n", p->name, p->synopsis, p->summary);
	for (size_t g = 0; g < groups; g++)
		for (size_t i = 0; group[g].options[i].name; i++)
			if (counts(&group[g], i) && group[g].options[i].help &&
			    !is_rare(&group[g].options[i]))
				print_option(&group[g].options[i]);
	printf("\nExamples:\n");
	for (size_t i = 0; i < 2 && p->example[i]; i++)
		printf("  %s\n", p->example[i]);
	printf("\nExit status: 0 done, 1 rejects or differences, 2 usage, 3 bad input, 4 environment,\n"
	       "5 lost to another writer (retry), 6 table corrupt or unsupported. More: man %s\n",
	       p->name);
}

void opt_dump(const struct opt_program *p, const struct opt_group *group, size_t groups)
{
	printf("program\t%s\t%s\t%s\n", p->name, p->synopsis, p->summary);
	for (size_t g = 0; g < groups; g++) {
		for (size_t i = 0; group[g].options[i].name; i++) {
			const struct opt *o = &group[g].options[i];

			if (!counts(&group[g], i) || !o->help)
				continue;
			printf("%s\t%c\t%s\t%s\t", is_rare(o) ? "rare" : "option",
			       o->short_name ? o->short_name : '-', o->name,
			       o->kind == OPT_FLAG ? "-" : o->arg);
			if (!o->choices)
				putchar('-');
			for (const char *const *c = o->choices; c && *c; c++)
				printf("%s%s", c == o->choices ? "" : " ", *c);
			printf("\t%s\n", o->help + is_rare(o));
		}
	}
}

char **opt_split(const char *list, size_t *n)
{
	size_t len = strlen(list), count = 1;
	char **item, *copy, *p;

	for (const char *c = list; *c; c++)
		count += *c == ',';
	item = malloc((count + 1) * sizeof(*item) + len + 1);
	if (!item)
		return NULL;
	copy = (char *)(item + count + 1);
	memcpy(copy, list, len + 1);
	p = copy;
	for (size_t i = 0; i < count; i++) {
		char *end = strchr(p, ','), *next;

		if (!end)
			end = p + strlen(p);
		next = end + (*end != 0);
		while (*p == ' ')
			p++;
		while (end > p && end[-1] == ' ')
			end--;
		if (end == p) {
			free(item);
			return NULL;
		}
		*end = 0;
		item[i] = p;
		p = next;
	}
	item[count] = NULL;
	*n = count;
	return item;
}
