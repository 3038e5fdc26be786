#include "nodes/sla/credits.h"
#include "nodes/runtime/answer.h"
#include "nodes/sla/explain.h"
#include "nodes/sla/sla.h"
#include "proto/base/time.h"
#include "proto/calendar/zone.h"
#include <stdlib.h>
#include <string.h>

#define CREDITS_MAX 1000000 /* clocks in one report */
#define AMOUNT_MAX                                                                                 \
    ((uint64_t)INT64_MAX) /* what JSON's integers hold; a credit or a sum is no more */

/* A clock that costs something. */
struct credit {
    uint64_t ticket, contract;
    const struct dk_refs_version *terms; /* the contract's version in force when it ended */
    int64_t due_us, ended_us, overrun_us;
    uint64_t units, credit_minor;
    bool capped;
    int year, month;
    uint32_t instance;
    Docket__Metric metric;
    Docket__Priority priority;
};

struct report {
    struct dk_sla *self;
    struct dk_zone *zone;
    int64_t from_us, to_us;
    struct credit *credit;
    size_t count, unpriced;
};

/* ---------------------------------------------------------------- pricing */

uint64_t dk_credit_minor(const Docket__Penalty *penalty, int64_t overrun_us, uint64_t *units,
                         bool *capped)
{
    uint64_t unit_us = penalty->unit_us > 0 ? penalty->unit_us : 1;
    uint64_t over_us = (uint64_t)overrun_us;
    *units = over_us / unit_us + (over_us % unit_us != 0);
    unsigned __int128 full = (unsigned __int128)*units * penalty->rate_minor;
    uint64_t cap_minor = penalty->cap_minor < AMOUNT_MAX ? penalty->cap_minor : AMOUNT_MAX;
    *capped = full > cap_minor;
    return *capped ? cap_minor : (uint64_t)full;
}

/* ---------------------------------------------------------------- gathering */

static void take(struct report *report, const struct dk_breach_end *end)
{
    const struct dk_sla *self = report->self;
    const struct dk_breach *breach = dk_breach_of(&self->breaches, end);
    struct credit credit = {.ticket = end->ticket,
                            .contract = breach->contract,
                            .due_us = breach->due_us,
                            .ended_us = breach->ended_us,
                            .overrun_us = breach->overrun_us,
                            .instance = breach->instance,
                            .metric = (Docket__Metric)breach->metric,
                            .priority = (Docket__Priority)breach->priority};
    const Docket__Penalty *penalty = dk_breach_penalty(self->world->refs, breach, &credit.terms);
    struct dk_civil civil;
    DK_ASSERT(penalty != NULL);
    credit.credit_minor =
        dk_credit_minor(penalty, credit.overrun_us, &credit.units, &credit.capped);
    dk_zone_to_civil(report->zone, breach->ended_us, &civil, NULL);
    credit.year = civil.year;
    credit.month = civil.month;
    report->credit[report->count++] = credit;
}

static int gather(struct report *report, struct dk_err *err)
{
    const struct dk_breaches *breaches = &report->self->breaches;
    while (dk_reach_walk(report->self)) {
    }
    dk_breaches_refresh(report->self);
    size_t first = dk_breach_list_before(&breaches->priced, report->from_us);
    size_t last = dk_breach_list_before(&breaches->priced, report->to_us);
    last = last > first ? last : first;
    if (last - first >= CREDITS_MAX) {
        return dk_err_field(err, DK_ETOOBIG, "from",
                            "more than %d breaches: ask for less time at once", CREDITS_MAX);
    }
    report->credit = calloc(last - first + 1, sizeof *report->credit);
    DK_ASSERT(report->credit != NULL);
    for (size_t i = first; i < last; i++) {
        take(report, &breaches->priced.end[i]);
    }
    first = dk_breach_list_before(&breaches->unpriced, report->from_us);
    last = dk_breach_list_before(&breaches->unpriced, report->to_us);
    report->unpriced = last > first ? last - first : 0;
    return 0;
}

/* ---------------------------------------------------------------- the report */

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_keys(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : compare_numbers(a->len, b->len);
}

/* By month, contract's key, ticket, metric, instance. */
static int compare_credits(const void *a, const void *b)
{
    const struct credit *x = a, *y = b;
    int order = compare_numbers((uint64_t)x->year * 12 + (uint64_t)x->month,
                                (uint64_t)y->year * 12 + (uint64_t)y->month);
    order = order != 0 ? order
                       : compare_keys(&dk_refs_definition(x->terms)->key,
                                      &dk_refs_definition(y->terms)->key);
    order = order != 0 ? order : compare_numbers(x->contract, y->contract);
    order = order != 0 ? order : compare_numbers(x->ticket, y->ticket);
    order = order != 0 ? order : compare_numbers(x->metric, y->metric);
    return order != 0 ? order : compare_numbers(x->instance, y->instance);
}

static json_t *clock_json(const struct credit *credit)
{
    json_t *made = json_object();
    json_object_set_new(made, "ticket", dk_answer_id(credit->ticket));
    json_object_set_new(made, "metric",
                        dk_answer_word(&docket__metric__descriptor, credit->metric));
    json_object_set_new(made, "instance", json_integer(credit->instance));
    json_object_set_new(made, "priority",
                        dk_answer_word(&docket__priority__descriptor, credit->priority));
    json_object_set_new(made, "due", dk_answer_instant(credit->due_us));
    json_object_set_new(made, "ended", dk_answer_instant(credit->ended_us));
    json_object_set_new(made, "overrun_us", json_integer(credit->overrun_us));
    json_object_set_new(made, "units", json_integer((json_int_t)credit->units));
    json_object_set_new(made, "capped", json_boolean(credit->capped));
    json_object_set_new(made, "credit_minor", json_integer((json_int_t)credit->credit_minor));
    return made;
}

static bool same_line(const struct credit *a, const struct credit *b)
{
    return a->year == b->year && a->month == b->month && a->contract == b->contract;
}

/* The line of the `n` credits from here on; the contract is named as at the last end. */
static json_t *line_json(const struct report *report, const struct credit *credit, size_t n)
{
    const struct dk_refs *refs = report->self->world->refs;
    const struct dk_refs_version *terms = credit[0].terms;
    json_t *made = json_object(), *clocks = json_array();
    uint64_t sum_minor = 0;
    char month[16];
    for (size_t i = 0; i < n; i++) {
        sum_minor = credit[i].credit_minor < AMOUNT_MAX - sum_minor
                        ? sum_minor + credit[i].credit_minor
                        : AMOUNT_MAX;
        terms = credit[i].terms->version > terms->version ? credit[i].terms : terms;
        json_array_append_new(clocks, clock_json(&credit[i]));
    }
    const Docket__ContractDefined *contract = (const void *)terms->body;
    bool to_us = contract->supplier != 0;
    (void)snprintf(month, sizeof month, "%04d-%02d", credit->year, credit->month);
    json_object_set_new(made, "month", json_string(month));
    json_object_set_new(made, "contract", dk_explain_key(refs, credit->contract));
    json_object_set_new(made, to_us ? "supplier" : "company",
                        dk_explain_key(refs, to_us ? contract->supplier : contract->company));
    json_object_set_new(made, "owed", json_string(to_us ? "to-us" : "by-us"));
    json_object_set_new(made, "currency",
                        contract->has_currency ? json_stringn((const char *)contract->currency.data,
                                                              contract->currency.len)
                                               : json_null());
    json_object_set_new(made, "breaches", json_integer((json_int_t)n));
    json_object_set_new(made, "credit_minor", json_integer((json_int_t)sum_minor));
    json_object_set_new(made, "clocks", clocks);
    return made;
}

static json_t *report_json(struct report *report)
{
    json_t *made = json_object(), *lines = json_array();
    if (report->count > 1) {
        qsort(report->credit, report->count, sizeof *report->credit, compare_credits);
    }
    for (size_t i = 0, n; i < report->count; i += n) {
        for (n = 1; i + n < report->count && same_line(&report->credit[i], &report->credit[i + n]);
             n++) {
        }
        json_array_append_new(lines, line_json(report, &report->credit[i], n));
    }
    json_object_set_new(made, "report", json_string("credits"));
    json_object_set_new(made, "position", json_integer((json_int_t)report->self->world->position));
    json_object_set_new(made, "fold_version", json_integer(dk_sla_role.fold_version));
    json_object_set_new(made, "rule_version", json_integer(dk_sla_role.rule_version));
    json_object_set_new(made, "from",
                        report->from_us != INT64_MIN ? dk_answer_instant(report->from_us)
                                                     : json_null());
    json_object_set_new(
        made, "to", report->to_us != INT64_MAX ? dk_answer_instant(report->to_us) : json_null());
    json_object_set_new(made, "zone", json_string(dk_zone_name(report->zone)));
    json_object_set_new(made, "running", json_integer((json_int_t)report->self->breaches.running));
    json_object_set_new(made, "unpriced", json_integer((json_int_t)report->unpriced));
    json_object_set_new(made, "lines", lines);
    return made;
}

int dk_sla_credits(struct dk_sla *self, const char *const *argument, size_t argument_count,
                   json_t **json, struct dk_err *err)
{
    const char *zone = dk_answer_argument(argument, argument_count, "zone");
    struct report report = {.self = self, .from_us = INT64_MIN, .to_us = INT64_MAX};
    struct dk_err cause = {0};
    int rc = dk_zone_load(&report.zone, zone != NULL ? zone : "UTC", &cause);
    if (rc != 0) {
        return dk_err_field(err, rc, "zone", "%s", cause.message);
    }
    rc = dk_answer_time("from", dk_answer_argument(argument, argument_count, "from"), report.zone,
                        &report.from_us, err);
    rc = rc != 0 ? rc
                 : dk_answer_time("to", dk_answer_argument(argument, argument_count, "to"),
                                  report.zone, &report.to_us, err);
    if (rc == 0 && report.from_us >= report.to_us) {
        rc = dk_err_field(err, DK_EINVAL, "to", "to is not after from");
    }
    rc = rc != 0 ? rc : gather(&report, err);
    if (rc == 0) {
        *json = report_json(&report);
    }
    free(report.credit);
    dk_zone_free(&report.zone);
    return rc;
}
