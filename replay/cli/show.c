#include "replay/cli/desk.h"
#include "replay/cli/read.h"
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

static int print(struct dk_cli *cli, uint64_t ticket, const struct dk_life *life,
                 struct dk_err *err)
{
    struct dk_words words = {.refs = cli->desk->refs, .zone = cli->zone};
    struct dk_life_view view;
    dk_life_fold(life, INT64_MAX, INT64_MAX, &view);
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
