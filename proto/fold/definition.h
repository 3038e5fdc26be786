/* What a definition must hold by itself, whoever wrote it: what no fold could make sense of, or
 * would have to guess at, is not taken in. What only several definitions show together (a cycle, a
 * route to a group of another line) is asked by `docket apply`, which sees them all. */
#ifndef DK_FOLD_DEFINITION_H
#define DK_FOLD_DEFINITION_H

#include "proto/base/err.h"
#include <protobuf-c/protobuf-c.h>
#include <stdint.h>

#define DK_LINE_MAX       9
#define DK_TIER_MAX       9
#define DK_ROOM_MAX       1000 /* an agent's capacity, what a ticket weighs */
#define DK_SPAN_MAX_DAYS  3650 /* of durations and of counts of days */
#define DK_REPEATS_MAX    100
#define DK_RULE_STEPS_MAX 16 /* the rule itself and what it names under "then" */

/* `body` is of a ...Defined kind and has passed dk_body_check. A removal is whole as it is: it
 * repeats what was taken in. 0; DK_EINVAL, or for zones and calendars what dk_zone_load and
 * dk_refs_calendar_compile say, with the field ("group_defined.secondary"). */
int dk_definition_check(const ProtobufCMessage *body, uint32_t kind, struct dk_err *err);

#endif
