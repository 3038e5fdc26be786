/* The verbs, as tables: what each takes, says of itself and does. */
#ifndef DK_REPLAY_CLI_VERB_H
#define DK_REPLAY_CLI_VERB_H

#include "replay/cli/cli.h"
#include <stdint.h>

struct dk_action;

struct dk_verb {
    const char *name;    /* "reply", "replay verify" */
    const char *summary; /* one line */
    const char *more;    /* what --help adds, lines ended; or NULL */
    const char *example; /* lines without "docket "; or NULL */
    const struct dk_parameter *parameter;

    /* 0, a DK_E... code with `err` filled, or an exit code (with `err`, when it has a sentence). */
    int (*run)(struct dk_cli *cli, struct dk_err *err);

    /* Of actions, whose `run` is dk_action_run (action.h). */
    uint32_t kind;
    int (*complete)(struct dk_action *action, struct dk_err *err); /* may be NULL */
    bool of_operator; /* acts with the operator's key */
    bool siteless;    /* may do without a site: cli->site tells whether there is one */
};

struct dk_verb_group {
    const char *title;
    const struct dk_verb *verb; /* ends with a NULL name */
};

extern const struct dk_verb dk_verbs_customers[];
extern const struct dk_verb dk_verbs_life[], dk_verbs_work[], dk_verbs_talk[], dk_verbs_read[],
    dk_verbs_site[], dk_verbs_replay[];

extern const struct dk_verb_group dk_verb_groups[];
extern const size_t dk_verb_group_count;

/* The verb with the longest name that argv[0..] begins with, and how many words that is; NULL when
 * there is none. */
const struct dk_verb *dk_verb_find(int argc, char **argv, int *words);
/* How many words of argv[0..] begin the names of verbs, as "replay" does; 0 when none does. */
int dk_verb_begun(int argc, char **argv);
/* Whether a verb's name goes on behind these words, as "replay verify" does behind "replay". */
bool dk_verb_is_below(const struct dk_verb *verb, const char *words);
/* The name of the verb that these words may have been meant as, or NULL. */
const char *dk_verb_nearest(const char *words);

/* Parameters that all verbs share, and those that all actions share. */
extern const struct dk_parameter dk_common_parameters[], dk_actor_parameters[];

#endif
