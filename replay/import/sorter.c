#include "replay/import/sorter.h"

#include "proto/base/temp.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (256 * 1024)

/* A row in a run: this, the size of each column's value, and the values on end. */
struct frame {
    uint64_t bytes; /* in all */
    struct dk_case_row row;
};

struct run {
    off_t at, end; /* of what is not in `data` yet */
    uint8_t *data;
    size_t capacity;
    size_t from, to;   /* of what was read and not given out */
    struct frame head; /* of the next row */
};

struct dk_sorter {
    size_t columns;
    struct dk_rows rows;
    struct dk_case_row **row; /* those in memory */
    size_t count, capacity;
    size_t given; /* when there are no runs */

    FILE *file;
    char folder[512];
    off_t file_bytes;
    struct run run[DK_SORTER_RUNS_MAX];
    size_t run_count;
    struct run *heap[DK_SORTER_RUNS_MAX]; /* runs with rows left; the least first */
    size_t heap_count;
};

struct dk_sorter *dk_sorter_new(size_t columns, uint64_t memory_bytes)
{
    struct dk_sorter *sorter = calloc(1, sizeof *sorter);
    DK_ASSERT(sorter != NULL);
    sorter->columns = columns;
    dk_rows_init(&sorter->rows, memory_bytes);
    return sorter;
}

void dk_sorter_free(struct dk_sorter **sorter)
{
    struct dk_sorter *s = *sorter;
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->run_count; i++) {
        free(s->run[i].data);
    }
    if (s->file != NULL) {
        (void)fclose(s->file);
    }
    dk_rows_close(&s->rows);
    free(s->row);
    free(s);
    *sorter = NULL;
}

static int compare(const void *a, const void *b)
{
    return dk_case_row_compare(*(struct dk_case_row *const *)a, *(struct dk_case_row *const *)b);
}

static void sort(struct dk_sorter *sorter)
{
    if (sorter->count > 0) {
        qsort(sorter->row, sorter->count, sizeof sorter->row[0], compare);
    }
}

/* ------------------------------------------------------------------------------------ writing */

static int fail(const struct dk_sorter *sorter, struct dk_err *err)
{
    return dk_err_errno(err, DK_EIO, errno,
                        "cannot keep rows in %s (TMPDIR names another folder, for as much as the "
                        "file has)",
                        sorter->folder);
}

static int open_file(struct dk_sorter *sorter, struct dk_err *err)
{
    const char *tmpdir = getenv("TMPDIR");
    char path[sizeof sorter->folder + 32];
    (void)snprintf(sorter->folder, sizeof sorter->folder, "%s",
                   tmpdir != NULL && tmpdir[0] != '\0' ? tmpdir : "/var/tmp");
    DK_ASSERT(dk_temp_name(path, sizeof path, sorter->folder, "docket-import"));
    int fd = mkstemp(path);
    if (fd < 0) {
        return fail(sorter, err);
    }
    (void)unlink(path);
    sorter->file = fdopen(fd, "w+");
    DK_ASSERT(sorter->file != NULL);
    return 0;
}

/* Errors are kept by the file until the run is flushed. */
static void write_row(struct dk_sorter *sorter, const struct dk_case_row *row)
{
    struct frame frame = {.bytes = sizeof frame, .row = *row};
    uint32_t size[DK_MAPPING_COLUMNS_MAX];
    for (size_t i = 0; i < sorter->columns; i++) {
        size[i] = (uint32_t)row->value[i].size;
        frame.bytes += sizeof size[0] + size[i];
    }
    (void)fwrite(&frame, sizeof frame, 1, sorter->file);
    (void)fwrite(size, sizeof size[0], sorter->columns, sorter->file);
    for (size_t i = 0; i < sorter->columns; i++) {
        (void)fwrite(row->value[i].data, 1, size[i], sorter->file);
    }
    sorter->file_bytes += (off_t)frame.bytes;
}

/* What is in memory becomes a run. */
static int spill(struct dk_sorter *sorter, struct dk_err *err)
{
    if (sorter->run_count == DK_SORTER_RUNS_MAX) {
        return dk_err_set(
            err, DK_ETOOBIG,
            "the rows are more than %d times what is held in memory: sort the file by "
            "case, and say \"cases: together\"",
            DK_SORTER_RUNS_MAX);
    }
    int rc = sorter->file != NULL ? 0 : open_file(sorter, err);
    if (rc != 0) {
        return rc;
    }
    struct run *run = &sorter->run[sorter->run_count++];
    run->at = sorter->file_bytes;
    sort(sorter);
    for (size_t i = 0; i < sorter->count && ferror(sorter->file) == 0; i++) {
        write_row(sorter, sorter->row[i]);
    }
    run->end = sorter->file_bytes;
    if (ferror(sorter->file) != 0 || fflush(sorter->file) != 0) {
        return fail(sorter, err);
    }
    sorter->count = 0;
    dk_rows_reset(&sorter->rows);
    return 0;
}

static int keep(struct dk_sorter *sorter, struct dk_case_row *row, struct dk_err *err)
{
    if (sorter->count == sorter->capacity) {
        size_t capacity = sorter->capacity == 0 ? 1024 : 2 * sorter->capacity;
        struct dk_case_row **grown = realloc(sorter->row, capacity * sizeof sorter->row[0]);
        if (grown == NULL) {
            return dk_err_set(err, DK_ENOMEM, "no memory for rows");
        }
        sorter->row = grown;
        sorter->capacity = capacity;
    }
    sorter->row[sorter->count++] = row;
    return 0;
}

static void copy_head(struct dk_case_row *to, const struct dk_case_row *from)
{
    memcpy(to, from, sizeof *to);
    to->next = NULL;
}

int dk_sorter_add(struct dk_sorter *sorter, const struct dk_case_row *row, struct dk_err *err)
{
    struct dk_case_row *copy = dk_rows_add(&sorter->rows, row->value, sorter->columns, err);
    if (copy == NULL && err->code == DK_ETOOBIG) {
        int rc = spill(sorter, err);
        copy = rc == 0 ? dk_rows_add(&sorter->rows, row->value, sorter->columns, err) : NULL;
    }
    if (copy == NULL) {
        return err->code;
    }
    copy_head(copy, row);
    return keep(sorter, copy, err);
}

/* ------------------------------------------------------------------------------------ reading */

/* Sees that `bytes` bytes of the run are there, which it has. */
static int fill(struct dk_sorter *sorter, struct run *run, size_t bytes, struct dk_err *err)
{
    if (run->to - run->from >= bytes) {
        return 0;
    }
    if (bytes > run->capacity) {
        size_t capacity = bytes > BUFFER_BYTES ? bytes : BUFFER_BYTES;
        uint8_t *grown = realloc(run->data, capacity);
        if (grown == NULL) {
            return dk_err_set(err, DK_ENOMEM, "no memory for rows");
        }
        run->data = grown;
        run->capacity = capacity;
    }
    memmove(run->data, run->data + run->from, run->to - run->from);
    run->to -= run->from;
    run->from = 0;
    while (run->to < bytes) {
        size_t left = (size_t)(run->end - run->at), room = run->capacity - run->to;
        ssize_t n =
            pread(fileno(sorter->file), run->data + run->to, left < room ? left : room, run->at);
        if (n <= 0) {
            return fail(sorter, err);
        }
        run->to += (size_t)n;
        run->at += n;
    }
    return 0;
}

/* Loads the next row's head. 1; 0 at the run's end. */
static int load_head(struct dk_sorter *sorter, struct run *run, struct dk_err *err)
{
    if (run->from == run->to && run->at == run->end) {
        return 0;
    }
    int rc = fill(sorter, run, sizeof run->head, err);
    if (rc != 0) {
        return rc;
    }
    memcpy(&run->head, run->data + run->from, sizeof run->head);
    return 1;
}

static bool is_before(const struct dk_sorter *sorter, size_t i, size_t k)
{
    return dk_case_row_compare(&sorter->heap[i]->head.row, &sorter->heap[k]->head.row) < 0;
}

/* Moves the run at `i` down to where it belongs. */
static void sift_down(struct dk_sorter *sorter, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < sorter->heap_count; k++) {
            least = is_before(sorter, k, least) ? k : least;
        }
        if (least == i) {
            return;
        }
        struct run *run = sorter->heap[i];
        sorter->heap[i] = sorter->heap[least];
        sorter->heap[least] = run;
        i = least;
    }
}

int dk_sorter_end(struct dk_sorter *sorter, struct dk_err *err)
{
    if (sorter->run_count == 0) {
        sort(sorter);
        return 0;
    }
    int rc = sorter->count > 0 ? spill(sorter, err) : 0;
    dk_rows_close(&sorter->rows);
    for (size_t i = 0; rc >= 0 && i < sorter->run_count; i++) {
        sorter->heap[sorter->heap_count++] = &sorter->run[i];
        rc = load_head(sorter, &sorter->run[i], err);
    }
    for (size_t i = sorter->heap_count / 2; rc >= 0 && i-- > 0;) {
        sift_down(sorter, i);
    }
    return rc < 0 ? rc : 0;
}

uint64_t dk_sorter_next_case(const struct dk_sorter *sorter)
{
    if (sorter->run_count > 0) {
        return sorter->heap_count > 0 ? sorter->heap[0]->head.row.case_number : 0;
    }
    return sorter->given < sorter->count ? sorter->row[sorter->given]->case_number : 0;
}

/* The values of the run's next row, which point into its buffer. */
static int load_values(struct dk_sorter *sorter, struct run *run,
                       struct dk_slice value[DK_MAPPING_COLUMNS_MAX], struct dk_err *err)
{
    uint32_t size[DK_MAPPING_COLUMNS_MAX];
    int rc = fill(sorter, run, run->head.bytes, err);
    if (rc != 0) {
        return rc;
    }
    const uint8_t *at = run->data + run->from + sizeof run->head;
    memcpy(size, at, sorter->columns * sizeof size[0]);
    at += sorter->columns * sizeof size[0];
    for (size_t i = 0; i < sorter->columns; i++) {
        value[i] = (struct dk_slice){at, size[i]};
        at += size[i];
    }
    return 0;
}

static int next_merged(struct dk_sorter *sorter, struct dk_rows *rows, struct dk_case_row **row,
                       struct dk_err *err)
{
    struct run *run = sorter->heap[0];
    struct dk_slice value[DK_MAPPING_COLUMNS_MAX];
    int rc = load_values(sorter, run, value, err);
    if (rc != 0) {
        return rc;
    }
    *row = dk_rows_add(rows, value, sorter->columns, err);
    if (*row == NULL) {
        return err->code;
    }
    copy_head(*row, &run->head.row);
    run->from += run->head.bytes;
    rc = load_head(sorter, run, err);
    if (rc == 0) {
        sorter->heap[0] = sorter->heap[--sorter->heap_count];
    }
    sift_down(sorter, 0);
    return rc < 0 ? rc : 0;
}

int dk_sorter_next(struct dk_sorter *sorter, struct dk_rows *rows, struct dk_case_row **row,
                   struct dk_err *err)
{
    if (sorter->run_count > 0) {
        return next_merged(sorter, rows, row, err);
    }
    const struct dk_case_row *held = sorter->row[sorter->given++];
    *row = dk_rows_add(rows, held->value, sorter->columns, err);
    if (*row == NULL) {
        return err->code;
    }
    copy_head(*row, held);
    return 0;
}
