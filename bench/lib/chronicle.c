#include "bench/lib/chronicle_internal.h"
#include "proto/event/body.h"
#include <stdlib.h>
#include <string.h>

#define EVENTS_A_TICKET 11
#define COMMIT_EVENTS   10000
#define RECORDS_MAX     (1 << 20)
#define BETWEEN_US      2000 /* two events of one act */
#define WORK_FROM_H     8
#define WORK_TO_H       18
#define QUANTILES       64

/* ---------------------------------------------------------------- chance */

/* A thousand times the quantiles i / 64 of the exponential distribution with mean 1, and of the
 * lognormal one with median 1 and sigma 1; the ends stand for the halves of the last steps. */
static const uint16_t exponential[QUANTILES + 1] = {
    4,    16,   32,   48,   65,   81,   98,   116,  134,  152,  170,  189,  208,
    227,  247,  267,  288,  309,  330,  352,  375,  398,  421,  445,  470,  495,
    521,  548,  575,  604,  633,  662,  693,  725,  758,  792,  827,  863,  901,
    940,  981,  1023, 1068, 1114, 1163, 1214, 1269, 1326, 1386, 1451, 1520, 1594,
    1674, 1761, 1856, 1962, 2079, 2213, 2367, 2549, 2773, 3060, 3466, 4159, 5545,
};
static const uint16_t lognormal[QUANTILES + 1] = {
    70,   116,  155,  187,  216,  242,  268,  292,  317,  340,  364,  388,  412,
    436,  460,  485,  509,  535,  560,  587,  613,  641,  669,  698,  727,  758,
    789,  821,  854,  889,  925,  962,  1000, 1040, 1082, 1125, 1170, 1218, 1268,
    1320, 1375, 1434, 1495, 1561, 1630, 1705, 1784, 1870, 1963, 2064, 2174, 2294,
    2428, 2577, 2746, 2937, 3159, 3421, 3736, 4128, 4637, 5344, 6441, 8618, 14297,
};

/* By integers only, so that it is the same everywhere. */
static int64_t scaled(struct dk_chronicle *h, const uint16_t table[QUANTILES + 1], int64_t unit)
{
    uint64_t random = test_random_next(&h->random);
    size_t step = random % QUANTILES;
    int64_t between = (int64_t)(random >> 32 & 1023);
    int64_t low = table[step], high = table[step + 1];
    return unit * (low * 1024 + (high - low) * between) / (1024 * 1000);
}

int64_t dk_chronicle_about(struct dk_chronicle *h, int64_t median_us)
{
    return scaled(h, lognormal, median_us);
}

int64_t dk_chronicle_exponential(struct dk_chronicle *h, int64_t mean)
{
    return scaled(h, exponential, mean);
}

static void make_words(struct dk_chronicle *h)
{
    static const char *const word[] = {
        "after",  "again",    "all",     "and",      "asks",    "before",  "but",      "cannot",
        "client", "comes",    "copy",    "customer", "does",    "driver",  "each",     "error",
        "fails",  "file",     "first",   "for",      "from",    "gateway", "has",      "have",
        "here",   "invoice",  "is",      "it",       "key",     "last",    "licence",  "login",
        "mail",   "message",  "monitor", "more",     "morning", "network", "not",      "nothing",
        "office", "on",       "only",    "opens",    "order",   "our",     "page",     "password",
        "phone",  "please",   "port",    "printer",  "queue",   "report",  "restarts", "screen",
        "second", "server",   "shows",   "since",    "slow",    "some",    "starts",   "stops",
        "system", "terminal", "that",    "the",      "then",    "they",    "this",     "ticket",
        "to",     "update",   "user",    "version",  "waits",   "was",     "we",       "with",
    };
    size_t at = 0;
    while (at < sizeof h->words) {
        const char *next = word[dk_chronicle_below(h, sizeof word / sizeof word[0])];
        while (*next != '\0' && at < sizeof h->words - 1) {
            h->words[at++] = *next++;
        }
        h->words[at++] = ' ';
    }
}

/* ---------------------------------------------------------------- time */

static unsigned weekday_of(int64_t local_us)
{
    return (unsigned)((local_us / DK_DAY_US + 3) % 7); /* 1970-01-01 was a Thursday; 0 = Monday */
}

int64_t dk_chronicle_at_work(struct dk_chronicle *h, const struct dk_chronicle_group *group,
                             int64_t at_us)
{
    static const int offset_h[CHRONICLE_SITES] = {1, 0, -5, 8};
    int64_t offset_us = offset_h[group->site] * DK_HOUR_US, local_us = at_us + offset_us;
    bool moved = false;
    while (!group->always) {
        int64_t day_us = local_us / DK_DAY_US * DK_DAY_US;
        if (weekday_of(local_us) < 5 && local_us < day_us + WORK_TO_H * DK_HOUR_US) {
            int64_t from_us = day_us + WORK_FROM_H * DK_HOUR_US;
            moved = moved || local_us < from_us;
            local_us = local_us < from_us ? from_us : local_us;
            break;
        }
        local_us = day_us + DK_DAY_US;
        moved = true;
    }
    local_us += moved ? (int64_t)dk_chronicle_below(h, 40 * 60) * DK_SECOND_US : 0;
    return local_us - offset_us;
}

unsigned dk_chronicle_load(int64_t at_us)
{
    static const uint8_t percent[24] = {15, 12, 10, 10, 12, 18, 35, 60, 85, 100, 100, 95,
                                        85, 90, 95, 90, 80, 65, 50, 42, 36, 30,  24,  18};
    unsigned hour = (unsigned)(at_us / DK_HOUR_US % 24);
    return weekday_of(at_us) < 5 ? percent[hour] : percent[hour] * 3u / 10;
}

/* The mean gap at the busiest hour, for which the whole span has as many tickets as are wanted. */
static int64_t gap_of(uint64_t events)
{
    int64_t week = 0, tickets = (int64_t)(events / EVENTS_A_TICKET) + 1;
    for (int hour = 0; hour < 7 * 24; hour++) {
        week += dk_chronicle_load(DK_CHRONICLE_START_US + hour * DK_HOUR_US);
    }
    return DK_CHRONICLE_DAYS * DK_DAY_US / tickets * week / (7 * 24 * 100);
}

/* ---------------------------------------------------------------- what is due */

static bool is_before(const struct dk_chronicle_due *a, const struct dk_chronicle_due *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void dk_chronicle_put_down(struct dk_chronicle *h, struct dk_chronicle_ticket *ticket,
                           enum dk_chronicle_act act, int64_t at_us)
{
    struct dk_chronicle_due due = {
        .at_us = at_us > h->now_us ? at_us : h->now_us + 1, .order = h->due_order++, .act = act};
    if (ticket != NULL) {
        due.ticket = ticket->id;
        due.slot = (uint32_t)(ticket - h->ticket);
    }
    if (h->due_count == h->due_capacity) {
        h->due_capacity = h->due_capacity == 0 ? 1024 : h->due_capacity * 2;
        h->due = realloc(h->due, h->due_capacity * sizeof *h->due);
        DK_ASSERT(h->due != NULL);
    }
    size_t at = h->due_count++;
    while (at > 0 && is_before(&due, &h->due[(at - 1) / 2])) {
        h->due[at] = h->due[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->due[at] = due;
}

static struct dk_chronicle_due take_due(struct dk_chronicle *h)
{
    struct dk_chronicle_due first = h->due[0], last = h->due[--h->due_count];
    size_t at = 0;
    for (size_t child = 1; child < h->due_count; child = 2 * at + 1) {
        if (child + 1 < h->due_count && is_before(&h->due[child + 1], &h->due[child])) {
            child++;
        }
        if (is_before(&last, &h->due[child])) {
            break;
        }
        h->due[at] = h->due[child];
        at = child;
    }
    h->due[at] = last;
    return first;
}

/* ---------------------------------------------------------------- slots */

struct dk_chronicle_ticket *dk_chronicle_take_slot(struct dk_chronicle *h)
{
    size_t slot = h->free_count > 0 ? h->free_slot[--h->free_count] : h->ticket_count++;
    if (slot == h->ticket_capacity) {
        h->ticket_capacity = h->ticket_capacity == 0 ? 1024 : h->ticket_capacity * 2;
        h->ticket = realloc(h->ticket, h->ticket_capacity * sizeof *h->ticket);
        h->free_slot = realloc(h->free_slot, h->ticket_capacity * sizeof *h->free_slot);
        DK_ASSERT(h->ticket != NULL && h->free_slot != NULL);
    }
    h->ticket[slot] =
        (struct dk_chronicle_ticket){.id = dk_ticket_make(DK_CHRONICLE_SITE, ++h->tickets)};
    return &h->ticket[slot];
}

void dk_chronicle_free_slot(struct dk_chronicle *h, struct dk_chronicle_ticket *ticket)
{
    ticket->id = 0;
    h->free_slot[h->free_count++] = (size_t)(ticket - h->ticket);
}

/* ---------------------------------------------------------------- records */

void dk_chronicle_record(struct dk_chronicle *h, struct dk_chronicle_ticket *ticket,
                         const struct dk_chronicle_event *event)
{
    size_t at = h->records.size;
    uint64_t producer = event->actor % CHRONICLE_PRODUCERS;
    struct dk_envelope envelope = {
        .position = ++h->position,
        .recorded_us = h->now_us,
        .occurred_us = event->occurred_us != 0 ? event->occurred_us : h->now_us,
        .subject = event->subject,
        .subject_version = 1,
        .flags = event->flags | (event->occurred_us != 0 ? DOCKET__EVENT_FLAG__FLAG_BACKDATED : 0),
        .actor = event->actor,
        .producer = producer + 1,
        .producer_number = ++h->producer_number[producer],
    };
    if (ticket != NULL) {
        envelope.previous = ticket->previous;
        envelope.subject_version = ++ticket->version;
        envelope.group = ticket->group != 0 ? h->group[ticket->group - 1].id : 0;
        ticket->previous = h->position;
    }
    DK_ASSERT(dk_event_encode(&h->records, &envelope, event->kind, event->body, NULL) == 0);
    uint8_t *record = h->records.data + at;
    dk_stamp_crc32c(record, dk_event_crc(record, h->records.size - at));
    h->now_us += BETWEEN_US;
}

/* ---------------------------------------------------------------- the stream */

struct dk_chronicle *dk_chronicle_new(const struct dk_chronicle_options *options)
{
    struct dk_chronicle *h = calloc(1, sizeof *h);
    DK_ASSERT(h != NULL && options->events >= DK_CHRONICLE_EVENTS_MIN);
    h->options = *options;
    h->random.state = options->seed;
    h->now_us = DK_CHRONICLE_START_US;
    h->gap_us = gap_of(options->events);
    h->customers = options->events / 100;
    h->customers = h->customers < CHRONICLE_COMPANIES   ? CHRONICLE_COMPANIES
                   : h->customers > CHRONICLE_CUSTOMERS ? CHRONICLE_CUSTOMERS
                                                        : h->customers;
    dk_buf_init(&h->records, RECORDS_MAX);
    make_words(h);
    dk_chronicle_people(h);
    dk_chronicle_put_down(h, NULL, ACT_ARRIVE, DK_CHRONICLE_START_US);
    return h;
}

void dk_chronicle_free(struct dk_chronicle **chronicle)
{
    struct dk_chronicle *h = *chronicle;
    if (h != NULL) {
        dk_buf_close(&h->records);
        free(h->ticket);
        free(h->free_slot);
        free(h->due);
        free(h);
        *chronicle = NULL;
    }
}

/* Definitions first; then whatever is due next, of a ticket that is still followed. */
static void advance(struct dk_chronicle *h)
{
    dk_buf_clear(&h->records);
    h->given = 0;
    while (h->records.size == 0) {
        if (h->defined != SIZE_MAX) {
            h->defined = dk_chronicle_define(h, h->defined) ? h->defined + 1 : SIZE_MAX;
            continue;
        }
        struct dk_chronicle_due due = take_due(h);
        h->now_us = due.at_us > h->now_us ? due.at_us : h->now_us;
        if (due.act == ACT_ARRIVE) {
            dk_chronicle_arrive(h);
        } else if (h->ticket[due.slot].id == due.ticket) {
            dk_chronicle_act(h, &h->ticket[due.slot], due.act);
        }
    }
}

/* The length of the record at the front: its body's length is a varint after the body's tag. */
static size_t record_bytes(const uint8_t *record, size_t room)
{
    size_t at = DK_ENVELOPE_BYTES + 2, bytes = 0;
    for (unsigned shift = 0;; shift += 7) {
        bytes |= (size_t)(record[at] & 0x7f) << shift;
        if ((record[at++] & 0x80) == 0) {
            break;
        }
    }
    DK_ASSERT(at + bytes <= room);
    return at + bytes;
}

const uint8_t *dk_chronicle_next(struct dk_chronicle *chronicle, size_t *bytes)
{
    if (chronicle->given == chronicle->records.size) {
        if (chronicle->position >= chronicle->options.events) {
            return NULL;
        }
        advance(chronicle);
    }
    const uint8_t *record = chronicle->records.data + chronicle->given;
    if (dk_event_load_position(record) > chronicle->options.events) {
        return NULL;
    }
    *bytes = record_bytes(record, chronicle->records.size - chronicle->given);
    chronicle->given += *bytes;
    return record;
}

uint64_t dk_chronicle_tickets(const struct dk_chronicle *chronicle)
{
    return chronicle->tickets;
}

int dk_chronicle_write(struct dk_log *log, const struct dk_chronicle_options *options,
                       struct dk_err *err)
{
    struct dk_chronicle *chronicle = dk_chronicle_new(options);
    struct dk_records records;
    const uint8_t *record = NULL;
    size_t bytes;
    int rc = 0;
    dk_records_init(&records);
    records.batch.first = 1;
    do {
        record = dk_chronicle_next(chronicle, &bytes);
        if (record != NULL) {
            DK_ASSERT(dk_records_add(&records, record, bytes) == 0);
        }
        if (records.batch.count == COMMIT_EVENTS || (record == NULL && records.batch.count > 0)) {
            uint64_t next = records.batch.first + records.batch.count;
            rc = dk_log_commit(log, &records.batch, err);
            dk_records_clear(&records);
            records.batch.first = next;
        }
    } while (rc == 0 && record != NULL);
    dk_records_close(&records);
    dk_chronicle_free(&chronicle);
    return rc;
}
