/* The checker's rules about routing (R2, R5, R6), told from the log and the life of tickets alone.
 *
 * Each decision is judged by what the log said up to the position on which it rests: what people do
 * to other tickets meanwhile may fill an agent up, and the decision could not know. */
#ifndef DK_SIM_OFFERS_H
#define DK_SIM_OFFERS_H

#include "nodes/runtime/folder.h"
#include "proto/base/map.h"
#include "tests/sim/scene.h"

struct sim_offers {
    struct sim_scene *scene;
    struct dk_folder
        *folder;            /* the checker's, of any role: lives and definitions before an event */
    struct dk_map waiting;  /* ticket -> how it waits */
    struct dk_map declines; /* hash of ticket and agent -> until when it is kept from the agent */
    struct dk_map loads;    /* agent -> struct loads */
    size_t offered, declined, steps; /* how often */
};

void sim_offers_init(struct sim_offers *offers, struct sim_scene *scene, struct dk_folder *folder);
void sim_offers_close(struct sim_offers *offers);

/* An event before it is folded, and after. */
void sim_offers_before(struct sim_offers *offers, const struct dk_envelope *event,
                       const ProtobufCMessage *body);
void sim_offers_after(struct sim_offers *offers, const struct dk_envelope *event,
                      const ProtobufCMessage *body);

/* What an agent carries, by counting tickets: new and open ones that the agent owns or gets back,
 * and those on offer to the agent. */
uint32_t sim_offers_load(const struct sim_offers *offers, uint64_t agent);

/* Whether a ticket is kept from an agent who has declined it. */
bool sim_offers_kept(struct sim_offers *offers, uint64_t ticket, uint64_t agent, int64_t at_us);

/* A ticket that is on offer, and to whom; 0: none is. */
uint64_t sim_offers_some(struct sim_offers *offers, uint64_t *agent);

#endif
