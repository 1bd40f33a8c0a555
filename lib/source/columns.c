/* Parses the column lists of the command line. */
#include "source/columns.h"

#include <stdlib.h>
#include <strings.h>

#define COLUMNS_MAX 65536u

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

static struct cdc_str trim(struct cdc_str s)
{
	while (s.n && is_space(s.p[0]))
		s = cdc_str(s.p + 1, s.n - 1);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

int cdc_names_split(struct cdc_names *names, const char *list, const char *what,
		    struct cdc_err *err)
{
	size_t n = 1;

	names->text = strdup(list);
	for (const char *p = list; *p; p++)
		n += *p == ',';
	names->name = calloc(n, sizeof(*names->name));
	names->n = 0;
	if (!names->text || !names->name)
		return cdc_fail_nomem(err);
	for (const char *p = names->text;;) {
		size_t len = strcspn(p, ",");
		struct cdc_str s = trim(cdc_str(p, len));

		if (s.n == 0)
			return cdc_fail(err, CDC_EUSAGE, "%s has an empty name", what);
		names->name[names->n++] = s;
		if (p[len] == '\0')
			return CDC_OK;
		p += len + 1;
	}
}

void cdc_names_free(struct cdc_names *names)
{
	free(names->text);
	free(names->name);
	memset(names, 0, sizeof(*names));
}

/* The length of the item at p: to the next comma outside quotes and parentheses. */
static size_t item_length(const char *p)
{
	unsigned depth = 0;
	char quote = '\0';
	size_t i;

	for (i = 0; p[i]; i++) {
		if (quote) {
			if (p[i] == quote)
				quote = '\0';
		} else if (p[i] == '`' || p[i] == '"' || p[i] == '\'') {
			quote = p[i];
		} else if (p[i] == '(') {
			depth++;
		} else if (p[i] == ')' && depth) {
			depth--;
		} else if (p[i] == ',' && depth == 0) {
			break;
		}
	}
	return i;
}

/* A name that may be quoted, a doubled quote standing for one. Cuts it off the item. */
static int take_name(struct cdc_str *item, struct cdc_arena *a, struct cdc_str *name,
		     struct cdc_err *err)
{
	char *p = cdc_arena_alloc(a, item->n + 1);
	char quote;
	size_t i = 0, n = 0;

	if (!p)
		return cdc_fail_nomem(err);
	quote = item->n && (item->p[0] == '`' || item->p[0] == '"') ? item->p[0] : '\0';
	if (!quote) {
		while (i < item->n && !is_space(item->p[i]))
			p[n++] = item->p[i++];
	} else {
		for (i = 1; i < item->n; i++) {
			if (item->p[i] == quote) {
				if (i + 1 == item->n || item->p[i + 1] != quote)
					break;
				i++;
			}
			p[n++] = item->p[i];
		}
		if (i++ >= item->n)
			return cdc_fail(err, CDC_EUSAGE, "--columns: a quote is not closed");
	}
	if (n == 0)
		return cdc_fail(err, CDC_EUSAGE, "--columns has an empty name");
	*name = cdc_str(p, n);
	*item = trim(cdc_str(item->p + i, item->n - i));
	return CDC_OK;
}

/* Cut `word` off the end of s, if it is there as a word. */
static bool take_last(struct cdc_str *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n || strncasecmp(s->p + s->n - n, word, n) != 0 ||
	    (s->n > n && !is_space(s->p[s->n - n - 1]) && s->p[s->n - n - 1] != ')'))
		return false;
	*s = trim(cdc_str(s->p, s->n - n));
	return true;
}

/* What may follow a type in DDL, and would become a part of its name here. */
static bool is_attribute(struct cdc_str word)
{
	static const char *const words[] = { "auto_increment", "check",	 "collate", "comment",
					     "default",	       "key",	 "not",	    "null",
					     "primary",	       "unique", "as",	    "references" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (cdc_str_ieq(word, cdc_str_z(words[i])))
			return true;
	}
	return false;
}

/* Where the group that begins at i ends, behind its parenthesis; 0: it does not. */
static size_t skip_group(struct cdc_str s, size_t i)
{
	size_t depth = 0;
	char quote = '\0';

	for (; i < s.n; i++) {
		if (quote) {
			if (s.p[i] == quote)
				quote = '\0';
		} else if (s.p[i] == '\'' || s.p[i] == '"') {
			quote = s.p[i];
		} else if (s.p[i] == '(') {
			depth++;
		} else if (s.p[i] == ')' && --depth == 0) {
			return i + 1;
		}
	}
	return 0;
}

/* Parentheses are paired, and no word outside them is an attribute. */
static int check_type(struct cdc_str type, struct cdc_err *err)
{
	for (size_t i = 0, end; i < type.n; i = end) {
		struct cdc_str word;

		for (end = i; end < type.n && !is_space(type.p[end]) && type.p[end] != '(' &&
			      type.p[end] != ')';
		     end++)
			;
		word = cdc_str(type.p + i, end - i);
		if (is_attribute(word))
			return cdc_fail(err, CDC_EUSAGE, "--columns: %.*s is not part of a type",
					(int)word.n, word.p);
		if (end < type.n && !is_space(type.p[end])) {
			end = type.p[end] == '(' ? skip_group(type, end) : 0;
			if (end == 0)
				return cdc_fail(err, CDC_EUSAGE,
						"--columns: a parenthesis is not paired in %.*s",
						(int)(type.n < 100 ? type.n : 100), type.p);
		} else {
			end++;
		}
	}
	return CDC_OK;
}

static int take_type(struct cdc_str item, struct cdc_arena *a, struct cdc_schema_column *col,
		     struct cdc_err *err)
{
	char *type, *source;
	int rc;

	if (take_last(&item, "NULL"))
		col->not_null = take_last(&item, "NOT");
	if (item.n == 0)
		return CDC_OK;
	rc = check_type(item, err);
	if (rc < 0)
		return rc;
	type = cdc_arena_alloc(a, item.n);
	source = cdc_arena_dup(a, item.p, item.n);
	if (!type || !source)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < item.n; i++) {
		if (is_space(source[i]))
			source[i] = ' ';
	}
	col->source_type = cdc_str(source, item.n);
	col->type = cdc_str(type, cdc_schema_type(col->source_type, type));
	return CDC_OK;
}

int cdc_columns_parse(const char *text, struct cdc_arena *a, struct cdc_schema_column **out,
		      size_t *n_out, struct cdc_err *err)
{
	struct cdc_schema_column *col;
	size_t n = 0;
	int rc = CDC_OK;

	/* An item behind the last comma counts, also when it is empty. */
	for (const char *p = text; *text; p++) {
		p += item_length(p);
		n++;
		if (!*p)
			break;
	}
	if (n == 0 || n > COLUMNS_MAX)
		return cdc_fail(err, CDC_EUSAGE, "--columns names no column, or too many");
	col = cdc_arena_calloc(a, n, sizeof(*col));
	if (!col)
		return cdc_fail_nomem(err);
	for (size_t i = 0; rc == CDC_OK && i < n; i++) {
		size_t len = item_length(text);
		struct cdc_str item = trim(cdc_str(text, len));

		rc = take_name(&item, a, &col[i].name, err);
		if (rc == CDC_OK)
			rc = take_type(item, a, &col[i], err);
		text += len + (text[len] == ',');
	}
	if (rc < 0)
		return rc;
	*out = col;
	*n_out = n;
	return cdc_columns_check(col, n, err);
}

/* By name without its case, then by place. */
static int compare_columns(const void *a, const void *b)
{
	const struct cdc_schema_column *x = *(const struct cdc_schema_column *const *)a;
	const struct cdc_schema_column *y = *(const struct cdc_schema_column *const *)b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;

	for (size_t i = 0; i < n; i++) {
		int c = lower(x->name.p[i]) - lower(y->name.p[i]);

		if (c)
			return c;
	}
	if (x->name.n != y->name.n)
		return x->name.n < y->name.n ? -1 : 1;
	return x < y ? -1 : x > y;
}

int cdc_columns_check(const struct cdc_schema_column *col, size_t n, struct cdc_err *err)
{
	const struct cdc_schema_column **sorted =
		malloc((n ? n : 1) * sizeof(const struct cdc_schema_column *));
	const struct cdc_schema_column *twice = NULL;

	if (!sorted)
		return cdc_fail_nomem(err);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &col[i];
	qsort(sorted, n, sizeof(const struct cdc_schema_column *), compare_columns);
	for (size_t i = 1; i < n; i++) {
		if (cdc_str_ieq(sorted[i - 1]->name, sorted[i]->name) &&
		    (!twice || sorted[i] < twice))
			twice = sorted[i];
	}
	free(sorted);
	return twice ? cdc_fail(err, CDC_EUSAGE, "two columns are called %.*s",
				(int)(twice->name.n < 100 ? twice->name.n : 100), twice->name.p)
		     : CDC_OK;
}
