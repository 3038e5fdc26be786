/* A ticket's events as a story: when, who, what, and why. */
#ifndef DK_REPLAY_HISTORY_STORY_H
#define DK_REPLAY_HISTORY_STORY_H

#include "replay/history/life.h"
#include "replay/history/sentence.h"
#include <stdio.h>

enum dk_story_form {
    DK_STORY_BRIEF, /* when, who, what */
    DK_STORY_WHOLE, /* also why: which event a decision answers, when it was recorded, whence it
                       was imported */
    DK_STORY_JSON,  /* one object a line: position, when, who, what, why, and the event itself */
};

/* Writes the events in position order. 0, DK_ETOOBIG, DK_ENOMEM, DK_EINVAL. */
int dk_story_print(const struct dk_life *life, const struct dk_words *words,
                   enum dk_story_form form, FILE *out, struct dk_err *err);

#endif
