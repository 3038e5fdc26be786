/* Any values packed come back; any change of a packed segment, its CRC made right, is refused or is
 * read within its bytes.
 *
 *   one byte: rows' items | bytes of values, repeated | 3 bytes a change: where, where, what */
#include "nodes/runtime/pack.h"

#include "proto/base/crc32c.h"
#include <stdlib.h>
#include <string.h>

#define ROWS    12
#define CHANGES 8

static const struct dk_pack_layout layout = {3, 2};

static void pack_some(const uint8_t *data, size_t size, uint64_t *word, struct dk_pack_row *row)
{
    size_t at = 1, items;
    for (size_t i = 0; i < ROWS; i++) {
        items = (data[0] + i * (data[0] >> 4)) % 5;
        row[i] = (struct dk_pack_row){i + 1, word, (3 + 2 * items) * sizeof *word};
        for (size_t k = 0; k < 3 + 2 * items; k++, word++) {
            size_t bytes = 1 + data[at % size] % sizeof *word;
            *word = 0;
            for (size_t b = 0; b < bytes; b++)
                ((uint8_t *)word)[b] = data[(at + b) % size];
            at += bytes;
        }
    }
}

static void read_all(const struct dk_pack *pack, const struct dk_pack_row *row)
{
    struct dk_pack_rows rows = {0};
    dk_pack_read(pack, DK_PACK_ALL, &rows);
    for (size_t i = 0; i < pack->rows; i++) {
        size_t bytes = (rows.begin[i + 1] - rows.begin[i]) * sizeof(uint64_t);
        uint64_t *one = malloc(bytes);
        DK_ASSERT(one != NULL);
        dk_pack_read_row(pack, i, one);
        DK_ASSERT(memcmp(one, rows.word + rows.begin[i], bytes) == 0);
        DK_ASSERT(row == NULL || (bytes == row[i].bytes && memcmp(one, row[i].value, bytes) == 0 &&
                                  dk_pack_key(pack, i) == row[i].key));
        free(one);
    }
    dk_pack_rows_close(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t word[ROWS * 11];
    struct dk_pack_row row[ROWS];
    struct dk_pack pack;
    struct dk_err err;
    uint8_t *bytes;
    size_t packed;
    if (size < 2)
        return 0;
    pack_some(data, size, word, row);
    dk_pack_write(layout, row, ROWS, &bytes, &packed);
    DK_ASSERT(dk_pack_open(&pack, layout, bytes, packed, &err) == 0);
    read_all(&pack, row);
    for (size_t i = 0; i < CHANGES && 3 * (i + 1) < size; i++) {
        const uint8_t *change = data + size - 3 * (i + 1);
        bytes[(change[0] | (size_t)change[1] << 8) % packed] = change[2];
        uint32_t crc = dk_crc32c(0, bytes + sizeof crc, packed - sizeof crc);
        memcpy(bytes, &crc, sizeof crc);
        if (dk_pack_open(&pack, layout, bytes, packed, &err) == 0)
            read_all(&pack, NULL);
    }
    free(bytes);
    return 0;
}
