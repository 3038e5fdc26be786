#include "proto/event/kinds.h"
#include "proto/fold/conditions.h"

#include "tests/lib/assert.h"
#include "tests/lib/definitions.h"

#define TICKET dk_ticket_make(7, 1042)

struct world {
    struct dk_traits traits;
    struct dk_refs *refs;
    uint64_t position;
};

static int set_up(void **state)
{
    struct world *world = test_memory(sizeof *world);
    struct dk_err err;
    ASSERT_OK(dk_refs_new(&world->refs, &err), &err);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    dk_refs_free(&world->refs);
    return 0;
}

static void apply(struct world *world, uint32_t kind, const void *body)
{
    struct dk_envelope envelope = {
        .position = ++world->position, .subject = TICKET, .kind = kind, .occurred_us = 1000};
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
    size_t count = dk_transitions_of(&envelope, body, made);
    for (size_t i = 0; i < count; i++) {
        (void)dk_traits_apply(&world->traits, &made[i]);
    }
}

/* "gold", "vip": as bytes of a body. */
static ProtobufCBinaryData *words(const char *first, const char *second)
{
    ProtobufCBinaryData *made = test_memory(2 * sizeof *made);
    made[0] = test_bytes(first);
    made[1] = test_bytes(second);
    return made;
}

static void open_ticket(struct world *world)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    opened.has_customer = opened.has_product = opened.has_language = 1;
    opened.customer = test_id(DK_SUBJECT_CUSTOMER, "carl");
    opened.product = test_id(DK_SUBJECT_PRODUCT, "vpn");
    opened.has_channel = opened.has_priority = opened.has_type = 1;
    opened.channel = DOCKET__CHANNEL__CHANNEL_EMAIL;
    opened.priority = DOCKET__PRIORITY__PRIORITY_HIGH;
    opened.type = DOCKET__TICKET_TYPE__TYPE_INCIDENT;
    opened.language = test_bytes("de-AT");
    opened.n_tag = 2;
    opened.tag = words("vip", "outage");
    apply(world, DK_KIND_OPENED, &opened);
}

static bool holds(struct world *world, Docket__ConditionField field, uint64_t id, uint32_t number,
                  const char *text)
{
    Docket__Condition condition = DOCKET__CONDITION__INIT, *one = &condition;
    ProtobufCBinaryData said[2] = {test_bytes("another"), test_bytes(text != NULL ? text : "")};
    uint64_t ids[2] = {1, id};
    uint32_t numbers[2] = {99, number};
    condition.field = field;
    condition.n_id = id != 0 ? 2 : 0;
    condition.id = ids;
    condition.n_number = number != 0 ? 2 : 0;
    condition.number = numbers;
    condition.n_text = text != NULL ? 2 : 0;
    condition.text = said;
    return dk_conditions_hold(&one, 1, &world->traits, world->refs, 2000);
}

#define FIELD(NAME) DOCKET__CONDITION_FIELD__CONDITION_##NAME

static void test_conditions_on_what_stands_in_the_life(void **state)
{
    struct world *world = *state;
    open_ticket(world);
    ASSERT_TRUE(holds(world, FIELD(PRIORITY), 0, DOCKET__PRIORITY__PRIORITY_HIGH, NULL));
    ASSERT_TRUE(!holds(world, FIELD(PRIORITY), 0, DOCKET__PRIORITY__PRIORITY_LOW, NULL));
    ASSERT_TRUE(holds(world, FIELD(TYPE), 0, DOCKET__TICKET_TYPE__TYPE_INCIDENT, NULL));
    ASSERT_TRUE(!holds(world, FIELD(TYPE), 0, DOCKET__TICKET_TYPE__TYPE_CHANGE, NULL));
    ASSERT_TRUE(holds(world, FIELD(CHANNEL), 0, DOCKET__CHANNEL__CHANNEL_EMAIL, NULL));
    ASSERT_TRUE(!holds(world, FIELD(CHANNEL), 0, DOCKET__CHANNEL__CHANNEL_PHONE, NULL));
    ASSERT_TRUE(!holds(world, FIELD(GROUP), test_id(DK_SUBJECT_GROUP, "desk"), 0, NULL));
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    routed.group = test_id(DK_SUBJECT_GROUP, "desk");
    apply(world, DK_KIND_ROUTED, &routed);
    ASSERT_TRUE(holds(world, FIELD(GROUP), test_id(DK_SUBJECT_GROUP, "desk"), 0, NULL));
    ASSERT_TRUE(!holds(world, FIELD(NONE), 1, 1, "x")); /* and none that is not known here */
}

static void test_conditions_all_must_hold(void **state)
{
    struct world *world = *state;
    uint32_t high = DOCKET__PRIORITY__PRIORITY_HIGH, phone = DOCKET__CHANNEL__CHANNEL_PHONE;
    Docket__Condition first = DOCKET__CONDITION__INIT, second = DOCKET__CONDITION__INIT;
    Docket__Condition *both[] = {&first, &second};
    open_ticket(world);
    first.field = FIELD(PRIORITY);
    first.n_number = second.n_number = 1;
    first.number = &high;
    second.field = FIELD(CHANNEL);
    second.number = &phone;
    ASSERT_TRUE(dk_conditions_hold(both, 1, &world->traits, world->refs, 2000));
    ASSERT_TRUE(!dk_conditions_hold(both, 2, &world->traits, world->refs, 2000));
    ASSERT_TRUE(dk_conditions_hold(NULL, 0, &world->traits, world->refs, 2000));
}

static void test_conditions_a_product_counts_with_its_subtree(void **state)
{
    struct world *world = *state;
    Docket__ProductDefined network = DOCKET__PRODUCT_DEFINED__INIT,
                           vpn = DOCKET__PRODUCT_DEFINED__INIT;
    network.definition = test_definition("network");
    test_define(world->refs, 1, 1000, DK_KIND_PRODUCT_DEFINED, &network);
    vpn.definition = test_definition("vpn");
    vpn.has_parent = 1;
    vpn.parent = test_id(DK_SUBJECT_PRODUCT, "network");
    test_define(world->refs, 2, 1000, DK_KIND_PRODUCT_DEFINED, &vpn);
    open_ticket(world);
    ASSERT_TRUE(holds(world, FIELD(PRODUCT), test_id(DK_SUBJECT_PRODUCT, "vpn"), 0, NULL));
    ASSERT_TRUE(holds(world, FIELD(PRODUCT), test_id(DK_SUBJECT_PRODUCT, "network"), 0, NULL));
    ASSERT_TRUE(!holds(world, FIELD(PRODUCT), test_id(DK_SUBJECT_PRODUCT, "mail"), 0, NULL));
}

static void define_company(struct world *world, uint64_t position, const char *key,
                           const char *tier)
{
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    company.definition = test_definition(key);
    company.has_tier = 1;
    company.tier = test_bytes(tier);
    test_define(world->refs, position, 1000, DK_KIND_COMPANY_DEFINED, &company);
}

static void test_conditions_company_and_tier_are_the_customers_unless_stated(void **state)
{
    struct world *world = *state;
    Docket__CustomerDefined carl = DOCKET__CUSTOMER_DEFINED__INIT;
    uint64_t acme = test_id(DK_SUBJECT_COMPANY, "acme");
    Docket__RequesterChanged changed = DOCKET__REQUESTER_CHANGED__INIT;
    define_company(world, 1, "acme", "gold");
    define_company(world, 2, "initech", "silver");
    carl.definition = test_definition("carl");
    carl.has_company = 1;
    carl.company = acme;
    test_define(world->refs, 3, 1000, DK_KIND_CUSTOMER_DEFINED, &carl);
    open_ticket(world);
    ASSERT_TRUE(holds(world, FIELD(COMPANY), acme, 0, NULL));
    ASSERT_TRUE(holds(world, FIELD(TIER), 0, 0, "gold"));
    ASSERT_TRUE(!holds(world, FIELD(TIER), 0, 0, "silver"));

    Docket__Opened opened = DOCKET__OPENED__INIT; /* another ticket in the same place */
    opened.has_company = 1;
    opened.company = test_id(DK_SUBJECT_COMPANY, "initech");
    apply(world, DK_KIND_OPENED, &opened);
    ASSERT_TRUE(holds(world, FIELD(TIER), 0, 0, "silver"));
    changed.customer = test_id(DK_SUBJECT_CUSTOMER, "carl");
    apply(world, DK_KIND_REQUESTER_CHANGED, &changed);
    ASSERT_TRUE(holds(world, FIELD(COMPANY), acme, 0, NULL));
}

static void test_conditions_language_takes_in_regions(void **state)
{
    struct world *world = *state;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    open_ticket(world);
    ASSERT_TRUE(holds(world, FIELD(LANGUAGE), 0, 0, "de"));
    ASSERT_TRUE(holds(world, FIELD(LANGUAGE), 0, 0, "de-AT"));
    ASSERT_TRUE(!holds(world, FIELD(LANGUAGE), 0, 0, "de-CH"));
    ASSERT_TRUE(!holds(world, FIELD(LANGUAGE), 0, 0, "d"));
    classified.has_language = 1;
    classified.language = test_bytes("en");
    apply(world, DK_KIND_CLASSIFIED, &classified);
    ASSERT_TRUE(holds(world, FIELD(LANGUAGE), 0, 0, "en"));
    ASSERT_TRUE(!holds(world, FIELD(LANGUAGE), 0, 0, "de"));
}

static void test_conditions_tags_come_and_go(void **state)
{
    struct world *world = *state;
    Docket__Classified classified = DOCKET__CLASSIFIED__INIT;
    open_ticket(world);
    ASSERT_TRUE(holds(world, FIELD(TAG), 0, 0, "vip"));
    ASSERT_TRUE(holds(world, FIELD(TAG), 0, 0, "outage"));
    ASSERT_TRUE(!holds(world, FIELD(TAG), 0, 0, "vi"));
    struct dk_traits before = world->traits;

    classified.n_tag_added = 2;
    classified.tag_added = words("vip", "beta"); /* one of them is there already */
    apply(world, DK_KIND_CLASSIFIED, &classified);
    ASSERT_TRUE(holds(world, FIELD(TAG), 0, 0, "beta"));

    classified.n_tag_added = 0;
    classified.n_tag_removed = 2;
    classified.tag_removed = words("beta", "never");
    apply(world, DK_KIND_CLASSIFIED, &classified);
    ASSERT_TRUE(!holds(world, FIELD(TAG), 0, 0, "beta"));
    ASSERT_TRUE(holds(world, FIELD(TAG), 0, 0, "vip"));
    ASSERT_EQ(dk_traits_bytes(&world->traits), dk_traits_bytes(&before));
    assert_memory_equal(&world->traits, &before, dk_traits_bytes(&before));

    classified.tag_removed = words("vip", "outage"); /* the first one moves the rest */
    apply(world, DK_KIND_CLASSIFIED, &classified);
    ASSERT_TRUE(!holds(world, FIELD(TAG), 0, 0, "vip"));
    ASSERT_TRUE(!holds(world, FIELD(TAG), 0, 0, "outage"));
}

static void test_conditions_supplier_is_the_last_that_had_it(void **state)
{
    struct world *world = *state;
    Docket__SupplierHanded handed = DOCKET__SUPPLIER_HANDED__INIT;
    Docket__SupplierReturned returned = DOCKET__SUPPLIER_RETURNED__INIT;
    uint64_t vendor = test_id(DK_SUBJECT_SUPPLIER, "vendor");
    open_ticket(world);
    ASSERT_TRUE(!holds(world, FIELD(SUPPLIER), vendor, 0, NULL));
    handed.supplier = returned.supplier = vendor;
    apply(world, DK_KIND_SUPPLIER_HANDED, &handed);
    ASSERT_TRUE(holds(world, FIELD(SUPPLIER), vendor, 0, NULL));
    apply(world, DK_KIND_SUPPLIER_RETURNED, &returned);
    ASSERT_TRUE(holds(world, FIELD(SUPPLIER), vendor, 0, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_conditions_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(on_what_stands_in_the_life),
        TEST(all_must_hold),
        TEST(a_product_counts_with_its_subtree),
        TEST(company_and_tier_are_the_customers_unless_stated),
        TEST(language_takes_in_regions),
        TEST(tags_come_and_go),
        TEST(supplier_is_the_last_that_had_it),
    };
    return cmocka_run_group_tests_name("conditions", tests, NULL, NULL);
}
