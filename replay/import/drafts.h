/* Events of one case, written and not sent yet: encoded records side by side, with what a ledger
 * and a report ask of them. */
#ifndef DK_IMPORT_DRAFTS_H
#define DK_IMPORT_DRAFTS_H

#include "proto/base/buf.h"
#include "proto/event/body.h"
#include "replay/import/cases.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_DRAFTS_MAX_BYTES (64 << 20) /* of one case */

struct dk_draft {
    uint32_t offset;
    uint32_t bytes;
    const struct dk_case_row *row; /* that makes it; NULL for an import's own events */
    bool of_ticket;                /* or of reference data */
};

struct dk_drafts {
    struct dk_buf records;
    struct dk_draft *draft;
    size_t count;
    size_t capacity;
};

void dk_drafts_init(struct dk_drafts *drafts);
void dk_drafts_close(struct dk_drafts *drafts);
void dk_drafts_clear(struct dk_drafts *drafts);

/* Encodes one event. 0 or DK_ETOOBIG. */
int dk_drafts_add(struct dk_drafts *drafts, const struct dk_case_row *row,
                  struct dk_envelope *envelope, uint32_t kind, const ProtobufCMessage *body,
                  struct dk_err *err);

/* Good until the next add. */
static inline uint8_t *dk_drafts_record(const struct dk_drafts *drafts, size_t i)
{
    return drafts->records.data + drafts->draft[i].offset;
}

#endif
