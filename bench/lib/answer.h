/* The answer to bench_kpi's question, as every system gives it: of each priority, how many first
 * replies and resolutions there were, their sum (so their mean) and their p90 (type 7).
 *
 * First reply: opened to the first public message of a human to the customer. Resolution: opened to
 * the last solve, of tickets that are solved or closed at the end. Priority: the ticket's last. */
#ifndef DK_BENCH_ANSWER_H
#define DK_BENCH_ANSWER_H

#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>

enum dk_answer_measure { DK_ANSWER_FIRST_REPLY, DK_ANSWER_RESOLUTION, DK_ANSWER_MEASURES };
#define DK_ANSWER_PRIORITIES 5 /* by Docket__Priority; 0: none */

struct dk_answer {
    struct dk_answer_figures {
        uint64_t n;
        int64_t sum_us;
        double p90_us;
    } of[DK_ANSWER_MEASURES][DK_ANSWER_PRIORITIES];
};

/* Whether `who` answered as docket did: counts and sums are equal, and p90 within a microsecond, as
 * databases tell it as a double. 0, or DK_EINVAL, naming the first figure that differs. */
int dk_answer_compare(const struct dk_answer *docket, const struct dk_answer *other,
                      const char *who, struct dk_err *err);

/* Of docket's report "first-reply,resolution" by priority, in microseconds. 0 or DK_EINVAL. */
int dk_answer_of_report(struct dk_answer *answer, const char *json, size_t bytes,
                        struct dk_err *err);

/* Of lines "measure|priority|n|sum|p90", the measure by its number. 0 or DK_EINVAL. */
int dk_answer_of_rows(struct dk_answer *answer, const char *rows, struct dk_err *err);

/* Of samples, which are reordered. */
struct dk_answer_figures dk_answer_of_samples(int64_t *sample, size_t n);

#endif
