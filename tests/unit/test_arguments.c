#include "proto/event/body.h"
#include "proto/event/kinds.h"
#include "replay/cli/verb.h"
#include "tests/lib/assert.h"

static const struct dk_parameter parameters[] = {
    {"TICKET", NULL, "", NULL, DK_NEEDED, 0}, {"WHO", NULL, "", NULL, DK_MANY, 0},
    {"--line", "NUMBER", "", NULL, 0, 0},     {"--tag", "TAG", "", NULL, DK_MANY, 0},
    {"--follow", NULL, "", NULL, 0, 'f'},     {"--wait", "[SECONDS]", "", NULL, 0, 0},
    {NULL, "solved", NULL, "status", 0, 0},   DK_PARAMETERS_END,
};

#define MAX 8

/* Parses blank-separated words behind the verb's name. */
static int parse(struct dk_arguments *arguments, const char *words, struct dk_err *err)
{
    static char text[256];
    char *argv[MAX + 2] = {(char[]){"verb"}};
    int argc = 1, used = 0;
    *arguments = (struct dk_arguments){.list = {parameters}};
    strncpy(text, words, sizeof text - 1);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    int rc = dk_arguments_parse(arguments, argc, argv, 0, &used, err);
    return rc != 0 ? rc : dk_arguments_complete(arguments, err);
}

static void test_arguments_come_in_any_order(void **state)
{
    struct dk_arguments a;
    struct dk_err err = {0};
    size_t cursor = 0;
    (void)state;
    ASSERT_OK(parse(&a, "--line 2 1-42 --tag x -f ben --tag=y eve", &err), &err);
    ASSERT_STR(dk_argument(&a, "TICKET"), "1-42");
    ASSERT_STR(dk_argument(&a, "--line"), "2");
    ASSERT_STR(dk_argument(&a, "--follow"), "yes");
    ASSERT_TRUE(dk_argument(&a, "--wait") == NULL);
    ASSERT_STR(dk_argument_next(&a, "--tag", &cursor), "x");
    ASSERT_STR(dk_argument_next(&a, "--tag", &cursor), "y");
    ASSERT_TRUE(dk_argument_next(&a, "--tag", &cursor) == NULL);
    cursor = 0;
    ASSERT_STR(dk_argument_next(&a, "WHO", &cursor), "ben");
    ASSERT_STR(dk_argument_next(&a, "WHO", &cursor), "eve");
}

static void test_arguments_may_look_like_options(void **state)
{
    struct dk_arguments a;
    struct dk_err err = {0};
    (void)state;
    ASSERT_OK(parse(&a, "--line -2h - --wait", &err), &err);
    ASSERT_STR(dk_argument(&a, "--line"), "-2h");
    ASSERT_STR(dk_argument(&a, "TICKET"), "-");
    ASSERT_STR(dk_argument(&a, "--wait"), "");
    ASSERT_OK(parse(&a, "--wait=5 -- --tag", &err), &err);
    ASSERT_STR(dk_argument(&a, "--wait"), "5");
    ASSERT_STR(dk_argument(&a, "TICKET"), "--tag");
    ASSERT_OK(parse(&a, "-2h -4.5 --fol", &err), &err); /* no option begins with a digit */
    ASSERT_STR(dk_argument(&a, "TICKET"), "-2h");
    ASSERT_STR(dk_argument(&a, "WHO"), "-4.5");
    ASSERT_STR(dk_argument(&a, "--follow"), "yes");
}

static void test_arguments_that_do_not_fit_are_named(void **state)
{
    static const struct {
        const char *words;
        const char *says;
    } cases[] = {
        {"", "TICKET is missing"},
        {"1-42 --line", "--line needs a value"},
        {"1-42 --lime 2", "--lime is not understood: is --line meant?"},
        {"1-42 --xyzzy=1", "--xyzzy is not understood"},
        {"--follow=yes 1-42", "--follow takes no value"},
        {"1-42 -fx", "-fx is not understood"},
        {"1-42 ben -xf", "-xf is not understood"},
        {"1-42 --line 2 --line 3", "--line is given twice"},
        {"1-42 -x", "-x is not understood"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dk_arguments a;
        struct dk_err err = {0};
        ASSERT_CODE(parse(&a, cases[i].words, &err), DK_EINVAL);
        ASSERT_CONTAINS(err.message, cases[i].says);
    }
}

static void test_arguments_before_the_verb_end_at_it(void **state)
{
    char *argv[] = {(char[]){"docket"}, (char[]){"--line"}, (char[]){"2"},
                    (char[]){"show"},   (char[]){"-f"},     NULL};
    struct dk_arguments a = {.list = {parameters}};
    struct dk_err err = {0};
    int used = 0;
    (void)state;
    ASSERT_OK(dk_arguments_parse(&a, 5, argv, 1, &used, &err), &err);
    ASSERT_EQ(used, 3);
    ASSERT_EQ(a.count, 1);
}

static void test_verbs_are_found_by_one_or_two_words(void **state)
{
    char *two[] = {(char[]){"replay"}, (char[]){"verify"}, NULL};
    char *one[] = {(char[]){"open"}, (char[]){"verify"}, NULL};
    int words = 0;
    (void)state;
    ASSERT_STR(dk_verb_find(2, two, &words)->name, "replay verify");
    ASSERT_EQ(words, 2);
    ASSERT_STR(dk_verb_find(2, one, &words)->name, "open");
    ASSERT_EQ(words, 1);
    ASSERT_TRUE(dk_verb_find(1, two, &words) == NULL);
    ASSERT_STR(dk_verb_nearest("relpy"), "reply");
}

static void test_verbs_are_begun_by_their_first_words(void **state)
{
    char *argv[] = {(char[]){"replay"}, (char[]){"sla"}, (char[]){"explain"}, (char[]){"1-1"},
                    NULL};
    char *kpi[] = {(char[]){"kpi"}, (char[]){"credits"}, NULL};
    int words = 0;
    (void)state;
    ASSERT_EQ(dk_verb_begun(1, argv), 1);
    ASSERT_EQ(dk_verb_begun(2, argv), 2);
    ASSERT_EQ(dk_verb_begun(1, argv + 3), 0);
    ASSERT_STR(dk_verb_find(4, argv, &words)->name, "replay sla explain");
    ASSERT_EQ(words, 3);
    ASSERT_STR(dk_verb_find(2, kpi, &words)->name, "kpi credits");
    ASSERT_STR(dk_verb_find(1, kpi, &words)->name, "kpi");
    ASSERT_TRUE(dk_verb_is_below(dk_verb_find(2, kpi, &words), "kpi"));
    ASSERT_TRUE(!dk_verb_is_below(dk_verb_find(1, kpi, &words), "kpi"));
}

/* Every verb says what it does and how; what an action fills is a field of its body, and required
 * fields are either needed arguments or the verb's own to fill. */
static void test_verbs_tables_fit_the_schema(void **state)
{
    (void)state;
    for (size_t g = 0; g < dk_verb_group_count; g++) {
        for (const struct dk_verb *v = dk_verb_groups[g].verb; v->name != NULL; v++) {
            const ProtobufCMessageDescriptor *body = dk_body_descriptor(v->kind);
            ASSERT_TRUE(v->summary != NULL && v->example != NULL && v->run != NULL);
            for (const struct dk_parameter *p = v->parameter; !dk_parameter_last(p); p++) {
                ASSERT_TRUE(p->name == NULL || p->help != NULL);
                if (p->field != NULL &&
                    (body == NULL ||
                     protobuf_c_message_descriptor_get_field_by_name(body, p->field) == NULL)) {
                    fail_msg("docket %s: no field %s", v->name, p->field);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_come_in_any_order),
        cmocka_unit_test(test_arguments_may_look_like_options),
        cmocka_unit_test(test_arguments_that_do_not_fit_are_named),
        cmocka_unit_test(test_arguments_before_the_verb_end_at_it),
        cmocka_unit_test(test_verbs_are_found_by_one_or_two_words),
        cmocka_unit_test(test_verbs_are_begun_by_their_first_words),
        cmocka_unit_test(test_verbs_tables_fit_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
