/* log_fold LOG ROLE POSITION: folds the log for a role, from zero up to a position, and prints the
 * state's hash, and how many events that state owes at the instant of its last event. */
#include "broker/log/log.h"
#include "nodes/roles.h"
#include "nodes/runtime/folder.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int fold_records(struct dk_folder *folder, const struct dk_batch *batch, uint64_t last,
                        struct dk_err *err)
{
    int rc = batch->count > 0 ? 0 : dk_err_set(err, DK_ENOTFOUND, "the log ends before that");
    for (size_t i = 0; rc == 0 && i < batch->count && dk_folder_position(folder) < last; i++) {
        size_t bytes;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        rc = dk_folder_apply(folder, record, bytes, err);
    }
    return rc;
}

static int fold(struct dk_log *log, struct dk_folder *folder, uint64_t last, struct dk_err *err)
{
    struct dk_log_reader *reader;
    struct dk_records records;
    dk_records_init(&records);
    int rc = dk_log_reader_new(&reader, log, err);
    while (rc == 0 && dk_folder_position(folder) < last) {
        rc = dk_log_read(reader, dk_folder_position(folder) + 1, DK_READ_MAX_BYTES, &records, err);
        rc = rc != 0 ? rc : fold_records(folder, &records.batch, last, err);
    }
    dk_records_close(&records);
    dk_log_reader_free(&reader);
    return rc;
}

static size_t owed(struct dk_folder *folder)
{
    const struct dk_role_ops *ops = dk_folder_ops(folder);
    int64_t now_us = dk_folder_world(folder)->recorded_us;
    struct dk_intents intents;
    size_t count = 0;
    uint64_t item;
    dk_intents_init(&intents, ops->role, ops->rule_version);
    while (dk_folder_next_item(folder, now_us, &item)) {
        dk_folder_consider(folder, item, now_us, &intents);
        count += intents.count;
    }
    dk_intents_close(&intents);
    return count;
}

int main(int argc, char **argv)
{
    struct dk_err err = {0};
    struct dk_log *log = NULL;
    struct dk_folder *folder = NULL;
    const struct dk_role_ops *role = argc == 4 ? dk_role_named(argv[2]) : NULL;
    if (role == NULL) {
        (void)fprintf(stderr, "usage: log_fold LOG ROLE POSITION\n");
        return 2;
    }
    int rc = dk_log_open(&log, argv[1], DK_LOG_READ, &err);
    rc = rc != 0 ? rc : dk_folder_new(&folder, role, &err);
    rc = rc != 0 ? rc : fold(log, folder, strtoull(argv[3], NULL, 10), &err);
    if (rc == 0) {
        (void)printf("%016" PRIx64 " %zu\n", dk_folder_hash(folder), owed(folder));
    } else {
        (void)fprintf(stderr, "log_fold: %s\n", err.message);
    }
    dk_folder_free(&folder);
    dk_log_close(&log);
    return rc != 0;
}
