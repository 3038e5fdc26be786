/* An action: from a verb's table and what was typed to one event, or two, and the broker's answer.
 *
 * Each parameter that names a `field` fills it, by the field's type and rule (fill.c): a product is
 * given by its key, an enum by its word, a time in the zone shown. What a table cannot say, the
 * verb's `complete` does. */
#ifndef DK_REPLAY_CLI_ACTION_H
#define DK_REPLAY_CLI_ACTION_H

#include "proto/base/arena.h"
#include "proto/event/body.h"
#include "replay/cli/verb.h"

/* For the verbs' tables. */
#define DK_PARAMETERS(...)                                                                         \
    (const struct dk_parameter[])                                                                  \
    {                                                                                              \
        __VA_ARGS__, DK_PARAMETERS_END                                                             \
    }
#define DK_TICKET                                                                                  \
    {                                                                                              \
        "TICKET", NULL, "the ticket", NULL, DK_NEEDED, 0                                           \
    }

#define DK_ACTION_EVENTS_MAX 2
#define DK_ACTION_NAMES_MAX  32
#define DK_ACTION_MET_MAX    64 /* customers who are met in one action; a sixty-fifth is refused */

struct dk_action_event {
    uint64_t subject;
    uint32_t kind;
    ProtobufCMessage *body;
};

struct dk_person;

struct dk_action {
    struct dk_cli *cli;
    struct dk_arena arena; /* bodies and texts */
    uint64_t actor;
    uint64_t customer;         /* of --customer, or 0 */
    int64_t occurred_us;       /* of --at; 0: now, by the broker's clock */
    uint32_t expected_version; /* of the first event's ticket, unless one is given; 0: any */
    size_t count;
    struct dk_action_event event[DK_ACTION_EVENTS_MAX];
    /* Customers whom it names and nobody has defined: they are defined in the same request. */
    size_t met_count;
    struct dk_person *met[DK_ACTION_MET_MAX];
    /* What was typed for which entity, so that a refusal can say it back. */
    size_t name_count;
    struct {
        uint64_t id;
        const char *key;
    } name[DK_ACTION_NAMES_MAX];
};

/* `run` of every action. */
int dk_action_run(struct dk_cli *cli, struct dk_err *err);

/* DK_EXIT_USAGE when `us`, given for the parameter `name`, is not after the action. */
int dk_action_check_ahead(const struct dk_action *action, const char *name, int64_t us,
                          struct dk_err *err);

/* Adds an event with an empty body, zeroed and initialized. */
ProtobufCMessage *dk_action_add(struct dk_action *action, uint64_t subject, uint32_t kind);

/* Fills a field from text; a repeated one gets one element more. 0, a DK_E... code, or
 * DK_EXIT_USAGE. */
int dk_action_fill(struct dk_action *action, struct dk_action_event *event, const char *field,
                   const char *text, struct dk_err *err);

/* The entity that a key of this class names; "none" is 0. Remembered for refusals. A customer whom
 * the log does not know is met by it. */
int dk_action_entity(struct dk_action *action, unsigned cls, const char *key, uint64_t *id,
                     struct dk_err *err);

#endif
