#include "replay/history/table.h"
#include "proto/base/err.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_MAX 16
#define CELL_BYTES  512
#define GAP         2

struct dk_text_table {
    size_t columns;
    char *heading[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
    char **cell;
    size_t count, capacity;
};

static char *copy_line(const char *text)
{
    char *copy = strndup(text, strcspn(text, "\r\n"));
    DK_ASSERT(copy != NULL);
    return copy;
}

struct dk_text_table *dk_text_table_new(const char *const *heading, size_t columns)
{
    struct dk_text_table *table = calloc(1, sizeof *table);
    DK_ASSERT(table != NULL && columns > 0 && columns <= COLUMNS_MAX);
    table->columns = columns;
    for (size_t i = 0; i < columns; i++) {
        table->right[i] = heading[i][0] == '>';
        table->heading[i] = copy_line(heading[i] + (table->right[i] ? 1 : 0));
    }
    return table;
}

void dk_text_table_free(struct dk_text_table **held)
{
    struct dk_text_table *table = *held;
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->columns; i++) {
        free(table->heading[i]);
    }
    for (size_t i = 0; i < table->count; i++) {
        free(table->cell[i]);
    }
    free(table->cell);
    free(table);
    *held = NULL;
}

void dk_text_table_add(struct dk_text_table *table, const char *text)
{
    if (table->count == table->capacity) {
        table->capacity = table->capacity == 0 ? 64 : 2 * table->capacity;
        table->cell = realloc(table->cell, table->capacity * sizeof *table->cell);
        DK_ASSERT(table->cell != NULL);
    }
    table->cell[table->count++] = copy_line(text != NULL ? text : "");
}

void dk_text_table_addf(struct dk_text_table *table, const char *format, ...)
{
    char text[CELL_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    dk_text_table_add(table, text);
}

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t dk_text_width(const char *text, size_t bytes)
{
    size_t width = 0;
    for (size_t i = 0; i < bytes; i++) {
        width += begins_character(text[i]) ? 1 : 0;
    }
    return width;
}

/* The bytes of the first `width` characters. */
static size_t bytes_of_width(const char *text, size_t width)
{
    size_t i = 0;
    for (; text[i] != '\0'; i++) {
        if (begins_character(text[i]) && width-- == 0) {
            break;
        }
    }
    return i;
}

static void put_blanks(size_t count, FILE *out)
{
    (void)fprintf(out, "%*s", (int)count, "");
}

static void put_cut(const char *text, size_t room, FILE *out)
{
    if (dk_text_width(text, strlen(text)) <= room) {
        (void)fputs(text, out);
    } else if (room > 3) {
        (void)fprintf(out, "%.*s...", (int)bytes_of_width(text, room - 3), text);
    }
}

static void print_row(const struct dk_text_table *table, char *const *row, const size_t *width,
                      size_t line_max, FILE *out)
{
    size_t used = 0, owed = 0; /* blanks are written only before text */
    for (size_t i = 0; i < table->columns; i++) {
        size_t own = dk_text_width(row[i], strlen(row[i]));
        size_t before = table->right[i] ? width[i] - own : 0;
        bool last = i + 1 == table->columns;
        if (own > 0) {
            put_blanks(owed + before, out);
            put_cut(row[i], last && line_max > used ? line_max - used : SIZE_MAX, out);
            owed = 0;
        } else {
            owed += before;
        }
        owed += width[i] - own - before + GAP;
        used += width[i] + GAP;
    }
    (void)fputc('\n', out);
}

void dk_text_table_print(const struct dk_text_table *table, size_t line_max, FILE *out)
{
    size_t width[COLUMNS_MAX] = {0};
    size_t rows = table->count / table->columns;
    for (size_t i = 0; i < table->columns; i++) {
        width[i] = dk_text_width(table->heading[i], strlen(table->heading[i]));
    }
    for (size_t i = 0; i < rows * table->columns; i++) {
        size_t own = dk_text_width(table->cell[i], strlen(table->cell[i]));
        size_t *column = &width[i % table->columns];
        *column = own > *column ? own : *column;
    }
    print_row(table, table->heading, width, line_max, out);
    for (size_t i = 0; i < rows; i++) {
        print_row(table, table->cell + i * table->columns, width, line_max, out);
    }
}

size_t dk_text_line_max(FILE *out)
{
    struct winsize size;
    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}
