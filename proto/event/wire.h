/* Requests and replies on the hot path, read and written by hand.
 *
 * Everything here is plain protobuf of docket.proto; what is rare goes through protobuf-c. An
 * Append of one event is read without copying or allocating: the events are slices of the frame. */
#ifndef DK_EVENT_WIRE_H
#define DK_EVENT_WIRE_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/base/limits.h"
#include <stddef.h>
#include <stdint.h>

#define DK_PROTOCOL 1

struct dk_slice {
    const uint8_t *data;
    size_t size;
};

enum dk_op {
    DK_OP_HELLO = 3,
    DK_OP_APPEND = 4,
    DK_OP_FETCH = 5,
    DK_OP_HEAD = 6,
    DK_OP_HEARTBEAT = 7,
    DK_OP_STATS = 8,
    DK_OP_LOOKUP = 9,
    DK_OP_TICKET_STATE = 10,
    DK_OP_APPEND_LIST = 11,
};

struct dk_request {
    uint64_t id;
    uint32_t protocol;
    enum dk_op op;
    struct dk_slice body; /* the op's message; borrowed from the frame */
};

/* Reads a frame's outer message: required fields first and in order, then exactly one op that ends
 * the frame. 0, DK_EINVAL, DK_EVERSION, DK_ETOOBIG. `request->id` is filled whenever it could be
 * read, so that even a refusal finds its way. */
int dk_request_read(const uint8_t *frame, size_t bytes, struct dk_request *request,
                    struct dk_err *err);

struct dk_append {
    struct dk_slice event[DK_REQUEST_MAX_EVENTS];
    uint32_t expected_version[DK_REQUEST_MAX_EVENTS]; /* 0 = any */
    size_t count;                                     /* 1..DK_REQUEST_MAX_EVENTS */
    int atomic;
};
/* 0, DK_EINVAL (none, or counts that differ), DK_ETOOBIG. */
int dk_append_read(struct dk_slice body, struct dk_append *append, struct dk_err *err);

/* Writes a whole Request frame holding one Append. */
int dk_append_write(struct dk_buf *out, uint64_t id, const struct dk_slice *event,
                    const uint32_t *expected_version, size_t count, int atomic);

/* The Appends of an AppendList (op DK_OP_APPEND_LIST), each as a request of its own (op
 * DK_OP_APPEND), borrowed from the frame. 0; DK_EINVAL or DK_ETOOBIG, and then `on_append` got
 * none. */
int dk_append_list_read(const struct dk_request *list,
                        void (*on_append)(void *arg, const struct dk_request *append), void *arg,
                        struct dk_err *err);

/* Writes a whole Request frame holding an AppendList: begin gives a mark for end (SIZE_MAX: no
 * room), add appends one Append under its own request id, as dk_append_write does a frame of it. */
size_t dk_append_list_begin(struct dk_buf *out, uint64_t id);
int dk_append_list_add(struct dk_buf *out, uint64_t id, const struct dk_slice *event,
                       const uint32_t *expected_version, size_t count, int atomic);
/* The same of an Append that is encoded already, as dk_request_read gives it. */
int dk_append_list_add_encoded(struct dk_buf *out, uint64_t id, struct dk_slice append);
int dk_append_list_end(struct dk_buf *out, size_t mark);

/* Writers of the messages that carry records. `records` are dk_slices of encoded events. */
int dk_feed_write(struct dk_buf *out, uint64_t first, const struct dk_slice *records, size_t count,
                  int64_t now_us);
int dk_records_write(struct dk_buf *out, uint64_t request_id, const struct dk_slice *records,
                     size_t count, uint64_t head, uint64_t next);
int dk_announce_write(struct dk_buf *out, uint64_t head, int64_t now_us,
                      const uint8_t log_uuid[16]);

/* One Appended of an AppendedList reply. `dk_appended_begin` starts a Reply{id 0}; each
 * `dk_appended_add` appends one; `dk_appended_end` closes the lengths. */
struct dk_refusal {
    uint32_t index;
    struct dk_err err;
};
struct dk_appended {
    uint64_t request;
    uint64_t position;
    uint32_t accepted;
    const struct dk_refusal *refused;
    size_t refused_count;
    const uint64_t *opened;
    size_t opened_count;
};
size_t dk_appended_begin(struct dk_buf *out); /* a mark for dk_appended_end; SIZE_MAX: no room */
int dk_appended_add(struct dk_buf *out, const struct dk_appended *appended);
int dk_appended_end(struct dk_buf *out, size_t mark);

/* Walks the records of a Feed or Records message without unpacking: `on_record` gets each one,
 * borrowed. Stops at the first non-zero return and hands it on. The scalars are filled before the
 * first record, and a frame that is malformed anywhere (DK_EINVAL) hands on none. */
struct dk_records_head {
    uint64_t request_id;
    uint64_t first;
    uint64_t head;
    uint64_t next;
    int64_t now_us;
};
int dk_feed_read(const uint8_t *frame, size_t bytes, struct dk_records_head *head,
                 int (*on_record)(void *arg, const uint8_t *record, size_t record_bytes), void *arg,
                 struct dk_err *err);
/* The same for a Reply that holds Records; any other reply is DK_EINVAL. */
int dk_records_read(const uint8_t *frame, size_t bytes, struct dk_records_head *head,
                    int (*on_record)(void *arg, const uint8_t *record, size_t record_bytes),
                    void *arg, struct dk_err *err);

#endif
