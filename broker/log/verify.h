/* verify: reads a whole log and proves what can be proved of it.
 *
 * For every record: canonical form, crc, position (dense), recorded_us (never decreasing),
 * subject_version and previous (each subject's chain is whole); for every stored seal: the root
 * recomputed from the records equals it. A flipped bit is named by position: one finding for a
 * damaged record (what follows from it is not reported again), one for the seal it is under.
 *
 * Memory: the records of one read, and about 50 bytes a subject. */
#ifndef DK_LOG_VERIFY_H
#define DK_LOG_VERIFY_H

#include "broker/log/log.h"
#include "broker/log/seals.h"

struct dk_verify_finding {
    uint64_t position;
    int code; /* DK_ECORRUPT, DK_ECANON, ... */
    const char *message;
};

struct dk_verify_report {
    uint64_t records;
    uint64_t subjects;
    uint64_t findings;
    uint64_t sealed;
    struct dk_hash tree_head; /* over all records, only meaningful without findings */
};

struct dk_verify_options {
    /* NULL: seals are not compared. */
    struct dk_seals *seals;
    /* Called for each finding; non-zero stops. May be NULL. */
    int (*on_finding)(void *arg, const struct dk_verify_finding *finding);
    /* Called now and then with positions done and in all; non-zero stops. May be NULL. */
    int (*on_progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
};

/* Verifies up to what is the last position at the start. 0 when the log was read to there (look at
 * report->findings), the callback's return that stopped it, DK_ENOMEM (more subjects than
 * DK_VERIFY_SUBJECTS_MAX), DK_EIO. */
#define DK_VERIFY_SUBJECTS_MAX (UINT64_C(1) << 28)

int dk_verify(struct dk_log *log, const struct dk_verify_options *options,
              struct dk_verify_report *report, struct dk_err *err);

#endif
