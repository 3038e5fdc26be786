/* The webhook transport: HTTP POST of a notice's JSON, by libcurl on the node's loop.
 *
 * Each request carries "Idempotency-Key: ID", by which a receiver can tell a repeat. Redirects are
 * not followed, and nothing but http and https is spoken. Proxies are those of the environment. */
#ifndef DK_DELIVERY_WEBHOOKS_H
#define DK_DELIVERY_WEBHOOKS_H

#include "nodes/notification/delivery/outcome.h"
#include "proto/base/err.h"
#include <curl/curl.h>
#include <ev.h>
#include <stddef.h>
#include <stdint.h>

#define DK_WEBHOOK_CONNECT_MS   3000
#define DK_WEBHOOK_TIMEOUT_MS   10000               /* for all of it */
#define DK_WEBHOOK_ANSWER_BYTES ((size_t)64 * 1024) /* read of a body, and thrown away */

struct dk_webhooks;

/* `on_done` is called from the loop, once for each post. */
int dk_webhooks_new(struct dk_webhooks **webhooks, struct ev_loop *loop,
                    void (*on_done)(void *arg, uint64_t notice, const struct dk_outcome *outcome),
                    void *arg, struct dk_err *err);
/* What is under way is broken off; `on_done` is not called for it. */
void dk_webhooks_free(struct dk_webhooks **webhooks);

/* Starts a post; url and body are copied. false with the outcome (DK_GIVE_UP) when the address is
 * no http or https URL. */
bool dk_webhooks_post(struct dk_webhooks *webhooks, uint64_t notice, const char *url,
                      size_t url_bytes, const uint8_t *body, size_t body_bytes,
                      struct dk_outcome *outcome);

/* What an attempt came to: `status` is the answer's, 0 when there was none. Once there is a status,
 * it decides, whatever came after it: 2xx delivered; 408, 429 and everything but 4xx again. */
void dk_webhook_judge(struct dk_outcome *outcome, CURLcode result, const char *error, long status,
                      int64_t retry_after_s);

#endif
