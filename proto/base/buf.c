#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 256

void dk_buf_init(struct dk_buf *buf, size_t max)
{
    DK_ASSERT(max > 0);
    *buf = (struct dk_buf){.max = max};
}

void dk_buf_close(struct dk_buf *buf)
{
    free(buf->data);
    *buf = (struct dk_buf){.max = buf->max};
}

void dk_buf_clear(struct dk_buf *buf)
{
    buf->size = 0;
}

/* Makes room for `bytes` more without counting them as used. */
static int reserve(struct dk_buf *buf, size_t bytes)
{
    if (bytes > buf->max - buf->size) {
        return DK_ETOOBIG;
    }
    size_t need = buf->size + bytes;
    if (need <= buf->capacity) {
        return 0;
    }
    size_t capacity = buf->capacity < FIRST_BYTES ? FIRST_BYTES : buf->capacity;
    while (capacity < need) {
        capacity = capacity < buf->max / 2 ? capacity * 2 : buf->max;
    }
    capacity = capacity < buf->max ? capacity : buf->max;
    uint8_t *data = realloc(buf->data, capacity);
    if (data == NULL) {
        return DK_ETOOBIG;
    }
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

uint8_t *dk_buf_grow(struct dk_buf *buf, size_t bytes)
{
    if (reserve(buf, bytes > 0 ? bytes : 1) != 0 && reserve(buf, bytes) != 0) {
        return NULL;
    }
    uint8_t *at = buf->data + buf->size;
    buf->size += bytes;
    return at;
}

int dk_buf_append(struct dk_buf *buf, const void *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    uint8_t *at = dk_buf_extend(buf, bytes);
    if (at == NULL) {
        return DK_ETOOBIG;
    }
    memcpy(at, data, bytes);
    return 0;
}

int dk_buf_printf(struct dk_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    /* vsnprintf writes a NUL, which must fit too but does not count. */
    if (n < 0 || reserve(buf, (size_t)n + 1) != 0) {
        return DK_ETOOBIG;
    }
    va_start(args, format);
    (void)vsnprintf((char *)buf->data + buf->size, (size_t)n + 1, format, args);
    va_end(args);
    buf->size += (size_t)n;
    return 0;
}

const char *dk_buf_string(struct dk_buf *buf)
{
    if (reserve(buf, 1) != 0) {
        return NULL;
    }
    buf->data[buf->size] = '\0';
    return (const char *)buf->data;
}
