#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include "replay/cli/in_force.h"
#include "replay/cli/parties.h"
#include "replay/cli/read.h"
#include "replay/history/event_value.h"
#include "replay/history/moment.h"
#include "replay/history/table.h"
#include "replay/reference/reference.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

const struct dk_parameter dk_get_parameters[] = {
    {"KIND", NULL, "agents, groups, products, calendars, policies, suppliers, ...", NULL, DK_NEEDED,
     0},
    {"KEY", NULL, "only this one, with all it says", NULL, 0, 0},
    {"--at", "TIME", "what was in force then; now when left out", NULL, 0, 0},
    DK_PARAMETERS_END,
};

struct getting {
    struct dk_cli *cli;
    const struct dk_refs *refs;
    const struct dk_refs_version **version;
    size_t count, capacity;
};

/* "agent", "agents", "policies": a class's word, or its plural. */
static unsigned class_named(const char *word)
{
    char singular[32];
    size_t bytes = strlen(word);
    unsigned cls = dk_subject_class_of(word);
    if (cls != 0 || bytes < 4 || bytes >= sizeof singular) {
        return cls;
    }
    (void)snprintf(singular, sizeof singular, "%.*s", (int)bytes - 1, word);
    if (strcmp(word + bytes - 3, "ies") == 0) {
        (void)snprintf(singular, sizeof singular, "%.*sy", (int)bytes - 3, word);
    }
    return dk_subject_class_of(singular);
}

static int collect(void *arg, const struct dk_refs_version *version)
{
    struct getting *g = arg;
    if (g->count == g->capacity) {
        g->capacity = g->capacity == 0 ? 64 : 2 * g->capacity;
        g->version = realloc(g->version, g->capacity * sizeof(*g->version));
        DK_ASSERT(g->version != NULL);
    }
    g->version[g->count++] = version;
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const ProtobufCBinaryData *x =
        &dk_refs_definition(*(const struct dk_refs_version *const *)a)->key;
    const ProtobufCBinaryData *y =
        &dk_refs_definition(*(const struct dk_refs_version *const *)b)->key;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static void print_table(const struct getting *g)
{
    static const char *const heading[] = {"=key", "name", "=in force since", ">version", ">event"};
    struct dk_text_table *table = dk_text_table_new(heading, 5);
    for (size_t i = 0; i < g->count; i++) {
        const struct dk_refs_version *version = g->version[i];
        const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
        char name[DK_NAME_BYTES], since[DK_TIME_TEXT_BYTES];
        dk_text_table_addf(table, "%.*s", (int)key->len, (const char *)key->data);
        dk_text_table_add(table, dk_refs_name(g->refs, version->subject, name));
        dk_text_table_add(table, dk_moment_show(g->cli->zone, version->effective_us, since));
        dk_text_table_addf(table, "%u", version->version);
        dk_text_table_addf(table, "%" PRIu64, version->position);
    }
    dk_text_table_print(table, dk_text_line_max(), g->cli->out);
    dk_text_table_free(&table);
}

/* A definition as JSON: its event is written anew, and read back as events print themselves. */
static json_t *definition_json(const struct dk_refs_version *version)
{
    struct dk_envelope envelope = {.subject = version->subject};
    struct dk_buf record;
    json_t *body = NULL;
    dk_buf_init(&record, DK_RECORD_MAX_BYTES);
    if (dk_event_encode(&record, &envelope, version->kind, version->body, NULL) == 0) {
        json_t *event = dk_event_value(record.data, record.size, NULL);
        body = json_incref(json_object_get(event, "body"));
        json_decref(event);
    }
    dk_buf_close(&record);
    return body != NULL ? body : json_null();
}

static json_t *version_json(const struct getting *g, const struct dk_refs_version *version)
{
    const ProtobufCBinaryData *key = &dk_refs_definition(version)->key;
    char name[DK_NAME_BYTES], id[DK_ID_TEXT_BYTES], since[DK_TIME_TEXT_BYTES];
    json_t *object = json_pack(
        "{s:s%, s:s, s:s, s:s, s:i, s:I, s:o}", "key", (const char *)key->data, key->len, "name",
        dk_refs_name(g->refs, version->subject, name), "id", dk_id_format(version->subject, id),
        "since", dk_time_format(version->effective_us, 0, since), "version", (int)version->version,
        "position", (json_int_t)version->position, "definition", definition_json(version));
    if (dk_parties_is_class(dk_id_class(version->subject))) {
        dk_parties_json(g->refs, version, object);
    }
    return object;
}

static int get_all(struct getting *g, unsigned cls, int64_t at_us)
{
    (void)dk_refs_each(g->refs, cls, at_us, collect, g);
    if (g->count > 0) {
        qsort(g->version, g->count, sizeof(*g->version),
              cls == DK_SUBJECT_CUSTOMER ? dk_parties_order : by_key);
    }
    if (!g->cli->json && dk_parties_is_class(cls)) {
        dk_parties_table(g->cli, g->refs, g->version, g->count, cls);
        return 0;
    }
    if (!g->cli->json) {
        print_table(g);
        return 0;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < g->count; i++) {
        (void)json_array_append_new(list, version_json(g, g->version[i]));
    }
    dk_cli_print_json(g->cli, list);
    return 0;
}

static int get_one(const struct getting *g, unsigned cls, const char *key, int64_t at_us,
                   struct dk_err *err)
{
    uint64_t subject = dk_refs_by_key(g->refs, cls, key, strlen(key));
    int rc = subject == 0 && dk_parties_is_class(cls)
                 ? dk_parties_find(g->cli, cls, key, &subject, err)
                 : 0;
    if (rc != 0) {
        return rc;
    }
    const struct dk_refs_version *version =
        subject != 0 ? dk_refs_at(g->refs, subject, at_us) : NULL;
    char since[DK_TIME_TEXT_BYTES];
    if (version == NULL) {
        return dk_err_set(err, DK_ENOTFOUND, "no %s \"%s\" is in force at that time",
                          dk_subject_class_word(cls), key);
    }
    if (g->cli->json) {
        dk_cli_print_json(g->cli, version_json(g, version));
        return 0;
    }
    (void)fprintf(g->cli->out, "%s %s, in force since %s (event %" PRIu64 ")\n",
                  dk_subject_class_word(cls), key,
                  dk_moment_show(g->cli->zone, version->effective_us, since), version->position);
    if (dk_parties_is_class(cls)) {
        dk_parties_print(g->cli, g->refs, version);
    } else {
        dk_reference_print_entity(g->refs, version, g->cli->out);
    }
    return 0;
}

int dk_get_run(struct dk_cli *cli, struct dk_err *err)
{
    const char *kind = dk_cli_given(cli, "KIND"), *key = dk_cli_given(cli, "KEY");
    unsigned cls = class_named(kind);
    int64_t at_us = dk_clock_wall_us();
    struct dk_refs *refs = NULL;
    int rc = cls != 0 ? dk_cli_moment(cli, "--at", &at_us, err)
                      : dk_cli_usage(err, "no reference data is called \"%s\"", kind);
    rc = rc != 0 ? rc : dk_in_force(cli, &refs, err);
    if (rc != 0) {
        return rc;
    }
    struct getting getting = {.cli = cli, .refs = refs};
    rc = key != NULL ? get_one(&getting, cls, key, at_us, err) : get_all(&getting, cls, at_us);
    free(getting.version);
    dk_refs_free(&refs);
    return rc;
}
