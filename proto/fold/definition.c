#include "proto/fold/definition.h"

#include "proto/event/body.h"
#include "proto/fold/clocks.h"
#include "proto/fold/conditions.h"
#include "proto/refs/refs.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The definition that is asked. */
struct asked {
    const char *field; /* of Event.body: "group_defined" */
    const Docket__Definition *front;
    uint64_t subject;
    struct dk_err *err;
};

static int refuse(const struct asked *asked, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int refuse(const struct asked *asked, const char *field, const char *format, ...)
{
    char path[DK_ERR_FIELD_BYTES], why[DK_ERR_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    (void)snprintf(path, sizeof path, "%s.%s", asked->field, field);
    return dk_err_field(asked->err, DK_EINVAL, path, "%s", why);
}

/* "desk", for printf's "%.*s". */
#define KEY(asked) (int)(asked)->front->key.len, (const char *)(asked)->front->key.data

static int check_range(const struct asked *asked, const char *field, uint64_t value, uint64_t min,
                       uint64_t max)
{
    if (value >= min && value <= max)
        return 0;
    return refuse(asked, field, "%s is not from %llu to %llu", field, (unsigned long long)min,
                  (unsigned long long)max);
}

static int check_span(const struct asked *asked, const char *field, uint64_t us)
{
    if (us <= DK_SPAN_MAX_DAYS * (uint64_t)DK_DAY_US)
        return 0;
    return refuse(asked, field, "%s is longer than %d days", field, DK_SPAN_MAX_DAYS);
}

/* ---------------------------------------------------------------- people and groups */

static int check_channels(const struct asked *asked, const char *field, uint32_t min,
                          Docket__ChannelCapacity *const *part, size_t count)
{
    uint32_t seen = 0;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        if ((seen & 1u << part[i]->channel) != 0)
            return refuse(asked, field, "a channel stands in %s twice", field);
        seen |= 1u << part[i]->channel;
        rc = check_range(asked, field, part[i]->capacity, min, DK_ROOM_MAX);
    }
    return rc;
}

/* A name of blanks would sign replies (the signature rule). */
static int check_name(const struct asked *asked, const char *field, const Docket__Text *name)
{
    return name == NULL || dk_text_says(name) ? 0 : refuse(asked, field, "%s is empty", field);
}

static int check_agent(const struct asked *asked, const Docket__AgentDefined *agent)
{
    int rc = check_name(asked, "first_name", agent->first_name);
    rc = rc != 0 ? rc : check_name(asked, "surname", agent->surname);
    rc = rc != 0 ? rc : check_range(asked, "capacity", agent->capacity, 0, DK_ROOM_MAX);
    rc = rc != 0 ? rc : check_range(asked, "tier", agent->tier, 0, DK_TIER_MAX);
    rc = rc != 0 ? rc : check_range(asked, "site", agent->site, 0, DK_SITE_UNNAMED - 1);
    return rc != 0 ? rc
                   : check_channels(asked, "channel_capacity", 0, agent->channel_capacity,
                                    agent->n_channel_capacity);
}

static int check_group(const struct asked *asked, const Docket__GroupDefined *group)
{
    int rc = check_range(asked, "line", group->line, 0, DK_LINE_MAX);
    rc = rc != 0 ? rc : check_range(asked, "site", group->site, 0, DK_SITE_UNNAMED - 1);
    if (rc != 0)
        return rc;
    if (group->secondary == asked->subject)
        return refuse(asked, "secondary", "group \"%.*s\" is its own secondary: name another",
                      KEY(asked));
    if (group->next_site_group == asked->subject)
        return refuse(asked, "next_site_group",
                      "group \"%.*s\" is its own next one: name a group of another site",
                      KEY(asked));
    return 0;
}

static int check_product(const struct asked *asked, const Docket__ProductDefined *product)
{
    uint32_t seen = 0;
    if (product->parent == asked->subject)
        return refuse(asked, "parent",
                      "product \"%.*s\" is its own ancestor: give one of them another parent",
                      KEY(asked));
    for (size_t i = 0; i < product->n_route; i++) {
        const Docket__Route *route = product->route[i];
        int rc = check_range(asked, "route", route->line, 1, DK_LINE_MAX);
        if (rc != 0)
            return rc;
        if (route->group == 0 || (seen & 1u << route->line) != 0)
            return refuse(asked, "route", "the route for line %u leads to no group, or to two",
                          route->line);
        seen |= 1u << route->line;
    }
    return 0;
}

/* ---------------------------------------------------------------- places and times */

#define NO_ZONE "there is no time zone \"%.*s\": write an IANA name, as Europe/Berlin"

static int check_site(const struct asked *asked, const Docket__SiteDefined *site)
{
    char name[DK_KEY_MAX_BYTES + 1] = "";
    struct dk_zone *zone = NULL;
    int rc = check_range(asked, "number", site->number, 1, DK_SITE_UNNAMED - 1);
    if (rc != 0)
        return rc;
    if (site->next_site == site->number)
        return refuse(asked, "next_site", "site \"%.*s\" is its own next one: name another",
                      KEY(asked));
    memcpy(name, site->zone.data, site->zone.len);
    rc = dk_zone_load(&zone, name, NULL);
    dk_zone_free(&zone);
    if (rc != 0)
        return refuse(asked, "zone", NO_ZONE, (int)site->zone.len, (const char *)site->zone.data);
    return 0;
}

/* A calendar that nobody can reckon with is refused (DOMAIN T4). */
static int check_calendar(const struct asked *asked, const Docket__CalendarDefined *calendar)
{
    struct dk_calendar *compiled = NULL;
    struct dk_err why = {0};
    int rc = dk_refs_calendar_compile(&compiled, calendar, &why);
    dk_calendar_free(&compiled);
    if (rc == DK_ENOTFOUND)
        return dk_err_field(asked->err, rc, "calendar_defined.zone", NO_ZONE,
                            (int)calendar->zone.len, (const char *)calendar->zone.data);
    return rc == 0 ? 0
                   : dk_err_field(asked->err, rc, "calendar_defined.weekday",
                                  "calendar \"%.*s\": %s", KEY(asked), why.message);
}

static int check_shift(const struct asked *asked, const Docket__ShiftDefined *shift)
{
    if (shift->has_from_day && shift->has_to_day && shift->from_day >= shift->to_day)
        return refuse(asked, "to_day",
                      "shift \"%.*s\" ends before it begins: \"to\" is its last day", KEY(asked));
    return 0;
}

/* ---------------------------------------------------------------- conditions */

static bool values_fit(const Docket__Condition *condition)
{
    unsigned cls = dk_condition_class(condition->field);
    const ProtobufCEnumDescriptor *words = dk_condition_words(condition->field);
    bool texts = cls == 0 && words == NULL;
    bool fit = (condition->n_id > 0) == (cls != 0) &&
               (condition->n_number > 0) == (words != NULL) && (condition->n_text > 0) == texts;
    for (size_t i = 0; i < condition->n_id && fit; i++)
        fit = dk_id_class(condition->id[i]) == cls;
    for (size_t i = 0; i < condition->n_number && fit; i++)
        fit = condition->number[i] <= INT32_MAX &&
              protobuf_c_enum_descriptor_get_value(words, (int)condition->number[i]) != NULL;
    for (size_t i = 0; i < condition->n_text && fit; i++)
        fit = condition->field != DOCKET__CONDITION_FIELD__CONDITION_LANGUAGE ||
              dk_language_is_tag(condition->text[i].data, condition->text[i].len);
    return fit;
}

/* One that has no value of its own sort would never hold, or always. */
static int check_conditions(const struct asked *asked, Docket__Condition *const *condition,
                            size_t count)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < count; i++) {
        char word[DK_WORD_BYTES];
        const ProtobufCEnumValue *field = protobuf_c_enum_descriptor_get_value(
            &docket__condition_field__descriptor, (int)condition[i]->field);
        if ((seen & 1u << condition[i]->field) != 0)
            return refuse(asked, "condition", "%s stands in the conditions twice: give it once",
                          dk_enum_word(field, word));
        seen |= 1u << condition[i]->field;
        if (!values_fit(condition[i]))
            return refuse(asked, "condition",
                          "the condition on %s holds no value, or one of another sort: write what "
                          "it may be, or take it away",
                          dk_enum_word(field, word));
    }
    return 0;
}

/* ---------------------------------------------------------------- promises */

static const char *policy_word(Docket__PolicyType type)
{
    static const char *const words[] = {"", "sla", "ola", "uc"};
    return words[type];
}

static bool metric_fits(Docket__PolicyType type, Docket__Metric metric)
{
    switch (metric) {
    case DOCKET__METRIC__METRIC_GROUP_OWNERSHIP: return type == DOCKET__POLICY_TYPE__POLICY_OLA;
    case DOCKET__METRIC__METRIC_SUPPLIER: return type == DOCKET__POLICY_TYPE__POLICY_UC;
    default: return type == DOCKET__POLICY_TYPE__POLICY_SLA;
    }
}

static int check_goal(const struct asked *asked, const Docket__PolicyDefined *policy, size_t at)
{
    const Docket__Goal *goal = policy->goal[at];
    if (!metric_fits(policy->type, goal->metric))
        return refuse(asked, "goal",
                      "a goal of %s policy \"%.*s\" is of another sort: group-ownership goes with "
                      "ola, supplier with uc, all others with sla",
                      policy_word(policy->type), KEY(asked));
    if (goal->target_us == 0)
        return refuse(asked, "goal", "a goal of no time cannot be met: give it some");
    for (size_t i = 0; i < at; i++) {
        if (policy->goal[i]->metric == goal->metric && policy->goal[i]->priority == goal->priority)
            return refuse(asked, "goal", "two goals are for the same metric and priority");
    }
    return check_span(asked, "goal", goal->target_us);
}

/* The longest of its goals. */
static uint64_t longest_us(const Docket__PolicyDefined *policy)
{
    uint64_t longest_us = 0;
    for (size_t i = 0; i < policy->n_goal; i++) {
        if (policy->goal[i]->target_us > longest_us)
            longest_us = policy->goal[i]->target_us;
    }
    return longest_us;
}

static int check_warnings(const struct asked *asked, const Docket__PolicyDefined *policy)
{
    if (policy->n_warn_percent + policy->n_warn_before_us > DK_CLOCK_WARNINGS)
        return refuse(asked, "warn_percent",
                      "%s policy \"%.*s\" warns more than %d times: take some away",
                      policy_word(policy->type), KEY(asked), DK_CLOCK_WARNINGS);
    int rc = 0;
    for (size_t i = 0; i < policy->n_warn_percent && rc == 0; i++)
        rc = check_range(asked, "warn_percent", policy->warn_percent[i], 1, 99);
    for (size_t i = 0; i < policy->n_warn_before_us && rc == 0; i++) {
        if (policy->warn_before_us[i] == 0 || policy->warn_before_us[i] >= longest_us(policy))
            rc = refuse(asked, "warn_before_us",
                        "a warning must come before a goal is used up and after it began: make it "
                        "shorter than the goals, and longer than nothing");
    }
    return rc;
}

static int check_pauses(const struct asked *asked, const Docket__PolicyDefined *policy)
{
    bool resolves = false;
    for (size_t i = 0; i < policy->n_goal; i++)
        resolves = resolves || policy->goal[i]->metric == DOCKET__METRIC__METRIC_RESOLUTION;
    if (policy->n_pause > 0 && !resolves)
        return refuse(asked, "pause",
                      "pauses are those of the goal of resolution, and there is none");
    return 0;
}

static int check_policy(const struct asked *asked, const Docket__PolicyDefined *policy)
{
    int rc = check_conditions(asked, policy->condition, policy->n_condition);
    for (size_t i = 0; i < policy->n_goal && rc == 0; i++)
        rc = check_goal(asked, policy, i);
    rc = rc != 0 ? rc : check_warnings(asked, policy);
    rc = rc != 0 ? rc : check_pauses(asked, policy);
    rc = rc != 0
             ? rc
             : check_range(asked, "auto_solve_days", policy->auto_solve_days, 0, DK_SPAN_MAX_DAYS);
    rc = rc != 0
             ? rc
             : check_range(asked, "auto_close_days", policy->auto_close_days, 0, DK_SPAN_MAX_DAYS);
    if (rc == 0 && policy->type != DOCKET__POLICY_TYPE__POLICY_SLA &&
        (policy->has_auto_solve_days || policy->has_auto_close_days))
        rc = refuse(asked, policy->has_auto_solve_days ? "auto_solve_days" : "auto_close_days",
                    "days to solve or close by itself go with sla policies only");
    return rc;
}

/* ---------------------------------------------------------------- contracts (S13) */

static Docket__Metric metric_of(const Docket__ContractDefined *contract,
                                const Docket__Penalty *penalty)
{
    if (penalty->has_metric && penalty->metric != DOCKET__METRIC__METRIC_NONE)
        return penalty->metric;
    return contract->supplier != 0 ? DOCKET__METRIC__METRIC_SUPPLIER
                                   : DOCKET__METRIC__METRIC_RESOLUTION;
}

static int check_penalty(const struct asked *asked, const Docket__ContractDefined *contract,
                         size_t at)
{
    const Docket__Penalty *penalty = contract->penalty[at];
    Docket__Metric metric = metric_of(contract, penalty);
    if ((metric == DOCKET__METRIC__METRIC_SUPPLIER) != (contract->supplier != 0) ||
        metric == DOCKET__METRIC__METRIC_GROUP_OWNERSHIP)
        return refuse(asked, "penalty",
                      "a penalty of contract \"%.*s\" is for what it does not promise: supplier "
                      "goes with a supplier, all but group-ownership with a company",
                      KEY(asked));
    if (penalty->unit_us == 0)
        return refuse(asked, "penalty", "a penalty counts units of time: give them a length");
    if (penalty->rate_minor == 0 || penalty->cap_minor < penalty->rate_minor)
        return refuse(asked, "penalty",
                      "a penalty costs something, and its cap holds one unit at least: rate_minor "
                      "from 1 to cap_minor");
    for (size_t i = 0; i < at; i++) {
        if (contract->penalty[i]->priority == penalty->priority &&
            metric_of(contract, contract->penalty[i]) == metric)
            return refuse(asked, "penalty",
                          "two penalties are for the same metric and priority (where none is "
                          "named: %s): take one away",
                          contract->supplier != 0 ? "supplier" : "resolution");
    }
    return check_span(asked, "penalty", penalty->unit_us);
}

/* ISO 4217: three letters. */
static bool is_currency(const ProtobufCBinaryData *word)
{
    bool is = word->len == 3;
    for (size_t i = 0; i < word->len && is; i++)
        is = word->data[i] >= 'A' && word->data[i] <= 'Z';
    return is;
}

static int check_contract(const struct asked *asked, const Docket__ContractDefined *contract)
{
    int rc = 0;
    if ((contract->company != 0) == (contract->supplier != 0))
        return refuse(
            asked, "",
            "contract \"%.*s\" must name a company or a supplier, and not both: write one "
            "of \"company: ...\", \"supplier: ...\"",
            KEY(asked));
    if (contract->has_currency && !is_currency(&contract->currency))
        return refuse(asked, "currency",
                      "\"%.*s\" is no currency: write the three letters of ISO 4217, as EUR",
                      (int)contract->currency.len, (const char *)contract->currency.data);
    for (size_t i = 0; i < contract->n_penalty && rc == 0; i++)
        rc = check_penalty(asked, contract, i);
    if (rc == 0 && contract->n_penalty > 0 && !contract->has_currency)
        rc =
            refuse(asked, "penalty",
                   "the penalties of contract \"%.*s\" have no currency: add \"currency: EUR\", or "
                   "another of ISO 4217",
                   KEY(asked));
    return rc;
}

/* ---------------------------------------------------------------- notices */

static int check_template(const struct asked *asked, const Docket__TemplateDefined *made)
{
    bool has_default = false;
    for (size_t i = 0; i < made->n_text; i++) {
        const Docket__TemplateText *text = made->text[i];
        has_default = has_default || text->language.len == 0;
        for (size_t k = 0; k < i; k++) {
            const ProtobufCBinaryData *other = &made->text[k]->language;
            if (other->len == text->language.len &&
                strncasecmp((const char *)other->data, (const char *)text->language.data,
                            other->len) == 0)
                return refuse(asked, "text", "two texts are in \"%.*s\": take one away",
                              (int)other->len, (const char *)other->data);
        }
        if (text->body.len == 0)
            return refuse(asked, "text", "a text has an empty body");
    }
    return has_default ? 0
                       : refuse(asked, "text",
                                "no text for languages without one of their own: add \"default\"");
}

static bool is_notice(uint32_t kind)
{
    return (kind >= DK_KIND_NOTIFICATION_REQUESTED && kind <= DK_KIND_NOTIFICATION_ACKNOWLEDGED) ||
           kind == DK_KIND_NOTIFICATION_RETRIED || kind == DK_KIND_NOTIFICATION_DROPPED;
}

static int check_kinds(const struct asked *asked, const Docket__RuleDefined *rule)
{
    bool warned = false, clock = false;
    if (rule->n_on_kind == 0)
        return refuse(asked, "on_kind", "rule \"%.*s\" listens to nothing", KEY(asked));
    for (size_t i = 0; i < rule->n_on_kind; i++) {
        uint32_t kind = rule->on_kind[i];
        const struct dk_kind_info *info = dk_kind_info(kind);
        if (info == NULL || kind > DK_KIND_TICKET_LAST || is_notice(kind))
            return refuse(asked, "on_kind",
                          "\"%s\" tells nobody: rules listen to events of tickets, and notices are "
                          "no news",
                          info != NULL ? info->word : "an unknown kind");
        warned = warned || kind == DK_KIND_CLOCK_WARNED;
        clock = clock || (kind >= DK_KIND_CLOCK_STARTED && kind <= DK_KIND_CLOCK_CORRECTED);
    }
    if (rule->has_level && !warned)
        return refuse(asked, "level", "a level goes with the event clock-warned only");
    if (rule->has_metric && !clock)
        return refuse(asked, "metric", "a metric goes with clock events only");
    return rule->has_level ? check_range(asked, "level", rule->level, 1, 99) : 0;
}

static int check_chain(const struct asked *asked, const Docket__RuleDefined *rule)
{
    bool chain = rule->wait_us > 0;
    if (rule->n_step >= DK_RULE_STEPS_MAX)
        return refuse(asked, "step", "a rule has at most %d further steps", DK_RULE_STEPS_MAX - 1);
    if (rule->n_step > 0 && !chain)
        return refuse(asked, "step",
                      "rule \"%.*s\" does not say after which time others are told: add \"wait: "
                      "...\"",
                      KEY(asked));
    if ((rule->repeats > 0 || rule->idle_us > 0) && !chain)
        return refuse(asked, rule->repeats > 0 ? "repeats" : "idle_us",
                      "repeats and idle go with a chain only: add \"wait: ...\"");
    if (rule->idle_us > 0 && rule->repeats == 0)
        return refuse(asked, "idle_us",
                      "beginning again when idle is a repeat: add \"repeats: ...\"");
    if (rule->digest_us > 0 && (chain || rule->urgent))
        return refuse(asked, "digest_us",
                      "what must be acknowledged, or is urgent, is not gathered: take digest away");
    return check_range(asked, "repeats", rule->repeats, 0, DK_REPEATS_MAX);
}

static int check_rule(const struct asked *asked, const Docket__RuleDefined *rule)
{
    int rc = check_kinds(asked, rule);
    rc = rc != 0 ? rc : check_conditions(asked, rule->condition, rule->n_condition);
    rc = rc != 0 ? rc : check_chain(asked, rule);
    rc = rc != 0 ? rc : check_span(asked, "digest_us", rule->digest_us);
    rc = rc != 0 ? rc : check_span(asked, "wait_us", rule->wait_us);
    rc = rc != 0 ? rc : check_span(asked, "idle_us", rule->idle_us);
    for (size_t i = 0; i < rule->n_step && rc == 0; i++) {
        rc = check_span(asked, "step", rule->step[i]->wait_us);
        if (rc == 0 && rule->step[i]->wait_us == 0)
            rc = refuse(asked, "step", "a step must leave time to acknowledge: give it a wait");
    }
    return rc;
}

/* ---------------------------------------------------------------- the rest */

/* A source's choices are whatever it has (no choice is listed). */
static int check_field(const struct asked *asked, const Docket__FieldDefined *field)
{
    if (field->n_choice > 0 && field->type != DOCKET__FIELD_TYPE__FIELD_CHOICE)
        return refuse(asked, "choice",
                      "field \"%.*s\" has choices: choices go with type choice, and only with it",
                      KEY(asked));
    return 0;
}

static int check_tiers(const struct asked *asked, const Docket__SettingsDefined *settings)
{
    int rc = 0;
    for (size_t i = 0; i < settings->n_tier_need && rc == 0; i++)
        rc = check_range(asked, "tier_need", settings->tier_need[i]->agent_tier, 1, DK_TIER_MAX);
    return rc;
}

static int check_settings(const struct asked *asked, const Docket__SettingsDefined *settings)
{
    const struct {
        const char *field;
        uint32_t days;
    } days[] = {{"reopen_days", settings->reopen_days},
                {"repeat_contact_days", settings->repeat_contact_days},
                {"follow_up_days", settings->follow_up_days},
                {"auto_solve_days", settings->auto_solve_days},
                {"auto_close_days", settings->auto_close_days}};
    int rc = 0;
    for (size_t i = 0; i < sizeof days / sizeof days[0] && rc == 0; i++)
        rc = check_range(asked, days[i].field, days[i].days, 0, DK_SPAN_MAX_DAYS);
    rc = rc != 0 ? rc : check_span(asked, "offer_timeout_us", settings->offer_timeout_us);
    rc = rc != 0 ? rc : check_span(asked, "queue_timeout_us", settings->queue_timeout_us);
    rc = rc != 0 ? rc : check_span(asked, "decline_pause_us", settings->decline_pause_us);
    rc = rc != 0 ? rc : check_tiers(asked, settings);
    return rc != 0 ? rc
                   : check_channels(asked, "channel_weight", 1, settings->channel_weight,
                                    settings->n_channel_weight);
}

int dk_definition_check(const ProtobufCMessage *body, uint32_t kind, struct dk_err *err)
{
    const struct dk_refs_version as_version = {.body = body};
    const struct dk_kind_info *info = dk_kind_info(kind);
    const Docket__Definition *front = dk_refs_definition(&as_version);
    const struct asked asked = {
        info->field, front,
        dk_id_of_key(info->subject_class, (const char *)front->key.data, front->key.len, NULL),
        err};
    const void *definition = body;
    if (front->removed)
        return 0;
    switch (kind) {
    case DK_KIND_AGENT_DEFINED: return check_agent(&asked, definition);
    case DK_KIND_GROUP_DEFINED: return check_group(&asked, definition);
    case DK_KIND_PRODUCT_DEFINED: return check_product(&asked, definition);
    case DK_KIND_CALENDAR_DEFINED: return check_calendar(&asked, definition);
    case DK_KIND_POLICY_DEFINED: return check_policy(&asked, definition);
    case DK_KIND_CONTRACT_DEFINED: return check_contract(&asked, definition);
    case DK_KIND_TEMPLATE_DEFINED: return check_template(&asked, definition);
    case DK_KIND_RULE_DEFINED: return check_rule(&asked, definition);
    case DK_KIND_FIELD_DEFINED: return check_field(&asked, definition);
    case DK_KIND_SHIFT_DEFINED: return check_shift(&asked, definition);
    case DK_KIND_SITE_DEFINED: return check_site(&asked, definition);
    case DK_KIND_SETTINGS_DEFINED: return check_settings(&asked, definition);
    default: return 0;
    }
}
