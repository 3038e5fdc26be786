#include "replay/import/import.h"

#include "proto/base/time.h"
#include "replay/import/overdue.h"
#include "replay/import/run.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define CALL_MS 10000

/* ----------------------------------------------------------------------------- the sender's calls
 */

static void on_opened(void *arg, uint64_t case_id, uint64_t ticket)
{
    struct dk_run *run = arg;
    dk_ledger_case(&run->ledger, case_id)->ticket = ticket;
}

static void on_refused(void *arg, const struct dk_parcel_event *event, size_t dropped,
                       const struct dk_err *why)
{
    struct dk_run *run = arg;
    if (event->case_id == 0) {
        dk_report_note(run->report, "the broker refuses what row %" PRIu64 " defines: %s",
                       event->number, why->message);
        return;
    }
    dk_ledger_case(&run->ledger, event->case_id)->stopped = true;
    dk_report_reject(run->report, event->line, event->number,
                     "refused: %s; %zu events of its case stay out", why->message, dropped);
}

static void on_note(void *arg, const char *note)
{
    struct dk_run *run = arg;
    dk_report_note(run->report, "%s", note);
}

static bool on_stopped(void *arg)
{
    struct dk_run *run = arg;
    return dk_input_stopped(&run->input);
}

static void on_defined(void *arg, uint64_t subject)
{
    struct dk_run *run = arg;
    dk_mapper_know(&run->mapper, subject);
}

/* ------------------------------------------------------------------------------------ one case */

static int map_case(struct dk_run *run, const struct dk_case *one, struct dk_err *err)
{
    int rc = dk_mapper_case(&run->mapper, one, &run->drafts, err);
    return rc == 0 ? 0
                   : dk_err_wrap(err, "case %.*s", (int)one->key.size, (const char *)one->key.data);
}

/* Rows of a case that went in read otherwise now: nothing more of it is sent. */
static void stop_case(struct dk_run *run, const struct dk_case *one, const struct dk_case_row *row)
{
    const char *what = row != NULL ? "the log has another row in this place"
                                   : "an earlier import made events of rows that make none now";
    row = row != NULL ? row : one->first;
    dk_ledger_case(&run->ledger, one->id)->stopped = true;
    run->summary->conflicts++;
    dk_report_reject(run->report, row->line, row->number,
                     "%s, of case %.*s: nothing more of the case goes in", what, (int)one->key.size,
                     (const char *)one->key.data);
}

/* Rows that make events now, and that an earlier import made nothing of while it went on behind
 * them: these stay out, as a ticket's state follows the order in the log. */
static size_t pass_over(struct dk_run *run, const struct dk_case *one, uint32_t last_ordinal)
{
    size_t i = 0, count = 0;
    for (struct dk_case_row *row = one->first; row != NULL && row->ordinal <= last_ordinal;
         row = row->next) {
        bool drafted = false;
        for (; i < run->drafts.count && run->drafts.draft[i].row == row; i++) {
            drafted |= run->drafts.draft[i].of_ticket;
        }
        if (drafted && !row->in_log) {
            row->passed_over = true;
            count++;
            dk_report_reject(run->report, row->line, row->number,
                             "an earlier import left it out and took rows of case %.*s that follow "
                             "it: it stays out, the rest of the case goes on",
                             (int)one->key.size, (const char *)one->key.data);
        }
    }
    return count;
}

/* A case of which the log has other rows than this mapping understands. What both have in common is
 * kept, what the earlier import left out stays out, and new rows go in as if it were so here, too.
 */
static int reconcile(struct dk_run *run, const struct dk_case *one, struct dk_err *err)
{
    const struct dk_case_row *conflict = NULL;
    int rc = dk_sender_drain(run->sender, err);
    const struct dk_ledger_case *entry = dk_ledger_case(&run->ledger, one->id);
    rc = rc != 0 ? rc
                 : dk_ledger_compare(&run->ledger, dk_sender_client(run->sender), entry->ticket,
                                     one, &conflict, err);
    if (rc == 0 && conflict == NULL && pass_over(run, one, entry->ordinal) > 0) {
        dk_mapper_undo(&run->mapper, &run->drafts);
        rc = map_case(run, one, err);
    }
    if (rc == 0 && !dk_ledger_agrees(entry, &run->drafts)) {
        stop_case(run, one, conflict);
    }
    return rc;
}

static void reject_all(struct dk_run *run, const struct dk_case *one)
{
    for (const struct dk_case_row *row = one->first; row != NULL; row = row->next) {
        dk_report_reject(run->report, row->line, row->number,
                         "case %.*s comes back after other cases: say \"cases: scattered\"",
                         (int)one->key.size, (const char *)one->key.data);
    }
}

static void count_events(struct dk_run *run)
{
    run->summary->cases++;
    for (size_t i = 0; i < run->drafts.count; i++) {
        run->summary->events += run->drafts.draft[i].of_ticket;
    }
}

static void keep_for_adoption(struct dk_run *run, const struct dk_case *one)
{
    if (run->adoption_count == run->adoption_capacity) {
        run->adoption_capacity = run->adoption_capacity == 0 ? 64 : 2 * run->adoption_capacity;
        run->adoption = realloc(run->adoption, run->adoption_capacity * sizeof *run->adoption);
        DK_ASSERT(run->adoption != NULL);
    }
    struct dk_adoption *adoption = &run->adoption[run->adoption_count++];
    *adoption = (struct dk_adoption){
        .case_id = one->id, .digest = one->last->digest, .ordinal = one->last->ordinal};
    memcpy(adoption->key, one->key.data, one->key.size);
}

static int take_case(struct dk_run *run, const struct dk_case *one, struct dk_err *err)
{
    struct dk_ledger_case *entry = dk_ledger_case(&run->ledger, one->id);
    if (entry->met) {
        reject_all(run, one);
        return 0;
    }
    entry->met = true;
    dk_drafts_clear(&run->drafts);
    int rc = map_case(run, one, err);
    if (rc == 0 && entry->ordinal > 0 && one->count >= entry->ordinal &&
        !dk_ledger_agrees(entry, &run->drafts)) {
        rc = reconcile(run, one, err);
    }
    if (rc != 0) {
        return rc;
    }
    count_events(run);
    if (run->sender == NULL) {
        return 0;
    }
    if (!dk_ledger_case(&run->ledger, one->id)->stopped && run->options->adopt &&
        dk_mapper_live(&run->mapper)) {
        keep_for_adoption(run, one);
    }
    return dk_pack_case(run, one, err);
}

static int take_all(struct dk_run *run, struct dk_err *err)
{
    const struct dk_case *one = NULL;
    int rc;
    while ((rc = dk_cases_next(run->cases, &one, err)) == 1) {
        rc = dk_input_stopped(&run->input) ? dk_err_set(err, DK_EIO, "interrupted")
                                           : take_case(run, one, err);
        if (rc != 0) {
            break;
        }
        dk_report_progress(run->report, dk_cases_rows(run->cases), dk_cases_bytes(run->cases));
    }
    run->summary->rows = dk_cases_rows(run->cases);
    return rc;
}

/* ----------------------------------------------------------------------------------- the run */

static int connect(struct dk_run *run, struct dk_err *err)
{
    const struct dk_sender_owner owner = {run, on_opened, on_refused, on_note, on_stopped};
    uint64_t head = 0;
    run->zmq = zmq_ctx_new();
    DK_ASSERT(run->zmq != NULL);
    int rc = dk_sender_new(&run->sender, run->zmq, run->config, run->mapping.source, &owner, err);
    /* Now that the lease is held, all that an earlier run sent is before the head. */
    rc = rc != 0 ? rc : dk_client_head(dk_sender_client(run->sender), CALL_MS, &head, NULL, err);
    if (rc != 0) {
        return rc;
    }
    const struct dk_session *session = dk_sender_session(run->sender);
    dk_mapper_close(&run->mapper);
    dk_mapper_init(&run->mapper, &run->mapping, session->salt, session->now_us + DK_FUTURE_MAX_US,
                   run->report);
    rc = dk_ledger_read(&run->ledger, dk_sender_client(run->sender), run->config->log,
                        session->log_uuid, head, err);
    if (rc == 0 && !dk_ledger_mapped(&run->ledger, run->mapping.sha256)) {
        dk_report_note(run->report,
                       "%s has changed since the last import of %s: what is in the log stays as "
                       "it was mapped then",
                       run->options->map, run->mapping.source);
    }
    return rc;
}

static int open_run(struct dk_run *run, struct dk_err *err)
{
    static const uint8_t no_salt[DK_SALT_BYTES];
    run->report->total_bytes = run->input.bytes;
    dk_drafts_init(&run->drafts);
    dk_ledger_init(&run->ledger, run->mapping.source_id, on_defined, run);
    dk_mapper_init(&run->mapper, &run->mapping, no_salt, dk_clock_wall_us() + DK_FUTURE_MAX_US,
                   run->report);
    int rc = run->options->dry_run ? 0 : connect(run, err);
    if (rc == 0 && run->mapping.xes) {
        rc = dk_xes_new(&run->xes, &run->mapping, dk_input_read, &run->input, err);
    } else if (rc == 0) {
        rc = dk_csv_new(&run->csv, run->mapping.separator, dk_input_read, &run->input, err);
    }
    return rc != 0 ? rc
                   : dk_cases_new(&run->cases, &run->mapping, run->csv, run->xes, run->mapper.salt,
                                  DK_CASES_MEMORY_BYTES, run->report, err);
}

static int work(struct dk_run *run, struct dk_err *err)
{
    int rc = take_all(run, err);
    if (rc != 0 && run->input.stopped) {
        run->summary->interrupted = true;
        rc = run->sender != NULL ? dk_sender_drain(run->sender, err) : 0;
    } else if (rc == 0 && run->sender != NULL) {
        rc = dk_sender_drain(run->sender, err);
        rc = rc != 0 ? rc : dk_pack_adoptions(run, err);
        rc = rc != 0 ? rc : dk_pack_finished(run, err);
        rc = rc != 0 ? rc : dk_sender_drain(run->sender, err);
        rc = rc == 0 && run->options->adopt ? dk_overdue_find(run, err) : rc;
    }
    if (run->sender != NULL) {
        run->summary->appended = dk_sender_accepted(run->sender);
    }
    return rc;
}

static void close_run(struct dk_run *run)
{
    dk_sender_free(&run->sender);
    if (run->zmq != NULL) {
        (void)zmq_ctx_term(run->zmq);
    }
    dk_cases_free(&run->cases);
    dk_csv_free(&run->csv);
    dk_xes_free(&run->xes);
    dk_mapper_close(&run->mapper);
    dk_ledger_close(&run->ledger);
    dk_drafts_close(&run->drafts);
    free(run->adoption);
}

int dk_import_run(const struct dk_import_options *options, const struct dk_config *config,
                  struct dk_report *report, struct dk_import_summary *summary, struct dk_err *err)
{
    struct dk_run run = {
        .options = options, .config = config, .report = report, .summary = summary};
    *summary = (struct dk_import_summary){0};
    int rc = dk_mapping_load(&run.mapping, options->map, err);
    if (rc != 0) {
        return rc;
    }
    (void)snprintf(summary->source, sizeof summary->source, "%s", run.mapping.source);
    rc = dk_input_open(&run.input, options->file, err);
    if (rc == 0) {
        rc = open_run(&run, err);
        rc = rc != 0 ? rc : work(&run, err);
        dk_report_end(report);
        close_run(&run);
        dk_input_close(&run.input);
    }
    dk_mapping_close(&run.mapping);
    return rc;
}

void dk_import_summary_close(struct dk_import_summary *summary)
{
    json_decref(summary->open);
    json_decref(summary->overdue);
}
