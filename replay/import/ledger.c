#include "replay/import/ledger.h"

#include "broker/log/log.h"
#include "proto/event/body.h"
#include <stdlib.h>
#include <string.h>

#define CALL_MS 10000
#define GOLDEN  UINT64_C(0x9e3779b97f4a7c15)

void dk_ledger_init(struct dk_ledger *ledger, uint64_t source,
                    void (*on_defined)(void *arg, uint64_t subject), void *arg)
{
    *ledger = (struct dk_ledger){.source = source, .on_defined = on_defined, .arg = arg};
    dk_map_init(&ledger->cases, sizeof(struct dk_ledger_case), DK_LEDGER_CASES_MAX);
    dk_map_init(&ledger->tickets, sizeof(uint64_t), DK_LEDGER_CASES_MAX);
}

void dk_ledger_close(struct dk_ledger *ledger)
{
    dk_map_close(&ledger->cases);
    dk_map_close(&ledger->tickets);
}

struct dk_ledger_case *dk_ledger_case(struct dk_ledger *ledger, uint64_t case_id)
{
    struct dk_ledger_case *entry = dk_map_put(&ledger->cases, case_id, NULL);
    DK_ASSERT(entry != NULL);
    return entry;
}

bool dk_ledger_mapped(const struct dk_ledger *ledger, const uint8_t mapping_sha256[32])
{
    return !ledger->has_mapping ||
           memcmp(ledger->mapping_sha256, mapping_sha256, sizeof ledger->mapping_sha256) == 0;
}

static uint64_t add_row(uint64_t sum, uint32_t ordinal, uint64_t digest)
{
    sum = (sum ^ digest) * GOLDEN + ordinal;
    return sum << 29 | sum >> 35;
}

/* ------------------------------------------------------------------------------- the fold */

static int apply_opened(struct dk_ledger *ledger, uint64_t ticket, const struct dk_origin *origin,
                        struct dk_err *err)
{
    uint64_t case_id = dk_case_id((struct dk_slice){origin->case_key, origin->case_key_bytes});
    uint64_t *known = dk_map_put(&ledger->tickets, ticket, NULL);
    struct dk_ledger_case *entry = dk_map_put(&ledger->cases, case_id, NULL);
    if (known == NULL || entry == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for the cases of the log");
    }
    *known = case_id;
    entry->ticket = ticket;
    return 0;
}

static int apply_ticket(struct dk_ledger *ledger, const uint8_t *record, size_t record_bytes,
                        struct dk_err *err)
{
    struct dk_origin origin;
    uint64_t ticket = dk_event_load_subject(record);
    uint32_t kind = dk_event_load_kind(record);
    if (dk_event_origin(record, record_bytes, &origin) != 1 || origin.source != ledger->source) {
        return 0;
    }
    if (kind == DK_KIND_OPENED && origin.case_key != NULL) {
        int rc = apply_opened(ledger, ticket, &origin, err);
        if (rc != 0) {
            return rc;
        }
    }
    const uint64_t *case_id = dk_map_get(&ledger->tickets, ticket);
    if (case_id == NULL) {
        return 0;
    }
    struct dk_ledger_case *entry = dk_map_get(&ledger->cases, *case_id);
    if (kind == DK_KIND_ADOPTED) {
        entry->adopted = true;
    } else if (origin.ordinal > entry->ordinal) {
        entry->ordinal = origin.ordinal;
        entry->sum = add_row(entry->sum, origin.ordinal, origin.digest);
    }
    return 0;
}

static int apply_started(struct dk_ledger *ledger, const uint8_t *record, size_t record_bytes,
                         struct dk_err *err)
{
    struct dk_arena arena;
    int rc = dk_arena_init(&arena, DK_UNPACK_MAX_BYTES);
    if (rc != 0) {
        return dk_err_set(err, rc, "no memory");
    }
    const Docket__ImportStarted *started =
        (const void *)dk_body_unpack(&arena, record, record_bytes, err);
    rc = started != NULL ? 0 : err->code;
    if (rc == 0 && started->mapping_sha256.len == sizeof ledger->mapping_sha256) {
        memcpy(ledger->mapping_sha256, started->mapping_sha256.data, sizeof ledger->mapping_sha256);
        ledger->has_mapping = true;
    }
    ledger->begun = true;
    dk_arena_close(&arena);
    return rc;
}

int dk_ledger_apply(struct dk_ledger *ledger, const uint8_t *record, size_t record_bytes,
                    struct dk_err *err)
{
    uint32_t kind = dk_event_load_kind(record);
    uint64_t subject = dk_event_load_subject(record);
    ledger->position = dk_event_load_position(record);
    if (kind <= DK_KIND_TICKET_LAST) {
        return apply_ticket(ledger, record, record_bytes, err);
    }
    if (kind >= DK_KIND_DEFINED_FROM && kind <= DK_KIND_DEFINED_LAST) {
        ledger->on_defined(ledger->arg, subject);
    } else if (kind == DK_KIND_IMPORT_STARTED && subject == ledger->source) {
        return apply_started(ledger, record, record_bytes, err);
    } else if (kind == DK_KIND_IMPORT_FINISHED && subject == ledger->source) {
        ledger->begun = false;
    }
    return 0;
}

/* ------------------------------------------------------------------------- reading the log */

static int apply_batch(struct dk_ledger *ledger, const struct dk_batch *batch, struct dk_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < batch->count; i++) {
        size_t bytes;
        const uint8_t *record = dk_batch_record(batch, i, &bytes);
        rc = dk_event_verify(record, bytes, err);
        rc = rc != 0 ? rc : dk_ledger_apply(ledger, record, bytes, err);
    }
    return rc;
}

static int read_folder(struct dk_ledger *ledger, struct dk_log *log, uint64_t head,
                       struct dk_err *err)
{
    struct dk_log_reader *reader = NULL;
    struct dk_records records;
    dk_records_init(&records);
    int rc = dk_log_reader_new(&reader, log, err);
    while (rc == 0 && ledger->position < head) {
        rc = dk_log_read(reader, ledger->position + 1, DK_READ_MAX_BYTES, &records, err);
        if (rc == 0 && records.batch.count == 0) {
            rc = dk_err_set(err, DK_ECORRUPT, "the log ends before its head");
        }
        rc = rc != 0 ? rc : apply_batch(ledger, &records.batch, err);
    }
    dk_records_close(&records);
    dk_log_reader_free(&reader);
    return rc;
}

/* Records from a position on, or a ticket's history, newest first. */
static int fetch(struct dk_client *client, uint64_t from, uint64_t ticket,
                 const Docket__Records **records, struct dk_err *err)
{
    Docket__Fetch fetch = DOCKET__FETCH__INIT;
    Docket__Request request = DOCKET__REQUEST__INIT;
    const Docket__Reply *reply = NULL;
    fetch.from = from;
    fetch.has_ticket = ticket != 0;
    fetch.ticket = ticket;
    request.op_case = DOCKET__REQUEST__OP_FETCH;
    request.fetch = &fetch;
    int rc = dk_client_call(client, &request, CALL_MS, &reply, err);
    if (rc != 0) {
        return rc;
    }
    if (reply->result_case != DOCKET__REPLY__RESULT_RECORDS) {
        return dk_err_set(err, DK_EINVAL, "the broker's answer to Fetch is malformed");
    }
    *records = reply->records;
    return 0;
}

static int read_remote(struct dk_ledger *ledger, struct dk_client *client, uint64_t head,
                       struct dk_err *err)
{
    int rc = 0;
    while (rc == 0 && ledger->position < head) {
        const Docket__Records *records = NULL;
        rc = fetch(client, ledger->position + 1, 0, &records, err);
        if (rc == 0 && records->n_event == 0) {
            rc = dk_err_set(err, DK_ECORRUPT, "the log ends before its head");
        }
        for (size_t i = 0; rc == 0 && i < records->n_event; i++) {
            const ProtobufCBinaryData *record = &records->event[i];
            rc = dk_event_verify(record->data, record->len, err);
            rc = rc != 0 ? rc : dk_ledger_apply(ledger, record->data, record->len, err);
        }
    }
    return rc;
}

int dk_ledger_read(struct dk_ledger *ledger, struct dk_client *client, const char *log_dir,
                   const uint8_t log_uuid[16], uint64_t head, struct dk_err *err)
{
    struct dk_log *log = NULL;
    int rc = dk_log_open(&log, log_dir, DK_LOG_READ, NULL);
    bool local = rc == 0 && memcmp(dk_log_identity(log)->uuid, log_uuid, 16) == 0;
    rc = local ? read_folder(ledger, log, head, err) : read_remote(ledger, client, head, err);
    dk_log_close(&log);
    dk_map_close(&ledger->tickets);
    return rc != 0 ? dk_err_wrap(err, "cannot read what was imported before") : 0;
}

/* ------------------------------------------------------------------------ known and changed */

bool dk_ledger_agrees(const struct dk_ledger_case *entry, const struct dk_drafts *drafts)
{
    uint64_t sum = 0;
    uint32_t ordinal = 0;
    for (size_t i = 0; i < drafts->count; i++) {
        const struct dk_draft *draft = &drafts->draft[i];
        if (draft->of_ticket && draft->row->ordinal > ordinal &&
            draft->row->ordinal <= entry->ordinal) {
            ordinal = draft->row->ordinal;
            sum = add_row(sum, ordinal, draft->row->digest);
        }
    }
    return sum == entry->sum;
}

/* Marks the row that an event comes from, or notes that it is another one. */
static void compare_event(const struct dk_ledger *ledger, const ProtobufCBinaryData *record,
                          struct dk_case_row *const *row, size_t count,
                          const struct dk_case_row **conflict)
{
    struct dk_origin origin;
    if (dk_event_origin(record->data, record->len, &origin) != 1 ||
        origin.source != ledger->source || origin.ordinal == 0 || origin.ordinal > count ||
        dk_event_load_kind(record->data) == DK_KIND_ADOPTED) {
        return;
    }
    struct dk_case_row *of = row[origin.ordinal - 1];
    if (of->digest == origin.digest) {
        of->in_log = true;
    } else if (*conflict == NULL || of->ordinal < (*conflict)->ordinal) {
        *conflict = of;
    }
}

int dk_ledger_compare(const struct dk_ledger *ledger, struct dk_client *client, uint64_t ticket,
                      const struct dk_case *one, const struct dk_case_row **conflict,
                      struct dk_err *err)
{
    struct dk_case_row **row = calloc(one->count, sizeof(struct dk_case_row *));
    uint64_t from = 0;
    int rc = 0;
    DK_ASSERT(row != NULL);
    *conflict = NULL;
    for (struct dk_case_row *at = one->first; at != NULL; at = at->next) {
        row[at->ordinal - 1] = at;
    }
    do {
        const Docket__Records *records = NULL;
        rc = fetch(client, from, ticket, &records, err);
        for (size_t i = 0; rc == 0 && i < records->n_event; i++) {
            rc = dk_event_verify(records->event[i].data, records->event[i].len, err);
            if (rc == 0) {
                compare_event(ledger, &records->event[i], row, one->count, conflict);
            }
        }
        from = rc == 0 ? records->next : 0;
    } while (from != 0);
    free(row);
    return rc;
}
