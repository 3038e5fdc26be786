#include "replay/history/event_value.h"
#include "proto/event/body.h"

#define JSON_MAX_BYTES ((size_t)8 << 20) /* of one event: a record's bytes may all need escapes */

json_t *dk_event_value(const uint8_t *record, size_t record_bytes, struct dk_err *err)
{
    struct dk_arena arena;
    struct dk_buf text;
    json_t *value = NULL;
    if (dk_arena_init(&arena, DK_UNPACK_MAX_BYTES) != 0) {
        (void)dk_err_set(err, DK_ENOMEM, "no memory to print an event");
        return NULL;
    }
    dk_buf_init(&text, JSON_MAX_BYTES);
    if (dk_event_json(&text, &arena, record, record_bytes, err) == 0) {
        value = json_loadb((const char *)text.data, text.size, 0, NULL);
        DK_ASSERT(value != NULL);
    }
    dk_buf_close(&text);
    dk_arena_close(&arena);
    return value;
}
