#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/history/card.h"
#include "replay/history/moment.h"
#include "replay/history/past.h"
#include "replay/history/story.h"

/* What both verbs read: the ticket's events and the reference data, out of the whole log. */
struct found {
    uint64_t ticket;
    struct dk_life life;
    struct dk_refs *refs;
};

static int find_in(struct dk_cli *cli, struct dk_past *past, struct found *found,
                   struct dk_err *err)
{
    struct dk_watch watch;
    uint64_t last = 0;
    int rc = dk_past_ticket(past, dk_cli_given(cli, "TICKET"), &found->ticket, err);
    rc = rc != 0 ? rc : dk_log_last(past->log, &last, err);
    if (rc != 0) {
        return rc;
    }
    dk_watch_open(&watch, "read", last);
    rc = dk_past_life(past, found->ticket, &found->life, found->refs, dk_watch_progress, &watch,
                      err);
    dk_watch_close(&watch);
    return rc;
}

static int with_found(struct dk_cli *cli,
                      int (*print)(struct dk_cli *cli, const struct found *found,
                                   struct dk_err *err),
                      struct dk_err *err)
{
    struct dk_past past;
    struct found found = {0};
    int rc = dk_past_open(&past, cli->config.log, err);
    if (rc != 0) {
        return rc;
    }
    rc = dk_refs_new(&found.refs, err);
    rc = rc != 0 ? rc : dk_life_init(&found.life, err);
    rc = rc != 0 ? rc : find_in(cli, &past, &found, err);
    rc = rc != 0 ? rc : print(cli, &found, err);
    dk_life_close(&found.life);
    dk_refs_free(&found.refs);
    dk_past_close(&past);
    return rc;
}

static int print_story(struct dk_cli *cli, const struct found *found, struct dk_err *err)
{
    struct dk_words words = {.refs = found->refs, .zone = cli->zone};
    char name[DK_ID_TEXT_BYTES];
    if (!cli->json) {
        (void)fprintf(cli->out, "%s: %zu events, times in %s\n\n",
                      dk_id_format(found->ticket, name), found->life.count,
                      dk_zone_name(cli->zone));
    }
    return dk_story_print(&found->life, &words, cli->json ? DK_STORY_JSON : DK_STORY_WHOLE,
                          cli->out, err);
}

static int print_card(struct dk_cli *cli, const struct found *found, struct dk_err *err)
{
    struct dk_words words = {.refs = found->refs, .zone = cli->zone};
    struct dk_life_view view;
    int64_t at_us = INT64_MAX, known_at_us = INT64_MAX;
    char name[DK_ID_TEXT_BYTES];
    int rc = dk_cli_moment(cli, "--at", &at_us, err);
    rc = rc != 0 ? rc : dk_cli_moment(cli, "--known-at", &known_at_us, err);
    if (rc != 0) {
        return rc;
    }
    dk_life_fold(&found->life, at_us, known_at_us, &view);
    if (view.ticket.last_position == 0) {
        return dk_err_set(err, DK_ENOTFOUND, "there was no ticket %s then",
                          dk_id_format(found->ticket, name));
    }
    if (cli->json) {
        json_t *card = dk_card_json(found->ticket, &view, &words);
        (void)json_dumpf(card, cli->out, JSON_COMPACT);
        (void)fputc('\n', cli->out);
        json_decref(card);
    } else {
        dk_card_print(found->ticket, &view, &words, cli->out);
    }
    return 0;
}

int dk_replay_audit_run(struct dk_cli *cli, struct dk_err *err)
{
    return with_found(cli, print_story, err);
}

int dk_replay_show_run(struct dk_cli *cli, struct dk_err *err)
{
    return with_found(cli, print_card, err);
}
