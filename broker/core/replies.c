#include "broker/core/replies.h"

#include "broker/core/core_internal.h"
#include <string.h>

#define REPLY_MAX_BYTES 2048

static size_t pack(const Docket__Reply *reply, uint8_t frame[REPLY_MAX_BYTES])
{
    DK_ASSERT(docket__reply__get_packed_size(reply) <= REPLY_MAX_BYTES);
    return docket__reply__pack(reply, frame);
}

static ProtobufCBinaryData text(const char *string)
{
    return (ProtobufCBinaryData){.len = strlen(string), .data = (uint8_t *)(uintptr_t)string};
}

void dk_core_reply_now(struct dk_core *core, uint64_t connection, const Docket__Reply *reply)
{
    uint8_t frame[REPLY_MAX_BYTES];
    size_t bytes = pack(reply, frame);
    core->output.send(core->output.arg, connection, frame, bytes);
}

void dk_core_reply_durable(struct dk_core *core, uint64_t connection, const Docket__Reply *reply)
{
    uint8_t frame[REPLY_MAX_BYTES];
    size_t bytes = pack(reply, frame);
    if (dk_pending_frame(core->gathering, connection, frame, bytes) != 0) {
        struct dk_err err;
        dk_err_set(&err, DK_EBUSY, "too many replies wait: ask again");
        dk_core_reply_failure(core, connection, reply->id, &err);
    }
}

void dk_core_reply_failure(struct dk_core *core, uint64_t connection, uint64_t request,
                           const struct dk_err *err)
{
    Docket__Failure failure = DOCKET__FAILURE__INIT;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    failure.code = err->code;
    failure.name = text(dk_code_name(err->code));
    failure.sentence = text(err->message);
    failure.has_field = err->field[0] != '\0';
    failure.field = text(err->field);
    reply.id = request;
    reply.result_case = DOCKET__REPLY__RESULT_FAILURE;
    reply.failure = &failure;
    dk_core_reply_now(core, connection, &reply);
}
