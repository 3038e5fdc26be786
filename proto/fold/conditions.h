/* Whether conditions hold of a ticket: those of policies (S4) and of notification rules (N1). */
#ifndef DK_FOLD_CONDITIONS_H
#define DK_FOLD_CONDITIONS_H

#include "docket.pb-c.h"
#include "proto/fold/traits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether all of them hold of a ticket with these traits, by the catalogue, customers and companies
 * in force at `at_us`; none: true. A product's subtree counts, a tier is the company's, "de" takes
 * in "de-AT" (of a language the first DK_LANGUAGE_BYTES count), any of several tags will do. What
 * is not known is none of what a condition lists. */
bool dk_conditions_hold(Docket__Condition *const *condition, size_t count,
                        const struct dk_traits *traits, const struct dk_refs *refs, int64_t at_us);

/* What a condition on a field lists: subjects of a class (0: none), or values of an enum (NULL:
 * none); neither: texts. */
unsigned dk_condition_class(Docket__ConditionField field);
const ProtobufCEnumDescriptor *dk_condition_words(Docket__ConditionField field);

#endif
