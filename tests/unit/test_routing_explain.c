#include "nodes/routing/explain.h"
#include "tests/unit/routing_world.h"

/* An event that says something else than the rules is found out. That none is found among those
 * that the rules made is test_routing_random's. */

static void test_routing_explain_finds_another_choice(void **state)
{
    struct role_world *world = *state;
    struct dk_explanation explanation;
    struct dk_folder *folder = NULL;
    struct dk_err err;
    struct dk_envelope event = {0};
    hire(world, &(struct agent){"ada", {"desk"}, 4, NULL, NULL, 0, 0});
    hire(world, &(struct agent){"bob", {"desk"}, 4, NULL, NULL, 0, 0});
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    Docket__Assigned body = *assigned(world, ticket);
    Docket__Candidate first = *body.candidate[0], *candidates[2] = {&first, body.candidate[1]};
    Docket__Exclusion extra = DOCKET__EXCLUSION__INIT, *extras = &extra;
    event.subject = ticket;
    event.kind = DK_KIND_ASSIGNED;
    ASSERT_OK(dk_folder_new(&folder, world->ops, &err), &err);
    world_fold(world, folder, body.decision->basis);
#define EXPECT(text)                                                                               \
    do {                                                                                           \
        ASSERT_OK(dk_routing_explain(folder, &event, &body.base, &explanation, &err), &err);       \
        ASSERT_TRUE(strstr(explanation.differs, text) == explanation.differs);                     \
        dk_explanation_close(&explanation);                                                        \
    } while (0)
    ASSERT_OK(dk_routing_explain(folder, &event, &body.base, &explanation, &err), &err);
    ASSERT_STR(explanation.differs, "");
    ASSERT_EQ(explanation.count, 2);
    ASSERT_EQ(explanation.eligible, 2);
    ASSERT_EQ(explanation.agent[0].now.id, body.agent);
    dk_explanation_close(&explanation);
    body.candidate = candidates;
    first.spare_permille = 999;
    EXPECT("candidate 1 is ");
    first.spare_permille = 1000;
    body.agent = body.candidate[1]->agent;
    EXPECT("the event chose ");
    body.agent = first.agent;
    extra.reason = DOCKET__EXCLUSION_REASON__EXCLUDED_SKILL;
    extra.count = 1;
    body.n_excluded = 1;
    body.excluded = &extras;
    EXPECT("the event counts ");
    body.n_excluded = 0;
    body.n_candidate = 1;
    EXPECT("the event names 1 candidates");
    body.decision->rule_version++;
    ASSERT_EQ(dk_routing_explain(folder, &event, &body.base, &explanation, &err), DK_EINVAL);
    dk_folder_free(&folder);
}

/* The first event of a kind about a ticket, with its body, and a folder at its basis. */
struct decided {
    struct dk_envelope event;
    const void *body;
    struct dk_folder *folder;
    struct dk_explanation explanation;
};

static void find_decided(struct role_world *world, uint64_t ticket, uint32_t kind,
                         struct decided *decided)
{
    struct dk_err err;
    size_t bytes;
    uint64_t position = 1;
    const uint8_t *record = world_record(world, position, &bytes);
    *decided = (struct decided){0};
    while (dk_event_load_subject(record) != ticket || dk_event_load_kind(record) != kind)
        record = world_record(world, ++position, &bytes);
    dk_event_load(record, &decided->event);
    decided->body = world_body(world, position, kind);
    ASSERT_OK(dk_folder_new(&decided->folder, world->ops, &err), &err);
    world_fold(world, decided->folder,
               dk_routing_own_decision(&decided->event, decided->body)->basis);
}

static const char *differs(struct decided *decided)
{
    struct dk_err err;
    dk_explanation_close(&decided->explanation);
    ASSERT_OK(dk_routing_explain(decided->folder, &decided->event, decided->body,
                                 &decided->explanation, &err),
              &err);
    return decided->explanation.differs;
}

static void close_decided(struct decided *decided)
{
    dk_explanation_close(&decided->explanation);
    dk_folder_free(&decided->folder);
}

static void test_routing_explain_names_the_catalogue_and_finds_another_route(void **state)
{
    struct role_world *world = *state;
    struct decided decided;
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    find_decided(world, ticket, DK_KIND_ROUTED, &decided);
    ASSERT_STR(differs(&decided), "");
    ASSERT_EQ(decided.explanation.point_count, 1);
    ASSERT_EQ(decided.explanation.point[0].about, PLACE("mail"));
    ASSERT_EQ(decided.explanation.point[0].group, GROUP("desk"));
    Docket__Routed other = *(const Docket__Routed *)decided.body;
    other.group = GROUP("network");
    decided.body = &other;
    ASSERT_STR(differs(&decided), "by the rules it says something else");
    close_decided(&decided);
}

static void test_routing_explain_finds_an_offer_that_ended_too_early(void **state)
{
    struct role_world *world = *state;
    struct decided decided;
    define_settings(world, 0, 5 * MINUTE);
    hire_plain(world, "ada", "desk", 1);
    uint64_t ticket = open_mail(world);
    (void)world_settle(world);
    world->now_us = dk_folder_next_due_us(world->folder);
    (void)world_settle(world);
    find_decided(world, ticket, DK_KIND_OFFER_DECLINED, &decided);
    ASSERT_STR(differs(&decided), "");
    ASSERT_EQ(decided.explanation.point[0].about, AGENT("ada"));
    decided.event.recorded_us -= MINUTE;
    ASSERT_STR(differs(&decided), "by the rules it was not owed");
    close_decided(&decided);
}

/* One site, and nobody else: each step says why it is none. */
static void test_routing_explain_says_why_no_step_is_left(void **state)
{
    struct role_world *world = *state;
    struct dk_explanation explanation;
    struct dk_folder *folder = NULL;
    struct dk_envelope event;
    struct dk_err err;
    size_t bytes;
    define_settings(world, 10 * MINUTE, 0);
    hire_plain(world, "ada", "desk", 0);
    (void)open_mail(world);
    (void)world_settle(world);
    dk_event_load(world_record(world, world->count, &bytes), &event);
    const Docket__Queued *queued = world_body(world, world->count, DK_KIND_QUEUED);
    ASSERT_OK(dk_folder_new(&folder, world->ops, &err), &err);
    world_fold(world, folder, queued->decision->basis);
    ASSERT_OK(dk_routing_explain(folder, &event, &queued->base, &explanation, &err), &err);
    ASSERT_STR(explanation.differs, "");
    ASSERT_EQ(explanation.point_count, 4);
    ASSERT_EQ(explanation.point[2].step, DOCKET__RELAXATION__RELAX_NEXT_SITE);
    ASSERT_STR(explanation.point[2].why, "the group names none");
    ASSERT_TRUE(strstr(explanation.point[3].why, "nobody") != NULL);
    dk_explanation_close(&explanation);
    dk_folder_free(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_routing_explain_finds_another_choice),
        CASE(test_routing_explain_names_the_catalogue_and_finds_another_route),
        CASE(test_routing_explain_finds_an_offer_that_ended_too_early),
        CASE(test_routing_explain_says_why_no_step_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
