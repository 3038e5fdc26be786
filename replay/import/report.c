#include "replay/import/report.h"

#include "proto/base/time.h"
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define REDRAW_US (DK_SECOND_US / 8)
#define BAR_WIDTH 30

void dk_report_init(struct dk_report *report, const char *file)
{
    *report = (struct dk_report){
        .file = file,
        .screen = stderr,
        .bar = isatty(STDERR_FILENO) == 1,
        .began_us = dk_clock_boot_us(),
    };
    report->shown_us = report->began_us; /* what is quick needs no bar */
}

static void clear_bar(struct dk_report *report)
{
    if (report->bar_shown) {
        (void)fputs("\r\033[K", report->screen);
        report->bar_shown = false;
    }
}

void dk_report_reject(struct dk_report *report, uint64_t line, uint64_t row, const char *format,
                      ...)
{
    char why[DK_ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(why, sizeof why, format, args);
    va_end(args);
    report->rejected++;
    if (report->rejects != NULL) {
        (void)fprintf(report->rejects, "%s:%" PRIu64 ": row %" PRIu64 ": %s\n", report->file, line,
                      row, why);
    }
    if (report->screen == NULL || report->rejected > DK_REPORT_SHOWN_MAX + 1) {
        return;
    }
    clear_bar(report);
    if (report->rejected <= DK_REPORT_SHOWN_MAX) {
        (void)fprintf(report->screen, "%s:%" PRIu64 ": row %" PRIu64 ": %s\n", report->file, line,
                      row, why);
    } else {
        (void)fprintf(report->screen, "more rows did not go in: --rejects FILE lists them all\n");
    }
}

void dk_report_note(struct dk_report *report, const char *format, ...)
{
    if (report->screen == NULL) {
        return;
    }
    clear_bar(report);
    va_list args;
    va_start(args, format);
    (void)vfprintf(report->screen, format, args);
    va_end(args);
    (void)fputc('\n', report->screen);
}

/* Whether it is time to draw the bar; then its line is begun. */
static bool begin_bar(struct dk_report *report)
{
    int64_t now_us = dk_clock_boot_us();
    if (report->screen == NULL || !report->bar || now_us - report->shown_us < REDRAW_US) {
        return false;
    }
    report->shown_us = now_us;
    report->bar_shown = true;
    (void)fputs("\r\033[K", report->screen);
    return true;
}

static void draw_bar(struct dk_report *report, double part)
{
    char bar[BAR_WIDTH + 1];
    int done = (int)(part * BAR_WIDTH);
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)(done < BAR_WIDTH ? done : BAR_WIDTH));
    bar[BAR_WIDTH] = '\0';
    (void)fprintf(report->screen, " [%s] %.0f %%", bar, 100 * part);
}

void dk_report_progress(struct dk_report *report, uint64_t rows, uint64_t bytes)
{
    if (!begin_bar(report)) {
        return;
    }
    int64_t spent_us = report->shown_us - report->began_us + 1;
    double rate = (double)rows * 1e6 / (double)spent_us;
    (void)fprintf(report->screen, "%" PRIu64 " rows, %.0f rows/s", rows, rate);
    if (report->total_bytes > 0 && bytes > 0) {
        double part = (double)bytes / (double)report->total_bytes;
        char eta[DK_TIME_TEXT_BYTES];
        int64_t left_us = (int64_t)((double)spent_us * (1 - part) / part);
        draw_bar(report, part);
        (void)fprintf(report->screen, ", %s left",
                      dk_duration_format(left_us - left_us % DK_SECOND_US, eta));
    }
    (void)fflush(report->screen);
}

void dk_report_wait(struct dk_report *report, const char *what, uint64_t done, uint64_t total)
{
    if (begin_bar(report)) {
        (void)fprintf(report->screen, "%s, %" PRIu64 " of %" PRIu64, what, done, total);
        draw_bar(report, (double)done / (double)total);
        (void)fflush(report->screen);
    }
}

void dk_report_end(struct dk_report *report)
{
    if (report->bar_shown) {
        (void)fputc('\n', report->screen);
        report->bar_shown = false;
    }
}
