/* Room on the disk: written ahead of need, watched, and refused in time.
 *
 * Growing a file inside a commit costs a metadata sync (a commit of 485 events took 410 to 440 us
 * beside this helper, 510 to 560 without it); a helper thread writes zeros ahead of the data file's
 * end, in small direct steps. It stops above the reserve. Free space below the reserve turns
 * `accepting` off; it turns on again by itself at reserve + 1/8. A commit that hits a full disk
 * would be fatal, so the reserve must hold what one commit can take and more. A file that was
 * deleted under the broker counts as a full disk.
 *
 * The zeros can never fall on a page of LMDB's: each write is an O_APPEND write, which the kernel
 * places at the file's end as it is under the file's lock, and LMDB's writes are below that end
 * once they are made. A page that LMDB writes beyond the end leaves a hole at most, which reads as
 * zeros until LMDB writes there. The helper has a descriptor of its own: on LMDB's it would take
 * the one report of a failed write-back that the kernel makes to each descriptor, and a commit
 * would pass for durable. (LMDB 0.9 has no locks on the data file that closing it could drop.) */
#ifndef DK_LOG_SPACE_H
#define DK_LOG_SPACE_H

#include "broker/log/log.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_space;

struct dk_space_options {
    uint64_t ahead_bytes;   /* how far the file is grown ahead; default 128 MiB */
    uint64_t step_bytes;    /* one write; default 1 MiB; direct if 4,096 divides it */
    uint64_t reserve_bytes; /* appends are refused below this much free; default 256 MiB */
    int64_t interval_ms;    /* between looks; default 100 */
};
void dk_space_defaults(struct dk_space_options *options);

/* Starts the helper thread, after a first look; it holds `log`, open for writing, until stopped. 0,
 * DK_EIO, DK_ENOMEM. */
int dk_space_start(struct dk_space **space, struct dk_log *log,
                   const struct dk_space_options *options, struct dk_err *err);
void dk_space_stop(struct dk_space **space);

/* From any thread: as of the last look. */
bool dk_space_accepting(const struct dk_space *space);
uint64_t dk_space_free_bytes(const struct dk_space *space);

#endif
