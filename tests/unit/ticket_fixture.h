/* A small cast for the tests of a ticket's life: ids, a ticket in any status, a stamped event. */
#ifndef DK_TESTS_TICKET_FIXTURE_H
#define DK_TESTS_TICKET_FIXTURE_H

#include "proto/fold/ticket.h"

#define ANNA        dk_id_make(DK_SUBJECT_AGENT, 1)
#define BERT        dk_id_make(DK_SUBJECT_AGENT, 2)
#define SUPPORT     dk_id_make(DK_SUBJECT_GROUP, 1)
#define NETWORK     dk_id_make(DK_SUBJECT_GROUP, 2)
#define VPN         dk_id_make(DK_SUBJECT_PRODUCT, 1)
#define CARL        dk_id_make(DK_SUBJECT_CUSTOMER, 1)
#define DORA        dk_id_make(DK_SUBJECT_CUSTOMER, 2)
#define ACME        dk_id_make(DK_SUBJECT_SUPPLIER, 1)
#define ROOM        dk_id_make(DK_SUBJECT_FIELD, 1)
#define TICKET      dk_ticket_make(1, 1042)
#define OTHER       dk_ticket_make(1, 1043)
#define BY_ANNA     dk_id_make(DK_ACTOR_AGENT, 1)
#define BY_BERT     dk_id_make(DK_ACTOR_AGENT, 2)
#define BY_CARL     dk_id_make(DK_ACTOR_CUSTOMER, 1)
#define BY_OPERATOR dk_id_make(DK_ACTOR_OPERATOR, 1)
#define BY_SUPPLIER dk_id_make(DK_ACTOR_SUPPLIER, 1)
#define BY_ROUTING  dk_id_make(DK_ACTOR_NODE, DK_ROLE_ROUTING)
#define BY_SLA      dk_id_make(DK_ACTOR_NODE, DK_ROLE_SLA)
#define BY_IMPORTER dk_id_make(DK_ACTOR_IMPORTER, 1)

#define DAY_US (INT64_C(24) * 3600 * 1000000)
#define NOW_US (INT64_C(20000) * DAY_US)

/* Anna's ticket of Carl's, on line 1, ended two days ago where it is not live; pending waits for
 * the customer. All zero for none. */
static inline struct dk_ticket fixture_ticket(unsigned status)
{
    struct dk_ticket ticket = {0};

    if (status == DOCKET__STATUS__STATUS_NONE)
        return ticket;
    ticket = (struct dk_ticket){
        .last_position = 70,
        .last_input = 70,
        .group = SUPPORT,
        .owner = ANNA,
        .speaker = ANNA,
        .customer = CARL,
        .opened_us = NOW_US - 3 * DAY_US,
        .version = 7,
        .status = (uint8_t)status,
        .priority = DOCKET__PRIORITY__PRIORITY_HIGH,
        .line = 1,
    };
    if (status == DOCKET__STATUS__STATUS_PENDING)
        ticket.pending = DOCKET__PENDING__PENDING_CUSTOMER;
    if (!dk_ticket_live(&ticket))
        ticket.ended_us = NOW_US - 2 * DAY_US;
    return ticket;
}

/* As the broker stamps it: the ticket's next event, now. */
static inline struct dk_envelope fixture_event(const struct dk_ticket *ticket, uint32_t kind,
                                               uint64_t actor)
{
    return (struct dk_envelope){
        .format = DK_EVENT_FORMAT,
        .position = ticket->last_position + 10,
        .previous = ticket->last_position,
        .recorded_us = NOW_US,
        .occurred_us = NOW_US,
        .subject = TICKET,
        .subject_version = ticket->version + 1,
        .kind = kind,
        .actor = actor,
    };
}

#endif
