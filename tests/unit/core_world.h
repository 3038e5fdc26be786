/* What the tests of the core and of its requests share. */
#ifndef DK_TESTS_CORE_WORLD_H
#define DK_TESTS_CORE_WORLD_H

#include "tests/lib/core_fixture.h"
#include <stdlib.h>

/* A core with an agent's and an operator's connection, and one ticket opened by the agent. */
struct world {
    struct fixture f;
    struct fixture_peer agent, operator;
    struct fixture_events events;
};

static inline int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    fixture_open(&w->f);
    fixture_events_init(&w->events);
    w->agent = fixture_peer(&w->f, DK_ROLE_AGENT, 11);
    w->operator= fixture_peer(&w->f, DK_ROLE_OPERATOR, 12);
    fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_UNNAMED(0), DK_KIND_OPENED,
                 fixture_opened());
    ASSERT_EQ(fixture_call(&w->f, &w->agent, &w->events, false)->accepted, 1);
    fixture_forget(&w->f);
    fixture_events_clear(&w->events);
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *w = *state;
    fixture_events_close(&w->events);
    fixture_close(&w->f);
    free(w);
    return 0;
}

/* The agent's next event: a note on ticket 1. */
static inline uint8_t *add_note(struct world *w)
{
    return fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_TICKET(1), DK_KIND_NOTE_ADDED,
                        fixture_note("a note"));
}

/* The agent's next event, which an open ticket refuses. */
static inline uint8_t *add_illegal(struct world *w)
{
    Docket__Rated *rated = test_memory(sizeof *rated);
    docket__rated__init(rated);
    return fixture_next(&w->events, &w->agent, FIXTURE_AGENT, FIXTURE_TICKET(1), DK_KIND_RATED,
                        rated);
}

static inline const Docket__Appended *call(struct world *w, bool atomic)
{
    fixture_forget(&w->f);
    const Docket__Appended *appended = fixture_call(&w->f, &w->agent, &w->events, atomic);
    fixture_events_clear(&w->events);
    return appended;
}

static inline void check_refusal(const Docket__Appended *appended, size_t at, uint32_t index,
                                 int code, const char *field)
{
    ASSERT_TRUE(at < appended->n_refused);
    const Docket__Refusal *refusal = appended->refused[at];
    ASSERT_EQ(refusal->index, index);
    if (refusal->code != code) {
        fail_msg("refused with %s (%.*s), expected %s", dk_code_name(refusal->code),
                 (int)refusal->sentence.len, (const char *)refusal->sentence.data,
                 dk_code_name(code));
    }
    ASSERT_EQ(refusal->name.len, strlen(dk_code_name(code)));
    ASSERT_TRUE(refusal->sentence.len > 0);
    ASSERT_EQ(refusal->field.len, strlen(field));
    assert_memory_equal(refusal->field.data, field, strlen(field));
}

static inline void check_failure(struct world *w, uint64_t id, int code)
{
    const Docket__Reply *reply = fixture_reply(&w->f, id);
    ASSERT_TRUE(reply != NULL && reply->result_case == DOCKET__REPLY__RESULT_FAILURE);
    ASSERT_EQ(reply->failure->code, code);
    ASSERT_TRUE(reply->failure->sentence.len > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
