/* What a message looks like to its receiver: a notice, or a digest of several, as JSON of docket's
 * own, of Slack, of Mattermost or of Telegram.
 *
 *   docket      the object as it is
 *   slack       {"text": "*TITLE*\nTEXT"}
 *   mattermost  {"username": "docket", "text": "**TITLE**\nTEXT"}
 *   telegram    {"chat_id": CHAT, "text": "TITLE\nTEXT"}       for sendMessage, as plain text
 *
 * The object of a notice is message.h's. What a template says is markup, where the receiver has
 * one; what a ticket's fields hold is not: it is escaped when it is filled in. */
#ifndef DK_NOTIFICATION_PAYLOAD_H
#define DK_NOTIFICATION_PAYLOAD_H

#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include <jansson.h>
#include <stdint.h>

#define DK_PAYLOAD_MAX_BYTES    ((size_t)256 * 1024)
#define DK_PAYLOAD_DIGEST_MAX   200  /* notices in one message */
#define DK_PAYLOAD_DIGEST_BYTES 4096 /* of a title or text in it, or less, so that all fit */

/* Appends a field's value so that it means nothing to the receiver but itself. */
void dk_payload_escape(Docket__Payload payload, const void *text, size_t bytes, struct dk_buf *out);

/* The object of a digest: notice (its id), digest (how many), rule, recipient, recipient_name,
 * language as in the first, title, text (a line a title), notices (the array, taken): their
 * objects, of one rule and recipient, their titles and texts shortened to `text_bytes`. */
json_t *dk_payload_digest(uint64_t id, json_t *notices, size_t text_bytes);

/* Title and text in one: of a digest those of all its notices. Owned by the caller. */
char *dk_payload_body(const json_t *object);

/* Appends the JSON, without a newline. 0; DK_ETOOBIG: more than DK_PAYLOAD_MAX_BYTES; DK_EINVAL:
 * Telegram without a chat. */
int dk_payload_write(const json_t *object, Docket__Payload payload, const ProtobufCBinaryData *chat,
                     struct dk_buf *out, struct dk_err *err);

#endif
