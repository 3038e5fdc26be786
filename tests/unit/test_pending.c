#include "broker/core/pending.h"

#include "docket.pb-c.h"
#include "proto/base/limits.h"
#include "tests/lib/assert.h"

/* What was sent, unpacked, in order. */
#define SENT_MAX 64
struct sent {
    size_t count;
    uint64_t connection[SENT_MAX];
    Docket__Reply *reply[SENT_MAX];
    size_t largest;
};

static void take_frame(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes)
{
    struct sent *sent = arg;
    ASSERT_TRUE(sent->count < SENT_MAX);
    sent->connection[sent->count] = connection;
    sent->reply[sent->count] = docket__reply__unpack(NULL, bytes, frame);
    ASSERT_TRUE(sent->reply[sent->count] != NULL);
    sent->largest = bytes > sent->largest ? bytes : sent->largest;
    sent->count++;
}

static void forget(struct sent *sent)
{
    for (size_t i = 0; i < sent->count; i++) {
        docket__reply__free_unpacked(sent->reply[i], NULL);
    }
    *sent = (struct sent){0};
}

static struct dk_pending *made(void)
{
    struct dk_pending *pending;
    struct dk_err err;
    ASSERT_OK(dk_pending_new(&pending, DK_REQUEST_MAX_BYTES, 2000, &err), &err);
    return pending;
}

static void send_all(struct dk_pending *pending, struct sent *sent)
{
    struct dk_buf scratch;
    dk_buf_init(&scratch, 4 << 20);
    dk_pending_answers(pending, &scratch, take_frame, sent);
    dk_buf_close(&scratch);
}

static void test_pending_records_stand_side_by_side(void **state)
{
    (void)state;
    struct dk_pending *pending = made();
    ASSERT_TRUE(dk_pending_empty(pending));
    memset(dk_pending_add(pending, 10), 'a', 10);
    memset(dk_pending_add(pending, 20), 'b', 20);
    memset(dk_pending_add(pending, 30), 'c', 30);
    dk_pending_truncate(pending, 2);
    memset(dk_pending_add(pending, 5), 'd', 5);
    const struct dk_batch *batch = dk_pending_batch(pending, 42);
    ASSERT_EQ(batch->first, 42);
    ASSERT_EQ(batch->count, 3);
    ASSERT_EQ(batch->offset[3], 35);
    size_t bytes;
    ASSERT_EQ(dk_batch_record(batch, 2, &bytes)[0], 'd');
    ASSERT_EQ(bytes, 5);
    ASSERT_TRUE(!dk_pending_empty(pending));
    dk_pending_clear(pending);
    ASSERT_TRUE(dk_pending_empty(pending));
    dk_pending_free(&pending);
}

static void test_pending_bounds_are_told_before(void **state)
{
    (void)state;
    struct dk_pending *pending = made();
    ASSERT_TRUE(dk_pending_fits(pending, 1000, DK_REQUEST_MAX_BYTES));
    ASSERT_TRUE(!dk_pending_fits(pending, 1, DK_REQUEST_MAX_BYTES + 1));
    dk_pending_add(pending, 100);
    ASSERT_TRUE(!dk_pending_fits(pending, 1, DK_REQUEST_MAX_BYTES));
    ASSERT_TRUE(dk_pending_fits(pending, 1, DK_REQUEST_MAX_BYTES - 100));
    dk_pending_clear(pending);
    for (int i = 0; i < 2000; i++) {
        ASSERT_TRUE(dk_pending_fits(pending, 1, 10));
        dk_pending_add(pending, 10);
    }
    ASSERT_TRUE(!dk_pending_fits(pending, 1, 10));
    dk_pending_clear(pending);
    struct dk_err err;
    dk_err_set(&err, DK_EILLEGAL, "no");
    for (uint32_t i = 0; i < 1500; i++) { /* refusals fill it too */
        dk_pending_answer(pending, 1, i);
        dk_pending_refused(pending, 0, &err);
    }
    ASSERT_TRUE(!dk_pending_fits(pending, 1, 10));
    dk_pending_free(&pending);
}

static void test_pending_answers_are_one_reply_a_connection(void **state)
{
    (void)state;
    struct dk_pending *pending = made();
    struct sent sent = {0};
    struct dk_err err;
    dk_pending_answer(pending, 5, 1);
    dk_pending_accepted(pending, 100, 0);
    dk_pending_accepted(pending, 101, 77);
    dk_pending_answer(pending, 6, 1);
    dk_err_field(&err, DK_EILLEGAL, "kind", "that does not go");
    dk_pending_refused(pending, 3, &err);
    dk_pending_answer(pending, 5, 2);
    dk_pending_accepted(pending, 102, 0);

    send_all(pending, &sent);
    ASSERT_EQ(sent.count, 2);
    ASSERT_EQ(sent.connection[0], 5);
    ASSERT_EQ(sent.reply[0]->id, 0);
    ASSERT_EQ(sent.reply[0]->appended->n_appended, 2);
    const Docket__Appended *first = sent.reply[0]->appended->appended[0];
    ASSERT_EQ(first->request, 1);
    ASSERT_EQ(first->position, 100);
    ASSERT_EQ(first->accepted, 2);
    ASSERT_EQ(first->n_opened, 1);
    ASSERT_EQ(first->opened[0], 77);
    ASSERT_EQ(sent.reply[0]->appended->appended[1]->position, 102);
    const Docket__Appended *refused = sent.reply[1]->appended->appended[0];
    ASSERT_EQ(refused->accepted, 0);
    ASSERT_EQ(refused->position, 0);
    ASSERT_EQ(refused->n_refused, 1);
    ASSERT_EQ(refused->refused[0]->index, 3);
    ASSERT_EQ(refused->refused[0]->code, DK_EILLEGAL);
    ASSERT_EQ(refused->refused[0]->field.len, 4);
    ASSERT_TRUE(dk_pending_empty(pending));
    forget(&sent);
    send_all(pending, &sent); /* sent once */
    ASSERT_EQ(sent.count, 0);
    dk_pending_free(&pending);
}

static void test_pending_positions_with_a_gap_are_not_told(void **state)
{
    (void)state;
    struct dk_pending *pending = made();
    struct sent sent = {0};
    dk_pending_answer(pending, 5, 1); /* a repeat, then a new one */
    dk_pending_accepted(pending, 50, 0);
    dk_pending_accepted(pending, 90, 0);
    dk_pending_accepted(pending, 91, 0);
    send_all(pending, &sent);
    ASSERT_EQ(sent.reply[0]->appended->appended[0]->position, 0);
    ASSERT_EQ(sent.reply[0]->appended->appended[0]->accepted, 3);
    forget(&sent);
    dk_pending_free(&pending);
}

/* A ready reply; its bytes. */
static size_t pack_done(uint64_t id, uint8_t frame[64])
{
    Docket__Done done = DOCKET__DONE__INIT;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    reply.id = id;
    reply.result_case = DOCKET__REPLY__RESULT_DONE;
    reply.done = &done;
    return docket__reply__pack(&reply, frame);
}

static void test_pending_frames_wait_and_connections_are_forgotten(void **state)
{
    (void)state;
    struct dk_pending *pending = made();
    struct sent sent = {0};
    uint8_t frame[64];
    size_t bytes = pack_done(9, frame);
    dk_pending_answer(pending, 1, 1);
    dk_pending_accepted(pending, 3, 0);
    ASSERT_EQ(dk_pending_frame(pending, 2, frame, bytes), 0);
    ASSERT_EQ(dk_pending_frame(pending, 1, frame, bytes), 0);
    memset(frame, 0, sizeof frame);
    dk_pending_forget(pending, 1);
    dk_pending_forget(pending, 99);
    dk_pending_answer(pending, 1, 2); /* cannot come from one that is gone; harmless */
    send_all(pending, &sent);
    ASSERT_EQ(sent.count, 2);
    ASSERT_EQ(sent.connection[0], 2);
    ASSERT_EQ(sent.reply[0]->id, 9);
    ASSERT_EQ(sent.reply[1]->appended->n_appended, 1);
    forget(&sent);
    dk_pending_free(&pending);
}

struct gone {
    struct dk_pending *pending;
    size_t tried;
};

static void find_gone(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes)
{
    struct gone *gone = arg;
    (void)frame, (void)bytes;
    gone->tried += connection == 1;
    dk_pending_forget(gone->pending, 1);
}

/* A peer that is found to be gone is not tried again for each of its answers, nor are others passed
 * over for it. */
static void test_pending_stops_at_a_peer_that_is_gone(void **state)
{
    (void)state;
    struct gone gone = {.pending = made()};
    struct dk_buf scratch;
    static const uint8_t frame[] = "frame";
    dk_buf_init(&scratch, 4 << 20);
    for (uint64_t i = 0; i < 100; i++) {
        ASSERT_EQ(dk_pending_frame(gone.pending, 1 + i % 2, frame, sizeof frame), 0);
    }
    dk_pending_answers(gone.pending, &scratch, find_gone, &gone);
    ASSERT_EQ(gone.tried, 1);
    ASSERT_TRUE(dk_pending_empty(gone.pending));
    dk_buf_close(&scratch);
    dk_pending_free(&gone.pending);
}

static void test_pending_frames_keep_their_place_among_answers(void **state)
{
    (void)state;
    struct dk_pending *pending = made();
    struct sent sent = {0};
    uint8_t frame[64];
    size_t bytes = pack_done(9, frame);
    dk_pending_answer(pending, 1, 1);
    dk_pending_accepted(pending, 3, 0);
    dk_pending_answer(pending, 1, 2);
    dk_pending_accepted(pending, 4, 0);
    ASSERT_EQ(dk_pending_frame(pending, 1, frame, bytes), 0);
    dk_pending_answer(pending, 1, 3);
    dk_pending_accepted(pending, 5, 0);
    send_all(pending, &sent);
    ASSERT_EQ(sent.count, 3);
    ASSERT_EQ(sent.reply[0]->appended->n_appended, 2);
    ASSERT_EQ(sent.reply[1]->id, 9);
    ASSERT_EQ(sent.reply[2]->appended->appended[0]->request, 3);
    forget(&sent);
    dk_pending_free(&pending);
}

static void test_pending_large_answers_are_cut_into_frames(void **state)
{
    (void)state;
    struct dk_pending *pending = made();
    struct sent sent = {0};
    struct dk_err err;
    char words[400];
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    dk_err_field(&err, DK_EILLEGAL, "kind", "%s", words);
    for (uint32_t i = 0; i < 1400; i++) {
        dk_pending_answer(pending, 5, i);
        dk_pending_refused(pending, 0, &err);
    }
    send_all(pending, &sent);
    ASSERT_TRUE(sent.count > 1 && sent.largest <= DK_FRAME_MAX_BYTES);
    size_t answers = 0;
    for (size_t i = 0; i < sent.count; i++) {
        for (size_t j = 0; j < sent.reply[i]->appended->n_appended; j++) {
            ASSERT_EQ(sent.reply[i]->appended->appended[j]->request, answers);
            answers++;
        }
    }
    ASSERT_EQ(answers, 1400);
    forget(&sent);
    dk_pending_free(&pending);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pending_records_stand_side_by_side),
        cmocka_unit_test(test_pending_bounds_are_told_before),
        cmocka_unit_test(test_pending_answers_are_one_reply_a_connection),
        cmocka_unit_test(test_pending_positions_with_a_gap_are_not_told),
        cmocka_unit_test(test_pending_frames_wait_and_connections_are_forgotten),
        cmocka_unit_test(test_pending_stops_at_a_peer_that_is_gone),
        cmocka_unit_test(test_pending_frames_keep_their_place_among_answers),
        cmocka_unit_test(test_pending_large_answers_are_cut_into_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
