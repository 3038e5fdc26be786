#include "nodes/notification/state.h"
#include "nodes/runtime/answer.h"
#include "proto/base/utf8.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define LIST_DEFAULT 100 /* rows, when no limit is asked for */

/* Bytes that may have been cut in the middle of a character. */
static json_t *text_json(const char *text, size_t max)
{
    return json_stringn(text, dk_utf8_prefix(text, strnlen(text, max)));
}

static json_t *notice_json(const struct dk_notification *self, uint64_t id,
                           const struct dk_notice *notice)
{
    char text[DK_NAME_BYTES], hex[17];
    json_t *made = json_object();
    (void)snprintf(hex, sizeof hex, "%016" PRIx64, id);
    json_object_set_new(made, "notice", json_string(hex));
    json_object_set_new(made, "ticket", dk_answer_id(notice->ticket));
    json_object_set_new(
        made, "rule", text_json(dk_refs_name(self->world->refs, notice->rule, text), sizeof text));
    json_object_set_new(made, "transport",
                        dk_answer_word(&docket__transport__descriptor, notice->transport));
    json_object_set_new(made, "recipient", dk_answer_id(notice->recipient));
    json_object_set_new(made, "requested", json_integer((json_int_t)notice->requested));
    json_object_set_new(made, "cause", json_integer((json_int_t)notice->cause));
    json_object_set_new(made, "step", json_integer(notice->step));
    json_object_set_new(made, "round", json_integer(notice->round));
    json_object_set_new(made, "digest_until", dk_answer_instant(notice->digest_until_us));
    return made;
}

/* ---------------------------------------------------------------- rows */

static json_t *pending_json(const struct dk_notification *self, uint64_t id,
                            const struct dk_notice *notice)
{
    struct dk_attempts attempts = {0};
    json_t *made = notice_json(self, id, notice);
    if (self->attempts_of != NULL) {
        self->attempts_of(self->attempts_arg, id, &attempts);
    }
    json_object_set_new(made, "state", json_string("pending"));
    json_object_set_new(made, "position", json_integer((json_int_t)notice->position));
    json_object_set_new(made, "attempts", json_integer(attempts.count));
    json_object_set_new(made, "next", dk_answer_instant(attempts.next_us));
    json_object_set_new(made, "error", text_json(attempts.error, sizeof attempts.error));
    return made;
}

static json_t *dead_json(const struct dk_notification *self, uint64_t id,
                         const struct dk_dead *dead)
{
    json_t *made = notice_json(self, id, &dead->notice);
    json_object_set_new(made, "state", json_string("dead"));
    json_object_set_new(made, "position", json_integer((json_int_t)dead->position));
    json_object_set_new(made, "attempts", json_integer(dead->attempts));
    json_object_set_new(made, "failed", dk_answer_instant(dead->failed_us));
    json_object_set_new(made, "error", text_json(dead->error, sizeof dead->error));
    return made;
}

/* ---------------------------------------------------------------- answers */

static json_t *list_json(const struct dk_notification *self, bool dead, uint64_t after,
                         uint64_t limit)
{
    const struct dk_line *line = dead ? &self->dead_line : &self->line;
    json_t *list = json_array();
    const void *row;
    uint64_t id;
    while (json_array_size(list) < limit && (row = dk_line_next(line, after, &id)) != NULL) {
        memcpy(&after, row, sizeof after); /* rows begin with their position */
        json_array_append_new(list, dead ? dead_json(self, id, row) : pending_json(self, id, row));
    }
    return list;
}

static int answer_list(const struct dk_notification *self, bool dead, const char *const *argument,
                       size_t argument_count, json_t **made, struct dk_err *err)
{
    uint64_t after = 0, limit = LIST_DEFAULT;
    int rc = dk_answer_only(argument, argument_count, "after limit", err);
    rc = rc != 0 ? rc : dk_answer_number(argument, argument_count, "after", 10, &after, err);
    rc = rc != 0 ? rc : dk_answer_number(argument, argument_count, "limit", 10, &limit, err);
    if (rc != 0) {
        return rc;
    }
    *made = list_json(self, dead, after, limit < DK_NOTICES_LISTED ? limit : DK_NOTICES_LISTED);
    return 0;
}

static int answer_notice(const struct dk_notification *self, const char *const *argument,
                         size_t argument_count, json_t **made, struct dk_err *err)
{
    uint64_t id = 0;
    int rc = dk_answer_only(argument, argument_count, "id", err);
    rc = rc != 0 ? rc : dk_answer_number(argument, argument_count, "id", 16, &id, err);
    if (rc != 0) {
        return rc;
    }
    const struct dk_notice *pending = dk_notification_find(self, id);
    const struct dk_dead *dead = id != 0 ? dk_table_get(self->dead, id, NULL) : NULL;
    if (pending == NULL && dead == NULL) {
        return dk_err_set(err, DK_ENOTFOUND, "no notice %016" PRIx64 " is pending or given up", id);
    }
    *made = pending != NULL ? pending_json(self, id, pending) : dead_json(self, id, dead);
    return 0;
}

int dk_notification_query(void *self, const char *name, const char *const *argument,
                          size_t argument_count, struct dk_buf *json, struct dk_err *err)
{
    json_t *made = NULL;
    int rc;
    if (strcmp(name, "outbox") == 0 || strcmp(name, "dead") == 0) {
        rc = answer_list(self, strcmp(name, "dead") == 0, argument, argument_count, &made, err);
    } else if (strcmp(name, "notice") == 0) {
        rc = answer_notice(self, argument, argument_count, &made, err);
    } else {
        return dk_err_set(err, DK_ENOTFOUND,
                          "notification answers outbox, dead and notice, not \"%s\"", name);
    }
    return rc != 0 ? rc : dk_answer_put(made, json, err);
}
