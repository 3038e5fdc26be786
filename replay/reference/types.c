/* Keys that hold one value, or a list of one sort. */
#include "proto/base/address.h"
#include "proto/event/body.h"
#include "proto/event/fields.h"
#include "replay/reference/key.h"

/* A repeated field that is said as "path: a, b, c"; nothing when it is empty. */
static void say_list(struct dk_lines *lines, const struct dk_reference_key *key,
                     struct dk_values values,
                     const char *(*word)(struct dk_lines *, const void *value, const void *arg),
                     const void *arg)
{
    const char *text = "";
    for (size_t i = 0; i < values.count; i++)
        text = dk_lines_join(lines, text, word(lines, values.at + i * values.stride, arg));
    if (values.count > 0)
        dk_lines_add(lines, text, "%s", key->word);
}

static const char *word_of_bytes(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)arg;
    return dk_lines_bytes(lines, value);
}

static const char *word_of_text(struct dk_lines *lines, const void *value, const void *arg)
{
    size_t bytes;
    (void)arg;
    const char *text = dk_text_plain(*(Docket__Text *const *)value, &bytes);
    return dk_lines_format(lines, "%.*s", (int)bytes, text);
}

static const char *word_of_number(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)arg;
    return dk_lines_format(lines, "%u", *(const uint32_t *)value);
}

static const char *word_of_bool(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)lines;
    (void)arg;
    return *(const protobuf_c_boolean *)value ? "true" : "false";
}

static const char *word_of_duration(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)arg;
    return dk_lines_duration(lines, *(const uint64_t *)value);
}

static const char *word_of_enum(struct dk_lines *lines, const void *value, const void *arg)
{
    return dk_lines_enum(lines, arg, *(const int *)value);
}

static const char *word_of_id(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)arg;
    return dk_lines_id(lines, *(const uint64_t *)value);
}

static const char *word_of_site(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)arg;
    return dk_lines_site(lines, *(const uint32_t *)value);
}

static const char *word_of_day(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)arg;
    return dk_lines_day(lines, *(const int32_t *)value);
}

static const char *word_of_last_day(struct dk_lines *lines, const void *value, const void *arg)
{
    (void)arg;
    return dk_lines_day(lines, *(const int32_t *)value - 1);
}

static const char *word_of_kind(struct dk_lines *lines, const void *value, const void *arg)
{
    const struct dk_kind_info *info = dk_kind_info(*(const uint32_t *)value);
    (void)arg;
    return info != NULL ? info->word : dk_lines_format(lines, "%u", *(const uint32_t *)value);
}

/* say_bytes, say_number, ...: a field of any label through the word of one value. */
#define SAY(name)                                                                                  \
    static void say_##name(struct dk_lines *lines, const struct dk_reference_key *key,             \
                           const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field)    \
    {                                                                                              \
        say_list(lines, key, dk_field_values(body, field), word_of_##name, field->descriptor);     \
    }
SAY(bytes)
SAY(text)
SAY(number)
SAY(bool)
SAY(duration)
SAY(enum)
SAY(id)
SAY(site)
SAY(day)
SAY(last_day)
SAY(kind)
#undef SAY

static void read_bytes(const struct dk_reading *reading)
{
    dk_reading_bytes(reading, reading->node, dk_reading_value(reading));
}

static void read_text(const struct dk_reading *reading)
{
    Docket__Text *text = (void *)dk_reference_message(reading->set, &docket__text__descriptor);
    text->has_plain = 1;
    if (dk_reading_bytes(reading, reading->node, &text->plain))
        *(Docket__Text **)dk_reading_value(reading) = text;
}

static void read_mailbox(const struct dk_reading *reading)
{
    size_t before = reading->set->problem_count;
    read_text(reading);
    if (reading->set->problem_count == before &&
        !dk_address_is_mailbox(reading->node->text, strlen(reading->node->text)))
        dk_reading_problem(reading, reading->node,
                           "\"%s\" is no mailbox: write one as anna@example.org",
                           reading->node->text);
}

static void read_number(const struct dk_reading *reading)
{
    dk_reading_number(reading, reading->node, reading->key->min, reading->key->max,
                      dk_reading_value(reading));
}

static void read_bool(const struct dk_reading *reading)
{
    bool value = false;
    struct dk_err err;
    if (dk_yaml_bool(&reading->entity->file->doc, reading->node, &value, &err) != 0)
        dk_reference_problem_note(reading->set, err.message);
    *(protobuf_c_boolean *)dk_reading_value(reading) = value;
}

static void read_duration(const struct dk_reading *reading)
{
    dk_reading_duration(reading, reading->node, dk_reading_value(reading));
}

static void read_enum(const struct dk_reading *reading)
{
    dk_reading_enum(reading, reading->node, NULL, reading->field->descriptor,
                    dk_reading_value(reading));
}

static void read_id(const struct dk_reading *reading)
{
    dk_reading_id(reading, reading->node, reading->key->cls, dk_reading_value(reading));
}

static void read_site(const struct dk_reading *reading)
{
    dk_reading_site(reading, reading->node, dk_reading_value(reading));
}

static void read_day(const struct dk_reading *reading)
{
    dk_reading_day(reading, reading->node, reading->node->text, dk_reading_value(reading));
}

static void read_last_day(const struct dk_reading *reading)
{
    int32_t *day = dk_reading_value(reading);
    if (dk_reading_day(reading, reading->node, reading->node->text, day))
        ++*day;
}

static bool read_one_bytes(const struct dk_reading *reading, const struct dk_yaml *node, void *at)
{
    return dk_reading_bytes(reading, node, at);
}

static bool read_one_number(const struct dk_reading *reading, const struct dk_yaml *node, void *at)
{
    return dk_reading_number(reading, node, reading->key->min, reading->key->max, at);
}

static bool read_one_duration(const struct dk_reading *reading, const struct dk_yaml *node,
                              void *at)
{
    return dk_reading_duration(reading, node, at);
}

static bool read_one_enum(const struct dk_reading *reading, const struct dk_yaml *node, void *at)
{
    return dk_reading_enum(reading, node, NULL, reading->field->descriptor, at);
}

static bool read_one_id(const struct dk_reading *reading, const struct dk_yaml *node, void *at)
{
    return dk_reading_id(reading, node, reading->key->cls, at);
}

static bool read_one_kind(const struct dk_reading *reading, const struct dk_yaml *node, void *at)
{
    return dk_reading_kind(reading, node, at);
}

/* An element that stands twice says nothing, and may be a slip for another. */
static void read_elements(const struct dk_reading *reading,
                          bool (*read_one)(const struct dk_reading *, const struct dk_yaml *,
                                           void *))
{
    size_t count;
    const struct dk_yaml *node = dk_reading_list(reading, reading->node, &count);
    if (node == NULL)
        return;
    size_t bytes = dk_value_bytes(reading->field->type);
    uint8_t *at = dk_reading_repeat(reading, count);
    const struct dk_yaml *first = node;
    for (size_t i = 0; i < count; i++, node = node->next) {
        if (!read_one(reading, node, at + i * bytes))
            continue;
        const struct dk_yaml *before = first;
        while (before != node && (before->text == NULL || strcmp(before->text, node->text) != 0))
            before = before->next;
        if (before != node)
            dk_reading_problem(reading, node, "\"%s\" stands in %s twice: take one away",
                               node->text, reading->key->word);
    }
}

static void read_bytes_list(const struct dk_reading *reading)
{
    read_elements(reading, read_one_bytes);
}

static void read_numbers(const struct dk_reading *reading)
{
    read_elements(reading, read_one_number);
}

static void read_durations(const struct dk_reading *reading)
{
    read_elements(reading, read_one_duration);
}

static void read_enums(const struct dk_reading *reading)
{
    read_elements(reading, read_one_enum);
}

static void read_ids(const struct dk_reading *reading)
{
    read_elements(reading, read_one_id);
}

static void read_kinds(const struct dk_reading *reading)
{
    read_elements(reading, read_one_kind);
}

const struct dk_reference_type dk_type_bytes = {read_bytes, say_bytes};
const struct dk_reference_type dk_type_text = {read_text, say_text};
const struct dk_reference_type dk_type_mailbox = {read_mailbox, say_text};
const struct dk_reference_type dk_type_bytes_list = {read_bytes_list, say_bytes};
const struct dk_reference_type dk_type_number = {read_number, say_number};
const struct dk_reference_type dk_type_numbers = {read_numbers, say_number};
const struct dk_reference_type dk_type_bool = {read_bool, say_bool};
const struct dk_reference_type dk_type_duration = {read_duration, say_duration};
const struct dk_reference_type dk_type_durations = {read_durations, say_duration};
const struct dk_reference_type dk_type_enum = {read_enum, say_enum};
const struct dk_reference_type dk_type_enums = {read_enums, say_enum};
const struct dk_reference_type dk_type_id = {read_id, say_id};
const struct dk_reference_type dk_type_ids = {read_ids, say_id};
const struct dk_reference_type dk_type_site = {read_site, say_site};
const struct dk_reference_type dk_type_day = {read_day, say_day};
const struct dk_reference_type dk_type_last_day = {read_last_day, say_last_day};
const struct dk_reference_type dk_type_kinds = {read_kinds, say_kind};
