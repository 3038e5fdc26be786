/* Actions by which people talk: to the customer, to each other, about the ticket. */
#include "replay/cli/action.h"

#define CHANNEL                                                                                    \
    {                                                                                              \
        "--channel", "CHANNEL",                                                                    \
            "email, phone, web, chat, messenger, social, review, api, on-behalf", "channel", 0, 0  \
    }
#define TEXT(help, field, is)                                                                      \
    {                                                                                              \
        "TEXT", NULL, help "; - reads it from stdin", field, (is) | DK_STDIN, 0                    \
    }

/* Whoever acts answers, unless another approver is named. */
static int complete_answer(struct dk_action *action, struct dk_err *err)
{
    Docket__ApprovalGiven *given = (Docket__ApprovalGiven *)action->event[0].body;
    (void)err;
    _Static_assert(offsetof(Docket__ApprovalGiven, approver) ==
                       offsetof(Docket__ApprovalRefused, approver),
                   "given and refused name the approver at one place");
    if (given->approver == 0) {
        given->approver = dk_subject_of_actor(action->actor);
    }
    return 0;
}

static int complete_rate(struct dk_action *action, struct dk_err *err)
{
    const Docket__Rated *rated = (const Docket__Rated *)action->event[0].body;
    return rated->has_csat || rated->has_nps ? 0
                                             : dk_cli_usage(err, "rate with --csat, --nps or both");
}

/* clang-format off */
const struct dk_verb dk_verbs_talk[] = {
    {.name = "reply", .summary = "write to the customer", .run = dk_action_run,
     .kind = DK_KIND_MESSAGE_PUBLIC,
     .example = "reply 1-42 \"Which floor?\" --question --channel email --as anna\n"
                "reply 1-42 \"We have your mail\" --automatic --key operator\n",
     .parameter = DK_PARAMETERS(DK_TICKET, TEXT("what to say", "text", DK_NEEDED),
         {NULL, "outbound", NULL, "direction", 0, 0},
         {"--question", NULL, "it asks the customer for something", "question", 0, 0},
         CHANNEL,
         {"--automatic", NULL, "no human wrote it: a program's, under an operator's key", "automatic",
          0, 0},
         {"--message-id", "ID", "the channel's own name for the message", "message_id", 0, 0})},
    {.name = "message", .summary = "a message of the customer's", .run = dk_action_run,
     .kind = DK_KIND_MESSAGE_PUBLIC,
     .example = "message 1-42 \"The third\" --customer bob@example.org --channel email\n",
     .parameter = DK_PARAMETERS(DK_TICKET, TEXT("what the customer says", "text", DK_NEEDED),
         {NULL, "inbound", NULL, "direction", 0, 0},
         CHANNEL,
         {"--message-id", "ID", "the channel's own name for the message", "message_id", 0, 0})},
    {.name = "note", .summary = "note something that the customer does not see",
     .run = dk_action_run,
     .kind = DK_KIND_NOTE_ADDED, .example = "note 1-42 \"same as last week\" --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET, TEXT("the note", "text", DK_NEEDED))},
    {.name = "approval ask", .summary = "ask an agent to approve", .run = dk_action_run,
     .kind = DK_KIND_APPROVAL_ASKED,
     .example = "approval ask 1-42 boss --question \"A new printer, 300?\" --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"AGENT", NULL, "who shall approve, by key", "approver", DK_NEEDED, 0},
         {"--question", "TEXT", "what is asked; - reads it from stdin", "question", DK_STDIN, 0})},
    {.name = "approval give", .summary = "approve", .run = dk_action_run,
     .kind = DK_KIND_APPROVAL_GIVEN, .complete = complete_answer,
     .example = "approval give 1-42 --as boss\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"--approver", "AGENT", "who approves, if another than who acts", "approver", 0, 0},
         {"--text", "TEXT", "what is added; - reads it from stdin", "text", DK_STDIN, 0})},
    {.name = "approval refuse", .summary = "do not approve", .run = dk_action_run,
     .kind = DK_KIND_APPROVAL_REFUSED, .complete = complete_answer,
     .example = "approval refuse 1-42 --text \"not this year\" --as boss\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"--approver", "AGENT", "who refuses, if another than who acts", "approver", 0, 0},
         {"--text", "TEXT", "why; - reads it from stdin", "text", DK_STDIN, 0})},
    {.name = "rate", .summary = "what the customer thinks of it", .run = dk_action_run,
     .kind = DK_KIND_RATED, .complete = complete_rate,
     .example = "rate 1-42 --csat 5 --comment \"quick!\" --customer bob@example.org\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"--csat", "1..5", "satisfied, from 1 to 5", "csat", 0, 0},
         {"--nps", "0..10", "would recommend it, from 0 to 10", "nps", 0, 0},
         {"--comment", "TEXT", "in words; - reads it from stdin", "comment", DK_STDIN, 0})},
    {.name = "requester", .summary = "another customer asks", .run = dk_action_run,
     .kind = DK_KIND_REQUESTER_CHANGED, .example = "requester 1-42 eve@example.org --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"CUSTOMER", NULL, "who asks from now on, by key", "customer", DK_NEEDED, 0})},
    {.name = "follow", .summary = "let others follow it", .run = dk_action_run,
     .kind = DK_KIND_FOLLOWERS_CHANGED,
     .example = "follow 1-42 ben customer/eve@example.org --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"WHO", NULL, "agents by key, or CLASS/KEY", "added", DK_NEEDED | DK_MANY, 0})},
    {.name = "unfollow", .summary = "let others follow it no more", .run = dk_action_run,
     .kind = DK_KIND_FOLLOWERS_CHANGED, .example = "unfollow 1-42 ben --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"WHO", NULL, "agents by key, or CLASS/KEY", "removed", DK_NEEDED | DK_MANY, 0})},
    {.name = NULL},
};
/* clang-format on */
