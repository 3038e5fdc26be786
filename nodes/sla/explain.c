#include "nodes/sla/explain.h"
#include "nodes/runtime/answer.h"
#include "proto/event/body.h"
#include <string.h>

json_t *dk_explain_key(const struct dk_refs *refs, uint64_t subject)
{
    const struct dk_refs_version *version = dk_refs_last(refs, subject);
    if (version == NULL) {
        return dk_answer_id(subject);
    }
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    return json_stringn((const char *)key->data, key->len);
}

int dk_explain_metric(const char *word, Docket__Metric *metric, struct dk_err *err)
{
    for (unsigned m = 1; m < DK_CLOCK_METRICS; m++) {
        char own[DK_WORD_BYTES];
        const ProtobufCEnumValue *value =
            protobuf_c_enum_descriptor_get_value(&docket__metric__descriptor, (int)m);
        if (strcmp(dk_enum_word(value, own), word) == 0) {
            *metric = (Docket__Metric)m;
            return 0;
        }
    }
    return dk_err_field(err, DK_EINVAL, "metric", "there is no metric \"%s\"", word);
}

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static void put_us(json_t *object, const char *key, int64_t us)
{
    put(object, key, json_integer(us));
}

static void put_key(json_t *object, const char *key, const struct dk_refs *refs, uint64_t subject)
{
    put(object, key, dk_explain_key(refs, subject));
}

/* ---------------------------------------------------------------- segments */

/* What the segments so far come to. */
struct sums {
    int64_t elapsed_us, wall_us, paused_us;
};

static json_t *segment_json(const struct dk_refs *refs, const struct dk_clock_segment *segment,
                            struct sums *sums)
{
    int64_t length_us = segment->to_us - segment->from_us;
    json_t *made = json_object();
    sums->elapsed_us += segment->elapsed_us;
    if (segment->why == DK_SEGMENT_RUNS) {
        sums->wall_us += length_us;
    } else {
        sums->paused_us += length_us;
    }
    put(made, "from", dk_answer_instant(segment->from_us));
    put(made, "to", dk_answer_instant(segment->to_us));
    put(made, "why", json_string(dk_segment_word(segment->why)));
    put(made, "illegitimate", json_boolean(segment->illegitimate));
    put_us(made, "event", (int64_t)segment->cause);
    put_key(made, "calendar", refs, segment->calendar);
    put_us(made, "calendar_version", segment->calendar_version);
    put_us(made, "elapsed_us", segment->elapsed_us);
    put_us(made, "wall_us", length_us);
    put_us(made, "so_far_us", sums->elapsed_us);
    return made;
}

static void add_segments(json_t *made, const struct dk_clocks *clocks, const struct dk_refs *refs,
                         size_t number)
{
    struct sums sums = {0};
    json_t *segments = json_array(), *sum = json_object();
    for (size_t i = 0; i < clocks->segment_count; i++) {
        if (clocks->segment[i].clock == number) {
            json_array_append_new(segments, segment_json(refs, &clocks->segment[i], &sums));
        }
    }
    put(made, "segments", segments);
    put_us(sum, "elapsed_us", sums.elapsed_us);
    put_us(sum, "wall_us", sums.wall_us);
    put_us(sum, "paused_us", sums.paused_us);
    put(made, "sum", sum);
}

/* ---------------------------------------------------------------- dues, warnings */

static json_t *due_json(const struct dk_refs *refs, const struct dk_clock_foreseen *due)
{
    json_t *made = json_object();
    put(made, "at", dk_answer_instant(due->at_us));
    put(made, "why", json_string(dk_foreseen_word(due->why)));
    put_us(made, "event", (int64_t)due->cause);
    put(made, "mode",
        due->why == DK_FORESEEN_GOAL ? dk_answer_word(&docket__change_mode__descriptor, due->mode)
                                     : json_null());
    put_key(made, "policy", refs, due->policy);
    put_us(made, "policy_version", due->policy_version);
    put_us(made, "goal", due->goal);
    put_us(made, "target_us", due->target_us);
    put_us(made, "used_us", due->used_us);
    put_us(made, "left_us", due->target_us > due->used_us ? due->target_us - due->used_us : 0);
    put(made, "due", dk_answer_instant(due->due_us));
    return made;
}

static json_t *warning_json(const struct dk_clock_warning *warning, int64_t at_us)
{
    json_t *made = json_object();
    if (warning->level != 0) {
        put_us(made, "level", warning->level);
    } else {
        put_us(made, "before_us", warning->before_us);
    }
    put(made, "due", dk_answer_instant(warning->due_us));
    put(made, "reached", json_boolean(warning->due_us <= at_us));
    return made;
}

/* ---------------------------------------------------------------- clocks */

/* The goal and what it rests on (S5). */
static void add_goal(json_t *made, const struct dk_refs *refs, const struct dk_clock *clock)
{
    put_us(made, "target_us", clock->target_us);
    put_key(made, "policy", refs, clock->policy);
    put_us(made, "policy_version", clock->policy_version);
    put_us(made, "goal", clock->goal);
    put(made, "goal_from", dk_answer_instant(clock->goal_us));
    put(made, "priority", dk_answer_word(&docket__priority__descriptor, clock->priority));
    put_key(made, "company", refs, clock->company);
    put_key(made, "contract", refs, clock->contract);
    put(made, "site", clock->site != 0 ? json_integer(clock->site) : json_null());
    put_key(made, "calendar", refs, clock->calendar);
    put_us(made, "calendar_version", clock->calendar_version);
}

static json_t *clock_json(const struct dk_clocks *clocks, const struct dk_explained *asked,
                          size_t number)
{
    const struct dk_clock *clock = &clocks->clock[number];
    bool broke = clock->verdict == DOCKET__VERDICT__VERDICT_BREACHED;
    json_t *made = json_object(), *dues = json_array(), *warnings = json_array();
    put(made, "metric", dk_answer_word(&docket__metric__descriptor, clock->metric));
    put_us(made, "instance", clock->instance);
    put(made, "verdict", dk_answer_word(&docket__verdict__descriptor, clock->verdict));
    put(made, "cause",
        broke ? dk_answer_word(&docket__breach_cause__descriptor, clock->breach_cause)
              : dk_answer_word(&docket__cancel_cause__descriptor, clock->cancel_cause));
    put(made, "started", dk_answer_instant(clock->started_us));
    put(made, "due", dk_answer_instant(clock->due_us));
    put(made, "ended", dk_answer_instant(clock->ended_us));
    put(made, "first_met", dk_answer_instant(clock->first_met_us));
    put(made, "last_met", dk_answer_instant(clock->last_met_us));
    put_us(made, "elapsed_us", clock->elapsed_us);
    put_us(made, "wall_us", clock->wall_us);
    add_goal(made, asked->refs, clock);
    add_segments(made, clocks, asked->refs, number);
    for (size_t i = 0; i < clocks->foreseen_count; i++) {
        if (clocks->foreseen[i].clock == number) {
            json_array_append_new(dues, due_json(asked->refs, &clocks->foreseen[i]));
        }
    }
    for (uint32_t i = 0; i < clock->warning_count; i++) {
        json_array_append_new(warnings, warning_json(&clock->warning[i], asked->at_us));
    }
    put(made, "dues", dues);
    put(made, "warnings", warnings);
    return made;
}

json_t *dk_explain(struct dk_clocks *clocks, const struct dk_explained *asked)
{
    json_t *made = json_object(), *list = json_array();
    size_t count = 0;
    while (count < asked->count && asked->transition[count].occurred_us <= asked->at_us) {
        count++;
    }
    dk_clocks_compute(clocks, asked->transition, count, asked->refs, asked->at_us);
    for (size_t i = 0; i < clocks->count; i++) {
        if (asked->metric == DOCKET__METRIC__METRIC_NONE ||
            asked->metric == clocks->clock[i].metric) {
            json_array_append_new(list, clock_json(clocks, asked, i));
        }
    }
    put(made, "ticket", dk_answer_id(asked->ticket));
    put(made, "at", dk_answer_instant(asked->at_us));
    put(made, "live", json_boolean(clocks->live_from_us != INT64_MAX));
    put(made, "clocks", list);
    return made;
}
