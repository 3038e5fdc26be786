#include "tests/sim/store.h"

#include "proto/base/buf.h"
#include "proto/base/crc32c.h"
#include <stdlib.h>
#include <string.h>

#define MAGIC           UINT32_C(0x746b6364)
#define BATCH_MAX_BYTES (16 * 1024 * 1024)

struct header {
    uint32_t magic, count, bytes, zero;
    uint64_t first;
    uint32_t crc; /* over all that follows, and over the header with this 0 */
    uint32_t reserved;
};

static uint32_t crc_of(struct header header, const uint8_t *rest)
{
    header.crc = 0;
    uint32_t crc = dk_crc32c(0, &header, sizeof header);
    return dk_crc32c(crc, rest, header.bytes);
}

/* ---------------------------------------------------------------- struct dk_store */

static int append(void *self, const struct dk_batch *batch, struct dk_err *err)
{
    struct sim_store *store = self;
    struct dk_buf buf;
    size_t offsets = (batch->count + 1) * sizeof *batch->offset;
    struct header header = {
        .magic = MAGIC,
        .count = (uint32_t)batch->count,
        .bytes = (uint32_t)(offsets + batch->offset[batch->count]),
        .first = batch->first,
    };
    dk_buf_init(&buf, BATCH_MAX_BYTES);
    int rc = dk_buf_append(&buf, &header, sizeof header);
    rc = rc != 0 ? rc : dk_buf_append(&buf, batch->offset, offsets);
    rc = rc != 0 ? rc : dk_buf_append(&buf, batch->data, batch->offset[batch->count]);
    DK_ASSERT(rc == 0);
    header.crc = crc_of(header, buf.data + sizeof header);
    memcpy(buf.data, &header, sizeof header);
    sim_disk_write(store->disk, store->end, buf.data, buf.size);
    store->end += buf.size;
    dk_buf_close(&buf);
    return store->memory.store.append(&store->memory, batch, err);
}

static int sync(void *self, struct dk_err *err)
{
    struct sim_store *store = self;
    int rc = sim_disk_sync(store->disk, err);
    return rc != 0 ? rc : store->memory.store.sync(&store->memory, err);
}

static int read(void *self, uint64_t from, size_t max_bytes, struct dk_records *out,
                struct dk_err *err)
{
    struct sim_store *store = self;
    return store->memory.store.read(&store->memory, from, max_bytes, out, err);
}

static uint64_t last(void *self)
{
    struct sim_store *store = self;
    return store->memory.store.last(&store->memory);
}

/* ---------------------------------------------------------------- opening */

/* Takes in the batch at the end; false when none that is whole stands there. */
static bool open_batch(struct sim_store *store)
{
    struct header header;
    struct dk_err err;
    size_t left = store->disk->bytes - store->end;
    if (left < sizeof header) {
        return false;
    }
    const uint8_t *at = store->disk->platter + store->end;
    memcpy(&header, at, sizeof header);
    at += sizeof header;
    if (header.magic != MAGIC || header.first != store->memory.appended + 1 ||
        header.bytes > left - sizeof header || crc_of(header, at) != header.crc) {
        return false;
    }
    size_t offsets = (header.count + 1) * sizeof(uint32_t);
    uint32_t *offset = malloc(offsets); /* aligned, as on the disk they are not */
    DK_ASSERT(offset != NULL);
    memcpy(offset, at, offsets);
    struct dk_batch batch = {header.first, header.count, at + offsets, offset};
    int rc = store->memory.store.append(&store->memory, &batch, &err);
    DK_ASSERT(rc == 0);
    free(offset);
    store->end += sizeof header + header.bytes;
    return true;
}

void sim_store_init(struct sim_store *store, struct sim_disk *disk)
{
    struct dk_err err;
    store->store = (struct dk_store){store, append, sync, read, last};
    store->disk = disk;
    store->end = 0;
    memory_store_init(&store->memory);
    while (open_batch(store)) {
    }
    /* What is torn is cut off for good, as LMDB's next commit would never take it in again: or its
     * sectors and those of a batch torn in its place later could make it up. */
    sim_disk_cut(disk, store->end);
    int rc = store->memory.store.sync(&store->memory, &err);
    DK_ASSERT(rc == 0);
}

void sim_store_close(struct sim_store *store)
{
    memory_store_close(&store->memory);
}

uint64_t sim_store_last(const struct sim_store *store)
{
    return store->memory.durable;
}

const uint8_t *sim_store_record(const struct sim_store *store, uint64_t position, size_t *bytes)
{
    return position <= store->memory.durable ? memory_store_record(&store->memory, position, bytes)
                                             : NULL;
}
