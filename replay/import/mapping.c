#include "replay/import/mapping.h"

#include "proto/base/id.h"
#include "proto/base/limits.h"
#include "replay/import/mapping_internal.h"
#include <sodium.h>
#include <stdlib.h>

#define SOURCE_MAX_BYTES (DK_KEY_MAX_BYTES - sizeof "import/")

const char *dk_worded_key(enum dk_worded which)
{
    static const char *const keys[DK_WORDED_COUNT] = {"channel", "type",    "priority",
                                                      "impact",  "urgency", "status"};
    return keys[which];
}

/* --------------------------------------------------------------------------------- columns */

static int add_column(struct dk_mapping *mapping, const struct dk_yaml *node, const char *name,
                      int *slot, struct dk_err *err)
{
    for (size_t i = 0; i < mapping->column_count; i++) {
        if (strcmp(mapping->column[i], name) == 0) {
            *slot = (int)i;
            return 0;
        }
    }
    if (mapping->column_count == DK_MAPPING_COLUMNS_MAX) {
        return dk_yaml_error(&mapping->doc, node, err, "more than %d columns are named",
                             DK_MAPPING_COLUMNS_MAX);
    }
    *slot = (int)mapping->column_count;
    mapping->column[mapping->column_count] = name;
    mapping->column_line[mapping->column_count++] = node->line;
    return 0;
}

int dk_mapping_column(struct dk_mapping *mapping, const struct dk_yaml *node, int *slot,
                      struct dk_err *err)
{
    const char *name = NULL;
    *slot = DK_NO_SLOT;
    int rc = dk_yaml_string(&mapping->doc, node, &name, err);
    return rc == 0 && name != NULL ? add_column(mapping, node, name, slot, err) : rc;
}

int dk_mapping_key_column(struct dk_mapping *mapping, const struct dk_yaml *node, int *slot,
                          struct dk_err *err)
{
    return add_column(mapping, node, node->key, slot, err);
}

/* A list of columns, or one. */
static int read_columns(struct dk_mapping *mapping, const struct dk_yaml *node, size_t max,
                        int *slot, size_t *count, struct dk_err *err)
{
    if (node == NULL) {
        return 0;
    }
    bool list = node->type == DK_YAML_LIST;
    if (list && (node->count == 0 || node->count > max)) {
        return dk_yaml_error(&mapping->doc, node, err, "%s must be 1 to %zu columns", node->key,
                             max);
    }
    const struct dk_yaml *item = list ? node->child : node;
    int rc = 0;
    do {
        rc = dk_mapping_column(mapping, item, &slot[(*count)++], err);
        item = list ? item->next : NULL;
    } while (rc == 0 && item != NULL);
    return rc;
}

/* ----------------------------------------------------------------------------------- parts */

static int required(struct dk_mapping *mapping, const char *key, struct dk_err *err)
{
    return dk_yaml_get(mapping->doc.root, key) != NULL
               ? 0
               : dk_yaml_error(&mapping->doc, mapping->doc.root, err, "it lacks \"%s\"", key);
}

static int read_source(struct dk_mapping *mapping, struct dk_err *err)
{
    const struct dk_yaml *node = dk_yaml_get(mapping->doc.root, "source");
    int rc = required(mapping, "source", err);
    rc = rc != 0 ? rc : dk_yaml_string(&mapping->doc, node, &mapping->source, err);
    if (rc != 0) {
        return rc;
    }
    size_t bytes = strlen(mapping->source);
    if (bytes == 0 || bytes > SOURCE_MAX_BYTES) {
        return dk_yaml_error(&mapping->doc, node, err, "source must have 1 to %zu bytes",
                             SOURCE_MAX_BYTES);
    }
    mapping->source_id = dk_id_of_key(DK_SUBJECT_SOURCE, mapping->source, bytes, NULL);
    return 0;
}

static int read_form(struct dk_mapping *mapping, struct dk_err *err)
{
    static const char *const shapes[] = {"snapshots", "activities", NULL};
    static const char *const cases[] = {"together", "scattered", NULL};
    static const char *const formats[] = {"csv", "xes", NULL};
    const struct dk_yaml *root = mapping->doc.root;
    const struct dk_yaml *separator = dk_yaml_get(root, "separator");
    const char *text = ",";
    int shape = 0, scattered = 0, format = 0;
    int rc = required(mapping, "shape", err);
    rc =
        rc != 0 ? rc : dk_yaml_word(&mapping->doc, dk_yaml_get(root, "shape"), shapes, &shape, err);
    rc = rc != 0 ? rc
                 : dk_yaml_word(&mapping->doc, dk_yaml_get(root, "cases"), cases, &scattered, err);
    rc = rc != 0 ? rc
                 : dk_yaml_word(&mapping->doc, dk_yaml_get(root, "format"), formats, &format, err);
    rc = rc != 0 ? rc : dk_yaml_string(&mapping->doc, separator, &text, err);
    if (rc == 0 && (text[0] == '\0' || text[1] != '\0' || strchr("\"\r\n", text[0]) != NULL)) {
        rc = dk_yaml_error(&mapping->doc, separator, err,
                           "separator must be one character, and no quote or newline");
    }
    mapping->activities_shape = shape == 1;
    mapping->scattered = scattered == 1;
    mapping->xes = format == 1;
    mapping->separator = text[0];
    return rc;
}

static int read_missing(struct dk_mapping *mapping, struct dk_err *err)
{
    const struct dk_yaml *list = dk_yaml_get(mapping->doc.root, "missing");
    if (list == NULL) {
        return 0;
    }
    if (list->type != DK_YAML_LIST || list->count > DK_MAPPING_MISSING_MAX) {
        return dk_yaml_error(&mapping->doc, list, err, "missing must be a list of up to %d marks",
                             DK_MAPPING_MISSING_MAX);
    }
    for (const struct dk_yaml *item = list->child; item != NULL; item = item->next) {
        const char *mark = "";
        int rc = dk_yaml_string(&mapping->doc, item, &mark, err);
        if (rc != 0) {
            return rc;
        }
        mapping->missing[mapping->missing_count++] = dk_mapping_text(mark);
    }
    return 0;
}

static int read_times(struct dk_mapping *mapping, struct dk_err *err)
{
    static const char *const keys[] = {"format", "zone", NULL};
    const struct dk_yaml *times = dk_yaml_get(mapping->doc.root, "times");
    const char *zone = "UTC", *format = "iso";
    struct dk_err why;
    int rc = times != NULL ? dk_yaml_only(&mapping->doc, times, keys, err) : 0;
    rc = rc != 0 ? rc : dk_yaml_string(&mapping->doc, dk_yaml_get(times, "zone"), &zone, err);
    rc = rc != 0 ? rc : dk_yaml_string(&mapping->doc, dk_yaml_get(times, "format"), &format, err);
    if (rc != 0) {
        return rc;
    }
    if (dk_time_format_check(format, &why) != 0) {
        return dk_yaml_error(&mapping->doc, dk_yaml_get(times, "format"), err, "format: %s",
                             why.message);
    }
    if (dk_zone_load(&mapping->zone, zone, &why) != 0) {
        return dk_yaml_error(&mapping->doc, dk_yaml_get(times, "zone"), err, "zone: %s",
                             why.message);
    }
    mapping->time = (struct dk_time_format){.pattern = format, .zone = mapping->zone};
    return 0;
}

/* opened and changed: when, and by whom. */
static int read_moment(struct dk_mapping *mapping, const char *key, int *at, int *by,
                       struct dk_err *err)
{
    static const char *const keys[] = {"at", "by", NULL};
    const struct dk_yaml *node = dk_yaml_get(mapping->doc.root, key);
    *at = *by = DK_NO_SLOT;
    int rc = node != NULL ? dk_yaml_only(&mapping->doc, node, keys, err) : 0;
    rc = rc != 0 ? rc : dk_mapping_column(mapping, dk_yaml_get(node, "at"), at, err);
    rc = rc != 0 ? rc : dk_mapping_column(mapping, dk_yaml_get(node, "by"), by, err);
    return rc;
}

static int read_moments(struct dk_mapping *mapping, struct dk_err *err)
{
    int rc = required(mapping, "changed", err);
    rc = rc != 0 ? rc
                 : read_moment(mapping, "changed", &mapping->changed_at, &mapping->changed_by, err);
    if (rc == 0 && mapping->changed_at == DK_NO_SLOT) {
        rc = dk_yaml_error(&mapping->doc, dk_yaml_get(mapping->doc.root, "changed"), err,
                           "changed lacks \"at\", the column with each row's time");
    }
    return rc != 0 ? rc
                   : read_moment(mapping, "opened", &mapping->opened_at, &mapping->opened_by, err);
}

static int read_subject(struct dk_mapping *mapping, struct dk_err *err)
{
    const struct dk_yaml *root = mapping->doc.root;
    int rc = required(mapping, "case", err);
    rc = rc != 0 ? rc
                 : dk_mapping_column(mapping, dk_yaml_get(root, "case"), &mapping->case_key, err);
    rc = rc != 0 ? rc
                 : read_columns(mapping, dk_yaml_get(root, "order"), DK_MAPPING_ORDER_MAX,
                                mapping->order, &mapping->order_count, err);
    return rc;
}

static int read_state(struct dk_mapping *mapping, struct dk_err *err)
{
    const struct dk_yaml *root = mapping->doc.root;
    int rc = dk_mapping_column(mapping, dk_yaml_get(root, "customer"), &mapping->customer, err);
    rc =
        rc != 0 ? rc : dk_mapping_column(mapping, dk_yaml_get(root, "group"), &mapping->group, err);
    rc = rc != 0
             ? rc
             : dk_mapping_column(mapping, dk_yaml_get(root, "assignee"), &mapping->assignee, err);
    rc = rc != 0 ? rc
                 : read_columns(mapping, dk_yaml_get(root, "product"), DK_MAPPING_LEVELS_MAX,
                                mapping->level, &mapping->level_count, err);
    for (int i = 0; rc == 0 && i < DK_WORDED_COUNT; i++) {
        rc = dk_mapping_read_worded(mapping, (enum dk_worded)i,
                                    dk_yaml_get(root, dk_worded_key((enum dk_worded)i)), err);
    }
    rc = rc != 0 ? rc : dk_mapping_read_final(mapping, dk_yaml_get(root, "final"), err);
    return rc != 0 ? rc : dk_mapping_read_attributes(mapping, dk_yaml_get(root, "attributes"), err);
}

static int check_ignored(struct dk_mapping *mapping, struct dk_err *err)
{
    const struct dk_yaml *list = dk_yaml_get(mapping->doc.root, "ignored");
    if (list == NULL) {
        return 0;
    }
    if (list->type != DK_YAML_LIST) {
        return dk_yaml_error(&mapping->doc, list, err, "ignored must be a list of columns");
    }
    for (const struct dk_yaml *item = list->child; item != NULL; item = item->next) {
        const char *name = "";
        int rc = dk_yaml_string(&mapping->doc, item, &name, err);
        if (rc != 0) {
            return rc;
        }
        for (size_t i = 0; i < mapping->column_count; i++) {
            if (strcmp(mapping->column[i], name) == 0) {
                return dk_yaml_error(&mapping->doc, item, err,
                                     "column \"%s\" is ignored here and used on line %d", name,
                                     mapping->column_line[i]);
            }
        }
    }
    return 0;
}

/* -------------------------------------------------------------------------------- the whole */

static void hash_text(crypto_hash_sha256_state *state, const char *text)
{
    if (text != NULL) {
        (void)crypto_hash_sha256_update(state, (const uint8_t *)text, strlen(text));
    }
    (void)crypto_hash_sha256_update(state, (const uint8_t *)"", 1);
}

/* Over every node's type, key and text, in order, and where maps and lists end. */
static void hash_document(struct dk_mapping *mapping)
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    const struct dk_yaml *node = mapping->doc.root;
    while (node != NULL) {
        uint8_t type = (uint8_t)node->type;
        (void)crypto_hash_sha256_update(&state, &type, 1);
        hash_text(&state, node->key);
        hash_text(&state, node->text);
        if (node->child != NULL) {
            node = node->child;
            continue;
        }
        while (node != NULL && node->next == NULL) {
            hash_text(&state, "end");
            node = node->parent;
        }
        node = node != NULL ? node->next : NULL;
    }
    (void)crypto_hash_sha256_final(&state, mapping->sha256);
}

static int read_all(struct dk_mapping *mapping, struct dk_err *err)
{
    static const char *const keys[] = {
        "source",  "shape",      "case",       "cases",    "order",  "separator", "missing",
        "times",   "opened",     "changed",    "customer", "group",  "assignee",  "product",
        "channel", "type",       "status",     "priority", "impact", "urgency",   "final",
        "ignored", "activities", "attributes", "format",   NULL};
    int rc = dk_yaml_only(&mapping->doc, mapping->doc.root, keys, err);
    rc = rc != 0 ? rc : read_source(mapping, err);
    rc = rc != 0 ? rc : read_form(mapping, err);
    rc = rc != 0 ? rc : read_missing(mapping, err);
    rc = rc != 0 ? rc : read_times(mapping, err);
    rc = rc != 0 ? rc : read_subject(mapping, err);
    rc = rc != 0 ? rc : read_moments(mapping, err);
    rc = rc != 0 ? rc : read_state(mapping, err);
    rc = rc != 0 ? rc
                 : dk_mapping_read_activities(mapping, dk_yaml_get(mapping->doc.root, "activities"),
                                              err);
    return rc != 0 ? rc : check_ignored(mapping, err);
}

/* Takes the document over. */
static int read_document(struct dk_mapping *mapping, const struct dk_yaml_doc *doc,
                         struct dk_err *err)
{
    memset(mapping, 0, sizeof *mapping);
    mapping->doc = *doc;
    int rc = read_all(mapping, err);
    if (rc != 0) {
        dk_mapping_close(mapping);
        return rc;
    }
    hash_document(mapping);
    return 0;
}

int dk_mapping_load(struct dk_mapping *mapping, const char *path, struct dk_err *err)
{
    struct dk_yaml_doc doc;
    int rc = dk_yaml_load(&doc, path, err);
    return rc != 0 ? rc : read_document(mapping, &doc, err);
}

int dk_mapping_parse(struct dk_mapping *mapping, const char *name, const char *text, size_t bytes,
                     struct dk_err *err)
{
    struct dk_yaml_doc doc;
    int rc = dk_yaml_parse(&doc, name, text, bytes, err);
    return rc != 0 ? rc : read_document(mapping, &doc, err);
}

void dk_mapping_close(struct dk_mapping *mapping)
{
    for (int i = 0; i < DK_WORDED_COUNT; i++) {
        free(mapping->worded[i].word);
    }
    dk_zone_free(&mapping->zone);
    dk_yaml_close(&mapping->doc);
    memset(mapping, 0, sizeof *mapping);
}

/* -------------------------------------------------------------------------------- with a file */

static bool names(struct dk_slice field, const char *name)
{
    return dk_slice_equal(field, dk_mapping_text(name));
}

int dk_mapping_bind(const struct dk_mapping *mapping, const struct dk_csv_row *header,
                    size_t position[DK_MAPPING_COLUMNS_MAX], struct dk_err *err)
{
    for (size_t i = 0; i < mapping->column_count; i++) {
        size_t found = 0;
        for (size_t at = 0; at < header->count; at++) {
            if (names(header->field[at], mapping->column[i])) {
                position[i] = at;
                found++;
            }
        }
        if (found != 1) {
            return dk_err_set(err, DK_EINVAL, "%s:%d: the file has %s column \"%s\"",
                              mapping->doc.name, mapping->column_line[i],
                              found == 0 ? "no" : "more than one", mapping->column[i]);
        }
    }
    return 0;
}

static bool is_mentioned(const struct dk_mapping *mapping, struct dk_slice field)
{
    for (size_t i = 0; i < mapping->column_count; i++) {
        if (names(field, mapping->column[i])) {
            return true;
        }
    }
    const struct dk_yaml *ignored = dk_yaml_get(mapping->doc.root, "ignored");
    const struct dk_yaml *item = ignored != NULL ? ignored->child : NULL;
    while (item != NULL && !names(field, item->text)) {
        item = item->next;
    }
    return item != NULL;
}

size_t dk_mapping_unmentioned(const struct dk_mapping *mapping, const struct dk_csv_row *header,
                              struct dk_buf *names_out)
{
    size_t count = 0;
    for (size_t i = 0; i < header->count; i++) {
        if (!is_mentioned(mapping, header->field[i])) {
            (void)dk_buf_printf(names_out, "%s%.*s", count++ > 0 ? ", " : "",
                                (int)header->field[i].size, (const char *)header->field[i].data);
        }
    }
    return count;
}

struct dk_slice dk_mapping_known(const struct dk_mapping *mapping, struct dk_slice value)
{
    for (size_t i = 0; i < mapping->missing_count; i++) {
        if (dk_slice_equal(value, mapping->missing[i])) {
            return (struct dk_slice){0};
        }
    }
    return value;
}
