/* Every (status, kind): the verdict, and the state after it, of the live and the imported event.
 * The table is ticket_table.h; this file reads it. */
#include "proto/event/body.h"
#include "proto/fold/notice.h"
#include "tests/unit/ticket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define GIVEN_NOTHING       0u
#define GIVEN_HISTORICAL    DK_TICKET_HISTORICAL
#define GIVEN_CHECKLIST     DK_TICKET_CHECKLIST
#define GIVEN_AWAY          DK_TICKET_AWAY
#define GIVEN_APPROVAL      DK_TICKET_APPROVAL
#define GIVEN_UNANSWERED    DK_TICKET_UNANSWERED
#define GIVEN_HANDED_OVER   DK_TICKET_HANDED_OVER
#define GIVEN_OFFERED       (1u << 16)
#define GIVEN_ACKNOWLEDGED  (1u << 17)
#define GIVEN_WITH_SUPPLIER (1u << 18)

struct row {
    uint32_t kind;
    const char *body; /* "field=value ..." */
    unsigned given;
    const char *cells;
    const char *changes;
    const char *imported;
    int line;
};

static const struct row table[] = {
#define ROW(kind, body, given, cells, changes, imported)                                           \
    {DK_KIND_##kind, body, GIVEN_##given, cells, changes, imported, __LINE__},
#include "tests/unit/ticket_table.h"
#undef ROW
};
#define ROWS (sizeof table / sizeof *table)

/* A value as the table writes it: one of the cast, an enum's last word, or a number. */
static uint64_t value_of(const ProtobufCFieldDescriptor *field, const char *text)
{
    const struct {
        const char *name;
        uint64_t value;
    } names[] = {{"anna", ANNA},
                 {"bert", BERT},
                 {"support", SUPPORT},
                 {"network", NETWORK},
                 {"vpn", VPN},
                 {"carl", CARL},
                 {"dora", DORA},
                 {"acme", ACME},
                 {"room", ROOM},
                 {"own", dk_notice_number(TICKET, UINT64_MAX / 3)},
                 {"next", dk_notice_number(TICKET, UINT64_MAX / 5)},
                 {"foreign", dk_notice_number(OTHER, UINT64_MAX / 3)},
                 {"itself", TICKET},
                 {"other", OTHER},
                 {"now", (uint64_t)NOW_US},
                 {"later", (uint64_t)NOW_US + 1}};
    const ProtobufCEnumDescriptor *words = field->descriptor;
    char *end;
    uint64_t number = strtoull(text, &end, 10);

    if (*end == '\0')
        return number;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, text) == 0)
            return names[i].value;
    for (unsigned i = 0; field->type == PROTOBUF_C_TYPE_ENUM && i < words->n_values; i++) {
        const char *word = strrchr(words->values[i].name, '_') + 1;

        if (strcasecmp(word, text) == 0)
            return (uint64_t)words->values[i].value;
    }
    fail_msg("the table says %s=%s, which means nothing", field->name, text);
    return 0;
}

static void set_field(ProtobufCMessage *body, const char *name, const char *text)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name);
    uint8_t *base = (uint8_t *)body;
    uint64_t value;

    if (field == NULL)
        fail_msg("the table sets %s.%s, which there is not", body->descriptor->name, name);
    value = value_of(field, text);
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        *(protobuf_c_boolean *)(base + field->quantifier_offset) = 1;
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64: memcpy(base + field->offset, &value, 8); break;
    default: memcpy(base + field->offset, &value, 4); break; /* little-endian: see event.h */
    }
}

/* Body and actor of a row. The body is zeroed memory of the right size, borrowed until the next. */
static const ProtobufCMessage *body_of(const struct row *row, uint64_t *actor)
{
    static union {
        ProtobufCMessage message;
        uint8_t bytes[512];
    } body;
    const ProtobufCMessageDescriptor *descriptor = dk_body_descriptor(row->kind);
    char text[256], *rest = text;

    assert_non_null(descriptor);
    assert_true(descriptor->sizeof_message <= sizeof body);
    protobuf_c_message_init(descriptor, &body);
    *actor = BY_ANNA;
    snprintf(text, sizeof text, "%s", row->body);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        char *name = strsep(&word, "=");

        if (strcmp(name, "by") == 0)
            *actor = strcmp(word, "bert") == 0       ? BY_BERT
                     : strcmp(word, "routing") == 0  ? BY_ROUTING
                     : strcmp(word, "operator") == 0 ? BY_OPERATOR
                                                     : BY_CARL;
        else if (word != NULL)
            set_field(&body.message, name, word);
    }
    return &body.message;
}

static struct dk_ticket ticket_of(const struct row *row, unsigned status)
{
    struct dk_ticket ticket = fixture_ticket(status);

    if (status == DOCKET__STATUS__STATUS_NONE)
        return ticket;
    ticket.flags = (uint16_t)row->given;
    if (row->given == GIVEN_OFFERED)
        ticket.offered = BERT;
    if (row->given == GIVEN_WITH_SUPPLIER)
        ticket.supplier = ACME;
    if (row->given == GIVEN_ACKNOWLEDGED)
        ticket.acknowledged = dk_notice_number(TICKET, UINT64_MAX / 3);
    if (row->given == GIVEN_HANDED_OVER)
        ticket.returns_to = BERT;
    if (row->given == GIVEN_APPROVAL)
        ticket.approver = BERT;
    return ticket;
}

static void add_word(char *out, size_t bytes, bool differs, const char *sign, const char *word)
{
    size_t used = strlen(out);

    if (differs)
        snprintf(out + used, bytes - used, "%s%s%s", used > 0 ? " " : "", sign, word);
}

/* What differs beside the status and the book-keeping of versions and positions. */
static void difference(const struct dk_ticket *a, const struct dk_ticket *b, char *out,
                       size_t bytes)
{
    static const char *const flags[] = {"historical",  "adopted",  "checklist",
                                        "approval",    "replied",  "unanswered",
                                        "handed_over", "entitled", "away"};

    out[0] = '\0';
#define FIELD(name) add_word(out, bytes, a->name != b->name, "", #name);
    FIELD(group)
    FIELD(owner)
    FIELD(speaker)
    FIELD(returns_to)
    FIELD(offered)
    FIELD(approver)
    FIELD(supplier)
    FIELD(acknowledged)
    FIELD(customer)
    FIELD(product)
    FIELD(line)
    FIELD(priority)
    FIELD(type)
    FIELD(channel)
#undef FIELD
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++)
        add_word(out, bytes, ((a->flags ^ b->flags) >> i) & 1,
                 ((b->flags >> i) & 1) != 0 ? "+" : "-", flags[i]);
}

static int code_of(char sign)
{
    switch (sign) {
    case '+': return 0;
    case '-': return DK_EILLEGAL;
    case '?': return DK_ENOTFOUND;
    case '!': return DK_EEXISTS;
    case '~': return DK_EREFERENCE;
    case '>': return DK_EMOVED;
    case '<': return DK_EEARLY;
    default: fail_msg("the table has a verdict '%c'", sign); return 1;
    }
}

static unsigned status_after(char letter, unsigned before)
{
    static const char letters[] = " nopscm";
    const char *found = letter != '\0' ? strchr(letters, letter) : NULL;

    return found != NULL ? (unsigned)(found - letters) : before;
}

/* What even an importer is refused. */
static int import_code_of(const struct row *row, char sign)
{
    bool adopts_live = row->kind == DK_KIND_ADOPTED && row->given != GIVEN_HISTORICAL;

    return sign == '?' || sign == '!' || adopts_live ? code_of(sign) : 0;
}

struct cell {
    const struct row *row;
    unsigned status;
    bool imported;
    char sign;
    char letter;
};

static void fold_cell(const struct cell *cell)
{
    const struct row *row = cell->row;
    const struct dk_ticket before = ticket_of(row, cell->status);
    struct dk_ticket after = before;
    uint64_t actor;
    const ProtobufCMessage *body = body_of(row, &actor);
    struct dk_envelope event = fixture_event(&before, row->kind, actor);
    const char *word = dk_status_word(cell->status, 0);
    unsigned irregular = cell->sign != '+' && cell->imported;
    const char *changes = cell->imported && row->imported[0] != '=' ? row->imported : row->changes;
    char found[128];
    int code, expected = cell->imported ? import_code_of(row, cell->sign) : code_of(cell->sign);

    event.flags = cell->imported ? DOCKET__EVENT_FLAG__FLAG_IMPORTED : 0;
    code = dk_ticket_check(&before, NULL, DK_ROLE_OPERATOR, &event, body, NULL);
    if (code != expected)
        fail_msg("ticket_table.h:%d %s (%s) %s: %s, not %s", row->line,
                 cell->imported ? "imported" : "live", word, row->body, dk_code_name(code),
                 dk_code_name(expected));
    if (!cell->imported && cell->sign != '+')
        return;
    dk_ticket_apply(&after, &event, body);
    if (after.status != status_after(cell->letter, before.status) || after.irregular != irregular ||
        after.version != before.version + 1)
        fail_msg("ticket_table.h:%d %s (%s) %s: becomes %s, irregular %u, version %u", row->line,
                 cell->imported ? "imported" : "live", word, row->body,
                 dk_status_word(after.status, 0), after.irregular, after.version);
    difference(&before, &after, found, sizeof found);
    if (cell->sign != '?' && cell->sign != '!' && strcmp(found, changes) != 0)
        fail_msg("ticket_table.h:%d %s (%s) %s: changes [%s], not [%s]", row->line,
                 cell->imported ? "imported" : "live", word, row->body, found, changes);
}

static void test_ticket_table_every_status_and_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        char text[64], *rest = text;
        unsigned status = 0;

        snprintf(text, sizeof text, "%s", table[i].cells);
        for (char *word; (word = strsep(&rest, " ")) != NULL;) {
            const char *slash = strchr(word, '/');
            const char *imported = slash != NULL ? slash + 1 : word;

            if (word[0] == '\0')
                continue;
            assert_true(status <= DOCKET__STATUS__STATUS_MERGED);
            fold_cell(&(struct cell){&table[i], status, false, word[0], word[1]});
            fold_cell(&(struct cell){&table[i], status, true, imported[0], imported[1]});
            status++;
        }
        assert_int_equal(status, DOCKET__STATUS__STATUS_MERGED + 1);
    }
}

static void test_ticket_table_lists_every_kind(void **state)
{
    (void)state;
    for (uint32_t kind = DK_KIND_MIN; kind <= DK_KIND_TICKET_LAST; kind++) {
        size_t rows = 0;

        for (size_t i = 0; i < ROWS; i++)
            rows += table[i].kind == kind;
        if (rows == 0)
            fail_msg("ticket_table.h has no row of kind %u", kind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticket_table_every_status_and_kind),
        cmocka_unit_test(test_ticket_table_lists_every_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
