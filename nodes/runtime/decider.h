/* The decider: a node without its sockets. Replies, announcements, records and time are handed in;
 * request frames come out. The live node (node.h) and the simulator (tests/sim) drive this.
 *
 *   heard a head --> wants records --> folds them --> considers what is touched or due
 *        ^                                                  |
 *        +---- accepted: wait until folded <---- Append ----+
 *              stale: fold on, consider again
 *
 * Nothing is decided before the head that came with this session's Hello is folded. When the
 * session is lost (no answer, a broker that does not know it), what was in flight is forgotten, and
 * it is as after a start: the log says what became of it. In flight, in memory only: at most
 * DK_DECIDER_IN_FLIGHT events, one request an item. Time is the broker's (announcements), carried
 * on by the boot clock between them. */
#ifndef DK_RUNTIME_DECIDER_H
#define DK_RUNTIME_DECIDER_H

#include "broker/log/batch.h"
#include "docket.pb-c.h"
#include "nodes/runtime/folder.h"
#include <stdbool.h>
#include <stdint.h>

#define DK_DECIDER_IN_FLIGHT     4096
#define DK_DECIDER_HELLO_US      1000000 /* between two Hellos without an answer */
#define DK_DECIDER_UNANSWERED_US 5000000 /* then the session is taken for lost */
#define DK_DECIDER_BEHIND_US     3000000 /* so long old announcements may be under way */

struct dk_decider;

struct dk_decider_output {
    void *arg;
    /* Sends one request frame; false: it could not be queued, nothing was sent. */
    bool (*send)(void *arg, const uint8_t *frame, size_t bytes);
};

/* `folder` is borrowed. `first_request` begins the request ids: random in a live node. */
struct dk_decider *dk_decider_new(struct dk_folder *folder, const struct dk_decider_output *output,
                                  uint64_t first_request);
void dk_decider_free(struct dk_decider **decider);

/* Inputs. `boot_us` is the caller's boot clock. A reply gives 0, or DK_EDIVERGED: the
 * broker's log ends before what is folded, so it is not the log that was folded. */
int dk_decider_reply(struct dk_decider *decider, const Docket__Reply *reply, int64_t boot_us);
void dk_decider_announce(struct dk_decider *decider, uint64_t head, int64_t now_us,
                         int64_t boot_us);

/* The position to read from, when a head beyond the fold is known. */
bool dk_decider_wants(const struct dk_decider *decider, uint64_t *from);
/* Folds one record: see dk_folder_apply. */
int dk_decider_fold(struct dk_decider *decider, const uint8_t *record, size_t bytes,
                    struct dk_err *err);

/* Considers up to `most` items when live and folded up; whether more could be done at once. */
bool dk_decider_step(struct dk_decider *decider, int64_t boot_us, int most);

/* Once a second: Hello when there is no session, loss of a silent one, the heartbeat. */
void dk_decider_beat(struct dk_decider *decider, const char *query_endpoint, int64_t boot_us);

/* Whether decisions are made: in session, and its head folded. */
bool dk_decider_live(const struct dk_decider *decider);
/* The broker's time, never before that of the last record folded. */
int64_t dk_decider_now_us(const struct dk_decider *decider, int64_t boot_us);
/* When to step next without an input: a boot-clock instant, INT64_MAX: never. */
int64_t dk_decider_next_us(const struct dk_decider *decider, int64_t boot_us);

/* How far it is. */
struct dk_pace {
    bool live;
    uint64_t position, head; /* folded; known of the broker */
    int64_t now_us;
    int64_t due_us;   /* of the next item: INT64_MIN: at once, INT64_MAX: none */
    size_t in_flight; /* events */
};
void dk_decider_pace(const struct dk_decider *decider, int64_t boot_us, struct dk_pace *pace);

/* Appends what an effect outside the log brought about; `item` as in consider. false: no room, not
 * live, or the item is in flight: try again on a later turn. */
bool dk_decider_append(struct dk_decider *decider, uint64_t item, const struct dk_intents *intents,
                       int64_t boot_us);

#endif
