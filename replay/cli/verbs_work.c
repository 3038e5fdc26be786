/* Actions around the work on a ticket: suppliers, time, attachments, fields, reminders. */
#include "proto/base/arena.h"
#include "replay/cli/action.h"
#include "replay/cli/desk.h"
#include "replay/history/moment.h"
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define SHA256_BYTES 32

static int digest_file(FILE *file, uint8_t sha256[SHA256_BYTES], uint64_t *size)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    uint8_t part[65536];
    size_t got;
    DK_ASSERT(digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1);
    *size = 0;
    while ((got = fread(part, 1, sizeof part, file)) > 0) {
        DK_ASSERT(EVP_DigestUpdate(digest, part, got) == 1);
        *size += got;
    }
    DK_ASSERT(EVP_DigestFinal_ex(digest, sha256, NULL) == 1);
    EVP_MD_CTX_free(digest);
    return ferror(file);
}

/* The log names an attachment by its content; the content itself is kept elsewhere. */
static int complete_attach(struct dk_action *action, struct dk_err *err)
{
    Docket__AttachmentAdded *added = (Docket__AttachmentAdded *)action->event[0].body;
    const char *path = dk_cli_given(action->cli, "FILE");
    uint8_t *sha256 = dk_arena_alloc(&action->arena, SHA256_BYTES);
    DK_ASSERT(sha256 != NULL);
    FILE *file = fopen(path, "rb");
    if (file == NULL || digest_file(file, sha256, &added->size_bytes) != 0) {
        int rc = dk_err_errno(err, errno == ENOENT ? DK_ENOTFOUND : DK_EIO, errno, "cannot read %s",
                              path);
        if (file != NULL) {
            (void)fclose(file);
        }
        return rc;
    }
    (void)fclose(file);
    added->sha256 = (ProtobufCBinaryData){SHA256_BYTES, sha256};
    if (added->name != NULL) {
        return 0;
    }
    const char *slash = strrchr(path, '/');
    return dk_action_fill(action, &action->event[0], "name", slash != NULL ? slash + 1 : path, err);
}

/* Whether the ticket has the attachment: what was named wrongly would seem to be erased. */
static bool has_attachment(const struct dk_life *life, const ProtobufCBinaryData *sha256)
{
    bool has = false;
    for (size_t i = 0; i < life->count; i++) {
        const void *body = life->event[i].body;
        const ProtobufCBinaryData *named = NULL;
        uint32_t kind = life->event[i].envelope.kind;
        if (kind == DK_KIND_ATTACHMENT_ADDED) {
            named = &((const Docket__AttachmentAdded *)body)->sha256;
        } else if (kind == DK_KIND_ATTACHMENT_ERASED) {
            named = &((const Docket__AttachmentErased *)body)->sha256;
        }
        if (named != NULL && named->len == sha256->len &&
            memcmp(named->data, sha256->data, sha256->len) == 0) {
            has = kind == DK_KIND_ATTACHMENT_ADDED;
        }
    }
    return has;
}

static int complete_erase(struct dk_action *action, struct dk_err *err)
{
    const Docket__AttachmentErased *erased =
        (const Docket__AttachmentErased *)action->event[0].body;
    char ticket[DK_ID_TEXT_BYTES];
    struct dk_life life;
    if (erased->sha256.len != SHA256_BYTES) {
        return dk_cli_usage(err, "a SHA-256 has %d digits", 2 * SHA256_BYTES);
    }
    int rc = dk_life_init(&life, err);
    rc = rc != 0 ? rc : dk_desk_life(action->cli, action->event[0].subject, &life, err);
    if (rc == 0 && !has_attachment(&life, &erased->sha256)) {
        rc = dk_err_field(err, DK_ENOTFOUND, "attachment_erased.sha256",
                          "%s has no attachment of this hash, or it is erased already",
                          dk_id_format(action->event[0].subject, ticket));
    }
    dk_life_close(&life);
    return rc;
}

/* Which member of FieldSet the value goes to is said by the field's definition. */
static int complete_set_field(struct dk_action *action, struct dk_err *err)
{
    static const char *const member[] = {
        [DOCKET__FIELD_TYPE__FIELD_TEXT] = "text",
        [DOCKET__FIELD_TYPE__FIELD_NUMBER] = "number",
        [DOCKET__FIELD_TYPE__FIELD_DATE] = "date_us",
        [DOCKET__FIELD_TYPE__FIELD_CHOICE] = "choice",
        [DOCKET__FIELD_TYPE__FIELD_REFERENCE] = "reference",
    };
    const char *value = dk_cli_given(action->cli, "VALUE");
    uint64_t id = ((Docket__FieldSet *)action->event[0].body)->field;
    int rc = value != NULL ? dk_desk_learn(action->cli, id, err) : 0;
    if (rc != 0 || value == NULL) {
        return rc; /* without a value the field is cleared */
    }
    const Docket__FieldDefined *field = dk_refs_field(action->cli->desk->refs, id, INT64_MAX);
    if (field == NULL || field->type >= sizeof member / sizeof member[0] ||
        member[field->type] == NULL) {
        return dk_err_field(err, DK_EREFERENCE, "field_set.field", "no field \"%s\" is defined",
                            dk_cli_given(action->cli, "FIELD"));
    }
    return dk_action_fill(action, &action->event[0], member[field->type], value, err);
}

/* What the ticket's history says against acknowledging the notice. */
static int judge_ack(struct dk_cli *cli, const struct dk_life *life, uint64_t notice,
                     struct dk_err *err)
{
    const char *field = "notification_acknowledged.notice";
    char at[DK_TIME_TEXT_BYTES];
    bool requested = false;
    for (size_t i = 0; i < life->count; i++) {
        const struct dk_life_event *event = &life->event[i];
        const Docket__NotificationRequested *told = (const void *)event->body;
        const Docket__NotificationAcknowledged *acknowledged = (const void *)event->body;
        uint32_t kind = event->envelope.kind;
        requested |= kind == DK_KIND_NOTIFICATION_REQUESTED && told->notice == notice;
        if (kind == DK_KIND_NOTIFICATION_ACKNOWLEDGED && acknowledged->notice == notice) {
            return dk_err_field(err, DK_EILLEGAL, field,
                                "the notice %016" PRIx64 " is acknowledged already, since %s",
                                notice, dk_moment_show(cli->zone, event->envelope.occurred_us, at));
        }
    }
    return requested ? 0
                     : dk_err_field(err, DK_EREFERENCE, field,
                                    "the ticket has no notice %016" PRIx64
                                    ": take number and ticket from the notice itself",
                                    notice);
}

/* The broker refuses what it can tell by the number; the history tells all. */
static int complete_ack(struct dk_action *action, struct dk_err *err)
{
    const struct dk_action_event *event = &action->event[0];
    struct dk_life life;
    int rc = dk_life_init(&life, err);
    if (rc != 0) {
        return rc;
    }
    rc = dk_desk_life(action->cli, event->subject, &life, err);
    if (rc == 0 && life.count > 0) { /* else there is no such ticket, as the broker will say */
        rc = judge_ack(action->cli, &life,
                       ((const Docket__NotificationAcknowledged *)event->body)->notice, err);
    }
    dk_life_close(&life);
    return rc;
}

static int complete_presence(struct dk_action *action, struct dk_err *err)
{
    const Docket__PresenceChanged *changed = (const Docket__PresenceChanged *)action->event[0].body;
    if (dk_id_class(action->event[0].subject) != DK_SUBJECT_AGENT) {
        return dk_cli_usage(err, "presence is an agent's: say whose with --as");
    }
    return changed->has_until_us ? dk_action_check_ahead(action, "--until", changed->until_us, err)
                                 : 0;
}

static int complete_remind(struct dk_action *action, struct dk_err *err)
{
    const Docket__ReminderSet *set = (const Docket__ReminderSet *)action->event[0].body;
    return dk_action_check_ahead(action, "TIME", set->due_us, err);
}

/* clang-format off */
const struct dk_verb dk_verbs_work[] = {
    {.name = "hand-to-supplier", .summary = "a supplier works on it", .run = dk_action_run,
     .kind = DK_KIND_SUPPLIER_HANDED,
     .example = "hand-to-supplier 1-42 acme --reference RMA-17 --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"SUPPLIER", NULL, "the supplier, by key", "supplier", DK_NEEDED, 0},
         {"--contract", "CONTRACT", "under which contract, by key", "contract", 0, 0},
         {"--reference", "TEXT", "the supplier's own name for it", "reference", 0, 0})},
    {.name = "supplier-returned", .summary = "the supplier gave it back", .run = dk_action_run,
     .kind = DK_KIND_SUPPLIER_RETURNED,
     .example = "supplier-returned 1-42 acme --fixed --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"SUPPLIER", NULL, "the supplier, by key", "supplier", DK_NEEDED, 0},
         {"--fixed", NULL, "the supplier fixed it", "fixed", 0, 0},
         {"--remarks", "TEXT",
          "what the supplier says; - reads it from stdin", "remarks", DK_STDIN, 0})},
    {.name = "log-time", .summary = "log time of work", .run = dk_action_run,
     .kind = DK_KIND_TIME_LOGGED,
     .example = "log-time 1-42 25m --text \"on the phone\" --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"DURATION", NULL, "how long, as 1h30m", "seconds", DK_NEEDED, 0},
         {"--billable", NULL, "the customer pays for it", "billable", 0, 0},
         {"--text", "TEXT", "at what; - reads it from stdin", "text", DK_STDIN, 0})},
    {.name = "attach", .summary = "name a file as an attachment, by its hash", .run = dk_action_run,
     .kind = DK_KIND_ATTACHMENT_ADDED, .complete = complete_attach,
     .more = "The log holds the file's SHA-256 and size, not the file.\n",
     .example = "attach 1-42 photo.jpg --media-type image/jpeg --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"FILE", NULL, "the file", NULL, DK_NEEDED, 0},
         {"--name", "NAME", "as shown; the file's own when left out", "name", 0, 0},
         {"--media-type", "TYPE", "as image/jpeg", "media_type", 0, 0})},
    {.name = "erase-attachment", .summary = "record that an attachment is erased",
     .run = dk_action_run,
     .kind = DK_KIND_ATTACHMENT_ERASED, .complete = complete_erase,
     .example = "erase-attachment 1-42 "
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad "
                "--reason \"passport\" --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"SHA256", NULL, "its hash, 64 digits", "sha256", DK_NEEDED, 0},
         {"--reason", "TEXT", "why; - reads it from stdin", "reason", DK_STDIN, 0})},
    {.name = "set-field", .summary = "set a custom field, or clear it", .run = dk_action_run,
     .kind = DK_KIND_FIELD_SET, .complete = complete_set_field,
     .example = "set-field 1-42 floor 3 --as anna\nset-field 1-42 floor --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"FIELD", NULL, "the field, by key", "field", DK_NEEDED, 0},
         {"VALUE", NULL,
          "of the field's type; none clears it; a reference is CLASS/KEY", NULL, 0, 0})},
    {.name = "remind", .summary = "be reminded of it", .run = dk_action_run,
     .kind = DK_KIND_REMINDER_SET, .complete = complete_remind,
     .example = "remind 1-42 +4h \"call back\" --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"TIME", NULL, "when", "due_us", DK_NEEDED, 0},
         {"TEXT", NULL, "of what; - reads it from stdin", "text", DK_STDIN, 0})},
    {.name = "exception", .summary = "record an exception to policy", .run = dk_action_run,
     .kind = DK_KIND_EXCEPTION_RECORDED,
     .example = "exception 1-42 entitlement --reason \"pilot customer\" --as boss\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"TYPE", NULL, "checklist, entitlement, other", "type", DK_NEEDED, 0},
         {"--reason", "TEXT", "why; - reads it from stdin", "reason", DK_NEEDED | DK_STDIN, 0})},
    {.name = "ack", .summary = "acknowledge a notice", .run = dk_action_run,
     .kind = DK_KIND_NOTIFICATION_ACKNOWLEDGED, .complete = complete_ack,
     .example = "ack 1-42 3f9c0a1b2c3d4e5f --as anna\n",
     .parameter = DK_PARAMETERS(DK_TICKET,
         {"NOTICE", NULL,
          "the notice's number, as the notice and docket show have it", "notice", DK_NEEDED, 0})},
    {.name = "presence", .summary = "say whether an agent can take work", .run = dk_action_run,
     .kind = DK_KIND_PRESENCE_CHANGED, .complete = complete_presence,
     .example = "presence away --until +1h --as anna\n",
     .parameter = DK_PARAMETERS(
         {"PRESENCE", NULL, "available, busy, away, offline", "presence", DK_NEEDED, 0},
         {"--until", "TIME", "until when", "until_us", 0, 0},
         {"--reason", "TEXT", "why", "reason", 0, 0})},
    {.name = NULL},
};
/* clang-format on */
