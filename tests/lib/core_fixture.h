/* A broker's core over a store and heads in memory, and peers that talk to it.
 *
 * A reply that was sent is unpacked and kept until the next `fixture_forget`. Times are what the
 * test sets: the clocks stand still in between. */
#ifndef DK_TESTS_CORE_FIXTURE_H
#define DK_TESTS_CORE_FIXTURE_H

#include "broker/core/annex.h"
#include "broker/core/core.h"
#include "broker/core/producers.h"
#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"
#include "tests/lib/memory_store.h"

#define FIXTURE_SITE 7
#define FIXTURE_NOW  INT64_C(1770000000000000)

#define FIXTURE_AGENT_KEY  "anna"
#define FIXTURE_AGENT      dk_id_make(DK_ACTOR_AGENT, test_id(DK_SUBJECT_AGENT, FIXTURE_AGENT_KEY))
#define FIXTURE_CUSTOMER   dk_id_make(DK_ACTOR_CUSTOMER, 6)
#define FIXTURE_OPERATOR   dk_id_make(DK_ACTOR_OPERATOR, 8)
#define FIXTURE_ROUTING    dk_id_make(DK_ACTOR_NODE, DK_ROLE_ROUTING)
#define FIXTURE_UNNAMED(k) dk_ticket_make(0xffff, (k))
#define FIXTURE_TICKET(n)  dk_ticket_make(FIXTURE_SITE, (n))

#define FIXTURE_REPLIES 256
struct fixture_reply {
    uint64_t connection;
    Docket__Reply *reply;
};

struct fixture {
    struct memory_store memory;
    struct dk_log_identity identity;
    struct dk_core_options options;
    struct dk_heads *heads;
    struct dk_core *core;
    struct dk_now now;
    struct fixture_reply reply[FIXTURE_REPLIES];
    size_t replies;
    uint64_t request; /* the last id used */
};

/* A client: a connection with a key, and a producer that numbers. */
struct fixture_peer {
    struct dk_peer peer;
    uint64_t producer;
    uint64_t number; /* the last used */
};

static inline void fixture_send(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes)
{
    struct fixture *f = arg;
    Docket__Reply *reply = docket__reply__unpack(NULL, bytes, frame);
    DK_ASSERT(reply != NULL && f->replies < FIXTURE_REPLIES);
    f->reply[f->replies++] = (struct fixture_reply){connection, reply};
}

static inline void fixture_forget(struct fixture *f)
{
    for (size_t i = 0; i < f->replies; i++)
        docket__reply__free_unpacked(f->reply[i].reply, NULL);
    f->replies = 0;
}

static inline int fixture_start(struct fixture *f, struct dk_err *err)
{
    struct dk_core_output output = {f, fixture_send};
    int rc = dk_heads_open(&f->heads, NULL, f->identity.uuid, sizeof(struct dk_ticket),
                           DK_HEADS_VERSION, NULL, err);
    if (rc != 0)
        return rc;
    return dk_core_new(&f->core, &f->identity, &f->memory.store, f->heads, &f->options, &output,
                       f->now, NULL, NULL, err);
}

static inline void fixture_stop(struct fixture *f)
{
    dk_core_free(&f->core);
    dk_heads_close(&f->heads);
    fixture_forget(f);
}

/* A site of which nothing is known. */
static inline void fixture_open_empty(struct fixture *f)
{
    struct dk_err err;
    memset(f, 0, sizeof *f);
    memory_store_init(&f->memory);
    f->identity = (struct dk_log_identity){.uuid = {1, 2, 3}, .salt = {9}, .site = FIXTURE_SITE};
    f->now = (struct dk_now){FIXTURE_NOW, 1000};
    dk_core_defaults(&f->options);
    ASSERT_OK(fixture_start(f, &err), &err);
}

static inline void fixture_close(struct fixture *f)
{
    fixture_stop(f);
    memory_store_close(&f->memory);
}

/* kill -9: heads in memory and what was not synced are gone. */
static inline void fixture_crash(struct fixture *f)
{
    struct dk_err err;
    fixture_stop(f);
    memory_store_crash(&f->memory);
    ASSERT_OK(fixture_start(f, &err), &err);
}

/* Writes one batch if one is there; whether there was. */
static inline bool fixture_commit(struct fixture *f)
{
    struct dk_err err;
    const struct dk_batch *batch = dk_core_take(f->core);
    if (batch == NULL)
        return false;
    ASSERT_OK(f->memory.store.append(f->memory.store.self, batch, &err), &err);
    ASSERT_OK(f->memory.store.sync(f->memory.store.self, &err), &err);
    dk_core_committed(f->core);
    return true;
}

static inline void fixture_settle(struct fixture *f)
{
    while (fixture_commit(f)) {
    }
}

/* ---------------------------------------------------------------- peers */

static inline uint64_t fixture_request_bytes(struct fixture *f, const struct fixture_peer *from,
                                             const uint8_t *frame, size_t bytes)
{
    struct dk_request request;
    struct dk_err err;
    ASSERT_OK(dk_request_read(frame, bytes, &request, &err), &err);
    ASSERT_TRUE(dk_core_request(f->core, &from->peer, f->now, &request));
    return request.id;
}

static inline uint64_t fixture_request(struct fixture *f, const struct fixture_peer *from,
                                       Docket__Request *request)
{
    uint8_t frame[1024];
    request->id = ++f->request;
    request->protocol = DK_PROTOCOL;
    DK_ASSERT(docket__request__get_packed_size(request) <= sizeof frame);
    return fixture_request_bytes(f, from, frame, docket__request__pack(request, frame));
}

/* The Reply with this id, or NULL; and the Appended of an Append with this id. */
static inline const Docket__Reply *fixture_reply(const struct fixture *f, uint64_t id)
{
    for (size_t i = 0; i < f->replies; i++) {
        if (f->reply[i].reply->id == id)
            return f->reply[i].reply;
    }
    return NULL;
}
static inline const Docket__Appended *fixture_appended(const struct fixture *f, uint64_t id)
{
    for (size_t i = 0; i < f->replies; i++) {
        const Docket__Reply *reply = f->reply[i].reply;
        if (reply->result_case != DOCKET__REPLY__RESULT_APPENDED)
            continue;
        for (size_t j = 0; j < reply->appended->n_appended; j++) {
            if (reply->appended->appended[j]->request == id)
                return reply->appended->appended[j];
        }
    }
    return NULL;
}

static inline uint64_t fixture_hello_request(struct fixture *f, const struct fixture_peer *peer,
                                             const char *name)
{
    Docket__Hello hello = DOCKET__HELLO__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    hello.name = test_bytes(name);
    request.op_case = DOCKET__REQUEST__OP_HELLO;
    request.hello = &hello;
    return fixture_request(f, peer, &request);
}

/* Says hello as `name` and goes on after the last number that the broker has seen. */
static inline void fixture_hello(struct fixture *f, struct fixture_peer *peer, const char *name)
{
    uint64_t id = fixture_hello_request(f, peer, name);
    fixture_settle(f);
    const Docket__Reply *reply = fixture_reply(f, id);
    ASSERT_TRUE(reply != NULL && reply->result_case == DOCKET__REPLY__RESULT_HELLO);
    peer->producer = reply->hello->producer;
    peer->number = reply->hello->last_number;
}

static inline struct fixture_peer fixture_peer(struct fixture *f, unsigned role,
                                               uint64_t connection)
{
    struct fixture_peer peer = {.peer = {connection, role, 0, role}};
    fixture_hello(f, &peer, "main");
    return peer;
}

/* ---------------------------------------------------------------- events */

/* Events of a request, in one buffer. */
struct fixture_events {
    struct dk_buf buf;
    size_t end[DK_REQUEST_MAX_EVENTS];
    uint32_t expected[DK_REQUEST_MAX_EVENTS];
    size_t count;
};

static inline void fixture_events_init(struct fixture_events *events)
{
    memset(events, 0, sizeof *events);
    dk_buf_init(&events->buf, 8 * 1024 * 1024);
}
static inline void fixture_events_clear(struct fixture_events *events)
{
    events->count = 0;
    dk_buf_clear(&events->buf);
}
static inline void fixture_events_close(struct fixture_events *events)
{
    dk_buf_close(&events->buf);
}

/* Adds an event as it is. */
static inline uint8_t *fixture_add(struct fixture_events *events, struct dk_envelope envelope,
                                   uint32_t kind, const void *body)
{
    struct dk_err err;
    size_t at = events->buf.size;
    DK_ASSERT(events->count < DK_REQUEST_MAX_EVENTS);
    envelope.format = DK_EVENT_FORMAT;
    ASSERT_OK(dk_event_encode(&events->buf, &envelope, kind, body, &err), &err);
    events->expected[events->count] = 0;
    events->end[events->count++] = events->buf.size;
    return events->buf.data + at;
}

/* Adds the peer's next event. */
static inline uint8_t *fixture_next(struct fixture_events *events, struct fixture_peer *peer,
                                    uint64_t actor, uint64_t subject, uint32_t kind,
                                    const void *body)
{
    struct dk_envelope envelope = {
        .subject = subject,
        .actor = actor,
        .producer = peer->producer,
        .producer_number = ++peer->number,
    };
    return fixture_add(events, envelope, kind, body);
}

/* Sends the events as one Append; its id. */
static inline uint64_t fixture_append(struct fixture *f, const struct fixture_peer *peer,
                                      const struct fixture_events *events, bool atomic)
{
    static struct dk_slice slice[DK_REQUEST_MAX_EVENTS];
    size_t at = 0;
    for (size_t i = 0; i < events->count; i++) {
        slice[i] = (struct dk_slice){events->buf.data + at, events->end[i] - at};
        at = events->end[i];
    }
    struct dk_buf frame;
    dk_buf_init(&frame, DK_FRAME_MAX_BYTES);
    DK_ASSERT(
        dk_append_write(&frame, ++f->request, slice, events->expected, events->count, atomic) == 0);
    uint64_t id = fixture_request_bytes(f, peer, frame.data, frame.size);
    dk_buf_close(&frame);
    return id;
}

/* Appends and waits until it is durable. Borrowed until `fixture_forget`. */
static inline const Docket__Appended *fixture_call(struct fixture *f,
                                                   const struct fixture_peer *peer,
                                                   const struct fixture_events *events, bool atomic)
{
    uint64_t id = fixture_append(f, peer, events, atomic);
    fixture_settle(f);
    const Docket__Appended *appended = fixture_appended(f, id);
    ASSERT_TRUE(appended != NULL);
    return appended;
}

/* ---------------------------------------------------------------- bodies */

static inline const void *fixture_opened(void)
{
    Docket__Opened *opened = test_memory(sizeof *opened);
    docket__opened__init(opened);
    opened->subject = test_text("The printer is on fire");
    return opened;
}
static inline const void *fixture_note(const char *text)
{
    Docket__NoteAdded *note = test_memory(sizeof *note);
    docket__note_added__init(note);
    note->text = test_text(text);
    return note;
}
static inline const void *fixture_status(Docket__Status status)
{
    Docket__StatusChanged *changed = test_memory(sizeof *changed);
    docket__status_changed__init(changed);
    changed->status = status;
    return changed;
}
static inline const void *fixture_group(const char *key)
{
    Docket__GroupDefined *group = test_memory(sizeof *group);
    docket__group_defined__init(group);
    group->definition = test_definition(key);
    return group;
}
static inline const void *fixture_agent(const char *key)
{
    Docket__AgentDefined *agent = test_memory(sizeof *agent);
    docket__agent_defined__init(agent);
    agent->definition = test_definition(key);
    agent->first_name = test_text("Anna");
    agent->surname = test_text("Adler");
    return agent;
}
static inline const void *fixture_routed(uint64_t basis, const char *group)
{
    Docket__Routed *routed = test_memory(sizeof *routed);
    docket__routed__init(routed);
    if (basis != UINT64_MAX) {
        routed->decision = test_memory(sizeof *routed->decision);
        docket__decision__init(routed->decision);
        routed->decision->basis = basis;
        routed->decision->cause = basis;
        routed->decision->rule_version = 1;
    }
    routed->line = 1;
    routed->group = test_id(DK_SUBJECT_GROUP, group);
    return routed;
}

/* ---------------------------------------------------------------- a site with an agent */

/* Position 1 is FIXTURE_AGENT's definition: whoever acts as an agent is defined. */
static inline void fixture_open(struct fixture *f)
{
    struct fixture_events events;
    fixture_open_empty(f);
    fixture_events_init(&events);
    struct fixture_peer operator= fixture_peer(f, DK_ROLE_OPERATOR, 1);
    fixture_next(&events, &operator, FIXTURE_OPERATOR, test_id(DK_SUBJECT_AGENT, FIXTURE_AGENT_KEY),
                 DK_KIND_AGENT_DEFINED, fixture_agent(FIXTURE_AGENT_KEY));
    ASSERT_EQ(fixture_call(f, &operator, & events, false)->accepted, 1);
    dk_core_disconnected(f->core, 1);
    fixture_events_close(&events);
    fixture_forget(f);
}

#endif
