#include "replay/history/table.h"
#include "proto/base/err.h"
#include <locale.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define COLUMNS_MAX 16
#define CELL_BYTES  512
#define GAP         2
#define LEAST_WIDTH 6  /* of a column that is cut to fit */
#define USUAL_WIDTH 80 /* of a terminal that does not say its own */

struct dk_text_table {
    size_t columns;
    char *heading[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
    bool whole[COLUMNS_MAX]; /* never cut */
    char **cell;
    size_t count, capacity;
};

static char *copy_line(const char *text)
{
    char *copy = strndup(text, strcspn(text, "\r\n"));
    DK_ASSERT(copy != NULL);
    for (char *tab = copy; (tab = strchr(tab, '\t')) != NULL;) {
        *tab = ' ';
    }
    return copy;
}

struct dk_text_table *dk_text_table_new(const char *const *heading, size_t columns)
{
    struct dk_text_table *table = calloc(1, sizeof *table);
    DK_ASSERT(table != NULL && columns > 0 && columns <= COLUMNS_MAX);
    table->columns = columns;
    for (size_t i = 0; i < columns; i++) {
        table->right[i] = heading[i][0] == '>';
        table->whole[i] = table->right[i] || heading[i][0] == '=';
        table->heading[i] = copy_line(heading[i] + (table->whole[i] ? 1 : 0));
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

/* One character: its bytes, and the columns that it takes on a terminal; a byte that begins none,
 * and a control character (which the program shows as one sign), take one. */
struct character {
    size_t bytes, width;
};

static struct character character_at(const char *text, size_t max)
{
    mbstate_t state = {0};
    wchar_t wide = 0;
    size_t bytes = mbrtowc(&wide, text, max, &state);
    bool whole = bytes > 0 && bytes <= max;
    int width = whole ? wcwidth(wide) : 1;
    return (struct character){whole ? bytes : 1, width >= 0 ? (size_t)width : 1};
}

static bool is_ascii(const char *text, size_t bytes)
{
    unsigned char all = 0;
    for (size_t i = 0; i < bytes; i++) {
        all |= (unsigned char)text[i];
    }
    return all < 0x80;
}

/* The bytes of the first characters that take at most `room` columns, and how many they take. */
static size_t bytes_of_width(const char *text, size_t bytes, size_t room, size_t *width)
{
    if (is_ascii(text, bytes)) { /* most are, and need no table of characters */
        return *width = bytes < room ? bytes : room;
    }
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    DK_ASSERT(utf8 != (locale_t)0); /* it comes with the C library */
    locale_t before = uselocale(utf8);
    size_t at = 0;
    *width = 0;
    while (at < bytes) {
        struct character next = character_at(text + at, bytes - at);
        if (*width + next.width > room) {
            break;
        }
        *width += next.width;
        at += next.bytes;
    }
    (void)uselocale(before);
    freelocale(utf8);
    return at;
}

size_t dk_text_width(const char *text, size_t bytes)
{
    size_t width;
    (void)bytes_of_width(text, bytes, SIZE_MAX, &width);
    return width;
}

static void put_blanks(size_t count, FILE *out)
{
    (void)fprintf(out, "%*s", (int)count, "");
}

/* At most `room` columns of a text; where it is cut, "..." tells. Returns the columns it took. */
static size_t put_cut(const char *text, size_t room, FILE *out)
{
    size_t bytes = strlen(text), width, dots = room > 3 ? 3 : 0;
    if (bytes_of_width(text, bytes, room, &width) == bytes) {
        (void)fputs(text, out);
        return width;
    }
    bytes = bytes_of_width(text, bytes, room - dots, &width);
    (void)fprintf(out, "%.*s%.*s", (int)bytes, text, (int)dots, "...");
    return width + dots;
}

static void print_row(const struct dk_text_table *table, char *const *row, const size_t *width,
                      FILE *out)
{
    size_t owed = 0; /* blanks are written only before text */
    for (size_t i = 0; i < table->columns; i++) {
        size_t own = dk_text_width(row[i], strlen(row[i]));
        size_t before = table->right[i] && own < width[i] ? width[i] - own : 0;
        size_t put = 0;
        if (own > 0) {
            put_blanks(owed + before, out);
            put = put_cut(row[i], width[i], out);
            owed = 0;
        } else {
            owed += before;
        }
        owed += width[i] - put - before + GAP;
    }
    (void)fputc('\n', out);
}

/* Takes from the widest columns of text until a row fits; what is narrow anyway stays. */
static void fit(const struct dk_text_table *table, size_t *width, size_t line_max)
{
    size_t used = (table->columns - 1) * GAP;
    for (size_t i = 0; i < table->columns; i++) {
        used += width[i];
    }
    while (used > line_max) {
        size_t widest = table->columns;
        for (size_t i = table->columns; i-- > 0;) {
            if (!table->whole[i] && width[i] > LEAST_WIDTH &&
                (widest == table->columns || width[i] > width[widest])) {
                widest = i;
            }
        }
        if (widest == table->columns) {
            return; /* a terminal too narrow for it: the lines wrap */
        }
        width[widest]--;
        used--;
    }
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
    if (line_max > 0) {
        fit(table, width, line_max);
    }
    print_row(table, table->heading, width, out);
    for (size_t i = 0; i < rows; i++) {
        print_row(table, table->cell + i * table->columns, width, out);
    }
}

size_t dk_text_line_max(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO)) {
        return 0;
    }
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : USUAL_WIDTH;
}
