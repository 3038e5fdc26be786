#include "broker/log/block.h"

#include <string.h>

/* What LMDB 0.9 makes of a value, with pages of 4 KiB: a node (8 bytes, the key, the value, even)
 * and its 2-byte index stand in a leaf of 4,080 bytes while the node is at most 2,038 bytes; a
 * larger value takes whole pages of its own, the first of which has a 16-byte header, and leaves a
 * node with a page number in the leaf. */
#define PAGE_BYTES        4096
#define PAGE_HEADER_BYTES 16
#define LEAF_BYTES        (PAGE_BYTES - PAGE_HEADER_BYTES)
#define NODE_MAX_BYTES    2038
#define NODE_BYTES        16 /* header, and a key of 8 bytes */
#define INDEX_BYTES       2
#define OVERFLOW_NODE     (NODE_BYTES + 8 + INDEX_BYTES)

/* A large block is worth a sixteenth of its records' bytes: fewer keys to search and to scan. */
#define GOOD_ENOUGH 16

static uint32_t load_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void store_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

/* Bytes on disk that a value takes. An inline node pays for its share of what is left over at a
 * page's end: half a node a page, when sizes are mixed. */
static size_t disk_bytes(size_t value_bytes)
{
    size_t node = NODE_BYTES + value_bytes + (value_bytes & 1);
    if (node > NODE_MAX_BYTES) {
        size_t pages = (PAGE_HEADER_BYTES + value_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
        return pages * PAGE_BYTES + OVERFLOW_NODE;
    }
    node += INDEX_BYTES;
    return node + node * node / (2 * LEAF_BYTES);
}

size_t dk_block_plan(const struct dk_batch *batch, size_t start)
{
    const uint32_t *offset = batch->offset + start;
    size_t left = batch->count - start;
    size_t most = left < DK_BLOCK_MAX_RECORDS ? left : DK_BLOCK_MAX_RECORDS;
    while (most > 1 && dk_block_bytes(most, offset[most] - offset[0]) > DK_BLOCK_MAX_BYTES)
        most--;

    size_t best = 0;
    size_t best_disk = 0, best_bytes = 1;
    for (size_t count = most; count >= 1; count--) {
        size_t bytes = offset[count] - offset[0];
        size_t disk = disk_bytes(dk_block_bytes(count, bytes));
        if (disk <= bytes + bytes / GOOD_ENOUGH)
            return count;
        if (best == 0 || disk * best_bytes < best_disk * bytes) {
            best = count;
            best_disk = disk;
            best_bytes = bytes;
        }
    }
    return best;
}

void dk_block_write(uint8_t *out, const struct dk_batch *batch, size_t start, size_t count)
{
    const uint32_t *offset = batch->offset + start;
    size_t begin = dk_block_bytes(count, 0);

    store_u32(out, DK_BLOCK_FORMAT);
    store_u32(out + 4, (uint32_t)count);
    for (size_t i = 0; i <= count; i++)
        store_u32(out + 8 + 4 * i, (uint32_t)(begin + offset[i] - offset[0]));
    memcpy(out + begin, batch->data + offset[0], offset[count] - offset[0]);
}

static uint32_t block_offset(const struct dk_block *block, size_t i)
{
    return load_u32(block->data + 8 + 4 * i);
}

int dk_block_open(struct dk_block *block, const void *data, size_t bytes, struct dk_err *err)
{
    block->data = data;
    block->count = 0;
    if (bytes > DK_BLOCK_MAX_BYTES)
        return dk_err_set(err, DK_ECORRUPT, "a block of %zu bytes is larger than any", bytes);
    if (bytes < dk_block_bytes(1, 0))
        return dk_err_set(err, DK_ECORRUPT, "a block of %zu bytes is shorter than its header",
                          bytes);
    if (load_u32(block->data) != DK_BLOCK_FORMAT)
        return dk_err_set(err, DK_EVERSION, "a block has format %u, known here is %u",
                          load_u32(block->data), DK_BLOCK_FORMAT);

    size_t count = load_u32(block->data + 4);
    if (count < 1 || count > DK_BLOCK_MAX_RECORDS)
        return dk_err_set(err, DK_ECORRUPT, "a block counts %zu records, 1 to %d can be", count,
                          DK_BLOCK_MAX_RECORDS);

    size_t begin = dk_block_bytes(count, 0);
    if (bytes < begin || block_offset(block, 0) != begin || block_offset(block, count) != bytes)
        return dk_err_set(err, DK_ECORRUPT, "a block's offsets do not span its %zu bytes", bytes);
    for (size_t i = 0; i < count; i++) {
        if (block_offset(block, i) >= block_offset(block, i + 1))
            return dk_err_set(err, DK_ECORRUPT, "the offsets of a block's record %zu go backward",
                              i);
    }
    block->count = count;
    return 0;
}

const uint8_t *dk_block_record(const struct dk_block *block, size_t i, size_t *bytes)
{
    uint32_t begin = block_offset(block, i);
    *bytes = block_offset(block, i + 1) - begin;
    return block->data + begin;
}

int dk_block_copy(const struct dk_block *block, size_t start, size_t count, struct dk_records *out)
{
    uint32_t begin = block_offset(block, start);
    size_t bytes = block_offset(block, start + count) - begin;
    int rc = dk_records_reserve(out, bytes, count);
    if (rc != 0)
        return rc;

    uint32_t at = out->offset[out->batch.count];
    memcpy(out->data + at, block->data + begin, bytes);
    for (size_t i = 1; i <= count; i++)
        out->offset[out->batch.count + i] = at + (block_offset(block, start + i) - begin);
    out->batch.count += count;
    return 0;
}
