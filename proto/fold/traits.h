/* What conditions ask of a ticket (docket.proto, Condition), folded from its transitions.
 *
 * Clocks fold a ticket's transitions in the order of their time, notification folds them in the
 * order of the log: the same fold, for two questions (what held then, what is known now). */
#ifndef DK_FOLD_TRAITS_H
#define DK_FOLD_TRAITS_H

#include "proto/fold/transition.h"
#include "proto/refs/refs.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_TRAITS_TAGS 32 /* of a ticket; further ones are not kept */

/* Ids are whole, 0 = none. All zero: nothing is known. */
struct dk_traits {
    uint64_t customer;
    uint64_t company; /* as stated; 0: the customer's */
    uint64_t product;
    uint64_t group;
    uint64_t supplier; /* that has it, or had it last */
    uint64_t language; /* dk_transition_language, 0 = not told */
    uint32_t tag_count;
    uint8_t priority; /* Docket__Priority */
    uint8_t type;
    uint8_t channel;
    uint8_t reserved;
    uint64_t tag[DK_TRAITS_TAGS]; /* dk_transition_word */
};
_Static_assert(sizeof(struct dk_traits) == 56 + DK_TRAITS_TAGS * 8, "flat, without padding");

/* How many of its bytes say something: those up to the last tag. */
static inline size_t dk_traits_bytes(const struct dk_traits *traits)
{
    return offsetof(struct dk_traits, tag) + traits->tag_count * sizeof traits->tag[0];
}

/* Takes one transition in; false: it is not about a trait, and nothing has changed. */
bool dk_traits_apply(struct dk_traits *traits, const struct dk_transition *transition);

/* The ticket's company at an instant: its own, or its customer's; 0 when neither is known. */
uint64_t dk_traits_company(const struct dk_traits *traits, const struct dk_refs *refs,
                           int64_t at_us);

#endif
