/* `docket routing explain`: a decision of routing's, recomputed from the log and compared with it.
 */
#include "nodes/routing/routing.h"
#include "nodes/routing/explain.h"
#include "proto/base/time.h"
#include "replay/cli/read.h"
#include "replay/cli/replay.h"
#include "replay/cli/watch.h"
#include "replay/history/moment.h"
#include "replay/history/rerun.h"
#include "replay/history/sentence.h"
#include "replay/history/table.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

const struct dk_parameter dk_routing_explain_parameters[] = {
    {"TICKET", NULL, "SITE-NUMBER, or its reference elsewhere", NULL, DK_NEEDED, 0},
    {"--event", "POSITION", "this decision; the ticket's last one when left out", NULL, 0, 0},
    {"--all", NULL, "all decisions about the ticket, one after the other", NULL, 0, 0},
    DK_PARAMETERS_END,
};

struct explaining {
    struct dk_cli *cli;
    const struct dk_past_ticket *read;
    const struct dk_life_event *event;
    struct dk_explanation explanation;
};

static bool is_decision(const struct dk_life_event *event)
{
    return dk_routing_is_explained(&event->envelope, event->body);
}

static const struct dk_life_event *find_event(const struct dk_past_ticket *read, uint64_t position,
                                              struct dk_err *err)
{
    const struct dk_life_event *found = NULL;
    char name[DK_ID_TEXT_BYTES];
    for (size_t i = 0; i < read->life.count; i++) {
        const struct dk_life_event *event = &read->life.event[i];
        if ((position == 0 || position == event->envelope.position) && is_decision(event)) {
            found = event;
        }
    }
    if (found == NULL && position != 0) {
        (void)dk_err_set(err, DK_ENOTFOUND,
                         "event %" PRIu64 " is no decision of routing's about %s", position,
                         dk_id_format(read->ticket, name));
    } else if (found == NULL) {
        (void)dk_err_set(err, DK_ENOTFOUND, "routing has decided nothing about %s",
                         dk_id_format(read->ticket, name));
    }
    return found;
}

static const char *word_of(const ProtobufCEnumDescriptor *words, int value,
                           char word[DK_WORD_BYTES])
{
    const ProtobufCEnumValue *found = protobuf_c_enum_descriptor_get_value(words, value);
    return found != NULL ? dk_enum_word(found, word) : "?";
}

/* ---------------------------------------------------------------- printing */

static void print_agents(const struct explaining *e)
{
    static const char *const heading[] = {"agent", ">load", ">room", ">spare", "idle since", "why"};
    struct dk_text_table *table = dk_text_table_new(heading, 6);
    for (size_t i = 0; i < e->explanation.count; i++) {
        const struct dk_explained_agent *agent = &e->explanation.agent[i];
        char name[DK_NAME_BYTES], since[DK_TIME_TEXT_BYTES], word[DK_WORD_BYTES];
        dk_text_table_add(table, dk_refs_name(e->read->refs, agent->now.id, name));
        dk_text_table_addf(table, "%u", agent->now.load);
        dk_text_table_addf(table, "%u", agent->now.capacity);
        dk_text_table_addf(table, "%u.%u %%", agent->now.spare_permille / 10,
                           agent->now.spare_permille % 10);
        dk_text_table_add(table, dk_moment_show(e->cli->zone, agent->now.idle_since_us, since));
        if (agent->reason == DOCKET__EXCLUSION_REASON__EXCLUDED_NONE) {
            dk_text_table_addf(table, "eligible, number %zu", i + 1);
        } else {
            dk_text_table_add(
                table, word_of(&docket__exclusion_reason__descriptor, (int)agent->reason, word));
        }
    }
    dk_text_table_print(table, dk_text_line_max(), e->cli->out);
    dk_text_table_free(&table);
}

/* What was looked at that is no agent of the group. */
static void print_points(const struct explaining *e)
{
    static const char *const heading[] = {"looked at", "group", "found", "at"};
    struct dk_text_table *table = dk_text_table_new(heading, 4);
    for (size_t i = 0; i < e->explanation.point_count; i++) {
        const struct dk_explained_point *point = &e->explanation.point[i];
        char name[DK_NAME_BYTES], group[DK_NAME_BYTES], word[DK_WORD_BYTES],
            when[DK_TIME_TEXT_BYTES];
        const char *about = "";
        if (point->about != 0) {
            about = dk_refs_name(e->read->refs, point->about, name);
        } else if (point->step != 0) {
            about = word_of(&docket__relaxation__descriptor, (int)point->step, word);
        }
        dk_text_table_add(table, about);
        dk_text_table_add(
            table, point->group != 0 ? dk_refs_name(e->read->refs, point->group, group) : "");
        dk_text_table_add(table, point->why);
        dk_text_table_add(
            table, point->at_us != 0 ? dk_moment_show(e->cli->zone, point->at_us, when) : "");
    }
    dk_text_table_print(table, dk_text_line_max(), e->cli->out);
    dk_text_table_free(&table);
}

static int print_text(const struct explaining *e, struct dk_err *err)
{
    const struct dk_words words = {.refs = e->read->refs, .zone = e->cli->zone};
    const struct dk_explanation *x = &e->explanation;
    char name[DK_ID_TEXT_BYTES], group[DK_NAME_BYTES], when[DK_TIME_TEXT_BYTES],
        step[DK_WORD_BYTES];
    struct dk_buf line;
    dk_buf_init(&line, (size_t)1 << 20);
    int rc = dk_sentence(&line, NULL, &words, e->event->envelope.kind, e->event->body);
    if (rc != 0) {
        dk_buf_close(&line);
        return dk_err_set(err, rc, "the event is too long to be said");
    }
    (void)fprintf(e->cli->out, "%s, event %" PRIu64 ": routing %s\n", dk_id_format(x->ticket, name),
                  e->event->envelope.position, dk_buf_string(&line));
    dk_buf_close(&line);
    (void)fprintf(
        e->cli->out,
        "from the log up to %" PRIu64 ", at %s, in the queue of %s, rules version %u%s%s\n\n",
        x->decision.basis, dk_moment_show(e->cli->zone, x->judged_us, when),
        x->group != 0 ? dk_refs_name(e->read->refs, x->group, group) : "no group",
        x->decision.rule_version, x->relaxation != 0 ? ", relaxed: " : "",
        x->relaxation != 0 ? word_of(&docket__relaxation__descriptor, (int)x->relaxation, step)
                           : "");
    if (x->count > 0) {
        print_agents(e);
        (void)fputc('\n', e->cli->out);
    }
    if (x->point_count > 0) {
        print_points(e);
        (void)fputc('\n', e->cli->out);
    }
    (void)fprintf(e->cli->out, "%s\n",
                  x->differs[0] == '\0' ? "the event says the same" : "THE EVENT DIFFERS");
    return 0;
}

static json_t *agent_json(const struct explaining *e, size_t i)
{
    const struct dk_explained_agent *agent = &e->explanation.agent[i];
    char id[DK_ID_TEXT_BYTES], name[DK_NAME_BYTES], since[DK_TIME_TEXT_BYTES], word[DK_WORD_BYTES];
    bool eligible = agent->reason == DOCKET__EXCLUSION_REASON__EXCLUDED_NONE;
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:o, s:o, s:o}", "agent",
                     dk_id_format(agent->now.id, id), "name",
                     dk_refs_name(e->read->refs, agent->now.id, name), "load", (int)agent->now.load,
                     "capacity", (int)agent->now.capacity, "spare_permille",
                     (int)agent->now.spare_permille, "idle_since",
                     agent->now.idle_since_us != 0
                         ? json_string(dk_time_format(agent->now.idle_since_us, 0, since))
                         : json_null(),
                     "number", eligible ? json_integer((json_int_t)i + 1) : json_null(), "excluded",
                     eligible ? json_null()
                              : json_string(word_of(&docket__exclusion_reason__descriptor,
                                                    (int)agent->reason, word)));
}

static json_t *name_json(const struct explaining *e, uint64_t subject)
{
    char name[DK_NAME_BYTES];
    return subject != 0 ? json_string(dk_refs_name(e->read->refs, subject, name)) : json_null();
}

static json_t *point_json(const struct explaining *e, size_t i)
{
    const struct dk_explained_point *point = &e->explanation.point[i];
    char word[DK_WORD_BYTES], when[DK_TIME_TEXT_BYTES];
    return json_pack(
        "{s:o, s:o, s:o, s:s, s:o}", "about", name_json(e, point->about), "step",
        point->step != 0
            ? json_string(word_of(&docket__relaxation__descriptor, (int)point->step, word))
            : json_null(),
        "group", name_json(e, point->group), "why", point->why, "at",
        point->at_us != 0 ? json_string(dk_time_format(point->at_us, 0, when)) : json_null());
}

static void print_json(const struct explaining *e)
{
    const struct dk_explanation *x = &e->explanation;
    json_t *agents = json_array(), *points = json_array();
    char name[DK_ID_TEXT_BYTES], group[DK_NAME_BYTES], when[DK_TIME_TEXT_BYTES],
        step[DK_WORD_BYTES];
    for (size_t i = 0; i < x->count; i++) {
        (void)json_array_append_new(agents, agent_json(e, i));
    }
    for (size_t i = 0; i < x->point_count; i++) {
        (void)json_array_append_new(points, point_json(e, i));
    }
    json_t *line = json_pack(
        "{s:s, s:I, s:s, s:I, s:s, s:i, s:s, s:s, s:o, s:o, s:b, s:s}", "ticket",
        dk_id_format(x->ticket, name), "event", (json_int_t)e->event->envelope.position, "kind",
        dk_kind_info(e->event->envelope.kind)->word, "basis", (json_int_t)x->decision.basis,
        "judged", dk_time_format(x->judged_us, 0, when), "rule_version",
        (int)x->decision.rule_version, "group",
        x->group != 0 ? dk_refs_name(e->read->refs, x->group, group) : "", "relaxation",
        word_of(&docket__relaxation__descriptor, (int)x->relaxation, step), "agents", agents,
        "considered", points, "same", x->differs[0] == '\0', "differs", x->differs);
    dk_cli_print_json(e->cli, line);
}

/* ---------------------------------------------------------------- explaining */

static uint64_t basis_of(const struct dk_life_event *event)
{
    struct dk_decision decision = {0};
    (void)dk_event_decision(event->record, event->bytes, &decision);
    return decision.basis;
}

/* Brings the folder to the decision's basis, and tells of the decision. */
static int explain(struct explaining *e, const struct dk_life_event *event,
                   struct dk_folder **folder, struct dk_err *err)
{
    struct dk_watch watch;
    uint64_t basis = basis_of(event);
    e->event = event;
    dk_watch_open(&watch, "replay", basis);
    int rc = dk_rerun(folder, &dk_routing_role, e->read->past->reader, basis, dk_watch_progress,
                      &watch, err);
    dk_watch_close(&watch);
    if (rc != 0) {
        return rc;
    }
    rc = dk_routing_explain(*folder, &event->envelope, event->body, &e->explanation, err);
    if (rc == 0 && e->cli->json) {
        print_json(e);
    } else if (rc == 0) {
        rc = print_text(e, err);
    }
    if (rc == 0 && e->explanation.differs[0] != '\0') {
        (void)dk_err_set(err, DK_EDIVERGED, "event %" PRIu64 ": %s", event->envelope.position,
                         e->explanation.differs);
        rc = DK_EXIT_FAILED;
    }
    dk_explanation_close(&e->explanation);
    return rc;
}

static int by_basis(const void *a, const void *b)
{
    const struct dk_life_event *const *x = a, *const *y = b;
    uint64_t left = basis_of(*x), right = basis_of(*y);
    return left != right ? (left > right) - (left < right)
                         : ((*x)->envelope.position > (*y)->envelope.position) -
                               ((*x)->envelope.position < (*y)->envelope.position);
}

/* The log is folded once: each decision from where the one before it stood. */
static int explain_all(struct explaining *e, struct dk_err *err)
{
    const struct dk_past_ticket *read = e->read;
    const struct dk_life_event **event = calloc(read->life.count + 1, sizeof *event);
    struct dk_folder *folder = NULL;
    size_t count = 0;
    int rc = 0, worst = 0;
    DK_ASSERT(event != NULL);
    for (size_t i = 0; i < read->life.count; i++) {
        if (is_decision(&read->life.event[i])) {
            event[count++] = &read->life.event[i];
        }
    }
    qsort(event, count, sizeof *event, by_basis);
    for (size_t i = 0; i < count && (rc == 0 || rc == DK_EXIT_FAILED); i++) {
        if (i > 0 && !e->cli->json) {
            (void)fputc('\n', e->cli->out);
        }
        rc = explain(e, event[i], &folder, err);
        worst = rc != 0 ? rc : worst;
    }
    if (count == 0) {
        (void)find_event(read, 0, err);
        worst = err->code;
    }
    dk_folder_free(&folder);
    free(event);
    return worst;
}

static int explain_ticket(struct dk_cli *cli, const struct dk_past_ticket *read, struct dk_err *err)
{
    struct explaining explaining = {.cli = cli, .read = read};
    struct dk_folder *folder = NULL;
    uint64_t position = 0;
    int rc = dk_cli_number(cli, "--event", INT64_MAX, &position, err);
    if (rc != 0) {
        return rc;
    }
    if (dk_cli_given(cli, "--all") != NULL) {
        return explain_all(&explaining, err);
    }
    const struct dk_life_event *event = find_event(read, position, err);
    rc = event != NULL ? explain(&explaining, event, &folder, err) : err->code;
    dk_folder_free(&folder);
    return rc;
}

int dk_routing_explain_run(struct dk_cli *cli, struct dk_err *err)
{
    return dk_replay_with_ticket(cli, explain_ticket, err);
}
