/* What the queries of all roles share: how their arguments are read, which come as "key=value", and
 * what their answers are made of. */
#ifndef DK_RUNTIME_ANSWER_H
#define DK_RUNTIME_ANSWER_H

#include "proto/base/buf.h"
#include "proto/calendar/zone.h"
#include "proto/event/body.h"
#include <jansson.h>

/* Whether each argument is one of `keys`, words with a blank between two. 0, or DK_EINVAL, field
 * "argument". */
int dk_answer_only(const char *const *argument, size_t count, const char *keys, struct dk_err *err);

/* The value of the first argument with this key, or NULL; borrowed. */
const char *dk_answer_argument(const char *const *argument, size_t count, const char *key);

/* A number, in `base` 10 or 16; `*number` stays as it was when the key is not given. 0, or
 * DK_EINVAL with the key as its field. */
int dk_answer_number(const char *const *argument, size_t count, const char *key, int base,
                     uint64_t *number, struct dk_err *err);

/* An instant of a range, ISO 8601; without an offset it is the zone's (DOMAIN T2). `*us` stays as
 * it was when `text` is NULL. 0; DK_EINVAL, DK_ETIME with the key as its field. */
int dk_answer_time(const char *key, const char *text, const struct dk_zone *zone, int64_t *us,
                   struct dk_err *err);

/* Values of an answer; what is not (0, and an instant that never comes) is null. Owned by the
 * caller. */
json_t *dk_answer_instant(int64_t at_us);
json_t *dk_answer_id(uint64_t subject);
/* An enum's word; null for a number that it does not have. */
json_t *dk_answer_word(const ProtobufCEnumDescriptor *words, unsigned number);

/* Appends the answer's text to `out`; takes `made`. 0 or DK_ETOOBIG. */
int dk_answer_put(json_t *made, struct dk_buf *out, struct dk_err *err);

#endif
