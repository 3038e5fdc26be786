/* What would be in force, and how it differs from what is. */
#include "proto/event/body.h"
#include "replay/reference/key.h"

/* ---------------------------------------------------------------- after
 *
 * A second fold, of everything in force now and then of the set, all as of now: so whatever the
 * nodes will ask of the new reference data, the checks can ask of it before it is written.
 * Customers name others, and are named by nothing here: they are left out. */

struct drawing {
    struct dk_reference *set;
    struct dk_buf record;
    uint64_t position;
    struct dk_err *err;
};

static int draw(struct drawing *drawing, uint64_t subject, uint32_t kind,
                const ProtobufCMessage *body)
{
    struct dk_envelope envelope = {
        .position = ++drawing->position,
        .recorded_us = drawing->set->now_us,
        .subject = subject,
    };
    dk_buf_clear(&drawing->record);
    int code = dk_event_encode(&drawing->record, &envelope, kind, body, drawing->err);
    if (code == 0)
        code = dk_refs_apply(drawing->set->after, drawing->record.data, drawing->record.size,
                             drawing->err);
    return code;
}

/* A body whose definition says that it begins then; 0: nothing of when it does. */
static const ProtobufCMessage *as_of(struct dk_reference *set, const ProtobufCMessage *body,
                                     int64_t effective_us)
{
    struct defined {
        ProtobufCMessage base;
        Docket__Definition *definition;
    } *copy = dk_reference_alloc(set, body->descriptor->sizeof_message);
    Docket__Definition *definition = dk_reference_alloc(set, sizeof *definition);
    memcpy(copy, body, body->descriptor->sizeof_message);
    *definition = *copy->definition;
    definition->has_effective_us = effective_us != 0;
    definition->effective_us = effective_us;
    copy->definition = definition;
    return &copy->base;
}

static int draw_in_force(void *arg, const struct dk_refs_version *version)
{
    struct drawing *drawing = arg;
    return draw(drawing, version->subject, version->kind, as_of(drawing->set, version->body, 0));
}

int dk_reference_draw_after(struct dk_reference *set, struct dk_err *err)
{
    struct drawing drawing = {.set = set, .err = err};
    int code = dk_refs_new(&set->after, err);
    dk_buf_init(&drawing.record, DK_RECORD_MAX_BYTES);
    for (uint32_t kind = DK_KIND_DEFINED_FROM; kind <= DK_KIND_DEFINED_LAST && code == 0; kind++) {
        if (kind != DK_KIND_CUSTOMER_DEFINED)
            code = dk_refs_each(set->refs, dk_kind_info(kind)->subject_class, set->now_us,
                                draw_in_force, &drawing);
    }
    for (size_t i = 0; i < set->entity_count && code == 0; i++) {
        struct dk_reference_entity *entity = &set->entity[i];
        const struct dk_refs_version *old =
            dk_refs_at(set->refs, entity->subject,
                       entity->effective_us != 0 ? entity->effective_us : set->now_us);
        entity->old_body = old != NULL ? old->body : NULL;
        code = draw(&drawing, entity->subject, entity->section->kind, as_of(set, entity->body, 0));
    }
    dk_buf_close(&drawing.record);
    return code;
}

/* ---------------------------------------------------------------- in force ever */

int dk_reference_ever(struct dk_reference *set, struct dk_refs *refs,
                      int (*on_record)(void *arg, const uint8_t *record, size_t bytes), void *arg,
                      struct dk_err *err)
{
    struct dk_buf record;
    int rc = 0;
    dk_buf_init(&record, DK_RECORD_MAX_BYTES);
    for (size_t i = 0; i < set->entity_count && rc == 0; i++) {
        const struct dk_reference_entity *entity = &set->entity[i];
        struct dk_envelope envelope = {
            .position = i + 1, .subject = entity->subject, .subject_version = 1};
        if (entity->removed) {
            continue;
        }
        dk_buf_clear(&record);
        rc = dk_event_encode(&record, &envelope, entity->section->kind,
                             as_of(set, entity->body, DK_TIME_MIN_US), err);
        rc = rc != 0 ? rc : dk_refs_apply(refs, record.data, record.size, err);
        rc = rc != 0 ? rc : on_record(arg, record.data, record.size);
    }
    dk_buf_close(&record);
    return rc;
}

/* ---------------------------------------------------------------- difference */

static struct dk_lines lines_of(struct dk_reference *set, uint32_t kind,
                                const ProtobufCMessage *body)
{
    struct dk_lines lines = {.arena = &set->arena, .refs = set->after, .at_us = set->now_us};
    dk_lines_body(&lines, kind, body);
    return lines;
}

static const char *value_at(const struct dk_lines *lines, const char *path)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (strcmp(lines->line[i].path, path) == 0)
            return lines->line[i].value;
    }
    return "";
}

/* A policy's list and place in it are no keys of its own, but a difference nonetheless. */
static void add_place(struct dk_lines *lines, const ProtobufCMessage *body)
{
    if (body->descriptor != &docket__policy_defined__descriptor)
        return;
    const Docket__PolicyDefined *policy = (const void *)body;
    dk_lines_add(lines, dk_lines_enum(lines, &docket__policy_type__descriptor, (int)policy->type),
                 "list");
    dk_lines_add(lines, dk_lines_format(lines, "%u", policy->order), "order");
}

static size_t compare_bodies(struct dk_reference *set, const struct dk_reference_entity *entity,
                             struct dk_reference_field **out)
{
    struct dk_lines from = lines_of(set, entity->section->kind, entity->old_body);
    struct dk_lines to = lines_of(set, entity->section->kind, entity->body);
    add_place(&from, entity->old_body);
    add_place(&to, entity->body);
    struct dk_reference_field *field =
        dk_reference_alloc(set, (from.count + to.count + 1) * sizeof *field);
    size_t count = 0;
    for (size_t i = 0; i < to.count; i++) {
        const char *old = value_at(&from, to.line[i].path);
        if (strcmp(old, to.line[i].value) != 0)
            field[count++] = (struct dk_reference_field){to.line[i].path, old, to.line[i].value};
    }
    for (size_t i = 0; i < from.count; i++) {
        if (value_at(&to, from.line[i].path)[0] == '\0')
            field[count++] = (struct dk_reference_field){from.line[i].path, from.line[i].value, ""};
    }
    *out = field;
    return count;
}

static void add_change(struct dk_reference *set, const struct dk_reference_entity *entity)
{
    struct dk_reference_change change = {
        .what = entity->removed            ? DK_REFERENCE_REMOVED
                : entity->old_body != NULL ? DK_REFERENCE_CHANGED
                                           : DK_REFERENCE_ADDED,
        .subject = entity->subject,
        .kind = entity->section->kind,
        .key = entity->key,
        .file = entity->file->doc.name,
        .line = entity->node->line,
        .effective_us = entity->effective_us,
        .body = entity->body,
    };
    struct dk_reference_field *field = NULL;
    if (change.what == DK_REFERENCE_CHANGED)
        change.field_count = compare_bodies(set, entity, &field);
    change.field = field;
    bool nothing = (change.what == DK_REFERENCE_CHANGED && change.field_count == 0) ||
                   (change.what == DK_REFERENCE_REMOVED && entity->old_body == NULL);
    if (nothing)
        set->unchanged_count++;
    else
        set->change[set->change_count++] = change;
}

/* The changes of one section: all but removals, or only those. */
static void differ_section(struct dk_reference *set, const struct dk_reference_section *section,
                           bool removals)
{
    for (size_t i = 0; i < set->entity_count; i++) {
        if (set->entity[i].section == section && set->entity[i].removed == removals)
            add_change(set, &set->entity[i]);
    }
}

void dk_reference_differ(struct dk_reference *set)
{
    set->change = dk_reference_alloc(set, (set->entity_count + 1) * sizeof *set->change);
    for (size_t i = 0; i < dk_reference_section_count; i++)
        differ_section(set, &dk_reference_sections[i], false);
    for (size_t i = dk_reference_section_count; i > 0; i--)
        differ_section(set, &dk_reference_sections[i - 1], true);
}
