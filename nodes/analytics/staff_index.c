#include "nodes/analytics/measures.h"
#include "nodes/analytics/staff.h"
#include "nodes/analytics/stats.h"
#include "proto/base/map.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <stdio.h>
#include <stdlib.h>

#define TYPES       7 /* of Docket__TicketType, none included */
#define HOLDERS_MAX 1000000

/* What an agent or a group did of one type. */
struct tally {
    uint64_t count, reopened, breached;
};

struct holder {
    struct tally type[TYPES];
    uint64_t rated, liked;
};

/* Agent work of a type's tickets in the cohort. */
struct cohort {
    int64_t *work_us;
    size_t count, capacity;
};

struct index {
    struct dk_listing *rows;
    const struct dk_staff_query *query;
    struct dk_refs *refs;
    struct dk_map holders; /* struct holder by subject */
    struct cohort cohort[TYPES];
    uint64_t rated, liked; /* of all */
    struct dk_spans shifts;
};

/* ---------------------------------------------------------------- gathering */

static struct holder *holder_of(struct index *index, const struct dk_step *step)
{
    uint64_t subject = index->query->by_group ? step->group : step->agent;
    struct holder *holder = subject != 0 ? dk_map_put(&index->holders, subject, NULL) : NULL;
    DK_ASSERT(subject == 0 || holder != NULL);
    return holder;
}

static void take_cohort(struct cohort *cohort, int64_t work_us)
{
    if (cohort->count == cohort->capacity) {
        cohort->capacity = cohort->capacity == 0 ? 64 : 2 * cohort->capacity;
        cohort->work_us = realloc(cohort->work_us, cohort->capacity * sizeof *cohort->work_us);
        DK_ASSERT(cohort->work_us != NULL);
    }
    cohort->work_us[cohort->count++] = work_us;
}

static void on_sample(void *arg, const struct dk_case *walked, enum dk_measure measure,
                      const struct dk_step *step, int64_t at_us, int64_t value,
                      enum dk_sample_note note)
{
    struct index *index = arg;
    const struct dk_staff_query *query = index->query;
    unsigned type = step->type < TYPES ? step->type : 0;
    int64_t cohort_us = query->to_us - (int64_t)query->days * DK_DAY_US;
    bool inside = at_us >= query->from_us && at_us < query->to_us;
    struct holder *holder = inside ? holder_of(index, step) : NULL;
    if (measure == DK_MEASURE_AGENT_WORK && note == DK_SAMPLE_VALUE && at_us >= cohort_us &&
        at_us < query->to_us) {
        take_cohort(&index->cohort[type], value);
    }
    if (measure == DK_MEASURE_CSAT && inside) {
        index->rated++;
        index->liked += value > 0;
    }
    if (holder == NULL) {
        return;
    }
    if (measure == DK_MEASURE_AGENT_WORK) {
        holder->type[type].count++;
        holder->type[type].reopened += walked->reopens > 0;
    } else if (measure == DK_MEASURE_CSAT) {
        holder->rated++;
        holder->liked += value > 0;
    } else {
        holder->type[type].breached += note == DK_SAMPLE_VALUE && value == 0;
    }
}

static void gather(struct index *index)
{
    const struct dk_analytics *analytics = index->rows->analytics;
    const struct dk_measuring measuring = {
        .rule = {.refs = index->refs, .now_us = analytics->world->recorded_us},
        .facts = analytics->facts,
        .tickets = analytics->world->tickets,
        .on_sample = on_sample,
        .arg = index,
    };
    struct dk_case walked;
    uint64_t ticket;
    const void *facts;
    size_t cursor = 0, bytes;
    while (dk_table_next(analytics->facts, &cursor, &ticket, &facts, &bytes)) {
        dk_case_walk(&walked, ticket, dk_table_get(analytics->world->tickets, ticket, NULL), facts,
                     dk_facts_steps(bytes));
        dk_measure_case(&measuring, &walked, DK_MEASURE_AGENT_WORK);
        dk_measure_case(&measuring, &walked, DK_MEASURE_CSAT);
        for (unsigned m = DK_MEASURE_SLA_FIRST_REPLY; m <= DK_MEASURE_SLA_RESOLUTION; m++) {
            dk_measure_case(&measuring, &walked, m);
        }
    }
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* In hours; negative: no ticket of the type ended in the cohort's days. */
static double weight_of(const struct cohort *cohort)
{
    if (cohort->count == 0) {
        return -1;
    }
    struct dk_ratio median = dk_quantile(cohort->work_us, cohort->count, 50, false);
    return (double)median.numerator / (double)median.denominator / (double)DK_HOUR_US;
}

/* ---------------------------------------------------------------- rows */

struct scheduled {
    struct index *index;
    uint64_t group;
    int64_t sum_us;
};

static void add_shifts(struct scheduled *scheduled, uint64_t agent)
{
    struct dk_spans *shifts = &scheduled->index->shifts;
    const struct dk_staff_query *query = scheduled->index->query;
    shifts->count = 0;
    dk_spans_shifts(shifts, scheduled->index->refs, agent, query->from_us, query->to_us);
    for (size_t i = 0; i < shifts->count; i++) {
        scheduled->sum_us += shifts->span[i].to_us - shifts->span[i].from_us;
    }
}

static int on_agent(void *arg, const struct dk_refs_version *version)
{
    struct scheduled *scheduled = arg;
    if (dk_staff_member((const void *)version->body, scheduled->group)) {
        add_shifts(scheduled, version->subject);
    }
    return 0;
}

static int64_t scheduled_us(struct index *index, uint64_t subject)
{
    struct scheduled scheduled = {.index = index, .group = subject};
    if (index->query->by_group) {
        (void)dk_refs_each(index->refs, DK_SUBJECT_AGENT, index->query->to_us, on_agent,
                           &scheduled);
    } else {
        add_shifts(&scheduled, subject);
    }
    return scheduled.sum_us;
}

static double quality_of(const struct index *index, const struct holder *holder,
                         const struct tally *tally)
{
    const struct dk_staff_query *query = index->query;
    double count = (double)tally->count, csat = 0;
    if (holder->rated > 0) {
        csat = (double)holder->liked / (double)holder->rated -
               (double)index->liked / (double)index->rated;
    }
    return 1 - query->reopened * (double)tally->reopened / count -
           query->breached * (double)tally->breached / count + query->csat * csat;
}

static int on_holder(void *arg, const struct dk_refs_version *version)
{
    struct index *index = arg;
    const struct holder none = {0}, *found = dk_map_get(&index->holders, version->subject);
    const struct holder *holder = found != NULL ? found : &none;
    struct tally sum = {0};
    double worth = 0;
    uint64_t unweighted = 0;
    int64_t us = scheduled_us(index, version->subject);
    if (found == NULL && us == 0) {
        return 0;
    }
    for (unsigned t = 0; t < TYPES; t++) {
        const struct tally *tally = &holder->type[t];
        double weight = weight_of(&index->cohort[t]);
        sum.count += tally->count;
        sum.reopened += tally->reopened;
        sum.breached += tally->breached;
        if (tally->count > 0 && weight >= 0) {
            worth += weight * (double)tally->count * quality_of(index, holder, tally);
        } else {
            unweighted += tally->count;
        }
    }
    dk_listing_row(index->rows);
    dk_listing_entity(index->rows, version->subject);
    if (us > 0) {
        dk_listing_real(index->rows, "index", worth / ((double)us / (double)DK_HOUR_US));
    } else {
        dk_listing_null(index->rows, "index");
    }
    dk_listing_real(index->rows, "worth_h", worth);
    dk_listing_count(index->rows, "scheduled_s", (uint64_t)(us / DK_SECOND_US));
    dk_listing_count(index->rows, "count", sum.count);
    dk_listing_count(index->rows, "unweighted", unweighted);
    dk_listing_count(index->rows, "reopened", sum.reopened);
    dk_listing_count(index->rows, "breached", sum.breached);
    dk_listing_count(index->rows, "rated", holder->rated);
    dk_listing_count(index->rows, "liked", holder->liked);
    dk_listing_row_end(index->rows);
    return 0;
}

static void put_asked(struct index *index)
{
    const struct dk_staff_query *query = index->query;
    char word[DK_WORD_BYTES], name[DK_WORD_BYTES + 16];
    dk_listing_text(index->rows, "by", query->by_group ? "group" : "agent");
    dk_listing_count(index->rows, "days", query->days);
    dk_listing_real(index->rows, "a", query->reopened);
    dk_listing_real(index->rows, "b", query->breached);
    dk_listing_real(index->rows, "c", query->csat);
    for (unsigned t = 0; t < TYPES; t++) {
        struct cohort *cohort = &index->cohort[t];
        if (cohort->count > 0) {
            qsort(cohort->work_us, cohort->count, sizeof *cohort->work_us, by_number);
            (void)snprintf(name, sizeof name, "weight_%s",
                           dk_enum_word(protobuf_c_enum_descriptor_get_value(
                                            &docket__ticket_type__descriptor, (int)t),
                                        word));
            dk_listing_real(index->rows, name, weight_of(cohort));
        }
    }
}

void dk_staff_index(struct dk_listing *rows, const struct dk_staff_query *query)
{
    struct index index = {.rows = rows, .query = query, .refs = rows->analytics->world->refs};
    dk_map_init(&index.holders, sizeof(struct holder), HOLDERS_MAX);
    gather(&index);
    put_asked(&index);
    dk_listing_open(rows, query->by_group ? "group index worth_h scheduled_s count unweighted "
                                            "reopened breached rated liked"
                                          : "agent index worth_h scheduled_s count unweighted "
                                            "reopened breached rated liked");
    (void)dk_refs_each(index.refs, query->by_group ? DK_SUBJECT_GROUP : DK_SUBJECT_AGENT,
                       query->to_us, on_holder, &index);
    dk_listing_close(rows);
    for (unsigned t = 0; t < TYPES; t++) {
        free(index.cohort[t].work_us);
    }
    free(index.shifts.span);
    dk_map_close(&index.holders);
}
