#include "tests/sim/scene.h"

#include "proto/base/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

void sim_scene_init(struct sim_scene *scene, uint64_t seed, bool verbose)
{
    memset(scene, 0, sizeof *scene);
    scene->seed = seed;
    scene->random.state = seed;
    scene->hash = FNV_START;
    scene->verbose = verbose;
}

void sim_scene_close(struct sim_scene *scene)
{
    free(scene->heap);
    scene->heap = NULL;
}

/* ---------------------------------------------------------------- time */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->sequence < b->sequence;
}

void sim_in(struct sim_scene *scene, int64_t in_us, void (*run)(void *arg, uint64_t tag), void *arg,
            uint64_t tag)
{
    struct sim_event event = {
        .at_us = scene->now_us + (in_us > 0 ? in_us : 0),
        .sequence = ++scene->sequence,
        .run = run,
        .arg = arg,
        .tag = tag,
    };
    if (scene->count == scene->capacity) {
        scene->capacity = scene->capacity == 0 ? 256 : scene->capacity * 2;
        scene->heap = realloc(scene->heap, scene->capacity * sizeof *scene->heap);
        DK_ASSERT(scene->heap != NULL);
    }
    size_t i = scene->count++;
    while (i > 0 && before(&event, &scene->heap[(i - 1) / 2])) {
        scene->heap[i] = scene->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    scene->heap[i] = event;
}

static struct sim_event pop(struct sim_scene *scene)
{
    struct sim_event first = scene->heap[0];
    struct sim_event last = scene->heap[--scene->count];
    size_t i = 0, child;
    while ((child = 2 * i + 1) < scene->count) {
        if (child + 1 < scene->count && before(&scene->heap[child + 1], &scene->heap[child])) {
            child++;
        }
        if (!before(&scene->heap[child], &last)) {
            break;
        }
        scene->heap[i] = scene->heap[child];
        i = child;
    }
    scene->heap[i] = last;
    return first;
}

bool sim_next(struct sim_scene *scene)
{
    if (scene->count == 0 || scene->violated) {
        return false;
    }
    struct sim_event event = pop(scene);
    DK_ASSERT(event.at_us >= scene->now_us);
    scene->now_us = event.at_us;
    event.run(event.arg, event.tag);
    return !scene->violated;
}

/* ---------------------------------------------------------------- trace */

void sim_trace(struct sim_scene *scene, const char *format, ...)
{
    char *line = scene->line[scene->lines++ % SIM_TRACE_LINES];
    int n =
        snprintf(line, SIM_LINE_BYTES, "%4lld.%06lld ", (long long)(scene->now_us / SIM_SECOND_US),
                 (long long)(scene->now_us % SIM_SECOND_US));
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, SIM_LINE_BYTES - (size_t)n, format, args);
    va_end(args);
    for (const char *c = line; *c != '\0'; c++) {
        scene->hash = (scene->hash ^ (uint8_t)*c) * FNV_PRIME;
    }
    if (scene->verbose) {
        puts(line);
    }
}

void sim_violate(struct sim_scene *scene, const char *rule, const char *format, ...)
{
    char why[sizeof scene->violation - 64];
    va_list args;
    if (scene->violated) {
        return;
    }
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    scene->violated = true;
    snprintf(scene->violation, sizeof scene->violation, "%.48s: %s", rule, why);
    sim_trace(scene, "VIOLATED %s", scene->violation);
}

void sim_trace_print(const struct sim_scene *scene)
{
    uint64_t first = scene->lines > SIM_TRACE_LINES ? scene->lines - SIM_TRACE_LINES : 0;
    for (uint64_t i = first; i < scene->lines; i++) {
        fprintf(stderr, "  %s\n", scene->line[i % SIM_TRACE_LINES]);
    }
}

/* ---------------------------------------------------------------- chance */

int64_t sim_between(struct sim_scene *scene, int64_t least, int64_t most)
{
    return test_random_between(&scene->random, least, most);
}

bool sim_chance(struct sim_scene *scene, unsigned permille)
{
    return test_random_chance(&scene->random, permille);
}

int64_t sim_about(struct sim_scene *scene, int64_t mean_us)
{
    int64_t x = sim_between(scene, 100, 2000);
    return mean_us * x / 1000 * x / 1000;
}
