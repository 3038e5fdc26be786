#include "replay/history/card.h"
#include "replay/history/moment.h"
#include <inttypes.h>
#include <string.h>

static const char *enum_word(const ProtobufCEnumDescriptor *descriptor, unsigned number,
                             char word[DK_WORD_BYTES])
{
    const ProtobufCEnumValue *value =
        number != 0 ? protobuf_c_enum_descriptor_get_value(descriptor, (int)number) : NULL;
    return value != NULL ? dk_enum_word(value, word) : "";
}

const char *dk_type_word(unsigned type, char word[DK_WORD_BYTES])
{
    return enum_word(&docket__ticket_type__descriptor, type, word);
}

const char *dk_channel_word(unsigned channel, char word[DK_WORD_BYTES])
{
    return enum_word(&docket__channel__descriptor, channel, word);
}

/* Flags that a reader asks for, in words. */
static const struct {
    unsigned flag;
    const char *word;
} flags[] = {
    {DK_TICKET_HISTORICAL, "historical"},
    {DK_TICKET_ADOPTED, "adopted"},
    {DK_TICKET_CHECKLIST, "checklist-answered"},
    {DK_TICKET_APPROVAL, "waits-for-approval"},
    {DK_TICKET_REPLIED, "replied"},
    {DK_TICKET_UNANSWERED, "unanswered"},
    {DK_TICKET_HANDED_OVER, "handed-over"},
    {DK_TICKET_ENTITLED, "entitled-by-exception"},
    {DK_TICKET_AWAY, "at-another-site"},
};

/* ------------------------------------------------------------------------------- people */

static void row(FILE *out, const char *name, const char *value)
{
    if (value[0] != '\0') {
        (void)fprintf(out, "  %-10s  %s\n", name, value);
    }
}

static void entity(FILE *out, const char *name, uint64_t id, const struct dk_words *words)
{
    char text[DK_NAME_BYTES];
    if (id != 0) {
        row(out, name, dk_refs_name(words->refs, id, text));
    }
}

static void instant(FILE *out, const char *name, int64_t us, const struct dk_words *words)
{
    char text[DK_TIME_TEXT_BYTES];
    if (us != 0) {
        row(out, name, dk_moment_show(words->zone, us, text));
    }
}

static void print_flags(const struct dk_ticket *ticket, FILE *out)
{
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((ticket->flags & flags[i].flag) != 0) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used > 0 ? ", " : "",
                                     flags[i].word);
        }
    }
    row(out, "is", text);
}

static void print_group(const struct dk_ticket *ticket, const struct dk_words *words, FILE *out)
{
    char name[DK_NAME_BYTES], text[DK_NAME_BYTES + 32];
    if (ticket->group != 0) {
        int used =
            snprintf(text, sizeof text, "%s", dk_refs_name(words->refs, ticket->group, name));
        if (ticket->line != 0) {
            (void)snprintf(text + used, sizeof text - (size_t)used, ", line %u", ticket->line);
        }
        row(out, "group", text);
    }
}

static void print_heading(uint64_t ticket, const struct dk_life_view *view, FILE *out)
{
    char name[DK_ID_TEXT_BYTES];
    size_t bytes = 0;
    const char *subject =
        dk_text_plain(view->opened != NULL ? view->opened->subject : NULL, &bytes);
    (void)fprintf(out, "%s  %.*s\n", dk_id_format(ticket, name), (int)bytes, subject);
}

void dk_card_print(uint64_t ticket, const struct dk_life_view *view, const struct dk_words *words,
                   FILE *out)
{
    const struct dk_ticket *t = &view->ticket;
    char word[DK_WORD_BYTES], text[64];
    print_heading(ticket, view, out);
    row(out, "status", dk_status_word(t->status, t->pending));
    row(out, "priority", dk_priority_word(t->priority));
    row(out, "type", dk_type_word(t->type, word));
    row(out, "channel", dk_channel_word(t->channel, word));
    print_group(t, words, out);
    entity(out, "owner", t->owner, words);
    entity(out, "speaker", t->speaker != t->owner ? t->speaker : 0, words);
    entity(out, "offered to", t->offered, words);
    entity(out, "returns to", t->returns_to, words);
    entity(out, "supplier", t->supplier, words);
    entity(out, "approver", t->approver, words);
    entity(out, "product", t->product, words);
    entity(out, "customer", t->customer, words);
    instant(out, "opened", t->opened_us, words);
    instant(out, "ended", t->ended_us, words);
    instant(out, "last event", view->last_us, words);
    instant(out, "unanswered", view->unanswered_since_us, words);
    print_flags(t, out);
    (void)snprintf(text, sizeof text, "%u, event %" PRIu64, t->version, t->last_position);
    row(out, "version", text);
    if (t->reopened > 0) {
        (void)snprintf(text, sizeof text, "%u times", t->reopened);
        row(out, "reopened", text);
    }
    if (t->irregular > 0) {
        (void)snprintf(text, sizeof text, "%u imported events", t->irregular);
        row(out, "irregular", text);
    }
}

/* --------------------------------------------------------------------------------- JSON */

static void set(json_t *object, const char *name, json_t *value)
{
    (void)json_object_set_new(object, name, value);
}

static void set_word(json_t *object, const char *name, const char *word)
{
    set(object, name, word[0] != '\0' ? json_string(word) : json_null());
}

static void set_entity(json_t *object, const char *name, uint64_t id, const struct dk_words *words)
{
    char id_text[DK_ID_TEXT_BYTES], text[DK_NAME_BYTES];
    set(object, name,
        id != 0 ? json_pack("{s:s, s:s}", "id", dk_id_format(id, id_text), "name",
                            dk_refs_name(words->refs, id, text))
                : json_null());
}

static void set_instant(json_t *object, const char *name, int64_t us)
{
    char text[DK_TIME_TEXT_BYTES];
    set(object, name, us != 0 ? json_string(dk_time_format(us, 0, text)) : json_null());
}

static json_t *flags_json(const struct dk_ticket *ticket)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if ((ticket->flags & flags[i].flag) != 0) {
            (void)json_array_append_new(list, json_string(flags[i].word));
        }
    }
    return list;
}

static const char *pending_word(const struct dk_ticket *ticket, char word[DK_WORD_BYTES])
{
    return enum_word(&docket__pending__descriptor, ticket->pending, word);
}

json_t *dk_card_json(uint64_t ticket, const struct dk_life_view *view, const struct dk_words *words)
{
    const struct dk_ticket *t = &view->ticket;
    char word[DK_WORD_BYTES], name[DK_ID_TEXT_BYTES];
    size_t bytes = 0;
    const char *subject =
        dk_text_plain(view->opened != NULL ? view->opened->subject : NULL, &bytes);
    json_t *card = json_object();
    set(card, "ticket", json_string(dk_id_format(ticket, name)));
    set(card, "subject", json_stringn(subject, bytes));
    set_word(card, "status", enum_word(&docket__status__descriptor, t->status, word));
    set_word(card, "pending", pending_word(t, word));
    set_word(card, "priority", enum_word(&docket__priority__descriptor, t->priority, word));
    set_word(card, "type", dk_type_word(t->type, word));
    set_word(card, "channel", dk_channel_word(t->channel, word));
    set(card, "line", t->line != 0 ? json_integer(t->line) : json_null());
    set_entity(card, "group", t->group, words);
    set_entity(card, "owner", t->owner, words);
    set_entity(card, "speaker", t->speaker, words);
    set_entity(card, "offered", t->offered, words);
    set_entity(card, "returns_to", t->returns_to, words);
    set_entity(card, "supplier", t->supplier, words);
    set_entity(card, "approver", t->approver, words);
    set_entity(card, "product", t->product, words);
    set_entity(card, "customer", t->customer, words);
    set_instant(card, "opened", t->opened_us);
    set_instant(card, "ended", t->ended_us);
    set_instant(card, "last_occurred", view->last_us);
    set_instant(card, "unanswered_since", view->unanswered_since_us);
    set(card, "flags", flags_json(t));
    set(card, "version", json_integer(t->version));
    set(card, "last_position", json_integer((json_int_t)t->last_position));
    set(card, "reopened", json_integer(t->reopened));
    set(card, "irregular", json_integer(t->irregular));
    return card;
}
