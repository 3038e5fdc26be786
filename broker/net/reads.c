#include "broker/net/reads.h"
#include "broker/log/lookups.h"
#include "broker/net/mailbox.h"
#include "broker/net/reply.h"
#include "proto/event/event.h"
#include "proto/event/varint.h"
#include "proto/event/wire.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define CHAIN_RECORDS_MAX 1000
#define SLICES_MAX        65536

struct worker {
    struct dk_reads *reads;
    pthread_t thread;
    struct dk_log_reader *reader;
    struct dk_records records;
    struct dk_buf chain; /* copies of a chain's records */
    struct dk_slice *slices;
    bool started;
};

struct done {
    uint64_t connection;
    struct dk_buf frame;
};

struct dk_reads {
    struct dk_mailbox jobs, results;
    size_t unanswered; /* jobs put whose replies were not taken: never more than either holds */
    struct worker worker[DK_READ_THREADS];
    struct dk_log *log;
    struct dk_lookups *lookups;
    struct ev_loop *loop;
    struct ev_async ready;
    void (*on_reply)(void *arg, uint64_t connection, const uint8_t *frame, size_t bytes);
    void *arg;
};

/* What a record takes in a Records message: its tag and length too. */
static size_t encoded_bytes(size_t record_bytes)
{
    return 1 + dk_varint_size(record_bytes) + record_bytes;
}

static int read_range(struct worker *w, const struct dk_read_job *job, struct dk_buf *out,
                      struct dk_err *err)
{
    uint64_t last = 0;
    int rc = dk_log_last(w->reads->log, &last, err);
    rc = rc != 0 ? rc : dk_log_read(w->reader, job->from, DK_FETCH_MAX_BYTES, &w->records, err);
    if (rc != 0) {
        return rc;
    }
    size_t count = w->records.batch.count;
    if (job->max_records != 0 && count > job->max_records) {
        count = job->max_records;
    }
    if (count > SLICES_MAX) {
        count = SLICES_MAX;
    }
    size_t bytes = 0, fit = 0;
    for (; fit < count; fit++) {
        w->slices[fit].data = dk_batch_record(&w->records.batch, fit, &w->slices[fit].size);
        bytes += encoded_bytes(w->slices[fit].size);
        if (fit > 0 && bytes > DK_FETCH_MAX_BYTES) {
            break;
        }
        rc = dk_event_verify(w->slices[fit].data, w->slices[fit].size, err);
        if (rc != 0 && fit == 0) {
            return dk_err_wrap(err, "position %llu", (unsigned long long)job->from);
        }
        if (rc != 0) {
            break; /* damage is told to the read that begins with it */
        }
    }
    return dk_records_write(out, job->request, w->slices, fit, last, job->from + fit);
}

/* Follows a subject's chain of previous positions, newest first. */
static int read_chain(struct worker *w, const struct dk_read_job *job, struct dk_buf *out,
                      struct dk_err *err)
{
    uint64_t last = 0, position = job->from;
    size_t count = 0, encoded = 0;
    size_t max = job->max_records != 0 && job->max_records < CHAIN_RECORDS_MAX ? job->max_records
                                                                               : CHAIN_RECORDS_MAX;
    int rc = dk_log_last(w->reads->log, &last, err);
    dk_buf_clear(&w->chain);
    while (rc == 0 && position != 0 && count < max) {
        rc = dk_log_read(w->reader, position, 1, &w->records, err);
        if (rc != 0 || w->records.batch.count == 0) {
            break;
        }
        size_t bytes;
        const uint8_t *record = dk_batch_record(&w->records.batch, 0, &bytes);
        rc = dk_event_verify(record, bytes, err);
        if (rc != 0) {
            return dk_err_wrap(err, "position %llu", (unsigned long long)position);
        }
        if (dk_event_load_subject(record) != job->subject) {
            rc = dk_err_field(err, DK_EINVAL, "from", "position %llu is not of this subject",
                              (unsigned long long)position);
            break;
        }
        encoded += encoded_bytes(bytes);
        if (count > 0 && encoded > DK_FETCH_MAX_BYTES) {
            break;
        }
        rc = dk_buf_append(&w->chain, record, bytes);
        w->slices[count++].size = bytes;
        position = dk_event_load_previous(record);
    }
    if (rc != 0) {
        return rc;
    }
    const uint8_t *at = w->chain.data;
    for (size_t i = 0; i < count; i++) {
        w->slices[i].data = at;
        at += w->slices[i].size;
    }
    return dk_records_write(out, job->request, w->slices, count, last, position);
}

static int look_up(struct worker *w, const struct dk_read_job *job, struct dk_buf *out,
                   struct dk_err *err)
{
    Docket__LookupReply lookup = DOCKET__LOOKUP_REPLY__INIT;
    Docket__Reply reply = DOCKET__REPLY__INIT;
    struct dk_bearers bearers = {0};
    int rc =
        dk_lookups_find(w->reads->lookups, job->reference, job->reference_bytes, &bearers, err);
    rc = rc != 0 ? rc
                 : dk_bearers_only(&bearers, job->reference, job->reference_bytes, &lookup.subject,
                                   err);
    if (rc != 0) {
        return rc;
    }
    reply.id = job->request;
    reply.result_case = DOCKET__REPLY__RESULT_LOOKUP;
    reply.lookup = &lookup;
    return dk_reply_pack(out, &reply);
}

static void work(struct worker *w, const struct dk_read_job *job)
{
    struct dk_err err = {0};
    struct done *done = calloc(1, sizeof *done);
    DK_ASSERT(done != NULL);
    done->connection = job->connection;
    dk_buf_init(&done->frame, 2 * (size_t)DK_FETCH_MAX_BYTES);
    int rc = job->kind == DK_READ_RANGE   ? read_range(w, job, &done->frame, &err)
             : job->kind == DK_READ_CHAIN ? read_chain(w, job, &done->frame, &err)
                                          : look_up(w, job, &done->frame, &err);
    if (rc != 0) {
        dk_buf_clear(&done->frame);
        (void)dk_reply_failure(&done->frame, job->request, &err);
    }
    DK_ASSERT(dk_mailbox_put(&w->reads->results, done));
    ev_async_send(w->reads->loop, &w->reads->ready);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct dk_read_job *job;
    while ((job = dk_mailbox_take(&w->reads->jobs)) != NULL) {
        work(w, job);
        free(job);
    }
    return NULL;
}

static void free_done(struct done *done)
{
    dk_buf_close(&done->frame);
    free(done);
}

static void on_ready(struct ev_loop *loop, struct ev_async *async, int revents)
{
    struct dk_reads *reads = async->data;
    struct done *done;
    (void)loop;
    (void)revents;
    while ((done = dk_mailbox_try(&reads->results)) != NULL) {
        reads->unanswered--;
        reads->on_reply(reads->arg, done->connection, done->frame.data, done->frame.size);
        free_done(done);
    }
}

static int start_worker(struct worker *w, struct dk_err *err)
{
    dk_records_init(&w->records);
    dk_buf_init(&w->chain, DK_FETCH_MAX_BYTES + DK_RECORD_MAX_BYTES);
    w->slices = calloc(SLICES_MAX, sizeof *w->slices);
    DK_ASSERT(w->slices != NULL);
    int rc = dk_log_reader_new(&w->reader, w->reads->log, err);
    if (rc == 0) {
        rc = pthread_create(&w->thread, NULL, run, w);
        rc = rc == 0 ? 0 : dk_err_errno(err, DK_EIO, rc, "cannot start a reading thread");
    }
    w->started = rc == 0;
    return rc;
}

int dk_reads_start(struct dk_reads **reads, struct ev_loop *loop, struct dk_log *log,
                   struct dk_lookups *lookups,
                   void (*on_reply)(void *arg, uint64_t connection, const uint8_t *frame,
                                    size_t bytes),
                   void *arg, struct dk_err *err)
{
    struct dk_reads *r = calloc(1, sizeof *r);
    int rc = 0;
    DK_ASSERT(r != NULL);
    r->log = log;
    r->lookups = lookups;
    r->loop = loop;
    r->on_reply = on_reply;
    r->arg = arg;
    dk_mailbox_init(&r->jobs, DK_READS_QUEUED);
    dk_mailbox_init(&r->results, DK_READS_QUEUED);
    ev_async_init(&r->ready, on_ready);
    r->ready.data = r;
    ev_async_start(loop, &r->ready);
    for (size_t i = 0; rc == 0 && i < DK_READ_THREADS; i++) {
        r->worker[i].reads = r;
        rc = start_worker(&r->worker[i], err);
    }
    *reads = r;
    if (rc != 0) {
        dk_reads_stop(reads);
    }
    return rc;
}

void dk_reads_stop(struct dk_reads **reads)
{
    struct dk_reads *r = *reads;
    void *left;
    if (r == NULL) {
        return;
    }
    dk_mailbox_close(&r->jobs);
    for (size_t i = 0; i < DK_READ_THREADS; i++) {
        struct worker *w = &r->worker[i];
        if (w->started) {
            (void)pthread_join(w->thread, NULL);
        }
        if (w->reads != NULL) {
            dk_log_reader_free(&w->reader);
            dk_records_close(&w->records);
            dk_buf_close(&w->chain);
            free(w->slices);
        }
    }
    ev_async_stop(r->loop, &r->ready);
    while ((left = dk_mailbox_try(&r->jobs)) != NULL) {
        free(left);
    }
    while ((left = dk_mailbox_try(&r->results)) != NULL) {
        free_done(left);
    }
    dk_mailbox_free(&r->jobs);
    dk_mailbox_free(&r->results);
    free(r);
    *reads = NULL;
}

bool dk_reads_put(struct dk_reads *reads, const struct dk_read_job *job)
{
    if (reads->unanswered == DK_READS_QUEUED) {
        return false;
    }
    struct dk_read_job *copy = malloc(sizeof *copy);
    DK_ASSERT(copy != NULL);
    *copy = *job;
    DK_ASSERT(dk_mailbox_put(&reads->jobs, copy));
    reads->unanswered++;
    return true;
}
