#include "nodes/routing/routing.h"

#include "tests/lib/bodies.h"
#include "tests/lib/role_world.h"
#include <stdlib.h>

/* Who gets which ticket: R2, R3, R4 (DOMAIN, Routing). Everybody works all the time, in a shift
 * that each agent is defined with. */

#define GROUP(key)  test_id(DK_SUBJECT_GROUP, key)
#define AGENT(key)  test_id(DK_SUBJECT_AGENT, key)
#define PLACE(key)  test_id(DK_SUBJECT_PRODUCT, key)
#define CLOCK_EARLY (WORLD_NOW + INT64_C(3600) * 1000000)

static void define_calendar(struct role_world *world, const char *key, uint32_t to_s)
{
    Docket__CalendarDefined calendar = DOCKET__CALENDAR_DEFINED__INIT;
    Docket__WeekdayPlan plan[7], *plans[7];
    Docket__DayInterval interval = DOCKET__DAY_INTERVAL__INIT, *intervals = &interval;
    interval.to_s = to_s;
    for (uint32_t day = 0; day < 7; day++) {
        docket__weekday_plan__init(&plan[day]);
        plan[day].weekday = day;
        plan[day].n_interval = 1;
        plan[day].interval = &intervals;
        plans[day] = &plan[day];
    }
    calendar.definition = test_definition(key);
    calendar.zone = test_bytes("UTC");
    calendar.n_weekday = 7;
    calendar.weekday = plans;
    (void)world_define(world, DK_KIND_CALENDAR_DEFINED, &calendar);
}

static void define_group(struct role_world *world, const char *key, uint32_t line)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition(key);
    group.has_line = 1;
    group.line = line;
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &group);
}

static void define_product(struct role_world *world, const char *key, const char *skill)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route[2] = {DOCKET__ROUTE__INIT, DOCKET__ROUTE__INIT};
    Docket__Route *routes[2] = {&route[0], &route[1]};
    ProtobufCBinaryData skills = test_bytes(skill != NULL ? skill : "");
    product.definition = test_definition(key);
    product.n_route = 2;
    product.route = routes;
    route[0].line = 1;
    route[0].group = GROUP("desk");
    route[1].line = 2;
    route[1].group = GROUP("network");
    product.n_required_skill = skill != NULL;
    product.required_skill = &skills;
    (void)world_define(world, DK_KIND_PRODUCT_DEFINED, &product);
}

struct agent {
    const char *key;
    const char *group[2]; /* NULL: none */
    uint32_t capacity;
    const char *language, *skill; /* NULL: none */
    uint32_t web_capacity;        /* 0: as many as in all */
    int64_t from_us;              /* 0: from now on */
};

static void define_agent(struct role_world *world, const struct agent *agent)
{
    Docket__AgentDefined body = DOCKET__AGENT_DEFINED__INIT;
    Docket__ChannelCapacity web = DOCKET__CHANNEL_CAPACITY__INIT, *webs = &web;
    uint64_t group[2];
    ProtobufCBinaryData language = test_bytes(agent->language != NULL ? agent->language : "");
    ProtobufCBinaryData skill = test_bytes(agent->skill != NULL ? agent->skill : "");
    body.definition = test_definition(agent->key);
    body.definition->has_effective_us = agent->from_us != 0;
    body.definition->effective_us = agent->from_us;
    body.group = group;
    for (int i = 0; i < 2; i++) {
        if (agent->group[i] != NULL)
            group[body.n_group++] = GROUP(agent->group[i]);
    }
    body.has_capacity = 1;
    body.capacity = agent->capacity;
    body.n_language = agent->language != NULL;
    body.language = &language;
    body.n_skill = agent->skill != NULL;
    body.skill = &skill;
    web.channel = DOCKET__CHANNEL__CHANNEL_WEB;
    web.capacity = agent->web_capacity;
    body.n_channel_capacity = agent->web_capacity != 0;
    body.channel_capacity = &webs;
    (void)world_define(world, DK_KIND_AGENT_DEFINED, &body);
}

static void define_shift(struct role_world *world, const char *calendar, const char *agent)
{
    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    uint64_t id = AGENT(agent);
    shift.definition = test_definition(agent);
    shift.calendar = test_id(DK_SUBJECT_CALENDAR, calendar);
    shift.n_agent = 1;
    shift.agent = &id;
    (void)world_define(world, DK_KIND_SHIFT_DEFINED, &shift);
}

/* An agent who is on shift all the time. */
static void hire(struct role_world *world, const struct agent *agent)
{
    define_agent(world, agent);
    define_shift(world, "always", agent->key);
}

static int set_up(void **state)
{
    struct role_world *world = calloc(1, sizeof *world);
    *state = world;
    world_open(world, &dk_routing_role);
    define_calendar(world, "always", 86400);
    define_group(world, "desk", 1);
    define_group(world, "network", 2);
    define_product(world, "mail", NULL);
    define_product(world, "toner", "toner");
    return 0;
}

static int tear_down(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

/* ---------------------------------------------------------------- events */

static uint64_t open_ticket(struct role_world *world, const char *product,
                            Docket__Priority priority, const char *language)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_product = 1;
    opened.product = PLACE(product);
    opened.has_channel = 1;
    opened.channel = DOCKET__CHANNEL__CHANNEL_WEB;
    opened.has_priority = 1;
    opened.priority = priority;
    opened.has_language = language != NULL;
    opened.language = test_bytes(language != NULL ? language : "");
    return world_open_ticket(world, &opened);
}

static uint64_t open_mail(struct role_world *world)
{
    return open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_NORMAL, NULL);
}

static void set_status(struct role_world *world, uint64_t ticket, Docket__Status status)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = status;
    changed.has_pending = status == DOCKET__STATUS__STATUS_PENDING;
    changed.pending = DOCKET__PENDING__PENDING_CUSTOMER;
    (void)world_append(world, ticket, DK_KIND_STATUS_CHANGED, &changed);
}

static void solve(struct role_world *world, uint64_t ticket)
{
    set_status(world, ticket, DOCKET__STATUS__STATUS_SOLVED);
}

static void set_presence(struct role_world *world, const char *agent, Docket__Presence presence,
                         int64_t until_us)
{
    Docket__PresenceChanged changed = DOCKET__PRESENCE_CHANGED__INIT;
    changed.presence = presence;
    changed.has_until_us = until_us != 0;
    changed.until_us = until_us;
    (void)world_append(world, AGENT(agent), DK_KIND_PRESENCE_CHANGED, &changed);
}

static const struct dk_ticket *life_of(const struct role_world *world, uint64_t ticket)
{
    return dk_table_get(dk_folder_world(world->folder)->tickets, ticket, NULL);
}

/* The ticket's events of a kind, and the last one's body. */
static size_t count_of(const struct role_world *world, uint64_t ticket, uint32_t kind,
                       const void **body)
{
    size_t count = 0, bytes;
    for (uint64_t position = 1; position <= world->count; position++) {
        const uint8_t *record = world_record(world, position, &bytes);
        if (dk_event_load_subject(record) == ticket && dk_event_load_kind(record) == kind) {
            count++;
            if (body != NULL)
                *body = world_body(world, position, kind);
        }
    }
    return count;
}

static const Docket__Assigned *assigned(const struct role_world *world, uint64_t ticket)
{
    const void *body = NULL;
    ASSERT_TRUE(count_of(world, ticket, DK_KIND_ASSIGNED, &body) > 0);
    return body;
}

/* ---------------------------------------------------------------- R2 */

static void check_excluded(Docket__Exclusion *const *excluded, size_t count,
                           const uint32_t *expected)
{
    size_t kinds = 0;
    for (size_t i = 0; i < count; i++)
        ASSERT_EQ(excluded[i]->count, expected[excluded[i]->reason]);
    for (int reason = 1; reason < 8; reason++)
        kinds += expected[reason] > 0;
    ASSERT_EQ(count, kinds);
}

static void test_routing_says_why_nobody_is_eligible(void **state)
{
    struct role_world *world = *state;
    define_calendar(world, "nights", 1);
    for (int i = 0; i < 3; i++) {
        const char *keys[] = {"asleep-1", "asleep-2", "asleep-3"};
        define_agent(world, &(struct agent){keys[i], {"desk"}, 5, "de", "toner", 0, 0});
    }
    define_shift(world, "nights", "asleep-2"); /* the first second after midnight; it is later */
    hire(world, &(struct agent){"away", {"desk"}, 5, "de", "toner", 0, 0});
    hire(world, &(struct agent){"busy", {"desk"}, 5, "de", "toner", 0, 0});
    hire(world, &(struct agent){"english", {"desk"}, 5, "en", "toner", 0, 0});
    hire(world, &(struct agent){"new", {"desk"}, 5, "de", NULL, 0, 0});
    hire(world, &(struct agent){"full", {"desk"}, 0, "de", "toner", 0, 0});
    hire(world, &(struct agent){"elsewhere", {"network"}, 5, "de", "toner", 0, 0});
    set_presence(world, "away", DOCKET__PRESENCE__PRESENCE_AWAY, 0);
    set_presence(world, "busy", DOCKET__PRESENCE__PRESENCE_BUSY, 0);
    uint64_t ticket = open_ticket(world, "toner", DOCKET__PRIORITY__PRIORITY_HIGH, "de");
    (void)world_settle(world);

    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, &body), 1);
    const Docket__Queued *queued = body;
    ASSERT_EQ(queued->group, GROUP("desk"));
    check_excluded(queued->excluded, queued->n_excluded,
                   (const uint32_t[8]){[DOCKET__EXCLUSION_REASON__EXCLUDED_OFF_SHIFT] = 3,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_UNAVAILABLE] = 2,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_LANGUAGE] = 1,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL] = 1,
                                       [DOCKET__EXCLUSION_REASON__EXCLUDED_CAPACITY] = 1});

    /* Each reason goes away by an event or at an instant, and the ticket is taken. */
    set_presence(world, "away", DOCKET__PRESENCE__PRESENCE_AVAILABLE, 0);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("away"));
}

static void test_routing_queued_is_said_once(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    uint64_t first = open_mail(world), second = open_mail(world);
    (void)world_settle(world);
    for (int i = 0; i < 5; i++) { /* what moves the queue again and again */
        set_presence(world, "ada", DOCKET__PRESENCE__PRESENCE_AWAY, 0);
        (void)world_settle(world);
        set_presence(world, "ada", DOCKET__PRESENCE__PRESENCE_AVAILABLE, 0);
        (void)world_settle(world);
        (void)open_mail(world);
        (void)world_settle(world);
    }
    ASSERT_EQ(count_of(world, second, DK_KIND_QUEUED, NULL), 1);
    ASSERT_EQ(count_of(world, first, DK_KIND_QUEUED, NULL), 0);
    world_restart(world);
    (void)world_settle(world);
    ASSERT_EQ(count_of(world, second, DK_KIND_QUEUED, NULL), 1);
}

static void test_routing_presence_ends_at_its_instant(void **state)
{
    struct role_world *world = *state;
    int64_t until_us = WORLD_NOW + INT64_C(600) * 1000000;
    hire(world, &(struct agent){"ada", {"desk"}, 5, NULL, NULL, 0, 0});
    set_presence(world, "ada", DOCKET__PRESENCE__PRESENCE_AWAY, until_us);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    world->now_us = until_us - 1;
    ASSERT_EQ(world_settle(world), 0);
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    world->now_us = until_us;
    ASSERT_EQ(world_settle(world), 1);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

static void test_routing_shift_begins_without_an_event(void **state)
{
    struct role_world *world = *state;
    define_calendar(world, "mornings", 3600);
    define_agent(world, &(struct agent){"ada", {"desk"}, 5, NULL, NULL, 0, 0});
    define_shift(world, "mornings", "ada");
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    int64_t midnight_us = (WORLD_NOW / DK_DAY_US + 1) * DK_DAY_US;
    ASSERT_EQ(dk_folder_next_due_us(world->folder), midnight_us);
    world->now_us = midnight_us;
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

static void test_routing_counts_a_channel_of_its_own(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 9, NULL, NULL, 2, 0});
    for (int i = 0; i < 5; i++)
        (void)open_mail(world);
    (void)world_settle(world);
    size_t owned = 0;
    for (uint64_t n = 1; n <= 5; n++)
        owned += life_of(world, dk_ticket_make(7, n))->owner == AGENT("ada");
    ASSERT_EQ(owned, 2);
}

/* A pending ticket weighs nothing, and again when it is open. */
static void test_routing_carries_what_is_worked_on(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    uint64_t first = open_mail(world), second = open_mail(world), third = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, first)->owner, AGENT("ada"));
    ASSERT_EQ(life_of(world, second)->owner, 0);
    set_status(world, first, DOCKET__STATUS__STATUS_PENDING);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, second)->owner, AGENT("ada"));
    set_status(world, first, DOCKET__STATUS__STATUS_OPEN); /* two now: more than she has room for */
    solve(world, second);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, third)->owner, 0);
    solve(world, first);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, third)->owner, AGENT("ada"));
}

/* ---------------------------------------------------------------- R3 */

static void start_clock(struct role_world *world, uint64_t ticket, Docket__Metric metric,
                        int64_t due_us)
{
    Docket__ClockStarted started = DOCKET__CLOCK_STARTED__INIT;
    Docket__ClockRef clock = DOCKET__CLOCK_REF__INIT;
    clock.metric = metric;
    clock.instance = 1;
    started.clock = &clock;
    started.due_us = due_us;
    (void)world_append(world, ticket, DK_KIND_CLOCK_STARTED, &started);
}

static void test_routing_queue_is_by_priority_then_due_then_since(void **state)
{
    struct role_world *world = *state;
    const Docket__Priority normal = DOCKET__PRIORITY__PRIORITY_NORMAL;
    uint64_t low = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_LOW, NULL);
    uint64_t waits = open_ticket(world, "mail", normal, NULL);
    uint64_t waits_less = open_ticket(world, "mail", normal, NULL);
    uint64_t due = open_ticket(world, "mail", normal, NULL);
    uint64_t due_first = open_ticket(world, "mail", normal, NULL);
    uint64_t critical = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_CRITICAL, NULL);
    uint64_t raised = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_LOW, NULL);
    start_clock(world, due, DOCKET__METRIC__METRIC_RESOLUTION, CLOCK_EARLY + 5);
    start_clock(world, due_first, DOCKET__METRIC__METRIC_RESOLUTION, CLOCK_EARLY + 50);
    start_clock(world, due_first, DOCKET__METRIC__METRIC_FIRST_REPLY, CLOCK_EARLY);
    (void)world_settle(world);
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT; /* while it waits */
    classified.has_priority = 1;
    classified.priority = DOCKET__PRIORITY__PRIORITY_HIGH;
    (void)world_append(world, raised, DK_KIND_CLASSIFIED, &classified);
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});

    const uint64_t order[] = {critical, raised, due_first, due, waits, waits_less, low};
    for (size_t i = 0; i < 7; i++) {
        (void)world_settle(world);
        for (size_t j = 0; j < 7; j++)
            ASSERT_EQ(life_of(world, order[j])->owner, j <= i ? AGENT("ada") : 0);
        solve(world, order[i]);
    }
}

/* ---------------------------------------------------------------- R4 */

static void check_candidates(const Docket__Assigned *body, const char *const *keys, size_t count)
{
    ASSERT_EQ(body->n_candidate, count);
    for (size_t i = 0; i < count; i++)
        ASSERT_EQ(body->candidate[i]->agent, AGENT(keys[i]));
    ASSERT_EQ(body->agent, AGENT(keys[0]));
}

static void test_routing_prefers_spare_then_idle_then_the_lowest_id(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 4, NULL, NULL, 0, 0});
    hire(world, &(struct agent){"bob", {"desk"}, 2, NULL, NULL, 0, 0});
    bool ada_first = AGENT("ada") < AGENT("bob");
    const char *by_id[] = {ada_first ? "ada" : "bob", ada_first ? "bob" : "ada"};
    const char *other[] = {by_id[1], by_id[0]}, *ada[] = {"ada", "bob"};

    uint64_t first = open_mail(world);
    (void)world_settle(world);
    check_candidates(assigned(world, first), by_id, 2); /* nobody ever worked: by id */
    ASSERT_EQ(assigned(world, first)->candidate[0]->spare_permille, 1000);
    uint64_t second = open_mail(world);
    (void)world_settle(world);
    check_candidates(assigned(world, second), other, 2); /* the other has more to spare */
    uint64_t third = open_mail(world);
    (void)world_settle(world); /* ada has 3 of 4 left, bob 1 of 2 */
    check_candidates(assigned(world, third), ada, 2);
    ASSERT_EQ(assigned(world, third)->candidate[0]->spare_permille, 750);
    ASSERT_EQ(assigned(world, third)->candidate[1]->spare_permille, 500);
    uint64_t fourth = open_mail(world);
    (void)world_settle(world); /* both have half; bob's load changed earlier */
    const char *bob[] = {"bob", "ada"};
    check_candidates(assigned(world, fourth), bob, 2);
    ASSERT_TRUE(assigned(world, fourth)->candidate[0]->idle_since_us <
                assigned(world, fourth)->candidate[1]->idle_since_us);
}

static void test_routing_who_spoke_with_the_customer_comes_first(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 4, NULL, NULL, 0, 0});
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    Docket__MessagePublic reply = DOCKET__MESSAGE_PUBLIC__INIT;
    reply.direction = DOCKET__DIRECTION__DIRECTION_OUTBOUND;
    struct dk_envelope by_ada = {.subject = ticket,
                                 .actor = dk_id_make(DK_ACTOR_AGENT, AGENT("ada"))};
    (void)world_append_as(world, by_ada, DK_KIND_MESSAGE_PUBLIC, &reply);
    ASSERT_EQ(life_of(world, ticket)->speaker, AGENT("ada"));
    for (int i = 0; i < 2; i++)
        (void)open_mail(world); /* hers too: she has less to spare than who comes now */
    (void)world_settle(world);
    hire(world, &(struct agent){"bob", {"desk"}, 4, NULL, NULL, 0, 0});
    Docket__Assigned nobody = DOCKET__ASSIGNED__INIT;
    (void)world_append(world, ticket, DK_KIND_ASSIGNED, &nobody);
    (void)world_settle(world);
    check_candidates(assigned(world, ticket), (const char *[]){"ada", "bob"}, 2);
}

static void test_routing_event_names_the_choice_and_the_next_seven(void **state)
{
    struct role_world *world = *state;
    for (int i = 0; i < 12; i++) {
        char key[8] = {'a', (char)('a' + i), 0};
        hire(world, &(struct agent){key, {"desk"}, 5, NULL, i < 2 ? NULL : "toner", 0, 0});
    }
    uint64_t ticket = open_ticket(world, "toner", DOCKET__PRIORITY__PRIORITY_HIGH, NULL);
    uint64_t opened_at = world->count;
    (void)world_settle(world);
    const Docket__Assigned *body = assigned(world, ticket);
    ASSERT_EQ(body->n_candidate, 8);
    for (size_t i = 1; i < 8; i++)
        ASSERT_TRUE(body->candidate[i - 1]->agent < body->candidate[i]->agent);
    check_excluded(body->excluded, body->n_excluded,
                   (const uint32_t[8]){[DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL] = 2});
    ASSERT_EQ(body->weight, 1);
    ASSERT_EQ(body->judged_us, world->now_us - WORLD_STEP_US);
    ASSERT_EQ(body->decision->basis, opened_at + 1); /* the Routed */
    ASSERT_EQ(body->decision->cause, opened_at + 1);
    ASSERT_EQ(body->decision->rule_version, dk_routing_role.rule_version);
}

/* ---------------------------------------------------------------- escalation, history */

static void test_routing_an_escalated_ticket_goes_to_the_other_line(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    hire(world, &(struct agent){"cyd", {"network"}, 1, NULL, NULL, 0, 0});
    uint64_t ticket = open_mail(world), next = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated); /* to the next line */
    (void)world_settle(world);
    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_ROUTED, &body), 2);
    const Docket__Routed *routed = body;
    ASSERT_EQ(routed->line, 2);
    ASSERT_EQ(routed->group, GROUP("network"));
    ASSERT_EQ(routed->reason, DOCKET__ROUTE_REASON__ROUTE_ESCALATION);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("cyd"));
    ASSERT_EQ(life_of(world, next)->owner, AGENT("ada")); /* who has room again */
}

static void test_routing_owes_nothing_for_historical_tickets(void **state)
{
    struct role_world *world = *state;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    (void)world_settle(world);
    opened.has_product = 1;
    opened.product = PLACE("mail");
    uint64_t ticket = dk_ticket_make(7, 900);
    struct dk_envelope envelope = {.subject = ticket,
                                   .actor = dk_id_make(DK_ACTOR_IMPORTER, 1),
                                   .flags = DOCKET__EVENT_FLAG__FLAG_IMPORTED};
    (void)world_append_as(world, envelope, DK_KIND_OPENED, &opened);
    Docket__Assigned to_ada = DOCKET__ASSIGNED__INIT; /* and it uses no capacity */
    to_ada.agent = AGENT("ada");
    (void)world_append_as(world, envelope, DK_KIND_ASSIGNED, &to_ada);
    ASSERT_EQ(world_settle(world), 0);
    world_restart(world);
    ASSERT_EQ(world_settle(world), 0);
    uint64_t live = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, live)->owner, AGENT("ada"));

    solve(world, live);
    (void)world_append_as(
        world, envelope, DK_KIND_ASSIGNED,
        &(Docket__Assigned){.base = PROTOBUF_C_MESSAGE_INIT(&docket__assigned__descriptor)});
    Docket__Adopted adopted = DOCKET__ADOPTED__INIT;
    (void)world_append(world, ticket, DK_KIND_ADOPTED, &adopted);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->group, GROUP("desk")); /* from here it is live */
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

/* ---------------------------------------------------------------- pools */

/* What a definition opens must move every queue of the pool, not only the lowest group's. */
static void test_routing_a_definition_moves_the_queues_of_a_pool(void **state)
{
    struct role_world *world = *state;
    bool desk_first = GROUP("desk") < GROUP("network");
    const char *low = desk_first ? "desk" : "network", *high = desk_first ? "network" : "desk";
    define_agent(world, &(struct agent){"ada", {low, high}, 1, NULL, NULL, 0, 0}); /* no shift */
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.line = 1;
    routed.group = GROUP(high);
    (void)world_append(world, ticket, DK_KIND_ROUTED, &routed);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, 0);
    define_shift(world, "always", "ada");
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
}

/* A group that nobody works in is told so as well. */
static void test_routing_says_that_a_group_is_empty(void **state)
{
    struct role_world *world = *state;
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    const void *body = NULL;
    ASSERT_EQ(count_of(world, ticket, DK_KIND_QUEUED, &body), 1);
    ASSERT_EQ(((const Docket__Queued *)body)->n_excluded, 0);
}

/* Membership is what is in force at the instant of the choice. */
static void test_routing_asks_who_is_in_the_group_now(void **state)
{
    struct role_world *world = *state;
    int64_t monday_us = WORLD_NOW + 3 * DK_DAY_US;
    hire(world, &(struct agent){"ada", {"desk"}, 1, NULL, NULL, 0, 0});
    define_agent(world, &(struct agent){"ada", {"network"}, 1, NULL, NULL, 0, monday_us});
    hire(world, &(struct agent){"bob", {"network"}, 1, NULL, NULL, 0, 0});
    define_agent(world, &(struct agent){"bob", {"desk"}, 1, NULL, NULL, 0, monday_us});
    uint64_t before = open_mail(world), waits = open_mail(world);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, before)->owner, AGENT("ada"));
    ASSERT_EQ(life_of(world, waits)->owner, 0); /* bob is not there yet */
    ASSERT_EQ(dk_folder_next_due_us(world->folder), monday_us);
    world->now_us = monday_us;
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, waits)->owner, AGENT("bob"));
}

/* Many that nobody can take do not hide one that somebody can. */
static void test_routing_looks_behind_a_long_head_of_the_queue(void **state)
{
    struct role_world *world = *state;
    hire(world, &(struct agent){"ada", {"desk"}, 3, NULL, NULL, 0, 0});
    for (int i = 0; i < 1500; i++)
        (void)open_ticket(world, "toner", DOCKET__PRIORITY__PRIORITY_CRITICAL, NULL);
    uint64_t ticket = open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_LOW, NULL);
    (void)world_settle(world);
    ASSERT_EQ(life_of(world, ticket)->owner, AGENT("ada"));
    for (uint64_t n = 1; n <= 1500; n += 100) /* and each of the others is told that it waits */
        ASSERT_EQ(count_of(world, dk_ticket_make(7, n), DK_KIND_QUEUED, NULL), 1);
}

/* ---------------------------------------------------------------- whatever happens */

/* The load that each agent has by the tickets alone. */
static uint32_t load_of(const struct role_world *world, uint64_t agent)
{
    uint32_t load = 0;
    for (uint64_t n = 1; n <= world->tickets; n++) {
        const struct dk_ticket *life = life_of(world, dk_ticket_make(7, n));
        load += dk_ticket_live(life) && life->status != DOCKET__STATUS__STATUS_PENDING &&
                life->owner == agent;
    }
    return load;
}

/* A folder as a checkpoint restores it: the tables and the definitions, and what is derived. */
static struct dk_folder *restored(const struct role_world *world)
{
    struct dk_err err;
    struct dk_folder *folder;
    struct dk_table *from[DK_FOLDER_TABLES_MAX], *to[DK_FOLDER_TABLES_MAX];
    ASSERT_OK(dk_folder_new(&folder, world->ops, &err), &err);
    size_t count = dk_folder_tables(world->folder, from, DK_FOLDER_TABLES_MAX), bytes;
    (void)dk_folder_tables(folder, to, DK_FOLDER_TABLES_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t cursor = 0;
        uint64_t key;
        const void *value;
        while (dk_table_next(from[i], &cursor, &key, &value, &bytes))
            memcpy(dk_table_edit(to[i], key, bytes), value, bytes);
    }
    for (uint64_t position = 1; position <= world->count; position++) {
        const uint8_t *record = world_record(world, position, &bytes);
        ASSERT_OK(dk_refs_apply(dk_folder_world(folder)->refs, record, bytes, &err), &err);
    }
    const struct dk_world *as = dk_folder_world(world->folder);
    ASSERT_OK(dk_folder_restored(folder, as->position, as->recorded_us, &err), &err);
    return folder;
}

/* Considers everything touched in a folder into one buffer of bytes. */
static void consider_all(struct dk_folder *folder, int64_t now_us, struct dk_buf *out)
{
    struct dk_intents intents;
    uint64_t item, hash = dk_folder_hash(folder);
    dk_intents_init(&intents, DK_ROLE_ROUTING, dk_routing_role.rule_version);
    while (dk_folder_next_item(folder, now_us, &item)) {
        dk_folder_consider(folder, item, now_us, &intents);
        DK_ASSERT(dk_buf_append(out, intents.bytes.data, intents.bytes.size) == 0);
    }
    ASSERT_TRUE(dk_folder_hash(folder) == hash); /* only apply changes state */
    dk_intents_close(&intents);
}

/* Replayed, restored, or asked twice: the same state owes the same bytes. */
static void check_determinism(const struct role_world *world)
{
    struct dk_folder *replayed = world_replay(world), *copy = restored(world);
    struct dk_buf first, again, other;
    dk_buf_init(&first, 1 << 24);
    dk_buf_init(&again, 1 << 24);
    dk_buf_init(&other, 1 << 24);
    ASSERT_TRUE(dk_folder_hash(replayed) == dk_folder_hash(world->folder));
    ASSERT_TRUE(dk_folder_hash(copy) == dk_folder_hash(world->folder));
    consider_all(copy, world->now_us, &first);
    ASSERT_OK(dk_folder_restored(copy, dk_folder_position(copy), world->now_us, NULL),
              &(struct dk_err){0});
    consider_all(copy, world->now_us, &again);
    ASSERT_EQ(first.size, again.size);
    assert_memory_equal(first.data, again.data, first.size);
    consider_all(replayed, world->now_us, &other);
    ASSERT_EQ(first.size == 0, other.size == 0);
    dk_buf_close(&first);
    dk_buf_close(&again);
    dk_buf_close(&other);
    dk_folder_free(&replayed);
    dk_folder_free(&copy);
}

static void act(struct role_world *world, struct test_random *random)
{
    static const char *const agents[] = {"ada", "bob", "cyd", "dan"};
    static const Docket__Status statuses[] = {DOCKET__STATUS__STATUS_SOLVED,
                                              DOCKET__STATUS__STATUS_PENDING,
                                              DOCKET__STATUS__STATUS_SOLVED};
    uint64_t ticket = dk_ticket_make(7, 1 + test_random_below(random, world->tickets + 1));
    const struct dk_ticket *life = life_of(world, ticket);
    switch (test_random_below(random, 8)) {
    case 0:
    case 1:
    case 2:
        (void)open_ticket(world, test_random_below(random, 3) == 0 ? "toner" : "mail",
                          (Docket__Priority)(1 + test_random_below(random, 4)), NULL);
        break;
    case 3:
    case 4:
        if (life != NULL && dk_ticket_live(life))
            set_status(world, ticket, statuses[test_random_below(random, 3)]);
        break;
    case 5:
        set_presence(world, agents[test_random_below(random, 4)],
                     (Docket__Presence)(1 + test_random_below(random, 2)),
                     test_random_below(random, 2) == 0 ? 0 : world->now_us + 50000);
        break;
    case 6:
        if (life != NULL && dk_ticket_live(life) && life->group != 0) {
            Docket__Routed routed = DOCKET__ROUTED__INIT;
            routed.line = 2;
            routed.group = GROUP(test_random_below(random, 2) == 0 ? "network" : "desk");
            (void)world_append(world, ticket, DK_KIND_ROUTED, &routed);
        }
        break;
    default: world->now_us += (int64_t)test_random_below(random, 100000);
    }
}

/* A choice of routing's never takes an agent beyond capacity, whoever shares which groups. */
static void test_routing_never_exceeds_a_capacity(void **state)
{
    static const struct agent agents[] = {{"ada", {"desk", NULL}, 2, NULL, "toner", 0, 0},
                                          {"bob", {"desk", "network"}, 3, NULL, NULL, 0, 0},
                                          {"cyd", {"network", NULL}, 1, NULL, "toner", 0, 0},
                                          {"dan", {"network", "desk"}, 4, NULL, "toner", 2, 0}};
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct test_random random = {seed};
        struct role_world *world = *state;
        for (size_t i = 0; i < 4; i++)
            hire(world, &agents[i]);
        for (int step = 0; step < 250; step++) {
            uint32_t before[4];
            act(world, &random);
            for (size_t i = 0; i < 4; i++)
                before[i] = load_of(world, AGENT(agents[i].key));
            (void)world_settle(world);
            for (size_t i = 0; i < 4; i++) {
                uint32_t load = load_of(world, AGENT(agents[i].key));
                /* A reopened ticket may exceed it; then nothing is added. */
                if (load > agents[i].capacity && load > before[i])
                    fail_msg("seed %llu step %d: %s has %u of %u", (unsigned long long)seed, step,
                             agents[i].key, load, agents[i].capacity);
            }
            if (step % 50 == 49)
                check_determinism(world);
        }
        tear_down(state);
        set_up(state);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_says_why_nobody_is_eligible),
        CASE(test_routing_queued_is_said_once),
        CASE(test_routing_presence_ends_at_its_instant),
        CASE(test_routing_shift_begins_without_an_event),
        CASE(test_routing_counts_a_channel_of_its_own),
        CASE(test_routing_carries_what_is_worked_on),
        CASE(test_routing_queue_is_by_priority_then_due_then_since),
        CASE(test_routing_prefers_spare_then_idle_then_the_lowest_id),
        CASE(test_routing_who_spoke_with_the_customer_comes_first),
        CASE(test_routing_event_names_the_choice_and_the_next_seven),
        CASE(test_routing_an_escalated_ticket_goes_to_the_other_line),
        CASE(test_routing_owes_nothing_for_historical_tickets),
        CASE(test_routing_a_definition_moves_the_queues_of_a_pool),
        CASE(test_routing_says_that_a_group_is_empty),
        CASE(test_routing_asks_who_is_in_the_group_now),
        CASE(test_routing_looks_behind_a_long_head_of_the_queue),
        CASE(test_routing_never_exceeds_a_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
