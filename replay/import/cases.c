#include "replay/import/cases.h"

#include "proto/base/limits.h"
#include "proto/base/map.h"
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (4 * DK_CSV_ROW_MAX_BYTES) /* holds the largest row and its slices */
#define CASES_MAX   (UINT64_C(1) << 32)

struct chunk {
    struct chunk *next;
    size_t used;
    char data[CHUNK_BYTES];
};

struct dk_cases {
    const struct dk_mapping *mapping;
    struct dk_csv *csv;
    struct dk_report *report;
    uint8_t salt[DK_SALT_BYTES];
    size_t position[DK_MAPPING_COLUMNS_MAX];
    size_t header_count;
    uint64_t rows;
    uint64_t bytes;

    struct chunk *chunks; /* the one being filled first */
    uint64_t chunk_bytes;

    struct dk_csv_row row; /* read and not taken yet */
    bool has_row;
    struct dk_case one; /* together: the case given out */

    bool gathered;       /* scattered: the whole file is */
    struct dk_map by_id; /* index in `all` + 1 */
    struct dk_case *all;
    size_t count, capacity, given;
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

/* ---------------------------------------------------------------------------------- memory */

static void *take_memory(struct dk_cases *cases, size_t bytes, struct dk_err *err)
{
    bytes = (bytes + 15) & ~(size_t)15;
    DK_ASSERT(bytes <= CHUNK_BYTES);
    if (cases->chunks == NULL || CHUNK_BYTES - cases->chunks->used < bytes) {
        if (cases->chunk_bytes + CHUNK_BYTES > DK_CASES_MAX_BYTES) {
            dk_err_set(err, DK_ETOOBIG,
                       "the rows that are held together do not fit %llu MiB: sort the file by "
                       "case, and say \"cases: together\"",
                       (unsigned long long)(DK_CASES_MAX_BYTES >> 20));
            return NULL;
        }
        struct chunk *chunk = malloc(sizeof *chunk);
        if (chunk == NULL) {
            dk_err_set(err, DK_ENOMEM, "no memory for rows");
            return NULL;
        }
        chunk->next = cases->chunks;
        chunk->used = 0;
        cases->chunks = chunk;
        cases->chunk_bytes += CHUNK_BYTES;
    }
    void *memory = cases->chunks->data + cases->chunks->used;
    cases->chunks->used += bytes;
    return memory;
}

/* Forgets all rows; one chunk is kept. */
static void reset_memory(struct dk_cases *cases)
{
    while (cases->chunks != NULL && cases->chunks->next != NULL) {
        struct chunk *next = cases->chunks->next;
        free(cases->chunks);
        cases->chunks = next;
        cases->chunk_bytes -= CHUNK_BYTES;
    }
    if (cases->chunks != NULL) {
        cases->chunks->used = 0;
    }
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

/* Reads on to a row with all its fields. 1, 0 at the end, or an error that ends the reading. */
static int read_row(struct dk_cases *cases, struct dk_err *err)
{
    struct dk_csv_row *row = &cases->row;
    for (;;) {
        struct dk_err why;
        int rc = dk_csv_next(cases->csv, row, &why);
        if (rc == 0 || rc == DK_EIO) {
            *err = why;
            return rc;
        }
        cases->rows++;
        cases->bytes = row->offset + row->raw.size;
        if (rc < 0) {
            dk_report_reject(cases->report, row->line, cases->rows, "%s", why.message);
        } else if (row->count != cases->header_count) {
            dk_report_reject(cases->report, row->line, cases->rows,
                             "%zu fields, where the first row has %zu", row->count,
                             cases->header_count);
        } else {
            return 1;
        }
    }
}

static struct dk_slice field_of(const struct dk_cases *cases, int slot)
{
    return dk_mapping_known(cases->mapping, cases->row.field[cases->position[slot]]);
}

/* The case that the row is of; false, and reported, when it names none. */
static bool read_key(struct dk_cases *cases, struct dk_slice *key)
{
    *key = field_of(cases, cases->mapping->case_key);
    if (key->size > 0 && key->size <= DK_KEY_MAX_BYTES) {
        return true;
    }
    dk_report_reject(cases->report, cases->row.line, cases->rows,
                     "%s has %zu bytes: 1 to %d name "
                     "a case",
                     cases->mapping->column[cases->mapping->case_key], key->size, DK_KEY_MAX_BYTES);
    return false;
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

/* Copies the row's columns out of the reader. */
static int keep_row(struct dk_cases *cases, struct dk_case_row **kept, struct dk_err *err)
{
    size_t columns = cases->mapping->column_count, bytes = 0;
    struct dk_slice value[DK_MAPPING_COLUMNS_MAX];
    for (size_t i = 0; i < columns; i++) {
        value[i] = field_of(cases, (int)i);
        bytes += value[i].size;
    }
    struct dk_case_row *row =
        take_memory(cases, sizeof *row + columns * sizeof row->value[0] + bytes, err);
    if (row == NULL) {
        return err->code;
    }
    memset(row, 0, sizeof *row);
    row->line = cases->row.line;
    row->number = cases->rows;
    row->digest = dk_row_digest(cases->row.raw, cases->salt);
    uint8_t *at = (uint8_t *)&row->value[columns];
    for (size_t i = 0; i < columns; i++) {
        row->value[i] = (struct dk_slice){at, value[i].size};
        if (value[i].size > 0) {
            memcpy(at, value[i].data, value[i].size);
            at += value[i].size;
        }
    }
    *kept = row;
    return 0;
}

/* ------------------------------------------------------------------------------------ cases */

static void begin_case(const struct dk_cases *cases, struct dk_case *one,
                       const struct dk_case_row *row)
{
    struct dk_slice key = row->value[cases->mapping->case_key];
    *one = (struct dk_case){.key = key, .id = dk_case_id(key)};
}

static void add_row(struct dk_case *one, struct dk_case_row *row)
{
    if (one->first == NULL) {
        one->first = row;
    } else {
        one->last->next = row;
    }
    one->last = row;
    row->ordinal = ++one->count;
}

static int compare_rows(const void *a, const void *b)
{
    const struct dk_case_row *left = *(struct dk_case_row *const *)a;
    const struct dk_case_row *right = *(struct dk_case_row *const *)b;
    for (int i = 0; i < DK_MAPPING_ORDER_MAX; i++) {
        if (left->key[i] != right->key[i]) {
            return left->key[i] < right->key[i] ? -1 : 1;
        }
    }
    return (left->number > right->number) - (left->number < right->number);
}

/* Puts a case's rows into the mapping's order; ordinals follow it. */
static void sort_case(const struct dk_cases *cases, struct dk_case *one)
{
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
    *one = (struct dk_case){.key = one->key, .id = one->id};
    for (i = 0; i < count; i++) {
        row[i]->next = NULL;
        add_row(one, row[i]);
    }
    free(row);
}

/* Rows on end that have one key. The row that ends them waits in `row`. */
static int next_together(struct dk_cases *cases, const struct dk_case **next, struct dk_err *err)
{
    int rc = 1;
    reset_memory(cases);
    cases->one = (struct dk_case){0};
    for (;; cases->has_row = false) {
        struct dk_slice key;
        struct dk_case_row *row = NULL;
        rc = cases->has_row ? 1 : read_row(cases, err);
        if (rc <= 0) {
            break;
        }
        if (!read_key(cases, &key)) {
            continue;
        }
        cases->has_row = true;
        if (cases->one.first != NULL && !dk_slice_equal(key, cases->one.key)) {
            break;
        }
        rc = keep_row(cases, &row, err);
        if (rc != 0) {
            return rc;
        }
        if (!read_order(cases, row)) {
            continue;
        }
        if (cases->one.first == NULL) {
            begin_case(cases, &cases->one, row);
        }
        add_row(&cases->one, row);
    }
    if (rc < 0) {
        return rc;
    }
    sort_case(cases, &cases->one);
    *next = &cases->one;
    return cases->one.first != NULL;
}

static struct dk_case *case_of(struct dk_cases *cases, const struct dk_case_row *row)
{
    struct dk_case one;
    bool created;
    begin_case(cases, &one, row);
    size_t *index = dk_map_put(&cases->by_id, one.id, &created);
    if (index == NULL) {
        return NULL;
    }
    if (!created) {
        return &cases->all[*index];
    }
    if (cases->count == cases->capacity) {
        size_t capacity = cases->capacity == 0 ? 1024 : 2 * cases->capacity;
        struct dk_case *all = realloc(cases->all, capacity * sizeof *all);
        if (all == NULL) {
            return NULL;
        }
        cases->all = all;
        cases->capacity = capacity;
    }
    *index = cases->count++;
    cases->all[*index] = one;
    return &cases->all[*index];
}

static int gather_all(struct dk_cases *cases, struct dk_err *err)
{
    int rc;
    while ((rc = read_row(cases, err)) == 1) {
        struct dk_slice key;
        struct dk_case_row *row = NULL;
        if (!read_key(cases, &key)) {
            continue;
        }
        rc = keep_row(cases, &row, err);
        if (rc != 0) {
            return rc;
        }
        if (!read_order(cases, row)) {
            continue;
        }
        struct dk_case *one = case_of(cases, row);
        if (one == NULL) {
            return dk_err_set(err, DK_ENOMEM, "no memory for cases");
        }
        add_row(one, row);
    }
    cases->gathered = rc == 0;
    return rc;
}

int dk_cases_next(struct dk_cases *cases, const struct dk_case **next, struct dk_err *err)
{
    if (!cases->mapping->scattered) {
        return next_together(cases, next, err);
    }
    int rc = cases->gathered ? 0 : gather_all(cases, err);
    if (rc != 0 || cases->given == cases->count) {
        return rc;
    }
    struct dk_case *one = &cases->all[cases->given++];
    sort_case(cases, one);
    *next = one;
    return 1;
}

/* ------------------------------------------------------------------------------------ life */

int dk_cases_new(struct dk_cases **cases, const struct dk_mapping *mapping, struct dk_csv *csv,
                 const uint8_t salt[DK_SALT_BYTES], struct dk_report *report, struct dk_err *err)
{
    struct dk_cases *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for cases");
    }
    c->mapping = mapping;
    c->csv = csv;
    c->report = report;
    memcpy(c->salt, salt, DK_SALT_BYTES);
    dk_map_init(&c->by_id, sizeof(size_t), CASES_MAX);
    *cases = c;
    int rc = read_header(c, err);
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
    while (c->chunks != NULL) {
        struct chunk *next = c->chunks->next;
        free(c->chunks);
        c->chunks = next;
    }
    dk_map_close(&c->by_id);
    free(c->all);
    free(c);
    *cases = NULL;
}

uint64_t dk_cases_rows(const struct dk_cases *cases)
{
    return cases->rows;
}

uint64_t dk_cases_bytes(const struct dk_cases *cases)
{
    return cases->bytes;
}
