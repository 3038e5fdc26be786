#include "replay/cli/query.h"
#include "nodes/runtime/queries.h"
#include "proto/peer/question.h"
#include "proto/peer/socket.h"
#include "replay/cli/as_of.h"
#include "replay/cli/desk.h"
#include "replay/cli/watch.h"
#include "replay/history/past.h"
#include "replay/history/rerun.h"

_Static_assert(DK_QUERY_JSON_BYTES < DK_SOCKET_MAX_BYTES - 1024, "the longest answer is received");

/* What a role does not understand of a question was on the command line: it names the argument. */
static int outcome(int rc, const struct dk_err *err)
{
    return rc == DK_EINVAL && err->field[0] != '\0' ? DK_EXIT_USAGE : rc;
}

int dk_query(struct dk_cli *cli, const char *role, const char *name, const char *const *argument,
             size_t argument_count, struct dk_buf *json, uint64_t *position, struct dk_err *err)
{
    const struct dk_question question = {
        .role = role, .name = name, .argument = argument, .argument_count = argument_count};
    int rc = dk_desk_open(cli, err);
    rc = rc != 0 ? rc
                 : dk_question_ask(&question, cli->desk->zmq, &cli->config, &cli->desk->own,
                                   cli->desk->timeout_ms, json, position, err);
    return outcome(rc, err);
}

int dk_query_log(struct dk_cli *cli, const struct dk_role_ops *role, const char *name,
                 const char *const *argument, size_t argument_count, struct dk_buf *json,
                 struct dk_err *err)
{
    struct dk_past past;
    struct dk_folder *folder = NULL;
    struct dk_watch watch;
    struct dk_as_of as_of;
    uint64_t last = 0;
    int rc = dk_past_open(&past, cli->config.log, err);
    if (rc != 0) {
        return rc;
    }
    rc = dk_as_of_read(cli, &past, &as_of, err);
    rc = rc != 0 ? rc : dk_cli_number(cli, "--position", UINT64_MAX, &as_of.position, err);
    rc = rc != 0 ? rc : dk_log_last(past.log, &last, err);
    dk_watch_open(&watch, "fold", last < as_of.position ? last : as_of.position);
    rc = rc != 0
             ? rc
             : dk_rerun(&folder, role, past.reader, as_of.position, dk_watch_progress, &watch, err);
    dk_watch_close(&watch);
    rc = rc != 0 ? rc : dk_folder_query(folder, name, argument, argument_count, json, err);
    dk_folder_free(&folder);
    dk_past_close(&past);
    return outcome(rc, err);
}
