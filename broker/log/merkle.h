/* RFC 6962 Merkle tree hashes (section 2.1) over stored record bytes, SHA-256.
 *
 *   leaf = SHA-256(0x00 || record)       node = SHA-256(0x01 || left || right)
 */
#ifndef DK_LOG_MERKLE_H
#define DK_LOG_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#define DK_HASH_BYTES 32
struct dk_hash {
    uint8_t bytes[DK_HASH_BYTES];
};

struct dk_hash dk_merkle_leaf(const void *record, size_t bytes);
struct dk_hash dk_merkle_node(const struct dk_hash *left, const struct dk_hash *right);

/* The tree hash over leaves fed in order: keeps one hash per level, so any number of leaves in
 * constant memory. Where bit i of `count` is set, level[i] is the root of 2^i leaves. */
struct dk_merkle {
    uint64_t count;
    struct dk_hash level[64];
};
void dk_merkle_init(struct dk_merkle *merkle);
void dk_merkle_add(struct dk_merkle *merkle, const struct dk_hash *leaf);
/* Feeds the root of the next 2^`height` leaves at once; `count` must be a multiple of that. */
void dk_merkle_add_subtree(struct dk_merkle *merkle, const struct dk_hash *root, unsigned height);
/* MTH of what was fed; of nothing: SHA-256 of the empty string (RFC 6962 2.1). */
struct dk_hash dk_merkle_root(const struct dk_merkle *merkle);

#endif
