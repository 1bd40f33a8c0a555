/* input.c decides what an input is, input_archive.c unpacks. */
#ifndef CDC_SOURCE_INPUT_INT_H
#define CDC_SOURCE_INPUT_INT_H

#include "source/input/input.h"

#include <errno.h>

#define CDC_INPUT_DEPTH_MAX 2 /* packages in one another */
#define CDC_INPUT_HEAD 512 /* bytes that tell what is packed */

/* Hand an open reader on, or unpack it first. depth: how many packages it came out of. */
int cdc_input_open(const struct cdc_inputs *in, struct cdc_reader *r, unsigned depth,
		   struct cdc_err *err) CDC_NODISCARD;
int cdc_input_unpack(const struct cdc_inputs *in, struct cdc_reader *r, unsigned depth,
		     struct cdc_err *err) CDC_NODISCARD;
/* gzip is read here, since libarchive does not check its sums. */
int cdc_input_gunzip(const struct cdc_inputs *in, struct cdc_reader *r, unsigned depth,
		     struct cdc_err *err) CDC_NODISCARD;
bool cdc_input_is_gzip(struct cdc_str head);
/* CDC_EDATA when so much must not come out of so little. */
int cdc_input_check_size(const struct cdc_inputs *in, uint64_t packed, uint64_t unpacked,
			 struct cdc_err *err) CDC_NODISCARD;
bool cdc_input_is_packed(struct cdc_str head);
bool cdc_input_is_tar(struct cdc_str head);
int cdc_input_too_deep(const struct cdc_reader *r, struct cdc_err *err);

/* Is the file one that is passed over? Says so. */
bool cdc_input_is_passed(const char *path, const struct cdc_inputs *in);

#endif
