/* RFC 4180: a first line of names, lines ended by CRLF, fields in quotes where they need it. */
#include "replay/export/columns.h"
#include "replay/export/format.h"
#include <stdlib.h>

#define LINE_MAX_BYTES ((size_t)18 << 20) /* every byte of the body may be a quote */

struct csv {
    struct dk_exporting *with;
    struct dk_columns columns;
    struct dk_buf line;
};

static int begin_csv(struct dk_exporting *exporting, void **state)
{
    static const char header[] =
#define X(NAME, word, type) "," #word
        DK_COLUMNS(X)
#undef X
            "\r\n";
    struct csv *csv = calloc(1, sizeof *csv);
    DK_ASSERT(csv != NULL);
    csv->with = exporting;
    dk_columns_init(&csv->columns, exporting->names, exporting->arena);
    dk_buf_init(&csv->line, LINE_MAX_BYTES);
    *state = csv;
    return dk_sink_put(exporting->sink, header + 1, sizeof header - 2);
}

/* Room for the text and its quotes is there. */
static uint8_t *put_quoted(uint8_t *at, struct dk_slice text)
{
    *at++ = '"';
    for (size_t i = 0; i < text.size; i++) {
        *at++ = text.data[i];
        if (text.data[i] == '"') {
            *at++ = '"';
        }
    }
    *at++ = '"';
    return at;
}

static bool needs_quotes(struct dk_slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == ',' || c == '\n' || c == '\r') {
            return true;
        }
    }
    return false;
}

static int put_line(struct csv *csv)
{
    size_t most = 2; /* the line's end */
    dk_buf_clear(&csv->line);
    for (int i = 0; i < DK_COLUMN_COUNT; i++) {
        most += 2 * csv->columns.text[i].size + 3;
    }
    uint8_t *from = dk_buf_extend(&csv->line, most), *at = from;
    if (from == NULL) {
        return dk_err_set(csv->with->err, DK_ETOOBIG, "the event does not fit a line");
    }
    for (int i = 0; i < DK_COLUMN_COUNT; i++) {
        struct dk_slice text = csv->columns.text[i];
        if (i > 0) {
            *at++ = ',';
        }
        if (needs_quotes(text)) {
            at = put_quoted(at, text);
        } else if (text.size > 0) {
            memcpy(at, text.data, text.size);
            at += text.size;
        }
    }
    *at++ = '\r';
    *at++ = '\n';
    return dk_sink_put(csv->with->sink, from, (size_t)(at - from));
}

static int put_csv(void *state, const uint8_t *record, size_t record_bytes)
{
    struct csv *csv = state;
    int rc = dk_columns_fill(&csv->columns, record, record_bytes, csv->with->err);
    return rc != 0 ? rc : put_line(csv);
}

static int end_csv(void *state)
{
    (void)state;
    return 0;
}

static void free_csv(void **state)
{
    struct csv *csv = *state;
    if (csv != NULL) {
        dk_columns_close(&csv->columns);
        dk_buf_close(&csv->line);
        free(csv);
        *state = NULL;
    }
}

const struct dk_format dk_format_csv = {
    .word = "csv",
    .about = "a line an event, RFC 4180; the body is JSON",
    .begin = begin_csv,
    .event = put_csv,
    .end = end_csv,
    .free = free_csv,
};
