/* What the files of this room share.
 *
 *   record -> body (in an arena) -> version -> entity: its versions by (effective, position)
 *                                              \-> class: its subjects, how often it changed
 *
 * What is derived from definitions (lists of policies and rules, who is on which shift, compiled
 * calendars) is made on first use and made anew once a definition of its class came in. */
#ifndef DK_REFS_REFS_INTERNAL_H
#define DK_REFS_REFS_INTERNAL_H

#include "proto/base/arena.h"
#include "proto/base/map.h"
#include "proto/refs/refs.h"

#define DK_REFS_MAX_ENTITIES ((size_t)1 << 28)

struct dk_refs_entity {
    const struct dk_refs_version **version; /* by effective_us, then position */
    uint32_t count;
    uint32_t capacity;
    const struct dk_refs_version *last; /* the greatest position */
};

struct dk_refs_class {
    uint64_t changes; /* definitions taken in */
    uint64_t *subject;
    size_t count;
    size_t capacity;
    bool sorted;
    int64_t *ahead; /* instants of versions recorded before they come into force: ascending, no
                       instant twice */
    size_t ahead_count;
    size_t ahead_capacity;
};

/* Which versions of a class are in force changes at `from` only; between, lists are kept. */
struct dk_refs_timeline {
    uint64_t changes; /* of the class, when this was made */
    int64_t *from;    /* ascending, no instant twice */
    size_t count;
    struct dk_map lists; /* struct dk_refs_list by selector and stretch */
};

/* The versions of policies that are published to open tickets, by (effective, position). */
struct dk_refs_publications {
    uint64_t changes; /* of the class, when this was made */
    const struct dk_refs_version **version;
    size_t count;
};

/* An agent on a shift, by one version of it. */
struct dk_refs_rota_entry {
    uint64_t agent;
    uint64_t shift;
    const struct dk_refs_version *version;
};
struct dk_refs_rota {
    uint64_t changes;
    struct dk_refs_rota_entry *entry; /* by agent, shift, version */
    size_t count;
};

struct dk_refs {
    uint64_t epoch;
    struct dk_map entities;  /* struct dk_refs_entity by subject */
    struct dk_map published; /* the same of policies and calendars, but for the versions that are
                                for new tickets only (S7) */
    struct dk_map keys;      /* subject by hash of class and key, where that is not the subject */
    struct dk_refs_class *classes; /* [DK_SUBJECT_CLASS_COUNT] */
    struct dk_arena *arena;        /* the last one is being filled */
    size_t arena_count;
    uint64_t settings; /* the settings' subject */
    struct dk_refs_timeline policies;
    struct dk_refs_publications publications;
    struct dk_refs_timeline rules;
    struct dk_refs_timeline contracts;
    struct dk_refs_rota rota;
    struct dk_map calendars;   /* struct dk_refs_compiled by address of the version */
    ProtobufCBinaryData *tier; /* that companies ever had, in the order of the log */
    size_t tier_count, tier_capacity;
};

/* An entity's versions, or NULL. */
const struct dk_refs_entity *dk_refs_entity(const struct dk_refs *refs, uint64_t subject);

/* A class with its subjects in order. */
const struct dk_refs_class *dk_refs_class(const struct dk_refs *refs, unsigned cls);

/* Room for one more element, doubling from 16. Out of memory ends the process: derived state has
 * no caller who could do without it. */
void *dk_refs_grow(void *array, size_t count, size_t *capacity, size_t element_bytes);

/* Each file's own: made empty by dk_refs_new, freed by dk_refs_free. */
void dk_refs_lists_init(struct dk_refs *refs);
void dk_refs_lists_close(struct dk_refs *refs);
void dk_refs_calendars_init(struct dk_refs *refs);
void dk_refs_calendars_close(struct dk_refs *refs);
void dk_refs_tiers_close(struct dk_refs *refs);

/* Takes a company's tier in. */
void dk_refs_tiers_note(struct dk_refs *refs, const struct dk_refs_version *version);

/* A calendar's definition in force, its compiled form and its zone; NULL as dk_refs_calendar. */
struct dk_refs_compiled {
    struct dk_calendar *calendar;
    struct dk_zone *zone;
    bool tried;
};
const Docket__CalendarDefined *dk_refs_compiled(struct dk_refs *refs, uint64_t calendar,
                                                int64_t at_us, struct dk_refs_compiled *compiled);

#endif
