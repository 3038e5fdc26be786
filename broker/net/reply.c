#include "broker/net/reply.h"
#include <string.h>

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

int dk_reply_pack(struct dk_buf *out, const Docket__Reply *reply)
{
    uint8_t *at = dk_buf_extend(out, docket__reply__get_packed_size(reply));
    if (at == NULL) {
        return DK_ETOOBIG;
    }
    (void)docket__reply__pack(reply, at);
    return 0;
}

int dk_reply_failure(struct dk_buf *out, uint64_t request, const struct dk_err *err)
{
    Docket__Failure failure = DOCKET__FAILURE__INIT;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    failure.code = err->code;
    failure.name = bytes_of(dk_code_name(err->code));
    failure.sentence = bytes_of(err->message);
    failure.has_field = err->field[0] != '\0';
    failure.field = bytes_of(err->field);
    reply.id = request;
    reply.result_case = DOCKET__REPLY__RESULT_FAILURE;
    reply.failure = &failure;
    return dk_reply_pack(out, &reply);
}
