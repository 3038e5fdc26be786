#include "replay/import/cases.h"

#include "tests/unit/import_fixture.h"

#define FRONT "source: s\nshape: snapshots\ncase: c\nchanged: {at: t}\n"

/* Gathers a file's cases as KEY(ordinal:file row ...) into `f->lines`; what ended it. */
static int gather(struct import_fixture *f, const char *mapping, const char *file,
                  uint64_t memory_bytes, struct dk_err *err)
{
    const struct dk_case *one = NULL;
    int rc;
    fixture_open(f, mapping);
    f->at = file;
    ASSERT_OK(dk_csv_new(&f->csv, ',', fixture_read, f, err), err);
    ASSERT_OK(dk_cases_new(&f->cases, &f->mapping, f->csv, NULL, fixture_salt, memory_bytes,
                           &f->report, err),
              err);
    while ((rc = dk_cases_next(f->cases, &one, err)) == 1) {
        (void)dk_buf_printf(&f->lines, "%.*s(", (int)one->key.size, (const char *)one->key.data);
        ASSERT_EQ(one->id, dk_case_id(one->key));
        uint32_t count = 0;
        for (const struct dk_case_row *row = one->first; row != NULL; row = row->next, count++) {
            (void)dk_buf_printf(&f->lines, "%s%u:%" PRIu64, row == one->first ? "" : " ",
                                row->ordinal, row->number);
            ASSERT_TRUE(dk_slice_equal(row->value[0], one->key));
        }
        ASSERT_EQ(one->count, count);
        (void)dk_buf_printf(&f->lines, ") ");
    }
    (void)fflush(f->rejects);
    return rc;
}

static void expect(const char *mapping, const char *file, const char *cases, const char *rejects)
{
    struct import_fixture f;
    struct dk_err err;
    ASSERT_OK(gather(&f, mapping, file, DK_CASES_MEMORY_BYTES, &err), &err);
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

#define SCATTERED FRONT "cases: scattered\norder: [t, n]\ncustomer: text\n"

/* Rows of 40 cases in any order, with ties; `text` makes some larger than a buffer of a run. */
static const char *shuffled_file(struct dk_buf *file, unsigned rows)
{
    static const char text[] = "some words of a customer";
    uint32_t random = 1;
    dk_buf_init(file, 64 << 20);
    (void)dk_buf_printf(file, "c,t,n,text\n");
    for (unsigned i = 0; i < rows; i++) {
        random = random * 1664525 + 1013904223;
        unsigned r = random >> 8;
        (void)dk_buf_printf(file, "case %u,2026-01-%02u,%u,%s\n", r % 40, 1 + r / 40 % 9,
                            r / 360 % 3, text + r % sizeof text);
        if (i % 400 == 7) {
            (void)dk_buf_printf(file, "large %u,2026-01-05,1,%0*u\n", i, 300000, 7);
        }
    }
    return dk_buf_string(file);
}

static void test_cases_are_the_same_when_rows_go_to_disk(void **state)
{
    (void)state;
    static const uint64_t memory_bytes[] = {400 * 1024, 1024 * 1024};
    struct import_fixture held, spilled;
    struct dk_buf file;
    struct dk_err err;
    const char *rows = shuffled_file(&file, 3000);
    ASSERT_OK(gather(&held, SCATTERED, rows, DK_CASES_MEMORY_BYTES, &err), &err);
    ASSERT_STR(held.rejects_text, "");
    for (size_t i = 0; i < sizeof memory_bytes / sizeof memory_bytes[0]; i++) {
        ASSERT_OK(gather(&spilled, SCATTERED, rows, memory_bytes[i], &err), &err);
        ASSERT_STR(dk_buf_string(&spilled.lines), dk_buf_string(&held.lines));
        fixture_close(&spilled);
    }
    fixture_close(&held);
    dk_buf_close(&file);
}

static void test_cases_say_where_rows_do_not_fit(void **state)
{
    (void)state;
    struct import_fixture f;
    struct dk_buf file;
    struct dk_err err;
    const char *rows = shuffled_file(&file, 3000);
    ASSERT_CODE(gather(&f, SCATTERED, rows, 1, &err), DK_ETOOBIG);
    ASSERT_CONTAINS(err.message, "the rows are more than 512 times what is held in memory");
    fixture_close(&f);
    ASSERT_CODE(gather(&f, FRONT, "c,t\na,1\na,2\n", 1, &err), DK_ETOOBIG);
    ASSERT_CONTAINS(err.message, "row 2, case a: its rows do not fit");
    fixture_close(&f);
    ASSERT_EQ(setenv("TMPDIR", "/nowhere", 1), 0);
    ASSERT_CODE(gather(&f, SCATTERED, rows, 10000, &err), DK_EIO);
    ASSERT_CONTAINS(err.message, "cannot keep rows in /nowhere (TMPDIR names another folder");
    ASSERT_EQ(unsetenv("TMPDIR"), 0);
    fixture_close(&f);
    dk_buf_close(&file);
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
        ASSERT_CODE(dk_cases_new(&f.cases, &f.mapping, f.csv, NULL, fixture_salt,
                                 DK_CASES_MEMORY_BYTES, &f.report, &err),
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
        cmocka_unit_test(test_cases_are_the_same_when_rows_go_to_disk),
        cmocka_unit_test(test_cases_say_where_rows_do_not_fit),
        cmocka_unit_test(test_cases_leave_out_rows_without_a_case),
        cmocka_unit_test(test_cases_sort_their_rows),
        cmocka_unit_test(test_cases_want_a_header),
        cmocka_unit_test(test_cases_digest_a_row_by_bytes_and_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
