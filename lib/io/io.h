/*
 * The seam to the operating system. Nothing else in the library calls open, read, write, fsync,
 * link, rename or the clock. Tests replace the table to inject errors, short transfers and power
 * loss; an object store can stand in for a disk.
 *
 * Every function behaves as the system call of its name: it returns -1 and sets errno. Wrappers
 * below loop on short transfers and EINTR and fill a struct cdc_err.
 */
#ifndef CDC_IO_IO_H
#define CDC_IO_IO_H

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct cdc_io {
	void *ctx;
	int (*open)(void *ctx, const char *path, int flags, mode_t mode);
	int (*close)(void *ctx, int fd);
	ssize_t (*read)(void *ctx, int fd, void *buf, size_t n);
	ssize_t (*pread)(void *ctx, int fd, void *buf, size_t n, off_t offset);
	ssize_t (*write)(void *ctx, int fd, const void *buf, size_t n);
	int (*fsync)(void *ctx, int fd);
	int (*fstat)(void *ctx, int fd, struct stat *st);
	int (*lstat)(void *ctx, const char *path, struct stat *st);
	int (*stat)(void *ctx, const char *path, struct stat *st);
	int (*link)(void *ctx, const char *from, const char *to);
	int (*rename)(void *ctx, const char *from, const char *to);
	int (*rename_noreplace)(void *ctx, const char *from, const char *to);
	int (*unlink)(void *ctx, const char *path);
	int (*mkdir)(void *ctx, const char *path, mode_t mode);
	int (*rmdir)(void *ctx, const char *path);
	/* Calls each(arg, name) for every entry but "." and ".."; when it returns non-zero, stops
	 * and returns 0. */
	int (*list)(void *ctx, const char *path, int (*each)(void *arg, const char *name),
		    void *arg);
	int (*random)(void *ctx, void *buf, size_t n);
	int64_t (*now_us)(void *ctx); /* wall clock, microseconds since the epoch */
	bool (*interrupted)(void *ctx); /* the user asked to stop (SIGINT, SIGTERM) */
	int64_t (*mono_us)(void *ctx); /* a clock that only goes forward, for durations */
	void (*sleep_ms)(void *ctx, uint32_t ms); /* less when a signal comes */
};

/*
 * The real thing. now_us obeys SOURCE_DATE_EPOCH when the variable is set, and random is then a
 * generator seeded by it, so that the same input gives the same bytes. Another run then draws the
 * same names: who makes a file under a random name opens it with O_EXCL and, on EEXIST, draws
 * again. interrupted() tells whether cdc_io_interrupt() was called. Every descriptor is
 * close-on-exec.
 */
extern const struct cdc_io cdc_io_posix;
void cdc_io_interrupt(void); /* async-signal-safe */

/* Durable and looping versions. Paths go into err->msg; errno into err->sys_errno. */
int cdc_io_write_full(const struct cdc_io *io, int fd, const void *p, size_t n,
		      struct cdc_err *err) CDC_NODISCARD;
/* CDC_ECORRUPT when the file ends early. */
int cdc_io_pread_full(const struct cdc_io *io, int fd, void *p, size_t n, uint64_t offset,
		      const char *path, struct cdc_err *err) CDC_NODISCARD;
/*
 * Whole file into b (appended); CDC_EIO with sys_errno ENOENT when it is not there, CDC_EDATA when
 * it passes the buffer's cap. On failure b has its old length.
 */
int cdc_io_read_file(const struct cdc_io *io, const char *path, struct cdc_buf *b,
		     struct cdc_err *err) CDC_NODISCARD;
/* mkdir -p; each new directory's parent is fsynced. */
int cdc_io_mkdirs(const struct cdc_io *io, const char *path, struct cdc_err *err) CDC_NODISCARD;
int cdc_io_sync_dir(const struct cdc_io *io, const char *path, struct cdc_err *err) CDC_NODISCARD;

/* Random UUID (version 4), 36 characters and a NUL; its 16 bytes too if `bytes` is not NULL. */
int cdc_io_uuid(const struct cdc_io *io, char text[37], uint8_t bytes[16],
		struct cdc_err *err) CDC_NODISCARD;

/*
 * Commit `data` as a new file at dir/name, all or nothing and never over an existing one:
 * temporary name in dir, full write, fsync, link(2) to the final name, unlink, fsync of dir.
 * Where the file system has no hard links renameat2(RENAME_NOREPLACE) serves, else it refuses.
 * CDC_ECONFLICT when the name exists. A failed fsync is final: the temporary file is removed.
 * When link(2) reports an error the outcome is settled by looking (same inode: success).
 *
 * Failure means that the name was not made and nothing is left behind (but for the temporary file
 * where even unlink fails). When only the last step fails, the fsync of dir, others may have seen
 * the file and it cannot be taken back: the result is then CDC_OK, and err, with code CDC_OK, has a
 * message that says that a power loss may undo the commit.
 */
int cdc_io_commit_new(const struct cdc_io *io, const char *dir, const char *name,
		      struct cdc_str data, struct cdc_err *err) CDC_NODISCARD;

/*
 * The same, replacing an existing file by rename(2). Removes a stale Hadoop ".name.crc" first. On
 * failure the old file is there, whole.
 */
int cdc_io_commit_replace(const struct cdc_io *io, const char *dir, const char *name,
			  struct cdc_str data, struct cdc_err *err) CDC_NODISCARD;

/*
 * Wait after the race that was lost as number `tries`, counted from 0: longer each time, up to a
 * second, and by chance, so that those who lost together do not meet again. CDC_EINTR when
 * interrupted.
 */
int cdc_io_back_off(const struct cdc_io *io, unsigned tries, struct cdc_err *err) CDC_NODISCARD;

/*
 * An unlinked temporary file in `dir` (NULL: $TMPDIR or /tmp), open for reading and writing. It is
 * gone when closed, however the process ends.
 */
int cdc_io_open_temp(const struct cdc_io *io, const char *dir, int *fd,
		     struct cdc_err *err) CDC_NODISCARD;

/* Back to the start of a file that was written through the descriptor. */
int cdc_io_rewind(int fd, struct cdc_err *err) CDC_NODISCARD;

#endif
