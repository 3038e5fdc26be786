/* A set of definitions on its way from files to a difference; of replay/reference only.
 *
 *   collect.c   sections -> entities by key            (names are known from here on)
 *   build.c     an entity's keys -> its body            read.c, parts.c, hours.c: one key each
 *   difference.c  what would be in force
 *   check.c     all bodies together, with what is in force
 *   difference.c  old words and new words -> changes */
#ifndef DK_REPLAY_REFERENCE_SET_H
#define DK_REPLAY_REFERENCE_SET_H

#include "proto/base/arena.h"
#include "proto/base/map.h"
#include "proto/base/yaml.h"
#include "replay/reference/reference.h"

#define DK_REFERENCE_MAX_ENTITIES 100000

struct dk_reference_file {
    struct dk_yaml_doc doc;
    int64_t effective_us; /* of all its entities that do not say otherwise; 0: when recorded */
};

/* A key that an entity may have, and the field of the body it stands for. */
struct dk_reference_key {
    const char *word;
    const char *field; /* of the body, by its name in docket.proto */
    const struct dk_reference_type *type;
    unsigned cls;      /* of what is named, for ids */
    uint32_t min, max; /* of numbers; of durations min, in us */
    bool needed;
};

/* The entities of a section of the file. */
struct dk_reference_section {
    const char *word; /* "agents" */
    uint32_t kind;
    struct dk_reference_key key[20]; /* ends with a NULL word */
};

/* In an order in which what is named comes before what names it, as far as that goes. */
extern const struct dk_reference_section dk_reference_sections[];
extern const size_t dk_reference_section_count;
const struct dk_reference_section *dk_reference_section_of(uint32_t kind);

struct dk_reference_entity {
    const struct dk_reference_section *section;
    const struct dk_reference_file *file;
    const struct dk_yaml *node; /* its keys: a map, or a scalar that is empty */
    const char *key;
    unsigned cls;
    uint64_t subject;
    uint64_t parent;         /* product: the one it stands in, or 0 */
    Docket__PolicyType type; /* policy */
    uint32_t order;          /* policy: place in its list, from 1 */
    bool removed;
    int64_t effective_us;
    ProtobufCMessage *body;           /* removed: the last body, with `removed` set */
    const ProtobufCMessage *old_body; /* in force when this begins, or NULL */
};

struct dk_reference {
    struct dk_arena arena; /* bodies, words, changes */
    struct dk_reference_file *file[DK_REFERENCE_MAX_FILES];
    size_t file_count;
    struct dk_reference_entity *entity; /* in the order of files, then of sections */
    size_t entity_count;
    size_t entity_capacity;
    struct dk_map index; /* place in `entity` by subject */
    char *problem[DK_REFERENCE_MAX_PROBLEMS];
    size_t problem_count;                    /* kept or not */
    const struct dk_reference_file *list[4]; /* the file that holds a type of policies */
    uint32_t listed[4];                      /* how many of them stay */
    const struct dk_refs *refs;
    int64_t now_us;
    struct dk_refs *after; /* what would be in force: `refs` at now, with the set applied */
    struct dk_reference_change *change;
    size_t change_count;
    size_t unchanged_count;
};

/* Notes "FILE:LINE: ..." at a node; and one that is whole already. */
void dk_reference_problem_at(struct dk_reference *set, const struct dk_reference_file *file,
                             const struct dk_yaml *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void dk_reference_problem_note(struct dk_reference *set, const char *message);

/* Reads `effective_from`; absent (NULL) leaves `*us`. */
void dk_reference_effective(struct dk_reference *set, const struct dk_reference_file *file,
                            const struct dk_yaml *node, int64_t *us);

/* The set's memory; never NULL. */
void *dk_reference_alloc(struct dk_reference *set, size_t bytes);
ProtobufCMessage *dk_reference_message(struct dk_reference *set,
                                       const ProtobufCMessageDescriptor *descriptor);

/* Reads a further file, which lies beside `file` and holds a part of it, into `*part`; it is the
 * set's. false, with the problem noted at `node`: there is none that can be read. */
bool dk_reference_include(struct dk_reference *set, const struct dk_reference_file *file,
                          const struct dk_yaml *node, const struct dk_reference_file **part);

/* The set's own definition of a subject, or NULL. */
struct dk_reference_entity *dk_reference_find(const struct dk_reference *set, uint64_t subject);

/* The steps. Each notes problems; later ones run only when there are none. */
void dk_reference_collect(struct dk_reference *set, struct dk_reference_file *file);
void dk_reference_build(struct dk_reference *set);
int dk_reference_draw_after(struct dk_reference *set, struct dk_err *err);
void dk_reference_check(struct dk_reference *set);
void dk_reference_check_groups(struct dk_reference *set);
void dk_reference_check_rules(struct dk_reference *set);
void dk_reference_check_policies(struct dk_reference *set);
void dk_reference_check_shifts(struct dk_reference *set);
void dk_reference_check_agents(struct dk_reference *set);
void dk_reference_differ(struct dk_reference *set);

/* The node of one of the entity's keys, else the entity's own. */
const struct dk_yaml *dk_reference_node_of(const struct dk_reference_entity *entity,
                                           const char *key);

/* Calls `on_id` with each id (not 0) that a body names, in any field, until one says true; hands
 * that on. */
bool dk_reference_each_named(const ProtobufCMessage *body, uint32_t kind,
                             bool (*on_id)(void *arg, uint64_t id), void *arg);

/* Whether a body names a subject, in any field. */
bool dk_reference_names(const ProtobufCMessage *body, uint32_t kind, uint64_t subject);

#endif
