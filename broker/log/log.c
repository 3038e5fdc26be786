#include "broker/log/log.h"

#include "broker/log/damage.h"
#include "broker/log/files.h"
#include "broker/log/lmdb.h"
#include "broker/log/log_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_MODE  02750
#define DATA_MODE 0640
#define LOCK_MODE 0660

/* A lock of its own file, since lock.mdb must not be opened a second time: closing it would drop
 * LMDB's locks. */
#define WRITER_LOCK "writer.lock"

/* ---------------------------------------------------------------- create */

/* When not, errno says why. */
static int has_data(const char *dir)
{
    char path[PATH_MAX];
    struct stat info;
    errno = ENAMETOOLONG;
    return dk_path(path, dir, "data.mdb", NULL) == 0 && stat(path, &info) == 0;
}

static int put_meta(MDB_txn *txn, MDB_dbi meta, const char *name, const void *value, size_t bytes)
{
    MDB_val key = {strlen(name), (void *)name};
    MDB_val data = {bytes, (void *)value};
    return mdb_put(txn, meta, &key, &data, MDB_NOOVERWRITE);
}

static int write_identity(MDB_env *env, unsigned site)
{
    uint8_t uuid[16], salt[DK_SALT_BYTES];
    uint32_t format = DK_LOG_FORMAT, site_number = site;
    if (getrandom(uuid, sizeof uuid, 0) != sizeof uuid ||
        getrandom(salt, sizeof salt, 0) != sizeof salt)
        return errno;
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); /* RFC 4122 4.4: version 4, random */
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);

    MDB_txn *txn;
    MDB_dbi events, meta;
    int rc = mdb_txn_begin(env, NULL, 0, &txn);
    if (rc != 0)
        return rc;
    if ((rc = mdb_dbi_open(txn, "events", MDB_CREATE | MDB_INTEGERKEY, &events)) != 0 ||
        (rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &meta)) != 0 ||
        (rc = put_meta(txn, meta, "format", &format, sizeof format)) != 0 ||
        (rc = put_meta(txn, meta, "uuid", uuid, sizeof uuid)) != 0 ||
        (rc = put_meta(txn, meta, "site", &site_number, sizeof site_number)) != 0 ||
        (rc = put_meta(txn, meta, "salt", salt, sizeof salt)) != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    return mdb_txn_commit(txn);
}

/* An empty log as DIR/data.mdb, without a lock file. */
static int write_empty(const char *dir, unsigned site, struct dk_err *err)
{
    MDB_env *env;
    int rc = mdb_env_create(&env);
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot create a log");
    if ((rc = mdb_env_set_maxdbs(env, 2)) != 0 ||
        (rc = mdb_env_open(env, dir, MDB_NOLOCK, DATA_MODE)) != 0 ||
        (rc = write_identity(env, site)) != 0)
        rc = dk_lmdb_err(err, rc, "cannot write an empty log in %s", dir);
    mdb_env_close(env);
    return rc;
}

static int move_into_place(const char *beside, const char *dir, struct dk_err *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    int rc;
    if ((rc = dk_path(from, beside, "data.mdb", err)) != 0 ||
        (rc = dk_path(to, dir, "data.mdb", err)) != 0)
        return rc;
    if (chmod(from, DATA_MODE) != 0 || rename(from, to) != 0)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot move %s to %s", from, to);
    if (rmdir(beside) != 0)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot remove %s", beside);
    return dk_dir_sync(dir, err);
}

/* The log is written in a folder of its own and moved up when it is whole, so that a process killed
 * here leaves either a log or none. */
static int create_locked(const char *dir, unsigned site, struct dk_err *err)
{
    char beside[PATH_MAX], leftover[PATH_MAX], parent[PATH_MAX];
    int rc;
    if ((rc = dk_path(beside, dir, "creating", err)) != 0 ||
        (rc = dk_path(leftover, beside, "data.mdb", err)) != 0 ||
        (rc = dk_path(parent, dir, "..", err)) != 0)
        return rc;
    if (has_data(dir))
        return dk_err_set(err, DK_EEXISTS, "there is a log at %s", dir);

    unlink(leftover);
    if ((rc = dk_dir_make(beside, 0700, err)) != 0 || (rc = write_empty(beside, site, err)) != 0 ||
        (rc = move_into_place(beside, dir, err)) != 0)
        return rc;
    return dk_dir_sync(parent, err);
}

int dk_log_create(const char *dir, unsigned site, struct dk_err *err)
{
    if (site > DK_SITE_MAX)
        return dk_err_set(err, DK_EINVAL, "site %u is above %d", site, DK_SITE_MAX);
    if (has_data(dir))
        return dk_err_set(err, DK_EEXISTS, "there is a log at %s", dir);

    int lock = -1;
    int rc = dk_dir_make(dir, DIR_MODE, err);
    if (rc == 0)
        rc = dk_dir_lock(dir, WRITER_LOCK, &lock, err);
    if (rc == 0) {
        rc = create_locked(dir, site, err);
        close(lock);
    }
    return rc == 0 ? 0 : dk_err_wrap(err, "cannot create a log at %s", dir);
}

/* ---------------------------------------------------------------- open */

static int get_meta(MDB_txn *txn, MDB_dbi meta, const char *name, void *value, size_t bytes,
                    struct dk_err *err)
{
    MDB_val key = {strlen(name), (void *)name};
    MDB_val data;
    int rc = mdb_get(txn, meta, &key, &data);
    if (rc == MDB_NOTFOUND || (rc == 0 && data.mv_size != bytes))
        return dk_err_set(err, DK_ECORRUPT, "its meta \"%s\" is missing or has another size", name);
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot read its meta \"%s\"", name);
    memcpy(value, data.mv_data, bytes);
    return 0;
}

static int read_identity(struct dk_log *log, MDB_txn *txn, struct dk_err *err)
{
    MDB_dbi meta;
    uint32_t format = 0, site = 0;
    int rc = mdb_dbi_open(txn, "meta", 0, &meta);
    if (rc == 0)
        rc = mdb_dbi_open(txn, "events", MDB_INTEGERKEY, &log->events);
    if (rc == MDB_NOTFOUND)
        return dk_err_set(err, DK_ECORRUPT, "it is an LMDB file, but not a log");
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot open its databases");

    if ((rc = get_meta(txn, meta, "format", &format, sizeof format, err)) != 0)
        return rc;
    if (format != DK_LOG_FORMAT)
        return dk_err_set(err, DK_EVERSION, "its format is %u, known here is %u", format,
                          DK_LOG_FORMAT);
    struct dk_log_identity *identity = &log->identity;
    if ((rc = get_meta(txn, meta, "uuid", identity->uuid, sizeof identity->uuid, err)) != 0 ||
        (rc = get_meta(txn, meta, "salt", identity->salt, sizeof identity->salt, err)) != 0 ||
        (rc = get_meta(txn, meta, "site", &site, sizeof site, err)) != 0)
        return rc;
    identity->site = site;
    return 0;
}

static int open_env(struct dk_log *log, struct dk_err *err)
{
    unsigned flags = MDB_NOTLS | (log->mode == DK_LOG_READ ? MDB_RDONLY : 0u);
    int rc = mdb_env_create(&log->env);
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot set up LMDB");
    dk_damage_watch(log->env, log->dir, DK_DAMAGE_LOG);
    if ((rc = mdb_env_set_maxdbs(log->env, 2)) != 0 ||
        (rc = mdb_env_set_mapsize(log->env, DK_LMDB_MAP_BYTES(DK_LOG_MAP_BYTES))) != 0 ||
        (rc = mdb_env_open(log->env, log->dir, flags, DATA_MODE)) != 0 ||
        (rc = mdb_reader_check(log->env, NULL)) != 0)
        return dk_lmdb_err(err, rc, "LMDB cannot open it");
    if (log->mode == DK_LOG_WRITE && (rc = dk_lmdb_check_free(log->env)) != 0)
        return dk_lmdb_err(err, rc, "cannot read its list of free pages");

    /* LMDB gave the lock file the data file's mode; readers of the group must write to it. Where
     * another user made it, it is as that user's writer left it. */
    char lock[PATH_MAX];
    if (log->mode == DK_LOG_WRITE && dk_path(lock, log->dir, "lock.mdb", err) == 0 &&
        chmod(lock, LOCK_MODE) != 0 && errno != EPERM)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot set the mode of %s", lock);
    return 0;
}

/* A writer that was killed between the end of its commit and telling so in lock.mdb has left that
 * one commit behind. While others have the log open only the next write transaction mends it:
 * until then a read would end before the last durable position. */
static int catch_up(struct dk_log *log, struct dk_err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(log->env, NULL, 0, &txn);
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot begin to write");
    mdb_txn_abort(txn);
    return 0;
}

static int open_databases(struct dk_log *log, struct dk_err *err)
{
    MDB_txn *txn;
    MDB_stat stat;
    mdb_env_stat(log->env, &stat);
    log->page_bytes = stat.ms_psize;

    int rc = mdb_txn_begin(log->env, NULL, MDB_RDONLY, &txn);
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot begin to read");
    rc = read_identity(log, txn, err);
    if (rc != 0) {
        mdb_txn_abort(txn);
        return rc;
    }
    rc = mdb_txn_commit(txn); /* keeps the handles; an abort would close them */
    return rc == 0 ? 0 : dk_lmdb_err(err, rc, "cannot read its databases");
}

static int open_all(struct dk_log *log, struct dk_err *err)
{
    if (!has_data(log->dir))
        return errno == ENOENT || errno == ENOTDIR
                   ? dk_err_set(err, DK_ENOTFOUND, "there is no log")
                   : dk_err_errno(err, errno == EACCES ? DK_EACCES : DK_EIO, errno,
                                  "whether there is a log cannot be seen");
    int rc;
    if (log->mode == DK_LOG_WRITE &&
        (rc = dk_dir_lock(log->dir, WRITER_LOCK, &log->writer_lock, err)) != 0)
        return rc;
    if ((rc = open_env(log, err)) != 0 ||
        (log->mode == DK_LOG_WRITE && (rc = catch_up(log, err)) != 0) ||
        (rc = open_databases(log, err)) != 0)
        return rc;

    uint64_t last;
    rc = dk_log_read_last(log, &last, err);
    log->staged_last = last;
    atomic_store(&log->durable, last);
    return rc;
}

int dk_log_open(struct dk_log **out, const char *dir, enum dk_log_mode mode, struct dk_err *err)
{
    *out = NULL;
    struct dk_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory to open the log at %s", dir);
    log->mode = mode;
    log->writer_lock = -1;
    pthread_mutex_init(&log->last_lock, NULL);
    if (snprintf(log->dir, sizeof log->dir, "%s", dir) >= (int)sizeof log->dir) {
        dk_log_close(&log);
        return dk_err_set(err, DK_EINVAL, "the path of the log is too long");
    }
    int rc = open_all(log, err);
    if (rc != 0) {
        dk_log_close(&log);
        return dk_err_wrap(err, "cannot open the log at %s", dir);
    }
    *out = log;
    return 0;
}

void dk_log_close(struct dk_log **out)
{
    struct dk_log *log = *out;
    if (log == NULL)
        return;
    if (log->staged != NULL)
        mdb_txn_abort(log->staged);
    dk_log_reader_free(&log->store_reader);
    dk_log_reader_free(&log->last_reader);
    mdb_env_close(log->env);
    if (log->writer_lock >= 0)
        close(log->writer_lock);
    pthread_mutex_destroy(&log->last_lock);
    free(log);
    *out = NULL;
}

/* ---------------------------------------------------------------- what is known of it */

const struct dk_log_identity *dk_log_identity(const struct dk_log *log)
{
    return &log->identity;
}

const char *dk_log_dir(const struct dk_log *log)
{
    return log->dir;
}

bool dk_log_replaced(const struct dk_log *log)
{
    char path[PATH_MAX];
    struct stat open_file, named;
    int fd;
    if (mdb_env_get_fd(log->env, &fd) != 0 || fstat(fd, &open_file) != 0 ||
        dk_path(path, log->dir, "data.mdb", NULL) != 0)
        return false;
    if (stat(path, &named) != 0)
        return errno == ENOENT || errno == ENOTDIR;
    return open_file.st_dev != named.st_dev || open_file.st_ino != named.st_ino;
}

uint64_t dk_log_used_bytes(const struct dk_log *log)
{
    MDB_envinfo info;
    mdb_env_info(log->env, &info);
    return (uint64_t)(info.me_last_pgno + 1) * log->page_bytes;
}
