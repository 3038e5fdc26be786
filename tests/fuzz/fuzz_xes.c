/* Any bytes as XES: the reader gives the same rows however they come in, packed or not, keeps no
 * more of a row than an event can hold, and ends. */
#include "docket.pb-c.h"
#include "proto/base/crc32c.h"
#include "proto/base/limits.h"
#include "proto/base/utf8.h"
#include "replay/import/xes.h"
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

static uint32_t sum_row(uint32_t sum, const struct dk_mapping *mapping,
                        const struct dk_xes_row *row)
{
    Docket__SourceRow *kept = docket__source_row__unpack(NULL, row->kept.size, row->kept.data);
    DK_ASSERT(kept != NULL && row->kept.size < DK_RECORD_MAX_BYTES);
    docket__source_row__free_unpacked(kept, NULL);
    for (size_t i = 0; i < mapping->column_count; i++) {
        DK_ASSERT(row->value[i].size == 0 ||
                  dk_utf8_is_text(row->value[i].data, row->value[i].size));
        sum = dk_crc32c(sum, row->value[i].data, row->value[i].size);
    }
    sum = dk_crc32c(sum, row->raw.data, row->raw.size);
    return dk_crc32c(sum, row->kept.data, row->kept.size);
}

static uint32_t read_all(const struct dk_mapping *mapping, const uint8_t *data, size_t size,
                         size_t step)
{
    struct text text = {data, size, step};
    struct dk_xes *xes = NULL;
    struct dk_xes_row row;
    struct dk_err err;
    uint32_t sum = 0;
    int rc;
    DK_ASSERT(dk_xes_new(&xes, mapping, give, &text, &err) == 0);
    while ((rc = dk_xes_next(xes, &row, &err)) == 1 || rc == DK_EINVAL || rc == DK_ETOOBIG) {
        sum = dk_crc32c(sum, &row.line, sizeof row.line);
        sum = dk_crc32c(sum, &rc, sizeof rc);
        sum = rc == 1 ? sum_row(sum, mapping, &row) : sum;
    }
    sum = dk_crc32c(sum, &rc, sizeof rc);
    DK_ASSERT(dk_xes_next(xes, &row, &err) == rc); /* it stays at its end */
    dk_xes_free(&xes);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char map[] =
        "source: s\nformat: xes\nshape: snapshots\ncase: \"case:concept:name\"\n"
        "changed: {at: \"time:timestamp\", by: \"org:resource\"}\n"
        "ignored: [cost, \"case:note\"]\n";
    struct dk_mapping mapping;
    struct dk_err err;
    DK_ASSERT(dk_mapping_parse(&mapping, "map.yaml", map, sizeof map - 1, &err) == 0);
    DK_ASSERT(read_all(&mapping, data, size, 3) == read_all(&mapping, data, size, 1 << 20));
    dk_mapping_close(&mapping);
    return 0;
}
