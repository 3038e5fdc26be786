#include "broker/core/named.h"

#include "proto/event/body.h"
#include "proto/event/fields.h"
#include "proto/event/varint.h"
#include "tests/lib/assert.h"
#include "tests/lib/bodies.h"
#include <stdio.h>
#include <stdlib.h>

/* Every field of a ticket's kind that names one ticket is entered, as the schema has it. */
static void check_kind(uint32_t kind, void *arg)
{
    const ProtobufCMessageDescriptor *descriptor = dk_body_descriptor(kind);
    const struct dk_named *named = dk_named_of(kind);
    size_t *found = arg;
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        char name[64];
        bool half = kind >= DK_KIND_MERGED_INTO && kind <= DK_KIND_LINKED_FROM;
        if (dk_rule_of(dk_rules_of_kind(kind), field) != DK_RULE_TICKET) {
            continue;
        }
        ASSERT_TRUE(named != NULL);
        snprintf(name, sizeof name, "%s.%s", dk_kind_info(kind)->field, field->name);
        ASSERT_STR(named->field, name);
        ASSERT_EQ(named->offset, field->offset);
        ASSERT_EQ(named->number, half ? field->id : 0);
        (*found)++;
    }
}

static void test_named_has_every_field_that_names_a_ticket(void **state)
{
    size_t found = 0;
    (void)state;
    test_each_kind(check_kind, &found);
    ASSERT_EQ(found, 6);
    ASSERT_TRUE(dk_named_of(DK_KIND_NOTE_ADDED) == NULL && dk_named_of(0) == NULL);
    ASSERT_TRUE(dk_named_of(DK_KIND_CUSTOMER_DEFINED) == NULL && dk_named_of(UINT32_MAX) == NULL);
}

/* Among all that a protobuf library may write, twice as well; and nothing is read past the end. */
static void test_named_values_are_found_where_they_lie(void **state)
{
    const uint8_t body[] = {
        0x0a, 2,    0x19, 0x19,                   /* 1: two bytes that look like a key */
        0x19, 1,    2,    3,    4, 5, 6, 7, 8,    /* 3, fixed64 */
        0x20, 0x80, 0x01,                         /* 4: 128 */
        0x99, 0x00, 8,    7,    6, 5, 4, 3, 2, 1, /* 3 again, its key in two bytes */
        0x2d, 0,    0,    0,    0,                /* 5, fixed32 */
    };
    size_t next = 0, value;
    (void)state;
    ASSERT_TRUE(dk_named_next(body, sizeof body, 3, &next, &value));
    ASSERT_EQ(value, 5);
    ASSERT_EQ(next, 13);
    ASSERT_TRUE(dk_named_next(body, sizeof body, 3, &next, &value));
    ASSERT_EQ(value, 18);
    ASSERT_TRUE(!dk_named_next(body, sizeof body, 3, &next, &value));
    for (size_t bytes = 0; bytes < sizeof body; bytes++) {
        uint8_t *copy = malloc(bytes + 1); /* for a sanitizer to see */
        size_t found = 0;
        memcpy(copy + 1, body, bytes);
        for (next = 0; dk_named_next(copy + 1, bytes, 3, &next, &value);) {
            ASSERT_TRUE(value + 8 == next && next <= bytes);
            found++;
        }
        ASSERT_EQ(found, (size_t)(bytes >= 13) + (bytes >= 26));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_has_every_field_that_names_a_ticket),
        cmocka_unit_test(test_named_values_are_found_where_they_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
