/* Rows of a table in the order of the positions at which they came there: derived, rebuilt after a
 * restore. The table's values begin with that position, a uint64_t. */
#ifndef DK_NOTIFICATION_LINE_H
#define DK_NOTIFICATION_LINE_H

#include "nodes/runtime/table.h"
#include <stddef.h>
#include <stdint.h>

struct dk_line {
    const struct dk_table *table;
    /* Among them some that have left the table since, or have another place in it. */
    struct dk_line_place {
        uint64_t position;
        uint64_t key;
    } * place;
    size_t count, capacity;
};

/* All zero but for `table` is an empty line; made from the whole table. */
void dk_line_rebuild(struct dk_line *line);
void dk_line_close(struct dk_line *line);

/* Puts a row at the end: positions only grow. */
void dk_line_add(struct dk_line *line, uint64_t position, uint64_t key);

/* The row next after position `after`, and its key; NULL when there is none. O(log n), and what has
 * left in between. */
const void *dk_line_next(const struct dk_line *line, uint64_t after, uint64_t *key);

#endif
