/* A parcel: the events that go to the broker in one atomic request. Cases stand in it whole; a case
 * that is larger than a request is cut between rows. */
#ifndef DK_IMPORT_PARCEL_H
#define DK_IMPORT_PARCEL_H

#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/event/wire.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_parcel_event {
    uint64_t case_id; /* 0: of reference data, or of the import itself */
    uint64_t line;    /* of the row that makes it */
    uint64_t number;
    uint32_t offset;
    uint32_t bytes;
};

struct dk_parcel {
    struct dk_buf records;
    size_t count;
    size_t opened_count;
    uint64_t opened[DK_REQUEST_MAX_EVENTS]; /* the case that the k-th Opened opens */
    struct dk_parcel_event event[DK_REQUEST_MAX_EVENTS];
    uint64_t first_number; /* the producer's, of the first event */
    uint64_t request;      /* its id, while it is in flight */
};

void dk_parcel_init(struct dk_parcel *parcel);
void dk_parcel_close(struct dk_parcel *parcel);
void dk_parcel_clear(struct dk_parcel *parcel);

/* Whether `count` more events of `bytes` bytes in all fit. */
bool dk_parcel_fits(const struct dk_parcel *parcel, size_t count, size_t bytes);

/* Copies one event, which fits. A ticket's event (`event->case_id` is not 0) gets `ticket` as its
 * subject; with 0 the number of the parcel's Opened of that case, which stands before it. */
void dk_parcel_add(struct dk_parcel *parcel, const struct dk_parcel_event *event,
                   const uint8_t *record, uint64_t ticket);

/* Takes event `i` out, and, when it is a ticket's, all later ones of its case: what a refusal
 * leaves to be sent. Returns how many. */
size_t dk_parcel_drop(struct dk_parcel *parcel, size_t i);

/* Stamps producer and numbers, and fills `slice` with the events. */
void dk_parcel_number(struct dk_parcel *parcel, uint64_t producer, uint64_t first_number,
                      struct dk_slice slice[DK_REQUEST_MAX_EVENTS]);

#endif
