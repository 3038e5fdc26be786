/* An event in words: "replied to the customer by email: "We are on it"".
 *
 * One template a kind (sentence_table.c), filled from the body's fields by name:
 *
 *   {name}      the value: an entity by its name, an instant in the zone, a text in quotes
 *   {name?word} the word, when the field is true or not zero
 *   {!name}     nothing
 *   [ ... ]     only when every field inside has a value ({!name}: has none)
 *
 * A part of a body is reached as {clock.metric}. Zero ids and instants, "none" and empty texts
 * count as no value. */
#ifndef DK_REPLAY_HISTORY_SENTENCE_H
#define DK_REPLAY_HISTORY_SENTENCE_H

#include "proto/base/buf.h"
#include "proto/base/map.h"
#include "proto/calendar/zone.h"
#include "proto/refs/refs.h"

/* What words are made with; borrowed. */
struct dk_words {
    const struct dk_refs *refs;
    const struct dk_zone *zone;
    const struct dk_map *sources; /* of imports: subject -> name; NULL: they go by their ids */
};

/* "Anna Schmidt", "routing", "customer/3f..": who acted. Returns `text`. */
const char *dk_words_actor(const struct dk_words *words, uint64_t actor, char text[DK_NAME_BYTES]);

/* Appends the sentence, without a full stop. With `quote` (may be NULL) texts of several lines or
 * more than 100 bytes go there, each line ended, instead of into the sentence. A kind without a
 * template is said by its word. 0 or DK_ETOOBIG. */
int dk_sentence(struct dk_buf *line, struct dk_buf *quote, const struct dk_words *words,
                uint32_t kind, const ProtobufCMessage *body);

/* The templates; NULL for a kind, or a part of a body, that has none. */
const char *dk_sentence_of_kind(uint32_t kind);
const char *dk_sentence_of_part(const ProtobufCMessageDescriptor *part);

#endif
