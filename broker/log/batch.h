/* The records of one commit, side by side in memory, and the records of one read. */
#ifndef DK_LOG_BATCH_H
#define DK_LOG_BATCH_H

#include <stddef.h>
#include <stdint.h>

/* `count` encoded, stamped records with the positions first, first + 1, ...; record i is
 * data[offset[i]] .. data[offset[i + 1]]. Borrowed by whoever is handed one. */
struct dk_batch {
    uint64_t first;
    size_t count;
    const uint8_t *data;
    const uint32_t *offset; /* count + 1 of them, offset[0] = 0 */
};

static inline const uint8_t *dk_batch_record(const struct dk_batch *batch, size_t i, size_t *bytes)
{
    *bytes = batch->offset[i + 1] - batch->offset[i];
    return batch->data + batch->offset[i];
}

/* Where a read copies to. Its memory is kept from read to read. */
struct dk_records {
    struct dk_batch batch;
    uint8_t *data;
    size_t data_capacity;
    uint32_t *offset;
    size_t offset_capacity;
};
void dk_records_init(struct dk_records *records);
void dk_records_close(struct dk_records *records);
/* Sets first and count to nothing; the memory stays. */
void dk_records_clear(struct dk_records *records);
/* Makes room for `count` more records of `bytes` bytes in all. 0 or DK_ENOMEM
 * (DK_READ_MAX_BYTES + one record is the bound). */
int dk_records_reserve(struct dk_records *records, size_t bytes, size_t count);
/* Appends one record's bytes; the first one's position is set by the caller in batch.first.
 * 0 or DK_ENOMEM. */
int dk_records_add(struct dk_records *records, const uint8_t *record, size_t bytes);

#endif
