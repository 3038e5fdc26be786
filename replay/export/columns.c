#include "replay/export/columns.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <inttypes.h>

#define SHORT_BYTES ((size_t)64) /* what a number, an instant, an id takes at the most */
#define FLAGS_BYTES ((size_t)128)
#define MAX_BYTES   ((size_t)8 << 20) /* a body's bytes may all need escapes */

void dk_columns_init(struct dk_columns *columns, struct dk_names *names, struct dk_arena *arena)
{
    *columns = (struct dk_columns){.names = names, .arena = arena};
    dk_buf_init(&columns->buffer, MAX_BYTES);
}

void dk_columns_close(struct dk_columns *columns)
{
    dk_buf_close(&columns->buffer);
}

/* Digits of `value`, ended where `end` is; returns their first. */
static char *put_digits(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

struct filling {
    struct dk_columns *columns;
    char *at; /* in memory that is large enough for all but the body */
};

/* The column's text is what stands from `at` to `end`. */
static void set(struct filling *f, enum dk_column column, char *end)
{
    f->columns->text[column] = (struct dk_slice){(uint8_t *)f->at, (size_t)(end - f->at)};
    f->at = end;
}

static void set_word(struct filling *f, enum dk_column column, const char *word)
{
    f->columns->text[column] = (struct dk_slice){(const uint8_t *)word, strlen(word)};
}

static void set_number(struct filling *f, enum dk_column column, uint64_t value)
{
    char digits[20];
    const char *from = put_digits(digits + sizeof digits, value);
    size_t bytes = (size_t)(digits + sizeof digits - from);
    memcpy(f->at, from, bytes);
    set(f, column, f->at + bytes);
}

static void set_time(struct filling *f, enum dk_column column, int64_t us)
{
    set(f, column, us != 0 ? f->at + strlen(dk_time_format(us, 0, f->at)) : f->at);
}

static void set_flags(struct filling *f, uint32_t flags)
{
    const ProtobufCEnumDescriptor *known = &docket__event_flag__descriptor;
    char *at = f->at, word[DK_WORD_BYTES];
    for (unsigned i = 0; flags != 0 && i < known->n_values; i++) {
        if ((flags & (uint32_t)known->values[i].value) != 0) {
            *at = ' ';
            at += at > f->at;
            size_t bytes = strlen(dk_enum_word(&known->values[i], word));
            memcpy(at, word, bytes);
            at += bytes;
        }
    }
    set(f, DK_COLUMN_FLAGS, at);
}

static void set_envelope(struct filling *f, const uint8_t *record)
{
    struct dk_names *names = f->columns->names;
    uint32_t kind = dk_event_load_kind(record);
    uint64_t actor = dk_event_load_actor(record), group = dk_event_load_group(record);
    const struct dk_kind_info *info = dk_kind_info(kind);
    set_number(f, DK_COLUMN_POSITION, dk_event_load_position(record));
    set_time(f, DK_COLUMN_RECORDED, (int64_t)dk_event_load_recorded_us(record));
    set_time(f, DK_COLUMN_OCCURRED, (int64_t)dk_event_load_occurred_us(record));
    set(f, DK_COLUMN_SUBJECT, f->at + strlen(dk_id_format(dk_event_load_subject(record), f->at)));
    set_number(f, DK_COLUMN_VERSION, dk_event_load_subject_version(record));
    set_flags(f, dk_event_load_flags(record));
    set(f, DK_COLUMN_ACTOR, actor != 0 ? f->at + strlen(dk_actor_format(actor, f->at)) : f->at);
    set(f, DK_COLUMN_GROUP, group != 0 ? f->at + strlen(dk_id_format(group, f->at)) : f->at);
    set_word(f, DK_COLUMN_ACTOR_NAME, dk_names_actor(names, actor));
    set_word(f, DK_COLUMN_GROUP_NAME, dk_names_of(names, group));
    if (info != NULL) {
        set_word(f, DK_COLUMN_KIND, info->word);
    } else {
        set_number(f, DK_COLUMN_KIND, kind);
    }
}

int dk_columns_fill(struct dk_columns *columns, const uint8_t *record, size_t record_bytes,
                    struct dk_err *err)
{
    uint32_t kind = dk_event_load_kind(record);
    const ProtobufCMessage *body = NULL;
    int rc = 0;
    dk_arena_reset(columns->arena);
    dk_buf_clear(&columns->buffer);
    if (dk_body_descriptor(kind) != NULL) {
        body = dk_body_unpack(columns->arena, record, record_bytes, err);
        rc = body == NULL ? err->code : 0;
    }
    rc = rc == 0 && body != NULL ? dk_body_json(&columns->buffer, kind, body, err) : rc;
    size_t json_bytes = columns->buffer.size;
    char *envelope =
        rc == 0 ? (char *)dk_buf_extend(&columns->buffer, FLAGS_BYTES + 7 * SHORT_BYTES) : NULL;
    if (envelope == NULL) {
        return rc != 0 ? rc : dk_err_set(err, DK_ETOOBIG, "the event does not fit a row");
    }
    struct filling filling = {columns, envelope};
    set_envelope(&filling, record);
    columns->text[DK_COLUMN_BODY] = (struct dk_slice){columns->buffer.data, json_bytes};
    return 0;
}
