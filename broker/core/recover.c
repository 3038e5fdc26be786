#include "broker/core/recover.h"

#include "proto/event/body.h"
#include <string.h>

#define ANNEX_MAX_BYTES (UINT64_C(8) << 30)

/* ------------------------------------------------------------------------------- the annex */

static int save(const struct dk_state *state, struct dk_buf *out)
{
    uint64_t version = DK_ANNEX_VERSION;
    uint64_t definitions = state->definitions.size / sizeof(uint64_t);
    int rc = dk_buf_append(out, &version, sizeof version);
    if (rc == 0) {
        rc = dk_buf_append(out, &state->counts, sizeof state->counts);
    }
    if (rc == 0) {
        rc = dk_producers_save(state->producers, out);
    }
    if (rc == 0) {
        rc = dk_one_shots_save(state->one_shots, out);
    }
    if (rc == 0) {
        rc = dk_subjects_save(&state->subjects, out);
    }
    if (rc == 0) {
        rc = dk_buf_append(out, &definitions, sizeof definitions);
    }
    if (rc == 0 && definitions > 0) {
        rc = dk_buf_append(out, state->definitions.data, state->definitions.size);
    }
    return rc;
}

int dk_recover_freeze(struct dk_state *state, struct dk_err *err)
{
    struct dk_buf annex;
    dk_buf_init(&annex, ANNEX_MAX_BYTES);
    int rc = save(state, &annex);
    if (rc != 0) {
        dk_err_set(err, rc, "no memory for the checkpoint's annex");
    } else {
        rc = dk_heads_freeze(state->heads, state->counts.last, annex.data, annex.size, err);
    }
    dk_buf_close(&annex);
    return rc;
}

static int load_definitions(struct dk_state *state, const uint8_t *data, size_t bytes,
                            struct dk_err *err)
{
    uint64_t count = 0;
    if (bytes >= sizeof count) {
        memcpy(&count, data, sizeof count);
    }
    if (bytes < sizeof count || bytes - sizeof count != count * sizeof(uint64_t)) {
        return dk_err_set(err, DK_ECORRUPT, "the list of definitions is cut off");
    }
    if (count > 0 &&
        dk_buf_append(&state->definitions, data + sizeof count, bytes - sizeof count)) {
        return dk_err_set(err, DK_ENOMEM, "no memory for the list of definitions");
    }
    return 0;
}

static int load_parts(struct dk_state *state, const uint8_t *data, size_t bytes, struct dk_err *err)
{
    size_t at = 0;
    size_t used = 0;
    int rc = dk_producers_load(state->producers, data, bytes, &used, err);
    if (rc == 0) {
        at += used;
        rc = dk_one_shots_load(state->one_shots, data + at, bytes - at, &used, err);
    }
    if (rc == 0) {
        at += used;
        rc = dk_subjects_load(&state->subjects, data + at, bytes - at, &used, err);
    }
    if (rc == 0) {
        at += used;
        rc = load_definitions(state, data + at, bytes - at, err);
    }
    return rc;
}

/* Fills the state from the annex; leaves it empty when there is none of this version. */
static int load(struct dk_state *state, struct dk_err *err)
{
    size_t bytes;
    const uint8_t *data = dk_heads_annex(state->heads, &bytes);
    uint64_t version = 0;
    if (data == NULL || bytes < sizeof version + sizeof state->counts) {
        return 0;
    }
    memcpy(&version, data, sizeof version);
    if (version != DK_ANNEX_VERSION) {
        return 0;
    }
    memcpy(&state->counts, data + sizeof version, sizeof state->counts);
    size_t front = sizeof version + sizeof state->counts;
    int rc = load_parts(state, data + front, bytes - front, err);
    return rc == 0 ? 0 : dk_err_wrap(err, "the annex of the heads checkpoint");
}

/* ---------------------------------------------------------------------------- definitions */

static int corrupt(struct dk_err *err, uint64_t position, const char *what)
{
    return dk_err_set(err, DK_ECORRUPT, "position %llu: %s", (unsigned long long)position, what);
}

/* Reads the annexed definitions again. They lie in runs, so what one read brings is used up before
 * the next. */
static int read_definitions(struct dk_state *state, struct dk_store *store,
                            struct dk_records *records, struct dk_err *err)
{
    size_t count = state->definitions.size / sizeof(uint64_t);
    int rc = 0;
    dk_records_clear(records);
    for (size_t i = 0; i < count && rc == 0; i++) {
        uint64_t position;
        memcpy(&position, state->definitions.data + i * sizeof position, sizeof position);
        if (position - records->batch.first >= records->batch.count) {
            rc = store->read(store->self, position, DK_BLOCK_MAX_BYTES, records, err);
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

/* What a record is replayed into. */
struct replay {
    struct dk_state *state;
    bool passed_over; /* some events: open tickets must be counted anew */
};

/* Whether the ticket's entry comes from a checkpoint that was cut off after this event. */
static bool seen(const struct dk_state *state, const struct dk_envelope *event)
{
    if (dk_id_class(event->subject) != DK_SUBJECT_TICKET) {
        return false;
    }
    const struct dk_ticket *ticket = dk_heads_get(state->heads, dk_ticket_number(event->subject));
    return ticket != NULL && ticket->last_position >= event->position;
}

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

static int replay_record(struct replay *replay, const uint8_t *record, size_t bytes,
                         struct dk_err *err)
{
    struct dk_state *state = replay->state;
    struct dk_envelope event;
    int rc = dk_event_verify(record, bytes, err);
    if (rc != 0) {
        return rc;
    }
    dk_event_load(record, &event);
    rc = check_place(state, &event, err);
    if (rc == 0 && seen(state, &event)) {
        dk_state_pass_over(state, &event);
        replay->passed_over = true;
    } else if (rc == 0) {
        rc = replay_subject(state, &event, record, bytes, err);
    }
    if (rc == 0) {
        rc = dk_state_remember(state, record, bytes, dk_record_digest(record, bytes), err);
    }
    return rc;
}

static void count_open(struct dk_state *state)
{
    uint64_t open = 0;
    for (uint64_t number = 1; number <= state->counts.last_ticket; number++) {
        const struct dk_ticket *ticket = dk_heads_get(state->heads, number);
        open += ticket != NULL && dk_ticket_live(ticket);
    }
    state->counts.open_tickets = open;
}

/* Writes the heads so far when the overlay has grown large: a rebuild from nothing must not need
 * memory for every ticket. */
static int relieve(struct replay *replay, struct dk_err *err)
{
    struct dk_state *state = replay->state;
    if (dk_heads_changed(state->heads) < DK_HEADS_OVERLAY_MAX / 2) {
        return 0;
    }
    if (replay->passed_over) {
        count_open(state);
    }
    int rc = dk_recover_freeze(state, err);
    if (rc == 0) {
        rc = dk_heads_write(state->heads, err);
    }
    return rc == 0 ? dk_heads_finish(state->heads, err) : rc;
}

static int replay_batch(struct replay *replay, const struct dk_batch *batch, struct dk_err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        size_t bytes;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        int rc = replay_record(replay, record, bytes, err);
        if (rc != 0) {
            return dk_err_wrap(err, "position %llu", (unsigned long long)(batch->first + i));
        }
    }
    return relieve(replay, err);
}

static int replay_tail(struct dk_state *state, struct dk_store *store, struct dk_records *records,
                       void (*progress)(void *arg, uint64_t done, uint64_t total),
                       void *progress_arg, struct dk_err *err)
{
    struct replay replay = {.state = state};
    uint64_t last = store->last(store->self);
    while (state->counts.last < last) {
        uint64_t from = state->counts.last + 1;
        int rc = store->read(store->self, from, DK_READ_MAX_BYTES, records, err);
        if (rc == 0 && records->batch.count == 0) {
            rc = corrupt(err, from, "the record is not in the log");
        }
        if (rc == 0) {
            rc = replay_batch(&replay, &records->batch, err);
        }
        if (rc != 0) {
            return rc;
        }
        if (progress != NULL) {
            progress(progress_arg, state->counts.last, last);
        }
    }
    if (replay.passed_over) {
        count_open(state);
    }
    return 0;
}

int dk_recover(struct dk_state *state, struct dk_store *store,
               void (*progress)(void *arg, uint64_t done, uint64_t total), void *progress_arg,
               struct dk_err *err)
{
    struct dk_records records;
    uint64_t last = store->last(store->self);
    if (dk_heads_position(state->heads) > last) {
        return dk_err_set(err, DK_ECORRUPT,
                          "the heads were written at position %llu, and the log ends at %llu: if "
                          "the log was restored from a copy, remove the folder heads",
                          (unsigned long long)dk_heads_position(state->heads),
                          (unsigned long long)last);
    }
    int rc = load(state, err);
    if (rc != 0) {
        return rc;
    }
    dk_records_init(&records);
    rc = read_definitions(state, store, &records, err);
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
