/* A shelf: rows added at its end and forgotten from its begin, that can be looked at as they were.
 *
 *      begin                        end
 *        v                           v
 *   | ...rows | rows | rows | rows...|     chunks of DK_SHELF_CHUNK rows, which never move
 *
 * Rows are numbered from 0 on as they are added, and keep their numbers. A view holds the chunks of
 * a moment: to take one costs a pointer a chunk, whatever the rows hold. A chunk that a view holds
 * is copied before a row in it is edited, once; so a view may be read by another thread while its
 * owner goes on with the rows. Views are taken and closed in the owner's thread. */
#ifndef DK_CORE_SHELF_H
#define DK_CORE_SHELF_H

#include "proto/base/buf.h"
#include <stddef.h>
#include <stdint.h>

#define DK_SHELF_CHUNK 1024

struct dk_shelf_chunk;

struct dk_shelf {
    struct dk_shelf_chunk **chunk;
    size_t chunk_count, chunk_capacity;
    size_t row_bytes;
    uint64_t first;      /* the number of chunk[0]'s first row */
    uint64_t begin, end; /* the rows that there are */
};

void dk_shelf_init(struct dk_shelf *shelf, size_t row_bytes);
void dk_shelf_close(struct dk_shelf *shelf); /* of a view too */

static inline size_t dk_shelf_count(const struct dk_shelf *shelf)
{
    return (size_t)(shelf->end - shelf->begin);
}

/* Row `number`, begin <= number < end. To edit: NULL when there is no memory for the copy. Good
 * until the next edit of the rows, add and drop. */
const void *dk_shelf_get(const struct dk_shelf *shelf, uint64_t number);
void *dk_shelf_edit(struct dk_shelf *shelf, uint64_t number);

/* Adds a row, whose bytes the caller sets. NULL without memory. */
void *dk_shelf_add(struct dk_shelf *shelf);

/* Takes the newest row away: one that was added after the last view was taken. */
void dk_shelf_cut(struct dk_shelf *shelf);

/* Forgets the rows before `begin`. */
void dk_shelf_drop(struct dk_shelf *shelf, uint64_t begin);

/* Takes a view, to be closed. 0 or DK_ENOMEM. */
int dk_shelf_freeze(const struct dk_shelf *shelf, struct dk_shelf *view);

/* Their number (uint64_t), then their bytes. 0 or DK_ETOOBIG. */
int dk_shelf_save(const struct dk_shelf *view, struct dk_buf *out);

size_t dk_shelf_bytes(const struct dk_shelf *shelf); /* memory taken */

#endif
