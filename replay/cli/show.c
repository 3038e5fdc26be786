#include "replay/cli/desk.h"
#include "replay/cli/in_force.h"
#include "replay/cli/read.h"
#include "replay/cli/seen.h"
#include "replay/history/card.h"
#include "replay/history/event_value.h"
#include "replay/history/story.h"

static int print_json(struct dk_cli *cli, const struct dk_life *life, json_t *card,
                      struct dk_err *err)
{
    json_t *history = json_array();
    for (size_t i = 0; i < life->count; i++) {
        json_t *event = dk_event_value(life->event[i].record, life->event[i].bytes, err);
        if (event == NULL) {
            json_decref(history);
            json_decref(card);
            return err->code;
        }
        (void)json_array_append_new(history, event);
    }
    (void)json_object_set_new(card, "history", history);
    dk_cli_print_json(cli, card);
    return 0;
}

const struct dk_parameter dk_show_parameters[] = {
    {"TICKET", NULL, "SITE-NUMBER, or its reference elsewhere", NULL, DK_NEEDED, 0},
    {"--as", "AGENT", "only if this agent sees it: of the agent's products or routes, or own", NULL,
     0, 0},
    DK_PARAMETERS_END,
};

/* DK_EACCES when the agent of --as does not see the ticket. */
static int check_seen(struct dk_cli *cli, uint64_t ticket, const struct dk_life_view *view,
                      struct dk_err *err)
{
    struct dk_refs *refs = NULL;
    uint64_t agent = 0;
    char name[DK_ID_TEXT_BYTES];
    int rc = dk_seen_agent(cli, &agent, err);
    if (rc != 0 || agent == 0) {
        return rc;
    }
    rc = dk_in_force(cli, &refs, err);
    rc = rc != 0 ? rc : dk_seen_check(cli, refs, agent, err);
    if (rc == 0 && !dk_seen(refs, agent, &view->ticket)) {
        rc = dk_err_set(err, DK_EACCES,
                        "%s does not see %s: it is not of the agent's products or routes, nor own",
                        dk_cli_given(cli, "--as"), dk_id_format(ticket, name));
    }
    dk_refs_free(&refs);
    return rc;
}

static int print(struct dk_cli *cli, uint64_t ticket, const struct dk_life *life,
                 struct dk_err *err)
{
    struct dk_words words = {.refs = cli->desk->refs, .zone = cli->zone};
    struct dk_life_view view;
    dk_life_fold(life, INT64_MAX, INT64_MAX, &view);
    int rc = check_seen(cli, ticket, &view, err);
    if (rc != 0) {
        return rc;
    }
    if (cli->json) {
        return print_json(cli, life, dk_card_json(ticket, &view, &words), err);
    }
    dk_card_print(ticket, &view, &words, cli->out);
    (void)fprintf(cli->out, "\n   event  when, in %s\n", dk_zone_name(cli->zone));
    return dk_story_print(life, &words, DK_STORY_BRIEF, cli->out, err);
}

int dk_show_run(struct dk_cli *cli, struct dk_err *err)
{
    uint64_t ticket = 0;
    struct dk_life life;
    int rc = dk_desk_ticket(cli, dk_cli_given(cli, "TICKET"), &ticket, err);
    if (rc != 0 || (rc = dk_life_init(&life, err)) != 0) {
        return rc;
    }
    rc = dk_desk_life(cli, ticket, &life, err);
    rc = rc != 0 ? rc : dk_desk_learn_life(cli, &life, err);
    rc = rc != 0 ? rc : print(cli, ticket, &life, err);
    dk_life_close(&life);
    return rc;
}
