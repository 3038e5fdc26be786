#include "broker/log/projection.h"

#include "broker/log/damage.h"
#include "broker/log/files.h"
#include "broker/log/lmdb.h"
#include "proto/base/limits.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROJECTION_MAP_BYTES (UINT64_C(1) << 40)

static MDB_val meta_key(const char *name)
{
    return (MDB_val){strlen(name), (void *)name};
}

static int put_meta(struct dk_projection *projection, MDB_txn *txn, const char *name,
                    const void *value, size_t bytes)
{
    MDB_val key = meta_key(name);
    MDB_val data = {bytes, (void *)value};
    return mdb_put(txn, projection->meta, &key, &data, 0);
}

static int put_position(struct dk_projection *projection, MDB_txn *txn, uint64_t position)
{
    return put_meta(projection, txn, "position", &position, sizeof position);
}

static int get_position(struct dk_projection *projection, MDB_txn *txn, uint64_t *position)
{
    MDB_val key = meta_key("position"), data;
    int rc = mdb_get(txn, projection->meta, &key, &data);
    if (rc == 0 && data.mv_size != sizeof *position)
        return MDB_CORRUPTED;
    if (rc == 0)
        memcpy(position, data.mv_data, sizeof *position);
    return rc;
}

int dk_projection_begin(struct dk_projection *projection, MDB_txn **txn)
{
    pthread_rwlock_rdlock(&projection->use);
    int rc = EAGAIN;
    if (projection->env != NULL)
        rc = mdb_txn_begin(projection->env, NULL, MDB_RDONLY, txn);
    if (rc != 0)
        pthread_rwlock_unlock(&projection->use);
    return rc;
}

void dk_projection_end(struct dk_projection *projection, MDB_txn *txn)
{
    mdb_txn_abort(txn);
    pthread_rwlock_unlock(&projection->use);
}

int dk_projection_position(struct dk_projection *projection, uint64_t *position, struct dk_err *err)
{
    MDB_txn *txn;
    int rc = dk_projection_begin(projection, &txn);
    if (rc == 0) {
        rc = get_position(projection, txn, position);
        dk_projection_end(projection, txn);
    }
    return rc == 0 ? 0 : dk_lmdb_err(err, rc, "cannot read the position of %s", projection->dir);
}

static int go_to_stored(struct dk_projection *projection, struct dk_err *err)
{
    uint64_t position = 0;
    int rc = dk_projection_position(projection, &position, err);
    projection->position = position;
    projection->next = position + 1;
    return rc;
}

/* The databases, and in a new environment the meta values. Handles live on once committed. An LMDB
 * return code, or DK_EDIVERGED. */
static int open_databases(struct dk_projection *projection, MDB_txn *txn, unsigned create)
{
    int rc = mdb_dbi_open(txn, projection->name, projection->flags | create, &projection->data);
    if (rc == 0)
        rc = mdb_dbi_open(txn, "meta", create, &projection->meta);
    if (rc != 0)
        return rc;

    MDB_val key = meta_key("uuid"), data;
    rc = mdb_get(txn, projection->meta, &key, &data);
    if (rc == MDB_NOTFOUND && create != 0) {
        rc = put_meta(projection, txn, "uuid", projection->log_uuid, 16);
        return rc != 0 ? rc : put_position(projection, txn, 0);
    }
    if (rc == 0 && data.mv_size != 16)
        return MDB_CORRUPTED;
    if (rc == 0 && memcmp(data.mv_data, projection->log_uuid, 16) != 0)
        return DK_EDIVERGED;
    uint64_t position;
    return rc != 0 ? rc : get_position(projection, txn, &position);
}

static void close_env(struct dk_projection *projection)
{
    mdb_env_close(projection->env);
    projection->env = NULL;
}

static int open_env(struct dk_projection *projection, enum dk_log_mode mode)
{
    MDB_txn *txn;
    unsigned read_only = mode == DK_LOG_READ ? MDB_RDONLY : 0u;
    unsigned create = mode == DK_LOG_READ ? 0u : MDB_CREATE;
    int rc = mdb_env_create(&projection->env);
    if (rc != 0)
        return rc;
    dk_damage_watch(projection->env, projection->dir,
                    mode == DK_LOG_READ ? DK_DAMAGE_READ : DK_DAMAGE_DERIVED);
    if ((rc = mdb_env_set_maxdbs(projection->env, 2)) != 0 ||
        (rc = mdb_env_set_mapsize(projection->env, DK_LMDB_MAP_BYTES(PROJECTION_MAP_BYTES))) != 0 ||
        (rc = mdb_env_open(projection->env, projection->dir, MDB_NOTLS | read_only, 0640)) != 0 ||
        (rc = mdb_reader_check(projection->env, NULL)) != 0 ||
        (mode == DK_LOG_WRITE && (rc = dk_lmdb_check_free(projection->env)) != 0) ||
        (rc = mdb_txn_begin(projection->env, NULL, read_only, &txn)) != 0)
        return rc;
    rc = open_databases(projection, txn, create);
    if (rc == 0)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

/* EBADF is LMDB 0.9's answer to an empty file opened for reading: it tries to begin it. */
static bool is_damage(int rc)
{
    return rc == EBADF || rc == MDB_INVALID || rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND ||
           rc == MDB_VERSION_MISMATCH || rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE;
}

static void remove_files(const struct dk_projection *projection)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (dk_path(path, projection->dir, names[i], NULL) == 0)
            unlink(path);
    }
}

static int open_or_make_anew(struct dk_projection *projection, enum dk_log_mode mode,
                             struct dk_err *err)
{
    int rc = open_env(projection, mode);
    if (is_damage(rc) && mode == DK_LOG_WRITE) {
        close_env(projection);
        remove_files(projection);
        rc = open_env(projection, mode);
    }
    if (rc == 0)
        return 0;
    close_env(projection);
    if (rc == DK_EDIVERGED)
        return dk_err_set(err, rc, "%s belongs to another log", projection->dir);
    if (is_damage(rc))
        return dk_err_set(err, DK_ECORRUPT, "%s is damaged: %s", projection->dir, mdb_strerror(rc));
    return dk_lmdb_err(err, rc, "cannot open %s", projection->dir);
}

int dk_projection_open(struct dk_projection *projection, const char *dir, const char *name,
                       unsigned flags, struct dk_log *log, enum dk_log_mode mode,
                       struct dk_err *err)
{
    projection->env = NULL;
    projection->given_up = false;
    projection->name = name;
    projection->flags = flags;
    memcpy(projection->log_uuid, dk_log_identity(log)->uuid, sizeof projection->log_uuid);
    pthread_rwlock_init(&projection->use, NULL);
    dk_records_init(&projection->records);
    int rc = dk_path(projection->dir, dir, name, err);
    if (rc == 0 && mode == DK_LOG_WRITE)
        rc = dk_dir_make(projection->dir, 02750, err);
    if (rc == 0)
        rc = open_or_make_anew(projection, mode, err);
    if (rc != 0)
        return rc;

    /* Ahead of the log: it was written from a commit that a power cut then took back. */
    uint64_t last;
    rc = go_to_stored(projection, err);
    if (rc == 0)
        rc = dk_log_last(log, &last, err);
    if (rc == 0 && projection->position > last)
        rc = mode == DK_LOG_WRITE
                 ? dk_projection_clear(projection, err)
                 : dk_err_set(err, DK_ECORRUPT, "%s is ahead of its log", projection->dir);
    return rc;
}

void dk_projection_close(struct dk_projection *projection)
{
    close_env(projection);
    pthread_rwlock_destroy(&projection->use);
    dk_records_close(&projection->records);
}

/* See projection.h: after a failure the files must not be opened again. */
static int commit(struct dk_projection *projection, MDB_txn *txn)
{
    int rc = mdb_txn_commit(txn);
    if (rc != 0) {
        projection->given_up = true;
        remove_files(projection);
    }
    return rc;
}

/* In place of one that was given up. */
static int make_anew(struct dk_projection *projection, struct dk_err *err)
{
    pthread_rwlock_wrlock(&projection->use);
    close_env(projection);
    remove_files(projection);
    int rc = open_or_make_anew(projection, DK_LOG_WRITE, err);
    pthread_rwlock_unlock(&projection->use);
    projection->given_up = rc != 0;
    return rc == 0 ? go_to_stored(projection, err) : rc;
}

int dk_projection_clear(struct dk_projection *projection, struct dk_err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(projection->env, NULL, 0, &txn);
    if (rc == 0) {
        if ((rc = mdb_drop(txn, projection->data, 0)) == 0 &&
            (rc = put_position(projection, txn, 0)) == 0)
            rc = commit(projection, txn);
        else
            mdb_txn_abort(txn);
    }
    return rc == 0 ? go_to_stored(projection, err)
                   : dk_lmdb_err(err, rc, "cannot clear %s", projection->dir);
}

/* ---------------------------------------------------------------- advance */

static int failed(const struct dk_projection *projection, int rc, struct dk_err *err)
{
    return dk_lmdb_err(err, rc, "cannot write %s", projection->dir);
}

static int take_in(struct dk_projection *projection, MDB_txn *txn, struct dk_log_reader *reader,
                   uint64_t *left,
                   int (*take)(void *owner, MDB_txn *txn, uint64_t position, const uint8_t *record,
                               size_t bytes),
                   void *owner, struct dk_err *err)
{
    struct dk_records *records = &projection->records;
    int rc = dk_log_read(reader, projection->next, DK_READ_MAX_BYTES, records, err);
    for (size_t i = 0; rc == 0 && i<records->batch.count && * left> 0; i++) {
        size_t bytes;
        const uint8_t *record = dk_batch_record(&records->batch, i, &bytes);
        rc = take(owner, txn, projection->next, record, bytes);
        if (rc != 0)
            return failed(projection, rc, err);
        projection->next++;
        (*left)--;
    }
    return rc;
}

/* Nothing is written when no `take` made the content whole up to a new position. */
static int end(struct dk_projection *projection, MDB_txn *txn, uint64_t stored, struct dk_err *err)
{
    if (projection->position == stored) {
        mdb_txn_abort(txn);
        return 0;
    }
    int rc = put_position(projection, txn, projection->position);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return failed(projection, rc, err);
    }
    rc = commit(projection, txn);
    return rc == 0 ? 0
                   : dk_lmdb_err(err, rc, "cannot write %s, which is made anew", projection->dir);
}

int dk_projection_advance(struct dk_projection *projection, struct dk_log_reader *reader,
                          uint64_t max_records, bool *more,
                          int (*take)(void *owner, MDB_txn *txn, uint64_t position,
                                      const uint8_t *record, size_t bytes),
                          void *owner, struct dk_err *err)
{
    MDB_txn *txn;
    uint64_t left = max_records;
    *more = false;
    int rc = projection->given_up ? make_anew(projection, err) : 0;
    if (rc != 0)
        return rc;
    uint64_t stored = projection->position;
    rc = mdb_txn_begin(projection->env, NULL, 0, &txn);
    if (rc != 0)
        return failed(projection, rc, err);
    uint64_t before;
    do {
        before = left;
        rc = take_in(projection, txn, reader, &left, take, owner, err);
    } while (rc == 0 && left > 0 && left < before);
    *more = left == 0;

    if (rc == 0)
        rc = end(projection, txn, stored, err);
    else
        mdb_txn_abort(txn);
    if (rc != 0)
        go_to_stored(projection, NULL);
    return rc;
}
