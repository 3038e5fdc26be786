/* Subjects, actors and tickets as 64-bit numbers, and as people write them.
 *
 *   63        56 55                                              0
 *  +-----------+--------------------------------------------------+
 *  |   class   |  id                                              |   subject, actor
 *  +-----------+----------------+---------------------------------+
 *  |  1=ticket |  site (16)     |  number (40)                    |   a ticket
 *  +-----------+----------------+---------------------------------+
 *
 * An entity that has a key in YAML ("networking") has the id SipHash-2-4(class, key) cut to 56
 * bits, so every site and every importer computes the same id without asking; a definition whose id
 * stands for another key is refused. What identifies a person (a customer's address) is hashed
 * with the log's own salt instead, so that the id cannot be traced back once the salt is destroyed.
 */
#ifndef DK_BASE_ID_H
#define DK_BASE_ID_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_SUBJECT_CLASSES(X)                                                                      \
    X(1, TICKET, "ticket")                                                                         \
    X(2, AGENT, "agent")                                                                           \
    X(3, GROUP, "group")                                                                           \
    X(4, PRODUCT, "product")                                                                       \
    X(5, CALENDAR, "calendar")                                                                     \
    X(6, POLICY, "policy")                                                                         \
    X(7, MEMBER, "member")                                                                         \
    X(8, CUSTOMER, "customer")                                                                     \
    X(9, COMPANY, "company")                                                                       \
    X(10, SUPPLIER, "supplier")                                                                    \
    X(11, CONTRACT, "contract")                                                                    \
    X(12, TEMPLATE, "template")                                                                    \
    X(13, RULE, "rule")                                                                            \
    X(14, FIELD, "field")                                                                          \
    X(15, SHIFT, "shift")                                                                          \
    X(16, SITE, "site")                                                                            \
    X(17, SOURCE, "source")                                                                        \
    X(18, CHECKLIST, "checklist")                                                                  \
    X(19, SETTINGS, "settings")                                                                    \
    X(20, BROKER, "broker")                                                                        \
    X(21, SLOT, "slot")

enum dk_subject_class {
#define X(number, NAME, word) DK_SUBJECT_##NAME = (number),
    DK_SUBJECT_CLASSES(X)
#undef X
        DK_SUBJECT_CLASS_COUNT = 22
};

#define DK_ACTOR_CLASSES(X)                                                                        \
    X(1, AGENT, "agent")                                                                           \
    X(2, CUSTOMER, "customer")                                                                     \
    X(3, SUPPLIER, "supplier")                                                                     \
    X(4, NODE, "node")                                                                             \
    X(5, IMPORTER, "importer")                                                                     \
    X(6, OPERATOR, "operator")                                                                     \
    X(7, BROKER, "broker")

enum dk_actor_class {
#define X(number, NAME, word) DK_ACTOR_##NAME = (number),
    DK_ACTOR_CLASSES(X)
#undef X
};

/* Who may do what is said by the key a peer connects with: each key has one role. A node's role
 * is also its actor id, so that an event says which node decided it. */
#define DK_ROLES(X)                                                                                \
    X(1, ROUTING, "routing")                                                                       \
    X(2, SLA, "sla")                                                                               \
    X(3, NOTIFICATION, "notification")                                                             \
    X(4, ANALYTICS, "analytics")                                                                   \
    X(5, AGENT, "agent")                                                                           \
    X(6, IMPORTER, "importer")                                                                     \
    X(7, OPERATOR, "operator")                                                                     \
    X(8, ANALYST, "analyst")                                                                       \
    X(9, READER, "reader")                                                                         \
    X(10, FOLLOWER, "follower")

enum dk_role {
#define X(number, NAME, word) DK_ROLE_##NAME = (number),
    DK_ROLES(X)
#undef X
};
#define DK_ROLE_BIT(role) (1u << (role))
#define DK_DECIDER_ROLES  3 /* routing, sla, notification append decisions: roles 1..3 */

#define DK_ID_MASK           ((UINT64_C(1) << 56) - 1)
#define DK_TICKET_NUMBER_MAX ((UINT64_C(1) << 40) - 1)
#define DK_SITE_MAX          0xffff

static inline uint64_t dk_id_make(unsigned cls, uint64_t id)
{
    return ((uint64_t)cls << 56) | (id & DK_ID_MASK);
}
static inline unsigned dk_id_class(uint64_t subject)
{
    return (unsigned)(subject >> 56);
}
static inline uint64_t dk_ticket_make(unsigned site, uint64_t number)
{
    return dk_id_make(DK_SUBJECT_TICKET, ((uint64_t)site << 40) | number);
}
/* The site of tickets that a request is to open: its k-th Opened, from 0, names itself, and others
 * of the request name it, as their subject or as the other ticket of a merge or a link,
 * dk_ticket_make(DK_SITE_UNNAMED, k). */
#define DK_SITE_UNNAMED 0xffff
static inline unsigned dk_ticket_site(uint64_t ticket)
{
    return (unsigned)((ticket >> 40) & DK_SITE_MAX);
}
static inline uint64_t dk_ticket_number(uint64_t ticket)
{
    return ticket & DK_TICKET_NUMBER_MAX;
}

#define DK_SALT_BYTES 16

/* The subject of class `cls` with `key`; `salt` is NULL for the organization's own entities. Never
 * 0 in its low 56 bits. */
uint64_t dk_id_of_key(unsigned cls, const char *key, size_t key_bytes,
                      const uint8_t salt[DK_SALT_BYTES]);

/* The customer or company that a name or address from outside names. Its key, which the definition
 * carries, is a digest of the name, salted with the log's salt, in hex; `key` may be NULL. */
#define DK_PERSON_KEY_BYTES 33
uint64_t dk_id_of_person(unsigned cls, const void *name, size_t name_bytes,
                         const uint8_t salt[DK_SALT_BYTES], char key[DK_PERSON_KEY_BYTES]);

/* "7-1042" (site-number), "agent/3f9c..." (class/hex). Returns `text`. */
#define DK_ID_TEXT_BYTES 40
char *dk_id_format(uint64_t subject, char text[DK_ID_TEXT_BYTES]);

/* "agent/3f9c..." as the agent's subject is written; "node/sla", as a node's id is its role. Returns
 * `text`. */
char *dk_actor_format(uint64_t actor, char text[DK_ID_TEXT_BYTES]);

/* The subject that an actor is known under in reference data: agents, customers and suppliers; 0
 * for others. */
uint64_t dk_subject_of_actor(uint64_t actor);
/* The actor that an agent, a customer or a supplier acts as; 0 for other subjects. */
uint64_t dk_actor_of_subject(uint64_t subject);

/* Reads "SITE-NUMBER", of a site that can be: 1..65534. 0, or DK_EINVAL. */
int dk_ticket_parse(const char *text, uint64_t *ticket, struct dk_err *err);

/* A word of the tables above to its number, or 0; and back, or "?". */
unsigned dk_subject_class_of(const char *word);
const char *dk_subject_class_word(unsigned cls);
const char *dk_actor_class_word(unsigned cls);
unsigned dk_role_of(const char *word);
const char *dk_role_word(unsigned role);

#endif
