#include "nodes/runtime/checkpoint.h"
#include "broker/log/damage.h"
#include "broker/log/files.h"
#include "broker/log/lmdb.h"
#include "proto/base/say.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAP_BYTES (UINT64_C(1) << 40)
#define KEY_BYTES 9 /* table number, then the key, big-endian */

struct dk_checkpoint {
    int lock; /* one process a role's state */
    MDB_env *env;
    MDB_dbi entries, segments, meta;
    char dir[PATH_MAX];
    uint8_t log_uuid[16];
};

#define CREATED_BY_TXN 1 /* the first makes the tables; each later one writes the mark */

/* What stands in "meta" under "mark": written in one transaction with the entries. */
struct mark {
    uint8_t log_uuid[16];
    uint64_t position, hash;
    int64_t recorded_us;
};

static void close_env(struct dk_checkpoint *c)
{
    if (c->env != NULL) {
        mdb_env_close(c->env);
        c->env = NULL;
    }
}

static int open_env(struct dk_checkpoint *c, struct dk_err *err)
{
    MDB_txn *txn = NULL;
    int rc = mdb_env_create(&c->env);
    if (rc == 0) {
        dk_damage_watch(c->env, c->dir, DK_DAMAGE_DERIVED);
    }
    rc = rc != 0 ? rc : mdb_env_set_maxdbs(c->env, 3);
    rc = rc != 0 ? rc : mdb_env_set_mapsize(c->env, DK_LMDB_MAP_BYTES(MAP_BYTES));
    rc = rc != 0 ? rc : mdb_env_open(c->env, c->dir, MDB_NOSYNC | MDB_NOTLS, 0640);
    rc = rc != 0 ? rc : mdb_txn_begin(c->env, NULL, 0, &txn);
    rc = rc != 0 ? rc : mdb_dbi_open(txn, "entries", MDB_CREATE, &c->entries);
    rc = rc != 0 ? rc : mdb_dbi_open(txn, "segments", MDB_CREATE, &c->segments);
    rc = rc != 0 ? rc : mdb_dbi_open(txn, "meta", MDB_CREATE, &c->meta);
    if (rc == 0) {
        rc = mdb_txn_commit(txn);
    } else if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return rc == 0 ? 0 : dk_lmdb_err(err, rc, "cannot open the checkpoint %s", c->dir);
}

/* Says why what is there is of no use, and begins anew. */
static int discard(struct dk_checkpoint *c, const char *why, struct dk_err *err)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    char path[PATH_MAX];
    dk_say(DK_WARN, "checkpoint-discarded", "dir=%s reason=\"%s\" effect=\"state is rebuilt\"",
           c->dir, why);
    close_env(c);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int rc = dk_path(path, c->dir, names[i], err);
        if (rc != 0) {
            return rc;
        }
        (void)unlink(path); /* what cannot be removed cannot be opened anew either: said there */
    }
    return open_env(c, err);
}

/* A file that is there while the state is read. LMDB ends the process when it meets a page that
 * makes no sense or is beyond a file cut short; what the next start finds marked it does not read
 * again. (A kill in that time costs a rebuild.) */
static bool mark_reading(const struct dk_checkpoint *c)
{
    char path[PATH_MAX];
    if (dk_path(path, c->dir, "reading", NULL) != 0) {
        return false;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0 || errno != EEXIST; /* on a full disk it goes without */
}

static void unmark_reading(const struct dk_checkpoint *c)
{
    char path[PATH_MAX];
    if (dk_path(path, c->dir, "reading", NULL) == 0) {
        (void)unlink(path);
    }
}

static int open_or_discard(struct dk_checkpoint *c, struct dk_err *err)
{
    struct dk_err damage = {0};
    if (!mark_reading(c)) {
        return discard(c, "the process that read it last died of it", err);
    }
    int rc = open_env(c, &damage);
    if (rc == DK_ECORRUPT || rc == DK_EVERSION) {
        return discard(c, damage.message, err);
    }
    return rc == 0 ? 0 : dk_err_set(err, rc, "%s", damage.message);
}

/* STATE, STATE/ROLE, STATE/ROLE/vN. */
static int make_dirs(struct dk_checkpoint *c, const char *state_dir, const struct dk_role_ops *ops,
                     struct dk_err *err)
{
    char role_dir[PATH_MAX], version[16];
    (void)snprintf(version, sizeof version, "v%u", ops->fold_version);
    int rc = dk_dir_make(state_dir, 0750, err);
    rc = rc != 0 ? rc : dk_path(role_dir, state_dir, ops->name, err);
    rc = rc != 0 ? rc : dk_dir_make(role_dir, 0750, err);
    rc = rc != 0 ? rc : dk_path(c->dir, role_dir, version, err);
    return rc != 0 ? rc : dk_dir_make(c->dir, 0750, err);
}

int dk_checkpoint_open(struct dk_checkpoint **checkpoint, const char *state_dir,
                       const struct dk_role_ops *ops, const uint8_t log_uuid[16],
                       struct dk_err *err)
{
    struct dk_checkpoint *c = calloc(1, sizeof *c);
    DK_ASSERT(c != NULL);
    memcpy(c->log_uuid, log_uuid, sizeof c->log_uuid);
    c->lock = -1;
    int rc = make_dirs(c, state_dir, ops, err);
    rc = rc != 0 ? rc : dk_dir_lock(c->dir, "writer.lock", &c->lock, err);
    rc = rc != 0 ? rc : open_or_discard(c, err);
    *checkpoint = c;
    if (rc != 0) {
        dk_checkpoint_close(checkpoint);
    }
    return rc;
}

void dk_checkpoint_close(struct dk_checkpoint **checkpoint)
{
    struct dk_checkpoint *c = *checkpoint;
    if (c != NULL) {
        if (c->env != NULL) {
            (void)mdb_env_sync(c->env, 1);
            unmark_reading(c);
        }
        close_env(c);
        if (c->lock >= 0) {
            (void)close(c->lock);
        }
        free(c);
        *checkpoint = NULL;
    }
}

static MDB_val text_key(const char *text)
{
    return (MDB_val){strlen(text), (void *)(uintptr_t)text};
}

static void put_key(uint8_t out[KEY_BYTES], unsigned number, uint64_t key)
{
    out[0] = (uint8_t)number;
    for (int i = 0; i < 8; i++) {
        out[1 + i] = (uint8_t)(key >> (56 - 8 * i));
    }
}

static uint64_t get_key(const uint8_t *at)
{
    uint64_t key = 0;
    for (int i = 0; i < 8; i++) {
        key = key << 8 | at[1 + i];
    }
    return key;
}

/* ---------------------------------------------------------------- restoring */

static int fill_tables(MDB_cursor *cursor, struct dk_table **table, size_t count)
{
    MDB_val key, value;
    int rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; rc == 0; rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
        const uint8_t *at = key.mv_data;
        if (key.mv_size != KEY_BYTES || at[0] >= count ||
            !dk_table_restore(table[at[0]], get_key(at), value.mv_data, value.mv_size)) {
            return MDB_CORRUPTED;
        }
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Each one's bytes, and then its marks. */
static int fill_segments(MDB_cursor *cursor, struct dk_table **table, size_t count,
                         struct dk_err *err)
{
    MDB_val key, bytes, marks_key, marks;
    int rc = mdb_cursor_get(cursor, &key, &bytes, MDB_FIRST);
    for (; rc == 0; rc = mdb_cursor_get(cursor, &key, &bytes, MDB_NEXT)) {
        const uint8_t *at = key.mv_data;
        struct dk_segment_marks kept;
        uint64_t number = key.mv_size == KEY_BYTES ? get_key(at) : 0;
        rc = mdb_cursor_get(cursor, &marks_key, &marks, MDB_NEXT);
        if (rc != 0 || key.mv_size != KEY_BYTES || at[0] >= count || number % 2 != 0 ||
            number / 2 >= DK_SEGMENTS_MAX || marks_key.mv_size != KEY_BYTES ||
            ((const uint8_t *)marks_key.mv_data)[0] != at[0] ||
            get_key(marks_key.mv_data) != number + 1 || marks.mv_size != sizeof kept) {
            return rc == 0 || rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
        }
        memcpy(&kept, marks.mv_data, sizeof kept);
        rc = dk_table_restore_segment(table[at[0]], (uint32_t)(number / 2), bytes.mv_data,
                                      bytes.mv_size, &kept, err);
        if (rc != 0) {
            (void)dk_err_wrap(err, "table %u", at[0]);
            return rc;
        }
    }
    for (size_t i = 0; i < count; i++) {
        dk_table_restored(table[i]);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int compare_keys(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Whether the log holds what the checkpoint ends with; else why it is not to be used. A log may
 * have been restored from a backup, or a power cut may have undone a commit that was seen: then it
 * ends before, or goes on with other events, which were recorded at other times. */
static int ask_log(struct dk_source *source, const struct mark *mark, const char **why,
                   struct dk_err *err)
{
    struct dk_records records;
    dk_records_init(&records);
    int rc = dk_source_record(source, mark->position, &records, err);
    if (rc == DK_ENOTFOUND) {
        *why = "it is ahead of the log";
        rc = 0;
    } else if (rc == 0) {
        size_t bytes;
        struct dk_envelope last;
        dk_event_load(dk_batch_record(&records.batch, 0, &bytes), &last);
        *why = last.recorded_us == mark->recorded_us
                   ? NULL
                   : "the log went on otherwise from where it was set back to";
    }
    dk_records_close(&records);
    return rc;
}

/* Reads the definitions from the log again, in their order. */
static int restore_refs(struct dk_folder *folder, struct dk_source *source, struct dk_err *err)
{
    struct dk_table *definitions = dk_folder_definitions(folder);
    size_t count = dk_table_count(definitions), n = 0, cursor = 0, bytes;
    uint64_t *position = calloc(count + 1, sizeof *position);
    const void *value;
    struct dk_records records;
    int rc = 0;
    DK_ASSERT(position != NULL);
    while (dk_table_next(definitions, &cursor, &position[n], &value, &bytes)) {
        n++;
    }
    qsort(position, n, sizeof *position, compare_keys);
    dk_records_init(&records);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        uint64_t held = records.batch.first + records.batch.count;
        if (records.batch.count == 0 || position[i] >= held) {
            rc = dk_source_read(source, position[i], &records, err);
        }
        if (rc == 0 && records.batch.count == 0) {
            rc = dk_err_set(err, DK_ENOTFOUND, "position %" PRIu64 " is not in the log",
                            position[i]);
        }
        if (rc == 0) {
            const uint8_t *record =
                dk_batch_record(&records.batch, position[i] - records.batch.first, &bytes);
            rc = dk_event_verify(record, bytes, err);
            rc = rc != 0 ? rc : dk_refs_apply(dk_folder_world(folder)->refs, record, bytes, err);
        }
    }
    dk_records_close(&records);
    free(position);
    return rc;
}

static int fill_folder(struct dk_checkpoint *c, MDB_txn *txn, struct dk_folder *folder,
                       struct dk_err *err)
{
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    size_t count = dk_folder_tables(folder, table, DK_FOLDER_TABLES_MAX);
    MDB_cursor *cursor = NULL;
    int rc = mdb_cursor_open(txn, c->entries, &cursor);
    if (rc == 0) {
        rc = fill_tables(cursor, table, count);
        mdb_cursor_close(cursor);
    }
    rc = rc != 0 ? rc : mdb_cursor_open(txn, c->segments, &cursor);
    if (rc == 0) {
        rc = fill_segments(cursor, table, count, err);
        mdb_cursor_close(cursor);
    }
    return rc;
}

static int read_state(struct dk_checkpoint *c, struct dk_folder *folder, struct mark *mark,
                      struct dk_err *err)
{
    MDB_txn *txn = NULL;
    MDB_val key = text_key("mark"), value;
    int rc = mdb_txn_begin(c->env, NULL, MDB_RDONLY, &txn);
    rc = rc != 0 ? rc : mdb_get(txn, c->meta, &key, &value);
    rc = rc == 0 && value.mv_size != sizeof *mark ? MDB_CORRUPTED : rc;
    if (rc == MDB_NOTFOUND && mdb_txn_id(txn) > CREATED_BY_TXN) {
        rc = MDB_CORRUPTED; /* what is written later would stand among what is left of it */
    }
    if (rc == 0) {
        memcpy(mark, value.mv_data, sizeof *mark);
        rc = fill_folder(c, txn, folder, err);
    }
    bool told = rc == DK_ECORRUPT;
    rc = rc != 0 ? rc : dk_lmdb_check_free(c->env); /* writing begins there: read it marked too */
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    return rc == 0 || rc == MDB_NOTFOUND ? 0
           : told                        ? rc
                                         : dk_lmdb_err(err, rc, "cannot read %s", c->dir);
}

/* Why the folder, just filled, cannot be used; `*why` NULL: it can. */
static int find_wrong(const struct dk_checkpoint *c, struct dk_folder *folder,
                      const struct mark *mark, struct dk_source *source, const char **why,
                      struct dk_err *err)
{
    if (memcmp(mark->log_uuid, c->log_uuid, sizeof mark->log_uuid) != 0) {
        *why = "it is of another log";
        return 0;
    }
    if (dk_folder_hash(folder) != mark->hash) {
        *why = "its content is not what its hash says";
        return 0;
    }
    int rc = ask_log(source, mark, why, err);
    if (rc == 0 && *why == NULL) {
        rc = restore_refs(folder, source, err);
    }
    if (rc == DK_ENOTFOUND || rc == DK_EINVAL) {
        *why = "the log does not hold its definitions";
        rc = 0;
    }
    return rc;
}

int dk_checkpoint_restore(struct dk_checkpoint *checkpoint, struct dk_folder **folder,
                          struct dk_source *source, struct dk_err *err)
{
    struct mark mark = {0};
    struct dk_err damage = {0};
    const struct dk_role_ops *ops = dk_folder_ops(*folder);
    int rc = read_state(checkpoint, *folder, &mark, &damage);
    unmark_reading(checkpoint);
    if (rc == 0 && mark.position == 0) {
        return 0;
    }
    const char *why = rc != 0 ? damage.message : NULL;
    rc = rc != 0 ? 0 : find_wrong(checkpoint, *folder, &mark, source, &why, err);
    if (rc != 0) {
        return rc; /* the log could not be asked: nothing is known against the checkpoint */
    }
    if (why == NULL) {
        return dk_folder_restored(*folder, mark.position, mark.recorded_us, err);
    }
    dk_folder_free(folder);
    rc = discard(checkpoint, why, err);
    return rc != 0 ? rc : dk_folder_new(folder, ops, err);
}

/* ---------------------------------------------------------------- writing */

/* NULL: nothing is to be there. */
static int put_or_delete(MDB_cursor *cursor, uint8_t key[KEY_BYTES], const void *data, size_t size)
{
    MDB_val k = {KEY_BYTES, key}, v = {size, (void *)(uintptr_t)data};
    if (data != NULL) {
        return mdb_cursor_put(cursor, &k, &v, 0);
    }
    int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET);
    rc = rc != 0 ? rc : mdb_cursor_del(cursor, 0);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int write_entry(MDB_cursor *cursor, unsigned number, uint64_t key,
                       const struct dk_table *table)
{
    uint8_t bytes[KEY_BYTES];
    size_t size = 0;
    const void *data = dk_table_saved(table, key, &size);
    put_key(bytes, number, key);
    return put_or_delete(cursor, bytes, data, size);
}

/* In the order of keys, so that each page is found once and the first checkpoint fills them. */
static int write_table(MDB_cursor *cursor, unsigned number, const struct dk_table *table)
{
    size_t count = dk_table_dirty_count(table), n = 0, at = 0;
    uint64_t *key = malloc((count + 1) * sizeof *key);
    int rc = 0;
    DK_ASSERT(key != NULL);
    while (dk_table_next_dirty(table, &at, &key[n])) {
        n++;
    }
    qsort(key, n, sizeof *key, compare_keys);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = write_entry(cursor, number, key[i], table);
    }
    free(key);
    return rc;
}

static int write_segments(MDB_cursor *cursor, unsigned number, const struct dk_table *table)
{
    const struct dk_segments *segments = dk_table_segments(table);
    uint8_t key[KEY_BYTES];
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && segments != NULL && i < segments->count; i++) {
        const struct dk_segment *segment = &segments->segment[i];
        struct dk_segment_marks marks;
        if (segment->bytes_unsaved) {
            put_key(key, number, (uint64_t)i * 2);
            rc = put_or_delete(cursor, key, segment->bytes, segment->pack.size);
        }
        if (rc == 0 && segment->marks_unsaved) {
            marks = dk_segment_marks(segment);
            put_key(key, number, (uint64_t)i * 2 + 1);
            rc = put_or_delete(cursor, key, segment->bytes != NULL ? &marks : NULL, sizeof marks);
        }
    }
    return rc;
}

static int write_tables(MDB_txn *txn, struct dk_checkpoint *c, struct dk_table **table,
                        size_t count)
{
    MDB_cursor *entries = NULL, *segments = NULL;
    int rc = mdb_cursor_open(txn, c->entries, &entries);
    rc = rc != 0 ? rc : mdb_cursor_open(txn, c->segments, &segments);
    for (unsigned i = 0; rc == 0 && i < count; i++) {
        dk_table_saving(table[i]);
        rc = write_table(entries, i, table[i]);
        rc = rc != 0 ? rc : write_segments(segments, i, table[i]);
    }
    if (entries != NULL) {
        mdb_cursor_close(entries);
    }
    if (segments != NULL) {
        mdb_cursor_close(segments);
    }
    return rc;
}

int dk_checkpoint_write(struct dk_checkpoint *checkpoint, struct dk_folder *folder,
                        struct dk_err *err)
{
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    size_t count = dk_folder_tables(folder, table, DK_FOLDER_TABLES_MAX);
    struct mark mark = {.position = dk_folder_position(folder),
                        .hash = dk_folder_hash(folder),
                        .recorded_us = dk_folder_world(folder)->recorded_us};
    MDB_val key = text_key("mark"), value = {sizeof mark, &mark};
    MDB_txn *txn = NULL;
    memcpy(mark.log_uuid, checkpoint->log_uuid, sizeof mark.log_uuid);
    int rc = checkpoint->env == NULL ? open_env(checkpoint, err) : 0;
    if (rc != 0) {
        close_env(checkpoint);
        return rc;
    }
    rc = mdb_txn_begin(checkpoint->env, NULL, 0, &txn);
    rc = rc != 0 ? rc : write_tables(txn, checkpoint, table, count);
    rc = rc != 0 ? rc : mdb_put(txn, checkpoint->meta, &key, &value, 0);
    if (rc == 0) {
        rc = mdb_txn_commit(txn);
    } else if (txn != NULL) {
        mdb_txn_abort(txn);
    }
    if (rc != 0) {
        /* LMDB may take no other write after this one: the next begins anew with what is on disk,
         * the state before or after. What changed since then stays marked. */
        close_env(checkpoint);
        return dk_lmdb_err(err, rc, "cannot write the checkpoint %s", checkpoint->dir);
    }
    for (size_t i = 0; i < count; i++) {
        dk_table_clean(table[i]);
    }
    return 0;
}
