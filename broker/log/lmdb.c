#include "broker/log/lmdb.h"

#include "broker/log/files.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

#define FREE_PAGES 0 /* the database that lists them: MDB_IDL per transaction, count first */
#define FIRST_PAGE 2 /* two pages hold the meta data */

/* Descending numbers of pages within the file, after their count. */
static bool is_page_list(const MDB_val *value, size_t last_page)
{
    size_t count, page, above = last_page + 1;
    if (value->mv_size < sizeof count || value->mv_size % sizeof count != 0)
        return false;
    memcpy(&count, value->mv_data, sizeof count);
    if (count != value->mv_size / sizeof count - 1)
        return false;
    for (size_t i = 1; i <= count; i++, above = page) {
        memcpy(&page, (const char *)value->mv_data + i * sizeof page, sizeof page);
        if (page < FIRST_PAGE || page >= above)
            return false;
    }
    return true;
}

int dk_lmdb_check_free(MDB_env *env)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_envinfo info;
    int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_open(txn, FREE_PAGES, &cursor);
    if (rc == 0) {
        mdb_env_info(env, &info);
        while ((rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
            if (key.mv_size != sizeof(size_t) || !is_page_list(&value, info.me_last_pgno)) {
                rc = MDB_CORRUPTED;
                break;
            }
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}
