/* The file that is imported, read so that Ctrl-C and SIGTERM end the import between two reads. */
#ifndef DK_IMPORT_INPUT_H
#define DK_IMPORT_INPUT_H

#include "proto/base/err.h"
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct dk_input {
    int fd;
    int signals; /* a signalfd */
    bool stopped;
    uint64_t bytes;  /* of the file, 0 = not known */
    sigset_t before; /* the thread's mask, put back at the end */
};

/* Opens PATH ("-" is stdin) and takes SIGINT and SIGTERM over: before other threads are made, which
 * inherit the mask. DK_ENOTFOUND, DK_EIO. */
int dk_input_open(struct dk_input *input, const char *path, struct dk_err *err);
void dk_input_close(struct dk_input *input);

/* Whether one of the signals has come. `arg` is the dk_input. */
bool dk_input_stopped(void *arg);

/* As read(2), for dk_csv_new: -1 with EINTR once a signal has come. */
ssize_t dk_input_read(void *arg, void *data, size_t bytes);

#endif
