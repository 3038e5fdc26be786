#include "replay/import/parcel.h"

#include "docket.pb-c.h"
#include "proto/base/id.h"
#include "proto/event/body.h"
#include "tests/lib/assert.h"

/* Adds an event of a case (0: a definition); `ticket` 0: of the Opened in the parcel. */
static void add(struct dk_parcel *parcel, uint64_t case_id, uint32_t kind, uint64_t ticket,
                uint64_t row)
{
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    opened.origin = &origin;
    note.origin = &origin;
    group.definition = &definition;
    const ProtobufCMessage *body = kind == DK_KIND_OPENED       ? &opened.base
                                   : kind == DK_KIND_NOTE_ADDED ? &note.base
                                                                : &group.base;
    struct dk_envelope envelope = {.subject = case_id != 0 ? 0 : dk_id_make(DK_SUBJECT_GROUP, 9)};
    struct dk_buf record;
    struct dk_err err;
    dk_buf_init(&record, 4096);
    ASSERT_OK(dk_event_encode(&record, &envelope, kind, body, &err), &err);
    struct dk_parcel_event event = {
        .case_id = case_id, .number = row, .bytes = (uint32_t)record.size};
    ASSERT_TRUE(dk_parcel_fits(parcel, 1, record.size));
    dk_parcel_add(parcel, &event, record.data, ticket);
    dk_buf_close(&record);
}

static uint64_t subject_of(const struct dk_parcel *parcel, size_t i)
{
    return dk_event_load_subject(parcel->records.data + parcel->event[i].offset);
}

static uint64_t unnamed(uint64_t k)
{
    return dk_ticket_make(DK_SITE_UNNAMED, k);
}

static void fill(struct dk_parcel *parcel)
{
    dk_parcel_init(parcel);
    add(parcel, 0, DK_KIND_GROUP_DEFINED, 0, 1);
    add(parcel, 100, DK_KIND_OPENED, 0, 1);
    add(parcel, 100, DK_KIND_NOTE_ADDED, 0, 2);
    add(parcel, 200, DK_KIND_OPENED, 0, 3);
    add(parcel, 0, DK_KIND_GROUP_DEFINED, 0, 4);
    add(parcel, 200, DK_KIND_NOTE_ADDED, 0, 4);
    add(parcel, 200, DK_KIND_NOTE_ADDED, 0, 5);
    add(parcel, 300, DK_KIND_NOTE_ADDED, dk_ticket_make(1, 7), 6);
    add(parcel, 400, DK_KIND_OPENED, 0, 7);
    add(parcel, 400, DK_KIND_NOTE_ADDED, 0, 8);
}

static void test_parcel_names_tickets_to_be_opened(void **state)
{
    (void)state;
    struct dk_parcel parcel;
    fill(&parcel);
    const uint64_t subjects[] = {dk_id_make(DK_SUBJECT_GROUP, 9),
                                 unnamed(0),
                                 unnamed(0),
                                 unnamed(1),
                                 dk_id_make(DK_SUBJECT_GROUP, 9),
                                 unnamed(1),
                                 unnamed(1),
                                 dk_ticket_make(1, 7),
                                 unnamed(2),
                                 unnamed(2)};
    for (size_t i = 0; i < parcel.count; i++) {
        ASSERT_EQ(subject_of(&parcel, i), subjects[i]);
    }
    ASSERT_EQ(parcel.opened_count, 3);
    ASSERT_EQ(parcel.opened[1], 200);
    dk_parcel_close(&parcel);
}

/* Without an Opened its case is gone, and later tickets are counted anew; definitions stay. */
static void test_parcel_drops_a_case(void **state)
{
    (void)state;
    struct dk_parcel parcel;
    fill(&parcel);
    ASSERT_EQ(dk_parcel_drop(&parcel, 3), 3);
    ASSERT_EQ(parcel.count, 7);
    ASSERT_EQ(parcel.opened_count, 2);
    ASSERT_EQ(parcel.opened[1], 400);
    ASSERT_EQ(parcel.event[3].number, 4);
    ASSERT_EQ(subject_of(&parcel, 3), dk_id_make(DK_SUBJECT_GROUP, 9));
    ASSERT_EQ(subject_of(&parcel, 4), dk_ticket_make(1, 7));
    ASSERT_EQ(subject_of(&parcel, 5), unnamed(1));
    ASSERT_EQ(subject_of(&parcel, 6), unnamed(1));
    dk_parcel_close(&parcel);
}

static void test_parcel_drops_the_rest_of_a_case(void **state)
{
    (void)state;
    struct dk_parcel parcel;
    fill(&parcel);
    ASSERT_EQ(dk_parcel_drop(&parcel, 5), 2);
    ASSERT_EQ(parcel.opened_count, 3);
    ASSERT_EQ(dk_parcel_drop(&parcel, 0), 1); /* a definition goes alone */
    ASSERT_EQ(parcel.count, 7);
    ASSERT_EQ(subject_of(&parcel, 0), unnamed(0));
    dk_parcel_close(&parcel);
}

static void test_parcel_numbers_its_events(void **state)
{
    (void)state;
    struct dk_parcel parcel;
    struct dk_slice slice[DK_REQUEST_MAX_EVENTS];
    struct dk_err err;
    fill(&parcel);
    dk_parcel_number(&parcel, 77, 1000, slice);
    for (size_t i = 0; i < parcel.count; i++) {
        ASSERT_EQ(dk_event_load_producer(slice[i].data), 77);
        ASSERT_EQ(dk_event_load_producer_number(slice[i].data), 1000 + i);
        ASSERT_OK(dk_event_canonical(slice[i].data, slice[i].size, &err), &err);
    }
    dk_parcel_close(&parcel);
}

/* What fits is what a request may hold, in events and in bytes. */
static void test_parcel_holds_one_request(void **state)
{
    (void)state;
    struct dk_parcel parcel;
    struct dk_slice slice[DK_REQUEST_MAX_EVENTS];
    struct dk_buf frame, record;
    struct dk_err err;
    dk_parcel_init(&parcel);
    dk_buf_init(&frame, DK_FRAME_MAX_BYTES);
    dk_buf_init(&record, DK_RECORD_MAX_BYTES);
    ASSERT_TRUE(dk_parcel_fits(&parcel, DK_REQUEST_MAX_EVENTS, 0));
    ASSERT_TRUE(!dk_parcel_fits(&parcel, DK_REQUEST_MAX_EVENTS + 1, 0));

    Docket__Text text = DOCKET__TEXT__INIT;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    uint8_t words[1000] = {0};
    memset(words, 'w', sizeof words);
    text.has_plain = 1;
    text.plain = (ProtobufCBinaryData){sizeof words, words};
    note.text = &text;
    struct dk_envelope envelope = {0};
    ASSERT_OK(dk_event_encode(&record, &envelope, DK_KIND_NOTE_ADDED, &note.base, &err), &err);
    const struct dk_parcel_event event = {.case_id = 1, .bytes = (uint32_t)record.size};
    while (dk_parcel_fits(&parcel, 1, record.size)) {
        dk_parcel_add(&parcel, &event, record.data, dk_ticket_make(1, 1));
    }
    ASSERT_TRUE(parcel.records.size > DK_REQUEST_MAX_BYTES - 16384);
    dk_parcel_number(&parcel, 1, 1, slice);
    ASSERT_EQ(dk_append_write(&frame, 1, slice, NULL, parcel.count, 1), 0);
    struct dk_request request;
    static struct dk_append append;
    ASSERT_OK(dk_request_read(frame.data, frame.size, &request, &err), &err);
    ASSERT_OK(dk_append_read(request.body, &append, &err), &err);
    ASSERT_EQ(append.count, parcel.count);
    dk_buf_close(&frame);
    dk_buf_close(&record);
    dk_parcel_close(&parcel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parcel_names_tickets_to_be_opened),
        cmocka_unit_test(test_parcel_drops_a_case),
        cmocka_unit_test(test_parcel_drops_the_rest_of_a_case),
        cmocka_unit_test(test_parcel_numbers_its_events),
        cmocka_unit_test(test_parcel_holds_one_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
