/* A dk_store on a simulated disk: batches one after the other, each with its length and a crc.
 *
 *   offset 0     4     8      12      16              24    28
 *         +-----+-----+------+-------+---------------+-----+-------------------+---------+
 *         |magic|count|bytes | zero  | first position| crc | offset[count + 1] | records | ...
 *         +-----+-----+------+-------+---------------+-----+-------------------+---------+
 *
 * Opening reads batch after batch and cuts at the first that is not whole: what follows was never
 * synced. Records are read from a copy in memory, which an opening fills from the disk. */
#ifndef DK_SIM_STORE_H
#define DK_SIM_STORE_H

#include "tests/lib/memory_store.h"
#include "tests/sim/disk.h"

struct sim_store {
    struct dk_store store; /* hand &sim.store to whoever wants one */
    struct sim_disk *disk; /* borrowed */
    size_t end;            /* where the next batch goes */
    struct memory_store memory;
};

/* Reads what the disk holds. Close and init again after a crash. */
void sim_store_init(struct sim_store *store, struct sim_disk *disk);
void sim_store_close(struct sim_store *store);

/* The last durable position, 0 when there is none. */
uint64_t sim_store_last(const struct sim_store *store);
/* A durable record, borrowed until the next append; NULL beyond the last. */
const uint8_t *sim_store_record(const struct sim_store *store, uint64_t position, size_t *bytes);

#endif
