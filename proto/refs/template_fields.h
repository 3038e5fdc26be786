/* What a notification's template may name as {{field}}: its word, and what stands there. */
#ifndef DK_REFS_TEMPLATE_FIELDS_H
#define DK_REFS_TEMPLATE_FIELDS_H

#define DK_TEMPLATE_FIELDS(X)                                                                      \
    X(TICKET, "ticket")   /* 7-1042 */                                                             \
    X(SUBJECT, "subject") /* as the customer wrote it */                                           \
    X(STATUS, "status")   /* "pending customer" */                                                 \
    X(PRIORITY, "priority")                                                                        \
    X(TYPE, "type")                                                                                \
    X(CHANNEL, "channel")                                                                          \
    X(PRODUCT, "product") /* names, as the reference data has them */                              \
    X(LINE, "line")                                                                                \
    X(GROUP, "group")                                                                              \
    X(OWNER, "owner")                                                                              \
    X(CUSTOMER, "customer")                                                                        \
    X(COMPANY, "company")                                                                          \
    X(SUPPLIER, "supplier")                                                                        \
    X(RECIPIENT, "recipient") /* of this notice */                                                 \
    X(EVENT, "event")         /* the kind that is told of: "clock-breached" */                     \
    X(OCCURRED, "occurred")   /* when it happened */                                               \
    X(ACTOR, "actor")         /* who did it */                                                     \
    X(TEXT, "text")           /* what the event's message, note or reason says */                  \
    X(METRIC, "metric")       /* of clock events: "first-reply" */                                 \
    X(DUE, "due")                                                                                  \
    X(LATE_BY, "late_by")                                                                          \
    X(LEVEL, "level") /* of a warning: percent of the target */

enum dk_template_field {
#define X(NAME, word) DK_TEMPLATE_##NAME,
    DK_TEMPLATE_FIELDS(X)
#undef X
        DK_TEMPLATE_FIELD_COUNT
};

#endif
