/* Where an export goes: a file that is there when it is whole, or stdout.
 *
 * A file is written beside its place, as NAME.XXXXXX, and renamed once all of it is on disk; what
 * ends before leaves the place as it was. Something that is there and is no regular file (a pipe, a
 * device) is written to as it is. The first error stays: what is written after it goes nowhere, and
 * every call gives it back. */
#ifndef DK_EXPORT_SINK_H
#define DK_EXPORT_SINK_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct dk_sink {
    const char *path; /* borrowed; "-": stdout */
    int fd;
    uint64_t bytes; /* written */
    int rc;         /* the first error, and */
    struct dk_err err;
    struct dk_buf buffer;
    char temporary[PATH_MAX]; /* "": nothing is to be renamed */
};

/* DK_ENOTFOUND (no such folder), DK_EACCES, DK_EIO. After an error there is nothing to close. */
int dk_sink_open(struct dk_sink *sink, const char *path, struct dk_err *err);
/* Takes what was not finished away. */
void dk_sink_close(struct dk_sink *sink);

int dk_sink_put(struct dk_sink *sink, const void *data, size_t bytes);
int dk_sink_word(struct dk_sink *sink, const char *word);

/* The path of the file being written, for what writes it by name; NULL when it is none. */
const char *dk_sink_file(const struct dk_sink *sink);

/* Everything written is durable and under its name. 0; DK_EIO says what is full or failed. */
int dk_sink_finish(struct dk_sink *sink, struct dk_err *err);

#endif
