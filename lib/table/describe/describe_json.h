/*
 * JSON of a description, token by token: commas are put where they belong, the first error sticks.
 *
 *	struct cdc_json_out j = { .buf = &text, .err = err };
 *	cdc_json_out_open(&j, '{');
 *	cdc_json_out_key(&j, "rows");
 *	cdc_json_out_int(&j, 3);
 *	cdc_json_out_close(&j, '}');
 *	return j.rc;
 */
#ifndef CDC_TABLE_DESCRIBE_JSON_H
#define CDC_TABLE_DESCRIBE_JSON_H

#include "base/json.h"
#include "io/stream.h"

struct cdc_json_out {
	struct cdc_buf *buf;
	struct cdc_writer *writer; /* takes what is in `buf` whenever that has grown; NULL: nothing
				    * does */
	struct cdc_err *err;
	int rc; /* of the first call that failed */
	bool comma; /* a value stands before what comes next */
};

void cdc_json_out_open(struct cdc_json_out *j, char bracket);
void cdc_json_out_close(struct cdc_json_out *j, char bracket);
void cdc_json_out_key(struct cdc_json_out *j, const char *name); /* plain ASCII */
/* p == NULL: null. A byte that is no UTF-8 becomes \xNN, a backslash and three characters. */
void cdc_json_out_str(struct cdc_json_out *j, struct cdc_str s);
void cdc_json_out_int(struct cdc_json_out *j, int64_t v);
void cdc_json_out_bool(struct cdc_json_out *j, bool v);
void cdc_json_out_null(struct cdc_json_out *j);
/* Text that is JSON already; white space between its tokens is dropped. */
void cdc_json_out_raw(struct cdc_json_out *j, struct cdc_str json);
/* Milliseconds since the epoch as "2019-11-14T03:11:05.120Z"; null when no such time exists. */
void cdc_json_out_time(struct cdc_json_out *j, int64_t ms);
/* What is left in `buf` to the writer. */
void cdc_json_out_flush(struct cdc_json_out *j);

/* Take the white space between the tokens of the JSON text at out->p + from out: what others wrote
 * may have line ends in it. */
void cdc_json_to_line(struct cdc_buf *out, size_t from);

/* s with every byte that is no UTF-8 as \xNN, appended to `out`. */
int cdc_put_valid_utf8(struct cdc_buf *out, struct cdc_str s, struct cdc_err *err) CDC_NODISCARD;

#endif
