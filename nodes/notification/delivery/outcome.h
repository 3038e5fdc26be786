/* What came of handing a notice to a transport. */
#ifndef DK_DELIVERY_OUTCOME_H
#define DK_DELIVERY_OUTCOME_H

#include "nodes/notification/notification.h"
#include <stdbool.h>
#include <stdint.h>

enum dk_verdict {
    DK_DELIVERED,
    DK_TRY_AGAIN, /* the receiver is away, slow, or not well */
    DK_GIVE_UP,   /* it would not help to try again */
};

struct dk_outcome {
    enum dk_verdict verdict;
    bool alone;       /* to try again: the receiver is well, and spoke of this notice alone */
    int64_t after_us; /* to try again not before this pause, as the receiver asked; 0: none asked */
    char said[DK_ATTEMPT_ERROR_BYTES]; /* "HTTP 200", "connection refused": UTF-8 */
};

/* Sets an outcome; the text is cut to its room, between two characters. */
void dk_outcome_set(struct dk_outcome *outcome, enum dk_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
