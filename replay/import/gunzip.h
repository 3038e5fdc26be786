/* Bytes as they come, or unpacked when they are gzip's (RFC 1952): told by the first two. */
#ifndef DK_IMPORT_GUNZIP_H
#define DK_IMPORT_GUNZIP_H

#include "proto/base/err.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct dk_gunzip;

/* `read` as dk_csv_new's. */
int dk_gunzip_new(struct dk_gunzip **gunzip, ssize_t (*read)(void *arg, void *data, size_t bytes),
                  void *arg, struct dk_err *err);
void dk_gunzip_free(struct dk_gunzip **gunzip);

/* The next bytes: how many, 0 at the end. DK_EIO, also when it ends within a member, a check fails,
 * or what follows a member is no other one. */
ssize_t dk_gunzip_read(struct dk_gunzip *gunzip, void *data, size_t bytes, struct dk_err *err);

/* Of the file, packed, so far. */
uint64_t dk_gunzip_bytes(const struct dk_gunzip *gunzip);

#endif
