/* A shell that answers SQL over pipes: psql, sqlite3, or duckdb_shell.js. */
#ifndef DK_BENCH_SQL_H
#define DK_BENCH_SQL_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <sys/types.h>

struct dk_sql {
    const char *name;
    const char *echo; /* the shell's own command that prints what follows it: "\\echo", ".print" */
    char said[512];   /* a file with what it says on the side */
    pid_t pid;
    int to, from;
    struct dk_buf answer;
};

/* Starts argv[0], looked for in PATH, that ends with this process. `said` must not exist. */
int dk_sql_start(struct dk_sql *sql, const char *name, const char *echo, char *const argv[],
                 const char *said, struct dk_err *err);

/* Runs statements and waits until they are done; `*rows` are what they printed, good until the next
 * call; NULL: not wanted. DK_EIO when the shell ended, as it is to do after an error: the message
 * names the file that says why. */
int dk_sql_run(struct dk_sql *sql, const char *statements, const char **rows, struct dk_err *err);
void dk_sql_end(struct dk_sql *sql);

#endif
