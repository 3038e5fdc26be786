/* Where a node reads the log: directly on the broker's host, or over the wire. */
#ifndef DK_RUNTIME_SOURCE_H
#define DK_RUNTIME_SOURCE_H

#include "broker/log/log.h"
#include "proto/base/err.h"
#include "proto/peer/config.h"
#include <stdbool.h>

struct dk_source;

enum dk_source_kind {
    DK_SOURCE_SHARED, /* opens the log's folder read-only */
    DK_SOURCE_WIRE,   /* Fetch requests to the broker */
};

int dk_source_open(struct dk_source **source, enum dk_source_kind kind, void *zmq,
                   const struct dk_config *config, const char *key_name, struct dk_err *err);
void dk_source_close(struct dk_source **source);

/* Copies records from `from` on (whole batches, up to DK_READ_MAX_BYTES shared or
 * DK_FETCH_MAX_BYTES over the wire); count 0 when there are none yet. The wire waits up to 2 s for
 * the broker's answer: DK_ETIMEOUT. */
int dk_source_read(struct dk_source *source, uint64_t from, struct dk_records *out,
                   struct dk_err *err);

/* Copies the one record at `position`. DK_ENOTFOUND when the log ends before; else as above. */
int dk_source_record(struct dk_source *source, uint64_t position, struct dk_records *out,
                     struct dk_err *err);

/* Whether the log that is open is no longer the one in its folder: it was restored from a copy.
 * Over the wire that is the broker's to know. */
bool dk_source_replaced(const struct dk_source *source);

/* The log's uuid. */
int dk_source_uuid(struct dk_source *source, uint8_t uuid[16], struct dk_err *err);

#endif
