/* A new site's folder: docket.yaml, keys and an empty log. */
#ifndef DK_NET_INIT_H
#define DK_NET_INIT_H

#include "proto/base/err.h"

/* Makes `dir` (0750) a site's. A folder that holds docket.yaml is a whole site, as that name comes
 * last: killed at any point, this leaves a folder without it, which the next call completes. Keys
 * and a log that stand there already are kept.
 *
 * Durable on return 0. DK_EEXISTS when there is a docket.yaml; DK_ECONFLICT when there is a log of
 * another site; DK_EBUSY while another process is at it; DK_EACCES, DK_ENOSPACE, DK_EIO. */
int dk_init_site(const char *dir, unsigned site, struct dk_err *err);

#endif
