#include "nodes/runtime/folder.h"
#include "proto/base/limits.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_TICKETS     0
#define TABLE_DEFINITIONS 15 /* position of a ...Defined event -> one byte */

struct dk_folder {
    const struct dk_role_ops *ops;
    void *self;
    struct dk_world world;
    struct dk_table *definitions;
    struct dk_table *own[DK_ROLE_TABLES_MAX];
    struct dk_agenda *agenda;
    struct dk_arena arena;
};

int dk_folder_new(struct dk_folder **folder, const struct dk_role_ops *ops, struct dk_err *err)
{
    struct dk_folder *f = calloc(1, sizeof *f);
    DK_ASSERT(f != NULL && ops->table_count <= DK_ROLE_TABLES_MAX);
    f->ops = ops;
    f->agenda = dk_agenda_new();
    *folder = f;
    int rc = dk_arena_init(&f->arena, DK_UNPACK_MAX_BYTES);
    rc = rc != 0 ? dk_err_set(err, rc, "no memory to unpack events") : 0;
    rc = rc != 0 ? rc : dk_refs_new(&f->world.refs, err);
    rc = rc != 0 ? rc
                 : dk_table_new(&f->world.tickets, TABLE_TICKETS, sizeof(struct dk_ticket), err);
    rc = rc != 0 ? rc : dk_table_new(&f->definitions, TABLE_DEFINITIONS, 1, err);
    for (unsigned i = 0; rc == 0 && i < ops->table_count; i++) {
        rc = dk_table_new(&f->own[i], i + 1, ops->table_value_bytes[i], err);
        if (rc == 0 && ops->table_layout[i].head_words > 0) {
            dk_table_pack(f->own[i], ops->table_layout[i]);
        }
    }
    if (rc == 0 && ops->tickets_layout.head_words > 0) {
        dk_table_pack(f->world.tickets, ops->tickets_layout);
    }
    rc = rc != 0 ? rc : ops->open(&f->self, &f->world, f->own, err);
    if (rc != 0) {
        dk_folder_free(folder);
    }
    return rc;
}

void dk_folder_free(struct dk_folder **folder)
{
    struct dk_folder *f = *folder;
    if (f == NULL) {
        return;
    }
    if (f->self != NULL) {
        f->ops->close(&f->self);
    }
    for (size_t i = 0; i < DK_ROLE_TABLES_MAX; i++) {
        dk_table_free(&f->own[i]);
    }
    dk_table_free(&f->definitions);
    dk_table_free(&f->world.tickets);
    dk_refs_free(&f->world.refs);
    dk_agenda_free(&f->agenda);
    dk_arena_close(&f->arena);
    free(f);
    *folder = NULL;
}

const struct dk_role_ops *dk_folder_ops(const struct dk_folder *folder)
{
    return folder->ops;
}

const struct dk_world *dk_folder_world(const struct dk_folder *folder)
{
    return &folder->world;
}

void *dk_folder_self(const struct dk_folder *folder)
{
    return folder->self;
}

uint64_t dk_folder_position(const struct dk_folder *folder)
{
    return folder->world.position;
}

/* Life first, then reference data: what the role's apply finds folded already. */
static int fold_world(struct dk_folder *folder, struct dk_event *event, struct dk_ticket *before,
                      struct dk_err *err)
{
    const struct dk_envelope *envelope = event->envelope;
    if (dk_id_class(envelope->subject) == DK_SUBJECT_TICKET) {
        struct dk_ticket *ticket = dk_table_edit(folder->world.tickets, envelope->subject, 0);
        *before = *ticket;
        dk_ticket_apply(ticket, envelope, event->body);
        event->before = before;
        event->after = ticket;
        return 0;
    }
    if (envelope->kind >= DK_KIND_DEFINED_FROM && envelope->kind <= DK_KIND_DEFINED_LAST) {
        (void)dk_table_edit(folder->definitions, envelope->position, 0);
        return dk_refs_apply(folder->world.refs, event->record, event->record_bytes, err);
    }
    return 0;
}

/* Loads the next record's envelope, and stays where it is. */
static int load_next(const struct dk_folder *folder, const uint8_t *record, size_t record_bytes,
                     struct dk_envelope *envelope, struct dk_err *err)
{
    int rc = dk_event_verify(record, record_bytes, err);
    if (rc != 0) {
        (void)dk_err_wrap(err, "after position %" PRIu64, folder->world.position);
        return rc;
    }
    dk_event_load(record, envelope);
    return envelope->position == folder->world.position + 1
               ? 0
               : dk_err_set(err, DK_EORDER, "expected position %" PRIu64 ", got %" PRIu64,
                            folder->world.position + 1, envelope->position);
}

int dk_folder_pass(struct dk_folder *folder, const uint8_t *record, size_t record_bytes,
                   struct dk_err *err)
{
    struct dk_envelope envelope;
    int rc = load_next(folder, record, record_bytes, &envelope, err);
    if (rc == 0) {
        folder->world.position = envelope.position;
        folder->world.recorded_us = envelope.recorded_us;
    }
    return rc;
}

int dk_folder_apply(struct dk_folder *folder, const uint8_t *record, size_t record_bytes,
                    struct dk_err *err)
{
    struct dk_envelope envelope;
    struct dk_ticket before;
    struct dk_event event = {.envelope = &envelope, .record = record, .record_bytes = record_bytes};
    int rc = load_next(folder, record, record_bytes, &envelope, err);
    if (rc != 0) {
        return rc;
    }
    dk_arena_reset(&folder->arena);
    if (dk_kind_info(envelope.kind) != NULL) {
        event.body = dk_body_unpack(&folder->arena, record, record_bytes, err);
        if (event.body == NULL) {
            (void)dk_err_wrap(err, "position %" PRIu64, envelope.position);
            return DK_ECORRUPT;
        }
    }
    folder->world.position = envelope.position;
    folder->world.recorded_us = envelope.recorded_us;
    rc = fold_world(folder, &event, &before, err);
    rc = rc != 0 ? rc : folder->ops->apply(folder->self, &event, folder->agenda, err);
    dk_table_chill(folder->world.tickets);
    for (size_t i = 0; i < folder->ops->table_count; i++) {
        dk_table_chill(folder->own[i]);
    }
    return rc;
}

void dk_folder_chill(struct dk_folder *folder)
{
    dk_table_chill_now(folder->world.tickets);
    for (size_t i = 0; i < folder->ops->table_count; i++) {
        dk_table_chill_now(folder->own[i]);
    }
}

bool dk_folder_next_item(struct dk_folder *folder, int64_t now_us, uint64_t *item)
{
    return dk_agenda_next(folder->agenda, now_us, item);
}

int64_t dk_folder_next_due_us(const struct dk_folder *folder)
{
    return dk_agenda_due_us(folder->agenda);
}

void dk_folder_consider(struct dk_folder *folder, uint64_t item, int64_t now_us,
                        struct dk_intents *intents)
{
    int64_t again_us = INT64_MAX;
    dk_intents_clear(intents, folder->world.position);
    if (folder->ops->consider != NULL) {
        folder->ops->consider(folder->self, item, now_us, intents, &again_us);
    }
    dk_agenda_schedule(folder->agenda, item, again_us);
}

void dk_folder_touch(struct dk_folder *folder, uint64_t item, int64_t at_us)
{
    if (at_us == 0) {
        dk_agenda_touch(folder->agenda, item);
    } else {
        dk_agenda_schedule(folder->agenda, item, at_us);
    }
}

size_t dk_folder_tables(const struct dk_folder *folder, struct dk_table **table, size_t max)
{
    size_t count = 0;
    DK_ASSERT(max >= DK_FOLDER_TABLES_MAX);
    table[count++] = folder->world.tickets;
    table[count++] = folder->definitions;
    for (size_t i = 0; i < folder->ops->table_count; i++) {
        table[count++] = folder->own[i];
    }
    return count;
}

struct dk_table *dk_folder_definitions(const struct dk_folder *folder)
{
    return folder->definitions;
}

uint64_t dk_folder_hash(struct dk_folder *folder)
{
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    size_t count = dk_folder_tables(folder, table, DK_FOLDER_TABLES_MAX);
    uint64_t hash = 0;
    for (size_t i = 0; i < count; i++) {
        hash += dk_table_hash(table[i]);
    }
    return hash;
}

int dk_folder_restored(struct dk_folder *folder, uint64_t position, int64_t recorded_us,
                       struct dk_err *err)
{
    folder->world.position = position;
    folder->world.recorded_us = recorded_us;
    return folder->ops->rebuild(folder->self, folder->agenda, err);
}

int dk_folder_query(struct dk_folder *folder, const char *name, const char *const *argument,
                    size_t argument_count, struct dk_buf *json, struct dk_err *err)
{
    if (strcmp(name, "state") == 0) {
        return dk_buf_printf(json,
                             "{\"position\":%" PRIu64 ",\"fold_version\":%u,\"hash\":\"%016" PRIx64
                             "\",\"tickets\":%zu}",
                             folder->world.position, folder->ops->fold_version,
                             dk_folder_hash(folder), dk_table_count(folder->world.tickets));
    }
    return folder->ops->query != NULL
               ? folder->ops->query(folder->self, name, argument, argument_count, json, err)
               : dk_err_set(err, DK_ENOTFOUND, "%s answers no query \"%s\"", folder->ops->name,
                            name);
}
