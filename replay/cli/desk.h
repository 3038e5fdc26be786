/* The way to the broker: one connection for the whole command, and what was learnt over it. */
#ifndef DK_REPLAY_CLI_DESK_H
#define DK_REPLAY_CLI_DESK_H

#include "nodes/runtime/source.h"
#include "proto/base/map.h"
#include "proto/peer/client.h"
#include "proto/peer/keys.h"
#include "proto/refs/refs.h"
#include "replay/cli/cli.h"
#include "replay/history/life.h"

struct dk_desk {
    void *zmq;
    struct dk_client *client;
    struct dk_session session;
    struct dk_key own;
    struct dk_refs *refs; /* definitions fetched so far */
    struct dk_map asked;  /* subjects whose definitions were asked for */
    int timeout_ms;
    char key_name[DK_KEY_MAX_BYTES + 1];
};

/* Makes cli->desk, without a word to the broker: --key, else the operator's for verbs of operators,
 * else the agents'. May be called again. */
int dk_desk_open(struct dk_cli *cli, struct dk_err *err);
/* The same, and says Hello: the session tells site, salt, role and time. DK_ETIMEOUT. */
int dk_desk_hello(struct dk_cli *cli, struct dk_err *err);
void dk_desk_close(struct dk_desk **desk);

/* What "now" is to this command: the broker's clock as it told it by Hello; before that, and without
 * a broker, this host's. */
int64_t dk_desk_now_us(const struct dk_cli *cli);

/* One request; the reply is good until the next one. */
int dk_desk_call(struct dk_cli *cli, Docket__Request *request, const Docket__Reply **reply,
                 struct dk_err *err);

/* The ticket named SITE-NUMBER, or by its reference elsewhere. */
int dk_desk_ticket(struct dk_cli *cli, const char *name, uint64_t *ticket, struct dk_err *err);

/* A subject's whole history, in position order; `life` is initialized by the caller. */
int dk_desk_life(struct dk_cli *cli, uint64_t subject, struct dk_life *life, struct dk_err *err);

/* Sees that desk->refs knows an entity's definitions, if there are any. */
int dk_desk_learn(struct dk_cli *cli, uint64_t id, struct dk_err *err);
/* The same for all that a life names. */
int dk_desk_learn_life(struct dk_cli *cli, const struct dk_life *life, struct dk_err *err);

/* The entity of a class that a key names; a customer is named as the outside knows them, by an
 * address or a number. The ids of customers and companies are salted, so for them Hello has been
 * said. DK_EINVAL for a key of no or too many bytes, DK_EACCES when
 * the broker tells our key no salt. */
int dk_desk_entity(const struct dk_cli *cli, unsigned cls, const char *key, uint64_t *id,
                   struct dk_err *err);

/* The log to read in bulk: its folder where that can be read, else over the wire. */
int dk_desk_source(struct dk_cli *cli, struct dk_source **source, struct dk_err *err);

#endif
