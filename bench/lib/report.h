/* What a bench tells: a table for people, and as its last line one JSON object. */
#ifndef DK_BENCH_REPORT_H
#define DK_BENCH_REPORT_H

#include "bench/lib/measure.h"

#define DK_REPORT_FIGURES 128
struct dk_report {
    size_t count;
    struct {
        const char *name; /* a literal: a key of the JSON object */
        double value;
    } figure[DK_REPORT_FIGURES];
};

/* Adds a figure, and prints it as a line of the table: its name, value, and the sentence. */
void dk_report_add(struct dk_report *report, const char *name, double value, const char *sentence);
/* The same for a ratio that is to be at least (`at_least`) or at most a bound: says whether. */
void dk_report_goal(struct dk_report *report, const char *name, double value, double bound,
                    int at_least, const char *sentence);
/* The last line. */
void dk_report_end(const struct dk_report *report);

#endif
