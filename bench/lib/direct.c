#include "bench/lib/direct.h"
#include "docket.pb-c.h"
#include "proto/event/event.h"
#include "proto/event/varint.h"
#include <pthread.h>
#include <stdlib.h>

#define READ_BYTES (512 << 10) /* what was copied out is still in the cache */

/* What is known of a ticket after some of its events: such parts can be put together. */
struct life {
    int64_t opened_us, replied_us, solved_us; /* INT64_MAX, INT64_MAX, INT64_MIN: not */
    uint8_t priority, status;                 /* as last said; 0: not */
};

struct part {
    pthread_t thread;
    struct dk_log *log;
    uint64_t from, last;
    struct life *life; /* by the ticket's number */
    size_t count;
    int rc;
    struct dk_err err;
};

/* ---------------------------------------------------------------- one record */

/* The value of a varint field of a body; 0 when it is not there. Fields stand in their order, as
 * every writer here puts them, so the walk ends behind the one that is asked for. */
static uint64_t field_of(const uint8_t *record, size_t bytes, unsigned number)
{
    size_t body_bytes;
    const uint8_t *at = dk_event_body(record, bytes, &body_bytes), *end = at + body_bytes;
    uint64_t key, value;
    while (at < end && dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &key) && key >> 3 <= number) {
        switch (key & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            if (!dk_varint_get(&at, end, DK_VARINT64_MAX_BYTES, &value)) {
                return 0;
            }
            if (key >> 3 == number) {
                return value;
            }
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT: at += 8; break;
        case PROTOBUF_C_WIRE_TYPE_32BIT: at += 4; break;
        default:
            if (!dk_varint_get(&at, end, DK_VARINT32_MAX_BYTES, &value) ||
                value > (uint64_t)(end - at)) {
                return 0;
            }
            at += value;
        }
    }
    return 0;
}

/* The numbers of the fields in docket.proto. */
enum field {
    FIELD_OPENED_PRIORITY = 8,
    FIELD_CLASSIFIED_PRIORITY = 5,
    FIELD_MESSAGE_DIRECTION = 3,
    FIELD_MESSAGE_AUTOMATIC = 7,
    FIELD_STATUS = 3,
};

static void take_message(struct life *life, const uint8_t *record, size_t bytes)
{
    unsigned actor = dk_id_class(dk_event_load_actor(record));
    int64_t at_us = (int64_t)dk_event_load_occurred_us(record);
    if (field_of(record, bytes, FIELD_MESSAGE_DIRECTION) == DOCKET__DIRECTION__DIRECTION_INBOUND) {
        life->status = DOCKET__STATUS__STATUS_OPEN; /* S11 */
    } else if (actor != DK_ACTOR_NODE && actor != DK_ACTOR_BROKER && at_us < life->replied_us &&
               field_of(record, bytes, FIELD_MESSAGE_AUTOMATIC) == 0) {
        life->replied_us = at_us;
    }
}

static void take_status(struct life *life, const uint8_t *record, unsigned status)
{
    life->status = (uint8_t)status;
    if (status == DOCKET__STATUS__STATUS_SOLVED) {
        life->solved_us = (int64_t)dk_event_load_occurred_us(record);
    }
}

static void take_record(struct life *life, uint32_t kind, const uint8_t *record, size_t bytes)
{
    uint64_t priority;
    switch (kind) {
    case DK_KIND_OPENED:
        life->opened_us = (int64_t)dk_event_load_occurred_us(record);
        life->priority = (uint8_t)field_of(record, bytes, FIELD_OPENED_PRIORITY);
        break;
    case DK_KIND_CLASSIFIED:
        priority = field_of(record, bytes, FIELD_CLASSIFIED_PRIORITY);
        life->priority = priority != 0 ? (uint8_t)priority : life->priority;
        break;
    case DK_KIND_MESSAGE_PUBLIC: take_message(life, record, bytes); break;
    case DK_KIND_STATUS_CHANGED:
        take_status(life, record, (unsigned)field_of(record, bytes, FIELD_STATUS));
        break;
    case DK_KIND_AUTO_SOLVED: take_status(life, record, DOCKET__STATUS__STATUS_SOLVED); break;
    case DK_KIND_AUTO_CLOSED: take_status(life, record, DOCKET__STATUS__STATUS_CLOSED); break;
    case DK_KIND_MERGED_INTO: take_status(life, record, DOCKET__STATUS__STATUS_MERGED); break;
    default: break;
    }
}

static bool is_asked(uint32_t kind)
{
    static const bool asked[DK_KIND_TICKET_LAST + 1] = {
        [DK_KIND_OPENED] = true,         [DK_KIND_CLASSIFIED] = true,
        [DK_KIND_MESSAGE_PUBLIC] = true, [DK_KIND_STATUS_CHANGED] = true,
        [DK_KIND_AUTO_SOLVED] = true,    [DK_KIND_AUTO_CLOSED] = true,
        [DK_KIND_MERGED_INTO] = true,
    };
    return kind <= DK_KIND_TICKET_LAST && asked[kind];
}

/* ---------------------------------------------------------------- a part of the log */

static struct life *life_of(struct part *part, uint64_t ticket)
{
    size_t number = dk_ticket_number(ticket);
    if (number >= part->count) {
        size_t count = number + number / 2 + 1024;
        part->life = realloc(part->life, count * sizeof *part->life);
        DK_ASSERT(part->life != NULL);
        while (part->count < count) {
            part->life[part->count++] = (struct life){INT64_MAX, INT64_MAX, INT64_MIN, 0, 0};
        }
    }
    return &part->life[number];
}

static void take_batch(struct part *part, const struct dk_batch *batch)
{
    for (size_t i = 0; i < batch->count && batch->first + i <= part->last; i++) {
        size_t bytes;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        uint32_t kind = dk_event_load_kind(record);
        if (is_asked(kind)) {
            take_record(life_of(part, dk_event_load_subject(record)), kind, record, bytes);
        }
    }
}

static void *read_part(void *arg)
{
    struct part *part = arg;
    struct dk_log_reader *reader = NULL;
    struct dk_records records;
    dk_records_init(&records);
    part->rc = dk_log_reader_new(&reader, part->log, &part->err);
    while (part->rc == 0 && part->from <= part->last) {
        part->rc = dk_log_read(reader, part->from, READ_BYTES, &records, &part->err);
        if (part->rc == 0 && records.batch.count == 0) {
            part->rc = dk_err_set(&part->err, DK_ENOTFOUND, "the log ends too early");
        }
        take_batch(part, &records.batch);
        part->from += records.batch.count;
    }
    dk_log_reader_free(&reader);
    dk_records_close(&records);
    return NULL;
}

/* ---------------------------------------------------------------- all parts */

static void put_together(struct life *life, const struct life *later)
{
    life->opened_us = later->opened_us < life->opened_us ? later->opened_us : life->opened_us;
    life->replied_us = later->replied_us < life->replied_us ? later->replied_us : life->replied_us;
    life->solved_us = later->solved_us != INT64_MIN ? later->solved_us : life->solved_us;
    life->priority = later->priority != 0 ? later->priority : life->priority;
    life->status = later->status != 0 ? later->status : life->status;
}

static bool is_ended(unsigned status)
{
    return status == DOCKET__STATUS__STATUS_SOLVED || status == DOCKET__STATUS__STATUS_CLOSED;
}

static void answer_of(struct part *all, struct dk_answer *answer)
{
    int64_t *sample[DK_ANSWER_MEASURES][DK_ANSWER_PRIORITIES];
    size_t n[DK_ANSWER_MEASURES][DK_ANSWER_PRIORITIES] = {0};
    for (size_t i = 0; i < DK_ANSWER_MEASURES * DK_ANSWER_PRIORITIES; i++) {
        int64_t **samples = &sample[i / DK_ANSWER_PRIORITIES][i % DK_ANSWER_PRIORITIES];
        *samples = malloc((all->count + 1) * sizeof **samples);
        DK_ASSERT(*samples != NULL);
    }
    for (size_t i = 0; i < all->count; i++) {
        const struct life *life = &all->life[i];
        unsigned p = life->priority;
        if (life->opened_us == INT64_MAX || p >= DK_ANSWER_PRIORITIES) {
            continue;
        }
        if (life->replied_us != INT64_MAX) {
            sample[DK_ANSWER_FIRST_REPLY][p][n[DK_ANSWER_FIRST_REPLY][p]++] =
                life->replied_us - life->opened_us;
        }
        if (is_ended(life->status) && life->solved_us != INT64_MIN) {
            sample[DK_ANSWER_RESOLUTION][p][n[DK_ANSWER_RESOLUTION][p]++] =
                life->solved_us - life->opened_us;
        }
    }
    for (size_t i = 0; i < DK_ANSWER_MEASURES * DK_ANSWER_PRIORITIES; i++) {
        size_t measure = i / DK_ANSWER_PRIORITIES, p = i % DK_ANSWER_PRIORITIES;
        answer->of[measure][p] = dk_answer_of_samples(sample[measure][p], n[measure][p]);
        free(sample[measure][p]);
    }
}

int dk_direct_run(struct dk_log *log, uint64_t last, unsigned threads, struct dk_answer *answer,
                  struct dk_err *err)
{
    struct part part[DK_DIRECT_THREADS_MAX] = {0};
    int rc = 0;
    DK_ASSERT(threads >= 1 && threads <= DK_DIRECT_THREADS_MAX);
    for (unsigned i = 0; i < threads; i++) {
        part[i].log = log;
        part[i].from = 1 + last * i / threads;
        part[i].last = last * (i + 1) / threads;
        DK_ASSERT(pthread_create(&part[i].thread, NULL, read_part, &part[i]) == 0);
    }
    for (unsigned i = 0; i < threads; i++) {
        (void)pthread_join(part[i].thread, NULL);
        if (rc == 0 && part[i].rc != 0) {
            rc = part[i].rc;
            *err = part[i].err;
        }
    }
    for (unsigned i = 1; i < threads; i++) {
        for (size_t number = 0; number < part[i].count; number++) {
            put_together(life_of(&part[0], number), &part[i].life[number]);
        }
        free(part[i].life);
    }
    if (rc == 0) {
        answer_of(&part[0], answer);
    }
    free(part[0].life);
    return rc;
}
