#include "nodes/notification/delivery/webhooks.h"

#include "tests/lib/assert.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---------------------------------------------------------------- verdicts */

static void test_webhooks_the_answer_decides(void **state)
{
    static const struct {
        CURLcode result;
        long status;
        enum dk_verdict verdict;
        const char *said;
    } table[] = {
        {CURLE_OK, 200, DK_DELIVERED, "HTTP 200"},
        {CURLE_OK, 204, DK_DELIVERED, "HTTP 204"},
        {CURLE_PARTIAL_FILE, 200, DK_DELIVERED, "HTTP 200"}, /* it said so before it broke off */
        {CURLE_OK, 100, DK_TRY_AGAIN, "HTTP 100"},
        {CURLE_OK, 301, DK_TRY_AGAIN, "HTTP 301"},
        {CURLE_OK, 400, DK_GIVE_UP, "HTTP 400"},
        {CURLE_OK, 404, DK_GIVE_UP, "HTTP 404"},
        {CURLE_OK, 408, DK_TRY_AGAIN, "HTTP 408"},
        {CURLE_OK, 410, DK_GIVE_UP, "HTTP 410"},
        {CURLE_OK, 429, DK_TRY_AGAIN, "HTTP 429"},
        {CURLE_OK, 500, DK_TRY_AGAIN, "HTTP 500"},
        {CURLE_OK, 503, DK_TRY_AGAIN, "HTTP 503"},
        {CURLE_OPERATION_TIMEDOUT, 0, DK_TRY_AGAIN, "why"},
        {CURLE_COULDNT_CONNECT, 0, DK_TRY_AGAIN, "why"},
        {CURLE_UNSUPPORTED_PROTOCOL, 0, DK_TRY_AGAIN, "why"}, /* an answer that is no HTTP */
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct dk_outcome outcome;
        dk_webhook_judge(&outcome, table[i].result, "why", table[i].status, 0);
        ASSERT_EQ(outcome.verdict, table[i].verdict);
        ASSERT_STR(outcome.said, table[i].said);
        ASSERT_EQ(outcome.after_us, 0);
    }
}

static void test_webhooks_retry_after_is_heard(void **state)
{
    struct dk_outcome outcome;
    (void)state;
    dk_webhook_judge(&outcome, CURLE_OK, "", 429, 7);
    ASSERT_EQ(outcome.after_us, 7000000);
    dk_webhook_judge(&outcome, CURLE_OK, "", 503, INT64_MAX);
    ASSERT_EQ(outcome.after_us, INT64_C(86400) * 1000000);
    dk_webhook_judge(&outcome, CURLE_OK, "", 503, -1);
    ASSERT_EQ(outcome.after_us, 0);
}

static void test_outcome_is_cut_between_characters(void **state)
{
    struct dk_outcome outcome;
    char text[200] = "";
    (void)state;
    for (int i = 0; i < 40; i++) {
        strcat(text, "\u20ac");
    }
    dk_outcome_set(&outcome, DK_GIVE_UP, "%s", text);
    ASSERT_EQ(strlen(outcome.said), (DK_ATTEMPT_ERROR_BYTES - 1) / 3 * 3);
}

/* ---------------------------------------------------------------- the transport itself */

/* A receiver that reads one request and writes one answer, on the same loop. */
struct receiver {
    struct ev_loop *loop;
    struct ev_io listening, connection;
    const char *answer;
    bool endless, broken_off; /* the answer's body goes on as long as it is read */
    size_t endless_bytes;
    char got[8192];
    size_t got_bytes;
    char url[64];
};

struct posted {
    struct receiver receiver;
    struct dk_webhooks *webhooks;
    struct dk_outcome outcome;
    uint64_t notice;
};

/* More of a body, until nobody reads it any more. */
static void on_room(struct ev_loop *loop, struct ev_io *io, int revents)
{
    static const char more[65536];
    struct receiver *receiver = io->data;
    (void)revents;
    ssize_t sent = send(io->fd, more, sizeof more, MSG_NOSIGNAL | MSG_DONTWAIT);
    receiver->endless_bytes += sent > 0 ? (size_t)sent : 0;
    if (sent < 0 && errno != EAGAIN) {
        receiver->broken_off = true;
        ev_io_stop(loop, io);
        (void)close(io->fd);
    }
}

static void on_request(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct receiver *receiver = io->data;
    (void)revents;
    ssize_t n = recv(io->fd, receiver->got + receiver->got_bytes,
                     sizeof receiver->got - 1 - receiver->got_bytes, 0);
    receiver->got_bytes += n > 0 ? (size_t)n : 0;
    receiver->got[receiver->got_bytes] = '\0';
    if (n <= 0 || strstr(receiver->got, "{}") != NULL) {
        (void)send(io->fd, receiver->answer, strlen(receiver->answer), MSG_NOSIGNAL);
        ev_io_stop(loop, io);
        if (receiver->endless) {
            ev_io_init(&receiver->connection, on_room, io->fd, EV_WRITE);
            ev_io_start(loop, &receiver->connection);
            return;
        }
        (void)close(io->fd);
    }
}

static void on_connection(struct ev_loop *loop, struct ev_io *io, int revents)
{
    struct receiver *receiver = io->data;
    (void)revents;
    int fd = accept(io->fd, NULL, NULL);
    ASSERT_TRUE(fd >= 0);
    ev_io_init(&receiver->connection, on_request, fd, EV_READ);
    receiver->connection.data = receiver;
    ev_io_start(loop, &receiver->connection);
}

static void listen_on_loop(struct receiver *receiver, struct ev_loop *loop)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t bytes = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ASSERT_TRUE(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    ASSERT_TRUE(listen(fd, 4) == 0 && getsockname(fd, (struct sockaddr *)&address, &bytes) == 0);
    snprintf(receiver->url, sizeof receiver->url, "http://127.0.0.1:%u/hook",
             ntohs(address.sin_port));
    receiver->loop = loop;
    ev_io_init(&receiver->listening, on_connection, fd, EV_READ);
    receiver->listening.data = receiver;
    ev_io_start(loop, &receiver->listening);
}

static void on_done(void *arg, uint64_t notice, const struct dk_outcome *outcome)
{
    struct posted *posted = arg;
    posted->notice = notice;
    posted->outcome = *outcome;
    ev_break(posted->receiver.loop, EVBREAK_ALL);
}

static int set_up(void **state)
{
    static struct posted posted;
    struct dk_err err;
    struct ev_loop *loop = ev_loop_new(0);
    memset(&posted, 0, sizeof posted);
    (void)setenv("no_proxy", "*", 1);
    listen_on_loop(&posted.receiver, loop);
    ASSERT_OK(dk_webhooks_new(&posted.webhooks, loop, on_done, &posted, &err), &err);
    *state = &posted;
    return 0;
}

static int tear_down(void **state)
{
    struct posted *posted = *state;
    dk_webhooks_free(&posted->webhooks);
    (void)close(posted->receiver.listening.fd);
    ev_loop_destroy(posted->receiver.loop);
    return 0;
}

static void post(struct posted *posted, uint64_t notice, const char *answer)
{
    posted->receiver.answer = answer;
    ASSERT_TRUE(dk_webhooks_post(posted->webhooks, notice, posted->receiver.url,
                                 strlen(posted->receiver.url), (const uint8_t *)"{}", 2,
                                 &posted->outcome));
    ev_run(posted->receiver.loop, 0);
    ASSERT_TRUE(posted->notice == notice);
}

static void test_webhooks_post_json_with_the_notices_id(void **state)
{
    struct posted *posted = *state;
    post(posted, UINT64_C(0xfedcba9876543210),
         "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    ASSERT_EQ(posted->outcome.verdict, DK_DELIVERED);
    ASSERT_STR(posted->outcome.said, "HTTP 202");
    ASSERT_CONTAINS(posted->receiver.got, "POST /hook HTTP/1.1\r\n");
    ASSERT_CONTAINS(posted->receiver.got, "\r\nIdempotency-Key: fedcba9876543210\r\n");
    ASSERT_CONTAINS(posted->receiver.got, "\r\nContent-Type: application/json\r\n");
    ASSERT_CONTAINS(posted->receiver.got, "\r\n\r\n{}");
}

static void test_webhooks_garbage_is_tried_again(void **state)
{
    struct posted *posted = *state;
    post(posted, 7, "\x01\x02 what? \xff\n\n");
    ASSERT_EQ(posted->outcome.verdict, DK_TRY_AGAIN);
    ASSERT_TRUE(posted->outcome.said[0] != '\0');
}

static void test_webhooks_no_answer_is_tried_again(void **state)
{
    struct posted *posted = *state;
    post(posted, 7, "");
    ASSERT_EQ(posted->outcome.verdict, DK_TRY_AGAIN);
}

/* The status is the answer; a body without end costs neither memory nor time. */
static void test_webhooks_an_endless_answer_is_broken_off(void **state)
{
    struct posted *posted = *state;
    posted->receiver.endless = true;
    post(posted, 7, "HTTP/1.1 200 OK\r\n\r\n");
    ASSERT_EQ(posted->outcome.verdict, DK_DELIVERED);
    ASSERT_TRUE(posted->receiver.endless_bytes < (size_t)32 << 20); /* what sockets hold */
    while (!posted->receiver.broken_off) {
        ev_run(posted->receiver.loop, EVRUN_ONCE);
    }
}

static void test_webhooks_redirects_are_not_followed(void **state)
{
    struct posted *posted = *state;
    post(posted, 7, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n");
    ASSERT_STR(posted->outcome.said, "HTTP 302");
    ASSERT_EQ(posted->outcome.verdict, DK_TRY_AGAIN);
}

static void test_webhooks_closed_port_is_tried_again(void **state)
{
    struct posted *posted = *state;
    (void)close(posted->receiver.listening.fd);
    ev_io_stop(posted->receiver.loop, &posted->receiver.listening);
    post(posted, 7, "");
    ASSERT_EQ(posted->outcome.verdict, DK_TRY_AGAIN);
    posted->receiver.listening.fd = dup(2); /* for tear_down */
}

static void test_webhooks_other_schemes_are_given_up(void **state)
{
    static const char *const urls[] = {
        "", "not a url", "file:///etc/passwd", "ftp://127.0.0.1/x", "example.org/hook", "http://"};
    struct posted *posted = *state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        ASSERT_TRUE(!dk_webhooks_post(posted->webhooks, 1, urls[i], strlen(urls[i]),
                                      (const uint8_t *)"{}", 2, &posted->outcome));
        ASSERT_EQ(posted->outcome.verdict, DK_GIVE_UP);
    }
}

static void test_webhooks_end_with_posts_under_way(void **state)
{
    struct posted *posted = *state;
    posted->receiver.answer = "";
    for (uint64_t notice = 1; notice <= 3; notice++) {
        ASSERT_TRUE(dk_webhooks_post(posted->webhooks, notice, posted->receiver.url,
                                     strlen(posted->receiver.url), (const uint8_t *)"{}", 2,
                                     &posted->outcome));
    }
    ev_run(posted->receiver.loop, EVRUN_NOWAIT);
    ASSERT_EQ(posted->notice, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_webhooks_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhooks_the_answer_decides),
        cmocka_unit_test(test_webhooks_retry_after_is_heard),
        cmocka_unit_test(test_outcome_is_cut_between_characters),
        TEST(post_json_with_the_notices_id),
        TEST(garbage_is_tried_again),
        TEST(no_answer_is_tried_again),
        TEST(an_endless_answer_is_broken_off),
        TEST(redirects_are_not_followed),
        TEST(closed_port_is_tried_again),
        TEST(other_schemes_are_given_up),
        TEST(end_with_posts_under_way),
    };
    return cmocka_run_group_tests_name("webhooks", tests, NULL, NULL);
}
