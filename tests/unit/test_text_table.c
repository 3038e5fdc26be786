#include "replay/history/table.h"
#include "tests/lib/assert.h"
#include <stdlib.h>

static char *printed(const struct dk_text_table *table, size_t line_max)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    dk_text_table_print(table, line_max, out);
    fclose(out);
    return text;
}

static void assert_prints(struct dk_text_table *table, size_t line_max, const char *expected)
{
    char *text = printed(table, line_max);
    ASSERT_STR(text, expected);
    free(text);
    dk_text_table_free(&table);
}

static const char *const headings[] = {"name", ">n", "what"};

static void test_table_aligns_columns(void **state)
{
    (void)state;
    struct dk_text_table *table = dk_text_table_new(headings, 3);
    dk_text_table_add(table, "a");
    dk_text_table_addf(table, "%d", 5);
    dk_text_table_add(table, "first");
    dk_text_table_add(table, "longer");
    dk_text_table_addf(table, "%d", 1234);
    dk_text_table_add(table, NULL);
    assert_prints(table, 0, "name       n  what\na          5  first\nlonger  1234\n");
}

static void test_table_leaves_no_blanks_at_a_lines_end(void **state)
{
    (void)state;
    struct dk_text_table *table = dk_text_table_new(headings, 3);
    dk_text_table_add(table, "only");
    dk_text_table_add(table, "");
    dk_text_table_add(table, "");
    assert_prints(table, 0, "name  n  what\nonly\n");
}

static void test_table_counts_characters_not_bytes(void **state)
{
    (void)state;
    struct dk_text_table *table = dk_text_table_new(headings, 3);
    dk_text_table_add(table, "Grüße");
    dk_text_table_add(table, "1");
    dk_text_table_add(table, "x");
    dk_text_table_add(table, "12345");
    dk_text_table_add(table, "2");
    dk_text_table_add(table, "y");
    assert_prints(table, 0, "name   n  what\nGrüße  1  x\n12345  2  y\n");
    ASSERT_EQ(dk_text_width("Grüße €", strlen("Grüße €")), 7);
}

static void test_table_cuts_the_last_column_only(void **state)
{
    (void)state;
    struct dk_text_table *table = dk_text_table_new(headings, 3);
    dk_text_table_add(table, "ab");
    dk_text_table_add(table, "1");
    dk_text_table_add(table, "äöüäöüäöüäöü");
    assert_prints(table, 17, "name  n  what\nab    1  äöüäö...\n");
}

static void test_table_cuts_cells_at_a_lines_end(void **state)
{
    (void)state;
    struct dk_text_table *table = dk_text_table_new(headings, 3);
    dk_text_table_add(table, "a\nb");
    dk_text_table_add(table, "1");
    dk_text_table_add(table, "c\r\nd");
    assert_prints(table, 0, "name  n  what\na     1  c\n");
}

static void test_table_without_rows_is_its_heading(void **state)
{
    (void)state;
    assert_prints(dk_text_table_new(headings, 3), 0, "name  n  what\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_aligns_columns),
        cmocka_unit_test(test_table_leaves_no_blanks_at_a_lines_end),
        cmocka_unit_test(test_table_counts_characters_not_bytes),
        cmocka_unit_test(test_table_cuts_the_last_column_only),
        cmocka_unit_test(test_table_cuts_cells_at_a_lines_end),
        cmocka_unit_test(test_table_without_rows_is_its_heading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
