/* bench_kpi [--events N] [--rounds N] [--dir DIR] [--alone]: an analyst's question to years of
 * events, beside what would be used instead.
 *
 * A broker's log is filled with N generated events (default 10 million, lib/chronicle.h). Asked is,
 * per priority, the mean and p90 of first reply and of resolution (lib/answer.h). In each round it
 * is asked of docket's analytics role, which has folded the log; of the log itself, on one thread
 * and on two; and of DuckDB, PostgreSQL and SQLite, which have loaded the same events and are warm.
 * All answers must be equal. Then the broker serves the log, and a node's client fetches it, beside
 * NATS JetStream's ordered consumer. --alone leaves the others out. README.md says what is compared.
 */
#include "nodes/analytics/kpi.h"
#include "bench/lib/answer.h"
#include "bench/lib/chronicle.h"
#include "bench/lib/databases.h"
#include "bench/lib/direct.h"
#include "bench/lib/events_csv.h"
#include "bench/lib/fetch.h"
#include "bench/lib/measure.h"
#include "bench/lib/process.h"
#include "bench/lib/report.h"
#include "nodes/runtime/folder.h"
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS      2
#define SEED         1
#define REPORT_BYTES (16 << 20)
#define BYTES_EVENT  1500 /* of disk: the log, what is loaded from, and four databases */
#define FETCH_EVENTS 1000000
#define DIRECT_GOAL  5e6

struct bench {
    uint64_t events;
    int rounds;
    bool alone;
    char folder[256];
    struct dk_log *log;
    struct dk_folder *analytics;
    struct dk_kpi_query as_now, as_was;
    struct dk_answer answer; /* docket's */
    struct dk_fetch *fetch;
    struct dk_rounds fetch_docket, fetch_nats;
    struct dk_databases databases;
    struct dk_rounds database_s[DK_DATABASES];
    double fold_s, state_bytes;
    struct dk_rounds docket_s, as_was_s, direct_1_s, direct_2_s;
};

static double seconds_since(uint64_t begin_ns)
{
    return (double)(dk_bench_ns() - begin_ns) / 1e9;
}

static double rate(const struct bench *bench, const struct dk_rounds *took_s)
{
    return (double)bench->events / dk_rounds_median(took_s);
}

/* ---------------------------------------------------------------- docket */

static int write_log(struct bench *bench, struct dk_err *err)
{
    struct dk_chronicle_options options = {.events = bench->events, .seed = SEED};
    uint64_t begin = dk_bench_ns();
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof dir, "%s/log", bench->folder);
    int rc = dk_log_create(dir, DK_CHRONICLE_SITE, err);
    rc = rc != 0 ? rc : dk_log_open(&bench->log, dir, DK_LOG_WRITE, err);
    rc = rc != 0 ? rc : dk_chronicle_write(bench->log, &options, err);
    dk_log_close(&bench->log);
    (void)fprintf(stderr, "%llu events written in %.1f s\n", (unsigned long long)bench->events,
                  seconds_since(begin));
    return rc != 0 ? rc : dk_log_open(&bench->log, dir, DK_LOG_READ, err);
}

/* The analytics role reads all of it, as a node does that starts without a checkpoint. */
static int fold(struct bench *bench, struct dk_err *err)
{
    struct dk_process_memory before, after;
    struct dk_log_reader *reader = NULL;
    struct dk_records records;
    uint64_t begin = dk_bench_ns(), position = 1;
    dk_process_memory(getpid(), &before);
    dk_records_init(&records);
    int rc = dk_folder_new(&bench->analytics, &dk_analytics_role, err);
    rc = rc != 0 ? rc : dk_log_reader_new(&reader, bench->log, err);
    while (rc == 0 && position <= bench->events) {
        rc = dk_log_read(reader, position, DK_READ_MAX_BYTES, &records, err);
        for (size_t i = 0; rc == 0 && i < records.batch.count; i++, position++) {
            size_t bytes;
            const uint8_t *record = dk_batch_record(&records.batch, i, &bytes);
            rc = dk_folder_apply(bench->analytics, record, bytes, err);
        }
    }
    dk_log_reader_free(&reader);
    dk_records_close(&records);
    bench->fold_s = seconds_since(begin);
    dk_process_memory(getpid(), &after);
    bench->state_bytes = (double)(after.own_bytes - before.own_bytes);
    return rc;
}

static int parse(struct bench *bench, struct dk_kpi_query *query, const char *values,
                 struct dk_err *err)
{
    const char *const argument[] = {"measures=first-reply,resolution", "by=priority", "unit=us",
                                    values};
    return dk_kpi_parse(query, dk_folder_world(bench->analytics), "kpi", argument,
                        sizeof argument / sizeof argument[0], err);
}

static int ask(struct bench *bench, const struct dk_kpi_query *query, struct dk_answer *answer,
               struct dk_rounds *took_s, struct dk_err *err)
{
    struct dk_buf json;
    dk_buf_init(&json, REPORT_BYTES);
    uint64_t begin = dk_bench_ns();
    int rc = dk_kpi_run(dk_folder_self(bench->analytics), query, &json, err);
    dk_rounds_add(took_s, seconds_since(begin));
    rc = rc != 0 ? rc : dk_answer_of_report(answer, (const char *)json.data, json.size, err);
    dk_buf_close(&json);
    return rc;
}

static int ask_docket(struct bench *bench, struct dk_err *err)
{
    struct dk_answer as_was;
    int rc = ask(bench, &bench->as_now, &bench->answer, &bench->docket_s, err);
    return rc != 0 ? rc : ask(bench, &bench->as_was, &as_was, &bench->as_was_s, err);
}

static int ask_log(struct bench *bench, unsigned threads, struct dk_rounds *took_s,
                   struct dk_err *err)
{
    struct dk_answer answer;
    uint64_t begin = dk_bench_ns();
    int rc = dk_direct_run(bench->log, bench->events, threads, &answer, err);
    dk_rounds_add(took_s, seconds_since(begin));
    return rc != 0 ? rc : dk_answer_compare(&bench->answer, &answer, "the log itself", err);
}

/* ---------------------------------------------------------------- databases */

/* One question that does not count warms each. */
static int load_databases(struct bench *bench, struct dk_err *err)
{
    char csv[PATH_MAX];
    struct dk_answer answer;
    uint64_t begin = dk_bench_ns();
    (void)snprintf(csv, sizeof csv, "%s/events.csv", bench->folder);
    int rc = dk_events_csv_write(bench->log, bench->events, csv, err);
    rc = rc != 0 ? rc : dk_databases_open(&bench->databases, bench->folder, csv, THREADS, err);
    (void)unlink(csv);
    for (enum dk_database i = 0; rc == 0 && i < DK_DATABASES; i++) {
        rc = dk_databases_ask(&bench->databases, i, &answer, err);
    }
    (void)fprintf(stderr, "databases loaded in %.1f s\n", seconds_since(begin));
    return rc;
}

static int ask_databases(struct bench *bench, struct dk_err *err)
{
    struct dk_answer answer;
    int rc = 0;
    for (enum dk_database i = 0; rc == 0 && i < DK_DATABASES; i++) {
        uint64_t begin = dk_bench_ns();
        rc = dk_databases_ask(&bench->databases, i, &answer, err);
        dk_rounds_add(&bench->database_s[i], seconds_since(begin));
        rc = rc != 0 ? rc : dk_answer_compare(&bench->answer, &answer, dk_database_name(i), err);
    }
    return rc;
}

static void tell_databases(struct bench *bench, struct dk_report *report)
{
    static const struct {
        const char *ratio, *rate;
        double goal;
        const char *sentence;
    } told[DK_DATABASES] = {
        {"ratio_duckdb", "duckdb", 6, "docket / DuckDB on the table of events"},
        {"ratio_duckdb_narrow", "duckdb_narrow", 4, "docket / DuckDB on a table narrowed by hand"},
        {"ratio_postgres", "postgres", 40, "docket / PostgreSQL"},
        {"ratio_sqlite", "sqlite", 100, "docket / SQLite"},
    };
    for (enum dk_database i = 0; i < DK_DATABASES; i++) {
        dk_report_goal(report, told[i].ratio,
                       dk_rounds_ratio(&bench->database_s[i], &bench->docket_s), told[i].goal, 1,
                       told[i].sentence);
    }
    for (enum dk_database i = 0; i < DK_DATABASES; i++) {
        dk_report_add(report, told[i].rate, rate(bench, &bench->database_s[i]), "events/s");
    }
}

/* ---------------------------------------------------------------- over the network */

/* When the databases have gone. */
static int fetch(struct bench *bench, struct dk_err *err)
{
    uint64_t events = bench->events < FETCH_EVENTS ? bench->events : FETCH_EVENTS;
    double docket, nats;
    (void)fprintf(stderr, "fetching\n");
    int rc = dk_fetch_open(&bench->fetch, bench->folder, events, !bench->alone, err);
    for (int i = 0; rc == 0 && i < bench->rounds; i++) {
        rc = dk_fetch_docket(bench->fetch, &docket, err);
        dk_rounds_add(&bench->fetch_docket, docket);
        if (rc == 0 && !bench->alone) {
            rc = dk_fetch_nats(bench->fetch, &nats, err);
            dk_rounds_add(&bench->fetch_nats, nats);
        }
    }
    return rc;
}

static void tell_fetch(struct bench *bench, struct dk_report *report)
{
    (void)printf("\nthe log over the network, a client of a node's key\n");
    dk_report_add(report, "fetch", dk_rounds_median(&bench->fetch_docket), "events/s");
    if (!bench->alone) {
        dk_report_goal(report, "ratio_nats",
                       dk_rounds_ratio(&bench->fetch_docket, &bench->fetch_nats), 5, 1,
                       "docket / NATS JetStream's ordered consumer");
        dk_report_add(report, "nats", dk_rounds_median(&bench->fetch_nats), "messages/s");
    }
}

/* ---------------------------------------------------------------- rounds and report */

static int round_of(struct bench *bench, struct dk_err *err)
{
    int rc = ask_docket(bench, err);
    rc = rc != 0 ? rc : ask_log(bench, 1, &bench->direct_1_s, err);
    rc = rc != 0 ? rc : ask_log(bench, THREADS, &bench->direct_2_s, err);
    return rc != 0 || bench->alone ? rc : ask_databases(bench, err);
}

static void tell(struct bench *bench, struct dk_report *report)
{
    double events = (double)bench->events;
    (void)printf("\nper priority mean and p90 of first reply and resolution, %.0f events\n",
                 events);
    dk_report_add(report, "docket_s", dk_rounds_median(&bench->docket_s), "docket's answer");
    dk_report_add(report, "docket", rate(bench, &bench->docket_s), "the same in events/s");
    dk_report_add(report, "as_was_s", dk_rounds_median(&bench->as_was_s),
                  "with the priority that each reply or solve had");
    dk_report_goal(report, "log_1", rate(bench, &bench->direct_1_s), DIRECT_GOAL, 1,
                   "straight from the log, one thread, events/s");
    dk_report_add(report, "log_2", rate(bench, &bench->direct_2_s), "on two threads");
    dk_report_add(report, "fold", events / bench->fold_s, "events/s folded by the analytics role");
    dk_report_add(report, "log_bytes", (double)dk_log_used_bytes(bench->log) / events,
                  "of the log's file, an event");
    dk_report_add(report, "state_bytes", bench->state_bytes / events,
                  "of memory of the folded state, an event");
}

static int run(struct bench *bench, struct dk_err *err)
{
    struct dk_report report = {0};
    int rc = write_log(bench, err);
    rc = rc != 0 ? rc : fold(bench, err);
    rc = rc != 0 ? rc : parse(bench, &bench->as_now, "values=as-now", err);
    rc = rc != 0 ? rc : parse(bench, &bench->as_was, "values=as-was", err);
    rc = rc != 0 || bench->alone ? rc : load_databases(bench, err);
    for (int i = 0; rc == 0 && i < bench->rounds; i++) {
        (void)fprintf(stderr, "round %d of %d\n", i + 1, bench->rounds);
        rc = round_of(bench, err);
    }
    dk_databases_close(&bench->databases);
    rc = rc != 0 ? rc : fetch(bench, err);
    if (rc == 0) {
        tell(bench, &report);
        if (!bench->alone) {
            tell_databases(bench, &report);
        }
        tell_fetch(bench, &report);
        dk_report_add(&report, "events", (double)bench->events, "");
        dk_report_add(&report, "rounds", bench->rounds, "");
        dk_report_end(&report);
    }
    return rc;
}

static void close_all(struct bench *bench)
{
    dk_kpi_close(&bench->as_now);
    dk_kpi_close(&bench->as_was);
    dk_databases_close(&bench->databases);
    dk_folder_free(&bench->analytics);
    dk_log_close(&bench->log);
    dk_fetch_close(&bench->fetch);
    dk_bench_remove(bench->folder);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"events", required_argument, NULL, 'e'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {"alone", no_argument, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    struct bench bench = {.events = 10000000, .rounds = 5};
    struct dk_err err = {0};
    const char *dir = "/tmp";
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'e': bench.events = strtoull(optarg, NULL, 10); break;
        case 'r': bench.rounds = atoi(optarg); break;
        case 'd': dir = optarg; break;
        case 'a': bench.alone = true; break;
        default: return 64;
        }
    }
    if (bench.rounds < 1 || bench.rounds > DK_ROUNDS_MAX ||
        bench.events < DK_CHRONICLE_EVENTS_MIN) {
        (void)fprintf(stderr, "bench_kpi: 1 to %d rounds, at least %d events\n", DK_ROUNDS_MAX,
                      DK_CHRONICLE_EVENTS_MIN);
        return 64;
    }
    int rc = dk_bench_free_bytes(dir) >= (UINT64_C(2) << 30) + bench.events * BYTES_EVENT
                 ? dk_bench_folder(bench.folder, sizeof bench.folder, dir, &err)
                 : dk_err_set(&err, DK_ENOSPACE, "%s has too little free space", dir);
    rc = rc != 0 ? rc : run(&bench, &err);
    if (rc != 0) {
        (void)fprintf(stderr, "bench_kpi: %s\n", err.message);
    }
    close_all(&bench);
    return rc == 0 ? 0 : 1;
}
