#include "nodes/notification/delivery/webhooks.h"
#include "proto/base/address.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct request {
    uint64_t notice;
    CURL *easy;
    struct curl_slist *headers;
    struct request *next;
    size_t answer_bytes;
    char error[CURL_ERROR_SIZE];
};

struct dk_webhooks {
    struct ev_loop *loop;
    struct ev_timer timer;
    CURLM *multi;
    struct request *requests;
    void (*on_done)(void *arg, uint64_t notice, const struct dk_outcome *outcome);
    void *arg;
};

/* ---------------------------------------------------------------- outcomes */

void dk_webhook_judge(struct dk_outcome *outcome, CURLcode result, const char *error, long status,
                      int64_t retry_after_s)
{
    if (status == 0) {
        dk_outcome_set(outcome, DK_TRY_AGAIN, "%s",
                       error[0] != '\0' ? error : curl_easy_strerror(result));
        return;
    }
    bool refused = status >= 400 && status < 500 && status != 408 && status != 429;
    dk_outcome_set(outcome,
                   status >= 200 && status < 300 ? DK_DELIVERED
                   : refused                     ? DK_GIVE_UP
                                                 : DK_TRY_AGAIN,
                   "HTTP %ld", status);
    outcome->after_us = retry_after_s <= 0      ? 0
                        : retry_after_s < 86400 ? retry_after_s * 1000000
                                                : INT64_C(86400) * 1000000;
}

static void unlink_request(struct dk_webhooks *webhooks, struct request *request)
{
    struct request **at = &webhooks->requests;
    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    (void)curl_multi_remove_handle(webhooks->multi, request->easy);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    free(request);
}

static void finish(struct dk_webhooks *webhooks, CURL *easy, CURLcode result)
{
    struct dk_outcome outcome;
    struct request *request = NULL;
    long status = 0;
    curl_off_t retry_after_s = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&request);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    dk_webhook_judge(&outcome, result, request->error, status, retry_after_s);
    uint64_t notice = request->notice;
    unlink_request(webhooks, request);
    webhooks->on_done(webhooks->arg, notice, &outcome);
}

/* Tells libcurl that something happened, then looks what is finished. Never called from libcurl's
 * own callbacks. */
static void act(struct dk_webhooks *webhooks, curl_socket_t socket, int what)
{
    int running, left;
    CURLMsg *message;
    (void)curl_multi_socket_action(webhooks->multi, socket, what, &running);
    while ((message = curl_multi_info_read(webhooks->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            finish(webhooks, message->easy_handle, message->data.result);
        }
    }
}

/* ---------------------------------------------------------------- libcurl on libev */

static void on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop;
    (void)revents;
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(struct ev_loop *loop, struct ev_io *io, int revents)
{
    (void)loop;
    act(io->data, io->fd,
        ((revents & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((revents & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct dk_webhooks *webhooks = arg;
    (void)multi;
    ev_timer_stop(webhooks->loop, &webhooks->timer);
    if (timeout_ms >= 0) {
        ev_timer_set(&webhooks->timer, (double)timeout_ms / 1e3, 0.);
        ev_timer_start(webhooks->loop, &webhooks->timer);
    }
    return 0;
}

static int set_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *held)
{
    struct dk_webhooks *webhooks = arg;
    struct ev_io *io = held;
    (void)easy;
    if (io != NULL) {
        ev_io_stop(webhooks->loop, io);
    }
    if (what == CURL_POLL_REMOVE) {
        free(io);
        return 0;
    }
    if (io == NULL) {
        io = calloc(1, sizeof *io);
        DK_ASSERT(io != NULL);
        ev_init(io, on_socket);
        io->data = webhooks;
        (void)curl_multi_assign(webhooks->multi, socket, io);
    }
    ev_io_set(io, socket,
              ((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                  ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0));
    ev_io_start(webhooks->loop, io);
    return 0;
}

/* ---------------------------------------------------------------- posting */

/* The status says it all. What goes on for ever is broken off. */
static size_t discard(char *data, size_t size, size_t count, void *arg)
{
    struct request *request = arg;
    (void)data;
    request->answer_bytes += size * count;
    return request->answer_bytes <= DK_WEBHOOK_ANSWER_BYTES ? size * count : 0;
}

static bool is_http(const char *url)
{
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    bool http = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return http;
}

static void set_options(struct request *request, const char *url, const uint8_t *body,
                        size_t body_bytes)
{
    char key[64];
    CURL *easy = request->easy;
    (void)snprintf(key, sizeof key, "Idempotency-Key: %016" PRIx64, request->notice);
    request->headers = curl_slist_append(NULL, "Content-Type: application/json");
    request->headers = curl_slist_append(request->headers, key);
    request->headers = curl_slist_append(request->headers, "Expect:");
    DK_ASSERT(request->headers != NULL);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "docket/" DK_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_bytes);
    (void)curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)DK_WEBHOOK_CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)DK_WEBHOOK_TIMEOUT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
}

bool dk_webhooks_post(struct dk_webhooks *webhooks, uint64_t notice, const char *url,
                      size_t url_bytes, const uint8_t *body, size_t body_bytes,
                      struct dk_outcome *outcome)
{
    char text[DK_ADDRESS_URL_BYTES];
    bool fits = snprintf(text, sizeof text, "%.*s", (int)url_bytes, url) < (int)sizeof text;
    if (!fits || !is_http(text)) {
        dk_outcome_set(outcome, DK_GIVE_UP, "the address is no http or https URL");
        return false;
    }
    struct request *request = calloc(1, sizeof *request);
    DK_ASSERT(request != NULL);
    request->notice = notice;
    request->easy = curl_easy_init();
    DK_ASSERT(request->easy != NULL);
    set_options(request, text, body, body_bytes);
    request->next = webhooks->requests;
    webhooks->requests = request;
    DK_ASSERT(curl_multi_add_handle(webhooks->multi, request->easy) == CURLM_OK);
    return true;
}

/* ---------------------------------------------------------------- life */

int dk_webhooks_new(struct dk_webhooks **webhooks, struct ev_loop *loop,
                    void (*on_done)(void *arg, uint64_t notice, const struct dk_outcome *outcome),
                    void *arg, struct dk_err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return dk_err_set(err, DK_EIO, "libcurl does not start");
    }
    struct dk_webhooks *w = calloc(1, sizeof *w);
    DK_ASSERT(w != NULL);
    w->loop = loop;
    w->on_done = on_done;
    w->arg = arg;
    w->multi = curl_multi_init();
    DK_ASSERT(w->multi != NULL);
    ev_timer_init(&w->timer, on_timer, 0., 0.);
    w->timer.data = w;
    (void)curl_multi_setopt(w->multi, CURLMOPT_SOCKETFUNCTION, set_socket);
    (void)curl_multi_setopt(w->multi, CURLMOPT_SOCKETDATA, w);
    (void)curl_multi_setopt(w->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(w->multi, CURLMOPT_TIMERDATA, w);
    *webhooks = w;
    return 0;
}

void dk_webhooks_free(struct dk_webhooks **webhooks)
{
    struct dk_webhooks *w = *webhooks;
    if (w == NULL) {
        return;
    }
    while (w->requests != NULL) {
        unlink_request(w, w->requests);
    }
    (void)curl_multi_cleanup(w->multi);
    ev_timer_stop(w->loop, &w->timer);
    curl_global_cleanup();
    free(w);
    *webhooks = NULL;
}
