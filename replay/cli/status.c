#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "replay/cli/action.h"
#include "replay/cli/desk.h"
#include "replay/cli/read.h"
#include "replay/cli/watch.h"
#include "replay/history/table.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#define WAIT_S       60
#define POLL_MS      100
#define ASK_LEAST_US DK_SECOND_US       /* what an answer is waited for, at the least */
#define LIVE_US      (3 * DK_SECOND_US) /* a member that was silent for longer is not live */
#define ROLES_MAX    16

const struct dk_parameter dk_status_parameters[] = {
    {"TICKET", NULL, "with STATUS: the ticket to set", NULL, 0, 0},
    {"STATUS", NULL, "open, pending, solved, closed", "status", 0, 0},
    {"--for", "WHOM", "with pending: customer, supplier, internal", "pending", 0, 0},
    {"--wait", "[SECONDS]", "until the broker answers and all roles are live and caught up", NULL,
     0, 0},
    {"--roles", "ROLE,...", "which roles shall be there, as routing,sla", NULL, 0, 0},
    DK_PARAMETERS_END,
};

/* ------------------------------------------------------------------------------- people */

static const char *text_of(const ProtobufCBinaryData *bytes, char *text, size_t max)
{
    (void)snprintf(text, max, "%.*s", (int)bytes->len, (const char *)bytes->data);
    return text;
}

static uint64_t lag(uint64_t head, uint64_t position)
{
    return head > position ? head - position : 0;
}

static bool is_live(const Docket__MemberStats *member)
{
    return member->age_us < LIVE_US;
}

static const char *health_of(const Docket__MemberStats *member, char *text, size_t max)
{
    if (!is_live(member)) {
        return "silent";
    }
    return member->heartbeat->has_health ? text_of(&member->heartbeat->health, text, max) : "ok";
}

static void print_members(const Docket__StatsReply *s, FILE *out)
{
    static const char *const heading[] = {"role",   ">position",  ">behind", ">pending",
                                          ">heard", "state hash", "health"};
    struct dk_text_table *table = dk_text_table_new(heading, 7);
    for (size_t i = 0; i < s->n_member; i++) {
        const Docket__MemberStats *m = s->member[i];
        char text[128], age[DK_TIME_TEXT_BYTES];
        dk_text_table_add(table, text_of(&m->heartbeat->role, text, sizeof text));
        dk_text_table_addf(table, "%" PRIu64, m->heartbeat->position);
        dk_text_table_addf(table, "%" PRIu64, lag(s->head, m->heartbeat->position));
        dk_text_table_addf(table, "%u", m->heartbeat->pending_intents);
        dk_text_table_addf(table, "%s ago",
                           dk_duration_format((int64_t)(m->age_us / 1000 * 1000), age));
        dk_text_table_addf(table, "%016" PRIx64, m->heartbeat->state_hash);
        dk_text_table_add(table, health_of(m, text, sizeof text));
    }
    if (s->n_member > 0) {
        (void)fputc('\n', out);
        dk_text_table_print(table, dk_text_line_max(), out);
    }
    dk_text_table_free(&table);
}

static void print_readers(const Docket__StatsReply *s, FILE *out)
{
    for (size_t i = 0; i < s->n_reader; i++) {
        if (s->reader[i]->pinned_behind > 0) {
            (void)fprintf(out, "  reader    process %u pins what is %" PRIu64 " commits old\n",
                          s->reader[i]->pid, s->reader[i]->pinned_behind);
        }
    }
}

/* What is written behind the log and has something to do. Seals are taken of every full
 * DK_SEAL_RECORDS, heads are written every `checkpoint` events: until then they are not late. */
static void print_behind(const struct dk_cli *cli, const Docket__StatsReply *s)
{
    uint64_t unwritten = lag(s->head, s->heads);
    const struct {
        const char *name;
        uint64_t lag;
    } part[] = {
        {"seals", lag(s->head / DK_SEAL_RECORDS * DK_SEAL_RECORDS, s->sealed)},
        {"look-ups", lag(s->head, s->indexed)},
        {"heads", unwritten < (uint64_t)cli->config.checkpoint_events ? 0 : unwritten},
    };
    const char *before = "  behind    ";
    bool caught_up = true;
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        if (part[i].lag > 0) {
            (void)fprintf(cli->out, "%s%s %" PRIu64, before, part[i].name, part[i].lag);
            before = ", ";
            caught_up = false;
        }
    }
    (void)fputs(caught_up ? "  behind    nothing: seals, look-ups and heads are caught up\n" : "\n",
                cli->out);
}

#define MIB(bytes) ((double)(bytes) / (1 << 20))

static void print_stats(const struct dk_cli *cli, const Docket__StatsReply *s)
{
    FILE *out = cli->out;
    char text[256];
    (void)fprintf(out,
                  "site %" PRId64 "  head %" PRIu64 ", %" PRIu64 " tickets, %" PRIu64 " open\n",
                  cli->config.site, s->head, s->tickets, s->open_tickets);
    (void)fprintf(out, "  appends   %s%s\n", s->accepting ? "accepted" : "refused: ",
                  s->accepting ? "" : text_of(&s->not_accepting, text, sizeof text));
    (void)fprintf(out,
                  "  since start  %" PRIu64 " accepted, %" PRIu64 " refused, %" PRIu64 " commits\n",
                  s->accepted, s->refused, s->commits);
    print_behind(cli, s);
    (void)fprintf(out, "  disk      log %.1f MiB, free %.0f MiB, reserve %.0f MiB\n",
                  MIB(s->log_bytes), MIB(s->free_bytes), MIB(s->reserve_bytes));
    (void)fprintf(out, "  memory    %.1f MiB\n", MIB(s->memory_bytes));
    print_readers(s, out);
    print_members(s, out);
}

/* --------------------------------------------------------------------------------- JSON */

static json_t *members_json(const Docket__StatsReply *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_member; i++) {
        const Docket__MemberStats *m = s->member[i];
        char role[64], health[128], hash[20];
        (void)snprintf(hash, sizeof hash, "%016" PRIx64, m->heartbeat->state_hash);
        (void)json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:i, s:I, s:s, s:i, s:s, s:b}", "role",
                            text_of(&m->heartbeat->role, role, sizeof role), "position",
                            (json_int_t)m->heartbeat->position, "behind",
                            (json_int_t)lag(s->head, m->heartbeat->position), "pending_intents",
                            (int)m->heartbeat->pending_intents, "age_us", (json_int_t)m->age_us,
                            "state_hash", hash, "fold_version", (int)m->heartbeat->fold_version,
                            "health", health_of(m, health, sizeof health), "live", is_live(m)));
    }
    return list;
}

static json_t *readers_json(const Docket__StatsReply *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_reader; i++) {
        (void)json_array_append_new(list, json_pack("{s:i, s:I}", "pid", (int)s->reader[i]->pid,
                                                    "pinned_behind",
                                                    (json_int_t)s->reader[i]->pinned_behind));
    }
    return list;
}

static void print_stats_json(const struct dk_cli *cli, const Docket__StatsReply *s)
{
    char now[DK_TIME_TEXT_BYTES], why[256];
    const struct {
        const char *name;
        uint64_t value;
    } number[] = {
        {"site", (uint64_t)cli->config.site},
        {"head", s->head},
        {"tickets", s->tickets},
        {"open_tickets", s->open_tickets},
        {"accepted", s->accepted},
        {"refused", s->refused},
        {"commits", s->commits},
        {"sealed", s->sealed},
        {"indexed", s->indexed},
        {"heads", s->heads},
        {"log_bytes", s->log_bytes},
        {"free_bytes", s->free_bytes},
        {"reserve_bytes", s->reserve_bytes},
        {"memory_bytes", s->memory_bytes},
    };
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) {
        (void)json_object_set_new(all, number[i].name, json_integer((json_int_t)number[i].value));
    }
    (void)json_object_set_new(all, "now", json_string(dk_time_format(s->now_us, 0, now)));
    (void)json_object_set_new(all, "accepting", json_boolean(s->accepting));
    (void)json_object_set_new(
        all, "not_accepting",
        s->accepting ? json_null() : json_string(text_of(&s->not_accepting, why, sizeof why)));
    (void)json_object_set_new(all, "members", members_json(s));
    (void)json_object_set_new(all, "readers", readers_json(s));
    dk_cli_print_json(cli, all);
}

/* ------------------------------------------------------------------------------ waiting */

/* What all must be for the wait to end: heard of since it began (without a wait: whenever), and
 * folded up to the head then. */
struct wait {
    int64_t begun_us;
    uint64_t goal;
};

/* A role, written from `at`, has a healthy member that is so. */
static bool role_is_there(const Docket__StatsReply *s, const char *at, size_t bytes,
                          const struct wait *wait)
{
    int64_t waited_us = dk_clock_boot_us() - wait->begun_us;
    for (size_t i = 0; i < s->n_member; i++) {
        const Docket__Heartbeat *beat = s->member[i]->heartbeat;
        char health[128];
        if (beat->role.len == bytes && memcmp(beat->role.data, at, bytes) == 0 &&
            beat->position >= wait->goal && (int64_t)s->member[i]->age_us <= waited_us &&
            strcmp(health_of(s->member[i], health, sizeof health), "ok") == 0) {
            return true;
        }
    }
    return false;
}

/* The first of a comma-separated list of roles that is not there, as text in `role`. */
static bool a_role_is_missing(const Docket__StatsReply *s, const char *roles,
                              const struct wait *wait, char *role, size_t max)
{
    for (const char *at = roles; *at != '\0';) {
        size_t bytes = strcspn(at, ",");
        if (bytes > 0 && !role_is_there(s, at, bytes, wait)) {
            (void)snprintf(role, max, "%.*s", (int)bytes, at);
            return true;
        }
        at += bytes + (at[bytes] == ',');
    }
    return false;
}

/* Asks again until all is there: the head of the first answer is what all must have folded, so
 * that events that go on coming do not keep it from ending. */
static int wait_for_all(struct dk_cli *cli, int64_t wait_us, const Docket__StatsReply **stats,
                        struct dk_err *err)
{
    const char *roles = dk_cli_given(cli, "--roles");
    int64_t until_us = dk_clock_boot_us() + wait_us;
    struct wait wait = {.begun_us = wait_us > 0 ? until_us - wait_us : 0, .goal = UINT64_MAX};
    char missing[64] = "";
    struct dk_watch watch;
    int rc;
    dk_watch_open(&watch, "wait", 0);
    for (;;) {
        int64_t left_us = until_us - dk_clock_boot_us();
        rc = dk_client_stats(cli->desk->client,
                             (int)((left_us > ASK_LEAST_US ? left_us : ASK_LEAST_US) / 1000), stats,
                             err);
        if (rc != 0) {
            break;
        }
        wait.goal = wait.goal == UINT64_MAX ? (*stats)->head : wait.goal;
        if (!a_role_is_missing(*stats, roles != NULL ? roles : "", &wait, missing,
                               sizeof missing)) {
            break;
        }
        if (left_us <= 0) {
            rc = dk_err_set(err, DK_ETIMEOUT, "%s is not live and caught up to %" PRIu64, missing,
                            wait.goal);
            break;
        }
        if (dk_watch_interrupted(&watch)) {
            rc = DK_EXIT_INTERRUPTED;
            break;
        }
        (void)zmq_poll(NULL, 0, POLL_MS);
    }
    dk_watch_close(&watch);
    return rc;
}

/* --wait=30, and --wait 30, where the 30 comes in as the first positional argument. */
static int read_wait(const struct dk_cli *cli, int64_t *wait_us, struct dk_err *err)
{
    const char *wait = dk_cli_given(cli, "--wait");
    const char *word = dk_cli_given(cli, "TICKET");
    uint64_t seconds = WAIT_S;
    int rc = 0;
    if (wait == NULL && word != NULL) {
        return dk_cli_usage(err, "say the status that %s shall have", word);
    }
    if (wait != NULL && (wait[0] != '\0' || word != NULL)) {
        rc = dk_cli_read_number("--wait", wait[0] != '\0' ? wait : word, 86400, &seconds, err);
    }
    *wait_us = wait != NULL ? (int64_t)seconds * DK_SECOND_US : 0;
    return rc;
}

static int check_roles(const char *roles, struct dk_err *err)
{
    char word[32];
    for (const char *at = roles; *at != '\0';) {
        size_t bytes = strcspn(at, ",");
        (void)snprintf(word, sizeof word, "%.*s", (int)bytes, at);
        if (bytes > 0 && dk_role_of(word) == 0) {
            return dk_cli_usage(err, "there is no role \"%s\"", word);
        }
        at += bytes + (at[bytes] == ',');
    }
    return 0;
}

static int site_status(struct dk_cli *cli, struct dk_err *err)
{
    const Docket__StatsReply *stats = NULL;
    int64_t wait_us = 0;
    const char *roles = dk_cli_given(cli, "--roles");
    int rc = read_wait(cli, &wait_us, err);
    rc = rc != 0 ? rc : check_roles(roles != NULL ? roles : "", err);
    rc = rc != 0 ? rc : dk_desk_open(cli, err);
    if (rc == 0) {
        rc = dk_cli_given(cli, "--wait") != NULL
                 ? wait_for_all(cli, wait_us, &stats, err)
                 : dk_client_stats(cli->desk->client, cli->desk->timeout_ms, &stats, err);
    }
    if (rc == 0 && cli->json) {
        print_stats_json(cli, stats);
    } else if (rc == 0) {
        print_stats(cli, stats);
    }
    return rc;
}

int dk_status_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_cli_given(cli, "STATUS") != NULL ? dk_action_run(cli, err) : site_status(cli, err);
}
