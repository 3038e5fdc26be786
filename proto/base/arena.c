#include "proto/base/arena.h"
#include "proto/base/err.h"
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 16

static void *arena_alloc(void *data, size_t bytes)
{
    return dk_arena_alloc(data, bytes);
}

/* Everything goes at once with the reset. */
static void arena_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

int dk_arena_init(struct dk_arena *arena, size_t capacity)
{
    memset(arena, 0, sizeof *arena);
    void *base = mmap(NULL, capacity, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        return DK_ENOMEM;
    }
    arena->base = base;
    arena->capacity = capacity;
    arena->allocator =
        (ProtobufCAllocator){.alloc = arena_alloc, .free = arena_free, .allocator_data = arena};
    return 0;
}

void dk_arena_close(struct dk_arena *arena)
{
    if (arena->base != NULL) {
        (void)munmap(arena->base, arena->capacity);
    }
    memset(arena, 0, sizeof *arena);
}

void dk_arena_reset(struct dk_arena *arena)
{
    arena->used = 0;
}

void *dk_arena_alloc(struct dk_arena *arena, size_t bytes)
{
    if (bytes > arena->capacity) {
        return NULL;
    }
    size_t rounded = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded > arena->capacity - arena->used) {
        return NULL;
    }
    void *at = arena->base + arena->used;
    arena->used += rounded;
    memset(at, 0, rounded);
    return at;
}

char *dk_arena_strndup(struct dk_arena *arena, const void *bytes, size_t size)
{
    char *copy = size < arena->capacity ? dk_arena_alloc(arena, size + 1) : NULL;
    if (copy != NULL && size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}
