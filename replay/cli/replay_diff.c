#include "nodes/roles.h"
#include "replay/cli/query.h"
#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/history/past.h"
#include "replay/history/rerun.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define STATE_BYTES 4096

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

static int replay_to(struct dk_cli *cli, const struct dk_role_ops *role, uint64_t position,
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
    rc = dk_rerun(&folder, role, past.reader, position, dk_watch_progress, &watch, err);
    dk_watch_close(&watch);
    rc = rc != 0 ? rc : dk_folder_query(folder, "state", NULL, 0, json, err);
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

int dk_replay_diff_run(struct dk_cli *cli, struct dk_err *err)
{
    const char *name = dk_cli_given(cli, "ROLE");
    const struct dk_role_ops *role = dk_role_named(name);
    struct dk_buf json;
    struct state live = {0}, replayed = {0};
    if (role == NULL) {
        return dk_cli_usage(err, "there is no role \"%s\"", name);
    }
    dk_buf_init(&json, STATE_BYTES);
    int rc = dk_query(cli, name, "state", NULL, 0, &json, NULL, err);
    rc = rc != 0 ? rc : read_state(&json, &live, err);
    dk_buf_clear(&json);
    rc = rc != 0 ? rc : replay_to(cli, role, live.position, &json, err);
    rc = rc != 0 ? rc : read_state(&json, &replayed, err);
    dk_buf_close(&json);
    if (rc == 0) {
        const char *differs = difference(&live, &replayed);
        print(cli, name, &live, &replayed, differs);
        rc = differs != NULL ? DK_EXIT_FAILED : 0;
    }
    return rc;
}
