/* A dk_store in memory, which forgets in a crash what was not synced. */
#ifndef DK_TESTS_MEMORY_STORE_H
#define DK_TESTS_MEMORY_STORE_H

#include "broker/log/store.h"
#include <stddef.h>
#include <stdint.h>

struct memory_store {
    struct dk_store store; /* hand &memory.store to whoever wants one */
    uint8_t *data;
    size_t data_bytes, data_capacity;
    size_t *offset; /* appended + 1 of them: record i is data[offset[i]] .. data[offset[i + 1]] */
    size_t offset_capacity;
    uint64_t appended; /* records, durable or not */
    uint64_t durable;
};

void memory_store_init(struct memory_store *memory);
void memory_store_close(struct memory_store *memory);

/* The process dies: what was appended since the last sync is gone. */
void memory_store_crash(struct memory_store *memory);

/* The bytes at a position, to look at or to damage; NULL beyond the last appended. */
uint8_t *memory_store_record(const struct memory_store *memory, uint64_t position, size_t *bytes);

#endif
