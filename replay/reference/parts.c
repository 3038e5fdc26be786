/* Keys whose value is a map of its own: channels, tiers, routes, goals, penalties, recipients. */
#include "proto/event/body.h"
#include "proto/event/fields.h"
#include "proto/fold/conditions.h"
#include "proto/fold/definition.h"
#include "replay/reference/key.h"
#include <string.h>

/* ---------------------------------------------------------------- channels: {chat: 2, phone: 1} */

static void read_channels(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        Docket__ChannelCapacity **part = dk_reading_parts(reading, 1);
        int channel;
        if (dk_reading_enum(reading, node, node->key, &docket__channel__descriptor, &channel) &&
            dk_reading_number(reading, node, reading->key->min, DK_ROOM_MAX, &(*part)->capacity))
            (*part)->channel = (Docket__Channel)channel;
    }
}

static void say_channels(struct dk_lines *lines, const struct dk_reference_key *key,
                         const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    struct dk_values values = dk_field_values(body, field);
    Docket__ChannelCapacity *const *part = (const void *)values.at;
    for (size_t i = 0; i < values.count; i++)
        dk_lines_add(lines, dk_lines_format(lines, "%u", part[i]->capacity), "%s.%s", key->word,
                     dk_lines_enum(lines, &docket__channel__descriptor, (int)part[i]->channel));
}

/* ---------------------------------------------------------------- needs_tier: {gold: 2} */

static void read_tiers(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        Docket__TierNeed **part = dk_reading_parts(reading, 1);
        (*part)->tier.data = (uint8_t *)(uintptr_t)node->key; /* lives as long as the files */
        (*part)->tier.len = strlen(node->key);
        dk_reading_number(reading, node, 1, DK_TIER_MAX, &(*part)->agent_tier);
    }
}

static void say_tiers(struct dk_lines *lines, const struct dk_reference_key *key,
                      const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__SettingsDefined *settings = (const void *)body;
    (void)field;
    for (size_t i = 0; i < settings->n_tier_need; i++)
        dk_lines_add(lines, dk_lines_format(lines, "%u", settings->tier_need[i]->agent_tier),
                     "%s.%s", key->word, dk_lines_bytes(lines, &settings->tier_need[i]->tier));
}

/* ---------------------------------------------------------------- routes: {1: desk, 2: experts} */

static void read_routes(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        Docket__Route **part = dk_reading_parts(reading, 1);
        if (node->key[0] < '1' || node->key[0] > '9' || node->key[1] != '\0') {
            dk_reading_problem(reading, node,
                               "\"%s\" is no line: write lines 1 to 9, and under each its group",
                               node->key);
            continue;
        }
        (*part)->line = (uint32_t)(node->key[0] - '0');
        dk_reading_id(reading, node, DK_SUBJECT_GROUP, &(*part)->group);
    }
}

static void say_routes(struct dk_lines *lines, const struct dk_reference_key *key,
                       const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__ProductDefined *product = (const void *)body;
    (void)field;
    for (size_t i = 0; i < product->n_route; i++)
        dk_lines_add(lines, dk_lines_id(lines, product->route[i]->group), "%s.%u", key->word,
                     product->route[i]->line);
}

/* ---------------------------------------------------------------- when: {tier: gold, product: x}
 */

static void read_condition(const struct dk_reading *reading, const struct dk_yaml *node,
                           Docket__Condition *condition)
{
    size_t count;
    const struct dk_yaml *value = dk_reading_list(reading, node, &count);
    if (value == NULL)
        return;
    unsigned cls = dk_condition_class(condition->field);
    const ProtobufCEnumDescriptor *words = dk_condition_words(condition->field);
    if (cls != 0)
        condition->id = dk_reference_alloc(reading->set, count * sizeof *condition->id);
    else if (words != NULL)
        condition->number = dk_reference_alloc(reading->set, count * sizeof *condition->number);
    else
        condition->text = dk_reference_alloc(reading->set, count * sizeof *condition->text);
    for (size_t i = 0; i < count; i++, value = value->next) {
        int number;
        if (cls != 0)
            condition->n_id += dk_reading_id(reading, value, cls, &condition->id[condition->n_id]);
        else if (words == NULL)
            condition->n_text +=
                dk_reading_bytes(reading, value, &condition->text[condition->n_text]);
        else if (dk_reading_enum(reading, value, NULL, words, &number))
            condition->number[condition->n_number++] = (uint32_t)number;
    }
}

static void read_when(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        int field;
        Docket__Condition **part = dk_reading_parts(reading, 1);
        if (!dk_reading_enum(reading, node, node->key, &docket__condition_field__descriptor,
                             &field))
            continue;
        (*part)->field = (Docket__ConditionField)field;
        read_condition(reading, node, *part);
    }
}

static const char *say_condition(struct dk_lines *lines, const Docket__Condition *condition)
{
    const ProtobufCEnumDescriptor *words = dk_condition_words(condition->field);
    const char *text = "";
    for (size_t i = 0; i < condition->n_id; i++)
        text = dk_lines_join(lines, text, dk_lines_id(lines, condition->id[i]));
    for (size_t i = 0; i < condition->n_number && words != NULL; i++)
        text = dk_lines_join(lines, text, dk_lines_enum(lines, words, (int)condition->number[i]));
    for (size_t i = 0; i < condition->n_text; i++)
        text = dk_lines_join(lines, text, dk_lines_bytes(lines, &condition->text[i]));
    return text;
}

static void say_when(struct dk_lines *lines, const struct dk_reference_key *key,
                     const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    struct dk_values values = dk_field_values(body, field);
    Docket__Condition *const *part = (const void *)values.at;
    for (size_t i = 0; i < values.count; i++)
        dk_lines_add(
            lines, say_condition(lines, part[i]), "%s.%s", key->word,
            dk_lines_enum(lines, &docket__condition_field__descriptor, (int)part[i]->field));
}

/* ---------------------------------------------------------------- goals
 *
 *   first-reply: 4h                                   any priority
 *   resolution: {critical: 4h, any: 16h, calendar: round-the-clock} */

#define ANY "any"

static void add_goal(const struct dk_reading *reading, int metric, int priority,
                     const struct dk_yaml *target, uint64_t calendar)
{
    Docket__Goal **part = dk_reading_parts(reading, 1);
    Docket__Goal *goal = *part;
    goal->metric = (Docket__Metric)metric;
    goal->priority = (Docket__Priority)priority;
    goal->has_calendar = calendar != 0;
    goal->calendar = calendar;
    if (dk_reading_duration(reading, target, &goal->target_us) && goal->target_us == 0)
        dk_reading_problem(reading, target, "a goal of no time cannot be met: give it some");
}

/* The goal of any priority goes last, so that the first that fits is the one that was meant. */
static void read_metric(const struct dk_reading *reading, const struct dk_yaml *node, int metric)
{
    const struct dk_yaml *where = dk_yaml_get(node, "calendar");
    const struct dk_yaml *any = dk_yaml_get(node, ANY);
    uint64_t calendar = 0;
    if (where != NULL)
        dk_reading_id(reading, where, DK_SUBJECT_CALENDAR, &calendar);
    for (const struct dk_yaml *goal = dk_reading_map(reading, node); goal != NULL;
         goal = goal->next) {
        int priority;
        if (goal != where && goal != any &&
            dk_reading_enum(reading, goal, goal->key, &docket__priority__descriptor, &priority))
            add_goal(reading, metric, priority, goal, calendar);
    }
    if (any != NULL)
        add_goal(reading, metric, DOCKET__PRIORITY__PRIORITY_NONE, any, calendar);
    if (where != NULL && node->count == 1)
        dk_reading_problem(reading, node, "%s has a calendar and no goal: add \"" ANY ": 4h\"",
                           node->key);
}

static void read_goals(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        int metric;
        if (!dk_reading_enum(reading, node, node->key, &docket__metric__descriptor, &metric))
            continue;
        if (node->type == DK_YAML_SCALAR)
            add_goal(reading, metric, DOCKET__PRIORITY__PRIORITY_NONE, node, 0);
        else
            read_metric(reading, node, metric);
    }
}

static void say_goals(struct dk_lines *lines, const struct dk_reference_key *key,
                      const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__PolicyDefined *policy = (const void *)body;
    (void)field;
    for (size_t i = 0; i < policy->n_goal; i++) {
        const Docket__Goal *goal = policy->goal[i];
        const char *metric = dk_lines_enum(lines, &docket__metric__descriptor, (int)goal->metric);
        const char *priority =
            goal->priority == DOCKET__PRIORITY__PRIORITY_NONE
                ? ANY
                : dk_lines_enum(lines, &docket__priority__descriptor, (int)goal->priority);
        const char *target = dk_lines_duration(lines, goal->target_us);
        if (goal->has_calendar)
            target = dk_lines_format(lines, "%s of %s", target, dk_lines_id(lines, goal->calendar));
        dk_lines_add(lines, target, "%s.%s.%s", key->word, metric, priority);
    }
}

/* ---------------------------------------------------------------- penalties
 *
 *   critical: {rate_minor: 5000, per: 1h, cap_minor: 50000}
 *   first-reply: {any: {rate_minor: 1000, per: 15m, cap_minor: 5000}}    of another metric */

static void read_penalty(const struct dk_reading *reading, const struct dk_yaml *node,
                         Docket__Penalty *penalty)
{
    static const char *const words[] = {"rate_minor", "per", "cap_minor", NULL};
    const struct dk_yaml *part[3];
    struct dk_err err;
    if (dk_yaml_only(&reading->entity->file->doc, node, words, &err) != 0) {
        dk_reference_problem_note(reading->set, err.message);
        return;
    }
    for (int i = 0; i < 3; i++) {
        part[i] = dk_yaml_get(node, words[i]);
        if (part[i] == NULL) {
            dk_reading_problem(reading, node, "a penalty has no %s: add \"%s: ...\"", words[i],
                               words[i]);
            return;
        }
    }
    uint32_t rate = 0;
    uint32_t cap = 0;
    dk_reading_number(reading, part[0], 0, UINT32_MAX, &rate);
    dk_reading_number(reading, part[2], 0, UINT32_MAX, &cap);
    penalty->rate_minor = rate;
    penalty->cap_minor = cap;
    if (dk_reading_duration(reading, part[1], &penalty->unit_us) && penalty->unit_us == 0)
        dk_reading_problem(reading, part[1], "a penalty counts units of time: give them a length");
}

static void read_penalty_of(const struct dk_reading *reading, const struct dk_yaml *node,
                            Docket__Metric metric)
{
    int priority = DOCKET__PRIORITY__PRIORITY_NONE;
    Docket__Penalty **part = dk_reading_parts(reading, 1);
    if (strcmp(node->key, ANY) != 0 &&
        !dk_reading_enum(reading, node, node->key, &docket__priority__descriptor, &priority))
        return;
    (*part)->priority = (Docket__Priority)priority;
    (*part)->has_metric = metric != DOCKET__METRIC__METRIC_NONE;
    (*part)->metric = metric;
    read_penalty(reading, node, *part);
}

/* The metric with this word, or none. */
static Docket__Metric metric_named(const char *word)
{
    for (unsigned i = 0; i < docket__metric__descriptor.n_values; i++) {
        char own[DK_WORD_BYTES];
        const ProtobufCEnumValue *value = &docket__metric__descriptor.values[i];
        if (value->value != 0 && strcmp(dk_enum_word(value, own), word) == 0)
            return (Docket__Metric)value->value;
    }
    return DOCKET__METRIC__METRIC_NONE;
}

static void read_penalties(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        Docket__Metric metric = metric_named(node->key);
        if (metric == DOCKET__METRIC__METRIC_NONE) {
            read_penalty_of(reading, node, metric);
            continue;
        }
        for (const struct dk_yaml *part = dk_reading_map(reading, node); part != NULL;
             part = part->next)
            read_penalty_of(reading, part, metric);
    }
}

static void say_penalties(struct dk_lines *lines, const struct dk_reference_key *key,
                          const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__ContractDefined *contract = (const void *)body;
    (void)field;
    for (size_t i = 0; i < contract->n_penalty; i++) {
        const Docket__Penalty *penalty = contract->penalty[i];
        const char *priority =
            penalty->priority == DOCKET__PRIORITY__PRIORITY_NONE
                ? ANY
                : dk_lines_enum(lines, &docket__priority__descriptor, (int)penalty->priority);
        const char *metric = penalty->has_metric ? dk_lines_enum(lines, &docket__metric__descriptor,
                                                                 (int)penalty->metric)
                                                 : NULL;
        dk_lines_add(lines,
                     dk_lines_format(lines, "{rate_minor: %llu, per: %s, cap_minor: %llu}",
                                     (unsigned long long)penalty->rate_minor,
                                     dk_lines_duration(lines, penalty->unit_us),
                                     (unsigned long long)penalty->cap_minor),
                     "%s.%s%s%s", key->word, metric != NULL ? metric : "",
                     metric != NULL ? "." : "", priority);
    }
}

const struct dk_reference_type dk_type_channels = {read_channels, say_channels};
const struct dk_reference_type dk_type_tiers = {read_tiers, say_tiers};
const struct dk_reference_type dk_type_routes = {read_routes, say_routes};
const struct dk_reference_type dk_type_when = {read_when, say_when};
const struct dk_reference_type dk_type_goals = {read_goals, say_goals};
const struct dk_reference_type dk_type_penalties = {read_penalties, say_penalties};
