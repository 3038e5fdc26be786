#include "broker/core/pairs.h"

#include "docket.pb-c.h"

bool dk_pairs_is_half(uint32_t kind)
{
    return kind >= DK_KIND_MERGED_INTO && kind <= DK_KIND_LINKED_FROM;
}

void dk_pairs_add(struct dk_pairs *pairs, const struct dk_envelope *event,
                  const ProtobufCMessage *body, uint32_t index)
{
    const void *of = body;
    struct dk_pair_half half = {.index = index};
    switch (event->kind) {
    case DK_KIND_MERGED_INTO:
        half.at_from = true;
        half.to = ((const Docket__MergedInto *)of)->target;
        break;
    case DK_KIND_MERGED_FROM: half.from = ((const Docket__MergedFrom *)of)->source_ticket; break;
    case DK_KIND_LINKED_TO:
        half.at_from = true;
        half.to = ((const Docket__LinkedTo *)of)->target;
        half.type = (uint32_t)((const Docket__LinkedTo *)of)->type;
        break;
    case DK_KIND_LINKED_FROM:
        half.from = ((const Docket__LinkedFrom *)of)->source_ticket;
        half.type = (uint32_t)((const Docket__LinkedFrom *)of)->type;
        break;
    default: return;
    }
    *(half.at_from ? &half.from : &half.to) = event->subject;
    half.action = event->kind <= DK_KIND_MERGED_FROM ? DK_KIND_MERGED_INTO : DK_KIND_LINKED_TO;
    DK_ASSERT(pairs->count < DK_REQUEST_MAX_EVENTS);
    pairs->half[pairs->count++] = half;
}

static bool mirrors(const struct dk_pair_half *a, const struct dk_pair_half *b)
{
    return !b->matched && a->at_from != b->at_from && a->from == b->from && a->to == b->to &&
           a->action == b->action && a->type == b->type;
}

static bool match(struct dk_pairs *pairs, size_t i)
{
    struct dk_pair_half *half = &pairs->half[i];
    for (size_t j = i + 1; j < pairs->count && !half->matched; j++) {
        if (mirrors(half, &pairs->half[j])) {
            half->matched = true;
            pairs->half[j].matched = true;
        }
    }
    return half->matched;
}

int dk_pairs_check(struct dk_pairs *pairs, uint32_t *index, struct dk_err *err)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct dk_pair_half *half = &pairs->half[i];
        *index = half->index;
        if (half->from == half->to) {
            return dk_err_field(err, DK_EILLEGAL, "subject",
                                "a ticket cannot be merged or linked with itself");
        }
        if (!half->matched && !match(pairs, i)) {
            return dk_err_field(err, DK_EILLEGAL, "kind",
                                "an action on two tickets needs both of its events in one atomic "
                                "request; this one's mirror is missing");
        }
    }
    return 0;
}
