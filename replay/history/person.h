/* A customer as the outside names them, and what is known of one who is met for the first time.
 *
 * A name that is a mail address is where the customer is answered; any other one is how the
 * customer is called. Such a definition holds since ever: one that says more holds from when it was
 * recorded on, whichever of the two comes first into the log. So who meets a customer need not be
 * the first to do so. */
#ifndef DK_HISTORY_PERSON_H
#define DK_HISTORY_PERSON_H

#include "docket.pb-c.h"
#include "proto/base/id.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Points into itself, and borrows the name: neither moves while `body` is used. */
struct dk_person {
    uint64_t subject;
    char key[DK_PERSON_KEY_BYTES];
    Docket__Definition definition;
    Docket__Text text;
    Docket__Text *address[1];
    Docket__CustomerDefined body;
};

/* `name` has at least one byte. */
void dk_person_meet(struct dk_person *person, const void *name, size_t bytes,
                    const uint8_t salt[DK_SALT_BYTES]);

#endif
