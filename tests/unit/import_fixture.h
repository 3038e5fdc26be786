/* A mapping and a file as texts, and the events they make, written as one line each:
 *
 *   1 +agent Bob
 *   1 opened INC1 customer=Ann priority=2 | Bob 2026-01-02T08:00:00Z
 *   2 status solved final=2026-01-03T09:00:00Z by=Bob | importer 2026-01-03T10:00:00Z
 *
 * first the row's ordinal, then what it is, behind the bar who did it and when. */
#ifndef DK_TESTS_IMPORT_FIXTURE_H
#define DK_TESTS_IMPORT_FIXTURE_H

#include "docket.pb-c.h"
#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "proto/fold/ticket.h"
#include "replay/import/mapper.h"
#include "tests/lib/assert.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FIXTURE_NOW_US   (INT64_C(1790000000) * DK_SECOND_US) /* 2026-09-21 */
#define FIXTURE_NAMES    64
#define FIXTURE_MAX_TEXT (1 << 20)

struct import_fixture {
    struct dk_mapping mapping;
    struct dk_report report;
    struct dk_csv *csv;
    struct dk_cases *cases;
    struct dk_mapper mapper;
    struct dk_drafts drafts;
    struct dk_arena arena;
    struct dk_buf lines;    /* of all events */
    struct dk_buf rejected; /* what the report says */
    const char *at;         /* of the file's text that is not read yet */
    FILE *rejects;
    char *rejects_text;
    size_t rejects_bytes;
    size_t name_count;
    struct {
        uint64_t id;
        char key[DK_KEY_MAX_BYTES + 1];
    } name[FIXTURE_NAMES];
};

static const uint8_t fixture_salt[DK_SALT_BYTES] = {7};

static inline ssize_t fixture_read(void *arg, void *data, size_t bytes)
{
    struct import_fixture *f = arg;
    size_t left = strlen(f->at);
    size_t n = left < bytes ? left : bytes;
    memcpy(data, f->at, n);
    f->at += n;
    return (ssize_t)n;
}

static inline void fixture_name(struct import_fixture *f, uint64_t id, const void *key,
                                size_t bytes)
{
    DK_ASSERT(f->name_count < FIXTURE_NAMES);
    f->name[f->name_count].id = id & DK_ID_MASK;
    (void)snprintf(f->name[f->name_count++].key, DK_KEY_MAX_BYTES + 1, "%.*s", (int)bytes,
                   (const char *)key);
}

static inline const char *fixture_key(const struct import_fixture *f, uint64_t id)
{
    for (size_t i = 0; i < f->name_count; i++) {
        if (f->name[i].id == (id & DK_ID_MASK)) {
            return f->name[i].key;
        }
    }
    return id == 0 ? "nobody" : "?";
}

static inline void fixture_open(struct import_fixture *f, const char *mapping)
{
    struct dk_err err;
    memset(f, 0, sizeof *f);
    ASSERT_OK(dk_mapping_parse(&f->mapping, "map.yaml", mapping, strlen(mapping), &err), &err);
    dk_report_init(&f->report, "file.csv");
    f->rejects = open_memstream(&f->rejects_text, &f->rejects_bytes);
    f->report.screen = NULL;
    f->report.rejects = f->rejects;
    dk_drafts_init(&f->drafts);
    dk_buf_init(&f->lines, FIXTURE_MAX_TEXT);
    ASSERT_EQ(dk_arena_init(&f->arena, DK_UNPACK_MAX_BYTES), 0);
    dk_mapper_init(&f->mapper, &f->mapping, fixture_salt, FIXTURE_NOW_US, &f->report);
    fixture_name(f, f->mapping.source_id, "importer", 8);
}

static inline void fixture_close(struct import_fixture *f)
{
    dk_cases_free(&f->cases);
    dk_csv_free(&f->csv);
    dk_mapper_close(&f->mapper);
    dk_drafts_close(&f->drafts);
    dk_buf_close(&f->lines);
    dk_arena_close(&f->arena);
    (void)fclose(f->rejects);
    free(f->rejects_text);
    dk_mapping_close(&f->mapping);
}

/* -------------------------------------------------------------------------------- events as text
 */

static inline void fixture_definition(struct import_fixture *f, const uint8_t *record,
                                      const ProtobufCMessage *body)
{
    /* Every definition's body begins as this one does. */
    const Docket__Definition *definition =
        ((const Docket__CompanyDefined *)(const void *)body)->definition;
    const ProtobufCBinaryData *key = &definition->key;
    uint64_t subject = dk_event_load_subject(record);
    ASSERT_EQ(definition->effective_us, DK_TIME_MIN_US);
    ASSERT_EQ(dk_event_load_occurred_us(record), 0);
    if (dk_id_class(subject) == DK_SUBJECT_CUSTOMER) {
        ASSERT_EQ(subject, dk_id_of_key(DK_SUBJECT_CUSTOMER, (const char *)key->data, key->len,
                                        fixture_salt));
        const Docket__CustomerDefined *customer = (const void *)body;
        ASSERT_EQ((customer->full_name != NULL) + customer->n_address, 1);
        key = customer->full_name != NULL ? &customer->full_name->plain
                                          : &customer->address[0]->plain;
    } else {
        ASSERT_EQ(subject,
                  dk_id_of_key(dk_id_class(subject), (const char *)key->data, key->len, NULL));
    }
    fixture_name(f, subject, key->data, key->len);
    (void)dk_buf_printf(&f->lines, "+%s %.*s", dk_subject_class_word(dk_id_class(subject)),
                        (int)key->len, (const char *)key->data);
    if (dk_event_load_kind(record) == DK_KIND_PRODUCT_DEFINED) {
        const Docket__ProductDefined *product = (const void *)body;
        (void)dk_buf_printf(&f->lines, " name=%.*s", (int)definition->name.len,
                            (const char *)definition->name.data);
        if (product->has_parent) {
            (void)dk_buf_printf(&f->lines, " below %s", fixture_key(f, product->parent));
        }
    }
}

static inline void fixture_opened(struct import_fixture *f, const Docket__Opened *opened)
{
    (void)dk_buf_printf(&f->lines, "opened %.*s", (int)opened->reference.len,
                        (const char *)opened->reference.data);
    ASSERT_EQ(opened->origin->case_key.len, opened->reference.len);
    ASSERT_EQ(opened->status, DOCKET__STATUS__STATUS_NEW);
    if (opened->has_customer) {
        (void)dk_buf_printf(&f->lines, " customer=%s", fixture_key(f, opened->customer));
    }
    if (opened->has_product) {
        (void)dk_buf_printf(&f->lines, " product=%s", fixture_key(f, opened->product));
    }
    if (opened->has_channel) {
        (void)dk_buf_printf(&f->lines, " channel=%d", (int)opened->channel);
    }
    if (opened->has_priority) {
        (void)dk_buf_printf(&f->lines, " priority=%d", (int)opened->priority);
    }
    if (opened->has_impact) {
        (void)dk_buf_printf(&f->lines, " impact=%u", opened->impact);
    }
}

static inline void fixture_classified(struct import_fixture *f, const Docket__Classified *body)
{
    (void)dk_buf_printf(&f->lines, "classified");
    if (body->has_product) {
        (void)dk_buf_printf(&f->lines, " product=%s", fixture_key(f, body->product));
    }
    if (body->has_priority) {
        (void)dk_buf_printf(&f->lines, " priority=%d", (int)body->priority);
    }
    if (body->has_impact) {
        (void)dk_buf_printf(&f->lines, " impact=%u", body->impact);
    }
}

static inline void fixture_status(struct import_fixture *f, const Docket__StatusChanged *body)
{
    char text[DK_TIME_TEXT_BYTES];
    (void)dk_buf_printf(&f->lines, "status %s",
                        dk_status_word((unsigned)body->status, (unsigned)body->pending));
    if (body->has_final_us) {
        (void)dk_buf_printf(&f->lines, " final=%s",
                            body->final_us == 0 ? "unknown"
                                                : dk_time_format(body->final_us, 0, text));
    }
    if (body->has_by) {
        (void)dk_buf_printf(&f->lines, " by=%s", fixture_key(f, body->by));
    }
    if (body->code != NULL) {
        (void)dk_buf_printf(&f->lines, " code=%.*s", (int)body->code->plain.len,
                            (const char *)body->code->plain.data);
    }
}

static inline void fixture_field(struct import_fixture *f, const Docket__FieldSet *body)
{
    char text[DK_TIME_TEXT_BYTES];
    (void)dk_buf_printf(&f->lines, "field %s=", fixture_key(f, body->field));
    if (body->text != NULL) {
        (void)dk_buf_printf(&f->lines, "%.*s", (int)body->text->plain.len,
                            (const char *)body->text->plain.data);
    } else if (body->has_number) {
        (void)dk_buf_printf(&f->lines, "%g", body->number);
    } else if (body->has_date_us) {
        (void)dk_buf_printf(&f->lines, "%s", dk_time_format(body->date_us, 0, text));
    } else if (body->has_choice) {
        (void)dk_buf_printf(&f->lines, "(%.*s)", (int)body->choice.len,
                            (const char *)body->choice.data);
    }
}

static inline void fixture_message(struct import_fixture *f, const Docket__MessagePublic *body)
{
    (void)dk_buf_printf(&f->lines, "message %s%s",
                        body->direction == DOCKET__DIRECTION__DIRECTION_INBOUND ? "in" : "out",
                        body->automatic ? " automatic" : "");
    if (body->has_message_id) {
        (void)dk_buf_printf(&f->lines, " id=%.*s", (int)body->message_id.len,
                            (const char *)body->message_id.data);
    }
    if (body->text != NULL) {
        (void)dk_buf_printf(&f->lines, " \"%.*s\"", (int)body->text->plain.len,
                            (const char *)body->text->plain.data);
    }
}

static inline void fixture_ticket(struct import_fixture *f, uint32_t kind, const void *body)
{
    switch (kind) {
    case DK_KIND_OPENED: fixture_opened(f, body); break;
    case DK_KIND_CLASSIFIED: fixture_classified(f, body); break;
    case DK_KIND_STATUS_CHANGED: fixture_status(f, body); break;
    case DK_KIND_FIELD_SET: fixture_field(f, body); break;
    case DK_KIND_MESSAGE_PUBLIC: fixture_message(f, body); break;
    case DK_KIND_NOTE_ADDED: (void)dk_buf_printf(&f->lines, "note"); break;
    case DK_KIND_ROUTED:
        (void)dk_buf_printf(&f->lines, "routed %s",
                            fixture_key(f, ((const Docket__Routed *)body)->group));
        break;
    case DK_KIND_ASSIGNED:
        (void)dk_buf_printf(&f->lines, "assigned %s",
                            fixture_key(f, ((const Docket__Assigned *)body)->agent));
        break;
    case DK_KIND_REQUESTER_CHANGED:
        (void)dk_buf_printf(&f->lines, "requester %s",
                            fixture_key(f, ((const Docket__RequesterChanged *)body)->customer));
        break;
    default: fail_msg("an event of kind %u", kind);
    }
}

static inline void fixture_event(struct import_fixture *f, size_t i)
{
    const struct dk_draft *draft = &f->drafts.draft[i];
    const uint8_t *record = dk_drafts_record(&f->drafts, i);
    uint32_t kind = dk_event_load_kind(record);
    struct dk_err err;
    char text[DK_TIME_TEXT_BYTES];
    dk_arena_reset(&f->arena);
    ASSERT_OK(dk_event_canonical(record, draft->bytes, &err), &err);
    const ProtobufCMessage *body = dk_body_unpack(&f->arena, record, draft->bytes, &err);
    ASSERT_TRUE(body != NULL);
    ASSERT_OK(dk_body_check(body, kind, &err), &err);
    (void)dk_buf_printf(&f->lines, "%u ", draft->row->ordinal);
    if (!draft->of_ticket) {
        fixture_definition(f, record, body);
        (void)dk_buf_printf(&f->lines, "\n");
        return;
    }
    struct dk_origin origin;
    ASSERT_EQ(dk_event_origin(record, draft->bytes, &origin), 1);
    ASSERT_EQ(origin.source, f->mapping.source_id);
    ASSERT_EQ(origin.ordinal, draft->row->ordinal);
    ASSERT_EQ(origin.digest, draft->row->digest);
    fixture_ticket(f, kind, body);
    (void)dk_buf_printf(&f->lines, " | %s %s\n", fixture_key(f, dk_event_load_actor(record)),
                        dk_time_format((int64_t)dk_event_load_occurred_us(record), 0, text));
}

/* Maps a whole file; its events are then in `lines`, in the order of cases. */
static inline const char *fixture_map(struct import_fixture *f, const char *file)
{
    const struct dk_case *one = NULL;
    struct dk_err err;
    int rc;
    f->at = file;
    ASSERT_OK(dk_csv_new(&f->csv, f->mapping.separator, fixture_read, f, &err), &err);
    ASSERT_OK(dk_cases_new(&f->cases, &f->mapping, f->csv, NULL, fixture_salt,
                           DK_CASES_MEMORY_BYTES, &f->report, &err),
              &err);
    while ((rc = dk_cases_next(f->cases, &one, &err)) == 1) {
        dk_drafts_clear(&f->drafts);
        ASSERT_OK(dk_mapper_case(&f->mapper, one, &f->drafts, &err), &err);
        for (size_t i = 0; i < f->drafts.count; i++) {
            fixture_event(f, i);
        }
    }
    ASSERT_EQ(rc, 0);
    (void)fflush(f->rejects);
    return dk_buf_string(&f->lines);
}

#endif
