#include "replay/history/sentence.h"
#include "tests/lib/assert.h"
#include "tests/lib/bodies.h"
#include "tests/lib/definitions.h"

static struct dk_words words;
static struct dk_refs *refs;
static struct dk_zone *zone;
static struct dk_arena arena;
static struct dk_buf line, quote;

static int set_up(void **state)
{
    (void)state;
    DK_ASSERT(dk_refs_new(&refs, NULL) == 0 && dk_zone_load(&zone, "UTC", NULL) == 0);
    DK_ASSERT(dk_arena_init(&arena, (size_t)64 << 20) == 0);
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    agent.definition = test_definition("anna");
    agent.first_name = test_text("Anna");
    agent.surname = test_text("Schmidt");
    test_define(refs, 1, 1, DK_KIND_AGENT_DEFINED, &agent);
    words = (struct dk_words){.refs = refs, .zone = zone};
    dk_buf_init(&line, (size_t)8 << 20);
    dk_buf_init(&quote, (size_t)8 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    dk_buf_close(&line);
    dk_buf_close(&quote);
    dk_arena_close(&arena);
    dk_zone_free(&zone);
    dk_refs_free(&refs);
    return 0;
}

static const char *sentence(uint32_t kind, const void *body)
{
    dk_buf_clear(&line);
    dk_buf_clear(&quote);
    ASSERT_EQ(dk_sentence(&line, &quote, &words, kind, body), 0);
    return dk_buf_string(&line);
}

static void test_sentence_names_and_leaves_out(void **state)
{
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    (void)state;
    assigned.agent = test_id(DK_SUBJECT_AGENT, "anna");
    ASSERT_STR(sentence(DK_KIND_ASSIGNED, &assigned), "assigned it to Anna Schmidt");
    assigned.agent = 0;
    ASSERT_STR(sentence(DK_KIND_ASSIGNED, &assigned), "took it from its owner");
    changed.status = DOCKET__STATUS__STATUS_SOLVED;
    ASSERT_STR(sentence(DK_KIND_STATUS_CHANGED, &changed), "set it to solved");
    changed.status = DOCKET__STATUS__STATUS_PENDING;
    changed.has_pending = 1;
    changed.pending = DOCKET__PENDING__PENDING_CUSTOMER;
    ASSERT_STR(sentence(DK_KIND_STATUS_CHANGED, &changed), "set it to pending (customer)");
}

static void test_sentence_says_flags_by_words(void **state)
{
    Docket__ChecklistAnswered answered = DOCKET__CHECKLIST_ANSWERED__INIT;
    (void)state;
    answered.understood = answered.standard_steps_tried = answered.said_in_product_terms = 1;
    ASSERT_STR(sentence(DK_KIND_CHECKLIST_ANSWERED, &answered),
               "answered the checklist: understood, standard steps tried, known fixes not tried, "
               "said in product terms, data not collected, no workaround");
}

static void test_sentence_shows_times_durations_and_parts(void **state)
{
    Docket__ClockRef clock = DOCKET__CLOCK_REF__INIT;
    Docket__ClockBreached breached = DOCKET__CLOCK_BREACHED__INIT;
    Docket__ClockPaused paused = DOCKET__CLOCK_PAUSED__INIT;
    Docket__TimeLogged logged = DOCKET__TIME_LOGGED__INIT;
    (void)state;
    clock.metric = DOCKET__METRIC__METRIC_FIRST_REPLY;
    clock.instance = 1;
    breached.clock = &clock;
    breached.due_us = test_at("2026-02-03T10:00:00Z");
    ASSERT_STR(sentence(DK_KIND_CLOCK_BREACHED, &breached),
               "found the first-reply no. 1 clock breached at 2026-02-03 10:00:00");
    breached.late_by_us = 90 * DK_SECOND_US;
    ASSERT_CONTAINS(sentence(DK_KIND_CLOCK_BREACHED, &breached), ", noticed 1m 30s late");
    logged.seconds = 1500;
    ASSERT_STR(sentence(DK_KIND_TIME_LOGGED, &logged), "logged 25m 00s of work");
    paused.clock = &clock; /* at the instant at which it started */
    ASSERT_STR(sentence(DK_KIND_CLOCK_PAUSED, &paused),
               "paused the first-reply no. 1 clock after 0s");
}

static void test_sentence_quotes_long_texts_apart(void **state)
{
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    (void)state;
    note.text = test_text("short");
    ASSERT_STR(sentence(DK_KIND_NOTE_ADDED, &note), "noted: \"short\"");
    ASSERT_EQ(quote.size, 0);
    note.text = test_text("two\nlines");
    ASSERT_STR(sentence(DK_KIND_NOTE_ADDED, &note), "noted: as follows");
    ASSERT_STR(dk_buf_string(&quote), "two\nlines\n");
    dk_buf_clear(&line);
    ASSERT_EQ(dk_sentence(&line, NULL, &words, DK_KIND_NOTE_ADDED, &note.base), 0);
    ASSERT_STR(dk_buf_string(&line), "noted: \"two\nlines\"");
}

/* A field that a template misspells ends the process. */
static void test_sentence_has_a_template_for_every_kind_of_a_ticket(void **state)
{
    struct test_random random = {.state = 7};
    (void)state;
    for (uint32_t kind = DK_KIND_MIN; kind <= DK_KIND_TICKET_LAST; kind++) {
        ASSERT_TRUE(dk_kind_info(kind) == NULL || dk_sentence_of_kind(kind) != NULL);
        for (int i = 0; dk_kind_info(kind) != NULL && i < 20; i++) {
            const ProtobufCMessage *body = test_body(&arena, kind, &random, i == 0);
            ASSERT_TRUE(strlen(sentence(kind, body)) > 0);
            ASSERT_TRUE(strpbrk(dk_sentence_of_kind(kind), "{") == NULL ||
                        strstr(sentence(kind, body), "{") == NULL);
        }
        dk_arena_reset(&arena);
    }
}

static void test_sentence_says_who_acted(void **state)
{
    char text[DK_NAME_BYTES];
    (void)state;
    uint64_t anna = test_id(DK_SUBJECT_AGENT, "anna");
    ASSERT_STR(dk_words_actor(&words, dk_id_make(DK_ACTOR_AGENT, anna), text), "Anna Schmidt");
    ASSERT_STR(dk_words_actor(&words, dk_id_make(DK_ACTOR_NODE, DK_ROLE_SLA), text), "sla");
    ASSERT_STR(dk_words_actor(&words, dk_id_make(DK_ACTOR_OPERATOR, 5), text), "operator");
    ASSERT_STR(dk_words_actor(&words, dk_id_make(DK_ACTOR_CUSTOMER, 5), text),
               "customer/00000000000005");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentence_names_and_leaves_out),
        cmocka_unit_test(test_sentence_says_flags_by_words),
        cmocka_unit_test(test_sentence_shows_times_durations_and_parts),
        cmocka_unit_test(test_sentence_quotes_long_texts_apart),
        cmocka_unit_test(test_sentence_has_a_template_for_every_kind_of_a_ticket),
        cmocka_unit_test(test_sentence_says_who_acted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
