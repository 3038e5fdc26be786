#include "proto/base/address.h"
#include <string.h>

bool dk_address_is_mailbox(const void *address, size_t bytes)
{
    const char *text = address;
    const char *at = bytes > 0 ? memchr(text, '@', bytes) : NULL;
    if (at == NULL || at == text || at == text + bytes - 1 ||
        memchr(at + 1, '@', bytes - (size_t)(at + 1 - text)) != NULL) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f ||
            strchr("<>,;:\"()[]\\", text[i]) != NULL) {
            return false;
        }
    }
    return text[0] != '-';
}
