/* An import while it runs: what import.c and pack.c share. */
#ifndef DK_IMPORT_RUN_H
#define DK_IMPORT_RUN_H

#include "replay/import/import.h"
#include "replay/import/input.h"
#include "replay/import/ledger.h"
#include "replay/import/mapper.h"
#include "replay/import/sender.h"

/* A case that is still open at its last row; one that an earlier run adopted, too. */
struct dk_adoption {
    uint64_t case_id;
    uint64_t digest; /* of the last row */
    uint32_t ordinal;
    char key[DK_KEY_MAX_BYTES + 1];
};

struct dk_run {
    const struct dk_import_options *options;
    const struct dk_config *config;
    struct dk_report *report;
    struct dk_import_summary *summary;
    struct dk_mapping mapping;
    struct dk_input input;
    struct dk_csv *csv; /* or */
    struct dk_xes *xes;
    struct dk_cases *cases;
    struct dk_mapper mapper;
    struct dk_drafts drafts;
    struct dk_ledger ledger;
    struct dk_adoption *adoption;
    size_t adoption_count, adoption_capacity;
    void *zmq;
    struct dk_sender *sender; /* NULL in a dry run */
    bool begun;               /* this run has something to tell the log */
};

/* Packs what the log lacks of the case, whose events are in `drafts`. */
int dk_pack_case(struct dk_run *run, const struct dk_case *one, struct dk_err *err);

/* Packs Adopted for each of `adoption` that has a ticket and is not adopted. */
int dk_pack_adoptions(struct dk_run *run, struct dk_err *err);

/* Packs that the import is complete, unless the log knows. */
int dk_pack_finished(struct dk_run *run, struct dk_err *err);

#endif
