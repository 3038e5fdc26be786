#include "bench/lib/process.h"
#include "proto/base/temp.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 120000

int dk_bench_folder(char *path, size_t bytes, const char *base, struct dk_err *err)
{
    if (!dk_temp_name(path, bytes, base, "dkb")) {
        return dk_err_set(err, DK_ETOOBIG, "the path %s is too long", base);
    }
    return mkdtemp(path) != NULL ? 0 : dk_err_errno(err, DK_EIO, errno, "cannot make %s", path);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

void dk_bench_remove(const char *path)
{
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

uint64_t dk_bench_free_bytes(const char *path)
{
    struct statvfs info;
    return statvfs(path, &info) == 0 ? (uint64_t)info.f_bavail * info.f_frsize : 0;
}

int dk_process_start(pid_t *pid, char *const argv[], const char *said, struct dk_err *err)
{
    pid_t parent = getpid();
    *pid = fork();
    if (*pid < 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot fork");
    }
    if (*pid > 0) {
        return 0;
    }
    int fd = open(said, O_WRONLY | O_CREAT | O_APPEND, 0644);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
        getppid() != parent) {
        _exit(127);
    }
    (void)execvp(argv[0], argv);
    (void)fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

void dk_process_end(pid_t pid, int signal)
{
    if (pid > 0) {
        (void)kill(pid, signal);
        (void)waitpid(pid, NULL, 0);
    }
}

void dk_process_memory(pid_t pid, struct dk_process_memory *memory)
{
    char path[64], line[256];
    unsigned long long kib;
    *memory = (struct dk_process_memory){0};
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmHWM: %llu", &kib) == 1) {
            memory->peak_bytes = (uint64_t)kib << 10;
        } else if (sscanf(line, "RssAnon: %llu", &kib) == 1) {
            memory->own_bytes = (uint64_t)kib << 10;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* ---------------------------------------------------------------- the broker */

static int find_broker(struct dk_site *site, struct dk_err *err)
{
    char own[PATH_MAX] = "";
    if (readlink("/proc/self/exe", own, sizeof own - 1) < 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot read /proc/self/exe");
    }
    *strrchr(own, '/') = '\0';
    if (snprintf(site->broker, sizeof site->broker, "%s/docket-broker", own) >=
        (int)sizeof site->broker) {
        return dk_err_set(err, DK_ETOOBIG, "the path %s is too long", own);
    }
    return access(site->broker, X_OK) == 0
               ? 0
               : dk_err_errno(err, DK_ENOTFOUND, errno, "no broker at %s", site->broker);
}

int dk_site_init(struct dk_site *site, const char *folder, struct dk_err *err)
{
    char said[PATH_MAX];
    int status = 0;
    *site = (struct dk_site){0};
    int rc = find_broker(site, err);
    if (rc != 0) {
        return rc;
    }
    if (snprintf(site->dir, sizeof site->dir, "%s/site", folder) >= (int)sizeof site->dir) {
        return dk_err_set(err, DK_ETOOBIG, "the path %s is too long", folder);
    }
    (void)snprintf(said, sizeof said, "%s/init.txt", folder);
    char *argv[] = {site->broker, "--init", site->dir, NULL};
    pid_t pid;
    rc = dk_process_start(&pid, argv, said, err);
    if (rc == 0 && (waitpid(pid, &status, 0) != pid || status != 0)) {
        rc = dk_err_set(err, DK_EIO, "docket-broker --init failed: see %s", said);
    }
    return rc;
}

/* sd_notify(3): a datagram with READY=1 to the socket that NOTIFY_SOCKET names. */
static int open_notify(const char *dir, struct dk_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", dir) >=
        (int)sizeof address.sun_path) {
        return dk_err_set(err, DK_ETOOBIG, "the path %s is too long for a socket", dir);
    }
    (void)unlink(address.sun_path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        setenv("NOTIFY_SOCKET", address.sun_path, 1) != 0) {
        (void)dk_err_errno(err, DK_EIO, errno, "cannot listen on %s", address.sun_path);
        return -1;
    }
    return fd;
}

static int await_ready(pid_t pid, int fd, const char *said, struct dk_err *err)
{
    char text[512];
    for (int waited_ms = 0; waited_ms < READY_MS; waited_ms += 100) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 100) > 0) {
            ssize_t bytes = recv(fd, text, sizeof text - 1, 0);
            text[bytes > 0 ? bytes : 0] = '\0';
            if (strstr(text, "READY=1") != NULL) {
                return 0;
            }
        }
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            return dk_err_set(err, DK_EIO, "the broker ended: see %s", said);
        }
    }
    return dk_err_set(err, DK_ETIMEOUT, "the broker is not ready: see %s", said);
}

int dk_site_start(struct dk_site *site, struct dk_err *err)
{
    char said[PATH_MAX];
    (void)snprintf(said, sizeof said, "%s/said.txt", site->dir);
    char *argv[] = {site->broker, "--config", site->dir, NULL};
    int fd = open_notify(site->dir, err);
    if (fd < 0) {
        return DK_EIO;
    }
    int rc = dk_process_start(&site->pid, argv, said, err);
    rc = rc != 0 ? rc : await_ready(site->pid, fd, said, err);
    (void)close(fd);
    (void)unsetenv("NOTIFY_SOCKET");
    return rc;
}

/* The program beside the broker whose name goes on with `rest`: "docket", "docket-node". */
static void program_of(const struct dk_site *site, const char *rest, char *path, size_t bytes)
{
    (void)snprintf(path, bytes, "%.*s%s", (int)(strrchr(site->broker, '-') - site->broker),
                   site->broker, rest);
}

int dk_site_apply(const struct dk_site *site, const char *yaml, struct dk_err *err)
{
    char program[PATH_MAX], path[PATH_MAX], said[PATH_MAX];
    int status = 0;
    pid_t pid;
    (void)snprintf(path, sizeof path, "%s/organization.yaml", site->dir);
    (void)snprintf(said, sizeof said, "%s/apply.txt", site->dir);
    program_of(site, "", program, sizeof program);
    FILE *file = fopen(path, "we");
    bool ok = file != NULL && fputs(yaml, file) >= 0;
    ok = file != NULL && fclose(file) == 0 && ok;
    if (!ok) {
        return dk_err_errno(err, DK_EIO, errno, "cannot write %s", path);
    }
    char *argv[] = {program, "--config", (char *)(uintptr_t)site->dir, "apply", "--yes",
                    path,    NULL};
    int rc = dk_process_start(&pid, argv, said, err);
    if (rc == 0 && (waitpid(pid, &status, 0) != pid || status != 0)) {
        rc = dk_err_set(err, DK_EIO, "docket apply failed: see %s", said);
    }
    return rc;
}

int dk_site_node(const struct dk_site *site, const char *role, pid_t *pid, struct dk_err *err)
{
    char program[PATH_MAX], said[PATH_MAX];
    program_of(site, "-node", program, sizeof program);
    (void)snprintf(said, sizeof said, "%s/%s.txt", site->dir, role);
    char *argv[] = {program, (char *)(uintptr_t)role, "--config", (char *)(uintptr_t)site->dir,
                    NULL};
    return dk_process_start(pid, argv, said, err);
}
