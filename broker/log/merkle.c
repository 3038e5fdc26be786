/* OpenSSL's own SHA-256 functions are plain, stateless and use the processor's instructions; their
 * EVP successors look an algorithm up and allocate for each hash, which costs more than hashing a
 * record does. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "broker/log/merkle.h"

#include "proto/base/err.h"
#include <openssl/sha.h>

struct dk_hash dk_merkle_leaf(const void *record, size_t bytes)
{
    static const uint8_t prefix = 0x00;
    struct dk_hash hash;
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, &prefix, 1);
    SHA256_Update(&sha, record, bytes);
    SHA256_Final(hash.bytes, &sha);
    return hash;
}

struct dk_hash dk_merkle_node(const struct dk_hash *left, const struct dk_hash *right)
{
    static const uint8_t prefix = 0x01;
    struct dk_hash hash;
    SHA256_CTX sha;
    SHA256_Init(&sha);
    SHA256_Update(&sha, &prefix, 1);
    SHA256_Update(&sha, left->bytes, DK_HASH_BYTES);
    SHA256_Update(&sha, right->bytes, DK_HASH_BYTES);
    SHA256_Final(hash.bytes, &sha);
    return hash;
}

void dk_merkle_init(struct dk_merkle *merkle)
{
    merkle->count = 0;
}

void dk_merkle_add(struct dk_merkle *merkle, const struct dk_hash *leaf)
{
    dk_merkle_add_subtree(merkle, leaf, 0);
}

/* Adding is counting: a carry joins two subtrees of one size. */
void dk_merkle_add_subtree(struct dk_merkle *merkle, const struct dk_hash *root, unsigned height)
{
    uint64_t leaves = UINT64_C(1) << height;
    DK_ASSERT(merkle->count % leaves == 0);

    struct dk_hash hash = *root;
    unsigned level = height;
    while (merkle->count >> level & 1) {
        hash = dk_merkle_node(&merkle->level[level], &hash);
        level++;
    }
    merkle->level[level] = hash;
    merkle->count += leaves;
}

/* RFC 6962 2.1 splits at the largest power of two below the count: its left parts are the complete
 * subtrees kept here, largest first, so they are joined from the right. */
struct dk_hash dk_merkle_root(const struct dk_merkle *merkle)
{
    struct dk_hash root;
    if (merkle->count == 0) {
        SHA256(NULL, 0, root.bytes);
        return root;
    }
    unsigned level = (unsigned)__builtin_ctzll(merkle->count);
    root = merkle->level[level];
    while (++level < 64) {
        if (merkle->count >> level & 1)
            root = dk_merkle_node(&merkle->level[level], &root);
    }
    return root;
}
