/* The two clocks of a simulated machine. */
#ifndef DK_SIM_CLOCKS_H
#define DK_SIM_CLOCKS_H

#include "tests/sim/scene.h"

struct sim_clocks {
    int64_t started_us; /* virtual, when the machine booted */
    int64_t drift_ppm;
    int64_t wall_base_us; /* what the wall clock would show at virtual 0, without its steps */
    int64_t step_us;      /* steps so far, that nobody undid */
};

static inline int64_t sim_boot_us(const struct sim_clocks *clocks, const struct sim_scene *scene)
{
    int64_t since_us = scene->now_us - clocks->started_us;
    return SIM_SECOND_US + since_us + since_us / 1000000 * clocks->drift_ppm;
}

static inline int64_t sim_wall_us(const struct sim_clocks *clocks, const struct sim_scene *scene)
{
    return clocks->wall_base_us + scene->now_us + clocks->step_us;
}

#endif
