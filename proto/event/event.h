/* The envelope: every event's fixed fields at constant offsets. This file alone knows them.
 *
 *  offset  0    5    10       19          28          37       46      51       60
 *         +----+----+--------+-----------+-----------+--------+-------+--------+----
 *         |form|crc |position|recorded_us|occurred_us|subject |version|previous| ...
 *         +----+----+--------+-----------+-----------+--------+-------+--------+----
 *          60   65    70     79     88       97             106
 *         +----+-----+------+------+--------+---------------+------------------------+
 *         |kind|flags|actor | group|producer|producer_number| body: tag, length, bytes|
 *         +----+-----+------+------+--------+---------------+------------------------+
 *
 * Each field is its one-byte protobuf tag and then 4 or 8 little-endian bytes; the offsets below
 * point at the value. Loads and stamps are unaligned copies, which compile to one instruction. */
#ifndef DK_EVENT_EVENT_H
#define DK_EVENT_EVENT_H

#include "proto/base/err.h"
#include "proto/base/limits.h"
#include "proto/event/kinds.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the envelope is loaded in place: a little-endian machine is needed"
#endif

#define DK_EVENT_FORMAT 1

/* field, bytes, tag, offset of the value */
#define DK_ENVELOPE(X)                                                                             \
    X(format, 32, 0x0d, 1)                                                                         \
    X(crc32c, 32, 0x15, 6)                                                                         \
    X(position, 64, 0x19, 11)                                                                      \
    X(recorded_us, 64, 0x21, 20)                                                                   \
    X(occurred_us, 64, 0x29, 29)                                                                   \
    X(subject, 64, 0x31, 38)                                                                       \
    X(subject_version, 32, 0x3d, 47)                                                               \
    X(previous, 64, 0x41, 52)                                                                      \
    X(kind, 32, 0x4d, 61)                                                                          \
    X(flags, 32, 0x55, 66)                                                                         \
    X(actor, 64, 0x59, 71)                                                                         \
    X(group, 64, 0x61, 80)                                                                         \
    X(producer, 64, 0x69, 89)                                                                      \
    X(producer_number, 64, 0x71, 98)
#define DK_ENVELOPE_BYTES 106

enum dk_envelope_offset {
#define X(field, bits, tag, offset) DK_AT_##field = (offset),
    DK_ENVELOPE(X)
#undef X
};

/* dk_event_load_position(record), dk_event_load_kind(record), ...: load a field of a record that is
 * known to be at least DK_ENVELOPE_BYTES long. dk_stamp_position(record, value), ...: store it in
 * place. */
#define X(field, bits, tag, offset)                                                                \
    static inline uint##bits##_t dk_event_load_##field(const uint8_t *record)                      \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
        memcpy(&value, record + (offset), sizeof value);                                           \
        return value;                                                                              \
    }                                                                                              \
    static inline void dk_stamp_##field(uint8_t *record, uint##bits##_t value)                     \
    {                                                                                              \
        memcpy(record + (offset), &value, sizeof value);                                           \
    }
DK_ENVELOPE(X)
#undef X

/* The same as one struct, for code that looks at many fields. */
struct dk_envelope {
    uint64_t position;
    int64_t recorded_us;
    int64_t occurred_us;
    uint64_t subject;
    uint64_t previous;
    uint64_t actor;
    uint64_t group;
    uint64_t producer;
    uint64_t producer_number;
    uint32_t format;
    uint32_t crc32c;
    uint32_t subject_version;
    uint32_t kind;
    uint32_t flags;
};
void dk_event_load(const uint8_t *record, struct dk_envelope *envelope);

/* Writes an envelope's tags and values, DK_ENVELOPE_BYTES, at `record`. */
void dk_event_store(uint8_t *record, const struct dk_envelope *envelope);

/* The body's bytes (after its tag and length) of a canonical record; borrowed from it. */
const uint8_t *dk_event_body(const uint8_t *record, size_t record_bytes, size_t *body_bytes);

/* CRC-32C over the record as if its crc32c field were zero. */
uint32_t dk_event_crc(const uint8_t *record, size_t record_bytes);

/* DESIGN "Canonical or refused": at least an envelope, every tag at its offset, format known, then
 * one body whose field number is `kind`, whose length is a minimal varint, and whose length ends
 * the record; at most DK_RECORD_MAX_BYTES. The kind may be unknown. 0, DK_ECANON, DK_EVERSION or
 * DK_ETOOBIG, naming the field. Does not look inside the body, nor at the crc. */
int dk_event_canonical(const uint8_t *record, size_t record_bytes, struct dk_err *err);

/* Canonical, and the crc is right: what a reader asks of every record it did not write itself.
 * Also DK_ECORRUPT. */
int dk_event_verify(const uint8_t *record, size_t record_bytes, struct dk_err *err);

/* Decision and Origin stand at the body's front: read by hand, without unpacking the rest. */
struct dk_decision {
    uint64_t basis;
    uint64_t cause;
    uint32_t rule_version;
};
struct dk_origin {
    uint64_t source;
    uint64_t digest;
    uint32_t ordinal;
    const uint8_t *case_key; /* borrowed from the record, or NULL */
    size_t case_key_bytes;
};
/* 1 and filled when the record's body (of a ticket kind) begins with one; 0 when there is none;
 * DK_EINVAL when it is malformed. */
int dk_event_decision(const uint8_t *record, size_t record_bytes, struct dk_decision *decision);
int dk_event_origin(const uint8_t *record, size_t record_bytes, struct dk_origin *origin);

#endif
