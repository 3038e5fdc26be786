#include "proto/event/body.h"
#include "replay/reference/key.h"

#include <stdarg.h>
#include <stdio.h>

static const char *format_text(struct dk_lines *lines, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int bytes = vsnprintf(NULL, 0, format, again);
    va_end(again);
    DK_ASSERT(bytes >= 0);
    char *text = dk_arena_alloc(lines->arena, (size_t)bytes + 1);
    DK_ASSERT(text != NULL);
    vsnprintf(text, (size_t)bytes + 1, format, args);
    return text;
}

const char *dk_lines_format(struct dk_lines *lines, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *text = format_text(lines, format, args);
    va_end(args);
    return text;
}

void dk_lines_add(struct dk_lines *lines, const char *value, const char *path, ...)
{
    if (lines->count == lines->capacity) {
        size_t capacity = lines->capacity == 0 ? 16 : 2 * lines->capacity;
        struct dk_line *line = dk_arena_alloc(lines->arena, capacity * sizeof *line);
        DK_ASSERT(line != NULL);
        if (lines->count > 0)
            memcpy(line, lines->line, lines->count * sizeof *line);
        lines->line = line;
        lines->capacity = capacity;
    }
    va_list args;
    va_start(args, path);
    lines->line[lines->count++] =
        (struct dk_line){.path = format_text(lines, path, args), .value = value};
    va_end(args);
}

const char *dk_lines_bytes(struct dk_lines *lines, const ProtobufCBinaryData *bytes)
{
    const char *text = dk_arena_strndup(lines->arena, bytes->data, bytes->len);
    DK_ASSERT(text != NULL);
    return text;
}

const char *dk_lines_enum(struct dk_lines *lines, const ProtobufCEnumDescriptor *descriptor,
                          int value)
{
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(descriptor, value);
    char word[DK_WORD_BYTES];
    if (known == NULL)
        return dk_lines_format(lines, "%d", value);
    return dk_lines_format(lines, "%s", dk_enum_word(known, word));
}

/* In hours at most, as a business day is no 24 of them. */
const char *dk_lines_duration(struct dk_lines *lines, uint64_t us)
{
    static const struct {
        uint64_t us;
        const char *unit;
    } units[] = {{DK_HOUR_US, "h"}, {DK_MINUTE_US, "m"}, {DK_SECOND_US, "s"}, {1000, "ms"}};
    const char *text = "";
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (us >= units[i].us)
            text = dk_lines_format(lines, "%s%llu%s", text, (unsigned long long)(us / units[i].us),
                                   units[i].unit);
        us %= units[i].us;
    }
    return text[0] != '\0' ? text : "0s";
}

const char *dk_lines_id(struct dk_lines *lines, uint64_t id)
{
    const struct dk_refs_version *last = dk_refs_last(lines->refs, id);
    char text[DK_ID_TEXT_BYTES];
    if (last == NULL)
        return dk_lines_format(lines, "%s", dk_id_format(id, text));
    return dk_lines_bytes(lines, &dk_refs_definition(last)->key);
}

struct numbered {
    uint32_t number;
    uint64_t site;
};

static int has_number(void *arg, const struct dk_refs_version *version)
{
    struct numbered *sought = arg;
    if (((const Docket__SiteDefined *)(const void *)version->body)->number != sought->number)
        return 0;
    sought->site = version->subject;
    return 1;
}

const char *dk_lines_site(struct dk_lines *lines, uint32_t number)
{
    struct numbered sought = {number, 0};
    if (dk_refs_each(lines->refs, DK_SUBJECT_SITE, lines->at_us, has_number, &sought) == 0)
        return dk_lines_format(lines, "%u", number);
    return dk_lines_id(lines, sought.site);
}

const char *dk_lines_day(struct dk_lines *lines, int32_t day)
{
    int year, month, dom;
    dk_date_of_days(day, &year, &month, &dom);
    return dk_lines_format(lines, "%04d-%02d-%02d", year, month, dom);
}

const char *dk_lines_join(struct dk_lines *lines, const char *so_far, const char *more)
{
    return so_far[0] != '\0' ? dk_lines_format(lines, "%s, %s", so_far, more) : more;
}

void dk_lines_body(struct dk_lines *lines, uint32_t kind, const ProtobufCMessage *body)
{
    const struct dk_reference_section *section = dk_reference_section_of(kind);
    const struct dk_refs_version as_version = {.body = body};
    const Docket__Definition *definition = dk_refs_definition(&as_version);
    DK_ASSERT(section != NULL);
    if (definition->has_name)
        dk_lines_add(lines, dk_lines_bytes(lines, &definition->name), "name");
    for (const struct dk_reference_key *key = section->key; key->word != NULL; key++)
        key->type->say(
            lines, key, body,
            protobuf_c_message_descriptor_get_field_by_name(body->descriptor, key->field));
}
