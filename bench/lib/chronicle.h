/* Years of a support organization's work as one log: a function of a seed and a count of events.
 *
 *   definitions, then:  opened -> routed -> assigned -> reply <-> customer ... -> solved -> closed
 *                                    ^         |  escalated, handed over,   |         |
 *                                    +---------+  pending, with a supplier  +<-reopened
 *
 * Some eleven events a ticket, 200 bytes each on average, ordered by recorded time: over three
 * years, four sites, 20 groups on three lines, 200 agents, 100 products, 500 companies. Each
 * priority has its own times to first reply and resolution; people work in their site's hours. Some
 * tickets are reopened, passed on, merged, repeated, rated, or charged with time afterwards
 * (occurred before recorded); those opened last are open at the end. Companies of a tier have
 * clocks for first reply and resolution: plausible ones, which no SLA node has computed.
 *
 * What is not in it: imports, tickets that agents open by internal notes, offers, notices,
 * transfers, approvals. Every event passes dk_ticket_check with the reference data before it. */
#ifndef DK_BENCH_CHRONICLE_H
#define DK_BENCH_CHRONICLE_H

#include "broker/log/log.h"
#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>

struct dk_chronicle;

struct dk_chronicle_options {
    uint64_t events; /* of the whole history, definitions included: at least 2,000 of them */
    uint64_t seed;   /* equal seeds and counts give equal bytes, on every machine */
};

#define DK_CHRONICLE_SITE       1 /* tickets are of this one; groups and agents of four */
#define DK_CHRONICLE_START_US   INT64_C(1672617600000000) /* 2023-01-02, a Monday */
#define DK_CHRONICLE_DAYS       1096
#define DK_CHRONICLE_EVENTS_MIN 2000

struct dk_chronicle *dk_chronicle_new(const struct dk_chronicle_options *options);
void dk_chronicle_free(struct dk_chronicle **chronicle);

/* The next record, stamped as a broker would, its crc included; good until the next call. NULL
 * after the last. */
const uint8_t *dk_chronicle_next(struct dk_chronicle *chronicle, size_t *bytes);

/* Tickets opened so far. */
uint64_t dk_chronicle_tickets(const struct dk_chronicle *chronicle);

/* Writes a whole history into an empty log that is open for writing; durable on return 0. */
int dk_chronicle_write(struct dk_log *log, const struct dk_chronicle_options *options,
                       struct dk_err *err);

#endif
