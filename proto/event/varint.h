/* Protobuf's varints and fixed-width values: the primitives under the hand-written readers. */
#ifndef DK_EVENT_VARINT_H
#define DK_EVENT_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DK_VARINT32_MAX_BYTES 5
#define DK_VARINT64_MAX_BYTES 10

/* What stands before a field's value; `type` is one of protobuf-c's PROTOBUF_C_WIRE_TYPE_... */
static inline uint32_t dk_wire_key(uint32_t number, unsigned type)
{
    return number << 3 | type;
}

/* Bytes that `value` takes as a varint: 1..10. */
static inline size_t dk_varint_size(uint64_t value)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return (bits + 6) / 7;
}

/* Writes the shortest form and returns where it ends. */
static inline uint8_t *dk_varint_put(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Reads at `*at`, which moves on. False when the bytes end first, when it takes more than
 * `max_bytes`, or when the value does not fit 64 bits. Forms longer than needed are accepted, as
 * protobuf-c does. */
static inline bool dk_varint_get(const uint8_t **at, const uint8_t *end, size_t max_bytes,
                                 uint64_t *value)
{
    uint64_t sum = 0;
    size_t left = (size_t)(end - *at);
    size_t bound = left < max_bytes ? left : max_bytes;
    for (size_t i = 0; i < bound; i++) {
        uint64_t bits = (*at)[i] & 0x7f;
        if (i == DK_VARINT64_MAX_BYTES - 1 && bits > 1)
            return false;
        sum |= bits << (7 * i);
        if ((*at)[i] < 0x80) {
            *at += i + 1;
            *value = sum;
            return true;
        }
    }
    return false;
}

static inline uint32_t dk_fixed32_get(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t dk_fixed64_get(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint8_t *dk_fixed32_put(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static inline uint8_t *dk_fixed64_put(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

#endif
