#include "tests/sim/post.h"

#include "nodes/notification/notification.h"
#include <inttypes.h>
#include <string.h>

void sim_post_init(struct sim_post *post, struct sim_checker *checker)
{
    memset(post, 0, sizeof *post);
    post->scene = checker->scene;
    post->checker = checker;
}

void sim_post_forget(struct sim_post *post)
{
    memset(post->letter, 0, sizeof post->letter);
    post->seen = 0;
    post->life++;
}

/* ---------------------------------------------------------------- there and back */

/* An answer names its notice, and the node's life, so that a later life does not hear it. */
static uint64_t tag_of(const struct sim_post *post, uint64_t notice)
{
    return notice ^ post->life << 48;
}

static struct sim_letter *letter_of(struct sim_post *post, uint64_t tag)
{
    for (size_t i = 0; i < SIM_POST_PLACES; i++) {
        struct sim_letter *letter = &post->letter[i];
        if (letter->notice != 0 && tag_of(post, letter->notice) == tag) {
            return letter;
        }
    }
    return NULL;
}

static void on_answer(void *arg, uint64_t tag)
{
    struct sim_post *post = arg;
    struct sim_letter *letter = letter_of(post, tag);
    if (letter != NULL) {
        letter->answered = true;
        letter->not_before_us = 0;
        post->wake(post->arg);
    }
}

/* At the receiver. The node may have been killed since, and the letter arrives nevertheless. */
static void deliver(struct sim_post *post, uint64_t notice)
{
    bool created = false;
    bool *received = dk_map_put(&post->checker->received, notice, &created);
    DK_ASSERT(received != NULL);
    *received = true;
    post->handed_over++;
    sim_trace(post->scene, "receiver: hears %016" PRIx64 "%s", notice, created ? "" : " again");
}

static void hand_over(struct sim_post *post, struct sim_letter *letter)
{
    letter->not_before_us = post->scene->now_us + sim_about(post->scene, SIM_SECOND_US);
    if (sim_chance(post->scene, post->lost_permille)) {
        return;
    }
    deliver(post, letter->notice);
    if (!sim_chance(post->scene, post->lost_permille)) {
        sim_in(post->scene, sim_about(post->scene, 20000), on_answer, post,
               tag_of(post, letter->notice));
    }
}

/* ---------------------------------------------------------------- the node's side */

static void take_up(struct sim_post *post, const void *role)
{
    for (size_t i = 0; i < SIM_POST_PLACES; i++) {
        struct sim_letter *letter = &post->letter[i];
        const struct dk_notice *notice;
        uint64_t id;
        if (letter->notice != 0 && dk_notification_find(role, letter->notice) == NULL) {
            letter->notice = 0;
        }
        if (letter->notice == 0 && (notice = dk_notification_next(role, post->seen, &id)) != NULL) {
            *letter = (struct sim_letter){
                .notice = id, .ticket = notice->ticket, .requested = notice->requested};
            post->seen = notice->position;
        }
    }
}

static void report(struct sim_post *post, struct sim_letter *letter, struct dk_folder *folder,
                   struct dk_decider *decider, int64_t boot_us)
{
    const struct dk_role_ops *ops = dk_folder_ops(folder);
    Docket__NotificationSent sent = DOCKET__NOTIFICATION_SENT__INIT;
    struct dk_intents intents;
    sent.notice = letter->notice;
    dk_intents_init(&intents, ops->role, ops->rule_version);
    dk_intents_clear(&intents, dk_folder_position(folder));
    (void)dk_intents_add(&intents, letter->ticket, DK_KIND_NOTIFICATION_SENT, &sent.base,
                         letter->requested);
    if (dk_decider_append(decider, letter->ticket, &intents, boot_us)) {
        letter->not_before_us = post->scene->now_us + sim_about(post->scene, SIM_SECOND_US);
    }
    dk_intents_close(&intents);
}

void sim_post_turn(struct sim_post *post, struct dk_folder *folder, struct dk_decider *decider,
                   int64_t boot_us)
{
    take_up(post, dk_folder_self(folder));
    for (size_t i = 0; i < SIM_POST_PLACES; i++) {
        struct sim_letter *letter = &post->letter[i];
        if (letter->notice == 0 || post->scene->now_us < letter->not_before_us) {
            continue;
        }
        if (letter->answered) {
            report(post, letter, folder, decider, boot_us);
        } else {
            hand_over(post, letter);
        }
    }
}
