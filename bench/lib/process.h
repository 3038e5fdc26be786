/* Programs that a bench starts, and what the kernel says of them. */
#ifndef DK_BENCH_PROCESS_H
#define DK_BENCH_PROCESS_H

#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A folder of the bench's own below `base`, and its removal with everything in it. */
int dk_bench_folder(char *path, size_t bytes, const char *base, struct dk_err *err);
void dk_bench_remove(const char *path);
/* Bytes free on the file system of `path`. */
uint64_t dk_bench_free_bytes(const char *path);

/* Starts argv[0] (looked for in PATH) with its output in the file `said`; it ends with this
 * process. */
int dk_process_start(pid_t *pid, char *const argv[], const char *said, struct dk_err *err);
/* Ends it by `signal` and waits. */
void dk_process_end(pid_t pid, int signal);

struct dk_process_memory {
    uint64_t peak_bytes; /* VmHWM: with mapped files' pages that were touched */
    uint64_t own_bytes;  /* RssAnon: what it allocated, now */
};
void dk_process_memory(pid_t pid, struct dk_process_memory *memory);

/* A broker with an empty log in FOLDER/site, as `docket-broker --init` makes it. */
struct dk_site {
    pid_t pid;
    char dir[512];
    char broker[512]; /* the program, beside this one */
};
int dk_site_init(struct dk_site *site, const char *folder, struct dk_err *err);
/* Returns when the broker says that it is ready. */
int dk_site_start(struct dk_site *site, struct dk_err *err);
/* `docket apply` of what a file of YAML says. */
int dk_site_apply(const struct dk_site *site, const char *yaml, struct dk_err *err);
/* Starts the site's node of a role. */
int dk_site_node(const struct dk_site *site, const char *role, pid_t *pid, struct dk_err *err);

#endif
