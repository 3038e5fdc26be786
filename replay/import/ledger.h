/* What the log holds of a source already: the log is the importer's ledger.
 *
 * A fold of the log's records: per case its ticket, the highest ordinal, and one number over the
 * digests of all rows that made events, about 60 bytes a case. So a run sends only what is missing,
 * and sees when a row that went in reads otherwise now. */
#ifndef DK_IMPORT_LEDGER_H
#define DK_IMPORT_LEDGER_H

#include "proto/base/map.h"
#include "proto/peer/client.h"
#include "replay/import/drafts.h"
#include <stdbool.h>
#include <stdint.h>

#define DK_LEDGER_CASES_MAX (UINT64_C(1) << 32)

struct dk_ledger_case {
    uint64_t ticket; /* 0: the log has none yet */
    uint64_t sum;    /* over ordinals and digests */
    uint32_t ordinal;
    bool met;     /* in this run's file */
    bool stopped; /* this run sends no more of it */
    bool adopted;
};

struct dk_ledger {
    uint64_t source;
    struct dk_map cases;   /* dk_case_id -> struct dk_ledger_case */
    struct dk_map tickets; /* ticket -> case id, while the log is read */
    bool begun;            /* the last ImportStarted has no ImportFinished */
    bool has_mapping;
    uint8_t mapping_sha256[32]; /* of the last ImportStarted */
    uint64_t position;          /* folded up to here */
    void (*on_defined)(void *arg, uint64_t subject);
    void *arg;
};

/* `on_defined` gets the subject of every definition in the log. */
void dk_ledger_init(struct dk_ledger *ledger, uint64_t source,
                    void (*on_defined)(void *arg, uint64_t subject), void *arg);
void dk_ledger_close(struct dk_ledger *ledger);

/* Takes in one verified record, in position order. 0, DK_EINVAL, DK_ENOMEM. */
int dk_ledger_apply(struct dk_ledger *ledger, const uint8_t *record, size_t record_bytes,
                    struct dk_err *err);

/* Takes in the log up to `head`: from its folder where that is readable and is this log, else by
 * Fetch. DK_ECORRUPT, DK_ETIMEOUT, ... */
int dk_ledger_read(struct dk_ledger *ledger, struct dk_client *client, const char *log_dir,
                   const uint8_t log_uuid[16], uint64_t head, struct dk_err *err);

/* Whether the last import was by this mapping, or there was none. */
bool dk_ledger_mapped(const struct dk_ledger *ledger, const uint8_t mapping_sha256[32]);

/* The case's entry, made when new; good until the next call. */
struct dk_ledger_case *dk_ledger_case(struct dk_ledger *ledger, uint64_t case_id);

/* Whether the drafts of a case that the file holds up to `entry->ordinal` at least come from the
 * rows that the log has. */
bool dk_ledger_agrees(const struct dk_ledger_case *entry, const struct dk_drafts *drafts);

/* Asks for the ticket's history and marks the rows of the case that are in the log. `*conflict` is
 * the first row in whose place the log has another, or NULL. 0; DK_ETIMEOUT, DK_ECORRUPT, ... */
int dk_ledger_compare(const struct dk_ledger *ledger, struct dk_client *client, uint64_t ticket,
                      const struct dk_case *one, const struct dk_case_row **conflict,
                      struct dk_err *err);

#endif
