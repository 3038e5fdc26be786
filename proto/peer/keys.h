/* CURVE keys: each peer has one, and the broker's list says what each may do.
 *
 *   KEYS/NAME.key       "public" and "secret" in Z85, mode 0600: the peer's own
 *   KEYS/broker.pub     the broker's public key, for everybody
 *   KEYS/allowed.yaml   list of {name, role, public, actor}: the broker's; an actor is an agent's
 *                       key, as whom alone its bearer acts
 */
#ifndef DK_PEER_KEYS_H
#define DK_PEER_KEYS_H

#include "proto/base/err.h"
#include "proto/base/id.h"
#include "proto/base/limits.h"
#include <stddef.h>
#include <stdint.h>

#define DK_Z85_BYTES 41 /* 40 characters and the NUL */

struct dk_key {
    char public_z85[DK_Z85_BYTES];
    char secret_z85[DK_Z85_BYTES];
};

struct dk_allowed {
    char name[DK_KEY_MAX_BYTES + 1];
    char public_z85[DK_Z85_BYTES];
    unsigned role;  /* enum dk_role */
    uint64_t actor; /* of the agent it is bound to, or 0 */
};
struct dk_allowed_list {
    struct dk_allowed *entry;
    size_t count;
};

/* Makes DIR (0700), the broker's key and one allowed key for each role of DK_ROLES. */
int dk_keys_init(const char *dir, struct dk_err *err);

/* DIR/NAME.key: DK_ENOTFOUND; DK_EACCES when others than its owner can read it. */
int dk_key_load(struct dk_key *key, const char *dir, const char *name, struct dk_err *err);
/* DIR/NAME.pub, or the public half of DIR/NAME.key. */
int dk_key_public(char public_z85[DK_Z85_BYTES], const char *dir, const char *name,
                  struct dk_err *err);
/* A fresh pair written as DIR/NAME.key; DK_EEXISTS. */
int dk_key_new(const char *dir, const char *name, struct dk_key *key, struct dk_err *err);

int dk_allowed_load(struct dk_allowed_list *list, const char *dir, struct dk_err *err);
void dk_allowed_free(struct dk_allowed_list *list);

/* 64 bits of a public key, as producers' ids use it. Never 0. */
uint64_t dk_key_id(const char public_z85[DK_Z85_BYTES]);

#endif
