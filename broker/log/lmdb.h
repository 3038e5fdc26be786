/* What every use of LMDB here shares: its return codes as docket's errors. */
#ifndef DK_LOG_LMDB_H
#define DK_LOG_LMDB_H

#include "proto/base/err.h"
#include <lmdb.h>
#include <stdint.h>

/* Reserved address space. ThreadSanitizer leaves programs less than the log's 4 TiB. */
#if defined(__SANITIZE_THREAD__)
#define DK_LMDB_MAP_BYTES(usual) ((usual) / 64)
#else
#define DK_LMDB_MAP_BYTES(usual) (usual)
#endif

/* Fills `err` from the return code of an LMDB call (not 0) with the message, and returns the code:
 * DK_ENOTFOUND, DK_EACCES, DK_EBUSY (all reader slots taken), DK_EVERSION (another LMDB's file),
 * DK_ECORRUPT (damaged pages), DK_ENOMEM, DK_ENOSPACE, else DK_EIO. */
int dk_lmdb_err(struct dk_err *err, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads the list of free pages and looks that it is one: a writer takes pages from it, and where it
 * is damaged would take pages that are in use. 0, MDB_CORRUPTED, or what LMDB says. */
int dk_lmdb_check_free(MDB_env *env);

#endif
