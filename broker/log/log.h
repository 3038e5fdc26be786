/* The event log: one LMDB environment in one folder.
 *
 *   DIR/data.mdb, DIR/lock.mdb      LMDB's files (folder 2750, data 0640, lock 0660)
 *   DIR/writer.lock                 locked by the writer (flock), holds its process id
 *     events   first position -> block         MDB_APPEND only, MDB_INTEGERKEY
 *     meta     "format" "uuid" "site" "salt"
 *
 * A block (drawn in block.h) holds up to 256 records; a commit writes one or more. What
 * `dk_log_commit` returned for is on disk: default sync, no NOSYNC, NOMETASYNC, WRITEMAP. The last
 * position is found in the last block; nothing else is written in the commit path.
 *
 * One process opens a log for writing (a lock file says who); any number of processes may read.
 * Failure modes: a failed put, commit or sync is fatal to the writer (LMDB lets later commits
 * succeed after a failed fdatasync; on restart everything acknowledged is there). A full disk is
 * seen coming by space.h. A torn or flipped record is found by its crc and by verify.h. */
#ifndef DK_LOG_LOG_H
#define DK_LOG_LOG_H

#include "broker/log/batch.h"
#include "broker/log/store.h"
#include "proto/base/err.h"
#include "proto/base/id.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_LOG_FORMAT    1
#define DK_LOG_MAP_BYTES (UINT64_C(1) << 42) /* 4 TiB of address space, not of disk */

struct dk_log;
struct dk_log_reader;

struct dk_log_identity {
    uint8_t uuid[16];
    uint8_t salt[DK_SALT_BYTES]; /* of customers' ids, see proto/base/id.h */
    unsigned site;
};

/* Makes DIR (mode 2750) and an empty log in it with a fresh uuid and salt. DK_EEXISTS when there is
 * one. Durable on return. */
int dk_log_create(const char *dir, unsigned site, struct dk_err *err);

/* DK_LOG_WRITE takes the writer's lock (DK_EBUSY names the process that has it). DK_LOG_READ never
 * creates or changes anything but the reader table. DK_ENOTFOUND, DK_EVERSION (a format of another
 * docket), DK_EACCES, DK_ECORRUPT. */
enum dk_log_mode { DK_LOG_READ, DK_LOG_WRITE };
int dk_log_open(struct dk_log **log, const char *dir, enum dk_log_mode mode, struct dk_err *err);
void dk_log_close(struct dk_log **log);

const struct dk_log_identity *dk_log_identity(const struct dk_log *log);
const char *dk_log_dir(const struct dk_log *log);

/* The last durable position now (read anew: another process may be the writer). O(log n). */
int dk_log_last(struct dk_log *log, uint64_t *position, struct dk_err *err);

/* Whether the folder holds another data file than the one that is open, or none: a copy was put in
 * its place, and what is read from here on is of the past. */
bool dk_log_replaced(const struct dk_log *log);

/* Bytes of the data file in use (not of zeros written ahead). */
uint64_t dk_log_used_bytes(const struct dk_log *log);

/* Writer only, one thread: writes the batch as blocks in one transaction, durable on return 0. */
int dk_log_commit(struct dk_log *log, const struct dk_batch *batch, struct dk_err *err);

/* The same as a dk_store: append stages, sync commits; read uses a reader of its own. Writer only.
 * Lives as long as the log. */
struct dk_store *dk_log_store(struct dk_log *log);

/* A reader belongs to one thread. Its transaction is open only inside the calls below, which copy
 * out at most DK_READ_MAX_BYTES and reset it before they return: a stopped process cannot pin
 * pages for longer than one copy. DK_EBUSY when all 126 reader slots are taken. */
int dk_log_reader_new(struct dk_log_reader **reader, struct dk_log *log, struct dk_err *err);
void dk_log_reader_free(struct dk_log_reader **reader);

/* Copies the records from `from` (>= 1) on into `out`, up to `max_bytes` (at least one record when
 * there is one). Count 0 beyond the last; in the writer's process that is the last durable one, in
 * others a commit can be seen an instant before it is durable. Block structure is checked
 * (DK_ECORRUPT names the position; records before the damage are read first); each record's crc is
 * not: see dk_event_verify. */
int dk_log_read(struct dk_log_reader *reader, uint64_t from, size_t max_bytes,
                struct dk_records *out, struct dk_err *err);

/* The first position whose recorded time is >= `us`, or last + 1. Binary search over blocks. */
int dk_log_find_recorded(struct dk_log_reader *reader, int64_t us, uint64_t *position,
                         struct dk_err *err);

/* Who reads and what they pin; clears dead readers' slots first. `*count` in: room, out: found. */
struct dk_log_reader_info {
    uint32_t pid;
    uint64_t commits_behind;
};
int dk_log_readers(struct dk_log *log, struct dk_log_reader_info *info, size_t *count,
                   struct dk_err *err);

/* A consistent copy while others write, for backup; a long reader. */
int dk_log_copy(struct dk_log *log, const char *to_dir, struct dk_err *err);

#endif
