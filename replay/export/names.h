/* Names of those that events name, as the log had defined them when the event was recorded. */
#ifndef DK_EXPORT_NAMES_H
#define DK_EXPORT_NAMES_H

#include "proto/base/map.h"
#include "proto/refs/refs.h"

struct dk_names {
    struct dk_refs *refs;         /* all definitions so far */
    struct dk_map subject, actor; /* what was asked for before: id -> char[DK_NAME_BYTES] */
};

int dk_names_init(struct dk_names *names, struct dk_err *err);
void dk_names_close(struct dk_names *names);

/* Takes a definition in; passes over other records. As dk_refs_apply. */
int dk_names_apply(struct dk_names *names, const uint8_t *record, size_t record_bytes,
                   struct dk_err *err);

/* "Anna Schmidt", "Service Desk"; the id's text when nothing defines it; "" for 0. As dk_refs_name
 * and dk_words_actor; good until the next call of this module. */
const char *dk_names_of(struct dk_names *names, uint64_t subject);
const char *dk_names_actor(struct dk_names *names, uint64_t actor);

#endif
