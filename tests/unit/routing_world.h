/* A small desk for the tests of routing, definition by definition, and what happens on it.
 *
 * Two groups, "desk" on line 1 and "network" on line 2; two products that lead to them: anybody
 * can take "mail", "toner" asks for a skill. Agents are hired by the tests. */
#ifndef DK_TESTS_ROUTING_WORLD_H
#define DK_TESTS_ROUTING_WORLD_H

#include "nodes/routing/routing.h"
#include "tests/lib/role_world.h"
#include <stdlib.h>

#define GROUP(key) test_id(DK_SUBJECT_GROUP, key)
#define AGENT(key) test_id(DK_SUBJECT_AGENT, key)
#define PLACE(key) test_id(DK_SUBJECT_PRODUCT, key)

#define MINUTE (60 * DK_SECOND_US)

/* Open every day from midnight to `to_s`. */
static inline void define_calendar(struct role_world *world, const char *key, uint32_t to_s)
{
    Docket__CalendarDefined *calendar = test_hours(key, "UTC", 7, 0, 24);
    calendar->weekday[0]->interval[0]->to_s = to_s; /* which all days share */
    (void)world_define(world, DK_KIND_CALENDAR_DEFINED, calendar);
}

static inline void define_group(struct role_world *world, const char *key, uint32_t line)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    group.definition = test_definition(key);
    group.has_line = 1;
    group.line = line;
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &group);
}

static inline void define_product(struct role_world *world, const char *key, const char *skill)
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

static inline void define_agent(struct role_world *world, const struct agent *agent)
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

static inline void define_shift_of(struct role_world *world, const char *key, const char *calendar,
                                   const char *agent, bool on_call)
{
    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    uint64_t id = AGENT(agent);
    shift.definition = test_definition(key);
    shift.calendar = test_id(DK_SUBJECT_CALENDAR, calendar);
    shift.n_agent = 1;
    shift.agent = &id;
    shift.has_on_call = on_call;
    shift.on_call = on_call;
    (void)world_define(world, DK_KIND_SHIFT_DEFINED, &shift);
}

static inline void define_shift(struct role_world *world, const char *calendar, const char *agent)
{
    define_shift_of(world, agent, calendar, agent, false);
}

/* An agent who is on shift all the time. */
static inline void hire(struct role_world *world, const struct agent *agent)
{
    define_agent(world, agent);
    define_shift(world, "always", agent->key);
}

static inline void hire_plain(struct role_world *world, const char *key, const char *group,
                              uint32_t room)
{
    hire(world, &(struct agent){key, {group}, room, NULL, NULL, 0, 0});
}

/* The next midnight in UTC, at which a calendar of the day's first hours opens. */
static inline int64_t midnight_us(const struct role_world *world)
{
    return (world->now_us / DK_DAY_US + 1) * DK_DAY_US;
}

/* Without steps of R5 and without offers, unless a test asks for them. */
static inline void define_settings(struct role_world *world, int64_t queue_timeout_us,
                                   int64_t offer_timeout_us)
{
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    settings.definition = test_definition("settings");
    settings.has_queue_timeout_us = 1;
    settings.queue_timeout_us = (uint64_t)queue_timeout_us;
    settings.has_offer_timeout_us = 1;
    settings.offer_timeout_us = (uint64_t)offer_timeout_us;
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
}

/* Tickets of the tier gold, which is acme's, are for agents of tier 2 (R2). */
static inline void define_gold(struct role_world *world)
{
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    Docket__TierNeed need = DOCKET__TIER_NEED__INIT, *needs = &need;
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    need.tier = test_bytes("gold");
    need.agent_tier = 2;
    settings.definition = test_definition("settings");
    settings.has_queue_timeout_us = 1; /* no steps of R5 */
    settings.n_tier_need = 1;
    settings.tier_need = &needs;
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
    company.definition = test_definition("acme");
    company.has_tier = 1;
    company.tier = test_bytes("gold");
    (void)world_define(world, DK_KIND_COMPANY_DEFINED, &company);
}

static inline int set_up(void **state)
{
    struct role_world *world = calloc(1, sizeof *world);
    *state = world;
    world_open(world, &dk_routing_role);
    define_calendar(world, "always", 86400);
    define_group(world, "desk", 1);
    define_group(world, "network", 2);
    define_product(world, "mail", NULL);
    define_product(world, "toner", "toner");
    define_settings(world, 0, 0);
    return 0;
}

static inline int tear_down(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

/* ---------------------------------------------------------------- events */

static inline uint64_t open_ticket(struct role_world *world, const char *product,
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

static inline uint64_t open_mail(struct role_world *world)
{
    return open_ticket(world, "mail", DOCKET__PRIORITY__PRIORITY_NORMAL, NULL);
}

static inline void set_status(struct role_world *world, uint64_t ticket, Docket__Status status)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = status;
    changed.has_pending = status == DOCKET__STATUS__STATUS_PENDING;
    changed.pending = DOCKET__PENDING__PENDING_CUSTOMER;
    (void)world_append(world, ticket, DK_KIND_STATUS_CHANGED, &changed);
}

static inline void solve(struct role_world *world, uint64_t ticket)
{
    set_status(world, ticket, DOCKET__STATUS__STATUS_SOLVED);
}

static inline void set_presence(struct role_world *world, const char *agent,
                                Docket__Presence presence, int64_t until_us)
{
    Docket__PresenceChanged changed = DOCKET__PRESENCE_CHANGED__INIT;
    changed.presence = presence;
    changed.has_until_us = until_us != 0;
    changed.until_us = until_us;
    (void)world_append(world, AGENT(agent), DK_KIND_PRESENCE_CHANGED, &changed);
}

static inline const struct dk_ticket *life_of(const struct role_world *world, uint64_t ticket)
{
    return dk_table_get(dk_folder_world(world->folder)->tickets, ticket, NULL);
}

/* The ticket's events of a kind, and the last one's body. */
static inline size_t count_of(const struct role_world *world, uint64_t ticket, uint32_t kind,
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

static inline const Docket__Assigned *assigned(const struct role_world *world, uint64_t ticket)
{
    const void *body = NULL;
    ASSERT_TRUE(count_of(world, ticket, DK_KIND_ASSIGNED, &body) > 0);
    return body;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
