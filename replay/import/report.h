/* What an import tells while it runs: rows that did not go in, and how far it is. */
#ifndef DK_IMPORT_REPORT_H
#define DK_IMPORT_REPORT_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define DK_REPORT_SHOWN_MAX 20 /* rows told on stderr; the others are counted, and in the file */

struct dk_report {
    const char *file;  /* the source's name, for messages */
    FILE *screen;      /* stderr, or NULL for silence */
    FILE *rejects;     /* all rows that did not go in, or NULL */
    uint64_t rejected; /* rows */
    bool bar;          /* the screen is a terminal: show a progress bar */
    bool bar_shown;
    uint64_t total_bytes; /* of the file; 0 = not known */
    int64_t began_us;     /* boot clock */
    int64_t shown_us;
};

void dk_report_init(struct dk_report *report, const char *file);

/* "FILE:LINE: row N: why", to the screen and the file of rejects; counts the row. */
void dk_report_reject(struct dk_report *report, uint64_t line, uint64_t row, const char *format,
                      ...) __attribute__((format(printf, 4, 5)));

/* One line for the person, above the bar. */
void dk_report_note(struct dk_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Redraws the bar, some times a second at the most; `end` leaves it as it stands. */
void dk_report_progress(struct dk_report *report, uint64_t rows, uint64_t bytes);
/* The same while something is waited for, which is `done` of `total` far. */
void dk_report_wait(struct dk_report *report, const char *what, uint64_t done, uint64_t total);
void dk_report_end(struct dk_report *report);

#endif
