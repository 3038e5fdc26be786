#include "replay/import/mapping.h"

#include "docket.pb-c.h"
#include "tests/lib/assert.h"

#define FRONT "source: s\nshape: snapshots\ncase: c\nchanged: {at: t}\n" /* lines 1 to 4 */
#define ACTS  "source: s\nshape: activities\ncase: c\nchanged: {at: t}\nactivities:\n"

static int parse(struct dk_mapping *mapping, const char *text, struct dk_err *err)
{
    return dk_mapping_parse(mapping, "m.yaml", text, strlen(text), err);
}

static void test_mapping_names_line_and_mistake(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"", "m.yaml:1: it lacks \"source\""},
        {"- a\n", "m.yaml:1: the document must hold \"key: value\" lines"},
        {"source: s\n", "m.yaml:1: it lacks \"shape\""},
        {"source: ''\n", "m.yaml:1: source must have 1 to"},
        {"source: s\nshape: snapshot\n", "m.yaml:2: shape \"snapshot\" is not known: did you mean "
                                         "snapshots?"},
        {"source: s\nshape: snapshots\n", "m.yaml:1: it lacks \"case\""},
        {"source: s\nshape: snapshots\ncase: c\n", "m.yaml:1: it lacks \"changed\""},
        {"source: s\nshape: snapshots\ncase: c\nchanged: {by: b}\n", "m.yaml:4: changed lacks "
                                                                     "\"at\""},
        {FRONT "asignee: a\n",
         "m.yaml:5: the key \"asignee\" is not known: did you mean assignee?"},
        {FRONT "cases: anywhere\n", "m.yaml:5: cases \"anywhere\" is not known: write together or "
                                    "scattered"},
        {FRONT "separator: ab\n", "m.yaml:5: separator must be one character"},
        {FRONT "separator: '\"'\n", "m.yaml:5: separator must be one character, and no quote"},
        {FRONT "missing: '?'\n", "m.yaml:5: missing must be a list"},
        {FRONT "times: {format: '%d/%m'}\n", "m.yaml:5: format: \"%d/%m\" lacks year"},
        {FRONT "times:\n  zone: Europe/Atlantis\n", "m.yaml:6: zone: "},
        {FRONT "order: []\n", "m.yaml:5: order must be 1 to 3 columns"},
        {FRONT "product: [a, b, c, d, e]\n", "m.yaml:5: product must be 1 to 4 columns"},
        {FRONT "group: [a]\n", "m.yaml:5: group must be one word or text"},
        {FRONT "opened: {on: a}\n", "m.yaml:5: the key \"on\" is not known"},
        {FRONT "status: state\n", "m.yaml:5: status must hold \"key: value\" lines"},
        {FRONT "status: {column: state}\n", "m.yaml:5: status needs \"column\", and \"words\""},
        {FRONT "status:\n  column: state\n  words:\n    New: new\n    Gone: solve\n",
         "m.yaml:9: Gone \"solve\" is not known: did you mean solved?"},
        {FRONT "priority: {column: p, words: {1: urgent}}\n",
         "m.yaml:5: 1 \"urgent\" is not known: write none, critical, high, normal or low"},
        {FRONT "final: {merged: {at: a}}\n", "m.yaml:5: the key \"merged\" is not known"},
        {FRONT "attributes: [a]\n", "m.yaml:5: attributes must be up to 32 lines"},
        {FRONT "attributes:\n  a: numbr\n", "m.yaml:6: a \"numbr\" is not known: did you mean "
                                            "number?"},
        {FRONT "ignored: [x]\ngroup: x\n", "m.yaml:5: column \"x\" is ignored here and used on "
                                           "line 6"},
        {FRONT "activities: []\n", "m.yaml:5: shape: activities needs"},
        {"source: s\nshape: activities\ncase: c\nchanged: {at: t}\n", "m.yaml:1: shape: activities "
                                                                      "needs"},
        {ACTS "  a: b\n", "m.yaml:5: activities must be a list of 1 to 64"},
        {ACTS "  - {when: {e: x}}\n", "m.yaml:6: an activity needs \"is\""},
        {ACTS "  - {is: note}\n", "an activity needs \"when\""},
        {ACTS "  - {when: {e: x}, is: mesage inbound}\n",
         "m.yaml:6: is \"mesage inbound\" is not known: did you mean message inbound?"},
        {ACTS "  - {when: {e: x}, is: assigned}\n", "m.yaml:6: \"to\" names the column"},
        {ACTS "  - {when: {e: x}, is: note, to: y}\n", "m.yaml:6: \"to\" names the column"},
        {ACTS "  - {when: {e: x}, is: note, agent: y, customer: z}\n", "m.yaml:6: an activity has "
                                                                       "an agent or a customer"},
        {ACTS "  - {when: {e: x}, from: requester, is: note}\n", "m.yaml:6: \"from: requester\" "
                                                                 "needs \"customer\""},
        {ACTS "  - {when: {e: [x]}, is: note}\n", "m.yaml:6: e must be one word or text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dk_mapping mapping;
        struct dk_err err;
        ASSERT_CODE(parse(&mapping, rows[i].text, &err), DK_EINVAL);
        ASSERT_CONTAINS(err.message, rows[i].error);
    }
}

static void test_mapping_knows_its_columns(void **state)
{
    (void)state;
    struct dk_mapping mapping;
    struct dk_err err;
    ASSERT_OK(parse(&mapping,
                    FRONT "group: g\nopened: {at: t, by: g}\n"
                          "status: {column: st, words: {A: pending supplier, B: closed}}\n"
                          "attributes: {x: {type: number, from: '0'}}\nignored: [y]\n",
                    &err),
              &err);
    ASSERT_EQ(mapping.column_count, 5); /* c, t, g, st, x: each once */
    ASSERT_EQ(mapping.opened_at, mapping.changed_at);
    ASSERT_EQ(mapping.opened_by, mapping.group);
    ASSERT_EQ(mapping.assignee, DK_NO_SLOT);
    const struct dk_words *words = &mapping.worded[DK_WORDED_STATUS];
    const struct dk_word *word = dk_words_find(words, (struct dk_slice){(const uint8_t *)"A", 1});
    ASSERT_EQ(word->status, DOCKET__STATUS__STATUS_PENDING);
    ASSERT_EQ(word->value, DOCKET__PENDING__PENDING_SUPPLIER);
    ASSERT_TRUE(dk_words_find(words, (struct dk_slice){(const uint8_t *)"C", 1}) == NULL);
    ASSERT_EQ(mapping.attribute[0].type, DOCKET__FIELD_TYPE__FIELD_NUMBER);
    dk_mapping_close(&mapping);
}

static void test_mapping_binds_to_a_header(void **state)
{
    (void)state;
    struct dk_mapping mapping;
    struct dk_err err;
    size_t position[DK_MAPPING_COLUMNS_MAX];
    struct dk_slice field[] = {{(const uint8_t *)"more", 4},
                               {(const uint8_t *)"t", 1},
                               {(const uint8_t *)"c", 1},
                               {(const uint8_t *)"y", 1},
                               {(const uint8_t *)"else", 4}};
    struct dk_csv_row header = {.count = 5, .field = field};
    struct dk_buf names;
    ASSERT_OK(parse(&mapping, FRONT "ignored: [y]\n", &err), &err);
    ASSERT_OK(dk_mapping_bind(&mapping, &header, position, &err), &err);
    ASSERT_EQ(position[mapping.case_key], 2);
    ASSERT_EQ(position[mapping.changed_at], 1);
    dk_buf_init(&names, 1024);
    ASSERT_EQ(dk_mapping_unmentioned(&mapping, &header, &names), 2);
    ASSERT_STR(dk_buf_string(&names), "more, else");
    dk_buf_close(&names);

    header.count = 2;
    ASSERT_CODE(dk_mapping_bind(&mapping, &header, position, &err), DK_EINVAL);
    ASSERT_STR(err.message, "m.yaml:3: the file has no column \"c\"");
    dk_mapping_close(&mapping);
}

/* The digest is of what the mapping says, and not of how it is laid out. */
static void test_mapping_digest_ignores_layout(void **state)
{
    (void)state;
    struct dk_mapping a, b, c;
    struct dk_err err;
    ASSERT_OK(parse(&a, FRONT "missing: [x, y]\n", &err), &err);
    ASSERT_OK(parse(&b, "# a comment\n" FRONT "missing:\n  - x\n  - y # why\n", &err), &err);
    ASSERT_OK(parse(&c, FRONT "missing: [x]\n", &err), &err);
    ASSERT_EQ(memcmp(a.sha256, b.sha256, sizeof a.sha256), 0);
    ASSERT_TRUE(memcmp(a.sha256, c.sha256, sizeof a.sha256) != 0);
    dk_mapping_close(&a);
    dk_mapping_close(&b);
    dk_mapping_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapping_names_line_and_mistake),
        cmocka_unit_test(test_mapping_knows_its_columns),
        cmocka_unit_test(test_mapping_binds_to_a_header),
        cmocka_unit_test(test_mapping_digest_ignores_layout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
