/* The tiers of companies that an organization knows: there is no list of them, so they are those
 * that something in force names, a policy, a rule, a product's audience or the settings. A tier
 * that nothing names changes nothing, and most likely is a misspelling. */
#ifndef DK_IMPORT_TIERS_H
#define DK_IMPORT_TIERS_H

#include "proto/base/arena.h"
#include "proto/event/wire.h"
#include "proto/refs/refs.h"

#define DK_TIERS_MAX 1024 /* what is beyond them is not known */

struct dk_tiers {
    struct dk_arena arena;
    size_t count;
    const char *word[DK_TIERS_MAX + 1]; /* ends with NULL; audiences name companies in it, too */
};

/* 0 or DK_ENOMEM. */
int dk_tiers_init(struct dk_tiers *tiers, const struct dk_refs *refs, int64_t at_us,
                  struct dk_err *err);
void dk_tiers_close(struct dk_tiers *tiers);

/* 0, or DK_EREFERENCE, with the nearest one in the message. */
int dk_tiers_check(const struct dk_tiers *tiers, struct dk_slice tier, struct dk_err *err);

#endif
