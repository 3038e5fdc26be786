/* Bodies: from bytes to protobuf-c structs and back, and as JSON for people and tools. */
#ifndef DK_EVENT_BODY_H
#define DK_EVENT_BODY_H

#include "docket.pb-c.h"
#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "proto/event/event.h"
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* The descriptor of a kind's body ("docket.Opened"), or NULL for a kind not known here. */
const ProtobufCMessageDescriptor *dk_body_descriptor(uint32_t kind);

/* Unpacks the body of a canonical record into the arena; cast to the kind's struct
 * (Docket__Opened *). NULL with DK_EINVAL (malformed, a required field missing, or a decision or
 * origin that dk_event_decision and dk_event_origin would read differently), DK_EVERSION (a kind
 * not known), DK_ENOMEM. Lives until the arena is reset. */
const ProtobufCMessage *dk_body_unpack(struct dk_arena *arena, const uint8_t *record,
                                       size_t record_bytes, struct dk_err *err);

/* Form: no field that is not known here; enum values are defined ones, and not "none" where one is
 * required; every byte string that is text is valid UTF-8 without NUL and within DK_TEXT_MAX_BYTES
 * (keys, references: 1..DK_KEY_MAX_BYTES); a Text has exactly one of plain and sealed; ids in the
 * body have the class their field asks, or are 0; times lie in DK_TIME_MIN_US..DK_TIME_MAX_US,
 * durations are at most DK_TIME_MAX_US; sha256 has 32 bytes; a number is finite; languages are
 * tags; a ticket's subject, a message and a note say something, unless they are imported. 0, or
 * DK_EINVAL / DK_ETOOBIG / DK_ETIME / DK_EVERSION naming the field ("opened.subject"). */
int dk_body_check(const ProtobufCMessage *body, uint32_t kind, struct dk_err *err);

/* "de", "pt-BR", "zh-Hant-TW": two or three letters, then parts of letters and digits, 1 to 8 each,
 * as BCP 47 builds the tags of languages; which ones exist is not asked. */
bool dk_language_is_tag(const void *text, size_t bytes);

/* Appends one encoded record to `out`: the envelope with format and kind set (in `envelope` too),
 * then the body. The record's bytes are at out->data + old size. 0 or DK_ETOOBIG. */
int dk_event_encode(struct dk_buf *out, struct dk_envelope *envelope, uint32_t kind,
                    const ProtobufCMessage *body, struct dk_err *err);

/* One event as one line of JSON, without the newline: envelope fields by name, subject, group and
 * actor as dk_id_format writes them, kind as its word, flags as words, the body's present fields by
 * name under "body". Instants are ISO 8601 UTC and lose their unit ("occurred", "due"), durations
 * keep it; enums are lower-case words, a Text is a string, ids are text, hashes and what is no text
 * hex; an id or instant of 0 is null. An unknown kind is a number and gets "body": null. 0, or an
 * error of unpacking or room, with `out` as it was. */
int dk_event_json(struct dk_buf *out, struct dk_arena *arena, const uint8_t *record,
                  size_t record_bytes, struct dk_err *err);

/* The same of a body alone: an object, or null for NULL. 0 or DK_ETOOBIG, with `out` as it was. */
int dk_body_json(struct dk_buf *out, uint32_t kind, const ProtobufCMessage *body,
                 struct dk_err *err);

/* One value of a field, as it stands there (dk_field_values; `rule` of proto/event/fields.h). The
 * same. */
int dk_value_json(struct dk_buf *out, const ProtobufCFieldDescriptor *field, const void *value,
                  int rule, struct dk_err *err);

/* The word of an enum's value: STATUS_NEW is "new", CHANNEL_ON_BEHALF "on-behalf" (the enum's own
 * name is left out). Returns `word`. */
#define DK_WORD_BYTES 64
char *dk_enum_word(const ProtobufCEnumValue *value, char word[DK_WORD_BYTES]);

/* A field of a body by name and type, that is not repeated: its value (of a message, the message),
 * or NULL when the kind has no such field, it is not set, or `body` is NULL. Borrowed. */
const void *dk_body_field(const ProtobufCMessage *body, const char *name, ProtobufCType type);

/* A Text's plain bytes, or "[sealed]"; "" for NULL. Borrowed; not NUL-terminated. */
const char *dk_text_plain(const Docket__Text *text, size_t *bytes);

/* Whether a Text says something: it is sealed, or more than blanks and control characters. */
bool dk_text_says(const Docket__Text *text);

/* An arena's NUL-terminated copy of bytes that came out of an unpack. */
const char *dk_bytes_string(struct dk_arena *arena, const ProtobufCBinaryData *bytes);

#endif
