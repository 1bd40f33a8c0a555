/*
 * Spill files of the net change: frames (a record with its place in the order) appended to an
 * unlinked temporary file in runs, read back run by run, or merged by order from many runs.
 *
 * A run need not be one piece: runs that are written at the same time interleave in the file.
 */
#ifndef CDC_RECORD_NET_FILE_H
#define CDC_RECORD_NET_FILE_H

#include "io/stream.h"

/* In front of each record; key(before), key(after) and the line follow. Never leaves the process.
 */
struct net_frame {
	int64_t order;
	uint64_t seq; /* arrival: settles equal orders */
	uint64_t tag;
	uint32_t line_len;
	uint32_t after_off;
	uint32_t after_len;
	uint32_t table;
	uint32_t kb_len;
	uint32_t ka_len; /* NET_SAME_KEY: as key(before) */
	uint16_t shape;
	uint8_t type;
	uint8_t pad[5];
};

#define NET_SAME_KEY UINT32_MAX

static inline size_t net_frame_payload(const struct net_frame *f)
{
	return (size_t)f->kb_len + (f->ka_len == NET_SAME_KEY ? 0 : f->ka_len) + f->line_len;
}

struct net_extent {
	uint64_t off;
	uint64_t len;
	uint32_t next;
};

struct net_run {
	uint32_t head; /* extent, NET_RUN_END: empty */
	uint32_t tail;
	uint64_t bytes;
};

#define NET_RUN_END UINT32_MAX
#define NET_RUN_INIT                                                                               \
	{                                                                                          \
		NET_RUN_END, NET_RUN_END, 0                                                        \
	}

struct net_file {
	const struct cdc_io *io;
	int fd;
	bool open;
	struct cdc_writer w;
	struct net_extent *ext;
	uint32_t num_ext, cap_ext;
};

int net_file_open(struct net_file *f, const struct cdc_io *io, const char *tmpdir,
		  struct cdc_err *err) CDC_NODISCARD;
void net_file_close(struct net_file *f);
int net_file_append(struct net_file *f, struct net_run *run, const void *p, size_t n,
		    struct cdc_err *err) CDC_NODISCARD;
/* Before runs are read. */
int net_file_flush(struct net_file *f, struct cdc_err *err) CDC_NODISCARD;

/* Frames of several runs by (order, seq); on a tie, which only frames of one run have, as written.
 */
struct net_reader;

struct net_merge {
	struct net_reader *reader;
	uint32_t *heap;
	uint32_t num_run;
	uint32_t num_heap;
	bool started;
};

/* buffer_bytes is for each run; a larger frame makes its buffer grow. */
int net_merge_open(struct net_merge *m, struct net_file *f, const struct net_run *runs, uint32_t n,
		   size_t buffer_bytes, struct cdc_err *err) CDC_NODISCARD;
/* The slices live until the next call. CDC_END after the last. */
int net_merge_next(struct net_merge *m, struct net_frame *frame, const char **payload,
		   struct cdc_err *err) CDC_NODISCARD;
void net_merge_close(struct net_merge *m);

#endif
