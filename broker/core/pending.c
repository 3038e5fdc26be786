#include "broker/core/pending.h"

#include "proto/base/limits.h"
#include "proto/base/map.h"
#include <stdlib.h>
#include <string.h>

#define FRAMES_MAX_BYTES (1024 * 1024)
#define REPLY_SOFT_BYTES (256 * 1024) /* a Reply beyond this takes no further answer */
#define NONE             UINT32_MAX

/* One answer; those of a connection are a chain in arrival order. */
struct answer {
    uint64_t connection; /* 0 = forgotten */
    uint32_t next;
    uint32_t frame_bytes; /* not 0: a ready frame at frames + frame_at, and the rest unused */
    size_t frame_at;
    struct dk_appended appended;
};

struct chain {
    uint32_t first, last;
};

struct dk_pending {
    struct dk_batch batch;
    uint8_t *data;
    uint32_t *offset;
    size_t max_bytes, max_records;
    struct answer *answer;
    size_t answer_count, answer_max;
    struct dk_refusal *refusal;
    size_t refusal_count, refusal_max;
    uint64_t *opened; /* one for each event accepted: new or repeated */
    size_t opened_count, opened_max;
    uint8_t *frames;
    size_t frames_bytes;
    struct dk_map chains; /* connection -> struct chain */
};

int dk_pending_new(struct dk_pending **pending, size_t max_bytes, size_t max_records,
                   struct dk_err *err)
{
    DK_ASSERT(max_bytes >= DK_REQUEST_MAX_BYTES && max_bytes <= UINT32_MAX);
    DK_ASSERT(max_records >= DK_REQUEST_MAX_EVENTS && max_records <= UINT32_MAX);
    struct dk_pending *made = calloc(1, sizeof *made);
    *pending = made;
    if (made == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for a batch");
    }
    made->max_bytes = max_bytes;
    made->max_records = max_records;
    made->answer_max = max_records;
    made->refusal_max = max_records / 4 + DK_REQUEST_MAX_EVENTS;
    made->opened_max = max_records + DK_REQUEST_MAX_EVENTS;
    made->data = malloc(max_bytes);
    made->offset = malloc((max_records + 1) * sizeof *made->offset);
    made->answer = malloc(made->answer_max * sizeof *made->answer);
    made->refusal = malloc(made->refusal_max * sizeof *made->refusal);
    made->opened = malloc(made->opened_max * sizeof *made->opened);
    made->frames = malloc(FRAMES_MAX_BYTES);
    dk_map_init(&made->chains, sizeof(struct chain), made->answer_max);
    if (made->data == NULL || made->offset == NULL || made->answer == NULL ||
        made->refusal == NULL || made->opened == NULL || made->frames == NULL) {
        dk_pending_free(pending);
        return dk_err_set(err, DK_ENOMEM, "no memory for a batch of %zu bytes", max_bytes);
    }
    dk_pending_clear(made);
    return 0;
}

void dk_pending_free(struct dk_pending **pending)
{
    struct dk_pending *gone = *pending;
    if (gone == NULL) {
        return;
    }
    free(gone->data);
    free(gone->offset);
    free(gone->answer);
    free(gone->refusal);
    free(gone->opened);
    free(gone->frames);
    dk_map_close(&gone->chains);
    free(gone);
    *pending = NULL;
}

static void clear_answers(struct dk_pending *pending)
{
    pending->answer_count = 0;
    pending->refusal_count = 0;
    pending->opened_count = 0;
    pending->frames_bytes = 0;
    dk_map_clear(&pending->chains);
}

void dk_pending_clear(struct dk_pending *pending)
{
    pending->batch.count = 0;
    pending->offset[0] = 0;
    clear_answers(pending);
}

size_t dk_pending_bytes(const struct dk_pending *pending)
{
    return pending->max_bytes + pending->max_records * sizeof *pending->offset +
           pending->answer_max * sizeof *pending->answer +
           pending->refusal_max * sizeof *pending->refusal +
           pending->opened_max * sizeof *pending->opened + FRAMES_MAX_BYTES;
}

bool dk_pending_fits(const struct dk_pending *pending, size_t events, size_t bytes)
{
    return pending->batch.count + events <= pending->max_records &&
           pending->offset[pending->batch.count] + bytes <= pending->max_bytes &&
           pending->answer_count + events <= pending->answer_max &&
           pending->refusal_count + events <= pending->refusal_max &&
           pending->opened_count + events <= pending->opened_max;
}

bool dk_pending_empty(const struct dk_pending *pending)
{
    return pending->batch.count == 0 && pending->answer_count == 0;
}

uint8_t *dk_pending_add(struct dk_pending *pending, size_t bytes)
{
    size_t i = pending->batch.count;
    DK_ASSERT(i < pending->max_records && pending->offset[i] + bytes <= pending->max_bytes);
    pending->offset[i + 1] = pending->offset[i] + (uint32_t)bytes;
    pending->batch.count++;
    return pending->data + pending->offset[i];
}

size_t dk_pending_count(const struct dk_pending *pending)
{
    return pending->batch.count;
}

uint8_t *dk_pending_record(const struct dk_pending *pending, size_t i, size_t *bytes)
{
    DK_ASSERT(i < pending->batch.count);
    *bytes = pending->offset[i + 1] - pending->offset[i];
    return pending->data + pending->offset[i];
}

const struct dk_batch *dk_pending_batch(struct dk_pending *pending, uint64_t first)
{
    pending->batch.first = first;
    pending->batch.data = pending->data;
    pending->batch.offset = pending->offset;
    return &pending->batch;
}

void dk_pending_truncate(struct dk_pending *pending, size_t count)
{
    DK_ASSERT(count <= pending->batch.count);
    pending->batch.count = count;
}

static struct answer *add_answer(struct dk_pending *pending, uint64_t connection)
{
    DK_ASSERT(connection != 0 && pending->answer_count < pending->answer_max);
    uint32_t at = (uint32_t)pending->answer_count;
    bool created;
    struct chain *chain = dk_map_put(&pending->chains, connection, &created);
    DK_ASSERT(chain != NULL);
    if (created) {
        chain->first = at;
    } else {
        pending->answer[chain->last].next = at;
    }
    chain->last = at;
    pending->answer_count++;
    struct answer *answer = &pending->answer[at];
    answer->connection = connection;
    answer->next = NONE;
    answer->frame_bytes = 0;
    return answer;
}

void dk_pending_answer(struct dk_pending *pending, uint64_t connection, uint64_t request)
{
    struct answer *answer = add_answer(pending, connection);
    answer->appended = (struct dk_appended){
        .request = request,
        .refused = &pending->refusal[pending->refusal_count],
        .opened = &pending->opened[pending->opened_count],
    };
}

static struct dk_appended *current(struct dk_pending *pending)
{
    DK_ASSERT(pending->answer_count > 0);
    return &pending->answer[pending->answer_count - 1].appended;
}

void dk_pending_accepted(struct dk_pending *pending, uint64_t position, uint64_t opened_ticket)
{
    struct dk_appended *appended = current(pending);
    if (appended->accepted == 0) {
        appended->position = position;
    } else if (position != appended->position + appended->accepted) {
        appended->position = 0;
    }
    appended->accepted++;
    if (opened_ticket != 0) {
        DK_ASSERT(pending->opened_count < pending->opened_max);
        pending->opened[pending->opened_count++] = opened_ticket;
        appended->opened_count++;
    }
}

void dk_pending_refused(struct dk_pending *pending, uint32_t index, const struct dk_err *err)
{
    DK_ASSERT(pending->refusal_count < pending->refusal_max);
    struct dk_refusal *refusal = &pending->refusal[pending->refusal_count++];
    refusal->index = index;
    refusal->err = *err;
    current(pending)->refused_count++;
}

int dk_pending_frame(struct dk_pending *pending, uint64_t connection, const uint8_t *frame,
                     size_t bytes)
{
    if (pending->answer_count == pending->answer_max ||
        bytes > FRAMES_MAX_BYTES - pending->frames_bytes) {
        return DK_EBUSY;
    }
    struct answer *answer = add_answer(pending, connection);
    answer->frame_at = pending->frames_bytes;
    answer->frame_bytes = (uint32_t)bytes;
    memcpy(pending->frames + pending->frames_bytes, frame, bytes);
    pending->frames_bytes += bytes;
    return 0;
}

void dk_pending_forget(struct dk_pending *pending, uint64_t connection)
{
    const struct chain *chain = dk_map_get(&pending->chains, connection);
    if (chain == NULL) {
        return;
    }
    for (uint32_t at = chain->first; at != NONE; at = pending->answer[at].next) {
        pending->answer[at].connection = 0;
    }
    dk_map_remove(&pending->chains, connection);
}

/* Sends the Reply that `mark` began, if one is begun. */
static void send_reply(struct dk_buf *scratch, size_t *mark, uint64_t connection,
                       void (*send)(void *arg, uint64_t connection, const uint8_t *frame,
                                    size_t bytes),
                       void *arg)
{
    if (*mark != SIZE_MAX) {
        dk_appended_end(scratch, *mark);
        send(arg, connection, scratch->data, scratch->size);
        *mark = SIZE_MAX;
    }
}

/* Sends the answers of one chain, unless its connection is forgotten over that: it is gone.
 * Appended ones share a Reply until it is large or a frame comes between. */
static void send_chain(struct dk_pending *pending, uint32_t first, struct dk_buf *scratch,
                       void (*send)(void *arg, uint64_t connection, const uint8_t *frame,
                                    size_t bytes),
                       void *arg)
{
    uint64_t connection = pending->answer[first].connection;
    size_t mark = SIZE_MAX;
    for (uint32_t at = first; at != NONE; at = pending->answer[at].next) {
        const struct answer *answer = &pending->answer[at];
        if (answer->connection == 0) {
            return;
        }
        if (answer->frame_bytes != 0) {
            send_reply(scratch, &mark, connection, send, arg);
            send(arg, connection, pending->frames + answer->frame_at, answer->frame_bytes);
            continue;
        }
        if (mark == SIZE_MAX) {
            dk_buf_clear(scratch);
            mark = dk_appended_begin(scratch);
            DK_ASSERT(mark != SIZE_MAX);
        }
        int rc = dk_appended_add(scratch, &answer->appended);
        DK_ASSERT(rc == 0);
        if (scratch->size > REPLY_SOFT_BYTES) {
            send_reply(scratch, &mark, connection, send, arg);
        }
    }
    send_reply(scratch, &mark, connection, send, arg);
}

void dk_pending_answers(struct dk_pending *pending, struct dk_buf *scratch,
                        void (*send)(void *arg, uint64_t connection, const uint8_t *frame,
                                     size_t bytes),
                        void *arg)
{
    for (size_t i = 0; i < pending->answer_count; i++) {
        const struct answer *answer = &pending->answer[i];
        if (answer->connection == 0) {
            continue;
        }
        const struct chain *chain = dk_map_get(&pending->chains, answer->connection);
        DK_ASSERT(chain != NULL);
        if (chain->first == i) {
            send_chain(pending, chain->first, scratch, send, arg);
        }
    }
    clear_answers(pending);
}
