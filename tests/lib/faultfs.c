/* libfaultfs.so: makes system calls on files fail, for tests that preload it.
 *
 *   LD_PRELOAD=.../libfaultfs.so DK_FAULT=CALL:N:ERRNO PROGRAM
 *   LD_PRELOAD=.../libfaultfs.so DK_FAULT_FILE=PATH PROGRAM
 *
 * CALL is pwrite, pwritev, write, writev, fdatasync, fsync, ftruncate, msync, rename or `any`;
 * ERRNO is EIO or ENOSPC; or KILL: the call is made, and then the process is killed; or SLOW: it
 * takes 0.1 s. With DK_FAULT the N-th call (from 1) fails, that one only. With DK_FAULT_FILE every
 * call fails while the file exists and holds CALL:ERRNO, so that a test turns a fault on and off
 * under a running program. DK_FAULT_ON=TEXT leaves alone files whose path does not hold TEXT. Calls
 * on what is no regular file (pipes, sockets, terminals) always pass. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static _Atomic unsigned long calls;
static _Thread_local bool last_call; /* the one that is under way */

static int errno_of(const char *name)
{
    if (strncmp(name, "KILL", 4) == 0)
        last_call = true;
    if (strncmp(name, "SLOW", 4) == 0)
        usleep(100000);
    if (strncmp(name, "EIO", 3) == 0)
        return EIO;
    return strncmp(name, "ENOSPC", 6) == 0 ? ENOSPC : 0;
}

/* Whether `spec` begins with this call's name, or with "any"; `*rest` is what follows the colon. */
static bool names_call(const char *spec, const char *call, const char **rest)
{
    size_t length = strcspn(spec, ":");
    if (spec[length] == 0)
        return false;
    *rest = spec + length + 1;
    return (length == strlen(call) && strncmp(spec, call, length) == 0) ||
           (length == 3 && strncmp(spec, "any", 3) == 0);
}

static bool is_meant_path(const char *path)
{
    const char *text = getenv("DK_FAULT_ON");
    return text == NULL || strstr(path, text) != NULL;
}

static bool is_meant(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    return is_meant_path(path);
}

static int fault_by_number(const char *call)
{
    const char *spec = getenv("DK_FAULT"), *rest;
    if (spec == NULL || !names_call(spec, call, &rest))
        return 0;
    char *end;
    unsigned long number = strtoul(rest, &end, 10);
    return atomic_fetch_add(&calls, 1) + 1 == number && *end == ':' ? errno_of(end + 1) : 0;
}

/* What stands in the file that a variable names; false when there is none. */
static bool read_told(const char *variable, char told[64])
{
    const char *path = getenv(variable);
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t length = read(fd, told, 63);
    close(fd);
    told[length > 0 ? length : 0] = 0;
    return length > 0;
}

static int fault_by_file(const char *call)
{
    char spec[64];
    const char *rest;
    return read_told("DK_FAULT_FILE", spec) && names_call(spec, call, &rest) ? errno_of(rest) : 0;
}

/* The error that this call, on a file that is meant or not, shall end with, or 0. */
static int fault_if(bool meant, const char *call)
{
    int kept = errno;
    int error = 0;
    if (meant) {
        error = fault_by_number(call);
        if (error == 0)
            error = fault_by_file(call);
    }
    errno = error == 0 ? kept : error;
    return error;
}

/* msync has no descriptor: fd is -1. */
static int fault(const char *call, int fd)
{
    int kept = errno;
    bool meant = fd < 0 || is_meant(fd);
    errno = kept;
    return fault_if(meant, call);
}

/* What a program would have called. */
#define NEXT(name) ((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

/* What a call that was made returns. */
static ssize_t made(ssize_t result)
{
    if (last_call)
        kill(getpid(), SIGKILL);
    return result;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
    return fault("write", fd) ? -1 : made(NEXT(write)(fd, data, bytes));
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return fault("writev", fd) ? -1 : made(NEXT(writev)(fd, parts, count));
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    return fault("pwrite", fd) ? -1 : made(NEXT(pwrite)(fd, data, bytes, offset));
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return fault("pwritev", fd) ? -1 : made(NEXT(pwritev)(fd, parts, count, offset));
}

int fdatasync(int fd)
{
    return fault("fdatasync", fd) ? -1 : (int)made(NEXT(fdatasync)(fd));
}

int fsync(int fd)
{
    return fault("fsync", fd) ? -1 : (int)made(NEXT(fsync)(fd));
}

int ftruncate(int fd, off_t length)
{
    return fault("ftruncate", fd) ? -1 : (int)made(NEXT(ftruncate)(fd, length));
}

int msync(void *begin, size_t bytes, int flags)
{
    return fault("msync", -1) ? -1 : (int)made(NEXT(msync)(begin, bytes, flags));
}

int rename(const char *from, const char *to)
{
    return fault_if(is_meant_path(to), "rename") ? -1 : (int)made(NEXT(rename)(from, to));
}

int fstatvfs(int fd, struct statvfs *info)
{
    char told[64];
    int rc = NEXT(fstatvfs)(fd, info);
    if (rc == 0 && read_told("DK_FAULT_FREE", told))
        info->f_bavail = strtoul(told, NULL, 10) / info->f_frsize;
    return rc;
}
