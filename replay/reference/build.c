/* From an entity's keys to its body: the keys that its section knows, each read by its type. */
#include "proto/event/body.h"
#include "proto/event/fields.h"
#include "proto/fold/definition.h"
#include "replay/reference/key.h"

#define WORDS_MAX 24

static const char *entity_class(const struct dk_reference_entity *entity)
{
    return dk_subject_class_word(entity->cls);
}

static bool has_only_known_keys(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    const char *words[WORDS_MAX] = {"name", "effective_from", "removed"};
    size_t count = 3;
    if (entity->node->type != DK_YAML_MAP) {
        bool empty = entity->node->text != NULL && entity->node->text[0] == '\0';
        if (!empty)
            dk_reference_problem_at(set, entity->file, entity->node,
                                    "%s \"%s\" must hold \"key: value\" lines",
                                    entity_class(entity), entity->key);
        return empty;
    }
    for (const struct dk_reference_key *key = entity->section->key; key->word != NULL; key++)
        words[count++] = key->word;
    if (entity->cls == DK_SUBJECT_PRODUCT)
        words[count++] = "products";
    DK_ASSERT(count < WORDS_MAX);
    struct dk_err err;
    if (dk_yaml_only(&entity->file->doc, entity->node, words, &err) == 0)
        return true;
    dk_reference_problem_note(set, err.message);
    return false;
}

/* As it is shown, in lines and titles. */
static bool is_name(const char *name)
{
    size_t bytes = strlen(name);
    for (size_t i = 0; i < bytes; i++) {
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return false;
    }
    return name[strspn(name, " ")] != '\0' && bytes < DK_NAME_BYTES;
}

static Docket__Definition *make_definition(struct dk_reference *set,
                                           const struct dk_reference_entity *entity)
{
    const char *name = NULL;
    struct dk_err err;
    Docket__Definition *definition =
        (void *)dk_reference_message(set, &docket__definition__descriptor);
    const struct dk_yaml *named = dk_yaml_get(entity->node, "name");
    if (dk_yaml_string(&entity->file->doc, named, &name, &err) != 0)
        dk_reference_problem_note(set, err.message);
    else if (name != NULL && !is_name(name))
        dk_reference_problem_at(set, entity->file, named,
                                "name must be one line of up to %d bytes that says something",
                                DK_NAME_BYTES - 1);
    definition->key.data = (uint8_t *)(uintptr_t)entity->key;
    definition->key.len = strlen(entity->key);
    definition->has_name = name != NULL;
    definition->name.data = (uint8_t *)(uintptr_t)name;
    definition->name.len = name != NULL ? strlen(name) : 0;
    definition->has_effective_us = entity->effective_us != 0;
    definition->effective_us = entity->effective_us;
    return definition;
}

static void read_keys(struct dk_reference *set, struct dk_reference_entity *entity)
{
    for (const struct dk_reference_key *key = entity->section->key; key->word != NULL; key++) {
        struct dk_reading reading = {
            .set = set,
            .entity = entity,
            .key = key,
            .node = dk_yaml_get(entity->node, key->word),
            .field = protobuf_c_message_descriptor_get_field_by_name(entity->body->descriptor,
                                                                     key->field),
        };
        DK_ASSERT(reading.field != NULL);
        size_t before = set->problem_count;
        if (reading.node != NULL) {
            key->type->read(&reading);
            if (key->needed && set->problem_count == before &&
                reading.field->label == PROTOBUF_C_LABEL_REPEATED &&
                dk_field_values(entity->body, reading.field).count == 0)
                dk_reference_problem_at(set, entity->file, reading.node,
                                        "%s of %s \"%s\" is empty: write at least one", key->word,
                                        entity_class(entity), entity->key);
        } else if (key->needed)
            dk_reference_problem_at(set, entity->file, entity->node,
                                    "%s \"%s\" has no %s: add \"%s: ...\"", entity_class(entity),
                                    entity->key, key->word, key->word);
    }
}

/* What the place in the file says, beside the keys. */
static void read_place(struct dk_reference *set, struct dk_reference_entity *entity)
{
    if (entity->section->kind == DK_KIND_POLICY_DEFINED) {
        Docket__PolicyDefined *policy = (void *)entity->body;
        policy->type = entity->type;
        policy->order = entity->order;
    }
    if (entity->parent != 0) {
        Docket__ProductDefined *product = (void *)entity->body;
        if (product->has_parent)
            dk_reference_problem_at(
                set, entity->file, dk_yaml_get(entity->node, "parent"),
                "product \"%s\" stands in another already: take \"parent\" away", entity->key);
        product->has_parent = 1;
        product->parent = entity->parent;
    }
}

/* When it begins; what begins so late was rather mistyped than meant. */
static void read_effective(struct dk_reference *set, struct dk_reference_entity *entity)
{
    const struct dk_yaml *node = dk_yaml_get(entity->node, "effective_from");
    dk_reference_effective(set, entity->file, node, &entity->effective_us);
    if (node != NULL && entity->effective_us > set->now_us + DK_SPAN_MAX_DAYS * DK_DAY_US)
        dk_reference_problem_at(set, entity->file, node,
                                "effective_from lies more than %d days ahead", DK_SPAN_MAX_DAYS);
}

/* What the definition lacks, at the key whose field says so, else at the entity. */
static void check_definition(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    struct dk_err err = {0};
    if (dk_body_check(entity->body, entity->section->kind, &err) != 0) {
        dk_reference_problem_at(set, entity->file, entity->node, "%s \"%s\": %s",
                                entity_class(entity), entity->key, err.message);
        return;
    }
    if (dk_definition_check(entity->body, entity->section->kind, &err) == 0)
        return;
    const char *dot = strchr(err.field, '.');
    const struct dk_yaml *node = NULL;
    for (const struct dk_reference_key *key = entity->section->key;
         key->word != NULL && node == NULL && dot != NULL; key++) {
        if (strcmp(key->field, dot + 1) == 0)
            node = dk_yaml_get(entity->node, key->word);
    }
    dk_reference_problem_at(set, entity->file, node != NULL ? node : entity->node, "%s",
                            err.message);
}

static void build_entity(struct dk_reference *set, struct dk_reference_entity *entity)
{
    if (!has_only_known_keys(set, entity))
        return;
    size_t before = set->problem_count;
    read_effective(set, entity);
    entity->body = dk_reference_message(set, dk_body_descriptor(entity->section->kind));
    struct defined {
        ProtobufCMessage base;
        Docket__Definition *definition;
    };
    ((struct defined *)(void *)entity->body)->definition = make_definition(set, entity);
    read_keys(set, entity);
    read_place(set, entity);
    if (set->problem_count == before)
        check_definition(set, entity);
}

/* A removal repeats the last definition, so that the name of what is gone can still be told. */
static void build_removal(struct dk_reference *set, struct dk_reference_entity *entity)
{
    const struct dk_refs_version *last = dk_refs_last(set->refs, entity->subject);
    if (last == NULL) {
        dk_reference_problem_at(set, entity->file, entity->node,
                                "there is no %s \"%s\" to remove: take the entry away",
                                entity_class(entity), entity->key);
        return;
    }
    read_effective(set, entity);
    const ProtobufCMessageDescriptor *descriptor = dk_body_descriptor(entity->section->kind);
    struct defined {
        ProtobufCMessage base;
        Docket__Definition *definition;
    } *body = dk_reference_alloc(set, descriptor->sizeof_message);
    memcpy(body, last->body, descriptor->sizeof_message);
    Docket__Definition *definition =
        (void *)dk_reference_message(set, &docket__definition__descriptor);
    *definition = *dk_refs_definition(last);
    definition->has_removed = 1;
    definition->removed = 1;
    definition->has_effective_us = entity->effective_us != 0;
    definition->effective_us = entity->effective_us;
    definition->origin = NULL;
    body->definition = definition;
    entity->body = &body->base;
}

void dk_reference_build(struct dk_reference *set)
{
    for (size_t i = 0; i < set->entity_count; i++) {
        struct dk_reference_entity *entity = &set->entity[i];
        if (entity->removed && has_only_known_keys(set, entity))
            build_removal(set, entity);
        else if (!entity->removed)
            build_entity(set, entity);
    }
}
