/* A role's state: tables from a 64-bit key to bytes, checkpointed by what changed, hashed as a set.
 *
 * Everything that `apply` computes stands in tables, so that restoring, hashing and comparing a
 * state is one piece of code for all roles. Values are flat bytes: no pointers, no undefined
 * padding. What a role derives from its tables for speed (queues, heaps) is rebuilt after a
 * restore.
 *
 * The hash of a table is the sum, modulo 2^64, of a 64-bit hash of each (table number, key, value):
 * it does not depend on the order in which entries came, and a change costs only itself. */
#ifndef DK_RUNTIME_TABLE_H
#define DK_RUNTIME_TABLE_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_table;

/* `value_bytes` > 0: every value has this size. 0: each value has its own. `number` tells tables of
 * one state apart, 0..15. */
int dk_table_new(struct dk_table **table, unsigned number, size_t value_bytes, struct dk_err *err);
void dk_table_free(struct dk_table **table);

size_t dk_table_count(const struct dk_table *table);

/* The value, or NULL; `*bytes` may be NULL. Good until the next edit of this table. */
const void *dk_table_get(const struct dk_table *table, uint64_t key, size_t *bytes);

/* The value to change, created zeroed when absent; it counts as changed. With tables of own sizes
 * `bytes` is the size wanted: kept bytes stay, new ones are zero. Good until the next edit. */
void *dk_table_edit(struct dk_table *table, uint64_t key, size_t bytes);
/* Puts an entry as a checkpoint has it: the hash counts it, and it does not count as changed.
 * false: the table has such a key, or its values are of another size. */
bool dk_table_restore(struct dk_table *table, uint64_t key, const void *value, size_t bytes);
void dk_table_remove(struct dk_table *table, uint64_t key);

/* Entries in no particular order; `*cursor` starts at 0; false at the end. */
bool dk_table_next(const struct dk_table *table, size_t *cursor, uint64_t *key, const void **value,
                   size_t *bytes);

/* Of all entries now; costs what changed since the last call. */
uint64_t dk_table_hash(struct dk_table *table);

/* For a checkpoint: the keys changed or removed since the last `dk_table_clean`, in no particular
 * order; one that was removed and came again may come twice. */
bool dk_table_next_dirty(const struct dk_table *table, size_t *cursor, uint64_t *key);
size_t dk_table_dirty_count(const struct dk_table *table);
void dk_table_clean(struct dk_table *table);

#endif
