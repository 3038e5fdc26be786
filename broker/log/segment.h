/* A segment of heads: the entries of 65,536 consecutive ticket numbers in one mapped file.
 *
 *   DIR/00000012-3f.seg   index 0x12, as the checkpoint of generation 0x3f wrote it
 *
 *   0          64              data                       + 4096 * pages
 *   +----------+----------------+--------+--------+-------+
 *   | header   | crc32c[pages]  | page 0 | page 1 | ...   |
 *   +----------+----------------+--------+--------+-------+
 *
 * Entry i stands at data + i * entry_bytes and may cross pages; the file ends with the page of the
 * last entry that was ever used. The header has a crc over itself and the table. A crc is checked
 * when what it covers is first touched, so mapping reads nothing from the disk. */
#ifndef DK_LOG_SEGMENT_H
#define DK_LOG_SEGMENT_H

#include "proto/base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DK_SEGMENT_ENTRIES    65536
#define DK_SEGMENT_PAGE_BYTES 4096

/* What every file of one set of heads is stamped with. */
struct dk_heads_stamp {
    uint8_t uuid[16];
    uint32_t entry_bytes;
    uint32_t fold_version;
};

/* A file: which segment, its size, and which checkpoint wrote it. A file is never written again:
 * what changes goes to one of a later generation. */
struct dk_segment_id {
    uint32_t index;
    uint32_t pages;
    uint64_t generation;
};

#define DK_SEGMENT_NAME_BYTES 32
void dk_segment_name(char name[DK_SEGMENT_NAME_BYTES], const struct dk_segment_id *id);

struct dk_segment {
    struct dk_segment_id id;
    const uint8_t *map;
    size_t map_bytes;
    bool header_checked;
    uint64_t *page_checked; /* a bit a page */
};

/* Maps a file of `dir`. DK_ENOTFOUND when there is none of that name; DK_ECORRUPT when it has
 * another size. */
int dk_segment_map(struct dk_segment *segment, const char *dir, const struct dk_segment_id *id,
                   struct dk_err *err);
void dk_segment_unmap(struct dk_segment *segment);

/* The i-th entry, or NULL when the file ends before it, or when what it touches is damaged:
 * `*damaged`. */
const uint8_t *dk_segment_entry(struct dk_segment *segment, const struct dk_heads_stamp *stamp,
                                uint32_t i, bool *damaged);

/* The number within its segment, and the new entry. */
struct dk_segment_change {
    uint64_t number;
    const uint8_t *entry;
};

/* Writes the file of id->index and id->generation: `old` (NULL: none) with `changes` (sorted by
 * number, at least one) applied; id->pages is filled. Leaves `old` alone, its checked marks too:
 * its owner may read it meanwhile. DK_ECORRUPT rather than a new crc over damage. */
int dk_segment_write(const char *dir, const struct dk_heads_stamp *stamp, struct dk_segment_id *id,
                     const struct dk_segment *old, const struct dk_segment_change *changes,
                     size_t count, struct dk_err *err);

#endif
