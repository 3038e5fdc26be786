/* A reader of CSV (RFC 4180), row by row, of any length, in bounded memory.
 *
 * Fields are divided by one character, rows by LF or CRLF; the last row needs neither. A field in
 * quotes holds separators, newlines and doubled quotes. A byte order mark at the front is passed
 * over. Text is UTF-8 without NUL. A row has at most DK_CSV_ROW_MAX_BYTES and
 * DK_CSV_FIELDS_MAX fields. A row that breaks these rules is reported and the next one is read: a
 * quote that never closes costs its own line, not the rest of the file. */
#ifndef DK_IMPORT_CSV_H
#define DK_IMPORT_CSV_H

#include "proto/base/err.h"
#include "proto/event/wire.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DK_CSV_ROW_MAX_BYTES (1024 * 1024)
#define DK_CSV_FIELDS_MAX    1024

struct dk_csv;

struct dk_csv_row {
    uint64_t line;       /* on which it begins, from 1 */
    uint64_t offset;     /* of its first byte, from 0 */
    struct dk_slice raw; /* its bytes, without the newline */
    size_t count;
    const struct dk_slice *field; /* without quotes */
};

/* `read` gives the next bytes, as read(2) does: 0 at the end, -1 with errno. `arg` is borrowed. */
int dk_csv_new(struct dk_csv **csv, char separator,
               ssize_t (*read)(void *arg, void *data, size_t bytes), void *arg, struct dk_err *err);
void dk_csv_free(struct dk_csv **csv);

/* Reads the next row; an empty line is none. 1 and the row, good until the next call; 0 at the end;
 * DK_EINVAL or DK_ETOOBIG for a row that cannot be read (`row` has its line and offset): the next
 * call goes on behind it; DK_EIO. */
int dk_csv_next(struct dk_csv *csv, struct dk_csv_row *row, struct dk_err *err);

#endif
