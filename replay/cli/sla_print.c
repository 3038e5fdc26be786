#include "proto/base/time.h"
#include "replay/cli/sla.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WHY_BYTES 80

char *dk_sla_span(int64_t us, char text[DK_SLA_SPAN_BYTES])
{
    uint64_t size = us < 0 ? -(uint64_t)us : (uint64_t)us, seconds = size / DK_SECOND_US;
    int used = snprintf(text, DK_SLA_SPAN_BYTES, "%s%" PRIu64 ":%02" PRIu64 ":%02" PRIu64,
                        us < 0 ? "-" : "", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if (size % DK_SECOND_US != 0) {
        (void)snprintf(text + used, DK_SLA_SPAN_BYTES - (size_t)used, ".%06" PRIu64,
                       size % DK_SECOND_US);
    }
    return text;
}

/* ---------------------------------------------------------------- values */

static const char *word_of(const json_t *object, const char *key)
{
    const char *word = json_string_value(json_object_get(object, key));
    return word != NULL ? word : "none";
}

static int64_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static char *span_of(const json_t *object, const char *key, char text[DK_SLA_SPAN_BYTES])
{
    return dk_sla_span(number_of(object, key), text);
}

/* With the fraction of a second, of which a boundary may have one. */
static char *moment_of(const json_t *object, const char *key, const struct dk_zone *zone,
                       char text[DK_TIME_TEXT_BYTES])
{
    const char *instant = json_string_value(json_object_get(object, key));
    int64_t us = 0;
    if (instant == NULL || dk_time_parse(instant, &us, NULL, NULL) != 0) {
        (void)snprintf(text, DK_TIME_TEXT_BYTES, "never");
        return text;
    }
    (void)dk_moment_show(zone, us, text);
    if (us % DK_SECOND_US != 0) {
        size_t used = strlen(text);
        (void)snprintf(text + used, DK_TIME_TEXT_BYTES - used, ".%06lld",
                       (long long)(us % DK_SECOND_US));
    }
    return text;
}

/* ---------------------------------------------------------------- one clock */

static void print_head(const json_t *ticket, const json_t *clock, const struct dk_zone *zone,
                       FILE *out)
{
    const char *verdict = word_of(clock, "verdict"), *cause = word_of(clock, "cause");
    char text[DK_TIME_TEXT_BYTES], span[DK_SLA_SPAN_BYTES];
    (void)fprintf(out, "%s %s", word_of(ticket, "ticket"), word_of(clock, "metric"));
    if (number_of(clock, "instance") > 1) {
        (void)fprintf(out, " (%d)", (int)number_of(clock, "instance"));
    }
    (void)fprintf(out, ": %s", verdict);
    if (strcmp(verdict, "breached") == 0 || strcmp(verdict, "cancelled") == 0) {
        (void)fprintf(out, " (%s)", cause);
    }
    if (!json_is_null(json_object_get(clock, "due"))) {
        (void)fprintf(out, ", due %s", moment_of(clock, "due", zone, text));
    }
    if (!json_is_null(json_object_get(clock, "ended"))) {
        (void)fprintf(out, ", ended %s", moment_of(clock, "ended", zone, text));
    }
    (void)fprintf(out, "\n  target %s by %s version %d, goal %d (priority %s)\n",
                  span_of(clock, "target_us", span), word_of(clock, "policy"),
                  (int)number_of(clock, "policy_version"), (int)number_of(clock, "goal"),
                  word_of(clock, "priority"));
    (void)fprintf(out, "  company %s, contract %s, site ", word_of(clock, "company"),
                  word_of(clock, "contract"));
    if (number_of(clock, "site") != 0) {
        (void)fprintf(out, "%d\n", (int)number_of(clock, "site"));
    } else {
        (void)fprintf(out, "none\n");
    }
}

static const char *why_text(const json_t *segment, char text[WHY_BYTES])
{
    const char *why = word_of(segment, "why");
    bool pending = strcmp(why, "running") != 0 && strcmp(why, "solved") != 0;
    (void)snprintf(text, WHY_BYTES, "%s%s%s%s", pending ? "pending (" : "", why, pending ? ")" : "",
                   json_is_true(json_object_get(segment, "illegitimate")) ? ", illegitimate" : "");
    return text;
}

static void add_segment(struct dk_text_table *table, const json_t *segment,
                        const struct dk_zone *zone)
{
    bool runs = strcmp(word_of(segment, "why"), "running") == 0;
    char text[DK_TIME_TEXT_BYTES], span[DK_SLA_SPAN_BYTES], why[WHY_BYTES];
    dk_text_table_add(table, "");
    dk_text_table_add(table, moment_of(segment, "from", zone, text));
    dk_text_table_add(table, moment_of(segment, "to", zone, text));
    dk_text_table_add(table, runs ? span_of(segment, "elapsed_us", span) : "");
    dk_text_table_add(table, runs ? span_of(segment, "wall_us", span) : "");
    dk_text_table_add(table, runs ? "" : span_of(segment, "wall_us", span));
    dk_text_table_add(table, span_of(segment, "so_far_us", span));
    dk_text_table_addf(table, "%lld", (long long)number_of(segment, "event"));
    if (json_is_null(json_object_get(segment, "calendar"))) {
        dk_text_table_add(table, "always");
    } else {
        dk_text_table_addf(table, "%s %d", word_of(segment, "calendar"),
                           (int)number_of(segment, "calendar_version"));
    }
    dk_text_table_add(table, why_text(segment, why));
}

static void print_segments(const json_t *clock, const struct dk_zone *zone, FILE *out)
{
    static const char *const heading[] = {"",        "from",    "to",     ">business", ">wall",
                                          ">paused", ">so far", ">event", "calendar",  "why"};
    enum { COLUMNS = sizeof heading / sizeof heading[0] };
    struct dk_text_table *table = dk_text_table_new(heading, COLUMNS);
    const json_t *sum = json_object_get(clock, "sum"), *segment;
    char span[DK_SLA_SPAN_BYTES];
    size_t i;
    json_array_foreach(json_object_get(clock, "segments"), i, segment)
    {
        add_segment(table, segment, zone);
    }
    dk_text_table_add(table, "");
    dk_text_table_add(table, "sum");
    dk_text_table_add(table, "");
    dk_text_table_add(table, span_of(sum, "elapsed_us", span));
    dk_text_table_add(table, span_of(sum, "wall_us", span));
    dk_text_table_add(table, span_of(sum, "paused_us", span));
    for (size_t rest = 6; rest < COLUMNS; rest++) {
        dk_text_table_add(table, "");
    }
    dk_text_table_print(table, 0, out);
    dk_text_table_free(&table);
}

static void print_dues(const json_t *clock, const struct dk_zone *zone, FILE *out)
{
    const json_t *due;
    size_t i;
    json_array_foreach(json_object_get(clock, "dues"), i, due)
    {
        char at[DK_TIME_TEXT_BYTES], then[DK_TIME_TEXT_BYTES], target[DK_SLA_SPAN_BYTES],
            used[DK_SLA_SPAN_BYTES], left[DK_SLA_SPAN_BYTES];
        const char *mode = json_string_value(json_object_get(due, "mode"));
        (void)fprintf(out, "  due %s: %s", moment_of(due, "due", zone, then), word_of(due, "why"));
        if (mode != NULL) {
            (void)fprintf(out, " %s version %d, goal %d (%s)", word_of(due, "policy"),
                          (int)number_of(due, "policy_version"), (int)number_of(due, "goal"), mode);
        }
        (void)fprintf(out, " at %s by event %lld, target %s - used %s = left %s\n",
                      moment_of(due, "at", zone, at), (long long)number_of(due, "event"),
                      span_of(due, "target_us", target), span_of(due, "used_us", used),
                      span_of(due, "left_us", left));
    }
}

static void print_warnings(const json_t *clock, const struct dk_zone *zone, FILE *out)
{
    const json_t *warning;
    size_t i;
    json_array_foreach(json_object_get(clock, "warnings"), i, warning)
    {
        char text[DK_TIME_TEXT_BYTES], span[DK_SLA_SPAN_BYTES];
        if (json_object_get(warning, "level") != NULL) {
            (void)fprintf(out, "  warning at %d %%", (int)number_of(warning, "level"));
        } else {
            (void)fprintf(out, "  warning %s before the end", span_of(warning, "before_us", span));
        }
        (void)fprintf(out, ": %s%s\n", moment_of(warning, "due", zone, text),
                      json_is_true(json_object_get(warning, "reached")) ? ", reached" : "");
    }
}

void dk_sla_explain_print(const json_t *explained, const struct dk_zone *zone, FILE *out)
{
    char text[DK_TIME_TEXT_BYTES];
    const json_t *clock;
    size_t i;
    (void)fprintf(out, "%s as of %s in %s\n", word_of(explained, "ticket"),
                  moment_of(explained, "at", zone, text), dk_zone_name(zone));
    if (json_is_false(json_object_get(explained, "live"))) {
        (void)fprintf(out, "historical: its clocks are computed, and nothing is owed for them\n");
    }
    if (json_array_size(json_object_get(explained, "clocks")) == 0) {
        (void)fprintf(out, "nothing was promised\n");
    }
    json_array_foreach(json_object_get(explained, "clocks"), i, clock)
    {
        (void)fputc('\n', out);
        print_head(explained, clock, zone, out);
        print_segments(clock, zone, out);
        print_dues(clock, zone, out);
        print_warnings(clock, zone, out);
    }
}
