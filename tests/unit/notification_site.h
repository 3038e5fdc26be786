/* A small organization whose people are told of things, for the tests of notification. */
#ifndef DK_TESTS_NOTIFICATION_SITE_H
#define DK_TESTS_NOTIFICATION_SITE_H

#include "nodes/notification/notification.h"
#include "tests/lib/role_world.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#define RECIPIENT(NAME) DOCKET__RULE_RECIPIENT__RULE_##NAME

#define ANNA     test_id(DK_SUBJECT_AGENT, "anna")
#define MARA     test_id(DK_SUBJECT_AGENT, "mara")
#define DESK     test_id(DK_SUBJECT_GROUP, "desk")
#define CARL     test_id(DK_SUBJECT_CUSTOMER, "carl")
#define VENDOR   test_id(DK_SUBJECT_SUPPLIER, "vendor")
#define TEMPLATE test_id(DK_SUBJECT_TEMPLATE, "news")

static inline void site_agent(struct role_world *world, const char *key, const char *first,
                              const char *surname, const char *language)
{
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    ProtobufCBinaryData languages[1];
    agent.definition = test_definition(key);
    agent.first_name = test_text(first);
    agent.surname = test_text(surname);
    agent.email = test_text("agent@desk.example");
    if (language != NULL) {
        languages[0] = test_bytes(language);
        agent.n_language = 1;
        agent.language = languages;
    }
    (void)world_define(world, DK_KIND_AGENT_DEFINED, &agent);
}

static inline Docket__TemplateText *site_text(const char *language, const char *title,
                                              const char *body)
{
    Docket__TemplateText *text = test_memory(sizeof *text);
    docket__template_text__init(text);
    text->language = test_bytes(language);
    text->has_title = title != NULL;
    text->title = test_bytes(title != NULL ? title : "");
    text->body = test_bytes(body);
    return text;
}

/* Anna speaks German, Mara leads the desk, Carl asks; one template says something. */
static inline void site_define(struct role_world *world)
{
    Docket__GroupDefined desk = DOCKET__GROUP_DEFINED__INIT;
    Docket__CustomerDefined carl = DOCKET__CUSTOMER_DEFINED__INIT;
    Docket__SupplierDefined vendor = DOCKET__SUPPLIER_DEFINED__INIT;
    Docket__TemplateDefined news = DOCKET__TEMPLATE_DEFINED__INIT;
    Docket__Text *addresses[1] = {test_text("carl@home.example")};
    Docket__TemplateText *texts[2] = {
        site_text("", "{{ticket}}: {{event}}", "{{subject}} of {{customer}}, {{priority}}"),
        site_text("de", NULL, "{{recipient}}: {{subject}}")};
    site_agent(world, "anna", "Anna", "Berg", "de");
    site_agent(world, "mara", "Mara", "Lund", NULL);
    desk.definition = test_definition("desk");
    desk.has_manager = 1;
    desk.manager = MARA;
    (void)world_define(world, DK_KIND_GROUP_DEFINED, &desk);
    carl.definition = test_definition("carl");
    carl.full_name = test_text("Carl Dahl");
    carl.n_address = 1;
    carl.address = addresses;
    (void)world_define(world, DK_KIND_CUSTOMER_DEFINED, &carl);
    vendor.definition = test_definition("vendor");
    vendor.contact = test_text("help@vendor.example");
    (void)world_define(world, DK_KIND_SUPPLIER_DEFINED, &vendor);
    news.definition = test_definition("news");
    news.n_text = 2;
    news.text = texts;
    (void)world_define(world, DK_KIND_TEMPLATE_DEFINED, &news);
}

/* A rule to a file, which a test may change before it defines it. */
static inline Docket__RuleDefined *site_rule(const char *key, uint32_t kind,
                                             Docket__RuleRecipient recipient)
{
    Docket__RuleDefined *rule = test_memory(sizeof *rule);
    uint32_t *kinds = test_memory(sizeof *kinds);
    docket__rule_defined__init(rule);
    *kinds = kind;
    rule->definition = test_definition(key);
    rule->n_on_kind = 1;
    rule->on_kind = kinds;
    rule->recipient = recipient;
    rule->transport = DOCKET__TRANSPORT__TRANSPORT_FILE;
    rule->address = test_text("news.jsonl");
    rule->template_ = TEMPLATE;
    return rule;
}

static inline uint64_t site_add_rule(struct role_world *world, const Docket__RuleDefined *rule)
{
    return world_define(world, DK_KIND_RULE_DEFINED, rule);
}

/* Carl's urgent ticket, in the desk's queue. */
static inline uint64_t site_ticket(struct role_world *world)
{
    Docket__Opened opened = DOCKET__OPENED__INIT;
    Docket__Routed routed = DOCKET__ROUTED__INIT;
    opened.has_customer = opened.has_priority = opened.has_channel = opened.has_language = 1;
    opened.customer = CARL;
    opened.priority = DOCKET__PRIORITY__PRIORITY_HIGH;
    opened.channel = DOCKET__CHANNEL__CHANNEL_EMAIL;
    opened.language = test_bytes("sv");
    opened.subject = test_text("The printer is on fire");
    opened.message = test_text("It burns");
    uint64_t ticket = world_open_ticket(world, &opened);
    routed.line = 1;
    routed.group = DESK;
    (void)world_append(world, ticket, DK_KIND_ROUTED, &routed);
    return ticket;
}

static inline uint64_t site_assign(struct role_world *world, uint64_t ticket, uint64_t agent)
{
    Docket__Assigned assigned = DOCKET__ASSIGNED__INIT;
    assigned.agent = agent;
    return world_append(world, ticket, DK_KIND_ASSIGNED, &assigned);
}

/* The last event, which must request a notice. */
static inline const Docket__NotificationRequested *site_last_request(const struct role_world *world)
{
    return world_body(world, world->count, DK_KIND_NOTIFICATION_REQUESTED);
}

static inline uint64_t site_send(struct role_world *world, uint64_t ticket, uint64_t notice)
{
    Docket__NotificationSent sent = DOCKET__NOTIFICATION_SENT__INIT;
    sent.notice = notice;
    return world_append(world, ticket, DK_KIND_NOTIFICATION_SENT, &sent);
}

static inline void site_fail(struct role_world *world, uint64_t ticket, uint64_t notice, bool final)
{
    Docket__NotificationFailed failed = DOCKET__NOTIFICATION_FAILED__INIT;
    failed.notice = notice;
    failed.attempts = 3;
    failed.final = final;
    failed.has_error = 1;
    failed.error = test_bytes("HTTP 410");
    (void)world_append(world, ticket, DK_KIND_NOTIFICATION_FAILED, &failed);
}

static inline size_t site_pending(const struct role_world *world)
{
    const void *self = dk_folder_self(world->folder);
    const struct dk_notice *notice;
    uint64_t id, after = 0;
    size_t count = 0;
    while ((notice = dk_notification_next(self, after, &id)) != NULL) {
        ASSERT_TRUE(notice->position > after && dk_notification_find(self, id) == notice);
        after = notice->position;
        count++;
    }
    return count;
}

static inline const char *site_query_with(const struct role_world *world, const char *name,
                                          const char *const *argument, size_t count)
{
    static struct dk_buf json;
    struct dk_err err;
    if (json.max == 0) {
        dk_buf_init(&json, 1 << 20);
    }
    dk_buf_clear(&json);
    ASSERT_OK(dk_folder_query(world->folder, name, argument, count, &json, &err), &err);
    return dk_buf_string(&json);
}

static inline const char *site_query(const struct role_world *world, const char *name)
{
    return site_query_with(world, name, NULL, 0);
}

static inline void site_retry(struct role_world *world, uint64_t ticket, uint64_t notice)
{
    Docket__NotificationRetried retried = DOCKET__NOTIFICATION_RETRIED__INIT;
    retried.notice = notice;
    (void)world_append(world, ticket, DK_KIND_NOTIFICATION_RETRIED, &retried);
}

static inline void site_drop(struct role_world *world, uint64_t ticket, uint64_t notice)
{
    Docket__NotificationDropped dropped = DOCKET__NOTIFICATION_DROPPED__INIT;
    dropped.notice = notice;
    (void)world_append(world, ticket, DK_KIND_NOTIFICATION_DROPPED, &dropped);
}

static inline void site_acknowledge(struct role_world *world, uint64_t ticket, uint64_t notice)
{
    Docket__NotificationAcknowledged acknowledged = DOCKET__NOTIFICATION_ACKNOWLEDGED__INIT;
    acknowledged.notice = notice;
    (void)world_append(world, ticket, DK_KIND_NOTIFICATION_ACKNOWLEDGED, &acknowledged);
}

static inline void site_status(struct role_world *world, uint64_t ticket, Docket__Status status)
{
    Docket__StatusChanged changed = DOCKET__STATUS_CHANGED__INIT;
    changed.status = status;
    (void)world_append(world, ticket, DK_KIND_STATUS_CHANGED, &changed);
}

static inline uint64_t site_calendar(struct role_world *world, const char *key, uint32_t weekdays,
                                     uint32_t from_hour, uint32_t to_hour)
{
    (void)world_define(world, DK_KIND_CALENDAR_DEFINED,
                       test_hours(key, "UTC", weekdays, from_hour, to_hour));
    return test_id(DK_SUBJECT_CALENDAR, key);
}

/* The world's clock goes on to an instant, which has not come yet. */
static inline void site_wait_until(struct role_world *world, int64_t at_us)
{
    ASSERT_TRUE(world->now_us <= at_us);
    world->now_us = at_us;
}

static inline void site_wait(struct role_world *world, int64_t us)
{
    world->now_us += us;
}

static inline int site_set_up(void **state)
{
    struct role_world *world = test_memory(sizeof *world);
    world_open(world, &dk_notification_role);
    site_define(world);
    *state = world;
    return 0;
}

static inline int site_tear_down(void **state)
{
    world_close(*state);
    return 0;
}

#endif
