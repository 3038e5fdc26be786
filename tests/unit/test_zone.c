#include "proto/calendar/zone.h"

#include "tests/lib/assert.h"
#include "tests/lib/folder.h"
#include <endian.h>
#include <stdlib.h>
#include <string.h>

static int64_t instant(const char *text)
{
    int64_t us;
    struct dk_err err;
    ASSERT_OK(dk_time_parse(text, &us, NULL, &err), &err);
    return us;
}

static struct dk_zone *load(const char *name)
{
    struct dk_zone *zone;
    struct dk_err err;
    ASSERT_OK(dk_zone_load(&zone, name, &err), &err);
    return zone;
}

static int64_t to_us(const struct dk_zone *zone, const char *local, enum dk_fold fold)
{
    struct dk_civil civil;
    dk_civil_of_us(instant(local), &civil);
    return dk_zone_to_us(zone, &civil, fold);
}

#define H(hours) ((int)((hours)*3600))

/* The instant before a change and the change itself, as newspapers announced them. */
static const struct {
    const char *zone, *at;
    int offset_s;
} offsets[] = {
    {"UTC", "2026-07-01T00:00:00Z", 0},
    {"Europe/Berlin", "2026-03-29T00:59:59.999999Z", H(1)},
    {"Europe/Berlin", "2026-03-29T01:00:00Z", H(2)},
    {"Europe/Berlin", "2026-10-25T00:59:59.999999Z", H(2)},
    {"Europe/Berlin", "2026-10-25T01:00:00Z", H(1)},
    {"Europe/Dublin", "2026-07-01T00:00:00Z", H(1)},
    {"Europe/Dublin", "2026-12-01T00:00:00Z", 0},
    {"America/New_York", "2026-03-08T06:59:59Z", H(-5)},
    {"America/New_York", "2026-03-08T07:00:00Z", H(-4)},
    {"America/New_York", "2006-03-26T07:00:00Z", H(-5)}, /* the rule before 2007: in April */
    {"America/Phoenix", "2026-01-01T00:00:00Z", H(-7)},
    {"America/Phoenix", "2026-07-01T00:00:00Z", H(-7)},
    {"Asia/Kolkata", "2026-07-01T00:00:00Z", H(5.5)},
    {"Asia/Kathmandu", "2026-07-01T00:00:00Z", H(5.75)},
    {"Australia/Sydney", "2026-04-04T15:59:59Z", H(11)},
    {"Australia/Sydney", "2026-04-04T16:00:00Z", H(10)},
    {"Australia/Adelaide", "2026-10-03T16:29:59Z", H(9.5)},
    {"Australia/Adelaide", "2026-10-03T16:30:00Z", H(10.5)},
    {"Australia/Lord_Howe", "2026-04-04T14:59:59Z", H(11)},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", H(10.5)},
    {"Pacific/Apia", "2011-12-30T09:59:59Z", H(-10)},
    {"Pacific/Apia", "2011-12-30T10:00:00Z", H(14)},
    /* beyond what any file lists: the footer's rule */
    {"Europe/Berlin", "2099-03-29T00:59:59Z", H(1)},
    {"Europe/Berlin", "2099-03-29T01:00:00Z", H(2)},
    {"America/New_York", "2150-07-01T00:00:00Z", H(-4)},
    {"America/New_York", "2150-01-01T00:00:00Z", H(-5)},
    {"Australia/Sydney", "2199-12-31T23:59:59Z", H(11)},
    {"Asia/Kolkata", "2199-12-31T23:59:59Z", H(5.5)},
};

static void test_zone_knows_offsets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        struct dk_zone *zone = load(offsets[i].zone);
        int offset_s = dk_zone_offset_s(zone, instant(offsets[i].at));
        if (offset_s != offsets[i].offset_s)
            fail_msg("%s at %s: offset %d, expected %d", offsets[i].zone, offsets[i].at, offset_s,
                     offsets[i].offset_s);
        dk_zone_free(&zone);
    }
}

/* DOMAIN T2. In a gap both are the transition; in a fold they differ; else they are one. */
static const struct {
    const char *zone, *local, *first, *second;
} civils[] = {
    {"Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z", "2026-03-29T00:59:59Z"},
    {"Europe/Berlin", "2026-03-29T02:00:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", "2026-03-29T02:30:00.5", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", "2026-03-29T03:00:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
    {"Europe/Berlin", "2026-10-25T01:59:59.5", "2026-10-24T23:59:59.5Z", "2026-10-24T23:59:59.5Z"},
    {"Europe/Berlin", "2026-10-25T02:00:00", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"},
    {"Europe/Berlin", "2026-10-25T02:59:59.5", "2026-10-25T00:59:59.5Z", "2026-10-25T01:59:59.5Z"},
    {"Europe/Berlin", "2026-10-25T03:00:00", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z"},
    {"Europe/Berlin", "2150-10-25T02:30:00", "2150-10-25T00:30:00Z", "2150-10-25T01:30:00Z"},
    {"America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"},
    {"America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:00:00Z", "2026-03-08T07:00:00Z"},
    {"America/Phoenix", "2026-03-08T02:30:00", "2026-03-08T09:30:00Z", "2026-03-08T09:30:00Z"},
    {"Australia/Lord_Howe", "2026-04-05T01:45:00", "2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"},
    {"Australia/Lord_Howe", "2026-10-04T02:15:00", "2026-10-03T15:30:00Z", "2026-10-03T15:30:00Z"},
    {"Australia/Adelaide", "2026-04-05T02:30:00", "2026-04-04T16:00:00Z", "2026-04-04T17:00:00Z"},
    /* a whole day that never was */
    {"Pacific/Apia", "2011-12-30T12:00:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"},
};

static void test_zone_maps_civil_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof civils / sizeof civils[0]; i++) {
        struct dk_zone *zone = load(civils[i].zone);
        for (int second = 0; second < 2; second++) {
            char text[DK_TIME_TEXT_BYTES], expected[DK_TIME_TEXT_BYTES];
            enum dk_fold fold = second ? DK_FOLD_SECOND : DK_FOLD_FIRST;
            dk_time_format(to_us(zone, civils[i].local, fold), 0, text);
            dk_time_format(instant(second ? civils[i].second : civils[i].first), 0, expected);
            if (strcmp(text, expected) != 0)
                fail_msg("%s %s (%d): %s, expected %s", civils[i].zone, civils[i].local, second,
                         text, expected);
        }
        dk_zone_free(&zone);
    }
}

static void test_zone_shows_civil_times(void **state)
{
    (void)state;
    struct dk_zone *zone = load("Australia/Adelaide");
    struct dk_civil civil;
    int offset_s;
    dk_zone_to_civil(zone, instant("2026-12-31T13:45:01.000002Z"), &civil, &offset_s);
    ASSERT_EQ(offset_s, H(10.5));
    ASSERT_EQ(civil.year, 2027);
    ASSERT_EQ(civil.month, 1);
    ASSERT_EQ(civil.day, 1);
    ASSERT_EQ(civil.hour * 100 + civil.minute, 15);
    ASSERT_EQ(civil.second, 1);
    ASSERT_EQ(civil.us, 2);
    dk_zone_to_civil(zone, 0, &civil, NULL);
    ASSERT_EQ(civil.hour * 100 + civil.minute, 930);
    ASSERT_STR(dk_zone_name(zone), "Australia/Adelaide");
    dk_zone_free(&zone);
    ASSERT_TRUE(zone == NULL);
}

static void test_zone_refuses_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "Mars/Olympus",
        "../etc/passwd",
        "Europe/../UTC",
        "/etc/zone",
        "Europe/Berlin ",
        "Europe",
        "Eur\xc3\xb6pe",
        "a-name-of-64-characters-or-more/goes-on-for-longer-than-any-of-them"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct dk_zone *zone;
        struct dk_err err;
        ASSERT_CODE(dk_zone_load(&zone, names[i], &err), DK_ENOTFOUND);
        ASSERT_TRUE(zone == NULL);
    }
    struct dk_zone *zone;
    struct dk_err err;
    ASSERT_CODE(dk_zone_load(&zone, "Mars/Olympus", &err), DK_ENOTFOUND);
    ASSERT_CONTAINS(err.message, "Mars/Olympus");
}

/* Files made by hand: a first block without anything, then `times` transitions among types
 * {UTC+1 CET, UTC+2 CEST}, then the footer. */
struct made {
    uint8_t data[1024];
    size_t bytes;
    size_t second; /* where the second header begins */
    size_t times;  /* where its transitions begin, then their types, ... */
    size_t types;
    size_t chars;
    size_t footer;
};

static void put32(struct made *made, size_t at, uint32_t value)
{
    value = htobe32(value);
    memcpy(made->data + at, &value, sizeof value);
}

static void put_header(struct made *made, size_t at, uint32_t times, uint32_t types, uint32_t chars)
{
    memcpy(made->data + at, "TZif2", 5);
    put32(made, at + 32, times);
    put32(made, at + 36, types);
    put32(made, at + 40, chars);
}

static struct made make_file(const int64_t *at_s, size_t count, const char *footer)
{
    struct made made = {.second = 44 + 6 + 1};
    put_header(&made, 0, 0, 1, 1);
    put_header(&made, made.second, (uint32_t)count, 2, 9);
    made.times = made.second + 44;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = htobe64((uint64_t)at_s[i]);
        memcpy(made.data + made.times + 8 * i, &value, sizeof value);
        made.data[made.times + 8 * count + i] = i % 2 == 0; /* to summer, to winter, ... */
    }
    made.types = made.times + 9 * count;
    put32(&made, made.types, 3600);
    put32(&made, made.types + 6, 7200);
    made.data[made.types + 10] = 1;
    made.data[made.types + 11] = 4;
    made.chars = made.types + 12;
    memcpy(made.data + made.chars, "CET\0CEST", 9);
    made.footer = made.chars + 9;
    made.bytes = made.footer + (size_t)sprintf((char *)made.data + made.footer, "\n%s\n", footer);
    return made;
}

static int load_bytes(const void *data, size_t bytes, struct dk_zone **zone, struct dk_err *err)
{
    struct test_folder folder;
    char path[PATH_MAX];
    test_folder_make(&folder);
    snprintf(path, sizeof path, "%s/Made", folder.path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    ASSERT_EQ(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
    setenv("TZDIR", folder.path, 1);
    int code = dk_zone_load(zone, "Made", err);
    unsetenv("TZDIR");
    test_folder_remove(&folder);
    return code;
}

static void expect_corrupt(const char *what, const void *data, size_t bytes)
{
    struct dk_zone *zone = NULL;
    struct dk_err err;
    int code = load_bytes(data, bytes, &zone, &err);
    dk_zone_free(&zone);
    if (code != DK_ECORRUPT)
        fail_msg("%s: %s, expected DK_ECORRUPT", what, dk_code_name(code));
}

#define CET_RULE "CET-1CEST,M3.5.0,M10.5.0/3"

static const int64_t summers_s[] = {1774746000, 1792890000}; /* of Berlin in 2026 */

static void test_zone_reads_made_files(void **state)
{
    (void)state;
    struct dk_err err;
    struct dk_zone *zone;
    struct made made = make_file(summers_s, 2, CET_RULE);
    ASSERT_OK(load_bytes(made.data, made.bytes, &zone, &err), &err);
    ASSERT_EQ(dk_zone_offset_s(zone, instant("2025-07-01T00:00:00Z")), 3600);
    ASSERT_EQ(dk_zone_offset_s(zone, instant("2026-07-01T00:00:00Z")), 7200);
    ASSERT_EQ(dk_zone_offset_s(zone, instant("2027-03-28T00:59:59Z")), 3600);
    ASSERT_EQ(dk_zone_offset_s(zone, instant("2027-03-28T01:00:00Z")), 7200);
    dk_zone_free(&zone);

    made = make_file(summers_s, 1, ""); /* nothing is said: the last offset stays */
    ASSERT_OK(load_bytes(made.data, made.bytes, &zone, &err), &err);
    ASSERT_EQ(dk_zone_offset_s(zone, instant("2100-01-01T00:00:00Z")), 7200);
    dk_zone_free(&zone);

    made = make_file(NULL, 0, "CET-1");
    ASSERT_OK(load_bytes(made.data, made.bytes, &zone, &err), &err);
    ASSERT_EQ(dk_zone_offset_s(zone, instant("2100-07-01T00:00:00Z")), 3600);
    dk_zone_free(&zone);
}

/* A footer alone, and the instants of 2028 (a leap year) and 2029 just before its changes. */
static const struct {
    const char *footer, *at;
    int before_s, after_s;
} rules[] = {
    {"CET-1CEST,M3.5.0,M10.5.0/3", "1900-03-25T01:00:00Z", H(1), H(2)},
    {"CET-1CEST,J60/0,J300/0", "2028-02-29T23:00:00Z", H(1), H(2)}, /* J60 is 1 March */
    {"CET-1CEST,J60/0,J300/0", "2029-02-28T23:00:00Z", H(1), H(2)},
    {"CET-1CEST,59/0,300/0", "2028-02-28T23:00:00Z", H(1), H(2)}, /* 59 is 29 February */
    {"CET-1CEST,59/0,300/0", "2029-02-28T23:00:00Z", H(1), H(2)},
    {"CET-1CEST,M12.5.0/0,M6.1.1/0", "2028-12-30T23:00:00Z", H(1), H(2)}, /* the south's order */
    {"CET-1CEST,M12.5.0/0,M6.1.1/0", "2028-06-04T22:00:00Z", H(2), H(1)},
    {"CET-1<+0330>-3:30,M3.4.4/50,M10.4.4/50", "2028-03-25T01:00:00Z", H(1), H(3.5)},
    {"CET-1CEST,M3.5.0/-2,M10.5.0/-1", "2028-03-25T21:00:00Z", H(1), H(2)},
    /* summer that never ends (RFC 8536 3.3.1) */
    {"CET-1CEST,0/0,J365/25", "2027-12-31T23:00:00Z", H(2), H(2)},
};

static void test_zone_goes_on_by_the_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct dk_err err;
        struct dk_zone *zone;
        struct made made = make_file(NULL, 0, rules[i].footer);
        ASSERT_OK(load_bytes(made.data, made.bytes, &zone, &err), &err);
        int64_t at_us = instant(rules[i].at);
        if (dk_zone_offset_s(zone, at_us - 1) != rules[i].before_s ||
            dk_zone_offset_s(zone, at_us) != rules[i].after_s)
            fail_msg("%s at %s: %d then %d", rules[i].footer, rules[i].at,
                     dk_zone_offset_s(zone, at_us - 1), dk_zone_offset_s(zone, at_us));
        dk_zone_free(&zone);
    }
}

static void test_zone_refuses_footers(void **state)
{
    (void)state;
    static const char *const footers[] = {
        "CE-1",
        "CET",
        "CET-1:60",
        "CET-25",
        "<CET-1",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.1.0,M10.5.0",
        "CET-1 ",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J300",
        "CET-1CEST,J366,J300",
        "CET-1CEST,366,300",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0,",
        "CET-1CEST,M3.5.0,M10.5.0/3x",
        "CET-1\nCET-1",
        "CET-99999999999",
        "EET-2",
    };
    for (size_t i = 0; i < sizeof footers / sizeof footers[0]; i++) {
        struct made made = make_file(NULL, 0, footers[i]);
        expect_corrupt(footers[i], made.data, made.bytes);
    }
    /* It must go on from the last transition, which is to summer in spring. */
    struct made made = make_file(summers_s, 1, "CET-1");
    expect_corrupt("winter after a change to summer", made.data, made.bytes);
    made = make_file(summers_s, 1, "CET-1CEST,M11.1.0,M2.1.0");
    expect_corrupt("summer in winter", made.data, made.bytes);
}

static void test_zone_refuses_corrupt_files(void **state)
{
    (void)state;
    struct made good = make_file(summers_s, 2, CET_RULE), bad;
    size_t second = good.second;
    const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } flips[] = {
        {"another magic", 0, 'X'},
        {"another magic in the second header", second, 'X'},
        {"version 1", 4, 0},
        {"version 5", 4, '5'},
        {"the second header has another version", second + 4, '3'},
        {"more in the first block than there is", 32, 0xff},
        {"more in the second block than there is", second + 32, 0xff},
        {"no types", second + 39, 0},
        {"no abbreviations", second + 43, 0},
        {"as many indicators as no type has", second + 23, 1},
        {"leap seconds", second + 31, 1},
        {"transitions out of order", good.times, 0x7f},
        {"a transition to no type", good.types - 1, 2},
        {"an offset of years", good.types, 0x7f},
        {"summer is neither 0 nor 1", good.types + 4, 2},
        {"an abbreviation out of range", good.types + 5, 9},
        {"an abbreviation without an end", good.footer - 1, 'X'},
        {"no line before the rule", good.footer, ' '},
        {"no line after the rule", good.bytes - 1, ' '},
    };
    for (size_t i = 0; i < sizeof flips / sizeof flips[0]; i++) {
        bad = good;
        bad.data[flips[i].at] = flips[i].value;
        expect_corrupt(flips[i].what, bad.data, bad.bytes);
    }
    bad = good;
    bad.data[bad.bytes++] = '\n';
    expect_corrupt("something behind the footer", bad.data, bad.bytes);
    for (size_t bytes = 0; bytes < good.bytes; bytes++)
        expect_corrupt("cut short", good.data, bytes);
}

/* Whatever a byte becomes, the file is refused or its zone answers. */
static void test_zone_survives_any_flipped_byte(void **state)
{
    (void)state;
    struct made good = make_file(summers_s, 2, CET_RULE);
    for (size_t at = 0; at < good.bytes; at++) {
        struct made bad = good;
        struct dk_zone *zone = NULL;
        bad.data[at] ^= (uint8_t)(1u << at % 8);
        int code = load_bytes(bad.data, bad.bytes, &zone, NULL);
        ASSERT_TRUE(code == 0 || code == DK_ECORRUPT);
        if (code == 0) {
            int64_t at_us = to_us(zone, "2026-06-01T00:00:00", DK_FOLD_SECOND);
            ASSERT_TRUE(abs(dk_zone_offset_s(zone, at_us)) <= H(26));
        }
        dk_zone_free(&zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zone_knows_offsets),
        cmocka_unit_test(test_zone_maps_civil_times),
        cmocka_unit_test(test_zone_shows_civil_times),
        cmocka_unit_test(test_zone_refuses_names),
        cmocka_unit_test(test_zone_reads_made_files),
        cmocka_unit_test(test_zone_goes_on_by_the_rule),
        cmocka_unit_test(test_zone_refuses_footers),
        cmocka_unit_test(test_zone_refuses_corrupt_files),
        cmocka_unit_test(test_zone_survives_any_flipped_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
