#include "replay/cli/desk.h"
#include "proto/base/time.h"
#include "replay/cli/verb.h"
#include "replay/history/ids.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#define PRODUCER_NAME "docket"
#define ASKED_MAX     1000000

static const char *key_name_of(const struct dk_cli *cli)
{
    const char *name = dk_cli_given(cli, "--key");
    const char *fallback = getenv("DOCKET_KEY");
    if (name == NULL) {
        name = fallback != NULL && fallback[0] != '\0' ? fallback
               : cli->verb->of_operator                ? "operator"
                                                       : "agent";
    }
    return name;
}

static int read_timeout(struct dk_cli *cli, int *timeout_ms, struct dk_err *err)
{
    const char *text = dk_cli_given(cli, "--timeout");
    int64_t us = 10 * DK_SECOND_US;
    if (text != NULL && (dk_duration_parse(text, &us, err) != 0 || us < 1000 || us > DK_DAY_US)) {
        return dk_cli_usage(err, "--timeout takes a duration from 1ms to a day, as 30s, not \"%s\"",
                            text);
    }
    *timeout_ms = (int)(us / 1000);
    return 0;
}

int dk_desk_open(struct dk_cli *cli, struct dk_err *err)
{
    if (cli->desk != NULL) {
        return 0;
    }
    struct dk_desk *desk = calloc(1, sizeof *desk);
    DK_ASSERT(desk != NULL);
    cli->desk = desk;
    dk_map_init(&desk->asked, sizeof(uint8_t), ASKED_MAX);
    (void)snprintf(desk->key_name, sizeof desk->key_name, "%s", key_name_of(cli));
    desk->zmq = zmq_ctx_new();
    DK_ASSERT(desk->zmq != NULL);
    int rc = read_timeout(cli, &desk->timeout_ms, err);
    rc = rc != 0 ? rc : dk_key_load(&desk->own, cli->config.keys, desk->key_name, err);
    rc = rc != 0 ? rc : dk_refs_new(&desk->refs, err);
    return rc != 0 ? rc
                   : dk_client_open(&desk->client, desk->zmq, &cli->config, desk->key_name, err);
}

int dk_desk_hello(struct dk_cli *cli, struct dk_err *err)
{
    int rc = dk_desk_open(cli, err);
    if (rc != 0 || cli->desk->session.site != 0) {
        return rc;
    }
    return dk_client_hello(cli->desk->client, PRODUCER_NAME, cli->desk->timeout_ms,
                           &cli->desk->session, err);
}

int64_t dk_desk_now_us(const struct dk_cli *cli)
{
    return cli->desk != NULL && cli->desk->session.site != 0 ? cli->desk->session.now_us
                                                             : dk_clock_wall_us();
}

void dk_desk_close(struct dk_desk **held)
{
    struct dk_desk *desk = *held;
    if (desk == NULL) {
        return;
    }
    dk_client_close(&desk->client);
    (void)zmq_ctx_term(desk->zmq);
    dk_refs_free(&desk->refs);
    dk_map_close(&desk->asked);
    explicit_bzero(&desk->own, sizeof desk->own);
    free(desk);
    *held = NULL;
}

int dk_desk_call(struct dk_cli *cli, Docket__Request *request, const Docket__Reply **reply,
                 struct dk_err *err)
{
    int rc = dk_desk_open(cli, err);
    return rc != 0 ? rc
                   : dk_client_call(cli->desk->client, request, cli->desk->timeout_ms, reply, err);
}

/* ------------------------------------------------------------------------------- naming */

static int look_up(struct dk_cli *cli, const char *name, uint64_t *ticket, struct dk_err *err)
{
    Docket__Lookup lookup = DOCKET__LOOKUP__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    const Docket__Reply *reply = NULL;
    lookup.reference = (ProtobufCBinaryData){strlen(name), (uint8_t *)(uintptr_t)name};
    request.op_case = DOCKET__REQUEST__OP_LOOKUP;
    request.lookup = &lookup;
    int rc = dk_desk_call(cli, &request, &reply, err);
    if (rc == 0 && reply->result_case != DOCKET__REPLY__RESULT_LOOKUP) {
        rc = dk_err_set(err, DK_EINVAL, "the broker's answer to Lookup is malformed");
    }
    *ticket = rc == 0 ? reply->lookup->subject : 0;
    return rc;
}

int dk_desk_ticket(struct dk_cli *cli, const char *name, uint64_t *ticket, struct dk_err *err)
{
    return dk_ticket_parse(name, ticket, NULL) == 0 ? 0 : look_up(cli, name, ticket, err);
}

int dk_desk_entity(const struct dk_cli *cli, unsigned cls, const char *key, uint64_t *id,
                   struct dk_err *err)
{
    size_t bytes = strlen(key);
    if (bytes == 0 || bytes > DK_KEY_MAX_BYTES) {
        return dk_err_set(err, DK_EINVAL, "what names a %s has 1 to %d bytes",
                          dk_subject_class_word(cls), DK_KEY_MAX_BYTES);
    }
    if (cls != DK_SUBJECT_CUSTOMER && cls != DK_SUBJECT_COMPANY) {
        *id = dk_id_of_key(cls, key, bytes, NULL);
        return 0;
    }
    DK_ASSERT(cli->desk != NULL && cli->desk->session.site != 0);
    const struct dk_session *session = &cli->desk->session;
    if (session->producer == 0) {
        return dk_err_set(err, DK_EACCES, "the key %s may not name a %s: it is not told the salt",
                          cli->desk->key_name, dk_subject_class_word(cls));
    }
    *id = cls == DK_SUBJECT_CUSTOMER ? dk_id_of_person(cls, key, bytes, session->salt, NULL)
                                     : dk_id_of_key(cls, key, bytes, session->salt);
    return 0;
}

/* ----------------------------------------------------------------------------- fetching */

int dk_desk_life(struct dk_cli *cli, uint64_t subject, struct dk_life *life, struct dk_err *err)
{
    Docket__Fetch fetch = DOCKET__FETCH__INIT;
    const Docket__Reply *reply = NULL;
    int rc = 0;
    fetch.has_ticket = 1;
    fetch.ticket = subject;
    do {
        Docket__Request request = DOCKET__REQUEST__INIT;
        request.op_case = DOCKET__REQUEST__OP_FETCH;
        request.fetch = &fetch;
        rc = dk_desk_call(cli, &request, &reply, err);
        if (rc == 0 && reply->result_case != DOCKET__REPLY__RESULT_RECORDS) {
            rc = dk_err_set(err, DK_EINVAL, "the broker's answer to Fetch is malformed");
        }
        for (size_t i = 0; rc == 0 && i < reply->records->n_event; i++) {
            const ProtobufCBinaryData *event = &reply->records->event[i];
            rc = dk_life_add(life, event->data, event->len, err);
        }
        fetch.from = rc == 0 ? reply->records->next : 0;
    } while (rc == 0 && fetch.from != 0);
    dk_life_sort(life);
    return rc;
}

static bool is_defined(uint64_t id)
{
    switch (dk_id_class(id)) {
    case 0: /* nobody */
    case DK_SUBJECT_TICKET:
    case DK_SUBJECT_MEMBER:
    case DK_SUBJECT_SOURCE:
    case DK_SUBJECT_BROKER:
    case DK_SUBJECT_SLOT: return false;
    default: return dk_id_class(id) < DK_SUBJECT_CLASS_COUNT;
    }
}

int dk_desk_learn(struct dk_cli *cli, uint64_t id, struct dk_err *err)
{
    bool created = false;
    struct dk_life life;
    if (!is_defined(id)) {
        return 0;
    }
    int rc = dk_desk_open(cli, err);
    if (rc != 0 || dk_map_put(&cli->desk->asked, id, &created) == NULL || !created) {
        return rc;
    }
    rc = dk_life_init(&life, err);
    rc = rc != 0 ? rc : dk_desk_life(cli, id, &life, err);
    for (size_t i = 0; rc == 0 && i < life.count; i++) {
        rc = dk_refs_apply(cli->desk->refs, life.event[i].record, life.event[i].bytes, err);
    }
    dk_life_close(&life);
    return rc == DK_ENOTFOUND ? 0 : rc;
}

struct learning {
    struct dk_cli *cli;
    struct dk_err *err;
};

static int learn_one(void *arg, uint64_t id)
{
    struct learning *learning = arg;
    return dk_desk_learn(learning->cli, id, learning->err);
}

int dk_desk_learn_life(struct dk_cli *cli, const struct dk_life *life, struct dk_err *err)
{
    struct learning learning = {cli, err};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < life->count; i++) {
        rc = dk_event_each_id(&life->event[i].envelope, life->event[i].body, learn_one, &learning);
    }
    return rc;
}

int dk_desk_source(struct dk_cli *cli, struct dk_source **source, struct dk_err *err)
{
    char path[DK_PATH_BYTES + 16];
    (void)snprintf(path, sizeof path, "%s/data.mdb", cli->config.log);
    int rc = dk_desk_open(cli, err);
    enum dk_source_kind kind = access(path, R_OK) == 0 ? DK_SOURCE_SHARED : DK_SOURCE_WIRE;
    return rc != 0 ? rc
                   : dk_source_open(source, kind, cli->desk->zmq, &cli->config, cli->desk->key_name,
                                    err);
}
