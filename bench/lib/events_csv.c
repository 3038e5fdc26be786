#include "bench/lib/events_csv.h"
#include "proto/base/arena.h"
#include "proto/base/limits.h"
#include "proto/event/body.h"
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static void put_signed(FILE *file, bool said, int64_t number)
{
    if (said) {
        (void)fprintf(file, "%" PRId64, number);
    }
    (void)fputc(',', file);
}

static void put_enum(FILE *file, const ProtobufCMessage *body, bool stands, const char *field,
                     ProtobufCType type)
{
    const int *value = stands ? dk_body_field(body, field, type) : NULL;
    put_signed(file, value != NULL, value != NULL ? *value : 0);
}

static void put_status(FILE *file, uint32_t kind, const ProtobufCMessage *body)
{
    switch (kind) {
    case DK_KIND_AUTO_SOLVED: put_signed(file, true, DOCKET__STATUS__STATUS_SOLVED); break;
    case DK_KIND_AUTO_CLOSED: put_signed(file, true, DOCKET__STATUS__STATUS_CLOSED); break;
    case DK_KIND_MERGED_INTO: put_signed(file, true, DOCKET__STATUS__STATUS_MERGED); break;
    default: put_enum(file, body, kind == DK_KIND_STATUS_CHANGED, "status", PROTOBUF_C_TYPE_ENUM);
    }
}

static void put_words(FILE *file, const ProtobufCMessage *body)
{
    static const char *const fields[] = {"message", "text", "subject", "comment"};
    const Docket__Text *text = NULL;
    size_t bytes;
    for (size_t i = 0; text == NULL && i < sizeof fields / sizeof fields[0]; i++) {
        text = dk_body_field(body, fields[i], PROTOBUF_C_TYPE_MESSAGE);
    }
    const char *words = dk_text_plain(text, &bytes);
    if (bytes == 0) {
        return;
    }
    (void)fputc('"', file);
    for (size_t i = 0; i < bytes; i++) {
        if (words[i] == '"') {
            (void)fputc('"', file);
        }
        (void)fputc(words[i], file);
    }
    (void)fputc('"', file);
}

static void put_event(FILE *file, const struct dk_envelope *e, const ProtobufCMessage *body)
{
    bool of_ticket = dk_id_class(e->subject) == DK_SUBJECT_TICKET;
    bool states = e->kind == DK_KIND_OPENED || e->kind == DK_KIND_CLASSIFIED;
    bool speaks = e->kind == DK_KIND_MESSAGE_PUBLIC;
    (void)fprintf(file, "%" PRIu64 ",%" PRId64 ",%" PRId64 ",%" PRIu64 ",%u,%" PRIu64 ",%u,%u,",
                  e->position, e->recorded_us, e->occurred_us, e->subject, e->subject_version,
                  e->previous, e->kind, e->flags);
    (void)fprintf(file, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",", e->actor, e->group,
                  e->producer, e->producer_number);
    put_signed(file, of_ticket, (int64_t)e->subject);
    put_signed(file, of_ticket, dk_id_class(e->actor));
    put_enum(file, body, speaks, "direction", PROTOBUF_C_TYPE_ENUM);
    const protobuf_c_boolean *automatic = dk_body_field(body, "automatic", PROTOBUF_C_TYPE_BOOL);
    put_signed(file, speaks, automatic != NULL && *automatic);
    put_enum(file, body, states, "priority", PROTOBUF_C_TYPE_ENUM);
    put_status(file, e->kind, body);
    put_words(file, of_ticket ? body : NULL);
    (void)fputc('\n', file);
}

static int put_batch(FILE *file, const struct dk_batch *batch, struct dk_arena *arena,
                     struct dk_err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        size_t bytes;
        struct dk_envelope envelope;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        dk_arena_reset(arena);
        dk_event_load(record, &envelope);
        const ProtobufCMessage *body = dk_body_unpack(arena, record, bytes, err);
        if (body == NULL) {
            return err->code;
        }
        put_event(file, &envelope, body);
    }
    return 0;
}

int dk_events_csv_write(struct dk_log *log, uint64_t last, const char *path, struct dk_err *err)
{
    struct dk_log_reader *reader = NULL;
    struct dk_records records;
    struct dk_arena arena;
    uint64_t position = 1;
    FILE *file = fopen(path, "wxe");
    if (file == NULL) {
        return dk_err_errno(err, DK_EIO, errno, "cannot write %s", path);
    }
    dk_records_init(&records);
    DK_ASSERT(dk_arena_init(&arena, DK_UNPACK_MAX_BYTES) == 0);
    int rc = dk_log_reader_new(&reader, log, err);
    while (rc == 0 && position <= last) {
        rc = dk_log_read(reader, position, DK_READ_MAX_BYTES, &records, err);
        rc = rc != 0 ? rc : put_batch(file, &records.batch, &arena, err);
        position += records.batch.count;
    }
    dk_log_reader_free(&reader);
    dk_records_close(&records);
    dk_arena_close(&arena);
    if (fclose(file) != 0 && rc == 0) {
        rc = dk_err_errno(err, DK_EIO, errno, "cannot write %s", path);
    }
    return rc;
}
