#include "nodes/analytics/staff.h"
#include "proto/base/time.h"
#include <string.h>

#define LINES_MAX 9

struct coverage {
    struct dk_listing *rows;
    const struct dk_staff_query *query;
    struct dk_refs *refs;
    uint64_t product, group; /* of the route under consideration */
    const Docket__ProductDefined *body;
    unsigned line;
    uint64_t unrouted; /* products */
};

static bool has_skill(const Docket__AgentDefined *agent, const ProtobufCBinaryData *skill)
{
    for (size_t i = 0; i < agent->n_skill; i++) {
        if (agent->skill[i].len == skill->len &&
            memcmp(agent->skill[i].data, skill->data, skill->len) == 0) {
            return true;
        }
    }
    return false;
}

/* R2 and R8, as far as they do not change by the hour. */
static bool serves(const struct coverage *coverage, const Docket__AgentDefined *agent)
{
    bool sees = agent->n_product == 0, skilled = true;
    for (size_t i = 0; !sees && i < agent->n_product; i++) {
        sees = dk_refs_product_within(coverage->refs, coverage->product, agent->product[i],
                                      coverage->query->at_us);
    }
    for (size_t i = 0; i < coverage->body->n_required_skill; i++) {
        skilled = skilled && has_skill(agent, &coverage->body->required_skill[i]);
    }
    return sees && skilled && dk_staff_member(agent, coverage->group);
}

static bool lists_before(const Docket__ShiftDefined *shift, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (shift->agent[k] == shift->agent[i]) {
            return true;
        }
    }
    return false;
}

static bool dates_hold(const struct coverage *coverage, const Docket__ShiftDefined *shift)
{
    struct dk_civil civil;
    dk_zone_to_civil(coverage->query->zone, coverage->query->at_us, &civil, NULL);
    int64_t day = dk_days_of_date(civil.year, civil.month, civil.day);
    return (!shift->has_from_day || day >= shift->from_day) &&
           (!shift->has_to_day || day < shift->to_day);
}

static int on_shift(void *arg, const struct dk_refs_version *version)
{
    struct coverage *coverage = arg;
    const Docket__ShiftDefined *shift = (const void *)version->body;
    uint64_t agents = 0;
    if (shift->on_call || !dates_hold(coverage, shift)) {
        return 0;
    }
    for (size_t i = 0; i < shift->n_agent; i++) {
        const Docket__AgentDefined *agent =
            dk_refs_agent(coverage->refs, shift->agent[i], coverage->query->at_us);
        agents += agent != NULL && !lists_before(shift, i) && serves(coverage, agent);
    }
    if (agents < coverage->query->at_least) {
        dk_listing_row(coverage->rows);
        dk_listing_entity(coverage->rows, coverage->product);
        dk_listing_count(coverage->rows, "line", coverage->line);
        dk_listing_entity(coverage->rows, coverage->group);
        dk_listing_entity(coverage->rows, version->subject);
        dk_listing_count(coverage->rows, "agents", agents);
        dk_listing_row_end(coverage->rows);
    }
    return 0;
}

static int on_product(void *arg, const struct dk_refs_version *version)
{
    struct coverage *coverage = arg;
    bool routed = false;
    coverage->product = version->subject;
    coverage->body = (const void *)version->body;
    for (unsigned line = 1; line <= LINES_MAX; line++) {
        int64_t at_us = coverage->query->at_us;
        coverage->group = dk_refs_route(coverage->refs, version->subject, line, at_us, NULL);
        coverage->line = line;
        if (coverage->group != 0) {
            routed = true;
            (void)dk_refs_each(coverage->refs, DK_SUBJECT_SHIFT, at_us, on_shift, coverage);
        }
    }
    coverage->unrouted += !routed;
    return 0;
}

void dk_staff_coverage(struct dk_listing *rows, const struct dk_staff_query *query)
{
    struct coverage coverage = {.rows = rows, .query = query, .refs = rows->analytics->world->refs};
    dk_listing_count(rows, "at_least", query->at_least);
    dk_listing_open(rows, "product line group shift agents");
    (void)dk_refs_each(coverage.refs, DK_SUBJECT_PRODUCT, query->at_us, on_product, &coverage);
    dk_listing_close(rows);
    dk_listing_count(rows, "unrouted", coverage.unrouted);
}
