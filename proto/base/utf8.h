/* What counts as text: UTF-8 as RFC 3629 has it (no overlong form, no surrogate, nothing above
 * U+10FFFF), and no NUL. */
#ifndef DK_BASE_UTF8_H
#define DK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How many of the `bytes` bytes at `data` are such text, from the front on: whoever cuts a text to
 * its room gives what fits, and gets where the last whole character ends. */
size_t dk_utf8_prefix(const void *data, size_t bytes);

/* Whether all of them are; of none, they are. */
static inline bool dk_utf8_is_text(const void *data, size_t bytes)
{
    return dk_utf8_prefix(data, bytes) == bytes;
}

#endif
