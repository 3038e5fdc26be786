/* An event as a line of texts: the columns of CSV and of SQLite's table. README.md says what each
 * holds. */
#ifndef DK_EXPORT_COLUMNS_H
#define DK_EXPORT_COLUMNS_H

#include "proto/base/arena.h"
#include "proto/base/buf.h"
#include "proto/event/wire.h"
#include "replay/export/names.h"

/* NAME, word, its type in SQLite */
#define DK_COLUMNS(X) X(POSITION, position, "INTEGER") DK_COLUMNS_BUT_POSITION(X)
#define DK_COLUMNS_BUT_POSITION(X)                                                                 \
    X(RECORDED, recorded, "TEXT")                                                                  \
    X(OCCURRED, occurred, "TEXT")                                                                  \
    X(SUBJECT, subject, "TEXT")                                                                    \
    X(VERSION, version, "INTEGER")                                                                 \
    X(KIND, kind, "TEXT")                                                                          \
    X(FLAGS, flags, "TEXT")                                                                        \
    X(ACTOR, actor, "TEXT")                                                                        \
    X(ACTOR_NAME, actor_name, "TEXT")                                                              \
    X(GROUP, group_id, "TEXT")                                                                     \
    X(GROUP_NAME, group_name, "TEXT")                                                              \
    X(BODY, body, "TEXT")

enum dk_column {
#define X(NAME, word, type) DK_COLUMN_##NAME,
    DK_COLUMNS(X)
#undef X
        DK_COLUMN_COUNT
};

/* The text of each; empty where there is none. Good until the next event. */
struct dk_columns {
    struct dk_slice text[DK_COLUMN_COUNT];
    struct dk_names *names; /* borrowed */
    struct dk_arena *arena; /* borrowed, reset with each event */
    struct dk_buf buffer;
};

void dk_columns_init(struct dk_columns *columns, struct dk_names *names, struct dk_arena *arena);
void dk_columns_close(struct dk_columns *columns);

/* DK_EINVAL (a body that does not unpack), DK_ETOOBIG, DK_ENOMEM. */
int dk_columns_fill(struct dk_columns *columns, const uint8_t *record, size_t record_bytes,
                    struct dk_err *err);

#endif
