/* A whole history over the network: docket's Fetch as a node far from the broker does it, beside
 * the ordered consumer of NATS JetStream.
 *
 * docket: the shipped broker with generated events, over CURVE; one request outstanding, records
 * copied out as nodes do (nodes/runtime/source.h). NATS: as many messages of 200 bytes, pushed
 * without acknowledgement, with flow control, to a client on a plain socket that reads past them. */
#ifndef DK_BENCH_FETCH_H
#define DK_BENCH_FETCH_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct dk_fetch;

/* Starts both in a folder below FOLDER and fills them with so many events; `nats`: or docket alone.
 * Forks: before any ZeroMQ context is made. */
int dk_fetch_open(struct dk_fetch **fetch, const char *folder, uint64_t events, bool nats,
                  struct dk_err *err);
void dk_fetch_close(struct dk_fetch **fetch);

/* Reads all of them once; events a second. */
int dk_fetch_docket(struct dk_fetch *fetch, double *events_s, struct dk_err *err);
int dk_fetch_nats(struct dk_fetch *fetch, double *events_s, struct dk_err *err);

#endif
