#include "replay/cli/as_of.h"
#include "replay/cli/replay.h"
#include "replay/cli/sla.h"
#include "replay/cli/watch.h"
#include "replay/history/card.h"
#include "replay/history/moment.h"
#include "replay/history/past.h"
#include "replay/history/story.h"

int dk_replay_with_ticket(struct dk_cli *cli,
                          int (*tell)(struct dk_cli *cli, const struct dk_past_ticket *read,
                                      struct dk_err *err),
                          struct dk_err *err)
{
    struct dk_past past;
    struct dk_past_ticket read;
    struct dk_watch watch;
    uint64_t last = 0;
    int rc = dk_past_open(&past, cli->config.log, err);
    if (rc != 0) {
        return rc;
    }
    (void)dk_log_last(past.log, &last, NULL);
    dk_watch_open(&watch, "read", last);
    rc = dk_past_read(&past, dk_cli_given(cli, "TICKET"), &read, dk_watch_progress, &watch, err);
    dk_watch_close(&watch);
    rc = rc != 0 ? rc : tell(cli, &read, err);
    dk_past_ticket_close(&read);
    dk_past_close(&past);
    return rc;
}

static int print_story(struct dk_cli *cli, const struct dk_past_ticket *read, struct dk_err *err)
{
    struct dk_words words = {.refs = read->refs, .zone = cli->zone, .sources = &read->sources};
    char name[DK_ID_TEXT_BYTES];
    if (!cli->json) {
        (void)fprintf(cli->out, "%s: %zu events, times in %s\n\n", dk_id_format(read->ticket, name),
                      read->life.count, dk_zone_name(cli->zone));
    }
    return dk_story_print(&read->life, &words, cli->json ? DK_STORY_JSON : DK_STORY_WHOLE, cli->out,
                          err);
}

static int print_card(struct dk_cli *cli, const struct dk_past_ticket *read, struct dk_err *err)
{
    struct dk_words words = {.refs = read->refs, .zone = cli->zone, .sources = &read->sources};
    struct dk_life_view view;
    struct dk_as_of as_of;
    char name[DK_ID_TEXT_BYTES];
    int rc = dk_as_of_read(cli, read->past, &as_of, err);
    if (rc != 0) {
        return rc;
    }
    dk_life_fold(&read->life, as_of.at_us, as_of.known_at_us, &view);
    if (view.ticket.last_position == 0) {
        return dk_err_set(err, DK_ENOTFOUND, "there was no ticket %s then",
                          dk_id_format(read->ticket, name));
    }
    if (cli->json) {
        json_t *card = dk_card_json(read->ticket, &view, &words);
        dk_cli_print_json(cli, card);
    } else {
        dk_card_print(read->ticket, &view, &words, cli->out);
    }
    return 0;
}

int dk_replay_audit_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_replay_with_ticket(cli, print_story, err);
}

int dk_replay_show_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_replay_with_ticket(cli, print_card, err);
}

int dk_replay_sla_explain_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_replay_with_ticket(cli, dk_sla_explain_past, err);
}
