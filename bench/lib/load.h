/* Clients of a broker, or of an echo, that keep a number of requests outstanding.
 *
 * One thread drives several DEALER sockets. Those of a broker are dk_clients, and send as every
 * program of docket does. Answers are read where they arrived, so that the clients take as little
 * as they can of the processors they share with what is measured. */
#ifndef DK_BENCH_LOAD_H
#define DK_BENCH_LOAD_H

#include "bench/lib/measure.h"
#include "proto/base/err.h"
#include "proto/peer/config.h"
#include "proto/peer/keys.h"
#include <stdbool.h>

struct dk_load;

struct dk_load_options {
    const struct dk_config *config; /* of the broker's site; NULL: the other end is an echo */
    const char *endpoint;           /* of the echo, which sends requests back as they are */
    const struct dk_key *own;       /* an agent's; NULL: an echo's without CURVE */
    const char *server_public;      /* with `own` */
    const char *name;               /* of its producers, which no other load may have */
    unsigned clients;               /* connections, each a producer of its own */
    unsigned outstanding;           /* requests of each that are not answered */
    unsigned events;                /* in each request */
    bool hold;                      /* requests that are ready together leave together */
};

/* Connects, and says hello where it is a broker. */
int dk_load_new(struct dk_load **load, const struct dk_load_options *options, struct dk_err *err);
void dk_load_free(struct dk_load **load);

#define DK_COMMITS_MAX (1 << 20)
struct dk_load_result {
    double events_s; /* acknowledged a second */
    uint64_t refused;
    struct dk_latency latency; /* of requests, from their sending to their answer */
    /* What the announcements told of commits; `commit` is allocated by who wants them, with room
     * for DK_COMMITS_MAX, or NULL. */
    uint32_t *commit;
    size_t commit_count;
};

/* Runs for `warm_s` that do not count and `seconds` that do, then waits for what is outstanding. */
int dk_load_run(struct dk_load *load, double warm_s, double seconds, struct dk_load_result *result,
                struct dk_err *err);

#endif
