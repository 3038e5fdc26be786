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

bool dk_address_is_url(const void *address, size_t bytes)
{
    static const char *const schemes[] = {"http://", "https://"};
    const unsigned char *text = address;
    size_t host = 0;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t scheme = strlen(schemes[i]);
        if (bytes > scheme && memcmp(text, schemes[i], scheme) == 0) {
            host = scheme;
        }
    }
    if (host == 0 || bytes >= DK_ADDRESS_URL_BYTES || memchr("/:?#@", text[host], 5) != NULL) {
        return false;
    }
    for (size_t i = host; i < bytes; i++) {
        if (text[i] <= ' ' || text[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

bool dk_address_is_path_below(const void *address, size_t bytes)
{
    const char *path = address;
    size_t part = 0;
    if (bytes == 0 || bytes >= DK_ADDRESS_PATH_BYTES) {
        return false;
    }
    for (size_t i = 0; i <= bytes; i++) {
        if (i < bytes && path[i] != '/') {
            if ((unsigned char)path[i] < ' ') {
                return false;
            }
            continue;
        }
        size_t n = i - part;
        if (n == 0 || (n <= 2 && memcmp(path + part, "..", n) == 0)) {
            return false;
        }
        part = i + 1;
    }
    return true;
}
