/*
 * Where the files that the log names lie in the file system.
 */
#ifndef CDC_DELTA_PATH_H
#define CDC_DELTA_PATH_H

#include "base/buf.h"
#include "base/str.h"
#include "io/io.h"

/*
 * The file that `uri` (add.path, or the path of a deletion vector) names, appended to `out`: it is
 * percent-decoded once. A relative one must stay under `table`; CDC_ECORRUPT for a `..` component,
 * a NUL or an empty path. Absolute paths and file: URIs are taken as they are, another scheme is
 * CDC_EUNSUPPORTED.
 */
int cdc_path_local(const char *table, struct cdc_str uri, struct cdc_buf *out,
		   struct cdc_err *err) CDC_NODISCARD;

/*
 * Whether the file that `uri` names may be read. A log may come from anyone: CDC_EUNSUPPORTED for
 * an absolute path that does not lie under the table's root, unless `external`. The root is known
 * by device and inode, so that it does not matter how the table was named.
 */
int cdc_path_check(const struct cdc_io *io, const char *table, bool external, struct cdc_str uri,
		   struct cdc_err *err) CDC_NODISCARD;

/* Whether a decoded path has a component "..". */
bool cdc_path_escapes(struct cdc_str path);

#endif
