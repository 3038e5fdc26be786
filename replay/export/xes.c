/* XES (IEEE 1849): a ticket is a trace, its events in the log's order. What came from XES goes back
 * as it came (docket.proto's SourceRow), in the place of all that the import made of it. */
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "proto/fold/ticket.h"
#include "replay/export/format.h"
#include "replay/export/traces.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BODY_MAX_BYTES ((size_t)8 << 20)

struct xes {
    struct dk_exporting *with;
    struct dk_traces *traces;
    struct dk_buf json;
    struct dk_slice
        opened;       /* of the trace at hand: its Opened, until it is known what it came from */
    uint32_t covered; /* the ordinal of the row that was written word for word, 0: none */
    uint64_t source;  /* and its source */
    bool begun;       /* the trace's own attributes are written */
};

static int begin_xes(struct dk_exporting *exporting, void **state)
{
    static const char head[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<log xes.version=\"1849-2016\" xmlns=\"http://www.xes-standard.org/\">\n"
        "  <extension name=\"Concept\" prefix=\"concept\" "
        "uri=\"http://www.xes-standard.org/concept.xesext\"/>\n"
        "  <extension name=\"Time\" prefix=\"time\" "
        "uri=\"http://www.xes-standard.org/time.xesext\"/>\n"
        "  <extension name=\"Organizational\" prefix=\"org\" "
        "uri=\"http://www.xes-standard.org/org.xesext\"/>\n"
        "  <extension name=\"Lifecycle\" prefix=\"lifecycle\" "
        "uri=\"http://www.xes-standard.org/lifecycle.xesext\"/>\n"
        "  <classifier name=\"Activity\" keys=\"concept:name\"/>\n";
    struct xes *xes = calloc(1, sizeof *xes);
    DK_ASSERT(xes != NULL);
    *state = xes;
    xes->with = exporting;
    dk_buf_init(&xes->json, BODY_MAX_BYTES);
    xes->traces = dk_traces_new();
    return dk_sink_put(exporting->sink, head, sizeof head - 1);
}

static int put_xes(void *state, const uint8_t *record, size_t record_bytes)
{
    struct xes *xes = state;
    return dk_traces_add(xes->traces, dk_event_load_subject(record), record, record_bytes,
                         xes->with->err);
}

/* --------------------------------------------------------------------------------- writing */

static void put(struct xes *xes, const char *word)
{
    (void)dk_sink_word(xes->with->sink, word); /* the sink keeps its first error */
}

/* XML 1.0 has no control characters but three: others become U+FFFD. */
static const char *escape_of(uint8_t c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\t': return "&#9;";
    case '\n': return "&#10;";
    case '\r': return "&#13;";
    default: return c < 0x20 ? "\xef\xbf\xbd" : NULL;
    }
}

static void put_escaped(struct xes *xes, const void *text, size_t bytes)
{
    const uint8_t *at = text;
    size_t plain = 0; /* where what needs no escape begins */
    for (size_t i = 0; i < bytes; i++) {
        const char *escape = escape_of(at[i]);
        if (escape != NULL) {
            (void)dk_sink_put(xes->with->sink, at + plain, i - plain);
            put(xes, escape);
            plain = i + 1;
        }
    }
    if (plain < bytes) {
        (void)dk_sink_put(xes->with->sink, at + plain, bytes - plain);
    }
}

static void put_indent(struct xes *xes, size_t depth)
{
    static const char blanks[] = "                                                                ";
    size_t bytes = 2 * depth < sizeof blanks - 1 ? 2 * depth : sizeof blanks - 1;
    (void)dk_sink_put(xes->with->sink, blanks, bytes);
}

/* <TYPE key="KEY" value="VALUE", and what closes it is the caller's. */
static void open_attribute(struct xes *xes, size_t indent, const char *type, struct dk_slice key,
                           struct dk_slice value, bool has_value)
{
    put_indent(xes, indent);
    put(xes, "<");
    put(xes, type);
    put(xes, " key=\"");
    put_escaped(xes, key.data, key.size);
    if (has_value) {
        put(xes, "\" value=\"");
        put_escaped(xes, value.data, value.size);
    }
    put(xes, "\"");
}

static void put_attribute(struct xes *xes, size_t indent, const char *type, const char *key,
                          const void *value, size_t bytes)
{
    open_attribute(xes, indent, type, (struct dk_slice){(const uint8_t *)key, strlen(key)},
                   (struct dk_slice){value, bytes}, true);
    put(xes, "/>\n");
}

static void put_text(struct xes *xes, size_t indent, const char *key, const char *value)
{
    if (value[0] != '\0') {
        put_attribute(xes, indent, "string", key, value, strlen(value));
    }
}

/* ------------------------------------------------------------------------ word for word */

static const char *type_word(Docket__SourceType type, char word[DK_WORD_BYTES])
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&docket__source_type__descriptor, (int)type);
    return value != NULL ? dk_enum_word(value, word) : "string";
}

static bool holds_values(const Docket__SourceAttribute *attribute)
{
    return attribute->type == DOCKET__SOURCE_TYPE__SOURCE_LIST;
}

/* Closes the attributes that are open, down to `depth`. */
static void close_to(struct xes *xes, const Docket__SourceAttribute *const *open, size_t *count,
                     size_t depth, size_t indent)
{
    char word[DK_WORD_BYTES];
    while (*count > depth) {
        const Docket__SourceAttribute *attribute = open[--*count];
        put_indent(xes, indent + *count);
        put(xes, holds_values(attribute) ? "</values></" : "</");
        put(xes, type_word(attribute->type, word));
        put(xes, ">\n");
    }
}

#define DEPTH_MAX 64 /* as the import's */

static void put_source_attributes(struct xes *xes, const Docket__SourceRow *row,
                                  Docket__SourceScope scope, size_t indent)
{
    const Docket__SourceAttribute *open[DEPTH_MAX];
    size_t open_count = 0;
    for (size_t i = 0; i < row->n_attribute; i++) {
        const Docket__SourceAttribute *a = row->attribute[i];
        const Docket__SourceAttribute *next =
            i + 1 < row->n_attribute ? row->attribute[i + 1] : NULL;
        bool composite = holds_values(a) || a->type == DOCKET__SOURCE_TYPE__SOURCE_CONTAINER;
        size_t depth = a->depth < open_count ? a->depth : open_count, bytes;
        char word[DK_WORD_BYTES];
        if (a->scope != scope) {
            continue;
        }
        const char *text = dk_text_plain(a->value, &bytes);
        close_to(xes, open, &open_count, depth, indent);
        open_attribute(xes, indent + depth, type_word(a->type, word),
                       (struct dk_slice){a->key.data, a->key.len},
                       (struct dk_slice){(const uint8_t *)text, bytes}, !composite);
        if (next == NULL || next->scope != scope || next->depth <= a->depth ||
            open_count == DEPTH_MAX) {
            put(xes, holds_values(a) ? "><values/></list>\n" : "/>\n");
        } else {
            put(xes, holds_values(a) ? "><values>\n" : ">\n");
            open[open_count++] = a;
        }
    }
    close_to(xes, open, &open_count, 0, indent);
}

/* ----------------------------------------------------------------------------- docket's own */

static void put_activity(struct xes *xes, uint32_t kind, const ProtobufCMessage *body)
{
    const struct dk_kind_info *info = dk_kind_info(kind);
    char word[DK_WORD_BYTES];
    const char *activity = info != NULL ? info->word : "unknown";
    if (kind == DK_KIND_STATUS_CHANGED && body != NULL) {
        const Docket__StatusChanged *changed = (const void *)body;
        (void)snprintf(word, sizeof word, "status %s",
                       dk_status_word((unsigned)changed->status, (unsigned)changed->pending));
        activity = word;
    }
    put_text(xes, 3, "concept:name", activity);
}

/* What docket itself knows, of an event that no XES said. */
static int put_own(struct xes *xes, const uint8_t *record, size_t bytes)
{
    struct dk_exporting *with = xes->with;
    uint32_t kind = dk_event_load_kind(record);
    const ProtobufCMessage *body = NULL;
    char text[DK_TIME_TEXT_BYTES];
    int rc = 0;
    dk_arena_reset(with->arena);
    dk_buf_clear(&xes->json);
    if (dk_body_descriptor(kind) != NULL) {
        body = dk_body_unpack(with->arena, record, bytes, with->err);
        rc = body != NULL ? dk_body_json(&xes->json, kind, body, with->err) : with->err->code;
    }
    if (rc != 0) {
        return rc;
    }
    put(xes, "    <event>\n");
    put_activity(xes, kind, body);
    put_text(xes, 3, "org:resource", dk_names_actor(with->names, dk_event_load_actor(record)));
    put_text(xes, 3, "org:group", dk_names_of(with->names, dk_event_load_group(record)));
    put_text(xes, 3, "lifecycle:transition", "complete");
    (void)dk_time_format((int64_t)dk_event_load_occurred_us(record), 0, text);
    put_attribute(xes, 3, "date", "time:timestamp", text, strlen(text));
    (void)snprintf(text, sizeof text, "%" PRIu64, dk_event_load_position(record));
    put_attribute(xes, 3, "int", "docket:position", text, strlen(text));
    if (xes->json.size > 0) {
        put_attribute(xes, 3, "string", "docket:body", xes->json.data, xes->json.size);
    }
    put(xes, "    </event>\n");
    return with->sink->rc;
}

/* The trace's attributes, and its Opened as an event, when no XES said either. */
static int begin_own(struct xes *xes, uint64_t ticket)
{
    char name[DK_ID_TEXT_BYTES];
    xes->begun = true;
    put_text(xes, 2, "concept:name", dk_id_format(ticket, name));
    struct dk_slice opened = xes->opened;
    xes->opened = (struct dk_slice){0};
    return opened.size > 0 ? put_own(xes, opened.data, opened.size) : xes->with->sink->rc;
}

/* ------------------------------------------------------------------------------------ traces */

static int put_row(struct xes *xes, const uint8_t *record, size_t bytes)
{
    dk_arena_reset(xes->with->arena);
    const Docket__SourceRow *row =
        (const void *)dk_body_unpack(xes->with->arena, record, bytes, xes->with->err);
    if (row == NULL) {
        return xes->with->err->code;
    }
    if (!xes->begun) {
        put_source_attributes(xes, row, DOCKET__SOURCE_SCOPE__SCOPE_CASE, 2);
        xes->begun = true;
        xes->opened = (struct dk_slice){0};
    }
    put(xes, "    <event>\n");
    put_source_attributes(xes, row, DOCKET__SOURCE_SCOPE__SCOPE_ROW, 3);
    put(xes, "    </event>\n");
    return xes->with->sink->rc;
}

/* An event of the trace; its record stays until the trace ends. */
static int put_event(struct xes *xes, uint64_t ticket, const uint8_t *record, size_t bytes)
{
    uint32_t kind = dk_event_load_kind(record);
    struct dk_origin origin = {0};
    bool imported = dk_event_origin(record, bytes, &origin) == 1;
    if (kind == DK_KIND_OPENED && imported) {
        xes->opened = (struct dk_slice){record, bytes};
        return 0;
    }
    if (kind == DK_KIND_SOURCE_ROW && imported) {
        xes->covered = origin.ordinal;
        xes->source = origin.source;
        return put_row(xes, record, bytes);
    }
    int rc = xes->begun ? 0 : begin_own(xes, ticket);
    bool covered = imported && origin.ordinal == xes->covered && origin.source == xes->source &&
                   kind != DK_KIND_ADOPTED;
    return rc != 0 || covered ? rc : put_own(xes, record, bytes);
}

static int put_trace(void *arg, uint64_t ticket, const struct dk_case_row *first)
{
    struct xes *xes = arg;
    int rc = xes->with->on_check(xes->with->arg);
    xes->begun = false;
    xes->covered = 0;
    xes->opened = (struct dk_slice){0};
    put(xes, "  <trace>\n");
    for (const struct dk_case_row *row = first; rc == 0 && row != NULL; row = row->next) {
        rc = put_event(xes, ticket, row->value[0].data, row->value[0].size);
    }
    rc = rc == 0 && !xes->begun ? begin_own(xes, ticket) : rc;
    put(xes, "  </trace>\n");
    return rc;
}

static int end_xes(void *state)
{
    struct xes *xes = state;
    int rc = dk_traces_each(xes->traces, put_trace, xes, xes->with->err);
    put(xes, "</log>\n");
    return rc != 0 ? rc : xes->with->sink->rc;
}

static void free_xes(void **state)
{
    struct xes *xes = *state;
    if (xes != NULL) {
        dk_traces_free(&xes->traces);
        dk_buf_close(&xes->json);
        free(xes);
        *state = NULL;
    }
}

const struct dk_format dk_format_xes = {
    .word = "xes",
    .about = "IEEE 1849: a ticket is a trace; what came from XES goes back as it came",
    .of_tickets = true,
    .begin = begin_xes,
    .event = put_xes,
    .end = end_xes,
    .free = free_xes,
};
