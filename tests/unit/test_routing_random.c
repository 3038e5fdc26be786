#include "nodes/routing/explain.h"
#include "tests/lib/random.h"
#include "tests/unit/routing_world.h"
#include <stdio.h>

/* Random desks: agents on shifts, on call, with tiers, products, languages, skills and room by
 * channel; offers taken, declined and run out; what is reopened, answered, handed over, escalated.
 * The log is then read by a model that knows nothing of routing:
 *
 *   - a choice never takes an agent beyond the capacity, in all and by channel: what the agent
 *     owns and works on, is offered, and gets back counts, each by its channel's weight;
 *   - a ticket has one owner or one offer at a time;
 *   - of tickets that ask the same, none is passed over by a later one (R3);
 *   - every decision, recomputed agent by agent, is the one that was made (R4). */

#define AGENTS  9
#define TICKETS 4096

struct body {
    const char *key;
    const char *group[3];
    uint32_t capacity, web_capacity, phone_capacity, tier;
    const char *language, *skill, *product;
    const char *calendar;
    bool on_call;
};

static const struct body bodies[AGENTS] = {
    {"ada", {"desk"}, 3, 2, 2, 1, "de", "toner", NULL, "always", false},
    {"bob", {"desk", "network"}, 4, 0, 0, 2, "de", NULL, NULL, "mornings", false},
    {"cyd", {"network"}, 2, 1, 0, 1, "en", "toner", NULL, "always", false},
    {"dan", {"network", "abroad"}, 3, 0, 2, 3, "de", "toner", "mail", "always", false},
    {"eve", {"desk"}, 2, 0, 0, 1, "en", NULL, "toner", "mornings", false},
    {"fay", {"desk"}, 2, 0, 0, 2, "de", "toner", NULL, "always", true},
    {"gus", {"abroad"}, 1, 0, 0, 1, "de", "toner", NULL, "mornings", false},
    {"hal", {"second"}, 2, 0, 0, 1, "en", "toner", NULL, "mornings", false},
    {"ivy", {"second"}, 1, 0, 0, 2, "de", NULL, NULL, "always", true},
};

static void define_body(struct role_world *world, const struct body *body, uint32_t capacity)
{
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    Docket__ChannelCapacity web = DOCKET__CHANNEL_CAPACITY__INIT, phone = web;
    Docket__ChannelCapacity *limits[2];
    ProtobufCBinaryData language = test_bytes(body->language);
    ProtobufCBinaryData skill = test_bytes(body->skill != NULL ? body->skill : "");
    uint64_t group[3], product = body->product != NULL ? PLACE(body->product) : 0;
    agent.definition = test_definition(body->key);
    agent.group = group;
    for (int i = 0; i < 3 && body->group[i] != NULL; i++)
        group[agent.n_group++] = GROUP(body->group[i]);
    agent.has_capacity = 1;
    agent.capacity = capacity;
    agent.has_tier = 1;
    agent.tier = body->tier;
    agent.n_language = 1;
    agent.language = &language;
    agent.n_skill = body->skill != NULL;
    agent.skill = &skill;
    agent.n_product = product != 0;
    agent.product = &product;
    web.channel = DOCKET__CHANNEL__CHANNEL_WEB;
    web.capacity = body->web_capacity;
    phone.channel = DOCKET__CHANNEL__CHANNEL_PHONE;
    phone.capacity = body->phone_capacity;
    if (web.capacity != 0)
        limits[agent.n_channel_capacity++] = &web;
    if (phone.capacity != 0)
        limits[agent.n_channel_capacity++] = &phone;
    agent.channel_capacity = limits;
    (void)world_define(world, DK_KIND_AGENT_DEFINED, &agent);
}

static void define_terms(struct role_world *world, bool offers)
{
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    Docket__TierNeed need = DOCKET__TIER_NEED__INIT, *needs = &need;
    Docket__ChannelCapacity phone = DOCKET__CHANNEL_CAPACITY__INIT, *phones = &phone;
    Docket__CompanyDefined gold = DOCKET__COMPANY_DEFINED__INIT;
    need.tier = test_bytes("gold");
    need.agent_tier = 2;
    phone.channel = DOCKET__CHANNEL__CHANNEL_PHONE;
    phone.capacity = 2;
    settings.definition = test_definition("settings");
    settings.has_queue_timeout_us = settings.has_decline_pause_us = 1;
    settings.queue_timeout_us = 30 * MINUTE;
    settings.decline_pause_us = 20 * MINUTE;
    settings.has_offer_timeout_us = offers;
    settings.offer_timeout_us = 5 * MINUTE;
    settings.n_channel_weight = 1;
    settings.channel_weight = &phones;
    settings.n_tier_need = 1;
    settings.tier_need = &needs;
    (void)world_define(world, DK_KIND_SETTINGS_DEFINED, &settings);
    gold.definition = test_definition("gold");
    gold.has_tier = 1;
    gold.tier = test_bytes("gold");
    (void)world_define(world, DK_KIND_COMPANY_DEFINED, &gold);
}

static void define_desk(struct role_world *world, bool offers)
{
    Docket__GroupDefined desk = DOCKET__GROUP_DEFINED__INIT;
    Docket__ProductDefined inbox = DOCKET__PRODUCT_DEFINED__INIT;
    ProtobufCBinaryData toner = test_bytes("toner");
    desk.definition = test_definition("desk");
    desk.has_secondary = desk.has_next_site_group = 1;
    desk.secondary = GROUP("second");
    desk.next_site_group = GROUP("abroad");
    define_calendar(world, "mornings", 12 * 3600);
    define_group(world, "second", 1);
    define_group(world, "abroad", 1);
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &desk);
    inbox.definition = test_definition("inbox");
    inbox.has_parent = 1;
    inbox.parent = PLACE("mail");
    inbox.n_preferred_skill = 1;
    inbox.preferred_skill = &toner;
    (void)world_define(world, DK_KIND_PRODUCT_DEFINED, &inbox);
    define_terms(world, offers);
    for (size_t i = 0; i < AGENTS; i++) {
        Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
        uint64_t id = AGENT(bodies[i].key);
        define_body(world, &bodies[i], bodies[i].capacity);
        shift.definition = test_definition(bodies[i].key);
        shift.calendar = test_id(DK_SUBJECT_CALENDAR, bodies[i].calendar);
        shift.n_agent = 1;
        shift.agent = &id;
        shift.has_on_call = 1;
        shift.on_call = bodies[i].on_call;
        (void)world_define(world, DK_KIND_SHIFT_DEFINED, &shift);
    }
}

/* ---------------------------------------------------------------- what people do */

static void open_some(struct role_world *world, struct test_random *random)
{
    static const char *const products[] = {"mail", "toner", "inbox"};
    static const char *const languages[] = {"de", "en"};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_product = 1;
    opened.product = PLACE(products[test_random_below(random, 3)]);
    opened.has_channel = 1;
    opened.channel = test_random_below(random, 2) == 0 ? DOCKET__CHANNEL__CHANNEL_WEB
                                                       : DOCKET__CHANNEL__CHANNEL_PHONE;
    opened.has_priority = 1;
    opened.priority = (Docket__Priority)(1 + test_random_below(random, 4));
    opened.has_language = test_random_below(random, 3) > 0;
    opened.language = test_bytes(languages[test_random_below(random, 2)]);
    opened.has_company = test_random_below(random, 4) == 0;
    opened.company = test_id(DK_SUBJECT_COMPANY, "gold");
    opened.has_customer = 1;
    opened.customer = dk_id_make(DK_SUBJECT_CUSTOMER, 1 + test_random_below(random, 5));
    (void)world_open_ticket(world, &opened);
}

static void answer_offer(struct role_world *world, struct test_random *random, uint64_t ticket,
                         const struct dk_ticket *life)
{
    Docket__OfferDeclined declined = DOCKET__OFFER_DECLINED__INIT;
    Docket__Assigned taken = DOCKET__ASSIGNED__INIT;
    declined.agent = taken.agent = life->offered;
    if (test_random_below(random, 4) > 0)
        (void)world_append(world, ticket, DK_KIND_ASSIGNED, &taken);
    else
        (void)world_append(world, ticket, DK_KIND_OFFER_DECLINED, &declined);
}

static void customer_says(struct role_world *world, uint64_t ticket)
{
    Docket__MessagePublic message = DOCKET__MESSAGE_PUBLIC__INIT;
    struct dk_envelope by = {.subject = ticket, .actor = dk_id_make(DK_ACTOR_CUSTOMER, 1)};
    message.direction = DOCKET__DIRECTION__DIRECTION_INBOUND;
    (void)world_append_as(world, by, DK_KIND_MESSAGE_PUBLIC, &message);
}

static void hand_over(struct role_world *world, struct test_random *random, uint64_t ticket,
                      const struct dk_ticket *life)
{
    Docket__HandoverDeclared handover = DOCKET__HANDOVER_DECLARED__INIT;
    handover.agent = AGENT(bodies[test_random_below(random, AGENTS)].key);
    handover.term = DOCKET__HANDOVER_TERM__HANDOVER_TEMPORARY;
    handover.reason = DOCKET__HANDOVER_REASON__HANDOVER_OVERLOAD;
    if (life->owner != 0 && handover.agent != life->owner)
        (void)world_append(world, ticket, DK_KIND_HANDOVER_DECLARED, &handover);
}

static void change_status(struct role_world *world, struct test_random *random, uint64_t ticket,
                          const struct dk_ticket *life)
{
    if (!dk_ticket_live(life))
        set_status(world, ticket, DOCKET__STATUS__STATUS_OPEN);
    else if (test_random_below(random, 3) == 0)
        set_status(world, ticket, DOCKET__STATUS__STATUS_PENDING);
    else
        solve(world, ticket);
}

static void route_away(struct role_world *world, struct test_random *random, uint64_t ticket)
{
    static const char *const groups[] = {"desk", "network", "second", "abroad"};
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.line = 2;
    routed.group = GROUP(groups[test_random_below(random, 4)]);
    (void)world_append(world, ticket, DK_KIND_ROUTED, &routed);
}

static void escalate(struct role_world *world, uint64_t ticket)
{
    Docket__Escalated escalated = DOCKET__ESCALATED__INIT;
    escalated.type = DOCKET__ESCALATION_TYPE__ESCALATION_FUNCTIONAL;
    escalated.has_to_line = 1;
    escalated.to_line = 2;
    (void)world_append(world, ticket, DK_KIND_ESCALATED, &escalated);
}

/* Any ticket; two times of three one that somebody has or is offered, while there is one: else most things would
 * happen to what only waits. */
static uint64_t some_ticket(const struct role_world *world, struct test_random *random)
{
    uint64_t any = test_random_below(random, world->tickets + 1);
    bool owned = test_random_below(random, 3) > 0;
    for (uint64_t i = 0; i < world->tickets && owned; i++) {
        uint64_t ticket = dk_ticket_make(7, 1 + (any + i) % world->tickets);
        const struct dk_ticket *life = life_of(world, ticket);
        if (dk_ticket_live(life) && (life->owner != 0 || life->offered != 0))
            return ticket;
    }
    return dk_ticket_make(7, 1 + any);
}

static void act(struct role_world *world, struct test_random *random)
{
    uint64_t ticket = some_ticket(world, random);
    const struct dk_ticket *life = life_of(world, ticket);
    unsigned what = (unsigned)test_random_below(random, 20);
    if (life == NULL || what < 4) {
        open_some(world, random);
    } else if (what < 7 && life->offered != 0) {
        answer_offer(world, random, ticket, life);
    } else if (what < 10) {
        change_status(world, random, ticket, life);
    } else if (what == 10 || what == 17) {
        customer_says(world, ticket);
    } else if (what == 11) {
        set_presence(world, bodies[test_random_below(random, AGENTS)].key,
                     (Docket__Presence)(1 + test_random_below(random, 2)),
                     test_random_below(random, 2) == 0 ? 0 : world->now_us + 20 * MINUTE);
    } else if ((what == 12 || what == 15) && dk_ticket_live(life)) {
        hand_over(world, random, ticket, life);
    } else if (what == 13 && dk_ticket_live(life) && life->group != 0) {
        route_away(world, random, ticket);
    } else if (what == 16 && dk_ticket_live(life) && test_random_below(random, 2) == 0) {
        escalate(world, ticket);
    } else if (what == 14 && test_random_below(random, 4) == 0) {
        const struct body *body = &bodies[test_random_below(random, AGENTS)];
        define_body(world, body, (uint32_t)test_random_below(random, 5));
    } else {
        int64_t most = test_random_below(random, 2) == 0 ? 4 : 90; /* an offer stands 5 minutes */
        world->now_us += (int64_t)test_random_below(random, (uint64_t)most) * MINUTE;
    }
}

/* ---------------------------------------------------------------- the model */

struct waits {
    uint64_t product, group, company;
    unsigned channel, steps, declines;
    char language[8];
    int64_t since_us;
};

struct model {
    struct role_world *world;
    struct dk_folder *folder;    /* the life of each ticket, and who is defined how */
    struct dk_folder *explained; /* stands at the basis of the decision looked at */
    struct waits waits[TICKETS];
    size_t decisions;
    struct seen {
        size_t with_offers, with_returns, of_channel, reopened, escalated, handed; /* choices */
    } seen;
    uint64_t position;
    uint64_t seed;
};

static const struct dk_ticket *life_in(const struct model *model, uint64_t number)
{
    return dk_table_get(dk_folder_world(model->folder)->tickets, dk_ticket_make(7, number), NULL);
}

static uint32_t weight_of(const struct dk_ticket *life)
{
    return life->channel == DOCKET__CHANNEL__CHANNEL_PHONE ? 2 : 1;
}

struct load {
    uint32_t all, channel; /* of the channel asked for */
    bool offers, returns;
};

/* By the lives of all tickets alone. */
static struct load load_of(const struct model *model, uint64_t agent, unsigned channel)
{
    struct load load = {0};
    for (uint64_t n = 1; n <= model->world->tickets; n++) {
        const struct dk_ticket *life = life_in(model, n);
        if (life == NULL || !dk_ticket_live(life))
            continue;
        bool works = life->status != DOCKET__STATUS__STATUS_PENDING;
        bool offered = life->owner == 0 && life->offered == agent;
        bool returns = works && life->returns_to == agent && life->owner != agent && !offered;
        if ((works && life->owner == agent) || offered || returns) {
            load.all += weight_of(life);
            load.channel += life->channel == channel ? weight_of(life) : 0;
            load.offers |= offered;
            load.returns |= returns;
        }
    }
    return load;
}

static void check_capacity(struct model *model, const struct dk_ticket *life, uint64_t agent,
                           int64_t judged_us)
{
    const Docket__AgentDefined *body =
        dk_refs_agent(dk_folder_world(model->folder)->refs, agent, judged_us);
    struct load load = load_of(model, agent, life->channel);
    uint32_t more = weight_of(life), room = UINT32_MAX;
    ASSERT_TRUE(body != NULL);
    for (size_t i = 0; i < body->n_channel_capacity; i++) {
        if ((unsigned)body->channel_capacity[i]->channel == life->channel)
            room = body->channel_capacity[i]->capacity;
    }
    if (load.all + more > body->capacity || load.channel + more > room)
        fail_msg("seed %llu, position %llu: beyond capacity: has %u of %u (of the channel %u of "
                 "%u) and gets %u",
                 (unsigned long long)model->seed, (unsigned long long)model->position, load.all,
                 body->capacity, load.channel, room, more);
    model->seen.with_offers += load.offers;
    model->seen.with_returns += load.returns;
    model->seen.of_channel += room != UINT32_MAX;
    model->seen.reopened += life->reopened > 0;
    model->seen.escalated += life->line == 2;
}

static bool same_sort(const struct model *model, uint64_t a, uint64_t b)
{
    const struct waits *x = &model->waits[a], *y = &model->waits[b];
    const struct dk_ticket *left = life_in(model, a), *right = life_in(model, b);
    return x->group == y->group && x->channel == y->channel && x->steps == y->steps &&
           x->company == y->company && strcmp(x->language, y->language) == 0 &&
           left->product == right->product && (left->priority == 1) == (right->priority == 1) &&
           y->declines == 0;
}

/* R3: nobody who asks the same, and is not kept from anybody, comes first and waits on. */
static void check_order(const struct model *model, uint64_t number)
{
    const struct dk_ticket *mine = life_in(model, number);
    for (uint64_t n = 1; n <= model->world->tickets; n++) {
        const struct dk_ticket *life = life_in(model, n);
        if (n == number || life == NULL || !dk_ticket_live(life) || life->owner != 0 ||
            life->offered != 0 || model->waits[n].group == 0 || !same_sort(model, number, n))
            continue;
        bool first = life->priority != mine->priority ? life->priority < mine->priority
                     : model->waits[n].since_us != model->waits[number].since_us
                         ? model->waits[n].since_us < model->waits[number].since_us
                         : n < number;
        if (first)
            fail_msg("seed %llu, position %llu: number %llu was passed over",
                     (unsigned long long)model->seed, (unsigned long long)model->position,
                     (unsigned long long)n);
    }
}

/* R5: that those on call are asked is said only where somebody is. */
static void check_step(const struct model *model, uint64_t number, const Docket__Queued *queued)
{
    struct dk_refs *refs = dk_folder_world(model->folder)->refs;
    bool somebody = false;
    if (queued->relaxation != DOCKET__RELAXATION__RELAX_ON_CALL ||
        model->waits[number].steps == DOCKET__RELAXATION__RELAX_ON_CALL)
        return;
    for (size_t i = 0; i < AGENTS; i++) {
        const char *const *group = bodies[i].group;
        bool member = false;
        for (int k = 0; k < 3 && group[k] != NULL; k++)
            member |= GROUP(group[k]) == queued->group;
        somebody |= member && dk_refs_on_shift(refs, AGENT(bodies[i].key), queued->judged_us, true);
    }
    if (!somebody)
        fail_msg("seed %llu, position %llu: nobody is on call", (unsigned long long)model->seed,
                 (unsigned long long)model->position);
}

static void check_explained(struct model *model, const struct dk_envelope *event,
                            const ProtobufCMessage *body)
{
    struct dk_explanation explanation;
    struct dk_err err;
    const Docket__Decision *decision = ((const Docket__Queued *)(const void *)body)->decision;
    world_fold(model->world, model->explained, decision->basis);
    ASSERT_OK(dk_routing_explain(model->explained, event, body, &explanation, &err), &err);
    if (explanation.differs[0] != '\0')
        fail_msg("seed %llu, position %llu: %s", (unsigned long long)model->seed,
                 (unsigned long long)model->position, explanation.differs);
    dk_explanation_close(&explanation);
    model->decisions++;
}

static void check_choice(struct model *model, const struct dk_envelope *event, const void *body)
{
    uint64_t number = dk_ticket_number(event->subject);
    const struct dk_ticket *life = life_in(model, number);
    const Docket__Assigned *assigned = body;
    const Docket__Offered *offered = body;
    const Docket__HandoverDeclared *handover = body;
    switch (event->kind) {
    case DK_KIND_ASSIGNED:
        ASSERT_TRUE(life->owner == 0 && life->offered == 0);
        check_capacity(model, life, assigned->agent, assigned->judged_us);
        check_order(model, number);
        break;
    case DK_KIND_OFFERED:
        ASSERT_TRUE(life->owner == 0 && life->offered == 0);
        check_capacity(model, life, offered->agent, offered->judged_us);
        check_order(model, number);
        break;
    case DK_KIND_HANDOVER_DECLARED:
        ASSERT_TRUE(life->owner != handover->agent);
        check_capacity(model, life, handover->agent, handover->judged_us);
        model->seen.handed++;
        break;
    case DK_KIND_QUEUED: check_step(model, number, body); break;
    default: break;
    }
}

/* What of an event the life of a ticket does not tell. */
static void note(struct model *model, const struct dk_envelope *event, const void *body)
{
    uint64_t number = dk_ticket_number(event->subject);
    struct waits *waits = &model->waits[number];
    const struct dk_ticket *life = life_in(model, number);
    const Docket__Routed *routed = body;
    const Docket__Opened *opened = body;
    const Docket__Queued *queued = body;
    bool by_step = event->kind == DK_KIND_ROUTED && waits->group != 0 &&
                   (routed->reason == DOCKET__ROUTE_REASON__ROUTE_SECONDARY ||
                    routed->reason == DOCKET__ROUTE_REASON__ROUTE_NEXT_SITE);
    uint64_t group = dk_ticket_live(life) && life->owner == 0 ? life->group : 0;
    if (event->kind == DK_KIND_OPENED) {
        waits->company = opened->company;
        waits->channel = (unsigned)opened->channel;
        if (opened->has_language)
            memcpy(waits->language, opened->language.data, 2);
    } else if (event->kind == DK_KIND_QUEUED) {
        waits->steps = (unsigned)queued->relaxation;
    } else if (event->kind == DK_KIND_OFFER_DECLINED) {
        waits->declines++;
    }
    if (group != waits->group) {
        waits->since_us = by_step ? waits->since_us : event->recorded_us;
        waits->steps = by_step ? waits->steps : 0;
        waits->declines = group != 0 ? waits->declines : 0;
        waits->group = group;
    }
}

static void read_log(struct model *model)
{
    for (; model->position < model->world->count; model->position++) {
        size_t bytes;
        struct dk_envelope event;
        const uint8_t *record = world_record(model->world, model->position + 1, &bytes);
        dk_event_load(record, &event);
        bool of_ticket = dk_id_class(event.subject) == DK_SUBJECT_TICKET;
        const ProtobufCMessage *body =
            of_ticket ? world_body(model->world, event.position, event.kind) : NULL;
        if (of_ticket && dk_id_class(event.actor) == DK_ACTOR_NODE &&
            dk_routing_is_explained(&event, body)) {
            if (dk_routing_own_decision(&event, body) == NULL)
                check_choice(model, &event, body);
            check_explained(model, &event, body);
        }
        world_fold(model->world, model->folder, event.position);
        if (of_ticket)
            note(model, &event, body);
    }
}

static void add_seen(struct seen *sum, const struct seen *seen)
{
    sum->with_offers += seen->with_offers;
    sum->with_returns += seen->with_returns;
    sum->of_channel += seen->of_channel;
    sum->reopened += seen->reopened;
    sum->escalated += seen->escalated;
    sum->handed += seen->handed;
}

static size_t live_through(uint64_t seed, bool offers, struct seen *seen)
{
    static struct model model;
    struct test_random random = {seed};
    struct role_world *world;
    struct dk_err err;
    set_up((void **)&world);
    define_desk(world, offers);
    model = (struct model){.world = world, .seed = seed};
    ASSERT_OK(dk_folder_new(&model.folder, world->ops, &err), &err);
    ASSERT_OK(dk_folder_new(&model.explained, world->ops, &err), &err);
    for (int step = 0; step < 600; step++) {
        act(world, &random);
        if (test_random_below(&random, 4) > 0) /* else several things happen at once */
            (void)world_settle(world);
        if (step % 97 == 96)
            world_restart(world);
        read_log(&model);
    }
    add_seen(seen, &model.seen);
    dk_folder_free(&model.folder);
    dk_folder_free(&model.explained);
    tear_down((void **)&world);
    return model.decisions;
}

/* Choices among which a load that was counted wrongly would have shown. */
static void check_seen(const struct seen *seen, bool offers)
{
    ASSERT_TRUE(!offers || seen->with_offers > 30);
    ASSERT_TRUE(seen->with_returns > 30);
    ASSERT_TRUE(seen->of_channel > 100);
    ASSERT_TRUE(seen->reopened > 30);
    ASSERT_TRUE(seen->escalated > 30);
    ASSERT_TRUE(seen->handed > 10);
}

static void test_routing_random_with_offers(void **state)
{
    struct seen seen = {0};
    size_t decisions = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++)
        decisions += live_through(seed, true, &seen);
    ASSERT_TRUE(decisions > 1000);
    check_seen(&seen, true);
}

static void test_routing_random_without_offers(void **state)
{
    struct seen seen = {0};
    size_t decisions = 0;
    (void)state;
    for (uint64_t seed = 101; seed <= 110; seed++)
        decisions += live_through(seed, false, &seen);
    ASSERT_TRUE(decisions > 1000);
    check_seen(&seen, false);
}

/* More agents than a word has bits, in two groups that share some. */
static void test_routing_large_groups_are_judged_alike(void **state)
{
    struct role_world *world = *state;
    struct test_random random = {1};
    static struct model model;
    struct dk_err err;
    for (int i = 0; i < 200; i++) {
        char *key = test_memory(8);
        snprintf(key, 8, "a%d", i);
        hire(world, &(struct agent){key,
                                    {i % 7 == 0 ? "network" : "desk", i % 5 == 0 ? "desk" : NULL},
                                    (uint32_t)(i % 4),
                                    i % 3 == 0 ? "de" : "en",
                                    i % 2 == 0 ? "toner" : NULL,
                                    (uint32_t)(i % 11 == 0),
                                    0});
    }
    for (int i = 0; i < 500; i++) {
        (void)open_ticket(world, i % 3 == 0 ? "toner" : "mail", (Docket__Priority)(1 + i % 4),
                          i % 4 == 0 ? "de" : NULL);
        uint64_t ticket = dk_ticket_make(7, 1 + test_random_below(&random, world->tickets));
        if (i % 2 == 0 && dk_ticket_live(life_of(world, ticket)))
            solve(world, ticket);
        if (i % 3 == 0)
            (void)world_settle(world);
    }
    (void)world_settle(world);
    model = (struct model){.world = world, .seed = 0};
    ASSERT_OK(dk_folder_new(&model.explained, world->ops, &err), &err);
    for (uint64_t position = 1; position <= world->count; position++) {
        size_t bytes;
        struct dk_envelope event;
        dk_event_load(world_record(world, position, &bytes), &event);
        const ProtobufCMessage *body = world_body(world, position, event.kind);
        model.position = position;
        if (dk_routing_is_explained(&event, body))
            check_explained(&model, &event, body);
    }
    ASSERT_TRUE(model.decisions > 300);
    dk_folder_free(&model.explained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_routing_random_with_offers),
        cmocka_unit_test(test_routing_random_without_offers),
        CASE(test_routing_large_groups_are_judged_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
