/* Look-ups: names to subjects, a projection written behind the log.
 *
 *   DIR/lookups/   a projection (projection.h): rebuilt when missing or damaged
 *     lookups   length (1 byte), Opened.reference or an import's case key, ticket (8 bytes) -> ""
 */
#ifndef DK_LOG_LOOKUPS_H
#define DK_LOG_LOOKUPS_H

#include "broker/log/log.h"

struct dk_lookups;

int dk_lookups_open(struct dk_lookups **lookups, const char *dir, struct dk_log *log,
                    enum dk_log_mode mode, struct dk_err *err);
void dk_lookups_close(struct dk_lookups **lookups);
int dk_lookups_position(struct dk_lookups *lookups, uint64_t *position, struct dk_err *err);

/* Takes in at most `max_records` more (in one transaction, durable on return); `*more` says that
 * this bound was met before the log's end. */
int dk_lookups_advance(struct dk_lookups *lookups, struct dk_log_reader *reader,
                       uint64_t max_records, bool *more, struct dk_err *err);

/* Who bears a reference. That one bears it alone is no rule of admission: look-ups are written
 * behind, and the cases of two imports may well have the same keys. */
#define DK_BEARERS_TOLD 8
struct dk_bearers {
    uint64_t ticket[DK_BEARERS_TOLD]; /* ascending */
    size_t count;
    bool more; /* than these */
};
/* Adds a ticket that is not among them yet. */
void dk_bearers_add(struct dk_bearers *bearers, uint64_t ticket);
/* The only one. DK_ENOTFOUND when there is none; when there are several, DK_ECONFLICT and a
 * sentence that lists them: a name never leads to one of several. */
int dk_bearers_only(const struct dk_bearers *bearers, const void *reference, size_t bytes,
                    uint64_t *ticket, struct dk_err *err);

/* Adds those that bear `reference` as far as records were taken in. 0, or an error of the
 * environment. From any thread, also while another advances. */
int dk_lookups_find(struct dk_lookups *lookups, const void *reference, size_t bytes,
                    struct dk_bearers *bearers, struct dk_err *err);

#endif
