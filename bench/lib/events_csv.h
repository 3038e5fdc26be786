/* A log's events as a table for databases: what each says in a column of its own, words as text.
 *
 *   position, recorded_us, occurred_us, subject, version, previous, kind, flags, actor, owner_group,
 *   producer, producer_number,              the envelope; numbers
 *   ticket, actor_class,                    NULL for subjects that are no tickets
 *   direction, automatic, priority, status, what the event states, as numbers; else NULL
 *   words                                   of messages, notes, subjects, comments; else NULL
 *
 * A merge states the status merged, and what closes or solves itself closed or solved: as a
 * StatusChanged would. */
#ifndef DK_BENCH_EVENTS_CSV_H
#define DK_BENCH_EVENTS_CSV_H

#include "broker/log/log.h"
#include "proto/base/err.h"

/* The columns with their types, as every SQL has them. */
#define DK_EVENTS_CSV_COLUMNS                                                                      \
    "position bigint, recorded_us bigint, occurred_us bigint, subject bigint, version integer, "   \
    "previous bigint, kind smallint, flags smallint, actor bigint, owner_group bigint, "           \
    "producer bigint, producer_number bigint, ticket bigint, actor_class smallint, "               \
    "direction smallint, automatic smallint, priority smallint, status smallint, words text"

/* Writes the events up to `last` into a new file, a line each, without a head; NULL is empty. */
int dk_events_csv_write(struct dk_log *log, uint64_t last, const char *path, struct dk_err *err);

#endif
