/* A growing byte buffer that must name its maximum. */
#ifndef DK_BASE_BUF_H
#define DK_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct dk_buf {
    uint8_t *data;
    size_t size;     /* bytes used */
    size_t capacity; /* bytes allocated */
    size_t max;      /* never grows beyond */
};

/* Holds nothing yet; `max` > 0. */
void dk_buf_init(struct dk_buf *buf, size_t max);
void dk_buf_close(struct dk_buf *buf);
void dk_buf_clear(struct dk_buf *buf);

/* Makes room for `bytes` more and returns where they go, or NULL when `max` or memory is reached;
 * the size grows by `bytes`. The pointer is good until the next call. */
uint8_t *dk_buf_grow(struct dk_buf *buf, size_t bytes); /* the same, whatever room there is */
static inline uint8_t *dk_buf_extend(struct dk_buf *buf, size_t bytes)
{
    if (bytes >= buf->capacity - buf->size) {
        return dk_buf_grow(buf, bytes);
    }
    uint8_t *at = buf->data + buf->size;
    buf->size += bytes;
    return at;
}

/* 0, or DK_ETOOBIG with the buffer as it was. */
int dk_buf_append(struct dk_buf *buf, const void *data, size_t bytes);
int dk_buf_printf(struct dk_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the content with a NUL that does not count, and returns it; NULL when there is no room. */
const char *dk_buf_string(struct dk_buf *buf);

#endif
