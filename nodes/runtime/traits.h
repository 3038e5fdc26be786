/* What conditions ask about a ticket (docket.proto, Condition) and its life does not hold: company,
 * supplier, language, tags. A role that judges policies or rules keeps a table of own sizes for it,
 * ticket -> struct dk_traits, and folds it first thing in its `apply`. */
#ifndef DK_RUNTIME_TRAITS_H
#define DK_RUNTIME_TRAITS_H

#include "nodes/runtime/role.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_TRAITS_LANGUAGE_BYTES 16

struct dk_traits {
    uint64_t opened;                         /* position of its Opened: its subject stands there */
    uint64_t company;                        /* as Opened says; 0: the customer's */
    uint64_t supplier;                       /* that has it, or had it last; 0: none yet */
    char language[DK_TRAITS_LANGUAGE_BYTES]; /* BCP 47, padded with NULs; "": not known */
    uint8_t tags[];                          /* each: its length in one byte, its bytes */
};
_Static_assert(sizeof(struct dk_traits) == 40, "no padding: the bytes are hashed");

/* Folds one event of any kind into the table. Total. */
void dk_traits_apply(struct dk_table *traits, const struct dk_event *event);

/* Whether all conditions hold of a ticket that has this life and these traits, by the reference
 * data in force at `at_us`; none: true. A product's subtree counts, a tier is the company's, "de"
 * takes in "de-AT", any of several tags will do. A condition on what is not known here does not
 * hold. `traits` may be NULL: then nothing is known beyond the life. */
bool dk_traits_hold(const struct dk_table *traits, uint64_t ticket, const struct dk_ticket *life,
                    const struct dk_refs *refs, int64_t at_us, Docket__Condition *const *condition,
                    size_t count);

/* The ticket's company at an instant: its own, or its customer's; 0 when neither is known. */
uint64_t dk_traits_company(const struct dk_traits *traits, const struct dk_ticket *life,
                           const struct dk_refs *refs, int64_t at_us);

#endif
