/* The form of addresses: where a notice can be sent to. */
#ifndef DK_BASE_ADDRESS_H
#define DK_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a mail can be sent to it: local@domain, without a name, comments or quotes, and nothing
 * that would end or add a line of the mail's head. */
bool dk_address_is_mailbox(const void *address, size_t bytes);

/* Whether it is http://HOST... or https://HOST..., without blanks and control characters. */
#define DK_ADDRESS_URL_BYTES 2048
bool dk_address_is_url(const void *address, size_t bytes);

/* Whether it is a path that stays below where it is taken from: relative, without empty, "." and
 * ".." parts and control characters, shorter than DK_ADDRESS_PATH_BYTES. */
#define DK_ADDRESS_PATH_BYTES 256
bool dk_address_is_path_below(const void *address, size_t bytes);

#endif
