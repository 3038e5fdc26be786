/* The form of a mail address. */
#ifndef DK_BASE_ADDRESS_H
#define DK_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a mail can be sent to it: local@domain, without a name, comments or quotes, and nothing
 * that would end or add a line of the mail's head. */
bool dk_address_is_mailbox(const void *address, size_t bytes);

#endif
