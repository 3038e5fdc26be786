/* An event as a jansson value, to stand inside another: what dk_event_json writes, read back. */
#ifndef DK_REPLAY_HISTORY_EVENT_VALUE_H
#define DK_REPLAY_HISTORY_EVENT_VALUE_H

#include "proto/base/err.h"
#include <jansson.h>
#include <stdint.h>

/* Owned by the caller; NULL, with the errors of dk_event_json. */
json_t *dk_event_value(const uint8_t *record, size_t record_bytes, struct dk_err *err);

#endif
