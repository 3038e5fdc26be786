/* The log read directly from its folder, for questions about the past: never written, and no
 * broker is asked. */
#ifndef DK_REPLAY_HISTORY_PAST_H
#define DK_REPLAY_HISTORY_PAST_H

#include "broker/log/log.h"
#include "proto/base/map.h"
#include "proto/refs/refs.h"
#include "replay/history/life.h"

struct dk_past {
    struct dk_log *log;
    struct dk_log_reader *reader;
};

/* Opens the log in `dir`. After an error there is nothing to close. */
int dk_past_open(struct dk_past *past, const char *dir, struct dk_err *err);
void dk_past_close(struct dk_past *past);

/* The ticket that SITE-NUMBER, an external reference or an imported case's key names. Look-ups that
 * lag behind, or are missing, are made up for by reading the log. DK_ENOTFOUND, DK_ECONFLICT (the
 * reference names several). */
int dk_past_find(struct dk_past *past, const char *name, uint64_t *ticket, struct dk_err *err);

/* The position of the last record that the log had by an instant, found by bisection. DK_ENOTFOUND
 * when it begins later. */
int dk_past_known(struct dk_past *past, int64_t known_us, uint64_t *position, struct dk_err *err);

/* What reading the whole log once gives for a ticket. */
struct dk_past_ticket {
    struct dk_past *past; /* that it was read from */
    uint64_t ticket;
    struct dk_life life;
    struct dk_refs *refs;
    struct dk_map sources; /* of imports: subject -> name, char[DK_KEY_MAX_BYTES + 1] */
};

/* Finds the ticket by name and reads: its events, all definitions, the names of imports' sources.
 * `on_progress` as dk_scan's. DK_ENOTFOUND when the ticket has no event. Closed by the caller,
 * after an error too. */
int dk_past_read(struct dk_past *past, const char *name, struct dk_past_ticket *read,
                 int (*on_progress)(void *arg, uint64_t position), void *arg, struct dk_err *err);
void dk_past_ticket_close(struct dk_past_ticket *read);

#endif
