#include "proto/event/body.h"
#include "proto/refs/refs_internal.h"
#include <stdio.h>
#include <stdlib.h>

#define SETTINGS_KEY "settings"

int dk_refs_new(struct dk_refs **out, struct dk_err *err)
{
    struct dk_refs *refs = calloc(1, sizeof *refs);
    struct dk_refs_class *classes = calloc(DK_SUBJECT_CLASS_COUNT, sizeof *classes);
    if (refs == NULL || classes == NULL) {
        free(refs);
        free(classes);
        return dk_err_set(err, DK_ENOMEM, "no memory for reference data");
    }
    refs->classes = classes;
    refs->settings = dk_id_of_key(DK_SUBJECT_SETTINGS, SETTINGS_KEY, sizeof SETTINGS_KEY - 1, NULL);
    dk_map_init(&refs->entities, sizeof(struct dk_refs_entity), DK_REFS_MAX_ENTITIES);
    dk_map_init(&refs->published, sizeof(struct dk_refs_entity), DK_REFS_MAX_ENTITIES);
    dk_map_init(&refs->keys, sizeof(uint64_t), DK_REFS_MAX_ENTITIES);
    dk_refs_lists_init(refs);
    dk_refs_calendars_init(refs);
    *out = refs;
    return 0;
}

static void free_versions(struct dk_map *entities)
{
    size_t cursor = 0;
    uint64_t subject;
    void *entity;
    while (dk_map_next(entities, &cursor, &subject, &entity))
        free(((struct dk_refs_entity *)entity)->version);
    dk_map_close(entities);
}

void dk_refs_free(struct dk_refs **held)
{
    struct dk_refs *refs = *held;
    if (refs == NULL)
        return;
    free_versions(&refs->entities);
    free_versions(&refs->published);
    for (size_t i = 0; i < DK_SUBJECT_CLASS_COUNT; i++) {
        free(refs->classes[i].subject);
        free(refs->classes[i].ahead);
    }
    for (size_t i = 0; i < refs->arena_count; i++)
        dk_arena_close(&refs->arena[i]);
    dk_refs_lists_close(refs);
    dk_refs_calendars_close(refs);
    dk_refs_tiers_close(refs);
    dk_map_close(&refs->keys);
    free(refs->classes);
    free(refs->arena);
    free(refs);
    *held = NULL;
}

void *dk_refs_grow(void *array, size_t count, size_t *capacity, size_t element_bytes)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 16 : 2 * *capacity;
    array = realloc(array, *capacity * element_bytes);
    DK_ASSERT(array != NULL);
    return array;
}

/* Bodies live as long as the refs, so they fill one arena after the other; each holds at least
 * one version with the largest body that may be unpacked. */
#define ARENA_BYTES (DK_UNPACK_MAX_BYTES + (sizeof(struct dk_refs_version) + 15) / 16 * 16)
static int add_arena(struct dk_refs *refs, struct dk_err *err)
{
    struct dk_arena *arena = realloc(refs->arena, (refs->arena_count + 1) * sizeof *arena);
    if (arena == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for reference data");
    refs->arena = arena;
    if (dk_arena_init(&arena[refs->arena_count], ARENA_BYTES) != 0)
        return dk_err_set(err, DK_ENOMEM, "no memory for reference data");
    refs->arena_count++;
    return 0;
}

/* One version, with its body, out of the arena being filled; NULL when it does not fit. */
static struct dk_refs_version *unpack_version(struct dk_refs *refs, const uint8_t *record,
                                              size_t record_bytes, struct dk_err *err)
{
    struct dk_arena *arena = &refs->arena[refs->arena_count - 1];
    struct dk_refs_version *version = dk_arena_alloc(arena, sizeof *version);
    if (version == NULL) {
        dk_err_set(err, DK_ENOMEM, "the arena is used up");
        return NULL;
    }
    version->body = dk_body_unpack(arena, record, record_bytes, err);
    return version->body != NULL ? version : NULL;
}

const Docket__Definition *dk_refs_definition(const struct dk_refs_version *version)
{
    /* Every ...Defined begins with it (tested for each). */
    struct defined {
        ProtobufCMessage base;
        const Docket__Definition *definition;
    };
    return ((const struct defined *)(const void *)version->body)->definition;
}

static int make_version(struct dk_refs *refs, const uint8_t *record, size_t record_bytes,
                        struct dk_refs_version **out, struct dk_err *err)
{
    struct dk_err first = {0};
    struct dk_refs_version *version = NULL;
    if (refs->arena_count > 0)
        version = unpack_version(refs, record, record_bytes, &first);
    if (version == NULL && (refs->arena_count == 0 || first.code == DK_ENOMEM)) {
        if (add_arena(refs, err) != 0)
            return DK_ENOMEM;
        version = unpack_version(refs, record, record_bytes, &first);
    }
    if (version == NULL) {
        if (err != NULL)
            *err = first;
        return first.code;
    }
    const Docket__Definition *definition = dk_refs_definition(version);
    version->subject = dk_event_load_subject(record);
    version->position = dk_event_load_position(record);
    version->version = dk_event_load_subject_version(record);
    version->kind = dk_event_load_kind(record);
    version->removed = definition->removed != 0;
    version->effective_us = definition->effective_us != 0
                                ? definition->effective_us
                                : (int64_t)dk_event_load_recorded_us(record);
    *out = version;
    return 0;
}

/* A key whose hash is not the subject (a person's, salted) is found by a table of its own. */
static int note_key(struct dk_refs *refs, const struct dk_refs_version *version)
{
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    uint64_t hash =
        dk_id_of_key(dk_id_class(version->subject), (const char *)key->data, key->len, NULL);
    if (hash == version->subject)
        return 0;
    uint64_t *subject = dk_map_put(&refs->keys, hash, NULL);
    if (subject == NULL)
        return DK_ENOMEM;
    *subject = version->subject;
    return 0;
}

static void add_to_class(struct dk_refs_class *cls, uint64_t subject)
{
    cls->subject = dk_refs_grow(cls->subject, cls->count, &cls->capacity, sizeof subject);
    cls->subject[cls->count++] = subject;
    cls->sorted = false;
}

/* Into its place among the versions of `subject`. `*created`: there was none. */
static int insert_version(struct dk_map *entities, const struct dk_refs_version *version,
                          bool *created)
{
    struct dk_refs_entity *entity = dk_map_put(entities, version->subject, created);
    if (entity == NULL)
        return DK_ENOMEM;
    if (entity->count == entity->capacity) {
        uint32_t capacity = entity->capacity == 0 ? 1 : 2 * entity->capacity;
        void *grown = realloc(entity->version, capacity * sizeof *entity->version);
        if (grown == NULL)
            return DK_ENOMEM;
        entity->version = grown;
        entity->capacity = capacity;
    }
    /* Positions only grow, so the new one comes after all of its own instant. */
    uint32_t at = entity->count++;
    for (; at > 0 && entity->version[at - 1]->effective_us > version->effective_us; at--)
        entity->version[at] = entity->version[at - 1];
    entity->version[at] = version;
    entity->last = version;
    return 0;
}

/* S7: of calendars what is not said is open, of policies new. */
static bool is_for_open_tickets(const struct dk_refs_version *version)
{
    if (version->kind == DK_KIND_POLICY_DEFINED)
        return ((const Docket__PolicyDefined *)(const void *)version->body)->publish ==
               DOCKET__PUBLICATION__PUBLISH_OPEN;
    const Docket__CalendarDefined *calendar = (const void *)version->body;
    return version->kind == DK_KIND_CALENDAR_DEFINED &&
           (!calendar->has_publish || calendar->publish == DOCKET__PUBLICATION__PUBLISH_OPEN);
}

static int add_version(struct dk_refs *refs, const struct dk_refs_version *version)
{
    bool created, published;
    if (insert_version(&refs->entities, version, &created) != 0 ||
        (is_for_open_tickets(version) &&
         insert_version(&refs->published, version, &published) != 0))
        return DK_ENOMEM;
    struct dk_refs_class *cls = &refs->classes[dk_id_class(version->subject)];
    if (created)
        add_to_class(cls, version->subject);
    cls->changes++;
    dk_refs_tiers_note(refs, version);
    return note_key(refs, version);
}

/* The first of the class's instants ahead that is after `at`. */
static size_t first_ahead(const struct dk_refs_class *cls, int64_t at_us)
{
    size_t low = 0;
    size_t high = cls->ahead_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cls->ahead[middle] <= at_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_ahead(struct dk_refs_class *cls, int64_t at_us)
{
    size_t at = first_ahead(cls, at_us);
    if (at > 0 && cls->ahead[at - 1] == at_us)
        return;
    cls->ahead =
        dk_refs_grow(cls->ahead, cls->ahead_count, &cls->ahead_capacity, sizeof *cls->ahead);
    memmove(cls->ahead + at + 1, cls->ahead + at, (cls->ahead_count - at) * sizeof *cls->ahead);
    cls->ahead[at] = at_us;
    cls->ahead_count++;
}

int64_t dk_refs_next_of_class_us(const struct dk_refs *refs, unsigned cls, int64_t at_us)
{
    DK_ASSERT(cls < DK_SUBJECT_CLASS_COUNT);
    const struct dk_refs_class *index = &refs->classes[cls];
    size_t at = first_ahead(index, at_us);
    return at < index->ahead_count ? index->ahead[at] : INT64_MAX;
}

int dk_refs_apply(struct dk_refs *refs, const uint8_t *record, size_t record_bytes,
                  struct dk_err *err)
{
    uint32_t kind = dk_event_load_kind(record);
    if (kind < DK_KIND_DEFINED_FROM || kind > DK_KIND_DEFINED_LAST)
        return 0;
    /* The typed functions trust the class to tell the body's type. */
    if (dk_id_class(dk_event_load_subject(record)) != dk_kind_info(kind)->subject_class)
        return dk_err_field(err, DK_EINVAL, "subject", "'%s' is not of a %s",
                            dk_kind_info(kind)->word,
                            dk_subject_class_word(dk_id_class(dk_event_load_subject(record))));
    struct dk_refs_version *version;
    int code = make_version(refs, record, record_bytes, &version, err);
    if (code != 0)
        return code;
    if (add_version(refs, version) != 0)
        return dk_err_set(err, DK_ENOMEM, "no memory for reference data");
    if (version->effective_us > (int64_t)dk_event_load_recorded_us(record))
        add_ahead(&refs->classes[dk_id_class(version->subject)], version->effective_us);
    refs->epoch++;
    return 0;
}

uint64_t dk_refs_epoch(const struct dk_refs *refs)
{
    return refs->epoch;
}

const struct dk_refs_entity *dk_refs_entity(const struct dk_refs *refs, uint64_t subject)
{
    return subject != 0 ? dk_map_get(&refs->entities, subject) : NULL;
}

/* How many versions have begun by `at`. */
static uint32_t begun(const struct dk_refs_entity *entity, int64_t at_us)
{
    uint32_t low = 0;
    uint32_t high = entity->count;
    if (entity->version[high - 1]->effective_us <= at_us)
        return high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entity->version[middle]->effective_us <= at_us)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct dk_refs_version *dk_refs_at(const struct dk_refs *refs, uint64_t subject,
                                         int64_t at_us)
{
    const struct dk_refs_entity *entity = dk_refs_entity(refs, subject);
    uint32_t count = entity != NULL ? begun(entity, at_us) : 0;
    if (count == 0 || entity->version[count - 1]->removed)
        return NULL;
    return entity->version[count - 1];
}

int64_t dk_refs_next_version_us(const struct dk_refs *refs, uint64_t subject, int64_t at_us)
{
    const struct dk_refs_entity *entity = dk_refs_entity(refs, subject);
    uint32_t count = entity != NULL ? begun(entity, at_us) : 0;
    if (entity == NULL || count == entity->count)
        return INT64_MAX;
    return entity->version[count]->effective_us;
}

/* The last version that has begun by `at`, removed or not. */
static const struct dk_refs_version *last_begun(const struct dk_refs_entity *entity, int64_t at_us)
{
    uint32_t count = entity != NULL ? begun(entity, at_us) : 0;
    return count > 0 ? entity->version[count - 1] : NULL;
}

const struct dk_refs_version *dk_refs_held(const struct dk_refs *refs, uint64_t subject,
                                           int64_t rules_us, int64_t at_us)
{
    const struct dk_refs_version *held =
        last_begun(dk_refs_entity(refs, subject), at_us < rules_us ? at_us : rules_us);
    if (at_us > rules_us) {
        const struct dk_refs_version *since =
            last_begun(dk_map_get(&refs->published, subject), at_us);
        if (since != NULL && since->effective_us > rules_us)
            held = since;
    }
    return held != NULL && !held->removed ? held : NULL;
}

int64_t dk_refs_next_held_us(const struct dk_refs *refs, uint64_t subject, int64_t rules_us,
                             int64_t at_us)
{
    int64_t next_us = dk_refs_next_version_us(refs, subject, at_us);
    if (next_us <= rules_us || next_us == INT64_MAX)
        return next_us;
    const struct dk_refs_entity *published = dk_map_get(&refs->published, subject);
    uint32_t count = published != NULL ? begun(published, at_us > rules_us ? at_us : rules_us) : 0;
    return published != NULL && count < published->count ? published->version[count]->effective_us
                                                         : INT64_MAX;
}

const struct dk_refs_version *dk_refs_last(const struct dk_refs *refs, uint64_t subject)
{
    const struct dk_refs_entity *entity = dk_refs_entity(refs, subject);
    return entity != NULL ? entity->last : NULL;
}

const struct dk_refs_version *dk_refs_version_of(const struct dk_refs *refs, uint64_t subject,
                                                 uint32_t version)
{
    const struct dk_refs_entity *entity = dk_refs_entity(refs, subject);
    uint32_t at = entity != NULL ? entity->count : 0;
    while (at > 0 && entity->version[at - 1]->version != version)
        at--;
    return at > 0 ? entity->version[at - 1] : NULL;
}

static int compare_subjects(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

const struct dk_refs_class *dk_refs_class(const struct dk_refs *refs, unsigned cls)
{
    DK_ASSERT(cls < DK_SUBJECT_CLASS_COUNT);
    struct dk_refs_class *index = &refs->classes[cls];
    if (!index->sorted && index->count > 0)
        qsort(index->subject, index->count, sizeof *index->subject, compare_subjects);
    index->sorted = true;
    return index;
}

int dk_refs_each(const struct dk_refs *refs, unsigned cls, int64_t at_us,
                 int (*on_entity)(void *arg, const struct dk_refs_version *version), void *arg)
{
    const struct dk_refs_class *index = dk_refs_class(refs, cls);
    for (size_t i = 0; i < index->count; i++) {
        const struct dk_refs_version *version = dk_refs_at(refs, index->subject[i], at_us);
        int code = version != NULL ? on_entity(arg, version) : 0;
        if (code != 0)
            return code;
    }
    return 0;
}

uint64_t dk_refs_by_key(const struct dk_refs *refs, unsigned cls, const char *key, size_t key_bytes)
{
    uint64_t hash = dk_id_of_key(cls, key, key_bytes, NULL);
    const uint64_t *salted = dk_map_get(&refs->keys, hash);
    uint64_t subject = salted != NULL ? *salted : hash;
    const struct dk_refs_version *last = dk_refs_last(refs, subject);
    if (last == NULL)
        return 0;
    const ProtobufCBinaryData *own = &dk_refs_definition(last)->key;
    return own->len == key_bytes && memcmp(own->data, key, key_bytes) == 0 ? subject : 0;
}

static bool readable(const Docket__Text *text)
{
    return text != NULL && text->sealed == NULL && text->has_plain && text->plain.len > 0;
}

static const char *put_bytes(char text[DK_NAME_BYTES], const ProtobufCBinaryData *bytes)
{
    snprintf(text, DK_NAME_BYTES, "%.*s", (int)bytes->len, (const char *)bytes->data);
    return text;
}

const char *dk_refs_name(const struct dk_refs *refs, uint64_t subject, char text[DK_NAME_BYTES])
{
    const struct dk_refs_version *last = dk_refs_at(refs, subject, INT64_MAX);
    if (last == NULL)
        last = dk_refs_last(refs, subject);
    if (last == NULL)
        return dk_id_format(subject, text);
    if (last->kind == DK_KIND_AGENT_DEFINED) {
        const Docket__AgentDefined *agent = (const void *)last->body;
        if (readable(agent->first_name) && readable(agent->surname)) {
            snprintf(text, DK_NAME_BYTES, "%.*s %.*s", (int)agent->first_name->plain.len,
                     (const char *)agent->first_name->plain.data, (int)agent->surname->plain.len,
                     (const char *)agent->surname->plain.data);
            return text;
        }
    }
    if (last->kind == DK_KIND_CUSTOMER_DEFINED) {
        const Docket__CustomerDefined *customer = (const void *)last->body;
        if (readable(customer->full_name))
            return put_bytes(text, &customer->full_name->plain);
        if (customer->n_address > 0 && readable(customer->address[0]))
            return put_bytes(text, &customer->address[0]->plain);
    }
    const Docket__Definition *definition = dk_refs_definition(last);
    return put_bytes(text, definition->has_name && definition->name.len > 0 ? &definition->name
                                                                            : &definition->key);
}
