#include "proto/base/limits.h"
#include "proto/base/time.h"
#include "replay/cli/confirm.h"
#include "replay/cli/desk.h"
#include "replay/cli/in_force.h"
#include "replay/cli/read.h"
#include "replay/reference/reference.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct dk_parameter dk_apply_parameters[] = {
    {"FILE", NULL, "YAML files of reference data; - is stdin", NULL, DK_NEEDED | DK_MANY, 0},
    {"--yes", NULL, "do not ask", NULL, 0, 'y'},
    {"--dry-run", NULL, "show the difference and change nothing", NULL, 0, 'n'},
    DK_PARAMETERS_END,
};

static int load(struct dk_cli *cli, struct dk_reference *set, const struct dk_refs *refs,
                struct dk_err *err)
{
    const char *path;
    int rc = 0;
    for (size_t cursor = 0;
         rc == 0 && (path = dk_argument_next(&cli->arguments, "FILE", &cursor)) != NULL;) {
        rc = dk_reference_add_file(set, path, err);
    }
    if (rc != 0) {
        return rc;
    }
    rc = dk_reference_compare(set, refs, dk_desk_now_us(cli), err);
    if (dk_reference_problem_count(set, NULL) > 0) {
        dk_reference_print_problems(set, stderr);
        return dk_err_set(err, rc, "nothing was changed");
    }
    return rc;
}

static int has_languages(void *arg, const struct dk_refs_version *version)
{
    (void)arg;
    return ((const Docket__AgentDefined *)(const void *)version->body)->n_language > 0;
}

/* How many languages the agent has whom a change defines; -1: it is about something else. */
static int languages_of(const struct dk_reference_change *change)
{
    bool defines = change->kind == DK_KIND_AGENT_DEFINED && change->what != DK_REFERENCE_REMOVED;
    return defines ? (int)((const Docket__AgentDefined *)(const void *)change->body)->n_language
                   : -1;
}

/* Where agents have languages, one without any was rather forgotten than meant: what states a
 * language does not go there (R2). */
static void note_speechless(const struct dk_cli *cli, const struct dk_reference *set,
                            const struct dk_refs *refs)
{
    size_t count = dk_reference_change_count(set), noted = 0;
    bool some = dk_refs_each(refs, DK_SUBJECT_AGENT, dk_desk_now_us(cli), has_languages, NULL) != 0;
    for (size_t i = 0; i < count && !some; i++) {
        some = languages_of(dk_reference_change(set, i)) > 0;
    }
    for (size_t i = 0; i < count && some; i++) {
        const struct dk_reference_change *change = dk_reference_change(set, i);
        if (languages_of(change) == 0) {
            (void)fprintf(stderr,
                          noted++ == 0 ? "note: no ticket that states a language goes to "
                                         "agents without languages: %s"
                                       : ", %s",
                          change->key);
        }
    }
    if (noted > 0) {
        (void)fputc('\n', stderr);
    }
}

/* How many changes from `first` on fit one request; their records are in `out` and `slice`. */
static int encode_some(const struct dk_reference *set, size_t first, uint64_t actor,
                       struct dk_buf *out, struct dk_slice *slice, size_t *count,
                       struct dk_err *err)
{
    size_t offset[DK_REQUEST_MAX_EVENTS + 1] = {0};
    size_t all = dk_reference_change_count(set);
    *count = 0;
    dk_buf_clear(out);
    while (*count < DK_REQUEST_MAX_EVENTS && first + *count < all) {
        size_t before = out->size;
        int rc = dk_reference_record(set, first + *count, actor, out, err);
        if (rc == DK_ETOOBIG && *count > 0) {
            out->size = before;
            break;
        }
        if (rc != 0) {
            return rc;
        }
        offset[++*count] = out->size;
    }
    for (size_t i = 0; i < *count; i++) {
        slice[i] = (struct dk_slice){out->data + offset[i], offset[i + 1] - offset[i]};
    }
    return 0;
}

/* The version of each entity that the difference was made against: what somebody else has changed
 * since is refused. 0, of a new one: any. */
static void expect_versions(const struct dk_reference *set, size_t first, size_t count,
                            const struct dk_refs *refs, uint32_t *expected)
{
    for (size_t i = 0; i < count; i++) {
        const struct dk_refs_version *last =
            dk_refs_last(refs, dk_reference_change(set, first + i)->subject);
        expected[i] = last != NULL ? last->version : 0;
    }
}

/* One atomic request; as many as are needed, in order, when they do not fit one. */
static int append(struct dk_cli *cli, const struct dk_reference *set, const struct dk_refs *refs,
                  struct dk_err *err)
{
    const struct dk_desk *desk = cli->desk;
    uint64_t actor = desk->session.actor != 0
                         ? desk->session.actor
                         : dk_id_make(DK_ACTOR_OPERATOR, dk_key_id(desk->own.public_z85));
    struct dk_slice *slice = calloc(DK_REQUEST_MAX_EVENTS, sizeof *slice);
    uint32_t *expected = calloc(DK_REQUEST_MAX_EVENTS, sizeof *expected);
    struct dk_buf out;
    size_t done = 0, count = 0;
    int rc = 0;
    DK_ASSERT(slice != NULL && expected != NULL);
    dk_buf_init(&out, DK_REQUEST_MAX_BYTES - 16 * DK_REQUEST_MAX_EVENTS);
    while (rc == 0 && done < dk_reference_change_count(set)) {
        struct dk_append_result result = {0};
        rc = encode_some(set, done, actor, &out, slice, &count, err);
        expect_versions(set, done, rc == 0 ? count : 0, refs, expected);
        rc = rc != 0 ? rc
                     : dk_client_append_once(desk->client, slice, expected, count, true,
                                             desk->timeout_ms, &result, err);
        done += rc == 0 ? count : 0;
    }
    dk_buf_close(&out);
    free(slice);
    free(expected);
    if (rc == DK_ECONFLICT) {
        return dk_err_wrap(err,
                           "%zu of %zu changes are appended; somebody else has changed the rest "
                           "meanwhile, so run it again to see what differs now",
                           done, dk_reference_change_count(set));
    }
    if (rc != 0) {
        return dk_err_wrap(err, "%zu of %zu changes are appended", done,
                           dk_reference_change_count(set));
    }
    (void)fprintf(stderr, "%zu changes are appended\n", done);
    return 0;
}

static int run(struct dk_cli *cli, struct dk_reference *set, const struct dk_refs *refs,
               struct dk_err *err)
{
    int rc = load(cli, set, refs, err);
    if (rc != 0) {
        return rc;
    }
    if (cli->json) {
        dk_reference_print_json(set, cli->out);
    } else {
        dk_reference_print(set, cli->out);
    }
    (void)fflush(cli->out);
    note_speechless(cli, set, refs);
    if (dk_reference_change_count(set) == 0 || dk_cli_given(cli, "--dry-run") != NULL) {
        return 0;
    }
    rc = dk_cli_confirm(cli, err);
    return rc != 0 ? rc : append(cli, set, refs, err);
}

int dk_apply_run(struct dk_cli *cli, struct dk_err *err)
{
    struct dk_reference *set = NULL;
    struct dk_refs *refs = NULL;
    int rc = dk_desk_hello(cli, err);
    rc = rc != 0 ? rc : dk_in_force(cli, &refs, err);
    rc = rc != 0 ? rc : dk_reference_new(&set, err);
    rc = rc != 0 ? rc : run(cli, set, refs, err);
    dk_reference_free(&set);
    dk_refs_free(&refs);
    return rc;
}
