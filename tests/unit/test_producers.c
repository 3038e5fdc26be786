#include "broker/core/producers.h"

#include "docket.pb-c.h"
#include "proto/base/limits.h"
#include "proto/event/body.h"
#include "proto/event/event.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"

#define P 77

static struct dk_producers *made(size_t max_count)
{
    struct dk_producers *producers;
    struct dk_err err;
    ASSERT_OK(dk_producers_new(&producers, max_count, &err), &err);
    return producers;
}

static void remember(struct dk_producers *producers, uint64_t number, uint64_t position, int code)
{
    struct dk_answer answer = {.position = position, .code = code, .digest = (uint32_t)number * 3};
    ASSERT_EQ(dk_producers_remember(producers, P, number, &answer), 0);
}

static int ask(struct dk_producers *producers, uint64_t number, struct dk_answer *answer,
               struct dk_err *err)
{
    const struct dk_sent sent = {.digest = (uint32_t)number * 3};
    return dk_producers_number(producers, P, number, &sent, answer, err);
}

static void test_producers_numbers_are_new_repeated_reused_or_early(void **state)
{
    (void)state;
    struct dk_producers *producers = made(10);
    struct dk_answer answer;
    struct dk_err err;
    ASSERT_EQ(ask(producers, 1, &answer, &err), DK_NUMBER_NEW);
    ASSERT_CODE(ask(producers, 2, &answer, &err), DK_EORDER);
    ASSERT_STR(err.field, "producer_number");
    ASSERT_CODE(ask(producers, 0, &answer, &err), DK_EORDER);
    remember(producers, 1, 100, 0);
    remember(producers, 2, 0, DK_EILLEGAL);
    ASSERT_EQ(ask(producers, 3, &answer, &err), DK_NUMBER_NEW);
    ASSERT_EQ(ask(producers, 1, &answer, &err), DK_NUMBER_REPEATED);
    ASSERT_EQ(answer.position, 100);
    ASSERT_EQ(ask(producers, 2, &answer, &err), DK_NUMBER_REPEATED);
    ASSERT_EQ(answer.position, 0);
    ASSERT_EQ(answer.code, DK_EILLEGAL);
    const struct dk_sent other = {.digest = 99};
    ASSERT_CODE(dk_producers_number(producers, P, 1, &other, &answer, &err), DK_EREUSED);
    ASSERT_CODE(dk_producers_number(producers, P, 2, &other, &answer, &err), DK_EREUSED);
    ASSERT_STR(err.field, "producer_number");
    dk_producers_free(&producers);
}

static void test_producers_forget_answers_beyond_the_last_4096(void **state)
{
    (void)state;
    struct dk_producers *producers = made(10);
    struct dk_answer answer;
    struct dk_err err;
    for (uint64_t n = 1; n <= 3 * DK_PRODUCER_ANSWERS; n++) {
        remember(producers, n, 1000 + n, 0);
    }
    uint64_t oldest = 2 * DK_PRODUCER_ANSWERS + 1;
    ASSERT_EQ(ask(producers, oldest, &answer, &err), DK_NUMBER_REPEATED);
    ASSERT_EQ(answer.position, 1000 + oldest);
    ASSERT_EQ(ask(producers, oldest - 1, &answer, &err), DK_NUMBER_FORGOTTEN);
    ASSERT_EQ(ask(producers, 1, &answer, &err), DK_NUMBER_FORGOTTEN);
    dk_producers_free(&producers);
}

static void test_producers_sessions_are_taken_over(void **state)
{
    (void)state;
    struct dk_producers *producers = made(2);
    struct dk_err err;
    uint64_t last;
    ASSERT_CODE(dk_producers_session(producers, P, 1, &err), DK_EHELLO);
    ASSERT_OK(dk_producers_hello(producers, P, 1, &last, &err), &err);
    ASSERT_EQ(last, 0);
    ASSERT_OK(dk_producers_session(producers, P, 1, &err), &err);
    remember(producers, 1, 5, 0);
    ASSERT_OK(dk_producers_hello(producers, P, 2, &last, &err), &err);
    ASSERT_EQ(last, 1);
    ASSERT_CODE(dk_producers_session(producers, P, 1, &err), DK_EFENCED);
    ASSERT_STR(err.field, "producer");
    dk_producers_disconnected(producers, 1); /* not its session any more */
    ASSERT_OK(dk_producers_session(producers, P, 2, &err), &err);
    dk_producers_disconnected(producers, 2);
    ASSERT_CODE(dk_producers_session(producers, P, 2, &err), DK_EHELLO);
    dk_producers_free(&producers);
}

/* As many as there is room for, on one connection; one of them has sent something. */
static struct dk_producers *full(void)
{
    struct dk_producers *producers = made(200);
    struct dk_err err;
    uint64_t last;
    for (uint64_t id = 1; id <= 200; id++) {
        ASSERT_OK(dk_producers_hello(producers, id, 1, &last, &err), &err);
    }
    remember(producers, 1, 9, 0);
    return producers;
}

static void test_producers_that_never_sent_leave_with_their_connection(void **state)
{
    (void)state;
    struct dk_err err;
    uint64_t last;
    struct dk_producers *producers = full();
    dk_producers_disconnected(producers, 1);
    for (uint64_t id = 1000; id < 1199; id++) {
        ASSERT_OK(dk_producers_hello(producers, id, 2, &last, &err), &err);
    }
    ASSERT_OK(dk_producers_hello(producers, P, 2, &last, &err), &err);
    ASSERT_EQ(last, 1);
    dk_producers_free(&producers);
}

/* A peer may say hello under many names and leave: the driver need not see it go. */
static void test_producers_that_never_sent_make_room(void **state)
{
    (void)state;
    struct dk_err err;
    uint64_t last;
    struct dk_producers *producers = full();
    ASSERT_OK(dk_producers_hello(producers, 999, 2, &last, &err), &err);
    ASSERT_CODE(dk_producers_session(producers, 2, 1, &err), DK_EHELLO);
    ASSERT_OK(dk_producers_session(producers, P, 1, &err), &err);
    ASSERT_OK(dk_producers_session(producers, 999, 2, &err), &err);
    for (uint64_t id = 1000; id < 1199; id++) {
        ASSERT_OK(dk_producers_hello(producers, id, 2, &last, &err), &err);
        int rc = dk_producers_remember(producers, id, 1, &(struct dk_answer){.position = id});
        ASSERT_EQ(rc, 0);
    }
    ASSERT_CODE(dk_producers_hello(producers, 2000, 2, &last, &err), DK_EBUSY);
    dk_producers_free(&producers);
}

/* Every answer to a peer that is gone says so again: that must not cost a look at all producers. */
static void test_producers_learn_often_that_a_peer_is_gone(void **state)
{
    (void)state;
    struct dk_producers *producers = made(65536);
    struct dk_err err;
    uint64_t last;
    for (uint64_t id = 1; id <= 60000; id++) {
        ASSERT_OK(dk_producers_hello(producers, id, id % 2 + 1, &last, &err), &err);
        ASSERT_EQ(dk_producers_remember(producers, id, 1, &(struct dk_answer){.position = id}), 0);
    }
    ASSERT_OK(dk_producers_hello(producers, 1, 1, &last, &err), &err); /* taken over */
    dk_producers_disconnected(producers, 2);
    for (uint64_t i = 0; i < 1000000; i++) { /* an hour, if each looked */
        dk_producers_disconnected(producers, 2 + i % 7);
    }
    ASSERT_EQ(dk_producers_session(producers, 1, 1, &err), 0);
    ASSERT_EQ(dk_producers_session(producers, 2, 1, &err), 0);
    ASSERT_CODE(dk_producers_session(producers, 3, 2, &err), DK_EHELLO);
    dk_producers_free(&producers);
}

static int save(const struct dk_producers *producers, struct dk_buf *out)
{
    struct dk_producers_view *view;
    ASSERT_EQ(dk_producers_freeze(producers, &view), 0);
    int rc = dk_producers_save(view, out);
    dk_producers_view_free(&view);
    return rc;
}

static void test_producers_save_what_was_accepted(void **state)
{
    (void)state;
    struct dk_producers *producers = made(100);
    struct dk_producers *other = made(100);
    struct dk_buf saved, again;
    struct dk_answer answer;
    struct dk_err err;
    size_t used;
    uint64_t last;
    dk_buf_init(&saved, 1 << 22);
    dk_buf_init(&again, 1 << 22);
    for (uint64_t n = 1; n <= 6000; n++) {
        remember(producers, n, n % 5 == 0 ? 0 : n, n % 5 == 0 ? DK_ESTALE : 0);
    }
    ASSERT_OK(dk_producers_hello(producers, 4, 1, &last, &err), &err); /* leaves no trace */
    ASSERT_EQ(save(producers, &saved), 0);
    ASSERT_OK(dk_producers_load(other, saved.data, saved.size, &used, &err), &err);
    ASSERT_EQ(used, saved.size);
    ASSERT_EQ(save(other, &again), 0);
    ASSERT_EQ(again.size, saved.size);
    assert_memory_equal(again.data, saved.data, saved.size);

    ASSERT_EQ(ask(other, 6000, &answer, &err),
              DK_NUMBER_NEW); /* 6000 was refused: not in the log */
    ASSERT_EQ(ask(other, 5999, &answer, &err), DK_NUMBER_REPEATED);
    ASSERT_EQ(answer.position, 5999);
    /* A refused number between accepted ones is known to be refused, never taken for accepted. */
    ASSERT_EQ(ask(other, 5995, &answer, &err), DK_NUMBER_REPEATED);
    ASSERT_EQ(answer.position, 0);
    ASSERT_EQ(answer.code, DK_EORDER);
    for (size_t cut = 0; cut < saved.size; cut += 501) {
        struct dk_producers *broken = made(100);
        ASSERT_CODE(dk_producers_load(broken, saved.data, cut, &used, &err), DK_ECORRUPT);
        dk_producers_free(&broken);
    }
    dk_buf_close(&saved);
    dk_buf_close(&again);
    dk_producers_free(&producers);
    dk_producers_free(&other);
}

static void test_producers_ids_differ_by_key_and_name(void **state)
{
    (void)state;
    uint64_t id = dk_producer_id(1, "a", 1);
    ASSERT_TRUE(id != 0 && id == dk_producer_id(1, "a", 1));
    ASSERT_TRUE(id != dk_producer_id(2, "a", 1) && id != dk_producer_id(1, "b", 1));
}

/* The digest of a sent record and of what the broker made of it. */
static void test_producers_digest_is_the_same_before_and_after_stamping(void **state)
{
    (void)state;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    note.text = test_text("hello");
    for (int stated = 0; stated < 2; stated++) {
        struct dk_envelope envelope = {.format = 1, .actor = 7, .subject = 8};
        struct dk_buf buf;
        dk_buf_init(&buf, 4096);
        envelope.occurred_us = stated ? 123456 : 0;
        ASSERT_EQ(dk_event_encode(&buf, &envelope, DK_KIND_NOTE_ADDED, &note.base, NULL), 0);
        uint32_t sent = dk_record_digest(buf.data, buf.size);
        dk_stamp_position(buf.data, 9);
        dk_stamp_subject(buf.data, 10);
        dk_stamp_producer_number(buf.data, 11);
        if (stated) {
            dk_stamp_flags(buf.data, DOCKET__EVENT_FLAG__FLAG_BACKDATED);
        } else {
            dk_stamp_occurred_us(buf.data, 99);
        }
        ASSERT_EQ(dk_record_digest(buf.data, buf.size), sent);
        dk_stamp_actor(buf.data, 6);
        ASSERT_TRUE(dk_record_digest(buf.data, buf.size) != sent);
        dk_stamp_actor(buf.data, 7);
        buf.data[buf.size - 1] ^= 1;
        ASSERT_TRUE(dk_record_digest(buf.data, buf.size) != sent);
        dk_buf_close(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_producers_numbers_are_new_repeated_reused_or_early),
        cmocka_unit_test(test_producers_forget_answers_beyond_the_last_4096),
        cmocka_unit_test(test_producers_sessions_are_taken_over),
        cmocka_unit_test(test_producers_that_never_sent_leave_with_their_connection),
        cmocka_unit_test(test_producers_that_never_sent_make_room),
        cmocka_unit_test(test_producers_learn_often_that_a_peer_is_gone),
        cmocka_unit_test(test_producers_save_what_was_accepted),
        cmocka_unit_test(test_producers_ids_differ_by_key_and_name),
        cmocka_unit_test(test_producers_digest_is_the_same_before_and_after_stamping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
