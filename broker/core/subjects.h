/* The heads of subjects that are no tickets: version and last position of agents, groups, ...
 *
 * Kept in the order in which the subjects were first met, which is a function of the log: so equal
 * logs give equal bytes. */
#ifndef DK_CORE_SUBJECTS_H
#define DK_CORE_SUBJECTS_H

#include "broker/core/shelf.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/map.h"
#include <stddef.h>
#include <stdint.h>

struct dk_subject_head {
    uint64_t subject;
    uint64_t last_position;
    uint32_t version; /* events so far, 0 = never seen */
    uint32_t reserved;
};
struct dk_subjects {
    struct dk_map index;   /* subject -> uint64_t, the number of its row */
    struct dk_shelf heads; /* of struct dk_subject_head */
};

#define DK_SUBJECTS_MAX (UINT64_C(1) << 26)

void dk_subjects_init(struct dk_subjects *subjects);
void dk_subjects_close(struct dk_subjects *subjects);

/* Version 0 for one never seen. */
struct dk_subject_head dk_subjects_get(const struct dk_subjects *subjects, uint64_t subject);

/* Sets head.subject's head. Version 0 takes it out again, which is allowed for the newest subject
 * only: the undoing of what was just done. 0 or DK_EBUSY (DK_SUBJECTS_MAX or memory reached). */
int dk_subjects_set(struct dk_subjects *subjects, struct dk_subject_head head);

size_t dk_subjects_bytes(const struct dk_subjects *subjects); /* memory taken */

/* Back from a checkpoint's annex, to which dk_shelf_save writes the heads. 0, DK_ECORRUPT,
 * DK_EBUSY. */
int dk_subjects_load(struct dk_subjects *subjects, const uint8_t *data, size_t bytes, size_t *used,
                     struct dk_err *err);

#endif
