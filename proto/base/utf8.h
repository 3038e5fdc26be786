/* What counts as text: UTF-8 as RFC 3629 has it (no overlong form, no surrogate, nothing above
 * U+10FFFF), and no NUL. */
#ifndef DK_BASE_UTF8_H
#define DK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Whether `bytes` bytes at `data` are such text; the empty one is. */
bool dk_utf8_is_text(const void *data, size_t bytes);

#endif
