#include "nodes/routing/state.h"
#include "nodes/runtime/answer.h"
#include "proto/base/id.h"
#include "proto/base/time.h"
#include "proto/event/body.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int put_waiting(const struct dk_queue_key *key, bool first, struct dk_buf *json)
{
    char name[DK_ID_TEXT_BYTES], since[DK_TIME_TEXT_BYTES], due[DK_TIME_TEXT_BYTES];
    bool has_due = key->due_us != INT64_MAX;
    return dk_buf_printf(
        json, "%s{\"ticket\":\"%s\",\"priority\":%" PRIu64 ",\"since\":\"%s\",\"due\":%s%s%s}",
        first ? "" : ",", dk_id_format(key->ticket, name), key->priority,
        dk_time_format(key->since_us, 0, since), has_due ? "\"" : "",
        has_due ? dk_time_format(key->due_us, 0, due) : "null", has_due ? "\"" : "");
}

static int query_queue(struct dk_routing *self, uint64_t group_id, struct dk_buf *json)
{
    struct dk_routing_group **held = dk_map_get(&self->groups, group_id);
    struct dk_queue all = {0};
    int rc = dk_buf_printf(json, "[");
    for (size_t i = 0; held != NULL && i < (*held)->ranked_count; i++) {
        const struct dk_queue *waiting = &(*held)->ranked[i]->waiting;
        for (size_t k = 0; k < waiting->count; k++) {
            dk_queue_append(&all, &waiting->entry[k]);
        }
    }
    dk_queue_sort(&all);
    for (size_t i = 0; rc == 0 && i < all.count; i++) {
        rc = put_waiting(&all.entry[i], i == 0, json);
    }
    dk_queue_release(&all);
    return rc != 0 ? rc : dk_buf_printf(json, "]");
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int put_agent(const struct dk_routing *self, uint64_t id, struct dk_buf *json)
{
    const struct dk_routing_agent *agent = dk_table_get(self->agents, id, NULL);
    const ProtobufCEnumValue *presence =
        protobuf_c_enum_descriptor_get_value(&docket__presence__descriptor, agent->presence);
    bool told = agent->presence != DOCKET__PRESENCE__PRESENCE_NONE && presence != NULL;
    char name[DK_ID_TEXT_BYTES], word[DK_WORD_BYTES];
    return dk_buf_printf(json, "{\"agent\":\"%s\",\"load\":%u,\"presence\":%s%s%s}",
                         dk_id_format(id, name), agent->load, told ? "\"" : "",
                         told ? dk_enum_word(presence, word) : "null", told ? "\"" : "");
}

static int query_agents(const struct dk_routing *self, struct dk_buf *json)
{
    size_t cursor = 0, bytes, count = 0;
    uint64_t *id = calloc(dk_table_count(self->agents) + 1, sizeof *id);
    const void *value;
    DK_ASSERT(id != NULL);
    while (dk_table_next(self->agents, &cursor, &id[count], &value, &bytes)) {
        count++;
    }
    qsort(id, count, sizeof *id, by_id);
    int rc = dk_buf_printf(json, "[");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = i > 0 ? dk_buf_printf(json, ",") : 0;
        rc = rc != 0 ? rc : put_agent(self, id[i], json);
    }
    free(id);
    return rc != 0 ? rc : dk_buf_printf(json, "]");
}

int dk_routing_query(void *self, const char *name, const char *const *argument,
                     size_t argument_count, struct dk_buf *json, struct dk_err *err)
{
    struct dk_routing *routing = self;
    int rc =
        dk_answer_only(argument, argument_count, strcmp(name, "queue") == 0 ? "group" : "", err);
    if (rc != 0) {
        return rc;
    }
    if (strcmp(name, "queue") == 0) {
        const char *key = dk_answer_argument(argument, argument_count, "group");
        uint64_t group =
            key == NULL ? 0
                        : dk_refs_by_key(routing->world->refs, DK_SUBJECT_GROUP, key, strlen(key));
        if (group == 0) {
            return dk_err_field(err, DK_ENOTFOUND, "group", "there is no group \"%s\"",
                                key != NULL ? key : "");
        }
        rc = query_queue(routing, group, json);
    } else if (strcmp(name, "agents") == 0) {
        rc = query_agents(routing, json);
    } else {
        return dk_err_set(err, DK_ENOTFOUND, "routing answers queue and agents, not \"%s\"", name);
    }
    return rc == 0 ? 0 : dk_err_set(err, DK_ETOOBIG, "the answer is too large");
}
