/* The numbers of notices: each says which ticket it is of.
 *
 *   63                              24 23              0
 *  +----------------------------------+-----------------+
 *  |  of a hash of what it tells (N1) |  check          |
 *  +----------------------------------+-----------------+
 *
 * The check is made of the upper bits and the ticket. So who judges an event about a notice by what
 * it states and by its ticket alone (dk_ticket_check) refuses a number that was mistyped, or is of
 * another ticket, but for one in 16 million, without keeping what was ever requested.
 *
 * It is no secret: a client with a key of its own can make a number of its ticket's for a notice
 * that was never requested, and the broker takes its acknowledgement in. To refuse that it would
 * have to keep what a ticket has ever requested, whose state is of one fixed size, or to read the
 * ticket's history in the path of appends. Such an acknowledgement changes nothing: notification
 * looks for the number among what its chains have told, and the event names who did it. `docket
 * ack` reads the history, and refuses it. */
#ifndef DK_FOLD_NOTICE_H
#define DK_FOLD_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

/* The number of the ticket's notice whose hash this is; never 0. */
uint64_t dk_notice_number(uint64_t ticket, uint64_t hash);

/* Whether a notice of the ticket can have this number. */
bool dk_notice_is_of(uint64_t notice, uint64_t ticket);

#endif
