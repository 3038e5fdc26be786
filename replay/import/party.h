/* Customers and companies, as people write them: in the columns of a file, and when they are shown.
 *
 * What identifies a customer stands in a Text; the customer's key is a digest and says nothing. */
#ifndef DK_IMPORT_PARTY_H
#define DK_IMPORT_PARTY_H

#include "proto/refs/refs.h"

enum dk_party_column {
    /* of customers */
    DK_CUSTOMER_NAMED,
    DK_CUSTOMER_ADDRESS,
    DK_CUSTOMER_NAME,
    DK_CUSTOMER_FIRST_NAME,
    DK_CUSTOMER_SURNAME,
    DK_CUSTOMER_COMPANY,
    DK_CUSTOMER_LANGUAGE,
    /* of companies */
    DK_COMPANY_NAMED,
    DK_COMPANY_NAME,
    DK_COMPANY_TIER,
    DK_COMPANY_CONTRACT,
    DK_PARTY_COLUMNS
};

/* A column's standard name, and whether it is one of this class of subjects. */
const char *dk_party_column_word(enum dk_party_column column);
bool dk_party_column_of(enum dk_party_column column, unsigned cls);

/* What a definition says in a column, in the words of a file; "" for nothing, and for columns that
 * are no field of their own (the name in parts, and what names a customer, which no log holds).
 * Borrowed from the body and the refs, or in `text`. */
#define DK_PARTY_TEXT_BYTES 512
const char *dk_party_say(const struct dk_refs *refs, const ProtobufCMessage *body,
                         enum dk_party_column column, char text[DK_PARTY_TEXT_BYTES]);

#endif
