/* The checker's rules about nodes, and about the end of a world. */
#include "broker/log/batch.h"
#include "proto/base/id.h"
#include "tests/sim/checker.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- what nodes say and hear */

static void check_append(struct sim_checker *checker, const struct sim_watch *watch,
                         const struct dk_append *append)
{
    if (!watch->in_session) {
        sim_violate(checker->scene, "nothing is decided during catch-up",
                    "%s decides and has no session", watch->name);
        return;
    }
    for (size_t i = 0; i < append->count; i++) {
        struct dk_decision decision = {0};
        (void)dk_event_decision(append->event[i].data, append->event[i].size, &decision);
        if (decision.basis < watch->head) {
            sim_violate(checker->scene, "nothing is decided during catch-up",
                        "%s decides at %" PRIu64 ", and its session began at head %" PRIu64,
                        watch->name, decision.basis, watch->head);
        }
    }
}

void sim_checker_sent(struct sim_checker *checker, struct sim_watch *watch, const uint8_t *frame,
                      size_t bytes)
{
    struct dk_request request;
    struct dk_err err;
    struct dk_append *append;
    int rc = dk_request_read(frame, bytes, &request, &err);
    DK_ASSERT(rc == 0);
    if (request.op == DK_OP_HELLO) {
        watch->hello = request.id;
        watch->in_session = false;
    } else if (request.op == DK_OP_APPEND) {
        append = malloc(sizeof *append);
        DK_ASSERT(append != NULL);
        rc = dk_append_read(request.body, append, &err);
        DK_ASSERT(rc == 0);
        const uint8_t *first = append->event[0].data;
        char what[DK_ID_TEXT_BYTES];
        sim_trace(checker->scene, "%s: decides %zu events, first %s of %s, number %" PRIu64,
                  watch->name, append->count, dk_kind_info(dk_event_load_kind(first))->word,
                  dk_id_format(dk_event_load_subject(first), what),
                  dk_event_load_producer_number(first));
        check_append(checker, watch, append);
        free(append);
    }
}

void sim_checker_heard(struct sim_watch *watch, const Docket__Reply *reply)
{
    if (reply->result_case == DOCKET__REPLY__RESULT_HELLO && reply->id == watch->hello) {
        watch->in_session = true;
        watch->head = reply->hello->head;
    }
}

void sim_checker_folded(struct sim_checker *checker, const char *name, size_t role,
                        struct dk_folder *folder)
{
    uint64_t position = dk_folder_position(folder);
    if (position == 0) {
        return;
    }
    if (position > checker->checked) {
        sim_violate(checker->scene, "nodes fold what is durable",
                    "%s is at %" PRIu64 ", the log at %" PRIu64, name, position, checker->checked);
    } else if (dk_folder_hash(folder) != checker->state_hash[role][position]) {
        sim_violate(checker->scene, "a state equals its replay", "%s at %" PRIu64, name, position);
    }
}

/* ---------------------------------------------------------------- the end */

bool sim_checker_owes_nothing(struct sim_checker *checker, int64_t now_us, char what[128])
{
    bool nothing = true;
    for (size_t i = 0; i < SIM_ROLES; i++) {
        struct dk_intents intents;
        uint64_t item, owed_item = 0;
        dk_intents_init(&intents, sim_roles[i]->role, sim_roles[i]->rule_version);
        while (owed_item == 0 && dk_folder_next_item(checker->folder[i], now_us, &item)) {
            dk_folder_consider(checker->folder[i], item, now_us, &intents);
            owed_item = intents.count > 0 ? item : 0;
        }
        if (owed_item != 0) {
            char text[DK_ID_TEXT_BYTES];
            snprintf(what, 128, "%s owes %zu events for %s, first %s", sim_roles[i]->name,
                     intents.count, dk_id_format(owed_item, text),
                     dk_kind_info(dk_event_load_kind(dk_intents_event(&intents, 0).data))->word);
            dk_folder_touch(checker->folder[i], owed_item, 0);
            nothing = false;
        }
        dk_intents_close(&intents);
    }
    if (checker->requested.count > 0) {
        snprintf(what, 128, "%zu notices are requested and not sent", checker->requested.count);
        nothing = false;
    }
    return nothing;
}

struct waiting {
    struct sim_checker *checker;
    uint64_t group, ticket;
    int64_t now_us;
};

static int look_at_agent(void *arg, const struct dk_refs_version *version)
{
    struct waiting *waiting = arg;
    struct sim_checker *checker = waiting->checker;
    const Docket__AgentDefined *agent = (const void *)version->body;
    uint64_t id = dk_id_of_key(DK_SUBJECT_AGENT, (const char *)agent->definition->key.data,
                               agent->definition->key.len, NULL);
    const uint32_t *presence = dk_map_get(&checker->presences, id);
    bool away = presence != NULL && *presence != DOCKET__PRESENCE__PRESENCE_AVAILABLE;
    for (size_t i = 0; i < agent->n_group; i++) {
        if (agent->group[i] == waiting->group && !away &&
            dk_refs_on_shift(dk_folder_world(checker->folder[0])->refs, id, waiting->now_us,
                             false) &&
            !sim_offers_kept(&checker->offers, waiting->ticket, id, waiting->now_us) &&
            sim_offers_load(&checker->offers, id) < agent->capacity) {
            char text[DK_ID_TEXT_BYTES];
            sim_violate(checker->scene, "queues are served", "%s waits, and %.*s has room",
                        dk_id_format(waiting->ticket, text), (int)agent->definition->key.len,
                        (const char *)agent->definition->key.data);
            return 1;
        }
    }
    return 0;
}

void sim_checker_end(struct sim_checker *checker, int64_t now_us)
{
    const struct dk_world *world = dk_folder_world(checker->folder[0]);
    size_t cursor = 0, bytes;
    uint64_t key;
    const void *value;
    for (size_t i = 0; i < checker->ledger->count; i++) {
        if (checker->ledger->action[i].outcome == SIM_UNANSWERED) {
            sim_violate(checker->scene, "everything is answered", "action %zu is not", i);
        }
    }
    while (dk_table_next(world->tickets, &cursor, &key, &value, &bytes)) {
        const struct dk_ticket *ticket = value;
        if (dk_ticket_live(ticket) && !dk_ticket_historical(ticket) && ticket->owner == 0 &&
            ticket->offered == 0) {
            struct waiting waiting = {checker, ticket->group, key, now_us};
            if (ticket->group == 0) {
                sim_violate(checker->scene, "every ticket has a group", "number %" PRIu64,
                            dk_ticket_number(key));
            }
            (void)dk_refs_each(world->refs, DK_SUBJECT_AGENT, now_us, look_at_agent, &waiting);
        }
    }
}
