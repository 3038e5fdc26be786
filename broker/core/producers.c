#include "broker/core/producers.h"

#include "broker/core/history.h"
#include "broker/core/named.h"
#include "docket.pb-c.h"
#include "proto/base/crc32c.h"
#include "proto/base/id.h"
#include "proto/base/map.h"
#include "proto/event/event.h"
#include <stdlib.h>
#include <string.h>

struct producer {
    uint64_t session;   /* connection, or 0 */
    uint64_t last_seen; /* number */
    struct dk_history accepted;
    struct dk_history refused;
};

struct dk_producers {
    struct dk_map map;      /* id -> struct producer */
    struct dk_map sessions; /* connection -> uint32_t, of how many producers it is the session */
    size_t unused;          /* producers that never sent anything */
    size_t max_count;

    /* The one found last: an event asks for its producer three times, and the next event mostly
     * for the same one. Of no use once the map changes. */
    uint64_t found_id;
    struct producer *found;
};

static struct producer *find(struct dk_producers *producers, uint64_t id)
{
    if (producers->found == NULL || producers->found_id != id) {
        producers->found = dk_map_get(&producers->map, id);
        producers->found_id = id;
    }
    return producers->found;
}

/* Finds the entry or makes it; NULL when there is no room. */
static struct producer *find_or_make(struct dk_producers *producers, uint64_t id)
{
    struct producer *entry = find(producers, id);
    if (entry == NULL) {
        entry = dk_map_put(&producers->map, id, NULL);
        producers->found = entry;
        producers->unused += entry != NULL;
    }
    return entry;
}

int dk_producers_new(struct dk_producers **producers, size_t max_count, struct dk_err *err)
{
    *producers = calloc(1, sizeof **producers);
    if (*producers == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for producers");
    }
    (*producers)->max_count = max_count;
    dk_map_init(&(*producers)->map, sizeof(struct producer), max_count);
    dk_map_init(&(*producers)->sessions, sizeof(uint32_t), max_count);
    return 0;
}

static void free_histories(struct producer *producer)
{
    dk_history_close(&producer->accepted);
    dk_history_close(&producer->refused);
}

void dk_producers_free(struct dk_producers **producers)
{
    if (*producers == NULL) {
        return;
    }
    size_t cursor = 0;
    uint64_t id;
    void *value;
    while (dk_map_next(&(*producers)->map, &cursor, &id, &value)) {
        free_histories(value);
    }
    dk_map_close(&(*producers)->map);
    dk_map_close(&(*producers)->sessions);
    free(*producers);
    *producers = NULL;
}

uint64_t dk_producer_id(uint64_t key_id, const void *name, size_t name_bytes)
{
    uint8_t salt[DK_SALT_BYTES] = {0};
    memcpy(salt, &key_id, sizeof key_id);
    return dk_id_of_key(0, name, name_bytes, salt);
}

/* Gives the producer's session to `connection`, 0: to none. DK_EBUSY without memory. */
static int set_session(struct dk_producers *producers, struct producer *entry, uint64_t connection)
{
    if (connection != 0) {
        uint32_t *count = dk_map_put(&producers->sessions, connection, NULL);
        if (count == NULL) {
            return DK_EBUSY;
        }
        (*count)++;
    }
    if (entry->session != 0) {
        uint32_t *count = dk_map_get(&producers->sessions, entry->session);
        if (--*count == 0) {
            dk_map_remove(&producers->sessions, entry->session);
        }
    }
    entry->session = connection;
    return 0;
}

/* Forgets producers that never sent anything: those of a connection, or (0) all. */
static void forget_unused(struct dk_producers *producers, uint64_t connection)
{
    size_t cursor = 0;
    uint64_t id;
    void *value;
    while (producers->unused > 0 && dk_map_next(&producers->map, &cursor, &id, &value)) {
        struct producer *entry = value;
        if (entry->last_seen == 0 && (connection == 0 || entry->session == connection)) {
            (void)set_session(producers, entry, 0);
            dk_map_remove(&producers->map, id);
            producers->unused--;
            cursor--; /* another entry may stand here now */
        }
    }
    producers->found = NULL;
}

/* The driver learns that a peer is gone when it sends it something: who said hello and left is not
 * missed. So when there is no room, those who never sent anything make some. */
int dk_producers_hello(struct dk_producers *producers, uint64_t producer, uint64_t connection,
                       uint64_t *last_number, struct dk_err *err)
{
    struct producer *entry = find_or_make(producers, producer);
    if (entry == NULL) {
        forget_unused(producers, 0);
        entry = find_or_make(producers, producer);
    }
    if (entry == NULL) {
        return dk_err_set(err, DK_EBUSY, "the broker knows %zu producers already, its bound",
                          producers->map.count);
    }
    if (set_session(producers, entry, connection) != 0) {
        return dk_err_set(err, DK_EBUSY, "no memory for another session");
    }
    *last_number = entry->last_seen;
    return 0;
}

void dk_producers_disconnected(struct dk_producers *producers, uint64_t connection)
{
    size_t cursor = 0;
    uint64_t id;
    void *value;
    if (dk_map_get(&producers->sessions, connection) == NULL) {
        return; /* as most often: every answer to a peer that is gone leads here */
    }
    forget_unused(producers, connection);
    while (dk_map_get(&producers->sessions, connection) != NULL &&
           dk_map_next(&producers->map, &cursor, &id, &value)) {
        struct producer *entry = value;
        if (entry->session == connection) {
            (void)set_session(producers, entry, 0);
        }
    }
}

int dk_producers_session(struct dk_producers *producers, uint64_t producer, uint64_t connection,
                         struct dk_err *err)
{
    const struct producer *entry = find(producers, producer);
    if (entry == NULL || entry->session == 0) {
        return dk_err_field(err, DK_EHELLO, "producer",
                            "the producer has no session on this connection: say hello first");
    }
    if (entry->session != connection) {
        return dk_err_field(err, DK_EFENCED, "producer",
                            "another session has taken this producer over");
    }
    return 0;
}

static bool is_same(uint64_t before, uint64_t sent)
{
    return before == sent || dk_names_opened(sent);
}

static int repeated(const struct dk_remembered *remembered, uint64_t number,
                    const struct dk_sent *sent, struct dk_answer *answer, struct dk_err *err)
{
    const struct dk_answer *before = &remembered->answer;
    if (before->digest != sent->digest || !is_same(before->subject, sent->subject) ||
        !is_same(before->other, sent->other)) {
        return dk_err_field(err, DK_EREUSED, "producer_number",
                            "number %llu was used before for something else",
                            (unsigned long long)number);
    }
    *answer = *before;
    return DK_NUMBER_REPEATED;
}

int dk_producers_number(struct dk_producers *producers, uint64_t producer, uint64_t number,
                        const struct dk_sent *sent, struct dk_answer *answer, struct dk_err *err)
{
    const struct producer *entry = find(producers, producer);
    uint64_t last = entry != NULL ? entry->last_seen : 0;
    if (number == last + 1) {
        return DK_NUMBER_NEW;
    }
    if (number == 0 || number > last) {
        return dk_err_field(err, DK_EORDER, "producer_number",
                            "number %llu is not the next one, %llu", (unsigned long long)number,
                            (unsigned long long)last + 1);
    }
    const struct dk_remembered *remembered = dk_history_find(&entry->accepted, number);
    if (remembered == NULL) {
        remembered = dk_history_find(&entry->refused, number);
    }
    if (remembered != NULL) {
        return repeated(remembered, number, sent, answer, err);
    }
    if (dk_history_before(&entry->accepted, number)) {
        return DK_NUMBER_FORGOTTEN;
    }
    *answer = (struct dk_answer){.code = DK_EORDER};
    return DK_NUMBER_REPEATED;
}

int dk_producers_remember(struct dk_producers *producers, uint64_t producer, uint64_t number,
                          const struct dk_answer *answer)
{
    struct producer *entry = find_or_make(producers, producer);
    if (entry == NULL) {
        return DK_EBUSY;
    }
    struct dk_history *history = answer->position != 0 ? &entry->accepted : &entry->refused;
    int rc = dk_history_add(history, &(struct dk_remembered){.number = number, .answer = *answer});
    if (rc == 0) {
        producers->unused -= entry->last_seen == 0;
        entry->last_seen = number;
    }
    return rc;
}

uint32_t dk_record_digest(const uint8_t *record, size_t record_bytes)
{
    size_t body_bytes;
    const uint8_t *body = dk_event_body(record, record_bytes, &body_bytes);
    uint64_t occurred = dk_event_load_occurred_us(record);
    bool stored = dk_event_load_position(record) != 0;
    if (stored && !(dk_event_load_flags(record) & DOCKET__EVENT_FLAG__FLAG_BACKDATED)) {
        occurred = 0;
    }
    uint64_t fixed[3] = {dk_event_load_kind(record), dk_event_load_actor(record), occurred};
    uint32_t crc = dk_crc32c(0, fixed, sizeof fixed);
    const struct dk_named *named = dk_named_of(dk_event_load_kind(record));
    size_t done = 0, value;
    size_t next = 0;
    while (named != NULL && named->number != 0 &&
           dk_named_next(body, body_bytes, named->number, &next, &value)) {
        crc = dk_crc32c(crc, body + done, value - done);
        done = next;
    }
    return dk_crc32c(crc, body + done, body_bytes - done);
}

uint64_t dk_record_other(const uint8_t *record, size_t record_bytes)
{
    const struct dk_named *named = dk_named_of(dk_event_load_kind(record));
    size_t body_bytes, value, next = 0;
    const uint8_t *body = dk_event_body(record, record_bytes, &body_bytes);
    uint64_t other = 0;
    while (named != NULL && named->number != 0 &&
           dk_named_next(body, body_bytes, named->number, &next, &value)) {
        memcpy(&other, body + value, sizeof other);
    }
    return other;
}

uint32_t dk_sent_digest(const struct dk_sent *sent)
{
    uint64_t whole[3] = {sent->subject, sent->other, sent->digest};
    return dk_crc32c(0, whole, sizeof whole);
}

size_t dk_producers_bytes(const struct dk_producers *producers)
{
    size_t bytes = producers->map.capacity * (sizeof(uint64_t) + sizeof(struct producer)) +
                   producers->sessions.capacity * (sizeof(uint64_t) + sizeof(uint32_t));
    size_t cursor = 0;
    uint64_t id;
    void *value;
    while (dk_map_next(&producers->map, &cursor, &id, &value)) {
        const struct producer *entry = value;
        bytes += dk_history_bytes(&entry->accepted) + dk_history_bytes(&entry->refused);
    }
    return bytes;
}

/* ---------------------------------------------------------------- to an annex and back */

struct frozen {
    uint64_t id;
    struct dk_history accepted;
};

struct dk_producers_view {
    size_t count;
    struct frozen producer[];
};

/* Of producers of whom the log has nothing, nothing is kept. */
int dk_producers_freeze(const struct dk_producers *producers, struct dk_producers_view **view)
{
    struct dk_producers_view *made =
        malloc(sizeof *made + producers->map.count * sizeof made->producer[0]);
    size_t cursor = 0;
    uint64_t id;
    void *value;
    *view = made;
    if (made == NULL) {
        return DK_ENOMEM;
    }
    made->count = 0;
    while (dk_map_next(&producers->map, &cursor, &id, &value)) {
        const struct producer *entry = value;
        if (dk_history_count(&entry->accepted) > 0) {
            made->producer[made->count++] =
                (struct frozen){id, dk_history_freeze(&entry->accepted)};
        }
    }
    return 0;
}

void dk_producers_view_free(struct dk_producers_view **view)
{
    struct dk_producers_view *gone = *view;
    for (size_t i = 0; gone != NULL && i < gone->count; i++) {
        dk_history_close(&gone->producer[i].accepted);
    }
    free(gone);
    *view = NULL;
}

static int by_id(const void *a, const void *b)
{
    const struct frozen *left = a, *right = b;
    return (left->id > right->id) - (left->id < right->id);
}

int dk_producers_save(struct dk_producers_view *view, struct dk_buf *out)
{
    uint64_t count = view->count;
    qsort(view->producer, view->count, sizeof view->producer[0], by_id);
    int rc = dk_buf_append(out, &count, sizeof count);
    for (size_t i = 0; i < view->count && rc == 0; i++) {
        rc = dk_buf_append(out, &view->producer[i].id, sizeof view->producer[i].id);
        rc = rc != 0 ? rc : dk_history_save(&view->producer[i].accepted, out);
    }
    return rc;
}

int dk_producers_load(struct dk_producers *producers, const uint8_t *data, size_t bytes,
                      size_t *used, struct dk_err *err)
{
    uint64_t count;
    if (bytes < sizeof count) {
        return dk_err_set(err, DK_ECORRUPT, "the producers are cut off");
    }
    memcpy(&count, data, sizeof count);
    size_t at = sizeof count;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id;
        if (bytes - at < sizeof id) {
            return dk_err_set(err, DK_ECORRUPT, "the producers are cut off");
        }
        memcpy(&id, data + at, sizeof id);
        at += sizeof id;
        struct producer *entry = id != 0 ? find_or_make(producers, id) : NULL;
        if (entry == NULL) {
            return dk_err_set(err, DK_EBUSY, "no room for %llu producers",
                              (unsigned long long)count);
        }
        size_t taken;
        int rc = dk_history_load(&entry->accepted, data + at, bytes - at, &taken, err);
        if (rc != 0) {
            return rc;
        }
        entry->last_seen = dk_history_last(&entry->accepted);
        producers->unused -= entry->last_seen != 0;
        at += taken;
    }
    *used = at;
    return 0;
}
