#include "nodes/notification/state.h"
#include "proto/event/body.h"
#include "proto/fold/ticket.h"
#include <string.h>

/* ---------------------------------------------------------------- what is kept of a ticket */

/* In the order of the log: a rule is judged by what is known when its event comes in. */
static bool apply_traits(struct dk_notice_ticket *ticket, const struct dk_event *event)
{
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
    size_t count = dk_transitions_of(event->envelope, event->body, made);
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        changed |= dk_traits_apply(&ticket->traits, &made[i]);
    }
    return changed;
}

static void apply_language(struct dk_notice_ticket *ticket, const struct dk_event *event)
{
    const Docket__Opened *opened = (const void *)event->body;
    const Docket__Classified *classified = (const void *)event->body;
    uint32_t kind = event->envelope->kind;
    if (kind == DK_KIND_OPENED && opened->has_language) {
        dk_notice_set_language(ticket->language, opened->language.data, opened->language.len);
    } else if (kind == DK_KIND_CLASSIFIED && classified->has_language) {
        dk_notice_set_language(ticket->language, classified->language.data,
                               classified->language.len);
    }
}

static void apply_ticket(struct dk_notification *self, const struct dk_event *event)
{
    uint64_t ticket = event->envelope->subject;
    struct dk_notice_ticket kept = {0};
    size_t bytes;
    const void *before = dk_table_get(self->tickets, ticket, &bytes);
    bool opens = event->envelope->kind == DK_KIND_OPENED;
    if (before != NULL) {
        memcpy(&kept, before, bytes);
    }
    if (!apply_traits(&kept, event) && !opens && before != NULL) {
        return;
    }
    if (opens) {
        kept.opened = event->envelope->position;
    }
    apply_language(&kept, event);
    bytes = dk_notice_ticket_bytes(&kept);
    memcpy(dk_table_edit(self->tickets, ticket, bytes), &kept, bytes);
}

/* ---------------------------------------------------------------- what becomes of a notice */

static void apply_requested(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationRequested *requested = (const void *)event->body;
    const struct dk_envelope *envelope = event->envelope;
    struct dk_decision decision;
    if (dk_event_decision(event->record, event->record_bytes, &decision) != 1) {
        return;
    }
    dk_owe_discharge(self, envelope->subject, decision.cause, requested);
    if (requested->notice == 0 || dk_notification_find(self, requested->notice) != NULL) {
        return;
    }
    dk_table_remove(self->dead, requested->notice);
    struct dk_notice *notice = dk_table_edit(self->outbox, requested->notice, 0);
    notice->position = notice->requested = envelope->position;
    notice->ticket = envelope->subject;
    notice->cause = decision.cause;
    notice->rule = requested->rule;
    notice->rule_version = requested->rule_version;
    notice->template = requested->template_;
    notice->recipient = requested->recipient->has_subject ? requested->recipient->subject : 0;
    notice->receiver = dk_rule_receiver(requested->transport, requested->recipient->address);
    notice->transport = (uint32_t)requested->transport;
    notice->digest_until_us = requested->has_digest_until_us ? requested->digest_until_us : 0;
    notice->step = requested->step;
    notice->round = requested->round;
    if (requested->has_language) {
        dk_notice_set_language(notice->language, requested->language.data, requested->language.len);
    }
    dk_line_add(&self->line, envelope->position, requested->notice);
}

static void apply_sent(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationSent *sent = (const void *)event->body;
    const struct dk_notice *pending = dk_notification_find(self, sent->notice);
    if (pending != NULL) {
        dk_owe_close_window(self, pending);
        dk_table_remove(self->outbox, sent->notice);
    }
}

static void apply_failed(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationFailed *failed = (const void *)event->body;
    const struct dk_notice *pending = dk_notification_find(self, failed->notice);
    if (!failed->final || pending == NULL) {
        return;
    }
    dk_owe_close_window(self, pending);
    struct dk_dead *dead = dk_table_edit(self->dead, failed->notice, 0);
    *dead = (struct dk_dead){.position = event->envelope->position,
                             .notice = *pending,
                             .failed_us = event->envelope->recorded_us,
                             .attempts = failed->attempts};
    if (failed->has_error) {
        memcpy(dead->error, failed->error.data,
               failed->error.len < sizeof dead->error ? failed->error.len : sizeof dead->error);
    }
    dk_table_remove(self->outbox, failed->notice);
    dk_line_add(&self->dead_line, dead->position, failed->notice);
}

/* It goes by itself, behind what waits, and says what its template says by now. */
static void apply_retried(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationRetried *retried = (const void *)event->body;
    const struct dk_dead *dead = dk_table_get(self->dead, retried->notice, NULL);
    if (dead == NULL) {
        return;
    }
    struct dk_notice *notice = dk_table_edit(self->outbox, retried->notice, 0);
    *notice = dead->notice;
    notice->position = event->envelope->position;
    notice->texts_us = event->envelope->recorded_us;
    notice->digest_until_us = 0;
    dk_table_remove(self->dead, retried->notice);
    dk_line_add(&self->line, notice->position, retried->notice);
}

static void apply_dropped(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__NotificationDropped *dropped = (const void *)event->body;
    const struct dk_notice *pending = dk_notification_find(self, dropped->notice);
    if (pending != NULL) {
        dk_owe_close_window(self, pending);
        dk_table_remove(self->outbox, dropped->notice);
    }
    dk_table_remove(self->dead, dropped->notice);
}

/* ---------------------------------------------------------------- all of it */

/* Away and offline are absent; busy is not. */
static void apply_presence(struct dk_notification *self, const struct dk_event *event)
{
    const Docket__PresenceChanged *changed = (const void *)event->body;
    uint64_t agent = event->envelope->subject;
    if (changed->presence == DOCKET__PRESENCE__PRESENCE_AWAY ||
        changed->presence == DOCKET__PRESENCE__PRESENCE_OFFLINE) {
        int64_t *until_us = dk_table_edit(self->absences, agent, 0);
        *until_us = changed->has_until_us ? changed->until_us : INT64_MAX;
    } else {
        dk_table_remove(self->absences, agent);
    }
}

static void apply_ticket_event(struct dk_notification *self, const struct dk_event *event)
{
    apply_ticket(self, event);
    dk_chain_apply(self, event);
    dk_follow_up_apply(self, event);
    switch (event->envelope->kind) {
    case DK_KIND_NOTIFICATION_REQUESTED: apply_requested(self, event); break;
    case DK_KIND_NOTIFICATION_SENT: apply_sent(self, event); break;
    case DK_KIND_NOTIFICATION_FAILED: apply_failed(self, event); break;
    case DK_KIND_NOTIFICATION_RETRIED: apply_retried(self, event); break;
    case DK_KIND_NOTIFICATION_DROPPED: apply_dropped(self, event); break;
    case DK_KIND_NOTIFICATION_ACKNOWLEDGED: break;
    default: dk_owe_apply(self, event); break;
    }
}

int dk_notification_apply(void *self, const struct dk_event *event, struct dk_agenda *agenda,
                          struct dk_err *err)
{
    struct dk_notification *notification = self;
    uint64_t ticket = event->envelope->subject;
    (void)err;
    if (event->body == NULL) {
        return 0;
    }
    if (event->envelope->kind == DK_KIND_PRESENCE_CHANGED) {
        apply_presence(notification, event);
    }
    if (event->after == NULL) {
        return 0;
    }
    apply_ticket_event(notification, event);
    if (dk_notification_owes(notification, ticket)) {
        dk_agenda_touch(agenda, ticket);
    }
    return 0;
}
