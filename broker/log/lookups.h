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

/* The ticket that `reference` names: DK_ENOTFOUND; DK_ECONFLICT when it names several.
 * From any thread, also while another advances. */
int dk_lookups_get(struct dk_lookups *lookups, const void *reference, size_t bytes,
                   uint64_t *ticket, struct dk_err *err);

#endif
