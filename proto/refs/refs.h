/* Reference data: what products, groups, agents, calendars, policies, ... were at any instant.
 *
 * A fold of the ...Defined events of one log, in position order. Each entity has versions, each
 * with an instant from which it is in force (Definition.effective_us, else the event's recorded
 * time); what judges an event is the version in force at the event's `occurred` (DESIGN, Nodes).
 * A version recorded later with an earlier instant is in force from then on; at one instant the
 * later position wins. A removed entity is found by `dk_refs_last` only.
 *
 * Bodies are kept as protobuf-c unpacked them and are owned by the refs, unchanged for their whole
 * life; pointers stay good until dk_refs_free. One thread at a time. */
#ifndef DK_REFS_REFS_H
#define DK_REFS_REFS_H

#include "docket.pb-c.h"
#include "proto/base/err.h"
#include "proto/base/id.h"
#include "proto/calendar/calendar.h"
#include "proto/event/event.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dk_refs;

struct dk_refs_version {
    uint64_t subject;
    uint64_t position;
    int64_t effective_us;
    uint32_t version; /* subject_version of the event: what decisions record (S5) */
    uint32_t kind;
    bool removed;
    const ProtobufCMessage *body;
};

int dk_refs_new(struct dk_refs **refs, struct dk_err *err);
void dk_refs_free(struct dk_refs **refs);

/* Takes in one canonical record; passes over kinds that are no definition. Total: a definition that
 * names what does not exist is kept as it is. 0; DK_EINVAL (the body does not unpack, or the
 * subject is of another class than the kind's); DK_ENOMEM. */
int dk_refs_apply(struct dk_refs *refs, const uint8_t *record, size_t record_bytes,
                  struct dk_err *err);

/* How many definitions have been taken in: changes when anything changed. */
uint64_t dk_refs_epoch(const struct dk_refs *refs);

/* The version in force at an instant, or NULL (never defined by then, or removed). */
const struct dk_refs_version *dk_refs_at(const struct dk_refs *refs, uint64_t subject,
                                         int64_t at_us);
/* The first instant after `at` from which another version is in force, or INT64_MAX. */
int64_t dk_refs_next_version_us(const struct dk_refs *refs, uint64_t subject, int64_t at_us);
/* The first instant after `at`, which is not before what was recorded last, from which another
 * version of any entity of the class is in force, or INT64_MAX. O(log n). */
int64_t dk_refs_next_of_class_us(const struct dk_refs *refs, unsigned cls, int64_t at_us);
/* The latest version whatever its instant, removed or not; NULL when never defined. */
const struct dk_refs_version *dk_refs_last(const struct dk_refs *refs, uint64_t subject);
/* The version with this number, whatever its instant, removed or not; NULL: not known. */
const struct dk_refs_version *dk_refs_version_of(const struct dk_refs *refs, uint64_t subject,
                                                 uint32_t version);

/* S7, of a policy or a calendar: the version that holds at `at` for a ticket that goes by the rules
 * of `rules`, its opening or its adoption. That is the one in force then, or the last since that
 * was published to open tickets; before `rules`, the one in force at `at`. And the first instant
 * after `at` from which it is another one, or INT64_MAX. */
const struct dk_refs_version *dk_refs_held(const struct dk_refs *refs, uint64_t subject,
                                           int64_t rules_us, int64_t at_us);
int64_t dk_refs_next_held_us(const struct dk_refs *refs, uint64_t subject, int64_t rules_us,
                             int64_t at_us);

/* The bodies, typed; NULL as above. */
#define DK_REFS_TYPED(name, Type, CLASS)                                                           \
    static inline const Docket__##Type *dk_refs_##name(const struct dk_refs *refs, uint64_t id,    \
                                                       int64_t at_us)                              \
    {                                                                                              \
        const struct dk_refs_version *v =                                                          \
            dk_id_class(id) == DK_SUBJECT_##CLASS ? dk_refs_at(refs, id, at_us) : NULL;            \
        return v != NULL ? (const Docket__##Type *)(const void *)v->body : NULL;                   \
    }
DK_REFS_TYPED(agent, AgentDefined, AGENT)
DK_REFS_TYPED(group, GroupDefined, GROUP)
DK_REFS_TYPED(product, ProductDefined, PRODUCT)
DK_REFS_TYPED(policy, PolicyDefined, POLICY)
DK_REFS_TYPED(supplier, SupplierDefined, SUPPLIER)
DK_REFS_TYPED(contract, ContractDefined, CONTRACT)
DK_REFS_TYPED(template, TemplateDefined, TEMPLATE)
DK_REFS_TYPED(rule, RuleDefined, RULE)
DK_REFS_TYPED(field, FieldDefined, FIELD)
DK_REFS_TYPED(shift, ShiftDefined, SHIFT)
DK_REFS_TYPED(site, SiteDefined, SITE)
DK_REFS_TYPED(customer, CustomerDefined, CUSTOMER)
DK_REFS_TYPED(company, CompanyDefined, COMPANY)
#undef DK_REFS_TYPED

/* The Definition at the front of any ...Defined body. */
const Docket__Definition *dk_refs_definition(const struct dk_refs_version *version);

/* The name people see, for any entity ever defined, by the version that holds in the end; else
 * dk_id_format's text in `text`. For an agent: first name and surname; for a customer: the full
 * name, else the address. */
#define DK_NAME_BYTES 128
const char *dk_refs_name(const struct dk_refs *refs, uint64_t subject, char text[DK_NAME_BYTES]);

/* The entities of a class in force at an instant, ordered by id: calls `on_entity` for each; stops
 * at the first non-zero and hands it on. */
int dk_refs_each(const struct dk_refs *refs, unsigned cls, int64_t at_us,
                 int (*on_entity)(void *arg, const struct dk_refs_version *version), void *arg);

/* The entity of a class with this key, ever defined: its subject, or 0. */
uint64_t dk_refs_by_key(const struct dk_refs *refs, unsigned cls, const char *key,
                        size_t key_bytes);

/* A calendar's compiled form at an instant (compiled on first use, then kept), and the version
 * compiled. NULL for none or one that does not compile. */
const struct dk_calendar *dk_refs_calendar(struct dk_refs *refs, uint64_t calendar, int64_t at_us,
                                           uint32_t *version);

/* The same of the version that is held (dk_refs_held). */
const struct dk_calendar *dk_refs_calendar_held(struct dk_refs *refs, uint64_t calendar,
                                                int64_t rules_us, int64_t at_us, uint32_t *version);

/* Compiles a calendar's definition, which need not be of any refs. As dk_calendar_new; DK_EINVAL
 * also for a day that stands twice or has more intervals than DK_CALENDAR_DAY_INTERVALS. */
int dk_refs_calendar_compile(struct dk_calendar **calendar, const Docket__CalendarDefined *body,
                             struct dk_err *err);

/* The same time of day, `days` working days later: dates of the calendar's zone on which it works
 * at all, by the version in force at `from`. Without such a calendar every 24 hours are one.
 * INT64_MAX when the calendar hardly ever works, and for more than 10,000 days. */
int64_t dk_refs_working_days_us(struct dk_refs *refs, uint64_t calendar, int64_t from_us,
                                uint32_t days);

/* Policies of one type in force at an instant, in their order (S4). Borrowed until the next
 * apply. */
const struct dk_refs_version *const *dk_refs_policies(struct dk_refs *refs, Docket__PolicyType type,
                                                      int64_t at_us, size_t *count);

/* S7: the same of the versions that a ticket goes by (dk_refs_held), after `rules`. Borrowed until
 * the next call. */
const struct dk_refs_version *const *dk_refs_policies_held(struct dk_refs *refs,
                                                           Docket__PolicyType type,
                                                           int64_t rules_us, int64_t at_us,
                                                           size_t *count);

/* The first version of any policy after `at` that is published to open tickets, or NULL. */
const struct dk_refs_version *dk_refs_next_publication(struct dk_refs *refs, int64_t at_us);

/* The contract in force with a supplier (of several the one with the lowest id), or NULL. */
const struct dk_refs_version *dk_refs_supplier_contract(struct dk_refs *refs, uint64_t supplier,
                                                        int64_t at_us);

/* The tier of a company in force at an instant, as a number: 1, 2, ... in the order in which the log
 * first has them; 0: none. What a number stands for (NULL: nothing), and a text's number. */
unsigned dk_refs_tier(const struct dk_refs *refs, uint64_t company, int64_t at_us);
const ProtobufCBinaryData *dk_refs_tier_text(const struct dk_refs *refs, unsigned number);
unsigned dk_refs_tier_number(const struct dk_refs *refs, const char *text, size_t bytes);

/* Notification rules in force at an instant that listen to `kind`. Borrowed until the next apply.
 */
const struct dk_refs_version *const *dk_refs_rules(struct dk_refs *refs, uint32_t kind,
                                                   int64_t at_us, size_t *count);

/* R1: the nearest ancestor of `product` (itself first) with a route for `line`; its group, and the
 * node whose route it is. 0 when there is none. Bounded: 64 levels. */
uint64_t dk_refs_route(const struct dk_refs *refs, uint64_t product, unsigned line, int64_t at_us,
                       uint64_t *node);

/* The first instant after `at` from which a route of `product` may be another one: a version of it
 * or of an ancestor comes into force; INT64_MAX: none is known. */
int64_t dk_refs_next_route_us(const struct dk_refs *refs, uint64_t product, int64_t at_us);

/* Whether `product` is `ancestor` or below it. */
bool dk_refs_product_within(const struct dk_refs *refs, uint64_t product, uint64_t ancestor,
                            int64_t at_us);

/* The organization's settings at an instant, with defaults filled in. */
struct dk_settings {
    uint32_t reopen_days;         /* 14 */
    uint32_t repeat_contact_days; /* 7 */
    uint32_t follow_up_days;      /* 0: none */
    uint32_t auto_solve_days;     /* 0: never */
    uint32_t auto_close_days;     /* 0: never */
    int64_t offer_timeout_us;     /* 0: assign without offering */
    int64_t queue_timeout_us;     /* 15 min */
    int64_t decline_pause_us;     /* 15 min */
    uint32_t channel_weight[10];  /* by enum Channel; 1 */
    uint64_t calendar;
    uint64_t notify_calendar; /* 0: every hour is right for a notice */
    uint64_t default_group;   /* 0: a ticket without a route waits for people */
};
void dk_refs_settings(const struct dk_refs *refs, int64_t at_us, struct dk_settings *settings);

/* The first instant after `at` from which other settings are in force, or INT64_MAX. */
int64_t dk_refs_next_settings_us(const struct dk_refs *refs, int64_t at_us);

/* Whether an agent is on shift at an instant (R2): some ShiftDefined in force lists the agent, its
 * dates hold, and its calendar is open then. Dates are of the calendar's zone, and a shift over
 * midnight belongs to the date on which it begins. `on_call` asks for on-call shifts instead. And
 * the next instant after `at` at which either answer may change (INT64_MAX: never). */
bool dk_refs_on_shift(struct dk_refs *refs, uint64_t agent, int64_t at_us, bool on_call);
int64_t dk_refs_next_shift_edge_us(struct dk_refs *refs, uint64_t agent, int64_t at_us);

/* The same of one shift, whoever it lists. */
bool dk_refs_shift_open(struct dk_refs *refs, uint64_t shift, int64_t at_us);
int64_t dk_refs_shift_edge_us(struct dk_refs *refs, uint64_t shift, int64_t at_us);

#endif
