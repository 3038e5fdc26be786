#include "proto/event/wire.h"

#include "docket.pb-c.h"
#include "tests/lib/bodies.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define APPENDS 30

/* What dk_append_list_read hands on, against what was written. */
struct got {
    size_t count;
    uint64_t id[APPENDS];
    size_t events[APPENDS];
};

static struct dk_append append_out; /* 20 KB: too much for some stacks */

static void on_append(void *arg, const struct dk_request *append)
{
    struct got *got = arg;
    struct dk_err err;
    assert_in_range(got->count, 0, APPENDS - 1);
    assert_int_equal(append->op, DK_OP_APPEND);
    assert_int_equal(append->protocol, DK_PROTOCOL);
    assert_int_equal(dk_append_read(append->body, &append_out, &err), 0);
    got->id[got->count] = append->id;
    got->events[got->count++] = append_out.count;
}

static void never(void *arg, const struct dk_request *append)
{
    (void)arg;
    (void)append;
    fail_msg("an append of a list that is refused was handed on");
}

static void test_wire_list_goes_both_ways(void **state)
{
    (void)state;
    struct test_random random = {1};
    for (int round = 0; round < 100; round++) {
        static const uint8_t bytes[300] = "an event";
        size_t appends = test_random_below(&random, APPENDS), count[APPENDS];
        struct dk_slice event[8];
        struct dk_request request;
        struct got got = {0};
        struct dk_buf buf;
        dk_buf_init(&buf, DK_FRAME_MAX_BYTES);
        size_t mark = dk_append_list_begin(&buf, 7);
        for (size_t i = 0; i < appends; i++) {
            count[i] = 1 + test_random_below(&random, 8);
            for (size_t k = 0; k < count[i]; k++)
                event[k] = (struct dk_slice){bytes, test_random_below(&random, sizeof bytes)};
            assert_int_equal(dk_append_list_add(&buf, 100 + i, event, NULL, count[i], i % 2), 0);
        }
        assert_int_equal(dk_append_list_end(&buf, mark), 0);

        Docket__Request *unpacked = docket__request__unpack(NULL, buf.size, buf.data);
        assert_non_null(unpacked);
        assert_int_equal(unpacked->id, 7);
        assert_int_equal(unpacked->op_case, DOCKET__REQUEST__OP_APPEND_LIST);
        assert_int_equal(unpacked->append_list->n_append, appends);
        assert_int_equal(dk_request_read(buf.data, buf.size, &request, NULL), 0);
        assert_int_equal(request.op, DK_OP_APPEND_LIST);
        assert_int_equal(dk_append_list_read(&request, on_append, &got, NULL), 0);
        assert_int_equal(got.count, appends);
        for (size_t i = 0; i < appends; i++) {
            const Docket__ListedAppend *listed = unpacked->append_list->append[i];
            assert_int_equal(listed->request, 100 + i);
            assert_int_equal(listed->append->n_event, count[i]);
            assert_int_equal(listed->append->has_atomic && listed->append->atomic, i % 2);
            assert_int_equal(got.id[i], 100 + i);
            assert_int_equal(got.events[i], count[i]);
        }
        docket__request__free_unpacked(unpacked, NULL);
        dk_buf_close(&buf);
    }
}

static void test_wire_list_refuses_what_is_malformed(void **state)
{
    (void)state;
#define LISTED "\x0a\x0e\x09\7\0\0\0\0\0\0\0\x12\x03\x0a\x01x"
    static const struct {
        const char *what;
        const char *bytes;
        size_t count;
    } lists[] = {
#define BYTES(text) text, sizeof text - 1
        {"a listed append without an append", BYTES(LISTED "\x0a\x09\x09\7\0\0\0\0\0\0\0")},
        {"a listed append without an id", BYTES(LISTED "\x0a\x05\x12\x03\x0a\x01x")},
        {"the append before the id", BYTES(LISTED "\x0a\x0e\x12\x03\x0a\x01x\x09\7\0\0\0\0\0\0\0")},
        {"something after the append",
         BYTES(LISTED "\x0a\x10\x09\7\0\0\0\0\0\0\0\x12\x03\x0a\x01x\x08\x01")},
        {"an append over the end", BYTES(LISTED "\x0a\x0e\x09\7\0\0\0\0\0\0\0\x12\x04\x0a\x01x")},
        {"a listed append over the end", BYTES(LISTED "\x0a\x7f\x09\7")},
        {"another field", BYTES(LISTED "\x12\x00")},
        {"a listed append that is a number", BYTES(LISTED "\x08\x01")},
        {"half a tag", BYTES(LISTED "\x8a")},
#undef BYTES
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct dk_request list = {.op = DK_OP_APPEND_LIST, .protocol = DK_PROTOCOL};
        struct dk_err err = {0};
        list.body = (struct dk_slice){(const uint8_t *)lists[i].bytes, lists[i].count};
        if (dk_append_list_read(&list, never, NULL, &err) != DK_EINVAL)
            fail_msg("%s: %s", lists[i].what, err.message);
    }
    struct dk_request list = {.op = DK_OP_APPEND_LIST, .protocol = DK_PROTOCOL};
    struct got got = {0};
    list.body = (struct dk_slice){(const uint8_t *)LISTED, sizeof LISTED - 1};
    assert_int_equal(dk_append_list_read(&list, on_append, &got, NULL), 0);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.id[0], 7);
#undef LISTED
}

static void test_wire_list_is_bounded(void **state)
{
    (void)state;
    const struct dk_slice event = {(const uint8_t *)"event", 5};
    struct dk_request list;
    struct dk_err err;
    struct dk_buf buf;
    dk_buf_init(&buf, DK_FRAME_MAX_BYTES);
    size_t mark = dk_append_list_begin(&buf, 1);
    for (size_t i = 0; i <= DK_REQUEST_MAX_EVENTS; i++)
        assert_int_equal(dk_append_list_add(&buf, i, &event, NULL, 1, 0), 0);
    assert_int_equal(dk_append_list_end(&buf, mark), 0);
    assert_int_equal(dk_request_read(buf.data, buf.size, &list, NULL), 0);
    assert_int_equal(dk_append_list_read(&list, never, NULL, &err), DK_ETOOBIG);
    assert_string_equal(err.field, "append_list");
    dk_buf_close(&buf);

    dk_buf_init(&buf, 20);
    assert_int_equal(dk_append_list_begin(&buf, 1), 15);
    assert_int_equal(dk_append_list_add(&buf, 1, &event, NULL, 1, 0), DK_ETOOBIG);
    assert_int_equal(buf.size, 19);
    assert_true(dk_append_list_begin(&buf, 1) == SIZE_MAX);
    dk_buf_close(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_list_goes_both_ways),
        cmocka_unit_test(test_wire_list_refuses_what_is_malformed),
        cmocka_unit_test(test_wire_list_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
