#include "proto/calendar/zone.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/calendar/tz_rule.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES  (1u << 20)
#define HEADER_BYTES    44
#define TRANSITIONS_MAX 8192
#define TYPES_MAX       256
#define LAST_YEAR       2200
#define NAME_BYTES      64

/* Period i runs from at_s[i] (inclusive) to at_s[i + 1]; the first begins before all time. */
struct dk_zone {
    char name[NAME_BYTES];
    size_t count;
    int64_t *at_s;
    int32_t *offset_s;
};

/* ---------------------------------------------------------------- RFC 8536 */

struct header {
    uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t be64(const uint8_t *at)
{
    return (int64_t)((uint64_t)be32(at) << 32 | be32(at + 4));
}

static bool read_header(const uint8_t *at, size_t left, struct header *header)
{
    if (left < HEADER_BYTES || memcmp(at, "TZif", 4) != 0) {
        return false;
    }
    *header = (struct header){be32(at + 20), be32(at + 24), be32(at + 28),
                              be32(at + 32), be32(at + 36), be32(at + 40)};
    return header->time <= TRANSITIONS_MAX && header->type >= 1 && header->type <= TYPES_MAX &&
           header->leap <= 1024 && header->chars <= 4096 && header->isut <= TYPES_MAX &&
           header->isstd <= TYPES_MAX;
}

static size_t body_bytes(const struct header *h, size_t time_bytes)
{
    return h->time * (time_bytes + 1) + h->type * 6 + h->chars + h->leap * (time_bytes + 4) +
           h->isstd + h->isut;
}

/* Reads the 64-bit block's transitions into the zone; period 0 gets the first type. */
static bool read_block(struct dk_zone *zone, const uint8_t *at, const struct header *h)
{
    const uint8_t *types = at + h->time * 8, *infos = types + h->time;
    zone->offset_s[0] = (int32_t)be32(infos);
    zone->at_s[0] = INT64_MIN;
    zone->count = 1;
    for (size_t i = 0; i < h->time; i++) {
        int64_t when = be64(at + i * 8);
        if (types[i] >= h->type || (zone->count > 1 && when <= zone->at_s[zone->count - 1])) {
            return false;
        }
        zone->at_s[zone->count] = when;
        zone->offset_s[zone->count++] = (int32_t)be32(infos + (size_t)types[i] * 6);
    }
    for (size_t i = 0; i < zone->count; i++) {
        if (zone->offset_s[i] < -26 * 3600 || zone->offset_s[i] > 26 * 3600) {
            return false;
        }
    }
    return true;
}

static void add_transition(struct dk_zone *zone, int64_t at_s, int32_t offset_s)
{
    if (at_s > zone->at_s[zone->count - 1] && offset_s != zone->offset_s[zone->count - 1]) {
        zone->at_s[zone->count] = at_s;
        zone->offset_s[zone->count++] = offset_s;
    }
}

/* The footer's rule, written out as transitions up to the last year that docket knows. */
static bool extend_by_rule(struct dk_zone *zone, const char *text)
{
    struct dk_tz_rule rule;
    if (text[0] == '\0') {
        return true;
    }
    if (dk_tz_rule_parse(&rule, text) != 0) {
        return false;
    }
    if (!rule.has_dst) {
        add_transition(zone,
                       zone->at_s[zone->count - 1] == INT64_MIN ? INT64_MIN + 1
                                                                : zone->at_s[zone->count - 1] + 1,
                       rule.std_offset_s);
        return true;
    }
    int first_year = 1970, month, day;
    if (zone->at_s[zone->count - 1] > 0) {
        dk_date_of_days(zone->at_s[zone->count - 1] / 86400, &first_year, &month, &day);
    }
    for (int year = first_year; year <= LAST_YEAR; year++) {
        int64_t to_dst = dk_tz_rule_instant_s(&rule, year, true);
        int64_t to_std = dk_tz_rule_instant_s(&rule, year, false);
        if (to_dst < to_std) {
            add_transition(zone, to_dst, rule.dst_offset_s);
            add_transition(zone, to_std, rule.std_offset_s);
        } else {
            add_transition(zone, to_std, rule.std_offset_s);
            add_transition(zone, to_dst, rule.dst_offset_s);
        }
    }
    return true;
}

static bool read_file(struct dk_zone *zone, const uint8_t *data, size_t size)
{
    struct header h;
    char footer[128] = "";
    if (!read_header(data, size, &h) || data[4] < '2') {
        return false;
    }
    size_t skip = HEADER_BYTES + body_bytes(&h, 4);
    if (skip > size || !read_header(data + skip, size - skip, &h)) {
        return false;
    }
    const uint8_t *block = data + skip + HEADER_BYTES;
    size_t bytes = body_bytes(&h, 8), left = size - skip - HEADER_BYTES;
    if (bytes + 2 > left || block[bytes] != '\n') {
        return false;
    }
    const uint8_t *text = block + bytes + 1;
    const uint8_t *end = memchr(text, '\n', left - bytes - 1);
    if (end == NULL || (size_t)(end - text) >= sizeof footer) {
        return false;
    }
    memcpy(footer, text, (size_t)(end - text));
    return read_block(zone, block, &h) && extend_by_rule(zone, footer);
}

/* ---------------------------------------------------------------- loading */

static bool name_is_safe(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "_+-/";
    size_t n = strlen(name);
    return n > 0 && n < NAME_BYTES && name[0] != '/' && strspn(name, allowed) == n;
}

static int load_file(struct dk_zone *zone, struct dk_err *err)
{
    const char *dir = getenv("TZDIR");
    char path[4096];
    struct dk_buf buf;
    (void)snprintf(path, sizeof path, "%s/%s", dir != NULL ? dir : "/usr/share/zoneinfo",
                   zone->name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return dk_err_set(err, DK_ENOTFOUND,
                          "there is no time zone \"%s\": write an IANA name, as Europe/Berlin "
                          "(package tzdata must be installed)",
                          zone->name);
    }
    dk_buf_init(&buf, FILE_MAX_BYTES);
    uint8_t *at = dk_buf_extend(&buf, FILE_MAX_BYTES);
    ssize_t n = at == NULL ? -1 : read(fd, at, FILE_MAX_BYTES);
    (void)close(fd);
    bool ok = n > 0 && read_file(zone, at, (size_t)n);
    dk_buf_close(&buf);
    return ok ? 0 : dk_err_set(err, DK_ECORRUPT, "%s is no time zone file of RFC 8536", path);
}

int dk_zone_load(struct dk_zone **zone, const char *name, struct dk_err *err)
{
    int rc = 0;
    if (!name_is_safe(name)) {
        return dk_err_set(err, DK_ENOTFOUND,
                          "\"%.*s\" cannot name a time zone: write an IANA "
                          "name, as Europe/Berlin",
                          NAME_BYTES, name);
    }
    struct dk_zone *z = calloc(1, sizeof *z);
    size_t room = TRANSITIONS_MAX + 2 * (LAST_YEAR - 1900);
    DK_ASSERT(z != NULL);
    z->at_s = calloc(room, sizeof *z->at_s);
    z->offset_s = calloc(room, sizeof *z->offset_s);
    DK_ASSERT(z->at_s != NULL && z->offset_s != NULL);
    (void)snprintf(z->name, sizeof z->name, "%s", name);
    z->at_s[0] = INT64_MIN;
    z->count = 1;
    if (strcmp(name, "UTC") != 0) {
        rc = load_file(z, err);
    }
    *zone = z;
    if (rc != 0) {
        dk_zone_free(zone);
    }
    return rc;
}

void dk_zone_free(struct dk_zone **zone)
{
    if (*zone != NULL) {
        free((*zone)->at_s);
        free((*zone)->offset_s);
        free(*zone);
        *zone = NULL;
    }
}

const char *dk_zone_name(const struct dk_zone *zone)
{
    return zone->name;
}

/* ---------------------------------------------------------------- asking */

static int64_t floor_seconds(int64_t us)
{
    return us / DK_SECOND_US - (us % DK_SECOND_US < 0);
}

/* The period in force at a second. */
static size_t period_at(const struct dk_zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (zone->at_s[middle] <= at_s) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

int dk_zone_offset_s(const struct dk_zone *zone, int64_t at_us)
{
    return zone->offset_s[period_at(zone, floor_seconds(at_us))];
}

int64_t dk_zone_to_us(const struct dk_zone *zone, const struct dk_civil *civil, enum dk_fold fold)
{
    int64_t local_us = dk_civil_to_us(civil);
    int64_t local_s = floor_seconds(local_us), fraction_us = local_us - local_s * DK_SECOND_US;
    int64_t found_s = INT64_MIN;
    /* No offset is beyond 26 h, so only the periods around can hold the instant. */
    size_t last = period_at(zone, local_s + 26 * 3600);
    for (size_t i = period_at(zone, local_s - 26 * 3600); i <= last; i++) {
        int64_t at_s = local_s - zone->offset_s[i];
        bool begun = at_s >= zone->at_s[i];
        bool ended = i + 1 < zone->count && at_s >= zone->at_s[i + 1];
        if (begun && !ended) {
            found_s = at_s;
            if (fold == DK_FOLD_FIRST) {
                break;
            }
        } else if (!begun && found_s == INT64_MIN && i > 0 &&
                   local_s - zone->offset_s[i - 1] >= zone->at_s[i]) {
            /* Past the end of the period before and before the begin of this one: a gap. */
            return zone->at_s[i] * DK_SECOND_US;
        }
    }
    DK_ASSERT(found_s != INT64_MIN);
    return found_s * DK_SECOND_US + fraction_us;
}

void dk_zone_to_civil(const struct dk_zone *zone, int64_t at_us, struct dk_civil *civil,
                      int *offset_s)
{
    int offset = dk_zone_offset_s(zone, at_us);
    dk_civil_of_us(at_us + offset * DK_SECOND_US, civil);
    if (offset_s != NULL) {
        *offset_s = offset;
    }
}
