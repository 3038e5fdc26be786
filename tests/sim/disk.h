/* A file on a disk that keeps a promise only when it was synced.
 *
 * Writes go to a cache, cut at sectors of 512 bytes. A sync brings all of them onto the platter. A
 * crash brings any subset, in any order: a sector is old or new, never half, and of a sector that
 * was written twice either version, or none, may be there. */
#ifndef DK_SIM_DISK_H
#define DK_SIM_DISK_H

#include "proto/base/err.h"
#include "tests/lib/random.h"
#include <stddef.h>
#include <stdint.h>

#define SIM_SECTOR_BYTES 512

struct sim_sector {
    size_t number;
    uint8_t data[SIM_SECTOR_BYTES];
};

struct sim_disk {
    uint8_t *platter;
    size_t bytes;             /* whole sectors; beyond: zeros */
    struct sim_sector *cache; /* in the order of the writes */
    size_t cached, cache_capacity;
    struct test_random *failing; /* the next sync fails, and this chance decides; else NULL */
    unsigned failing_keep_permille;
};

void sim_disk_init(struct sim_disk *disk);
void sim_disk_close(struct sim_disk *disk);

void sim_disk_write(struct sim_disk *disk, size_t offset, const void *data, size_t bytes);
/* 0, or DK_EIO when it was to fail. */
int sim_disk_sync(struct sim_disk *disk, struct dk_err *err);

/* The next sync fails: each cached sector is kept with this chance, and the others are given up, so
 * that a sync after that one succeeds. `random` is borrowed until then; NULL: it succeeds after
 * all.
 */
void sim_disk_fail_sync(struct sim_disk *disk, struct test_random *random, unsigned keep_permille);

/* All from `bytes` on is zeros, on the platter too; nothing may be cached. */
void sim_disk_cut(struct sim_disk *disk, size_t bytes);

/* Power is lost: each cached sector is kept with this chance. 1000: only the process died. */
void sim_disk_crash(struct sim_disk *disk, struct test_random *random, unsigned keep_permille);

#endif
