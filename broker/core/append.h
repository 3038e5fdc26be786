/* One Append request: its form and numbers, its events' judgement one by one or as a whole, and
 * its answer.
 *
 * What cannot be judged at all (a malformed request, no space, a stopped clock, a full batch) is
 * answered with a Failure at once, and no number of it counts as seen. An event whose record is not
 * canonical, whose producer has no session here or whose number is out of order is refused without
 * its number being seen either: nothing reliable is known of it. Nor is it when there was no room
 * (DK_EBUSY, DK_ENOMEM): what is sent again under it is judged anew. Every other refusal is
 * remembered under its number.
 *
 * An atomic request is of one producer, its numbers rise by one, and it is repeated as a whole or
 * not at all. When one of its events is refused, all its numbers count as seen, but for want of
 * room. */
#ifndef DK_CORE_APPEND_H
#define DK_CORE_APPEND_H

#include "broker/core/core.h"

void dk_append_serve(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                     const struct dk_request *request);

/* The Appends of an AppendList, one after the other, each as if it had come alone. */
void dk_append_serve_list(struct dk_core *core, const struct dk_peer *peer, struct dk_now now,
                          const struct dk_request *list);

#endif
