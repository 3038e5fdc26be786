/* JSON lines: an event as `docket tail` prints it (dk_event_json). */
#include "proto/event/body.h"
#include "replay/export/format.h"
#include <stdlib.h>

#define LINE_MAX_BYTES ((size_t)8 << 20)

struct jsonl {
    struct dk_exporting *with;
    struct dk_buf line;
};

static int begin_jsonl(struct dk_exporting *exporting, void **state)
{
    struct jsonl *jsonl = calloc(1, sizeof *jsonl);
    DK_ASSERT(jsonl != NULL);
    jsonl->with = exporting;
    dk_buf_init(&jsonl->line, LINE_MAX_BYTES);
    *state = jsonl;
    return 0;
}

static int put_jsonl(void *state, const uint8_t *record, size_t record_bytes)
{
    struct jsonl *jsonl = state;
    dk_arena_reset(jsonl->with->arena);
    dk_buf_clear(&jsonl->line);
    int rc =
        dk_event_json(&jsonl->line, jsonl->with->arena, record, record_bytes, jsonl->with->err);
    rc = rc != 0 ? rc : dk_buf_append(&jsonl->line, "\n", 1);
    return rc != 0 ? rc : dk_sink_put(jsonl->with->sink, jsonl->line.data, jsonl->line.size);
}

static int end_jsonl(void *state)
{
    (void)state;
    return 0;
}

static void free_jsonl(void **state)
{
    struct jsonl *jsonl = *state;
    if (jsonl != NULL) {
        dk_buf_close(&jsonl->line);
        free(jsonl);
        *state = NULL;
    }
}

const struct dk_format dk_format_jsonl = {
    .word = "jsonl",
    .about = "an object an event and line, as docket tail prints it",
    .begin = begin_jsonl,
    .event = put_jsonl,
    .end = end_jsonl,
    .free = free_jsonl,
};
