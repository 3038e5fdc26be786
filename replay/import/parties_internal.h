/* What parties.c and parties_row.c share. */
#ifndef DK_IMPORT_PARTIES_INTERNAL_H
#define DK_IMPORT_PARTIES_INTERNAL_H

#include "docket.pb-c.h"
#include "proto/base/buf.h"
#include "proto/base/map.h"
#include "replay/import/parties.h"
#include "replay/import/party.h"
#include "replay/import/tiers.h"

#define DK_PARTY_NO_COLUMN  (-1)
#define DK_PARTY_NAME_BYTES 256 /* first name, blank and surname */

struct dk_parties {
    struct dk_parties_options options;
    struct dk_parties_counts counts;
    int column[DK_PARTY_COLUMNS]; /* where it stands in a row, or DK_PARTY_NO_COLUMN */
    size_t width;                 /* columns of the header */
    struct dk_tiers tiers;
    struct dk_map met; /* subject -> struct met: a file says of nobody two things */
    struct dk_buf records;
    struct dk_buf now, before; /* one definition each, to be compared */
    struct dk_party_change *change;
    size_t count, capacity;
    uint64_t shown;
};

/* A row's definition. Borrows from the row and the refs, and points into itself. */
struct dk_party {
    uint64_t subject;
    struct dk_slice named; /* what names it in the file */
    const struct dk_refs_version *old;
    const ProtobufCMessage *body;
    char key[DK_PERSON_KEY_BYTES];
    char joined[DK_PARTY_NAME_BYTES];
    Docket__Definition definition;
    Docket__Text full_name, address;
    Docket__Text *addresses[1];
    Docket__CustomerDefined customer;
    Docket__CompanyDefined company;
};

/* A cell without the blanks around it. */
static inline struct dk_slice dk_party_trim(struct dk_slice text)
{
    while (text.size > 0 && text.data[0] <= ' ') {
        text = (struct dk_slice){text.data + 1, text.size - 1};
    }
    while (text.size > 0 && text.data[text.size - 1] <= ' ') {
        text.size--;
    }
    return text;
}

/* What the row says, over what is in force. 0, or why it stays out. */
int dk_party_draw(const struct dk_parties *parties, const struct dk_csv_row *row,
                  struct dk_party *party, struct dk_err *err);

#endif
