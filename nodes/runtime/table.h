/* A role's state: tables from a 64-bit key to bytes, checkpointed by what changed, hashed as a set.
 *
 * Everything that `apply` computes stands in tables, so that restoring, hashing and comparing a
 * state is one piece of code for all roles. Values are flat bytes: no pointers, no undefined
 * padding. What a role derives from its tables for speed (queues, heaps) is rebuilt after a
 * restore.
 *
 * The hash of a table is the sum, modulo 2^64, of a 64-bit hash of each (table number, key, value):
 * it does not depend on the order in which entries came, and a change costs only itself.
 *
 * A table may be packed (`dk_table_pack`): then entries that are not edited for a while go, a round
 * of them at a time, from the heap into segments (segments.h), in the order of their keys, as
 * subjects that were made one after the other live at about the same time.
 *
 *            edit                        chill: a round
 *   (none) --------> hot: on the heap ------------------> cold: a row of a segment
 *                         ^                                   |
 *                         +---------- edit: the row dies -----+
 *
 * What is cold is hashed, found and walked as what is hot is; nobody but a checkpoint and a scan
 * needs to know. A segment of which more than half is dead gives the rest back to the heap. */
#ifndef DK_RUNTIME_TABLE_H
#define DK_RUNTIME_TABLE_H

#include "nodes/runtime/segments.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_table;

/* `value_bytes` > 0: every value has this size. 0: each value has its own. `number` tells tables of
 * one state apart, 0..15. */
int dk_table_new(struct dk_table **table, unsigned number, size_t value_bytes, struct dk_err *err);
void dk_table_free(struct dk_table **table);

/* Values of this layout may be packed from now on; of an empty table. */
void dk_table_pack(struct dk_table *table, struct dk_pack_layout layout);

size_t dk_table_count(const struct dk_table *table);

/* The value, or NULL; `*bytes` may be NULL. Good until the next edit, remove or chill of this
 * table. */
const void *dk_table_get(const struct dk_table *table, uint64_t key, size_t *bytes);

/* The value to change, created zeroed when absent; it counts as changed. With tables of own sizes
 * `bytes` is the size wanted: kept bytes stay, new ones are zero. Good until the next edit. */
void *dk_table_edit(struct dk_table *table, uint64_t key, size_t bytes);
/* Puts an entry as a checkpoint has it: the hash counts it, and it does not count as changed.
 * false: the table has such a key, or its values are of another size. */
bool dk_table_restore(struct dk_table *table, uint64_t key, const void *value, size_t bytes);
void dk_table_remove(struct dk_table *table, uint64_t key);

/* Entries in no particular order; `*cursor` starts at 0; false at the end. The value is good until
 * the next call, too. */
bool dk_table_next(const struct dk_table *table, size_t *cursor, uint64_t *key, const void **value,
                   size_t *bytes);

/* Of all entries now; costs what changed since the last call. */
uint64_t dk_table_hash(struct dk_table *table);

/* A round, when it is due: DK_TABLE_ROUND entries, or half of those that the last round kept if that
 * is more, became hot since. Entries that were not edited since the last round are packed: the cost
 * is a constant for each edit. Of a table that is not packed: nothing. */
#define DK_TABLE_ROUND 65536
void dk_table_chill(struct dk_table *table);
/* A round now. */
void dk_table_chill_now(struct dk_table *table);

/* ---- scanning, by any number of threads as long as nothing changes the table ---- */

/* The segments: those with `bytes`, and of these the rows that live, are the cold entries. NULL: the
 * table is not packed. */
const struct dk_segments *dk_table_segments(const struct dk_table *table);
/* The other entries of a packed table, numbered from 0. */
size_t dk_table_hot_count(const struct dk_table *table);
const void *dk_table_hot(const struct dk_table *table, size_t number, uint64_t *key, size_t *bytes);
/* As dk_table_get; the value stands in the table or in `room`. */
const void *dk_table_read(const struct dk_table *table, uint64_t key, size_t *bytes,
                          struct dk_buf *room);

/* ---- for a checkpoint: entries by key, and segments by number ---- */

/* Something of the table may be on disk from now on: what goes cold is named as changed, so that it
 * goes there too. */
void dk_table_saving(struct dk_table *table);
/* The keys changed, removed or gone cold since the last `dk_table_clean`, in no particular order; one
 * that was removed and came again may come twice. */
bool dk_table_next_dirty(const struct dk_table *table, size_t *cursor, uint64_t *key);
size_t dk_table_dirty_count(const struct dk_table *table);
/* The value that is to be on disk as an entry; NULL: none is (it was removed, or is cold). */
const void *dk_table_saved(const struct dk_table *table, uint64_t key, size_t *bytes);
void dk_table_clean(struct dk_table *table);

/* Puts a segment as a checkpoint has it. DK_ECORRUPT: damaged, or it holds a key that is there. */
int dk_table_restore_segment(struct dk_table *table, uint32_t number, const void *bytes,
                             size_t size, const struct dk_segment_marks *marks, struct dk_err *err);
/* After the last one. */
void dk_table_restored(struct dk_table *table);

#endif
