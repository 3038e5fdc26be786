#include "replay/history/scan.h"
#include "proto/event/event.h"
#include <inttypes.h>

/* Hands on what was read, if it is what was written; `*next` moves behind it. */
static int take(const struct dk_scan *scan, const struct dk_batch *batch, uint64_t *next,
                struct dk_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < batch->count && *next <= scan->to; i++) {
        size_t bytes;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        if (dk_event_verify(record, bytes, NULL) != 0 || dk_event_load_position(record) != *next) {
            return dk_err_set(err, DK_ECORRUPT,
                              "the record at position %" PRIu64 " is damaged: docket replay "
                              "verify says more",
                              *next);
        }
        rc = scan->on_record(scan->arg, record, bytes);
        *next += 1;
    }
    return rc == 0 && scan->on_progress != NULL ? scan->on_progress(scan->arg, *next - 1) : rc;
}

static int scan_on(const struct dk_scan *scan, struct dk_log_reader *reader,
                   struct dk_source *source, struct dk_err *err)
{
    struct dk_records records;
    uint64_t next = scan->from;
    int rc = 0;
    dk_records_init(&records);
    while (rc == 0 && next <= scan->to) {
        rc = source != NULL ? dk_source_read(source, next, &records, err)
                            : dk_log_read(reader, next, DK_READ_MAX_BYTES, &records, err);
        if (rc != 0 || records.batch.count == 0) {
            break;
        }
        rc = take(scan, &records.batch, &next, err);
    }
    dk_records_close(&records);
    return rc;
}

int dk_scan_log(const struct dk_scan *scan, struct dk_log_reader *reader, struct dk_err *err)
{
    return scan_on(scan, reader, NULL, err);
}

int dk_scan_source(const struct dk_scan *scan, struct dk_source *source, struct dk_err *err)
{
    return scan_on(scan, NULL, source, err);
}
