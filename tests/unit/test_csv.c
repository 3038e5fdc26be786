#include "replay/import/csv.h"

#include "proto/base/buf.h"
#include "tests/lib/assert.h"
#include "tests/lib/random.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* An input in memory that gives out so many bytes a read. */
struct text {
    const uint8_t *data;
    size_t size;
    size_t step;
    bool fails;
};

static ssize_t give(void *arg, void *data, size_t bytes)
{
    struct text *text = arg;
    size_t n = text->size < text->step ? text->size : text->step;
    n = n < bytes ? n : bytes;
    if (text->fails) {
        errno = EIO;
        return -1;
    }
    if (n > 0) {
        memcpy(data, text->data, n);
    }
    text->data += n;
    text->size -= n;
    return (ssize_t)n;
}

/* Reads all of it: a row as LINE@OFFSET[a|b], one that cannot be read as LINE@OFFSET!CODE. */
static void read_all(const void *data, size_t size, size_t step, char separator, struct dk_buf *out)
{
    struct text text = {data, size, step, false};
    struct dk_csv *csv = NULL;
    struct dk_csv_row row;
    struct dk_err err;
    int rc;
    ASSERT_OK(dk_csv_new(&csv, separator, give, &text, &err), &err);
    while ((rc = dk_csv_next(csv, &row, &err)) != 0) {
        (void)dk_buf_printf(out, "%" PRIu64 "@%" PRIu64, row.line, row.offset);
        if (rc < 0) {
            (void)dk_buf_printf(out, "!%s ", dk_code_name(rc));
            continue;
        }
        ASSERT_TRUE(row.raw.size == 0 || row.raw.data[row.raw.size - 1] != '\n');
        for (size_t i = 0; i < row.count; i++) {
            (void)dk_buf_printf(out, "%s%.*s", i == 0 ? "[" : "|", (int)row.field[i].size,
                                (const char *)row.field[i].data);
        }
        (void)dk_buf_printf(out, "] ");
    }
    dk_csv_free(&csv);
    (void)dk_buf_string(out);
}

static const struct {
    const char *what;
    const char *text;
    const char *rows;
} table[] = {
    {"nothing", "", ""},
    {"only empty lines", "\n\r\n\n", ""},
    {"one field", "a", "1@0[a] "},
    {"rows", "a,b\nc,d\n", "1@0[a|b] 2@4[c|d] "},
    {"no newline at the end", "a,b\nc,d", "1@0[a|b] 2@4[c|d] "},
    {"CRLF", "a,b\r\nc,d\r\n", "1@0[a|b] 2@5[c|d] "},
    {"CRLF behind a quote", "a,\"b\"\r\nc,d", "1@0[a|b] 2@7[c|d] "},
    {"a lone CR is text", "a\rb,c\n", "1@0[a\rb|c] "},
    {"empty fields", ",\n,,\n", "1@0[|] 2@2[||] "},
    {"a separator ends the file", "a,", "1@0[a|] "},
    {"empty lines between", "a\n\nb\n", "1@0[a] 3@3[b] "},
    {"blanks are kept", " a , b\n", "1@0[ a | b] "},
    {"quotes", "\"a\",\"b,c\"\n", "1@0[a|b,c] "},
    {"an empty field in quotes", "\"\",a\n", "1@0[|a] "},
    {"doubled quotes", "\"a \"\"b\"\" c\",\"\"\"\"\n", "1@0[a \"b\" c|\"] "},
    {"newlines in quotes", "\"a\nb\r\nc\",d\ne,f\n", "1@0[a\nb\r\nc|d] 4@11[e|f] "},
    {"a byte order mark",
     "\xef\xbb\xbf"
     "a,b\n",
     "1@3[a|b] "},
    {"half a byte order mark", "\xef\xbb", "1@0!DK_EINVAL "},
    {"UTF-8", "\xc3\xa9,\xe2\x82\xac\n", "1@0[\xc3\xa9|\xe2\x82\xac] "},
    {"no UTF-8", "a,\xff\nb,c\n", "1@0!DK_EINVAL 2@4[b|c] "},
    {"a quote within", "a\"b,c\nd,e\n", "1@0!DK_EINVAL 2@6[d|e] "},
    {"text behind a quote", "\"a\"b,c\nd,e\n", "1@0!DK_EINVAL 2@7[d|e] "},
    {"text behind a quote of two lines", "\"a\nb\"c,d\ne\n", "1@0!DK_EINVAL 3@9[e] "},
    {"a CR behind a quote", "\"a\"\rb\nc\n", "1@0!DK_EINVAL 2@6[c] "},
    {"a quote that does not close", "a,\"b\nc,d\ne,f\n", "1@0!DK_EINVAL 2@5[c|d] 3@9[e|f] "},
    {"a quote that opens at the end", "a\n\"", "1@0[a] 2@2!DK_EINVAL "},
};

static void test_csv_reads_what_rfc_4180_says(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 2, 3, 7, 1 << 20};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
            struct dk_buf out;
            dk_buf_init(&out, 1 << 16);
            read_all(table[i].text, strlen(table[i].text), steps[k], ',', &out);
            const char *rows = dk_buf_string(&out);
            if (strcmp(rows, table[i].rows) != 0) {
                fail_msg("%s, %zu bytes a read: %s", table[i].what, steps[k], rows);
            }
            dk_buf_close(&out);
        }
    }
}

static void test_csv_takes_any_separator(void **state)
{
    (void)state;
    struct dk_buf out;
    dk_buf_init(&out, 1 << 16);
    read_all("a,b;\"c;d\"\n", 10, 4, ';', &out);
    ASSERT_STR(dk_buf_string(&out), "1@0[a,b|c;d] ");
    dk_buf_close(&out);
}

static void test_csv_refuses_nul(void **state)
{
    (void)state;
    struct dk_buf out;
    dk_buf_init(&out, 1 << 16);
    read_all("a\0b\nc\n", 6, 100, ',', &out);
    ASSERT_STR(dk_buf_string(&out), "1@0!DK_EINVAL 2@4[c] ");
    dk_buf_close(&out);
}

/* Rows at the limits: what is too long is passed over, and the next row is read. */
static void test_csv_bounds_a_row(void **state)
{
    (void)state;
    struct dk_buf text, out;
    dk_buf_init(&text, 16 << 20);
    dk_buf_init(&out, 16 << 20);
    uint8_t *at = dk_buf_extend(&text, DK_CSV_ROW_MAX_BYTES);
    memset(at, 'x', DK_CSV_ROW_MAX_BYTES);
    (void)dk_buf_append(&text, "\n", 1);
    at = dk_buf_extend(&text, 5 << 20);
    memset(at, 'y', 5 << 20);
    (void)dk_buf_append(&text, "\nlast\n", 6);
    read_all(text.data, text.size, 100000, ',', &out);
    ASSERT_EQ(out.data[4], 'x');
    ASSERT_CONTAINS(dk_buf_string(&out) + DK_CSV_ROW_MAX_BYTES,
                    "x] 2@1048577!DK_ETOOBIG 3@6291458[last] ");

    /* The same within a quote that nobody closes: only its own line is lost. */
    dk_buf_clear(&text);
    dk_buf_clear(&out);
    (void)dk_buf_append(&text, "\"a\nb\n\n", 6);
    at = dk_buf_extend(&text, 3 << 20);
    for (size_t i = 0; i < 3 << 20; i++) {
        at[i] = i % 64 == 63 ? '\n' : 'z';
    }
    read_all(text.data, text.size, 1 << 20, ',', &out);
    ASSERT_EQ(memcmp(dk_buf_string(&out), "1@0!DK_EINVAL 2@3[b] 4@6[zzz", 28), 0);
    dk_buf_close(&text);
    dk_buf_close(&out);
}

static void test_csv_bounds_the_fields(void **state)
{
    (void)state;
    char text[DK_CSV_FIELDS_MAX + 8];
    struct dk_buf out;
    dk_buf_init(&out, 1 << 16);
    memset(text, ',', sizeof text);
    text[DK_CSV_FIELDS_MAX - 1] = '\n'; /* as many as there may be */
    read_all(text, DK_CSV_FIELDS_MAX, 100, ',', &out);
    ASSERT_EQ(out.size, strlen("1@0[] ") + DK_CSV_FIELDS_MAX - 1);
    dk_buf_clear(&out);
    text[DK_CSV_FIELDS_MAX - 1] = ',';
    memcpy(text + DK_CSV_FIELDS_MAX, ",,\nok", 5);
    read_all(text, DK_CSV_FIELDS_MAX + 5, 100, ',', &out);
    ASSERT_STR(dk_buf_string(&out), "1@0!DK_ETOOBIG 2@1027[ok] ");
    dk_buf_close(&out);
}

static void test_csv_says_when_the_system_fails(void **state)
{
    (void)state;
    struct text text = {.fails = true};
    struct dk_csv *csv = NULL;
    struct dk_csv_row row;
    struct dk_err err;
    ASSERT_OK(dk_csv_new(&csv, ',', give, &text, &err), &err);
    ASSERT_CODE(dk_csv_next(csv, &row, &err), DK_EIO);
    ASSERT_EQ(err.sys_errno, EIO);
    dk_csv_free(&csv);
}

/* Writes random fields, some in quotes that need them, and expects them back. */
static void random_rows(struct test_random *random, struct dk_buf *text, struct dk_buf *rows)
{
    static const char *const letters[] = {"a", "b", " ", ",", "\"", "\n", "\r\n", "\xc3\xa9", ";"};
    size_t row_count = 1 + test_random_below(random, 20);
    for (size_t r = 0, line = 1; r < row_count; r++) {
        (void)dk_buf_printf(rows, "%zu@%zu", line, text->size);
        size_t fields = 2 + test_random_below(random, 5);
        for (size_t f = 0; f < fields; f++) {
            bool quoted = test_random_below(random, 2) == 0;
            size_t length = test_random_below(random, 8);
            (void)dk_buf_printf(text, "%s%s", f > 0 ? "," : "", quoted ? "\"" : "");
            (void)dk_buf_printf(rows, "%s", f == 0 ? "[" : "|");
            for (size_t i = 0; i < length; i++) {
                const char *c = letters[test_random_below(random, 9)];
                bool plain = strchr(",\"\n\r", *c) == NULL;
                if (quoted || plain) {
                    (void)dk_buf_printf(text, "%s%s", *c == '"' ? "\"" : "", c);
                    (void)dk_buf_printf(rows, "%s", c);
                    line += strchr(c, '\n') != NULL;
                }
            }
            (void)dk_buf_printf(text, "%s", quoted ? "\"" : "");
        }
        (void)dk_buf_printf(text, "%s", test_random_below(random, 2) == 0 ? "\n" : "\r\n");
        (void)dk_buf_printf(rows, "] ");
        line++;
    }
}

static void test_csv_gives_back_what_was_written(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct test_random random = {seed};
        struct dk_buf text, rows, out;
        dk_buf_init(&text, 1 << 20);
        dk_buf_init(&rows, 1 << 20);
        dk_buf_init(&out, 1 << 20);
        random_rows(&random, &text, &rows);
        read_all(text.data, text.size, 1 + test_random_below(&random, 40), ',', &out);
        if (strcmp(dk_buf_string(&out), dk_buf_string(&rows)) != 0) {
            fail_msg("seed %" PRIu64 ": %s instead of %s", seed, (char *)out.data,
                     (char *)rows.data);
        }
        dk_buf_close(&text);
        dk_buf_close(&rows);
        dk_buf_close(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv_reads_what_rfc_4180_says),
        cmocka_unit_test(test_csv_takes_any_separator),
        cmocka_unit_test(test_csv_refuses_nul),
        cmocka_unit_test(test_csv_bounds_a_row),
        cmocka_unit_test(test_csv_bounds_the_fields),
        cmocka_unit_test(test_csv_says_when_the_system_fails),
        cmocka_unit_test(test_csv_gives_back_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
