#include "replay/import/cases.h"

#include "proto/base/limits.h"
#include "proto/base/map.h"
#include "replay/import/sorter.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CASES_MAX (UINT64_C(1) << 32)

struct dk_cases {
    const struct dk_mapping *mapping;
    struct dk_csv *csv; /* or */
    struct dk_xes *xes;
    struct dk_report *report;
    uint8_t salt[DK_SALT_BYTES];
    size_t position[DK_MAPPING_COLUMNS_MAX];
    size_t header_count;
    uint64_t rows_read;
    uint64_t bytes_read;

    struct dk_csv_row row; /* read and not taken yet; of XES */
    struct dk_xes_row event;
    bool has_row;
    struct dk_case one;  /* the case given out */
    struct dk_rows rows; /* its rows */

    bool gathered;             /* scattered: the whole file is */
    struct dk_sorter *sorter;  /* of all rows */
    struct dk_map case_number; /* by id: the number of the case's first row */
};

uint64_t dk_case_id(struct dk_slice key)
{
    static const uint8_t none[crypto_shorthash_KEYBYTES];
    uint64_t id;
    (void)crypto_shorthash((uint8_t *)&id, key.data, key.size, none);
    return id != 0 ? id : 1;
}

uint64_t dk_row_digest(struct dk_slice raw, const uint8_t salt[DK_SALT_BYTES])
{
    uint64_t digest;
    (void)crypto_shorthash((uint8_t *)&digest, raw.data, raw.size, salt);
    return digest;
}

/* -------------------------------------------------------------------------------- one row */

static int read_header(struct dk_cases *cases, struct dk_err *err)
{
    struct dk_csv_row header;
    int rc = dk_csv_next(cases->csv, &header, err);
    if (rc == 0) {
        return dk_err_set(err, DK_EINVAL, "the file is empty: its first row names the columns");
    }
    if (rc < 0) {
        return dk_err_wrap(err, "cannot read the first row, which names the columns");
    }
    if (memchr(header.raw.data, '\r', header.raw.size) != NULL) {
        return dk_err_set(err, DK_EINVAL,
                          "there is a carriage return within the first row: lines must end with LF "
                          "or CRLF");
    }
    cases->header_count = header.count;
    rc = dk_mapping_bind(cases->mapping, &header, cases->position, err);
    if (rc != 0) {
        return rc;
    }
    struct dk_buf names;
    dk_buf_init(&names, DK_CSV_ROW_MAX_BYTES);
    if (dk_mapping_unmentioned(cases->mapping, &header, &names) > 0) {
        dk_report_note(cases->report, "columns that %s does not mention, and that stay out: %.*s",
                       cases->mapping->doc.name, (int)names.size, (const char *)names.data);
    }
    dk_buf_close(&names);
    return 0;
}

/* The next row of either format, whose line and bytes stand in cases->row. */
static int read_next(struct dk_cases *cases, struct dk_err *why)
{
    struct dk_csv_row *row = &cases->row;
    if (cases->xes == NULL) {
        int rc = dk_csv_next(cases->csv, row, why);
        cases->bytes_read =
            rc != 0 && rc != DK_EIO ? row->offset + row->raw.size : cases->bytes_read;
        return rc;
    }
    int rc = dk_xes_next(cases->xes, &cases->event, why);
    row->line = cases->event.line;
    row->raw = cases->event.raw;
    row->count = cases->header_count;
    cases->bytes_read = cases->event.bytes;
    return rc;
}

/* Reads on to a row with all its fields. 1, 0 at the end, or an error that ends the reading. */
static int read_row(struct dk_cases *cases, struct dk_err *err)
{
    struct dk_csv_row *row = &cases->row;
    for (;;) {
        struct dk_err why;
        int rc = read_next(cases, &why);
        if (rc == 0) {
            return 0;
        }
        if (rc < 0 && rc != DK_EINVAL && rc != DK_ETOOBIG) { /* nothing more can be read */
            *err = why;
            return cases->xes != NULL ? dk_err_wrap(err, "%s", cases->report->file) : rc;
        }
        cases->rows_read++;
        if (rc < 0) {
            dk_report_reject(cases->report, row->line, cases->rows_read, "%s", why.message);
        } else if (row->count != cases->header_count) {
            dk_report_reject(cases->report, row->line, cases->rows_read,
                             "%zu fields, where the first row has %zu", row->count,
                             cases->header_count);
        } else {
            return 1;
        }
    }
}

static struct dk_slice field_of(const struct dk_cases *cases, int slot)
{
    return dk_mapping_known(cases->mapping, cases->xes != NULL
                                                ? cases->event.value[slot]
                                                : cases->row.field[cases->position[slot]]);
}

static struct dk_slice key_of(const struct dk_cases *cases)
{
    return field_of(cases, cases->mapping->case_key);
}

/* Reads on to a row that names its case, and waits to be taken. 1, 0 at the end, or an error. */
static int await_row(struct dk_cases *cases, struct dk_err *err)
{
    while (!cases->has_row) {
        int rc = read_row(cases, err);
        if (rc <= 0) {
            return rc;
        }
        size_t bytes = key_of(cases).size;
        cases->has_row = bytes > 0 && bytes <= DK_KEY_MAX_BYTES;
        if (!cases->has_row) {
            dk_report_reject(cases->report, cases->row.line, cases->rows_read,
                             "%s has %zu bytes: 1 to %d name a case",
                             cases->mapping->column[cases->mapping->case_key], bytes,
                             DK_KEY_MAX_BYTES);
        }
    }
    return 1;
}

static int read_order_key(const struct dk_cases *cases, int slot, struct dk_slice value,
                          int64_t *key, struct dk_err *why)
{
    const struct dk_mapping *mapping = cases->mapping;
    if (slot == mapping->changed_at || slot == mapping->opened_at) {
        return dk_time_format_read(&mapping->time, value, key, why);
    }
    char text[24], *end = text;
    size_t bytes = value.size < sizeof text ? value.size : 0;
    memcpy(text, value.data, bytes);
    text[bytes] = '\0';
    *key = strtoll(text, &end, 10);
    return bytes > 0 && *end == '\0' ? 0 : dk_err_set(why, DK_EINVAL, "it is no whole number");
}

/* What the case's rows are sorted by; false, and reported, when the row lacks it. */
static bool read_order(struct dk_cases *cases, struct dk_case_row *row)
{
    for (size_t i = 0; i < cases->mapping->order_count; i++) {
        int slot = cases->mapping->order[i];
        struct dk_err why = {.message = "it is not known"};
        if (row->value[slot].size == 0 ||
            read_order_key(cases, slot, row->value[slot], &row->key[i], &why) != 0) {
            dk_report_reject(cases->report, row->line, row->number, "no order by %s: %s",
                             cases->mapping->column[slot], why.message);
            return false;
        }
    }
    return true;
}

/* Copies the row that waits out of the reader. 1; 0 when it is reported and left out. */
static int take_row(struct dk_cases *cases, struct dk_case_row **kept, struct dk_err *err)
{
    struct dk_slice value[DK_MAPPING_COLUMNS_MAX + 1];
    cases->has_row = false;
    for (size_t i = 0; i < cases->mapping->column_count; i++) {
        value[i] = field_of(cases, (int)i);
    }
    value[dk_mapping_kept(cases->mapping)] =
        cases->xes != NULL ? cases->event.kept : (struct dk_slice){0};
    struct dk_case_row *row =
        dk_rows_add(&cases->rows, value, cases->mapping->column_count + 1, err);
    if (row == NULL) {
        return dk_err_wrap(err, "row %" PRIu64 ", case %.*s", cases->rows_read,
                           (int)value[cases->mapping->case_key].size,
                           (const char *)value[cases->mapping->case_key].data);
    }
    row->line = cases->row.line;
    row->number = cases->rows_read;
    row->digest = dk_row_digest(cases->row.raw, cases->salt);
    *kept = row;
    return read_order(cases, row);
}

/* ------------------------------------------------------------------------------------ cases */

static void add_row(struct dk_cases *cases, struct dk_case_row *row)
{
    struct dk_case *one = &cases->one;
    if (one->first == NULL) {
        one->key = row->value[cases->mapping->case_key];
        one->id = dk_case_id(one->key);
        one->first = row;
    } else {
        one->last->next = row;
    }
    one->last = row;
    row->ordinal = ++one->count;
}

static int compare_rows(const void *a, const void *b)
{
    return dk_case_row_compare(*(struct dk_case_row *const *)a, *(struct dk_case_row *const *)b);
}

/* Puts a case's rows into the mapping's order; ordinals follow it. */
static void sort_case(struct dk_cases *cases)
{
    struct dk_case *one = &cases->one;
    if (cases->mapping->order_count == 0 || one->count < 2) {
        return;
    }
    uint32_t count = one->count;
    struct dk_case_row **row = calloc(count, sizeof(struct dk_case_row *));
    DK_ASSERT(row != NULL);
    uint32_t i = 0;
    for (struct dk_case_row *at = one->first; at != NULL; at = at->next) {
        row[i++] = at;
    }
    qsort(row, count, sizeof(struct dk_case_row *), compare_rows);
    *one = (struct dk_case){0};
    for (i = 0; i < count; i++) {
        row[i]->next = NULL;
        add_row(cases, row[i]);
    }
    free(row);
}

/* Rows on end that have one key. The row that ends them waits. */
static int next_together(struct dk_cases *cases, struct dk_err *err)
{
    struct dk_case *one = &cases->one;
    int rc;
    while ((rc = await_row(cases, err)) == 1) {
        struct dk_case_row *row = NULL;
        if (one->first != NULL && !dk_slice_equal(key_of(cases), one->key)) {
            break;
        }
        rc = take_row(cases, &row, err);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1) {
            add_row(cases, row);
        }
    }
    if (rc >= 0) {
        sort_case(cases);
    }
    return rc < 0 ? rc : one->first != NULL;
}

static int gather_row(struct dk_cases *cases, struct dk_err *err)
{
    struct dk_case_row *row = NULL;
    bool first;
    dk_rows_reset(&cases->rows);
    int rc = take_row(cases, &row, err);
    if (rc != 1) {
        return rc;
    }
    uint64_t id = dk_case_id(row->value[cases->mapping->case_key]);
    uint64_t *case_number = dk_map_put(&cases->case_number, id, &first);
    if (case_number == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for cases");
    }
    *case_number = first ? row->number : *case_number;
    row->case_number = *case_number;
    return dk_sorter_add(cases->sorter, row, err);
}

static int gather_all(struct dk_cases *cases, struct dk_err *err)
{
    int rc;
    while ((rc = await_row(cases, err)) == 1) {
        rc = gather_row(cases, err);
        if (rc < 0) {
            return rc;
        }
        dk_report_progress(cases->report, cases->rows_read, cases->bytes_read);
    }
    dk_map_close(&cases->case_number);
    cases->gathered = rc == 0;
    return rc == 0 ? dk_sorter_end(cases->sorter, err) : rc;
}

static int next_scattered(struct dk_cases *cases, struct dk_err *err)
{
    int rc = cases->gathered ? 0 : gather_all(cases, err);
    uint64_t case_number = rc == 0 ? dk_sorter_next_case(cases->sorter) : 0;
    if (case_number == 0) {
        return rc;
    }
    dk_rows_reset(&cases->rows);
    while (rc == 0 && dk_sorter_next_case(cases->sorter) == case_number) {
        struct dk_case_row *row = NULL;
        rc = dk_sorter_next(cases->sorter, &cases->rows, &row, err);
        if (rc == 0) {
            add_row(cases, row);
        }
    }
    return rc == 0 ? 1
                   : dk_err_wrap(err, "case %.*s", (int)cases->one.key.size,
                                 (const char *)cases->one.key.data);
}

int dk_cases_next(struct dk_cases *cases, const struct dk_case **next, struct dk_err *err)
{
    cases->one = (struct dk_case){0};
    *next = &cases->one;
    if (cases->mapping->scattered) {
        return next_scattered(cases, err);
    }
    dk_rows_reset(&cases->rows);
    return next_together(cases, err);
}

/* ------------------------------------------------------------------------------------ life */

int dk_cases_new(struct dk_cases **cases, const struct dk_mapping *mapping, struct dk_csv *csv,
                 struct dk_xes *xes, const uint8_t salt[DK_SALT_BYTES], uint64_t memory_bytes,
                 struct dk_report *report, struct dk_err *err)
{
    struct dk_cases *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for cases");
    }
    c->mapping = mapping;
    c->csv = csv;
    c->xes = mapping->xes ? xes : NULL;
    c->report = report;
    memcpy(c->salt, salt, DK_SALT_BYTES);
    dk_map_init(&c->case_number, sizeof(uint64_t), CASES_MAX);
    dk_rows_init(&c->rows, memory_bytes);
    c->sorter = mapping->scattered ? dk_sorter_new(mapping->column_count + 1, memory_bytes) : NULL;
    *cases = c;
    int rc = c->xes != NULL ? 0 : read_header(c, err);
    if (rc != 0) {
        dk_cases_free(cases);
    }
    return rc;
}

void dk_cases_free(struct dk_cases **cases)
{
    struct dk_cases *c = *cases;
    if (c == NULL) {
        return;
    }
    dk_sorter_free(&c->sorter);
    dk_rows_close(&c->rows);
    dk_map_close(&c->case_number);
    free(c);
    *cases = NULL;
}

uint64_t dk_cases_rows(const struct dk_cases *cases)
{
    return cases->rows_read;
}

uint64_t dk_cases_bytes(const struct dk_cases *cases)
{
    return cases->bytes_read;
}
