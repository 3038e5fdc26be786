/* What a row says, between reading it (mapper_read.c) and writing its events (mapper_write.c). */
#ifndef DK_IMPORT_MAPPER_INTERNAL_H
#define DK_IMPORT_MAPPER_INTERNAL_H

#include "replay/import/mapper.h"

struct dk_reading {
    const struct dk_case_row *row;
    int64_t at_us;
    int64_t opened_us;                  /* of a case's first row */
    const struct dk_activity *activity; /* that the row is; NULL in snapshots */

    /* What differs from the row before, and what it is now. */
    bool customer, product, group, assignee, status;
    bool worded[DK_WORDED_COUNT];
    int value[DK_WORDED_COUNT];
    int status_value;
    int pending;
    uint32_t attributes; /* a bit for each */
    double number[DK_MAPPING_ATTRIBUTES_MAX];
    int64_t date_us[DK_MAPPING_ATTRIBUTES_MAX];

    int64_t final_us; /* of a change of status, 0 = not known */
};
_Static_assert(DK_MAPPING_ATTRIBUTES_MAX <= 32, "a bit for each attribute");

/* 0, or DK_EINVAL and why the row cannot be understood. */
int dk_mapper_read(const struct dk_mapper *mapper, const struct dk_case_row *row,
                   struct dk_reading *reading, struct dk_err *why);

/* Writes the row's events and moves the mapper's case on. 0 or DK_ETOOBIG. */
int dk_mapper_write(struct dk_mapper *mapper, const struct dk_case *one,
                    const struct dk_reading *reading, struct dk_drafts *drafts, struct dk_err *err);

/* What the mapping says is final about a status, or NULL. */
static inline const struct dk_final *dk_mapper_final(const struct dk_mapping *mapping, int status)
{
    const struct dk_final *final = status == DOCKET__STATUS__STATUS_SOLVED ? &mapping->final_solved
                                   : status == DOCKET__STATUS__STATUS_CLOSED
                                       ? &mapping->final_closed
                                       : NULL;
    return final != NULL && final->given ? final : NULL;
}

static inline struct dk_slice dk_row_value(const struct dk_case_row *row, int slot)
{
    return slot != DK_NO_SLOT ? row->value[slot] : (struct dk_slice){0};
}

#endif
