#include "proto/event/kinds.h"

#include "docket.pb-c.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t all[] = {
#define X(number, NAME, field, word, cls, roles) number,
    DK_KINDS(X)
#undef X
};
#define COUNT (sizeof all / sizeof all[0])

static void test_kinds_are_the_bodies_of_the_schema(void **state)
{
    (void)state;
    size_t bodies = 0;
    for (unsigned i = 0; i < docket__event__descriptor.n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &docket__event__descriptor.fields[i];
        if (field->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        const struct dk_kind_info *info = dk_kind_info(field->id);
        assert_non_null(info);
        assert_int_equal(info->kind, field->id);
        assert_string_equal(info->field, field->name);
        bodies++;
    }
    assert_int_equal(bodies, COUNT);
}

static void test_kinds_have_words_that_lead_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(dk_kind_of(dk_kind_info(all[i])->word), all[i]);
    assert_int_equal(dk_kind_of("no-such-kind"), 0);
    assert_int_equal(dk_kind_of(""), 0);
}

static void test_kinds_say_their_subject_and_who_may_append(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        bool of_ticket = dk_kind_info(all[i])->subject_class == DK_SUBJECT_TICKET;
        assert_int_equal(of_ticket, all[i] <= DK_KIND_TICKET_LAST);
        assert_in_range(all[i], DK_KIND_MIN, DK_KIND_MAX);
    }
    uint32_t roles = dk_kind_info(DK_KIND_CLOCK_BREACHED)->roles;
    assert_int_equal(roles, DK_ROLE_BIT(DK_ROLE_SLA));
    assert_int_equal(dk_kind_info(DK_KIND_AGENT_DEFINED)->subject_class, DK_SUBJECT_AGENT);
}

static void test_kinds_outside_the_table_are_unknown(void **state)
{
    (void)state;
    const uint32_t unknown[] = {0, 15, 70, 95, 112, 119, 125, DK_KIND_MAX, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        assert_null(dk_kind_info(unknown[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_are_the_bodies_of_the_schema),
        cmocka_unit_test(test_kinds_have_words_that_lead_back),
        cmocka_unit_test(test_kinds_say_their_subject_and_who_may_append),
        cmocka_unit_test(test_kinds_outside_the_table_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
