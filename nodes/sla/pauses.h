/* The report of illegitimate pauses (DOMAIN S11): tickets that were set to wait for their customer,
 * who had written last, or had been asked nothing. Of all tickets, historical ones too.
 *
 * Listed by beginning, then ticket. One that lasts is measured up to the last event that was
 * folded, so that a replay to the same position says the same. Whether imported replies asked for
 * anything is often not told: such pauses are counted as unknown, never listed.
 *
 *   {"report": "pauses", "position", "fold_version", "rule_version", "from", "to", "group",
 *    "unknown", "wall_us": of all, "pauses": [{"ticket", "group": at its beginning, "by": who
 *     paused, "from", "to": null while it lasts, "wall_us", "why": "wrote-last" or "not-asked",
 *     "live", "paused_by": position, "message": position of the customer's, "ended_by": position}]}
 */
#ifndef DK_SLA_PAUSES_H
#define DK_SLA_PAUSES_H

#include "nodes/sla/state.h"
#include <jansson.h>

/* Arguments, each "key=value": from, to (of the pauses' beginning; [from, to)), zone (of times
 * without an offset; UTC), group (its key). 0; DK_EINVAL, DK_ENOTFOUND naming the field;
 * DK_ETOOBIG. */
int dk_sla_pauses(struct dk_sla *self, const char *const *argument, size_t argument_count,
                  json_t **json, struct dk_err *err);

#endif
