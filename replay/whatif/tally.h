/* What is counted of judged clocks; of replay/whatif only. */
#ifndef DK_REPLAY_WHATIF_TALLY_H
#define DK_REPLAY_WHATIF_TALLY_H

#include "replay/whatif/judge.h"
#include "replay/whatif/sums.h"
#include "replay/whatif/whatif.h"

#define DK_TALLY_LINES_MAX ((size_t)100000)

enum dk_side { DK_BEFORE, DK_AFTER, DK_SIDES };

/* Key: metric, then the values of the query's dimensions. */
struct dk_tally_line {
    struct dk_sum row;
    uint64_t outcome[DK_SIDES][DK_OUTCOME_COUNT];
    uint64_t newly_met, newly_breached, differ;
};

/* Key: month (year x 12 + month - 1), contract. */
struct dk_tally_credit {
    struct dk_sum row;
    uint64_t minor[DK_SIDES];
    const struct dk_refs_version *terms; /* the latest of those that priced */
};

struct dk_tally {
    const struct dk_whatif *whatif;
    struct dk_sums lines, credits;
    uint64_t judged, differ, newly_met, newly_breached; /* tickets */
    json_t *newly;                                      /* by ticket, at most `limit` */
    uint64_t left_out;
};

void dk_tally_init(struct dk_tally *tally, const struct dk_whatif *whatif);
void dk_tally_close(struct dk_tally *tally);

/* Counts one ticket. 0; DK_ETOOBIG. */
int dk_tally_add(struct dk_tally *tally, uint64_t ticket, const struct dk_judgement *judgement,
                 struct dk_err *err);

/* The whole report; owned by the caller. */
json_t *dk_tally_report(struct dk_tally *tally);

#endif
