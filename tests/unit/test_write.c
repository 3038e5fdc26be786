#include "broker/core/write.h"

#include "tests/lib/assert.h"

/* A store that counts, and whose sync or append fails. */
struct store {
    struct dk_store store;
    int appends, syncs;
    int append_rc, sync_rc;
};

static int append(void *self, const struct dk_batch *batch, struct dk_err *err)
{
    struct store *store = self;
    ASSERT_EQ(batch->first, 7);
    store->appends++;
    return store->append_rc == 0 ? 0 : dk_err_set(err, store->append_rc, "no append");
}

static int sync(void *self, struct dk_err *err)
{
    struct store *store = self;
    store->syncs++;
    return store->sync_rc == 0 ? 0 : dk_err_set(err, store->sync_rc, "no sync");
}

static const struct dk_batch batch = {.first = 7};

static struct dk_write begin(struct store *store)
{
    store->store = (struct dk_store){.self = store, .append = append, .sync = sync};
    return (struct dk_write){.store = &store->store, .batch = &batch};
}

static void test_write_appends_and_then_syncs(void **state)
{
    struct store store = {0};
    struct dk_write write = begin(&store);
    struct dk_err err;
    (void)state;
    ASSERT_OK(dk_write_step(&write, &err), &err);
    ASSERT_EQ(store.appends, 1);
    ASSERT_EQ(store.syncs, 0);
    ASSERT_EQ(write.next, DK_WRITE_SYNC);
    ASSERT_OK(dk_write_step(&write, &err), &err);
    ASSERT_EQ(store.appends, 1);
    ASSERT_EQ(store.syncs, 1);
    ASSERT_EQ(write.next, DK_WRITE_DURABLE);
}

static void test_write_does_not_sync_what_was_not_appended(void **state)
{
    struct store store = {.append_rc = DK_EIO};
    struct dk_write write = begin(&store);
    struct dk_err err;
    (void)state;
    ASSERT_CODE(dk_write_step(&write, &err), DK_EIO);
    ASSERT_STR(err.message, "no append");
    ASSERT_EQ(write.next, DK_WRITE_FAILED);
    ASSERT_EQ(store.syncs, 0);
}

static void test_write_syncs_once(void **state)
{
    struct store store = {.sync_rc = DK_EIO};
    struct dk_write write = begin(&store);
    struct dk_err err;
    (void)state;
    ASSERT_OK(dk_write_step(&write, &err), &err);
    ASSERT_CODE(dk_write_step(&write, &err), DK_EIO);
    ASSERT_STR(err.message, "no sync");
    ASSERT_EQ(write.next, DK_WRITE_FAILED);
    ASSERT_EQ(store.syncs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_appends_and_then_syncs),
        cmocka_unit_test(test_write_does_not_sync_what_was_not_appended),
        cmocka_unit_test(test_write_syncs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
