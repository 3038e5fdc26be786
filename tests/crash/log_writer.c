/* log_writer append DIR TEXT_BYTES SEED: appends the test's numbered records (tests/lib/batches.h)
 * to the log at DIR, made if missing, in commits of 1 to 300, and prints each position that it got
 * acknowledged, until it is killed or the log fails: then it says why and ends with 1. Seals are
 * taken and the file is grown ahead meanwhile.
 *
 * log_writer check DIR TEXT_BYTES: verifies the log and its seals, and that each record is the one
 * that belongs there. Prints the last position; or what is wrong, one "position: message" a line,
 * and ends with 1.
 *
 * log_writer hold DIR: has the log open for reading until its input ends.
 *
 * log_writer pin DIR: so, within a transaction, as a reader that is stopped at the wrong moment. */
#include "broker/log/log.h"
#include "broker/log/seals.h"
#include "broker/log/space.h"
#include "broker/log/verify.h"
#include "tests/lib/batches.h"
#include <inttypes.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int give_up(const struct dk_err *err)
{
    fprintf(stderr, "log_writer: %s\n", err->message);
    return 1;
}

/* Straight to the descriptor: what was printed must not be lost in a buffer by a kill. */
static bool print_position(uint64_t position)
{
    char line[32];
    int length = snprintf(line, sizeof line, "%" PRIu64 "\n", position);
    return write(STDOUT_FILENO, line, (size_t)length) == length;
}

static int append_until_it_fails(struct dk_log *log, struct dk_log_reader *reader,
                                 struct dk_seals *seals, size_t text_bytes, unsigned seed,
                                 struct dk_err *err)
{
    static struct test_batch batch;
    uint64_t last;
    test_batch_init(&batch);
    int rc = dk_log_last(log, &last, err);
    while (rc == 0) {
        bool more;
        size_t count = rand_r(&seed) % 3 == 0 ? 1 : 1 + (size_t)rand_r(&seed) % 300;
        test_batch_notes(&batch, last + 1, count, text_bytes);
        rc = dk_log_commit(log, &batch.batch, err);
        last += count;
        if (rc == 0 && !print_position(last))
            break;
        if (rc == 0)
            rc = dk_seals_advance(seals, reader, 10000, &more, err);
    }
    test_batch_close(&batch);
    return rc;
}

static int append(const char *dir, size_t text_bytes, unsigned seed)
{
    struct dk_err err;
    struct dk_log *log = NULL;
    struct dk_log_reader *reader = NULL;
    struct dk_seals *seals = NULL;
    struct dk_space *space = NULL;
    struct dk_space_options options = {
        .ahead_bytes = 1 << 20, .step_bytes = 65536, .reserve_bytes = 0, .interval_ms = 1};

    int rc = dk_log_create(dir, 1, &err);
    if (rc == DK_EEXISTS)
        rc = 0;
    if (rc == 0 && (rc = dk_log_open(&log, dir, DK_LOG_WRITE, &err)) == 0 &&
        (rc = dk_log_reader_new(&reader, log, &err)) == 0 &&
        (rc = dk_seals_open(&seals, dir, log, DK_LOG_WRITE, &err)) == 0 &&
        (rc = dk_space_start(&space, log, &options, &err)) == 0)
        rc = append_until_it_fails(log, reader, seals, text_bytes, seed, &err);
    if (rc != 0)
        give_up(&err);
    dk_space_stop(&space);
    dk_seals_close(&seals);
    dk_log_reader_free(&reader);
    dk_log_close(&log);
    return rc != 0;
}

static int on_finding(void *arg, const struct dk_verify_finding *finding)
{
    (void)arg;
    printf("%" PRIu64 ": %s\n", finding->position, finding->message);
    return 0;
}

/* The first position whose record is not the one that was appended, or 0. */
static uint64_t first_wrong(struct dk_log_reader *reader, uint64_t last, size_t text_bytes)
{
    struct dk_records records;
    struct test_batch batch;
    dk_records_init(&records);
    test_batch_init(&batch);
    uint64_t at = 1;
    while (at <= last) {
        if (dk_log_read(reader, at, 1 << 20, &records, NULL) != 0 || records.batch.count == 0)
            break;
        size_t bytes = records.batch.offset[records.batch.count];
        test_batch_notes(&batch, at, records.batch.count, text_bytes);
        if (batch.records.size != bytes ||
            memcmp(batch.records.data, records.batch.data, bytes) != 0)
            break;
        at += records.batch.count;
    }
    test_batch_close(&batch);
    dk_records_close(&records);
    return at > last ? 0 : at;
}

static int check_open(struct dk_log *log, struct dk_log_reader *reader, struct dk_seals *seals,
                      size_t text_bytes, struct dk_err *err)
{
    struct dk_verify_report report;
    struct dk_verify_options options = {.seals = seals, .on_finding = on_finding};
    if (dk_verify(log, &options, &report, err) != 0)
        return give_up(err);
    if (report.findings > 0)
        return 1;
    uint64_t wrong = first_wrong(reader, report.records, text_bytes);
    if (wrong != 0) {
        printf("%" PRIu64 ": not the record that was appended\n", wrong);
        return 1;
    }
    printf("%" PRIu64 "\n", report.records);
    return 0;
}

static int check(const char *dir, size_t text_bytes)
{
    struct dk_err err;
    struct dk_log *log;
    struct dk_log_reader *reader;
    struct dk_seals *seals;
    if (dk_log_open(&log, dir, DK_LOG_READ, &err) != 0 ||
        dk_log_reader_new(&reader, log, &err) != 0)
        return give_up(&err);
    int rc = dk_seals_open(&seals, dir, log, DK_LOG_READ, &err);
    if (rc != 0 && rc != DK_ENOTFOUND && rc != DK_ECORRUPT) /* killed while they were begun */
        return give_up(&err);
    rc = check_open(log, reader, seals, text_bytes, &err);
    dk_seals_close(&seals);
    dk_log_reader_free(&reader);
    dk_log_close(&log);
    return rc;
}

static int hold(const char *dir)
{
    struct dk_err err;
    struct dk_log *log;
    if (dk_log_open(&log, dir, DK_LOG_READ, &err) != 0)
        return give_up(&err);
    print_position(0);
    (void)getchar();
    dk_log_close(&log);
    return 0;
}

/* LMDB itself, as the log's own readers end every transaction that they begin. */
static int pin(const char *dir)
{
    MDB_env *env;
    MDB_txn *txn;
    int rc = mdb_env_create(&env);
    if (rc == 0 && (rc = mdb_env_open(env, dir, MDB_RDONLY, 0)) == 0 &&
        (rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn)) == 0) {
        print_position(0);
        (void)getchar();
        mdb_txn_abort(txn);
    }
    if (rc != 0)
        fprintf(stderr, "log_writer: %s\n", mdb_strerror(rc));
    mdb_env_close(env);
    return rc != 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "append") == 0)
        return append(argv[2], strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10));
    if (argc == 4 && strcmp(argv[1], "check") == 0)
        return check(argv[2], strtoul(argv[3], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "hold") == 0)
        return hold(argv[2]);
    if (argc == 3 && strcmp(argv[1], "pin") == 0)
        return pin(argv[2]);
    fprintf(stderr, "usage: log_writer append DIR TEXT_BYTES SEED | check DIR TEXT_BYTES | "
                    "hold DIR | pin DIR\n");
    return 2;
}
