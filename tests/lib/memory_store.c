#include "tests/lib/memory_store.h"

#include <stdlib.h>
#include <string.h>

static void *grow(void *memory, size_t *capacity, size_t needed, size_t each)
{
    if (needed <= *capacity) {
        return memory;
    }
    *capacity = needed * 2;
    memory = realloc(memory, *capacity * each);
    DK_ASSERT(memory != NULL);
    return memory;
}

static int append(void *self, const struct dk_batch *batch, struct dk_err *err)
{
    struct memory_store *memory = self;
    (void)err;
    DK_ASSERT(batch->count > 0 && batch->first == memory->appended + 1);
    size_t bytes = batch->offset[batch->count];
    memory->data = grow(memory->data, &memory->data_capacity, memory->data_bytes + bytes, 1);
    memory->offset = grow(memory->offset, &memory->offset_capacity,
                          (size_t)memory->appended + batch->count + 1, sizeof *memory->offset);
    memcpy(memory->data + memory->data_bytes, batch->data, bytes);
    for (size_t i = 1; i <= batch->count; i++) {
        memory->offset[memory->appended + i] = memory->data_bytes + batch->offset[i];
    }
    memory->data_bytes += bytes;
    memory->appended += batch->count;
    return 0;
}

static int sync(void *self, struct dk_err *err)
{
    struct memory_store *memory = self;
    (void)err;
    memory->durable = memory->appended;
    return 0;
}

static int read(void *self, uint64_t from, size_t max_bytes, struct dk_records *out,
                struct dk_err *err)
{
    struct memory_store *memory = self;
    (void)err;
    DK_ASSERT(from > 0);
    dk_records_clear(out);
    out->batch.first = from;
    for (uint64_t position = from; position <= memory->durable; position++) {
        size_t bytes = 0;
        const uint8_t *record = memory_store_record(memory, position, &bytes);
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
    const struct memory_store *memory = self;
    return memory->durable;
}

void memory_store_init(struct memory_store *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->store = (struct dk_store){memory, append, sync, read, last};
    memory->offset = grow(NULL, &memory->offset_capacity, 1, sizeof *memory->offset);
    memory->offset[0] = 0;
}

void memory_store_close(struct memory_store *memory)
{
    free(memory->data);
    free(memory->offset);
    memset(memory, 0, sizeof *memory);
}

void memory_store_crash(struct memory_store *memory)
{
    memory->appended = memory->durable;
    memory->data_bytes = memory->offset[memory->durable];
}

uint8_t *memory_store_record(const struct memory_store *memory, uint64_t position, size_t *bytes)
{
    if (position == 0 || position > memory->appended) {
        return NULL;
    }
    *bytes = memory->offset[position] - memory->offset[position - 1];
    return memory->data + memory->offset[position - 1];
}
