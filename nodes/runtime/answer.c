#include "nodes/runtime/answer.h"
#include "proto/base/id.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_among(const char *key, size_t bytes, const char *keys)
{
    for (const char *at = keys; *at != '\0';) {
        size_t word = strcspn(at, " ");
        if (word == bytes && strncmp(at, key, bytes) == 0) {
            return true;
        }
        at += word + (at[word] == ' ');
    }
    return false;
}

int dk_answer_only(const char *const *argument, size_t count, const char *keys, struct dk_err *err)
{
    for (size_t i = 0; i < count; i++) {
        size_t bytes = strcspn(argument[i], "=");
        if (argument[i][bytes] != '=' || !is_among(argument[i], bytes, keys)) {
            return dk_err_field(err, DK_EINVAL, "argument", "\"%s\" is no argument of it: %s%s",
                                argument[i],
                                keys[0] != '\0' ? "KEY=VALUE, with one of " : "it has none", keys);
        }
    }
    return 0;
}

const char *dk_answer_argument(const char *const *argument, size_t count, const char *key)
{
    size_t bytes = strlen(key);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(argument[i], key, bytes) == 0 && argument[i][bytes] == '=') {
            return argument[i] + bytes + 1;
        }
    }
    return NULL;
}

int dk_answer_number(const char *const *argument, size_t count, const char *key, int base,
                     uint64_t *number, struct dk_err *err)
{
    const char *text = dk_answer_argument(argument, count, key);
    char *end = NULL;
    if (text == NULL) {
        return 0;
    }
    errno = 0;
    uint64_t value = text[0] != '-' && text[0] != '+' ? strtoull(text, &end, base) : 0;
    if (end == NULL || end == text || *end != '\0' || errno != 0) {
        return dk_err_field(err, DK_EINVAL, key, "%s=%s is no number", key, text);
    }
    *number = value;
    return 0;
}

int dk_answer_time(const char *key, const char *text, const struct dk_zone *zone, int64_t *us,
                   struct dk_err *err)
{
    struct dk_err cause = {0};
    struct dk_civil civil;
    int has_offset = 0;
    if (text == NULL) {
        return 0;
    }
    int rc = dk_time_parse(text, us, &has_offset, &cause);
    if (rc != 0) {
        return dk_err_field(err, rc, key, "%s: %s", key, cause.message);
    }
    if (!has_offset) {
        dk_civil_of_us(*us, &civil);
        *us = dk_zone_to_us(zone, &civil, DK_FOLD_FIRST);
    }
    return 0;
}

json_t *dk_answer_instant(int64_t at_us)
{
    char text[DK_TIME_TEXT_BYTES];
    return at_us != 0 && at_us < DK_TIME_MAX_US ? json_string(dk_time_format(at_us, 0, text))
                                                : json_null();
}

json_t *dk_answer_id(uint64_t subject)
{
    char text[DK_ID_TEXT_BYTES];
    return subject != 0 ? json_string(dk_id_format(subject, text)) : json_null();
}

json_t *dk_answer_word(const ProtobufCEnumDescriptor *words, unsigned number)
{
    char word[DK_WORD_BYTES];
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(words, (int)number);
    return value != NULL ? json_string(dk_enum_word(value, word)) : json_null();
}

int dk_answer_put(json_t *made, struct dk_buf *out, struct dk_err *err)
{
    size_t bytes = json_dumpb(made, NULL, 0, JSON_COMPACT);
    uint8_t *at = dk_buf_extend(out, bytes);
    DK_ASSERT(bytes > 0);
    if (at != NULL) {
        (void)json_dumpb(made, (char *)at, bytes, JSON_COMPACT);
    }
    json_decref(made);
    return at != NULL ? 0 : dk_err_set(err, DK_ETOOBIG, "the answer is too large: ask for less");
}
