/* What a verb takes, as a table, and what the command line gave for it.
 *
 *   {"TICKET", ...}          a positional argument, in the order of the table
 *   {"--line", "NUMBER"}     an option with a value; "[NUMBER]" may be left out
 *   {"--json", NULL}         a flag
 *
 * An action's parameters name fields of its body (action.h): so the table is all there is to most
 * verbs. */
#ifndef DK_REPLAY_CLI_ARGUMENTS_H
#define DK_REPLAY_CLI_ARGUMENTS_H

#include "proto/base/err.h"
#include <stddef.h>

#define DK_NEEDED 1u /* a usage error without it */
#define DK_MANY   2u /* may be given several times; a positional one takes all that is left */
#define DK_STDIN  4u /* "-" stands for the text on stdin */

struct dk_parameter {
    const char *name;  /* "TICKET", "--line"; NULL: the verb itself states `value` for `field` */
    const char *value; /* what an option takes, in capitals; NULL: a flag */
    const char *help;
    const char *field; /* of the action's body, by its name in docket.proto */
    unsigned is;
    char letter; /* a short name, or 0 */
};
#define DK_PARAMETERS_END                                                                          \
    {                                                                                              \
        NULL, NULL, NULL, NULL, 0, 0                                                               \
    }

#define DK_PARAMETER_LISTS 3
#define DK_GIVEN_MAX       256

struct dk_given {
    const struct dk_parameter *parameter;
    const char *text; /* "yes" for a flag, "" for an optional value left out; borrowed from argv */
};

struct dk_arguments {
    const struct dk_parameter *list[DK_PARAMETER_LISTS]; /* NULL where there is none */
    size_t count;
    struct dk_given given[DK_GIVEN_MAX]; /* in the order of the command line */
};

/* Reads argv[1..] by the lists, which the caller has set; what was given before stays. With
 * `options_only` it stops at the first word that is no option. `*used` is how many elements of argv
 * were read. 0, or DK_EINVAL: a usage error. */
int dk_arguments_parse(struct dk_arguments *arguments, int argc, char **argv, int options_only,
                       int *used, struct dk_err *err);

/* DK_EINVAL when a needed parameter was not given. */
int dk_arguments_complete(const struct dk_arguments *arguments, struct dk_err *err);

/* What was given for a parameter, or NULL; of several the last. */
const char *dk_argument(const struct dk_arguments *arguments, const char *name);
/* One after the other; `*cursor` starts at 0, NULL at the end. */
const char *dk_argument_next(const struct dk_arguments *arguments, const char *name,
                             size_t *cursor);

/* Whether a parameter is positional. */
int dk_parameter_positional(const struct dk_parameter *parameter);
/* Whether this is the element that ends a list. */
int dk_parameter_last(const struct dk_parameter *parameter);

#endif
