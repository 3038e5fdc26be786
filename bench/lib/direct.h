/* bench_kpi's question answered straight from the log, with no state kept: one pass that reads of
 * each record the envelope and the few fields of its body that are asked for.
 *
 * This is what a cold question costs. docket has no such mode (its role folds whole tickets), so
 * the pass is the bench's own, over the log's own reader. Tickets are of one site, as a log's are,
 * opened by or with their customers (bench/lib/chronicle.h). */
#ifndef DK_BENCH_DIRECT_H
#define DK_BENCH_DIRECT_H

#include "bench/lib/answer.h"
#include "broker/log/log.h"

#define DK_DIRECT_THREADS_MAX 16

/* Reads the events up to `last`, each thread its part of them. */
int dk_direct_run(struct dk_log *log, uint64_t last, unsigned threads, struct dk_answer *answer,
                  struct dk_err *err);

#endif
