#include "replay/import/parcel.h"

#include "proto/base/id.h"
#include "proto/event/event.h"
#include <string.h>

#define EVENT_FRAME_BYTES  8   /* an event's tag and length in the request, at the most */
#define HEADER_FRAME_BYTES 256 /* all else in the request */

void dk_parcel_init(struct dk_parcel *parcel)
{
    memset(parcel, 0, sizeof *parcel);
    dk_buf_init(&parcel->records, DK_REQUEST_MAX_BYTES);
}

void dk_parcel_close(struct dk_parcel *parcel)
{
    dk_buf_close(&parcel->records);
}

void dk_parcel_clear(struct dk_parcel *parcel)
{
    dk_buf_clear(&parcel->records);
    parcel->count = 0;
    parcel->opened_count = 0;
    parcel->request = 0;
}

bool dk_parcel_fits(const struct dk_parcel *parcel, size_t count, size_t bytes)
{
    size_t events = parcel->count + count;
    size_t all = parcel->records.size + bytes + events * EVENT_FRAME_BYTES + HEADER_FRAME_BYTES;
    return events <= DK_REQUEST_MAX_EVENTS && all <= DK_REQUEST_MAX_BYTES;
}

/* What a case's event has as its subject while the broker has not given the ticket its number. */
static uint64_t to_be_opened(struct dk_parcel *parcel, const uint8_t *record, uint64_t case_id)
{
    if (dk_event_load_kind(record) == DK_KIND_OPENED) {
        parcel->opened[parcel->opened_count++] = case_id;
    }
    size_t k = parcel->opened_count;
    while (k > 0 && parcel->opened[k - 1] != case_id) {
        k--;
    }
    DK_ASSERT(k > 0);
    return dk_ticket_make(DK_SITE_UNNAMED, k - 1);
}

void dk_parcel_add(struct dk_parcel *parcel, const struct dk_parcel_event *event,
                   const uint8_t *record, uint64_t ticket)
{
    struct dk_parcel_event *added = &parcel->event[parcel->count++];
    *added = *event;
    added->offset = (uint32_t)parcel->records.size;
    uint8_t *copy = dk_buf_extend(&parcel->records, event->bytes);
    DK_ASSERT(copy != NULL);
    memcpy(copy, record, event->bytes);
    if (event->case_id != 0) {
        dk_stamp_subject(copy, ticket != 0 ? ticket : to_be_opened(parcel, copy, event->case_id));
    }
}

size_t dk_parcel_drop(struct dk_parcel *parcel, size_t i)
{
    uint64_t case_id = parcel->event[i].case_id;
    size_t count = parcel->count;
    struct dk_buf records = parcel->records;
    dk_buf_init(&parcel->records, records.max);
    parcel->count = 0;
    parcel->opened_count = 0;
    for (size_t k = 0; k < count; k++) {
        const struct dk_parcel_event event = parcel->event[k];
        const uint8_t *record = records.data + event.offset;
        uint64_t subject = dk_event_load_subject(record);
        bool named = dk_ticket_site(subject) != DK_SITE_UNNAMED;
        if (k != i && !(k > i && case_id != 0 && event.case_id == case_id)) {
            dk_parcel_add(parcel, &event, record, named ? subject : 0);
        }
    }
    dk_buf_close(&records);
    return count - parcel->count;
}

void dk_parcel_number(struct dk_parcel *parcel, uint64_t producer, uint64_t first_number,
                      struct dk_slice slice[DK_REQUEST_MAX_EVENTS])
{
    parcel->first_number = first_number;
    for (size_t i = 0; i < parcel->count; i++) {
        uint8_t *record = parcel->records.data + parcel->event[i].offset;
        dk_stamp_producer(record, producer);
        dk_stamp_producer_number(record, first_number + i);
        slice[i] = (struct dk_slice){record, parcel->event[i].bytes};
    }
}
