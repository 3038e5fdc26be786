#include "proto/base/time.h"
#include "replay/import/run.h"
#include <inttypes.h>
#include <string.h>

/* ------------------------------------------------------------------------- the import's own events
 */

/* Packs one event that no row makes. */
static int add_event(struct dk_run *run, uint64_t subject, uint32_t kind,
                     const ProtobufCMessage *body, const struct dk_adoption *adoption,
                     struct dk_err *err)
{
    struct dk_drafts own;
    struct dk_envelope envelope = {
        .subject = subject,
        .actor = dk_id_make(DK_ACTOR_IMPORTER, run->mapping.source_id),
    };
    dk_drafts_init(&own);
    int rc = dk_drafts_add(&own, NULL, &envelope, kind, body, err);
    if (rc == 0 && !dk_parcel_fits(dk_sender_parcel(run->sender), 1, own.records.size)) {
        rc = dk_sender_flush(run->sender, err);
    }
    if (rc == 0) {
        struct dk_parcel_event event = {
            .case_id = adoption != NULL ? adoption->case_id : 0,
            .bytes = (uint32_t)own.records.size,
        };
        dk_parcel_add(dk_sender_parcel(run->sender), &event, dk_drafts_record(&own, 0), subject);
    }
    dk_drafts_close(&own);
    return rc;
}

static int add_own(struct dk_run *run, uint32_t kind, const ProtobufCMessage *body,
                   struct dk_err *err)
{
    return add_event(run, run->mapping.source_id, kind, body, NULL, err);
}

static ProtobufCBinaryData bytes_of(const void *data, size_t bytes)
{
    return (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)data};
}

/* In front of the first event of a run: that it began, unless an earlier run of the same mapping
 * began and did not finish. */
static int begin(struct dk_run *run, struct dk_err *err)
{
    const struct dk_mapping *mapping = &run->mapping;
    run->begun = true;
    if (run->ledger.begun && dk_ledger_mapped(&run->ledger, mapping->sha256)) {
        return 0;
    }
    Docket__ImportStarted body = DOCKET__IMPORT_STARTED__INIT;
    const char *slash = strrchr(run->options->file, '/');
    const char *file = slash != NULL ? slash + 1 : run->options->file;
    body.name = bytes_of(mapping->source, strlen(mapping->source));
    body.mapping_sha256 = bytes_of(mapping->sha256, sizeof mapping->sha256);
    body.has_file = 1;
    body.file = bytes_of(file, strlen(file));
    return add_own(run, DK_KIND_IMPORT_STARTED, &body.base, err);
}

int dk_pack_finished(struct dk_run *run, struct dk_err *err)
{
    if (!run->begun && !run->ledger.begun) {
        return 0;
    }
    Docket__ImportFinished body = DOCKET__IMPORT_FINISHED__INIT;
    body.name = bytes_of(run->mapping.source, strlen(run->mapping.source));
    body.rows = run->summary->rows;
    body.rejected = run->report->rejected;
    body.cases = run->summary->cases;
    body.events = run->summary->events;
    return add_own(run, DK_KIND_IMPORT_FINISHED, &body.base, err);
}

/* ------------------------------------------------------------------------- one case to the broker
 */

/* Whether the log lacks the draft. Definitions are drafted only when it does. */
static bool is_wanted(const struct dk_draft *draft, const struct dk_ledger_case *entry)
{
    return !draft->of_ticket || (draft->row->ordinal > entry->ordinal && !entry->stopped);
}

/* Counts what is wanted of the drafts [from, to). */
static size_t measure(const struct dk_run *run, const struct dk_ledger_case *entry, size_t from,
                      size_t to, size_t *bytes)
{
    size_t count = 0;
    *bytes = 0;
    for (size_t i = from; i < to; i++) {
        if (is_wanted(&run->drafts.draft[i], entry)) {
            count++;
            *bytes += run->drafts.draft[i].bytes;
        }
    }
    return count;
}

static void add_drafts(struct dk_run *run, const struct dk_case *one,
                       const struct dk_ledger_case *entry, size_t from, size_t to)
{
    struct dk_parcel *parcel = dk_sender_parcel(run->sender);
    for (size_t i = from; i < to; i++) {
        const struct dk_draft *draft = &run->drafts.draft[i];
        if (!is_wanted(draft, entry)) {
            continue;
        }
        struct dk_parcel_event event = {
            .case_id = draft->of_ticket ? one->id : 0,
            .line = draft->row->line,
            .number = draft->row->number,
            .bytes = draft->bytes,
        };
        dk_parcel_add(parcel, &event, dk_drafts_record(&run->drafts, i), entry->ticket);
    }
}

/* A case that no request holds: row by row; what follows a full request waits for its answer, which
 * says which ticket it is. */
static int pack_in_parts(struct dk_run *run, const struct dk_case *one, struct dk_err *err)
{
    const struct dk_drafts *drafts = &run->drafts;
    for (size_t from = 0, to; from < drafts->count; from = to) {
        struct dk_ledger_case *entry = dk_ledger_case(&run->ledger, one->id);
        const struct dk_case_row *row = drafts->draft[from].row;
        size_t bytes;
        for (to = from; to < drafts->count && drafts->draft[to].row == row; to++) {
        }
        size_t count = measure(run, entry, from, to, &bytes);
        if (!dk_parcel_fits(dk_sender_parcel(run->sender), count, bytes)) {
            int rc = dk_sender_drain(run->sender, err);
            if (rc != 0) {
                return rc;
            }
            count = measure(run, entry, from, to, &bytes);
        }
        if (!dk_parcel_fits(dk_sender_parcel(run->sender), count, bytes)) {
            dk_report_reject(run->report, row->line, row->number,
                             "it makes %zu events of %zu bytes, more than a request holds: it and "
                             "the rest of its case stay out",
                             count, bytes);
            entry->stopped = true;
            return 0;
        }
        add_drafts(run, one, entry, from, to);
    }
    return 0;
}

int dk_pack_case(struct dk_run *run, const struct dk_case *one, struct dk_err *err)
{
    const struct dk_ledger_case *entry = dk_ledger_case(&run->ledger, one->id);
    size_t bytes;
    size_t count = measure(run, entry, 0, run->drafts.count, &bytes);
    if (count == 0) {
        return 0;
    }
    int rc = run->begun ? 0 : begin(run, err);
    if (rc == 0 && !dk_parcel_fits(dk_sender_parcel(run->sender), count, bytes)) {
        rc = dk_sender_flush(run->sender, err);
    }
    if (rc != 0) {
        return rc;
    }
    if (!dk_parcel_fits(dk_sender_parcel(run->sender), count, bytes)) {
        return pack_in_parts(run, one, err);
    }
    add_drafts(run, one, entry, 0, run->drafts.count);
    return 0;
}

/* ----------------------------------------------------------------------------------- adoption */

static int add_adopted(struct dk_run *run, const struct dk_adoption *adoption, uint64_t ticket,
                       struct dk_err *err)
{
    Docket__Origin origin = DOCKET__ORIGIN__INIT;
    Docket__Adopted body = DOCKET__ADOPTED__INIT;
    origin.source = run->mapping.source_id;
    origin.ordinal = adoption->ordinal;
    origin.digest = adoption->digest;
    body.origin = &origin;
    return add_event(run, ticket, DK_KIND_ADOPTED, &body.base, adoption, err);
}

int dk_pack_adoptions(struct dk_run *run, struct dk_err *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < run->adoption_count; i++) {
        const struct dk_adoption *adoption = &run->adoption[i];
        struct dk_ledger_case *entry = dk_ledger_case(&run->ledger, adoption->case_id);
        if (entry->ticket == 0 || entry->stopped || entry->adopted) {
            continue;
        }
        rc = run->begun ? 0 : begin(run, err);
        rc = rc != 0 ? rc : add_adopted(run, adoption, entry->ticket, err);
        entry->adopted = rc == 0;
        run->summary->adopted += rc == 0;
    }
    return rc;
}
