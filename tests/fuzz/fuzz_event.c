/* Records from outside: whatever the bytes, what is canonical can be read, checked and printed. */
#include "proto/event/body.h"
#include <stdbool.h>

/* A body that passes its check comes back from a second encoding as the same bytes' worth. */
static void encode_again(const uint8_t *record, uint32_t kind, const ProtobufCMessage *body)
{
    struct dk_envelope envelope;
    struct dk_buf again;
    dk_event_load(record, &envelope);
    dk_buf_init(&again, DK_RECORD_MAX_BYTES);
    if (dk_event_encode(&again, &envelope, kind, body, NULL) == 0) {
        DK_ASSERT(dk_event_canonical(again.data, again.size, NULL) == 0);
        DK_ASSERT(memcmp(again.data, record, DK_ENVELOPE_BYTES) == 0);
    }
    dk_buf_close(&again);
}

static void use(struct dk_arena *arena, struct dk_buf *out, const uint8_t *record, size_t bytes)
{
    struct dk_decision decision;
    struct dk_origin origin;
    struct dk_err err;
    uint32_t kind = dk_event_load_kind(record);
    int decided = dk_event_decision(record, bytes, &decision);
    int imported = dk_event_origin(record, bytes, &origin);
    const ProtobufCMessage *body = dk_body_unpack(arena, record, bytes, &err);
    if (body != NULL) {
        DK_ASSERT(decided >= 0 && imported >= 0);
        if (dk_body_check(body, kind, &err) == 0)
            encode_again(record, kind, body);
    }
    dk_arena_reset(arena);
    bool printed = dk_event_json(out, arena, record, bytes, &err) == 0;
    DK_ASSERT(printed || err.code != 0);
    DK_ASSERT(!printed || (out->data[0] == '{' && out->data[out->size - 1] == '}'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dk_arena arena;
    struct dk_buf out;
    if (dk_event_canonical(data, size, NULL) != 0)
        return 0;
    dk_buf_init(&out, 4 * DK_RECORD_MAX_BYTES);
    DK_ASSERT(dk_arena_init(&arena, DK_UNPACK_MAX_BYTES) == 0);
    use(&arena, &out, data, size);
    dk_arena_close(&arena);
    dk_buf_close(&out);
    return 0;
}
