#include "broker/net/identity.h"
#include "proto/peer/socket.h"
#include <stdlib.h>

/* Connections that share a place cost each other a second reading, no more. */
#define PLACE_BITS 10

struct dk_identities {
    struct dk_peer place[1 << PLACE_BITS];
};

struct dk_identities *dk_identities_new(void)
{
    struct dk_identities *identities = calloc(1, sizeof *identities);
    DK_ASSERT(identities != NULL);
    return identities;
}

void dk_identities_free(struct dk_identities **identities)
{
    free(*identities);
    *identities = NULL;
}

static struct dk_peer *place_of(struct dk_identities *identities, uint64_t connection)
{
    return &identities->place[connection * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PLACE_BITS)];
}

int dk_identity_of(struct dk_identities *identities, struct dk_peer *peer, zmq_msg_t *payload)
{
    struct dk_peer *known = place_of(identities, peer->connection);
    if (known->connection != peer->connection) {
        const char *user_id = zmq_msg_gets(payload, "User-Id");
        if (user_id == NULL ||
            dk_user_id_parse(user_id, &known->role, &known->actor, &known->key_id) != 0) {
            known->connection = 0;
            return DK_EACCES;
        }
        known->connection = peer->connection;
    }
    *peer = *known;
    return 0;
}
