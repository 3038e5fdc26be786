/* What one desk sends: tickets opened and worked on, as legal events of about 200 bytes.
 *
 * Some eleven events a ticket: its Opened, then messages of the customer, notes, priorities, time
 * logged, and the status going between open and pending. A producer numbers them without a gap. */
#ifndef DK_BENCH_WORKLOAD_H
#define DK_BENCH_WORKLOAD_H

#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct dk_workload;

#define DK_WORKLOAD_RECORD_MAX 384

/* Who works on the tickets, as YAML: for dk_site_apply, before a broker takes these events. */
#define DK_WORKLOAD_ORGANIZATION "agents:\n  ada: {first_name: Ada, surname: Bench}\n"

/* Events of `producer`, numbered from `last_number` + 1 on. Equal seeds give equal streams. */
int dk_workload_new(struct dk_workload **workload, uint64_t producer, uint64_t last_number,
                    uint64_t seed, struct dk_err *err);
void dk_workload_free(struct dk_workload **workload);

/* A request begins: the tickets it opens are named by their place in it. */
void dk_workload_begin(struct dk_workload *workload);
/* The next event, good until the next call. */
const uint8_t *dk_workload_next(struct dk_workload *workload, size_t *bytes);
/* A ticket that an answer said was opened: later events may be about it. */
void dk_workload_opened(struct dk_workload *workload, uint64_t ticket);

#endif
