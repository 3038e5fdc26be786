/* Batches of canonical, stamped records for tests that write logs.
 *
 * The record at a position is a function of that position: a note on one of seven tickets, whose
 * chains (subject_version, previous) are whole. So any test can continue a log where it ends, and
 * knows what must be read back. */
#ifndef DK_TESTS_BATCHES_H
#define DK_TESTS_BATCHES_H

#include "broker/log/log.h"
#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/event/body.h"
#include "proto/event/event.h"
#include <string.h>

#define TEST_TICKETS   7
#define TEST_BATCH_MAX 10000
#define TEST_EPOCH_US  INT64_C(1700000000000000)

struct test_batch {
    struct dk_buf records;
    uint32_t offset[TEST_BATCH_MAX + 1];
    struct dk_batch batch;
};

static inline void test_batch_init(struct test_batch *batch)
{
    memset(batch, 0, sizeof *batch);
    dk_buf_init(&batch->records, (size_t)64 << 20);
}

static inline void test_batch_close(struct test_batch *batch)
{
    dk_buf_close(&batch->records);
}

static inline void test_batch_begin(struct test_batch *batch, uint64_t first)
{
    dk_buf_clear(&batch->records);
    batch->batch = (struct dk_batch){.first = first, .offset = batch->offset};
}

static inline int64_t test_recorded_us(uint64_t position)
{
    return TEST_EPOCH_US + (int64_t)position * 1000;
}

/* Appends `envelope` with a body of this kind, stamping position, recorded time and crc. */
static inline void test_batch_put(struct test_batch *batch, struct dk_envelope *envelope,
                                  uint32_t kind, const ProtobufCMessage *body)
{
    size_t at = batch->records.size;
    DK_ASSERT(batch->batch.count < TEST_BATCH_MAX);
    envelope->format = DK_EVENT_FORMAT;
    envelope->position = batch->batch.first + batch->batch.count;
    envelope->recorded_us = test_recorded_us(envelope->position);
    envelope->occurred_us = envelope->recorded_us;
    DK_ASSERT(dk_event_encode(&batch->records, envelope, kind, body, NULL) == 0);

    uint8_t *record = batch->records.data + at;
    size_t bytes = batch->records.size - at;
    dk_stamp_crc32c(record, dk_event_crc(record, bytes));
    batch->batch.data = batch->records.data;
    batch->offset[++batch->batch.count] = (uint32_t)batch->records.size;
}

/* Appends the next position's note, with a text of `text_bytes` (at most 64 KiB). */
static inline void test_batch_note(struct test_batch *batch, size_t text_bytes)
{
    uint64_t position = batch->batch.first + batch->batch.count;
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";
    uint8_t words[65536];
    DK_ASSERT(text_bytes <= sizeof words);
    for (size_t i = 0; i < text_bytes; i++)
        words[i] = (uint8_t)alphabet[(position + i) % 26];

    Docket__Text text = DOCKET__TEXT__INIT;
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){text_bytes, words};
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    note.text = &text;
    struct dk_envelope envelope = {
        .subject = dk_ticket_make(1, 1 + (position - 1) % TEST_TICKETS),
        .subject_version = (uint32_t)((position - 1) / TEST_TICKETS + 1),
        .previous = position > TEST_TICKETS ? position - TEST_TICKETS : 0,
        .actor = dk_id_make(DK_ACTOR_AGENT, 1),
    };
    test_batch_put(batch, &envelope, DK_KIND_NOTE_ADDED, &note.base);
}

static inline void test_batch_notes(struct test_batch *batch, uint64_t first, size_t count,
                                    size_t text_bytes)
{
    test_batch_begin(batch, first);
    for (size_t i = 0; i < count; i++)
        test_batch_note(batch, text_bytes);
}

/* Appends notes up to position `last` to the log, `a_commit` in one transaction. 0 or the error. */
static inline int test_log_fill(struct dk_log *log, uint64_t last, size_t a_commit,
                                size_t text_bytes, struct dk_err *err)
{
    static _Thread_local struct test_batch batch;
    uint64_t position;
    test_batch_init(&batch);
    int rc = dk_log_last(log, &position, err);
    while (rc == 0 && position < last) {
        uint64_t left = last - position;
        size_t count = left < a_commit ? (size_t)left : a_commit;
        test_batch_notes(&batch, position + 1, count, text_bytes);
        rc = dk_log_commit(log, &batch.batch, err);
        position += count;
    }
    test_batch_close(&batch);
    return rc;
}

#endif
