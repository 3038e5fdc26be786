#include "nodes/sla/reach.h"
#include "nodes/sla/state.h"
#include <stdlib.h>

#define ENTRIES_MIN ((size_t)256)
#define CHAIN_MAX   1024 /* tickets of a customer; who has more is walked for */

void dk_reach_init(struct dk_reach *reach)
{
    *reach = (struct dk_reach){.newest_us = INT64_MIN, .from_us = INT64_MAX};
    dk_map_init(&reach->newest_of, sizeof(uint32_t), UINT32_MAX);
}

void dk_reach_close(struct dk_reach *reach)
{
    dk_map_close(&reach->newest_of);
    free(reach->entry);
}

/* ---------------------------------------------------------------- which tickets there are */

static void add_entry(struct dk_reach *reach, uint64_t ticket, uint64_t customer)
{
    uint32_t *newest = customer != 0 ? dk_map_put(&reach->newest_of, customer, NULL) : NULL;
    if (reach->count == reach->capacity) {
        reach->capacity = reach->capacity == 0 ? ENTRIES_MIN : 2 * reach->capacity;
        reach->entry = realloc(reach->entry, reach->capacity * sizeof *reach->entry);
        DK_ASSERT(reach->entry != NULL && reach->capacity < UINT32_MAX);
    }
    reach->entry[reach->count++] =
        (struct dk_reach_entry){.ticket = ticket, .next = newest != NULL ? *newest : 0};
    if (newest != NULL) {
        *newest = (uint32_t)reach->count;
    }
}

/* A ticket that was opened without a customer has an entry all the same. */
void dk_reach_note(struct dk_reach *reach, uint64_t ticket, const struct dk_transition *transition,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = dk_transition_value(&transition[i]);
        enum dk_change what = dk_transition_what(&transition[i]);
        if (what == DK_CHANGE_OPENED) {
            add_entry(reach, ticket, 0);
        } else if (what == DK_CHANGE_CUSTOMER && value != 0) {
            add_entry(reach, ticket, dk_id_make(DK_SUBJECT_CUSTOMER, value));
        }
        if (transition[i].occurred_us > reach->newest_us) {
            reach->newest_us = transition[i].occurred_us;
        }
    }
}

/* ---------------------------------------------------------------- what is concerned */

/* S7: whether all open tickets were judged by something that was published since. */
static bool published_since(const struct dk_sla *self, int64_t from_us)
{
    const struct dk_refs_version *next =
        dk_refs_next_publication(self->world->refs, from_us > INT64_MIN ? from_us - 1 : from_us);
    return next != NULL && next->effective_us <= self->world->recorded_us;
}

/* Nothing of a ticket counts on when it is over, but a clock of the supplier that has it. */
static bool is_over(const struct dk_ticket *life)
{
    return life->status == DOCKET__STATUS__STATUS_MERGED ||
           (life->status == DOCKET__STATUS__STATUS_CLOSED && life->supplier == 0);
}

/* Looks at a ticket again if it was judged at an instant or later; with `open`, if not over. */
static void look_again(struct dk_sla *self, uint64_t ticket, int64_t from_us, bool open)
{
    size_t bytes = 0;
    const struct dk_ticket *life = dk_table_get(self->world->tickets, ticket, NULL);
    const struct dk_transition *list = dk_table_get(self->transitions, ticket, &bytes);
    size_t count = bytes / sizeof *list;
    if (life == NULL || count == 0 || dk_ticket_historical(life)) {
        return;
    }
    if (list[count - 1].occurred_us >= from_us || (open && !is_over(life))) {
        dk_agenda_touch(self->reach.agenda, ticket);
        dk_breaches_stale(self, ticket);
    }
}

/* ---------------------------------------------------------------- definitions */

/* What holds for open tickets from an instant on, whatever has happened to them by then. */
static bool is_for_open(const struct dk_refs_version *version)
{
    const Docket__PolicyDefined *policy = (const void *)version->body;
    const Docket__CalendarDefined *calendar = (const void *)version->body;
    if (version->kind == DK_KIND_POLICY_DEFINED) {
        return policy->publish == DOCKET__PUBLICATION__PUBLISH_OPEN;
    }
    return version->kind == DK_KIND_CALENDAR_DEFINED &&
           (!calendar->has_publish || calendar->publish == DOCKET__PUBLICATION__PUBLISH_OPEN);
}

/* What promises are chosen by, counted by, or priced by. */
static bool is_looked_at(uint32_t kind)
{
    switch (kind) {
    case DK_KIND_CALENDAR_DEFINED:
    case DK_KIND_POLICY_DEFINED:
    case DK_KIND_SETTINGS_DEFINED:
    case DK_KIND_CONTRACT_DEFINED:
    case DK_KIND_PRODUCT_DEFINED:
    case DK_KIND_CUSTOMER_DEFINED:
    case DK_KIND_COMPANY_DEFINED: return true;
    default: return false;
    }
}

/* false: the customer has too many. */
static bool customers_tickets(struct dk_sla *self, uint64_t customer, int64_t from_us, bool open)
{
    const struct dk_reach *reach = &self->reach;
    const uint32_t *newest = dk_map_get(&reach->newest_of, customer);
    uint32_t first = newest != NULL ? *newest : 0;
    size_t length = 0;
    for (uint32_t at = first; at != 0 && length <= CHAIN_MAX; at = reach->entry[at - 1].next) {
        length++;
    }
    for (uint32_t at = first; at != 0 && length <= CHAIN_MAX; at = reach->entry[at - 1].next) {
        look_again(self, reach->entry[at - 1].ticket, from_us, open);
    }
    return length <= CHAIN_MAX;
}

/* From here on once round, for this and for what the walk was for already. */
static void walk_for(struct dk_reach *reach, int64_t from_us, bool open)
{
    reach->left = reach->count;
    reach->open = reach->open || open;
    reach->from_us = from_us < reach->from_us ? from_us : reach->from_us;
    dk_agenda_touch(reach->agenda, DK_REACH_ITEM);
}

void dk_reach_defined(struct dk_sla *self, const struct dk_envelope *envelope,
                      struct dk_agenda *agenda)
{
    if (!is_looked_at(envelope->kind)) {
        return;
    }
    const struct dk_refs_version *version =
        dk_refs_version_of(self->world->refs, envelope->subject, envelope->subject_version);
    int64_t from_us = version->effective_us;
    bool since = published_since(self, from_us), open = since || is_for_open(version);
    self->reach.agenda = agenda;
    if (!open && from_us > self->reach.newest_us) {
        return;
    }
    if (envelope->kind != DK_KIND_CUSTOMER_DEFINED ||
        !customers_tickets(self, envelope->subject, from_us, open)) {
        walk_for(&self->reach, from_us, open);
    }
}

bool dk_reach_walk(struct dk_sla *self)
{
    struct dk_reach *reach = &self->reach;
    for (size_t n = 0; n < DK_REACH_SLICE && reach->left > 0; n++, reach->left--) {
        reach->at = reach->at < reach->count ? reach->at : 0;
        look_again(self, reach->entry[reach->at++].ticket, reach->from_us, reach->open);
    }
    if (reach->left == 0) {
        reach->from_us = INT64_MAX;
        reach->open = false;
    }
    return reach->left > 0;
}
