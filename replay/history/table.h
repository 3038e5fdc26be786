/* Tables for people: cells gathered first, then printed with each column as wide as it needs. */
#ifndef DK_REPLAY_HISTORY_TABLE_H
#define DK_REPLAY_HISTORY_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct dk_text_table;

/* `heading` are `columns` words; one that begins with '>' stands right-aligned over numbers, one
 * with '=' over names and times: neither is cut. */
struct dk_text_table *dk_text_table_new(const char *const *heading, size_t columns);
void dk_text_table_free(struct dk_text_table **table);

/* The next cell, row by row; copied, cut at a line's end, tabs made blanks. NULL is empty. */
void dk_text_table_add(struct dk_text_table *table, const char *text);
void dk_text_table_addf(struct dk_text_table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Headings and whole rows, two blanks between columns and none at a line's end. With `line_max` > 0
 * the widest of the other columns are cut, between characters, until no line is longer; "..."
 * tells. */
void dk_text_table_print(const struct dk_text_table *table, size_t line_max, FILE *out);

/* How many columns a terminal needs for UTF-8 text: two for a wide character, as of Chinese, none
 * for a combining one. */
size_t dk_text_width(const char *text, size_t bytes);

/* The width of the terminal that stdout is; 0 when it is none, so that nothing is cut in a pipe or
 * a file. */
size_t dk_text_line_max(void);

#endif
