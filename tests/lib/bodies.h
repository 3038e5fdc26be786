/* Random, valid bodies of every kind, made from the schema's descriptors alone.
 *
 * What a field must hold is told here by its name, independently of proto/event/fields.c: each
 * checks the other. */
#ifndef DK_TESTS_BODIES_H
#define DK_TESTS_BODIES_H

#include "docket.pb-c.h"
#include "proto/base/arena.h"
#include "proto/base/id.h"
#include "proto/base/limits.h"
#include "proto/event/body.h"
#include "tests/lib/random.h"
#include <stdbool.h>
#include <string.h>

/* The class of subject that a fixed64 of this name must hold; 0: it is a number. A field that
 * takes every class gets an agent here. A new name must be entered, so that nobody forgets to say
 * in proto/event/fields.c what it holds. */
static inline unsigned test_class_of_field(const char *name)
{
    static const struct {
        const char *name;
        unsigned cls;
    } fields[] = {
        {"added", DK_SUBJECT_AGENT},
        {"agent", DK_SUBJECT_AGENT},
        {"approver", DK_SUBJECT_AGENT},
        {"basis", 0},
        {"because", 0},
        {"by", DK_SUBJECT_AGENT},
        {"calendar", DK_SUBJECT_CALENDAR},
        {"cause", 0},
        {"company", DK_SUBJECT_COMPANY},
        {"contract", DK_SUBJECT_CONTRACT},
        {"customer", DK_SUBJECT_CUSTOMER},
        {"digest", 0},
        {"field", DK_SUBJECT_FIELD},
        {"from_agent", DK_SUBJECT_AGENT},
        {"group", DK_SUBJECT_GROUP},
        {"id", DK_SUBJECT_AGENT},
        {"key_id", 0},
        {"manager", DK_SUBJECT_AGENT},
        {"member", DK_SUBJECT_MEMBER},
        {"next_site_group", DK_SUBJECT_GROUP},
        {"notice", 0},
        {"notify_calendar", DK_SUBJECT_CALENDAR},
        {"parent", DK_SUBJECT_PRODUCT},
        {"policy", DK_SUBJECT_POLICY},
        {"product", DK_SUBJECT_PRODUCT},
        {"recipient_id", DK_SUBJECT_AGENT},
        {"reference", DK_SUBJECT_AGENT},
        {"reminder", 0},
        {"removed", DK_SUBJECT_AGENT},
        {"repeat_of", DK_SUBJECT_TICKET},
        {"rule", DK_SUBJECT_RULE},
        {"secondary", DK_SUBJECT_GROUP},
        {"source", DK_SUBJECT_SOURCE},
        {"source_position", 0},
        {"source_ticket", DK_SUBJECT_TICKET},
        {"subject", DK_SUBJECT_AGENT},
        {"supplier", DK_SUBJECT_SUPPLIER},
        {"target", DK_SUBJECT_TICKET},
        {"template", DK_SUBJECT_TEMPLATE},
        {"default_group", DK_SUBJECT_GROUP},
        {"to_group", DK_SUBJECT_GROUP},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].cls;
    }
    dk_assert_failed(name, "what does this field hold?", __LINE__, __func__);
}

/* The exact size of a bytes field of this name, or 0 for a text. */
static inline size_t test_size_of_field(const char *name)
{
    if (strcmp(name, "sha256") == 0 || strcmp(name, "mapping_sha256") == 0)
        return 32;
    return strcmp(name, "source_log") == 0 ? 16 : 0;
}

static inline ProtobufCBinaryData test_random_bytes(struct dk_arena *arena,
                                                    struct test_random *random, const char *name)
{
    static const char *const syllables[] = {"do", "cket ", "\"", "\\", "\nn", "ä", "€", "😀", "Я"};
    size_t exact = test_size_of_field(name);
    ProtobufCBinaryData bytes = {0, dk_arena_alloc(arena, 64)};
    DK_ASSERT(bytes.data != NULL);
    if (exact != 0) {
        bytes.len = exact;
        return bytes;
    }
    if (strcmp(name, "language") == 0) {
        bytes.len = strlen(strcpy((char *)bytes.data, "pt-BR"));
        return bytes;
    }
    for (size_t n = 1 + test_random_below(random, 10); n > 0; n--) {
        const char *syllable = syllables[test_random_below(random, 9)];
        memcpy(bytes.data + bytes.len, syllable, strlen(syllable));
        bytes.len += strlen(syllable);
    }
    return bytes;
}

static inline const ProtobufCMessage *test_fill(struct dk_arena *arena,
                                                const ProtobufCMessageDescriptor *descriptor,
                                                struct test_random *random, bool all);

static inline void test_fill_value(struct dk_arena *arena, const ProtobufCFieldDescriptor *field,
                                   uint8_t *at, struct test_random *random, bool all)
{
    uint64_t any = test_random_next(random);
    const ProtobufCEnumDescriptor *words = field->descriptor;
    unsigned cls;
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED64:
        cls = test_class_of_field(field->name);
        *(uint64_t *)at = cls != 0 ? dk_id_make(cls, any) : any;
        break;
    case PROTOBUF_C_TYPE_UINT64: *(uint64_t *)at = any % (uint64_t)DK_TIME_MAX_US; break;
    case PROTOBUF_C_TYPE_SFIXED64:
        *(int64_t *)at = (int64_t)(any % (uint64_t)DK_TIME_MAX_US);
        break;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT32: *(uint32_t *)at = (uint32_t)any; break;
    case PROTOBUF_C_TYPE_SINT32: *(int32_t *)at = (int32_t)(any % 90000) - 10000; break;
    case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *)at = any & 1; break;
    case PROTOBUF_C_TYPE_DOUBLE: *(double *)at = (double)(int64_t)any / 1000; break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)at = words->values[1 + any % (words->n_values - 1)].value;
        break;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)at = test_random_bytes(arena, random, field->name);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(const ProtobufCMessage **)at = test_fill(arena, field->descriptor, random, all);
        break;
    default: DK_ASSERT(false && "a type that no body may have");
    }
}

static inline size_t test_value_bytes(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_BOOL:
    case PROTOBUF_C_TYPE_ENUM: return 4;
    default: return 8;
    }
}

static inline void test_fill_field(struct dk_arena *arena, const ProtobufCFieldDescriptor *field,
                                   uint8_t *message, struct test_random *random, bool all)
{
    uint8_t *at = message + field->offset;
    bool wanted = all || test_random_below(random, 2) == 1;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t count = all ? 2 : test_random_below(random, 4);
        uint8_t *values = dk_arena_alloc(arena, 4 * sizeof(ProtobufCBinaryData));
        DK_ASSERT(values != NULL);
        for (size_t i = 0; i < count; i++)
            test_fill_value(arena, field, values + i * test_value_bytes(field), random, all);
        *(size_t *)(message + field->quantifier_offset) = count;
        *(uint8_t **)at = values;
        return;
    }
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL && !wanted)
        return;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_MESSAGE)
        *(protobuf_c_boolean *)(message + field->quantifier_offset) = 1;
    test_fill_value(arena, field, at, random, all);
}

/* A message with its required fields and some of the others, or all of them; in the arena. */
static inline const ProtobufCMessage *test_fill(struct dk_arena *arena,
                                                const ProtobufCMessageDescriptor *descriptor,
                                                struct test_random *random, bool all)
{
    ProtobufCMessage *message = dk_arena_alloc(arena, descriptor->sizeof_message);
    DK_ASSERT(message != NULL);
    descriptor->message_init(message);
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        test_fill_field(arena, &descriptor->fields[i], (uint8_t *)message, random, all);
    if (descriptor == &docket__text__descriptor) {
        Docket__Text *text = (Docket__Text *)message;
        text->has_plain = 1;
        text->plain = test_random_bytes(arena, random, "plain");
        text->sealed = NULL;
    }
    return message;
}

/* The text that a body of this kind cannot be without, or NULL. */
static inline Docket__Text **test_written(const ProtobufCMessage *body, uint32_t kind)
{
    switch (kind) {
    case DK_KIND_OPENED: return &((Docket__Opened *)body)->subject;
    case DK_KIND_MESSAGE_PUBLIC: return &((Docket__MessagePublic *)body)->text;
    case DK_KIND_NOTE_ADDED: return &((Docket__NoteAdded *)body)->text;
    default: return NULL;
    }
}

static inline const ProtobufCMessage *test_body(struct dk_arena *arena, uint32_t kind,
                                                struct test_random *random, bool all)
{
    const ProtobufCMessage *body = test_fill(arena, dk_body_descriptor(kind), random, all);
    if (kind == DK_KIND_FIELD_SET) { /* at most one value */
        Docket__FieldSet *set = (Docket__FieldSet *)body;
        set->text = NULL;
        set->has_number = set->has_date_us = set->has_choice = 0;
    }
    Docket__Text **written = test_written(body, kind);
    if (written != NULL && *written == NULL) {
        const void *text = test_fill(arena, &docket__text__descriptor, random, all);
        *written = (Docket__Text *)(uintptr_t)text;
    }
    return body;
}

/* Calls `visit` for every kind of the table. */
static inline void test_each_kind(void (*visit)(uint32_t kind, void *arg), void *arg)
{
#define X(number, NAME, field, word, cls, roles) visit(number, arg);
    DK_KINDS(X)
#undef X
}

#endif
