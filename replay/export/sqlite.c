/* One SQLite database: `events` with the columns of CSV, `entities` with what they name. The file
 * is new and nobody else has it: it needs no journal, and is made durable by the sink. */
#include "replay/export/columns.h"
#include "replay/export/format.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS 1000000 /* of SQLite's machine, between two checks */

struct sqlite {
    struct dk_exporting *with;
    struct dk_columns columns;
    sqlite3 *db;
    sqlite3_stmt *event, *entity;
};

/* What SQLite says; or it was on_check, in the middle of a statement. */
static int refuse(const struct sqlite *sqlite)
{
    int stopped = sqlite->with->on_check(sqlite->with->arg);
    if (stopped != 0) {
        return stopped;
    }
    return dk_err_set(sqlite->with->err, DK_EIO, "cannot write %s: %s", sqlite->with->sink->path,
                      sqlite3_errmsg(sqlite->db));
}

static int run(const struct sqlite *sqlite, const char *sql)
{
    return sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : refuse(sqlite);
}

static int begin_sqlite(struct dk_exporting *exporting, void **state)
{
    static const char tables[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                                 "PRAGMA locking_mode = EXCLUSIVE; BEGIN;"
                                 "CREATE TABLE entities (subject TEXT PRIMARY KEY, class TEXT, "
                                 "key TEXT, name TEXT) WITHOUT ROWID;"
                                 "CREATE TABLE events (position INTEGER PRIMARY KEY"
#define X(NAME, word, type) ", " #word " " type
        DK_COLUMNS_BUT_POSITION(X)
#undef X
            ");";
    static const char event[] = "INSERT INTO events VALUES (?"
#define X(NAME, word, type) ", ?"
        DK_COLUMNS_BUT_POSITION(X)
#undef X
            ")";
    struct sqlite *sqlite = calloc(1, sizeof *sqlite);
    DK_ASSERT(sqlite != NULL);
    *state = sqlite;
    sqlite->with = exporting;
    dk_columns_init(&sqlite->columns, exporting->names, exporting->arena);
    const char *file = dk_sink_file(exporting->sink);
    if (file == NULL) {
        return dk_err_set(exporting->err, DK_EINVAL, "%s is no regular file, as a database must be",
                          exporting->sink->path);
    }
    if (sqlite3_open_v2(file, &sqlite->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        return refuse(sqlite);
    }
    sqlite3_progress_handler(sqlite->db, STEPS, exporting->on_check, exporting->arg);
    int rc = run(sqlite, tables);
    if (rc == 0 && (sqlite3_prepare_v2(sqlite->db, event, -1, &sqlite->event, NULL) != SQLITE_OK ||
                    sqlite3_prepare_v2(sqlite->db, "INSERT INTO entities VALUES (?, ?, ?, ?)", -1,
                                       &sqlite->entity, NULL) != SQLITE_OK)) {
        rc = refuse(sqlite);
    }
    return rc;
}

/* Texts are borrowed until the step is done. An empty one is NULL. */
static bool bind(sqlite3_stmt *statement, int at, const void *text, size_t bytes)
{
    int rc = bytes == 0 ? sqlite3_bind_null(statement, at)
                        : sqlite3_bind_text(statement, at, text, (int)bytes, SQLITE_STATIC);
    return rc == SQLITE_OK;
}

static int step(const struct sqlite *sqlite, sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement) == SQLITE_DONE ? 0 : refuse(sqlite);
    (void)sqlite3_reset(statement);
    return rc;
}

/* The table's types make numbers of what are numbers. */
static int put_sqlite(void *state, const uint8_t *record, size_t record_bytes)
{
    struct sqlite *sqlite = state;
    bool bound = true;
    int rc = dk_columns_fill(&sqlite->columns, record, record_bytes, sqlite->with->err);
    for (int i = 0; rc == 0 && bound && i < DK_COLUMN_COUNT; i++) {
        struct dk_slice text = sqlite->columns.text[i];
        bound = bind(sqlite->event, 1 + i, text.data, text.size);
    }
    return rc != 0 ? rc : bound ? step(sqlite, sqlite->event) : refuse(sqlite);
}

static int put_entity(void *arg, const struct dk_refs_version *version)
{
    struct sqlite *sqlite = arg;
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    const char *class = dk_subject_class_word(dk_id_class(version->subject));
    const char *name = dk_names_of(sqlite->with->names, version->subject);
    char id[DK_ID_TEXT_BYTES];
    (void)dk_id_format(version->subject, id);
    bool bound =
        bind(sqlite->entity, 1, id, strlen(id)) && bind(sqlite->entity, 2, class, strlen(class)) &&
        bind(sqlite->entity, 3, key->data, key->len) && bind(sqlite->entity, 4, name, strlen(name));
    return bound ? step(sqlite, sqlite->entity) : refuse(sqlite);
}

static int end_sqlite(void *state)
{
    struct sqlite *sqlite = state;
    const struct dk_refs *refs = sqlite->with->names->refs;
    int rc = 0;
    for (unsigned cls = 1; rc == 0 && cls < DK_SUBJECT_CLASS_COUNT; cls++) {
        rc = dk_refs_each(refs, cls, INT64_MAX, put_entity, sqlite);
    }
    return rc != 0 ? rc : run(sqlite, "CREATE INDEX events_subject ON events (subject); COMMIT;");
}

static void free_sqlite(void **state)
{
    struct sqlite *sqlite = *state;
    if (sqlite != NULL) {
        (void)sqlite3_finalize(sqlite->event);
        (void)sqlite3_finalize(sqlite->entity);
        (void)sqlite3_close(sqlite->db);
        dk_columns_close(&sqlite->columns);
        free(sqlite);
        *state = NULL;
    }
}

const struct dk_format dk_format_sqlite = {
    .word = "sqlite",
    .about = "a database: events with the columns of csv, entities with what they name",
    .by_name = true,
    .begin = begin_sqlite,
    .event = put_sqlite,
    .end = end_sqlite,
    .free = free_sqlite,
};
