#include "replay/export/sink.h"
#include "proto/base/temp.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)256 << 10)
#define MODE         0640 /* it holds what people wrote */

static int refuse(const char *path, struct dk_err *err)
{
    int code = errno == ENOENT ? DK_ENOTFOUND : errno == EACCES ? DK_EACCES : DK_EIO;
    return dk_err_errno(err, code, errno, "cannot write %s", path);
}

/* A new file beside `path`. */
static int make_temporary(struct dk_sink *sink, struct dk_err *err)
{
    char folder[PATH_MAX], name[PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s", sink->path) >= (int)sizeof folder) {
        return dk_err_set(err, DK_ETOOBIG, "the path of the export is too long");
    }
    memcpy(name, folder, sizeof name);
    if (!dk_temp_name(sink->temporary, sizeof sink->temporary, dirname(folder), basename(name))) {
        sink->temporary[0] = '\0';
        return dk_err_set(err, DK_ETOOBIG, "the path of the export is too long");
    }
    sink->fd = mkstemp(sink->temporary);
    if (sink->fd < 0) {
        sink->temporary[0] = '\0';
        return refuse(sink->path, err);
    }
    (void)fchmod(sink->fd, MODE);
    return 0;
}

int dk_sink_open(struct dk_sink *sink, const char *path, struct dk_err *err)
{
    struct stat info;
    int rc = 0;
    *sink = (struct dk_sink){.path = path, .fd = STDOUT_FILENO};
    if (strcmp(path, "-") != 0) {
        bool special = stat(path, &info) == 0 && !S_ISREG(info.st_mode);
        if (special) {
            sink->fd = open(path, O_WRONLY | O_CLOEXEC);
            rc = sink->fd < 0 ? refuse(path, err) : 0;
        } else {
            rc = make_temporary(sink, err);
        }
    }
    dk_buf_init(&sink->buffer, BUFFER_BYTES);
    if (rc == 0 && dk_buf_extend(&sink->buffer, BUFFER_BYTES) == NULL) {
        rc = dk_err_set(err, DK_ENOMEM, "no memory for an export");
        dk_sink_close(sink);
    }
    dk_buf_clear(&sink->buffer);
    return rc;
}

void dk_sink_close(struct dk_sink *sink)
{
    if (sink->fd > STDERR_FILENO) {
        (void)close(sink->fd);
    }
    if (sink->temporary[0] != '\0') {
        (void)unlink(sink->temporary);
    }
    dk_buf_close(&sink->buffer);
    *sink = (struct dk_sink){.fd = -1};
}

static int write_all(struct dk_sink *sink, const uint8_t *data, size_t bytes)
{
    while (sink->rc == 0 && bytes > 0) {
        ssize_t n = write(sink->fd, data, bytes);
        if (n < 0 && errno != EINTR) {
            sink->rc = dk_err_errno(&sink->err, DK_EIO, errno, "cannot write %s",
                                    strcmp(sink->path, "-") == 0 ? "to stdout" : sink->path);
        } else if (n > 0) {
            data += n;
            bytes -= (size_t)n;
            sink->bytes += (uint64_t)n;
        }
    }
    return sink->rc;
}

static int flush(struct dk_sink *sink)
{
    int rc = write_all(sink, sink->buffer.data, sink->buffer.size);
    dk_buf_clear(&sink->buffer);
    return rc;
}

int dk_sink_put(struct dk_sink *sink, const void *data, size_t bytes)
{
    if (dk_buf_append(&sink->buffer, data, bytes) == 0 || flush(sink) != 0) {
        return sink->rc;
    }
    return dk_buf_append(&sink->buffer, data, bytes) == 0 ? sink->rc : write_all(sink, data, bytes);
}

int dk_sink_word(struct dk_sink *sink, const char *word)
{
    return dk_sink_put(sink, word, strlen(word));
}

const char *dk_sink_file(const struct dk_sink *sink)
{
    return sink->temporary[0] != '\0' ? sink->temporary : NULL;
}

/* The new name is only there for good when its folder is on disk, too. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    int fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 ? fsync(fd) : -1;
    if (fd >= 0) {
        (void)close(fd);
    }
    return rc;
}

int dk_sink_finish(struct dk_sink *sink, struct dk_err *err)
{
    if (flush(sink) != 0) {
        *err = sink->err;
        return sink->rc;
    }
    if (sink->temporary[0] == '\0') {
        return 0;
    }
    struct stat info;
    if (fsync(sink->fd) != 0 || fstat(sink->fd, &info) != 0 ||
        rename(sink->temporary, sink->path) != 0 || sync_folder(sink->path) != 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot write %s", sink->path);
    }
    sink->bytes = (uint64_t)info.st_size;
    sink->temporary[0] = '\0';
    return 0;
}
