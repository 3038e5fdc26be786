#include "replay/history/life.h"
#include <stdlib.h>
#include <string.h>

int dk_life_init(struct dk_life *life, struct dk_err *err)
{
    *life = (struct dk_life){0};
    return dk_arena_init(&life->arena, DK_LIFE_MAX_BYTES) == 0
               ? 0
               : dk_err_set(err, DK_ENOMEM, "no memory for a ticket's events");
}

void dk_life_close(struct dk_life *life)
{
    free(life->event);
    dk_arena_close(&life->arena);
    *life = (struct dk_life){0};
}

static struct dk_life_event *next_event(struct dk_life *life)
{
    if (life->count == life->capacity) {
        life->capacity = life->capacity == 0 ? 64 : 2 * life->capacity;
        life->event = realloc(life->event, life->capacity * sizeof *life->event);
        DK_ASSERT(life->event != NULL);
    }
    return &life->event[life->count];
}

int dk_life_add(struct dk_life *life, const uint8_t *record, size_t record_bytes,
                struct dk_err *err)
{
    int rc = dk_event_verify(record, record_bytes, err);
    uint8_t *copy = rc == 0 ? dk_arena_alloc(&life->arena, record_bytes) : NULL;
    if (rc != 0 || copy == NULL) {
        return rc != 0 ? rc : dk_err_set(err, DK_ENOMEM, "the ticket's events do not fit memory");
    }
    struct dk_life_event *event = next_event(life);
    memcpy(copy, record, record_bytes);
    *event = (struct dk_life_event){.record = copy, .bytes = record_bytes};
    dk_event_load(copy, &event->envelope);
    if (dk_body_descriptor(event->envelope.kind) != NULL) {
        event->body = dk_body_unpack(&life->arena, copy, record_bytes, err);
        if (event->body == NULL) {
            return err->code;
        }
    }
    life->count++;
    return 0;
}

/* Since when the customer waits for an answer, once the event is applied: from the oldest message,
 * which may have come with a merge (S10). */
static int64_t unanswered_since_us(const struct dk_life_view *view,
                                   const struct dk_life_event *event)
{
    const Docket__MergedFrom *merged = (const Docket__MergedFrom *)(const void *)event->body;
    int64_t since_us = event->envelope.occurred_us;
    bool brings = event->envelope.kind == DK_KIND_MERGED_FROM && merged->has_unanswered_since_us;
    if ((view->ticket.flags & DK_TICKET_UNANSWERED) == 0) {
        return 0;
    }
    if (brings) {
        since_us = merged->unanswered_since_us;
    }
    bool older = view->unanswered_since_us == 0 || (brings && since_us < view->unanswered_since_us);
    return older ? since_us : view->unanswered_since_us;
}

static int by_position(const void *a, const void *b)
{
    uint64_t x = ((const struct dk_life_event *)a)->envelope.position;
    uint64_t y = ((const struct dk_life_event *)b)->envelope.position;
    return (x > y) - (x < y);
}

void dk_life_sort(struct dk_life *life)
{
    if (life->count > 0) {
        qsort(life->event, life->count, sizeof *life->event, by_position);
    }
}

const struct dk_life_event *dk_life_find(const struct dk_life *life, uint64_t position)
{
    struct dk_life_event key = {.envelope.position = position};
    return life->count == 0 ? NULL
                            : bsearch(&key, life->event, life->count, sizeof key, by_position);
}

void dk_life_fold(const struct dk_life *life, int64_t at_us, int64_t known_at_us,
                  struct dk_life_view *view)
{
    *view = (struct dk_life_view){0};
    for (size_t i = 0; i < life->count; i++) {
        const struct dk_life_event *event = &life->event[i];
        int64_t occurred_us = event->envelope.occurred_us;
        if (occurred_us > at_us || event->envelope.recorded_us > known_at_us) {
            continue;
        }
        dk_ticket_apply(&view->ticket, &event->envelope, event->body);
        view->unanswered_since_us = unanswered_since_us(view, event);
        if (event->envelope.kind == DK_KIND_OPENED) {
            view->opened = (const Docket__Opened *)(const void *)event->body;
        }
        view->last_us = occurred_us > view->last_us ? occurred_us : view->last_us;
    }
}
