#include "tests/sim/organization.h"

#include "proto/base/id.h"
#include "proto/base/time.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR dk_id_make(DK_ACTOR_OPERATOR, 1)

static uint64_t id_of(unsigned cls, const char *key)
{
    return dk_id_of_key(cls, key, strlen(key), NULL);
}

/* Where the parts of a class have keys of their own: "group-1", ... */
static const char *key_of(struct sim_ledger *ledger, const char *what, size_t i)
{
    return (const char *)sim_bytes(ledger, "%s-%zu", what, i).data;
}

static void define(struct sim_organization *o, uint64_t *id, const char *key, uint32_t kind,
                   Docket__Definition **definition, const void *body)
{
    struct sim_client *client = &o->operator;
    struct sim_request *request = sim_request_new(false, false, client->scene);
    Docket__Definition made = DOCKET__DEFINITION__INIT;
    made.key = (ProtobufCBinaryData){strlen(key), (uint8_t *)(uintptr_t)key};
    made.has_name = 1;
    made.name = sim_bytes(client->ledger, "%s %" PRIu64, key, sim_token(client->ledger));
    *definition = &made;
    *id = id_of(dk_kind_info(kind)->subject_class, key);
    sim_request_add(client, request, ACTOR, *id, kind, body, 0, 0);
    sim_client_send(client, request);
    *definition = NULL;
}

/* Open on every day of the week, in one interval. */
static void define_calendar(struct sim_organization *o, uint64_t *id, const char *key,
                            uint32_t from_s, uint32_t to_s)
{
    Docket__CalendarDefined calendar = DOCKET__CALENDAR_DEFINED__INIT;
    Docket__WeekdayPlan plan[7], *plans[7];
    Docket__DayInterval interval = DOCKET__DAY_INTERVAL__INIT, *intervals = &interval;
    interval.from_s = from_s;
    interval.to_s = to_s;
    for (uint32_t day = 0; day < 7; day++) {
        docket__weekday_plan__init(&plan[day]);
        plan[day].weekday = day;
        plan[day].n_interval = 1;
        plan[day].interval = &intervals;
        plans[day] = &plan[day];
    }
    calendar.zone = sim_bytes(o->operator.ledger, "UTC");
    calendar.n_weekday = 7;
    calendar.weekday = plans;
    define(o, id, key, DK_KIND_CALENDAR_DEFINED, &calendar.definition, &calendar);
}

static void define_agent(struct sim_organization *o, size_t i)
{
    struct sim_ledger *ledger = o->operator.ledger;
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    uint64_t group[2] = {o->group[i % SIM_GROUPS], o->group[1]};
    agent.first_name = sim_text(ledger, "First");
    agent.surname = sim_text(ledger, "Last");
    agent.n_group = i == 0 ? 2 : 1; /* agent 0 joins two groups to one pool */
    agent.group = group;
    agent.has_capacity = 1;
    agent.capacity = (uint32_t)sim_between(o->operator.scene, 1, 4);
    define(o, &o->agent[i], key_of(ledger, "agent", i), DK_KIND_AGENT_DEFINED, &agent.definition,
           &agent);
}

static void define_group(struct sim_organization *o, size_t i)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.has_line = 1;
    group.line = i < 2 ? 1 : 2;
    group.has_calendar = 1;
    group.calendar = o->calendar;
    group.has_secondary = i == 0;
    group.secondary = id_of(DK_SUBJECT_GROUP, "group-1");
    group.has_next_site_group = i == 1;
    group.next_site_group = id_of(DK_SUBJECT_GROUP, "group-2");
    define(o, &o->group[i], key_of(o->operator.ledger, "group", i), DK_KIND_GROUP_DEFINED,
           &group.definition, &group);
}

/* Product 1 lies below product 0 and has no route to line 2 of its own; product 2 has no route. */
static void define_product(struct sim_organization *o, size_t i)
{
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route[2] = {DOCKET__ROUTE__INIT, DOCKET__ROUTE__INIT};
    Docket__Route *routes[2] = {&route[0], &route[1]};
    route[0].line = 1;
    route[0].group = o->group[i % 2];
    route[1].line = 2;
    route[1].group = o->group[2];
    product.n_route = 2 - i;
    product.route = routes;
    product.has_parent = i == 1;
    product.parent = o->product[0];
    define(o, &o->product[i], key_of(o->operator.ledger, "product", i), DK_KIND_PRODUCT_DEFINED,
           &product.definition, &product);
}

static void define_shift(struct sim_organization *o, const char *key, uint64_t calendar,
                         size_t first, size_t count, bool on_call)
{
    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    uint64_t unused;
    shift.calendar = calendar;
    shift.n_agent = count;
    shift.agent = o->agent + first;
    shift.has_on_call = on_call;
    shift.on_call = on_call;
    define(o, &unused, key, DK_KIND_SHIFT_DEFINED, &shift.definition, &shift);
}

static void define_settings(struct sim_organization *o)
{
    struct sim_scene *scene = o->operator.scene;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    uint64_t unused;
    settings.has_default_group = 1;
    settings.default_group = o->group[0];
    settings.has_calendar = 1;
    settings.calendar = o->calendar;
    settings.has_offer_timeout_us = sim_chance(scene, 500);
    settings.offer_timeout_us = (uint64_t)sim_between(scene, 1, 5) * SIM_SECOND_US;
    settings.has_decline_pause_us = 1;
    settings.decline_pause_us = (uint64_t)sim_between(scene, 2, 20) * SIM_SECOND_US;
    settings.has_queue_timeout_us = 1;
    settings.queue_timeout_us = (uint64_t)sim_between(scene, 0, 8) * SIM_SECOND_US;
    define(o, &unused, "settings", DK_KIND_SETTINGS_DEFINED, &settings.definition, &settings);
}

static void define_policy(struct sim_organization *o)
{
    Docket__PolicyDefined policy = DOCKET__POLICY_DEFINED__INIT;
    Docket__Goal goal[2] = {DOCKET__GOAL__INIT, DOCKET__GOAL__INIT};
    Docket__Goal *goals[2] = {&goal[0], &goal[1]};
    Docket__Pending pause[] = {DOCKET__PENDING__PENDING_CUSTOMER,
                               DOCKET__PENDING__PENDING_SUPPLIER};
    uint32_t warn[] = {50, 90};
    uint64_t unused;
    goal[0].metric = DOCKET__METRIC__METRIC_FIRST_REPLY;
    goal[0].target_us = 8 * SIM_SECOND_US;
    goal[1].metric = DOCKET__METRIC__METRIC_RESOLUTION;
    goal[1].target_us = 30 * SIM_SECOND_US;
    policy.type = DOCKET__POLICY_TYPE__POLICY_SLA;
    policy.order = 1;
    policy.n_goal = 2;
    policy.goal = goals;
    policy.has_calendar = 1;
    policy.calendar = o->calendar;
    policy.n_pause = 2;
    policy.pause = pause;
    policy.n_warn_percent = 2;
    policy.warn_percent = warn;
    define(o, &unused, "promise", DK_KIND_POLICY_DEFINED, &policy.definition, &policy);
}

static void define_rules(struct sim_organization *o)
{
    struct sim_ledger *ledger = o->operator.ledger;
    Docket__TemplateDefined template = DOCKET__TEMPLATE_DEFINED__INIT;
    Docket__TemplateText text = DOCKET__TEMPLATE_TEXT__INIT, *texts = &text;
    Docket__RuleDefined rule = DOCKET__RULE_DEFINED__INIT;
    uint32_t kinds[] = {DK_KIND_ASSIGNED, DK_KIND_CLOCK_WARNED, DK_KIND_CLOCK_BREACHED};
    uint64_t unused;
    text.language = sim_bytes(ledger, "%s", "");
    text.body = sim_bytes(ledger, "About {{ticket}}");
    template.n_text = 1;
    template.text = &texts;
    define(o, &rule.template_, "notice", DK_KIND_TEMPLATE_DEFINED, &template.definition, &template);
    rule.n_on_kind = 3;
    rule.on_kind = kinds;
    rule.recipient = DOCKET__RULE_RECIPIENT__RULE_FIXED;
    rule.transport = DOCKET__TRANSPORT__TRANSPORT_FILE;
    rule.address = sim_text(ledger, "notices");
    define(o, &unused, "tell", DK_KIND_RULE_DEFINED, &rule.definition, &rule);
}

/* ---------------------------------------------------------------- later */

void sim_organization_accept_step(void *organization)
{
    struct sim_organization *o = organization;
    struct sim_client *client = &o->operator;
    const struct sim_scene *scene = client->scene;
    struct dk_now now = sim_broker_now(o->broker);
    if (o->broker->core == NULL || !sim_client_room(client) ||
        scene->now_us - o->said_step_us < SIM_SECOND_US || sim_chance(client->scene, 500)) {
        return;
    }
    int64_t step_us = now.wall_us - dk_core_time_us(o->broker->core, now);
    /* After an accepted step back the broker's time is ahead of its clock: the refusal tells. */
    const char *told = strstr(client->conflict, " us)");
    while (told != NULL && told > client->conflict && told[-1] != '(') {
        told--;
    }
    step_us = told != NULL ? atoll(told) : step_us;
    client->conflict[0] = '\0';
    if (step_us == 0) {
        return;
    }
    Docket__ClockStepAccepted accepted = DOCKET__CLOCK_STEP_ACCEPTED__INIT;
    struct sim_request *request = sim_request_new(false, true, client->scene);
    accepted.step_us = step_us;
    o->said_step_us = scene->now_us;
    sim_request_add(client, request, ACTOR, dk_id_make(DK_SUBJECT_BROKER, SIM_SITE),
                    DK_KIND_CLOCK_STEP_ACCEPTED, &accepted, 0, 0);
    sim_client_send(client, request);
}

/* Now and then the operator looks at the broker's health, also when nobody complains. */
static void look(void *arg, uint64_t unused)
{
    struct sim_organization *o = arg;
    struct dk_core_stats stats;
    (void)unused;
    if (o->broker->core != NULL) {
        dk_core_stats(o->broker->core, &stats);
        if (!stats.accepting && o->broker->accepting) {
            sim_organization_accept_step(o);
        }
    }
    sim_in(o->operator.scene, sim_about(o->operator.scene, 5 * SIM_SECOND_US), look, o, 0);
}

static void define_anew(void *arg, uint64_t unused)
{
    struct sim_organization *o = arg;
    (void)unused;
    if (o->quiet) {
        return;
    }
    if (sim_client_room(&o->operator)) {
        define_agent(o, test_random_below(&o->operator.scene->random, SIM_AGENTS));
    }
    sim_in(o->operator.scene, sim_about(o->operator.scene, 10 * SIM_SECOND_US), define_anew, o, 0);
}

void sim_organization_init(struct sim_organization *organization, struct sim_ledger *ledger,
                           struct sim_net *net, const struct sim_broker *broker)
{
    struct sim_organization *o = organization;
    memset(o, 0, sizeof *o);
    sim_client_init(&o->operator, "operator", DK_ROLE_OPERATOR, ledger, net);
    o->operator.arg = o;
    o->operator.on_clock_step = sim_organization_accept_step;
    o->broker = broker;
    /* The second calendar has an edge a little after the world begins. */
    int64_t second = sim_wall_us(&broker->clocks, o->operator.scene) % DK_DAY_US / SIM_SECOND_US;
    uint32_t edge_s = (uint32_t)(second + sim_between(o->operator.scene, 10, 60)) % 80000 + 1;
    bool opens = sim_chance(o->operator.scene, 500);
    define_calendar(o, &o->calendar, "always", 0, 86400);
    define_calendar(o, &o->hours, "hours", opens ? edge_s : 0, opens ? 86400 : edge_s);
    for (size_t i = 0; i < SIM_GROUPS; i++) {
        define_group(o, i);
    }
    for (size_t i = 0; i < SIM_PRODUCTS; i++) {
        define_product(o, i);
    }
    for (size_t i = 0; i < SIM_AGENTS; i++) {
        define_agent(o, i);
    }
    define_shift(o, "day", o->calendar, 0, SIM_AGENTS - 3, false);
    define_shift(o, "late", o->hours, SIM_AGENTS - 3, 1, false);
    define_shift(o, "stand-by", o->calendar, SIM_AGENTS - 2, 1, true);
    define_shift(o, "late-stand-by", o->hours, SIM_AGENTS - 1, 1, true);
    define_settings(o);
    define_policy(o);
    define_rules(o);
    sim_in(o->operator.scene, 5 * SIM_SECOND_US, define_anew, o, 0);
    sim_in(o->operator.scene, 5 * SIM_SECOND_US, look, o, 0);
}
