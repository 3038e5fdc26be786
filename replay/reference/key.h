/* Keys: how one is read into a body's field, and how the field is said in the words of the file.
 *
 * Reading and saying are one pair a type, so that what is printed can be written. */
#ifndef DK_REPLAY_REFERENCE_KEY_H
#define DK_REPLAY_REFERENCE_KEY_H

#include "replay/reference/set.h"

/* One key of one entity being read. */
struct dk_reading {
    struct dk_reference *set;
    struct dk_reference_entity *entity;
    const struct dk_reference_key *key;
    const struct dk_yaml *node; /* the key's value */
    const ProtobufCFieldDescriptor *field;
};

/* What a body says, as "path: value" lines. */
struct dk_line {
    const char *path;
    const char *value;
};
struct dk_lines {
    struct dk_arena *arena;
    struct dk_line *line;
    size_t count;
    size_t capacity;
    const struct dk_refs *refs; /* names the ids */
    int64_t at_us;
};

struct dk_reference_type {
    void (*read)(const struct dk_reading *reading);
    void (*say)(struct dk_lines *lines, const struct dk_reference_key *key,
                const ProtobufCMessage *body, const ProtobufCFieldDescriptor *field);
};

extern const struct dk_reference_type dk_type_bytes;   /* one word or text */
extern const struct dk_reference_type dk_type_text;    /* the same, as Text */
extern const struct dk_reference_type dk_type_mailbox; /* a text that mail can go to */
extern const struct dk_reference_type dk_type_bytes_list;
extern const struct dk_reference_type dk_type_number; /* min..max */
extern const struct dk_reference_type dk_type_numbers;
extern const struct dk_reference_type dk_type_bool;
extern const struct dk_reference_type dk_type_duration;
extern const struct dk_reference_type dk_type_durations;
extern const struct dk_reference_type dk_type_enum;
extern const struct dk_reference_type dk_type_enums;
extern const struct dk_reference_type dk_type_id; /* the key of a `cls` */
extern const struct dk_reference_type dk_type_ids;
extern const struct dk_reference_type dk_type_site;     /* a site's key, kept as its number */
extern const struct dk_reference_type dk_type_day;      /* a date */
extern const struct dk_reference_type dk_type_last_day; /* a date, kept as the day after */
extern const struct dk_reference_type dk_type_kinds;
extern const struct dk_reference_type dk_type_hours;         /* mon-fri: 09:00-17:00 */
extern const struct dk_reference_type dk_type_holidays;      /* 2026-12-25: Christmas Day */
extern const struct dk_reference_type dk_type_holidays_from; /* a file of such lines */
extern const struct dk_reference_type dk_type_special_days;  /* 2026-12-24: 09:00-12:00 */
extern const struct dk_reference_type dk_type_channels;      /* chat: 2 */
extern const struct dk_reference_type dk_type_tiers;         /* gold: 2 */
extern const struct dk_reference_type dk_type_routes;        /* 1: desk */
extern const struct dk_reference_type dk_type_when;
extern const struct dk_reference_type dk_type_goals;
extern const struct dk_reference_type dk_type_penalties;
extern const struct dk_reference_type dk_type_texts; /* a template's, by language */
extern const struct dk_reference_type dk_type_to;    /* a rule's recipient */
extern const struct dk_reference_type dk_type_steps; /* of a rule's chain */

/* Notes a problem at a node. */
void dk_reading_problem(const struct dk_reading *reading, const struct dk_yaml *node,
                        const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Reading one value: false when it does not fit, and the problem is noted. Bytes are one line that
 * says something; prose may have more of them. */
bool dk_reading_prose(const struct dk_reading *reading, const struct dk_yaml *node,
                      ProtobufCBinaryData *value);
bool dk_reading_bytes(const struct dk_reading *reading, const struct dk_yaml *node,
                      ProtobufCBinaryData *value);
bool dk_reading_number(const struct dk_reading *reading, const struct dk_yaml *node, uint32_t min,
                       uint32_t max, uint32_t *value);
/* At most DK_SPAN_MAX_DAYS, and at least the key's `min` in microseconds. */
bool dk_reading_duration(const struct dk_reading *reading, const struct dk_yaml *node,
                         uint64_t *value);
/* The node's text, or `word` when that is not NULL. */
bool dk_reading_enum(const struct dk_reading *reading, const struct dk_yaml *node, const char *word,
                     const ProtobufCEnumDescriptor *descriptor, int *value);
bool dk_reading_kind(const struct dk_reading *reading, const struct dk_yaml *node, uint32_t *kind);
bool dk_reading_id(const struct dk_reading *reading, const struct dk_yaml *node, unsigned cls,
                   uint64_t *id);
bool dk_reading_site(const struct dk_reading *reading, const struct dk_yaml *node,
                     uint32_t *number);
/* Of the years that calendars know. */
bool dk_reading_day(const struct dk_reading *reading, const struct dk_yaml *node, const char *text,
                    int32_t *day);

/* The first child of a map; NULL, with the problem noted, when it is none or empty. */
const struct dk_yaml *dk_reading_map(const struct dk_reading *reading, const struct dk_yaml *node);
/* A list, or one scalar as a list of one: its first element and how many; NULL as above. */
const struct dk_yaml *dk_reading_list(const struct dk_reading *reading, const struct dk_yaml *node,
                                      size_t *count);

/* Where the reading's field holds its one value; it is marked as present. */
void *dk_reading_value(const struct dk_reading *reading);
/* Makes the reading's repeated field `count` elements longer and returns the first of them;
 * the same for messages: an array of pointers to initialized ones. */
void *dk_reading_repeat(const struct dk_reading *reading, size_t count);
void *dk_reading_parts(const struct dk_reading *reading, size_t count);

/* Adds a line; the path is formatted, both are copied. */
void dk_lines_add(struct dk_lines *lines, const char *value, const char *path, ...)
    __attribute__((format(printf, 3, 4)));

/* Values in words. */
const char *dk_lines_format(struct dk_lines *lines, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
const char *dk_lines_bytes(struct dk_lines *lines, const ProtobufCBinaryData *bytes);
const char *dk_lines_enum(struct dk_lines *lines, const ProtobufCEnumDescriptor *descriptor,
                          int value);
const char *dk_lines_duration(struct dk_lines *lines, uint64_t us);
const char *dk_lines_id(struct dk_lines *lines, uint64_t id);
const char *dk_lines_site(struct dk_lines *lines, uint32_t number);
const char *dk_lines_day(struct dk_lines *lines, int32_t day);
/* "so far, more"; `so_far` may be "". */
const char *dk_lines_join(struct dk_lines *lines, const char *so_far, const char *more);

/* All lines of a body; `name` first. */
void dk_lines_body(struct dk_lines *lines, uint32_t kind, const ProtobufCMessage *body);

#endif
