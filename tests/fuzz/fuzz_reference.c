/* Any text as reference data, and what stands behind a line "---" as what is applied next: what is
 * not refused is a list of events that the broker's form check passes and the reference data can
 * take in; and the same text once more changes nothing. */
#include "proto/event/body.h"
#include "replay/reference/reference.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NOW_US INT64_C(1795521600000000) /* 2026-11-24T12:00:00Z */

struct site {
    struct dk_refs *refs;
    uint64_t position;
};

static void take_in(struct site *site, const struct dk_reference *set, size_t index)
{
    const struct dk_reference_change *change = dk_reference_change(set, index);
    const struct dk_refs_version *last = dk_refs_last(site->refs, change->subject);
    struct dk_buf buf;
    struct dk_err err;
    dk_buf_init(&buf, DK_RECORD_MAX_BYTES);
    if (dk_reference_record(set, index, dk_id_make(DK_ACTOR_OPERATOR, 1), &buf, &err) != 0) {
        DK_ASSERT(err.code == DK_ETOOBIG);
        dk_buf_close(&buf);
        return;
    }
    DK_ASSERT(dk_event_canonical(buf.data, buf.size, &err) == 0);
    DK_ASSERT(dk_body_check(change->body, change->kind, &err) == 0);
    dk_stamp_position(buf.data, ++site->position);
    dk_stamp_recorded_us(buf.data, (uint64_t)NOW_US);
    dk_stamp_subject_version(buf.data, last != NULL ? last->version + 1 : 1);
    DK_ASSERT(dk_refs_apply(site->refs, buf.data, buf.size, &err) == 0);
    dk_buf_close(&buf);
}

/* What is printed for people, and for machines. */
static void print(const struct dk_reference *set)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    DK_ASSERT(out != NULL);
    dk_reference_print(set, out);
    dk_reference_print_problems(set, out);
    (void)fflush(out);
    size_t people = bytes;
    dk_reference_print_json(set, out);
    DK_ASSERT(fclose(out) == 0);
    json_t *json = json_loadb(text + people, bytes - people, 0, NULL);
    DK_ASSERT(json_is_object(json));
    json_decref(json);
    free(text);
}

/* Whether the text is good; then it is applied, and `*changes` says how many there were. */
static bool apply(struct site *site, const char *text, size_t bytes, size_t *changes)
{
    struct dk_reference *set = NULL;
    struct dk_err err;
    DK_ASSERT(dk_reference_new(&set, &err) == 0);
    bool good = dk_reference_add_text(set, "file", text, bytes, &err) == 0 &&
                dk_reference_compare(set, site->refs, NOW_US, &err) == 0;
    *changes = good ? dk_reference_change_count(set) : 0;
    if (good) {
        print(set);
    }
    for (size_t i = 0; i < *changes; i++) {
        take_in(site, set, i);
    }
    dk_reference_free(&set);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char border[] = "\n---\n";
    const char *text = (const char *)data, *end = text + size;
    struct site site = {0};
    struct dk_err err;
    DK_ASSERT(dk_refs_new(&site.refs, &err) == 0);
    while (text < end) {
        const char *at = memmem(text, (size_t)(end - text), border, sizeof border - 1);
        const char *next = at != NULL ? at + sizeof border - 1 : end;
        size_t bytes = (size_t)((at != NULL ? at + 1 : end) - text), changes = 0;
        if (apply(&site, text, bytes, &changes)) {
            DK_ASSERT(apply(&site, text, bytes, &changes) && changes == 0);
        }
        text = next;
    }
    dk_refs_free(&site.refs);
    return 0;
}
