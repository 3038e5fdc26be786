#include "replay/import/cases.h"

#include "tests/unit/import_fixture.h"

#define FRONT "source: s\nshape: snapshots\ncase: c\nchanged: {at: t}\n"

/* The cases as KEY(ordinal:file row ...). */
static void expect(const char *mapping, const char *file, const char *cases, const char *rejects)
{
    struct import_fixture f;
    const struct dk_case *one = NULL;
    struct dk_err err;
    int rc;
    fixture_open(&f, mapping);
    f.at = file;
    ASSERT_OK(dk_csv_new(&f.csv, ',', fixture_read, &f, &err), &err);
    ASSERT_OK(dk_cases_new(&f.cases, &f.mapping, f.csv, fixture_salt, &f.report, &err), &err);
    while ((rc = dk_cases_next(f.cases, &one, &err)) == 1) {
        (void)dk_buf_printf(&f.lines, "%.*s(", (int)one->key.size, (const char *)one->key.data);
        ASSERT_EQ(one->id, dk_case_id(one->key));
        uint32_t count = 0;
        for (const struct dk_case_row *row = one->first; row != NULL; row = row->next, count++) {
            (void)dk_buf_printf(&f.lines, "%s%u:%" PRIu64, row == one->first ? "" : " ",
                                row->ordinal, row->number);
        }
        ASSERT_EQ(one->count, count);
        (void)dk_buf_printf(&f.lines, ") ");
    }
    ASSERT_EQ(rc, 0);
    (void)fflush(f.rejects);
    ASSERT_STR(dk_buf_string(&f.lines), cases);
    ASSERT_STR(f.rejects_text, rejects);
    fixture_close(&f);
}

static void test_cases_are_rows_on_end(void **state)
{
    (void)state;
    expect(FRONT, "c,t\n", "", "");
    expect(FRONT, "c,t\na,1\na,2\nb,3\na,4\n", "a(1:1 2:2) b(1:3) a(1:4) ", "");
}

static void test_cases_are_gathered_when_scattered(void **state)
{
    (void)state;
    expect(FRONT "cases: scattered\n", "c,t\nb,1\na,2\nb,3\na,4\nc,5\n",
           "b(1:1 2:3) a(1:2 2:4) c(1:5) ", "");
}

static void test_cases_leave_out_rows_without_a_case(void **state)
{
    (void)state;
    expect(FRONT "missing: ['-']\n", "c,t\na,1\n,2\n-,3\na,4\nb\nb,6\n\"b\"x,7\nb,8\n",
           "a(1:1 2:4) b(1:6 2:8) ",
           "file.csv:3: row 2: c has 0 bytes: 1 to 96 name a case\n"
           "file.csv:4: row 3: c has 0 bytes: 1 to 96 name a case\n"
           "file.csv:6: row 5: 1 fields, where the first row has 2\n"
           "file.csv:8: row 7: something follows a closing quote\n");
}

/* Sorted by time, ties by number, and then as the file has them. */
static void test_cases_sort_their_rows(void **state)
{
    (void)state;
    expect(FRONT "order: [t, n]\n",
           "c,t,n\n"
           "a,2026-01-03,1\n"
           "a,2026-01-02,10\n"
           "a,2026-01-02,9\n"
           "a,2026-01-02,x\n"
           "a,?,9\n"
           "a,2026-01-02,9\n"
           "b,2026-01-01,1\n",
           "a(1:3 2:6 3:2 4:1) b(1:7) ",
           "file.csv:5: row 4: no order by n: it is no whole number\n"
           "file.csv:6: row 5: no order by t: \"?\" is no time (at \"?\"): write it as "
           "2026-02-03T04:05:06Z, 2026-02-03 04:05 or 2026-02-03\n");
}

static void test_cases_want_a_header(void **state)
{
    (void)state;
    static const struct {
        const char *file, *error;
    } rows[] = {{"", "the file is empty"},
                {"\"a\n", "cannot read the first row"},
                {"c,x\n", "map.yaml:4: the file has no column \"t\""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_fixture f;
        struct dk_err err;
        fixture_open(&f, FRONT);
        f.at = rows[i].file;
        ASSERT_OK(dk_csv_new(&f.csv, ',', fixture_read, &f, &err), &err);
        ASSERT_CODE(dk_cases_new(&f.cases, &f.mapping, f.csv, fixture_salt, &f.report, &err),
                    DK_EINVAL);
        ASSERT_CONTAINS(err.message, rows[i].error);
        fixture_close(&f);
    }
}

static void test_cases_digest_a_row_by_bytes_and_salt(void **state)
{
    (void)state;
    const uint8_t other_salt[DK_SALT_BYTES] = {8};
    struct dk_slice a = {(const uint8_t *)"a,1", 3}, b = {(const uint8_t *)"a,2", 3};
    ASSERT_EQ(dk_row_digest(a, fixture_salt), dk_row_digest(a, fixture_salt));
    ASSERT_TRUE(dk_row_digest(a, fixture_salt) != dk_row_digest(b, fixture_salt));
    ASSERT_TRUE(dk_row_digest(a, fixture_salt) != dk_row_digest(a, other_salt));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases_are_rows_on_end),
        cmocka_unit_test(test_cases_are_gathered_when_scattered),
        cmocka_unit_test(test_cases_leave_out_rows_without_a_case),
        cmocka_unit_test(test_cases_sort_their_rows),
        cmocka_unit_test(test_cases_want_a_header),
        cmocka_unit_test(test_cases_digest_a_row_by_bytes_and_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
