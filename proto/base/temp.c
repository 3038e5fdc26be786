#include "proto/base/temp.h"
#include <stdio.h>
#include <string.h>

#define REPLACED 6 /* letters, as both functions ask for */

bool dk_temp_name(char *path, size_t bytes, const char *dir, const char *name)
{
    int used = snprintf(path, bytes, "%s/%s.", dir, name);
    if (used < 0 || (size_t)used + REPLACED >= bytes) {
        return false;
    }
    memset(path + used, 'X', REPLACED);
    path[used + REPLACED] = '\0';
    return true;
}
