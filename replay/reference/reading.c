#include "proto/event/body.h"
#include "proto/event/fields.h"
#include "proto/fold/definition.h"
#include "replay/reference/key.h"

#include <stdarg.h>
#include <stdio.h>

#define NAMES_MAX 10000 /* looked through for the one that was meant */

/* A word to be looked up: a scalar, or a key of a map, called by the key being read. */
static struct dk_yaml as_word(const struct dk_reading *reading, const struct dk_yaml *node,
                              const char *word)
{
    return (struct dk_yaml){
        .type = DK_YAML_SCALAR, .line = node->line, .key = reading->key->word, .text = word};
}

static void note(const struct dk_reading *reading, const struct dk_err *err)
{
    dk_reference_problem_note(reading->set, err->message);
}

static const struct dk_yaml_doc *doc_of(const struct dk_reading *reading)
{
    return &reading->entity->file->doc;
}

void dk_reading_problem(const struct dk_reading *reading, const struct dk_yaml *node,
                        const char *format, ...)
{
    char what[DK_ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    dk_reference_problem_at(reading->set, reading->entity->file, node, "%s", what);
}

/* "" and blanks say nothing. */
static bool says_something(const char *text)
{
    return text[strspn(text, " \t\r\n")] != '\0';
}

bool dk_reading_prose(const struct dk_reading *reading, const struct dk_yaml *node,
                      ProtobufCBinaryData *value)
{
    const char *text = NULL;
    struct dk_err err;
    if (dk_yaml_string(doc_of(reading), node, &text, &err) != 0) {
        note(reading, &err);
        return false;
    }
    if (!says_something(text)) {
        dk_reading_problem(reading, node, "%s is empty: write something or take it away",
                           reading->key->word);
        return false;
    }
    value->data = (uint8_t *)(uintptr_t)text; /* lives as long as the set's files */
    value->len = strlen(text);
    return true;
}

bool dk_reading_bytes(const struct dk_reading *reading, const struct dk_yaml *node,
                      ProtobufCBinaryData *value)
{
    if (!dk_reading_prose(reading, node, value))
        return false;
    for (size_t i = 0; i < value->len; i++) {
        if (value->data[i] >= ' ' && value->data[i] != 0x7f)
            continue;
        dk_reading_problem(reading, node,
                           "%s must be one line, without tabs and other control characters",
                           reading->key->word);
        return false;
    }
    return true;
}

bool dk_reading_number(const struct dk_reading *reading, const struct dk_yaml *node, uint32_t min,
                       uint32_t max, uint32_t *value)
{
    int64_t number = 0;
    struct dk_err err;
    if (dk_yaml_int(doc_of(reading), node, min, max, &number, &err) != 0) {
        note(reading, &err);
        return false;
    }
    *value = (uint32_t)number;
    return true;
}

bool dk_reading_duration(const struct dk_reading *reading, const struct dk_yaml *node,
                         uint64_t *value)
{
    int64_t us = 0;
    struct dk_err err;
    if (dk_yaml_duration(doc_of(reading), node, &us, &err) != 0) {
        note(reading, &err);
        return false;
    }
    if (us < 0 || us > DK_SPAN_MAX_DAYS * DK_DAY_US) {
        dk_reading_problem(reading, node, "%s must be from 0s to %dd", reading->key->word,
                           DK_SPAN_MAX_DAYS);
        return false;
    }
    if (us < (int64_t)reading->key->min) {
        dk_reading_problem(reading, node,
                           "%s of no time says nothing: give it some, or take it away",
                           reading->key->word);
        return false;
    }
    *value = (uint64_t)us;
    return true;
}

static bool find_word(const struct dk_reading *reading, const struct dk_yaml *node,
                      const char *word, const char *const *words, int *index)
{
    struct dk_yaml asked = as_word(reading, node, word);
    struct dk_err err;
    if (dk_yaml_word(doc_of(reading), &asked, words, index, &err) != 0) {
        note(reading, &err);
        return false;
    }
    return true;
}

bool dk_reading_enum(const struct dk_reading *reading, const struct dk_yaml *node, const char *word,
                     const ProtobufCEnumDescriptor *descriptor, int *value)
{
    enum { VALUES_MAX = 16 };
    char text[VALUES_MAX][DK_WORD_BYTES];
    const char *words[VALUES_MAX + 1] = {NULL};
    int values[VALUES_MAX];
    size_t count = 0;
    DK_ASSERT(descriptor->n_values <= VALUES_MAX);
    for (unsigned i = 0; i < descriptor->n_values; i++) {
        if (strcmp(dk_enum_word(&descriptor->values[i], text[count]), "none") == 0)
            continue;
        words[count] = text[count];
        values[count++] = descriptor->values[i].value;
    }
    if (word == NULL && node->type != DK_YAML_SCALAR) {
        dk_reading_problem(reading, node, "%s must be one word", reading->key->word);
        return false;
    }
    int index = 0;
    if (!find_word(reading, node, word != NULL ? word : node->text, words, &index))
        return false;
    *value = values[index];
    return true;
}

bool dk_reading_kind(const struct dk_reading *reading, const struct dk_yaml *node, uint32_t *kind)
{
    const char *words[DK_KIND_TICKET_LAST + 2];
    size_t count = 0;
    for (uint32_t i = DK_KIND_MIN; i <= DK_KIND_TICKET_LAST; i++) {
        const struct dk_kind_info *info = dk_kind_info(i);
        if (info != NULL)
            words[count++] = info->word;
    }
    words[count] = NULL;
    if (node->type != DK_YAML_SCALAR) {
        dk_reading_problem(reading, node, "%s must be words", reading->key->word);
        return false;
    }
    int index = 0;
    if (!find_word(reading, node, node->text, words, &index))
        return false;
    *kind = dk_kind_of(words[index]);
    return true;
}

/* Keys of a class, for suggestions. */
struct names {
    struct dk_reference *set;
    const char **word;
    size_t count;
};

static int add_name(void *arg, const struct dk_refs_version *version)
{
    struct names *names = arg;
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    if (names->count == NAMES_MAX)
        return 1;
    char *word = dk_arena_strndup(&names->set->arena, key->data, key->len);
    DK_ASSERT(word != NULL);
    names->word[names->count++] = word;
    return 0;
}

static const char *nearest_key(struct dk_reference *set, unsigned cls, const char *key)
{
    struct names names = {set, dk_reference_alloc(set, (NAMES_MAX + 1) * sizeof(char *)), 0};
    for (size_t i = 0; i < set->entity_count && names.count < NAMES_MAX; i++) {
        if (set->entity[i].cls == cls && !set->entity[i].removed)
            names.word[names.count++] = set->entity[i].key;
    }
    dk_refs_each(set->refs, cls, set->now_us, add_name, &names);
    return dk_yaml_nearest(key, names.word);
}

static void no_such_key(const struct dk_reading *reading, const struct dk_yaml *node, unsigned cls)
{
    const char *word = dk_subject_class_word(cls);
    const char *near = nearest_key(reading->set, cls, node->text);
    if (near != NULL)
        dk_reading_problem(reading, node, "there is no %s \"%s\": did you mean \"%s\"?", word,
                           node->text, near);
    else
        dk_reading_problem(reading, node, "there is no %s \"%s\": define it, or name another", word,
                           node->text);
}

/* In force, or bound to be. */
static bool is_known(const struct dk_reference *set, uint64_t subject)
{
    const struct dk_refs_version *last = dk_refs_last(set->refs, subject);
    return dk_refs_at(set->refs, subject, set->now_us) != NULL || (last != NULL && !last->removed);
}

bool dk_reading_id(const struct dk_reading *reading, const struct dk_yaml *node, unsigned cls,
                   uint64_t *id)
{
    struct dk_reference *set = reading->set;
    if (node->type != DK_YAML_SCALAR || node->text[0] == '\0') {
        dk_reading_problem(reading, node, "%s must name a %s by its key", reading->key->word,
                           dk_subject_class_word(cls));
        return false;
    }
    size_t bytes = strlen(node->text);
    if (bytes > DK_KEY_MAX_BYTES) { /* no key is as long */
        no_such_key(reading, node, cls);
        return false;
    }
    uint64_t subject = dk_id_of_key(cls, node->text, bytes, NULL);
    const struct dk_reference_entity *entity = dk_reference_find(set, subject);
    if (entity != NULL && entity->removed) {
        dk_reading_problem(reading, node, "%s \"%s\" is removed at %s:%d: name another",
                           dk_subject_class_word(cls), node->text, entity->file->doc.name,
                           entity->node->line);
        return false;
    }
    if (entity == NULL)
        subject = dk_refs_by_key(set->refs, cls, node->text, bytes);
    if (entity == NULL && (subject == 0 || !is_known(set, subject))) {
        no_such_key(reading, node, cls);
        return false;
    }
    *id = subject;
    return true;
}

bool dk_reading_site(const struct dk_reading *reading, const struct dk_yaml *node, uint32_t *number)
{
    uint64_t id;
    if (!dk_reading_id(reading, node, DK_SUBJECT_SITE, &id))
        return false;
    const struct dk_reference_entity *entity = dk_reference_find(reading->set, id);
    if (entity == NULL) {
        const struct dk_refs_version *last = dk_refs_last(reading->set->refs, id);
        *number = ((const Docket__SiteDefined *)(const void *)last->body)->number;
        return true;
    }
    /* A number that does not read is the site's own problem, and told there. */
    int64_t value = 0;
    dk_yaml_int(&entity->file->doc, dk_yaml_get(entity->node, "number"), 1, DK_SITE_UNNAMED - 1,
                &value, NULL);
    *number = (uint32_t)value;
    return true;
}

bool dk_reading_day(const struct dk_reading *reading, const struct dk_yaml *node, const char *text,
                    int32_t *day)
{
    int64_t us;
    if (text == NULL || strlen(text) != strlen("2026-12-25") ||
        dk_time_parse(text, &us, NULL, NULL) != 0) {
        dk_reading_problem(reading, node, "\"%s\" is no date: write one as 2026-12-25",
                           text != NULL ? text : "");
        return false;
    }
    *day = (int32_t)(us / DK_DAY_US - (us % DK_DAY_US < 0));
    if (*day < dk_days_of_date(DK_CALENDAR_FROM_YEAR, 1, 1) ||
        *day >= dk_days_of_date(DK_CALENDAR_TO_YEAR, 1, 1)) {
        dk_reading_problem(reading, node, "\"%s\" is out of the years %d to %d", text,
                           DK_CALENDAR_FROM_YEAR, DK_CALENDAR_TO_YEAR - 1);
        return false;
    }
    return true;
}

const struct dk_yaml *dk_reading_map(const struct dk_reading *reading, const struct dk_yaml *node)
{
    if (node->type == DK_YAML_MAP && node->count > 0)
        return node->child;
    dk_reading_problem(reading, node, "%s must hold \"key: value\" lines", reading->key->word);
    return NULL;
}

const struct dk_yaml *dk_reading_list(const struct dk_reading *reading, const struct dk_yaml *node,
                                      size_t *count)
{
    if (node->type == DK_YAML_MAP) {
        dk_reading_problem(reading, node, "%s must be a list, as [a, b]", reading->key->word);
        return NULL;
    }
    *count = node->type == DK_YAML_LIST ? node->count : 1;
    return node->type == DK_YAML_LIST ? node->child : node;
}

static void *field_at(const struct dk_reading *reading, unsigned offset)
{
    return (uint8_t *)reading->entity->body + offset;
}

void *dk_reading_value(const struct dk_reading *reading)
{
    if (reading->field->label == PROTOBUF_C_LABEL_OPTIONAL &&
        reading->field->type != PROTOBUF_C_TYPE_MESSAGE)
        *(protobuf_c_boolean *)field_at(reading, reading->field->quantifier_offset) = 1;
    return field_at(reading, reading->field->offset);
}

void *dk_reading_repeat(const struct dk_reading *reading, size_t count)
{
    size_t *had = field_at(reading, reading->field->quantifier_offset);
    uint8_t **array = field_at(reading, reading->field->offset);
    size_t bytes = dk_value_bytes(reading->field->type);
    uint8_t *longer = dk_reference_alloc(reading->set, (*had + count) * bytes);
    if (*had > 0)
        memcpy(longer, *array, *had * bytes);
    uint8_t *added = longer + *had * bytes;
    *array = longer;
    *had += count;
    return added;
}

void *dk_reading_parts(const struct dk_reading *reading, size_t count)
{
    ProtobufCMessage **part = dk_reading_repeat(reading, count);
    for (size_t i = 0; i < count; i++)
        part[i] = dk_reference_message(reading->set, reading->field->descriptor);
    return part;
}
