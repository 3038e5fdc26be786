/* bench_routing [--agents N] [--tickets N] [--decisions N]: how many assignments a second one
 * thread makes, with 50,000 agents, groups of 20 to 2,000 of them, and a million open tickets.
 *
 * The role itself over a log in memory: no sockets, no disk. All agents are full and every queue
 * is long when the clock starts; then tickets are solved, a few at a time, and each makes room for
 * one that waits. A decision's time is from considering its pool until its own event is folded,
 * as a node has to do both; folding what people did is counted apart. Time is the thread's
 * processor time. */
#include "nodes/routing/routing.h"
#include "bench/lib/report.h"
#include "nodes/runtime/folder.h"
#include "proto/base/time.h"
#include "tests/lib/definitions.h"
#include "tests/lib/random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOW_US      INT64_C(1770000000000000)
#define GOAL_PER_S  100e3
#define CAPACITY    10
#define PRODUCTS    8 /* of a group, in two of whom a skill is asked for */
#define GROUPS_MAX  4096
#define GROUP_LEAST 20
#define GROUP_MOST  2000

struct world {
    struct dk_folder *folder;
    struct dk_intents intents;
    struct dk_buf record;
    uint64_t position, tickets, agents;
    uint32_t *version; /* of each ticket */
    uint64_t *owned;   /* tickets that have an owner */
    size_t owned_count, owned_capacity;
    uint64_t group[GROUPS_MAX];
    size_t group_size[GROUPS_MAX];
    size_t group_count;
    int64_t now_us;
    uint64_t decided_ns, told_ns;
    size_t decisions;
    struct test_random random;
};

static uint64_t processor_ns(void)
{
    struct timespec now;
    DK_ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* ---------------------------------------------------------------- the log */

/* Stamps the record as the broker would, and folds it. */
static void fold(struct world *world, uint8_t *record, size_t bytes)
{
    struct dk_envelope envelope;
    struct dk_err err;
    dk_event_load(record, &envelope);
    envelope.position = ++world->position;
    envelope.recorded_us = ++world->now_us;
    envelope.occurred_us = envelope.recorded_us;
    envelope.subject_version = 1;
    if (dk_id_class(envelope.subject) == DK_SUBJECT_TICKET) {
        envelope.subject_version = ++world->version[dk_ticket_number(envelope.subject)];
    }
    dk_event_store(record, &envelope);
    dk_stamp_crc32c(record, dk_event_crc(record, bytes));
    if (dk_folder_apply(world->folder, record, bytes, &err) != 0) {
        (void)fprintf(stderr, "bench_routing: %s\n", err.message);
        exit(EXIT_FAILURE);
    }
}

static void tell(struct world *world, uint64_t subject, uint32_t kind, const void *body)
{
    struct dk_envelope envelope = {.subject = subject, .actor = dk_id_make(DK_ACTOR_OPERATOR, 1)};
    dk_buf_clear(&world->record);
    DK_ASSERT(dk_event_encode(&world->record, &envelope, kind, body, NULL) == 0);
    fold(world, world->record.data, world->record.size);
}

static void own(struct world *world, uint64_t ticket)
{
    if (world->owned_count == world->owned_capacity) {
        world->owned_capacity = world->owned_capacity == 0 ? 65536 : 2 * world->owned_capacity;
        world->owned = realloc(world->owned, world->owned_capacity * sizeof *world->owned);
        DK_ASSERT(world->owned != NULL);
    }
    world->owned[world->owned_count++] = ticket;
}

/* Considers what is touched, and folds what is decided, until nothing is owed. */
static void settle(struct world *world)
{
    uint64_t item, begun_ns = processor_ns();
    while (dk_folder_next_item(world->folder, world->now_us, &item)) {
        dk_folder_consider(world->folder, item, world->now_us, &world->intents);
        for (size_t i = 0; i < world->intents.count; i++) {
            struct dk_slice event = dk_intents_event(&world->intents, i);
            uint8_t *record = (uint8_t *)(uintptr_t)event.data;
            bool assigned = dk_event_load_kind(record) == DK_KIND_ASSIGNED;
            fold(world, record, event.size);
            if (assigned) {
                own(world, dk_event_load_subject(record));
                world->decisions++;
            }
        }
        if (world->intents.count > 0) {
            dk_folder_touch(world->folder, item, 0);
        }
    }
    world->decided_ns += processor_ns() - begun_ns;
}

/* ---------------------------------------------------------------- the organization */

static const char *key_of(const char *what, uint64_t i)
{
    static char key[4][32];
    static unsigned turn;
    char *text = key[turn++ % 4];
    (void)snprintf(text, sizeof key[0], "%s-%llu", what, (unsigned long long)i);
    return text;
}

static void define_always(struct world *world)
{
    tell(world, test_id(DK_SUBJECT_CALENDAR, "always"), DK_KIND_CALENDAR_DEFINED,
         test_hours("always", "UTC", 7, 0, 24));
}

static void define_products(struct world *world, size_t group)
{
    for (size_t i = 0; i < PRODUCTS; i++) {
        Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
        Docket__Route route = DOCKET__ROUTE__INIT, *routes = &route;
        ProtobufCBinaryData skill = test_bytes("deep");
        const char *key = key_of("product", group * PRODUCTS + i);
        product.definition = test_definition(key);
        route.line = 1;
        route.group = world->group[group];
        product.n_route = 1;
        product.route = &routes;
        product.n_required_skill = i % 4 == 0;
        product.required_skill = &skill;
        tell(world, test_id(DK_SUBJECT_PRODUCT, key), DK_KIND_PRODUCT_DEFINED, &product);
    }
}

/* Sizes from 20 to 2,000, as many small as large agents' worth of each; one agent in ten works in
 * the next group, too, so that many groups are one pool. */
static void define_groups(struct world *world)
{
    uint64_t agents = 0;
    while (agents < world->agents && world->group_count < GROUPS_MAX) {
        Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
        size_t i = world->group_count++, size = GROUP_LEAST;
        const char *key = key_of("group", i);
        while (size < GROUP_MOST && test_random_below(&world->random, 100) < 97) {
            size += size / 10;
        }
        world->group_size[i] = size < GROUP_MOST ? size : GROUP_MOST;
        world->group[i] = test_id(DK_SUBJECT_GROUP, key);
        group.definition = test_definition(key);
        group.has_line = 1;
        group.line = 1;
        tell(world, world->group[i], DK_KIND_GROUP_DEFINED, &group);
        agents += world->group_size[i];
    }
    world->agents = agents;
}

static void define_agents(struct world *world)
{
    static const char *const languages[] = {"de", "en", "fr"};
    uint64_t *all = calloc(world->agents, sizeof *all);
    size_t number = 0;
    Docket__ShiftDefined shift = DOCKET__SHIFT_DEFINED__INIT;
    DK_ASSERT(all != NULL);
    for (size_t g = 0; g < world->group_count; g++) {
        for (size_t k = 0; k < world->group_size[g] && number < world->agents; k++, number++) {
            Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
            ProtobufCBinaryData language[2], skill = test_bytes("deep");
            uint64_t groups[2] = {world->group[g], world->group[(g + 1) % world->group_count]};
            const char *key = key_of("agent", number);
            language[0] = test_bytes(languages[number % 3]);
            language[1] = test_bytes(languages[(number + 1) % 3]);
            agent.definition = test_definition(key);
            agent.n_group = number % 10 == 0 && g % 8 != 7 ? 2 : 1; /* pools of eight groups */
            agent.group = groups;
            agent.n_language = 2;
            agent.language = language;
            agent.n_skill = number % 2;
            agent.skill = &skill;
            agent.has_capacity = 1;
            agent.capacity = CAPACITY;
            all[number] = test_id(DK_SUBJECT_AGENT, key);
            tell(world, all[number], DK_KIND_AGENT_DEFINED, &agent);
        }
    }
    shift.definition = test_definition("shift");
    shift.calendar = test_id(DK_SUBJECT_CALENDAR, "always");
    shift.agent = all;
    for (size_t from = 0; from < number; from += 10000) { /* a record holds no more */
        const char *key = key_of("shift", from);
        shift.definition = test_definition(key);
        shift.agent = all + from;
        shift.n_agent = number - from < 10000 ? number - from : 10000;
        tell(world, test_id(DK_SUBJECT_SHIFT, key), DK_KIND_SHIFT_DEFINED, &shift);
    }
    free(all);
}

/* A ticket for an agent drawn at random: large groups have as many more. */
static void open_ticket(struct world *world, uint64_t number)
{
    static const char *const languages[] = {"de", "en", "fr"};
    Docket__Opened opened = DOCKET__OPENED__INIT;
    uint64_t agent = test_random_below(&world->random, world->agents);
    size_t group = 0;
    while (agent >= world->group_size[group]) {
        agent -= world->group_size[group++];
    }
    const char *language = languages[test_random_below(&world->random, 3)];
    opened.has_product = 1;
    opened.product =
        test_id(DK_SUBJECT_PRODUCT,
                key_of("product", group * PRODUCTS + test_random_below(&world->random, PRODUCTS)));
    opened.has_channel = 1;
    opened.channel = (Docket__Channel)(1 + test_random_below(&world->random, 4));
    opened.has_priority = 1;
    opened.priority = (Docket__Priority)(2 + test_random_below(&world->random, 3));
    opened.has_language = 1;
    opened.language = (ProtobufCBinaryData){strlen(language), (uint8_t *)(uintptr_t)language};
    tell(world, dk_ticket_make(1, number), DK_KIND_OPENED, &opened);
}

/* ---------------------------------------------------------------- the measure */

static void solve_some(struct world *world, size_t count)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    uint64_t begun_ns = processor_ns();
    changed.status = DOCKET__STATUS__STATUS_SOLVED;
    for (size_t i = 0; i < count && world->owned_count > 0; i++) {
        size_t at = test_random_below(&world->random, world->owned_count);
        uint64_t ticket = world->owned[at];
        world->owned[at] = world->owned[--world->owned_count];
        tell(world, ticket, DK_KIND_STATUS_CHANGED, &changed);
    }
    world->told_ns += processor_ns() - begun_ns;
}

static double run(struct world *world, size_t at_once, size_t decisions)
{
    world->decisions = 0;
    world->decided_ns = world->told_ns = 0;
    while (world->decisions < decisions) {
        size_t before = world->decisions;
        solve_some(world, at_once);
        settle(world);
        if (world->decisions == before && world->owned_count == 0) {
            break;
        }
    }
    return (double)world->decisions * 1e9 / (double)world->decided_ns;
}

/* What one definition costs while many wait: folding it, then looking at what it may open. */
static void define_again(struct world *world, struct dk_report *report)
{
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    struct told {
        const char *name, *note;
        uint64_t subject;
        uint32_t kind;
        const void *body;
    };
    group.definition = test_definition("group-0");
    agent.definition = test_definition("agent-new");
    agent.n_group = 1;
    agent.group = world->group;
    const struct told told[] = {
        {"group_ms",
         "to fold a group's definition while tickets wait, and to look at what it opens",
         world->group[0], DK_KIND_GROUP_DEFINED, &group},
        {"agent_ms", "the same of an agent", test_id(DK_SUBJECT_AGENT, "agent-new"),
         DK_KIND_AGENT_DEFINED, &agent},
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        uint64_t begun_ns = processor_ns();
        tell(world, told[i].subject, told[i].kind, told[i].body);
        settle(world);
        double settled_ms = (double)(processor_ns() - begun_ns) / 1e6;
        dk_report_add(report, told[i].name, settled_ms, told[i].note);
    }
}

static void prepare(struct world *world)
{
    struct dk_err err;
    dk_buf_init(&world->record, DK_RECORD_MAX_BYTES);
    dk_intents_init(&world->intents, DK_ROLE_ROUTING, dk_routing_role.rule_version);
    world->version = calloc(world->tickets + 1, sizeof *world->version);
    DK_ASSERT(world->version != NULL && dk_folder_new(&world->folder, &dk_routing_role, &err) == 0);
    define_always(world);
    define_groups(world);
    for (size_t g = 0; g < world->group_count; g++) {
        define_products(world, g);
    }
    define_agents(world);
    for (uint64_t number = 1; number <= world->tickets; number++) {
        open_ticket(world, number);
        if (number % 1000 == 0) {
            settle(world);
        }
    }
    settle(world);
}

static void read_arguments(int argc, char **argv, struct world *world, size_t *decisions)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t number = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--agents") == 0 && number > 0) {
            world->agents = number;
        } else if (strcmp(argv[i], "--tickets") == 0 && number > 0) {
            world->tickets = number;
        } else if (strcmp(argv[i], "--decisions") == 0 && number > 0) {
            *decisions = number;
        } else {
            argc = 0;
        }
    }
    if (argc % 2 == 0) {
        (void)fprintf(stderr, "bench_routing [--agents N] [--tickets N] [--decisions N]\n");
        exit(64);
    }
}

int main(int argc, char **argv)
{
    static struct world world = {
        .agents = 50000, .tickets = 1000000, .now_us = NOW_US, .random = {1}};
    static struct dk_report report;
    size_t decisions = 100000;
    read_arguments(argc, argv, &world, &decisions);
    prepare(&world);
    dk_report_add(&report, "agents", (double)world.agents, "agents");
    dk_report_add(&report, "groups", (double)world.group_count, "groups of 20 to 2,000 of them");
    dk_report_add(&report, "open", (double)world.tickets, "open tickets");
    dk_report_add(&report, "owned", (double)world.owned_count, "of them with an owner");
    dk_report_add(&report, "filled_s", (double)world.decisions * 1e9 / (double)world.decided_ns,
                  "decisions a second while agents fill up, routes and waiting included");
    define_again(&world, &report);
    double hundred_s = run(&world, 100, decisions);
    double told_us = (double)world.told_ns / 1e3 / (double)world.decisions;
    double single_s = run(&world, 1, decisions);
    dk_report_add(&report, "told_us", told_us, "processor time to fold what people did, an event");
    dk_report_add(&report, "single_s", single_s, "decisions a second, one solved at a time");
    dk_report_goal(&report, "decisions_s", hundred_s, GOAL_PER_S, 1,
                   "decisions a second, a hundred solved at a time, a core");
    dk_report_end(&report);
    dk_folder_free(&world.folder);
    dk_intents_close(&world.intents);
    dk_buf_close(&world.record);
    free(world.version);
    free(world.owned);
    return 0;
}
