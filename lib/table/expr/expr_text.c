/*
 * Functions of text. Text is UTF-8 and is counted in characters; text that is not is in error where
 * characters count.
 */
#include "base/value.h"
#include "table/expr/expr_int.h"

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static int64_t characters(struct cdc_str s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += !continues(s.p[i]);
	return n;
}

bool cdc_fn_length(struct cdc_expr_row *r)
{
	struct cdc_str s = r->arg[0].s;

	r->out.i = characters(s);
	return s.n <= INT32_MAX && cdc_utf8_valid(s.p, s.n);
}

bool cdc_fn_octets(struct cdc_expr_row *r)
{
	r->out.i = (int64_t)r->arg[0].s.n;
	return r->arg[0].s.n <= INT32_MAX;
}

/* ------------------------------------------------------------------ case */

/* Past ASCII it is a matter of the Unicode version. */
static bool change_case(struct cdc_expr_row *r, char from, char to)
{
	struct cdc_str s = r->arg[0].s;
	char *out = cdc_arena_alloc(r->arena, s.n + 1);

	r->nomem = !out;
	for (size_t i = 0; out && i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
		out[i] = s.p[i] >= from && s.p[i] < from + 26 ? (char)(s.p[i] - from + to) : s.p[i];
	}
	r->out.s = cdc_str(out, s.n);
	return out != NULL;
}

bool cdc_fn_upper(struct cdc_expr_row *r)
{
	return change_case(r, 'a', 'A');
}

bool cdc_fn_lower(struct cdc_expr_row *r)
{
	return change_case(r, 'A', 'a');
}

/* ------------------------------------------------------------------ spaces */

/* Spaces alone, no other white space. */
static struct cdc_str trim(struct cdc_str s, bool left, bool right)
{
	while (left && s.n && *s.p == ' ')
		s = cdc_str(s.p + 1, s.n - 1);
	while (right && s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

bool cdc_fn_trim(struct cdc_expr_row *r)
{
	r->out.s = trim(r->arg[0].s, true, true);
	return true;
}

bool cdc_fn_ltrim(struct cdc_expr_row *r)
{
	r->out.s = trim(r->arg[0].s, true, false);
	return true;
}

bool cdc_fn_rtrim(struct cdc_expr_row *r)
{
	r->out.s = trim(r->arg[0].s, false, true);
	return true;
}

/* ------------------------------------------------------------------ parts */

/* Characters from..to of the text, counted from 0; `to` is outside. */
static struct cdc_str slice(struct cdc_str s, int64_t from, int64_t to)
{
	size_t start = s.n;
	int64_t c = 0;

	from = from < 0 ? 0 : from;
	for (size_t i = 0; i < s.n; i++) {
		if (continues(s.p[i]))
			continue;
		if (c == to)
			return cdc_str(s.p + start, i - start);
		start = c == from ? i : start;
		c++;
	}
	return cdc_str(s.p + start, s.n - start);
}

/* The first position is 1, which 0 stands for too; negative ones count from the end. */
static bool substring(struct cdc_expr_row *r, int64_t length)
{
	struct cdc_str s = r->arg[0].s;
	int64_t at = r->arg[1].i;
	int64_t from = at > 0 ? at - 1 : at < 0 ? characters(s) + at : 0;
	int64_t to = from + length;

	r->out.s = to > 0 && to > from ? slice(s, from, to) : cdc_str(s.p, 0);
	return cdc_utf8_valid(s.p, s.n);
}

bool cdc_fn_substring(struct cdc_expr_row *r)
{
	return substring(r, r->arg[2].i);
}

bool cdc_fn_substring_to_end(struct cdc_expr_row *r)
{
	return substring(r, INT64_C(1) << 40);
}

/* ------------------------------------------------------------------ together */

bool cdc_fn_concat(struct cdc_expr_row *r)
{
	struct cdc_str a = r->arg[0].s;
	struct cdc_str b = r->arg[1].s;
	char *out;

	if (a.n > INT32_MAX || b.n > INT32_MAX - a.n)
		return false;
	out = cdc_arena_alloc(r->arena, a.n + b.n + 1);
	r->nomem = !out;
	if (!out)
		return false;
	if (a.n)
		memcpy(out, a.p, a.n);
	if (b.n)
		memcpy(out + a.n, b.p, b.n);
	r->out.s = cdc_str(out, a.n + b.n);
	return true;
}

bool cdc_fn_like(struct cdc_expr_row *r)
{
	r->out.i = cdc_like_match(&r->node->like, r->arg[0].s);
	return true;
}
