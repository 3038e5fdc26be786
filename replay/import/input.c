#include "replay/import/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

int dk_input_open(struct dk_input *input, const char *path, struct dk_err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat info;
    sigset_t ends;
    *input = (struct dk_input){.fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
    if (input->fd < 0) {
        return dk_err_errno(err, errno == ENOENT ? DK_ENOTFOUND : DK_EIO, errno, "cannot open %s",
                            path);
    }
    if (fstat(input->fd, &info) == 0 && S_ISREG(info.st_mode)) {
        input->bytes = (uint64_t)info.st_size;
    }
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &ends, &input->before);
    input->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    DK_ASSERT(input->signals >= 0);
    return 0;
}

void dk_input_close(struct dk_input *input)
{
    if (input->fd > STDIN_FILENO) {
        (void)close(input->fd);
    }
    (void)close(input->signals);
    (void)pthread_sigmask(SIG_SETMASK, &input->before, NULL);
}

bool dk_input_stopped(void *arg)
{
    struct dk_input *input = arg;
    struct signalfd_siginfo signal;
    if (!input->stopped && read(input->signals, &signal, sizeof signal) == sizeof signal) {
        input->stopped = true;
    }
    return input->stopped;
}

ssize_t dk_input_read(void *arg, void *data, size_t bytes)
{
    struct dk_input *input = arg;
    struct pollfd wait[] = {{.fd = input->fd, .events = POLLIN},
                            {.fd = input->signals, .events = POLLIN}};
    while (!dk_input_stopped(input)) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR) {
            return -1;
        }
        if (wait[0].revents != 0 && wait[1].revents == 0) {
            return read(input->fd, data, bytes);
        }
    }
    errno = EINTR;
    return -1;
}
