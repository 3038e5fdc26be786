#include "bench/lib/answer.h"
#include "docket.pb-c.h"
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define P90_SLACK_US 1.0

static const char *const measure_words[DK_ANSWER_MEASURES] = {"first-reply", "resolution"};
static const char *const priority_words[DK_ANSWER_PRIORITIES] = {"none", "critical", "high",
                                                                 "normal", "low"};

int dk_answer_compare(const struct dk_answer *docket, const struct dk_answer *other,
                      const char *who, struct dk_err *err)
{
    for (unsigned i = 0; i < DK_ANSWER_MEASURES * DK_ANSWER_PRIORITIES; i++) {
        unsigned measure = i / DK_ANSWER_PRIORITIES, priority = i % DK_ANSWER_PRIORITIES;
        const struct dk_answer_figures *a = &docket->of[measure][priority];
        const struct dk_answer_figures *b = &other->of[measure][priority];
        if (a->n != b->n || a->sum_us != b->sum_us ||
            !(fabs(a->p90_us - b->p90_us) <= P90_SLACK_US)) {
            return dk_err_set(err, DK_EINVAL,
                              "%s of priority %s: docket has n %" PRIu64 ", sum %" PRId64
                              ", p90 %.3f, and %s n %" PRIu64 ", sum %" PRId64 ", p90 %.3f",
                              measure_words[measure], priority_words[priority], a->n, a->sum_us,
                              a->p90_us, who, b->n, b->sum_us, b->p90_us);
        }
    }
    return 0;
}

/* ---------------------------------------------------------------- from reports and rows */

static unsigned priority_of(const json_t *cell)
{
    const char *word = json_string_value(json_object_get(json_object_get(cell, "by"), "priority"));
    unsigned priority = 0;
    for (unsigned i = 1; word != NULL && i < DK_ANSWER_PRIORITIES; i++) {
        priority = strcmp(word, priority_words[i]) == 0 ? i : priority;
    }
    return priority;
}

int dk_answer_of_report(struct dk_answer *answer, const char *json, size_t bytes,
                        struct dk_err *err)
{
    json_error_t error;
    json_t *report = json_loadb(json, bytes, 0, &error), *cell;
    size_t i;
    *answer = (struct dk_answer){0};
    if (report == NULL) {
        return dk_err_set(err, DK_EINVAL, "docket's report is no JSON: %s", error.text);
    }
    json_array_foreach(json_object_get(report, "cells"), i, cell)
    {
        for (unsigned measure = 0; measure < DK_ANSWER_MEASURES; measure++) {
            json_t *said =
                json_object_get(json_object_get(cell, "measures"), measure_words[measure]);
            answer->of[measure][priority_of(cell)] = (struct dk_answer_figures){
                .n = (uint64_t)json_integer_value(json_object_get(said, "n")),
                .sum_us = json_integer_value(json_object_get(said, "sum")),
                .p90_us = json_number_value(json_object_get(said, "p90")),
            };
        }
    }
    json_decref(report);
    return 0;
}

int dk_answer_of_rows(struct dk_answer *answer, const char *rows, struct dk_err *err)
{
    unsigned measure, priority;
    struct dk_answer_figures figures;
    int used;
    *answer = (struct dk_answer){0};
    while (*rows != '\0') {
        if (sscanf(rows, "%u|%u|%" SCNu64 "|%" SCNd64 "|%lf%n", &measure, &priority, &figures.n,
                   &figures.sum_us, &figures.p90_us, &used) != 5 ||
            measure >= DK_ANSWER_MEASURES || priority >= DK_ANSWER_PRIORITIES) {
            return dk_err_set(err, DK_EINVAL, "this is no row of an answer: %.80s", rows);
        }
        answer->of[measure][priority] = figures;
        rows += used;
        rows += strspn(rows, "\r\n");
    }
    return 0;
}

/* ---------------------------------------------------------------- from samples */

/* Moves the k-th smallest to its place, smaller ones before it and larger ones behind (Hoare). */
static void select_kth(int64_t *sample, size_t n, size_t k)
{
    size_t from = 0, to = n - 1;
    while (from < to) {
        int64_t pivot = sample[from + (to - from) / 2];
        size_t i = from, j = to;
        for (;; i++, j--) {
            while (sample[i] < pivot) {
                i++;
            }
            while (sample[j] > pivot) {
                j--;
            }
            if (i >= j) {
                break;
            }
            int64_t swapped = sample[i];
            sample[i] = sample[j];
            sample[j] = swapped;
        }
        if (k <= j) {
            to = j;
        } else {
            from = j + 1;
        }
    }
}

struct dk_answer_figures dk_answer_of_samples(int64_t *sample, size_t n)
{
    struct dk_answer_figures figures = {.n = n};
    if (n == 0) {
        return figures;
    }
    for (size_t i = 0; i < n; i++) {
        figures.sum_us += sample[i];
    }
    size_t below = (n - 1) * 9 / 10, tenths = (n - 1) * 9 % 10;
    select_kth(sample, n, below);
    int64_t low = sample[below], high = tenths > 0 ? INT64_MAX : low;
    for (size_t i = below + 1; tenths > 0 && i < n; i++) {
        high = sample[i] < high ? sample[i] : high;
    }
    figures.p90_us = (double)low + (double)(high - low) * (double)tenths / 10;
    return figures;
}
