#include "broker/log/verify.h"

#include "proto/base/limits.h"
#include "proto/base/map.h"
#include "proto/event/event.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The last event seen of a subject. */
struct link {
    uint64_t position;
    uint32_t version;
};

struct verifier {
    const struct dk_verify_options *options;
    struct dk_verify_report *report;
    struct dk_log_reader *reader;
    struct dk_records records;
    struct dk_map subjects; /* -> struct link */
    struct dk_map damaged;  /* positions whose record cannot be trusted -> nothing */
    int64_t recorded_us;
    struct dk_merkle tree;   /* over all records */
    struct dk_merkle sealed; /* over those since the last full 1,024 */
    uint64_t total;
};

static int find_fault(struct verifier *v, uint64_t position, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Counts and reports a finding; non-zero when the caller wants to stop. */
static int find_fault(struct verifier *v, uint64_t position, int code, const char *format, ...)
{
    char message[DK_ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);

    v->report->findings++;
    struct dk_verify_finding finding = {position, code, message};
    return v->options->on_finding == NULL ? 0 : v->options->on_finding(v->options->arg, &finding);
}

static int out_of_memory(struct dk_err *err)
{
    return dk_err_set(err, DK_ENOMEM, "no memory to remember more than %" PRIu64 " subjects",
                      DK_VERIFY_SUBJECTS_MAX);
}

static int mark_damaged(struct verifier *v, uint64_t position, struct dk_err *err)
{
    return dk_map_put(&v->damaged, position, NULL) == NULL ? out_of_memory(err) : 0;
}

/* ---------------------------------------------------------------- one record */

/* The record's place in its subject's chain. Where the previous event is damaged, only the previous
 * position was known; the chain goes on from here. */
static int check_chain(struct verifier *v, uint64_t position, const uint8_t *record,
                       struct dk_err *err)
{
    uint64_t subject = dk_event_load_subject(record);
    uint64_t previous = dk_event_load_previous(record);
    uint32_t version = dk_event_load_subject_version(record);
    if (subject == 0)
        return find_fault(v, position, DK_ECORRUPT, "the record has no subject");

    bool created;
    struct link *link = dk_map_put(&v->subjects, subject, &created);
    if (link == NULL)
        return out_of_memory(err);
    struct link before = *link;
    *link = (struct link){position, version};
    v->report->subjects += created;

    if (previous != 0 && dk_map_get(&v->damaged, previous) != NULL && version > before.version)
        return 0;
    if (previous != before.position)
        return find_fault(v, position, DK_ECORRUPT,
                          "previous is %" PRIu64 ", but the subject's last event is at %" PRIu64,
                          previous, before.position);
    if (version != before.version + 1)
        return find_fault(v, position, DK_ECORRUPT,
                          "subject_version is %" PRIu32 ", but the one before is %" PRIu32, version,
                          before.version);
    return 0;
}

static int check_record(struct verifier *v, uint64_t position, const uint8_t *record, size_t bytes,
                        struct dk_err *err)
{
    struct dk_err fault;
    int code = dk_event_verify(record, bytes, &fault);
    if (code != 0) {
        int rc = mark_damaged(v, position, err);
        return rc != 0 ? rc : find_fault(v, position, code, "%s", fault.message);
    }
    uint64_t stamped = dk_event_load_position(record);
    if (stamped != position) {
        int rc = mark_damaged(v, position, err);
        return rc != 0 ? rc
                       : find_fault(v, position, DK_ECORRUPT,
                                    "the record says that it stands at position %" PRIu64, stamped);
    }

    int64_t recorded_us = (int64_t)dk_event_load_recorded_us(record);
    int64_t before_us = v->recorded_us;
    v->recorded_us = recorded_us;
    int rc = 0;
    if (recorded_us < before_us)
        rc = find_fault(v, position, DK_ECORRUPT,
                        "recorded_us %" PRId64 " is earlier than %" PRId64 " of the event before",
                        recorded_us, before_us);
    return rc != 0 ? rc : check_chain(v, position, record, err);
}

/* ---------------------------------------------------------------- seals */

static int check_seal(struct verifier *v, struct dk_err *err)
{
    uint64_t index = v->tree.count / DK_SEAL_RECORDS - 1;
    struct dk_hash root = dk_merkle_root(&v->sealed), stored;
    dk_merkle_init(&v->sealed);
    if (v->options->seals == NULL)
        return 0;

    int rc = dk_seals_get(v->options->seals, index, &stored, err);
    if (rc == DK_ENOTFOUND)
        return 0; /* seals lie behind */
    if (rc != 0)
        return rc;
    v->report->sealed += DK_SEAL_RECORDS;
    if (memcmp(&root, &stored, sizeof root) == 0)
        return 0;
    uint64_t first = index * DK_SEAL_RECORDS + 1;
    return find_fault(v, first, DK_ECORRUPT,
                      "the seal of positions %" PRIu64 " to %" PRIu64 " is not theirs", first,
                      first + DK_SEAL_RECORDS - 1);
}

static int add_leaf(struct verifier *v, const void *record, size_t bytes, struct dk_err *err)
{
    struct dk_hash leaf = dk_merkle_leaf(record, bytes);
    dk_merkle_add(&v->tree, &leaf);
    dk_merkle_add(&v->sealed, &leaf);
    return v->sealed.count == DK_SEAL_RECORDS ? check_seal(v, err) : 0;
}

/* ---------------------------------------------------------------- the whole log */

static int check_batch(struct verifier *v, struct dk_err *err)
{
    const struct dk_batch *batch = &v->records.batch;
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t position = batch->first + i;
        if (position > v->total)
            return 0;
        size_t bytes;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        int rc = check_record(v, position, record, bytes, err);
        if (rc == 0)
            rc = add_leaf(v, record, bytes, err);
        if (rc != 0)
            return rc;
        v->report->records++;
    }
    return 0;
}

/* A block that cannot be opened ends where reading succeeds again. One finding says it; empty
 * leaves stand in for its records. */
static int pass_damage(struct verifier *v, uint64_t position, const struct dk_err *fault,
                       struct dk_err *err)
{
    int rc = find_fault(v, position, fault->code, "%s", fault->message);
    int reading = fault->code;
    for (uint64_t at = position; rc == 0 && at <= v->total && reading != 0; at++) {
        rc = mark_damaged(v, at, err);
        if (rc == 0)
            rc = add_leaf(v, "", 0, err);
        if (rc == 0)
            reading = dk_log_read(v->reader, at + 1, 1, &v->records, NULL);
    }
    return rc;
}

static int check_log(struct verifier *v, struct dk_err *err)
{
    const struct dk_verify_options *options = v->options;
    while (v->tree.count < v->total) {
        uint64_t position = v->tree.count + 1;
        struct dk_err fault;
        int rc = dk_log_read(v->reader, position, DK_READ_MAX_BYTES, &v->records, &fault);
        if (rc == DK_ECORRUPT || rc == DK_EVERSION)
            rc = pass_damage(v, position, &fault, err);
        else if (rc != 0)
            return dk_err_set(err, rc, "%s", fault.message);
        else if (v->records.batch.count == 0)
            return dk_err_set(err, DK_ECORRUPT, "the log ends before position %" PRIu64, position);
        else
            rc = check_batch(v, err);
        if (rc == 0 && options->on_progress != NULL)
            rc = options->on_progress(options->arg, v->tree.count, v->total);
        if (rc != 0)
            return rc;
    }
    v->report->tree_head = dk_merkle_root(&v->tree);
    return 0;
}

int dk_verify(struct dk_log *log, const struct dk_verify_options *options,
              struct dk_verify_report *report, struct dk_err *err)
{
    struct verifier v = {.options = options, .report = report, .recorded_us = INT64_MIN};
    memset(report, 0, sizeof *report);
    dk_records_init(&v.records);
    dk_map_init(&v.subjects, sizeof(struct link), DK_VERIFY_SUBJECTS_MAX);
    dk_map_init(&v.damaged, 1, DK_VERIFY_SUBJECTS_MAX);
    dk_merkle_init(&v.tree);
    dk_merkle_init(&v.sealed);

    int rc = dk_log_last(log, &v.total, err);
    if (rc == 0)
        rc = dk_log_reader_new(&v.reader, log, err);
    if (rc == 0)
        rc = check_log(&v, err);
    dk_log_reader_free(&v.reader);
    dk_records_close(&v.records);
    dk_map_close(&v.subjects);
    dk_map_close(&v.damaged);
    return rc;
}
