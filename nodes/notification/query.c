#include "nodes/notification/state.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *subject_json(uint64_t subject)
{
    char text[DK_ID_TEXT_BYTES];
    return subject != 0 ? json_string(dk_id_format(subject, text)) : json_null();
}

static json_t *instant_json(int64_t at_us)
{
    char text[DK_TIME_TEXT_BYTES];
    return at_us != 0 ? json_string(dk_time_format(at_us, 0, text)) : json_null();
}

/* Bytes that may have been cut in the middle of a character. */
static json_t *text_json(const char *text, size_t max)
{
    size_t bytes = strnlen(text, max);
    json_t *made = json_stringn(text, bytes);
    while (made == NULL && bytes > 0) {
        made = json_stringn(text, --bytes);
    }
    return made;
}

static json_t *notice_json(const struct dk_notification *self, uint64_t id,
                           const struct dk_notice *notice)
{
    char text[DK_NAME_BYTES], word[DK_WORD_BYTES], hex[17];
    const ProtobufCEnumValue *transport = protobuf_c_enum_descriptor_get_value(
        &docket__transport__descriptor, (int)notice->transport);
    json_t *made = json_object();
    (void)snprintf(hex, sizeof hex, "%016" PRIx64, id);
    json_object_set_new(made, "notice", json_string(hex));
    json_object_set_new(made, "ticket", subject_json(notice->ticket));
    json_object_set_new(
        made, "rule", text_json(dk_refs_name(self->world->refs, notice->rule, text), sizeof text));
    json_object_set_new(made, "transport",
                        json_string(transport != NULL ? dk_enum_word(transport, word) : "?"));
    json_object_set_new(made, "recipient", subject_json(notice->recipient));
    json_object_set_new(made, "requested", json_integer((json_int_t)notice->position));
    json_object_set_new(made, "cause", json_integer((json_int_t)notice->cause));
    return made;
}

static json_t *outbox_json(const struct dk_notification *self)
{
    json_t *list = json_array();
    const struct dk_notice *notice;
    uint64_t id, after = 0;
    while ((notice = dk_notification_next(self, after, &id)) != NULL) {
        struct dk_attempts attempts = {0};
        json_t *made = notice_json(self, id, notice);
        after = notice->position;
        if (self->attempts_of != NULL) {
            self->attempts_of(self->attempts_arg, id, &attempts);
        }
        json_object_set_new(made, "attempts", json_integer(attempts.count));
        json_object_set_new(made, "next", instant_json(attempts.next_us));
        json_object_set_new(made, "error", text_json(attempts.error, sizeof attempts.error));
        json_array_append_new(list, made);
    }
    return list;
}

static json_t *dead_json(const struct dk_notification *self)
{
    json_t *list = json_array();
    size_t cursor = 0, bytes;
    uint64_t id;
    const void *value;
    while (dk_table_next(self->dead, &cursor, &id, &value, &bytes)) {
        const struct dk_dead *dead = value;
        json_t *made = notice_json(self, id, &dead->notice);
        json_object_set_new(made, "attempts", json_integer(dead->attempts));
        json_object_set_new(made, "failed", instant_json(dead->failed_us));
        json_object_set_new(made, "error", text_json(dead->error, sizeof dead->error));
        json_array_append_new(list, made);
    }
    return list;
}

int dk_notification_query(void *self, const char *name, const char *const *argument,
                          size_t argument_count, struct dk_buf *json, struct dk_err *err)
{
    json_t *list;
    (void)argument;
    (void)argument_count;
    if (strcmp(name, "outbox") == 0) {
        list = outbox_json(self);
    } else if (strcmp(name, "dead") == 0) {
        list = dead_json(self);
    } else {
        return dk_err_set(err, DK_ENOTFOUND, "notification answers outbox and dead, not \"%s\"",
                          name);
    }
    size_t bytes = json_dumpb(list, NULL, 0, JSON_COMPACT);
    uint8_t *at = dk_buf_extend(json, bytes);
    if (at != NULL) {
        (void)json_dumpb(list, (char *)at, bytes, JSON_COMPACT);
    }
    json_decref(list);
    return at != NULL ? 0 : dk_err_set(err, DK_ETOOBIG, "the answer is too large");
}
