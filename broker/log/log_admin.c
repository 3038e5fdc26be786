/* What an operator asks of a log: who reads it, and a copy of it. */
#include "broker/log/files.h"
#include "broker/log/lmdb.h"
#include "broker/log/log_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- readers */

struct reader_list {
    struct dk_log_reader_info *info;
    size_t room;
    size_t found;
    uint64_t last_txn;
};

/* One line of mdb_reader_list: "PID THREAD TXN", TXN being "-" outside a transaction. LMDB gives
 * the table in no other form. The heading does not begin with a number. */
static int on_line(const char *line, void *arg)
{
    struct reader_list *list = arg;
    unsigned pid;
    unsigned long long txn;
    int fields = sscanf(line, "%u %*x %llu", &pid, &txn);
    if (fields < 1)
        return 0;
    if (list->found < list->room) {
        struct dk_log_reader_info *info = &list->info[list->found];
        info->pid = pid;
        info->commits_behind = fields == 2 && txn < list->last_txn ? list->last_txn - txn : 0;
    }
    list->found++;
    return 0;
}

int dk_log_readers(struct dk_log *log, struct dk_log_reader_info *info, size_t *count,
                   struct dk_err *err)
{
    int rc = mdb_reader_check(log->env, NULL);
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot clear dead readers");
    MDB_envinfo env;
    mdb_env_info(log->env, &env);
    struct reader_list list = {info, *count, 0, env.me_last_txnid};
    mdb_reader_list(log->env, on_line, &list);
    *count = list.found;
    return 0;
}

/* ---------------------------------------------------------------- copy */

static int copy_to(struct dk_log *log, const char *path, struct dk_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot create %s", path);
    int rc = mdb_env_copyfd2(log->env, fd, 0);
    if (rc != 0)
        rc = dk_lmdb_err(err, rc, "cannot copy into %s", path);
    else if (fchmod(fd, 0640) != 0 || fsync(fd) != 0)
        rc = dk_err_errno(err, dk_sys_code(errno), errno, "cannot sync %s", path);
    close(fd);
    return rc;
}

int dk_log_copy(struct dk_log *log, const char *to_dir, struct dk_err *err)
{
    char path[PATH_MAX], beside[PATH_MAX];
    struct stat info;
    int rc;
    if ((rc = dk_dir_make(to_dir, 02750, err)) != 0 ||
        (rc = dk_path(path, to_dir, "data.mdb", err)) != 0 ||
        (rc = dk_path(beside, to_dir, "data.mdb.tmp", err)) != 0)
        return rc;
    if (stat(path, &info) == 0)
        return dk_err_set(err, DK_EEXISTS, "there is a log at %s", to_dir);

    rc = copy_to(log, beside, err);
    if (rc == 0 && rename(beside, path) != 0)
        rc = dk_err_errno(err, dk_sys_code(errno), errno, "cannot rename %s", beside);
    if (rc != 0) {
        unlink(beside);
        return rc;
    }
    return dk_dir_sync(to_dir, err);
}
