/* The least a broker could do: a ROUTER that sends every request back, in a process of its own.
 *
 * What it reaches is the ceiling of ZeroMQ on this machine with these clients; what docket adds is
 * everything else. */
#ifndef DK_BENCH_ECHO_H
#define DK_BENCH_ECHO_H

#include "proto/base/err.h"
#include "proto/peer/keys.h"
#include <sys/types.h>

/* Listens on ipc://PATH until ended (dk_process_end). `server` NULL: plain; else CURVE, which lets
 * any client in. */
int dk_echo_start(pid_t *pid, const char *endpoint, const struct dk_key *server,
                  struct dk_err *err);

#endif
