#include "nodes/analytics/listing.h"
#include "nodes/analytics/dims.h"
#include "nodes/analytics/kpi.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define PUT(list, ...) ((list)->full |= dk_buf_printf((list)->out, __VA_ARGS__) != 0)

static int on_json_bytes(const char *bytes, size_t size, void *out)
{
    return dk_buf_append(out, bytes, size);
}

static void put_name(struct dk_listing *list, const char *name)
{
    PUT(list, "%s\"%s\":", list->inside ? "," : "", name);
    list->inside = true;
}

void dk_listing_text(struct dk_listing *list, const char *name, const char *text)
{
    json_t *string = text != NULL ? json_string(text) : NULL; /* NULL: no UTF-8 */
    put_name(list, name);
    if (string == NULL) {
        PUT(list, "null");
        return;
    }
    list->full |= json_dump_callback(string, on_json_bytes, list->out, JSON_ENCODE_ANY) != 0;
    json_decref(string);
}

void dk_listing_instant(struct dk_listing *list, const char *name, int64_t at_us, int offset_s)
{
    char text[DK_TIME_TEXT_BYTES];
    dk_listing_text(list, name, dk_time_format(at_us, offset_s, text));
}

void dk_listing_count(struct dk_listing *list, const char *name, uint64_t count)
{
    put_name(list, name);
    PUT(list, "%" PRIu64, count);
}

void dk_listing_null(struct dk_listing *list, const char *name)
{
    put_name(list, name);
    PUT(list, "null");
}

void dk_listing_real(struct dk_listing *list, const char *name, double value)
{
    char text[64];
    put_name(list, name);
    int bytes = snprintf(text, sizeof text, "%.6f", value);
    while (text[bytes - 1] == '0' && text[bytes - 2] != '.') {
        text[--bytes] = '\0';
    }
    PUT(list, "%s", strcmp(text, "-0.0") == 0 ? "0.0" : text);
}

void dk_listing_begin(struct dk_listing *list, const struct dk_analytics *analytics,
                      const char *report, struct dk_buf *out)
{
    *list = (struct dk_listing){.analytics = analytics, .out = out};
    PUT(list, "{");
    dk_listing_text(list, "report", report);
    dk_listing_count(list, "position", analytics->world->position);
    dk_listing_count(list, "fold_version", dk_analytics_role.fold_version);
    dk_listing_count(list, "definitions", DK_KPI_DEFINITIONS);
}

void dk_listing_open(struct dk_listing *list, const char *columns)
{
    const char *at = columns;
    PUT(list, ",\"columns\":[");
    while (*at != '\0') {
        size_t bytes = strcspn(at, " ");
        PUT(list, "%s\"%.*s\"", at != columns ? "," : "", (int)bytes, at);
        at += bytes + (at[bytes] == ' ');
    }
    PUT(list, "],\"rows\":[");
    list->inside = false;
}

void dk_listing_row(struct dk_listing *list)
{
    PUT(list, "%s{", list->inside ? "," : "");
    list->inside = false;
}

void dk_listing_entity(struct dk_listing *list, uint64_t subject)
{
    const struct dk_refs *refs = list->analytics->world->refs;
    const char *word = dk_subject_class_word(dk_id_class(subject));
    const struct dk_refs_version *version = dk_refs_last(refs, subject);
    char key[DK_DIM_TEXT_BYTES], name[DK_NAME_BYTES], name_of[64];
    if (version != NULL) {
        const ProtobufCBinaryData *text = &dk_refs_definition(version)->key;
        (void)snprintf(key, sizeof key, "%.*s", (int)text->len, (const char *)text->data);
    } else {
        (void)dk_id_format(subject, key);
    }
    (void)snprintf(name_of, sizeof name_of, "%s_name", word);
    dk_listing_text(list, word, key);
    dk_listing_text(list, name_of, dk_refs_name(refs, subject, name));
}

void dk_listing_row_end(struct dk_listing *list)
{
    PUT(list, "}");
    list->inside = true;
}

void dk_listing_close(struct dk_listing *list)
{
    PUT(list, "]");
    list->inside = true;
}

int dk_listing_end(struct dk_listing *list, struct dk_err *err)
{
    PUT(list, "}");
    return list->full ? dk_err_set(err, DK_ETOOBIG, "the report is too large: ask for less") : 0;
}
