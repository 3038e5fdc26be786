#include "broker/net/held_clock.h"

#include "proto/base/limits.h"
#include "proto/base/time.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct dk_held_clock {
    const _Atomic int64_t *now_us;
};

static int map(struct dk_held_clock *clock, int file, const char *path, struct dk_err *err)
{
    struct stat st;
    if (fstat(file, &st) != 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot read the clock in %s", path);
    }
    if (st.st_size != sizeof(int64_t)) {
        return dk_err_set(err, DK_EINVAL, "%s is no clock: it must hold 8 bytes, microseconds",
                          path);
    }
    void *mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) {
        return dk_err_errno(err, DK_EIO, errno, "cannot map the clock in %s", path);
    }
    clock->now_us = mapped;
    int64_t now_us = atomic_load(clock->now_us);
    if (now_us <= 0 || now_us > DK_TIME_MAX_US) {
        return dk_err_set(err, DK_EINVAL, "the clock in %s stands at no instant of docket's", path);
    }
    return 0;
}

int dk_held_clock_open(struct dk_held_clock **clock, const char *path, struct dk_err *err)
{
    *clock = NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return dk_err_errno(err, errno == ENOENT ? DK_ENOTFOUND : DK_EIO, errno,
                            "cannot open the clock in %s", path);
    }
    struct dk_held_clock *made = calloc(1, sizeof *made);
    DK_ASSERT(made != NULL);
    int rc = map(made, file, path, err);
    (void)close(file);
    if (rc != 0) {
        dk_held_clock_close(&made);
    }
    *clock = made;
    return rc;
}

void dk_held_clock_close(struct dk_held_clock **clock)
{
    struct dk_held_clock *c = *clock;
    if (c != NULL && c->now_us != NULL) {
        (void)munmap((void *)(uintptr_t)c->now_us, sizeof(int64_t));
    }
    free(c);
    *clock = NULL;
}

struct dk_now dk_held_clock_now(const struct dk_held_clock *clock)
{
    if (clock == NULL) {
        return (struct dk_now){dk_clock_wall_us(), dk_clock_boot_us()};
    }
    int64_t now_us = atomic_load(clock->now_us);
    return (struct dk_now){now_us, now_us};
}
