#include "replay/import/mapper.h"

#include "docket.pb-c.h"
#include "replay/import/mapper_internal.h"
#include <string.h>

#define KNOWN_MAX (UINT64_C(1) << 32)

void dk_mapper_init(struct dk_mapper *mapper, const struct dk_mapping *mapping,
                    const uint8_t salt[DK_SALT_BYTES], int64_t latest_us, struct dk_report *report)
{
    memset(mapper, 0, sizeof *mapper);
    mapper->mapping = mapping;
    mapper->report = report;
    mapper->latest_us = latest_us;
    memcpy(mapper->salt, salt, DK_SALT_BYTES);
    dk_map_init(&mapper->known, 1, KNOWN_MAX);
    DK_ASSERT(dk_arena_init(&mapper->arena, DK_UNPACK_MAX_BYTES) == 0);
}

void dk_mapper_close(struct dk_mapper *mapper)
{
    dk_map_close(&mapper->known);
    dk_arena_close(&mapper->arena);
}

void dk_mapper_know(struct dk_mapper *mapper, uint64_t subject)
{
    DK_ASSERT(dk_map_put(&mapper->known, subject, NULL) != NULL);
}

void dk_mapper_undo(struct dk_mapper *mapper, struct dk_drafts *drafts)
{
    for (size_t i = 0; i < drafts->count; i++) {
        if (!drafts->draft[i].of_ticket) {
            (void)dk_map_remove(&mapper->known, dk_event_load_subject(dk_drafts_record(drafts, i)));
        }
    }
    dk_drafts_clear(drafts);
}

static void begin_case(struct dk_mapper *mapper)
{
    memset(mapper->current, 0, sizeof mapper->current);
    for (size_t i = 0; i < mapper->mapping->attribute_count; i++) {
        const struct dk_attribute *attribute = &mapper->mapping->attribute[i];
        mapper->current[attribute->slot] = attribute->from;
    }
    mapper->opened = false;
    mapper->status = DOCKET__STATUS__STATUS_NEW;
    mapper->pending = DOCKET__PENDING__PENDING_NONE;
    mapper->customer = 0;
    mapper->requester = (struct dk_slice){0};
}

int dk_mapper_case(struct dk_mapper *mapper, const struct dk_case *one, struct dk_drafts *drafts,
                   struct dk_err *err)
{
    begin_case(mapper);
    for (struct dk_case_row *row = one->first; row != NULL; row = row->next) {
        struct dk_reading reading;
        struct dk_err why;
        if (row->passed_over) {
            continue;
        }
        if (dk_mapper_read(mapper, row, &reading, &why) != 0) {
            row->passed_over = true;
            dk_report_reject(mapper->report, row->line, row->number, "%s", why.message);
            continue;
        }
        int rc = dk_mapper_write(mapper, one, &reading, drafts, err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

bool dk_mapper_live(const struct dk_mapper *mapper)
{
    return mapper->opened && mapper->status >= DOCKET__STATUS__STATUS_NEW &&
           mapper->status <= DOCKET__STATUS__STATUS_PENDING;
}
