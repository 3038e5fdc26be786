/* Actions that move a ticket on: from opening to closing. */
#include "replay/cli/action.h"
#include "replay/cli/desk.h"
#include <string.h>

#define STATE(field, value)                                                                        \
    {                                                                                              \
        NULL, value, NULL, field, 0, 0                                                             \
    }

/* A name of two tickets names neither. The broker cannot tell in time (broker/log/lookups.h): of
 * two who open at the same moment both succeed, and the name is refused when it is used. */
static int check_reference(const struct dk_action *action, struct dk_err *err)
{
    const char *reference = dk_cli_given(action->cli, "--reference");
    uint64_t bearer;
    char text[DK_ID_TEXT_BYTES];
    int rc =
        reference != NULL ? dk_desk_ticket(action->cli, reference, &bearer, err) : DK_ENOTFOUND;
    if (rc == DK_ENOTFOUND) {
        return 0;
    }
    return rc != 0 ? rc
                   : dk_err_field(err, DK_EEXISTS, "opened.reference",
                                  "\"%s\" names %s already: give the new ticket another name, or "
                                  "none",
                                  reference, dk_id_format(bearer, text));
}

/* All by which the broker judges whether the customer may have the product (R1). */
static int learn_entitlement(struct dk_cli *cli, uint64_t product, uint64_t company,
                             uint64_t customer_id, struct dk_err *err)
{
    int64_t now_us = dk_desk_now_us(cli);
    int rc = dk_desk_learn(cli, product, err);
    rc = rc != 0 ? rc : dk_desk_learn(cli, customer_id, err);
    const Docket__CustomerDefined *customer =
        rc == 0 && company == 0 ? dk_refs_customer(cli->desk->refs, customer_id, now_us) : NULL;
    company = customer != NULL ? customer->company : company;
    return rc != 0 ? rc : dk_desk_learn(cli, company, err);
}

/* A critical case passes the product's audience; that it did is an event of the same request. */
static int add_bypass(struct dk_action *action, const struct dk_ticket *ticket, uint64_t product,
                      uint64_t company, uint64_t customer, struct dk_err *err)
{
    const struct dk_action_event *event = &action->event[0];
    const struct dk_envelope envelope = {
        .kind = event->kind,
        .occurred_us = action->occurred_us != 0 ? action->occurred_us : dk_desk_now_us(action->cli),
    };
    int rc = learn_entitlement(action->cli, product, company, customer, err);
    if (rc != 0 || !dk_ticket_bypasses(ticket, action->cli->desk->refs, &envelope, event->body)) {
        return rc;
    }
    struct dk_action_event *exception = &action->event[action->count];
    (void)dk_action_add(action, event->subject, DK_KIND_EXCEPTION_RECORDED);
    rc = dk_action_fill(action, exception, "type", "entitlement", err);
    return rc != 0
               ? rc
               : dk_action_fill(action, exception, "reason",
                                "critical: the customer is outside the product's audience", err);
}

static int complete_open(struct dk_action *action, struct dk_err *err)
{
    const struct dk_ticket none = {0};
    Docket__Opened *opened = (Docket__Opened *)action->event[0].body;
    opened->has_customer = action->customer != 0;
    opened->customer = action->customer;
    if (!opened->has_channel && action->customer != 0 &&
        dk_id_class(action->actor) == DK_ACTOR_AGENT) {
        opened->has_channel = 1;
        opened->channel = DOCKET__CHANNEL__CHANNEL_ON_BEHALF;
    }
    int rc = check_reference(action, err);
    return rc != 0 || opened->product == 0
               ? rc
               : add_bypass(action, &none, opened->product, opened->company, opened->customer, err);
}

static int complete_classify(struct dk_action *action, struct dk_err *err)
{
    const Docket__Classified *classified = (const Docket__Classified *)action->event[0].body;
    struct dk_life life;
    struct dk_life_view view;
    int rc = classified->product != 0 ? dk_life_init(&life, err) : 0;
    if (rc != 0 || classified->product == 0) {
        return rc;
    }
    rc = dk_desk_life(action->cli, action->event[0].subject, &life, err);
    if (rc == 0) {
        dk_life_fold(&life, INT64_MAX, INT64_MAX, &view);
        rc = add_bypass(action, &view.ticket, classified->product, 0, view.ticket.customer, err);
    }
    dk_life_close(&life);
    return rc;
}

/* The group's own line, when none is given. */
static int complete_route(struct dk_action *action, struct dk_err *err)
{
    Docket__Routed *routed = (Docket__Routed *)action->event[0].body;
    if (dk_cli_given(action->cli, "--line") != NULL) {
        return 0;
    }
    int rc = dk_desk_learn(action->cli, routed->group, err);
    const Docket__GroupDefined *group =
        rc == 0 ? dk_refs_group(action->cli->desk->refs, routed->group, INT64_MAX) : NULL;
    if (rc == 0 && (group == NULL || !group->has_line)) {
        return dk_cli_usage(err, "no group \"%s\" with a line is known: give --line",
                            dk_cli_given(action->cli, "GROUP"));
    }
    routed->line = rc == 0 ? group->line : 0;
    return rc;
}

static int complete_decline(struct dk_action *action, struct dk_err *err)
{
    Docket__OfferDeclined *declined = (Docket__OfferDeclined *)action->event[0].body;
    declined->agent = dk_subject_of_actor(action->actor);
    return dk_id_class(declined->agent) == DK_SUBJECT_AGENT
               ? 0
               : dk_cli_usage(err, "an agent declines an offer: say which with --as");
}

/* Only who has the offer, and only while nothing else happens to the ticket. */
static int complete_accept(struct dk_action *action, struct dk_err *err)
{
    Docket__Assigned *assigned = (Docket__Assigned *)action->event[0].body;
    struct dk_life life;
    struct dk_life_view view;
    assigned->agent = dk_subject_of_actor(action->actor);
    if (dk_id_class(assigned->agent) != DK_SUBJECT_AGENT) {
        return dk_cli_usage(err, "an agent accepts an offer: say which with --as");
    }
    int rc = dk_life_init(&life, err);
    rc = rc != 0 ? rc : dk_desk_life(action->cli, action->event[0].subject, &life, err);
    if (rc == 0) {
        dk_life_fold(&life, INT64_MAX, INT64_MAX, &view);
        action->expected_version = view.ticket.version;
        rc = view.ticket.offered == assigned->agent
                 ? 0
                 : dk_err_field(err, DK_EILLEGAL, "assigned.agent",
                                "the ticket is not on offer to this agent");
    }
    dk_life_close(&life);
    return rc;
}

static int complete_escalate(struct dk_action *action, struct dk_err *err)
{
    Docket__Escalated *escalated = (Docket__Escalated *)action->event[0].body;
    if (escalated->has_manager == escalated->has_to_line) {
        return dk_cli_usage(err, "an escalation goes to a --line or to a --manager");
    }
    escalated->type = escalated->has_manager ? DOCKET__ESCALATION_TYPE__ESCALATION_HIERARCHICAL
                                             : DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    return 0;
}

static int complete_checklist(struct dk_action *action, struct dk_err *err)
{
    Docket__ChecklistAnswered *answered = (Docket__ChecklistAnswered *)action->event[0].body;
    (void)err;
    if (dk_cli_given(action->cli, "--all") != NULL) {
        answered->understood = answered->standard_steps_tried = answered->known_fixes_tried = 1;
        answered->said_in_product_terms = answered->data_collected = 1;
    }
    return 0;
}

/* S10: the target takes over how long the source's customer has been waiting. */
static int complete_merge(struct dk_action *action, struct dk_err *err)
{
    uint64_t source = action->event[0].subject;
    uint64_t target = ((Docket__MergedInto *)action->event[0].body)->target;
    Docket__MergedFrom *from =
        (Docket__MergedFrom *)dk_action_add(action, target, DK_KIND_MERGED_FROM);
    struct dk_life life;
    struct dk_life_view view;
    int rc = dk_life_init(&life, err);
    rc = rc != 0 ? rc : dk_desk_life(action->cli, source, &life, err);
    if (rc == 0) {
        dk_life_fold(&life, INT64_MAX, INT64_MAX, &view);
        from->source_ticket = source;
        from->has_unanswered_since_us = view.unanswered_since_us != 0;
        from->unanswered_since_us = view.unanswered_since_us;
    }
    dk_life_close(&life);
    return rc;
}

/* What the ticket's history says against another link of a type: it is there already, or the other
 * way round. The broker keeps no links; of two who link at the same moment both succeed. */
static int judge_link(const struct dk_action *action, const struct dk_life *life,
                      const Docket__LinkedTo *to, struct dk_err *err)
{
    char ticket[DK_ID_TEXT_BYTES], target[DK_ID_TEXT_BYTES];
    (void)dk_id_format(action->event[0].subject, ticket);
    (void)dk_id_format(to->target, target);
    for (size_t i = 0; i < life->count; i++) {
        const Docket__LinkedTo *linked = (const void *)life->event[i].body;
        const Docket__LinkedFrom *from = (const void *)life->event[i].body;
        uint32_t kind = life->event[i].envelope.kind;
        if (kind == DK_KIND_LINKED_TO && linked->target == to->target && linked->type == to->type) {
            return dk_err_field(err, DK_EEXISTS, "linked_to.target",
                                "%s is linked to %s so already", ticket, target);
        }
        if (kind == DK_KIND_LINKED_FROM && from->source_ticket == to->target &&
            from->type == to->type) {
            return dk_err_field(err, DK_EILLEGAL, "linked_to.target",
                                "%s is linked to %s so: not the other way round, too", target,
                                ticket);
        }
    }
    return 0;
}

static int complete_link(struct dk_action *action, struct dk_err *err)
{
    const Docket__LinkedTo *to = (const Docket__LinkedTo *)action->event[0].body;
    Docket__LinkedFrom *from =
        (Docket__LinkedFrom *)dk_action_add(action, to->target, DK_KIND_LINKED_FROM);
    struct dk_life life;
    int rc = dk_life_init(&life, err);
    from->source_ticket = action->event[0].subject;
    from->type = to->type;
    rc = rc != 0 ? rc : dk_desk_life(action->cli, action->event[0].subject, &life, err);
    rc = rc != 0 ? rc : judge_link(action, &life, to, err);
    dk_life_close(&life);
    return rc;
}

/* clang-format off */
#define WHAT_IT_IS                                                                                 \
    {"--product", "PRODUCT", "the product, by key", "product", 0, 0},                              \
    {"--type", "TYPE", "incident, request, question, problem, change, complaint", "type", 0, 0},   \
    {"--priority", "PRIORITY", "critical, high, normal, low", "priority", 0, 0},                   \
    {"--impact", "1..3", "1 is high; with urgency it makes the priority", "impact", 0, 0},         \
    {"--urgency", "1..3", "1 is high", "urgency", 0, 0}

const struct dk_verb dk_verbs_life[] = {
    {.name = "open", .summary = "open a ticket; prints its name", .run = dk_action_run,
     .kind = DK_KIND_OPENED, .complete = complete_open,
     .example = "open \"The printer is on fire\" --customer bob@example.org --product printers\n"
                "open \"No network\" --customer bob@example.org --as anna --channel phone "
                "--message -\n",
     .parameter = DK_PARAMETERS(
         {"SUBJECT", NULL, "what it is about, in a line", "subject", DK_NEEDED, 0},
         {"--message", "TEXT",
          "the customer's first message; - reads it from stdin", "message", DK_STDIN, 0},
         {"--channel", "CHANNEL",
          "email, phone, web, chat, messenger, social, review, api, on-behalf", "channel", 0, 0},
         WHAT_IT_IS,
         {"--company", "COMPANY", "on whose contract, by key", "company", 0, 0},
         {"--language", "TAG", "of the customer, as en or de-CH", "language", 0, 0},
         {"--tag", "TAG", "may be given several times", "tag", DK_MANY, 0},
         {"--reference", "NAME",
          "its name elsewhere; names the ticket too, while no other has it", "reference", 0, 0},
         {"--repeat-of", "TICKET",
          "the earlier ticket that this contact repeats", "repeat_of", 0, 0})},
    {.name = "classify", .summary = "say what kind of ticket it is", .run = dk_action_run,
     .kind = DK_KIND_CLASSIFIED, .complete = complete_classify,
     .example = "classify 1-42 --type incident --priority high --tag vip --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         WHAT_IT_IS,
         {"--language", "TAG", "of the customer", "language", 0, 0},
         {"--tag", "TAG", "to add; may be given several times", "tag_added", DK_MANY, 0},
         {"--untag", "TAG",
          "to take away; may be given several times", "tag_removed", DK_MANY, 0})},
    {.name = "route", .summary = "put it into a group's queue", .run = dk_action_run,
     .kind = DK_KIND_ROUTED, .complete = complete_route,
     .example = "route 1-42 networking --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"GROUP", NULL, "the group, by key", "group", DK_NEEDED, 0},
         {"--line", "NUMBER", "the line; the group's own when left out", "line", 0, 0},
         STATE("reason", "manual"))},
    {.name = "assign", .summary = "give it to an agent, or to none", .run = dk_action_run,
     .kind = DK_KIND_ASSIGNED,
     .example = "assign 1-42 anna --as boss\nassign 1-42 none --as boss\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"AGENT", NULL, "the agent, by key; none: nobody any more", "agent", DK_NEEDED, 0},
         {"--weight", "NUMBER", "how much of the agent's capacity it takes", "weight", 0, 0})},
    {.name = "handover", .summary = "declare that another agent takes it over",
     .run = dk_action_run,
     .kind = DK_KIND_HANDOVER_DECLARED,
     .example = "handover 1-42 ben --term temporary --reason absent --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"AGENT", NULL, "the new owner, by key", "agent", DK_NEEDED, 0},
         {"--term", "TERM", "permanent or temporary", "term", DK_NEEDED, 0},
         {"--reason", "REASON", "absent, overload, line-change, return", "reason", DK_NEEDED, 0},
         {"--from", "AGENT", "who hands it over, if it is not clear", "from_agent", 0, 0})},
    {.name = "accept", .summary = "take a ticket that is on offer", .run = dk_action_run,
     .kind = DK_KIND_ASSIGNED, .complete = complete_accept,
     .example = "accept 1-42 --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET)},
    {.name = "decline", .summary = "decline the offer of a ticket", .run = dk_action_run,
     .kind = DK_KIND_OFFER_DECLINED, .complete = complete_decline,
     .example = "decline 1-42 --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET)},
    {.name = "checklist", .summary = "answer the checklist before an escalation",
     .run = dk_action_run,
     .kind = DK_KIND_CHECKLIST_ANSWERED, .complete = complete_checklist,
     .example = "checklist 1-42 --all --workaround --remarks \"rebooting helps for an hour\" "
                "--as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"--understood", NULL, "the problem is understood", "understood", 0, 0},
         {"--steps", NULL, "the standard steps were tried", "standard_steps_tried", 0, 0},
         {"--fixes", NULL, "the known fixes were tried", "known_fixes_tried", 0, 0},
         {"--terms", NULL, "it is said in the product's terms", "said_in_product_terms", 0, 0},
         {"--data", NULL, "the data is collected", "data_collected", 0, 0},
         {"--all", NULL, "all of these", NULL, 0, 0},
         {"--workaround", NULL, "a workaround was given", "workaround_given", 0, 0},
         {"--remarks", "TEXT", "what else; - reads it from stdin", "remarks", DK_STDIN, 0})},
    {.name = "escalate", .summary = "to another line, or to a manager", .run = dk_action_run,
     .kind = DK_KIND_ESCALATED, .complete = complete_escalate,
     .example = "escalate 1-42 --line 2 --as anna\n"
                "escalate 1-42 --manager boss --reason \"asked for\" --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"--line", "NUMBER", "a line above its own", "to_line", 0, 0},
         {"--group", "GROUP", "straight into this group's queue", "to_group", 0, 0},
         {"--manager", "AGENT", "on the customer's request, to a manager", "manager", 0, 0},
         {"--critical-bypass", NULL,
          "without the checklist, as it is critical", "critical_bypass", 0, 0},
         {"--reason", "TEXT", "why; - reads it from stdin", "reason", DK_STDIN, 0})},
    {.name = "resolve", .summary = "set it to solved", .run = dk_action_run,
     .kind = DK_KIND_STATUS_CHANGED,
     .example = "resolve 1-42 --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET, STATE("status", "solved"))},
    {.name = "close", .summary = "close it, once it is solved", .run = dk_action_run,
     .kind = DK_KIND_STATUS_CHANGED, .example = "close 1-42 --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET, STATE("status", "closed"))},
    {.name = "reopen", .summary = "open it again", .run = dk_action_run,
     .kind = DK_KIND_STATUS_CHANGED,
     .example = "reopen 1-42 --customer bob@example.org\n",
     .parameter = DK_PARAMETERS(DK_TICKET, STATE("status", "open"))},
    {.name = "merge", .summary = "merge a ticket into another", .run = dk_action_run,
     .kind = DK_KIND_MERGED_INTO, .complete = complete_merge,
     .example = "merge 1-43 1-42 --as anna\n",
     .parameter = DK_PARAMETERS(
         {"TICKET", NULL, "the ticket that ends", NULL, DK_NEEDED, 0},
         {"TARGET", NULL, "the ticket that goes on", "target", DK_NEEDED, 0})},
    {.name = "link", .summary = "link a ticket to another", .run = dk_action_run,
     .kind = DK_KIND_LINKED_TO, .complete = complete_link,
     .example = "link 1-44 1-42 --type duplicate --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"TARGET", NULL, "the other ticket", "target", DK_NEEDED, 0},
         {"--type", "TYPE", "duplicate, child, problem, reopened-as", "type", DK_NEEDED, 0})},
    {.name = "adopt", .summary = "make an imported ticket live", .run = dk_action_run,
     .kind = DK_KIND_ADOPTED, .of_operator = true, .example = "adopt INC0000045\n",
     .parameter = DK_PARAMETERS(DK_TICKET)},
    {.name = NULL},
};
/* clang-format on */
