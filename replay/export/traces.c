#include "replay/export/traces.h"
#include "proto/base/id.h"
#include "replay/import/sorter.h"
#include <stdlib.h>

#define MEMORY_BYTES (UINT64_C(256) << 20)

struct dk_traces {
    struct dk_sorter *sorter;
    struct dk_rows rows; /* one to be added; then those of one trace */
    uint64_t count;
};

struct dk_traces *dk_traces_new(void)
{
    struct dk_traces *traces = calloc(1, sizeof *traces);
    DK_ASSERT(traces != NULL);
    dk_rows_init(&traces->rows, MEMORY_BYTES);
    traces->sorter = dk_sorter_new(1, MEMORY_BYTES);
    DK_ASSERT(traces->sorter != NULL);
    return traces;
}

void dk_traces_free(struct dk_traces **traces)
{
    if (*traces != NULL) {
        dk_sorter_free(&(*traces)->sorter);
        dk_rows_close(&(*traces)->rows);
        free(*traces);
        *traces = NULL;
    }
}

int dk_traces_add(struct dk_traces *traces, uint64_t subject, const uint8_t *record,
                  size_t record_bytes, struct dk_err *err)
{
    const struct dk_slice value = {record, record_bytes};
    dk_rows_reset(&traces->rows);
    struct dk_case_row *row = dk_rows_add(&traces->rows, &value, 1, err);
    if (row == NULL) {
        return err->code;
    }
    row->case_number = subject;
    row->number = ++traces->count;
    return dk_sorter_add(traces->sorter, row, err);
}

/* The rows of the subject that is next. */
static int gather(struct dk_traces *traces, uint64_t subject, struct dk_case_row **first,
                  struct dk_err *err)
{
    struct dk_case_row **end = first;
    char name[DK_ID_TEXT_BYTES];
    int rc = 0;
    dk_rows_reset(&traces->rows);
    while (rc == 0 && dk_sorter_next_case(traces->sorter) == subject) {
        rc = dk_sorter_next(traces->sorter, &traces->rows, end, err);
        end = rc == 0 ? &(*end)->next : end;
    }
    return rc == 0 ? 0 : dk_err_wrap(err, "%s", dk_id_format(subject, name));
}

int dk_traces_each(struct dk_traces *traces,
                   int (*on_trace)(void *arg, uint64_t subject, const struct dk_case_row *first),
                   void *arg, struct dk_err *err)
{
    uint64_t subject;
    int rc = dk_sorter_end(traces->sorter, err);
    while (rc == 0 && (subject = dk_sorter_next_case(traces->sorter)) != 0) {
        struct dk_case_row *first = NULL;
        rc = gather(traces, subject, &first, err);
        rc = rc != 0 ? rc : on_trace(arg, subject, first);
    }
    return rc;
}
