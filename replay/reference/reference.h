/* Reference data as YAML files, and what applying them would change.
 *
 *   files -> definitions -> judged together with what is in force -> difference -> records
 *
 * A file holds sections (sites, settings, calendars, groups, agents, products, ...), a section
 * holds entities by key. An entity is its whole definition: a key left out is its default. What no
 * file names stays as it is; an entity ends only by `removed: true`. README.md has the shape.
 *
 *   struct dk_reference *set;
 *   dk_reference_new(&set, &err);
 *   dk_reference_add_file(set, "people.yaml", &err);     (each file)
 *   if (dk_reference_compare(set, refs, now_us, &err) != 0)
 *       dk_reference_print_problems(set, stderr);
 *   else
 *       dk_reference_print(set, stdout);
 *   for (size_t i = 0; i < dk_reference_change_count(set); i++)
 *       dk_reference_record(set, i, actor, &buf, &err);
 *   dk_reference_free(&set);
 *
 * One thread at a time. What is returned is owned by the set. */
#ifndef DK_REPLAY_REFERENCE_REFERENCE_H
#define DK_REPLAY_REFERENCE_REFERENCE_H

#include "proto/base/buf.h"
#include "proto/refs/refs.h"
#include <stdio.h>

#define DK_REFERENCE_MAX_FILES    64
#define DK_REFERENCE_MAX_PROBLEMS 20 /* kept; more are counted */

struct dk_reference;

int dk_reference_new(struct dk_reference **set, struct dk_err *err);
void dk_reference_free(struct dk_reference **set);

/* Reads one more file ("-" is stdin), or a text named `name`. What is wrong with its content is
 * noted as a problem and told by dk_reference_compare. 0; DK_ENOTFOUND, DK_EIO, DK_ETOOBIG when it
 * cannot be read. */
int dk_reference_add_file(struct dk_reference *set, const char *path, struct dk_err *err);
int dk_reference_add_text(struct dk_reference *set, const char *name, const char *text,
                          size_t bytes, struct dk_err *err);

/* Once, after the files: judges all definitions together with what `refs` has in force at
 * `now_us`, and finds the difference. An entity with an `effective_from` is compared with what is
 * in force then, so that applying a file twice changes nothing the second time. `refs` must
 * outlive the set. 0; DK_EINVAL when there are problems (the first one is in `err`). */
int dk_reference_compare(struct dk_reference *set, const struct dk_refs *refs, int64_t now_us,
                         struct dk_err *err);

/* What is wrong, "FILE:LINE: what, what to do", in the order in which it was found. `*more` (may be
 * NULL) is how many were counted beyond those kept. */
size_t dk_reference_problem_count(const struct dk_reference *set, size_t *more);
const char *dk_reference_problem(const struct dk_reference *set, size_t index);

enum dk_reference_what { DK_REFERENCE_ADDED, DK_REFERENCE_CHANGED, DK_REFERENCE_REMOVED };

/* A field that changes, in the words of the file: path "goals.first-reply.high", from "4h", to
 * "2h". "" is nothing. */
struct dk_reference_field {
    const char *path;
    const char *from;
    const char *to;
};

struct dk_reference_change {
    enum dk_reference_what what;
    uint64_t subject;
    uint32_t kind;
    const char *key;
    const char *file;
    int line;
    int64_t effective_us; /* 0: when recorded */
    const ProtobufCMessage *body;
    const struct dk_reference_field *field; /* of CHANGED only */
    size_t field_count;
};

/* What to append, in an order in which each record comes after those it names, where that can be
 * (groups and their managers name each other); removals last. */
size_t dk_reference_change_count(const struct dk_reference *set);
const struct dk_reference_change *dk_reference_change(const struct dk_reference *set, size_t index);
size_t dk_reference_unchanged_count(const struct dk_reference *set);

/* Appends change `index` to `out` as a record without stamps, its bytes at the old size. */
int dk_reference_record(const struct dk_reference *set, size_t index, uint64_t actor,
                        struct dk_buf *out, struct dk_err *err);

/* For what-if: whether the set says anything of an entity (from dk_reference_add_file on); and after
 * dk_reference_compare, takes its definitions into `refs` as in force ever, whatever they say of
 * when they begin, and hands each record on. What the set removes is left out. 0, what `on_record`
 * returned, DK_ENOMEM. */
bool dk_reference_defines(const struct dk_reference *set, uint64_t subject);
int dk_reference_ever(struct dk_reference *set, struct dk_refs *refs,
                      int (*on_record)(void *arg, const uint8_t *record, size_t bytes), void *arg,
                      struct dk_err *err);

/* The difference for people, and as one JSON object in one line:
 * {"added": [...], "changed": [{..., "fields": [...]}], "removed": [...], "unchanged": N}. */
void dk_reference_print(const struct dk_reference *set, FILE *out);
void dk_reference_print_json(const struct dk_reference *set, FILE *out);
void dk_reference_print_problems(const struct dk_reference *set, FILE *out);

/* One entity as a file would say it, a "path: value" line a field, indented by two. */
void dk_reference_print_entity(const struct dk_refs *refs, const struct dk_refs_version *version,
                               FILE *out);

#endif
