/* CRC-32C (Castagnoli, RFC 3720 appendix B.4); in hardware where the processor has SSE 4.2. */
#ifndef DK_BASE_CRC32C_H
#define DK_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 to begin) over `bytes` bytes: crc(a ++ b) = dk_crc32c(dk_crc32c(0, a), b). */
uint32_t dk_crc32c(uint32_t crc, const void *data, size_t bytes);

#endif
