/* N4: "did it work?", some working days after a ticket was solved, once a solving. */
#include "nodes/notification/state.h"

static bool is_solved(const struct dk_ticket *ticket)
{
    return ticket->status == DOCKET__STATUS__STATUS_SOLVED;
}

static void solved(struct dk_notification *self, const struct dk_event *event)
{
    const struct dk_envelope *envelope = event->envelope;
    struct dk_settings settings;
    dk_refs_settings(self->world->refs, envelope->occurred_us, &settings);
    if (settings.follow_up_days == 0 || dk_ticket_historical(event->after) ||
        (envelope->flags & DOCKET__EVENT_FLAG__FLAG_IMPORTED) != 0) {
        return;
    }
    int64_t due_us = dk_refs_working_days_us(self->world->refs, settings.calendar,
                                             envelope->occurred_us, settings.follow_up_days);
    struct dk_follow_up *owed = dk_table_edit(self->follow_ups, envelope->subject, 0);
    *owed = (struct dk_follow_up){due_us, envelope->position};
}

void dk_follow_up_apply(struct dk_notification *self, const struct dk_event *event)
{
    uint32_t kind = event->envelope->kind;
    bool over = !is_solved(event->after) || kind == DK_KIND_RATED || kind == DK_KIND_FOLLOWED_UP ||
                (event->after->flags & DK_TICKET_AWAY) != 0;
    if (over && dk_table_get(self->follow_ups, event->envelope->subject, NULL) != NULL) {
        dk_table_remove(self->follow_ups, event->envelope->subject);
    } else if (!over && !is_solved(event->before)) {
        solved(self, event);
    }
}

bool dk_follow_up_consider(const struct dk_notification *self, uint64_t ticket, int64_t now_us,
                           struct dk_intents *intents, int64_t *again_us)
{
    Docket__FollowedUp followed_up = DOCKET__FOLLOWED_UP__INIT;
    const struct dk_follow_up *owed = dk_table_get(self->follow_ups, ticket, NULL);
    if (owed == NULL) {
        return true;
    }
    if (owed->due_us > now_us) {
        *again_us = owed->due_us < *again_us ? owed->due_us : *again_us;
        return true;
    }
    return dk_intents_add(intents, ticket, DK_KIND_FOLLOWED_UP, &followed_up.base, owed->cause);
}
