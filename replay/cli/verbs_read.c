/* The verbs that read, and those about the site. */
#include "proto/event/kinds.h"
#include "replay/cli/read.h"
#include "replay/cli/verb.h"

static const struct dk_parameter show_parameters[] = {
    {"TICKET", NULL, "SITE-NUMBER, or its reference elsewhere", NULL, DK_NEEDED, 0},
    DK_PARAMETERS_END,
};

const struct dk_verb dk_verbs_read[] = {
    {.name = "show",
     .summary = "a ticket: its state and its history",
     .example = "show 1-42\nshow INC0000045 --zone Europe/Berlin\nshow 1-42 --json\n",
     .parameter = show_parameters,
     .run = dk_show_run},
    {.name = "tail",
     .summary = "the log's events as JSON lines",
     .example = "tail -f\ntail --from 1 --kind opened --kind status\ntail -f --ticket 1-42\n",
     .parameter = dk_tail_parameters,
     .run = dk_tail_run},
    {.name = NULL},
};

const struct dk_verb dk_verbs_site[] = {
    {.name = "status",
     .summary = "how the site is; with TICKET STATUS, sets a ticket's status",
     .more = "Without TICKET and STATUS: the broker, its disk, and every node's lag and health.\n",
     .example = "status\nstatus --wait 30 --roles routing,sla\n"
                "status 1-42 pending --for customer --as anna\n",
     .parameter = dk_status_parameters,
     .run = dk_status_run,
     .kind = DK_KIND_STATUS_CHANGED},
    {.name = NULL},
};

const struct dk_verb dk_verbs_replay[] = {
    {.name = NULL},
};
