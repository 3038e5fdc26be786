#include "tests/sim/people.h"

#include "proto/base/id.h"
#include "proto/base/time.h"
#include <string.h>

#define CUSTOMER(k) dk_id_make(DK_ACTOR_CUSTOMER, 100 + (k))

static size_t below(struct sim_people *people, size_t bound)
{
    return test_random_below(&people->client.scene->random, bound);
}

static uint64_t some_agent(struct sim_people *people)
{
    return people->organization->agent[below(people, SIM_AGENTS)];
}

/* Agents' ids as actors and as subjects differ in their class only. */
static uint64_t as_actor(uint64_t agent)
{
    return dk_id_make(DK_ACTOR_AGENT, agent);
}

static void add(struct sim_people *people, struct sim_request *request, uint64_t ticket,
                uint32_t kind, const void *body)
{
    uint32_t expected = sim_chance(people->client.scene, 50) ? 1 + (uint32_t)below(people, 6) : 0;
    uint64_t actor = as_actor(some_agent(people));
    sim_request_add(&people->client, request, actor, ticket, kind, body, 0, expected);
}

/* ---------------------------------------------------------------- actions */

static void open_ticket(struct sim_people *people, struct sim_request *request)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.subject = sim_text(people->client.ledger, "It does not work");
    opened.has_product = sim_chance(people->client.scene, 800);
    opened.product = people->organization->product[below(people, SIM_PRODUCTS)];
    opened.has_channel = 1;
    opened.channel = (Docket__Channel)(1 + below(people, 9));
    opened.has_priority = 1;
    opened.priority = (Docket__Priority)(1 + below(people, 4));
    sim_request_add(&people->client, request, CUSTOMER(below(people, 20)), SIM_UNNAMED(0),
                    DK_KIND_OPENED, &opened, 0, 0);
}

static void say(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    bool inbound = sim_chance(people->client.scene, 400);
    uint64_t actor = inbound ? CUSTOMER(below(people, 20)) : as_actor(some_agent(people));
    message.direction =
        inbound ? DOCKET__DIRECTION__DIRECTION_INBOUND : DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    message.text = sim_text(people->client.ledger, "Hello");
    sim_request_add(&people->client, request, actor, ticket, DK_KIND_MESSAGE_PUBLIC, &message, 0,
                    0);
}

static void note(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    Docket__NoteAdded added = DOCKET__NOTE_ADDED__INIT;
    added.text = sim_text(people->client.ledger, "Look into it");
    add(people, request, ticket, DK_KIND_NOTE_ADDED, &added);
}

static void change_status(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    static const Docket__Status statuses[] = {
        DOCKET__STATUS__STATUS_OPEN, DOCKET__STATUS__STATUS_PENDING, DOCKET__STATUS__STATUS_SOLVED,
        DOCKET__STATUS__STATUS_SOLVED, DOCKET__STATUS__STATUS_CLOSED};
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = statuses[below(people, 5)];
    changed.has_pending = changed.status == DOCKET__STATUS__STATUS_PENDING;
    changed.pending = changed.has_pending ? (Docket__Pending)(1 + below(people, 3))
                                          : DOCKET__PENDING__PENDING_NONE;
    changed.code = sim_text(people->client.ledger, "Status");
    add(people, request, ticket, DK_KIND_STATUS_CHANGED, &changed);
}

static void classify(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    ProtobufCBinaryData tag = sim_bytes(people->client.ledger, "tag %llu",
                                        (unsigned long long)sim_token(people->client.ledger));
    classified.has_priority = 1;
    classified.priority = (Docket__Priority)(1 + below(people, 4));
    classified.n_tag_added = 1;
    classified.tag_added = &tag;
    add(people, request, ticket, DK_KIND_CLASSIFIED, &classified);
}

static void escalate(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    Docket__ExceptionRecorded exception = DOCKET__EXCEPTION_RECORDED__INIT;
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    exception.type = DOCKET__EXCEPTION_TYPE__EXCEPTION_CHECKLIST;
    exception.reason = sim_text(people->client.ledger, "No time");
    add(people, request, ticket, DK_KIND_EXCEPTION_RECORDED, &exception);
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    escalated.has_to_line = 1;
    escalated.to_line = 2;
    escalated.reason = sim_text(people->client.ledger, "Too hard");
    add(people, request, ticket, DK_KIND_ESCALATED, &escalated);
}

static void assign(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    assigned.agent = sim_chance(people->client.scene, 300) ? 0 : some_agent(people);
    assigned.has_judged_us = 1;
    assigned.judged_us = (int64_t)sim_token(people->client.ledger);
    add(people, request, ticket, DK_KIND_ASSIGNED, &assigned);
}

/* What is on offer is taken or declined; by another agent now and then, who is refused. Declines
 * have no text: a request id makes each unlike all others. */
static bool answer_offer(struct sim_people *people)
{
    uint64_t agent = 0;
    uint64_t ticket = sim_offers_some(people->offers, &agent);
    Docket__Assigned taken = DOCKET__ASSIGNED__INIT;
    Docket__OfferDeclined declined = DOCKET__OFFER_DECLINED__INIT;
    if (ticket == 0) {
        return false;
    }
    agent = sim_chance(people->client.scene, 100) ? some_agent(people) : agent;
    taken.agent = declined.agent = agent;
    struct sim_request *request = sim_request_new(false, true, people->client.scene);
    if (sim_chance(people->client.scene, 500)) {
        sim_request_add(&people->client, request, as_actor(agent), ticket, DK_KIND_ASSIGNED, &taken,
                        0, 0);
    } else {
        sim_request_add(&people->client, request, as_actor(agent), ticket, DK_KIND_OFFER_DECLINED,
                        &declined, 0, 0);
    }
    sim_client_send(&people->client, request);
    return true;
}

/* These events have no text: two tries are told apart by when they are said to have occurred. */
static void merge(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    uint64_t target = sim_ledger_some_ticket(people->client.ledger);
    Docket__MergedInto into = DOCKET__MERGED_INTO__INIT;
    Docket__MergedFrom from = DOCKET__MERGED_FROM__INIT;
    uint64_t actor = as_actor(some_agent(people));
    int64_t occurred_us = people->organization->broker->clocks.wall_base_us +
                          (int64_t)sim_token(people->client.ledger);
    into.target = target;
    from.source_ticket = ticket;
    sim_request_add(&people->client, request, actor, ticket, DK_KIND_MERGED_INTO, &into,
                    occurred_us, 0);
    sim_request_add(&people->client, request, actor, target, DK_KIND_MERGED_FROM, &from,
                    occurred_us, 0);
}

static void be_present(struct sim_people *people, struct sim_request *request)
{
    Docket__PresenceChanged presence = DOCKET__PRESENCE_CHANGED__INIT;
    uint64_t agent = some_agent(people);
    presence.presence = sim_chance(people->client.scene, 600) ? DOCKET__PRESENCE__PRESENCE_AVAILABLE
                                                              : DOCKET__PRESENCE__PRESENCE_AWAY;
    presence.reason = sim_text(people->client.ledger, "Lunch");
    sim_request_add(&people->client, request, as_actor(agent), agent, DK_KIND_PRESENCE_CHANGED,
                    &presence, 0, 0);
}

static void open_and_note(struct sim_people *people, struct sim_request *request)
{
    open_ticket(people, request);
    note(people, request, SIM_UNNAMED(0));
    if (sim_chance(people->client.scene, 500)) {
        change_status(people, request, SIM_UNNAMED(0));
    }
}

static void act_on(struct sim_people *people, uint64_t ticket)
{
    struct sim_scene *scene = people->client.scene;
    size_t what = below(people, 100);
    bool two = what >= 76 && what < 88;
    struct sim_request *request =
        sim_request_new(two || sim_chance(scene, 100), sim_chance(scene, 150), scene);
    if (what < 20) {
        say(people, request, ticket);
    } else if (what < 30) {
        note(people, request, ticket);
    } else if (what < 60) {
        change_status(people, request, ticket);
    } else if (what < 68) {
        classify(people, request, ticket);
    } else if (what < 76) {
        assign(people, request, ticket);
    } else if (what < 84) {
        escalate(people, request, ticket);
    } else if (what < 88) {
        merge(people, request, ticket);
    } else {
        be_present(people, request);
    }
    sim_client_send(&people->client, request);
}

static void act_agent(struct sim_people *people)
{
    struct sim_scene *scene = people->client.scene;
    if (sim_chance(scene, 300) && answer_offer(people)) {
        return;
    }
    uint64_t ticket = sim_ledger_some_ticket(people->client.ledger);
    if (ticket != 0 && sim_chance(scene, 750)) {
        act_on(people, ticket);
        return;
    }
    bool several = sim_chance(scene, 300);
    bool atomic = sim_chance(scene, 500);
    /* A request that is accepted in part is known by its id alone: one-shots here are whole. */
    struct sim_request *request =
        sim_request_new(several && atomic, sim_chance(scene, 150) && (!several || atomic), scene);
    if (several) {
        open_and_note(people, request);
    } else {
        open_ticket(people, request);
    }
    sim_client_send(&people->client, request);
}

/* ---------------------------------------------------------------- imports */

static Docket__Origin origin_of(struct sim_people *people)
{
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    origin.source = dk_id_make(DK_SUBJECT_SOURCE, 1);
    origin.ordinal = 1;
    origin.digest = sim_token(people->client.ledger);
    return origin;
}

/* When something in a history happened: some days before the world began. */
static int64_t long_ago_us(struct sim_people *people)
{
    return people->organization->broker->clocks.wall_base_us -
           sim_between(people->client.scene, 2, 40) * DK_DAY_US;
}

static void import_case(struct sim_people *people, struct sim_request *request)
{
    Docket__Origin origin = origin_of(people), second = origin_of(people);
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    uint64_t actor = dk_id_make(DK_ACTOR_IMPORTER, 1);
    opened.origin = &origin;
    opened.has_status = 1;
    opened.status = DOCKET__STATUS__STATUS_OPEN;
    opened.has_group = sim_chance(people->client.scene, 500);
    opened.group = people->organization->group[below(people, SIM_GROUPS)];
    sim_request_add(&people->client, request, actor, SIM_UNNAMED(0), DK_KIND_OPENED, &opened,
                    long_ago_us(people), 0);
    changed.origin = &second;
    changed.status = (Docket__Status)(1 + below(people, 5));
    sim_request_add(&people->client, request, actor, SIM_UNNAMED(0), DK_KIND_STATUS_CHANGED,
                    &changed, long_ago_us(people), 0);
}

/* From here on the ticket is everybody's, if it is still open. */
static void adopt(struct sim_people *people, struct sim_request *request, uint64_t ticket)
{
    Docket__Origin origin = origin_of(people);
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    adopted.origin = &origin;
    sim_request_add(&people->client, request, dk_id_make(DK_ACTOR_IMPORTER, 1), ticket,
                    DK_KIND_ADOPTED, &adopted, 0, 0);
}

static void act_importer(struct sim_people *people)
{
    struct sim_scene *scene = people->client.scene;
    uint64_t ticket = sim_ledger_some_ticket(people->client.ledger);
    struct sim_request *request = sim_request_new(sim_chance(scene, 500), false, scene);
    if (ticket != 0 && sim_chance(scene, 400)) {
        adopt(people, request, ticket);
    } else {
        import_case(people, request);
    }
    sim_client_send(&people->client, request);
}

/* ---------------------------------------------------------------- life */

static void act(void *arg, uint64_t unused)
{
    struct sim_people *people = arg;
    (void)unused;
    if (people->quiet) {
        return;
    }
    if (people->organization->operator.answered> 0 && sim_client_room(&people->client)) {
        if (people->client.link.peer.role == DK_ROLE_IMPORTER) {
            act_importer(people);
        } else {
            act_agent(people);
        }
    }
    sim_in(people->client.scene, sim_about(people->client.scene, people->pause_us), act, people, 0);
}

void sim_people_init(struct sim_people *people, const char *name, unsigned role,
                     struct sim_organization *organization, struct sim_ledger *ledger,
                     struct sim_offers *offers, struct sim_net *net)
{
    memset(people, 0, sizeof *people);
    sim_client_init(&people->client, name, role, ledger, net);
    /* People whose desk takes no actions call the operator. */
    people->client.on_clock_step = sim_organization_accept_step;
    people->client.arg = organization;
    people->organization = organization;
    people->offers = offers;
    people->pause_us = SIM_SECOND_US;
    sim_in(ledger->scene, SIM_SECOND_US, act, people, 0);
}
