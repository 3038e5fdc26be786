/* A file on a disk that keeps a promise only when it was synced.
 *
 * Writes go to a cache, cut at sectors of 512 bytes. A sync brings all of them onto the platter. A
 * crash brings any subset, in any order: a sector is old or new, never half, and of a sector that
 * was written twice either version, or none, may be there. */
#ifndef DK_SIM_DISK_H
#define DK_SIM_DISK_H

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
};

void sim_disk_init(struct sim_disk *disk);
void sim_disk_close(struct sim_disk *disk);

void sim_disk_write(struct sim_disk *disk, size_t offset, const void *data, size_t bytes);
void sim_disk_sync(struct sim_disk *disk);

/* Power is lost: each cached sector is kept with this chance. 1000: only the process died. */
void sim_disk_crash(struct sim_disk *disk, struct test_random *random, unsigned keep_permille);

#endif
