#include "replay/import/drafts.h"

#include <stdlib.h>

void dk_drafts_init(struct dk_drafts *drafts)
{
    *drafts = (struct dk_drafts){0};
    dk_buf_init(&drafts->records, DK_DRAFTS_MAX_BYTES);
}

void dk_drafts_close(struct dk_drafts *drafts)
{
    free(drafts->draft);
    dk_buf_close(&drafts->records);
    dk_drafts_init(drafts);
}

void dk_drafts_clear(struct dk_drafts *drafts)
{
    dk_buf_clear(&drafts->records);
    drafts->count = 0;
}

int dk_drafts_add(struct dk_drafts *drafts, const struct dk_case_row *row,
                  struct dk_envelope *envelope, uint32_t kind, const ProtobufCMessage *body,
                  struct dk_err *err)
{
    size_t offset = drafts->records.size;
    if (drafts->count == drafts->capacity) {
        size_t capacity = drafts->capacity == 0 ? 256 : 2 * drafts->capacity;
        struct dk_draft *draft = realloc(drafts->draft, capacity * sizeof *draft);
        DK_ASSERT(draft != NULL);
        drafts->draft = draft;
        drafts->capacity = capacity;
    }
    int rc = dk_event_encode(&drafts->records, envelope, kind, body, err);
    if (rc != 0) {
        return rc;
    }
    drafts->draft[drafts->count++] = (struct dk_draft){
        .offset = (uint32_t)offset,
        .bytes = (uint32_t)(drafts->records.size - offset),
        .row = row,
        .of_ticket = kind <= DK_KIND_TICKET_LAST,
    };
    return 0;
}
