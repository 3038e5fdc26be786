#include "broker/log/seals.h"

#include "broker/log/lmdb.h"
#include "broker/log/projection.h"
#include "proto/base/limits.h"
#include <stdlib.h>
#include <string.h>

#define SEAL_HEIGHT 10 /* 2^10 = DK_SEAL_RECORDS leaves */
_Static_assert(1 << SEAL_HEIGHT == DK_SEAL_RECORDS, "a seal is a complete subtree");

struct dk_seals {
    struct dk_projection projection;
    struct dk_merkle tail; /* over the records since the last seal that were taken in */
};

static int failed(const struct dk_seals *seals, int rc, const char *what, struct dk_err *err)
{
    return dk_lmdb_err(err, rc, "cannot %s %s", what, seals->projection.dir);
}

/* As many roots as the position says, or all is thrown away. */
static int check_count(struct dk_seals *seals, enum dk_log_mode mode, struct dk_err *err)
{
    MDB_txn *txn;
    MDB_stat stat = {0};
    int rc = dk_projection_begin(&seals->projection, &txn);
    if (rc == 0) {
        rc = mdb_stat(txn, seals->projection.data, &stat);
        dk_projection_end(&seals->projection, txn);
    }
    if (rc != 0)
        return failed(seals, rc, "read", err);
    uint64_t position = seals->projection.position;
    if (stat.ms_entries * DK_SEAL_RECORDS == position)
        return 0;
    if (mode == DK_LOG_READ)
        return dk_err_set(err, DK_ECORRUPT, "%s holds %zu roots, not those up to position %llu",
                          seals->projection.dir, stat.ms_entries, (unsigned long long)position);
    return dk_projection_clear(&seals->projection, err);
}

int dk_seals_open(struct dk_seals **out, const char *dir, struct dk_log *log, enum dk_log_mode mode,
                  struct dk_err *err)
{
    *out = NULL;
    struct dk_seals *seals = calloc(1, sizeof *seals);
    if (seals == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for seals");
    int rc = dk_projection_open(&seals->projection, dir, "seals", MDB_INTEGERKEY, log, mode, err);
    if (rc == 0)
        rc = check_count(seals, mode, err);
    if (rc != 0) {
        dk_seals_close(&seals);
        return dk_err_wrap(err, "cannot open the seals of %s", dir);
    }
    *out = seals;
    return 0;
}

void dk_seals_close(struct dk_seals **out)
{
    struct dk_seals *seals = *out;
    if (seals == NULL)
        return;
    dk_projection_close(&seals->projection);
    free(seals);
    *out = NULL;
}

int dk_seals_position(struct dk_seals *seals, uint64_t *position, struct dk_err *err)
{
    return dk_projection_position(&seals->projection, position, err);
}

/* ---------------------------------------------------------------- advance */

static int put_root(struct dk_seals *seals, MDB_txn *txn, uint64_t position)
{
    uint64_t index = position / DK_SEAL_RECORDS - 1;
    struct dk_hash root = dk_merkle_root(&seals->tail);
    dk_merkle_init(&seals->tail);
    seals->projection.position = position;

    MDB_val key = {sizeof index, &index};
    MDB_val data = {sizeof root, &root};
    return mdb_put(txn, seals->projection.data, &key, &data, MDB_APPEND);
}

static int take(void *owner, MDB_txn *txn, uint64_t position, const uint8_t *record, size_t bytes)
{
    struct dk_seals *seals = owner;
    struct dk_hash leaf = dk_merkle_leaf(record, bytes);
    dk_merkle_add(&seals->tail, &leaf);
    return seals->tail.count == DK_SEAL_RECORDS ? put_root(seals, txn, position) : 0;
}

int dk_seals_advance(struct dk_seals *seals, struct dk_log_reader *reader, uint64_t max_records,
                     bool *more, struct dk_err *err)
{
    int rc = dk_projection_advance(&seals->projection, reader, max_records, more, take, seals, err);
    if (rc != 0)
        dk_merkle_init(&seals->tail);
    return rc;
}

/* ---------------------------------------------------------------- reading */

static int get_root(struct dk_seals *seals, MDB_txn *txn, uint64_t index, struct dk_hash *root)
{
    MDB_val key = {sizeof index, &index}, data;
    int rc = mdb_get(txn, seals->projection.data, &key, &data);
    if (rc == 0 && data.mv_size != sizeof *root)
        return MDB_CORRUPTED;
    if (rc == 0)
        memcpy(root, data.mv_data, sizeof *root);
    return rc;
}

int dk_seals_get(struct dk_seals *seals, uint64_t i, struct dk_hash *root, struct dk_err *err)
{
    MDB_txn *txn;
    int rc = dk_projection_begin(&seals->projection, &txn);
    if (rc == 0) {
        rc = get_root(seals, txn, i, root);
        dk_projection_end(&seals->projection, txn);
    }
    if (rc == MDB_NOTFOUND)
        return dk_err_set(err, DK_ENOTFOUND, "the records from position %llu on are not sealed",
                          (unsigned long long)(i * DK_SEAL_RECORDS + 1));
    return rc == 0 ? 0 : failed(seals, rc, "read", err);
}

/* Feeds the stored roots of complete thousands within `size`. */
static int add_roots(struct dk_seals *seals, uint64_t size, struct dk_merkle *merkle)
{
    MDB_txn *txn;
    int rc = dk_projection_begin(&seals->projection, &txn);
    if (rc != 0)
        return rc;
    for (uint64_t i = 0; rc == 0 && i < size / DK_SEAL_RECORDS; i++) {
        struct dk_hash root;
        rc = get_root(seals, txn, i, &root);
        if (rc == 0)
            dk_merkle_add_subtree(merkle, &root, SEAL_HEIGHT);
    }
    dk_projection_end(&seals->projection, txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Feeds records' leaves until `size` are in. */
static int add_leaves(struct dk_log_reader *reader, uint64_t size, struct dk_records *records,
                      struct dk_merkle *merkle, struct dk_err *err)
{
    while (merkle->count < size) {
        int rc = dk_log_read(reader, merkle->count + 1, DK_READ_MAX_BYTES, records, err);
        if (rc != 0)
            return rc;
        if (records->batch.count == 0)
            return dk_err_set(err, DK_ENOTFOUND, "the log ends at position %llu, before %llu",
                              (unsigned long long)merkle->count, (unsigned long long)size);
        for (size_t i = 0; i < records->batch.count && merkle->count < size; i++) {
            size_t bytes;
            const uint8_t *record = dk_batch_record(&records->batch, i, &bytes);
            struct dk_hash leaf = dk_merkle_leaf(record, bytes);
            dk_merkle_add(merkle, &leaf);
        }
    }
    return 0;
}

int dk_seals_tree_head(struct dk_seals *seals, struct dk_log_reader *reader, uint64_t size,
                       struct dk_hash *head, struct dk_err *err)
{
    struct dk_merkle merkle;
    dk_merkle_init(&merkle);
    int rc = add_roots(seals, size, &merkle);
    if (rc != 0)
        return failed(seals, rc, "read", err);

    struct dk_records records;
    dk_records_init(&records);
    rc = add_leaves(reader, size, &records, &merkle, err);
    dk_records_close(&records);
    if (rc == 0)
        *head = dk_merkle_root(&merkle);
    return rc;
}
