/* The field of a body that names another ticket.
 *
 * As a subject may, so the halves of an action on two tickets may name the ticket that the
 * request's own k-th Opened opens: a child is opened and linked in one atomic request. Its number
 * is known only when it is given, so the eight bytes are replaced in the record as it is stamped.
 * A repeat is compared with what is stored, so they stand beside a record's digest (producers.h),
 * as its subject does, and not in it. */
#ifndef DK_CORE_NAMED_H
#define DK_CORE_NAMED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_named {
    const char *field; /* "linked_to.target" */
    size_t offset;     /* in the unpacked body */
    uint32_t number;   /* in the encoded body; 0: it cannot name what the request itself opens */
};

/* NULL for a kind without such a field. O(1). */
const struct dk_named *dk_named_of(uint32_t kind);

/* Whether a subject, or a ticket in a body, names what its own request opens. */
bool dk_names_opened(uint64_t subject);

/* The next value of field `number`, eight bytes at body + *value, after *at (0 to begin); false:
 * none, or the body is malformed from there on. */
bool dk_named_next(const uint8_t *body, size_t bytes, uint32_t number, size_t *at, size_t *value);

#endif
