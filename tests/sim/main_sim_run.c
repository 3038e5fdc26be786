/* sim_run: lives worlds through, one a seed, and tells which rule was violated.
 *
 *   sim_run                        new seeds for 60 s (DOCKET_SOAK_S: so many), at least 300
 *   sim_run --seed 7               this seed, twice: the trace's hash must be the same
 *   sim_run --seed 1 --seeds 200   these seeds, each once
 *   sim_run ... --expect-violation succeeds when a rule is violated: for planted bugs
 *   sim_run ... --verbose          prints every line of the trace
 */
#include "proto/base/say.h"
#include "proto/base/time.h"
#include "tests/sim/world.h"
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_S   60
#define LEAST_SEEDS 300

struct options {
    uint64_t seed, seeds;
    int64_t seconds;
    bool seed_given, verbose, expect_violation;
};

struct totals {
    uint64_t seeds, events, actions, decisions, crashes, kills, offers, declined, steps;
};

/* For the one line that must be said when an assertion ends the program. */
static volatile uint64_t seed_under_way;

static void on_abort(int signal)
{
    char line[64];
    int n = snprintf(line, sizeof line, "seed %" PRIu64 ": aborted\n", seed_under_way);
    (void)signal;
    if (write(STDERR_FILENO, line, (size_t)n) < 0) {
        _exit(3);
    }
    _exit(2);
}

static int64_t default_seconds(void)
{
    const char *text = getenv("DOCKET_SOAK_S");
    return text != NULL ? atoll(text) : DEFAULT_S;
}

static void read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},       {"seeds", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 't'},    {"verbose", no_argument, NULL, 'v'},
        {"expect-violation", no_argument, NULL, 'e'}, {NULL, 0, NULL, 0},
    };
    int c;
    *options = (struct options){.seconds = default_seconds()};
    while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (c) {
        case 's':
            options->seed = strtoull(optarg, NULL, 0);
            options->seed_given = true;
            break;
        case 'n': options->seeds = strtoull(optarg, NULL, 0); break;
        case 't': options->seconds = atoll(optarg); break;
        case 'v': options->verbose = true; break;
        case 'e': options->expect_violation = true; break;
        default: exit(2);
        }
    }
    if (!options->seed_given) {
        options->seed = (uint64_t)dk_clock_wall_us();
    } else if (options->seeds == 0) {
        options->seeds = 1;
    }
}

static bool run(uint64_t seed, const struct options *options, struct totals *totals,
                struct sim_result *result)
{
    seed_under_way = seed;
    sim_world_run(seed, options->verbose, !options->expect_violation, result);
    totals->seeds++;
    totals->events += result->position;
    totals->actions += result->actions;
    totals->decisions += result->decisions;
    totals->crashes += result->crashes;
    totals->kills += result->kills;
    totals->offers += result->offers;
    totals->declined += result->declined;
    totals->steps += result->steps;
    if (result->violated) {
        fprintf(stderr, "seed %" PRIu64 ": violated: %s\n", seed, result->violation);
    }
    return !result->violated;
}

/* The same seed again: nothing but the seed may decide what happens. */
static bool repeats(uint64_t seed, const struct sim_result *first)
{
    struct sim_result second;
    sim_world_run(seed, false, false, &second);
    if (second.trace_hash != first->trace_hash) {
        fprintf(stderr, "seed %" PRIu64 ": trace %016" PRIx64 ", and then %016" PRIx64 "\n", seed,
                first->trace_hash, second.trace_hash);
    }
    return second.trace_hash == first->trace_hash;
}

static bool go_on(const struct options *options, uint64_t done, int64_t began_us)
{
    if (options->seeds != 0) {
        return done < options->seeds;
    }
    return done < LEAST_SEEDS || dk_clock_boot_us() - began_us < options->seconds * DK_SECOND_US;
}

int main(int argc, char **argv)
{
    struct options options;
    struct totals totals = {0};
    struct sim_result result;
    int64_t began_us = dk_clock_boot_us();
    bool good = true;
    read_options(argc, argv, &options);
    dk_say_init("sim", DK_ERROR);
    signal(SIGABRT, on_abort);
    while (good && go_on(&options, totals.seeds, began_us)) {
        uint64_t seed = options.seed + totals.seeds;
        good = run(seed, &options, &totals, &result);
        /* Every tenth world is lived twice. */
        if (totals.seeds % 10 == 1) {
            good = repeats(seed, &result) && good;
        }
    }
    printf("%" PRIu64 " seeds from %" PRIu64 " in %.1f s: %" PRIu64 " events, %" PRIu64
           " actions, %" PRIu64 " decisions, %" PRIu64 " crashes of the broker, %" PRIu64
           " kills of nodes, %" PRIu64 " offers, %" PRIu64 " declined, %" PRIu64 " steps of R5\n",
           totals.seeds, options.seed, (double)(dk_clock_boot_us() - began_us) / 1e6, totals.events,
           totals.actions, totals.decisions, totals.crashes, totals.kills, totals.offers,
           totals.declined, totals.steps);
    if (options.seeds == 1) {
        printf("trace %016" PRIx64 "\n", result.trace_hash);
    }
    return good != options.expect_violation ? EXIT_SUCCESS : EXIT_FAILURE;
}
