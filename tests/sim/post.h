/* The world outside of the log that hears notices: one receiver, and the way to it.
 *
 * A live notification node hands over what its outbox holds; a notice may be lost on its way, and
 * so may the answer, and then it is handed over again. What the receiver has answered is appended
 * as NotificationSent until that is folded. A kill forgets all of this, but not the receiver. */
#ifndef DK_SIM_POST_H
#define DK_SIM_POST_H

#include "nodes/runtime/decider.h"
#include "tests/sim/checker.h"

#define SIM_POST_PLACES 32

struct sim_post {
    struct sim_scene *scene;
    struct sim_checker *checker;
    unsigned lost_permille;
    uint64_t seen; /* requests up to this position are taken up */
    uint64_t life; /* of the node; what is under way in an earlier one is forgotten */
    struct sim_letter {
        uint64_t notice; /* 0: free */
        uint64_t ticket, requested;
        bool answered;
        int64_t not_before_us;
    } letter[SIM_POST_PLACES];
    size_t handed_over;
    void *arg;
    void (*wake)(void *arg); /* the node has something to do */
};

void sim_post_init(struct sim_post *post, struct sim_checker *checker);
/* The node was killed. */
void sim_post_forget(struct sim_post *post);
/* A turn of the live node. */
void sim_post_turn(struct sim_post *post, struct dk_folder *folder, struct dk_decider *decider,
                   int64_t boot_us);

#endif
