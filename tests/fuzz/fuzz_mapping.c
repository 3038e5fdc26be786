/* Any text as a mapping, then, behind a line "---", any text as its file: every event that comes
 * out is one that the broker's form check passes. */
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "replay/import/mapper.h"
#include <string.h>

static const uint8_t salt[DK_SALT_BYTES] = {1};

struct text {
    const uint8_t *data;
    size_t size;
};

static ssize_t give(void *arg, void *data, size_t bytes)
{
    struct text *text = arg;
    size_t n = text->size < bytes ? text->size : bytes;
    if (n > 0)
        memcpy(data, text->data, n);
    text->data += n;
    text->size -= n;
    return (ssize_t)n;
}

static void check_drafts(const struct dk_drafts *drafts, struct dk_arena *arena)
{
    struct dk_err err;
    for (size_t i = 0; i < drafts->count; i++) {
        const uint8_t *record = dk_drafts_record(drafts, i);
        dk_arena_reset(arena);
        DK_ASSERT(dk_event_canonical(record, drafts->draft[i].bytes, &err) == 0);
        const ProtobufCMessage *body = dk_body_unpack(arena, record, drafts->draft[i].bytes, &err);
        DK_ASSERT(body != NULL);
        DK_ASSERT(dk_body_check(body, dk_event_load_kind(record), &err) == 0);
    }
}

static void map_file(const struct dk_mapping *mapping, struct text *file)
{
    struct dk_report report = {.file = "file"};
    struct dk_csv *csv = NULL;
    struct dk_cases *cases = NULL;
    const struct dk_case *one = NULL;
    struct dk_mapper mapper;
    struct dk_drafts drafts;
    struct dk_arena arena;
    struct dk_err err;
    DK_ASSERT(dk_csv_new(&csv, mapping->separator, give, file, &err) == 0);
    DK_ASSERT(dk_arena_init(&arena, DK_UNPACK_MAX_BYTES) == 0);
    dk_drafts_init(&drafts);
    dk_mapper_init(&mapper, mapping, salt, INT64_C(2000000000) * DK_SECOND_US, &report);
    if (dk_cases_new(&cases, mapping, csv, NULL, salt, DK_CASES_MEMORY_BYTES, &report, &err) == 0) {
        while (dk_cases_next(cases, &one, &err) == 1) {
            dk_drafts_clear(&drafts);
            DK_ASSERT(dk_mapper_case(&mapper, one, &drafts, &err) == 0);
            check_drafts(&drafts, &arena);
        }
    }
    dk_mapper_close(&mapper);
    dk_drafts_close(&drafts);
    dk_arena_close(&arena);
    dk_cases_free(&cases);
    dk_csv_free(&csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char border[] = "\n---\n";
    const uint8_t *at = memmem(data, size, border, sizeof border - 1);
    size_t mapping_bytes = at != NULL ? (size_t)(at - data) + 1 : size;
    struct dk_mapping mapping;
    struct dk_err err;
    if (dk_mapping_parse(&mapping, "map", (const char *)data, mapping_bytes, &err) != 0)
        return 0;
    struct text file = {data + size, 0};
    if (at != NULL) {
        file.data = at + sizeof border - 1;
        file.size = (size_t)(data + size - file.data);
    }
    map_file(&mapping, &file);
    dk_mapping_close(&mapping);
    return 0;
}
