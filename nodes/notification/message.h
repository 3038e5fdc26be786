/* What a notice says: its template filled in from the log, the ticket and the reference data.
 *
 * Nothing that people wrote is kept for it: subject and text are read from the records of the log
 * when the notice goes out. Values are those of then (the ticket's status, its owner), but for what
 * the event itself tells. A value that is not known is "-". */
#ifndef DK_NOTIFICATION_MESSAGE_H
#define DK_NOTIFICATION_MESSAGE_H

#include "nodes/notification/notification.h"
#include "proto/calendar/zone.h"
#include <jansson.h>

struct dk_message {
    uint64_t id;
    const struct dk_notice *notice;
    const struct dk_world *world;
    const struct dk_notice_ticket *ticket;
    const struct dk_zone *zone;      /* in which instants are written */
    const struct dk_envelope *cause; /* of the event that the notice tells of */
    const ProtobufCMessage *body;    /* its; NULL: of a kind not known here */
    const Docket__Opened *opened;    /* of the ticket; or NULL */
    Docket__Payload payload;         /* for which values are escaped */
};

/* Makes one JSON object: notice, ticket, event, position, occurred, rule, recipient,
 * recipient_name, language, title, text. 0; DK_ENOTFOUND: the template was not in force at the
 * notice's instant, or has no text. */
int dk_message_make(const struct dk_message *message, json_t **made, struct dk_err *err);

#endif
