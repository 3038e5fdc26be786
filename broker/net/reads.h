/* The fetch pool: old positions and look-ups are read by threads of their own, so that a page fault
 * never delays an append. Jobs go in from the loop, replies come back to it. */
#ifndef DK_NET_READS_H
#define DK_NET_READS_H

#include "broker/log/log.h"
#include "broker/log/lookups.h"
#include "proto/base/limits.h"
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#define DK_READ_THREADS 2
#define DK_READS_QUEUED 256 /* jobs not answered; beyond, a Fetch is refused with DK_EBUSY */

struct dk_reads;

enum dk_read_kind { DK_READ_RANGE, DK_READ_CHAIN, DK_READ_LOOKUP };
struct dk_read_job {
    enum dk_read_kind kind;
    uint64_t connection;
    uint64_t request;
    uint64_t from;        /* range: first position; chain: newest position to give */
    uint32_t max_records; /* 0: what fits DK_FETCH_MAX_BYTES */
    uint64_t subject;     /* chain: records of another subject are never given */
    size_t reference_bytes;
    char reference[DK_KEY_MAX_BYTES]; /* look-up */
};

/* `on_reply` runs on the loop with one encoded Reply. Log and look-ups are borrowed. */
int dk_reads_start(struct dk_reads **reads, struct ev_loop *loop, struct dk_log *log,
                   struct dk_lookups *lookups,
                   void (*on_reply)(void *arg, uint64_t connection, const uint8_t *frame,
                                    size_t bytes),
                   void *arg, struct dk_err *err);
void dk_reads_stop(struct dk_reads **reads);

/* Copies the job. false when DK_READS_QUEUED are not answered yet. On the loop, as on_reply. */
bool dk_reads_put(struct dk_reads *reads, const struct dk_read_job *job);

#endif
