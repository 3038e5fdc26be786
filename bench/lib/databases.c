#include "bench/lib/databases.h"
#include "bench/lib/events_csv.h"
#include "bench/lib/measure.h"
#include "bench/lib/process.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATEMENT_BYTES 8192
#define READY_TRIES     200 /* 50 ms apart */

/* ---------------------------------------------------------------- the question */

/* Of each ticket: kind 16 is Opened, direction 2 outbound and 1 inbound (which reopens what is
 * solved), actor class 1 an agent, status 4 solved and 5 closed. What was said last is found by its
 * position, which stands in the bits above it. */
#define TICKETS                                                                                    \
    "select ticket,"                                                                               \
    " min(case when kind = 16 then occurred_us end) as opened_us,"                                 \
    " min(case when direction = 2 and automatic = 0 and actor_class = 1 then occurred_us end)"     \
    "  as replied_us,"                                                                             \
    " max(case when status = 4 then occurred_us end) as solved_us,"                                \
    " max(case when priority > 0 then position * 8 + priority end) % 8 as priority,"               \
    " max(case when status > 0 then position * 8 + status"                                         \
    "  when direction = 1 then position * 8 + 2 end) % 8 as status"                                \
    " from %s group by ticket"

/* The table, and the kinds that are asked for: where rows are wide, to pass over others is worth
 * its price. */
#define EVENTS "event where kind in (16, 17, 24, 26, 31, 63, 64)"

/* Then of each priority, a row for each measure; the name of the quantile is the database's. */
#define BY_PRIORITY(P90_OF)                                                                        \
    "with tickets as (" TICKETS "), figures as (select priority,"                                  \
    " count(replied_us) as n0, sum(replied_us - opened_us) as sum0,"                               \
    " " P90_OF("replied_us - opened_us") " as p0,"                                                 \
                                         " count(*) filter (where status in (4, 5)) as n1,"        \
                                         " sum(solved_us - opened_us) filter (where status in "    \
                                         "(4, 5)) as sum1,"                                        \
                                         " " P90_OF(                                               \
                                             "case when status in (4, 5) then solved_us - "        \
                                             "opened_us end") " as p1"                             \
                                                              " from tickets group by priority)"   \
                                                              " select 0, priority, n0, "          \
                                                              "coalesce(sum0, 0), coalesce(p0, "   \
                                                              "0) from figures union all"          \
                                                              " select 1, priority, n1, "          \
                                                              "coalesce(sum1, 0), coalesce(p1, "   \
                                                              "0) from figures;\n"

#define P90_POSTGRES(us) "percentile_cont(0.9) within group (order by " us ")"
#define P90_DUCKDB(us)   "quantile_cont(" us ", 0.9)"

/* SQLite has no quantiles: those of type 7 lie between two ranks. */
#define BY_PRIORITY_SQLITE                                                                         \
    "with tickets as materialized (" TICKETS "), durations as ("                                   \
    "select 0 as m, priority, replied_us - opened_us as us from tickets"                           \
    " where replied_us is not null union all "                                                     \
    "select 1, priority, solved_us - opened_us from tickets where status in (4, 5)), "             \
    "ranked as (select m, priority, us, row_number() over durations_of as i,"                      \
    " count(*) over (partition by m, priority) as n from durations"                                \
    " window durations_of as (partition by m, priority order by us)), "                            \
    "ends as (select m, priority, n, sum(us) as sum,"                                              \
    " max(case when i = (n - 1) * 9 / 10 + 1 then us end) as low,"                                 \
    " max(case when i = min((n - 1) * 9 / 10 + 2, n) then us end) as high"                         \
    " from ranked group by m, priority) "                                                          \
    "select m, priority, n, sum, low + (high - low) * ((n - 1) * 9 % 10) / 10.0 from ends;\n"

static const struct {
    const char *name, *table, *question;
} databases_of[DK_DATABASES] = {
    [DK_DUCKDB] = {"duckdb", EVENTS, BY_PRIORITY(P90_DUCKDB)},
    [DK_DUCKDB_NARROW] = {"duckdb_narrow", "narrow", BY_PRIORITY(P90_DUCKDB)},
    [DK_POSTGRES] = {"postgres", EVENTS, BY_PRIORITY(P90_POSTGRES)},
    [DK_SQLITE] = {"sqlite", EVENTS, BY_PRIORITY_SQLITE},
};

const char *dk_database_name(enum dk_database database)
{
    return databases_of[database].name;
}

/* Statements of which %s is a word. */
static int run_with(struct dk_sql *sql, const char *word, const char *format, const char **rows,
                    struct dk_err *err)
{
    char text[STATEMENT_BYTES];
    const char *at = strstr(format, "%s");
    int length = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - format), format, word, at + 2);
    DK_ASSERT(length < (int)sizeof text);
    return dk_sql_run(sql, text, rows, err);
}

static struct dk_sql *shell_of(struct dk_databases *databases, enum dk_database database)
{
    return database == DK_POSTGRES ? &databases->postgres
           : database == DK_SQLITE ? &databases->sqlite
                                   : &databases->duckdb;
}

int dk_databases_ask(struct dk_databases *databases, enum dk_database database,
                     struct dk_answer *answer, struct dk_err *err)
{
    const char *rows;
    int rc = run_with(shell_of(databases, database), databases_of[database].table,
                      databases_of[database].question, &rows, err);
    return rc != 0 ? rc : dk_answer_of_rows(answer, rows, err);
}

/* ---------------------------------------------------------------- DuckDB and SQLite */

static int open_duckdb(struct dk_databases *databases, const char *folder, const char *csv,
                       unsigned threads, struct dk_err *err)
{
    char path[PATH_MAX], count[16], said[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/events.duckdb", folder);
    (void)snprintf(said, sizeof said, "%s/duckdb.txt", folder);
    (void)snprintf(count, sizeof count, "%u", threads);
    char *argv[] = {"duckdb-shell", path, count, NULL};
    struct dk_sql *sql = &databases->duckdb;
    int rc = dk_sql_start(sql, "duckdb", ".print", argv, said, err);
    rc = rc != 0 ? rc
                 : dk_sql_run(sql, "create table event (" DK_EVENTS_CSV_COLUMNS ");\n", NULL, err);
    rc = rc != 0
             ? rc
             : run_with(sql, csv, "copy event from '%s' (format csv, header false);\n", NULL, err);
    rc = rc != 0 ? rc
                 : dk_sql_run(sql,
                              "create table narrow as select position::uinteger as position,"
                              " (ticket & 1099511627775)::uinteger as ticket, occurred_us,"
                              " kind::utinyint as kind,"
                              " coalesce(direction, 0)::utinyint as direction,"
                              " coalesce(automatic, 0)::utinyint as automatic,"
                              " actor_class::utinyint as actor_class,"
                              " coalesce(priority, 0)::utinyint as priority,"
                              " coalesce(status, 0)::utinyint as status"
                              " from event where ticket is not null;\n"
                              "checkpoint;\n",
                              NULL, err);
    return rc;
}

/* Its import knows no NULL: an empty field becomes one on the way from a table of its own. */
static int open_sqlite(struct dk_databases *databases, const char *folder, const char *csv,
                       struct dk_err *err)
{
    char path[PATH_MAX], said[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/events.sqlite", folder);
    (void)snprintf(said, sizeof said, "%s/sqlite.txt", folder);
    char *argv[] = {"sqlite3", "-bail", path, NULL};
    struct dk_sql *sql = &databases->sqlite;
    int rc = dk_sql_start(sql, "sqlite", ".print", argv, said, err);
    rc = rc != 0 ? rc
                 : dk_sql_run(sql,
                              "pragma journal_mode = off;\npragma synchronous = off;\n"
                              "pragma cache_size = -4000000;\npragma mmap_size = 8000000000;\n"
                              "pragma temp_store = memory;\n"
                              "create table event (" DK_EVENTS_CSV_COLUMNS ");\n"
                              "create table raw (" DK_EVENTS_CSV_COLUMNS ");\n",
                              NULL, err);
    rc = rc != 0 ? rc : run_with(sql, csv, ".import --csv '%s' raw\n", NULL, err);
    rc = rc != 0 ? rc
                 : dk_sql_run(sql,
                              "insert into event select position, recorded_us, occurred_us,"
                              " subject, version, previous, kind, flags, actor, owner_group,"
                              " producer, producer_number, nullif(ticket, ''),"
                              " nullif(actor_class, ''), nullif(direction, ''),"
                              " nullif(automatic, ''), nullif(priority, ''), nullif(status, ''),"
                              " nullif(words, '') from raw;\n"
                              "drop table raw;\nvacuum;\n",
                              NULL, err);
    return rc;
}

/* ---------------------------------------------------------------- PostgreSQL */

#define PREFIX_WORDS 7
#define WORDS_MAX    24

/* The command as somebody who is not root: what it is run by, and itself. */
static void as_nobody(char *argv[WORDS_MAX], char *const command[])
{
    static char *const prefix[PREFIX_WORDS] = {
        "setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--pdeathsig=KILL"};
    size_t count = 0;
    for (size_t i = 0; geteuid() == 0 && i < PREFIX_WORDS; i++) {
        argv[count++] = prefix[i];
    }
    for (size_t i = 0; command[i] != NULL; i++) {
        DK_ASSERT(count < WORDS_MAX - 1);
        argv[count++] = command[i];
    }
    argv[count] = NULL;
}

static int make_cluster(const char *cluster, const char *said, struct dk_err *err)
{
    char *argv[WORDS_MAX];
    char *const command[] = {"initdb", "-D",        (char *)(uintptr_t)cluster,
                             "-U",     "bench",     "-A",
                             "trust",  "--no-sync", "--locale",
                             "C",      "-E",        "UTF8",
                             NULL};
    pid_t pid;
    int status = 0;
    if (mkdir(cluster, 0700) != 0 || (geteuid() == 0 && chown(cluster, 65534, 65534) != 0)) {
        return dk_err_errno(err, DK_EIO, errno, "cannot make %s", cluster);
    }
    as_nobody(argv, command);
    int rc = dk_process_start(&pid, argv, said, err);
    if (rc == 0 && (waitpid(pid, &status, 0) != pid || status != 0)) {
        rc = dk_err_set(err, DK_EIO, "initdb failed: see %s", said);
    }
    return rc;
}

static int start_server(struct dk_databases *databases, const char *cluster, unsigned threads,
                        const char *said, struct dk_err *err)
{
    char workers[64], *argv[WORDS_MAX];
    (void)snprintf(workers, sizeof workers, "max_parallel_workers_per_gather=%u", threads - 1);
    char *const command[] = {"postgres",
                             "-D",
                             (char *)(uintptr_t)cluster,
                             "-k",
                             (char *)(uintptr_t)cluster,
                             "-c",
                             "listen_addresses=",
                             "-c",
                             "shared_buffers=6GB",
                             "-c",
                             "work_mem=2GB",
                             "-c",
                             "max_wal_size=16GB",
                             "-c",
                             workers,
                             NULL};
    as_nobody(argv, command);
    return dk_process_start(&databases->postmaster, argv, said, err);
}

static int connect_postgres(struct dk_databases *databases, const char *cluster, const char *said,
                            struct dk_err *err)
{
    char *argv[] = {"psql",
                    "-X",
                    "-q",
                    "-A",
                    "-t",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-h",
                    (char *)(uintptr_t)cluster,
                    "-U",
                    "bench",
                    "postgres",
                    NULL};
    int rc = DK_EIO;
    for (int try = 0; rc != 0 && try < READY_TRIES; try++) {
        dk_bench_sleep_ms(50);
        dk_sql_end(&databases->postgres);
        rc = dk_sql_start(&databases->postgres, "postgres", "\\echo", argv, said, err);
        rc = rc != 0 ? rc : dk_sql_run(&databases->postgres, "select 1;\n", NULL, err);
    }
    return rc;
}

static int open_postgres(struct dk_databases *databases, const char *folder, const char *csv,
                         unsigned threads, struct dk_err *err)
{
    char cluster[PATH_MAX], said[PATH_MAX];
    (void)snprintf(cluster, sizeof cluster, "%s/postgres", folder);
    (void)snprintf(said, sizeof said, "%s/postgres.txt", folder);
    int rc =
        chmod(folder, 0755) == 0 ? 0 : dk_err_errno(err, DK_EIO, errno, "cannot open %s", folder);
    rc = rc != 0 ? rc : make_cluster(cluster, said, err);
    rc = rc != 0 ? rc : start_server(databases, cluster, threads, said, err);
    rc = rc != 0 ? rc : connect_postgres(databases, cluster, said, err);
    rc = rc != 0
             ? rc
             : dk_sql_run(&databases->postgres,
                          "create unlogged table event (" DK_EVENTS_CSV_COLUMNS ");\n", NULL, err);
    rc = rc != 0 ? rc
                 : run_with(&databases->postgres, csv, "copy event from '%s' (format csv);\n", NULL,
                            err);
    return rc != 0
               ? rc
               : dk_sql_run(&databases->postgres, "vacuum (freeze, analyze) event;\n", NULL, err);
}

/* ---------------------------------------------------------------- all of them */

int dk_databases_open(struct dk_databases *databases, const char *folder, const char *csv,
                      unsigned threads, struct dk_err *err)
{
    *databases = (struct dk_databases){0};
    (void)signal(SIGPIPE, SIG_IGN); /* a shell that has ended */
    int rc = open_duckdb(databases, folder, csv, threads, err);
    rc = rc != 0 ? rc : open_sqlite(databases, folder, csv, err);
    return rc != 0 ? rc : open_postgres(databases, folder, csv, threads, err);
}

void dk_databases_close(struct dk_databases *databases)
{
    dk_sql_end(&databases->duckdb);
    dk_sql_end(&databases->sqlite);
    dk_sql_end(&databases->postgres);
    dk_process_end(databases->postmaster, SIGINT); /* without waiting for clients */
    databases->postmaster = 0;
}
