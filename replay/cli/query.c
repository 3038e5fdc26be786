#include "replay/cli/query.h"
#include "nodes/runtime/queries.h"
#include "proto/peer/question.h"
#include "proto/peer/socket.h"
#include "replay/cli/desk.h"

_Static_assert(DK_QUERY_JSON_BYTES < DK_SOCKET_MAX_BYTES - 1024, "the longest answer is received");

int dk_query(struct dk_cli *cli, const char *role, const char *name, const char *const *argument,
             size_t argument_count, struct dk_buf *json, uint64_t *position, struct dk_err *err)
{
    const struct dk_question question = {
        .role = role, .name = name, .argument = argument, .argument_count = argument_count};
    int rc = dk_desk_open(cli, err);
    return rc != 0 ? rc
                   : dk_question_ask(&question, cli->desk->zmq, &cli->config, &cli->desk->own,
                                     cli->desk->timeout_ms, json, position, err);
}
