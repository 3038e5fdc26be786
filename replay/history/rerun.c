#include "replay/history/rerun.h"
#include "replay/history/scan.h"
#include <inttypes.h>
#include <string.h>

struct rerun {
    struct dk_folder *folder;
    int64_t at_us;
    int (*on_progress)(void *arg, uint64_t position);
    void *arg;
    struct dk_err *err;
};

static int fold(void *arg, const uint8_t *record, size_t record_bytes)
{
    struct rerun *r = arg;
    if ((int64_t)dk_event_load_occurred_us(record) > r->at_us) {
        return dk_folder_pass(r->folder, record, record_bytes, r->err);
    }
    return dk_folder_apply(r->folder, record, record_bytes, r->err);
}

static int tell_progress(void *arg, uint64_t position)
{
    struct rerun *r = arg;
    return r->on_progress != NULL ? r->on_progress(r->arg, position) : 0;
}

int dk_rerun_as_of(struct dk_folder **folder, const struct dk_role_ops *role,
                   struct dk_log_reader *reader, uint64_t position, int64_t at_us,
                   int (*on_progress)(void *arg, uint64_t position), void *arg, struct dk_err *err)
{
    struct rerun r = {.at_us = at_us, .on_progress = on_progress, .arg = arg, .err = err};
    struct dk_scan scan = {
        .to = position, .arg = &r, .on_record = fold, .on_progress = tell_progress};
    int rc = *folder == NULL ? dk_folder_new(folder, role, err) : 0;
    if (rc != 0) {
        return rc;
    }
    r.folder = *folder;
    scan.from = dk_folder_position(*folder) + 1;
    rc = dk_scan_log(&scan, reader, err);
    if (rc == 0 && position != UINT64_MAX && dk_folder_position(*folder) < position) {
        rc = dk_err_set(err, DK_ENOTFOUND, "the log ends at %" PRIu64 ", before position %" PRIu64,
                        dk_folder_position(*folder), position);
    }
    if (rc != 0) {
        dk_folder_free(folder);
    }
    return rc;
}

int dk_rerun(struct dk_folder **folder, const struct dk_role_ops *role,
             struct dk_log_reader *reader, uint64_t position,
             int (*on_progress)(void *arg, uint64_t position), void *arg, struct dk_err *err)
{
    return dk_rerun_as_of(folder, role, reader, position, INT64_MAX, on_progress, arg, err);
}
