#include "proto/base/yaml.h"

#include "proto/base/time.h"
#include "tests/lib/assert.h"
#include "tests/lib/folder.h"
#include <stdlib.h>
#include <unistd.h>

static int parse(struct dk_yaml_doc *doc, const char *text, struct dk_err *err)
{
    return dk_yaml_parse(doc, "site.yaml", text, strlen(text), err);
}

static void test_yaml_tree_has_the_document_s_shape(void **state)
{
    (void)state;
    struct dk_yaml_doc doc;
    struct dk_err err;
    ASSERT_OK(parse(&doc,
                    "# a comment\n"
                    "site: 7\n"
                    "broker:\n"
                    "  request: [ipc://a, 'b']\n"
                    "agents:\n"
                    "  - name: Ada\n"
                    "  - name: \"Björn\"\n",
                    &err),
              &err);
    ASSERT_EQ(doc.root->type, DK_YAML_MAP);
    ASSERT_EQ(doc.root->count, 3);
    ASSERT_TRUE(doc.root->key == NULL && doc.root->parent == NULL);

    const struct dk_yaml *site = doc.root->child, *broker = site->next, *agents = broker->next;
    ASSERT_STR(site->key, "site");
    ASSERT_STR(site->text, "7");
    ASSERT_TRUE(!site->quoted && site->parent == doc.root && agents->next == NULL);

    const struct dk_yaml *request = dk_yaml_get(broker, "request");
    ASSERT_EQ(request->type, DK_YAML_LIST);
    ASSERT_EQ(request->count, 2);
    ASSERT_STR(request->child->text, "ipc://a");
    ASSERT_TRUE(request->child->key == NULL && request->child->parent == request);
    ASSERT_STR(request->child->next->text, "b");
    ASSERT_TRUE(!request->child->quoted && request->child->next->quoted);

    const struct dk_yaml *second = agents->child->next;
    ASSERT_EQ(second->type, DK_YAML_MAP);
    ASSERT_STR(dk_yaml_get(second, "name")->text, "Björn");
    ASSERT_EQ(site->line, 2);
    ASSERT_EQ(broker->line, 3); /* of the key, not of what follows it */
    ASSERT_EQ(request->line, 4);
    ASSERT_EQ(agents->line, 5);
    ASSERT_EQ(agents->child->line, 6);
    ASSERT_EQ(second->line, 7);

    ASSERT_TRUE(dk_yaml_get(doc.root, "Site") == NULL);
    ASSERT_TRUE(dk_yaml_get(site, "site") == NULL);
    ASSERT_TRUE(dk_yaml_get(NULL, "site") == NULL);
    dk_yaml_close(&doc);
}

static void test_yaml_text_as_people_write_it(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *text;
        bool quoted;
    } rows[] = {
        {"a: two words", "two words", false},
        {"a: \"1\\n2\"", "1\n2", true},
        {"a: 'it''s'", "it's", true},
        {"a: ''", "", true},
        {"a:", "", false},
        {"a: |\n  one\n  two\n", "one\ntwo\n", true},
        {"a: >-\n  one\n  two\n", "one two", true},
        {"\xef\xbb\xbf"
         "a: b",
         "b", false}, /* a byte order mark */
        {"a: b\r\n", "b", false},
        {"{a: b}", "b", false},
        {"\"a\": b # c", "b", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dk_yaml_doc doc;
        struct dk_err err;
        ASSERT_OK(parse(&doc, rows[i].yaml, &err), &err);
        const struct dk_yaml *a = dk_yaml_get(doc.root, "a");
        ASSERT_TRUE(a != NULL && a->type == DK_YAML_SCALAR);
        ASSERT_STR(a->text, rows[i].text);
        ASSERT_EQ(a->quoted, rows[i].quoted);
        dk_yaml_close(&doc);
    }
}

/* An empty file once ended the process: libyaml asserts that its input is not NULL. */
static void test_yaml_of_nothing_is_an_empty_map(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "\n\n", "# nothing\n"};
    struct dk_yaml_doc doc;
    struct dk_err err;
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        ASSERT_OK(parse(&doc, empty[i], &err), &err);
        ASSERT_EQ(doc.root->type, DK_YAML_MAP);
        ASSERT_EQ(doc.root->count, 0);
        dk_yaml_close(&doc);
    }
    ASSERT_OK(dk_yaml_parse(&doc, "site.yaml", NULL, 0, &err), &err);
    dk_yaml_close(&doc);
    ASSERT_OK(dk_yaml_load(&doc, "/dev/null", &err), &err);
    dk_yaml_close(&doc);
}

static void test_yaml_refuses_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        const char *message;
    } rows[] = {
        {"a: 1\nb: &x 2\n", "site.yaml:2: anchors and tags are not read"},
        {"a: 1\nb: &x [2]\n", "site.yaml:2: anchors and tags are not read"},
        {"a: 1\nb: &x {c: 2}\n", "site.yaml:2: anchors and tags are not read"},
        {"&x a: 1\n", "site.yaml:1: anchors and tags are not read"},
        {"a: !!str 1\n", "site.yaml:1: anchors and tags are not read"},
        {"a: ! 1\n", "site.yaml:1: anchors and tags are not read"},
        {"a: !env {b: 1}\n", "site.yaml:1: anchors and tags are not read"},
        {"a: !env [1]\n", "site.yaml:1: anchors and tags are not read"},
        {"a: 1\nb: *x\n", "site.yaml:2: aliases are not read"},
        {"a: 1\nb: 2\na: 3\n", "site.yaml:3: \"a\" stands here twice"},
        {"a:\n  x: 1\nb: 2\na:\n  x: 1\n", "site.yaml:4: \"a\" stands here twice"},
        {"l:\n  - {k: 1, k: 2}\n", "site.yaml:2: \"k\" stands here twice"},
        {"'a': 1\n\"a\": 2\n", "site.yaml:2: \"a\" stands here twice"},
        {"a: 1\n---\nb: 2\n", "site.yaml:2: a second document begins"},
        {"a: 1\n? [b]\n: 2\n", "site.yaml:2: a key must be a word"},
        {"a: 1\n? {b: 1}\n: 2\n", "site.yaml:2: a key must be a word"},
        {"a: 1\nb: \"\\0\"\n", "site.yaml:2: this is not valid UTF-8 text"},
        {"a: 1\nb: 2\nc: \xff\n", "site.yaml:3: this is no YAML"},
        {"a: 1\nb: \x01\n", "site.yaml:2: this is no YAML"},
        {"a: 1\n\tb: 2\n", "site.yaml:2: this is no YAML"},
        {"a: 1\nb: [1, 2\n", "site.yaml:3: this is no YAML"},
        {"a: 1\n  b: 2\n", "site.yaml:2: this is no YAML"},
        {"a: \"x\n", "site.yaml:2: this is no YAML"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dk_yaml_doc doc;
        struct dk_err err = {0};
        ASSERT_CODE(parse(&doc, rows[i].yaml, &err), DK_EINVAL);
        ASSERT_CONTAINS(err.message, rows[i].message);
        ASSERT_TRUE(doc.root == NULL && doc.memory == NULL && doc.name == NULL);
    }
}

/* `count` times `piece` between `before` and `after`: what the parser says of it. */
static int parse_repeated(const char *before, const char *piece, size_t count, const char *after,
                          struct dk_err *err)
{
    struct dk_yaml_doc doc;
    size_t size = strlen(before) + strlen(piece) * count + strlen(after);
    char *text = malloc(size + 1), *at = text;
    DK_ASSERT(text != NULL);
    at = stpcpy(at, before);
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, piece);
    }
    stpcpy(at, after);
    int rc = dk_yaml_parse(&doc, "site.yaml", text, size, err);
    if (rc == 0) {
        dk_yaml_close(&doc);
    }
    free(text);
    return rc;
}

static void test_yaml_has_bounds(void **state)
{
    (void)state;
    struct dk_err err;
    ASSERT_OK(parse_repeated("", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", &err), &err);
    ASSERT_CODE(parse_repeated("", "[", 33, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", &err), DK_EINVAL);
    ASSERT_CONTAINS(err.message, "site.yaml:1: this is nested too deeply");
    ASSERT_CODE(parse_repeated("", "[", 4 << 20, "", &err), DK_EINVAL);
    ASSERT_CODE(parse_repeated("", "- - ", 1 << 20, "", &err), DK_EINVAL);

    ASSERT_OK(parse_repeated("", "- 1\n", 199999, "", &err), &err);
    ASSERT_CODE(parse_repeated("", "- 1\n", 200000, "", &err), DK_EINVAL);
    ASSERT_CONTAINS(err.message, "site.yaml:200000: the document has too many parts");

    ASSERT_OK(parse_repeated("# ", "x", (4 << 20) - 2, "", &err), &err);
    ASSERT_CODE(parse_repeated("# ", "x", (4 << 20) - 1, "", &err), DK_ETOOBIG);
    ASSERT_CONTAINS(err.message, "site.yaml is larger than 4194304 bytes");
}

/* A map of very many keys: comparing each with all took minutes. */
static void test_yaml_reads_a_map_of_many_keys(void **state)
{
    (void)state;
    struct dk_yaml_doc doc;
    struct dk_err err;
    size_t size = 0, room = 4 << 20;
    char *text = malloc(room);
    DK_ASSERT(text != NULL);
    for (int i = 0; i < 190000; i++) {
        size += (size_t)snprintf(text + size, room - size, "key-%d: %d\n", i, i);
    }
    ASSERT_OK(dk_yaml_parse(&doc, "site.yaml", text, size, &err), &err);
    ASSERT_EQ(doc.root->count, 190000);
    dk_yaml_close(&doc);

    size += (size_t)snprintf(text + size, room - size, "key-77: 1\n");
    ASSERT_CODE(dk_yaml_parse(&doc, "site.yaml", text, size, &err), DK_EINVAL);
    ASSERT_STR(err.message, "site.yaml:190001: \"key-77\" stands here twice: take one away");
    free(text);
}

static void test_yaml_load_reads_files(void **state)
{
    (void)state;
    struct test_folder folder;
    struct dk_yaml_doc doc;
    struct dk_err err;
    char path[PATH_MAX], expected[PATH_MAX + 64];
    test_folder_make(&folder);
    snprintf(path, sizeof path, "%s/docket.yaml", folder.path);
    ASSERT_CODE(dk_yaml_load(&doc, path, &err), DK_ENOTFOUND);
    ASSERT_CONTAINS(err.message, path);
    ASSERT_CODE(dk_yaml_load(&doc, folder.path, &err), DK_EIO);

    FILE *file = fopen(path, "w");
    DK_ASSERT(file != NULL);
    for (int i = 0; i < 20000; i++) { /* more than one read */
        fprintf(file, "- item %d\n", i);
    }
    fclose(file);
    ASSERT_OK(dk_yaml_load(&doc, path, &err), &err);
    ASSERT_EQ(doc.root->count, 20000);
    ASSERT_STR(doc.name, path);
    dk_yaml_close(&doc);

    file = fopen(path, "w");
    DK_ASSERT(file != NULL);
    fputs("a: 1\nb: *x\n", file);
    fclose(file);
    ASSERT_CODE(dk_yaml_load(&doc, path, &err), DK_EINVAL);
    snprintf(expected, sizeof expected, "%s:2: aliases are not read", path);
    ASSERT_CONTAINS(err.message, expected);

    ASSERT_EQ(truncate(path, (4 << 20) + 1), 0);
    ASSERT_CODE(dk_yaml_load(&doc, path, &err), DK_ETOOBIG);
    test_folder_remove(&folder);
}

static void test_yaml_load_reads_stdin(void **state)
{
    (void)state;
    int pipe_fd[2], saved = dup(STDIN_FILENO);
    struct dk_yaml_doc doc;
    struct dk_err err;
    ASSERT_EQ(pipe(pipe_fd), 0);
    ASSERT_EQ(write(pipe_fd[1], "a: *x", 5), 5);
    close(pipe_fd[1]);
    dup2(pipe_fd[0], STDIN_FILENO);
    int rc = dk_yaml_load(&doc, "-", &err);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(pipe_fd[0]);
    ASSERT_CODE(rc, DK_EINVAL);
    ASSERT_CONTAINS(err.message, "stdin:1: aliases are not read");
}

/* How a value is read as each type: what it is, or what is wrong with it. */
struct reading {
    const char *yaml;    /* the value of key `v`, which stands in line 2 */
    const char *problem; /* NULL: it fits */
    int64_t value;
};

enum type { INT, BOOL, DURATION, WORD };

static void check_readings(enum type type, const struct reading *rows, size_t count)
{
    static const char *const words[] = {"low", "normal", "high", NULL};
    for (size_t i = 0; i < count; i++) {
        struct dk_yaml_doc doc;
        struct dk_err err = {0};
        char text[256], expected[256];
        int64_t value = -77;
        bool truth = false;
        int index = -77, rc = 0;
        snprintf(text, sizeof text, "# first line\nv: %s\n", rows[i].yaml);
        ASSERT_OK(parse(&doc, text, &err), &err);
        const struct dk_yaml *node = dk_yaml_get(doc.root, "v");
        switch (type) {
        case INT: rc = dk_yaml_int(&doc, node, -5, 4000000000, &value, &err); break;
        case DURATION: rc = dk_yaml_duration(&doc, node, &value, &err); break;
        case BOOL:
            rc = dk_yaml_bool(&doc, node, &truth, &err);
            value = rc == 0 ? truth : value;
            break;
        case WORD:
            rc = dk_yaml_word(&doc, node, words, &index, &err);
            value = index;
            break;
        }
        if (rows[i].problem == NULL) {
            ASSERT_OK(rc, &err);
            ASSERT_EQ(value, rows[i].value);
        } else {
            ASSERT_CODE(rc, DK_EINVAL);
            snprintf(expected, sizeof expected, "site.yaml:2: v %s", rows[i].problem);
            ASSERT_STR(err.message, expected);
            ASSERT_EQ(value, -77); /* as it was */
        }
        dk_yaml_close(&doc);
    }
}
#define CHECK_READINGS(type, rows) check_readings(type, rows, sizeof rows / sizeof rows[0])

static void test_yaml_int(void **state)
{
    (void)state;
    static const char problem[] = "must be a whole number from -5 to 4000000000";
    const struct reading rows[] = {
        {"0", NULL, 0},      {"-5", NULL, -5},           {"4000000000", NULL, 4000000000},
        {"-6", problem, 0},  {"4000000001", problem, 0}, {"99999999999999999999", problem, 0},
        {"1.5", problem, 0}, {"0x10", problem, 0},       {"1 2", problem, 0},
        {"'1'", problem, 0}, {"", problem, 0},           {"one", problem, 0},
        {"[1]", problem, 0}, {"{a: 1}", problem, 0},     {"|-\n  1", problem, 0},
    };
    CHECK_READINGS(INT, rows);
}

static void test_yaml_bool(void **state)
{
    (void)state;
    static const char problem[] = "must be true or false";
    const struct reading rows[] = {
        {"true", NULL, 1},      {"false", NULL, 0}, {"yes", problem, 0}, {"True", problem, 0},
        {"'true'", problem, 0}, {"1", problem, 0},  {"", problem, 0},    {"[true]", problem, 0},
    };
    CHECK_READINGS(BOOL, rows);
}

static void test_yaml_duration(void **state)
{
    (void)state;
    static const char problem[] = "must be a duration, as 90s, 15m, 4h, 2d or 1h30m";
    const struct reading rows[] = {
        {"90s", NULL, 90 * DK_SECOND_US},
        {"'4h'", NULL, 4 * DK_HOUR_US},
        {"15", problem, 0},
        {"", problem, 0},
        {"[1h]", problem, 0},
        {"-1h", problem, 0},
    };
    CHECK_READINGS(DURATION, rows);
}

static void test_yaml_word(void **state)
{
    (void)state;
    const struct reading rows[] = {
        {"low", NULL, 0},
        {"'high'", NULL, 2},
        {"hihg", "\"hihg\" is not known: did you mean high?", 0},
        {"nromal", "\"nromal\" is not known: did you mean normal?", 0},
        {"Normal", "\"Normal\" is not known: did you mean normal?", 0},
        {"urgent", "\"urgent\" is not known: write low, normal or high", 0},
        {"x", "\"x\" is not known: write low, normal or high", 0},
        {"", "\"\" is not known: write low, normal or high", 0},
        {"[low]", "must be one word", 0},
    };
    CHECK_READINGS(WORD, rows);
}

static void test_yaml_string(void **state)
{
    (void)state;
    struct dk_yaml_doc doc;
    struct dk_err err;
    const char *value = "default";
    ASSERT_OK(parse(&doc, "a: 1.10\nb: 'null'\nc: null\nd: ~\ne:\nf: [x]\ng: ''\n", &err), &err);
    ASSERT_OK(dk_yaml_string(&doc, dk_yaml_get(doc.root, "absent"), &value, &err), &err);
    ASSERT_STR(value, "default");
    ASSERT_OK(dk_yaml_string(&doc, dk_yaml_get(doc.root, "a"), &value, &err), &err);
    ASSERT_STR(value, "1.10");
    ASSERT_OK(dk_yaml_string(&doc, dk_yaml_get(doc.root, "b"), &value, &err), &err);
    ASSERT_STR(value, "null");
    ASSERT_OK(dk_yaml_string(&doc, dk_yaml_get(doc.root, "g"), &value, &err), &err);
    ASSERT_STR(value, "");
    value = "default";
    for (const char *key = "cdef"; *key != '\0'; key++) {
        const char name[] = {*key, '\0'};
        char expected[64];
        snprintf(expected, sizeof expected, "site.yaml:%d: %s must be one word or text",
                 *key - 'a' + 1, name);
        ASSERT_CODE(dk_yaml_string(&doc, dk_yaml_get(doc.root, name), &value, &err), DK_EINVAL);
        ASSERT_STR(err.message, expected);
        ASSERT_STR(value, "default");
    }
    dk_yaml_close(&doc);
}

static void test_yaml_absent_keeps_the_default(void **state)
{
    (void)state;
    static const char *const words[] = {"a", NULL};
    struct dk_yaml_doc doc;
    struct dk_err err;
    int64_t number = 5, us = 6;
    bool truth = true;
    int index = 7;
    ASSERT_OK(parse(&doc, "", &err), &err);
    ASSERT_OK(dk_yaml_int(&doc, NULL, 0, 1, &number, &err), &err);
    ASSERT_OK(dk_yaml_duration(&doc, NULL, &us, &err), &err);
    ASSERT_OK(dk_yaml_bool(&doc, NULL, &truth, &err), &err);
    ASSERT_OK(dk_yaml_word(&doc, NULL, words, &index, &err), &err);
    ASSERT_EQ(number, 5);
    ASSERT_EQ(us, 6);
    ASSERT_TRUE(truth);
    ASSERT_EQ(index, 7);
    dk_yaml_close(&doc);
}

static void test_yaml_only_names_the_nearest_key(void **state)
{
    (void)state;
    static const char *const keys[] = {"site", "zone", "broker", "checkpoint", NULL};
    static const struct {
        const char *yaml;
        const char *message; /* NULL: all is allowed */
    } rows[] = {
        {"", NULL},
        {"zone: UTC\nsite: 1\n", NULL},
        {"site: 1\nbrokr:\n  x: 1\n",
         "site.yaml:2: the key \"brokr\" is not known: did you mean broker?"},
        {"stie: 1\n", "site.yaml:1: the key \"stie\" is not known: did you mean site?"},
        {"chekpiont: 1\n",
         "site.yaml:1: the key \"chekpiont\" is not known: did you mean checkpoint?"},
        {"colour: 1\n",
         "site.yaml:1: the key \"colour\" is not known: write site, zone, broker or checkpoint"},
        {"x: 1\n",
         "site.yaml:1: the key \"x\" is not known: write site, zone, broker or checkpoint"},
        {"an-uncommonly-long-key-of-nobody-s: 1\n",
         "site.yaml:1: the key \"an-uncommonly-long-key-of-nobody-s\" is not known: "
         "write site, zone, broker or checkpoint"},
        {"- site\n", "site.yaml:1: the document must hold \"key: value\" lines"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dk_yaml_doc doc;
        struct dk_err err = {0};
        ASSERT_OK(parse(&doc, rows[i].yaml, &err), &err);
        int rc = dk_yaml_only(&doc, doc.root, keys, &err);
        ASSERT_CODE(rc, rows[i].message == NULL ? 0 : DK_EINVAL);
        ASSERT_STR(err.message, rows[i].message == NULL ? "" : rows[i].message);
        dk_yaml_close(&doc);
    }
}

static void test_yaml_error_says_where(void **state)
{
    (void)state;
    struct dk_yaml_doc doc;
    struct dk_err err;
    ASSERT_OK(parse(&doc, "a: 1\nl:\n  - 1\n  - [2]\n", &err), &err);
    const struct dk_yaml *item = dk_yaml_get(doc.root, "l")->child->next;
    ASSERT_CODE(dk_yaml_error(&doc, item, &err, "%d is too many", 3), DK_EINVAL);
    ASSERT_STR(err.message, "site.yaml:4: 3 is too many");
    const char *text;
    ASSERT_CODE(dk_yaml_string(&doc, item, &text, &err), DK_EINVAL);
    ASSERT_STR(err.message, "site.yaml:4: l must be one word or text");
    dk_yaml_close(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_tree_has_the_document_s_shape),
        cmocka_unit_test(test_yaml_text_as_people_write_it),
        cmocka_unit_test(test_yaml_of_nothing_is_an_empty_map),
        cmocka_unit_test(test_yaml_refuses_with_file_and_line),
        cmocka_unit_test(test_yaml_has_bounds),
        cmocka_unit_test(test_yaml_reads_a_map_of_many_keys),
        cmocka_unit_test(test_yaml_load_reads_files),
        cmocka_unit_test(test_yaml_load_reads_stdin),
        cmocka_unit_test(test_yaml_int),
        cmocka_unit_test(test_yaml_bool),
        cmocka_unit_test(test_yaml_duration),
        cmocka_unit_test(test_yaml_word),
        cmocka_unit_test(test_yaml_string),
        cmocka_unit_test(test_yaml_absent_keeps_the_default),
        cmocka_unit_test(test_yaml_only_names_the_nearest_key),
        cmocka_unit_test(test_yaml_error_says_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
