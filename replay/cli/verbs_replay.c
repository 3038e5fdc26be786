/* The verbs about the past. */
#include "replay/cli/as_of.h"
#include "replay/cli/replay.h"
#include "replay/cli/sla.h"
#include "replay/cli/staff.h"
#include "replay/cli/verb.h"

#define TICKET                                                                                     \
    {                                                                                              \
        "TICKET", NULL, "SITE-NUMBER, or its reference elsewhere", NULL, DK_NEEDED, 0              \
    }

static const struct dk_parameter verify_parameters[] = {DK_PARAMETERS_END};

static const struct dk_parameter audit_parameters[] = {TICKET, DK_PARAMETERS_END};

static const struct dk_parameter show_parameters[] = {
    TICKET,
    DK_AS_OF_PARAMETERS,
    DK_PARAMETERS_END,
};

static const struct dk_parameter queue_parameters[] = {
    {"GROUP", NULL, "whose queue, by key", NULL, DK_NEEDED, 0},
    DK_AS_OF_PARAMETERS,
    DK_PARAMETERS_END,
};

#define AS_OF                                                                                      \
    "Counts what had happened by --at, as far as the log had it by --known-at (all of it, when "   \
    "left\nout): late and imported events had happened before they were known.\n"

static const struct dk_parameter diff_parameters[] = {
    {"ROLE", NULL, "routing, sla, notification, analytics", NULL, DK_NEEDED, 0},
    {"QUERY", NULL, "one of the role's queries, instead of its state", NULL, 0, 0},
    {"ARGUMENT", NULL, "of the query, as ticket=1-42", NULL, DK_MANY, 0},
    DK_PARAMETERS_END,
};

const struct dk_verb dk_verbs_replay[] = {
    {.name = "replay verify",
     .summary = "prove that the log is what was written",
     .more =
         "Every record, every ticket's chain, every seal. Ends with 1 when anything is found.\n"
         "Where pages of the file are damaged, it names the first position that cannot be read:\n"
         "go on with a copy of the log, a backup's or a follower's.\n",
     .example = "replay verify\n",
     .parameter = verify_parameters,
     .run = dk_replay_verify_run},
    {.name = "replay audit",
     .summary = "all that happened to a ticket: who, what, when, why",
     .example = "replay audit 1-42\nreplay audit INC0000045 --json\n",
     .parameter = audit_parameters,
     .run = dk_replay_audit_run},
    {.name = "replay show",
     .summary = "a ticket as it was at any instant",
     .more = AS_OF,
     .example = "replay show 1-42 --at \"2026-02-03 10:00\"\n"
                "replay show 1-42 --at -7d --known-at -6d\n",
     .parameter = show_parameters,
     .run = dk_replay_show_run},
    {.name = "replay backlog",
     .summary = "how many tickets were live at any instant, and how old",
     .more =
         AS_OF "The bytes of docket replay kpi --backlog at the position that was known then.\n",
     .example = "replay backlog --at 2026-02-03 --by group\n"
                "replay backlog priority=high --at -7d --known-at -6d --json\n",
     .parameter = dk_replay_backlog_parameters,
     .run = dk_replay_backlog_run},
    {.name = "replay queue",
     .summary = "a group's queue at any instant, in routing's order",
     .more = "As routing itself had it: what had happened by --at, and was recorded by then. With\n"
             "--known-at also what was recorded later of it, as a late solve that took a ticket "
             "out.\n",
     .example = "replay queue desk --at \"2026-02-03 10:00\"\n"
                "replay queue desk --at -7d --known-at now --json\n",
     .parameter = queue_parameters,
     .run = dk_replay_queue_run},
    {.name = "replay sla explain",
     .summary = "a ticket's clocks, computed from the log",
     .more = dk_sla_explain_more,
     .example = "replay sla explain 1-42 resolution --at \"2026-02-03 10:00\"\n",
     .parameter = dk_sla_explain_parameters,
     .run = dk_replay_sla_explain_run},
    {.name = "replay sla pauses",
     .summary = "pauses for the customer that had no reason, folded from the log",
     .more = dk_pauses_more,
     .example = "replay sla pauses --from 2026-03-01 --json\n",
     .parameter = dk_replay_pauses_parameters,
     .run = dk_replay_pauses_run},
    {.name = "replay kpi credits",
     .summary = "what breached promises cost, folded from the log",
     .more = dk_credits_more,
     .example = "replay kpi credits --from 2026-03-01 --json\n",
     .parameter = dk_replay_credits_parameters,
     .run = dk_replay_credits_run},
    {.name = "replay kpi load",
     .summary = "how busy agents or groups were, folded from the log",
     .more = dk_load_more,
     .example = "replay kpi load --by group --json\n",
     .parameter = dk_replay_load_parameters,
     .run = dk_replay_staff_run},
    {.name = "replay kpi coverage",
     .summary = "products that too few agents of a shift serve, folded from the log",
     .more = dk_coverage_more,
     .example = "replay kpi coverage --at 2026-03-01\n",
     .parameter = dk_replay_coverage_parameters,
     .run = dk_replay_staff_run},
    {.name = "replay kpi index",
     .summary = "the integral index, folded from the log",
     .more = dk_index_more,
     .example = "replay kpi index --from 2026-03-01 --to 2026-04-01\n",
     .parameter = dk_replay_index_parameters,
     .run = dk_replay_staff_run},
    {.name = "replay kpi",
     .summary = "key figures, folded from the log",
     .more = dk_replay_kpi_more,
     .example = "replay kpi --by priority --json\n"
                "replay kpi --policy stricter.yaml --calendar more-holidays.yaml --by priority\n",
     .parameter = dk_replay_kpi_parameters,
     .run = dk_replay_kpi_run},
    {.name = "replay export",
     .summary = "the log's events as CSV, JSON lines and other formats",
     .more = dk_replay_export_more,
     .example = "replay export csv --out events.csv\n"
                "replay export jsonl --from 2026-03-01 --to 2026-04-01 --kind status\n",
     .parameter = dk_replay_export_parameters,
     .run = dk_replay_export_run},
    {.name = "replay diff",
     .summary = "compare a live node's state, or its answer, with a replay of it",
     .more = "Ends with 1 when they differ.\n",
     .example = "replay diff analytics\nreplay diff sla clocks ticket=1-42\n",
     .parameter = diff_parameters,
     .run = dk_replay_diff_run},
    {.name = NULL},
};
