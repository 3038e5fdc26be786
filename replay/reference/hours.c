/* Keys of calendars: when people work. */
#include "replay/reference/key.h"

#include <ctype.h>
#include <stdio.h>

#define DAY_S 86400

static const char *const day_words[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* "09:30" at `*at`, which moves on; -1 when there is none. "24:00" ends a day. */
static int take_time(const char **at)
{
    const char *text = *at;
    for (int i = 0; i < 5; i++) {
        if (i == 2 ? text[i] != ':' : !isdigit((unsigned char)text[i]))
            return -1;
    }
    int hour = 10 * (text[0] - '0') + text[1] - '0';
    int minute = 10 * (text[3] - '0') + text[4] - '0';
    if (minute > 59 || hour > 24 || (hour == 24 && minute > 0))
        return -1;
    *at += 5;
    return hour * 3600 + minute * 60;
}

/* "09:00-13:00" at `*at`. What ends at or before its beginning goes on over midnight. */
static bool take_interval(const char **at, Docket__DayInterval *interval)
{
    int from_s = take_time(at);
    if (from_s < 0 || from_s == DAY_S || **at != '-')
        return false;
    ++*at;
    int to_s = take_time(at);
    if (to_s < 0 || to_s == from_s)
        return false;
    interval->from_s = (uint32_t)from_s;
    interval->to_s = (uint32_t)(to_s > from_s ? to_s : to_s + DAY_S);
    return true;
}

/* "09:00-13:00, 14:00-18:00", or "closed": the intervals, and how many; NULL when it is neither. */
static Docket__DayInterval **read_intervals(const struct dk_reading *reading,
                                            const struct dk_yaml *node, size_t *count)
{
    Docket__DayInterval **interval =
        dk_reference_alloc(reading->set, DK_CALENDAR_DAY_INTERVALS * sizeof *interval);
    const char *at = node->type == DK_YAML_SCALAR ? node->text : "";
    *count = 0;
    if (strcmp(at, "closed") == 0)
        return interval;
    for (bool more = true; more && *count < DK_CALENDAR_DAY_INTERVALS;) {
        Docket__DayInterval *next =
            (void *)dk_reference_message(reading->set, &docket__day_interval__descriptor);
        if (!take_interval(&at, next))
            break;
        if (*count > 0 && next->from_s < interval[*count - 1]->to_s) {
            dk_reading_problem(reading, node,
                               "\"%s\": an interval begins before the one in front of it has "
                               "ended: order them, and let none overlap",
                               node->text);
            return NULL;
        }
        interval[(*count)++] = next;
        more = *at == ',';
        at += more ? 1 + strspn(at + 1, " ") : 0;
        if (!more && *at == '\0')
            return interval;
    }
    dk_reading_problem(reading, node,
                       "working hours must read as 09:00-13:00, 14:00-18:00 (at most %d), or "
                       "closed; 22:00-06:00 goes over midnight, 00:00-24:00 is all day",
                       DK_CALENDAR_DAY_INTERVALS);
    return NULL;
}

static int take_day(const char **at)
{
    for (int day = 0; day < 7; day++) {
        if (strncmp(*at, day_words[day], 3) == 0) {
            *at += 3;
            return day;
        }
    }
    return -1;
}

/* "mon", "mon-fri", "sun-thu", "mon, wed": the days as bits; 0 when it is none of these. */
static unsigned days_of(const char *at)
{
    unsigned days = 0;
    for (;;) {
        int first = take_day(&at);
        int last = first;
        if (*at == '-') {
            at++;
            last = take_day(&at);
        }
        if (first < 0 || last < 0)
            return 0;
        for (int day = first; day != last; day = (day + 1) % 7)
            days |= 1u << day;
        days |= 1u << last;
        if (*at == '\0')
            return days;
        if (*at != ',')
            return 0;
        at += 1 + strspn(at + 1, " ");
    }
}

static void read_hours(const struct dk_reading *reading)
{
    unsigned seen = 0;
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        unsigned days = days_of(node->key);
        if (days == 0 || (days & seen) != 0) {
            dk_reading_problem(reading, node,
                               days == 0 ? "\"%s\" names no days: write mon, mon-fri or "
                                           "\"mon, wed\""
                                         : "\"%s\" names a day again: give each day its hours once",
                               node->key);
            continue;
        }
        seen |= days;
        size_t count;
        Docket__DayInterval **interval = read_intervals(reading, node, &count);
        if (interval == NULL || count == 0)
            continue;
        for (uint32_t day = 0; day < 7; day++) {
            if ((days & (1u << day)) == 0)
                continue;
            Docket__WeekdayPlan **plan = dk_reading_parts(reading, 1);
            (*plan)->weekday = day;
            (*plan)->interval = interval;
            (*plan)->n_interval = count;
        }
    }
}

static const char *say_intervals(struct dk_lines *lines, Docket__DayInterval *const *interval,
                                 size_t count)
{
    const char *text = "";
    for (size_t i = 0; i < count; i++) {
        uint32_t from_s = interval[i]->from_s;
        uint32_t to_s = interval[i]->to_s;
        if (to_s > DAY_S)
            to_s -= DAY_S;
        const char *hours = dk_lines_format(lines, "%02u:%02u-%02u:%02u", from_s / 3600,
                                            from_s / 60 % 60, to_s / 3600, to_s / 60 % 60);
        text = dk_lines_join(lines, text, hours);
    }
    return text;
}

static void say_hours(struct dk_lines *lines, const struct dk_reference_key *key,
                      const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__CalendarDefined *calendar = (const void *)body;
    (void)field;
    for (uint32_t day = 0; day < 7; day++) {
        for (size_t i = 0; i < calendar->n_weekday; i++) {
            const Docket__WeekdayPlan *plan = calendar->weekday[i];
            if (plan->weekday == day)
                dk_lines_add(lines, say_intervals(lines, plan->interval, plan->n_interval), "%s.%s",
                             key->word, day_words[day]);
        }
    }
}

/* One more exception, at the date that is the node's key; NULL when that date is none, or not
 * free. */
static Docket__ExceptionPlan *add_exception(const struct dk_reading *reading,
                                            const struct dk_yaml *node)
{
    const Docket__CalendarDefined *calendar = (const void *)reading->entity->body;
    int32_t day;
    if (!dk_reading_day(reading, node, node->key, &day))
        return NULL;
    for (size_t i = 0; i < calendar->n_exception; i++) {
        if (calendar->exception[i]->day == day) {
            dk_reading_problem(reading, node, "%s is a holiday and a special day: make it one",
                               node->key);
            return NULL;
        }
    }
    Docket__ExceptionPlan **plan = dk_reading_parts(reading, 1);
    (*plan)->day = day;
    return *plan;
}

static void read_holidays(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        Docket__ExceptionPlan *plan = add_exception(reading, node);
        if (plan != NULL)
            plan->has_name = dk_reading_bytes(reading, node, &plan->name);
    }
}

/* A file of holidays, as `docket holidays` writes it. */
static void read_holidays_from(const struct dk_reading *reading)
{
    struct dk_reference_entity entity = *reading->entity;
    struct dk_reading within = *reading;
    if (!dk_reference_include(reading->set, entity.file, reading->node, &entity.file))
        return;
    within.entity = &entity;
    within.node = entity.file->doc.root;
    read_holidays(&within);
}

static void read_special_days(const struct dk_reading *reading)
{
    for (const struct dk_yaml *node = dk_reading_map(reading, reading->node); node != NULL;
         node = node->next) {
        Docket__ExceptionPlan *plan = add_exception(reading, node);
        size_t count;
        Docket__DayInterval **interval =
            plan != NULL ? read_intervals(reading, node, &count) : NULL;
        if (interval == NULL)
            continue;
        plan->interval = interval;
        plan->n_interval = count;
    }
}

static void say_holidays(struct dk_lines *lines, const struct dk_reference_key *key,
                         const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__CalendarDefined *calendar = (const void *)body;
    (void)field;
    for (size_t i = 0; i < calendar->n_exception; i++) {
        const Docket__ExceptionPlan *plan = calendar->exception[i];
        if (plan->n_interval == 0)
            dk_lines_add(lines, plan->has_name ? dk_lines_bytes(lines, &plan->name) : "closed",
                         "%s.%s", key->word, dk_lines_day(lines, plan->day));
    }
}

static void say_special_days(struct dk_lines *lines, const struct dk_reference_key *key,
                             const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    const Docket__CalendarDefined *calendar = (const void *)body;
    (void)field;
    for (size_t i = 0; i < calendar->n_exception; i++) {
        const Docket__ExceptionPlan *plan = calendar->exception[i];
        if (plan->n_interval > 0)
            dk_lines_add(lines, say_intervals(lines, plan->interval, plan->n_interval), "%s.%s",
                         key->word, dk_lines_day(lines, plan->day));
    }
}

const struct dk_reference_type dk_type_hours = {read_hours, say_hours};
/* They are said as holidays. */
static void say_nothing(struct dk_lines *lines, const struct dk_reference_key *key,
                        const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)
{
    (void)lines;
    (void)key;
    (void)body;
    (void)field;
}

const struct dk_reference_type dk_type_holidays = {read_holidays, say_holidays};
const struct dk_reference_type dk_type_holidays_from = {read_holidays_from, say_nothing};
const struct dk_reference_type dk_type_special_days = {read_special_days, say_special_days};
