/* Random lives of tickets, from seeds. Live events are offered until one is legal: then what holds
 * of every ticket holds. Imported ones are folded whatever they say. */
#include "proto/event/body.h"
#include "proto/fold/notice.h"
#include "proto/fold/traits.h"
#include "tests/unit/ticket_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SEEDS  300
#define EVENTS 300

/* splitmix64 */
static uint64_t draw(uint64_t *seed, uint64_t below)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static uint64_t random_id(uint64_t *seed)
{
    const uint64_t ids[] = {0,    ANNA, BERT, SUPPORT, NETWORK, VPN,
                            CARL, ACME, ROOM, TICKET,  OTHER,   dk_notice_number(TICKET, 0)};

    return ids[draw(seed, sizeof ids / sizeof *ids)];
}

/* `wild`: also numbers that mean nothing, as no body check would let through. */
static uint64_t random_value(const ProtobufCFieldDescriptor *field, uint64_t *seed, bool wild)
{
    const ProtobufCEnumDescriptor *words = field->descriptor;

    if (wild && draw(seed, 8) == 0)
        return UINT64_MAX - draw(seed, 2) * (UINT64_MAX / 2);
    switch (field->type) {
    case PROTOBUF_C_TYPE_ENUM: return (uint64_t)words->values[draw(seed, words->n_values)].value;
    case PROTOBUF_C_TYPE_FIXED64: return random_id(seed);
    case PROTOBUF_C_TYPE_SFIXED64: return (uint64_t)NOW_US + draw(seed, 3) - 1;
    case PROTOBUF_C_TYPE_BOOL: return draw(seed, 4) != 0;
    default: return draw(seed, 4);
    }
}

static void fill_field(ProtobufCMessage *body, const ProtobufCFieldDescriptor *field,
                       uint64_t *seed, bool wild)
{
    static Docket__Text text = DOCKET__TEXT__INIT;
    uint8_t *at = (uint8_t *)body + field->offset;
    bool wide = field->type == PROTOBUF_C_TYPE_FIXED64 || field->type == PROTOBUF_C_TYPE_SFIXED64 ||
                field->type == PROTOBUF_C_TYPE_UINT64;
    uint64_t value;

    if (field->label == PROTOBUF_C_LABEL_REPEATED ||
        (field->label == PROTOBUF_C_LABEL_OPTIONAL && draw(seed, 2) == 0))
        return;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (field->descriptor == &docket__text__descriptor)
            *(Docket__Text **)(void *)at = &text;
        return;
    }
    if (field->type == PROTOBUF_C_TYPE_BYTES || field->type == PROTOBUF_C_TYPE_DOUBLE)
        return;
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        *(protobuf_c_boolean *)((uint8_t *)body + field->quantifier_offset) = 1;
    value = random_value(field, seed, wild);
    memcpy(at, &value, wide ? 8 : 4);
}

struct random_event {
    struct dk_envelope envelope;
    union {
        ProtobufCMessage message;
        uint8_t bytes[512];
    } body;
};

static void random_event(struct random_event *event, const struct dk_ticket *ticket, uint64_t *seed,
                         bool wild)
{
    const uint64_t actors[] = {BY_ANNA, BY_BERT, BY_CARL, BY_ROUTING, BY_SLA, BY_IMPORTER};
    uint32_t kind = (uint32_t)(DK_KIND_MIN + draw(seed, DK_KIND_TICKET_LAST - DK_KIND_MIN + 1));
    const ProtobufCMessageDescriptor *descriptor;

    if (ticket->last_position == 0 && !wild)
        kind = DK_KIND_OPENED;
    if (kind == DK_KIND_MERGED_INTO && draw(seed, 10) != 0)
        kind = DK_KIND_STATUS_CHANGED; /* lives shall be long, and merged is final */
    descriptor = dk_body_descriptor(kind);
    assert_true(descriptor->sizeof_message <= sizeof event->body);
    event->envelope = fixture_event(ticket, kind, actors[draw(seed, 6)]);
    event->envelope.flags = wild ? DOCKET__EVENT_FLAG__FLAG_IMPORTED : 0;
    memset(&event->body, 0, sizeof event->body);
    protobuf_c_message_init(descriptor, &event->body);
    for (unsigned i = 0; i < descriptor->n_fields; i++)
        fill_field(&event->body.message, &descriptor->fields[i], seed, wild);
}

static unsigned role_of(const struct dk_envelope *event)
{
    return dk_id_class(event->actor) == DK_ACTOR_NODE ? (unsigned)(event->actor & DK_ID_MASK)
                                                      : DK_ROLE_AGENT;
}

/* DOMAIN "Ticket life", written down a second time: what a status may be followed by. */
static bool may_follow(unsigned before, unsigned after)
{
    static const char *const next[] = {"n", "nopsm", "opsm", "opsm", "socm", "co", "m"};
    static const char letters[] = "-nopscm";

    return strchr(next[before], letters[after]) != NULL;
}

static void assert_sound(const struct dk_ticket *ticket, uint32_t events)
{
    bool waits = ticket->status == DOCKET__STATUS__STATUS_PENDING;

    assert_int_equal(ticket->version, events);
    assert_in_range(ticket->status, DOCKET__STATUS__STATUS_NEW, DOCKET__STATUS__STATUS_MERGED);
    assert_in_range(ticket->priority, DOCKET__PRIORITY__PRIORITY_CRITICAL,
                    DOCKET__PRIORITY__PRIORITY_LOW);
    assert_int_equal(ticket->pending != 0, waits);
    assert_int_equal(ticket->ended_us != 0, !dk_ticket_live(ticket));
    assert_int_equal(ticket->returns_to != 0, (ticket->flags & DK_TICKET_HANDED_OVER) != 0);
    assert_true(ticket->offered == 0 || dk_ticket_live(ticket));
    assert_int_equal(ticket->irregular, 0);
    assert_false(dk_ticket_historical(ticket));
}

/* What conditions ask of a ticket, in the order of the log, is what its life says. */
static void assert_traits(struct dk_traits *traits, const struct dk_ticket *ticket,
                          const struct random_event *event)
{
    struct dk_transition made[DK_TRANSITIONS_OF_EVENT];
    size_t count = dk_transitions_of(&event->envelope, &event->body.message, made);

    for (size_t i = 0; i < count; i++)
        (void)dk_traits_apply(traits, &made[i]);
    assert_int_equal(traits->customer & DK_ID_MASK, ticket->customer & DK_ID_MASK);
    assert_int_equal(traits->product & DK_ID_MASK, ticket->product & DK_ID_MASK);
    assert_int_equal(traits->group & DK_ID_MASK, ticket->group & DK_ID_MASK);
    assert_int_equal(traits->priority, ticket->priority);
    assert_int_equal(traits->type, ticket->type);
    assert_int_equal(traits->channel, ticket->channel);
}

static void test_ticket_random_legal_lives_are_sound(void **state)
{
    unsigned seen[DK_KIND_TICKET_LAST + 1] = {0};

    (void)state;
    for (uint64_t first = 1; first <= SEEDS; first++) {
        struct dk_ticket ticket = {0};
        struct dk_traits traits = {0};
        uint64_t seed = first;
        uint32_t events = 0;

        for (unsigned i = 0; i < EVENTS; i++) {
            struct random_event event;
            unsigned before = ticket.status;

            random_event(&event, &ticket, &seed, false);
            if (dk_ticket_check(&ticket, NULL, role_of(&event.envelope), &event.envelope,
                                &event.body.message, NULL) != 0)
                continue;
            dk_ticket_apply(&ticket, &event.envelope, &event.body.message);
            seen[event.envelope.kind]++;
            assert_sound(&ticket, ++events);
            assert_traits(&traits, &ticket, &event);
            if (!may_follow(before, ticket.status))
                fail_msg("seed %llu: kind %u led from %s to %s", (unsigned long long)first,
                         event.envelope.kind, dk_status_word(before, 0),
                         dk_status_word(ticket.status, 0));
        }
    }
    for (uint32_t kind = DK_KIND_MIN; kind <= DK_KIND_TICKET_LAST; kind++)
        if (kind != DK_KIND_ADOPTED && seen[kind] == 0)
            fail_msg("no random life had a legal event of kind %u", kind);
}

/* Apply is total, and a function of its arguments: whatever the memory held before. */
static void test_ticket_random_imports_fold_to_equal_bytes(void **state)
{
    (void)state;
    for (uint64_t first = 1; first <= SEEDS; first++) {
        struct dk_ticket once = {0}, twice = {0};
        uint64_t seed = first;

        for (uint32_t i = 0; i < EVENTS; i++) {
            struct random_event event;
            struct dk_ticket copy;

            random_event(&event, &once, &seed, true);
            memset(&copy, 0xaa, sizeof copy);
            copy = twice;
            dk_ticket_apply(&once, &event.envelope, &event.body.message);
            dk_ticket_apply(&copy, &event.envelope, &event.body.message);
            twice = copy;
            assert_memory_equal(&once, &twice, sizeof once);
            assert_int_equal(once.version, i + 1);
            assert_in_range(once.status, 0, DOCKET__STATUS__STATUS_MERGED);
            assert_in_range(once.priority, 0, DOCKET__PRIORITY__PRIORITY_LOW);
            assert_in_range(once.pending, 0, DOCKET__PENDING__PENDING_INTERNAL);
        }
        assert_true(once.irregular > 0);
    }
}

/* The heads file stores the struct's bytes: there is no byte that no field defines. */
static void test_ticket_has_no_padding(void **state)
{
    size_t bytes = 0;
    struct dk_ticket t;

    (void)state;
#define FIELD(name)                                                                                \
    assert_int_equal(offsetof(struct dk_ticket, name), bytes);                                     \
    bytes += sizeof t.name;
    FIELD(last_position)
    FIELD(last_input)
    FIELD(last_of_role)
    FIELD(group)
    FIELD(owner)
    FIELD(speaker)
    FIELD(returns_to)
    FIELD(offered)
    FIELD(product)
    FIELD(customer)
    FIELD(approver)
    FIELD(supplier)
    FIELD(acknowledged)
    FIELD(opened_us)
    FIELD(ended_us)
    FIELD(version)
    FIELD(irregular)
    FIELD(reopened)
    FIELD(flags)
    FIELD(status)
    FIELD(pending)
    FIELD(priority)
    FIELD(line)
    FIELD(type)
    FIELD(channel)
#undef FIELD
    assert_int_equal(bytes, sizeof t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ticket_random_legal_lives_are_sound),
        cmocka_unit_test(test_ticket_random_imports_fold_to_equal_bytes),
        cmocka_unit_test(test_ticket_has_no_padding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
