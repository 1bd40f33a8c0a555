/*
 * Inside the data file reader: what the column readers see of an open file.
 */
#ifndef CDC_TABLE_DATAFILE_INT_H
#define CDC_TABLE_DATAFILE_INT_H

#include "table/datafile/datafile.h"

struct cdc_datafile {
	const struct cdc_snapshot *snapshot;
	const struct cdc_add *add;
	struct cdc_buf path; /* in the file system, NUL-terminated */
	struct cdc_pq_file *pq;
	bool by_id; /* fields are matched by field id */
	int32_t *node; /* field -> top-level node of the file, -1: none */
};

#endif
