#include "bench/lib/report.h"
#include "proto/base/err.h"
#include <math.h>
#include <stdio.h>

static int digits(double value)
{
    return fabs(value) >= 1000 ? 0 : fabs(value) >= 10 ? 1 : 3;
}

static void add(struct dk_report *report, const char *name, double value)
{
    DK_ASSERT(report->count < DK_REPORT_FIGURES);
    report->figure[report->count].name = name;
    report->figure[report->count++].value = value;
}

void dk_report_add(struct dk_report *report, const char *name, double value, const char *sentence)
{
    add(report, name, value);
    (void)printf("  %-26s %12.*f  %s\n", name, digits(value), value, sentence);
}

void dk_report_goal(struct dk_report *report, const char *name, double value, double bound,
                    int at_least, const char *sentence)
{
    int held = at_least ? value >= bound : value <= bound;
    add(report, name, value);
    (void)printf("  %-26s %12.3f  %s; to be at %s %.2f: %s\n", name, value, sentence,
                 at_least ? "least" : "most", bound, held ? "held" : "MISSED");
}

void dk_report_end(const struct dk_report *report)
{
    (void)printf("{");
    for (size_t i = 0; i < report->count; i++) {
        double value = report->figure[i].value;
        (void)printf("%s\"%s\":%.*f", i == 0 ? "" : ",", report->figure[i].name, digits(value),
                     value);
    }
    (void)printf("}\n");
}
