#include "replay/whatif/gather.h"
#include "proto/base/limits.h"
#include "proto/event/body.h"
#include "replay/history/scan.h"
#include <stdlib.h>
#include <string.h>

int dk_gather_init(struct dk_gather *gather, struct dk_log_reader *reader, uint64_t to, size_t room,
                   struct dk_err *err)
{
    *gather = (struct dk_gather){.reader = reader, .to = to, .room = room};
    DK_ASSERT(room >= DK_TRANSITIONS_OF_EVENT);
    gather->entry = malloc(room * sizeof *gather->entry); /* taken from the system as it fills */
    return gather->entry != NULL && dk_arena_init(&gather->arena, DK_UNPACK_MAX_BYTES) == 0
               ? 0
               : dk_err_set(err, DK_ENOMEM, "no memory for %zu transitions", room);
}

void dk_gather_close(struct dk_gather *gather)
{
    free(gather->entry);
    gather->entry = NULL;
    dk_arena_close(&gather->arena);
}

static int compare(const void *a, const void *b)
{
    const struct dk_gathered *x = a, *y = b;
    if (x->ticket != y->ticket) {
        return x->ticket < y->ticket ? -1 : 1;
    }
    return dk_transition_before(&y->transition, &x->transition) -
           dk_transition_before(&x->transition, &y->transition);
}

static void sort(struct dk_gather *gather)
{
    if (gather->count > 1) {
        qsort(gather->entry, gather->count, sizeof *gather->entry, compare);
    }
}

/* Leaves an eighth, and the rest of the ticket that it begins with, to the next pass. */
static int make_room(struct dk_gather *gather)
{
    size_t cut = gather->count - gather->count / 8;
    sort(gather);
    while (cut > 0 && gather->entry[cut - 1].ticket == gather->entry[cut].ticket) {
        cut--;
    }
    while (cut < gather->count && gather->entry[cut].ticket == gather->entry[0].ticket) {
        cut++; /* one ticket fills all but that eighth */
    }
    if (cut == gather->count) {
        char name[DK_ID_TEXT_BYTES];
        return dk_err_set(gather->err, DK_ETOOBIG, "ticket %s alone has %zu transitions or more",
                          dk_id_format(gather->entry[0].ticket, name), gather->count);
    }
    gather->last = gather->entry[cut - 1].ticket;
    gather->count = cut;
    return 0;
}

/* Whether an event may move a clock: others need not be unpacked. What nodes say follows from it. */
static bool may_move(uint32_t kind)
{
    return dk_body_descriptor(kind) != NULL &&
           (kind < DK_KIND_CLOCK_STARTED || kind > DK_KIND_CLOCK_CORRECTED);
}

static int take(void *arg, const uint8_t *record, size_t bytes)
{
    struct dk_gather *gather = arg;
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
    struct dk_envelope event;
    uint64_t ticket = dk_event_load_subject(record);
    if (dk_id_class(ticket) != DK_SUBJECT_TICKET || ticket <= gather->done ||
        ticket > gather->last || !may_move(dk_event_load_kind(record))) {
        return 0;
    }
    dk_event_load(record, &event);
    dk_arena_reset(&gather->arena);
    const ProtobufCMessage *body = dk_body_unpack(&gather->arena, record, bytes, gather->err);
    if (body == NULL) {
        return dk_err_wrap(gather->err, "position %llu", (unsigned long long)event.position);
    }
    size_t count = dk_transitions_of(&event, body, made);
    while (gather->room - gather->count < count) {
        int rc = make_room(gather);
        if (rc != 0 || ticket > gather->last) {
            return rc;
        }
    }
    for (size_t i = 0; i < count; i++) {
        gather->entry[gather->count++] = (struct dk_gathered){ticket, made[i]};
    }
    return 0;
}

static int tell_progress(void *arg, uint64_t position)
{
    struct dk_gather *gather = arg;
    return gather->on_progress != NULL ? gather->on_progress(gather->arg, position) : 0;
}

int dk_gather_next(struct dk_gather *gather, struct dk_err *err)
{
    struct dk_scan scan = {.from = 1,
                           .to = gather->to,
                           .arg = gather,
                           .on_record = take,
                           .on_progress = tell_progress};
    gather->err = err;
    gather->count = 0;
    gather->done = gather->last;
    if (gather->done == UINT64_MAX) {
        return 0;
    }
    gather->last = UINT64_MAX;
    gather->passes++;
    int rc = dk_scan_log(&scan, gather->reader, err);
    sort(gather);
    return rc;
}
