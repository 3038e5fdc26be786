#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/peer/socket.h"
#include "replay/cli/desk.h"
#include "replay/cli/read.h"
#include "replay/cli/watch.h"
#include "replay/history/scan.h"
#include <zmq.h>

#define LAST_SHOWN 10
#define KINDS_MAX  64
#define POLL_MS    1000 /* an announcement may be lost: the log is looked at anyway */

const struct dk_parameter dk_tail_parameters[] = {
    {"--follow", NULL, "go on as events come", NULL, 0, 'f'},
    {"--from", "POSITION", "from here on; 1 is all; the last 10 when left out", NULL, 0, 0},
    {"--kind", "KIND", "only this kind, as the events name it; may be given several times", NULL,
     DK_MANY, 0},
    {"--ticket", "TICKET", "only this ticket's", NULL, 0, 0},
    DK_PARAMETERS_END,
};

struct tail {
    struct dk_cli *cli;
    struct dk_source *source;
    struct dk_arena arena;
    struct dk_buf line;
    uint64_t next; /* the position to read next */
    uint64_t ticket;
    uint32_t kind[KINDS_MAX];
    size_t kind_count;
    struct dk_watch watch;
    struct dk_err *err;
};

static bool wanted(const struct tail *tail, const uint8_t *record)
{
    bool kind = tail->kind_count == 0;
    for (size_t i = 0; !kind && i < tail->kind_count; i++) {
        kind = tail->kind[i] == dk_event_load_kind(record);
    }
    return kind && (tail->ticket == 0 || tail->ticket == dk_event_load_subject(record));
}

static int on_record(void *arg, const uint8_t *record, size_t bytes)
{
    struct tail *tail = arg;
    tail->next = dk_event_load_position(record) + 1;
    if (!wanted(tail, record)) {
        return 0;
    }
    dk_arena_reset(&tail->arena);
    dk_buf_clear(&tail->line);
    int rc = dk_event_json(&tail->line, &tail->arena, record, bytes, tail->err);
    if (rc == 0) {
        (void)fwrite(tail->line.data, 1, tail->line.size, tail->cli->out);
        (void)fputc('\n', tail->cli->out);
    }
    return rc;
}

static int on_progress(void *arg, uint64_t position)
{
    const struct tail *tail = arg;
    (void)position;
    return dk_watch_interrupted(&tail->watch) ? DK_EXIT_INTERRUPTED : 0;
}

static int read_on(struct tail *tail)
{
    struct dk_scan scan = {.from = tail->next,
                           .to = UINT64_MAX,
                           .arg = tail,
                           .on_record = on_record,
                           .on_progress = on_progress};
    return dk_scan_source(&scan, tail->source, tail->err);
}

static int ask_head(struct dk_cli *cli, uint64_t *head, struct dk_err *err)
{
    int rc = dk_desk_open(cli, err);
    return rc != 0 ? rc : dk_client_head(cli->desk->client, cli->desk->timeout_ms, head, NULL, err);
}

static int read_arguments(struct tail *tail, struct dk_err *err)
{
    struct dk_cli *cli = tail->cli;
    const char *word, *ticket = dk_cli_given(cli, "--ticket");
    for (size_t cursor = 0;
         (word = dk_argument_next(&cli->arguments, "--kind", &cursor)) != NULL;) {
        uint32_t kind = dk_kind_of(word);
        if (kind == 0 || tail->kind_count == KINDS_MAX) {
            return dk_cli_usage(err, "there is no kind \"%s\"", word);
        }
        tail->kind[tail->kind_count++] = kind;
    }
    int rc = ticket != NULL ? dk_desk_ticket(cli, ticket, &tail->ticket, err) : 0;
    rc = rc != 0 ? rc : dk_cli_number(cli, "--from", UINT64_MAX, &tail->next, err);
    if (rc == 0 && dk_cli_given(cli, "--from") == NULL) {
        uint64_t head = 0;
        rc = ask_head(cli, &head, err);
        tail->next = head > LAST_SHOWN ? head - LAST_SHOWN + 1 : 1;
    }
    tail->next = tail->next == 0 ? 1 : tail->next;
    return rc;
}

/* Waits for the next announcement, the next second or Ctrl-C; what was announced is then read. */
static int follow(struct tail *tail)
{
    struct dk_cli *cli = tail->cli;
    char server[DK_Z85_BYTES], dropped[512];
    int rc = dk_key_public(server, cli->config.keys, "broker", tail->err);
    void *announced = rc == 0
                          ? dk_socket_connect(cli->desk->zmq, ZMQ_SUB, cli->config.announce.at[0],
                                              &cli->desk->own, server, tail->err)
                          : NULL;
    if (announced == NULL) {
        return rc != 0 ? rc : DK_EIO;
    }
    zmq_pollitem_t item[] = {{announced, 0, ZMQ_POLLIN, 0},
                             {NULL, tail->watch.signals, ZMQ_POLLIN, 0}};
    while (rc == 0) {
        (void)fflush(cli->out);
        (void)zmq_poll(item, 2, POLL_MS);
        while (zmq_recv(announced, dropped, sizeof dropped, ZMQ_DONTWAIT) >= 0) {
        }
        rc = dk_watch_interrupted(&tail->watch) ? DK_EXIT_INTERRUPTED : read_on(tail);
    }
    (void)zmq_close(announced);
    return rc == DK_EXIT_INTERRUPTED ? 0 : rc; /* Ctrl-C is how it ends */
}

int dk_tail_run(struct dk_cli *cli, struct dk_err *err)
{
    struct tail tail = {.cli = cli, .err = err};
    int rc = read_arguments(&tail, err);
    rc = rc != 0 ? rc : dk_desk_source(cli, &tail.source, err);
    if (rc != 0) {
        return rc;
    }
    DK_ASSERT(dk_arena_init(&tail.arena, DK_UNPACK_MAX_BYTES) == 0);
    dk_buf_init(&tail.line, (size_t)8 << 20);
    dk_watch_open(&tail.watch, "tail", 0);
    rc = read_on(&tail);
    rc = rc == 0 && dk_cli_given(cli, "--follow") != NULL ? follow(&tail) : rc;
    dk_watch_close(&tail.watch);
    dk_buf_close(&tail.line);
    dk_arena_close(&tail.arena);
    dk_source_close(&tail.source);
    return rc;
}
