#include "broker/log/lmdb.h"

#include "broker/log/files.h"
#include <stdarg.h>
#include <stdio.h>

static int code_of(int rc)
{
    switch (rc) {
    case MDB_NOTFOUND: return DK_ENOTFOUND;
    case MDB_READERS_FULL: return DK_EBUSY;
    case MDB_VERSION_MISMATCH: return DK_EVERSION;
    case MDB_MAP_FULL: return DK_ENOSPACE;
    case MDB_INVALID:
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_INCOMPATIBLE: return DK_ECORRUPT;
    default: return rc > 0 ? dk_sys_code(rc) : DK_EIO;
    }
}

int dk_lmdb_err(struct dk_err *err, int rc, const char *format, ...)
{
    char message[DK_ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    if (rc > 0)
        return dk_err_errno(err, code_of(rc), rc, "%s", message);
    return dk_err_set(err, code_of(rc), "%s: %s", message, mdb_strerror(rc));
}
