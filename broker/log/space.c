#include "broker/log/space.h"

#include "broker/log/files.h"
#include "proto/base/say.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define ALIGNMENT 4096 /* of what is written directly */

struct dk_space {
    struct dk_log *log;
    struct dk_space_options options;
    int fd; /* of the data file: O_APPEND, O_DSYNC, and O_DIRECT where the file system has it */
    bool direct;
    uint8_t *zeros;
    bool cannot_grow;
    _Atomic bool accepting;
    _Atomic uint64_t free_bytes;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; /* under `lock` */
};

void dk_space_defaults(struct dk_space_options *options)
{
    *options = (struct dk_space_options){.ahead_bytes = UINT64_C(128) << 20,
                                         .step_bytes = UINT64_C(1) << 20,
                                         .reserve_bytes = UINT64_C(256) << 20,
                                         .interval_ms = 100};
}

bool dk_space_accepting(const struct dk_space *space)
{
    return atomic_load(&space->accepting);
}

uint64_t dk_space_free_bytes(const struct dk_space *space)
{
    return atomic_load(&space->free_bytes);
}

static bool is_stopped(struct dk_space *space)
{
    pthread_mutex_lock(&space->lock);
    bool stop = space->stop;
    pthread_mutex_unlock(&space->lock);
    return stop;
}

/* Whether the file still has a name: what is appended to one that was deleted ends with the
 * process. */
static bool is_named(const struct dk_space *space)
{
    struct stat info;
    return fstat(space->fd, &info) == 0 && info.st_nlink > 0;
}

/* Looks how much is free, and lets that turn `accepting`. A look that fails counts as a full disk,
 * and so does a file that was deleted. */
static uint64_t look(struct dk_space *space)
{
    struct statvfs info;
    uint64_t free_bytes = 0;
    bool named = is_named(space);
    if (named && fstatvfs(space->fd, &info) == 0)
        free_bytes = (uint64_t)info.f_bavail * info.f_frsize;
    atomic_store(&space->free_bytes, free_bytes);

    uint64_t reserve = space->options.reserve_bytes;
    bool accepting = atomic_load(&space->accepting);
    if (accepting && !named)
        dk_say(DK_ERROR, "log-deleted", "dir=%s effect=\"appends are refused\"",
               dk_log_dir(space->log));
    if (accepting && (!named || free_bytes < reserve))
        atomic_store(&space->accepting, false);
    if (!accepting && named && free_bytes >= reserve + reserve / 8)
        atomic_store(&space->accepting, true);
    return free_bytes;
}

/* Whether one more step is wanted and there is room for it. */
static bool wants_step(struct dk_space *space)
{
    struct stat info;
    uint64_t step = space->options.step_bytes;
    if (look(space) < space->options.reserve_bytes + step || fstat(space->fd, &info) != 0)
        return false;
    return (uint64_t)info.st_size < dk_log_used_bytes(space->log) + space->options.ahead_bytes;
}

/* The write is synchronous, so that the new size is on disk before a commit needs it, and direct:
 * a commit's sync would wait for zeros in the page cache too. A file system that takes no direct
 * writes gets plain ones. A disk that refuses is left to the next commit, which ends the process;
 * growing is not tried again. */
static bool grow_step(struct dk_space *space)
{
    ssize_t written = write(space->fd, space->zeros, space->options.step_bytes);
    if (written >= 0 || errno == EINTR)
        return true;
    if (errno == ENOSPC || errno == EDQUOT)
        return false; /* full: looks again later */
    if (errno == EINVAL && space->direct) {
        space->direct = false;
        return fcntl(space->fd, F_SETFL, O_APPEND | O_DSYNC) == 0;
    }
    space->cannot_grow = true;
    dk_say(DK_WARN, "log-not-grown", "dir=%s errno=%d", dk_log_dir(space->log), errno);
    return false;
}

static void grow(struct dk_space *space)
{
    while (!space->cannot_grow && !is_stopped(space) && wants_step(space) && grow_step(space))
        ;
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += ms / 1000 + ns / 1000000000;
    at.tv_nsec = ns % 1000000000;
    return at;
}

static void *run(void *arg)
{
    struct dk_space *space = arg;
    while (!is_stopped(space)) {
        look(space);
        grow(space);
        struct timespec until = after_ms(space->options.interval_ms);
        pthread_mutex_lock(&space->lock);
        int rc = 0;
        while (!space->stop && rc == 0)
            rc = pthread_cond_timedwait(&space->wake, &space->lock, &until);
        pthread_mutex_unlock(&space->lock);
    }
    return NULL;
}

static int prepare(struct dk_space *space, struct dk_err *err)
{
    char path[PATH_MAX];
    int rc = dk_path(path, dk_log_dir(space->log), "data.mdb", err);
    if (rc != 0)
        return rc;
    int flags = O_WRONLY | O_APPEND | O_DSYNC | O_CLOEXEC;
    space->fd = open(path, flags | O_DIRECT);
    space->direct = space->fd >= 0;
    if (space->fd < 0 && errno == EINVAL)
        space->fd = open(path, flags);
    if (space->fd < 0)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot open %s", path);
    void *zeros = NULL;
    if (posix_memalign(&zeros, ALIGNMENT, space->options.step_bytes) != 0)
        return dk_err_set(err, DK_ENOMEM, "no memory for zeros");
    space->zeros = memset(zeros, 0, space->options.step_bytes);
    look(space);
    return 0;
}

static void release(struct dk_space *space)
{
    if (space->fd >= 0)
        close(space->fd);
    pthread_cond_destroy(&space->wake);
    pthread_mutex_destroy(&space->lock);
    free(space->zeros);
    free(space);
}

int dk_space_start(struct dk_space **out, struct dk_log *log,
                   const struct dk_space_options *options, struct dk_err *err)
{
    *out = NULL;
    struct dk_space *space = calloc(1, sizeof *space);
    if (space == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory to watch the disk");
    space->log = log;
    space->options = *options;
    space->fd = -1;
    atomic_store(&space->accepting, true);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&space->lock, NULL);
    pthread_cond_init(&space->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);

    int rc = prepare(space, err);
    if (rc == 0) {
        int code = pthread_create(&space->thread, NULL, run, space);
        if (code != 0)
            rc = dk_err_errno(err, DK_EIO, code, "cannot start a thread to watch the disk");
    }
    if (rc != 0) {
        release(space);
        return rc;
    }
    *out = space;
    return 0;
}

void dk_space_stop(struct dk_space **out)
{
    struct dk_space *space = *out;
    if (space == NULL)
        return;
    pthread_mutex_lock(&space->lock);
    space->stop = true;
    pthread_cond_signal(&space->wake);
    pthread_mutex_unlock(&space->lock);
    pthread_join(space->thread, NULL);
    release(space);
    *out = NULL;
}
