#include "tests/sim/disk.h"

#include <stdlib.h>
#include <string.h>

void sim_disk_init(struct sim_disk *disk)
{
    memset(disk, 0, sizeof *disk);
}

void sim_disk_close(struct sim_disk *disk)
{
    free(disk->platter);
    free(disk->cache);
    sim_disk_init(disk);
}

static void grow_platter(struct sim_disk *disk, size_t bytes)
{
    size_t wanted = disk->bytes == 0 ? 64 * SIM_SECTOR_BYTES : disk->bytes;
    while (wanted < bytes) {
        wanted *= 2;
    }
    if (wanted > disk->bytes) {
        disk->platter = realloc(disk->platter, wanted);
        DK_ASSERT(disk->platter != NULL);
        memset(disk->platter + disk->bytes, 0, wanted - disk->bytes);
        disk->bytes = wanted;
    }
}

/* What a reader of this sector sees now. */
static const uint8_t *latest(const struct sim_disk *disk, size_t number)
{
    for (size_t i = disk->cached; i > 0; i--) {
        if (disk->cache[i - 1].number == number) {
            return disk->cache[i - 1].data;
        }
    }
    return disk->platter + number * SIM_SECTOR_BYTES;
}

static void write_sector(struct sim_disk *disk, size_t number, size_t at, const uint8_t *data,
                         size_t bytes)
{
    if (disk->cached == disk->cache_capacity) {
        disk->cache_capacity = disk->cache_capacity == 0 ? 64 : disk->cache_capacity * 2;
        disk->cache = realloc(disk->cache, disk->cache_capacity * sizeof *disk->cache);
        DK_ASSERT(disk->cache != NULL);
    }
    struct sim_sector *sector = &disk->cache[disk->cached];
    sector->number = number;
    memcpy(sector->data, latest(disk, number), SIM_SECTOR_BYTES);
    memcpy(sector->data + at, data, bytes);
    disk->cached++;
}

void sim_disk_write(struct sim_disk *disk, size_t offset, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    grow_platter(disk, offset + bytes);
    while (bytes > 0) {
        size_t at = offset % SIM_SECTOR_BYTES;
        size_t n = SIM_SECTOR_BYTES - at < bytes ? SIM_SECTOR_BYTES - at : bytes;
        write_sector(disk, offset / SIM_SECTOR_BYTES, at, from, n);
        offset += n;
        from += n;
        bytes -= n;
    }
}

static void settle(struct sim_disk *disk, const struct sim_sector *sector)
{
    memcpy(disk->platter + sector->number * SIM_SECTOR_BYTES, sector->data, SIM_SECTOR_BYTES);
}

static void settle_all(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->cached; i++) {
        settle(disk, &disk->cache[i]);
    }
    disk->cached = 0;
}

int sim_disk_sync(struct sim_disk *disk, struct dk_err *err)
{
    struct test_random *failing = disk->failing;
    if (failing != NULL) {
        disk->failing = NULL;
        sim_disk_crash(disk, failing, disk->failing_keep_permille);
        return dk_err_set(err, DK_EIO, "cannot sync: the disk failed");
    }
    settle_all(disk);
    return 0;
}

void sim_disk_fail_sync(struct sim_disk *disk, struct test_random *random, unsigned keep_permille)
{
    disk->failing = random;
    disk->failing_keep_permille = keep_permille;
}

void sim_disk_crash(struct sim_disk *disk, struct test_random *random, unsigned keep_permille)
{
    if (keep_permille == 1000) {
        settle_all(disk);
        return;
    }
    /* A draw without return: any order. */
    while (disk->cached > 0) {
        size_t i = test_random_below(random, disk->cached);
        if (test_random_chance(random, keep_permille)) {
            settle(disk, &disk->cache[i]);
        }
        disk->cache[i] = disk->cache[--disk->cached];
    }
}

void sim_disk_cut(struct sim_disk *disk, size_t bytes)
{
    DK_ASSERT(disk->cached == 0);
    if (bytes < disk->bytes) {
        memset(disk->platter + bytes, 0, disk->bytes - bytes);
    }
}
