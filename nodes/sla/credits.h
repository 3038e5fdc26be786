/* Penalty credits (DOMAIN S13): what breached promises cost, a line for each contract and calendar
 * month.
 *
 *   credit of a clock = min(cap, rate(severity) x ceil(overrun / unit))
 *
 * A clock counts in the month, in `zone`, in which it ended; one that is breached and still runs
 * has no overrun yet that could be priced, and is counted beside. Severity is the ticket's priority
 * when the clock broke. Rates are those of the contract's version in force when it ended: of the
 * clock's metric (of a penalty without one: resolution, or supplier for a supplier's contract), of
 * the priority or else of any. A clock that no contract or no penalty of it prices is counted as
 * unpriced. What was over or breached before an adoption is nobody's debt (T1).
 *
 *   {"report": "credits", "position", "fold_version", "rule_version", "from", "to", "zone",
 *    "running", "unpriced", "lines": [{"month", "contract", "company" or "supplier", "owed":
 * "by-us" or "to-us", "currency", "breaches", "credit_minor", "clocks": [{"ticket", "metric",
 *     "instance", "priority", "due", "ended", "overrun_us", "units", "capped", "credit_minor"}]}]}
 */
#ifndef DK_SLA_CREDITS_H
#define DK_SLA_CREDITS_H

#include "nodes/sla/state.h"
#include <jansson.h>

/* Arguments, each "key=value": from, to (of the clocks' end; [from, to)), zone (UTC). 0; DK_EINVAL,
 * DK_ENOTFOUND (no such zone) naming the field; DK_ETOOBIG. */
int dk_sla_credits(struct dk_sla *self, const char *const *argument, size_t argument_count,
                   json_t **json, struct dk_err *err);

/* What a penalty costs for an overrun (>= 0): min(cap, rate x units), the units begun, and whether
 * the cap was reached. At most INT64_MAX. */
uint64_t dk_credit_minor(const Docket__Penalty *penalty, int64_t overrun_us, uint64_t *units,
                         bool *capped);

#endif
