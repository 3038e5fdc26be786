#include "broker/log/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int dk_sys_code(int sys_errno)
{
    switch (sys_errno) {
    case ENOENT:
    case ENOTDIR: return DK_ENOTFOUND;
    case EACCES:
    case EPERM:
    case EROFS: return DK_EACCES;
    case EEXIST: return DK_EEXISTS;
    case ENOMEM: return DK_ENOMEM;
    case ENOSPC:
    case EDQUOT: return DK_ENOSPACE;
    default: return DK_EIO;
    }
}

static int failed(const char *what, const char *path, struct dk_err *err)
{
    int sys_errno = errno;
    return dk_err_errno(err, dk_sys_code(sys_errno), sys_errno, "cannot %s %s", what, path);
}

int dk_path(char path[PATH_MAX], const char *dir, const char *name, struct dk_err *err)
{
    int length = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    if (length < 0 || length >= PATH_MAX)
        return dk_err_set(err, DK_EINVAL, "the path of %s is too long", name);
    return 0;
}

int dk_dir_make(const char *dir, mode_t mode, struct dk_err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return failed("make the folder", dir, err);
    if (chmod(dir, mode) != 0)
        return failed("set the mode of", dir, err);
    return 0;
}

int dk_dir_sync(const char *dir, struct dk_err *err)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return failed("open the folder", dir, err);
    int rc = fsync(fd) == 0 ? 0 : failed("sync the folder", dir, err);
    close(fd);
    return rc;
}

static int write_all(int fd, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    while (bytes > 0) {
        ssize_t written = write(fd, at, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        at += written;
        bytes -= (size_t)written;
    }
    return 0;
}

int dk_file_replace(const char *dir, const char *name, const void *data, size_t bytes,
                    struct dk_err *err)
{
    char path[PATH_MAX], beside[PATH_MAX];
    int rc = dk_path(path, dir, name, err);
    if (rc != 0)
        return rc;
    if (snprintf(beside, sizeof beside, "%s.tmp", path) >= (int)sizeof beside)
        return dk_err_set(err, DK_EINVAL, "the path of %s is too long", name);

    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return failed("create", beside, err);
    if (write_all(fd, data, bytes) != 0)
        rc = failed("write", beside, err);
    else if (fchmod(fd, 0640) != 0)
        rc = failed("set the mode of", beside, err);
    else if (fsync(fd) != 0)
        rc = failed("sync", beside, err);
    close(fd);
    if (rc == 0 && rename(beside, path) != 0)
        rc = failed("rename into place", beside, err);
    if (rc != 0)
        unlink(beside);
    return rc;
}

static int lock_is_taken(int fd, const char *dir, struct dk_err *err)
{
    char pid[24] = "";
    ssize_t bytes = pread(fd, pid, sizeof pid - 1, 0);
    pid[bytes > 0 ? bytes : 0] = 0;
    pid[strcspn(pid, "\n")] = 0;
    return dk_err_set(err, DK_EBUSY, "%s is open for writing in process %s", dir,
                      pid[0] == 0 ? "?" : pid);
}

int dk_dir_lock(const char *dir, const char *name, int *fd, struct dk_err *err)
{
    char path[PATH_MAX], pid[24];
    *fd = -1;
    int rc = dk_path(path, dir, name, err);
    if (rc != 0)
        return rc;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (*fd < 0)
        return failed("open", path, err);

    int length = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
        rc = errno == EWOULDBLOCK ? lock_is_taken(*fd, dir, err) : failed("lock", path, err);
    /* In this order a file that is there is written in place, which a full disk allows. */
    else if (pwrite(*fd, pid, (size_t)length, 0) != length || ftruncate(*fd, length) != 0)
        rc = failed("write", path, err);
    if (rc != 0) {
        close(*fd);
        *fd = -1;
    }
    return rc;
}
