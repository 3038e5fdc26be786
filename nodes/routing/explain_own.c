/* Decisions that a ticket by itself was owed, recomputed: what owed.c says of it then. */
#include "nodes/routing/explain.h"
#include "nodes/routing/owed.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX    64 /* of the catalogue */
#define NODE_AHEAD_US DK_SECOND_US

const Docket__Decision *dk_routing_own_decision(const struct dk_envelope *event,
                                                const ProtobufCMessage *body)
{
    const Docket__HandoverDeclared *handover = (const void *)body;
    if (body == NULL) {
        return NULL;
    }
    switch (event->kind) {
    case DK_KIND_ROUTED: return ((const Docket__Routed *)(const void *)body)->decision;
    case DK_KIND_OFFER_DECLINED:
        return ((const Docket__OfferDeclined *)(const void *)body)->decision;
    case DK_KIND_REPEAT_NOTED: return ((const Docket__RepeatNoted *)(const void *)body)->decision;
    case DK_KIND_HANDOVER_DECLARED: return handover->has_judged_us ? NULL : handover->decision;
    default: return NULL;
    }
}

/* ---------------------------------------------------------------- comparing */

static bool same_body(const ProtobufCMessage *a, const ProtobufCMessage *b)
{
    size_t bytes = protobuf_c_message_get_packed_size(a);
    if (protobuf_c_message_get_packed_size(b) != bytes) {
        return false;
    }
    uint8_t *packed = malloc(2 * bytes + 1);
    DK_ASSERT(packed != NULL);
    (void)protobuf_c_message_pack(a, packed);
    (void)protobuf_c_message_pack(b, packed + bytes);
    bool same = memcmp(packed, packed + bytes, bytes) == 0;
    free(packed);
    return same;
}

bool dk_routing_owes_same(struct dk_routing *self, const struct dk_envelope *event,
                          const ProtobufCMessage *body, int64_t at_us, int64_t *again_us,
                          struct dk_explanation *explanation)
{
    struct dk_intents intents;
    struct dk_arena arena;
    bool owed = false, same = false;
    DK_ASSERT(dk_arena_init(&arena, DK_UNPACK_MAX_BYTES) == 0);
    *again_us = INT64_MAX;
    dk_intents_init(&intents, DK_ROLE_ROUTING, explanation->decision.rule_version);
    dk_intents_clear(&intents, explanation->decision.basis);
    dk_routing_consider_ticket(self, event->subject, at_us, &intents, again_us);
    for (size_t i = 0; i < intents.count; i++) {
        struct dk_slice record = dk_intents_event(&intents, i);
        if (dk_event_load_kind(record.data) == event->kind) {
            const ProtobufCMessage *rules = dk_body_unpack(&arena, record.data, record.size, NULL);
            owed = true;
            same |= rules != NULL && same_body(rules, body);
        }
    }
    dk_intents_close(&intents);
    dk_arena_close(&arena);
    (void)snprintf(explanation->differs, sizeof explanation->differs, "%s",
                   same   ? ""
                   : owed ? "by the rules it says something else"
                          : "by the rules it was not owed");
    return same;
}

/* ---------------------------------------------------------------- what was looked at */

static void add(struct dk_explanation *explanation, struct dk_explained_point point)
{
    if (explanation->point_count < DK_EXPLAINED_POINTS) {
        explanation->point[explanation->point_count++] = point;
    }
}

/* R1: from the product up to the nearest node with a route. */
static void look_up_catalogue(const struct dk_routing *self, const struct dk_routing_ticket *row,
                              const struct dk_ticket *life, struct dk_explanation *explanation)
{
    const struct dk_refs *refs = self->world->refs;
    int64_t at_us = explanation->judged_us;
    unsigned line = row->wish_line != 0 ? row->wish_line : 1;
    uint64_t product = life->product, group = 0;
    struct dk_settings settings;
    if (product == 0) {
        add(explanation, (struct dk_explained_point){.why = "the ticket has no product"});
    }
    for (int level = 0; level < LEVELS_MAX && product != 0 && group == 0; level++) {
        const Docket__ProductDefined *body = dk_refs_product(refs, product, at_us);
        for (size_t i = 0; body != NULL && i < body->n_route && group == 0; i++) {
            group = body->route[i]->line == line ? body->route[i]->group : 0;
        }
        add(explanation, (struct dk_explained_point){.about = product,
                                                     .group = group,
                                                     .why = group != 0     ? "has the route"
                                                            : body != NULL ? "has no such route"
                                                                           : "was not defined"});
        product = body != NULL && body->has_parent ? body->parent : 0;
    }
    if (group == 0 && life->group == 0) {
        dk_refs_settings(refs, at_us, &settings);
        add(explanation, (struct dk_explained_point){.group = settings.default_group,
                                                     .why = "the settings' default group"});
    }
}

/* Of a step that leads to a group. */
static const char *why_no_group(const struct dk_routing *self, const struct dk_routing_ticket *row,
                                unsigned step, int64_t at_us)
{
    const Docket__GroupDefined *home = dk_refs_group(self->world->refs, row->home, at_us);
    if (home == NULL) {
        return "the group where it began to wait is not defined";
    }
    uint64_t named =
        step == DOCKET__RELAXATION__RELAX_SECONDARY ? home->secondary : home->next_site_group;
    return named == 0            ? "the group names none"
           : named == row->queue ? "it waits there already"
                                 : "that group is not defined";
}

void dk_routing_explain_steps(struct dk_routing *self, struct dk_explanation *explanation)
{
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, explanation->ticket, NULL);
    int64_t at_us = explanation->judged_us, unused_us = INT64_MAX;
    struct dk_terms terms;
    struct dk_ask ask;
    dk_terms_at(self, at_us, &terms);
    if (terms.settings.queue_timeout_us == 0) {
        add(explanation,
            (struct dk_explained_point){.why = "no step is ever taken: queue_timeout is 0"});
        return;
    }
    dk_ask_of(self, explanation->ticket, &terms, at_us, &ask);
    for (unsigned step = 1; step <= DOCKET__RELAXATION__RELAX_ON_CALL; step++) {
        bool elsewhere = step == DOCKET__RELAXATION__RELAX_SECONDARY ||
                         step == DOCKET__RELAXATION__RELAX_NEXT_SITE;
        uint64_t group = elsewhere ? dk_routing_group_of_step(self, row, step, at_us) : 0;
        const char *why = "it has been taken";
        if (step > row->relaxation && elsewhere && group == 0) {
            why = why_no_group(self, row, step, at_us);
        } else if (step > row->relaxation) {
            why = dk_routing_step_adds(self, row, &ask, step, &unused_us)
                      ? "it reaches somebody"
                      : "it reaches nobody at work who is not reached without it";
        }
        add(explanation, (struct dk_explained_point){.step = step, .group = group, .why = why});
    }
}

static void look_at_offer(const struct dk_routing_ticket *row, const struct dk_ticket *life,
                          struct dk_explanation *explanation)
{
    add(explanation, (struct dk_explained_point){.about = life->offered,
                                                 .why = "has not answered the offer by",
                                                 .at_us = row->expires_us});
}

static void look_at_return(const struct dk_routing *self, const struct dk_routing_ticket *row,
                           const struct dk_ticket *life, struct dk_explanation *explanation)
{
    int64_t begins_us =
        dk_routing_next_shift_us(self->world->refs, life->returns_to, row->handed_us);
    add(explanation, (struct dk_explained_point){.about = life->owner,
                                                 .why = "has had it for a while since",
                                                 .at_us = row->handed_us});
    add(explanation, (struct dk_explained_point){.about = life->returns_to,
                                                 .why = "whose it is: the next shift began",
                                                 .at_us = begins_us});
}

static void look_at_contacts(const struct dk_routing *self, const struct dk_ticket *life,
                             struct dk_explanation *explanation)
{
    static const char *const why[] = {
        [DK_CONTACT_SAME] = "about the same, and not long before",
        [DK_CONTACT_ITSELF] = NULL,
        [DK_CONTACT_LATER] = "was opened later",
        [DK_CONTACT_LONG_AGO] = "was opened too long before",
        [DK_CONTACT_OTHER] = "is about something else",
    };
    size_t bytes = 0;
    const struct dk_routing_contact *contact = dk_table_get(self->contacts, life->customer, &bytes);
    for (size_t i = contact != NULL ? bytes / sizeof *contact : 0; i-- > 0;) {
        enum dk_contact found = dk_routing_judge_contact(self, explanation->ticket, life,
                                                         &contact[i], explanation->judged_us);
        if (why[found] != NULL) {
            add(explanation, (struct dk_explained_point){.about = contact[i].ticket,
                                                         .why = why[found],
                                                         .at_us = contact[i].opened_us});
        }
    }
}

/* When it was judged: as a rule at its record. A version may have come into force between that and
 * the basis; and a node's clock may be a little ahead of the broker's, who stamps. */
static int64_t find_instant(struct dk_routing *self, const struct dk_envelope *event,
                            const ProtobufCMessage *body, struct dk_explanation *explanation)
{
    int64_t again_us, unused_us, basis_us = self->world->recorded_us;
    if (dk_routing_owes_same(self, event, body, event->recorded_us, &again_us, explanation)) {
        return event->recorded_us;
    }
    if (again_us < event->recorded_us + NODE_AHEAD_US &&
        dk_routing_owes_same(self, event, body, again_us, &unused_us, explanation)) {
        return again_us;
    }
    return dk_routing_owes_same(self, event, body, basis_us, &unused_us, explanation)
               ? basis_us
               : event->recorded_us;
}

void dk_routing_explain_own(struct dk_routing *self, const struct dk_envelope *event,
                            const ProtobufCMessage *body, struct dk_explanation *explanation)
{
    const struct dk_ticket *life = dk_table_get(self->world->tickets, event->subject, NULL);
    const struct dk_routing_ticket *row = dk_table_get(self->tickets, event->subject, NULL);
    explanation->judged_us = find_instant(self, event, body, explanation);
    if (event->kind == DK_KIND_ROUTED && row->relax_wish != 0 && row->wish_line == 0) {
        add(explanation,
            (struct dk_explained_point){.step = row->relax_wish,
                                        .group = dk_routing_group_of_step(
                                            self, row, row->relax_wish, explanation->judged_us),
                                        .why = "the step that was said before"});
    } else if (event->kind == DK_KIND_ROUTED) {
        look_up_catalogue(self, row, life, explanation);
    } else if (event->kind == DK_KIND_OFFER_DECLINED) {
        look_at_offer(row, life, explanation);
    } else if (event->kind == DK_KIND_HANDOVER_DECLARED) {
        look_at_return(self, row, life, explanation);
    } else {
        look_at_contacts(self, life, explanation);
    }
}
