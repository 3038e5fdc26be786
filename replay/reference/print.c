#include "proto/base/utf8.h"
#include "replay/reference/key.h"

#include <jansson.h>

#define VALUE_COLUMNS 72 /* of a value in a human's difference */

/* A value in one line: cut where the first line ends, or where it grows too long. */
static void print_value(FILE *out, const char *value)
{
    size_t line = strcspn(value, "\n");
    size_t shown = dk_utf8_prefix(value, line < VALUE_COLUMNS ? line : VALUE_COLUMNS);
    bool cut = value[shown] != '\0' && strcmp(value + shown, "\n") != 0;
    fprintf(out, "%.*s%s", (int)shown, value, cut ? " ..." : "");
}

static void print_fields(const struct dk_reference_change *change, FILE *out)
{
    for (size_t i = 0; i < change->field_count; i++) {
        const struct dk_reference_field *field = &change->field[i];
        fprintf(out, "    %s: ", field->path);
        print_value(out, field->from[0] != '\0' ? field->from : "(none)");
        fputs(" -> ", out);
        print_value(out, field->to[0] != '\0' ? field->to : "(none)");
        fputc('\n', out);
    }
}

static const char *class_of(const struct dk_reference_change *change)
{
    return dk_subject_class_word(dk_id_class(change->subject));
}

void dk_reference_print(const struct dk_reference *set, FILE *out)
{
    static const char marks[] = {
        [DK_REFERENCE_ADDED] = '+', [DK_REFERENCE_CHANGED] = '~', [DK_REFERENCE_REMOVED] = '-'};
    size_t count[3] = {0};
    char text[DK_TIME_TEXT_BYTES];
    for (size_t i = 0; i < set->change_count; i++) {
        const struct dk_reference_change *change = &set->change[i];
        count[change->what]++;
        fprintf(out, "%c %s %s", marks[change->what], class_of(change), change->key);
        if (change->effective_us != 0)
            fprintf(out, ", from %s on", dk_time_format(change->effective_us, 0, text));
        fputc('\n', out);
        print_fields(change, out);
    }
    fprintf(out, "%zu added, %zu changed, %zu removed, %zu unchanged\n", count[DK_REFERENCE_ADDED],
            count[DK_REFERENCE_CHANGED], count[DK_REFERENCE_REMOVED], set->unchanged_count);
}

static json_t *change_json(const struct dk_reference_change *change)
{
    char text[DK_TIME_TEXT_BYTES];
    json_t *object = json_pack("{s:s, s:s, s:s, s:i}", "class", class_of(change), "key",
                               change->key, "file", change->file, "line", change->line);
    if (change->effective_us != 0)
        json_object_set_new(object, "effective",
                            json_string(dk_time_format(change->effective_us, 0, text)));
    if (change->what != DK_REFERENCE_CHANGED)
        return object;
    json_t *fields = json_array();
    for (size_t i = 0; i < change->field_count; i++)
        json_array_append_new(fields,
                              json_pack("{s:s, s:s, s:s}", "path", change->field[i].path, "from",
                                        change->field[i].from, "to", change->field[i].to));
    json_object_set_new(object, "fields", fields);
    return object;
}

void dk_reference_print_json(const struct dk_reference *set, FILE *out)
{
    json_t *list[] = {[DK_REFERENCE_ADDED] = json_array(),
                      [DK_REFERENCE_CHANGED] = json_array(),
                      [DK_REFERENCE_REMOVED] = json_array()};
    for (size_t i = 0; i < set->change_count; i++)
        json_array_append_new(list[set->change[i].what], change_json(&set->change[i]));
    json_t *object = json_pack("{s:o, s:o, s:o, s:I}", "added", list[DK_REFERENCE_ADDED], "changed",
                               list[DK_REFERENCE_CHANGED], "removed", list[DK_REFERENCE_REMOVED],
                               "unchanged", (json_int_t)set->unchanged_count);
    json_dumpf(object, out, JSON_COMPACT);
    fputc('\n', out);
    json_decref(object);
}

void dk_reference_print_problems(const struct dk_reference *set, FILE *out)
{
    size_t more;
    size_t count = dk_reference_problem_count(set, &more);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s\n", set->problem[i]);
    if (more > 0)
        fprintf(out, "... and %zu more\n", more);
}

void dk_reference_print_entity(const struct dk_refs *refs, const struct dk_refs_version *version,
                               FILE *out)
{
    struct dk_arena arena;
    DK_ASSERT(dk_arena_init(&arena, DK_UNPACK_MAX_BYTES) == 0);
    struct dk_lines lines = {.arena = &arena, .refs = refs, .at_us = version->effective_us};
    dk_lines_body(&lines, version->kind, version->body);
    for (size_t i = 0; i < lines.count; i++) {
        fprintf(out, "  %s: ", lines.line[i].path);
        print_value(out, lines.line[i].value);
        fputc('\n', out);
    }
    dk_arena_close(&arena);
}
