#include "nodes/notification/address.h"
#include <string.h>

bool dk_address_is_mailbox(const char *address, size_t bytes)
{
    const char *at = bytes > 0 ? memchr(address, '@', bytes) : NULL;
    if (at == NULL || at == address || at == address + bytes - 1) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)address[i] <= ' ' || address[i] == 0x7f ||
            strchr("<>,;:\"()[]\\", address[i]) != NULL) {
            return false;
        }
    }
    return address[0] != '-';
}
