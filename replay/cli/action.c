#include "replay/cli/action.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "replay/cli/desk.h"
#include "replay/history/ids.h"
#include "replay/history/person.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)4 << 20)

/* --------------------------------------------------------------------------------- when */

static int find_instant(struct dk_action *action, struct dk_err *err)
{
    int rc = dk_cli_moment(action->cli, "--at", &action->occurred_us, err);
    return rc == 0 && action->occurred_us == 0 && dk_cli_given(action->cli, "--at") != NULL
               ? dk_cli_usage(err, "--at: the instant 0 means \"now\": leave --at out")
               : rc;
}

int dk_action_check_ahead(const struct dk_action *action, const char *name, int64_t us,
                          struct dk_err *err)
{
    const struct dk_cli *cli = action->cli;
    char text[DK_TIME_TEXT_BYTES];
    int64_t from_us = action->occurred_us != 0 ? action->occurred_us : dk_desk_now_us(cli);
    return us > from_us ? 0
                        : dk_cli_usage(err, "%s: %s is past already", name,
                                       dk_time_format(us, dk_zone_offset_s(cli->zone, us), text));
}

/* -------------------------------------------------------------------------------- names */

/* Whom the log knows is left as they are. */
static int meet_customer(struct dk_action *action, const char *name, uint64_t id,
                         struct dk_err *err)
{
    const struct dk_desk *desk = action->cli->desk;
    int rc = dk_desk_learn(action->cli, id, err);
    bool known = rc != 0 || dk_refs_last(desk->refs, id) != NULL;
    for (size_t i = 0; !known && i < action->met_count; i++) {
        known = action->met[i]->subject == id;
    }
    if (known) {
        return rc;
    }
    if (action->met_count == DK_ACTION_MET_MAX) {
        return dk_err_set(err, DK_ETOOBIG, "more than %d customers are new: name fewer at once",
                          DK_ACTION_MET_MAX);
    }
    struct dk_person *person = dk_arena_alloc(&action->arena, sizeof *person);
    DK_ASSERT(person != NULL);
    dk_person_meet(person, name, strlen(name), desk->session.salt);
    action->met[action->met_count++] = person;
    return 0;
}

int dk_action_entity(struct dk_action *action, unsigned cls, const char *key, uint64_t *id,
                     struct dk_err *err)
{
    if (strcmp(key, "none") == 0) {
        *id = 0;
        return 0;
    }
    int rc = dk_desk_entity(action->cli, cls, key, id, err);
    rc = rc == 0 && cls == DK_SUBJECT_CUSTOMER ? meet_customer(action, key, *id, err) : rc;
    if (rc == 0 && action->name_count < DK_ACTION_NAMES_MAX) {
        action->name[action->name_count].id = *id;
        action->name[action->name_count++].key = key;
    }
    return rc;
}

/* Says "group desk" where the broker, which knows no key of it, said "group group/3f9c...". */
static void say_back_names(const struct dk_action *action, struct dk_err *err)
{
    for (size_t i = 0; i < action->name_count; i++) {
        char text[DK_ID_TEXT_BYTES], rest[DK_ERR_MESSAGE_BYTES];
        char *at = strstr(err->message, dk_id_format(action->name[i].id, text));
        if (at != NULL) {
            (void)snprintf(rest, sizeof rest, "%s", at + strlen(text));
            (void)snprintf(at, sizeof err->message - (size_t)(at - err->message), "\"%s\"%s",
                           action->name[i].key, rest);
        }
    }
}

/* ---------------------------------------------------------------------------------- who */

static int find_customer(struct dk_action *action, struct dk_err *err)
{
    const char *key = dk_cli_given(action->cli, "--customer");
    return key != NULL ? dk_action_entity(action, DK_SUBJECT_CUSTOMER, key, &action->customer, err)
                       : 0;
}

/* --as; else --customer; else $DOCKET_AGENT; else the operator, whose key it is. */
static int find_actor(struct dk_action *action, struct dk_err *err)
{
    const struct dk_desk *desk = action->cli->desk;
    const char *agent = dk_cli_given(action->cli, "--as");
    uint64_t subject = action->customer;
    int rc = 0;
    if (agent == NULL && subject == 0) {
        agent = getenv("DOCKET_AGENT");
    }
    if (agent != NULL && agent[0] != '\0') {
        rc = dk_action_entity(action, DK_SUBJECT_AGENT, agent, &subject, err);
    }
    action->actor = dk_actor_of_subject(subject);
    if (rc == 0 && subject == 0 && desk->session.actor != 0) {
        action->actor = desk->session.actor;
    } else if (rc == 0 && subject == 0 && desk->session.role == DK_ROLE_OPERATOR) {
        action->actor = dk_id_make(DK_ACTOR_OPERATOR, dk_key_id(desk->own.public_z85));
    } else if (rc == 0 && subject == 0) {
        rc = dk_cli_usage(err, "say who acts: --as AGENT (or $DOCKET_AGENT), or --customer "
                               "CUSTOMER");
    }
    return rc;
}

/* What the event is about: the ticket, none yet, or, of a kind that is about an agent, who acts. */
static int find_subject(struct dk_action *action, uint64_t *subject, struct dk_err *err)
{
    const struct dk_verb *verb = action->cli->verb;
    if (verb->kind == DK_KIND_OPENED) {
        *subject = dk_ticket_make(DK_SITE_UNNAMED, 0);
        return 0;
    }
    if (dk_kind_info(verb->kind)->subject_class != DK_SUBJECT_TICKET) {
        *subject = dk_subject_of_actor(action->actor);
        return 0;
    }
    return dk_desk_ticket(action->cli, dk_cli_given(action->cli, "TICKET"), subject, err);
}

/* --------------------------------------------------------------------------------- body */

ProtobufCMessage *dk_action_add(struct dk_action *action, uint64_t subject, uint32_t kind)
{
    const ProtobufCMessageDescriptor *descriptor = dk_body_descriptor(kind);
    DK_ASSERT(action->count < DK_ACTION_EVENTS_MAX && descriptor != NULL);
    ProtobufCMessage *body = dk_arena_alloc(&action->arena, descriptor->sizeof_message);
    DK_ASSERT(body != NULL);
    protobuf_c_message_init(descriptor, body);
    action->event[action->count++] = (struct dk_action_event){subject, kind, body};
    return body;
}

/* A text given as "-" is read from stdin, once. */
static int fill_typed(struct dk_action *action, const struct dk_parameter *parameter,
                      const char *typed, struct dk_err *err)
{
    if ((parameter->is & DK_STDIN) == 0 || strcmp(typed, "-") != 0) {
        return dk_action_fill(action, &action->event[0], parameter->field, typed, err);
    }
    char *text = NULL;
    int rc = dk_cli_stdin(&text, err);
    rc = rc != 0 ? rc : dk_action_fill(action, &action->event[0], parameter->field, text, err);
    free(text);
    return rc;
}

static int fill_body(struct dk_action *action, struct dk_err *err)
{
    const struct dk_cli *cli = action->cli;
    int rc = 0;
    for (const struct dk_parameter *p = cli->verb->parameter; rc == 0 && !dk_parameter_last(p);
         p++) {
        const char *typed = NULL;
        if (p->field != NULL && p->name == NULL) {
            rc = dk_action_fill(action, &action->event[0], p->field, p->value, err);
        }
        for (size_t cursor = 0;
             rc == 0 && p->field != NULL && p->name != NULL &&
             (typed = dk_argument_next(&cli->arguments, p->name, &cursor)) != NULL;) {
            rc = fill_typed(action, p, typed, err);
            rc = rc != 0 ? (dk_err_wrap(err, "%s", p->name), rc) : 0;
        }
    }
    return rc;
}

/* ------------------------------------------------------------------------------ sending */

static void print_done(const struct dk_action *action, const struct dk_append_result *result)
{
    char name[DK_ID_TEXT_BYTES];
    bool opened = result->opened_count > 0;
    uint64_t position = result->position + action->met_count; /* of the action itself */
    (void)dk_id_format(opened ? result->opened[0] : action->event[0].subject, name);
    if (action->cli->json) {
        json_t *done = json_pack(
            "{s:s, s:I, s:i}",
            opened || dk_id_class(action->event[0].subject) == DK_SUBJECT_TICKET ? "ticket"
                                                                                 : "subject",
            name, "position", (json_int_t)position, "accepted", (int)result->accepted);
        dk_cli_print_json(action->cli, done);
    } else if (opened) {
        (void)fprintf(action->cli->out, "%s\n", name);
    } else {
        (void)fprintf(action->cli->out, "%s: %s, event %" PRIu64 "\n", name,
                      dk_kind_info(action->event[0].kind)->word, position);
    }
}

/* The request's events: first the customers who are met, then the action's own. */
struct outgoing {
    struct dk_buf records;
    size_t count;
    size_t offset[DK_ACTION_MET_MAX + DK_ACTION_EVENTS_MAX + 1];
    uint32_t expected[DK_ACTION_MET_MAX + DK_ACTION_EVENTS_MAX];
    struct dk_slice slice[DK_ACTION_MET_MAX + DK_ACTION_EVENTS_MAX];
};

static int put(struct outgoing *out, struct dk_envelope envelope, uint32_t kind,
               const ProtobufCMessage *body, struct dk_err *err)
{
    int rc = dk_event_encode(&out->records, &envelope, kind, body, err);
    out->offset[++out->count] = out->records.size;
    return rc;
}

static int encode(const struct dk_action *action, struct outgoing *out, struct dk_err *err)
{
    struct dk_envelope envelope = {.actor = action->actor};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < action->met_count; i++) {
        envelope.subject = action->met[i]->subject;
        rc = put(out, envelope, DK_KIND_CUSTOMER_DEFINED, &action->met[i]->body.base, err);
    }
    envelope.occurred_us = action->occurred_us;
    for (size_t i = 0; rc == 0 && i < action->count; i++) {
        envelope.subject = action->event[i].subject;
        rc = put(out, envelope, action->event[i].kind, action->event[i].body, err);
    }
    for (size_t i = 0; rc == 0 && i < out->count; i++) {
        out->slice[i] = (struct dk_slice){out->records.data + out->offset[i],
                                          out->offset[i + 1] - out->offset[i]};
    }
    return rc;
}

/* 0 says "any" to the broker, and is no version that a ticket ever has. */
static int find_version(const struct dk_action *action, uint64_t *version, struct dk_err *err)
{
    int rc = dk_cli_number(action->cli, "--expect-version", UINT32_MAX, version, err);
    return rc == 0 && *version == 0 && dk_cli_given(action->cli, "--expect-version") != NULL
               ? dk_cli_usage(err, "--expect-version: versions count from 1")
               : rc;
}

static int send(struct dk_action *action, struct dk_err *err)
{
    struct outgoing out = {.count = 0};
    struct dk_append_result result = {0};
    uint64_t version = action->expected_version;
    int rc = find_version(action, &version, err);
    out.expected[action->met_count] = (uint32_t)version;
    dk_buf_init(&out.records, DK_REQUEST_MAX_BYTES);
    rc = rc != 0 ? rc : encode(action, &out, err);
    if (rc == 0) {
        rc = dk_client_append_once(action->cli->desk->client, out.slice, out.expected, out.count,
                                   out.count > 1, action->cli->desk->timeout_ms, &result, err);
    }
    dk_buf_close(&out.records);
    if (rc == 0) {
        print_done(action, &result);
    } else {
        say_back_names(action, err);
    }
    return rc;
}

int dk_action_run(struct dk_cli *cli, struct dk_err *err)
{
    struct dk_action action = {.cli = cli};
    uint64_t subject = 0;
    int rc = dk_desk_hello(cli, err);
    if (rc != 0 || dk_arena_init(&action.arena, ARENA_BYTES) != 0) {
        return rc != 0 ? rc : dk_err_set(err, DK_ENOMEM, "no memory for an action");
    }
    rc = find_instant(&action, err);
    rc = rc != 0 ? rc : find_customer(&action, err);
    rc = rc != 0 ? rc : find_actor(&action, err);
    rc = rc != 0 ? rc : find_subject(&action, &subject, err);
    if (rc == 0) {
        (void)dk_action_add(&action, subject, cli->verb->kind);
        rc = fill_body(&action, err);
    }
    rc = rc == 0 && cli->verb->complete != NULL ? cli->verb->complete(&action, err) : rc;
    rc = rc != 0 ? rc : send(&action, err);
    dk_arena_close(&action.arena);
    return rc;
}
