#include "broker/net/init.h"

#include "broker/log/files.h"
#include "broker/log/log.h"
#include "proto/peer/config.h"
#include "proto/peer/keys.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where parts are built, within the site's folder: from there they are renamed into place. */
#define DRAFT "creating"

#define FOLDERS_OPEN 8 /* at a time, while a tree is removed */

static int failed(const char *what, const char *path, struct dk_err *err)
{
    int sys_errno = errno;
    return dk_err_errno(err, dk_sys_code(sys_errno), sys_errno, "cannot %s %s", what, path);
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int remove_tree(const char *path, struct dk_err *err)
{
    if (exists(path) && nftw(path, remove_one, FOLDERS_OPEN, FTW_DEPTH | FTW_PHYS) != 0) {
        return failed("remove", path, err);
    }
    return 0;
}

static int lock_folder(const char *dir, int *fd, struct dk_err *err)
{
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0) {
        return failed("open the folder", dir, err);
    }
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? dk_err_set(err, DK_EBUSY, "another process makes a site in %s", dir)
                   : failed("lock", dir, err);
    }
    return 0;
}

/* docket.yaml under a name that nobody reads: from `dir` itself, as its paths count from there. */
static int write_config(const char *draft, const char *beside, unsigned site,
                        struct dk_config *config, struct dk_err *err)
{
    char written[PATH_MAX];
    int rc = dk_path(written, draft, "docket.yaml", err);
    rc = rc != 0 ? rc : dk_config_write(draft, site, err);
    if (rc == 0 && rename(written, beside) != 0) {
        rc = failed("move into place", written, err);
    }
    return rc != 0 ? rc : dk_config_load(config, beside, err);
}

/* Renames a folder of the draft into place, unless one stands there already. */
static int place(const char *from, const char *to, struct dk_err *err)
{
    if (exists(to)) {
        return remove_tree(from, err);
    }
    return rename(from, to) == 0 ? 0 : failed("move into place", from, err);
}

/* An earlier attempt, or a site that lost its docket.yaml, may have been of another number. */
static int check_log(const char *dir, unsigned site, struct dk_err *err)
{
    struct dk_log *log = NULL;
    int rc = dk_log_open(&log, dir, DK_LOG_READ, err);
    if (rc == 0 && dk_log_identity(log)->site != site) {
        rc = dk_err_set(err, DK_ECONFLICT, "the log in %s is of site %u: give --site %u", dir,
                        dk_log_identity(log)->site, dk_log_identity(log)->site);
    }
    dk_log_close(&log);
    return rc;
}

static int make_keys(const char *draft, const struct dk_config *config, struct dk_err *err)
{
    char keys[PATH_MAX];
    int rc = dk_path(keys, draft, "keys", err);
    rc = rc != 0 ? rc : dk_keys_init(keys, err);
    rc = rc != 0 ? rc : dk_dir_sync(keys, err);
    return rc != 0 ? rc : place(keys, config->keys, err);
}

static int make_log(const char *draft, const struct dk_config *config, unsigned site,
                    struct dk_err *err)
{
    char log[PATH_MAX];
    int rc = dk_path(log, draft, "log", err);
    rc = rc != 0 ? rc : dk_log_create(log, site, err);
    rc = rc != 0 ? rc : place(log, config->log, err);
    return rc != 0 ? rc : check_log(config->log, site, err);
}

static int init_locked(const char *dir, unsigned site, struct dk_err *err)
{
    char file[PATH_MAX], beside[PATH_MAX], draft[PATH_MAX], parent[PATH_MAX];
    struct dk_config config;
    int rc = dk_path(file, dir, "docket.yaml", err);
    rc = rc != 0 ? rc : dk_path(beside, dir, "docket.yaml.new", err);
    rc = rc != 0 ? rc : dk_path(draft, dir, DRAFT, err);
    rc = rc != 0 ? rc : dk_path(parent, dir, "..", err);
    if (rc == 0 && exists(file)) {
        return dk_err_set(err, DK_EEXISTS, "there is a site in %s already", dir);
    }
    rc = rc != 0 ? rc : remove_tree(draft, err);
    rc = rc != 0 ? rc : dk_dir_make(draft, 0700, err);
    rc = rc != 0 ? rc : write_config(draft, beside, site, &config, err);
    rc = rc != 0 ? rc : make_keys(draft, &config, err);
    rc = rc != 0 ? rc : make_log(draft, &config, site, err);
    rc = rc != 0 ? rc : remove_tree(draft, err);
    rc = rc != 0 ? rc : dk_dir_sync(dir, err);
    if (rc == 0 && rename(beside, file) != 0) {
        rc = failed("move into place", beside, err);
    }
    rc = rc != 0 ? rc : dk_dir_sync(dir, err);
    return rc != 0 ? rc : dk_dir_sync(parent, err);
}

int dk_init_site(const char *dir, unsigned site, struct dk_err *err)
{
    int lock = -1;
    if (mkdir(dir, 0750) != 0 && errno != EEXIST) {
        return failed("create", dir, err);
    }
    int rc = lock_folder(dir, &lock, err);
    rc = rc != 0 ? rc : init_locked(dir, site, err);
    if (lock >= 0) {
        (void)close(lock);
    }
    return rc;
}
