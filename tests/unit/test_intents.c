#include "nodes/runtime/intents.h"

#include "proto/base/id.h"
#include "proto/event/body.h"
#include "proto/event/event.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"

#define TICKET dk_ticket_make(3, 14)

static bool add_routed(struct dk_intents *intents, uint64_t ticket, uint64_t cause)
{
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.line = 1;
    routed.group = dk_id_make(DK_SUBJECT_GROUP, 1);
    bool added = dk_intents_add(intents, ticket, DK_KIND_ROUTED, &routed.base, cause);
    ASSERT_TRUE(routed.decision == NULL); /* the caller's body is left as it was */
    return added;
}

static void test_intents_are_events_that_an_append_can_take(void **state)
{
    (void)state;
    struct dk_intents intents;
    struct dk_decision decision;
    struct dk_err err;
    dk_intents_init(&intents, DK_ROLE_SLA, 4);
    dk_intents_clear(&intents, 500);
    ASSERT_TRUE(add_routed(&intents, TICKET, 480));
    ASSERT_TRUE(add_routed(&intents, TICKET + 1, 490));
    ASSERT_EQ(intents.count, 2);
    for (size_t i = 0; i < 2; i++) {
        struct dk_slice event = dk_intents_event(&intents, i);
        ASSERT_OK(dk_event_canonical(event.data, event.size, &err), &err);
        ASSERT_EQ(dk_event_load_subject(event.data), TICKET + i);
        ASSERT_EQ(dk_event_load_kind(event.data), DK_KIND_ROUTED);
        ASSERT_EQ(dk_event_load_actor(event.data), dk_id_make(DK_ACTOR_NODE, DK_ROLE_SLA));
        ASSERT_EQ(dk_event_load_position(event.data), 0); /* the broker stamps it */
        ASSERT_EQ(dk_event_load_producer(event.data), 0); /* and the decider this */
        ASSERT_EQ(dk_event_decision(event.data, event.size, &decision), 1);
        ASSERT_EQ(decision.basis, 500);
        ASSERT_EQ(decision.cause, 480 + 10 * i);
        ASSERT_EQ(decision.rule_version, 4);
    }
    dk_intents_clear(&intents, 501);
    ASSERT_EQ(intents.count, 0);
    dk_intents_close(&intents);
}

static void test_intents_take_what_fits(void **state)
{
    (void)state;
    struct dk_intents intents;
    dk_intents_init(&intents, DK_ROLE_ROUTING, 1);
    dk_intents_clear(&intents, 1);
    for (uint64_t i = 0; i < DK_INTENTS_MAX; i++)
        ASSERT_TRUE(add_routed(&intents, TICKET + i, 1));
    ASSERT_TRUE(!add_routed(&intents, TICKET, 1));
    ASSERT_EQ(intents.count, DK_INTENTS_MAX);

    /* Large ones run out of bytes first; what is there stays whole. */
    char *words = test_memory(100001);
    memset(words, 'a', 100000);
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    note.text = test_text(words);
    dk_intents_clear(&intents, 1);
    size_t added = 0;
    while (added < DK_INTENTS_MAX &&
           dk_intents_add(&intents, TICKET, DK_KIND_NOTE_ADDED, &note.base, 1))
        added++;
    ASSERT_TRUE(added > 1 && added < DK_INTENTS_MAX);
    ASSERT_EQ(intents.count, added);
    ASSERT_TRUE(add_routed(&intents, TICKET, 1)); /* a small one still fits */
    struct dk_err err;
    size_t bytes = 0;
    for (size_t i = 0; i < intents.count; i++) {
        struct dk_slice event = dk_intents_event(&intents, i);
        ASSERT_OK(dk_event_canonical(event.data, event.size, &err), &err);
        bytes += event.size;
    }
    ASSERT_TRUE(bytes < DK_REQUEST_MAX_BYTES); /* an Append can hold them */
    dk_intents_close(&intents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intents_are_events_that_an_append_can_take),
        cmocka_unit_test(test_intents_take_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
