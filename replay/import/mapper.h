/* Rows to events.
 *
 * A case's first row opens the ticket, at the source's opening time; then each row makes events of
 * what differs from the row before (of the first: from a new ticket that nobody has), and, in the
 * shape of activities, of the act that it tells. What a row makes depends on it and the rows before
 * it, never on later ones: a longer file only adds events. Everything is pure: no log, no broker.
 *
 *   column changed         event                  not known (a missing mark)
 *   customer               RequesterChanged       as before
 *   product, type,         one Classified         as before
 *   priority, impact,
 *   urgency
 *   group                  Routed                 Routed to 0; a first row always makes one
 *   assignee               Assigned               Assigned to 0
 *   status                 StatusChanged          as before
 *   an attribute           FieldSet               FieldSet without a value
 *
 * What the source's row says word for word (XES) goes in as a SourceRow, in front of all that the
 * row makes but Opened. A change to solved or closed carries what the mapping calls final, as its
 * own row has it: where a ticket was solved twice the last one counts. Agents, groups, products,
 * customers and fields that are met for the first time are defined, in force since ever, in front
 * of the event that names them. A row with anything that cannot be understood makes no event and
 * changes nothing. */
#ifndef DK_IMPORT_MAPPER_H
#define DK_IMPORT_MAPPER_H

#include "proto/base/arena.h"
#include "proto/base/map.h"
#include "replay/import/cases.h"
#include "replay/import/drafts.h"
#include "replay/import/mapping.h"
#include "replay/import/report.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_mapper {
    const struct dk_mapping *mapping;
    struct dk_report *report;
    struct dk_map known; /* subjects that are defined, by the log or by this mapper */
    int64_t latest_us;   /* no row may be later */
    uint8_t salt[DK_SALT_BYTES];
    struct dk_arena arena; /* for what is kept of a row */

    /* The case at hand, as its rows so far have it. */
    struct dk_slice current[DK_MAPPING_COLUMNS_MAX]; /* by slot */
    bool opened;
    int status;
    int pending;
    uint64_t customer;
    struct dk_slice requester; /* the customer as the source has it; empty: nobody yet */
};

/* `latest_us`: the broker's time and DK_FUTURE_MAX_US. Mapping and report are borrowed. */
void dk_mapper_init(struct dk_mapper *mapper, const struct dk_mapping *mapping,
                    const uint8_t salt[DK_SALT_BYTES], int64_t latest_us, struct dk_report *report);
void dk_mapper_close(struct dk_mapper *mapper);

/* The log defines this subject. */
void dk_mapper_know(struct dk_mapper *mapper, uint64_t subject);

/* Adds all events of the case to `drafts`, with subject 0 where it is the ticket, and reports rows
 * that make none because they cannot be understood: they are passed over from then on. Rows that
 * are passed over are as if they were not there. 0, or DK_ETOOBIG (the case does not fit). */
int dk_mapper_case(struct dk_mapper *mapper, const struct dk_case *one, struct dk_drafts *drafts,
                   struct dk_err *err);

/* Takes the drafts of the case that was mapped last back, so that it can be mapped again. */
void dk_mapper_undo(struct dk_mapper *mapper, struct dk_drafts *drafts);

/* Whether the case that was mapped last is neither solved nor closed. */
bool dk_mapper_live(const struct dk_mapper *mapper);

#endif
