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

static void add_place(struct sim_store *store, size_t offset, size_t bytes)
{
    if (store->appended == store->place_capacity) {
        store->place_capacity = store->place_capacity == 0 ? 256 : store->place_capacity * 2;
        store->place = realloc(store->place, store->place_capacity * sizeof *store->place);
        DK_ASSERT(store->place != NULL);
    }
    store->place[store->appended++] = (struct sim_place){offset, bytes};
}

/* Notes where a batch's records are and moves the end. */
static void add_places(struct sim_store *store, const uint32_t *offset, size_t count)
{
    size_t records = store->end + sizeof(struct header) + (count + 1) * sizeof *offset;
    for (size_t i = 0; i < count; i++) {
        add_place(store, records + offset[i], offset[i + 1] - offset[i]);
    }
    store->end = records + offset[count];
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
    (void)err;
    DK_ASSERT(batch->count > 0 && batch->first == store->appended + 1);
    dk_buf_init(&buf, BATCH_MAX_BYTES);
    int rc = dk_buf_append(&buf, &header, sizeof header);
    rc = rc != 0 ? rc : dk_buf_append(&buf, batch->offset, offsets);
    rc = rc != 0 ? rc : dk_buf_append(&buf, batch->data, batch->offset[batch->count]);
    DK_ASSERT(rc == 0);
    header.crc = crc_of(header, buf.data + sizeof header);
    memcpy(buf.data, &header, sizeof header);
    sim_disk_write(store->disk, store->end, buf.data, buf.size);
    dk_buf_close(&buf);
    add_places(store, batch->offset, batch->count);
    return 0;
}

static int sync(void *self, struct dk_err *err)
{
    struct sim_store *store = self;
    (void)err;
    sim_disk_sync(store->disk);
    store->durable = store->appended;
    return 0;
}

static int read(void *self, uint64_t from, size_t max_bytes, struct dk_records *out,
                struct dk_err *err)
{
    const struct sim_store *store = self;
    const uint8_t *record;
    size_t bytes;
    (void)err;
    DK_ASSERT(from > 0);
    dk_records_clear(out);
    out->batch.first = from;
    for (uint64_t at = from; (record = sim_store_record(store, at, &bytes)) != NULL; at++) {
        if (out->batch.count > 0 && out->batch.offset[out->batch.count] + bytes > max_bytes) {
            break;
        }
        int rc = dk_records_add(out, record, bytes);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static uint64_t last(void *self)
{
    const struct sim_store *store = self;
    return store->durable;
}

/* ---------------------------------------------------------------- opening */

/* Takes in the batch at the end; false when none that is whole stands there. */
static bool open_batch(struct sim_store *store)
{
    struct header header;
    size_t left = store->disk->bytes - store->end;
    const uint8_t *at = store->disk->platter + store->end;
    if (left < sizeof header) {
        return false;
    }
    memcpy(&header, at, sizeof header);
    if (header.magic != MAGIC || header.first != store->appended + 1 ||
        header.bytes > left - sizeof header || crc_of(header, at + sizeof header) != header.crc) {
        return false;
    }
    uint32_t *offset = malloc((header.count + 1) * sizeof *offset);
    DK_ASSERT(offset != NULL);
    memcpy(offset, at + sizeof header, (header.count + 1) * sizeof *offset);
    add_places(store, offset, header.count);
    free(offset);
    return true;
}

void sim_store_init(struct sim_store *store, struct sim_disk *disk)
{
    memset(store, 0, sizeof *store);
    store->store = (struct dk_store){store, append, sync, read, last};
    store->disk = disk;
    while (open_batch(store)) {
    }
    store->durable = store->appended;
}

void sim_store_close(struct sim_store *store)
{
    free(store->place);
    memset(store, 0, sizeof *store);
}

const uint8_t *sim_store_record(const struct sim_store *store, uint64_t position, size_t *bytes)
{
    if (position == 0 || position > store->durable) {
        return NULL;
    }
    *bytes = store->place[position - 1].bytes;
    return store->disk->platter + store->place[position - 1].offset;
}
