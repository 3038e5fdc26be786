/* log_check LOG NAME OUT ...: verifies the log (records, chains, seals) and that it holds what the
 * producers of site_load were told: each accepted event once, at its position and under its number;
 * nothing that was refused; and nothing twice, no decision of a node either. Prints a summary as
 * JSON, and the notices that were requested, one "notice ID" a line; or what is wrong, and ends
 * with 1. */
#include "broker/log/seals.h"
#include "broker/log/verify.h"
#include "proto/base/map.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX (UINT64_C(1) << 28)
#define SAID_MAX   20 /* of what is wrong */

/* What the log holds of one producer's events. */
struct found {
    uint64_t position, number;
    uint32_t times;
};

struct producer {
    const char *name;
    struct dk_map found; /* sequence + 1 -> struct found */
};

struct check {
    struct producer *producer;
    size_t producers;
    struct dk_arena arena;
    struct dk_map decisions; /* hash of what may be decided once -> one byte */
    uint64_t decided;
    uint64_t wrong, accepted, refused, unknown_position;
};

static int give_up(const struct dk_err *err)
{
    (void)fprintf(stderr, "log_check: %s\n", err->message);
    return 1;
}

static void wrong(struct check *check, const char *name, uint64_t sequence, const char *what)
{
    if (check->wrong++ < SAID_MAX) {
        (void)printf("%s %" PRIu64 ": %s\n", name, sequence, what);
    }
}

/* ---------------------------------------------------------------- the log */

static const Docket__Text *text_of(const ProtobufCMessage *body, uint32_t kind)
{
    const void *any = body;
    switch (kind) {
    case DK_KIND_OPENED: return ((const Docket__Opened *)any)->subject;
    case DK_KIND_NOTE_ADDED: return ((const Docket__NoteAdded *)any)->text;
    case DK_KIND_STATUS_CHANGED: return ((const Docket__StatusChanged *)any)->code;
    case DK_KIND_RATED: return ((const Docket__Rated *)any)->comment;
    default: return NULL;
    }
}

/* "NAME SEQUENCE" -> the producer, or NULL. */
static struct producer *author(struct check *check, const Docket__Text *text, uint64_t *sequence)
{
    char words[64];
    size_t bytes;
    const char *plain = dk_text_plain(text, &bytes);
    if (text == NULL || bytes >= sizeof words) {
        return NULL;
    }
    memcpy(words, plain, bytes);
    words[bytes] = 0;
    char *space = strchr(words, ' ');
    for (size_t i = 0; space != NULL && i < check->producers; i++) {
        size_t length = (size_t)(space - words);
        if (strlen(check->producer[i].name) == length &&
            memcmp(check->producer[i].name, words, length) == 0) {
            *sequence = strtoull(space + 1, NULL, 10);
            return &check->producer[i];
        }
    }
    return NULL;
}

/* What a decision is about, and may be about once; false for what may be decided again. */
static bool subject_of_decision(const uint8_t *record, size_t bytes, const ProtobufCMessage *body,
                                uint64_t about[4])
{
    const void *any = body;
    struct dk_decision decision;
    uint32_t kind = dk_event_load_kind(record);
    about[0] = kind;
    about[1] = dk_event_load_subject(record);
    switch (kind) {
    case DK_KIND_ROUTED:
    case DK_KIND_QUEUED:
    case DK_KIND_ASSIGNED:
        if (dk_event_decision(record, bytes, &decision) != 1) {
            return false;
        }
        about[2] = decision.cause;
        return true;
    case DK_KIND_CLOCK_STARTED:
        about[2] = (uint64_t)((const Docket__ClockStarted *)any)->clock->metric;
        about[3] = ((const Docket__ClockStarted *)any)->clock->instance;
        return true;
    case DK_KIND_CLOCK_WARNED:
        about[2] = (uint64_t)((const Docket__ClockWarned *)any)->clock->metric;
        about[3] = ((const Docket__ClockWarned *)any)->clock->instance |
                   (uint64_t)((const Docket__ClockWarned *)any)->level << 32;
        return true;
    case DK_KIND_CLOCK_BREACHED:
        about[2] = (uint64_t)((const Docket__ClockBreached *)any)->clock->metric;
        about[3] = ((const Docket__ClockBreached *)any)->clock->instance;
        return true;
    case DK_KIND_NOTIFICATION_REQUESTED:
        about[2] = ((const Docket__NotificationRequested *)any)->notice;
        return true;
    case DK_KIND_NOTIFICATION_SENT:
        about[2] = ((const Docket__NotificationSent *)any)->notice;
        return true;
    default: return false;
    }
}

static void take_decision(struct check *check, const uint8_t *record, size_t bytes,
                          const ProtobufCMessage *body)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES];
    uint64_t about[4] = {0}, hash;
    bool created = false;
    if (!subject_of_decision(record, bytes, body, about)) {
        return;
    }
    (void)crypto_shorthash((uint8_t *)&hash, (const uint8_t *)about, sizeof about, key);
    DK_ASSERT(dk_map_put(&check->decisions, hash | 1, &created) != NULL);
    check->decided++;
    if (!created) {
        wrong(check, dk_kind_info(dk_event_load_kind(record))->word, dk_event_load_position(record),
              "was decided before");
    }
}

static void take_record(struct check *check, const uint8_t *record, size_t bytes)
{
    uint32_t kind = dk_event_load_kind(record);
    uint64_t sequence = 0;
    dk_arena_reset(&check->arena);
    const ProtobufCMessage *body = dk_body_unpack(&check->arena, record, bytes, NULL);
    if (body != NULL) {
        take_decision(check, record, bytes, body);
    }
    if (body != NULL && kind == DK_KIND_NOTIFICATION_REQUESTED) {
        const Docket__NotificationRequested *requested = (const void *)body;
        (void)printf("notice %016" PRIx64 "\n", requested->notice);
    }
    struct producer *producer = body == NULL ? NULL : author(check, text_of(body, kind), &sequence);
    if (producer == NULL) {
        return;
    }
    struct found *found = dk_map_put(&producer->found, sequence + 1, NULL);
    DK_ASSERT(found != NULL);
    found->position = dk_event_load_position(record);
    found->number = dk_event_load_producer_number(record);
    if (++found->times > 1) {
        wrong(check, producer->name, sequence, "stands in the log more than once");
    }
}

static int read_log(struct check *check, struct dk_log *log, uint64_t last, struct dk_err *err)
{
    struct dk_log_reader *reader;
    struct dk_records records;
    int rc = dk_log_reader_new(&reader, log, err);
    dk_records_init(&records);
    for (uint64_t at = 1; rc == 0 && at <= last; at += records.batch.count) {
        rc = dk_log_read(reader, at, DK_READ_MAX_BYTES, &records, err);
        for (size_t i = 0; rc == 0 && i < records.batch.count; i++) {
            size_t bytes;
            const uint8_t *record = dk_batch_record(&records.batch, i, &bytes);
            take_record(check, record, bytes);
        }
    }
    dk_records_close(&records);
    dk_log_reader_free(&reader);
    return rc;
}

/* ---------------------------------------------------------------- what was answered */

static void compare_accepted(struct check *check, const struct producer *producer,
                             uint64_t sequence, uint64_t number, uint64_t position)
{
    const struct found *found = dk_map_get(&producer->found, sequence + 1);
    check->accepted++;
    check->unknown_position += position == 0;
    if (found == NULL) {
        wrong(check, producer->name, sequence, "was accepted and is not in the log");
    } else if (position != 0 && found->position != position) {
        wrong(check, producer->name, sequence, "stands at another position than was answered");
    } else if (found->number != number) {
        wrong(check, producer->name, sequence, "has another number than was answered");
    }
}

static void compare_line(struct check *check, const struct producer *producer, const char *line)
{
    uint64_t sequence, number, position;
    if (sscanf(line, "A %" SCNu64 " %" SCNu64 " %" SCNu64, &sequence, &number, &position) == 3) {
        compare_accepted(check, producer, sequence, number, position);
    } else if (sscanf(line, "R %" SCNu64, &sequence) == 1) {
        check->refused++;
        if (dk_map_get(&producer->found, sequence + 1) != NULL) {
            wrong(check, producer->name, sequence, "was refused and is in the log");
        }
    } else {
        wrong(check, producer->name, 0, "its file of answers is malformed");
    }
}

static void compare_answers(struct check *check, const struct producer *producer, const char *path)
{
    char line[128];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        wrong(check, producer->name, 0, "has no file of answers");
        return;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        compare_line(check, producer, line);
    }
    (void)fclose(file);
}

/* ---------------------------------------------------------------- both together */

static int on_finding(void *arg, const struct dk_verify_finding *finding)
{
    (void)arg;
    (void)printf("%" PRIu64 ": %s\n", finding->position, finding->message);
    return 0;
}

static int verify(struct dk_log *log, const char *dir, struct dk_verify_report *report,
                  struct dk_err *err)
{
    struct dk_seals *seals = NULL;
    int rc = dk_seals_open(&seals, dir, log, DK_LOG_READ, err);
    if (rc == DK_ENOTFOUND || rc == DK_ECORRUPT) { /* killed while they were begun */
        rc = 0;
    }
    struct dk_verify_options options = {.seals = seals, .on_finding = on_finding};
    rc = rc != 0 ? rc : dk_verify(log, &options, report, err);
    dk_seals_close(&seals);
    return rc;
}

static int check_answers(struct dk_log *log, const char *dir, size_t pairs, char **pair)
{
    struct check check = {0};
    struct dk_verify_report report;
    struct dk_err err = {0};
    if (verify(log, dir, &report, &err) != 0) {
        return give_up(&err);
    }
    dk_map_init(&check.decisions, 1, EVENTS_MAX);
    check.producer = calloc(pairs, sizeof *check.producer);
    DK_ASSERT(check.producer != NULL && dk_arena_init(&check.arena, DK_UNPACK_MAX_BYTES) == 0);
    for (check.producers = 0; check.producers < pairs; check.producers++) {
        check.producer[check.producers].name = pair[2 * check.producers];
        dk_map_init(&check.producer[check.producers].found, sizeof(struct found), EVENTS_MAX);
    }
    if (read_log(&check, log, report.records, &err) != 0) {
        return give_up(&err);
    }
    for (size_t i = 0; i < pairs; i++) {
        compare_answers(&check, &check.producer[i], pair[2 * i + 1]);
        dk_map_close(&check.producer[i].found);
    }
    free(check.producer);
    dk_map_close(&check.decisions);
    dk_arena_close(&check.arena);
    (void)printf("{\"records\":%" PRIu64 ",\"findings\":%" PRIu64 ",\"wrong\":%" PRIu64
                 ",\"decided\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64
                 ",\"position_unknown\":%" PRIu64 "}\n",
                 report.records, report.findings, check.wrong, check.decided, check.accepted,
                 check.refused, check.unknown_position);
    return report.findings == 0 && check.wrong == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct dk_log *log;
    struct dk_err err = {0};
    if (argc < 4 || argc % 2 != 0) {
        (void)fprintf(stderr, "usage: log_check LOG NAME OUT ...\n");
        return 2;
    }
    if (dk_log_open(&log, argv[1], DK_LOG_READ, &err) != 0) {
        return give_up(&err);
    }
    int rc = check_answers(log, argv[1], (size_t)(argc - 2) / 2, argv + 2);
    dk_log_close(&log);
    return rc;
}
