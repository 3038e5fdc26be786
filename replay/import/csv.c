#include "replay/import/csv.h"

#include "proto/base/buf.h"
#include "proto/base/utf8.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES (2 * DK_CSV_ROW_MAX_BYTES)

/* A field as offsets, which stay right when the buffer moves. */
struct span {
    size_t from;
    size_t to;
    bool doubled; /* holds doubled quotes */
};

struct dk_csv {
    ssize_t (*read)(void *arg, void *data, size_t bytes);
    void *arg;
    char separator;
    bool ended;
    bool begun;
    bool skipping;   /* the rest of the line */
    size_t at;       /* where the next row begins in the buffer */
    size_t size;     /* bytes in the buffer */
    uint64_t offset; /* of the buffer's first byte */
    uint64_t line;   /* of the next row */
    size_t count;
    struct span span[DK_CSV_FIELDS_MAX];
    struct dk_slice field[DK_CSV_FIELDS_MAX];
    struct dk_buf plain; /* fields whose quotes were doubled */
    char buffer[BUFFER_BYTES];
};

int dk_csv_new(struct dk_csv **csv, char separator,
               ssize_t (*read)(void *arg, void *data, size_t bytes), void *arg, struct dk_err *err)
{
    struct dk_csv *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for a reader of CSV");
    }
    c->read = read;
    c->arg = arg;
    c->separator = separator;
    c->line = 1;
    dk_buf_init(&c->plain, DK_CSV_ROW_MAX_BYTES);
    *csv = c;
    if (dk_buf_extend(&c->plain, DK_CSV_ROW_MAX_BYTES) == NULL) { /* so that it never moves */
        dk_csv_free(csv);
        return dk_err_set(err, DK_ENOMEM, "no memory for a reader of CSV");
    }
    return 0;
}

void dk_csv_free(struct dk_csv **csv)
{
    if (*csv != NULL) {
        dk_buf_close(&(*csv)->plain);
        free(*csv);
        *csv = NULL;
    }
}

/* ----------------------------------------------------------------------------- the buffer */

/* Moves what is not read yet to the front and fills up behind it. 1, 0 at the end, or DK_EIO. */
static int fill(struct dk_csv *csv, struct dk_err *err)
{
    if (csv->ended) {
        return 0;
    }
    memmove(csv->buffer, csv->buffer + csv->at, csv->size - csv->at);
    csv->size -= csv->at;
    csv->offset += csv->at;
    csv->at = 0;
    ssize_t n = csv->read(csv->arg, csv->buffer + csv->size, BUFFER_BYTES - csv->size);
    if (n < 0) {
        return dk_err_errno(err, DK_EIO, errno, "cannot read at byte %llu",
                            (unsigned long long)(csv->offset + csv->size));
    }
    csv->size += (size_t)n;
    csv->ended = n == 0;
    return n > 0;
}

/* Whether the row that begins at `at` has a byte at `i` from there, reading on if need be. 1, 0 at
 * the end of the input, DK_ETOOBIG, DK_EIO. */
static int have(struct dk_csv *csv, size_t i, struct dk_err *err)
{
    if (csv->at + i < csv->size) {
        return 1;
    }
    if (i > DK_CSV_ROW_MAX_BYTES) {
        return dk_err_set(err, DK_ETOOBIG, "the row is longer than %d bytes", DK_CSV_ROW_MAX_BYTES);
    }
    return fill(csv, err);
}

static int pass_byte_order_mark(struct dk_csv *csv, struct dk_err *err)
{
    csv->begun = true;
    int rc = have(csv, 2, err);
    while (rc == 1 && csv->size < 3) {
        rc = fill(csv, err);
    }
    if (rc == 1 && memcmp(csv->buffer, "\xef\xbb\xbf", 3) == 0) {
        csv->at = 3;
    }
    return rc < 0 ? rc : 0;
}

/* Leaves the line on which `at` stands. */
static int skip_line(struct dk_csv *csv, struct dk_err *err)
{
    int rc = 1;
    for (;;) {
        const char *from = csv->buffer + csv->at;
        const char *newline = memchr(from, '\n', csv->size - csv->at);
        if (newline != NULL) {
            csv->at += (size_t)(newline - from) + 1;
            csv->line++;
            return 0;
        }
        csv->at = csv->size;
        rc = fill(csv, err);
        if (rc <= 0) {
            return rc;
        }
    }
}

/* ---------------------------------------------------------------------------- one row */

/* A field in quotes, `*i` being at its first byte: fills the span, and moves `*i` behind the
 * closing quote. 1, or an error; a quote that does not close moves `*i` back to the row's start. */
static int scan_quoted(struct dk_csv *csv, size_t *i, struct span *span, uint64_t *newlines,
                       struct dk_err *err)
{
    span->from = *i;
    for (;;) {
        int rc = have(csv, *i, err);
        if (rc == 0 || rc == DK_ETOOBIG) {
            *i = 0;
            *newlines = 0;
            return dk_err_set(err, DK_EINVAL, "a quote opens and does not close");
        }
        if (rc < 0) {
            return rc;
        }
        char c = csv->buffer[csv->at + (*i)++];
        *newlines += c == '\n';
        if (c != '"') {
            continue;
        }
        rc = have(csv, *i, err);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0 || csv->buffer[csv->at + *i] != '"') {
            span->to = *i - 1;
            return 1;
        }
        span->doubled = true;
        (*i)++;
    }
}

/* To the separator, the newline or the end, where `*i` stops. 1, or an error. */
static int scan_plain(struct dk_csv *csv, size_t *i, struct span *span, struct dk_err *err)
{
    bool quote = false;
    span->from = *i;
    for (;;) {
        const char *from = csv->buffer + csv->at, *end = csv->buffer + csv->size;
        const char *at = from + *i;
        while (at < end && *at != csv->separator && *at != '\n') {
            quote |= *at == '"';
            at++;
        }
        *i = (size_t)(at - from);
        int rc = at < end ? 1 : have(csv, *i, err);
        if (rc < 0) {
            return rc;
        }
        if (at < end || rc == 0) {
            span->to = *i;
            break;
        }
    }
    return quote ? dk_err_set(err, DK_EINVAL,
                              "a quote stands inside a field that has none around "
                              "it")
                 : 1;
}

/* What stands behind a field: 1 another field, 0 the row's end (`*i` is behind it), or an error. */
static int scan_divider(struct dk_csv *csv, size_t *i, bool quoted, struct dk_err *err)
{
    int rc = have(csv, *i, err);
    if (rc <= 0) {
        return rc;
    }
    char c = csv->buffer[csv->at + *i];
    if (quoted && c == '\r' && (rc = have(csv, *i + 1, err)) == 1 &&
        csv->buffer[csv->at + *i + 1] == '\n') {
        c = '\n';
        (*i)++;
    }
    if (rc < 0) {
        return rc;
    }
    if (c != csv->separator && c != '\n') {
        return dk_err_set(err, DK_EINVAL, "something follows a closing quote");
    }
    (*i)++;
    return c == csv->separator;
}

/* Finds the fields of the row at `at`, and its length with its newline. */
static int scan_row(struct dk_csv *csv, size_t *bytes, uint64_t *newlines, struct dk_err *err)
{
    size_t i = 0;
    int rc = 1;
    csv->count = 0;
    while (rc == 1) {
        if (csv->count == DK_CSV_FIELDS_MAX) {
            return dk_err_set(err, DK_ETOOBIG, "the row has more than %d fields",
                              DK_CSV_FIELDS_MAX);
        }
        struct span *span = &csv->span[csv->count++];
        *span = (struct span){0};
        rc = have(csv, i, err);
        bool quoted = rc == 1 && csv->buffer[csv->at + i] == '"';
        if (quoted) {
            i++;
            rc = scan_quoted(csv, &i, span, newlines, err);
        } else if (rc >= 0) {
            rc = scan_plain(csv, &i, span, err);
        }
        rc = rc == 1 ? scan_divider(csv, &i, quoted, err) : rc;
    }
    *bytes = i;
    return rc;
}

static struct dk_slice unquote(struct dk_csv *csv, struct dk_slice doubled)
{
    size_t from = csv->plain.size;
    for (size_t i = 0; i < doubled.size; i++) {
        int rc = dk_buf_append(&csv->plain, doubled.data + i, 1);
        DK_ASSERT(rc == 0); /* never more than the row has */
        i += doubled.data[i] == '"';
    }
    return (struct dk_slice){csv->plain.data + from, csv->plain.size - from};
}

static void take_fields(struct dk_csv *csv)
{
    const uint8_t *row = (const uint8_t *)csv->buffer + csv->at;
    dk_buf_clear(&csv->plain);
    for (size_t k = 0; k < csv->count; k++) {
        const struct span *span = &csv->span[k];
        struct dk_slice field = {row + span->from, span->to - span->from};
        csv->field[k] = span->doubled ? unquote(csv, field) : field;
    }
}

/* Gives out the row of `bytes` bytes at `at`. 1, or DK_EINVAL when it is no text. */
static int take_row(struct dk_csv *csv, size_t bytes, struct dk_csv_row *row, struct dk_err *err)
{
    row->raw.data = (const uint8_t *)csv->buffer + csv->at;
    row->raw.size = bytes;
    if (row->raw.size > 0 && row->raw.data[row->raw.size - 1] == '\n') {
        row->raw.size--;
        row->raw.size -= row->raw.size > 0 && row->raw.data[row->raw.size - 1] == '\r';
    }
    struct span *last = &csv->span[csv->count - 1];
    last->to = last->to < row->raw.size ? last->to : row->raw.size; /* without a CR */
    if (!dk_utf8_is_text(row->raw.data, row->raw.size)) {
        return dk_err_set(err, DK_EINVAL,
                          "the row is not UTF-8 text without NUL (iconv -t UTF-8 "
                          "turns other encodings into it)");
    }
    take_fields(csv);
    row->count = csv->count;
    row->field = csv->field;
    return 1;
}

/* A row cannot be read, `bytes` of it were: on behind the line on which that was found. */
static void leave_row(struct dk_csv *csv, size_t bytes, uint64_t newlines)
{
    csv->at += bytes;
    csv->line += newlines;
    csv->skipping = true;
}

int dk_csv_next(struct dk_csv *csv, struct dk_csv_row *row, struct dk_err *err)
{
    int rc = csv->begun ? 0 : pass_byte_order_mark(csv, err);
    if (rc == 0 && csv->skipping) {
        rc = skip_line(csv, err);
        csv->skipping = false;
    }
    while (rc == 0) {
        size_t bytes = 0;
        uint64_t newlines = 0;
        rc = have(csv, 0, err);
        if (rc <= 0) {
            return rc;
        }
        *row = (struct dk_csv_row){.line = csv->line, .offset = csv->offset + csv->at};
        rc = scan_row(csv, &bytes, &newlines, err);
        if (rc < 0) {
            leave_row(csv, bytes, newlines);
            return rc;
        }
        rc = take_row(csv, bytes, row, err);
        csv->at += bytes;
        csv->line += newlines + 1;
        rc = rc == 1 && row->raw.size == 0 ? 0 : rc; /* an empty line */
    }
    return rc;
}
