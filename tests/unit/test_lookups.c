#include "broker/log/lookups.h"

#include "tests/lib/assert.h"
#include "tests/lib/log_fixture.h"

struct fixture {
    struct test_log test;
    struct test_batch batch;
    struct dk_lookups *lookups;
    struct dk_err err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    *state = f;
    test_batch_init(&f->batch);
    test_batch_begin(&f->batch, 1);
    return test_log_open(&f->test) != 0 ||
           dk_lookups_open(&f->lookups, f->test.dir, f->test.log, DK_LOG_WRITE, &f->err) != 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    dk_lookups_close(&f->lookups);
    test_batch_close(&f->batch);
    test_log_close(&f->test);
    free(f);
    return 0;
}

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

/* Opens ticket `number` with these names; NULL for none. */
static void put_opened(struct fixture *f, uint64_t number, const char *reference,
                       const char *case_key)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    if (reference != NULL) {
        opened.has_reference = 1;
        opened.reference = bytes_of(reference);
    }
    if (case_key != NULL) {
        origin.has_case_key = 1;
        origin.case_key = bytes_of(case_key);
        opened.origin = &origin;
    }
    struct dk_envelope envelope = {.subject = dk_ticket_make(1, number), .subject_version = 1};
    test_batch_put(&f->batch, &envelope, DK_KIND_OPENED, &opened.base);
}

static void commit(struct fixture *f)
{
    uint64_t next = f->batch.batch.first + f->batch.batch.count;
    ASSERT_OK(dk_log_commit(f->test.log, &f->batch.batch, &f->err), &f->err);
    test_batch_begin(&f->batch, next);
}

static void advance(struct fixture *f)
{
    bool more = true;
    while (more)
        ASSERT_OK(dk_lookups_advance(f->lookups, f->test.reader, 3, &more, &f->err), &f->err);
}

static int get(struct fixture *f, const char *reference, uint64_t *ticket)
{
    struct dk_bearers bearers = {0};
    ASSERT_OK(dk_lookups_find(f->lookups, reference, strlen(reference), &bearers, &f->err),
              &f->err);
    return dk_bearers_only(&bearers, reference, strlen(reference), ticket, &f->err);
}

static void check(struct fixture *f, const char *reference, uint64_t number)
{
    uint64_t ticket;
    ASSERT_OK(get(f, reference, &ticket), &f->err);
    ASSERT_EQ(ticket, dk_ticket_make(1, number));
}

static void check_code(struct fixture *f, const char *reference, int code)
{
    uint64_t ticket;
    ASSERT_CODE(get(f, reference, &ticket), code);
}

static void test_lookups_find_tickets_by_their_names(void **state)
{
    struct fixture *f = *state;
    check_code(f, "INC1", DK_ENOTFOUND);
    put_opened(f, 1, "INC1", NULL);
    put_opened(f, 2, "INC10", NULL);
    put_opened(f, 3, NULL, "case 3");
    put_opened(f, 4, "INC4", "case 4");
    put_opened(f, 5, NULL, NULL);
    put_opened(f, 6, "I", NULL);
    test_batch_note(&f->batch, 20);
    commit(f);
    check_code(f, "INC1", DK_ENOTFOUND); /* not taken in yet */
    advance(f);

    check(f, "INC1", 1);
    check(f, "INC10", 2);
    check(f, "case 3", 3);
    check(f, "INC4", 4);
    check(f, "case 4", 4);
    check(f, "I", 6);
    check_code(f, "INC", DK_ENOTFOUND);
    check_code(f, "INC100", DK_ENOTFOUND);
    check_code(f, "", DK_ENOTFOUND);
    uint64_t position;
    ASSERT_OK(dk_lookups_position(f->lookups, &position, &f->err), &f->err);
    ASSERT_EQ(position, 7);
}

static void test_lookups_tell_when_a_name_is_not_one_ticket(void **state)
{
    struct fixture *f = *state;
    put_opened(f, 1, "7", "7");
    put_opened(f, 2, "8", NULL);
    put_opened(f, 3, NULL, "8");
    commit(f);
    advance(f);
    check(f, "7", 1);
    check_code(f, "8", DK_ECONFLICT);
    ASSERT_CONTAINS(f->err.message, "the reference \"8\" names 1-2 and 1-3: say which");
    for (uint64_t number = 300; number >= 291; number--)
        put_opened(f, number, "8", NULL);
    commit(f);
    advance(f);
    check_code(f, "8", DK_ECONFLICT);
    ASSERT_CONTAINS(f->err.message, " and more: say which");
    check(f, "7", 1);
}

static void test_lookups_list_bearers_in_order_and_once(void **state)
{
    struct dk_bearers bearers = {0};
    struct dk_err err;
    uint64_t ticket;
    (void)state;
    ASSERT_CODE(dk_bearers_only(&bearers, "X", 1, &ticket, &err), DK_ENOTFOUND);
    dk_bearers_add(&bearers, dk_ticket_make(1, 7));
    dk_bearers_add(&bearers, dk_ticket_make(1, 7));
    ASSERT_EQ(dk_bearers_only(&bearers, "X", 1, &ticket, &err), 0);
    ASSERT_EQ(ticket, dk_ticket_make(1, 7));
    dk_bearers_add(&bearers, dk_ticket_make(1, 1));
    dk_bearers_add(&bearers, dk_ticket_make(1, 3));
    dk_bearers_add(&bearers, dk_ticket_make(1, 1));
    ASSERT_CODE(dk_bearers_only(&bearers, "X", 1, &ticket, &err), DK_ECONFLICT);
    ASSERT_CONTAINS(err.message, "the reference \"X\" names 1-1, 1-3 and 1-7: say which");
}

static void test_lookups_go_on_where_they_were(void **state)
{
    struct fixture *f = *state;
    for (uint64_t number = 1; number <= 50; number++) {
        char reference[16];
        snprintf(reference, sizeof reference, "R-%llu", (unsigned long long)number);
        put_opened(f, number, reference, NULL);
        if (number % 10 == 0)
            commit(f);
        if (number == 20)
            advance(f);
    }
    dk_lookups_close(&f->lookups);
    ASSERT_OK(dk_lookups_open(&f->lookups, f->test.dir, f->test.log, DK_LOG_WRITE, &f->err),
              &f->err);
    check(f, "R-20", 20);
    check_code(f, "R-21", DK_ENOTFOUND);
    bool more;
    ASSERT_OK(dk_lookups_advance(f->lookups, f->test.reader, 10, &more, &f->err), &f->err);
    ASSERT_TRUE(more);
    check(f, "R-30", 30);
    check_code(f, "R-31", DK_ENOTFOUND);
    advance(f);
    for (uint64_t number = 1; number <= 50; number++) {
        char reference[16];
        snprintf(reference, sizeof reference, "R-%llu", (unsigned long long)number);
        check(f, reference, number);
    }
}

static void test_lookups_of_another_log_are_refused(void **state)
{
    struct fixture *f = *state;
    struct test_log other;
    ASSERT_EQ(test_log_open(&other), 0);
    dk_lookups_close(&f->lookups);
    ASSERT_CODE(dk_lookups_open(&f->lookups, f->test.dir, other.log, DK_LOG_READ, &f->err),
                DK_EDIVERGED);
    test_log_close(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lookups_find_tickets_by_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lookups_tell_when_a_name_is_not_one_ticket, setup,
                                        teardown),
        cmocka_unit_test(test_lookups_list_bearers_in_order_and_once),
        cmocka_unit_test_setup_teardown(test_lookups_go_on_where_they_were, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lookups_of_another_log_are_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
