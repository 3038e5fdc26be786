/* The verbs about clocks: asked of the live SLA node, or computed from the log. */
#ifndef DK_REPLAY_CLI_SLA_H
#define DK_REPLAY_CLI_SLA_H

#include "replay/cli/cli.h"
#include "replay/history/past.h"

int dk_sla_explain_run(struct dk_cli *cli, struct dk_err *err);
int dk_sla_due_run(struct dk_cli *cli, struct dk_err *err);
int dk_sla_overdue_run(struct dk_cli *cli, struct dk_err *err);

/* The same of a ticket read from the log; without --at as of its last event. */
int dk_sla_explain_past(struct dk_cli *cli, const struct dk_past_ticket *read, struct dk_err *err);

/* A report of the SLA role: asked of the live node, or of the role folded from the log. */
struct dk_sla_report {
    const char *name; /* of the query */
    bool live;
    bool by_group; /* it has an option --group */
    void (*print)(const struct dk_cli *cli, const json_t *report);
};

/* Asks by the options --from, --to, --zone and --group, and prints what comes, as JSON or as text.
 */
int dk_sla_report(struct dk_cli *cli, const struct dk_sla_report *report, struct dk_err *err);

/* Illegitimate pauses (nodes/sla/pauses.h). */
int dk_pauses_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_pauses_run(struct dk_cli *cli, struct dk_err *err);

extern const struct dk_parameter dk_pauses_parameters[], dk_replay_pauses_parameters[];
extern const char dk_pauses_more[];

/* Penalty credits (nodes/sla/credits.h): of the live node, or folded from the log. */
int dk_credits_run(struct dk_cli *cli, struct dk_err *err);
int dk_replay_credits_run(struct dk_cli *cli, struct dk_err *err);

extern const struct dk_parameter dk_credits_parameters[], dk_replay_credits_parameters[];
extern const char dk_credits_more[];

extern const struct dk_parameter dk_sla_explain_parameters[], dk_sla_due_parameters[],
    dk_sla_overdue_parameters[];
extern const char dk_sla_explain_more[];

/* "26:30:00": hours, minutes and seconds, with the fraction when there is one; exact, so that
 * columns of them add up. Returns `text`. */
#define DK_SLA_SPAN_BYTES 40
char *dk_sla_span(int64_t us, char text[DK_SLA_SPAN_BYTES]);

/* The clocks of nodes/sla/explain.h as text for people, times in the zone. */
void dk_sla_explain_print(const json_t *explained, const struct dk_zone *zone, FILE *out);

#endif
