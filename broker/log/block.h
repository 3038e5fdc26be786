/* The block: how records stand in one LMDB value.
 *
 *   offset 0      4      8                8 + 4 * (count + 1)
 *         +------+------+-----------------+----------------------------+
 *         |format|count | offset[count+1] | record 0 | record 1 | ...  |
 *         +------+------+-----------------+----------------------------+
 *
 * 32-bit little-endian numbers; offset[i] counts from the block's begin, offset[count] is its
 * length. The key is record 0's position, so record n stands in the last block whose key is <= n.
 *
 * LMDB keeps a value of about 2 KB inside a leaf page, two to a page; a larger one takes whole 4
 * KiB pages of its own. `dk_block_plan` therefore cuts a small commit into inline blocks and a
 * large one into blocks near 256 records, so that the file stays near the records' own size. */
#ifndef DK_LOG_BLOCK_H
#define DK_LOG_BLOCK_H

#include "broker/log/batch.h"
#include "proto/base/err.h"
#include "proto/base/limits.h"
#include <stddef.h>
#include <stdint.h>

#define DK_BLOCK_FORMAT 1

static inline size_t dk_block_bytes(size_t count, size_t record_bytes)
{
    return 8 + 4 * (count + 1) + record_bytes;
}

/* How many of the batch's records from `start` on go into the next block (>= 1): the count for
 * which LMDB's pages hold the least beside the records. */
size_t dk_block_plan(const struct dk_batch *batch, size_t start);

/* Writes records start..start+count-1 of the batch as one block at `out`, which has
 * dk_block_bytes(...) of room. */
void dk_block_write(uint8_t *out, const struct dk_batch *batch, size_t start, size_t count);

/* Checks a stored value's structure once (format, count, every offset in order and in bounds), so
 * that dk_block_record needs no checks. 0, DK_EVERSION, DK_ECORRUPT. */
struct dk_block {
    const uint8_t *data;
    size_t count;
};
int dk_block_open(struct dk_block *block, const void *data, size_t bytes, struct dk_err *err);
const uint8_t *dk_block_record(const struct dk_block *block, size_t i, size_t *bytes);

/* Appends `count` records from the start-th on to `out`, in one copy. 0 or DK_ENOMEM. */
int dk_block_copy(const struct dk_block *block, size_t start, size_t count, struct dk_records *out);

#endif
