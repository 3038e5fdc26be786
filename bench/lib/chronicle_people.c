#include "bench/lib/chronicle_internal.h"
#include <stdio.h>
#include <string.h>

#define LINE_1_GROUPS 12 /* of the 20; then five of line 2, three of line 3 */
#define LINE_2_GROUPS 5
#define AREA_PRODUCTS (CHRONICLE_PRODUCTS / CHRONICLE_AREAS)
#define KEY_BYTES     64

/* Not a secret: histories are the same for everybody. */
static const uint8_t salt[DK_SALT_BYTES] = "docket history";

static ProtobufCBinaryData bytes_of(char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static Docket__Text plain_text(char *text)
{
    Docket__Text made = DOCKET__TEXT__INIT;
    made.has_plain = 1;
    made.plain = bytes_of(text);
    return made;
}

static void define(struct dk_chronicle *h, uint32_t kind, uint64_t subject, const void *body)
{
    struct dk_chronicle_event event = {
        .subject = subject, .actor = dk_id_make(DK_ACTOR_OPERATOR, 1), .kind = kind, .body = body};
    dk_chronicle_record(h, NULL, &event);
}

/* ---------------------------------------------------------------- names and ids */

static void name_group(size_t i, char key[KEY_BYTES])
{
    static const char *const site[CHRONICLE_SITES] = {"ber", "lon", "nyc", "sin"};
    unsigned line = i < LINE_1_GROUPS ? 1 : i < LINE_1_GROUPS + LINE_2_GROUPS ? 2 : 3;
    (void)snprintf(key, KEY_BYTES, "line%u-%s-%zu", line, site[i % CHRONICLE_SITES], i + 1);
}

static uint64_t id_of(unsigned cls, const char *key)
{
    return dk_id_of_key(cls, key, strlen(key), NULL);
}

static uint64_t id_of_person(unsigned cls, size_t i, char key[DK_PERSON_KEY_BYTES])
{
    char name[KEY_BYTES];
    (void)snprintf(name, sizeof name, "%s-%zu@example.org", dk_subject_class_word(cls), i);
    return dk_id_of_person(cls, name, strlen(name), salt, key);
}

void dk_chronicle_people(struct dk_chronicle *h)
{
    char key[KEY_BYTES];
    for (size_t i = 0; i < CHRONICLE_GROUPS; i++) {
        unsigned line = i < LINE_1_GROUPS ? 1 : i < LINE_1_GROUPS + LINE_2_GROUPS ? 2 : 3;
        name_group(i, key);
        h->group[i] = (struct dk_chronicle_group){
            .id = id_of(DK_SUBJECT_GROUP, key),
            .line = line,
            .site = i % CHRONICLE_SITES,
            .always = i == 0 || i == LINE_1_GROUPS,
        };
    }
    for (size_t i = 0; i < CHRONICLE_AGENTS; i++) {
        (void)snprintf(key, sizeof key, "agent-%03zu", i);
        h->agent[i] = id_of(DK_SUBJECT_AGENT, key);
    }
    for (size_t i = 0; i < CHRONICLE_PRODUCTS; i++) {
        (void)snprintf(key, sizeof key, "product-%02zu", i);
        h->product[i] = id_of(DK_SUBJECT_PRODUCT, key);
    }
    for (size_t i = 0; i < CHRONICLE_COMPANIES; i++) {
        h->company[i] = id_of_person(DK_SUBJECT_COMPANY, i, NULL);
    }
    for (size_t i = 0; i < h->customers; i++) {
        h->customer[i] = id_of_person(DK_SUBJECT_CUSTOMER, i, NULL);
    }
    h->supplier = id_of(DK_SUBJECT_SUPPLIER, "vendor");
    h->policy = id_of(DK_SUBJECT_POLICY, "promised");
    h->calendar = id_of(DK_SUBJECT_CALENDAR, "weekdays");
    h->always = id_of(DK_SUBJECT_CALENDAR, "always");
}

static const char *tier_of(size_t company)
{
    return company % 10 == 0 ? "gold" : company % 10 == 1 ? "silver" : "";
}

bool dk_chronicle_is_tiered(size_t customer)
{
    return tier_of(customer % CHRONICLE_COMPANIES)[0] != '\0';
}

unsigned dk_chronicle_route(uint64_t product, unsigned line)
{
    return line == 1 ? (unsigned)(product % LINE_1_GROUPS)
           : line == 2
               ? LINE_1_GROUPS + (unsigned)(product % LINE_2_GROUPS)
               : LINE_1_GROUPS + LINE_2_GROUPS +
                     (unsigned)(product % (CHRONICLE_GROUPS - LINE_1_GROUPS - LINE_2_GROUPS));
}

/* ---------------------------------------------------------------- definitions */

static void define_settings(struct dk_chronicle *h, size_t i)
{
    char key[] = "settings";
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__SettingsDefined settings = DOCKET__SETTINGS_DEFINED__INIT;
    (void)i;
    definition.key = bytes_of(key);
    settings.definition = &definition;
    settings.has_reopen_days = settings.has_repeat_contact_days = 1;
    settings.reopen_days = 14;
    settings.repeat_contact_days = 7;
    settings.has_auto_close_days = settings.has_auto_solve_days = 1;
    settings.auto_close_days = 5;
    settings.auto_solve_days = 7;
    define(h, DK_KIND_SETTINGS_DEFINED, id_of(DK_SUBJECT_SETTINGS, key), &settings);
}

/* 0: weekdays, 1: day and night. */
static void define_calendar(struct dk_chronicle *h, size_t i)
{
    static const char *const keys[] = {"weekdays", "always"};
    char key[KEY_BYTES], zone[] = "UTC";
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__CalendarDefined calendar = DOCKET__CALENDAR_DEFINED__INIT;
    Docket__DayInterval interval = DOCKET__DAY_INTERVAL__INIT, *intervals = &interval;
    Docket__WeekdayPlan plan[7], *plans[7];
    (void)snprintf(key, sizeof key, "%s", keys[i]);
    interval.from_s = i == 0 ? 8 * 3600 : 0;
    interval.to_s = i == 0 ? 18 * 3600 : 24 * 3600;
    for (uint32_t day = 0; day < 7; day++) {
        plan[day] = (Docket__WeekdayPlan)DOCKET__WEEKDAY_PLAN__INIT;
        plan[day].weekday = day;
        plan[day].n_interval = 1;
        plan[day].interval = &intervals;
        plans[day] = &plan[day];
    }
    definition.key = bytes_of(key);
    calendar.definition = &definition;
    calendar.zone = bytes_of(zone);
    calendar.n_weekday = i == 0 ? 5 : 7;
    calendar.weekday = plans;
    define(h, DK_KIND_CALENDAR_DEFINED, i == 0 ? h->calendar : h->always, &calendar);
}

static void define_site(struct dk_chronicle *h, size_t i)
{
    static const char *const zones[CHRONICLE_SITES] = {"Europe/Berlin", "Europe/London",
                                                       "America/New_York", "Asia/Singapore"};
    char key[KEY_BYTES], zone[KEY_BYTES];
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__SiteDefined site = DOCKET__SITE_DEFINED__INIT;
    (void)snprintf(key, sizeof key, "site-%zu", i + 1);
    (void)snprintf(zone, sizeof zone, "%s", zones[i]);
    definition.key = bytes_of(key);
    site.definition = &definition;
    site.number = (uint32_t)i + 1;
    site.zone = bytes_of(zone);
    define(h, DK_KIND_SITE_DEFINED, id_of(DK_SUBJECT_SITE, key), &site);
}

static void define_group(struct dk_chronicle *h, size_t i)
{
    char key[KEY_BYTES];
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__GroupDefined group = DOCKET__GROUP_DEFINED__INIT;
    name_group(i, key);
    definition.key = bytes_of(key);
    group.definition = &definition;
    group.has_line = group.has_calendar = group.has_site = 1;
    group.line = h->group[i].line;
    group.calendar = h->group[i].always ? h->always : h->calendar;
    group.site = h->group[i].site + 1;
    define(h, DK_KIND_GROUP_DEFINED, h->group[i].id, &group);
}

static void define_agent(struct dk_chronicle *h, size_t i)
{
    static const char *const first_names[] = {"Ada",  "Ben", "Cleo", "Dan", "Eve",
                                              "Finn", "Gus", "Hana", "Ivo", "June"};
    char key[KEY_BYTES], first_name[KEY_BYTES], surname[KEY_BYTES];
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__AgentDefined agent = DOCKET__AGENT_DEFINED__INIT;
    (void)snprintf(key, sizeof key, "agent-%03zu", i);
    (void)snprintf(first_name, sizeof first_name, "%s", first_names[i % 10]);
    (void)snprintf(surname, sizeof surname, "Number-%03zu", i);
    Docket__Text first_text = plain_text(first_name), surname_text = plain_text(surname);
    definition.key = bytes_of(key);
    agent.definition = &definition;
    agent.first_name = &first_text;
    agent.surname = &surname_text;
    agent.n_group = 1;
    agent.group = &h->group[i % CHRONICLE_GROUPS].id;
    agent.has_capacity = agent.has_site = 1;
    agent.capacity = 20;
    agent.site = h->group[i % CHRONICLE_GROUPS].site + 1;
    define(h, DK_KIND_AGENT_DEFINED, h->agent[i], &agent);
}

/* Ten areas, each with nine products that have its routes. */
static void define_product(struct dk_chronicle *h, size_t i)
{
    char key[KEY_BYTES];
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__ProductDefined product = DOCKET__PRODUCT_DEFINED__INIT;
    Docket__Route route[CHRONICLE_LINES], *routes[CHRONICLE_LINES];
    (void)snprintf(key, sizeof key, "product-%02zu", i);
    for (unsigned line = 1; line <= CHRONICLE_LINES; line++) {
        route[line - 1] = (Docket__Route)DOCKET__ROUTE__INIT;
        route[line - 1].line = line;
        route[line - 1].group = h->group[dk_chronicle_route(i, line)].id;
        routes[line - 1] = &route[line - 1];
    }
    definition.key = bytes_of(key);
    product.definition = &definition;
    product.has_parent = i % AREA_PRODUCTS != 0;
    product.parent = h->product[i / AREA_PRODUCTS * AREA_PRODUCTS];
    product.n_route = CHRONICLE_LINES;
    product.route = routes;
    define(h, DK_KIND_PRODUCT_DEFINED, h->product[i], &product);
}

static void define_company(struct dk_chronicle *h, size_t i)
{
    char key[DK_PERSON_KEY_BYTES], name[KEY_BYTES], tier[KEY_BYTES];
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__CompanyDefined company = DOCKET__COMPANY_DEFINED__INIT;
    uint64_t id = id_of_person(DK_SUBJECT_COMPANY, i, key);
    (void)snprintf(name, sizeof name, "Company %03zu", i);
    (void)snprintf(tier, sizeof tier, "%s", tier_of(i));
    definition.key = bytes_of(key);
    definition.has_name = 1;
    definition.name = bytes_of(name);
    company.definition = &definition;
    company.has_tier = tier[0] != '\0';
    company.tier = bytes_of(tier);
    define(h, DK_KIND_COMPANY_DEFINED, id, &company);
}

static void define_customer(struct dk_chronicle *h, size_t i)
{
    char key[DK_PERSON_KEY_BYTES], name[KEY_BYTES];
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__CustomerDefined customer = DOCKET__CUSTOMER_DEFINED__INIT;
    uint64_t id = id_of_person(DK_SUBJECT_CUSTOMER, i, key);
    (void)snprintf(name, sizeof name, "Customer %05zu", i);
    Docket__Text full_name = plain_text(name);
    definition.key = bytes_of(key);
    customer.definition = &definition;
    customer.full_name = &full_name;
    customer.has_company = 1;
    customer.company = h->company[i % CHRONICLE_COMPANIES];
    define(h, DK_KIND_CUSTOMER_DEFINED, id, &customer);
}

static void define_supplier(struct dk_chronicle *h, size_t i)
{
    char key[] = "vendor";
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__SupplierDefined supplier = DOCKET__SUPPLIER_DEFINED__INIT;
    (void)i;
    definition.key = bytes_of(key);
    supplier.definition = &definition;
    define(h, DK_KIND_SUPPLIER_DEFINED, h->supplier, &supplier);
}

/* 0: what companies of a tier are promised, 1: the others, nothing. */
static void define_policy(struct dk_chronicle *h, size_t i)
{
    char key[KEY_BYTES], gold[] = "gold", silver[] = "silver";
    Docket__Definition definition = DOCKET__DEFINITION__INIT;
    Docket__PolicyDefined policy = DOCKET__POLICY_DEFINED__INIT;
    Docket__Condition condition = DOCKET__CONDITION__INIT, *conditions = &condition;
    ProtobufCBinaryData tiers[] = {bytes_of(gold), bytes_of(silver)};
    Docket__Goal goal[CHRONICLE_METRICS * 4], *goals[CHRONICLE_METRICS * 4];
    for (size_t g = 0; g < CHRONICLE_METRICS * 4; g++) {
        bool first = g < 4;
        goal[g] = (Docket__Goal)DOCKET__GOAL__INIT;
        goal[g].metric =
            first ? DOCKET__METRIC__METRIC_FIRST_REPLY : DOCKET__METRIC__METRIC_RESOLUTION;
        goal[g].priority = (Docket__Priority)(g % 4 + 1);
        goal[g].target_us = (uint64_t)dk_chronicle_target_us(
            first ? CHRONICLE_FIRST_REPLY : CHRONICLE_RESOLUTION, (unsigned)(g % 4 + 1));
        goals[g] = &goal[g];
    }
    (void)snprintf(key, sizeof key, "%s", i == 0 ? "promised" : "rest");
    condition.field = DOCKET__CONDITION_FIELD__CONDITION_TIER;
    condition.n_text = 2;
    condition.text = tiers;
    definition.key = bytes_of(key);
    policy.definition = &definition;
    policy.type = DOCKET__POLICY_TYPE__POLICY_SLA;
    policy.order = (uint32_t)i + 1;
    policy.n_condition = i == 0;
    policy.condition = &conditions;
    policy.n_goal = i == 0 ? CHRONICLE_METRICS * 4 : 0;
    policy.goal = goals;
    policy.has_calendar = 1;
    policy.calendar = h->always;
    define(h, DK_KIND_POLICY_DEFINED, id_of(DK_SUBJECT_POLICY, key), &policy);
}

bool dk_chronicle_define(struct dk_chronicle *h, size_t number)
{
    const struct {
        void (*define)(struct dk_chronicle *h, size_t i);
        size_t count;
    } kinds[] = {{define_settings, 1},
                 {define_calendar, 2},
                 {define_site, CHRONICLE_SITES},
                 {define_group, CHRONICLE_GROUPS},
                 {define_agent, CHRONICLE_AGENTS},
                 {define_product, CHRONICLE_PRODUCTS},
                 {define_company, CHRONICLE_COMPANIES},
                 {define_customer, h->customers},
                 {define_supplier, 1},
                 {define_policy, 2}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        if (number < kinds[k].count) {
            kinds[k].define(h, number);
            return true;
        }
        number -= kinds[k].count;
    }
    return false;
}
