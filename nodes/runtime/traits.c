#include "nodes/runtime/traits.h"
#include <string.h>

#define TAG_MAX_BYTES 255

/* ---------------------------------------------------------------- fold */

static struct dk_traits *edit(struct dk_table *table, uint64_t ticket)
{
    size_t bytes = 0;
    (void)dk_table_get(table, ticket, &bytes);
    return dk_table_edit(table, ticket, bytes != 0 ? bytes : sizeof(struct dk_traits));
}

static void set_language(struct dk_traits *traits, const ProtobufCBinaryData *language)
{
    size_t n = language->len < sizeof traits->language ? language->len : sizeof traits->language;
    memset(traits->language, 0, sizeof traits->language);
    memcpy(traits->language, language->data, n);
}

static bool is_tag(const uint8_t *entry, const ProtobufCBinaryData *tag)
{
    return entry[0] == tag->len && memcmp(entry + 1, tag->data, tag->len) == 0;
}

/* Where the tag's entry begins among `bytes` of tags; `bytes` when it is not there. */
static size_t find_tag(const uint8_t *tags, size_t bytes, const ProtobufCBinaryData *tag)
{
    size_t at = 0;
    while (at < bytes && !is_tag(tags + at, tag)) {
        at += 1u + tags[at];
    }
    return at;
}

static void add_tag(struct dk_table *table, uint64_t ticket, const ProtobufCBinaryData *tag)
{
    size_t bytes;
    const struct dk_traits *before = dk_table_get(table, ticket, &bytes);
    size_t tag_bytes = bytes - sizeof *before;
    if (tag->len > TAG_MAX_BYTES || find_tag(before->tags, tag_bytes, tag) < tag_bytes) {
        return;
    }
    struct dk_traits *traits = dk_table_edit(table, ticket, bytes + 1 + tag->len);
    traits->tags[tag_bytes] = (uint8_t)tag->len;
    memcpy(traits->tags + tag_bytes + 1, tag->data, tag->len);
}

static void remove_tag(struct dk_table *table, uint64_t ticket, const ProtobufCBinaryData *tag)
{
    size_t bytes;
    const struct dk_traits *before = dk_table_get(table, ticket, &bytes);
    size_t tag_bytes = bytes - sizeof *before;
    size_t at = find_tag(before->tags, tag_bytes, tag);
    if (at == tag_bytes) {
        return;
    }
    size_t entry_bytes = 1 + tag->len;
    struct dk_traits *traits = dk_table_edit(table, ticket, bytes);
    memmove(traits->tags + at, traits->tags + at + entry_bytes, tag_bytes - at - entry_bytes);
    (void)dk_table_edit(table, ticket, bytes - entry_bytes);
}

static void apply_opened(struct dk_table *table, const struct dk_event *event)
{
    const Docket__Opened *opened = (const void *)event->body;
    uint64_t ticket = event->envelope->subject;
    struct dk_traits *traits = edit(table, ticket);
    traits->opened = event->envelope->position;
    traits->company = opened->has_company ? opened->company : 0;
    if (opened->has_language) {
        set_language(traits, &opened->language);
    }
    for (size_t i = 0; i < opened->n_tag; i++) {
        add_tag(table, ticket, &opened->tag[i]);
    }
}

static void apply_classified(struct dk_table *table, const struct dk_event *event)
{
    const Docket__Classified *classified = (const void *)event->body;
    uint64_t ticket = event->envelope->subject;
    struct dk_traits *traits = edit(table, ticket);
    if (classified->has_language) {
        set_language(traits, &classified->language);
    }
    for (size_t i = 0; i < classified->n_tag_added; i++) {
        add_tag(table, ticket, &classified->tag_added[i]);
    }
    for (size_t i = 0; i < classified->n_tag_removed; i++) {
        remove_tag(table, ticket, &classified->tag_removed[i]);
    }
}

void dk_traits_apply(struct dk_table *table, const struct dk_event *event)
{
    if (event->after == NULL || event->body == NULL) {
        return;
    }
    switch (event->envelope->kind) {
    case DK_KIND_OPENED: apply_opened(table, event); break;
    case DK_KIND_CLASSIFIED: apply_classified(table, event); break;
    case DK_KIND_SUPPLIER_HANDED:
        edit(table, event->envelope->subject)->supplier =
            ((const Docket__SupplierHanded *)(const void *)event->body)->supplier;
        break;
    case DK_KIND_REQUESTER_CHANGED: edit(table, event->envelope->subject)->company = 0; break;
    default: break;
    }
}

/* ---------------------------------------------------------------- conditions */

/* A ticket at an instant, as a condition looks at it. */
struct subject {
    const struct dk_ticket *life;
    const struct dk_traits *traits; /* or NULL */
    size_t tag_bytes;
    const struct dk_refs *refs;
    int64_t at_us;
};

uint64_t dk_traits_company(const struct dk_traits *traits, const struct dk_ticket *life,
                           const struct dk_refs *refs, int64_t at_us)
{
    if (traits != NULL && traits->company != 0) {
        return traits->company;
    }
    const Docket__CustomerDefined *customer = dk_refs_customer(refs, life->customer, at_us);
    return customer != NULL && customer->has_company ? customer->company : 0;
}

static bool names_id(const Docket__Condition *condition, uint64_t id)
{
    for (size_t i = 0; i < condition->n_id; i++) {
        if (condition->id[i] == id) {
            return id != 0;
        }
    }
    return false;
}

static bool names_number(const Docket__Condition *condition, uint32_t number)
{
    for (size_t i = 0; i < condition->n_number; i++) {
        if (condition->number[i] == number) {
            return true;
        }
    }
    return false;
}

static bool names_product(const Docket__Condition *condition, const struct subject *subject)
{
    for (size_t i = 0; i < condition->n_id; i++) {
        if (dk_refs_product_within(subject->refs, subject->life->product, condition->id[i],
                                   subject->at_us)) {
            return true;
        }
    }
    return false;
}

static bool names_tier(const Docket__Condition *condition, const struct subject *subject)
{
    uint64_t id = dk_traits_company(subject->traits, subject->life, subject->refs, subject->at_us);
    const Docket__CompanyDefined *company = dk_refs_company(subject->refs, id, subject->at_us);
    for (size_t i = 0; company != NULL && company->has_tier && i < condition->n_text; i++) {
        if (condition->text[i].len == company->tier.len &&
            memcmp(condition->text[i].data, company->tier.data, company->tier.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool names_language(const Docket__Condition *condition, const struct subject *subject)
{
    const char *language = subject->traits != NULL ? subject->traits->language : "";
    size_t bytes = strnlen(language, DK_TRAITS_LANGUAGE_BYTES);
    for (size_t i = 0; i < condition->n_text; i++) {
        const ProtobufCBinaryData *named = &condition->text[i];
        if (named->len > 0 && named->len <= bytes &&
            memcmp(named->data, language, named->len) == 0 &&
            (named->len == bytes || language[named->len] == '-')) {
            return true;
        }
    }
    return false;
}

static bool names_tag(const Docket__Condition *condition, const struct subject *subject)
{
    for (size_t i = 0; subject->traits != NULL && i < condition->n_text; i++) {
        if (find_tag(subject->traits->tags, subject->tag_bytes, &condition->text[i]) <
            subject->tag_bytes) {
            return true;
        }
    }
    return false;
}

static bool holds(const Docket__Condition *condition, const struct subject *subject)
{
    const struct dk_ticket *life = subject->life;
    switch (condition->field) {
    case DOCKET__CONDITION_FIELD__CONDITION_PRODUCT: return names_product(condition, subject);
    case DOCKET__CONDITION_FIELD__CONDITION_GROUP: return names_id(condition, life->group);
    case DOCKET__CONDITION_FIELD__CONDITION_COMPANY:
        return names_id(condition,
                        dk_traits_company(subject->traits, life, subject->refs, subject->at_us));
    case DOCKET__CONDITION_FIELD__CONDITION_TIER: return names_tier(condition, subject);
    case DOCKET__CONDITION_FIELD__CONDITION_PRIORITY:
        return names_number(condition, life->priority);
    case DOCKET__CONDITION_FIELD__CONDITION_TYPE: return names_number(condition, life->type);
    case DOCKET__CONDITION_FIELD__CONDITION_CHANNEL: return names_number(condition, life->channel);
    case DOCKET__CONDITION_FIELD__CONDITION_LANGUAGE: return names_language(condition, subject);
    case DOCKET__CONDITION_FIELD__CONDITION_TAG: return names_tag(condition, subject);
    case DOCKET__CONDITION_FIELD__CONDITION_SUPPLIER:
        return names_id(condition, subject->traits != NULL ? subject->traits->supplier : 0);
    default: return false;
    }
}

bool dk_traits_hold(const struct dk_table *traits, uint64_t ticket, const struct dk_ticket *life,
                    const struct dk_refs *refs, int64_t at_us, Docket__Condition *const *condition,
                    size_t count)
{
    struct subject subject = {.life = life, .refs = refs, .at_us = at_us};
    size_t bytes = 0;
    if (traits != NULL) {
        subject.traits = dk_table_get(traits, ticket, &bytes);
        subject.tag_bytes = subject.traits != NULL ? bytes - sizeof *subject.traits : 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (!holds(condition[i], &subject)) {
            return false;
        }
    }
    return true;
}
