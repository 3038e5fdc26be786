/* Repeat contacts: a customer who comes again about the same is not to tell it all again. */
#include "nodes/routing/owed.h"
#include "proto/base/time.h"
#include <string.h>

/* One product is the other or lies below it; one that is not known is not the same as any. */
static bool same_matter(const struct dk_refs *refs, uint64_t a, uint64_t b, int64_t at_us)
{
    return a != 0 && b != 0 &&
           (dk_refs_product_within(refs, a, b, at_us) || dk_refs_product_within(refs, b, a, at_us));
}

enum dk_contact dk_routing_judge_contact(const struct dk_routing *self, uint64_t ticket,
                                         const struct dk_ticket *life,
                                         const struct dk_routing_contact *contact, int64_t at_us)
{
    struct dk_settings settings;
    dk_refs_settings(self->world->refs, at_us, &settings);
    int64_t oldest_us = life->opened_us - (int64_t)settings.repeat_contact_days * DK_DAY_US;
    if (contact->ticket == ticket) {
        return DK_CONTACT_ITSELF;
    }
    if (contact->opened_us > life->opened_us) {
        return DK_CONTACT_LATER;
    }
    if (contact->opened_us < oldest_us) {
        return DK_CONTACT_LONG_AGO;
    }
    return same_matter(self->world->refs, life->product, contact->product, at_us)
               ? DK_CONTACT_SAME
               : DK_CONTACT_OTHER;
}

/* The customer's latest ticket before this one about the same, opened not too long before; or 0. */
static uint64_t find_earlier(const struct dk_routing *self, const struct dk_event *event)
{
    size_t bytes = 0;
    const struct dk_routing_contact *contact =
        dk_table_get(self->contacts, event->after->customer, &bytes);
    for (size_t i = contact != NULL ? bytes / sizeof *contact : 0; i-- > 0;) {
        if (dk_routing_judge_contact(self, event->envelope->subject, event->after, &contact[i],
                                     event->envelope->occurred_us) == DK_CONTACT_SAME) {
            return contact[i].ticket;
        }
    }
    return 0;
}

/* A ticket is no longer among a customer's. */
static void drop(struct dk_routing *self, uint64_t ticket, uint64_t customer)
{
    size_t bytes = 0, at;
    const struct dk_routing_contact *held = dk_table_get(self->contacts, customer, &bytes);
    size_t count = held != NULL ? bytes / sizeof *held : 0;
    for (at = 0; at < count && held[at].ticket != ticket; at++) {
    }
    if (at == count) {
        return;
    }
    if (count == 1) {
        dk_table_remove(self->contacts, customer);
        return;
    }
    struct dk_routing_contact *list = dk_table_edit(self->contacts, customer, bytes);
    memmove(list + at, list + at + 1, (count - 1 - at) * sizeof *list);
    (void)dk_table_edit(self->contacts, customer, (count - 1) * sizeof *list);
}

/* Enters a ticket among the customer's by when it was opened. */
static void enter(struct dk_routing *self, uint64_t ticket, const struct dk_ticket *life)
{
    size_t bytes = 0, at;
    const struct dk_routing_contact *held = dk_table_get(self->contacts, life->customer, &bytes);
    size_t count = held != NULL ? bytes / sizeof *held : 0;
    bool full = count == DK_CONTACTS_MAX;
    if (full && life->opened_us < held[0].opened_us) {
        return; /* the oldest is forgotten */
    }
    struct dk_routing_contact *list =
        dk_table_edit(self->contacts, life->customer, (full ? count : count + 1) * sizeof *list);
    if (full) {
        count--;
        memmove(list, list + 1, count * sizeof *list);
    }
    for (at = count; at > 0 && list[at - 1].opened_us > life->opened_us; at--) {
        list[at] = list[at - 1];
    }
    list[at] = (struct dk_routing_contact){ticket, life->product, life->opened_us};
}

void dk_routing_note_contact(struct dk_routing *self, struct dk_routing_ticket *row,
                             const struct dk_event *event)
{
    const struct dk_ticket *life = event->after, *before = event->before;
    uint64_t ticket = event->envelope->subject;
    bool opens = event->envelope->kind == DK_KIND_OPENED;
    if (!opens && life->customer == before->customer && life->product == before->product) {
        return;
    }
    if (opens) { /* whoever opened it may have said it */
        row->repeat_said = ((const Docket__Opened *)(const void *)event->body)->has_repeat_of != 0;
    } else if (life->customer != before->customer) {
        row->repeat_said = 0; /* that was another customer's matter */
    }
    if (!opens && before->customer != 0) {
        drop(self, ticket, before->customer);
    }
    row->repeat_of = 0;
    if (life->customer == 0) {
        return;
    }
    if (!dk_ticket_historical(life) && !row->repeat_said) {
        row->repeat_of = find_earlier(self, event);
        row->repeat_cause = event->envelope->position;
    }
    enter(self, ticket, life);
}
