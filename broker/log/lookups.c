#include "broker/log/lookups.h"

#include "broker/log/lmdb.h"
#include "broker/log/projection.h"
#include "docket.pb-c.h"
#include "proto/base/arena.h"
#include "proto/event/body.h"
#include "proto/event/event.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dk_lookups {
    struct dk_projection projection;
    struct dk_arena arena;
};

/* length, reference, ticket: all tickets of one reference stand together. */
#define TICKET_BYTES  sizeof(uint64_t)
#define KEY_MAX_BYTES (1 + DK_KEY_MAX_BYTES + TICKET_BYTES)

struct key {
    uint8_t bytes[KEY_MAX_BYTES];
    size_t reference_bytes; /* with the length before it */
};

static struct key key_of(const void *reference, size_t bytes, uint64_t ticket)
{
    struct key key = {.reference_bytes = 1 + bytes};
    key.bytes[0] = (uint8_t)bytes;
    memcpy(key.bytes + 1, reference, bytes);
    memcpy(key.bytes + 1 + bytes, &ticket, TICKET_BYTES);
    return key;
}

int dk_lookups_open(struct dk_lookups **out, const char *dir, struct dk_log *log,
                    enum dk_log_mode mode, struct dk_err *err)
{
    *out = NULL;
    struct dk_lookups *lookups = calloc(1, sizeof *lookups);
    if (lookups == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory for look-ups");
    int rc = dk_arena_init(&lookups->arena, DK_UNPACK_MAX_BYTES);
    if (rc != 0)
        rc = dk_err_set(err, rc, "no memory for look-ups");
    else
        rc = dk_projection_open(&lookups->projection, dir, "lookups", 0, log, mode, err);
    if (rc != 0) {
        dk_lookups_close(&lookups);
        return dk_err_wrap(err, "cannot open the look-ups of %s", dir);
    }
    *out = lookups;
    return 0;
}

void dk_lookups_close(struct dk_lookups **out)
{
    struct dk_lookups *lookups = *out;
    if (lookups == NULL)
        return;
    dk_projection_close(&lookups->projection);
    dk_arena_close(&lookups->arena);
    free(lookups);
    *out = NULL;
}

int dk_lookups_position(struct dk_lookups *lookups, uint64_t *position, struct dk_err *err)
{
    return dk_projection_position(&lookups->projection, position, err);
}

/* ---------------------------------------------------------------- advance */

/* A name that is too long was never admitted: it cannot be asked for either. */
static int put(struct dk_lookups *lookups, MDB_txn *txn, const void *reference, size_t bytes,
               uint64_t ticket)
{
    if (bytes == 0 || bytes > DK_KEY_MAX_BYTES)
        return 0;
    struct key key = key_of(reference, bytes, ticket);
    MDB_val name = {key.reference_bytes + TICKET_BYTES, key.bytes};
    MDB_val nothing = {0, NULL};
    return mdb_put(txn, lookups->projection.data, &name, &nothing, 0);
}

/* Damage is verify's to report: what does not unpack names nothing. */
static int take(void *owner, MDB_txn *txn, uint64_t position, const uint8_t *record, size_t bytes)
{
    struct dk_lookups *lookups = owner;
    lookups->projection.position = position;
    if (bytes < DK_ENVELOPE_BYTES || dk_event_load_kind(record) != DK_KIND_OPENED)
        return 0;

    dk_arena_reset(&lookups->arena);
    const Docket__Opened *opened =
        (const Docket__Opened *)dk_body_unpack(&lookups->arena, record, bytes, NULL);
    if (opened == NULL)
        return 0;
    uint64_t ticket = dk_event_load_subject(record);
    int rc = put(lookups, txn, opened->reference.data, opened->reference.len, ticket);
    if (rc == 0 && opened->origin != NULL)
        rc = put(lookups, txn, opened->origin->case_key.data, opened->origin->case_key.len, ticket);
    return rc;
}

int dk_lookups_advance(struct dk_lookups *lookups, struct dk_log_reader *reader,
                       uint64_t max_records, bool *more, struct dk_err *err)
{
    return dk_projection_advance(&lookups->projection, reader, max_records, more, take, lookups,
                                 err);
}

/* ---------------------------------------------------------------- who bears a reference */

void dk_bearers_add(struct dk_bearers *bearers, uint64_t ticket)
{
    size_t at = 0;
    while (at < bearers->count && bearers->ticket[at] < ticket)
        at++;
    if (at < bearers->count && bearers->ticket[at] == ticket)
        return;
    if (bearers->count == DK_BEARERS_TOLD) {
        bearers->more = true;
        return;
    }
    memmove(&bearers->ticket[at + 1], &bearers->ticket[at],
            (bearers->count - at) * sizeof bearers->ticket[0]);
    bearers->ticket[at] = ticket;
    bearers->count++;
}

int dk_bearers_only(const struct dk_bearers *bearers, const void *reference, size_t bytes,
                    uint64_t *ticket, struct dk_err *err)
{
    char list[DK_BEARERS_TOLD * (DK_ID_TEXT_BYTES + sizeof " and ")], text[DK_ID_TEXT_BYTES];
    int shown = bytes <= DK_KEY_MAX_BYTES ? (int)bytes : 0;
    size_t used = 0;
    if (bearers->count == 0)
        return dk_err_set(err, DK_ENOTFOUND, "no ticket has the reference \"%.*s\"", shown,
                          (const char *)reference);
    *ticket = bearers->ticket[0];
    if (bearers->count == 1)
        return 0;
    for (size_t i = 0; i < bearers->count; i++) {
        bool last = i + 1 == bearers->count && !bearers->more;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i == 0 ? ""
                                 : last ? " and "
                                        : ", ",
                                 dk_id_format(bearers->ticket[i], text));
    }
    return dk_err_set(err, DK_ECONFLICT, "the reference \"%.*s\" names %s%s: say which", shown,
                      (const char *)reference, list, bearers->more ? " and more" : "");
}

static bool names(const struct key *key, const MDB_val *found)
{
    return found->mv_size == key->reference_bytes + TICKET_BYTES &&
           memcmp(found->mv_data, key->bytes, key->reference_bytes) == 0;
}

static int find(MDB_cursor *cursor, struct key *key, struct dk_bearers *bearers)
{
    MDB_val name = {key->reference_bytes + TICKET_BYTES, key->bytes}, nothing;
    int rc = mdb_cursor_get(cursor, &name, &nothing, MDB_SET_RANGE);
    while (rc == 0 && names(key, &name) && !bearers->more) {
        uint64_t ticket;
        memcpy(&ticket, (const uint8_t *)name.mv_data + key->reference_bytes, TICKET_BYTES);
        dk_bearers_add(bearers, ticket);
        rc = mdb_cursor_get(cursor, &name, &nothing, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int find_in_txn(struct dk_lookups *lookups, struct key *key, struct dk_bearers *bearers)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int rc = dk_projection_begin(&lookups->projection, &txn);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_open(txn, lookups->projection.data, &cursor);
    if (rc == 0) {
        rc = find(cursor, key, bearers);
        mdb_cursor_close(cursor);
    }
    dk_projection_end(&lookups->projection, txn);
    return rc;
}

int dk_lookups_find(struct dk_lookups *lookups, const void *reference, size_t bytes,
                    struct dk_bearers *bearers, struct dk_err *err)
{
    if (bytes == 0 || bytes > DK_KEY_MAX_BYTES)
        return 0;
    struct key key = key_of(reference, bytes, 0);
    int rc = find_in_txn(lookups, &key, bearers);
    return rc == 0 ? 0 : dk_lmdb_err(err, rc, "cannot read %s", lookups->projection.dir);
}
