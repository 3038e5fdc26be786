/* A table's parts, for table.c and table_packed.c. */
#ifndef DK_RUNTIME_TABLE_INTERNAL_H
#define DK_RUNTIME_TABLE_INTERNAL_H

#include "nodes/runtime/table.h"
#include "proto/base/map.h"

/* An entry of a table whose values have sizes of their own. */
struct own_size {
    uint8_t *data;
    uint32_t bytes, capacity;
};

/* A hot entry of a packed table. */
struct hot {
    uint64_t key;
    size_t place; /* in packed.hot */
    uint32_t bytes, capacity;
    uint64_t round; /* of its last edit */
    uint64_t word[];
};

/* An entry's slot in the map: the address of a struct hot, or where it stands cold:
 * segment << 11 | row << 1 | 1. */
#define SLOT_ROW_BITS 10
_Static_assert(1 << SLOT_ROW_BITS == DK_PACK_ROWS_MAX, "rows fill their bits");

static inline bool slot_is_cold(uint64_t slot)
{
    return (slot & 1) != 0;
}

struct packed {
    struct dk_segments segments;
    struct hot **hot;
    size_t hot_count, hot_capacity;
    size_t kept;         /* hot after the last round */
    uint64_t round;      /* from 1 on; what is restored is of round 0 */
    struct dk_buf *warm; /* copies of cold values that were asked for since the last edit */
    size_t warm_count, warm_capacity;
};

/* Behind each value: which lists its key stands in. It lies where a change has to look anyway. */
struct marks {
    uint32_t dirty; /* the table's turn in which it was put down as changed; 0: none */
    uint32_t stale; /* its value is out of the sum */
};

struct keys {
    uint64_t *key;
    size_t count, capacity;
};

struct dk_table {
    unsigned number;
    size_t value_bytes; /* 0: struct own_size in the map */
    size_t marks_at;    /* in an entry */
    struct dk_map entries;
    struct keys dirty; /* changed since the last checkpoint */
    struct keys stale; /* changed since the last hash */
    uint32_t turn;     /* counts checkpoints, from 1 */
    uint64_t sum;
    bool on_disk;
    struct packed *packed;        /* NULL: it is not packed; else a slot each in the map */
    struct dk_buf *room, *walked; /* a cold value: to be hashed, and of dk_table_next */
};

uint64_t table_hash_value(const struct dk_table *table, uint64_t key, const void *value,
                          size_t bytes);

/* A checkpoint has to look at it. */
void table_mark_dirty(struct dk_table *table, uint64_t key, void *entry);

void table_packed_new(struct dk_table *table, struct dk_pack_layout layout);
void table_packed_free(struct dk_table *table);

/* A hot value where it is, a cold one in `room`. */
const void *table_packed_value(const struct packed *packed, uint64_t slot, size_t *bytes,
                               struct dk_buf *room);
/* Room for one more copy that is good until the next edit. */
struct dk_buf *table_packed_warm(struct packed *packed);

/* The value to change, hot; `*slot` 0: a new one. */
void *table_packed_edit(struct dk_table *table, uint64_t key, uint64_t *slot, size_t bytes);
/* A new hot entry that was not edited. */
void *table_packed_put(struct packed *packed, uint64_t key, uint64_t *slot, size_t bytes);
/* Before its slot goes. */
void table_packed_remove(struct dk_table *table, uint64_t key, const uint64_t *slot);

#endif
