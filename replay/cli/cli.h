/* The `docket` program: what every verb is given, and how it ends.
 *
 *   docket [--config PATH] VERB [argument ...]      the verbs: verb.h; --help lists them
 *
 * Results go to stdout, everything else to stderr: "docket: SENTENCE (DK_CODE, field FIELD)". */
#ifndef DK_REPLAY_CLI_CLI_H
#define DK_REPLAY_CLI_CLI_H

#include "proto/base/err.h"
#include "proto/calendar/zone.h"
#include "proto/peer/config.h"
#include "replay/cli/arguments.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* number, NAME, what it means */
#define DK_EXITS(X)                                                                                \
    X(0, OK, "done")                                                                               \
    X(1, FAILED, "refused, or failed, or something was found that should not be")                  \
    X(2, NOT_FOUND, "what is named does not exist")                                                \
    X(64, USAGE, "the command line is not understood")                                             \
    X(65, DAMAGED,                                                                                 \
      "pages of the log, or of what is made from it, make no sense: stderr says which")            \
    X(69, UNAVAILABLE, "the broker, or the node that was asked, does not answer")                  \
    X(130, INTERRUPTED, "ended by Ctrl-C before it was done")

enum dk_exit {
#define X(number, NAME, meaning) DK_EXIT_##NAME = (number),
    DK_EXITS(X)
#undef X
};

struct dk_verb;
struct dk_desk;

struct dk_cli {
    const struct dk_verb *verb;
    struct dk_arguments arguments;
    struct dk_config config; /* zeroes without a site */
    bool site;               /* there is one: always, but for verbs that may do without */
    struct dk_zone *zone;    /* times are shown, and read, in it */
    bool json;
    FILE *out;
    struct dk_desk *desk; /* the way to the broker; made when first asked for (desk.h) */
};

/* The whole program. Returns its exit code. */
int dk_cli_main(int argc, char **argv);

/* A verb's way to say that its arguments do not fit: a sentence, and DK_EXIT_USAGE. */
int dk_cli_usage(struct dk_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Shorthands of arguments.h. */
const char *dk_cli_given(const struct dk_cli *cli, const char *name);
/* An instant in the display zone, or `*us` as it was when not given. 0 or DK_EXIT_USAGE. */
int dk_cli_moment(const struct dk_cli *cli, const char *name, int64_t *us, struct dk_err *err);
/* A number within bounds, as above; and that which `text` says for the parameter `name`. */
int dk_cli_number(const struct dk_cli *cli, const char *name, uint64_t max, uint64_t *number,
                  struct dk_err *err);
int dk_cli_read_number(const char *name, const char *text, uint64_t max, uint64_t *number,
                       struct dk_err *err);

/* One JSON value as a line of the output; takes it. */
void dk_cli_print_json(const struct dk_cli *cli, json_t *value);

/* All of stdin as one text, a last newline cut off. Owned by the caller. 0, DK_ETOOBIG, DK_EIO. */
int dk_cli_stdin(char **text, struct dk_err *err);

#endif
