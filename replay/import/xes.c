#include "replay/import/xes.h"
#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "replay/import/gunzip.h"
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#define READ_BYTES     65536
#define SET_MAX_BYTES  ((size_t)1 << 20)
#define KEPT_MAX_BYTES (DK_RECORD_MAX_BYTES - 4096) /* its envelope and origin come on top */
#define CASE_PREFIX    "case:"

/* One attribute: offsets into its set's text, as that moves. */
struct attribute {
    size_t key, value;
    uint32_t key_bytes, value_bytes;
    uint32_t depth;
    Docket__SourceType type;
};

/* The attributes of an event, a trace or a <global>. */
struct set {
    size_t count;
    struct attribute attribute[DK_XES_ATTRIBUTES_MAX];
    struct dk_buf text; /* of each: its type, its key, its value, and a NUL between */
    struct dk_err why;  /* code 0, or why it cannot be taken */
};

enum element {
    LOG,
    TRACE,
    EVENT,
    GLOBAL,
    ATTRIBUTE,
    VALUES, /* of a list */
    OTHER   /* and all within it */
};

enum of { OF_EVENT, OF_TRACE, OF_EVERY_EVENT, OF_EVERY_TRACE, SETS };

struct dk_xes {
    const struct dk_mapping *mapping;
    struct dk_gunzip *gunzip;
    XML_Parser parser;
    uint64_t fed; /* bytes given to expat */
    bool last_fed, suspended;
    struct dk_err fatal; /* code 0, or what a handler ended the reading by */

    size_t depth;
    enum element within[DK_XES_DEPTH_MAX];
    enum of filled; /* which set attributes go to */
    uint32_t attribute_depth;
    struct set *set[SETS];
    uint64_t event_line, trace_line;
    uint64_t trace_events;

    bool ready;        /* a row, or one that stays out */
    struct dk_err out; /* code 0, or why it does */
    uint64_t out_line;
    struct dk_buf kept;
    Docket__SourceAttribute kept_attribute[2 * DK_XES_ATTRIBUTES_MAX];
    Docket__SourceAttribute *kept_pointer[2 * DK_XES_ATTRIBUTES_MAX];
    Docket__Text kept_text[2 * DK_XES_ATTRIBUTES_MAX];
};

/* --------------------------------------------------------------------------------- attributes */

static void clear(struct set *set)
{
    set->count = 0;
    dk_buf_clear(&set->text);
    set->why = (struct dk_err){0};
}

static void add(struct set *set, Docket__SourceType type, const char *key, const char *value,
                uint32_t depth)
{
    size_t key_bytes = strlen(key), value_bytes = strlen(value), from = set->text.size + 1;
    const char letter = (char)('0' + (int)type);
    if (set->why.code != 0) {
        return;
    }
    if (key_bytes == 0 || key_bytes > DK_KEY_MAX_BYTES) {
        (void)dk_err_set(&set->why, DK_EINVAL, "a key has %zu bytes: 1 to %d name an attribute",
                         key_bytes, DK_KEY_MAX_BYTES);
    } else if (value_bytes > DK_TEXT_MAX_BYTES) {
        (void)dk_err_set(&set->why, DK_ETOOBIG, "%s has %zu bytes: at most %d are taken", key,
                         value_bytes, DK_TEXT_MAX_BYTES);
    } else if (set->count == DK_XES_ATTRIBUTES_MAX || dk_buf_append(&set->text, &letter, 1) != 0 ||
               dk_buf_append(&set->text, key, key_bytes + 1) != 0 ||
               dk_buf_append(&set->text, value, value_bytes + 1) != 0) {
        (void)dk_err_set(&set->why, DK_ETOOBIG,
                         "more than %d attributes, or more than %zu bytes of them",
                         DK_XES_ATTRIBUTES_MAX, SET_MAX_BYTES);
    } else {
        set->attribute[set->count++] = (struct attribute){.key = from,
                                                          .key_bytes = (uint32_t)key_bytes,
                                                          .value = from + key_bytes + 1,
                                                          .value_bytes = (uint32_t)value_bytes,
                                                          .depth = depth,
                                                          .type = type};
    }
}

static struct dk_slice key_of(const struct set *set, const struct attribute *attribute)
{
    return (struct dk_slice){set->text.data + attribute->key, attribute->key_bytes};
}

static struct dk_slice value_of(const struct set *set, const struct attribute *attribute)
{
    return (struct dk_slice){set->text.data + attribute->value, attribute->value_bytes};
}

static const struct attribute *find(const struct set *set, struct dk_slice key)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct attribute *attribute = &set->attribute[i];
        if (attribute->depth == 0 && dk_slice_equal(key_of(set, attribute), key)) {
            return attribute;
        }
    }
    return NULL;
}

/* A column's value: the event's or the trace's own, else the log's for all of them. */
static struct dk_slice column_value(const struct dk_xes *xes, const char *name)
{
    bool of_trace = strncmp(name, CASE_PREFIX, strlen(CASE_PREFIX)) == 0;
    struct dk_slice key = dk_mapping_text(of_trace ? name + strlen(CASE_PREFIX) : name);
    const struct set *set = xes->set[of_trace ? OF_TRACE : OF_EVENT];
    const struct attribute *found = find(set, key);
    if (found == NULL) {
        set = xes->set[of_trace ? OF_EVERY_TRACE : OF_EVERY_EVENT];
        found = find(set, key);
    }
    return found != NULL ? value_of(set, found) : (struct dk_slice){0};
}

/* ------------------------------------------------------------------------------ what is kept */

static bool is_ignored(const struct dk_mapping *mapping, const char *prefix, struct dk_slice key)
{
    size_t bytes = strlen(prefix);
    const struct dk_yaml *list = dk_yaml_get(mapping->doc.root, "ignored");
    for (const struct dk_yaml *item = list != NULL ? list->child : NULL; item != NULL;
         item = item->next) {
        if (strncmp(item->text, prefix, bytes) == 0 &&
            dk_slice_equal(dk_mapping_text(item->text + bytes), key)) {
            return true;
        }
    }
    return false;
}

static void keep(struct dk_xes *xes, size_t at, const struct set *set,
                 const struct attribute *attribute, bool of_trace)
{
    Docket__SourceAttribute *kept = &xes->kept_attribute[at];
    Docket__Text *text = &xes->kept_text[at];
    struct dk_slice key = key_of(set, attribute), value = value_of(set, attribute);
    docket__source_attribute__init(kept);
    docket__text__init(text);
    kept->key = (ProtobufCBinaryData){key.size, (uint8_t *)(uintptr_t)key.data};
    kept->type = attribute->type;
    text->has_plain = 1;
    text->plain = (ProtobufCBinaryData){value.size, (uint8_t *)(uintptr_t)value.data};
    kept->value = value.size > 0 ? text : NULL;
    kept->has_scope = of_trace;
    kept->scope = DOCKET__SOURCE_SCOPE__SCOPE_CASE;
    kept->has_depth = attribute->depth > 0;
    kept->depth = attribute->depth;
    xes->kept_pointer[at] = kept;
}

static size_t keep_all(struct dk_xes *xes, size_t count, enum of of)
{
    const struct set *set = xes->set[of];
    bool ignored = false;
    for (size_t i = 0; i < set->count; i++) {
        const struct attribute *attribute = &set->attribute[i];
        ignored = attribute->depth > 0 ? ignored
                                       : is_ignored(xes->mapping, of == OF_TRACE ? CASE_PREFIX : "",
                                                    key_of(set, attribute));
        if (!ignored) {
            keep(xes, count++, set, attribute, of == OF_TRACE);
        }
    }
    return count;
}

/* The row's attributes, and on a trace's first row those of the trace before them, encoded. */
static int encode_kept(struct dk_xes *xes, struct dk_err *err)
{
    Docket__SourceRow row = DOCKET__SOURCE_ROW__INIT;
    size_t count = xes->trace_events == 1 ? keep_all(xes, 0, OF_TRACE) : 0;
    row.attribute = xes->kept_pointer;
    row.n_attribute = keep_all(xes, count, OF_EVENT);
    size_t bytes = docket__source_row__get_packed_size(&row);
    dk_buf_clear(&xes->kept);
    if (bytes > KEPT_MAX_BYTES) {
        return dk_err_set(err, DK_ETOOBIG, "its attributes take %zu bytes: at most %d are taken",
                          bytes, KEPT_MAX_BYTES);
    }
    uint8_t *at = dk_buf_extend(&xes->kept, bytes);
    DK_ASSERT(at != NULL || bytes == 0);
    return docket__source_row__pack(&row, at) == bytes ? 0 : DK_EINVAL;
}

/* ---------------------------------------------------------------------------------- elements */

static void give_up(struct dk_xes *xes, const char *why)
{
    (void)dk_err_set(&xes->fatal, DK_EIO, "line %llu: %s",
                     (unsigned long long)XML_GetCurrentLineNumber(xes->parser), why);
    (void)XML_StopParser(xes->parser, XML_FALSE);
}

/* Ends this call of dk_xes_next with a row, or with one that stays out. */
static void hand_out(struct dk_xes *xes, uint64_t line)
{
    xes->ready = true;
    xes->out_line = line;
    (void)XML_StopParser(xes->parser, XML_TRUE);
}

static Docket__SourceType type_of(const char *name)
{
    static const char *const words[] = {
        [DOCKET__SOURCE_TYPE__SOURCE_STRING] = "string",
        [DOCKET__SOURCE_TYPE__SOURCE_DATE] = "date",
        [DOCKET__SOURCE_TYPE__SOURCE_INT] = "int",
        [DOCKET__SOURCE_TYPE__SOURCE_FLOAT] = "float",
        [DOCKET__SOURCE_TYPE__SOURCE_BOOLEAN] = "boolean",
        [DOCKET__SOURCE_TYPE__SOURCE_ID] = "id",
        [DOCKET__SOURCE_TYPE__SOURCE_LIST] = "list",
        [DOCKET__SOURCE_TYPE__SOURCE_CONTAINER] = "container",
    };
    for (int i = 1; i < (int)(sizeof words / sizeof words[0]); i++) {
        if (strcmp(words[i], name) == 0) {
            return (Docket__SourceType)i;
        }
    }
    return DOCKET__SOURCE_TYPE__SOURCE_NONE;
}

static const char *xml_attribute(const char **attributes, const char *name)
{
    for (; *attributes != NULL; attributes += 2) {
        if (strcmp(attributes[0], name) == 0) {
            return attributes[1];
        }
    }
    return "";
}

static enum element enter_global(struct dk_xes *xes, const char **attributes)
{
    const char *scope = xml_attribute(attributes, "scope");
    bool of_trace = strcmp(scope, "trace") == 0;
    if (!of_trace && strcmp(scope, "event") != 0) {
        return OTHER;
    }
    xes->filled = of_trace ? OF_EVERY_TRACE : OF_EVERY_EVENT;
    clear(xes->set[xes->filled]);
    return GLOBAL;
}

static enum element enter_trace(struct dk_xes *xes)
{
    xes->filled = OF_TRACE;
    xes->trace_line = XML_GetCurrentLineNumber(xes->parser);
    xes->trace_events = 0;
    clear(xes->set[OF_TRACE]);
    return TRACE;
}

static enum element enter_event(struct dk_xes *xes)
{
    xes->filled = OF_EVENT;
    xes->event_line = XML_GetCurrentLineNumber(xes->parser);
    clear(xes->set[OF_EVENT]);
    return EVENT;
}

static enum element enter_attribute(struct dk_xes *xes, const char *name, const char **attributes)
{
    Docket__SourceType type = type_of(name);
    if (type == DOCKET__SOURCE_TYPE__SOURCE_NONE) {
        return OTHER;
    }
    if (xes->filled == OF_TRACE && xes->trace_events > 0) {
        give_up(xes, "an attribute of a trace stands behind its events");
        return OTHER;
    }
    add(xes->set[xes->filled], type, xml_attribute(attributes, "key"),
        xml_attribute(attributes, "value"), xes->attribute_depth++);
    return ATTRIBUTE;
}

static enum element enter(struct dk_xes *xes, const char *name, const char **attributes)
{
    if (xes->depth == 0) {
        if (strcmp(name, "log") != 0) {
            give_up(xes, "this is no XES: its first element is not <log>");
        }
        return LOG;
    }
    switch (xes->within[xes->depth - 1]) {
    case LOG:
        return strcmp(name, "trace") == 0    ? enter_trace(xes)
               : strcmp(name, "global") == 0 ? enter_global(xes, attributes)
                                             : OTHER;
    case TRACE:
        return strcmp(name, "event") == 0 ? enter_event(xes)
                                          : enter_attribute(xes, name, attributes);
    case ATTRIBUTE:
        return strcmp(name, "values") == 0 ? VALUES : enter_attribute(xes, name, attributes);
    case EVENT:
    case GLOBAL:
    case VALUES: return enter_attribute(xes, name, attributes);
    case OTHER: break;
    }
    return OTHER;
}

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon != NULL ? colon + 1 : name;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
    struct dk_xes *xes = arg;
    if (xes->depth == DK_XES_DEPTH_MAX) {
        give_up(xes, "elements stand too deep in each other");
        return;
    }
    enum element element = enter(xes, local_name(name), attributes);
    bool lost = element == OTHER && xes->depth == 1 && strcmp(local_name(name), "event") == 0;
    xes->within[xes->depth++] = element;
    if (lost) {
        (void)dk_err_set(&xes->out, DK_EINVAL, "an event outside of a trace");
        hand_out(xes, XML_GetCurrentLineNumber(xes->parser));
    }
}

static void leave_event(struct dk_xes *xes)
{
    xes->trace_events++;
    const struct set *event = xes->set[OF_EVENT], *trace = xes->set[OF_TRACE];
    xes->out = event->why.code != 0 ? event->why : trace->why;
    if (trace->why.code != 0 && event->why.code == 0) {
        (void)dk_err_wrap(&xes->out, "its trace");
    }
    if (xes->out.code == 0) {
        (void)encode_kept(xes, &xes->out);
    }
    xes->filled = OF_TRACE;
    hand_out(xes, xes->event_line);
}

static void on_end(void *arg, const char *name)
{
    struct dk_xes *xes = arg;
    (void)name;
    switch (xes->within[--xes->depth]) {
    case ATTRIBUTE: xes->attribute_depth--; break;
    case EVENT: leave_event(xes); break;
    case TRACE:
        if (xes->trace_events == 0) {
            (void)dk_err_set(&xes->out, DK_EINVAL, "a trace without events");
            hand_out(xes, xes->trace_line);
        }
        break;
    case LOG:
    case GLOBAL:
    case VALUES:
    case OTHER: break;
    }
}

/* No XES has one; it could define entities that grow without end. */
static void on_doctype(void *arg, const char *name, const char *system, const char *public_id,
                       int has_internal_subset)
{
    (void)name;
    (void)system;
    (void)public_id;
    (void)has_internal_subset;
    give_up(arg, "a document type (<!DOCTYPE ...>) is not taken");
}

/* --------------------------------------------------------------------------------- reading */

static int fail(struct dk_xes *xes, struct dk_err *err)
{
    enum XML_Error code = XML_GetErrorCode(xes->parser);
    bool early = code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN;
    if (xes->fatal.code == 0) {
        (void)dk_err_set(&xes->fatal, DK_EIO, "line %llu: %s%s",
                         (unsigned long long)XML_GetCurrentLineNumber(xes->parser),
                         XML_ErrorString(code), early ? ": the file ends before its log does" : "");
    }
    *err = xes->fatal;
    return err->code;
}

/* Gives expat more of the file, whose tags are not larger than they may be. */
static enum XML_Status feed(struct dk_xes *xes, struct dk_err *err)
{
    XML_Index at = XML_GetCurrentByteIndex(xes->parser);
    if (at >= 0 && xes->fed - (uint64_t)at > DK_XES_TAG_MAX_BYTES) {
        give_up(xes, "a tag of more than 4 MiB");
        return XML_STATUS_ERROR;
    }
    void *buffer = XML_GetBuffer(xes->parser, READ_BYTES);
    if (buffer == NULL) {
        xes->fatal = (struct dk_err){0};
        (void)dk_err_set(&xes->fatal, DK_ENOMEM, "no memory to read XML");
        return XML_STATUS_ERROR;
    }
    ssize_t n = dk_gunzip_read(xes->gunzip, buffer, READ_BYTES, err);
    if (n < 0) {
        xes->fatal = *err;
        return XML_STATUS_ERROR;
    }
    xes->fed += (uint64_t)n;
    xes->last_fed = n == 0;
    return XML_ParseBuffer(xes->parser, (int)n, n == 0);
}

/* Reads on until a row is ready. 1, 0 at the end, or an error. */
static int advance(struct dk_xes *xes, struct dk_err *err)
{
    xes->ready = false;
    xes->out = (struct dk_err){0};
    while (!xes->ready) {
        if (xes->fatal.code != 0) {
            return fail(xes, err);
        }
        if (xes->last_fed && !xes->suspended) {
            return 0;
        }
        enum XML_Status status = xes->suspended ? XML_ResumeParser(xes->parser) : feed(xes, err);
        xes->suspended = status == XML_STATUS_SUSPENDED;
        if (status == XML_STATUS_ERROR) {
            return fail(xes, err);
        }
    }
    return 1;
}

int dk_xes_next(struct dk_xes *xes, struct dk_xes_row *row, struct dk_err *err)
{
    int rc = advance(xes, err);
    row->line = xes->out_line;
    row->bytes = dk_gunzip_bytes(xes->gunzip);
    if (rc != 1 || xes->out.code != 0) {
        *err = rc == 1 ? xes->out : *err;
        return rc == 1 ? xes->out.code : rc;
    }
    const struct set *event = xes->set[OF_EVENT];
    row->raw = (struct dk_slice){event->text.data, event->text.size};
    row->kept = (struct dk_slice){xes->kept.data, xes->kept.size};
    for (size_t i = 0; i < xes->mapping->column_count; i++) {
        row->value[i] = column_value(xes, xes->mapping->column[i]);
    }
    return 1;
}

int dk_xes_new(struct dk_xes **xes, const struct dk_mapping *mapping,
               ssize_t (*read)(void *arg, void *data, size_t bytes), void *arg, struct dk_err *err)
{
    struct dk_xes *x = calloc(1, sizeof *x);
    if (x == NULL) {
        return dk_err_set(err, DK_ENOMEM, "no memory for a reader of XES");
    }
    x->mapping = mapping;
    dk_buf_init(&x->kept, KEPT_MAX_BYTES);
    for (int i = 0; i < SETS; i++) {
        x->set[i] = calloc(1, sizeof *x->set[i]);
        DK_ASSERT(x->set[i] != NULL);
        dk_buf_init(&x->set[i]->text, SET_MAX_BYTES);
    }
    *xes = x;
    x->parser = XML_ParserCreate(NULL);
    DK_ASSERT(x->parser != NULL);
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    int rc = dk_gunzip_new(&x->gunzip, read, arg, err);
    if (rc != 0) {
        dk_xes_free(xes);
    }
    return rc;
}

void dk_xes_free(struct dk_xes **xes)
{
    struct dk_xes *x = *xes;
    if (x == NULL) {
        return;
    }
    for (int i = 0; i < SETS; i++) {
        dk_buf_close(&x->set[i]->text);
        free(x->set[i]);
    }
    XML_ParserFree(x->parser);
    dk_gunzip_free(&x->gunzip);
    dk_buf_close(&x->kept);
    free(x);
    *xes = NULL;
}
