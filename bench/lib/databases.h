/* What an analyst would load an export into: DuckDB, PostgreSQL 15, SQLite, each as a shell or
 * server of its own in a folder below the bench's, with the same table of events and enough memory
 * for all of it.
 *
 * The question is put to each in the form that was fastest for it, of those tried: one pass that
 * groups the events by ticket, another that groups tickets by priority. */
#ifndef DK_BENCH_DATABASES_H
#define DK_BENCH_DATABASES_H

#include "bench/lib/answer.h"
#include "bench/lib/sql.h"

enum dk_database {
    DK_DUCKDB,
    DK_DUCKDB_NARROW, /* a table of the integer columns that are asked for, narrowed by hand */
    DK_POSTGRES,
    DK_SQLITE,
    DK_DATABASES
};
const char *dk_database_name(enum dk_database database);

struct dk_databases {
    pid_t postmaster;
    struct dk_sql duckdb, postgres, sqlite;
};

/* Starts them in FOLDER, with `threads` where they have some, and loads the file of events_csv.h.
 * PostgreSQL does not run as root: then it runs as nobody, who must be able to reach FOLDER. */
int dk_databases_open(struct dk_databases *databases, const char *folder, const char *csv,
                      unsigned threads, struct dk_err *err);
int dk_databases_ask(struct dk_databases *databases, enum dk_database database,
                     struct dk_answer *answer, struct dk_err *err);
void dk_databases_close(struct dk_databases *databases);

#endif
