/* The rules of a world, checked as its log grows.
 *
 * It sees each record when it is durable, before anybody is told of it, each frame that a node
 * sends, and each position that a node has folded. It knows the log's rules by heart, and not from
 * the broker's code; what state a position has it learns from a folder of its own for each role,
 * which sees every record once, from the first. */
#ifndef DK_SIM_CHECKER_H
#define DK_SIM_CHECKER_H

#include "nodes/runtime/folder.h"
#include "tests/sim/ledger.h"
#include "tests/sim/offers.h"
#include "tests/sim/roles.h"
#include "tests/sim/store.h"

struct sim_checker {
    struct sim_scene *scene;
    struct sim_ledger *ledger;
    const struct sim_store *store;
    uint64_t checked;      /* positions */
    uint64_t content_hash; /* of their bytes */
    int64_t recorded_us;
    uint64_t more_of; /* the producer whose atomic request goes on with the next position, or 0 */
    struct dk_map subjects;    /* subject -> struct subject */
    struct dk_map numbers;     /* producer -> its last number */
    struct dk_map obligations; /* hash of an obligation -> the position that discharged it */
    struct dk_map clocks;      /* hash of ticket, metric, instance -> the kind of its last event */
    struct dk_map presences;   /* agent -> Presence */
    struct dk_map requested;   /* notices not sent yet -> position of the request */
    struct dk_map received;    /* notice -> true: the receiver has it */
    struct sim_offers offers;
    struct dk_folder *folder[SIM_ROLES];
    uint64_t *state_hash[SIM_ROLES]; /* by position */
    size_t state_capacity;
    size_t decisions;
};

void sim_checker_init(struct sim_checker *checker, struct sim_ledger *ledger,
                      const struct sim_store *store);
void sim_checker_close(struct sim_checker *checker);

/* Looks at what is durable now. `recovered`: that it still begins with what was durable before. */
void sim_checker_look(struct sim_checker *checker, bool recovered);

/* What a node says and hears: no decision before the head of its session's Hello is folded. */
struct sim_watch {
    const char *name;
    uint64_t hello;  /* the request last sent */
    bool in_session; /* as far as an onlooker can tell */
    uint64_t head;   /* of that Hello's answer */
};
void sim_checker_sent(struct sim_checker *checker, struct sim_watch *watch, const uint8_t *frame,
                      size_t bytes);
void sim_checker_heard(struct sim_watch *watch, const Docket__Reply *reply);

/* A node's state equals the replay's at its position. */
void sim_checker_folded(struct sim_checker *checker, const char *name, size_t role,
                        struct dk_folder *folder);

/* The end: whether all roles owe nothing at `now_us` by the replay, and all notices are sent; if
 * not, what is owed. */
bool sim_checker_owes_nothing(struct sim_checker *checker, int64_t now_us, char what[128]);
/* Every action was answered; queues are served as far as agents have room. */
void sim_checker_end(struct sim_checker *checker, int64_t now_us);

#endif
