/* Tells the operator of readers that pin pages of the log: one that stopped within a transaction
 * keeps every page that was in use then, and the file grows by what could be used again. */
#ifndef DK_NET_PINNED_H
#define DK_NET_PINNED_H

#include "broker/log/log.h"

#define DK_PINNED_COMMITS 1000 /* so far behind is no reader that copies and goes on */
#define DK_PINNED_MAX     126  /* LMDB's reader table */

/* Zeroed: nobody was told of. */
struct dk_pinned {
    uint32_t pid[DK_PINNED_MAX];
    size_t count;
};

/* Warns of each process that pins, once until it has gone on or ended; that is said, too. `info` is
 * what dk_log_readers gave. For every second or so. */
void dk_pinned_look(struct dk_pinned *pinned, const struct dk_log_reader_info *info, size_t count);

#endif
