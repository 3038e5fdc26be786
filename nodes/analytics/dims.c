#include "nodes/analytics/dims.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_ZERO   1000000 /* day numbers are shifted so that none is 0 */
#define NUMBER_MAX 65535

/* An hour's value: hours of its zone since DAY_ZERO days before 1970, then how far its offset, in
 * seconds, is below the highest: in order of time. */
#define OFFSET_BITS 20
#define OFFSET_ZERO (1 << (OFFSET_BITS - 1))

#define PENDING_SHIFT 8 /* of a status: pending for whom */

const char *dk_dim_word(enum dk_dim dim)
{
    static const char *const words[DK_DIM_COUNT] = {
#define X(NAME, word) [DK_DIM_##NAME] = word,
        DK_DIMS(X)
#undef X
    };
    return words[dim];
}

unsigned dk_dim_class(enum dk_dim dim)
{
    switch (dim) {
    case DK_DIM_GROUP: return DK_SUBJECT_GROUP;
    case DK_DIM_AGENT: return DK_SUBJECT_AGENT;
    case DK_DIM_PRODUCT: return DK_SUBJECT_PRODUCT;
    case DK_DIM_COMPANY: return DK_SUBJECT_COMPANY;
    case DK_DIM_SUPPLIER: return DK_SUBJECT_SUPPLIER;
    default: return 0;
    }
}

static const ProtobufCEnumDescriptor *words_of(enum dk_dim dim)
{
    switch (dim) {
    case DK_DIM_PRIORITY: return &docket__priority__descriptor;
    case DK_DIM_TYPE: return &docket__ticket_type__descriptor;
    case DK_DIM_CHANNEL: return &docket__channel__descriptor;
    default: return NULL;
    }
}

/* ---------------------------------------------------------------- values */

static uint64_t time_value(enum dk_dim dim, int64_t at_us, const struct dk_zone *zone)
{
    struct dk_civil civil;
    dk_zone_to_civil(zone, at_us, &civil, NULL);
    int64_t day = dk_days_of_date(civil.year, civil.month, civil.day);
    int weekday = dk_weekday_of_days(day);
    switch (dim) {
    case DK_DIM_YEAR: return (uint64_t)civil.year;
    case DK_DIM_QUARTER: return (uint64_t)(civil.year * 4 + (civil.month - 1) / 3);
    case DK_DIM_MONTH: return (uint64_t)(civil.year * 12 + civil.month - 1);
    case DK_DIM_WEEK: return (uint64_t)(DAY_ZERO + day - weekday);
    case DK_DIM_DAY: return (uint64_t)(DAY_ZERO + day);
    case DK_DIM_HOUR:
        return (uint64_t)((DAY_ZERO + day) * 24 + civil.hour) << OFFSET_BITS |
               (uint64_t)(OFFSET_ZERO - dk_zone_offset_s(zone, at_us));
    case DK_DIM_WEEKDAY: return (uint64_t)(1 + weekday);
    default: return (uint64_t)(1 + civil.hour);
    }
}

static uint64_t company_of(const struct dk_dim_view *view, const struct dk_facts *facts,
                           const struct dk_step *step, int64_t at_us)
{
    const Docket__CustomerDefined *customer = dk_refs_customer(view->refs, step->customer, at_us);
    return facts->company != 0 ? facts->company : customer != NULL ? customer->company : 0;
}

uint64_t dk_dim_value(const struct dk_dim_view *view, enum dk_dim dim, uint64_t ticket,
                      const struct dk_facts *facts, const struct dk_step *step, int64_t at_us)
{
    int64_t known_us = view->as_now ? view->now_us : at_us;
    switch (dim) {
    case DK_DIM_TICKET: return ticket;
    case DK_DIM_SITE: return dk_ticket_site(ticket);
    case DK_DIM_LINE: return step->line;
    case DK_DIM_GROUP: return step->group;
    case DK_DIM_AGENT: return step->agent;
    case DK_DIM_PRODUCT: return step->product;
    case DK_DIM_COMPANY: return company_of(view, facts, step, known_us);
    case DK_DIM_TIER:
        return dk_refs_tier(view->refs, company_of(view, facts, step, known_us), known_us);
    case DK_DIM_SUPPLIER: return step->supplier;
    case DK_DIM_PRIORITY: return step->priority;
    case DK_DIM_TYPE: return step->type;
    case DK_DIM_CHANNEL: return facts->channel;
    case DK_DIM_STATUS: return step->status | (uint64_t)step->pending << PENDING_SHIFT;
    default: return time_value(dim, at_us, view->zone);
    }
}

/* ---------------------------------------------------------------- texts */

static const char *entity_text(uint64_t value, const struct dk_refs *refs,
                               char text[DK_DIM_TEXT_BYTES])
{
    const struct dk_refs_version *version = dk_refs_last(refs, value);
    if (version == NULL) {
        return dk_id_format(value, text);
    }
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    (void)snprintf(text, DK_DIM_TEXT_BYTES, "%.*s", (int)key->len, (const char *)key->data);
    return text;
}

static const char *hour_text(uint64_t value, char text[DK_DIM_TEXT_BYTES])
{
    int64_t hours = (int64_t)(value >> OFFSET_BITS);
    int offset_s = OFFSET_ZERO - (int)(value & ((1u << OFFSET_BITS) - 1));
    int64_t local_us = (hours - (int64_t)DAY_ZERO * 24) * DK_HOUR_US;
    return dk_time_format(local_us - offset_s * DK_SECOND_US, offset_s, text);
}

static const char *time_text(enum dk_dim dim, uint64_t value, char text[DK_DIM_TEXT_BYTES])
{
    static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    int64_t day = (int64_t)value - DAY_ZERO;
    int year, month, day_of_month;
    dk_date_of_days(dim == DK_DIM_WEEK ? day + 3 : day, &year, &month, &day_of_month);
    switch (dim) {
    case DK_DIM_HOUR: return hour_text(value, text);
    case DK_DIM_QUARTER:
        (void)snprintf(text, DK_DIM_TEXT_BYTES, "%04" PRIu64 "-Q%" PRIu64, value / 4,
                       value % 4 + 1);
        break;
    case DK_DIM_MONTH:
        (void)snprintf(text, DK_DIM_TEXT_BYTES, "%04" PRIu64 "-%02" PRIu64, value / 12,
                       value % 12 + 1);
        break;
    case DK_DIM_WEEK: /* of the year that its Thursday is in */
        (void)snprintf(text, DK_DIM_TEXT_BYTES, "%04d-W%02d", year,
                       (int)(day + 3 - dk_days_of_date(year, 1, 1)) / 7 + 1);
        break;
    case DK_DIM_DAY:
        (void)snprintf(text, DK_DIM_TEXT_BYTES, "%04d-%02d-%02d", year, month, day_of_month);
        break;
    case DK_DIM_WEEKDAY: return weekdays[value - 1];
    default: (void)snprintf(text, DK_DIM_TEXT_BYTES, "%02" PRIu64, value - 1); break;
    }
    return text;
}

const char *dk_dim_text(enum dk_dim dim, uint64_t value, const struct dk_refs *refs,
                        char text[DK_DIM_TEXT_BYTES])
{
    const ProtobufCEnumDescriptor *words = words_of(dim);
    const ProtobufCEnumValue *word =
        words != NULL ? protobuf_c_enum_descriptor_get_value(words, (int)value) : NULL;
    if (word != NULL) {
        return dk_enum_word(word, text);
    }
    if (dim == DK_DIM_TICKET) {
        return dk_id_format(value, text);
    }
    if (dim == DK_DIM_STATUS) {
        return dk_status_word((unsigned)value & 0xff, (unsigned)value >> PENDING_SHIFT);
    }
    if (dim == DK_DIM_TIER) {
        const ProtobufCBinaryData *tier = dk_refs_tier_text(refs, (unsigned)value);
        (void)snprintf(text, DK_DIM_TEXT_BYTES, "%.*s", (int)tier->len, (const char *)tier->data);
        return text;
    }
    if (dk_dim_class(dim) != 0) {
        return entity_text(value, refs, text);
    }
    if (dim > DK_DIM_YEAR) {
        return time_text(dim, value, text);
    }
    (void)snprintf(text, DK_DIM_TEXT_BYTES, "%" PRIu64, value);
    return text;
}

/* ---------------------------------------------------------------- filters */

static int find_entity(enum dk_dim dim, const char *text, const struct dk_refs *refs,
                       uint64_t *value, struct dk_err *err)
{
    unsigned cls = dk_dim_class(dim);
    const char *word = dk_subject_class_word(cls);
    size_t word_bytes = strlen(word);
    char *end = NULL;
    *value = dk_refs_by_key(refs, cls, text, strlen(text));
    if (*value != 0) {
        return 0;
    }
    if (strncmp(text, word, word_bytes) == 0 && text[word_bytes] == '/') {
        *value = dk_id_make(cls, strtoull(text + word_bytes + 1, &end, 16));
    }
    return end != NULL && *end == '\0' && end - text > (ptrdiff_t)word_bytes + 1
               ? 0
               : dk_err_field(err, DK_EREFERENCE, dk_dim_word(dim), "there is no %s \"%s\"",
                              dk_dim_word(dim), text);
}

static int find_word(enum dk_dim dim, const char *text, uint64_t *value, struct dk_err *err)
{
    const ProtobufCEnumDescriptor *words = words_of(dim);
    char word[DK_WORD_BYTES];
    for (unsigned i = 0; i < words->n_values; i++) {
        if (strcmp(dk_enum_word(&words->values[i], word), text) == 0) {
            *value = (uint64_t)words->values[i].value;
            return 0;
        }
    }
    return dk_err_field(err, DK_EINVAL, dk_dim_word(dim), "\"%s\" is no %s", text,
                        dk_dim_word(dim));
}

static int find_tier(const char *text, const struct dk_refs *refs, uint64_t *value,
                     struct dk_err *err)
{
    *value = dk_refs_tier_number(refs, text, strlen(text));
    return *value != 0 ? 0
                       : dk_err_field(err, DK_EREFERENCE, dk_dim_word(DK_DIM_TIER),
                                      "no company ever had the tier \"%s\"", text);
}

static int find_status(const char *text, uint64_t *value, struct dk_err *err)
{
    for (unsigned status = DOCKET__STATUS__STATUS_NEW; status <= DOCKET__STATUS__STATUS_MERGED;
         status++) {
        for (unsigned pending = 0; pending <= DOCKET__PENDING__PENDING_INTERNAL; pending++) {
            if (strcmp(dk_status_word(status, pending), text) == 0) {
                *value = status | (uint64_t)pending << PENDING_SHIFT;
                return 0;
            }
        }
    }
    return dk_err_field(err, DK_EINVAL, dk_dim_word(DK_DIM_STATUS), "\"%s\" is no status", text);
}

static int find_ticket(const char *text, uint64_t *value, struct dk_err *err)
{
    return dk_ticket_parse(text, value, NULL) == 0
               ? 0
               : dk_err_field(err, DK_EINVAL, dk_dim_word(DK_DIM_TICKET),
                              "\"%s\" is no SITE-NUMBER", text);
}

static int find_number(enum dk_dim dim, const char *text, uint64_t *value, struct dk_err *err)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *value = number;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && number <= NUMBER_MAX
               ? 0
               : dk_err_field(err, DK_EINVAL, dk_dim_word(dim), "\"%s\" is no number of a %s", text,
                              dk_dim_word(dim));
}

int dk_filter_add(struct dk_filter *filter, enum dk_dim dim, const char *text,
                  const struct dk_refs *refs, struct dk_err *err)
{
    uint64_t value = 0;
    int rc = 0;
    if (dim >= DK_DIM_FIRST_TIME) {
        return dk_err_field(err, DK_EINVAL, dk_dim_word(dim),
                            "times are chosen by from and to, not by %s", dk_dim_word(dim));
    }
    if (filter->count == DK_FILTER_MAX) {
        return dk_err_field(err, DK_EINVAL, dk_dim_word(dim), "more than %d values of %s",
                            DK_FILTER_MAX, dk_dim_word(dim));
    }
    if (strcmp(text, "none") != 0) {
        rc = dim == DK_DIM_TICKET     ? find_ticket(text, &value, err)
             : dim == DK_DIM_TIER     ? find_tier(text, refs, &value, err)
             : dim == DK_DIM_STATUS   ? find_status(text, &value, err)
             : dk_dim_class(dim) != 0 ? find_entity(dim, text, refs, &value, err)
             : words_of(dim) != NULL  ? find_word(dim, text, &value, err)
                                      : find_number(dim, text, &value, err);
    }
    if (rc == 0) {
        filter->value[filter->count++] = value;
    }
    return rc;
}

bool dk_filter_passes(const struct dk_filter *filter, enum dk_dim dim, uint64_t value,
                      const struct dk_refs *refs, int64_t at_us)
{
    bool passes = filter->count == 0;
    for (size_t i = 0; !passes && i < filter->count; i++) {
        passes =
            value == filter->value[i] ||
            (dim == DK_DIM_PRODUCT && value != 0 && filter->value[i] != 0 &&
             dk_refs_product_within(refs, value, filter->value[i], at_us)) ||
            (dim == DK_DIM_STATUS && filter->value[i] != 0 && (value & 0xff) == filter->value[i]);
    }
    return passes;
}
