#include "proto/fold/transition.h"
#include "docket.pb-c.h"
#include "proto/base/limits.h"
#include "proto/fold/ticket_life.h"
#include <string.h>

enum dk_transition_class dk_transition_class(const struct dk_transition *transition)
{
    unsigned status = dk_transition_value(transition) & 0xff;

    switch (dk_transition_what(transition)) {
    case DK_CHANGE_REPLY:
    case DK_CHANGE_SUPPLIER_RETURNED:
    case DK_CHANGE_MERGED: return DK_CLASS_STOP;
    case DK_CHANGE_STATUS:
        if (status == DOCKET__STATUS__STATUS_PENDING)
            return DK_CLASS_PAUSE;
        return status >= DOCKET__STATUS__STATUS_SOLVED ? DK_CLASS_STOP : DK_CLASS_START;
    case DK_CHANGE_OPENED:
    case DK_CHANGE_INBOUND:
    case DK_CHANGE_SUPPLIER_HANDED:
    case DK_CHANGE_MERGED_MESSAGE: return DK_CLASS_START;
    default: return DK_CLASS_CHANGE;
    }
}

uint64_t dk_transition_word(const uint8_t *text, size_t bytes)
{
    size_t cut = bytes < DK_KEY_MAX_BYTES ? bytes : DK_KEY_MAX_BYTES;

    return dk_id_of_key(0, (const char *)text, cut, NULL);
}

uint64_t dk_transition_language(const uint8_t *text, size_t bytes)
{
    uint64_t packed = 0;

    memcpy(&packed, text, bytes < DK_LANGUAGE_BYTES ? bytes : DK_LANGUAGE_BYTES);
    return packed;
}

bool dk_transition_before(const struct dk_transition *a, const struct dk_transition *b)
{
    enum dk_transition_class a_class = dk_transition_class(a), b_class = dk_transition_class(b);

    if (a->occurred_us != b->occurred_us)
        return a->occurred_us < b->occurred_us;
    if (a_class != b_class)
        return a_class < b_class;
    if (a->position != b->position)
        return a->position < b->position;
    return a->change < b->change;
}

void dk_transitions_insert(struct dk_transition *list, size_t count,
                           const struct dk_transition *transition)
{
    size_t at = count;

    while (at > 0 && dk_transition_before(transition, &list[at - 1]))
        at--;
    memmove(&list[at + 1], &list[at], (count - at) * sizeof *list);
    list[at] = *transition;
}

/* Where the transitions of one event gather. */
struct gathered {
    const struct dk_envelope *event;
    struct dk_transition *out;
    size_t count;
};

static void add(struct gathered *to, enum dk_change what, uint64_t value)
{
    DK_ASSERT(to->count < DK_TRANSITIONS_OF_EVENT);
    to->out[to->count++] = (struct dk_transition){.occurred_us = to->event->occurred_us,
                                                  .position = to->event->position,
                                                  .change = dk_id_make(what, value)};
}

static void add_id(struct gathered *to, enum dk_change what, uint64_t id)
{
    if (id != 0)
        add(to, what, id);
}

static void add_words(struct gathered *to, enum dk_change what, const ProtobufCBinaryData *text,
                      size_t count)
{
    for (size_t i = 0; i < count && i < DK_TRANSITION_TAGS; i++)
        add(to, what, dk_transition_word(text[i].data, text[i].len));
}

bool dk_opened_by_notes(const struct dk_envelope *event, const Docket__Opened *opened)
{
    unsigned actor = dk_id_class(event->actor);

    return (actor == DK_ACTOR_AGENT || actor == DK_ACTOR_OPERATOR) && opened->message == NULL &&
           opened->channel != DOCKET__CHANNEL__CHANNEL_PHONE &&
           opened->channel != DOCKET__CHANNEL__CHANNEL_ON_BEHALF;
}

/* As dk_ticket_apply has it: what an imported one does not state is not known. */
static void of_opened(struct gathered *to, const Docket__Opened *opened)
{
    bool imported = dk_life_imported(to->event);
    unsigned priority = (unsigned)opened->priority;
    unsigned status = DOCKET__STATUS__STATUS_NEW;

    if (imported && opened->has_status && opened->status != DOCKET__STATUS__STATUS_NONE)
        status = (unsigned)opened->status;
    if (!imported)
        priority = dk_priority_of(priority, opened->impact, opened->urgency);
    if (!imported && priority == DOCKET__PRIORITY__PRIORITY_NONE)
        priority = DOCKET__PRIORITY__PRIORITY_NORMAL;
    add_id(to, DK_CHANGE_CUSTOMER, opened->customer);
    add_id(to, DK_CHANGE_COMPANY, opened->company);
    add_id(to, DK_CHANGE_PRODUCT, opened->product);
    add_id(to, DK_CHANGE_GROUP, opened->group);
    add_id(to, DK_CHANGE_PRIORITY, priority);
    add_id(to, DK_CHANGE_TYPE, (uint64_t)opened->type);
    add_id(to, DK_CHANGE_CHANNEL, (uint64_t)opened->channel);
    if (opened->has_language)
        add(to, DK_CHANGE_LANGUAGE,
            dk_transition_language(opened->language.data, opened->language.len));
    add_words(to, DK_CHANGE_TAG_ADDED, opened->tag, opened->n_tag);
    add(to, DK_CHANGE_OPENED,
        (uint64_t)status << 8 | (imported ? DK_OPENED_IMPORTED : 0) |
            (dk_opened_by_notes(to->event, opened) ? DK_OPENED_BY_NOTES : 0));
}

static void of_classified(struct gathered *to, const Docket__Classified *classified)
{
    unsigned derived = dk_priority_of(0, classified->impact, classified->urgency);

    if (classified->has_product)
        add(to, DK_CHANGE_PRODUCT, classified->product);
    if (classified->has_type)
        add(to, DK_CHANGE_TYPE, (uint64_t)classified->type);
    if (classified->has_priority)
        add(to, DK_CHANGE_PRIORITY, (uint64_t)classified->priority);
    else if (derived != DOCKET__PRIORITY__PRIORITY_NONE && !dk_life_imported(to->event))
        add(to, DK_CHANGE_PRIORITY, derived);
    if (classified->has_language)
        add(to, DK_CHANGE_LANGUAGE,
            dk_transition_language(classified->language.data, classified->language.len));
    add_words(to, DK_CHANGE_TAG_ADDED, classified->tag_added, classified->n_tag_added);
    add_words(to, DK_CHANGE_TAG_REMOVED, classified->tag_removed, classified->n_tag_removed);
}

static uint64_t reply_of(const struct dk_envelope *event, const Docket__MessagePublic *message)
{
    if (message->has_question)
        return message->question ? DK_REPLY_ASKS : 0;
    return dk_life_imported(event) ? DK_REPLY_UNKNOWN : 0;
}

static void of_message(struct gathered *to, const Docket__MessagePublic *message)
{
    unsigned actor = dk_id_class(to->event->actor);

    if (message->direction == DOCKET__DIRECTION__DIRECTION_INBOUND)
        add(to, DK_CHANGE_INBOUND, !dk_life_imported(to->event));
    else if (message->direction == DOCKET__DIRECTION__DIRECTION_OUTBOUND && !message->automatic &&
             actor != DK_ACTOR_NODE && actor != DK_ACTOR_BROKER)
        add(to, DK_CHANGE_REPLY, reply_of(to->event, message));
}

static void of_status(struct gathered *to, unsigned status, unsigned pending)
{
    if (status != DOCKET__STATUS__STATUS_NONE && status <= DOCKET__STATUS__STATUS_MERGED)
        add(to, DK_CHANGE_STATUS, (uint64_t)pending << 8 | status);
}

static void of_escalated(struct gathered *to, const Docket__Escalated *escalated)
{
    if (escalated->type == DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL)
        add_id(to, DK_CHANGE_GROUP, escalated->to_group);
}

/* Instants before 1970 do not fit a value, and are no messages that wait. */
static void of_merged_from(struct gathered *to, const Docket__MergedFrom *merged)
{
    if (merged->unanswered_since_us > 0)
        add(to, DK_CHANGE_MERGED_MESSAGE, (uint64_t)merged->unanswered_since_us);
}

size_t dk_transitions_of(const struct dk_envelope *event, const ProtobufCMessage *unpacked,
                         struct dk_transition out[DK_TRANSITIONS_OF_EVENT])
{
    struct gathered to = {.event = event, .out = out};
    const void *body = unpacked;

    if (body == NULL)
        return 0;
    switch (event->kind) {
    case DK_KIND_OPENED: of_opened(&to, body); break;
    case DK_KIND_CLASSIFIED: of_classified(&to, body); break;
    case DK_KIND_ROUTED: add(&to, DK_CHANGE_GROUP, ((const Docket__Routed *)body)->group); break;
    case DK_KIND_ESCALATED: of_escalated(&to, body); break;
    case DK_KIND_MESSAGE_PUBLIC: of_message(&to, body); break;
    case DK_KIND_STATUS_CHANGED: {
        const Docket__StatusChanged *changed = body;
        of_status(&to, (unsigned)changed->status, (unsigned)changed->pending);
        break;
    }
    case DK_KIND_AUTO_SOLVED: of_status(&to, DOCKET__STATUS__STATUS_SOLVED, 0); break;
    case DK_KIND_AUTO_CLOSED: of_status(&to, DOCKET__STATUS__STATUS_CLOSED, 0); break;
    case DK_KIND_SUPPLIER_HANDED:
        add(&to, DK_CHANGE_SUPPLIER_HANDED, ((const Docket__SupplierHanded *)body)->supplier);
        break;
    case DK_KIND_SUPPLIER_RETURNED:
        add(&to, DK_CHANGE_SUPPLIER_RETURNED, ((const Docket__SupplierReturned *)body)->supplier);
        break;
    case DK_KIND_MERGED_INTO: add(&to, DK_CHANGE_MERGED, 0); break;
    case DK_KIND_MERGED_FROM: of_merged_from(&to, body); break;
    case DK_KIND_REQUESTER_CHANGED:
        add(&to, DK_CHANGE_CUSTOMER, ((const Docket__RequesterChanged *)body)->customer);
        break;
    case DK_KIND_ADOPTED: add(&to, DK_CHANGE_ADOPTED, 0); break;
    default: break;
    }
    return to.count;
}
