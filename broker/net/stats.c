#include "broker/net/stats.h"
#include "broker/net/reply.h"
#include <string.h>

#define READERS_MAX 126 /* LMDB's reader table */

struct member_parts {
    Docket__Heartbeat heartbeat;
    Docket__MemberStats stats;
};

static ProtobufCBinaryData bytes_of(const char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)(uintptr_t)text};
}

static void fill_member(struct member_parts *parts, const struct dk_member *member, int64_t boot_us)
{
    docket__heartbeat__init(&parts->heartbeat);
    docket__member_stats__init(&parts->stats);
    parts->heartbeat.role = bytes_of(member->role);
    parts->heartbeat.position = member->position;
    parts->heartbeat.state_hash = member->state_hash;
    parts->heartbeat.fold_version = member->fold_version;
    parts->heartbeat.pending_intents = member->pending_intents;
    parts->heartbeat.has_query_endpoint = 1;
    parts->heartbeat.query_endpoint = bytes_of(member->endpoint);
    parts->heartbeat.has_health = 1;
    parts->heartbeat.health = bytes_of(member->health);
    parts->stats.heartbeat = &parts->heartbeat;
    parts->stats.age_us = (uint64_t)(boot_us - member->seen_us);
}

static void fill_core(Docket__StatsReply *stats, const struct dk_stats_sources *sources)
{
    struct dk_core_stats core;
    dk_core_stats(sources->core, &core);
    stats->head = dk_core_durable(sources->core);
    stats->now_us = dk_core_time_us(sources->core, sources->now);
    stats->accepted = core.accepted;
    stats->refused = core.refused;
    stats->commits = core.commits;
    stats->tickets = core.tickets;
    stats->open_tickets = core.open_tickets;
    stats->memory_bytes = core.memory_bytes;
    stats->accepting = core.accepting;
    stats->has_not_accepting = core.why_not != NULL;
    stats->not_accepting = bytes_of(core.why_not != NULL ? core.why_not : "");
}

int dk_stats_reply(struct dk_buf *out, uint64_t request, const struct dk_stats_sources *sources,
                   struct dk_err *err)
{
    Docket__Reply reply = DOCKET__REPLY__INIT;
    Docket__StatsReply stats = DOCKET__STATS_REPLY__INIT;
    struct member_parts member[DK_MEMBERS_MAX];
    Docket__MemberStats *members[DK_MEMBERS_MAX];
    struct dk_log_reader_info info[READERS_MAX];
    Docket__ReaderStats reader[READERS_MAX];
    Docket__ReaderStats *readers[READERS_MAX];
    size_t reader_count = READERS_MAX;
    int rc = dk_log_readers(sources->log, info, &reader_count, err);
    if (rc != 0) {
        return rc;
    }
    fill_core(&stats, sources);
    stats.log_bytes = dk_log_used_bytes(sources->log);
    stats.free_bytes = dk_space_free_bytes(sources->space);
    stats.reserve_bytes = sources->reserve_bytes;
    stats.sealed = sources->sealed;
    stats.indexed = sources->indexed;
    stats.heads = dk_heads_position(sources->heads);
    for (size_t i = 0; i < sources->members->count; i++) {
        fill_member(&member[i], &sources->members->member[i], sources->now.boot_us);
        members[i] = &member[i].stats;
    }
    stats.n_member = sources->members->count;
    stats.member = members;
    for (size_t i = 0; i < reader_count; i++) {
        docket__reader_stats__init(&reader[i]);
        reader[i].pid = info[i].pid;
        reader[i].pinned_behind = info[i].commits_behind;
        readers[i] = &reader[i];
    }
    stats.n_reader = reader_count;
    stats.reader = readers;
    reply.id = request;
    reply.result_case = DOCKET__REPLY__RESULT_STATS;
    reply.stats = &stats;
    return dk_reply_pack(out, &reply);
}
