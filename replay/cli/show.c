#include "replay/cli/desk.h"
#include "replay/cli/read.h"
#include "replay/history/card.h"
#include "replay/history/story.h"

static int print_json(struct dk_cli *cli, const struct dk_life *life, json_t *card,
                      struct dk_err *err)
{
    struct dk_buf line;
    struct dk_arena arena;
    json_t *history = json_array();
    int rc = dk_arena_init(&arena, DK_UNPACK_MAX_BYTES);
    dk_buf_init(&line, (size_t)8 << 20);
    for (size_t i = 0; rc == 0 && i < life->count; i++) {
        dk_buf_clear(&line);
        dk_arena_reset(&arena);
        rc = dk_event_json(&line, &arena, life->event[i].record, life->event[i].bytes, err);
        if (rc == 0) {
            (void)json_array_append_new(history,
                                        json_loadb((const char *)line.data, line.size, 0, NULL));
        }
    }
    (void)json_object_set_new(card, "history", history);
    if (rc == 0) {
        (void)json_dumpf(card, cli->out, JSON_COMPACT);
        (void)fputc('\n', cli->out);
    }
    dk_buf_close(&line);
    dk_arena_close(&arena);
    return rc;
}

static int print(struct dk_cli *cli, uint64_t ticket, const struct dk_life *life,
                 struct dk_err *err)
{
    struct dk_words words = {.refs = cli->desk->refs, .zone = cli->zone};
    struct dk_life_view view;
    dk_life_fold(life, INT64_MAX, INT64_MAX, &view);
    if (cli->json) {
        json_t *card = dk_card_json(ticket, &view, &words);
        int rc = print_json(cli, life, card, err);
        json_decref(card);
        return rc;
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
