#include "replay/cli/as_of.h"
#include "nodes/routing/routing.h"
#include "nodes/runtime/queries.h"
#include "proto/base/time.h"
#include "replay/cli/watch.h"
#include "replay/history/moment.h"
#include "replay/history/rerun.h"
#include "replay/history/table.h"

int dk_as_of_read(const struct dk_cli *cli, struct dk_past *past, struct dk_as_of *as_of,
                  struct dk_err *err)
{
    *as_of =
        (struct dk_as_of){.at_us = INT64_MAX, .known_at_us = INT64_MAX, .position = UINT64_MAX};
    int rc = dk_cli_moment(cli, "--at", &as_of->at_us, err);
    rc = rc != 0 ? rc : dk_cli_moment(cli, "--known-at", &as_of->known_at_us, err);
    if (rc != 0 || dk_cli_given(cli, "--known-at") == NULL) {
        return rc;
    }
    if (dk_cli_given(cli, "--at") != NULL && as_of->at_us > as_of->known_at_us) {
        return dk_cli_usage(err, "--at is after --known-at: what had not happened yet was known to "
                                 "nobody");
    }
    return dk_past_known(past, as_of->known_at_us, &as_of->position, err);
}

/* ---------------------------------------------------------------- queue */

static void print_queue(const struct dk_cli *cli, const json_t *waiting)
{
    static const char *const heading[] = {">", "ticket", "priority", "waiting since", "due"};
    struct dk_text_table *table = dk_text_table_new(heading, 5);
    const json_t *ticket;
    size_t i;
    json_array_foreach(waiting, i, ticket)
    {
        static const char *const times[] = {"since", "due"};
        unsigned priority = (unsigned)json_integer_value(json_object_get(ticket, "priority"));
        dk_text_table_addf(table, "%zu", i + 1);
        dk_text_table_add(table, json_string_value(json_object_get(ticket, "ticket")));
        dk_text_table_add(table, priority < 5 ? dk_priority_word(priority) : "-");
        for (size_t k = 0; k < 2; k++) {
            const char *iso = json_string_value(json_object_get(ticket, times[k]));
            char text[DK_TIME_TEXT_BYTES];
            int64_t us = 0;
            bool told = iso != NULL && dk_time_parse(iso, &us, NULL, NULL) == 0;
            dk_text_table_add(table, told ? dk_moment_show(cli->zone, us, text) : "-");
        }
    }
    dk_text_table_print(table, dk_text_line_max(), cli->out);
    dk_text_table_free(&table);
}

static void print(const struct dk_cli *cli, const struct dk_as_of *as_of, uint64_t position,
                  json_t *waiting)
{
    char at[DK_TIME_TEXT_BYTES], known[DK_TIME_TEXT_BYTES];
    if (cli->json) {
        dk_cli_print_json(cli, json_pack("{s:s, s:s, s:s, s:I, s:i, s:o}", "group",
                                         dk_cli_given(cli, "GROUP"), "at",
                                         dk_time_format(as_of->at_us, 0, at), "known_at",
                                         dk_time_format(as_of->known_at_us, 0, known), "position",
                                         (json_int_t)position, "fold_version",
                                         (int)dk_routing_role.fold_version, "waiting", waiting));
        return;
    }
    if (json_array_size(waiting) > 0) {
        print_queue(cli, waiting);
    }
    (void)fprintf(cli->out, "%zu waiting at %s, as known at %s, position %llu\n",
                  json_array_size(waiting), dk_moment_show(cli->zone, as_of->at_us, at),
                  dk_moment_show(cli->zone, as_of->known_at_us, known),
                  (unsigned long long)position);
    json_decref(waiting);
}

static int ask(const struct dk_cli *cli, struct dk_folder *folder, json_t **waiting,
               struct dk_err *err)
{
    char group[16 + DK_KEY_MAX_BYTES];
    const char *argument[] = {group};
    struct dk_buf json;
    if (snprintf(group, sizeof group, "group=%s", dk_cli_given(cli, "GROUP")) >=
        (int)sizeof group) {
        return dk_err_set(err, DK_ENOTFOUND, "there is no group \"%s\"",
                          dk_cli_given(cli, "GROUP"));
    }
    dk_buf_init(&json, DK_QUERY_JSON_BYTES);
    int rc = dk_folder_query(folder, "queue", argument, 1, &json, err);
    *waiting = rc == 0 ? json_loadb((const char *)json.data, json.size, 0, NULL) : NULL;
    dk_buf_close(&json);
    return rc == 0 && *waiting == NULL ? dk_err_set(err, DK_EINVAL, "the answer is no JSON") : rc;
}

static int fold_queue(struct dk_cli *cli, struct dk_past *past, struct dk_as_of *as_of,
                      struct dk_err *err)
{
    struct dk_folder *folder = NULL;
    struct dk_watch watch;
    json_t *waiting = NULL;
    int rc = dk_as_of_read(cli, past, as_of, err);
    if (rc == 0 && dk_cli_given(cli, "--known-at") == NULL) { /* as routing itself had it */
        as_of->known_at_us = as_of->at_us;
        rc = dk_past_known(past, as_of->known_at_us, &as_of->position, err);
    }
    if (rc != 0) {
        return rc;
    }
    dk_watch_open(&watch, "fold", as_of->position);
    rc = dk_rerun_as_of(&folder, &dk_routing_role, past->reader, as_of->position, as_of->at_us,
                        dk_watch_progress, &watch, err);
    dk_watch_close(&watch);
    rc = rc != 0 ? rc : ask(cli, folder, &waiting, err);
    if (rc == 0) {
        print(cli, as_of, as_of->position, waiting);
    }
    dk_folder_free(&folder);
    return rc;
}

int dk_replay_queue_run(struct dk_cli *cli, struct dk_err *err)
{
    struct dk_past past;
    struct dk_as_of as_of;
    int rc = dk_past_open(&past, cli->config.log, err);
    if (rc != 0) {
        return rc;
    }
    rc = fold_queue(cli, &past, &as_of, err);
    dk_past_close(&past);
    return rc;
}
