/* The verbs that read, and those about the site. */
#include "proto/event/kinds.h"
#include "replay/cli/notify.h"
#include "replay/cli/parties.h"
#include "replay/cli/read.h"
#include "replay/cli/sla.h"
#include "replay/cli/staff.h"
#include "replay/cli/verb.h"

const struct dk_verb dk_verbs_read[] = {
    {.name = "show",
     .summary = "a ticket: its state and its history",
     .example =
         "show 1-42\nshow INC0000045 --zone Europe/Berlin\nshow 1-42 --json\nshow 1-42 --as anna\n",
     .parameter = dk_show_parameters,
     .run = dk_show_run},
    {.name = "list",
     .summary = "tickets, by what they are now",
     .more = "Filters: status, pending, priority, type, channel, line, group, owner, product (with "
             "all\nbelow it), customer. With --json one object a line.\n",
     .example = "list --open --filter group=desk\nlist --filter owner=none --filter priority=high\n"
                "list --open --as anna\n",
     .parameter = dk_list_parameters,
     .run = dk_list_run},
    {.name = "tail",
     .summary = "the log's events as JSON lines",
     .example = "tail -f\ntail --from 1 --kind opened --kind status\ntail -f --ticket 1-42\n",
     .parameter = dk_tail_parameters,
     .run = dk_tail_run},
    {.name = "get",
     .summary = "reference data in force",
     .more = "Kinds: agents, groups, products, calendars, policies, suppliers, contracts, "
             "templates,\nrules, fields, shifts, sites, checklists, settings, customers, "
             "companies.\n",
     .example = "get agents\nget policies gold --json\nget groups --at 2026-01-01\n",
     .parameter = dk_get_parameters,
     .run = dk_get_run},
    {.name = "kpi credits",
     .summary = "what breached promises cost, by contract and month, from the sla node",
     .more = dk_credits_more,
     .example = "kpi credits --from 2026-03-01 --to 2026-04-01 --zone Europe/Berlin\n",
     .parameter = dk_credits_parameters,
     .run = dk_credits_run},
    {.name = "kpi load",
     .summary = "how busy agents or groups were, and how evenly",
     .more = dk_load_more,
     .example = "kpi load --from -7d\nkpi load --by group --from 2026-03-01 --to 2026-04-01\n",
     .parameter = dk_load_parameters,
     .run = dk_staff_run},
    {.name = "kpi coverage",
     .summary = "products that too few agents of a shift serve",
     .more = dk_coverage_more,
     .example = "kpi coverage\nkpi coverage --at 2026-03-01 --at-least 3\n",
     .parameter = dk_coverage_parameters,
     .run = dk_staff_run},
    {.name = "kpi index",
     .summary = "the integral index: what agents or groups got done, by weight and quality",
     .more = dk_index_more,
     .example = "kpi index --by group --from -28d\nkpi index --a 1 --b 0.5 --c 0\n",
     .parameter = dk_index_parameters,
     .run = dk_staff_run},
    {.name = "kpi",
     .summary = "key figures, from the analytics node",
     .more = dk_kpi_more,
     .example = "kpi --by priority --from -30d\nkpi --measures resolution --by group,month "
                "priority=high\nkpi --backlog --at 2026-01-01 --by group\n"
                "kpi --measures agent-work,next-reply --time business --by type\n"
                "kpi --measures sla-supplier,supplier-hold,fix-reopened --by supplier\n",
     .parameter = dk_kpi_parameters,
     .run = dk_kpi_verb},
    {.name = "routing explain",
     .summary = "why a ticket went to a group or an agent, or nobody: all that was judged",
     .more = "From the log: routing is folded up to where it decided, and the decision made again. "
             "Of a\nchoice all agents are shown, of a route the catalogue's nodes, of a wait the "
             "steps that are\nleft. Ends with 1 when the event says another choice, other "
             "candidates or other counts.\n",
     .example = "routing explain 1-42\nrouting explain 1-42 --all\n"
                "routing explain 1-42 --event 1234 --json\n",
     .parameter = dk_routing_explain_parameters,
     .run = dk_routing_explain_run},
    {.name = "sla explain",
     .summary = "a ticket's clocks: when each ran, and why it is due when it is",
     .more = dk_sla_explain_more,
     .example = "sla explain 1-42\nsla explain 1-42 resolution --at \"2026-02-03 10:00\" --json\n",
     .parameter = dk_sla_explain_parameters,
     .run = dk_sla_explain_run},
    {.name = "sla due",
     .summary = "the clocks that run and are due next",
     .example = "sla due\nsla due -n 100 --json\n",
     .parameter = dk_sla_due_parameters,
     .run = dk_sla_due_run},
    {.name = "sla overdue",
     .summary = "clocks of adopted tickets that were due before the adoption, and wait still",
     .example = "sla overdue\n",
     .parameter = dk_sla_overdue_parameters,
     .run = dk_sla_overdue_run},
    {.name = "sla pauses",
     .summary = "pauses for the customer that had no reason",
     .more = dk_pauses_more,
     .example = "sla pauses --from -30d\nsla pauses --group desk --json\n",
     .parameter = dk_pauses_parameters,
     .run = dk_pauses_run},
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
    {.name = "apply",
     .summary = "change reference data to what YAML files say",
     .more = "Shows the difference, asks, and appends it: all of it or nothing, up to 1000 changes "
             "and\n"
             "1 MiB; more go in order, as many at a time.\n",
     .example = "apply people.yaml groups.yaml --dry-run\napply organization.yaml --yes\n",
     .parameter = dk_apply_parameters,
     .run = dk_apply_run,
     .of_operator = true},
    {.name = "holidays",
     .summary = "take holidays from an iCalendar feed, each shown and approved",
     .more = "Asks for every day of the feed: y takes it, n passes it over, a takes all that are "
             "left,\nq ends. What was taken is added to the file, which a calendar names with\n"
             "\"holidays_from: FILE\"; `docket apply` then brings it into force.\n",
     .example = "holidays feed.ics --out holidays-berlin.yaml\n"
                "holidays feed.ics --from 2027-01-01 --to 2028-01-01 --json\n",
     .parameter = dk_holidays_parameters,
     .run = dk_holidays_run},
    {.name = "notify list",
     .summary = "notices that wait to be sent, or were given up, in order",
     .more = "A digest's notices wait for its window. With --json one object a line.\n",
     .example = "notify list\nnotify list --dead -n 500\nnotify list --dead --json\n",
     .parameter = dk_notify_list_parameters,
     .run = dk_notify_list_run},
    {.name = "notify retry",
     .summary = "send again what was given up",
     .more = "Each goes by itself, with the template in force now, to where it was to go before.\n",
     .example = "notify retry 3f9c0a1b2c3d4e5f\nnotify retry --all\n",
     .parameter = dk_notify_retry_parameters,
     .run = dk_notify_retry_run,
     .of_operator = true},
    {.name = "notify drop",
     .summary = "give notices up for good",
     .example = "notify drop 3f9c0a1b2c3d4e5f --reason \"the mailbox is gone\"\n",
     .parameter = dk_notify_drop_parameters,
     .run = dk_notify_drop_run,
     .of_operator = true},
    {.name = "import customers",
     .summary = "define customers from CSV: addresses, names, companies, languages",
     .more = dk_customers_more,
     .example = "import customers customers.csv\n"
                "import customers crm.csv --columns address=E-Mail,name=Contact --separator \";\"\n"
                "import customers customers.csv --yes --json --rejects rejects.txt\n",
     .parameter = dk_customers_parameters,
     .run = dk_customers_run,
     .of_operator = true},
    {.name = "import companies",
     .summary = "define companies from CSV: names, tiers, contracts",
     .more = dk_companies_more,
     .example = "import companies companies.csv --dry-run\n"
                "import companies companies.csv --columns contract= --yes\n",
     .parameter = dk_companies_parameters,
     .run = dk_companies_run,
     .of_operator = true},
    {.name = "import",
     .summary = "bring a history in from CSV or XES, with its own times",
     .more = dk_import_more,
     .example = "import --map replay/import/maps/uci_incident.yaml --dry-run incident.csv\n"
                "import --map replay/import/maps/uci_incident.yaml incident.csv\n"
                "import --map jira.yaml --adopt --rejects rejects.txt -\n",
     .parameter = dk_import_parameters,
     .run = dk_import_verb,
     .siteless = true},
    {.name = "demo",
     .summary = "feed a lively stream of tickets, to have something to look at",
     .more = "Customers open and answer, agents reply to, ask back on and resolve what routing "
             "gave\nthem. It ends with Ctrl-C.\n",
     .example = "demo\ndemo --rate 50 --actions 10000\n",
     .parameter = dk_demo_parameters,
     .run = dk_demo_verb},
    {.name = NULL},
};
