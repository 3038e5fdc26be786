#include "replay/reference/reference.h"

#include "proto/event/body.h"
#include "proto/fold/definition.h"
#include "replay/reference/set.h"
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)1 << 30) /* of addresses; memory is taken as files fill it */

int dk_reference_new(struct dk_reference **out, struct dk_err *err)
{
    struct dk_reference *set = calloc(1, sizeof *set);
    if (set == NULL || dk_arena_init(&set->arena, ARENA_BYTES) != 0) {
        free(set);
        return dk_err_set(err, DK_ENOMEM, "no memory for a set of definitions");
    }
    dk_map_init(&set->index, sizeof(size_t), DK_REFERENCE_MAX_ENTITIES);
    *out = set;
    return 0;
}

void dk_reference_free(struct dk_reference **held)
{
    struct dk_reference *set = *held;
    if (set == NULL)
        return;
    for (size_t i = 0; i < set->file_count; i++) {
        dk_yaml_close(&set->file[i]->doc);
        free(set->file[i]);
    }
    dk_refs_free(&set->after);
    dk_map_close(&set->index);
    dk_arena_close(&set->arena);
    free(set->entity);
    free(set);
    *held = NULL;
}

void *dk_reference_alloc(struct dk_reference *set, size_t bytes)
{
    void *memory = dk_arena_alloc(&set->arena, bytes);
    DK_ASSERT(memory != NULL);
    return memory;
}

ProtobufCMessage *dk_reference_message(struct dk_reference *set,
                                       const ProtobufCMessageDescriptor *descriptor)
{
    ProtobufCMessage *message = dk_reference_alloc(set, descriptor->sizeof_message);
    protobuf_c_message_init(descriptor, message);
    return message;
}

void dk_reference_problem_note(struct dk_reference *set, const char *message)
{
    if (set->problem_count < DK_REFERENCE_MAX_PROBLEMS) {
        char *kept = dk_arena_strndup(&set->arena, message, strlen(message));
        DK_ASSERT(kept != NULL);
        set->problem[set->problem_count] = kept;
    }
    set->problem_count++;
}

void dk_reference_problem_at(struct dk_reference *set, const struct dk_reference_file *file,
                             const struct dk_yaml *node, const char *format, ...)
{
    struct dk_err err;
    char what[DK_ERR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    dk_yaml_error(&file->doc, node, &err, "%s", what);
    dk_reference_problem_note(set, err.message);
}

struct dk_reference_entity *dk_reference_find(const struct dk_reference *set, uint64_t subject)
{
    const size_t *at = dk_map_get(&set->index, subject);
    return at != NULL ? &set->entity[*at] : NULL;
}

/* Keeps a file that was read; what is no YAML is a problem like any other. */
static int take_file(struct dk_reference *set, struct dk_reference_file *file, int code,
                     const struct dk_err *why, struct dk_err *err)
{
    if (code == 0) {
        set->file[set->file_count++] = file;
        dk_reference_collect(set, file);
        return 0;
    }
    free(file);
    if (code == DK_EINVAL) {
        dk_reference_problem_note(set, why->message);
        return 0;
    }
    if (err != NULL)
        *err = *why;
    return code;
}

static int new_file(const struct dk_reference *set, struct dk_reference_file **file,
                    struct dk_err *err)
{
    if (set->file_count == DK_REFERENCE_MAX_FILES)
        return dk_err_set(err, DK_ETOOBIG, "at most %d files at once", DK_REFERENCE_MAX_FILES);
    *file = calloc(1, sizeof **file);
    return *file != NULL ? 0 : dk_err_set(err, DK_ENOMEM, "no memory for one more file");
}

bool dk_reference_include(struct dk_reference *set, const struct dk_reference_file *file,
                          const struct dk_yaml *node, const struct dk_reference_file **part)
{
    struct dk_reference_file *made = NULL;
    struct dk_err err;
    const char *name = NULL, *end = strrchr(file->doc.name, '/');
    int rc = dk_yaml_string(&file->doc, node, &name, &err);
    if (rc != 0) {
        dk_reference_problem_note(set, err.message);
        return false;
    }
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%.*s%s",
                   name[0] == '/' || end == NULL ? 0 : (int)(end + 1 - file->doc.name),
                   file->doc.name, name);
    rc = new_file(set, &made, &err);
    rc = rc != 0 ? rc : dk_yaml_load(&made->doc, path, &err);
    if (rc != 0) {
        free(made);
        dk_reference_problem_at(set, file, node, "%s", err.message);
        return false;
    }
    set->file[set->file_count++] = made;
    *part = made;
    return true;
}

int dk_reference_add_file(struct dk_reference *set, const char *path, struct dk_err *err)
{
    struct dk_reference_file *file;
    struct dk_err why;
    int code = new_file(set, &file, err);
    if (code != 0)
        return code;
    return take_file(set, file, dk_yaml_load(&file->doc, path, &why), &why, err);
}

int dk_reference_add_text(struct dk_reference *set, const char *name, const char *text,
                          size_t bytes, struct dk_err *err)
{
    struct dk_reference_file *file;
    struct dk_err why;
    int code = new_file(set, &file, err);
    if (code != 0)
        return code;
    return take_file(set, file, dk_yaml_parse(&file->doc, name, text, bytes, &why), &why, err);
}

int dk_reference_compare(struct dk_reference *set, const struct dk_refs *refs, int64_t now_us,
                         struct dk_err *err)
{
    set->refs = refs;
    set->now_us = now_us;
    for (size_t i = 0; i < set->file_count; i++) {
        const struct dk_reference_file *file = set->file[i];
        if (file->effective_us > now_us + DK_SPAN_MAX_DAYS * DK_DAY_US)
            dk_reference_problem_at(set, file, dk_yaml_get(file->doc.root, "effective_from"),
                                    "effective_from lies more than %d days ahead",
                                    DK_SPAN_MAX_DAYS);
    }
    dk_reference_build(set);
    if (set->problem_count == 0) {
        int code = dk_reference_draw_after(set, err);
        if (code != 0)
            return code;
        dk_reference_check(set);
    }
    if (set->problem_count == 0)
        dk_reference_differ(set);
    set->refs = NULL;
    if (set->problem_count == 0)
        return 0;
    return dk_err_set(err, DK_EINVAL, "%s", set->problem[0]);
}

size_t dk_reference_problem_count(const struct dk_reference *set, size_t *more)
{
    size_t kept = set->problem_count < DK_REFERENCE_MAX_PROBLEMS ? set->problem_count
                                                                 : DK_REFERENCE_MAX_PROBLEMS;
    if (more != NULL)
        *more = set->problem_count - kept;
    return kept;
}

const char *dk_reference_problem(const struct dk_reference *set, size_t index)
{
    DK_ASSERT(index < dk_reference_problem_count(set, NULL));
    return set->problem[index];
}

bool dk_reference_defines(const struct dk_reference *set, uint64_t subject)
{
    return dk_reference_find(set, subject) != NULL;
}

size_t dk_reference_change_count(const struct dk_reference *set)
{
    return set->change_count;
}

const struct dk_reference_change *dk_reference_change(const struct dk_reference *set, size_t index)
{
    DK_ASSERT(index < set->change_count);
    return &set->change[index];
}

size_t dk_reference_unchanged_count(const struct dk_reference *set)
{
    return set->unchanged_count;
}

int dk_reference_record(const struct dk_reference *set, size_t index, uint64_t actor,
                        struct dk_buf *out, struct dk_err *err)
{
    const struct dk_reference_change *change = dk_reference_change(set, index);
    struct dk_envelope envelope = {.subject = change->subject, .actor = actor};
    return dk_event_encode(out, &envelope, change->kind, change->body, err);
}
