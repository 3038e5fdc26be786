#include "docket.pb-c.h"
#include "replay/import/mapping_internal.h"
#include <stdlib.h>

/* ------------------------------------------------------------------------- columns with words */

/* Words of docket; the index is the enum's value. */
static const char *const channels[] = {"none", "email",     "phone",  "web",
                                       "chat", "messenger", "social", "review",
                                       "api",  "on-behalf", NULL};
static const char *const types[] = {"none",    "incident", "request",   "question",
                                    "problem", "change",   "complaint", NULL};
static const char *const priorities[] = {"none", "critical", "high", "normal", "low", NULL};
static const char *const grades[] = {"none", "high", "medium", "low", NULL};
static const char *const statuses[] = {
    "new",    "open",   "pending", "pending customer", "pending supplier", "pending internal",
    "solved", "closed", NULL};

static const char *const *const words_of[DK_WORDED_COUNT] = {
    [DK_WORDED_CHANNEL] = channels, [DK_WORDED_TYPE] = types,     [DK_WORDED_PRIORITY] = priorities,
    [DK_WORDED_IMPACT] = grades,    [DK_WORDED_URGENCY] = grades, [DK_WORDED_STATUS] = statuses,
};

/* The status and what it waits for, by the index in `statuses`. */
static const struct {
    int status;
    int pending;
} status_values[] = {
    {DOCKET__STATUS__STATUS_NEW, 0},
    {DOCKET__STATUS__STATUS_OPEN, 0},
    {DOCKET__STATUS__STATUS_PENDING, DOCKET__PENDING__PENDING_NONE},
    {DOCKET__STATUS__STATUS_PENDING, DOCKET__PENDING__PENDING_CUSTOMER},
    {DOCKET__STATUS__STATUS_PENDING, DOCKET__PENDING__PENDING_SUPPLIER},
    {DOCKET__STATUS__STATUS_PENDING, DOCKET__PENDING__PENDING_INTERNAL},
    {DOCKET__STATUS__STATUS_SOLVED, 0},
    {DOCKET__STATUS__STATUS_CLOSED, 0},
};

const struct dk_word *dk_words_find(const struct dk_words *words, struct dk_slice text)
{
    for (size_t i = 0; i < words->count; i++) {
        if (dk_slice_equal(words->word[i].text, text)) {
            return &words->word[i];
        }
    }
    return NULL;
}

static int read_word(struct dk_mapping *mapping, enum dk_worded which, const struct dk_yaml *node,
                     struct dk_word *word, struct dk_err *err)
{
    int value = 0;
    int rc = dk_yaml_word(&mapping->doc, node, words_of[which], &value, err);
    word->text = dk_mapping_text(node->key);
    if (which == DK_WORDED_STATUS) {
        word->status = status_values[value].status;
        value = status_values[value].pending;
    }
    word->value = value;
    return rc;
}

int dk_mapping_read_worded(struct dk_mapping *mapping, enum dk_worded which,
                           const struct dk_yaml *node, struct dk_err *err)
{
    static const char *const keys[] = {"column", "words", NULL};
    struct dk_words *words = &mapping->worded[which];
    const struct dk_yaml *column = dk_yaml_get(node, "column");
    const struct dk_yaml *map = dk_yaml_get(node, "words");
    words->slot = DK_NO_SLOT;
    if (node == NULL) {
        return 0;
    }
    int rc = dk_yaml_only(&mapping->doc, node, keys, err);
    if (rc == 0 && (column == NULL || map == NULL || map->type != DK_YAML_MAP || map->count == 0)) {
        rc = dk_yaml_error(&mapping->doc, node, err,
                           "%s needs \"column\", and \"words\": what each of its values is here",
                           node->key);
    }
    rc = rc != 0 ? rc : dk_mapping_column(mapping, column, &words->slot, err);
    if (rc != 0) {
        return rc;
    }
    words->word = calloc(map->count, sizeof *words->word);
    DK_ASSERT(words->word != NULL);
    for (const struct dk_yaml *item = map->child; rc == 0 && item != NULL; item = item->next) {
        rc = read_word(mapping, which, item, &words->word[words->count++], err);
    }
    return rc;
}

/* --------------------------------------------------------------------------- final, attributes */

static int read_final(struct dk_mapping *mapping, const struct dk_yaml *node,
                      struct dk_final *final, struct dk_err *err)
{
    static const char *const keys[] = {"at", "by", "code", NULL};
    *final = (struct dk_final){.given = node != NULL, .at = DK_NO_SLOT};
    int rc = node != NULL ? dk_yaml_only(&mapping->doc, node, keys, err) : 0;
    rc = rc != 0 ? rc : dk_mapping_column(mapping, dk_yaml_get(node, "at"), &final->at, err);
    rc = rc != 0 ? rc : dk_mapping_column(mapping, dk_yaml_get(node, "by"), &final->by, err);
    return rc != 0 ? rc : dk_mapping_column(mapping, dk_yaml_get(node, "code"), &final->code, err);
}

int dk_mapping_read_final(struct dk_mapping *mapping, const struct dk_yaml *node,
                          struct dk_err *err)
{
    static const char *const keys[] = {"solved", "closed", NULL};
    int rc = node != NULL ? dk_yaml_only(&mapping->doc, node, keys, err) : 0;
    rc = rc != 0 ? rc
                 : read_final(mapping, dk_yaml_get(node, "solved"), &mapping->final_solved, err);
    return rc != 0 ? rc
                   : read_final(mapping, dk_yaml_get(node, "closed"), &mapping->final_closed, err);
}

static int read_attribute(struct dk_mapping *mapping, const struct dk_yaml *node,
                          struct dk_attribute *attribute, struct dk_err *err)
{
    static const char *const keys[] = {"type", "from", NULL};
    static const char *const field_types[] = {"text", "number", "date", "choice", NULL};
    const struct dk_yaml *type = node->type == DK_YAML_SCALAR ? node : dk_yaml_get(node, "type");
    const struct dk_yaml *from = dk_yaml_get(node, "from");
    const char *text = "";
    int index = 0;
    int rc = node->type == DK_YAML_SCALAR ? 0 : dk_yaml_only(&mapping->doc, node, keys, err);
    rc = rc != 0 ? rc : dk_mapping_key_column(mapping, node, &attribute->slot, err);
    rc = rc != 0 ? rc : dk_yaml_word(&mapping->doc, type, field_types, &index, err);
    rc = rc != 0 ? rc : dk_yaml_string(&mapping->doc, from, &text, err);
    attribute->type = index + DOCKET__FIELD_TYPE__FIELD_TEXT;
    attribute->from = dk_mapping_text(text);
    return rc;
}

int dk_mapping_read_attributes(struct dk_mapping *mapping, const struct dk_yaml *node,
                               struct dk_err *err)
{
    if (node == NULL) {
        return 0;
    }
    if (node->type != DK_YAML_MAP || node->count > DK_MAPPING_ATTRIBUTES_MAX) {
        return dk_yaml_error(&mapping->doc, node, err,
                             "attributes must be up to %d lines \"column: type\"",
                             DK_MAPPING_ATTRIBUTES_MAX);
    }
    int rc = 0;
    for (const struct dk_yaml *item = node->child; rc == 0 && item != NULL; item = item->next) {
        rc = read_attribute(mapping, item, &mapping->attribute[mapping->attribute_count++], err);
    }
    return rc;
}

/* ------------------------------------------------------------------------------------ activities
 */

static const char *const acts[] = {"nothing", "assigned", "routed", "note", "message inbound",
                                   "message outbound", "message automatic",
                                   /* and the statuses, in their order */
                                   "new", "open", "pending", "pending customer", "pending supplier",
                                   "pending internal", "solved", "closed", NULL};

static int read_conditions(struct dk_mapping *mapping, const struct dk_yaml *node,
                           struct dk_activity *activity, struct dk_err *err)
{
    if (node == NULL || node->type != DK_YAML_MAP || node->count == 0 ||
        node->count > DK_MAPPING_CONDITIONS_MAX) {
        return dk_yaml_error(&mapping->doc, node, err,
                             "an activity needs \"when\": 1 to %d columns and what they hold",
                             DK_MAPPING_CONDITIONS_MAX);
    }
    for (const struct dk_yaml *item = node->child; item != NULL; item = item->next) {
        struct dk_condition *condition = &activity->when[activity->count++];
        const char *is = "";
        int rc = dk_mapping_key_column(mapping, item, &condition->slot, err);
        rc = rc != 0 ? rc : dk_yaml_string(&mapping->doc, item, &is, err);
        if (rc != 0) {
            return rc;
        }
        condition->is = dk_mapping_text(is);
    }
    return 0;
}

static int read_activity_columns(struct dk_mapping *mapping, const struct dk_yaml *node,
                                 struct dk_activity *activity, struct dk_err *err)
{
    const struct {
        const char *key;
        int *slot;
    } columns[] = {{"agent", &activity->agent},
                   {"customer", &activity->customer},
                   {"to", &activity->to},
                   {"text", &activity->text},
                   {"id", &activity->id}};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof columns / sizeof columns[0]; i++) {
        rc = dk_mapping_column(mapping, dk_yaml_get(node, columns[i].key), columns[i].slot, err);
    }
    if (rc != 0) {
        return rc;
    }
    bool needs_to = activity->act == DK_ACT_ASSIGNED || activity->act == DK_ACT_ROUTED;
    if (needs_to != (activity->to != DK_NO_SLOT)) {
        return dk_yaml_error(&mapping->doc, node, err,
                             "\"to\" names the column with the new agent or group: only assigned "
                             "and routed have it, and must");
    }
    if (activity->from_requester && activity->customer == DK_NO_SLOT) {
        return dk_yaml_error(&mapping->doc, node, err,
                             "\"from: requester\" needs \"customer\", the column to compare");
    }
    if (activity->agent != DK_NO_SLOT && activity->customer != DK_NO_SLOT) {
        return dk_yaml_error(&mapping->doc, node, err,
                             "an activity has an agent or a customer, and not both");
    }
    return 0;
}

static int read_activity(struct dk_mapping *mapping, const struct dk_yaml *node,
                         struct dk_activity *activity, struct dk_err *err)
{
    static const char *const keys[] = {"when", "from", "is", "agent", "customer",
                                       "to",   "text", "id", NULL};
    static const char *const froms[] = {"requester", NULL};
    const struct dk_yaml *is = dk_yaml_get(node, "is"), *from = dk_yaml_get(node, "from");
    int act = 0, requester = 0;
    int rc = dk_yaml_only(&mapping->doc, node, keys, err);
    if (rc == 0 && is == NULL) {
        rc = dk_yaml_error(&mapping->doc, node, err, "an activity needs \"is\": what it is here");
    }
    rc = rc != 0 ? rc : dk_yaml_word(&mapping->doc, is, acts, &act, err);
    rc = rc != 0 ? rc : dk_yaml_word(&mapping->doc, from, froms, &requester, err);
    rc = rc != 0 ? rc : read_conditions(mapping, dk_yaml_get(node, "when"), activity, err);
    if (rc != 0) {
        return rc;
    }
    if (act >= DK_ACT_STATUS) {
        activity->status = status_values[act - DK_ACT_STATUS].status;
        activity->pending = status_values[act - DK_ACT_STATUS].pending;
        act = DK_ACT_STATUS;
    }
    activity->act = (enum dk_act)act;
    activity->from_requester = from != NULL;
    return read_activity_columns(mapping, node, activity, err);
}

int dk_mapping_read_activities(struct dk_mapping *mapping, const struct dk_yaml *node,
                               struct dk_err *err)
{
    if (mapping->activities_shape != (node != NULL)) {
        return dk_yaml_error(&mapping->doc, node, err,
                             "shape: activities needs \"activities\", snapshots must not have it");
    }
    if (node == NULL) {
        return 0;
    }
    if (node->type != DK_YAML_LIST || node->count == 0 || node->count > DK_MAPPING_ACTIVITIES_MAX) {
        return dk_yaml_error(&mapping->doc, node, err, "activities must be a list of 1 to %d",
                             DK_MAPPING_ACTIVITIES_MAX);
    }
    int rc = 0;
    for (const struct dk_yaml *item = node->child; rc == 0 && item != NULL; item = item->next) {
        rc = read_activity(mapping, item, &mapping->activity[mapping->activity_count++], err);
    }
    return rc;
}
