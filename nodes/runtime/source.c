#include "nodes/runtime/source.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "proto/event/wire.h"
#include "proto/peer/client.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIRE_TIMEOUT_MS 2000

struct dk_source {
    struct dk_log *log; /* shared */
    struct dk_log_reader *reader;
    struct dk_client *client; /* wire */
};

int dk_source_open(struct dk_source **source, enum dk_source_kind kind, void *zmq,
                   const struct dk_config *config, const char *key_name, struct dk_err *err)
{
    struct dk_source *s = calloc(1, sizeof *s);
    int rc;
    DK_ASSERT(s != NULL);
    if (kind == DK_SOURCE_SHARED) {
        rc = dk_log_open(&s->log, config->log, DK_LOG_READ, err);
        rc = rc != 0 ? rc : dk_log_reader_new(&s->reader, s->log, err);
    } else {
        rc = dk_client_open(&s->client, zmq, config, key_name, err);
    }
    *source = s;
    if (rc != 0) {
        dk_source_close(source);
    }
    return rc;
}

void dk_source_close(struct dk_source **source)
{
    struct dk_source *s = *source;
    if (s != NULL) {
        dk_log_reader_free(&s->reader);
        dk_log_close(&s->log);
        dk_client_close(&s->client);
        free(s);
        *source = NULL;
    }
}

static int add_record(void *arg, const uint8_t *record, size_t record_bytes)
{
    return dk_records_add(arg, record, record_bytes);
}

/* At most `max_records`, 0: what fits. */
static int read_wire(struct dk_source *source, uint64_t from, uint32_t max_records,
                     struct dk_records *out, struct dk_err *err)
{
    Docket__Fetch fetch = DOCKET__FETCH__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    struct dk_records_head head = {0};
    int64_t until_us = dk_clock_boot_us() + WIRE_TIMEOUT_MS * 1000;
    uint64_t id = 0;
    fetch.from = from;
    fetch.has_max_records = max_records != 0;
    fetch.max_records = max_records;
    request.op_case = DOCKET__REQUEST__OP_FETCH;
    request.fetch = &fetch;
    int rc = dk_client_send(source->client, &request, &id, err);
    while (rc == 0) {
        const Docket__Reply *reply = NULL;
        struct dk_slice raw = {0};
        int64_t left_us = until_us - dk_clock_boot_us();
        rc = dk_client_receive(source->client, left_us > 0 ? (int)(left_us / 1000) : 0, &reply,
                               &raw, err);
        if (rc == 0 && reply->id == id) {
            dk_records_clear(out);
            out->batch.first = from;
            return dk_records_read(raw.data, raw.size, &head, add_record, out, err);
        }
    }
    return rc;
}

int dk_source_read(struct dk_source *source, uint64_t from, struct dk_records *out,
                   struct dk_err *err)
{
    return source->log != NULL ? dk_log_read(source->reader, from, DK_READ_MAX_BYTES, out, err)
                               : read_wire(source, from, 0, out, err);
}

int dk_source_record(struct dk_source *source, uint64_t position, struct dk_records *out,
                     struct dk_err *err)
{
    int rc = source->log != NULL ? dk_log_read(source->reader, position, 1, out, err)
                                 : read_wire(source, position, 1, out, err);
    return rc != 0 || out->batch.count > 0
               ? rc
               : dk_err_set(err, DK_ENOTFOUND, "the log ends before position %" PRIu64, position);
}

bool dk_source_replaced(const struct dk_source *source)
{
    return source->log != NULL && dk_log_replaced(source->log);
}

int dk_source_uuid(struct dk_source *source, uint8_t uuid[16], struct dk_err *err)
{
    if (source->log != NULL) {
        memcpy(uuid, dk_log_identity(source->log)->uuid, 16);
        return 0;
    }
    uint64_t head;
    return dk_client_head(source->client, WIRE_TIMEOUT_MS, &head, uuid, err);
}
