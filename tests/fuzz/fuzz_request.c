/* Request frames from outside: what the hand-written readers accept, protobuf-c reads the same. */
#include "docket.pb-c.h"
#include "proto/event/wire.h"
#include <string.h>

static void compare(const struct dk_append *append, struct dk_slice body)
{
    Docket__Append *unpacked = docket__append__unpack(NULL, body.size, body.data);
    DK_ASSERT(unpacked != NULL);
    DK_ASSERT(unpacked->n_event == append->count);
    DK_ASSERT((unpacked->has_atomic && unpacked->atomic) == append->atomic);
    for (size_t i = 0; i < append->count; i++) {
        DK_ASSERT(unpacked->event[i].len == append->event[i].size);
        DK_ASSERT(append->event[i].size == 0 ||
                  memcmp(unpacked->event[i].data, append->event[i].data, append->event[i].size) ==
                      0);
    }
    for (size_t i = 0; i < unpacked->n_expected_version; i++)
        DK_ASSERT(unpacked->expected_version[i] == append->expected_version[i]);
    docket__append__free_unpacked(unpacked, NULL);
}

static void on_append(void *arg, const struct dk_request *listed)
{
    struct dk_append append;
    struct dk_err err;
    (void)arg;
    if (dk_append_read(listed->body, &append, &err) == 0)
        compare(&append, listed->body);
}

static int on_record(void *arg, const uint8_t *record, size_t record_bytes)
{
    size_t *sum = arg;
    for (size_t i = 0; i < record_bytes; i++)
        *sum += record[i];
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dk_request request;
    struct dk_append append;
    struct dk_records_head head;
    struct dk_err err;
    size_t sum = 0;
    if (dk_request_read(data, size, &request, &err) == 0 && request.op == DK_OP_APPEND &&
        dk_append_read(request.body, &append, &err) == 0)
        compare(&append, request.body);
    if (dk_request_read(data, size, &request, &err) == 0 && request.op == DK_OP_APPEND_LIST)
        (void)dk_append_list_read(&request, on_append, NULL, &err);
    (void)dk_feed_read(data, size, &head, on_record, &sum, &err);
    (void)dk_records_read(data, size, &head, on_record, &sum, &err);
    return 0;
}
