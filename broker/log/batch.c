#include "broker/log/batch.h"

#include "proto/base/err.h"
#include "proto/base/limits.h"
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX_BYTES (DK_READ_MAX_BYTES + DK_RECORD_MAX_BYTES)

void dk_records_init(struct dk_records *records)
{
    memset(records, 0, sizeof *records);
}

void dk_records_close(struct dk_records *records)
{
    free(records->data);
    free(records->offset);
    dk_records_init(records);
}

void dk_records_clear(struct dk_records *records)
{
    records->batch.first = 0;
    records->batch.count = 0;
}

static size_t used_bytes(const struct dk_records *records)
{
    return records->batch.count == 0 ? 0 : records->offset[records->batch.count];
}

/* Doubles until `need` fits. */
static size_t grown(size_t capacity, size_t need)
{
    size_t size = capacity < 64 ? 64 : capacity;
    while (size < need)
        size *= 2;
    return size;
}

int dk_records_reserve(struct dk_records *records, size_t bytes, size_t count)
{
    size_t need_bytes = used_bytes(records) + bytes;
    if (need_bytes > RECORDS_MAX_BYTES)
        return DK_ENOMEM;
    if (need_bytes > records->data_capacity) {
        size_t capacity = grown(records->data_capacity, need_bytes);
        uint8_t *data = realloc(records->data, capacity);
        if (data == NULL)
            return DK_ENOMEM;
        records->data = data;
        records->data_capacity = capacity;
    }

    size_t need_offsets = records->batch.count + count + 1;
    if (need_offsets > records->offset_capacity) {
        size_t capacity = grown(records->offset_capacity, need_offsets);
        uint32_t *offset = realloc(records->offset, capacity * sizeof *offset);
        if (offset == NULL)
            return DK_ENOMEM;
        records->offset = offset;
        records->offset_capacity = capacity;
    }
    records->offset[0] = 0;
    records->batch.data = records->data;
    records->batch.offset = records->offset;
    return 0;
}

int dk_records_add(struct dk_records *records, const uint8_t *record, size_t bytes)
{
    int rc = dk_records_reserve(records, bytes, 1);
    if (rc != 0)
        return rc;

    size_t at = used_bytes(records);
    memcpy(records->data + at, record, bytes);
    records->batch.count++;
    records->offset[records->batch.count] = (uint32_t)(at + bytes);
    return 0;
}
