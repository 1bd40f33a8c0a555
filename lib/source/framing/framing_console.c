/*
 * Framing console: lines of kafka-console-consumer with its marks, "CreateTime:… Partition:…
 * Offset:… headers key value" with tabs between them, each but the value optional. Without any of
 * the marks such lines are framing lines.
 */
#include "source/source_int.h"

#include "base/value.h"

struct marks {
	bool any;
	bool has_time, has_partition, has_offset;
	int64_t time_ms;
	int64_t partition;
	int64_t offset;
};

static bool starts(struct cdc_str s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && memcmp(s.p, word, n) == 0;
}

/* "Offset:12": the number behind a word that the column begins with. */
static bool mark(struct cdc_str column, const char *word, int64_t *v)
{
	size_t n = strlen(word);

	return starts(column, word) &&
	       cdc_int64_parse(cdc_str(column.p + n, column.n - n), v) == CDC_PARSE_OK;
}

static bool take_mark(struct marks *k, struct cdc_str column)
{
	int64_t ignored;

	if (!k->has_time && (mark(column, "CreateTime:", &k->time_ms) ||
			     mark(column, "LogAppendTime:", &k->time_ms)))
		k->has_time = true;
	else if (!k->has_partition && mark(column, "Partition:", &k->partition))
		k->has_partition = true;
	else if (!k->has_offset && mark(column, "Offset:", &k->offset))
		k->has_offset = true;
	else if (!cdc_str_eqz(column, "NO_TIMESTAMP") && !starts(column, "NO_TIMESTAMP:") &&
		 !mark(column, "Delivery:", &ignored) && !mark(column, "Epoch:", &ignored) &&
		 !cdc_str_eqz(column, "Delivery:NOT_PRESENT") &&
		 !cdc_str_eqz(column, "Epoch:NOT_PRESENT"))
		return false;
	k->any = true;
	return true;
}

/* The marks at the line's start are taken off it. */
static struct marks take_marks(struct cdc_str *line)
{
	struct marks k = { .any = false };
	const char *tab;

	while ((tab = line->n ? memchr(line->p, '\t', line->n) : NULL) != NULL) {
		size_t n = (size_t)(tab - line->p);

		if (!take_mark(&k, cdc_str(line->p, n)))
			break;
		*line = cdc_str(tab + 1, line->n - n - 1);
	}
	return k;
}

/* The value is what is behind the last tab, the key the column before it; of what stands before
 * that, headers, the names and values cannot be told for sure. */
static void split(struct cdc_str rest, struct cdc_message *m)
{
	const char *tab = rest.n ? memrchr(rest.p, '\t', rest.n) : NULL;
	struct cdc_str before;

	m->has_key = false;
	m->value = rest;
	if (tab) {
		before = cdc_str(rest.p, (size_t)(tab - rest.p));
		m->value = cdc_str(tab + 1, rest.n - before.n - 1);
		tab = before.n ? memrchr(before.p, '\t', before.n) : NULL;
		m->key = tab ? cdc_str(tab + 1, before.n - (size_t)(tab - before.p) - 1) : before;
		m->has_key = !cdc_str_eqz(m->key, "null") && !cdc_str_eqz(m->key, "NO_HEADERS");
	}
	m->is_null = cdc_str_eqz(m->value, "null");
	if (m->is_null)
		m->value.n = 0;
}

static int one_line(struct cdc_source *s, struct cdc_str line, struct cdc_message *m,
		    struct cdc_err *err)
{
	struct cdc_str rest = line;
	struct marks k;

	if (cdc_source_blank(line))
		return CDC_OK;
	k = take_marks(&rest);
	split(rest, m);
	m->offset += (uint64_t)(line.n - rest.n);
	m->has_timestamp = k.has_time && k.time_ms >= 0;
	m->timestamp_ms = k.time_ms;
	m->topic = s->opt.topic ? cdc_str_z(s->opt.topic) : CDC_STR("");
	m->has_kafka = k.has_partition && k.has_offset && m->topic.n > 0;
	m->partition = (int32_t)k.partition;
	m->kafka_offset = k.offset;
	if (!k.any ||
	    (m->has_kafka && (k.partition < 0 || k.partition > INT32_MAX || k.offset < 0))) {
		cdc_fail(err, CDC_EDATA, "not a line of kafka-console-consumer");
		return cdc_source_reject(s, m->offset, m->line, line, err);
	}
	return cdc_source_message(s, m, err);
}

static int console_run(struct cdc_source *s, struct cdc_reader *r, struct cdc_err *err)
{
	struct cdc_message m = { .file = s->file };
	struct cdc_str line;
	int rc;

	for (;; m.index++) {
		m.offset = cdc_reader_offset(r);
		rc = cdc_reader_buffered(r) ? CDC_OK : cdc_source_flush(s, err);
		if (rc == CDC_OK)
			rc = cdc_reader_line(r, &line, NULL, err);
		m.line = r->line;
		if (rc == CDC_OK)
			rc = one_line(s, line, &m, err);
		else if (rc == CDC_EDATA)
			rc = cdc_framing_bad_line(s, r, &m, err);
		if (rc != CDC_OK)
			break;
	}
	return rc == CDC_END ? CDC_OK : rc;
}

static bool console_maybe(struct cdc_str head, bool eof)
{
	const char *end = head.n ? memchr(head.p, '\n', head.n) : NULL;

	(void)eof;
	if (end)
		head.n = (size_t)(end - head.p);
	return take_marks(&head).any;
}

const struct cdc_framing cdc_framing_console = {
	.name = "console",
	.run = console_run,
	.maybe = console_maybe,
};
