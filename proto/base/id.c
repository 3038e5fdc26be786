#include "proto/base/id.h"
#include "proto/base/limits.h"
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ID_DIGITS 14 /* of 56 bits, in hex */

uint64_t dk_id_of_key(unsigned cls, const char *key, size_t key_bytes,
                      const uint8_t salt[DK_SALT_BYTES])
{
    static const uint8_t none[crypto_shorthash_KEYBYTES];
    _Static_assert(DK_SALT_BYTES == crypto_shorthash_KEYBYTES, "the salt is the hash's key");
    uint8_t message[1 + DK_KEY_MAX_BYTES];
    uint64_t hash;
    DK_ASSERT(key_bytes <= DK_KEY_MAX_BYTES);
    message[0] = (uint8_t)cls;
    memcpy(message + 1, key, key_bytes);
    (void)crypto_shorthash((uint8_t *)&hash, message, 1 + key_bytes, salt != NULL ? salt : none);
    hash &= DK_ID_MASK;
    return dk_id_make(cls, hash != 0 ? hash : 1);
}

uint64_t dk_id_of_person(unsigned cls, const void *name, size_t name_bytes,
                         const uint8_t salt[DK_SALT_BYTES], char key[DK_PERSON_KEY_BYTES])
{
    uint8_t digest[crypto_generichash_BYTES_MIN];
    char hex[DK_PERSON_KEY_BYTES];
    _Static_assert(2 * sizeof digest + 1 == DK_PERSON_KEY_BYTES, "two digits a byte");
    _Static_assert(DK_SALT_BYTES >= crypto_generichash_KEYBYTES_MIN, "the salt is the hash's key");
    int rc = crypto_generichash(digest, sizeof digest, name, name_bytes, salt, DK_SALT_BYTES);
    DK_ASSERT(rc == 0);
    (void)sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    if (key != NULL) {
        memcpy(key, hex, sizeof hex);
    }
    return dk_id_of_key(cls, hex, sizeof hex - 1, salt);
}

/* "WORD/" and the id's 14 hex digits: written by hand, as every event printed has some. */
static char *put_hex_id(char *text, const char *word, uint64_t id)
{
    size_t bytes = strlen(word);
    DK_ASSERT(bytes + 1 + ID_DIGITS < DK_ID_TEXT_BYTES);
    memcpy(text, word, bytes);
    text[bytes++] = '/';
    for (int i = ID_DIGITS - 1; i >= 0; i--, id >>= 4) {
        text[bytes + (size_t)i] = "0123456789abcdef"[id & 0xf];
    }
    text[bytes + ID_DIGITS] = '\0';
    return text;
}

/* Returns what is behind the last digit. */
static char *put_decimal(char *at, uint64_t value)
{
    char digits[20];
    size_t from = sizeof digits;
    do {
        digits[--from] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    memcpy(at, digits + from, sizeof digits - from);
    return at + (sizeof digits - from);
}

char *dk_id_format(uint64_t subject, char text[DK_ID_TEXT_BYTES])
{
    unsigned cls = dk_id_class(subject);
    if (cls != DK_SUBJECT_TICKET) {
        return put_hex_id(text, dk_subject_class_word(cls), subject & DK_ID_MASK);
    }
    char *end = put_decimal(text, dk_ticket_site(subject));
    *end++ = '-';
    *put_decimal(end, dk_ticket_number(subject)) = '\0';
    return text;
}

char *dk_actor_format(uint64_t actor, char text[DK_ID_TEXT_BYTES])
{
    unsigned cls = dk_id_class(actor);
    uint64_t id = actor & DK_ID_MASK;
    if (cls != DK_ACTOR_NODE) {
        return put_hex_id(text, dk_actor_class_word(cls), id);
    }
    (void)snprintf(text, DK_ID_TEXT_BYTES, "%s/%s", dk_actor_class_word(cls),
                   dk_role_word((unsigned)id));
    return text;
}

/* Digits only, at most `max`; *end is the first character after them. */
static int parse_number(const char *text, uint64_t max, const char **end, uint64_t *number)
{
    uint64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (uint64_t)(*at - '0');
        if (value > max) {
            return DK_EINVAL;
        }
    }
    *number = value;
    *end = at;
    return at == text ? DK_EINVAL : 0;
}

int dk_ticket_parse(const char *text, uint64_t *ticket, struct dk_err *err)
{
    uint64_t site = 0, number = 0;
    const char *at = text;
    if (parse_number(at, DK_SITE_UNNAMED - 1, &at, &site) != 0 || *at != '-' ||
        parse_number(at + 1, DK_TICKET_NUMBER_MAX, &at, &number) != 0 || *at != '\0' ||
        number == 0 || site == 0) {
        return dk_err_set(err, DK_EINVAL, "\"%s\" is no ticket: write SITE-NUMBER, as 1-1042",
                          text);
    }
    *ticket = dk_ticket_make((unsigned)site, number);
    return 0;
}

unsigned dk_subject_class_of(const char *word)
{
#define X(number, NAME, text)                                                                      \
    if (strcmp(word, text) == 0) {                                                                 \
        return number;                                                                             \
    }
    DK_SUBJECT_CLASSES(X)
#undef X
    return 0;
}

const char *dk_subject_class_word(unsigned cls)
{
    switch (cls) {
#define X(number, NAME, word)                                                                      \
    case number: return word;
        DK_SUBJECT_CLASSES(X)
#undef X
    default: return "?";
    }
}

const char *dk_actor_class_word(unsigned cls)
{
    switch (cls) {
#define X(number, NAME, word)                                                                      \
    case number: return word;
        DK_ACTOR_CLASSES(X)
#undef X
    default: return "?";
    }
}

unsigned dk_role_of(const char *word)
{
#define X(number, NAME, text)                                                                      \
    if (strcmp(word, text) == 0) {                                                                 \
        return number;                                                                             \
    }
    DK_ROLES(X)
#undef X
    return 0;
}

const char *dk_role_word(unsigned role)
{
    switch (role) {
#define X(number, NAME, word)                                                                      \
    case number: return word;
        DK_ROLES(X)
#undef X
    default: return "?";
    }
}

/* Classes that an actor and a subject have in common. */
static const struct {
    unsigned actor, subject;
} persons[] = {
    {DK_ACTOR_AGENT, DK_SUBJECT_AGENT},
    {DK_ACTOR_CUSTOMER, DK_SUBJECT_CUSTOMER},
    {DK_ACTOR_SUPPLIER, DK_SUBJECT_SUPPLIER},
};

uint64_t dk_subject_of_actor(uint64_t actor)
{
    for (size_t i = 0; i < sizeof persons / sizeof persons[0]; i++) {
        if (persons[i].actor == dk_id_class(actor)) {
            return dk_id_make(persons[i].subject, actor);
        }
    }
    return 0;
}

uint64_t dk_actor_of_subject(uint64_t subject)
{
    for (size_t i = 0; i < sizeof persons / sizeof persons[0]; i++) {
        if (persons[i].subject == dk_id_class(subject)) {
            return dk_id_make(persons[i].actor, subject);
        }
    }
    return 0;
}
