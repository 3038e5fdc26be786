#include "replay/history/past.h"
#include "broker/log/lookups.h"
#include "replay/history/scan.h"
#include <string.h>

int dk_past_open(struct dk_past *past, const char *dir, struct dk_err *err)
{
    *past = (struct dk_past){0};
    int rc = dk_log_open(&past->log, dir, DK_LOG_READ, err);
    rc = rc != 0 ? rc : dk_log_reader_new(&past->reader, past->log, err);
    if (rc != 0) {
        dk_past_close(past);
    }
    return rc;
}

void dk_past_close(struct dk_past *past)
{
    dk_log_reader_free(&past->reader);
    dk_log_close(&past->log);
}

int dk_past_known(struct dk_past *past, int64_t known_us, uint64_t *position, struct dk_err *err)
{
    char first[DK_TIME_TEXT_BYTES] = "nothing";
    struct dk_records records;
    size_t bytes;
    int rc = dk_log_find_recorded(past->reader, known_us + 1, position, err);
    if (rc != 0 || --*position > 0) {
        return rc;
    }
    dk_records_init(&records);
    rc = dk_log_read(past->reader, 1, 1, &records, err);
    if (rc == 0 && records.batch.count > 0) {
        const uint8_t *record = dk_batch_record(&records.batch, 0, &bytes);
        (void)dk_time_format((int64_t)dk_event_load_recorded_us(record), 0, first);
    }
    dk_records_close(&records);
    return rc != 0 ? rc
                   : dk_err_set(err, DK_ENOTFOUND, "nothing was known then: the log begins with %s",
                                first);
}

/* ---------------------------------------------------------------------------- references */

struct search {
    const char *reference;
    size_t bytes;
    struct dk_arena arena;
    struct dk_bearers bearers;
};

static bool same(const struct search *search, const uint8_t *data, size_t bytes)
{
    return bytes == search->bytes && memcmp(data, search->reference, bytes) == 0;
}

static bool opened_as(struct search *search, const uint8_t *record, size_t bytes)
{
    struct dk_origin origin;
    if (dk_event_origin(record, bytes, &origin) == 1 && origin.case_key != NULL &&
        same(search, origin.case_key, origin.case_key_bytes)) {
        return true;
    }
    dk_arena_reset(&search->arena);
    const Docket__Opened *opened =
        (const void *)dk_body_unpack(&search->arena, record, bytes, NULL);
    return opened != NULL && opened->has_reference &&
           same(search, opened->reference.data, opened->reference.len);
}

static int look_at(void *arg, const uint8_t *record, size_t bytes)
{
    struct search *search = arg;
    if (dk_event_load_kind(record) == DK_KIND_OPENED && opened_as(search, record, bytes)) {
        dk_bearers_add(&search->bearers, dk_event_load_subject(record));
    }
    return 0;
}

/* Asks the look-ups, and says from where on the log holds what they do not know. */
static int ask_lookups(struct dk_past *past, struct search *search, uint64_t *from,
                       struct dk_err *err)
{
    struct dk_lookups *lookups = NULL;
    uint64_t position = 0;
    *from = 1;
    int rc = dk_lookups_open(&lookups, dk_log_dir(past->log), past->log, DK_LOG_READ, NULL);
    if (rc != 0) {
        return 0;
    }
    rc = dk_lookups_position(lookups, &position, err);
    *from = position + 1;
    rc = rc != 0
             ? rc
             : dk_lookups_find(lookups, search->reference, search->bytes, &search->bearers, err);
    dk_lookups_close(&lookups);
    return rc;
}

static int find_reference(struct dk_past *past, const char *reference, uint64_t *ticket,
                          struct dk_err *err)
{
    struct search search = {.reference = reference, .bytes = strlen(reference)};
    struct dk_scan scan = {.to = UINT64_MAX, .arg = &search, .on_record = look_at};
    if (search.bytes > DK_KEY_MAX_BYTES) {
        return dk_err_set(err, DK_EINVAL, "a reference has 1 to %d bytes", DK_KEY_MAX_BYTES);
    }
    int rc = ask_lookups(past, &search, &scan.from, err);
    if (rc == 0 && dk_arena_init(&search.arena, DK_UNPACK_MAX_BYTES) != 0) {
        rc = dk_err_set(err, DK_ENOMEM, "no memory to read the log");
    }
    rc = rc != 0 ? rc : dk_scan_log(&scan, past->reader, err);
    dk_arena_close(&search.arena);
    return rc != 0 ? rc : dk_bearers_only(&search.bearers, reference, search.bytes, ticket, err);
}

int dk_past_find(struct dk_past *past, const char *name, uint64_t *ticket, struct dk_err *err)
{
    return dk_ticket_parse(name, ticket, NULL) == 0 ? 0 : find_reference(past, name, ticket, err);
}

/* ---------------------------------------------------------------------------------- life */

#define SOURCES_MAX 4096

struct gathering {
    struct dk_past_ticket *read;
    struct dk_arena arena; /* an ImportStarted at a time */
    int (*on_progress)(void *arg, uint64_t position);
    void *arg;
    struct dk_err *err;
};

static int take_source(struct gathering *g, const uint8_t *record, size_t bytes)
{
    dk_arena_reset(&g->arena);
    const Docket__ImportStarted *started =
        (const void *)dk_body_unpack(&g->arena, record, bytes, g->err);
    char *name =
        started != NULL ? dk_map_put(&g->read->sources, dk_event_load_subject(record), NULL) : NULL;
    if (name != NULL && started->name.len <= DK_KEY_MAX_BYTES) {
        memcpy(name, started->name.data, started->name.len);
        name[started->name.len] = '\0';
    }
    return started != NULL ? 0 : g->err->code;
}

static int gather(void *arg, const uint8_t *record, size_t bytes)
{
    struct gathering *g = arg;
    uint32_t kind = dk_event_load_kind(record);
    if (dk_event_load_subject(record) == g->read->ticket) {
        return dk_life_add(&g->read->life, record, bytes, g->err);
    }
    if (kind <= DK_KIND_TICKET_LAST) {
        return 0;
    }
    int rc = kind == DK_KIND_IMPORT_STARTED ? take_source(g, record, bytes) : 0;
    return rc != 0 ? rc : dk_refs_apply(g->read->refs, record, bytes, g->err);
}

static int tell_progress(void *arg, uint64_t position)
{
    struct gathering *g = arg;
    return g->on_progress != NULL ? g->on_progress(g->arg, position) : 0;
}

static int read_log(struct dk_past *past, struct gathering *g)
{
    struct dk_past_ticket *read = g->read;
    struct dk_scan scan = {
        .from = 1, .to = UINT64_MAX, .arg = g, .on_record = gather, .on_progress = tell_progress};
    char name[DK_ID_TEXT_BYTES];
    int rc = dk_scan_log(&scan, past->reader, g->err);
    dk_life_sort(&read->life);
    if (rc == 0 && read->life.count == 0) {
        rc = dk_err_set(g->err, DK_ENOTFOUND, "there is no ticket %s",
                        dk_id_format(read->ticket, name));
    }
    return rc;
}

int dk_past_read(struct dk_past *past, const char *name, struct dk_past_ticket *read,
                 int (*on_progress)(void *arg, uint64_t position), void *arg, struct dk_err *err)
{
    struct gathering g = {.read = read, .on_progress = on_progress, .arg = arg, .err = err};
    *read = (struct dk_past_ticket){.past = past};
    dk_map_init(&read->sources, DK_KEY_MAX_BYTES + 1, SOURCES_MAX);
    int rc = dk_past_find(past, name, &read->ticket, err);
    rc = rc != 0 ? rc : dk_life_init(&read->life, err);
    rc = rc != 0 ? rc : dk_refs_new(&read->refs, err);
    if (rc == 0 && dk_arena_init(&g.arena, DK_UNPACK_MAX_BYTES) != 0) {
        rc = dk_err_set(err, DK_ENOMEM, "no memory to read the log");
    }
    rc = rc != 0 ? rc : read_log(past, &g);
    dk_arena_close(&g.arena);
    return rc;
}

void dk_past_ticket_close(struct dk_past_ticket *read)
{
    dk_life_close(&read->life);
    dk_refs_free(&read->refs);
    dk_map_close(&read->sources);
}
