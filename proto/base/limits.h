/* Every bound of the record format and of what a peer may ask, in one place. */
#ifndef DK_BASE_LIMITS_H
#define DK_BASE_LIMITS_H

#define DK_RECORD_MAX_BYTES   (256 * 1024) /* one event, envelope and body */
#define DK_BLOCK_MAX_RECORDS  256
#define DK_BLOCK_MAX_BYTES    (512 * 1024) /* header, offsets and records */
#define DK_REQUEST_MAX_EVENTS 1000
#define DK_REQUEST_MAX_BYTES  (1024 * 1024)
#define DK_FRAME_MAX_BYTES    (DK_REQUEST_MAX_BYTES + 4096) /* one ZeroMQ frame, in or out */
#define DK_FETCH_MAX_BYTES    (1024 * 1024)                 /* records in one Fetch reply */
#define DK_READ_MAX_BYTES     (4 * 1024 * 1024) /* copied out under one read transaction */
#define DK_TEXT_MAX_BYTES     (128 * 1024)
#define DK_KEY_MAX_BYTES      96 /* an entity's key, a reference, a producer's name */
#define DK_UNPACK_MAX_BYTES   (4 * 1024 * 1024)    /* arena that one body may unpack into */
#define DK_FUTURE_MAX_US      (5LL * 60 * 1000000) /* occurred after recorded, at most */
#define DK_CLOCK_STEP_US      (5LL * 1000000)
#define DK_PRODUCER_ANSWERS   4096
#define DK_ONE_SHOT_MEMORY_US (24LL * 3600 * 1000000)
#define DK_SEAL_RECORDS       1024 /* leaves under one stored subtree root */

/* 1900-01-01 and 2200-01-01 in microseconds: an instant outside is a mistake, not a time. */
#define DK_TIME_MIN_US (-2208988800LL * 1000000)
#define DK_TIME_MAX_US (7258118400LL * 1000000)

#endif
