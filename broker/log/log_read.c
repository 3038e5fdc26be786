/* The readers' side of log.h: short transactions that copy out. */
#include "broker/log/lmdb.h"
#include "broker/log/log_internal.h"
#include "proto/event/event.h"
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- transactions */

int dk_log_reader_begin(struct dk_log_reader *reader, struct dk_err *err)
{
    int rc;
    if (reader->txn == NULL) {
        rc = mdb_txn_begin(reader->log->env, NULL, MDB_RDONLY, &reader->txn);
        if (rc == 0)
            rc = mdb_cursor_open(reader->txn, reader->log->events, &reader->cursor);
    } else {
        rc = mdb_txn_renew(reader->txn);
        if (rc == 0)
            rc = mdb_cursor_renew(reader->txn, reader->cursor);
    }
    return rc == 0 ? 0 : dk_lmdb_err(err, rc, "cannot begin to read the log");
}

void dk_log_reader_end(struct dk_log_reader *reader)
{
    mdb_txn_reset(reader->txn);
}

int dk_log_reader_new(struct dk_log_reader **out, struct dk_log *log, struct dk_err *err)
{
    *out = NULL;
    struct dk_log_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for a reader");
    reader->log = log;
    int rc = dk_log_reader_begin(reader, err); /* takes the slot in the reader table */
    if (rc != 0) {
        dk_log_reader_free(&reader);
        return rc;
    }
    dk_log_reader_end(reader);
    *out = reader;
    return 0;
}

void dk_log_reader_free(struct dk_log_reader **out)
{
    struct dk_log_reader *reader = *out;
    if (reader == NULL)
        return;
    if (reader->cursor != NULL)
        mdb_cursor_close(reader->cursor);
    if (reader->txn != NULL)
        mdb_txn_abort(reader->txn);
    free(reader);
    *out = NULL;
}

/* ---------------------------------------------------------------- finding */

struct place {
    uint64_t first; /* position of the block's record 0 */
    struct dk_block block;
};

static uint64_t place_end(const struct place *place)
{
    return place->first + place->block.count;
}

/* Moves the cursor; where it then stands, and the bytes of the block there. DK_ENOTFOUND past
 * either end. */
static int step(MDB_cursor *cursor, MDB_cursor_op op, uint64_t from, uint64_t *first,
                MDB_val *value, struct dk_err *err)
{
    MDB_val key = {sizeof from, &from};
    int rc = mdb_cursor_get(cursor, &key, value, op);
    if (rc == MDB_NOTFOUND)
        return DK_ENOTFOUND;
    if (rc != 0)
        return dk_lmdb_err(err, rc, "cannot read the log near position %llu",
                           (unsigned long long)from);
    if (key.mv_size != sizeof *first)
        return dk_err_set(err, DK_ECORRUPT, "a block near position %llu has no position",
                          (unsigned long long)from);
    memcpy(first, key.mv_data, sizeof *first);
    return 0;
}

static int open_block(struct place *place, const MDB_val *value, struct dk_err *err)
{
    int rc = dk_block_open(&place->block, value->mv_data, value->mv_size, err);
    if (rc != 0)
        return dk_err_wrap(err, "the block of position %llu", (unsigned long long)place->first);
    return 0;
}

/* Moves the cursor and opens the block it then stands on. */
static int move(MDB_cursor *cursor, MDB_cursor_op op, uint64_t from, struct place *place,
                struct dk_err *err)
{
    MDB_val value;
    int rc = step(cursor, op, from, &place->first, &value, err);
    return rc != 0 ? rc : open_block(place, &value, err);
}

static int missing(uint64_t position, struct dk_err *err)
{
    return dk_err_set(err, DK_ECORRUPT, "position %llu is missing from the log",
                      (unsigned long long)position);
}

/* The block that holds `position`; DK_ENOTFOUND beyond the last. A record stands in the last block
 * whose key is not above its position; the one after it, where the search ends, may be damaged. */
static int find(MDB_cursor *cursor, uint64_t position, struct place *place, struct dk_err *err)
{
    MDB_val value;
    int rc = step(cursor, MDB_SET_RANGE, position, &place->first, &value, err);
    if (rc == 0 && place->first == position)
        return open_block(place, &value, err);
    bool beyond = rc == DK_ENOTFOUND;
    if (rc != 0 && !beyond)
        return rc;

    rc = move(cursor, beyond ? MDB_LAST : MDB_PREV, position, place, err);
    if (rc == DK_ENOTFOUND)
        return beyond ? rc : missing(position, err);
    if (rc == 0 && position >= place_end(place))
        return beyond ? DK_ENOTFOUND : missing(position, err);
    return rc;
}

static int cursor_last(struct dk_log_reader *reader, uint64_t *position, struct dk_err *err)
{
    struct place place;
    *position = 0;
    int rc = move(reader->cursor, MDB_LAST, 0, &place, err);
    if (rc == DK_ENOTFOUND)
        return 0;
    if (rc != 0)
        return rc;
    /* So many records do not fit into its pages: who counts up to there would not end. */
    uint64_t most = dk_log_used_bytes(reader->log) / DK_ENVELOPE_BYTES;
    if (place.first == 0 || place.first > most)
        return dk_err_set(err, DK_ECORRUPT, "its last position cannot be %llu",
                          (unsigned long long)place.first);
    *position = place_end(&place) - 1;
    return 0;
}

int dk_log_read_last(struct dk_log *log, uint64_t *position, struct dk_err *err)
{
    int rc = 0;
    pthread_mutex_lock(&log->last_lock);
    if (log->last_reader == NULL)
        rc = dk_log_reader_new(&log->last_reader, log, err);
    if (rc == 0)
        rc = dk_log_reader_begin(log->last_reader, err);
    if (rc == 0) {
        rc = cursor_last(log->last_reader, position, err);
        dk_log_reader_end(log->last_reader);
    }
    pthread_mutex_unlock(&log->last_lock);
    return rc;
}

int dk_log_last(struct dk_log *log, uint64_t *position, struct dk_err *err)
{
    if (log->mode == DK_LOG_READ)
        return dk_log_read_last(log, position, err);
    *position = atomic_load(&log->durable);
    return 0;
}

/* ---------------------------------------------------------------- copying out */

/* How many records from `start` on, at most `count`, have no more than `room` bytes together. */
static size_t fitting(const struct dk_block *block, size_t start, size_t count, size_t room)
{
    size_t bytes, i = 0;
    while (i < count) {
        dk_block_record(block, start + i, &bytes);
        if (bytes > room)
            break;
        room -= bytes;
        i++;
    }
    return i;
}

/* Copies what fits of one block; `*more` says whether the next block can follow. */
static int copy_block(const struct place *place, uint64_t from, uint64_t limit, size_t max_bytes,
                      struct dk_records *out, bool *more, struct dk_err *err)
{
    size_t start = (size_t)(from - place->first);
    size_t count = place->block.count - start;
    bool last = limit - from < count;
    if (last)
        count = (size_t)(limit - from + 1);

    size_t used = out->batch.count == 0 ? 0 : out->offset[out->batch.count];
    size_t room = used < max_bytes ? max_bytes - used : 0;
    size_t fit = fitting(&place->block, start, count, room);
    if (fit == 0 && out->batch.count == 0)
        fit = 1;
    *more = fit == count && !last;
    if (fit > 0 && dk_block_copy(&place->block, start, fit, out) != 0)
        return dk_err_set(err, DK_ENOMEM, "no memory to copy records of the log");
    return 0;
}

/* Damage that is met after good records is left for the read that begins with it. */
static int copy_from(MDB_cursor *cursor, uint64_t from, uint64_t limit, size_t max_bytes,
                     struct dk_records *out, struct dk_err *err)
{
    struct place place;
    bool more = true;
    int rc = find(cursor, from, &place, err);
    while (rc == 0 && more) {
        rc = copy_block(&place, from, limit, max_bytes, out, &more, err);
        from = place_end(&place);
        if (rc == 0 && more)
            rc = move(cursor, MDB_NEXT, from, &place, err);
        if (rc == 0 && more && place.first != from)
            rc = missing(from, err);
    }
    return rc == DK_ENOTFOUND || out->batch.count > 0 ? 0 : rc;
}

int dk_log_read(struct dk_log_reader *reader, uint64_t from, size_t max_bytes,
                struct dk_records *out, struct dk_err *err)
{
    dk_records_clear(out);
    if (from == 0)
        return dk_err_set(err, DK_EINVAL, "positions begin at 1");
    struct dk_log *log = reader->log;
    uint64_t limit = log->mode == DK_LOG_WRITE ? atomic_load(&log->durable) : UINT64_MAX;
    if (from > limit)
        return 0;
    if (max_bytes > DK_READ_MAX_BYTES)
        max_bytes = DK_READ_MAX_BYTES;

    int rc = dk_log_reader_begin(reader, err);
    if (rc != 0)
        return rc;
    rc = copy_from(reader->cursor, from, limit, max_bytes, out, err);
    dk_log_reader_end(reader);
    if (rc != 0)
        dk_records_clear(out);
    else if (out->batch.count > 0)
        out->batch.first = from;
    return rc;
}

/* ---------------------------------------------------------------- by time */

static int recorded_at(MDB_cursor *cursor, uint64_t position, int64_t *us, struct dk_err *err)
{
    struct place place;
    int rc = find(cursor, position, &place, err);
    if (rc == DK_ENOTFOUND)
        return missing(position, err);
    if (rc != 0)
        return rc;
    size_t bytes;
    const uint8_t *record = dk_block_record(&place.block, (size_t)(position - place.first), &bytes);
    if (bytes < DK_ENVELOPE_BYTES)
        return dk_err_set(err, DK_ECORRUPT, "the record at position %llu has no envelope",
                          (unsigned long long)position);
    *us = (int64_t)dk_event_load_recorded_us(record);
    return 0;
}

static int bisect(MDB_cursor *cursor, uint64_t end, int64_t us, uint64_t *position,
                  struct dk_err *err)
{
    uint64_t begin = 1;
    while (begin < end) {
        uint64_t middle = begin + (end - begin) / 2;
        int64_t recorded = 0;
        int rc = recorded_at(cursor, middle, &recorded, err);
        if (rc != 0)
            return rc;
        if (recorded < us)
            begin = middle + 1;
        else
            end = middle;
    }
    *position = begin;
    return 0;
}

int dk_log_find_recorded(struct dk_log_reader *reader, int64_t us, uint64_t *position,
                         struct dk_err *err)
{
    uint64_t last = atomic_load(&reader->log->durable);
    int rc = dk_log_reader_begin(reader, err);
    if (rc != 0)
        return rc;
    if (reader->log->mode == DK_LOG_READ)
        rc = cursor_last(reader, &last, err);
    if (rc == 0)
        rc = bisect(reader->cursor, last + 1, us, position, err);
    dk_log_reader_end(reader);
    return rc;
}
