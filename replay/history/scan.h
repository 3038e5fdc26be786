/* Reads a log from one position to another, block by block, wherever it is read from. */
#ifndef DK_REPLAY_HISTORY_SCAN_H
#define DK_REPLAY_HISTORY_SCAN_H

#include "broker/log/log.h"
#include "nodes/runtime/source.h"

struct dk_scan {
    uint64_t from; /* >= 1 */
    uint64_t to;   /* the last position wanted; UINT64_MAX: to the log's end */
    void *arg;
    /* Each record, borrowed and verified: a damaged one ends the scan, so that nobody takes it for
     * good. Non-zero stops the scan and is its result. */
    int (*on_record)(void *arg, const uint8_t *record, size_t record_bytes);
    /* Now and then, with the position reached; non-zero stops. May be NULL. */
    int (*on_progress)(void *arg, uint64_t position);
};

/* 0 at the end, what a callback returned, DK_ECORRUPT, DK_EIO, DK_ETIMEOUT. */
int dk_scan_log(const struct dk_scan *scan, struct dk_log_reader *reader, struct dk_err *err);
int dk_scan_source(const struct dk_scan *scan, struct dk_source *source, struct dk_err *err);

#endif
