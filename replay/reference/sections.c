#include "proto/fold/definition.h"
#include "replay/reference/key.h"

#define UP_TO(least, most) .min = (least), .max = (most)
#define OF(CLASS)          .cls = DK_SUBJECT_##CLASS
#define KEY(key, member, sort, ...)                                                                \
    {                                                                                              \
        .word = (key), .field = (member), .type = &dk_type_##sort, __VA_ARGS__                     \
    }

/* clang-format off */
const struct dk_reference_section dk_reference_sections[] = {
    {"sites", DK_KIND_SITE_DEFINED, {
        KEY("number", "number", number, UP_TO(1, DK_SITE_UNNAMED - 1), .needed = true),
        KEY("zone", "zone", bytes, .needed = true),
        KEY("next", "next_site", site),
    }},
    {"calendars", DK_KIND_CALENDAR_DEFINED, {
        KEY("zone", "zone", bytes, .needed = true),
        KEY("hours", "weekday", hours, .needed = true),
        KEY("holidays", "exception", holidays),
        KEY("holidays_from", "exception", holidays_from),
        KEY("special_days", "exception", special_days),
        KEY("publish", "publish", enum),
    }},
    {"fields", DK_KIND_FIELD_DEFINED, {
        KEY("type", "type", enum, .needed = true),
        KEY("choices", "choice", bytes_list),
        KEY("personal", "personal", bool),
    }},
    {"checklists", DK_KIND_CHECKLIST_DEFINED, {
        KEY("questions", "question", bytes_list, .needed = true),
    }},
    {"templates", DK_KIND_TEMPLATE_DEFINED, {
        KEY("texts", "text", texts, .needed = true),
    }},
    {"groups", DK_KIND_GROUP_DEFINED, {
        KEY("line", "line", number, UP_TO(1, DK_LINE_MAX), .needed = true),
        KEY("site", "site", site),
        KEY("calendar", "calendar", id, OF(CALENDAR)),
        KEY("secondary", "secondary", id, OF(GROUP)),
        KEY("next_site", "next_site_group", id, OF(GROUP)),
        KEY("manager", "manager", id, OF(AGENT)),
        KEY("notify_hours", "notify_calendar", id, OF(CALENDAR)),
    }},
    {"agents", DK_KIND_AGENT_DEFINED, {
        KEY("first_name", "first_name", text, .needed = true),
        KEY("surname", "surname", text, .needed = true),
        KEY("groups", "group", ids, OF(GROUP)),
        KEY("languages", "language", bytes_list),
        KEY("skills", "skill", bytes_list),
        KEY("capacity", "capacity", number, UP_TO(0, DK_ROOM_MAX)),
        KEY("channels", "channel_capacity", channels),
        KEY("email", "email", mailbox),
        KEY("tier", "tier", number, UP_TO(1, DK_TIER_MAX)),
        KEY("site", "site", site),
        KEY("products", "product", ids, OF(PRODUCT)),
        KEY("notify_hours", "notify_calendar", id, OF(CALENDAR)),
    }},
    {"products", DK_KIND_PRODUCT_DEFINED, {
        KEY("parent", "parent", id, OF(PRODUCT)),
        KEY("routes", "route", routes),
        KEY("audience", "audience", bytes_list),
        KEY("contract_level", "contract_level", bytes),
        KEY("skills", "required_skill", bytes_list),
        KEY("preferred_skills", "preferred_skill", bytes_list),
    }},
    {"suppliers", DK_KIND_SUPPLIER_DEFINED, {
        KEY("calendar", "calendar", id, OF(CALENDAR)),
        KEY("contact", "contact", text),
    }},
    {"contracts", DK_KIND_CONTRACT_DEFINED, {
        KEY("company", "company", id, OF(COMPANY)),
        KEY("supplier", "supplier", id, OF(SUPPLIER)),
        KEY("level", "level", bytes),
        KEY("penalties", "penalty", penalties),
        KEY("currency", "currency", bytes),
    }},
    {"policies", DK_KIND_POLICY_DEFINED, {
        KEY("when", "condition", when),
        KEY("goals", "goal", goals, .needed = true),
        KEY("calendar", "calendar", id, OF(CALENDAR)),
        KEY("pause", "pause", enums),
        KEY("warn", "warn_percent", numbers, UP_TO(1, 99)),
        KEY("warn_before", "warn_before_us", durations, .min = 1),
        KEY("on_change", "on_change", enum),
        KEY("publish", "publish", enum),
        KEY("auto_solve_days", "auto_solve_days", number, UP_TO(0, DK_SPAN_MAX_DAYS)),
        KEY("auto_close_days", "auto_close_days", number, UP_TO(0, DK_SPAN_MAX_DAYS)),
    }},
    {"rules", DK_KIND_RULE_DEFINED, {
        KEY("events", "on_kind", kinds, .needed = true),
        KEY("when", "condition", when),
        KEY("metric", "metric", enum),
        KEY("level", "level", number, UP_TO(1, 99)),
        KEY("to", "recipient", to, .needed = true),
        KEY("via", "transport", enum, .needed = true),
        KEY("address", "address", text),
        KEY("template", "template", id, OF(TEMPLATE), .needed = true),
        KEY("payload", "payload", enum),
        KEY("chat", "chat", bytes),
        KEY("urgent", "urgent", bool),
        KEY("digest", "digest_us", duration, .min = 1),
        KEY("wait", "wait_us", duration, .min = 1),
        KEY("then", "step", steps),
        KEY("repeats", "repeats", number, UP_TO(0, DK_REPEATS_MAX)),
        KEY("idle", "idle_us", duration, .min = 1),
    }},
    {"shifts", DK_KIND_SHIFT_DEFINED, {
        KEY("calendar", "calendar", id, OF(CALENDAR), .needed = true),
        KEY("agents", "agent", ids, OF(AGENT), .needed = true),
        KEY("on_call", "on_call", bool),
        KEY("from", "from_day", day),
        KEY("to", "to_day", last_day),
    }},
    {"settings", DK_KIND_SETTINGS_DEFINED, {
        KEY("reopen_days", "reopen_days", number, UP_TO(0, DK_SPAN_MAX_DAYS)),
        KEY("repeat_contact_days", "repeat_contact_days", number, UP_TO(0, DK_SPAN_MAX_DAYS)),
        KEY("follow_up_days", "follow_up_days", number, UP_TO(0, DK_SPAN_MAX_DAYS)),
        KEY("auto_solve_days", "auto_solve_days", number, UP_TO(0, DK_SPAN_MAX_DAYS)),
        KEY("auto_close_days", "auto_close_days", number, UP_TO(0, DK_SPAN_MAX_DAYS)),
        KEY("offer_timeout", "offer_timeout_us", duration),
        KEY("queue_timeout", "queue_timeout_us", duration),
        KEY("decline_pause", "decline_pause_us", duration),
        KEY("channel_weight", "channel_weight", channels, .min = 1),
        KEY("needs_tier", "tier_need", tiers),
        KEY("calendar", "calendar", id, OF(CALENDAR)),
        KEY("default_group", "default_group", id, OF(GROUP)),
        KEY("notify_hours", "notify_calendar", id, OF(CALENDAR)),
    }},
};
/* clang-format on */
const size_t dk_reference_section_count =
    sizeof dk_reference_sections / sizeof dk_reference_sections[0];

/* No file's sections: what is said of them all the same. */
/* clang-format off */
static const struct dk_reference_section shown[] = {
    {"customers", DK_KIND_CUSTOMER_DEFINED, {
        KEY("full_name", "full_name", text),
        KEY("addresses", "address", text),
        KEY("company", "company", id, OF(COMPANY)),
        KEY("language", "language", bytes),
    }},
    {"companies", DK_KIND_COMPANY_DEFINED, {
        KEY("tier", "tier", bytes),
        KEY("contract", "contract", id, OF(CONTRACT)),
    }},
};
/* clang-format on */

const struct dk_reference_section *dk_reference_section_of(uint32_t kind)
{
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (shown[i].kind == kind)
            return &shown[i];
    }
    for (size_t i = 0; i < dk_reference_section_count; i++) {
        if (dk_reference_sections[i].kind == kind)
            return &dk_reference_sections[i];
    }
    return NULL;
}
