#include "proto/calendar/zone.h"
#include "proto/calendar/tz_rule.h"
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_DIR            "/usr/share/zoneinfo"
#define ZONE_NAME_MAX_BYTES 64
#define FILE_MAX_BYTES      (64 * 1024) /* the largest of tzdata has 4 KiB */
#define HEADER_BYTES        44
#define TYPE_BYTES          6
#define INSTANT_MAX_S       (INT64_C(1) << 59) /* RFC 8536 3.2: what a reader must understand */

/* The footer's rule is written out into transitions for these years once, so that every look-up is
 * one binary search; they are those of dk_civil and a little more. */
#define RULE_FROM_YEAR 1899
#define RULE_TO_YEAR   2201

/* An offset and since when it is in force; until the next period's instant. Neighbours differ. */
struct period {
    int64_t from_s;
    int32_t offset_s;
};

struct dk_zone {
    char name[ZONE_NAME_MAX_BYTES];
    size_t count; /* at least 1: the first reaches back for ever */
    struct period period[];
};

/* A TZif header's counts, and the arrays of the block behind it (RFC 8536 3.1, 3.2):
 *
 *     "TZif" | version 1 | 0 x 15 | six counts, 4 bytes each, big-endian
 *     times: time_count x 4 (8 in the second block) | their types: time_count x 1
 *     types: type_count x {offset 4, is summer 1, abbreviation 1} | abbreviations: char_count
 *     leap seconds: leap_count x (time + 4) | standard/wall: isstd_count | UT/local: isut_count */
struct block {
    char version;
    size_t isut_count, isstd_count, leap_count, time_count, type_count, char_count;
    const uint8_t *times, *time_types, *types, *chars, *indicators;
    const uint8_t *end;
};

static int corrupt(struct dk_err *err, const char *what)
{
    return dk_err_set(err, DK_ECORRUPT, "%s", what);
}

static uint32_t load32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return be32toh(value);
}

static int64_t load64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return (int64_t)be64toh(value);
}

/* Finds the arrays of the block whose header stands at `data`; times of `time_bytes` each. */
static int open_block(struct block *block, const uint8_t *data, const uint8_t *end,
                      size_t time_bytes, struct dk_err *err)
{
    if (end - data < HEADER_BYTES || memcmp(data, "TZif", 4) != 0)
        return corrupt(err, "no TZif header where one must be");
    block->version = (char)data[4];
    size_t *counts[] = {&block->isut_count, &block->isstd_count, &block->leap_count,
                        &block->time_count, &block->type_count,  &block->char_count};
    for (size_t i = 0; i < 6; i++)
        *counts[i] = load32(data + 20 + 4 * i);
    size_t leap_bytes = block->leap_count * (time_bytes + 4);
    size_t bytes = block->time_count * (time_bytes + 1) + block->type_count * TYPE_BYTES +
                   block->char_count + leap_bytes + block->isstd_count + block->isut_count;
    if (bytes > (size_t)(end - data) - HEADER_BYTES)
        return corrupt(err, "the file ends within its data");
    block->times = data + HEADER_BYTES;
    block->time_types = block->times + block->time_count * time_bytes;
    block->types = block->time_types + block->time_count;
    block->chars = block->types + block->type_count * TYPE_BYTES;
    block->indicators = block->chars + block->char_count + leap_bytes;
    block->end = block->times + bytes;
    return 0;
}

static int check_types(const struct block *block, struct dk_err *err)
{
    if (block->type_count == 0 || block->type_count > 256 || block->char_count == 0)
        return corrupt(err, "no local time types, or too many");
    if (block->chars[block->char_count - 1] != '\0')
        return corrupt(err, "an abbreviation without an end");
    if ((block->isstd_count != 0 && block->isstd_count != block->type_count) ||
        (block->isut_count != 0 && block->isut_count != block->type_count))
        return corrupt(err, "as many indicators as types, or none, must be there");
    for (size_t i = 0; i < block->isstd_count + block->isut_count; i++)
        if (block->indicators[i] > 1)
            return corrupt(err, "an indicator is neither 0 nor 1");
    for (size_t i = 0; i < block->type_count; i++) {
        const uint8_t *type = block->types + i * TYPE_BYTES;
        int32_t offset_s = (int32_t)load32(type);
        if (offset_s <= -DK_TZ_OFFSET_MAX_S || offset_s >= DK_TZ_OFFSET_MAX_S)
            return corrupt(err, "an offset of more than a day");
        if (type[4] > 1 || type[5] >= block->char_count)
            return corrupt(err, "a local time type out of range");
    }
    if (block->leap_count != 0)
        return corrupt(err, "it counts leap seconds, which do not exist here");
    return 0;
}

static int check_times(const struct block *block, struct dk_err *err)
{
    int64_t before_s = -INSTANT_MAX_S - 1;
    for (size_t i = 0; i < block->time_count; i++) {
        int64_t at_s = load64(block->times + 8 * i);
        if (at_s <= before_s || at_s > INSTANT_MAX_S)
            return corrupt(err, "transitions out of order or range");
        if (block->time_types[i] >= block->type_count)
            return corrupt(err, "a transition to no type");
        before_s = at_s;
    }
    return 0;
}

static int32_t offset_of_type(const struct block *block, size_t type)
{
    return (int32_t)load32(block->types + type * TYPE_BYTES);
}

/* From `at_s` on the offset is this one. What changes nothing (an abbreviation, a summer that ends
 * as the next begins) leaves no period. */
static void add_period(struct dk_zone *zone, int64_t at_s, int32_t offset_s)
{
    if (zone->period[zone->count - 1].from_s == at_s && zone->count > 1)
        zone->count--;
    DK_ASSERT(zone->period[zone->count - 1].from_s < at_s);
    if (zone->period[zone->count - 1].offset_s != offset_s)
        zone->period[zone->count++] = (struct period){at_s, offset_s};
}

static void add_times(struct dk_zone *zone, const struct block *block)
{
    zone->period[0] = (struct period){INT64_MIN, offset_of_type(block, 0)};
    zone->count = 1;
    for (size_t i = 0; i < block->time_count; i++)
        add_period(zone, load64(block->times + 8 * i), offset_of_type(block, block->time_types[i]));
}

/* Goes on by the rule after `last_s`, the file's last transition (INT64_MIN without any). The rule
 * must say of that instant what the file says (RFC 8536 3.3). */
static int add_rule(struct dk_zone *zone, const struct dk_tz_rule *rule, int64_t last_s,
                    struct dk_err *err)
{
    static const char *const differs = "the rule of the footer does not go on from the transitions";
    int32_t last_offset_s = zone->period[zone->count - 1].offset_s;
    if (!rule->has_summer)
        return rule->standard_s == last_offset_s ? 0 : corrupt(err, differs);

    int year = RULE_FROM_YEAR, month, day;
    bool known = last_s > dk_days_of_date(RULE_FROM_YEAR + 1, 1, 1) * 86400;
    if (last_s > dk_days_of_date(RULE_TO_YEAR, 1, 1) * 86400)
        return 0;
    if (known) {
        dk_date_of_days(last_s / 86400 - (last_s % 86400 < 0), &year, &month, &day);
        year--; /* whose changes tell what is in force as the year of `last_s` begins */
    }
    int32_t in_force_s = rule->standard_s;
    int64_t before_s = INT64_MIN;
    for (; year <= RULE_TO_YEAR; year++) {
        struct dk_tz_change change[2];
        dk_tz_rule_year(rule, year, change);
        for (int i = 0; i < 2; i++) {
            if (change[i].at_s < before_s)
                return corrupt(err, "the changes of the footer's rule overlap");
            before_s = change[i].at_s;
            if (change[i].at_s > last_s)
                add_period(zone, change[i].at_s, change[i].offset_s);
            else
                in_force_s = change[i].offset_s;
        }
    }
    return !known || in_force_s == last_offset_s ? 0 : corrupt(err, differs);
}

/* "\n" rule "\n", and nothing behind it. An empty rule: nothing is known, the last offset stays. */
static int read_footer(struct dk_zone *zone, const struct block *block, const uint8_t *end,
                       struct dk_err *err)
{
    const uint8_t *begin = block->end;
    if (end - begin < 2 || begin[0] != '\n' ||
        memchr(begin + 1, '\n', (size_t)(end - begin) - 1) != end - 1)
        return corrupt(err, "no footer, or something behind it");
    struct dk_tz_rule rule;
    size_t bytes = (size_t)(end - begin) - 2;
    if (bytes == 0)
        return 0;
    int code = dk_tz_rule_parse(&rule, (const char *)begin + 1, bytes, err);
    if (code != 0)
        return code;
    size_t times = block->time_count;
    return add_rule(zone, &rule, times == 0 ? INT64_MIN : load64(block->times + 8 * (times - 1)),
                    err);
}

static struct dk_zone *make_zone(const char *name, size_t periods)
{
    struct dk_zone *zone = malloc(sizeof *zone + periods * sizeof zone->period[0]);
    if (zone != NULL) {
        (void)snprintf(zone->name, sizeof zone->name, "%s", name);
        zone->count = 1;
        zone->period[0] = (struct period){INT64_MIN, 0};
    }
    return zone;
}

/* The first block has 32-bit times, for readers of 1990; it is passed over. */
static int read_zone(struct dk_zone **zone, const char *name, const uint8_t *data, size_t bytes,
                     struct dk_err *err)
{
    const uint8_t *end = data + bytes;
    struct block block = {0};
    int code = open_block(&block, data, end, 4, err);
    if (code == 0 && (block.version < '2' || block.version > '4'))
        code = corrupt(err, "of a version that is not 2, 3 or 4");
    char version = block.version;
    if (code == 0)
        code = open_block(&block, block.end, end, 8, err);
    if (code == 0 && block.version != version)
        code = corrupt(err, "its two headers are of different versions");
    if (code == 0)
        code = check_types(&block, err);
    if (code == 0)
        code = check_times(&block, err);
    if (code != 0)
        return code;
    struct dk_zone *made =
        make_zone(name, 1 + block.time_count + 2 * (RULE_TO_YEAR - RULE_FROM_YEAR + 1));
    if (made == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for a time zone");
    add_times(made, &block);
    code = read_footer(made, &block, end, err);
    if (code != 0)
        dk_zone_free(&made);
    *zone = made;
    return code;
}

static bool is_zone_name(const char *name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
    size_t bytes = strlen(name);
    return bytes > 0 && bytes < ZONE_NAME_MAX_BYTES && name[0] != '/' &&
           strspn(name, allowed) == bytes;
}

static int read_file(const char *path, uint8_t *data, size_t *bytes, struct dk_err *err)
{
    FILE *file = fopen(path, "rbe");
    int failed = errno;
    if (file != NULL) {
        *bytes = fread(data, 1, FILE_MAX_BYTES, file);
        failed = ferror(file) ? errno : 0;
        (void)fclose(file);
    }
    if (failed == ENOENT || failed == ENOTDIR || failed == EISDIR)
        return dk_err_set(err, DK_ENOTFOUND, "there is no such time zone");
    return failed == 0 ? 0 : dk_err_errno(err, DK_EIO, failed, "cannot be read");
}

int dk_zone_load(struct dk_zone **zone, const char *name, struct dk_err *err)
{
    *zone = NULL;
    if (!is_zone_name(name))
        return dk_err_set(err, DK_ENOTFOUND, "\"%.64s\" is no name of a time zone", name);
    if (strcmp(name, "UTC") == 0) {
        *zone = make_zone(name, 1);
        return *zone != NULL ? 0 : dk_err_set(err, DK_ENOMEM, "no memory for a time zone");
    }
    char path[PATH_MAX];
    uint8_t data[FILE_MAX_BYTES];
    size_t bytes = 0;
    const char *dir = getenv("TZDIR");
    (void)snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : ZONE_DIR, name);
    int code = read_file(path, data, &bytes, err);
    if (code == 0)
        code = read_zone(zone, name, data, bytes, err);
    return code == 0 ? 0 : (dk_err_wrap(err, "time zone \"%s\" (%s)", name, path), code);
}

void dk_zone_free(struct dk_zone **zone)
{
    free(*zone);
    *zone = NULL;
}

const char *dk_zone_name(const struct dk_zone *zone)
{
    return zone->name;
}

/* The period in force at an instant. */
static size_t period_at(const struct dk_zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->period[middle].from_s <= at_s)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static int64_t floor_s(int64_t us)
{
    return us / DK_SECOND_US - (us % DK_SECOND_US < 0);
}

int dk_zone_offset_s(const struct dk_zone *zone, int64_t at_us)
{
    return zone->period[period_at(zone, floor_s(at_us))].offset_s;
}

/* The first instant at which the zone's clocks show `local_s` or later: in the first period whose
 * clocks get beyond it. In a gap that is where the period begins. */
static int64_t first_us(const struct dk_zone *zone, int64_t local_s, int64_t fraction_us)
{
    const struct period *period = zone->period;
    size_t i = period_at(zone, local_s - DK_TZ_OFFSET_MAX_S);
    while (i + 1 < zone->count && period[i + 1].from_s + period[i].offset_s <= local_s)
        i++;
    int64_t at_s = local_s - period[i].offset_s;
    return at_s < period[i].from_s ? period[i].from_s * DK_SECOND_US
                                   : at_s * DK_SECOND_US + fraction_us;
}

/* The last instant until which they show `local_s` or earlier: in the last period whose clocks
 * begin no later. In a gap that is where the period ends. */
static int64_t last_us(const struct dk_zone *zone, int64_t local_s, int64_t fraction_us)
{
    const struct period *period = zone->period;
    size_t i = period_at(zone, local_s + DK_TZ_OFFSET_MAX_S);
    while (i > 0 && period[i].from_s + period[i].offset_s > local_s)
        i--;
    int64_t at_s = local_s - period[i].offset_s;
    return i + 1 < zone->count && at_s >= period[i + 1].from_s ? period[i + 1].from_s * DK_SECOND_US
                                                               : at_s * DK_SECOND_US + fraction_us;
}

int64_t dk_zone_to_us(const struct dk_zone *zone, const struct dk_civil *civil, enum dk_fold fold)
{
    int64_t local_us = dk_civil_to_us(civil);
    int64_t local_s = floor_s(local_us);
    int64_t fraction_us = local_us - local_s * DK_SECOND_US;
    return fold == DK_FOLD_FIRST ? first_us(zone, local_s, fraction_us)
                                 : last_us(zone, local_s, fraction_us);
}

void dk_zone_to_civil(const struct dk_zone *zone, int64_t at_us, struct dk_civil *civil,
                      int *offset_s)
{
    int offset = dk_zone_offset_s(zone, at_us);
    dk_civil_of_us(at_us + offset * DK_SECOND_US, civil);
    if (offset_s != NULL)
        *offset_s = offset;
}
