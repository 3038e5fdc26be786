/* What all parts of a simulated world share: virtual time, one source of chance, the trace.
 *
 * Nothing happens but in events, one after the other, in the order of their instants; events of one
 * instant run in the order in which they were put down. All chance comes from one seed. So a seed
 * is one schedule, and its trace has one hash. The first rule found violated ends the world. */
#ifndef DK_SIM_SCENE_H
#define DK_SIM_SCENE_H

#include "tests/lib/random.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_SECOND_US   INT64_C(1000000)
#define SIM_TRACE_LINES 60
#define SIM_LINE_BYTES  320

struct sim_event {
    int64_t at_us;
    uint64_t sequence;
    void (*run)(void *arg, uint64_t tag);
    void *arg;
    uint64_t tag;
};

struct sim_scene {
    uint64_t seed;
    struct test_random random;
    int64_t now_us; /* virtual, from 0 */

    struct sim_event *heap;
    size_t count, capacity;
    uint64_t sequence;

    uint64_t hash; /* of all lines so far */
    uint64_t lines;
    char line[SIM_TRACE_LINES][SIM_LINE_BYTES];
    bool verbose; /* print lines as they come */

    bool violated;
    char violation[1024];
};

void sim_scene_init(struct sim_scene *scene, uint64_t seed, bool verbose);
void sim_scene_close(struct sim_scene *scene);

/* Puts an event down: `run(arg, tag)` in `in_us`. */
void sim_in(struct sim_scene *scene, int64_t in_us, void (*run)(void *arg, uint64_t tag), void *arg,
            uint64_t tag);

/* Runs the next event; false when none is left or a rule is violated. */
bool sim_next(struct sim_scene *scene);

/* One line of the trace, which the hash takes in. */
void sim_trace(struct sim_scene *scene, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A rule is violated: `rule` is its name, the rest says what was seen. Only the first one counts.
 */
void sim_violate(struct sim_scene *scene, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes the last lines of the trace to stderr. */
void sim_trace_print(const struct sim_scene *scene);

/* Shorthands for chance. */
int64_t sim_between(struct sim_scene *scene, int64_t least, int64_t most);
bool sim_chance(struct sim_scene *scene, unsigned permille);
/* About `mean_us`, from a tenth of it to four times as much, short ones more often. */
int64_t sim_about(struct sim_scene *scene, int64_t mean_us);

#endif
