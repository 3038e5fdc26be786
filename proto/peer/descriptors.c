#include "proto/peer/descriptors.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of the whole process: accept4 can be handed nothing. */
static _Atomic uint64_t refused;

void dk_descriptors_raise(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* open takes the lowest number that is free. */
void dk_descriptors_fill_standard(void)
{
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        if (fcntl(number, F_GETFD) == -1 && errno == EBADF) {
            (void)open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

uint64_t dk_descriptors_refused(void)
{
    return atomic_load(&refused);
}

/* The kernel gives the lowest number that is free: a high one says that few are left. */
static int is_one_of_the_last(int descriptor)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           (rlim_t)descriptor + DK_DESCRIPTORS_RESERVED >= limit.rlim_cur;
}

int accept4(int listener, struct sockaddr *restrict address, socklen_t *restrict bytes, int flags)
{
    int made = (int)syscall(SYS_accept4, listener, address, bytes, flags);
    if (made >= 0 && is_one_of_the_last(made)) {
        (void)close(made);
        atomic_fetch_add(&refused, 1);
        errno = ECONNABORTED;
        return -1;
    }
    if (made < 0 && errno == EMFILE) {
        errno = ENFILE; /* which libzmq does expect */
    }
    return made;
}
