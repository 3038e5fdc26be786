#include "docket.pb-c.h"
#include "proto/base/limits.h"
#include "replay/import/mapper_internal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 64

/* The column's value in the row, and whether it is another one than before. */
static bool differs(const struct dk_mapper *mapper, const struct dk_case_row *row, int slot,
                    struct dk_slice *value)
{
    *value = dk_row_value(row, slot);
    return slot != DK_NO_SLOT && !dk_slice_equal(*value, mapper->current[slot]);
}

static int refuse(const struct dk_mapper *mapper, int slot, struct dk_slice value,
                  struct dk_err *why, const char *what)
{
    return dk_err_set(why, DK_EINVAL, "%s \"%.*s\" %s", mapper->mapping->column[slot],
                      (int)(value.size < 64 ? value.size : 64), (const char *)value.data, what);
}

/* ---------------------------------------------------------------------------------- instants */

static int read_time(const struct dk_mapper *mapper, const struct dk_case_row *row, int slot,
                     int64_t *us, struct dk_err *why)
{
    struct dk_slice text = row->value[slot];
    const char *column = mapper->mapping->column[slot];
    if (text.size == 0) {
        return dk_err_set(why, DK_EINVAL, "%s is not known", column);
    }
    int rc = dk_time_format_read(&mapper->mapping->time, text, us, why);
    if (rc == 0 && *us > mapper->latest_us) {
        rc = refuse(mapper, slot, text, why, "lies in the future");
    } else if (rc == 0 && *us == 0) { /* an event that states it would be taken for one of now */
        rc = refuse(mapper, slot, text, why, "is the instant 0, which stands for none");
    } else if (rc != 0) {
        (void)dk_err_wrap(why, "%s", column);
    }
    return rc;
}

static int read_times(const struct dk_mapper *mapper, struct dk_reading *reading,
                      struct dk_err *why)
{
    const struct dk_mapping *mapping = mapper->mapping;
    int rc = read_time(mapper, reading->row, mapping->changed_at, &reading->at_us, why);
    reading->opened_us = reading->at_us;
    if (rc == 0 && !mapper->opened && mapping->opened_at != DK_NO_SLOT) {
        rc = read_time(mapper, reading->row, mapping->opened_at, &reading->opened_us, why);
    }
    return rc;
}

/* ------------------------------------------------------------------------------------- state */

/* A column whose value becomes the key of an entity. */
static int read_entity(const struct dk_mapper *mapper, const struct dk_case_row *row, int slot,
                       bool *changed, struct dk_err *why)
{
    struct dk_slice value;
    *changed = differs(mapper, row, slot, &value);
    return value.size <= DK_KEY_MAX_BYTES
               ? 0
               : refuse(mapper, slot, value, why, "is longer than a name may be");
}

static int read_product(const struct dk_mapper *mapper, struct dk_reading *reading,
                        struct dk_err *why)
{
    const struct dk_mapping *mapping = mapper->mapping;
    size_t bytes = 0;
    for (size_t i = 0; i < mapping->level_count; i++) {
        struct dk_slice value;
        reading->product |= differs(mapper, reading->row, mapping->level[i], &value);
        bytes += value.size + sizeof " / ";
        if (bytes > DK_KEY_MAX_BYTES) {
            return refuse(mapper, mapping->level[i], value, why,
                          "makes the product's name too long");
        }
    }
    if (mapping->level_count > 0 && reading->row->value[mapping->level[0]].size == 0) {
        reading->product = false;
    }
    return 0;
}

static int read_worded(const struct dk_mapper *mapper, struct dk_reading *reading,
                       enum dk_worded which, struct dk_err *why)
{
    const struct dk_words *words = &mapper->mapping->worded[which];
    struct dk_slice value;
    if (!differs(mapper, reading->row, words->slot, &value) || value.size == 0) {
        return 0;
    }
    const struct dk_word *word = dk_words_find(words, value);
    if (word == NULL) {
        return refuse(mapper, words->slot, value, why, "is not among the mapping's words");
    }
    reading->worded[which] = true;
    reading->value[which] = word->value;
    if (which == DK_WORDED_STATUS) {
        reading->status_value = word->status;
        reading->pending = word->value;
        reading->status = word->status != mapper->status || word->value != mapper->pending;
    }
    return 0;
}

static int read_attribute(const struct dk_mapper *mapper, struct dk_reading *reading, size_t i,
                          struct dk_err *why)
{
    const struct dk_attribute *attribute = &mapper->mapping->attribute[i];
    struct dk_slice value;
    if (!differs(mapper, reading->row, attribute->slot, &value)) {
        return 0;
    }
    reading->attributes |= UINT32_C(1) << i;
    if (value.size == 0 || attribute->type == DOCKET__FIELD_TYPE__FIELD_TEXT) {
        return value.size <= DK_TEXT_MAX_BYTES
                   ? 0
                   : refuse(mapper, attribute->slot, value, why, "is longer than a text may be");
    }
    if (attribute->type == DOCKET__FIELD_TYPE__FIELD_CHOICE) {
        return value.size <= DK_KEY_MAX_BYTES
                   ? 0
                   : refuse(mapper, attribute->slot, value, why, "is too long for a choice");
    }
    if (attribute->type == DOCKET__FIELD_TYPE__FIELD_DATE) {
        int rc = dk_time_format_read(&mapper->mapping->time, value, &reading->date_us[i], why);
        return rc == 0 ? 0 : dk_err_wrap(why, "%s", mapper->mapping->column[attribute->slot]);
    }
    char text[NUMBER_BYTES], *end = text;
    size_t bytes = value.size < sizeof text ? value.size : 0;
    memcpy(text, value.data, bytes);
    text[bytes] = '\0';
    reading->number[i] = strtod(text, &end);
    return bytes > 0 && *end == '\0' && isfinite(reading->number[i])
               ? 0
               : refuse(mapper, attribute->slot, value, why, "is no number");
}

static int read_state(const struct dk_mapper *mapper, struct dk_reading *reading,
                      struct dk_err *why)
{
    const struct dk_mapping *mapping = mapper->mapping;
    const struct dk_case_row *row = reading->row;
    struct dk_slice customer;
    reading->customer = differs(mapper, row, mapping->customer, &customer) && customer.size > 0;
    int rc = read_entity(mapper, row, mapping->group, &reading->group, why);
    rc = rc != 0 ? rc : read_entity(mapper, row, mapping->assignee, &reading->assignee, why);
    rc = rc != 0 ? rc : read_product(mapper, reading, why);
    for (int i = 0; rc == 0 && i < DK_WORDED_COUNT; i++) {
        rc = read_worded(mapper, reading, (enum dk_worded)i, why);
    }
    for (size_t i = 0; rc == 0 && i < mapping->attribute_count; i++) {
        rc = read_attribute(mapper, reading, i, why);
    }
    return rc;
}

/* --------------------------------------------------------------------------------- activities */

static bool fits(const struct dk_mapper *mapper, const struct dk_activity *activity,
                 const struct dk_case_row *row)
{
    for (size_t i = 0; i < activity->count; i++) {
        if (!dk_slice_equal(row->value[activity->when[i].slot], activity->when[i].is)) {
            return false;
        }
    }
    return !activity->from_requester || mapper->requester.size == 0 ||
           dk_slice_equal(row->value[activity->customer], mapper->requester);
}

static int read_activity(const struct dk_mapper *mapper, struct dk_reading *reading,
                         struct dk_err *why)
{
    const struct dk_mapping *mapping = mapper->mapping;
    const struct dk_case_row *row = reading->row;
    size_t i = 0;
    while (i < mapping->activity_count && !fits(mapper, &mapping->activity[i], row)) {
        i++;
    }
    if (i == mapping->activity_count) {
        return dk_err_set(why, DK_EINVAL, "none of the mapping's activities fits the row");
    }
    const struct dk_activity *activity = reading->activity = &mapping->activity[i];
    const int keys[] = {activity->agent, activity->to, activity->id};
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        struct dk_slice value = dk_row_value(row, keys[k]);
        if (value.size > DK_KEY_MAX_BYTES) {
            return refuse(mapper, keys[k], value, why, "is longer than a name may be");
        }
    }
    if (dk_row_value(row, activity->text).size > DK_TEXT_MAX_BYTES) {
        return dk_err_set(why, DK_EINVAL, "the text is longer than %d bytes", DK_TEXT_MAX_BYTES);
    }
    if (activity->act == DK_ACT_STATUS) {
        reading->status_value = activity->status;
        reading->pending = activity->pending;
        reading->status =
            activity->status != mapper->status || activity->pending != mapper->pending;
    }
    return 0;
}

/* --------------------------------------------------------------------------------- the whole */

/* What is final about the row's change of status; a value that is not known leaves 0. */
static int read_final(const struct dk_mapper *mapper, struct dk_reading *reading,
                      struct dk_err *why)
{
    const struct dk_final *final = dk_mapper_final(mapper->mapping, reading->status_value);
    if (!reading->status || final == NULL) {
        return 0;
    }
    struct dk_slice by = dk_row_value(reading->row, final->by);
    if (by.size > DK_KEY_MAX_BYTES) {
        return refuse(mapper, final->by, by, why, "is longer than a name may be");
    }
    if (dk_row_value(reading->row, final->at).size == 0) {
        return 0;
    }
    return read_time(mapper, reading->row, final->at, &reading->final_us, why);
}

static int read_actors(const struct dk_mapper *mapper, const struct dk_case_row *row,
                       struct dk_err *why)
{
    const int slots[] = {mapper->mapping->changed_by, mapper->mapping->opened_by};
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        struct dk_slice value = dk_row_value(row, slots[i]);
        if (value.size > DK_KEY_MAX_BYTES) {
            return refuse(mapper, slots[i], value, why, "is longer than a name may be");
        }
    }
    return 0;
}

int dk_mapper_read(const struct dk_mapper *mapper, const struct dk_case_row *row,
                   struct dk_reading *reading, struct dk_err *why)
{
    memset(reading, 0, sizeof *reading);
    reading->row = row;
    int rc = read_times(mapper, reading, why);
    rc = rc != 0 ? rc : read_actors(mapper, row, why);
    rc = rc != 0 ? rc : read_state(mapper, reading, why);
    if (rc == 0 && mapper->mapping->activities_shape) {
        rc = read_activity(mapper, reading, why);
    }
    return rc != 0 ? rc : read_final(mapper, reading, why);
}
