/* The one configuration file, docket.yaml, that broker, nodes and the command line share.
 *
 * Paths in it are relative to its own folder. A missing key has the default said here; an unknown
 * one is refused with the nearest known. The file that `docket-broker --init` writes is commented.
 */
#ifndef DK_PEER_CONFIG_H
#define DK_PEER_CONFIG_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_ENDPOINT_BYTES 256
#define DK_ENDPOINTS_MAX  4
#define DK_PATH_BYTES     512

struct dk_endpoints {
    size_t count;
    char at[DK_ENDPOINTS_MAX][DK_ENDPOINT_BYTES]; /* "ipc:///abs/path" or "tcp://host:port" */
};

/* The mail server that notices go out by. */
struct dk_config_smtp {
    char server[DK_ENDPOINT_BYTES]; /* "smtp://HOST:PORT" or "smtps://..."; "": none */
    char from[DK_ENDPOINT_BYTES];   /* a mailbox */
    char user[128];                 /* "": without a login */
    char password_file[DK_PATH_BYTES];
    char ca[DK_PATH_BYTES]; /* certificates to trust; "": the system's */
    bool tls_required;      /* smtps, or starttls: required, as it is when nothing is said */
};

struct dk_config {
    char dir[DK_PATH_BYTES];    /* absolute: the folder of the file */
    char log[DK_PATH_BYTES];    /* "log": the event log */
    char keys[DK_PATH_BYTES];   /* "keys" */
    char state[DK_PATH_BYTES];  /* "state": the nodes' own */
    char outbox[DK_PATH_BYTES]; /* "outbox": where the file transport writes */
    int64_t site;               /* 1..65534 */
    char zone[64];              /* IANA zone in which times are shown, one that exists; "UTC" */
    struct dk_endpoints request, announce, feed;
    uint64_t reserve_bytes;    /* 256 MiB */
    uint64_t ahead_bytes;      /* 128 MiB */
    int64_t checkpoint_events; /* 500,000 */
    struct dk_config_smtp smtp;
};

/* Reads PATH (a file, or a folder that holds docket.yaml). 0, DK_EINVAL with FILE:LINE,
 * DK_ENOTFOUND, DK_EIO. */
int dk_config_load(struct dk_config *config, const char *path, struct dk_err *err);

/* Writes a commented docket.yaml with the defaults into `dir`. DK_EEXISTS when there is one. */
int dk_config_write(const char *dir, unsigned site, struct dk_err *err);

/* Where --config is not given: $DOCKET_CONFIG, else ./docket.yaml, else ./data/docket.yaml. */
const char *dk_config_default_path(void);

/* The endpoint on which a node of `role` answers queries. */
void dk_config_query_endpoint(const struct dk_config *config, const char *role,
                              char endpoint[DK_ENDPOINT_BYTES]);

#endif
