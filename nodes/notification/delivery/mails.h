/* The mail transport: SMTP by libcurl, a thread a mail.
 *
 * Not on the node's loop: when libcurl lets a connection go it says QUIT, and waits for the answer
 * within the call, however long a server in trouble takes.
 *
 * A mail's Message-ID and its "Docket-Notice: ID" headers are made from the ids of its notices, so
 * that a repeat is the same mail. It is marked as made by a machine (RFC 3834). Title and address
 * cannot bring headers of their own: control characters are spaces in the one and refused in the
 * other; what is not ASCII goes as RFC 2047 and quoted-printable.
 *
 * The server answers for one mail at a time: 4xx (a greylist, a full mailbox) means to try that
 * mail again, 5xx to give it up. That it cannot be reached, breaks off, does not let us in or has
 * no TLS is about the server. */
#ifndef DK_DELIVERY_MAILS_H
#define DK_DELIVERY_MAILS_H

#include "nodes/notification/delivery/outcome.h"
#include "proto/base/buf.h"
#include "proto/peer/config.h"
#include <curl/curl.h>
#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#define DK_MAIL_CONNECT_MS    5000
#define DK_MAIL_TIMEOUT_MS    30000 /* for all of it, but for */
#define DK_MAIL_REPLY_S       10    /* the answer to QUIT */
#define DK_MAIL_ADDRESS_BYTES 256
#define DK_MAIL_TITLE_BYTES   256 /* a longer one is cut */

struct dk_mails;

struct dk_mail {
    uint64_t id;
    const uint64_t *notice; /* it tells of these */
    size_t notice_count;
    const char *address;
    size_t address_bytes;
    const char *title; /* UTF-8, as the text */
    const char *text;
};

/* Both are borrowed; `smtp` without a server: every mail is given up. `on_done` is called from the
 * loop, once for each mail. Reads the password. DK_EINVAL when others may read its file, DK_EIO
 * when we cannot. */
int dk_mails_new(struct dk_mails **mails, struct ev_loop *loop, const struct dk_config_smtp *smtp,
                 void (*on_done)(void *arg, uint64_t id, const struct dk_outcome *outcome),
                 void *arg, struct dk_err *err);
/* What is under way is broken off, which may take DK_MAIL_REPLY_S; `on_done` is not called for it.
 */
void dk_mails_free(struct dk_mails **mails);

/* Starts sending; everything is copied. false with the outcome: DK_GIVE_UP when it cannot be sent
 * at all, DK_TRY_AGAIN when the system has no thread for it now. */
bool dk_mails_send(struct dk_mails *mails, const struct dk_mail *mail, struct dk_outcome *outcome);

/* What an attempt came to: `reply` is the server's last one, 0 when there was none. */
void dk_mail_judge(struct dk_outcome *outcome, CURLcode result, const char *error, long reply);

/* Appends a header's text as RFC 2047 has it, folded, when it is not short and ASCII. */
void dk_mail_encode(const char *text, struct dk_buf *out);

#endif
