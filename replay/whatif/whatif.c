#include "replay/whatif/whatif.h"
#include "replay/whatif/tally.h"
#include <stdlib.h>

#define TICKETS_A_LOOK 1024 /* between two looks at Ctrl-C */

struct judging {
    const struct dk_whatif *whatif;
    struct dk_judgement judgement;
    struct dk_tally tally;
    struct dk_transition *list; /* one ticket's */
    size_t room;
};

/* What is asked of tickets must be known of them. */
static int check_dims(const struct dk_kpi_query *query, struct dk_err *err)
{
    static const enum dk_dim unknown[] = {DK_DIM_LINE, DK_DIM_AGENT, DK_DIM_TICKET};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        bool asked = query->filter[unknown[i]].count > 0 && unknown[i] != DK_DIM_TICKET;
        for (size_t k = 0; k < query->by_count; k++) {
            asked = asked || query->by[k] == unknown[i];
        }
        if (asked) {
            return dk_err_field(err, DK_EINVAL, "by", "what-if reports know no \"%s\"",
                                dk_dim_word(unknown[i]));
        }
    }
    return 0;
}

static int judge_one(struct judging *judging, const struct dk_gathered *entry, size_t count,
                     struct dk_err *err)
{
    const struct dk_promises *promises = judging->whatif->promises;
    if (count > judging->room) {
        judging->room = 2 * count;
        judging->list = realloc(judging->list, judging->room * sizeof *judging->list);
        DK_ASSERT(judging->list != NULL);
    }
    for (size_t i = 0; i < count; i++) {
        judging->list[i] = entry[i].transition;
    }
    dk_judgement_make(&judging->judgement, judging->list, count, promises->before, promises->after,
                      promises->recorded_us);
    return dk_tally_add(&judging->tally, entry[0].ticket, &judging->judgement, err);
}

static int judge_pass(struct judging *judging, const struct dk_gather *gather, struct dk_err *err)
{
    size_t tickets = 0;
    int rc = 0;
    for (size_t i = 0, n; rc == 0 && i < gather->count; i += n) {
        for (n = 1; i + n < gather->count && gather->entry[i + n].ticket == gather->entry[i].ticket;
             n++) {
        }
        rc = judge_one(judging, &gather->entry[i], n, err);
        if (rc == 0 && ++tickets % TICKETS_A_LOOK == 0 && gather->on_progress != NULL) {
            rc = gather->on_progress(gather->arg, gather->to);
        }
    }
    return rc;
}

int dk_whatif_run(const struct dk_whatif *whatif, json_t **report, struct dk_err *err)
{
    struct judging judging = {.whatif = whatif};
    struct dk_gather gather;
    int rc = check_dims(whatif->query, err);
    if (rc != 0) {
        return rc;
    }
    dk_judgement_init(&judging.judgement);
    dk_tally_init(&judging.tally, whatif);
    rc = dk_gather_init(&gather, whatif->reader, whatif->promises->position,
                        whatif->room != 0 ? whatif->room : DK_GATHER_ROOM, err);
    gather.on_progress = whatif->on_progress;
    gather.arg = whatif->arg;
    while (rc == 0 && (rc = dk_gather_next(&gather, err)) == 0 && gather.count > 0) {
        rc = judge_pass(&judging, &gather, err);
    }
    if (rc == 0) {
        *report = dk_tally_report(&judging.tally);
    }
    dk_gather_close(&gather);
    dk_tally_close(&judging.tally);
    dk_judgement_close(&judging.judgement);
    free(judging.list);
    return rc;
}
