#include "replay/history/person.h"
#include "proto/base/address.h"
#include "proto/base/limits.h"
#include <string.h>

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
    if (dk_address_is_mailbox(name, bytes)) {
        person->address[0] = &person->text;
        body->address = person->address;
        body->n_address = 1;
    } else {
        body->full_name = &person->text;
    }
}
