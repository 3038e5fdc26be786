#include "proto/event/wire.h"

#include "tests/lib/bodies.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define EVENTS 40

static struct dk_append append_out; /* 20 KB: too much for some stacks */

/* Events of random lengths and bytes; what they hold does not matter here. */
struct events {
    struct dk_slice slice[EVENTS];
    uint32_t version[EVENTS];
    size_t count;
};

static struct events random_events(struct test_random *random)
{
    static uint8_t shared[400];
    struct events events = {.count = 1 + test_random_below(random, EVENTS)};
    for (size_t i = 0; i < sizeof shared; i++)
        shared[i] = (uint8_t)i;
    for (size_t i = 0; i < events.count; i++) {
        size_t size = test_random_below(random, sizeof shared);
        events.slice[i] = (struct dk_slice){shared + test_random_below(random, 400 - size), size};
        events.version[i] = (uint32_t)(test_random_next(random) >> test_random_below(random, 64));
    }
    return events;
}

static void assert_slice(struct dk_slice slice, const uint8_t *data, size_t size)
{
    assert_int_equal(slice.size, size);
    assert_memory_equal(slice.data, data, size);
}

static void test_wire_append_is_read_by_protobuf_c(void **state)
{
    (void)state;
    struct test_random random = {1};
    for (int round = 0; round < 200; round++) {
        struct events events = random_events(&random);
        bool versions = round % 2 == 0;
        bool atomic = round % 3 == 0;
        struct dk_buf buf;
        dk_buf_init(&buf, DK_FRAME_MAX_BYTES);
        assert_int_equal(dk_append_write(&buf, 77, events.slice, versions ? events.version : NULL,
                                         events.count, atomic),
                         0);
        Docket__Request *request = docket__request__unpack(NULL, buf.size, buf.data);
        assert_non_null(request);
        assert_int_equal(request->id, 77);
        assert_int_equal(request->protocol, DK_PROTOCOL);
        assert_int_equal(request->op_case, DOCKET__REQUEST__OP_APPEND);
        const Docket__Append *append = request->append;
        assert_int_equal(append->n_event, events.count);
        assert_int_equal(append->n_expected_version, versions ? events.count : 0);
        assert_int_equal(append->has_atomic && append->atomic, atomic);
        for (size_t i = 0; i < events.count; i++) {
            assert_slice(events.slice[i], append->event[i].data, append->event[i].len);
            if (versions)
                assert_int_equal(append->expected_version[i], events.version[i]);
        }
        docket__request__free_unpacked(request, NULL);
        dk_buf_close(&buf);
    }
}

/* A request as a protobuf library would send it; freed by the caller. */
static uint8_t *pack_request(Docket__Append *append, size_t *bytes)
{
    Docket__Request request = DOCKET__REQUEST__INIT;
    request.id = 99;
    request.protocol = DK_PROTOCOL;
    request.op_case = DOCKET__REQUEST__OP_APPEND;
    request.append = append;
    uint8_t *frame = malloc(docket__request__get_packed_size(&request));
    assert_non_null(frame);
    *bytes = docket__request__pack(&request, frame);
    return frame;
}

static void test_wire_append_of_protobuf_c_is_read(void **state)
{
    (void)state;
    struct test_random random = {2};
    for (int round = 0; round < 200; round++) {
        struct events events = random_events(&random);
        struct dk_request request;
        ProtobufCBinaryData event[EVENTS];
        size_t bytes;
        for (size_t i = 0; i < events.count; i++)
            event[i] = (ProtobufCBinaryData){events.slice[i].size, (uint8_t *)events.slice[i].data};
        Docket__Append append = DOCKET__APPEND__INIT;
        append.n_event = events.count;
        append.event = event;
        append.n_expected_version = round % 2 == 0 ? events.count : 0;
        append.expected_version = events.version;
        append.has_atomic = round % 3 == 0;
        append.atomic = round % 6 == 0;
        uint8_t *frame = pack_request(&append, &bytes);
        assert_int_equal(dk_request_read(frame, bytes, &request, NULL), 0);
        assert_int_equal(request.id, 99);
        assert_int_equal(request.op, DK_OP_APPEND);
        assert_int_equal(dk_append_read(request.body, &append_out, NULL), 0);
        assert_int_equal(append_out.count, events.count);
        assert_int_equal(append_out.atomic, append.has_atomic && append.atomic);
        for (size_t i = 0; i < events.count; i++) {
            assert_slice(append_out.event[i], events.slice[i].data, events.slice[i].size);
            assert_int_equal(append_out.expected_version[i],
                             append.n_expected_version > 0 ? events.version[i] : 0);
        }
        free(frame);
    }
}

struct bytes {
    const char *what;
    const char *bytes;
    size_t count;
    int code;
};
#define BYTES(text) text, sizeof text - 1

static void test_wire_append_forms(void **state)
{
    (void)state;
    const struct bytes forms[] = {
        {"one event", BYTES("\x0a\x01x"), 0},
        {"an empty event", BYTES("\x0a\x00"), 0},
        {"versions in one field", BYTES("\x0a\x01x\x0a\x01y\x12\x02\x05\x06"), 0},
        {"versions in a field each", BYTES("\x0a\x01x\x0a\x01y\x10\x05\x10\x06"), 0},
        {"versions in both ways", BYTES("\x0a\x01x\x0a\x01y\x12\x01\x05\x10\x06"), 0},
        {"versions before events", BYTES("\x10\x05\x0a\x01x"), 0},
        {"no versions after all", BYTES("\x12\x00\x0a\x01x"), 0},
        {"the largest version", BYTES("\x0a\x01x\x10\xff\xff\xff\xff\x0f"), 0},
        {"a length longer than need be", BYTES("\x0a\x81\x00x"), 0},
        {"fields of tomorrow", BYTES("\x0a\x01x\xa0\x06\x01\xa2\x06\x01z\x59\1\2\3\4\5\6\7\x8"), 0},
        {"nothing", BYTES(""), DK_EINVAL},
        {"no event", BYTES("\x18\x01"), DK_EINVAL},
        {"fewer versions than events", BYTES("\x0a\x01x\x0a\x01y\x10\x05"), DK_EINVAL},
        {"more versions than events", BYTES("\x0a\x01x\x12\x02\x05\x06"), DK_EINVAL},
        {"a version of 33 bits", BYTES("\x0a\x01x\x10\xff\xff\xff\xff\x1f"), DK_EINVAL},
        {"a version of 11 bytes", BYTES("\x0a\x01x\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0"),
         DK_EINVAL},
        {"a version of 65 bits", BYTES("\x0a\x01x\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"),
         DK_EINVAL},
        {"a packed version cut off", BYTES("\x0a\x01x\x12\x02\x05\x86"), DK_EINVAL},
        {"a tag cut off", BYTES("\x0a\x01x\x8a"), DK_EINVAL},
        {"a tag of 6 bytes", BYTES("\x8a\x80\x80\x80\x80\x00\x01x"), DK_EINVAL},
        {"a tag of more than 32 bits", BYTES("\x8a\x80\x80\x80\x1f\x01x"), DK_EINVAL},
        {"field number 0", BYTES("\x0a\x01x\x02\x01x"), DK_EINVAL},
        {"a length cut off", BYTES("\x0a"), DK_EINVAL},
        {"a length over the end", BYTES("\x0a\x02x"), DK_EINVAL},
        {"a length near 2^32", BYTES("\x0a\xff\xff\xff\xff\x0fx"), DK_EINVAL},
        {"a length of 6 bytes", BYTES("\x0a\x81\x80\x80\x80\x80\x00x"), DK_EINVAL},
        {"8 bytes cut off", BYTES("\x0a\x01x\x59\1\2\3"), DK_EINVAL},
        {"4 bytes cut off", BYTES("\x0a\x01x\x5d\1\2\3"), DK_EINVAL},
        {"a group", BYTES("\x0a\x01x\x5b\x5c"), DK_EINVAL},
        {"an event that is a number", BYTES("\x08\x01"), DK_EINVAL},
        {"a version of 4 bytes", BYTES("\x0a\x01x\x15\1\0\0\0"), DK_EINVAL},
        {"atomic as bytes", BYTES("\x0a\x01x\x1a\x01\x01"), DK_EINVAL},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct dk_slice body = {(const uint8_t *)forms[i].bytes, forms[i].count};
        struct dk_err err = {0};
        if (dk_append_read(body, &append_out, &err) != forms[i].code)
            fail_msg("%s: %s %s", forms[i].what, dk_code_name(err.code), err.message);
        Docket__Append *append = docket__append__unpack(NULL, body.size, body.data);
        if (forms[i].code == 0) {
            assert_non_null(append);
            assert_int_equal(append->n_event, append_out.count);
        }
        docket__append__free_unpacked(append, NULL);
    }
}

static void test_wire_append_is_bounded(void **state)
{
    (void)state;
    const size_t most = DK_REQUEST_MAX_EVENTS;
    uint8_t *events = malloc(2 * (most + 1));
    uint8_t *large = calloc(1, DK_REQUEST_MAX_BYTES + 1);
    struct dk_err err = {0};
    for (size_t i = 0; i <= most; i++)
        memcpy(events + 2 * i, "\x0a", 2);
    assert_int_equal(dk_append_read((struct dk_slice){events, 2 * most}, &append_out, &err), 0);
    assert_int_equal(append_out.count, most);
    assert_int_equal(dk_append_read((struct dk_slice){events, 2 * most + 2}, &append_out, &err),
                     DK_ETOOBIG);
    assert_string_equal(err.field, "event");
    for (size_t i = 0; i <= most; i++)
        memcpy(events + 2 * i, "\x10\x01", 2);
    assert_int_equal(dk_append_read((struct dk_slice){events, 2 * most + 2}, &append_out, &err),
                     DK_ETOOBIG);
    assert_int_equal(
        dk_append_read((struct dk_slice){large, DK_REQUEST_MAX_BYTES + 1}, &append_out, &err),
        DK_ETOOBIG);
    free(events);
    free(large);
}

/* Frames with a byte changed or cut: what is accepted here, protobuf-c accepts, and sees the same.
 */
static void test_wire_append_never_reads_more_than_protobuf_c(void **state)
{
    (void)state;
    struct test_random random = {3};
    size_t accepted = 0;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[] = "\x0a\x03one\x0a\x03two\x12\x02\x07\x08\x18\x01\x0a\x00\x10\x09";
        size_t size = test_random_below(&random, sizeof bytes);
        for (size_t n = test_random_below(&random, 3); n > 0; n--)
            bytes[test_random_below(&random, sizeof bytes)] = (uint8_t)test_random_next(&random);
        if (dk_append_read((struct dk_slice){bytes, size}, &append_out, NULL) != 0)
            continue;
        Docket__Append *append = docket__append__unpack(NULL, size, bytes);
        assert_non_null(append);
        assert_int_equal(append->n_event, append_out.count);
        assert_int_equal(append->has_atomic && append->atomic, append_out.atomic);
        for (size_t i = 0; i < append_out.count; i++)
            assert_slice(append_out.event[i], append->event[i].data, append->event[i].len);
        for (size_t i = 0; i < append->n_expected_version; i++)
            assert_int_equal(append->expected_version[i], append_out.expected_version[i]);
        docket__append__free_unpacked(append, NULL);
        accepted++;
    }
    assert_in_range(accepted, 1000, 19000);
}

static void test_wire_request_reads_every_op(void **state)
{
    (void)state;
    for (uint32_t op = DK_OP_HELLO; op <= DK_OP_APPEND_LIST; op++) {
        uint8_t frame[] = "\x09\x07\0\0\0\0\0\0\0\x15\x01\0\0\0?\x03xyz";
        struct dk_request request;
        frame[14] = (uint8_t)(op << 3 | 2);
        assert_int_equal(dk_request_read(frame, sizeof frame - 1, &request, NULL), 0);
        assert_int_equal(request.op, op);
        assert_int_equal(request.id, 7);
        assert_slice(request.body, (const uint8_t *)"xyz", 3);
    }
}

static void test_wire_request_refuses_with_the_id_it_could_read(void **state)
{
    (void)state;
#define HEAD "\x09\x07\0\0\0\0\0\0\0"
    const struct {
        struct bytes frame;
        uint64_t id;
        const char *field;
    } frames[] = {
        {{"nothing", BYTES(""), DK_EINVAL}, 0, "id"},
        {{"half an id", BYTES("\x09\x07\0\0"), DK_EINVAL}, 0, "id"},
        {{"no id", BYTES("\x15\x01\0\0\0\x32\0\0\0\0\0\0\0"), DK_EINVAL}, 0, "id"},
        {{"no protocol", BYTES(HEAD), DK_EINVAL}, 7, "protocol"},
        {{"half a protocol", BYTES(HEAD "\x15\1\0"), DK_EINVAL}, 7, "protocol"},
        {{"an op before the protocol", BYTES(HEAD "\x32\0\x15\1\0\0\0"), DK_EINVAL}, 7, "protocol"},
        {{"protocol 2", BYTES(HEAD "\x15\2\0\0\0\x32\0"), DK_EVERSION}, 7, "protocol"},
        {{"no op", BYTES(HEAD "\x15\1\0\0\0"), DK_EINVAL}, 7, "op"},
        {{"field 12", BYTES(HEAD "\x15\1\0\0\0\x62\0"), DK_EINVAL}, 7, "op"},
        {{"an op that is a number", BYTES(HEAD "\x15\1\0\0\0\x30\0"), DK_EINVAL}, 7, "op"},
        {{"a tag of two bytes", BYTES(HEAD "\x15\1\0\0\0\xb2\0\0"), DK_EINVAL}, 7, "op"},
        {{"no length", BYTES(HEAD "\x15\1\0\0\0\x32"), DK_EINVAL}, 7, ""},
        {{"too long a length", BYTES(HEAD "\x15\1\0\0\0\x32\2x"), DK_EINVAL}, 7, ""},
        {{"two ops", BYTES(HEAD "\x15\1\0\0\0\x32\0\x42\0"), DK_EINVAL}, 7, ""},
    };
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        const struct bytes *frame = &frames[i].frame;
        struct dk_request request = {.id = 1};
        struct dk_err err = {0};
        int code = dk_request_read((const uint8_t *)frame->bytes, frame->count, &request, &err);
        if (code != frame->code || strcmp(err.field, frames[i].field) != 0)
            fail_msg("%s: %s of '%s'", frame->what, dk_code_name(code), err.field);
        assert_int_equal(request.id, frames[i].id);
    }
    uint8_t *large = calloc(1, DK_FRAME_MAX_BYTES + 1);
    struct dk_request request;
    memcpy(large, HEAD, 9);
    assert_int_equal(dk_request_read(large, DK_FRAME_MAX_BYTES + 1, &request, NULL), DK_ETOOBIG);
    assert_int_equal(request.id, 7);
    free(large);
#undef HEAD
}

/* What on_record gets, against what was written. */
struct got {
    const struct events *events;
    size_t count;
    size_t stop_at;
};

static int on_record(void *arg, const uint8_t *record, size_t record_bytes)
{
    struct got *got = arg;
    assert_slice(got->events->slice[got->count], record, record_bytes);
    got->count++;
    return got->count == got->stop_at ? -1000 : 0;
}

static void test_wire_feed_goes_both_ways(void **state)
{
    (void)state;
    struct test_random random = {4};
    struct events events = random_events(&random);
    struct got got = {.events = &events};
    struct dk_records_head head;
    struct dk_buf buf;
    dk_buf_init(&buf, DK_FRAME_MAX_BYTES);
    assert_int_equal(dk_feed_write(&buf, 1234, events.slice, events.count, -5), 0);

    Docket__Feed *feed = docket__feed__unpack(NULL, buf.size, buf.data);
    assert_non_null(feed);
    assert_int_equal(feed->first, 1234);
    assert_int_equal(feed->now_us, -5);
    assert_int_equal(feed->n_event, events.count);
    for (size_t i = 0; i < events.count; i++)
        assert_slice(events.slice[i], feed->event[i].data, feed->event[i].len);
    uint8_t *packed = malloc(buf.size);
    assert_int_equal(docket__feed__pack(feed, packed), buf.size);
    assert_memory_equal(packed, buf.data, buf.size);

    assert_int_equal(dk_feed_read(packed, buf.size, &head, on_record, &got, NULL), 0);
    assert_int_equal(got.count, events.count);
    assert_int_equal(head.first, 1234);
    assert_int_equal(head.now_us, -5);
    free(packed);
    docket__feed__free_unpacked(feed, NULL);
    dk_buf_close(&buf);
}

static void test_wire_records_go_both_ways(void **state)
{
    (void)state;
    struct test_random random = {5};
    struct events events = random_events(&random);
    struct got got = {.events = &events};
    struct dk_records_head head;
    struct dk_buf buf;
    dk_buf_init(&buf, DK_FRAME_MAX_BYTES);
    assert_int_equal(dk_records_write(&buf, 9, events.slice, events.count, 500, 41), 0);

    Docket__Reply *reply = docket__reply__unpack(NULL, buf.size, buf.data);
    assert_non_null(reply);
    assert_int_equal(reply->id, 9);
    assert_int_equal(reply->result_case, DOCKET__REPLY__RESULT_RECORDS);
    assert_int_equal(reply->records->head, 500);
    assert_int_equal(reply->records->next, 41);
    assert_int_equal(reply->records->n_event, events.count);
    uint8_t *packed = malloc(buf.size);
    assert_int_equal(docket__reply__pack(reply, packed), buf.size);
    assert_memory_equal(packed, buf.data, buf.size);

    assert_int_equal(dk_records_read(packed, buf.size, &head, on_record, &got, NULL), 0);
    assert_int_equal(got.count, events.count);
    assert_int_equal(head.request_id, 9);
    assert_int_equal(head.head, 500);
    assert_int_equal(head.next, 41);
    free(packed);
    docket__reply__free_unpacked(reply, NULL);
    dk_buf_close(&buf);
}

static void test_wire_records_stop_when_asked(void **state)
{
    (void)state;
    struct test_random random = {6};
    struct events events = random_events(&random);
    struct got got = {.events = &events, .stop_at = 1};
    struct dk_records_head head;
    struct dk_buf buf;
    dk_buf_init(&buf, DK_FRAME_MAX_BYTES);
    assert_int_equal(dk_feed_write(&buf, 1, events.slice, events.count, 0), 0);
    assert_int_equal(dk_feed_read(buf.data, buf.size, &head, on_record, &got, NULL), -1000);
    assert_int_equal(got.count, 1);
    dk_buf_close(&buf);
}

/* Not one record of a frame that is cut anywhere is handed on. */
static void test_wire_feed_and_records_refuse_every_truncation(void **state)
{
    (void)state;
    struct test_random random = {7};
    struct events events = random_events(&random);
    struct got got = {.events = &events};
    struct dk_records_head head;
    struct dk_buf feed, records;
    dk_buf_init(&feed, DK_FRAME_MAX_BYTES);
    dk_buf_init(&records, DK_FRAME_MAX_BYTES);
    events.count = 3;
    assert_int_equal(dk_feed_write(&feed, 1, events.slice, events.count, 0), 0);
    assert_int_equal(dk_records_write(&records, 1, events.slice, events.count, 2, 3), 0);
    for (size_t size = 0; size < feed.size; size++)
        assert_int_equal(dk_feed_read(feed.data, size, &head, on_record, &got, NULL), DK_EINVAL);
    for (size_t size = 0; size < records.size; size++)
        assert_int_equal(dk_records_read(records.data, size, &head, on_record, &got, NULL),
                         DK_EINVAL);
    assert_int_equal(got.count, 0);
    dk_buf_close(&feed);
    dk_buf_close(&records);
}

static void test_wire_records_refuse_another_reply(void **state)
{
    (void)state;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    Docket__Done done = DOCKET__DONE__INIT;
    struct dk_records_head head;
    uint8_t frame[64];
    reply.id = 3;
    reply.result_case = DOCKET__REPLY__RESULT_DONE;
    reply.done = &done;
    size_t size = docket__reply__pack(&reply, frame);
    assert_int_equal(dk_records_read(frame, size, &head, on_record, NULL, NULL), DK_EINVAL);
    assert_int_equal(head.request_id, 3);
}

static void test_wire_announce_is_read_by_protobuf_c(void **state)
{
    (void)state;
    const uint8_t uuid[16] = "sixteen bytes ok";
    struct dk_buf buf;
    dk_buf_init(&buf, 100);
    assert_int_equal(dk_announce_write(&buf, 11, 22, uuid), 0);
    Docket__Announce *announce = docket__announce__unpack(NULL, buf.size, buf.data);
    assert_non_null(announce);
    assert_int_equal(announce->head, 11);
    assert_int_equal(announce->now_us, 22);
    assert_slice((struct dk_slice){uuid, 16}, announce->log_uuid.data, announce->log_uuid.len);
    docket__announce__free_unpacked(announce, NULL);
    dk_buf_close(&buf);
}

static void assert_refusal(const Docket__Refusal *refusal, const struct dk_refusal *expected)
{
    const char *sentence = expected->err.message[0] != '\0' ? expected->err.message
                                                            : dk_code_sentence(expected->err.code);
    const char *name = dk_code_name(expected->err.code);
    assert_int_equal(refusal->index, expected->index);
    assert_int_equal(refusal->code, expected->err.code);
    assert_slice((struct dk_slice){refusal->name.data, refusal->name.len}, (const uint8_t *)name,
                 strlen(name));
    assert_slice((struct dk_slice){refusal->sentence.data, refusal->sentence.len},
                 (const uint8_t *)sentence, strlen(sentence));
    assert_int_equal(refusal->has_field, expected->err.field[0] != '\0');
    if (refusal->has_field)
        assert_slice((struct dk_slice){refusal->field.data, refusal->field.len},
                     (const uint8_t *)expected->err.field, strlen(expected->err.field));
}

static void test_wire_appended_is_read_by_protobuf_c(void **state)
{
    (void)state;
    const uint64_t opened[] = {dk_ticket_make(7, 1), dk_ticket_make(7, 2)};
    struct dk_refusal refused[2] = {{.index = 3}, {.index = 300, .err = {.code = DK_ETIMEOUT}}};
    const struct dk_appended appended[] = {
        {.request = 1, .position = 100, .accepted = 2, .opened = opened, .opened_count = 2},
        {.request = 2, .refused = refused, .refused_count = 2},
    };
    struct dk_buf buf;
    dk_err_field(&refused[0].err, DK_ESTALE, "basis", "the ticket went on at position %d", 98);
    for (size_t count = 0; count < 600; count += 1 + count / 2) {
        dk_buf_init(&buf, DK_FRAME_MAX_BYTES);
        dk_buf_append(&buf, "before", 6);
        size_t mark = dk_appended_begin(&buf);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(dk_appended_add(&buf, &appended[i % 2]), 0);
        assert_int_equal(dk_appended_end(&buf, mark), 0);
        Docket__Reply *reply = docket__reply__unpack(NULL, buf.size - 6, buf.data + 6);
        assert_non_null(reply);
        assert_int_equal(reply->id, 0);
        assert_int_equal(reply->result_case, DOCKET__REPLY__RESULT_APPENDED);
        assert_int_equal(reply->appended->n_appended, count);
        for (size_t i = 0; i < count; i++) {
            const Docket__Appended *got = reply->appended->appended[i];
            assert_int_equal(got->request, appended[i % 2].request);
            assert_int_equal(got->position, appended[i % 2].position);
            assert_int_equal(got->accepted, appended[i % 2].accepted);
            assert_int_equal(got->n_refused, appended[i % 2].refused_count);
            assert_int_equal(got->n_opened, appended[i % 2].opened_count);
            for (size_t k = 0; k < got->n_refused; k++)
                assert_refusal(got->refused[k], &refused[k]);
            for (size_t k = 0; k < got->n_opened; k++)
                assert_int_equal(got->opened[k], opened[k]);
        }
        docket__reply__free_unpacked(reply, NULL);
        dk_buf_close(&buf);
    }
}

static void test_wire_writers_leave_a_full_buffer_alone(void **state)
{
    (void)state;
    const struct dk_slice event = {(const uint8_t *)"event", 5};
    const struct dk_appended appended = {.request = 1};
    const uint8_t uuid[16] = {0};
    struct dk_buf buf;
    dk_buf_init(&buf, 20);
    assert_int_equal(dk_append_write(&buf, 1, &event, NULL, 1, 0), DK_ETOOBIG);
    assert_int_equal(dk_feed_write(&buf, 1, &event, 1, 0), DK_ETOOBIG);
    assert_int_equal(dk_records_write(&buf, 1, &event, 1, 0, 0), DK_ETOOBIG);
    assert_int_equal(dk_announce_write(&buf, 1, 0, uuid), DK_ETOOBIG);
    assert_int_equal(dk_appended_add(&buf, &appended), DK_ETOOBIG);
    assert_int_equal(buf.size, 0);
    assert_int_equal(dk_appended_begin(&buf), 10);
    assert_int_equal(buf.size, 14);
    assert_true(dk_appended_begin(&buf) == SIZE_MAX);
    assert_int_equal(buf.size, 14);
    dk_buf_close(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_append_is_read_by_protobuf_c),
        cmocka_unit_test(test_wire_append_of_protobuf_c_is_read),
        cmocka_unit_test(test_wire_append_forms),
        cmocka_unit_test(test_wire_append_is_bounded),
        cmocka_unit_test(test_wire_append_never_reads_more_than_protobuf_c),
        cmocka_unit_test(test_wire_request_reads_every_op),
        cmocka_unit_test(test_wire_request_refuses_with_the_id_it_could_read),
        cmocka_unit_test(test_wire_feed_goes_both_ways),
        cmocka_unit_test(test_wire_records_go_both_ways),
        cmocka_unit_test(test_wire_records_stop_when_asked),
        cmocka_unit_test(test_wire_feed_and_records_refuse_every_truncation),
        cmocka_unit_test(test_wire_records_refuse_another_reply),
        cmocka_unit_test(test_wire_announce_is_read_by_protobuf_c),
        cmocka_unit_test(test_wire_appended_is_read_by_protobuf_c),
        cmocka_unit_test(test_wire_writers_leave_a_full_buffer_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
