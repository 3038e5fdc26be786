/* Any bytes as CSV: the reader gives the same rows however they come in, passes over what it cannot
 * read, and ends. */
#include "replay/import/csv.h"

#include "proto/base/crc32c.h"
#include "proto/base/utf8.h"
#include <string.h>

struct text {
    const uint8_t *data;
    size_t size;
    size_t step;
};

static ssize_t give(void *arg, void *data, size_t bytes)
{
    struct text *text = arg;
    size_t n = text->size < text->step ? text->size : text->step;
    n = n < bytes ? n : bytes;
    if (n > 0)
        memcpy(data, text->data, n);
    text->data += n;
    text->size -= n;
    return (ssize_t)n;
}

static uint32_t read_all(const uint8_t *data, size_t size, size_t step)
{
    struct text text = {data, size, step};
    struct dk_csv *csv = NULL;
    struct dk_csv_row row;
    struct dk_err err;
    uint32_t sum = 0;
    uint64_t line = 0;
    int rc;
    DK_ASSERT(dk_csv_new(&csv, ',', give, &text, &err) == 0);
    while ((rc = dk_csv_next(csv, &row, &err)) != 0) {
        DK_ASSERT(row.line > line);
        line = row.line;
        sum = dk_crc32c(sum, &line, sizeof line);
        sum = dk_crc32c(sum, &rc, sizeof rc);
        for (size_t i = 0; rc == 1 && i < row.count; i++) {
            DK_ASSERT(dk_utf8_is_text(row.field[i].data, row.field[i].size));
            sum = dk_crc32c(sum, row.field[i].data, row.field[i].size);
        }
    }
    dk_csv_free(&csv);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DK_ASSERT(read_all(data, size, 3) == read_all(data, size, 1 << 20));
    return 0;
}
