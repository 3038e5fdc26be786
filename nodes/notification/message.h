/* What a notice says: its template filled in from the log, the ticket and the reference data.
 *
 * Nothing that people wrote is kept for it: subject and text are read from the records of the log
 * when the notice goes out. Values are those of then (the ticket's status, its owner), but for what
 * the event itself tells. A value that is not known is "-". */
#ifndef DK_NOTIFICATION_MESSAGE_H
#define DK_NOTIFICATION_MESSAGE_H

#include "nodes/notification/notification.h"
#include "proto/base/buf.h"
#include "proto/calendar/zone.h"

#define DK_MESSAGE_MAX_BYTES (256 * 1024) /* of its JSON, however much must be escaped */

struct dk_message {
    uint64_t id;
    const struct dk_notice *notice;
    const struct dk_world *world;
    const struct dk_notice_ticket *ticket;
    const struct dk_zone *zone;      /* in which instants are written */
    const struct dk_envelope *cause; /* of the event that the notice tells of */
    const ProtobufCMessage *body;    /* its; NULL: of a kind not known here */
    const Docket__Opened *opened;    /* of the ticket; or NULL */
};

/* Appends one JSON object without a newline: notice, ticket, event, position, occurred, rule,
 * recipient, recipient_name, language, title, text. 0; DK_ENOTFOUND (the template was not in force
 * when the event occurred, or has no text); DK_ETOOBIG. */
int dk_message_json(const struct dk_message *message, struct dk_buf *out, struct dk_err *err);

#endif
