#include "nodes/notification/payload.h"
#include "proto/base/utf8.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the receivers take, in UTF-16 units as they count. */
#define SLACK_UNITS      40000
#define MATTERMOST_UNITS 16383
#define TELEGRAM_UNITS   4096

/* A title and a text of 16 KiB each, escaped, of 200 notices at most 4 KiB each. */
#define BODY_MAX_BYTES ((size_t)8 * 1024 * 1024)

/* ---------------------------------------------------------------- escaping */

/* Slack has three characters of its own: its mentions and links stand in <...>. */
static const char *for_slack(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    default: return NULL;
    }
}

/* Markdown; and an @ is told apart from its name by a space of no width, so that nobody who writes
 * to the desk calls @all. */
static const char *for_mattermost(char c)
{
    static const char *const escaped[128] = {
        ['\\'] = "\\\\", ['`'] = "\\`", ['*'] = "\\*",    ['_'] = "\\_", ['['] = "\\[",
        [']'] = "\\]",   ['<'] = "\\<", ['>'] = "\\>",    ['~'] = "\\~", ['|'] = "\\|",
        ['#'] = "\\#",   ['!'] = "\\!", ['@'] = "@\u200b"};
    return (unsigned char)c < 128 ? escaped[(unsigned char)c] : NULL;
}

void dk_payload_escape(Docket__Payload payload, const void *text, size_t bytes, struct dk_buf *out)
{
    const char *at = text, *end = at + bytes, *plain = at;
    for (; at < end; at++) {
        const char *instead = payload == DOCKET__PAYLOAD__PAYLOAD_SLACK        ? for_slack(*at)
                              : payload == DOCKET__PAYLOAD__PAYLOAD_MATTERMOST ? for_mattermost(*at)
                                                                               : NULL;
        if (instead != NULL) {
            (void)dk_buf_append(out, plain, (size_t)(at - plain));
            (void)dk_buf_append(out, instead, strlen(instead));
            plain = at + 1;
        }
    }
    (void)dk_buf_append(out, plain, (size_t)(at - plain));
}

/* ---------------------------------------------------------------- digests */

static const char *string_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* A string of an object, not longer than `max` bytes, cut between two characters. */
static void shorten(json_t *object, const char *name, size_t max)
{
    const char *text = string_of(object, name);
    size_t bytes = strlen(text);
    if (bytes <= max) {
        return;
    }
    bytes = dk_utf8_prefix(text, max);
    json_object_set_new(object, name, json_sprintf("%.*s\u2026", (int)bytes, text));
}

/* A line a title. */
static json_t *titles_of(const json_t *notices)
{
    struct dk_buf out;
    const json_t *notice;
    size_t i;
    dk_buf_init(&out, BODY_MAX_BYTES);
    json_array_foreach(notices, i, notice)
    {
        (void)dk_buf_printf(&out, "%s%s", i > 0 ? "\n" : "", string_of(notice, "title"));
    }
    json_t *made = json_string(dk_buf_string(&out));
    dk_buf_close(&out);
    return made;
}

json_t *dk_payload_digest(uint64_t id, json_t *notices, size_t text_bytes)
{
    static const char *const shared[] = {"rule", "recipient", "recipient_name", "language"};
    json_t *digest = json_object(), *notice;
    const json_t *first = json_array_get(notices, 0);
    size_t i, count = json_array_size(notices);
    json_array_foreach(notices, i, notice)
    {
        shorten(notice, "title", text_bytes);
        shorten(notice, "text", text_bytes);
    }
    json_object_set_new(digest, "notice", json_sprintf("%016" PRIx64, id));
    json_object_set_new(digest, "digest", json_integer((json_int_t)count));
    for (i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        json_object_set(digest, shared[i], json_object_get(first, shared[i]));
    }
    json_object_set_new(digest, "title", json_sprintf("%s (%zu)", string_of(first, "rule"), count));
    json_object_set_new(digest, "text", titles_of(notices));
    json_object_set_new(digest, "notices", notices);
    return digest;
}

/* ---------------------------------------------------------------- chats */

static void add_part(struct dk_buf *out, const json_t *notice, const char *mark)
{
    (void)dk_buf_printf(out, "%s%s%s%s\n%s", out->size > 0 ? "\n\n" : "", mark,
                        string_of(notice, "title"), mark, string_of(notice, "text"));
}

/* Titles between two marks. */
static char *body_with(const json_t *object, const char *mark)
{
    const json_t *notices = json_object_get(object, "notices"), *notice;
    struct dk_buf out;
    size_t i;
    dk_buf_init(&out, BODY_MAX_BYTES);
    if (notices == NULL) {
        add_part(&out, object, mark);
    }
    json_array_foreach(notices, i, notice)
    {
        add_part(&out, notice, mark);
    }
    char *body = strdup(dk_buf_string(&out));
    DK_ASSERT(body != NULL);
    dk_buf_close(&out);
    return body;
}

char *dk_payload_body(const json_t *object)
{
    const char *text = string_of(object, "text");
    char *body = json_object_get(object, "notices") != NULL ? body_with(object, "") : strdup(text);
    DK_ASSERT(body != NULL);
    return body;
}

/* The text as JSON, cut to so many UTF-16 units; it is freed. */
static json_t *units_json(char *text, size_t max)
{
    size_t units = 0, at = 0;
    while (text[at] != '\0' && units <= max) {
        unsigned char c = (unsigned char)text[at];
        size_t bytes = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        units += bytes == 4 ? 2 : 1;
        at += units <= max ? bytes : 0;
    }
    json_t *made = json_stringn(text, at);
    free(text);
    return made;
}

static json_t *chat_json(const ProtobufCBinaryData *chat)
{
    char text[32], *end;
    if (chat->len < sizeof text) { /* ids are numbers; channels go by name */
        (void)snprintf(text, sizeof text, "%.*s", (int)chat->len, (const char *)chat->data);
        errno = 0;
        long long number = strtoll(text, &end, 10);
        if (*end == '\0' && errno == 0) {
            return json_integer(number);
        }
    }
    return json_stringn((const char *)chat->data, chat->len);
}

static json_t *shape(const json_t *object, Docket__Payload payload, const ProtobufCBinaryData *chat)
{
    switch (payload) {
    case DOCKET__PAYLOAD__PAYLOAD_SLACK:
        return json_pack("{s:o}", "text", units_json(body_with(object, "*"), SLACK_UNITS));
    case DOCKET__PAYLOAD__PAYLOAD_MATTERMOST:
        return json_pack("{s:s, s:o}", "username", "docket", "text",
                         units_json(body_with(object, "**"), MATTERMOST_UNITS));
    case DOCKET__PAYLOAD__PAYLOAD_TELEGRAM:
        return json_pack("{s:o, s:o}", "chat_id", chat_json(chat), "text",
                         units_json(body_with(object, ""), TELEGRAM_UNITS));
    default: return json_incref((json_t *)(uintptr_t)object);
    }
}

int dk_payload_write(const json_t *object, Docket__Payload payload, const ProtobufCBinaryData *chat,
                     struct dk_buf *out, struct dk_err *err)
{
    if (payload == DOCKET__PAYLOAD__PAYLOAD_TELEGRAM && (chat == NULL || chat->len == 0)) {
        return dk_err_set(err, DK_EINVAL, "the rule names no chat");
    }
    json_t *made = shape(object, payload, chat);
    size_t bytes = json_dumpb(made, NULL, 0, JSON_COMPACT);
    uint8_t *at = bytes <= DK_PAYLOAD_MAX_BYTES ? dk_buf_extend(out, bytes) : NULL;
    if (at != NULL) {
        (void)json_dumpb(made, (char *)at, bytes, JSON_COMPACT);
    }
    json_decref(made);
    return at != NULL ? 0 : dk_err_set(err, DK_ETOOBIG, "the message does not fit");
}
