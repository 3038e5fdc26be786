#include "broker/core/core.h"

#include "broker/core/annex.h"
#include "broker/core/append.h"
#include "broker/core/core_internal.h"
#include "broker/core/recover.h"
#include "broker/core/replies.h"
#include "docket.pb-c.h"
#include <stdlib.h>
#include <string.h>

#define SCRATCH_MAX_BYTES (4 * 1024 * 1024)

void dk_core_defaults(struct dk_core_options *options)
{
    *options = (struct dk_core_options){
        .batch_max_bytes = 4 * 1024 * 1024,
        .batch_max_records = 16384,
        .producers_max = 65536,
        .one_shots_max = 1 << 20,
        .checkpoint_events = 500000,
    };
}

/* ------------------------------------------------------------------------------- new, free */

static int make_parts(struct dk_core *core, struct dk_heads *heads, struct dk_err *err)
{
    const struct dk_core_options *options = &core->options;
    int rc = dk_state_init(&core->state, &core->identity, heads, options->producers_max,
                           options->one_shots_max, err);
    if (rc == 0) {
        rc = dk_pending_new(&core->gathering, options->batch_max_bytes, options->batch_max_records,
                            err);
    }
    if (rc == 0) {
        rc =
            dk_pending_new(&core->taken, options->batch_max_bytes, options->batch_max_records, err);
    }
    return rc;
}

int dk_core_new(struct dk_core **core, const struct dk_log_identity *identity,
                struct dk_store *store, struct dk_heads *heads,
                const struct dk_core_options *options, const struct dk_core_output *output,
                struct dk_now now, void (*on_progress)(void *arg, uint64_t done, uint64_t total),
                void *progress_arg, struct dk_err *err)
{
    struct dk_core *made = calloc(1, sizeof *made);
    *core = made;
    if (made == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for the broker's core");
    }
    made->options = *options;
    made->identity = *identity;
    made->output = *output;
    made->space = true;
    dk_buf_init(&made->scratch, SCRATCH_MAX_BYTES);
    int rc = make_parts(made, heads, err);
    if (rc == 0) {
        rc = dk_recover(&made->state, store, on_progress, progress_arg, err);
    }
    if (rc != 0) {
        dk_core_free(core);
        return rc;
    }
    made->durable = made->state.counts.last;
    made->taken_last = made->durable;
    made->checkpoint = dk_heads_position(heads);
    dk_clock_init(&made->clock, now.wall_us, now.boot_us, made->state.counts.recorded_us);
    return 0;
}

void dk_core_free(struct dk_core **core)
{
    struct dk_core *gone = *core;
    if (gone == NULL) {
        return;
    }
    dk_state_close(&gone->state);
    dk_pending_free(&gone->gathering);
    dk_pending_free(&gone->taken);
    dk_buf_close(&gone->scratch);
    free(gone);
    *core = NULL;
}

/* -------------------------------------------------------------------------------- requests */

/* The name is in the core's scratch arena until the next request. */
static int hello_name(struct dk_core *core, const struct dk_request *request,
                      ProtobufCBinaryData *name, struct dk_err *err)
{
    dk_arena_reset(&core->state.arena);
    const Docket__Hello *hello =
        docket__hello__unpack(&core->state.arena.allocator, request->body.size, request->body.data);
    if (hello == NULL) {
        return dk_err_set(err, DK_EINVAL, "the Hello is malformed");
    }
    if (hello->name.len == 0 || hello->name.len > DK_KEY_MAX_BYTES) {
        return dk_err_field(err, DK_EINVAL, "name", "a producer's name has 1 to %d bytes",
                            DK_KEY_MAX_BYTES);
    }
    *name = hello->name;
    return 0;
}

/* Keys that append nothing get no producer, and no salt: it is for those who make ids. */
static int serve_hello(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                       const struct dk_request *request, struct dk_err *err)
{
    ProtobufCBinaryData name = {0};
    Docket__HelloReply hello = DOCKET__HELLO_REPLY__INIT;
    int rc = hello_name(core, request, &name, err);
    if (rc == 0 && dk_admit_role(peer->role)) {
        hello.producer = dk_producer_id(peer->key_id, name.data, name.len);
        hello.salt = (ProtobufCBinaryData){DK_SALT_BYTES, core->identity.salt};
        rc = dk_producers_hello(core->state.producers, hello.producer, peer->connection,
                                &hello.last_number, err);
    }
    if (rc != 0) {
        return rc;
    }
    hello.log_uuid = (ProtobufCBinaryData){sizeof core->identity.uuid, core->identity.uuid};
    hello.site = core->identity.site;
    hello.head = core->state.counts.last;
    hello.now_us = dk_core_time_us(core, now);
    hello.role = peer->role;
    hello.actor = peer->actor;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    reply.id = request->id;
    reply.result_case = DOCKET__REPLY__RESULT_HELLO;
    reply.hello = &hello;
    /* The last number and the head may be of events that are not durable yet. */
    dk_core_reply_durable(core, peer->connection, &reply);
    return 0;
}

static int serve_ticket_state(struct dk_core *core, const struct dk_peer *peer,
                              const struct dk_request *request, struct dk_err *err)
{
    dk_arena_reset(&core->state.arena);
    const Docket__TicketState *asked = docket__ticket_state__unpack(
        &core->state.arena.allocator, request->body.size, request->body.data);
    if (asked == NULL) {
        return dk_err_set(err, DK_EINVAL, "the TicketState is malformed");
    }
    const struct dk_ticket *ticket = dk_state_ticket(&core->state, asked->ticket);
    if (ticket->last_position == 0) {
        char text[DK_ID_TEXT_BYTES];
        return dk_err_field(err, DK_ENOTFOUND, "ticket", "there is no %s",
                            dk_id_format(asked->ticket, text));
    }
    Docket__TicketStateReply state = DOCKET__TICKET_STATE_REPLY__INIT;
    state.ticket = asked->ticket;
    state.version = ticket->version;
    state.last_position = ticket->last_position;
    state.status = (Docket__Status)ticket->status;
    state.group = ticket->group;
    state.owner = ticket->owner;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    reply.id = request->id;
    reply.result_case = DOCKET__REPLY__RESULT_TICKET_STATE;
    reply.ticket_state = &state;
    dk_core_reply_durable(core, peer->connection, &reply);
    return 0;
}

static void serve_head(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                       const struct dk_request *request)
{
    Docket__HeadReply head = DOCKET__HEAD_REPLY__INIT;
    head.head = core->durable;
    head.now_us = dk_core_time_us(core, now);
    head.log_uuid = (ProtobufCBinaryData){sizeof core->identity.uuid, core->identity.uuid};
    head.site = core->identity.site;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    reply.id = request->id;
    reply.result_case = DOCKET__REPLY__RESULT_HEAD;
    reply.head = &head;
    dk_core_reply_now(core, peer->connection, &reply);
}

bool dk_core_request(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                     const struct dk_request *request)
{
    struct dk_err err;
    int rc = 0;
    DK_ASSERT(peer->connection != 0);
    switch (request->op) {
    case DK_OP_APPEND: dk_append_serve(core, peer, now, request); break;
    case DK_OP_APPEND_LIST: dk_append_serve_list(core, peer, now, request); break;
    case DK_OP_HELLO: rc = serve_hello(core, peer, now, request, &err); break;
    case DK_OP_TICKET_STATE: rc = serve_ticket_state(core, peer, request, &err); break;
    case DK_OP_HEAD: serve_head(core, peer, now, request); break;
    default: return false;
    }
    if (rc != 0) {
        dk_core_reply_failure(core, peer->connection, request->id, &err);
    }
    return true;
}

void dk_core_disconnected(struct dk_core *core, uint64_t connection)
{
    dk_producers_disconnected(core->state.producers, connection);
    dk_pending_forget(core->gathering, connection);
    dk_pending_forget(core->taken, connection);
}

/* ---------------------------------------------------------------------------------- commit */

bool dk_core_full(const struct dk_core *core)
{
    return !dk_pending_fits(core->gathering, DK_REQUEST_MAX_EVENTS, DK_REQUEST_MAX_BYTES);
}

static void send_answers(struct dk_core *core, struct dk_pending *pending)
{
    dk_pending_answers(pending, &core->scratch, core->output.send, core->output.arg);
}

/* Answers without records were judged against what is durable by now. */
static void send_idle_answers(struct dk_core *core)
{
    if (!core->writing && dk_pending_count(core->gathering) == 0) {
        send_answers(core, core->gathering);
    }
}

const struct dk_batch *dk_core_take(struct dk_core *core)
{
    send_idle_answers(core);
    if (core->writing || dk_pending_count(core->gathering) == 0) {
        return NULL;
    }
    struct dk_pending *taken = core->gathering;
    core->gathering = core->taken;
    core->taken = taken;
    dk_pending_clear(core->gathering);
    const struct dk_batch *batch = dk_pending_batch(taken, core->taken_last + 1);
    core->taken_last += batch->count;
    core->writing = true;
    core->commits++;
#ifdef DK_BUG_ACK_BEFORE_SYNC /* planted, for the simulator to find */
    send_answers(core, taken);
#endif
    return batch;
}

void dk_core_committed(struct dk_core *core)
{
    DK_ASSERT(core->writing);
    core->writing = false;
    core->durable = core->taken_last;
    send_answers(core, core->taken);
    send_idle_answers(core);
}

/* ----------------------------------------------------------------------------------- views */

uint64_t dk_core_last(const struct dk_core *core)
{
    return core->state.counts.last;
}

uint64_t dk_core_durable(const struct dk_core *core)
{
    return core->durable;
}

uint64_t dk_core_last_of(const struct dk_core *core, uint64_t subject)
{
    return dk_state_head(&core->state, subject).last_position;
}

int64_t dk_core_time_us(struct dk_core *core, struct dk_now now)
{
    core->clock_step_us = dk_clock_step_us(&core->clock, now.wall_us, now.boot_us);
    return dk_clock_now_us(&core->clock, now.wall_us, now.boot_us);
}

void dk_core_set_space(struct dk_core *core, bool accepting)
{
    core->space = accepting;
}

bool dk_core_checkpoint_due(const struct dk_core *core)
{
    return core->state.counts.last - core->checkpoint >= core->options.checkpoint_events ||
           dk_heads_changed(core->state.heads) >= DK_HEADS_OVERLAY_MAX / 2;
}

int dk_core_checkpoint_begin(struct dk_core *core, struct dk_err *err)
{
    int rc = dk_annex_freeze(&core->state, err);
    if (rc == 0) {
        core->checkpoint = core->state.counts.last;
    }
    return rc;
}

void dk_core_stats(const struct dk_core *core, struct dk_core_stats *stats)
{
    const struct dk_state *state = &core->state;
    *stats = (struct dk_core_stats){
        .accepted = core->accepted,
        .refused = core->refused,
        .commits = core->commits,
        .tickets = state->counts.last_ticket,
        .open_tickets = state->counts.open_tickets,
        .memory_bytes = sizeof *core + dk_pending_bytes(core->gathering) +
                        dk_pending_bytes(core->taken) + dk_producers_bytes(state->producers) +
                        dk_one_shots_bytes(state->one_shots) + dk_subjects_bytes(&state->subjects) +
                        dk_shelf_bytes(&state->definitions) +
                        dk_heads_changed(state->heads) * sizeof(struct dk_ticket),
    };
    if (!core->space) {
        stats->why_not = dk_code_sentence(DK_ENOSPACE);
    } else if (core->clock_step_us != 0) {
        stats->why_not = dk_code_sentence(DK_ECLOCK);
    }
    stats->accepting = stats->why_not == NULL;
}

const struct dk_ticket *dk_core_ticket(const struct dk_core *core, uint64_t ticket)
{
    const struct dk_ticket *found = dk_state_ticket(&core->state, ticket);
    return found->last_position != 0 ? found : NULL;
}

const struct dk_refs *dk_core_refs(const struct dk_core *core)
{
    return core->state.refs;
}
