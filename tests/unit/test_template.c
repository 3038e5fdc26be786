#include "nodes/notification/message.h"
#include "nodes/notification/payload.h"
#include "nodes/notification/template.h"
#include "proto/fold/ticket.h"

#include "tests/unit/notification_site.h"
#include <stdio.h>

/* ---------------------------------------------------------------- rendering */

/* Every field's value is its word in brackets; the text's holds what looks like a field. */
static void put_word(void *arg, enum dk_template_field field, struct dk_buf *out)
{
    static const char *const words[] = {
#define X(NAME, word) word,
        DK_TEMPLATE_FIELDS(X)
#undef X
    };
    (void)arg;
    ASSERT_OK(dk_buf_printf(out, "[%s]", field == DK_TEMPLATE_TEXT ? "{{ticket}}" : words[field]),
              (&(struct dk_err){0}));
}

static const char *render(const char *text)
{
    static struct dk_buf out;
    struct dk_template_values values = {NULL, put_word};
    ProtobufCBinaryData bytes = test_bytes(text);
    if (out.max == 0) {
        dk_buf_init(&out, DK_TEMPLATE_BUFFER_BYTES + 1);
    }
    dk_template_render(&bytes, &values, &out);
    return dk_buf_string(&out);
}

static void test_template_fields_are_replaced(void **state)
{
    (void)state;
    ASSERT_STR(render(""), "");
    ASSERT_STR(render("plain"), "plain");
    ASSERT_STR(render("{{ticket}}"), "[ticket]");
    ASSERT_STR(render("a {{ticket}}{{due}} b {{late_by}}."), "a [ticket][due] b [late_by].");
    ASSERT_STR(render("{{{ticket}}}"), "{[ticket]}");
}

static void test_template_every_field_of_the_list_is_known(void **state)
{
    (void)state;
#define X(NAME, word)                                                                              \
    ASSERT_STR(render("{{" word "}}"),                                                             \
               DK_TEMPLATE_##NAME == DK_TEMPLATE_TEXT ? "[{{ticket}}]" : "[" word "]");
    DK_TEMPLATE_FIELDS(X)
#undef X
}

static void test_template_what_is_no_field_stays(void **state)
{
    static const char *const texts[] = {"{{nothing}}",  "{{ticket", "{{ticket}", "{ {ticket}}",
                                        "{{ ticket }}", "{{}}",     "}}{{",      "{{Ticket}}"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ASSERT_STR(render(texts[i]), texts[i]);
    }
}

static void test_template_a_value_is_not_looked_into(void **state)
{
    (void)state;
    ASSERT_STR(render("{{text}} {{owner}}"), "[{{ticket}}] [owner]");
}

static void test_template_is_cut_between_characters(void **state)
{
    char *text = test_memory(DK_TEMPLATE_MAX_BYTES + 8);
    (void)state;
    memset(text, 'x', DK_TEMPLATE_MAX_BYTES - 1);
    memcpy(text + DK_TEMPLATE_MAX_BYTES - 1, "\u20ac", 4); /* three bytes, two of them too many */
    ASSERT_EQ(strlen(render(text)), DK_TEMPLATE_MAX_BYTES - 1);
    memcpy(text + DK_TEMPLATE_MAX_BYTES - 3, "\u20ac", 4);
    ASSERT_EQ(strlen(render(text)), DK_TEMPLATE_MAX_BYTES);
}

static const char *language_for(const char *wanted)
{
    Docket__TemplateDefined template = DOCKET__TEMPLATE_DEFINED__INIT;
    Docket__TemplateText *texts[] = {site_text("", NULL, "default"), site_text("pt", NULL, "pt"),
                                     site_text("pt-BR", NULL, "pt-BR")};
    template.n_text = 3;
    template.text = texts;
    const Docket__TemplateText *text = dk_template_text(&template, wanted, strlen(wanted));
    return (const char *)text->body.data;
}

static void test_template_language_falls_back(void **state)
{
    Docket__TemplateDefined template = DOCKET__TEMPLATE_DEFINED__INIT;
    Docket__TemplateText *texts[] = {site_text("de", NULL, "de")};
    (void)state;
    ASSERT_STR(language_for("pt-BR"), "pt-BR");
    ASSERT_STR(language_for("pt-PT"), "pt");
    ASSERT_STR(language_for("pt"), "pt");
    ASSERT_STR(language_for("pt-br"), "pt-BR");
    ASSERT_STR(language_for("PT"), "pt");
    ASSERT_STR(language_for("pt-BR-abl1943"), "pt-BR");
    ASSERT_STR(language_for("p"), "default");
    ASSERT_STR(language_for("de-AT"), "default");
    ASSERT_STR(language_for(""), "default");
    template.n_text = 1;
    template.text = texts;
    ASSERT_TRUE(dk_template_text(&template, "fr", 2) == NULL);
}

/* ---------------------------------------------------------------- messages */

struct said {
    struct role_world world;
    struct dk_zone *zone;
    struct dk_buf json;
};

static int set_up(void **state)
{
    struct said *said = test_memory(sizeof *said);
    struct dk_err err;
    world_open(&said->world, &dk_notification_role);
    site_define(&said->world);
    ASSERT_OK(dk_zone_load(&said->zone, "Europe/Berlin", &err), &err);
    dk_buf_init(&said->json, DK_PAYLOAD_MAX_BYTES);
    *state = said;
    return 0;
}

static int tear_down(void **state)
{
    struct said *said = *state;
    world_close(&said->world);
    dk_zone_free(&said->zone);
    dk_buf_close(&said->json);
    return 0;
}

/* The outbox's first notice, as it would go out. */
static int say(struct said *said, struct dk_err *err)
{
    void *self = dk_folder_self(said->world.folder);
    struct dk_message message = {.world = dk_folder_world(said->world.folder), .zone = said->zone};
    struct dk_envelope cause;
    size_t bytes;
    (void)world_settle(&said->world);
    message.notice = dk_notification_next(self, 0, &message.id);
    ASSERT_TRUE(message.notice != NULL);
    message.ticket = dk_notification_ticket(self, message.notice->ticket);
    dk_event_load(world_record(&said->world, message.notice->cause, &bytes), &cause);
    message.cause = &cause;
    message.body = world_body(&said->world, message.notice->cause, cause.kind);
    message.opened = world_body(&said->world, message.ticket->opened, DK_KIND_OPENED);
    dk_buf_clear(&said->json);
    json_t *made = NULL;
    int rc = dk_message_make(&message, &made, err);
    rc = rc != 0 ? rc : dk_payload_write(made, message.payload, NULL, &said->json, err);
    json_decref(made);
    return rc;
}

static void define_template(struct role_world *world, const char *language, const char *title,
                            const char *body)
{
    Docket__TemplateDefined news = DOCKET__TEMPLATE_DEFINED__INIT;
    Docket__TemplateText *texts[] = {site_text(language, title, body)};
    news.definition = test_definition("news");
    news.n_text = 1;
    news.text = texts;
    (void)world_define(world, DK_KIND_TEMPLATE_DEFINED, &news);
}

static void test_message_says_what_happened(void **state)
{
    struct said *said = *state;
    struct dk_err err;
    (void)site_add_rule(&said->world, site_rule("tell-owner", DK_KIND_ASSIGNED,
                                                DOCKET__RULE_RECIPIENT__RULE_OWNER));
    uint64_t cause = site_assign(&said->world, site_ticket(&said->world), ANNA);
    ASSERT_OK(say(said, &err), &err);
    const char *json = dk_buf_string(&said->json);
    char position[40];
    (void)snprintf(position, sizeof position, "\"position\":%d,", (int)cause);
    ASSERT_CONTAINS(json, position);
    ASSERT_CONTAINS(json, "{\"notice\":\"");
    ASSERT_CONTAINS(json, "\"ticket\":\"7-1\",\"event\":\"assigned\",");
    ASSERT_CONTAINS(json, "\"rule\":\"tell-owner\"");
    ASSERT_CONTAINS(json, "\"recipient_name\":\"Anna Berg\",\"language\":\"de\"");
    ASSERT_CONTAINS(json, "\"title\":\"7-1\""); /* the German text has none of its own */
    ASSERT_CONTAINS(json, "\"text\":\"Anna Berg: The printer is on fire\"");
}

static void test_message_knows_every_field(void **state)
{
    struct said *said = *state;
    struct dk_err err;
    Docket__ClockBreached breached = DOCKET__CLOCK_BREACHED__INIT;
    Docket__ClockRef clock = DOCKET__CLOCK_REF__INIT;
    struct dk_envelope by_sla = {.actor = dk_id_make(DK_ACTOR_NODE, DK_ROLE_SLA)};
    define_template(&said->world, "", "{{event}}",
                    "{{ticket}}|{{subject}}|{{status}}|{{priority}}|{{type}}|{{channel}}|"
                    "{{product}}|{{line}}|{{group}}|{{owner}}|{{customer}}|{{company}}|"
                    "{{supplier}}|{{recipient}}|{{event}}|{{occurred}}|{{actor}}|{{text}}|"
                    "{{metric}}|{{due}}|{{late_by}}|{{level}}");
    (void)site_add_rule(&said->world, site_rule("late", DK_KIND_CLOCK_BREACHED,
                                                DOCKET__RULE_RECIPIENT__RULE_MANAGER));
    by_sla.subject = site_ticket(&said->world);
    (void)site_assign(&said->world, by_sla.subject, ANNA);
    clock.metric = DOCKET__METRIC__METRIC_FIRST_REPLY;
    clock.instance = 1;
    breached.clock = &clock;
    breached.due_us = test_at("2026-07-01T10:00:00Z"); /* summer in Berlin */
    breached.late_by_us = 125 * (uint64_t)DK_MINUTE_US;
    by_sla.occurred_us = test_at("2026-02-03T10:00:00Z"); /* winter */
    (void)world_append_as(&said->world, by_sla, DK_KIND_CLOCK_BREACHED, &breached);
    ASSERT_OK(say(said, &err), &err);
    ASSERT_CONTAINS(dk_buf_string(&said->json), "\"language\":\"\",");
    ASSERT_CONTAINS(dk_buf_string(&said->json),
                    "\"text\":\"7-1|The printer is on fire|new|high|-|email|-|1|desk|Anna Berg|"
                    "Carl Dahl|-|-|Mara Lund|clock-breached|2026-02-03T11:00:00+01:00|sla|-|"
                    "first-reply|2026-07-01T12:00:00+02:00|2h 05m|-\"");
}

static void test_message_quotes_what_people_wrote(void **state)
{
    struct said *said = *state;
    struct dk_err err;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    struct dk_envelope by_anna = {.actor = dk_id_make(DK_ACTOR_AGENT, ANNA)};
    define_template(&said->world, "", "{{actor}}", "{{text}}");
    (void)site_add_rule(&said->world,
                        site_rule("note", DK_KIND_NOTE_ADDED, DOCKET__RULE_RECIPIENT__RULE_GROUP));
    by_anna.subject = site_ticket(&said->world);
    note.text = test_text("say \"hello\"\n{{owner}} \u00fc");
    (void)world_append_as(&said->world, by_anna, DK_KIND_NOTE_ADDED, &note);
    ASSERT_OK(say(said, &err), &err);
    ASSERT_CONTAINS(dk_buf_string(&said->json),
                    "\"title\":\"Anna Berg\",\"text\":\"say \\\"hello\\\"\\n{{owner}} \u00fc\"");
}

static void test_message_of_the_largest_text_fits(void **state)
{
    struct said *said = *state;
    struct dk_err err;
    Docket__NoteAdded note = DOCKET__NOTE_ADDED__INIT;
    char *bells = test_memory(DK_TEXT_MAX_BYTES);
    memset(bells, '\a', DK_TEXT_MAX_BYTES - 1); /* six bytes each, in JSON */
    define_template(&said->world, "", "{{text}}{{text}}", "{{text}}{{text}}");
    (void)site_add_rule(&said->world,
                        site_rule("note", DK_KIND_NOTE_ADDED, DOCKET__RULE_RECIPIENT__RULE_GROUP));
    note.text = test_text(bells);
    (void)world_append(&said->world, site_ticket(&said->world), DK_KIND_NOTE_ADDED, &note);
    ASSERT_OK(say(said, &err), &err);
    ASSERT_TRUE(said->json.size > 12u * DK_TEMPLATE_MAX_BYTES);
}

static void test_message_without_a_template_is_refused(void **state)
{
    struct said *said = *state;
    struct dk_err err;
    Docket__RuleDefined *rule =
        site_rule("odd", DK_KIND_ASSIGNED, DOCKET__RULE_RECIPIENT__RULE_OWNER);
    rule->template_ = test_id(DK_SUBJECT_TEMPLATE, "never-defined");
    (void)site_add_rule(&said->world, rule);
    (void)site_assign(&said->world, site_ticket(&said->world), ANNA);
    ASSERT_CODE(say(said, &err), DK_ENOTFOUND);
    ASSERT_CONTAINS(err.message, "template");
}

#define MESSAGE(name) cmocka_unit_test_setup_teardown(test_message_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_template_fields_are_replaced),
        cmocka_unit_test(test_template_every_field_of_the_list_is_known),
        cmocka_unit_test(test_template_what_is_no_field_stays),
        cmocka_unit_test(test_template_a_value_is_not_looked_into),
        cmocka_unit_test(test_template_is_cut_between_characters),
        cmocka_unit_test(test_template_language_falls_back),
        MESSAGE(says_what_happened),
        MESSAGE(knows_every_field),
        MESSAGE(quotes_what_people_wrote),
        MESSAGE(of_the_largest_text_fits),
        MESSAGE(without_a_template_is_refused),
    };
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
