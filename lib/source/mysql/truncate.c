/*
 * TRUNCATE TABLE reaches a binlog as a statement, not as rows. A statement that is nothing else can
 * be told from its text alone; whatever is not exactly that stays a DDL record.
 */
#include "source/mysql/truncate.h"

#include <strings.h>

struct sql {
	const char *p;
	const char *end;
};

/* White space and comments. A comment that MySQL executes, with a "!", is none. */
static void skip_space(struct sql *s)
{
	while (s->p < s->end) {
		size_t left = (size_t)(s->end - s->p);

		if (strchr(" \t\r\n", *s->p) && *s->p) {
			s->p++;
		} else if (*s->p == '#' || (left > 2 && memcmp(s->p, "-- ", 3) == 0)) {
			const char *lf = memchr(s->p, '\n', left);

			s->p = lf ? lf : s->end;
		} else if (left > 3 && memcmp(s->p, "/*", 2) == 0 && s->p[2] != '!') {
			const char *close = memmem(s->p + 2, left - 2, "*/", 2);

			if (!close)
				return;
			s->p = close + 2;
		} else {
			return;
		}
	}
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool take_keyword(struct sql *s, const char *word)
{
	size_t n = strlen(word);

	skip_space(s);
	if ((size_t)(s->end - s->p) < n || strncasecmp(s->p, word, n) != 0 ||
	    (s->p + n < s->end && is_word(s->p[n])))
		return false;
	s->p += n;
	return true;
}

/* A name, appended to `name` (which has room for all of the statement). */
static bool take_name(struct sql *s, struct cdc_buf *name)
{
	size_t before = name->len;

	skip_space(s);
	if (s->p < s->end && *s->p == '`') {
		for (s->p++; s->p < s->end; s->p++) {
			if (*s->p == '`' && (s->p + 1 == s->end || s->p[1] != '`'))
				break;
			s->p += *s->p == '`';
			name->p[name->len++] = *s->p;
		}
		if (s->p++ == s->end)
			return false;
	} else {
		while (s->p < s->end && is_word(*s->p))
			name->p[name->len++] = *s->p++;
	}
	return name->len > before;
}

static bool take_char(struct sql *s, char c)
{
	skip_space(s);
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

int cdc_truncated_table(struct cdc_str ddl, struct cdc_str db, struct cdc_buf *name, bool *yes,
			struct cdc_err *err)
{
	struct sql s = { ddl.p, ddl.p + ddl.n };
	size_t mark;
	int rc = cdc_buf_reserve(name, ddl.n + db.n + 2, err);

	*yes = false;
	if (rc < 0 || !take_keyword(&s, "truncate"))
		return rc;
	(void)take_keyword(&s, "table");
	name->len = 0;
	if (db.n)
		memcpy(name->p, db.p, db.n);
	name->len = db.n;
	name->p[name->len++] = '.';
	mark = name->len;
	if (!take_name(&s, name))
		return CDC_OK;
	if (take_char(&s, '.')) {
		/* It names the database itself: what was taken is that, and the table follows. */
		memmove(name->p, name->p + mark, name->len - mark);
		name->len -= mark;
		name->p[name->len++] = '.';
		if (!take_name(&s, name))
			return CDC_OK;
	} else if (db.n == 0) {
		return CDC_OK;
	}
	(void)take_char(&s, ';');
	skip_space(&s);
	*yes = s.p == s.end;
	name->p[name->len] = '\0';
	return CDC_OK;
}
