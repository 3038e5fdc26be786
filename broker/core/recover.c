#include "broker/core/recover.h"

#include "broker/core/annex.h"
#include "proto/event/body.h"
#include <stdbool.h>
#include <string.h>

/* ---------------------------------------------------------------------------- definitions */

static int corrupt(struct dk_err *err, uint64_t position, const char *what)
{
    return dk_err_set(err, DK_ECORRUPT, "position %llu: %s", (unsigned long long)position, what);
}

#define NEAR 32 /* records between two definitions: read as one run */

static uint64_t definition_at(const struct dk_state *state, uint64_t i)
{
    return *(const uint64_t *)dk_shelf_get(&state->definitions, i);
}

/* How much to read for the i-th definition: those of an organization lie in runs, customers among
 * the events of all tickets, most of which must not be read for them. */
static size_t worth_reading(const struct dk_state *state, uint64_t i)
{
    bool more = i + 1 < dk_shelf_count(&state->definitions);
    return more && definition_at(state, i + 1) - definition_at(state, i) <= NEAR
               ? DK_BLOCK_MAX_BYTES
               : 1;
}

/* Reads the annexed definitions again. What one read brings is used up before the next. */
static int read_definitions(struct dk_state *state, struct dk_store *store,
                            struct dk_records *records, struct dk_err *err)
{
    size_t count = dk_shelf_count(&state->definitions);
    int rc = 0;
    dk_records_clear(records);
    for (size_t i = 0; i < count && rc == 0; i++) {
        uint64_t position = definition_at(state, i);
        if (position - records->batch.first >= records->batch.count) {
            rc = store->read(store->self, position, worth_reading(state, i), records, err);
            if (rc != 0 || records->batch.count == 0) {
                return rc != 0 ? rc : corrupt(err, position, "the definition is not in the log");
            }
        }
        size_t bytes;
        size_t at = (size_t)(position - records->batch.first);
        const uint8_t *record = dk_batch_record(&records->batch, at, &bytes);
        rc = dk_event_verify(record, bytes, err);
        if (rc == 0) {
            rc = dk_refs_apply(state->refs, record, bytes, err);
        }
        if (rc != 0) {
            dk_err_wrap(err, "position %llu", (unsigned long long)position);
        }
    }
    return rc;
}

/* -------------------------------------------------------------------------------- the tail */

/* Unpacks the body of a ticket's event; *body is NULL for the kind of a newer docket, of which only
 * the heads move. */
static int unpack(struct dk_state *state, const uint8_t *record, size_t bytes,
                  const ProtobufCMessage **body, struct dk_err *err)
{
    struct dk_err why;
    dk_arena_reset(&state->arena);
    *body = dk_body_unpack(&state->arena, record, bytes, &why);
    if (*body != NULL || why.code == DK_EVERSION) {
        return 0;
    }
    return dk_err_set(err, DK_ECORRUPT, "%s", why.message);
}

static int replay_subject(struct dk_state *state, struct dk_envelope *event, const uint8_t *record,
                          size_t bytes, struct dk_err *err)
{
    struct dk_subject_head head = dk_state_head(state, event->subject);
    if (event->subject_version != head.version + 1 || event->previous != head.last_position) {
        return dk_err_set(err, DK_ECORRUPT, "the subject's chain is broken");
    }
    const ProtobufCMessage *body = NULL;
    if (dk_id_class(event->subject) == DK_SUBJECT_TICKET) {
        int rc = unpack(state, record, bytes, &body, err);
        if (rc != 0) {
            return rc;
        }
    }
    return dk_state_apply(state, event, body, err);
}

static int check_place(const struct dk_state *state, const struct dk_envelope *event,
                       struct dk_err *err)
{
    if (event->position != state->counts.last + 1) {
        return dk_err_set(err, DK_ECORRUPT, "the record says it stands at %llu",
                          (unsigned long long)event->position);
    }
    if (event->recorded_us < state->counts.recorded_us) {
        return dk_err_set(err, DK_ECORRUPT, "recorded time goes back");
    }
    return 0;
}

static int replay_record(struct dk_state *state, const uint8_t *record, size_t bytes,
                         struct dk_err *err)
{
    struct dk_envelope event;
    int rc = dk_event_verify(record, bytes, err);
    if (rc != 0) {
        return rc;
    }
    dk_event_load(record, &event);
    rc = check_place(state, &event, err);
    rc = rc != 0 ? rc : replay_subject(state, &event, record, bytes, err);
    return rc != 0 ? rc
                   : dk_state_remember(state, record, bytes, dk_record_digest(record, bytes), err);
}

/* Writes the heads so far when the overlay has grown large: a rebuild from nothing must not need
 * memory for every ticket. */
static int relieve(struct dk_state *state, struct dk_err *err)
{
    if (dk_heads_changed(state->heads) < DK_HEADS_OVERLAY_MAX / 2) {
        return 0;
    }
    int rc = dk_annex_freeze(state, err);
    rc = rc != 0 ? rc : dk_heads_write(state->heads, err);
    if (rc == 0) {
        dk_heads_finish(state->heads);
        dk_heads_tidy(state->heads);
    }
    return rc;
}

static int replay_batch(struct dk_state *state, const struct dk_batch *batch, struct dk_err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        size_t bytes;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        int rc = replay_record(state, record, bytes, err);
        if (rc != 0) {
            return dk_err_wrap(err, "position %llu", (unsigned long long)(batch->first + i));
        }
    }
    return relieve(state, err);
}

static int replay_tail(struct dk_state *state, struct dk_store *store, struct dk_records *records,
                       void (*progress)(void *arg, uint64_t done, uint64_t total),
                       void *progress_arg, struct dk_err *err)
{
    uint64_t last = store->last(store->self);
    while (state->counts.last < last) {
        uint64_t from = state->counts.last + 1;
        int rc = store->read(store->self, from, DK_READ_MAX_BYTES, records, err);
        if (rc == 0 && records->batch.count == 0) {
            rc = corrupt(err, from, "the record is not in the log");
        }
        if (rc == 0) {
            rc = replay_batch(state, &records->batch, err);
        }
        if (rc != 0) {
            return rc;
        }
        if (progress != NULL) {
            progress(progress_arg, state->counts.last, last);
        }
    }
    return 0;
}

/* Whether the log is the one that the heads were made from: it reaches as far, and what stands
 * there was recorded at the same time. Else something was lost, which nothing but a word from the
 * operator makes right. */
static int check_heads(const struct dk_state *state, struct dk_store *store,
                       struct dk_records *records, struct dk_err *err)
{
    uint64_t position = state->counts.last, last = store->last(store->self);
    if (position > last) {
        return dk_err_set(err, DK_ECORRUPT,
                          "the heads were written at position %llu, and the log ends at %llu: if "
                          "the log was restored from a copy, remove the folder heads",
                          (unsigned long long)position, (unsigned long long)last);
    }
    int rc = position > 0 ? store->read(store->self, position, 1, records, err) : 0;
    if (position == 0 || rc != 0) {
        return rc;
    }
    size_t bytes;
    const uint8_t *record = dk_batch_record(&records->batch, 0, &bytes);
    rc = dk_event_verify(record, bytes, err);
    if (rc == 0 && (int64_t)dk_event_load_recorded_us(record) != state->counts.recorded_us) {
        return dk_err_set(err, DK_ECORRUPT,
                          "the heads were made from another course of the log, which had position "
                          "%llu recorded at another time: if the log was restored from a copy, "
                          "remove the folder heads",
                          (unsigned long long)position);
    }
    return rc;
}

int dk_recover(struct dk_state *state, struct dk_store *store,
               void (*progress)(void *arg, uint64_t done, uint64_t total), void *progress_arg,
               struct dk_err *err)
{
    struct dk_records records;
    int rc = dk_annex_load(state, err);
    if (rc != 0) {
        return rc;
    }
    dk_records_init(&records);
    rc = check_heads(state, store, &records, err);
    rc = rc != 0 ? rc : read_definitions(state, store, &records, err);
    if (rc == 0) {
        rc = replay_tail(state, store, &records, progress, progress_arg, err);
    }
    dk_records_close(&records);
#ifdef DK_BUG_FORGET_DEDUP /* planted, for the simulator to find */
    dk_producers_free(&state->producers);
    dk_one_shots_free(&state->one_shots);
    rc = dk_producers_new(&state->producers, 1024, err);
    rc = rc == 0 ? dk_one_shots_new(&state->one_shots, 1024, err) : rc;
#endif
    return rc;
}
