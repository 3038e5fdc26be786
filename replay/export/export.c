#include "replay/export/export.h"
#include "replay/history/scan.h"

const struct dk_format *const dk_formats[] = {&dk_format_csv, &dk_format_jsonl, &dk_format_sqlite,
                                              &dk_format_xes, &dk_format_ocel,  NULL};

const struct dk_format *dk_format_find(const char *word)
{
    size_t i = 0;
    while (dk_formats[i] != NULL && strcmp(dk_formats[i]->word, word) != 0) {
        i++;
    }
    return dk_formats[i];
}

struct run {
    const struct dk_export_options *options;
    struct dk_exporting with;
    void *state; /* the format's */
    uint64_t events;
};

static bool is_wanted(const struct dk_export_options *options, const uint8_t *record)
{
    uint32_t kind = dk_event_load_kind(record);
    int64_t occurred_us = (int64_t)dk_event_load_occurred_us(record);
    bool wanted = options->kind_count == 0;
    for (size_t i = 0; !wanted && i < options->kind_count; i++) {
        wanted = options->kind[i] == kind;
    }
    return wanted && dk_event_load_position(record) >= options->first &&
           occurred_us >= options->from_us && occurred_us < options->to_us &&
           (options->ticket == 0 || dk_event_load_subject(record) == options->ticket) &&
           (options->group == 0 || dk_event_load_group(record) == options->group) &&
           (!options->format->of_tickets || kind <= DK_KIND_TICKET_LAST);
}

static int on_record(void *arg, const uint8_t *record, size_t record_bytes)
{
    struct run *run = arg;
    int rc = dk_names_apply(run->with.names, record, record_bytes, run->with.err);
    if (rc != 0 || !is_wanted(run->options, record)) {
        return rc;
    }
    run->events++;
    return run->options->format->event(run->state, record, record_bytes);
}

static int check_group(const struct run *run)
{
    uint64_t group = run->options->group;
    return group == 0 || dk_refs_last(run->with.names->refs, group) != NULL
               ? 0
               : dk_err_set(run->with.err, DK_ENOTFOUND, "the log defines no such group");
}

static int on_progress(void *arg, uint64_t position)
{
    const struct run *run = arg;
    const struct dk_export_options *options = run->options;
    return options->on_progress != NULL ? options->on_progress(options->arg, position) : 0;
}

/* At the end, all of the log is read. */
static int on_check(void *arg)
{
    return on_progress(arg, ((const struct run *)arg)->options->last);
}

static int write_all(struct run *run, struct dk_past *past)
{
    const struct dk_format *format = run->options->format;
    struct dk_scan scan = {.from = 1,
                           .to = run->options->last,
                           .arg = run,
                           .on_record = on_record,
                           .on_progress = on_progress};
    int rc = format->begin(&run->with, &run->state);
    rc = rc != 0 ? rc : dk_scan_log(&scan, past->reader, run->with.err);
    rc = rc != 0 ? rc : check_group(run);
    return rc != 0 ? rc : format->end(run->state);
}

int dk_export_run(struct dk_past *past, const struct dk_export_options *options,
                  struct dk_export_summary *summary, struct dk_err *err)
{
    struct dk_sink sink;
    struct dk_names names;
    struct dk_arena arena;
    *summary = (struct dk_export_summary){0};
    if (dk_arena_init(&arena, DK_UNPACK_MAX_BYTES) != 0) {
        return dk_err_set(err, DK_ENOMEM, "no memory for an export");
    }
    int rc = dk_sink_open(&sink, options->out, err);
    if (rc != 0) {
        dk_arena_close(&arena);
        return rc;
    }
    struct run run = {.options = options, .with = {&sink, &names, &arena, err, NULL, on_check}};
    run.with.arg = &run;
    rc = dk_names_init(&names, err);
    rc = rc != 0 ? rc : write_all(&run, past);
    options->format->free(&run.state);
    rc = rc != 0 ? rc : dk_sink_finish(&sink, err);
    if (sink.rc != 0) {
        *err = sink.err;
    }
    *summary = (struct dk_export_summary){run.events, sink.bytes};
    dk_names_close(&names);
    dk_sink_close(&sink);
    dk_arena_close(&arena);
    return rc;
}
