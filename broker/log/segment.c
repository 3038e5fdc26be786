#include "broker/log/segment.h"

#include "broker/log/files.h"
#include "proto/base/crc32c.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENT_FORMAT 1

struct header {
    uint8_t magic[8];
    uint32_t format;
    uint32_t crc; /* over header and table, with this field zero */
    uint32_t index;
    uint32_t pages;
    struct dk_heads_stamp stamp;
    uint8_t reserved[16];
};
_Static_assert(sizeof(struct header) == 64, "the table begins at 64");

static const uint8_t magic[8] = "dkheads";

static size_t data_offset(size_t pages)
{
    size_t bytes = sizeof(struct header) + pages * sizeof(uint32_t);
    return (bytes + DK_SEGMENT_PAGE_BYTES - 1) / DK_SEGMENT_PAGE_BYTES * DK_SEGMENT_PAGE_BYTES;
}

static size_t file_bytes(size_t pages)
{
    return data_offset(pages) + pages * DK_SEGMENT_PAGE_BYTES;
}

static uint32_t page_crc(const uint8_t *data, size_t page)
{
    return dk_crc32c(0, data + page * DK_SEGMENT_PAGE_BYTES, DK_SEGMENT_PAGE_BYTES);
}

static uint32_t header_crc(const uint8_t *file)
{
    struct header header;
    memcpy(&header, file, sizeof header);
    header.crc = 0;
    uint32_t crc = dk_crc32c(0, &header, sizeof header);
    return dk_crc32c(crc, file + sizeof header, header.pages * sizeof(uint32_t));
}

static uint32_t table_crc(const uint8_t *file, size_t page)
{
    uint32_t crc;
    memcpy(&crc, file + sizeof(struct header) + page * sizeof crc, sizeof crc);
    return crc;
}

void dk_segment_name(char name[DK_SEGMENT_NAME_BYTES], const struct dk_segment_id *id)
{
    snprintf(name, DK_SEGMENT_NAME_BYTES, "%08x-%llx.seg", id->index,
             (unsigned long long)id->generation);
}

/* ---------------------------------------------------------------- mapping */

static int map_file(struct dk_segment *segment, const char *path, int fd,
                    const struct dk_segment_id *id, struct dk_err *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return dk_err_errno(err, DK_EIO, errno, "cannot stat %s", path);
    size_t bytes = (size_t)info.st_size;
    if (id->pages == 0 || file_bytes(id->pages) != bytes)
        return dk_err_set(err, DK_ECORRUPT, "%s has another size than it should", path);

    uint64_t *page_checked = calloc((id->pages + (size_t)63) / 64, sizeof *page_checked);
    if (page_checked == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory to map %s", path);
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        free(page_checked);
        return dk_err_errno(err, DK_ENOMEM, errno, "cannot map %s", path);
    }
    *segment = (struct dk_segment){*id, map, bytes, false, page_checked};
    return 0;
}

int dk_segment_map(struct dk_segment *segment, const char *dir, const struct dk_segment_id *id,
                   struct dk_err *err)
{
    char name[DK_SEGMENT_NAME_BYTES], path[PATH_MAX];
    dk_segment_name(name, id);
    int rc = dk_path(path, dir, name, err);
    if (rc != 0)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot open %s", path);
    rc = map_file(segment, path, fd, id, err);
    close(fd);
    return rc;
}

void dk_segment_unmap(struct dk_segment *segment)
{
    if (segment->map != NULL)
        munmap((void *)segment->map, segment->map_bytes);
    free(segment->page_checked);
    memset(segment, 0, sizeof *segment);
}

static bool header_is_good(const struct dk_segment *segment, const struct dk_heads_stamp *stamp)
{
    struct header header;
    memcpy(&header, segment->map, sizeof header);
    return memcmp(header.magic, magic, sizeof magic) == 0 && header.format == SEGMENT_FORMAT &&
           header.index == segment->id.index && header.pages == segment->id.pages &&
           memcmp(&header.stamp, stamp, sizeof *stamp) == 0 &&
           header.crc == header_crc(segment->map);
}

static bool page_is_good(const struct dk_segment *segment, size_t page)
{
    return page_crc(segment->map + data_offset(segment->id.pages), page) ==
           table_crc(segment->map, page);
}

static bool check_page(struct dk_segment *segment, size_t page)
{
    uint64_t *word = &segment->page_checked[page / 64];
    uint64_t bit = UINT64_C(1) << (page % 64);
    if (!(*word & bit)) {
        if (!page_is_good(segment, page))
            return false;
        *word |= bit;
    }
    return true;
}

const uint8_t *dk_segment_entry(struct dk_segment *segment, const struct dk_heads_stamp *stamp,
                                uint32_t i, bool *damaged)
{
    size_t begin = (size_t)i * stamp->entry_bytes;
    size_t last = begin + stamp->entry_bytes - 1;
    *damaged = false;
    if (last / DK_SEGMENT_PAGE_BYTES >= segment->id.pages)
        return NULL;

    if (!segment->header_checked)
        segment->header_checked = header_is_good(segment, stamp);
    *damaged = !segment->header_checked;
    for (size_t page = begin / DK_SEGMENT_PAGE_BYTES;
         !*damaged && page <= last / DK_SEGMENT_PAGE_BYTES; page++)
        *damaged = !check_page(segment, page);
    return *damaged ? NULL : segment->map + data_offset(segment->id.pages) + begin;
}

/* ---------------------------------------------------------------- writing */

/* A segment's new content while it is put together. */
struct draft {
    const struct dk_heads_stamp *stamp;
    const struct dk_segment *old; /* NULL: none */
    size_t old_pages;
    size_t pages;
    uint8_t *file;
    uint8_t *data;    /* in `file` */
    uint8_t *touched; /* a byte a page: its crc is to be made anew */
};

static size_t offset_of(const struct draft *draft, uint64_t number)
{
    return (size_t)(number % DK_SEGMENT_ENTRIES) * draft->stamp->entry_bytes;
}

static size_t last_page(const struct draft *draft, uint64_t number)
{
    return (offset_of(draft, number) + draft->stamp->entry_bytes - 1) / DK_SEGMENT_PAGE_BYTES;
}

static void copy_old(struct draft *draft)
{
    size_t old_pages = draft->old_pages;
    if (old_pages > 0)
        memcpy(draft->data, draft->old->map + data_offset(old_pages),
               old_pages * DK_SEGMENT_PAGE_BYTES);
    memset(draft->data + old_pages * DK_SEGMENT_PAGE_BYTES, 0,
           (draft->pages - old_pages) * DK_SEGMENT_PAGE_BYTES);
    memset(draft->touched + old_pages, 1, draft->pages - old_pages);
}

/* False when a change falls on a damaged page. */
static bool apply(struct draft *draft, const struct dk_segment_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t begin = offset_of(draft, changes[i].number);
        size_t last = last_page(draft, changes[i].number);
        for (size_t page = begin / DK_SEGMENT_PAGE_BYTES; page <= last; page++) {
            if (!draft->touched[page] && !page_is_good(draft->old, page))
                return false;
            draft->touched[page] = 1;
        }
        memcpy(draft->data + begin, changes[i].entry, draft->stamp->entry_bytes);
    }
    return true;
}

/* A page that stays as it was keeps its crc, right or wrong. */
static void stamp_file(struct draft *draft, uint32_t index)
{
    struct header header = {.format = SEGMENT_FORMAT,
                            .index = index,
                            .pages = (uint32_t)draft->pages,
                            .stamp = *draft->stamp};
    memcpy(header.magic, magic, sizeof magic);
    memset(draft->file, 0, data_offset(draft->pages));
    memcpy(draft->file, &header, sizeof header);
    for (size_t page = 0; page < draft->pages; page++) {
        uint32_t crc =
            draft->touched[page] ? page_crc(draft->data, page) : table_crc(draft->old->map, page);
        memcpy(draft->file + sizeof header + page * sizeof crc, &crc, sizeof crc);
    }
    header.crc = header_crc(draft->file);
    memcpy(draft->file, &header, sizeof header);
}

int dk_segment_write(const char *dir, const struct dk_heads_stamp *stamp, struct dk_segment_id *id,
                     const struct dk_segment *old, const struct dk_segment_change *changes,
                     size_t count, struct dk_err *err)
{
    struct draft draft = {.stamp = stamp, .old = old, .old_pages = old == NULL ? 0 : old->id.pages};
    draft.pages = last_page(&draft, changes[count - 1].number) + 1;
    if (draft.pages < draft.old_pages)
        draft.pages = draft.old_pages;

    char name[DK_SEGMENT_NAME_BYTES];
    id->pages = (uint32_t)draft.pages;
    dk_segment_name(name, id);
    if (old != NULL && !header_is_good(old, stamp))
        return dk_err_set(err, DK_ECORRUPT, "the header of segment %u is damaged", id->index);

    int rc;
    draft.file = malloc(file_bytes(draft.pages));
    draft.touched = calloc(draft.pages, 1);
    if (draft.file == NULL || draft.touched == NULL) {
        rc = dk_err_set(err, DK_ENOMEM, "no memory to write %s", name);
    } else {
        draft.data = draft.file + data_offset(draft.pages);
        copy_old(&draft);
        if (apply(&draft, changes, count)) {
            stamp_file(&draft, id->index);
            rc = dk_file_replace(dir, name, draft.file, file_bytes(draft.pages), err);
        } else {
            rc = dk_err_set(err, DK_ECORRUPT, "a page of segment %u is damaged", id->index);
        }
    }
    free(draft.file);
    free(draft.touched);
    return rc;
}
