/* What was promised, twice: as the log defines it, and as files would have it.
 *
 *   log's definitions ------------------------------> before
 *         \--- without the entities of the files ---> after <--- the files', in force ever
 *
 * The files are YAML as `docket apply` reads it, judged together with what is in force at the end.
 * A definition of theirs stands in place of all versions that the log has of the same entity, and
 * for all of the history, whatever `effective_from` says; an entity that they remove was never
 * there. All else is as it was. */
#ifndef DK_REPLAY_WHATIF_PROMISES_H
#define DK_REPLAY_WHATIF_PROMISES_H

#include "broker/log/log.h"
#include "proto/refs/refs.h"
#include "replay/reference/reference.h"

#define DK_DIGEST_TEXT_BYTES 65

struct dk_promises {
    struct dk_refs *before, *after;
    uint64_t position;                 /* of the last record that counts */
    int64_t recorded_us;               /* of it: what is open is judged as of then */
    char digest[DK_DIGEST_TEXT_BYTES]; /* SHA-256 of the files' definitions as records, in hex */
};

/* Reads the definitions of the log up to `position` (UINT64_MAX: its end). `set` has its files, and
 * is compared here; it may be freed afterwards. `on_progress` as dk_scan's. 0; DK_EINVAL when the
 * set has problems, which it tells; DK_ENOTFOUND when the log ends before `position`; DK_ENOMEM.
 * Closed by the caller, after an error too. */
int dk_promises_read(struct dk_promises *promises, struct dk_reference *set,
                     struct dk_log_reader *reader, uint64_t position,
                     int (*on_progress)(void *arg, uint64_t position), void *arg,
                     struct dk_err *err);
void dk_promises_close(struct dk_promises *promises);

#endif
