#include "replay/import/gunzip.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define BUFFER_BYTES 65536
#define GZIP_ONLY    16 /* zlib: added to the window's bits */
#define MAGIC_FIRST  0x1f
#define MAGIC_SECOND 0x8b

struct dk_gunzip {
    ssize_t (*read)(void *arg, void *data, size_t bytes);
    void *arg;
    bool begun, packed, ended;
    bool inside; /* a member has begun and not ended */
    bool damaged;
    uint64_t bytes;
    z_stream stream; /* next_in, avail_in: what is read and not used yet, packed or not */
    uint8_t buffer[BUFFER_BYTES];
};

int dk_gunzip_new(struct dk_gunzip **gunzip, ssize_t (*read)(void *arg, void *data, size_t bytes),
                  void *arg, struct dk_err *err)
{
    struct dk_gunzip *g = calloc(1, sizeof *g);
    if (g == NULL || inflateInit2(&g->stream, GZIP_ONLY + MAX_WBITS) != Z_OK) {
        free(g);
        return dk_err_set(err, DK_ENOMEM, "no memory to unpack");
    }
    g->read = read;
    g->arg = arg;
    *gunzip = g;
    return 0;
}

void dk_gunzip_free(struct dk_gunzip **gunzip)
{
    if (*gunzip != NULL) {
        (void)inflateEnd(&(*gunzip)->stream);
        free(*gunzip);
        *gunzip = NULL;
    }
}

/* Reads more behind what is not used yet. */
static int fill(struct dk_gunzip *g, struct dk_err *err)
{
    z_stream *stream = &g->stream;
    if (stream->avail_in > 0) {
        memmove(g->buffer, stream->next_in, stream->avail_in);
    }
    stream->next_in = g->buffer;
    ssize_t n = g->read(g->arg, g->buffer + stream->avail_in, BUFFER_BYTES - stream->avail_in);
    if (n < 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot read at byte %llu",
                            (unsigned long long)g->bytes);
    }
    g->ended = n == 0;
    g->bytes += (uint64_t)n;
    stream->avail_in += (unsigned)n;
    return 0;
}

static int begin(struct dk_gunzip *g, struct dk_err *err)
{
    int rc = 0;
    while (rc == 0 && !g->ended && g->stream.avail_in < 2) {
        rc = fill(g, err);
    }
    g->begun = true;
    g->packed =
        g->stream.avail_in >= 2 && g->buffer[0] == MAGIC_FIRST && g->buffer[1] == MAGIC_SECOND;
    g->inside = g->packed;
    return rc;
}

static ssize_t copy(struct dk_gunzip *g, void *data, size_t bytes)
{
    size_t n = g->stream.avail_in < bytes ? g->stream.avail_in : bytes;
    memcpy(data, g->stream.next_in, n);
    g->stream.next_in += n;
    g->stream.avail_in -= (unsigned)n;
    return (ssize_t)n;
}

/* 1 when there are bytes to be used, 0 at the end. */
static int have(struct dk_gunzip *g, struct dk_err *err)
{
    int rc = g->stream.avail_in == 0 && !g->ended ? fill(g, err) : 0;
    return rc != 0 ? rc : g->stream.avail_in > 0;
}

/* Unpacks until there is something, or nothing more comes: 1, 0 at the end. */
static int unpack_some(struct dk_gunzip *g, struct dk_err *err)
{
    unsigned room = g->stream.avail_out;
    while (!g->damaged && g->stream.avail_out == room) {
        int rc = have(g, err);
        if (rc < 0 || (rc == 0 && !g->inside)) {
            return rc;
        }
        if (rc == 0) {
            return dk_err_set(err, DK_EIO, "the file ends at byte %llu, within what gzip packed",
                              (unsigned long long)g->bytes);
        }
        if (!g->inside) { /* another member follows the one before */
            (void)inflateReset(&g->stream);
        }
        rc = inflate(&g->stream, Z_NO_FLUSH);
        g->damaged = rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR;
        g->inside = rc != Z_STREAM_END;
    }
    return 1;
}

/* What comes before damage is handed out, however the file came in. */
static ssize_t unpack(struct dk_gunzip *g, void *data, size_t bytes, struct dk_err *err)
{
    g->stream.next_out = data;
    g->stream.avail_out = (unsigned)bytes;
    int rc = unpack_some(g, err);
    if (rc <= 0) {
        return rc;
    }
    return g->stream.avail_out < bytes
               ? (ssize_t)(bytes - g->stream.avail_out)
               : dk_err_set(err, DK_EIO, "what gzip packed is damaged near byte %llu: %s",
                            (unsigned long long)(g->bytes - g->stream.avail_in),
                            g->stream.msg != NULL ? g->stream.msg : "no gzip");
}

ssize_t dk_gunzip_read(struct dk_gunzip *g, void *data, size_t bytes, struct dk_err *err)
{
    int rc = g->begun ? 0 : begin(g, err);
    if (rc != 0) {
        return rc;
    }
    if (g->packed) {
        return unpack(g, data, bytes, err);
    }
    rc = have(g, err);
    return rc <= 0 ? rc : copy(g, data, bytes);
}

uint64_t dk_gunzip_bytes(const struct dk_gunzip *g)
{
    return g->bytes - g->stream.avail_in;
}
