/* A ticket's state, on one card for people and as one JSON object. */
#ifndef DK_REPLAY_HISTORY_CARD_H
#define DK_REPLAY_HISTORY_CARD_H

#include "replay/history/life.h"
#include "replay/history/sentence.h"
#include <jansson.h>
#include <stdio.h>

void dk_card_print(uint64_t ticket, const struct dk_life_view *view, const struct dk_words *words,
                   FILE *out);

/* Owned by the caller. Entities are {"id", "name"}, absent ones null. */
json_t *dk_card_json(uint64_t ticket, const struct dk_life_view *view,
                     const struct dk_words *words);

/* "incident", "web", ...; "" for none. */
const char *dk_type_word(unsigned type, char word[DK_WORD_BYTES]);
const char *dk_channel_word(unsigned channel, char word[DK_WORD_BYTES]);

#endif
