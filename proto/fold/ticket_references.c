#include "proto/event/body.h"
#include "proto/fold/ticket_life.h"

/* Fields of bodies that name an entity: 0 is nobody, and passes, but where it is `needed`.
 * Customers are not among them: they may be met before they are defined. */
struct reference {
    uint32_t kind;
    unsigned cls;
    size_t offset;
    bool needed;
    const char *field;
};
#define REFERENCE(KIND, Type, kind, member, CLASS, needed)                                         \
    {                                                                                              \
        DK_KIND_##KIND, DK_SUBJECT_##CLASS, offsetof(Docket__##Type, member), (needed),            \
            #kind "." #member                                                                      \
    }

static const struct reference references[] = {
    REFERENCE(OPENED, Opened, opened, product, PRODUCT, false),
    REFERENCE(OPENED, Opened, opened, company, COMPANY, false),
    REFERENCE(CLASSIFIED, Classified, classified, product, PRODUCT, false),
    REFERENCE(ROUTED, Routed, routed, group, GROUP, true),
    REFERENCE(ROUTED, Routed, routed, product, PRODUCT, false),
    REFERENCE(QUEUED, Queued, queued, group, GROUP, true),
    REFERENCE(OFFERED, Offered, offered, agent, AGENT, true),
    REFERENCE(ASSIGNED, Assigned, assigned, agent, AGENT, false),
    REFERENCE(HANDOVER_DECLARED, HandoverDeclared, handover_declared, agent, AGENT, true),
    REFERENCE(ESCALATED, Escalated, escalated, to_group, GROUP, false),
    REFERENCE(ESCALATED, Escalated, escalated, manager, AGENT, false),
    REFERENCE(SUPPLIER_HANDED, SupplierHanded, supplier_handed, supplier, SUPPLIER, true),
    REFERENCE(SUPPLIER_HANDED, SupplierHanded, supplier_handed, contract, CONTRACT, false),
    REFERENCE(SUPPLIER_RETURNED, SupplierReturned, supplier_returned, supplier, SUPPLIER, true),
    REFERENCE(FIELD_SET, FieldSet, field_set, field, FIELD, true),
};

static int unknown(uint64_t id, unsigned cls, const char *field, struct dk_err *reason)
{
    char text[DK_ID_TEXT_BYTES];

    if (id == 0)
        return dk_err_field(reason, DK_EREFERENCE, field, "%s names no %s", field,
                            dk_subject_class_word(cls));
    return dk_err_field(reason, DK_EREFERENCE, field, "no %s %s is defined at that time",
                        dk_subject_class_word(cls), dk_id_format(id, text));
}

static bool exists(const struct dk_refs *refs, uint64_t id, unsigned cls, int64_t at_us)
{
    return dk_id_class(id) == cls && dk_refs_at(refs, id, at_us) != NULL;
}

/* Operators and customers need no definition; nodes are known by their keys. */
int dk_actor_check(const struct dk_refs *refs, const struct dk_envelope *event,
                   struct dk_err *reason)
{
    uint64_t id = dk_subject_of_actor(event->actor);
    unsigned cls = dk_id_class(id);
    char text[DK_ID_TEXT_BYTES];

    if (id == 0 || cls == DK_SUBJECT_CUSTOMER || dk_life_imported(event) ||
        dk_refs_at(refs, id, event->occurred_us) != NULL)
        return 0;
    return dk_err_field(reason, DK_EREFERENCE, "actor",
                        "no %s %s is defined at that time: act as one that is, or have an operator "
                        "define this one first",
                        dk_subject_class_word(cls), dk_id_format(id, text));
}

static int refer_fields(const struct dk_refs *refs, const struct dk_envelope *event,
                        const uint8_t *body, struct dk_err *reason)
{
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        const struct reference *r = &references[i];
        uint64_t id;

        if (r->kind != event->kind)
            continue;
        memcpy(&id, body + r->offset, sizeof id);
        if ((id != 0 || r->needed) && !exists(refs, id, r->cls, event->occurred_us))
            return unknown(id, r->cls, r->field, reason);
    }
    return 0;
}

/* Fields that may name an agent or somebody who needs no definition. */
static int refer_person(const struct dk_refs *refs, const struct dk_envelope *event, uint64_t id,
                        const char *field, struct dk_err *reason)
{
    if (id != 0 && (dk_id_class(id) != DK_SUBJECT_AGENT ||
                    exists(refs, id, DK_SUBJECT_AGENT, event->occurred_us)))
        return 0;
    return unknown(id, DK_SUBJECT_AGENT, field, reason);
}

static bool same(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* A product's audience lists company keys and tiers; an empty one is everybody. */
static bool in_audience(const Docket__ProductDefined *product,
                        const Docket__CompanyDefined *company)
{
    for (size_t i = 0; i < product->n_audience; i++)
        if (company != NULL && (same(&product->audience[i], &company->definition->key) ||
                                (company->has_tier && same(&product->audience[i], &company->tier))))
            return true;
    return product->n_audience == 0;
}

/* What R1 asks of an event that says what a ticket is about. */
struct entitlement {
    uint64_t product, company, customer;
    unsigned priority;
    const char *field;
};

static struct entitlement entitlement_of(const struct dk_ticket *ticket, uint32_t kind,
                                         const void *body)
{
    const Docket__Opened *opened = body;
    const Docket__Classified *classified = body;
    struct entitlement asked = {.customer = ticket->customer, .field = "classified.product"};

    if (kind == DK_KIND_OPENED)
        return (struct entitlement){
            opened->product, opened->company, opened->customer,
            dk_priority_of((unsigned)opened->priority, opened->impact, opened->urgency),
            "opened.product"};
    if (kind != DK_KIND_CLASSIFIED)
        return asked;
    asked.product = classified->product;
    asked.priority =
        dk_priority_of((unsigned)classified->priority, classified->impact, classified->urgency);
    if (asked.priority == DOCKET__PRIORITY__PRIORITY_NONE)
        asked.priority = ticket->priority;
    return asked;
}

/* R1: whether the customer is outside the product's audience, and no exception is recorded. */
static bool is_outside(const struct dk_ticket *ticket, const struct dk_refs *refs, int64_t at_us,
                       const struct entitlement *asked)
{
    const Docket__ProductDefined *product = dk_refs_product(refs, asked->product, at_us);
    const Docket__CustomerDefined *customer = dk_refs_customer(refs, asked->customer, at_us);
    uint64_t company = asked->company;

    if (company == 0 && customer != NULL)
        company = customer->company;
    return product != NULL && (ticket->flags & DK_TICKET_ENTITLED) == 0 &&
           !in_audience(product, dk_refs_company(refs, company, at_us));
}

bool dk_ticket_bypasses(const struct dk_ticket *ticket, const struct dk_refs *refs,
                        const struct dk_envelope *event, const ProtobufCMessage *body)
{
    struct entitlement asked = entitlement_of(ticket, event->kind, body);

    return !dk_life_imported(event) && asked.priority == DOCKET__PRIORITY__PRIORITY_CRITICAL &&
           is_outside(ticket, refs, event->occurred_us, &asked);
}

/* A critical case passes: what it owes for that its request is asked (dk_ticket_bypasses). */
static int refer_audience(const struct dk_ticket *ticket, const struct dk_refs *refs,
                          const struct dk_envelope *event, const void *body, struct dk_err *reason)
{
    struct entitlement asked = entitlement_of(ticket, event->kind, body);
    char name[DK_NAME_BYTES];

    if (asked.priority == DOCKET__PRIORITY__PRIORITY_CRITICAL ||
        !is_outside(ticket, refs, event->occurred_us, &asked))
        return 0;
    return dk_err_field(reason, DK_EREFERENCE, asked.field,
                        "the customer is not in the audience of %s",
                        dk_refs_name(refs, asked.product, name));
}

/* Whoever else sends one is refused by dk_life_who. */
static int refer_message(const struct dk_refs *refs, const struct dk_envelope *event,
                         const Docket__MessagePublic *message, struct dk_err *reason)
{
    const Docket__AgentDefined *agent;

    if (!dk_life_agent_reply(event, message))
        return 0;
    agent = dk_refs_agent(refs, dk_subject_of_actor(event->actor), event->occurred_us);
    DK_ASSERT(agent != NULL); /* dk_actor_check has passed */
    if (dk_text_says(agent->first_name) && dk_text_says(agent->surname))
        return 0;
    return dk_err_field(reason, DK_EREFERENCE, "actor",
                        "a public reply is signed with surname and first name, and the agent's "
                        "definition lacks one");
}

static int refer_changed(const struct dk_ticket *ticket, const struct dk_refs *refs,
                         const struct dk_envelope *event, const Docket__StatusChanged *changed,
                         struct dk_err *reason)
{
    const int64_t day_us = INT64_C(24) * 3600 * 1000000;
    struct dk_settings settings;

    if (ticket->status != DOCKET__STATUS__STATUS_CLOSED ||
        changed->status != DOCKET__STATUS__STATUS_OPEN)
        return 0;
    dk_refs_settings(refs, event->occurred_us, &settings);
    if (event->occurred_us - ticket->ended_us <= settings.reopen_days * day_us)
        return 0;
    return dk_err_field(reason, DK_EILLEGAL, "status_changed.status",
                        "the ticket was closed more than %u days ago: open a linked ticket",
                        settings.reopen_days);
}

static int refer_followers(const struct dk_refs *refs, const struct dk_envelope *event,
                           const Docket__FollowersChanged *followers, struct dk_err *reason)
{
    int code = 0;

    for (size_t i = 0; i < followers->n_added && code == 0; i++)
        code = refer_person(refs, event, followers->added[i], "followers_changed.added", reason);
    return code;
}

static int wrong_value(const char *field, const char *wanted, struct dk_err *reason)
{
    return dk_err_field(reason, DK_EREFERENCE, field, "the field takes %s", wanted);
}

static int refer_choice(const Docket__FieldDefined *defined, const Docket__FieldSet *set,
                        struct dk_err *reason)
{
    for (size_t i = 0; i < defined->n_choice; i++)
        if (same(&defined->choice[i], &set->choice))
            return 0;
    return wrong_value("field_set.choice", "one of its choices", reason);
}

/* What a reference field points at: an entity in force, or a ticket, customer or company, which
 * may be known elsewhere only. */
static int refer_target(const struct dk_refs *refs, const struct dk_envelope *event, uint64_t id,
                        struct dk_err *reason)
{
    switch (dk_id_class(id)) {
    case DK_SUBJECT_TICKET:
    case DK_SUBJECT_CUSTOMER:
    case DK_SUBJECT_COMPANY: return 0;
    default:
        return dk_refs_at(refs, id, event->occurred_us) != NULL
                   ? 0
                   : unknown(id, dk_id_class(id), "field_set.reference", reason);
    }
}

/* The one value given is of the field's type; none clears the field. */
static int refer_field_set(const struct dk_refs *refs, const struct dk_envelope *event,
                           const Docket__FieldSet *set, struct dk_err *reason)
{
    const Docket__FieldDefined *defined = dk_refs_field(refs, set->field, event->occurred_us);
    int given = (set->text != NULL) + set->has_number + set->has_date_us + set->has_choice +
                set->has_reference;

    if (given == 0)
        return 0;
    if (given > 1)
        return wrong_value("field_set", "one value", reason);
    switch (defined->type) {
    case DOCKET__FIELD_TYPE__FIELD_TEXT:
        return set->text != NULL ? 0 : wrong_value("field_set.text", "a text", reason);
    case DOCKET__FIELD_TYPE__FIELD_NUMBER:
        return set->has_number ? 0 : wrong_value("field_set.number", "a number", reason);
    case DOCKET__FIELD_TYPE__FIELD_DATE:
        return set->has_date_us ? 0 : wrong_value("field_set.date_us", "a date", reason);
    case DOCKET__FIELD_TYPE__FIELD_CHOICE:
        return set->has_choice ? refer_choice(defined, set, reason)
                               : wrong_value("field_set.choice", "one of its choices", reason);
    case DOCKET__FIELD_TYPE__FIELD_REFERENCE:
        return set->has_reference ? refer_target(refs, event, set->reference, reason)
                                  : wrong_value("field_set.reference", "a reference", reason);
    default: return wrong_value("field_set.field", "no value: its type is not known", reason);
    }
}

/* Up to a line that the ticket's product leads to; a group that is named is a route of its own. */
static int refer_escalated(const struct dk_ticket *ticket, const struct dk_refs *refs,
                           const struct dk_envelope *event, const Docket__Escalated *escalated,
                           struct dk_err *reason)
{
    unsigned line = escalated->has_to_line ? escalated->to_line : ticket->line + 1u;

    if (escalated->type != DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL ||
        escalated->to_group != 0 ||
        dk_refs_route(refs, ticket->product, line, event->occurred_us, NULL) != 0)
        return 0;
    return dk_err_field(reason, DK_EREFERENCE, "escalated.to_line",
                        "no route leads from the ticket's product to line %u: name a group", line);
}

int dk_life_references(const struct dk_ticket *ticket, const struct dk_refs *refs,
                       const struct dk_envelope *event, const ProtobufCMessage *message,
                       struct dk_err *reason)
{
    const void *body = message;
    int code = dk_actor_check(refs, event, reason);

    if (code == 0)
        code = refer_fields(refs, event, body, reason);
    if (code != 0)
        return code;
    switch (event->kind) {
    case DK_KIND_OPENED:
    case DK_KIND_CLASSIFIED: return refer_audience(ticket, refs, event, body, reason);
    case DK_KIND_MESSAGE_PUBLIC: return refer_message(refs, event, body, reason);
    case DK_KIND_STATUS_CHANGED: return refer_changed(ticket, refs, event, body, reason);
    case DK_KIND_ESCALATED: return refer_escalated(ticket, refs, event, body, reason);
    case DK_KIND_FIELD_SET: return refer_field_set(refs, event, body, reason);
    case DK_KIND_FOLLOWERS_CHANGED: return refer_followers(refs, event, body, reason);
    case DK_KIND_APPROVAL_ASKED:
        return refer_person(refs, event, ((const Docket__ApprovalAsked *)body)->approver,
                            "approval_asked.approver", reason);
    default: return 0;
    }
}
