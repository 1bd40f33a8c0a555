/*
 * What a run of cdc-decode read, for --describe: formats, tables, counts by type, time span,
 * positions, gaps, duplicates, what came out of order, and the keys that changed most.
 *
 * It is fed as the sink of a source: formats, messages and lines in the order in which they come;
 * the lines of a message come before the next message.
 */
#ifndef CDC_SOURCE_SUMMARY_H
#define CDC_SOURCE_SUMMARY_H

#include "source/source.h"

struct cdc_summary;

int cdc_summary_new(struct cdc_summary **s, struct cdc_err *err) CDC_NODISCARD;
/* framing NULL: the format's own. */
void cdc_summary_format(struct cdc_summary *s, const char *format, const char *framing);
int cdc_summary_message(struct cdc_summary *s, const struct cdc_message *m,
			struct cdc_err *err) CDC_NODISCARD;
int cdc_summary_lines(struct cdc_summary *s, struct cdc_str lines,
		      struct cdc_err *err) CDC_NODISCARD;
/* Append one JSON object and LF. */
int cdc_summary_print(struct cdc_summary *s, const struct cdc_source_counts *counts,
		      struct cdc_buf *out, struct cdc_err *err) CDC_NODISCARD;
void cdc_summary_free(struct cdc_summary *s);

#endif
