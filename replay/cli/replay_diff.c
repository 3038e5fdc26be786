#include "nodes/roles.h"
#include "replay/cli/query.h"
#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/history/past.h"
#include "replay/history/rerun.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES  ((size_t)64 << 20)
#define ARGUMENTS_MAX 64

/* What a node, or a replay, says of its state. */
struct state {
    uint64_t position;
    uint64_t hash;
    uint64_t tickets;
    unsigned fold_version;
};

static int read_state(const struct dk_buf *json, struct state *state, struct dk_err *err)
{
    const char *hash = NULL;
    json_int_t position = 0, tickets = 0;
    int fold_version = 0;
    json_t *answer = json_loadb((const char *)json->data, json->size, 0, NULL);
    int bad = answer == NULL ||
              json_unpack(answer, "{s:I, s:i, s:s, s:I}", "position", &position, "fold_version",
                          &fold_version, "hash", &hash, "tickets", &tickets) != 0;
    if (!bad) {
        *state = (struct state){.position = (uint64_t)position,
                                .hash = strtoull(hash, NULL, 16),
                                .tickets = (uint64_t)tickets,
                                .fold_version = (unsigned)fold_version};
    }
    json_decref(answer);
    return bad ? dk_err_set(err, DK_EINVAL, "the node's answer to \"state\" is malformed") : 0;
}

/* A question to a node, and to a replay of its role. */
struct question {
    const struct dk_role_ops *role;
    const char *name;
    const char *argument[ARGUMENTS_MAX];
    size_t argument_count;
};

static int replay_to(struct dk_cli *cli, const struct question *question, uint64_t position,
                     struct dk_buf *json, struct dk_err *err)
{
    struct dk_past past;
    struct dk_folder *folder = NULL;
    struct dk_watch watch;
    int rc = dk_past_open(&past, cli->config.log, err);
    if (rc != 0) {
        return rc;
    }
    dk_watch_open(&watch, "replay", position);
    rc = dk_rerun(&folder, question->role, past.reader, position, dk_watch_progress, &watch, err);
    dk_watch_close(&watch);
    rc = rc != 0 ? rc
                 : dk_folder_query(folder, question->name, question->argument,
                                   question->argument_count, json, err);
    dk_folder_free(&folder);
    dk_past_close(&past);
    return rc;
}

/* What differs, or NULL. */
static const char *difference(const struct state *live, const struct state *replayed)
{
    if (live->fold_version != replayed->fold_version) {
        return "fold version: the node runs another program than this one";
    }
    if (live->tickets != replayed->tickets) {
        return "number of tickets";
    }
    return live->hash != replayed->hash ? "state hash" : NULL;
}

static void print(const struct dk_cli *cli, const char *role, const struct state *live,
                  const struct state *replayed, const char *differs)
{
    char hash[2][20];
    (void)snprintf(hash[0], sizeof hash[0], "%016" PRIx64, live->hash);
    (void)snprintf(hash[1], sizeof hash[1], "%016" PRIx64, replayed->hash);
    if (cli->json) {
        json_t *line = json_pack("{s:s, s:I, s:s, s:s, s:b, s:s?}", "role", role, "position",
                                 (json_int_t)live->position, "live", hash[0], "replayed", hash[1],
                                 "equal", differs == NULL, "differs", differs);
        dk_cli_print_json(cli, line);
    } else {
        (void)fprintf(cli->out, "%s at %" PRIu64 ": live %s, replayed %s: %s%s\n", role,
                      live->position, hash[0], hash[1], differs != NULL ? "differ in " : "equal",
                      differs != NULL ? differs : "");
    }
}

static int diff_state(struct dk_cli *cli, const struct question *question, struct dk_buf *live_json,
                      struct dk_buf *replayed_json, struct dk_err *err)
{
    struct state live = {0}, replayed = {0};
    int rc = dk_query(cli, question->role->name, question->name, NULL, 0, live_json, NULL, err);
    rc = rc != 0 ? rc : read_state(live_json, &live, err);
    rc = rc != 0 ? rc : replay_to(cli, question, live.position, replayed_json, err);
    rc = rc != 0 ? rc : read_state(replayed_json, &replayed, err);
    if (rc != 0) {
        return rc;
    }
    const char *differs = difference(&live, &replayed);
    print(cli, question->role->name, &live, &replayed, differs);
    return differs != NULL ? DK_EXIT_FAILED : 0;
}

static int diff_answer(struct dk_cli *cli, const struct question *question, struct dk_buf *live,
                       struct dk_buf *replayed, struct dk_err *err)
{
    uint64_t position = 0;
    int rc = dk_query(cli, question->role->name, question->name, question->argument,
                      question->argument_count, live, &position, err);
    rc = rc != 0 ? rc : replay_to(cli, question, position, replayed, err);
    if (rc != 0) {
        return rc;
    }
    bool equal =
        live->size == replayed->size && memcmp(live->data, replayed->data, live->size) == 0;
    if (cli->json) {
        json_t *answer = json_loadb((const char *)replayed->data, replayed->size, 0, NULL);
        dk_cli_print_json(cli, json_pack("{s:s, s:I, s:b, s:o}", "role", question->role->name,
                                         "position", (json_int_t)position, "equal", equal,
                                         "replayed", answer != NULL ? answer : json_null()));
    } else if (equal) {
        (void)fprintf(cli->out, "%s at %" PRIu64 ": equal\n%.*s\n", question->role->name, position,
                      (int)live->size, (const char *)live->data);
    } else {
        (void)fprintf(cli->out, "%s at %" PRIu64 ": differ\nlive:     %.*s\nreplayed: %.*s\n",
                      question->role->name, position, (int)live->size, (const char *)live->data,
                      (int)replayed->size, (const char *)replayed->data);
    }
    return equal ? 0 : DK_EXIT_FAILED;
}

int dk_replay_diff_run(struct dk_cli *cli, struct dk_err *err)
{
    const char *name = dk_cli_given(cli, "ROLE"), *query = dk_cli_given(cli, "QUERY"), *argument;
    struct question question = {.role = dk_role_named(name),
                                .name = query != NULL ? query : "state"};
    struct dk_buf live, replayed;
    if (question.role == NULL) {
        return dk_cli_usage(err, "there is no role \"%s\"", name);
    }
    for (size_t cursor = 0;
         (argument = dk_argument_next(&cli->arguments, "ARGUMENT", &cursor)) != NULL;) {
        if (question.argument_count == ARGUMENTS_MAX) {
            return dk_cli_usage(err, "a query has at most %d arguments", ARGUMENTS_MAX);
        }
        question.argument[question.argument_count++] = argument;
    }
    dk_buf_init(&live, ANSWER_BYTES);
    dk_buf_init(&replayed, ANSWER_BYTES);
    int rc = query != NULL ? diff_answer(cli, &question, &live, &replayed, err)
                           : diff_state(cli, &question, &live, &replayed, err);
    dk_buf_close(&live);
    dk_buf_close(&replayed);
    return rc;
}
