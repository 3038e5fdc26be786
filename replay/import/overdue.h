/* What was overdue when tickets were adopted, as the site's sla node finds it.
 *
 *   Adopted is in the log --> wait until sla has folded it --> its "overdue" --> of these tickets
 *
 * Nothing fires for what was due before a ticket was adopted; a person reads of it here. */
#ifndef DK_IMPORT_OVERDUE_H
#define DK_IMPORT_OVERDUE_H

#include "replay/import/run.h"

/* Fills the summary's `open` and, when an sla node tells, `overdue`; without one, or when it does
 * not keep up, a note says so. Nothing is in flight. 0, or what ends the connection to the broker.
 */
int dk_overdue_find(struct dk_run *run, struct dk_err *err);

/* For people: what was overdue, or, when that is not known, what is open. */
void dk_overdue_print(const struct dk_import_summary *summary, FILE *out);

#endif
