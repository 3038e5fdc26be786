/* A capped arena, as protobuf-c's allocator: hostile input cannot make it grow past its size.
 *
 * protobuf-c turns 1 MiB of empty submessages into 58 MB on the heap; here the unpack fails
 * instead. Everything unpacked is freed at once by `dk_arena_reset`; never call
 * `..._free_unpacked` on what came out of an arena. */
#ifndef DK_BASE_ARENA_H
#define DK_BASE_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct dk_arena {
    uint8_t *base;
    size_t used;
    size_t capacity;
    ProtobufCAllocator allocator; /* hand &arena.allocator to ..._unpack */
};

/* Reserves `capacity` bytes (touched only as used). 0 or DK_ENOMEM. */
int dk_arena_init(struct dk_arena *arena, size_t capacity);
void dk_arena_close(struct dk_arena *arena);
void dk_arena_reset(struct dk_arena *arena);

/* Zeroed, 16-byte aligned, until the next reset; NULL when the arena is used up. */
void *dk_arena_alloc(struct dk_arena *arena, size_t bytes);
char *dk_arena_strndup(struct dk_arena *arena, const void *bytes, size_t size);

#endif
