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

static void test_table_cuts_what_is_widest(void **state)
{
    static const char *const named[] = {"=name", ">n", "who", "what"};
    (void)state;
    struct dk_text_table *table = dk_text_table_new(headings, 3);
    dk_text_table_add(table, "ab");
    dk_text_table_add(table, "1");
    dk_text_table_add(table, "äöüäöüäöüäöüäöü");
    assert_prints(table, 21, "name  n  what\nab    1  äöüäöüäöü...\n");

    table = dk_text_table_new(named, 4);
    dk_text_table_add(table, "a name that is long, too");
    dk_text_table_add(table, "12345678");
    dk_text_table_add(table, "who it was that did it");
    dk_text_table_add(table, "and so is what it tells");
    assert_prints(table, 56,
                  "name                             n  who        what\n"
                  "a name that is long, too  12345678  who it...  and so...\n");
}

/* Whatever somebody wrote: a terminal's lines stay whole, down to what is narrow anyway. */
static void test_table_fits_any_terminal(void **state)
{
    (void)state;
    for (size_t line_max = 18; line_max < 120; line_max++) {
        struct dk_text_table *table = dk_text_table_new(headings, 3);
        dk_text_table_add(table, "日本語のとても長い名前がここにあります");
        dk_text_table_add(table, "7");
        dk_text_table_add(table, "e\u0301a\tb \U0001f525 пожар в серверной, \xff\xfe и ещё что-то");
        char *text = printed(table, line_max);
        for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            ASSERT_TRUE(dk_text_width(line, strlen(line)) <= line_max);
            ASSERT_TRUE(strchr(line, '\t') == NULL);
        }
        free(text);
        dk_text_table_free(&table);
    }
}

static void test_table_cuts_between_characters(void **state)
{
    (void)state;
    struct dk_text_table *table = dk_text_table_new(headings, 3);
    dk_text_table_add(table, "ab");
    dk_text_table_add(table, "1");
    dk_text_table_add(table, "日本語日本語日本語"); /* two columns each */
    assert_prints(table, 21, "name  n  what\nab    1  日本語日...\n");
    ASSERT_EQ(dk_text_width("日本語", strlen("日本語")), 6);
    ASSERT_EQ(dk_text_width("e\u0301", strlen("e\u0301")), 1);
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
        cmocka_unit_test(test_table_cuts_what_is_widest),
        cmocka_unit_test(test_table_cuts_between_characters),
        cmocka_unit_test(test_table_fits_any_terminal),
        cmocka_unit_test(test_table_cuts_cells_at_a_lines_end),
        cmocka_unit_test(test_table_without_rows_is_its_heading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
