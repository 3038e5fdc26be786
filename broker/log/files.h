/* Files and folders that are there whole or not at all. */
#ifndef DK_LOG_FILES_H
#define DK_LOG_FILES_H

#include "proto/base/err.h"
#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

/* Writes "DIR/NAME" into `path`. 0 or DK_EINVAL when it is longer than PATH_MAX. */
int dk_path(char path[PATH_MAX], const char *dir, const char *name, struct dk_err *err);

/* Makes `dir` unless it exists, and gives it `mode` whatever the umask. 0, DK_EACCES, DK_EIO. */
int dk_dir_make(const char *dir, mode_t mode, struct dk_err *err);

/* After this the names in `dir` are on disk: what was created, renamed or removed. */
int dk_dir_sync(const char *dir, struct dk_err *err);

/* Writes the file beside its place, syncs it and renames it into its place (mode 0640): a reader
 * finds the old content or the new. The name is durable after dk_dir_sync. */
int dk_file_replace(const char *dir, const char *name, const void *data, size_t bytes,
                    struct dk_err *err);

/* Locks DIR/NAME (made if missing) against other processes until `*fd` is closed or the process
 * ends, however it ends. The file holds the process id. DK_EBUSY names the process that has it;
 * then and on other errors `*fd` is -1. */
int dk_dir_lock(const char *dir, const char *name, int *fd, struct dk_err *err);

/* errno of a failed call as an error: DK_ENOTFOUND, DK_EACCES, DK_EEXISTS, DK_ENOMEM, DK_ENOSPACE,
 * else DK_EIO. */
int dk_sys_code(int sys_errno);

#endif
