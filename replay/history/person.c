#include "replay/history/person.h"
#include "proto/base/limits.h"
#include <string.h>

bool dk_person_is_address(const void *name, size_t bytes)
{
    const uint8_t *text = name;
    const uint8_t *at = bytes > 0 ? memchr(text, '@', bytes) : NULL;
    if (at == NULL || at == text || at == text + bytes - 1 ||
        memchr(at + 1, '@', bytes - (size_t)(at + 1 - text)) != NULL) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] <= ' ') {
            return false;
        }
    }
    return true;
}

void dk_person_meet(struct dk_person *person, const void *name, size_t bytes,
                    const uint8_t salt[DK_SALT_BYTES])
{
    Docket__CustomerDefined *body = &person->body;
    person->subject = dk_id_of_person(DK_SUBJECT_CUSTOMER, name, bytes, salt, person->key);
    docket__definition__init(&person->definition);
    person->definition.key = (ProtobufCBinaryData){DK_PERSON_KEY_BYTES - 1, (uint8_t *)person->key};
    person->definition.has_effective_us = 1;
    person->definition.effective_us = DK_TIME_MIN_US;
    docket__text__init(&person->text);
    person->text.has_plain = 1;
    person->text.plain = (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)name};
    docket__customer_defined__init(body);
    body->definition = &person->definition;
    if (dk_person_is_address(name, bytes)) {
        person->address[0] = &person->text;
        body->address = person->address;
        body->n_address = 1;
    } else {
        body->full_name = &person->text;
    }
}
