#include "broker/log/manifest.h"

#include "broker/log/files.h"
#include "proto/base/crc32c.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANIFEST_FORMAT    2
#define MANIFEST_NAME      "manifest"
#define MANIFEST_MAX_BYTES (UINT64_C(16) << 30)

struct header {
    uint8_t magic[8];
    uint32_t format;
    uint32_t crc; /* over the file with this field zero */
    struct dk_heads_stamp stamp;
    uint64_t position;
    uint64_t segment_count;
    uint64_t annex_bytes;
};
_Static_assert(sizeof(struct header) == 64, "no padding");

static const uint8_t magic[8] = "dkmanif";

static uint32_t crc_of(const uint8_t *file, size_t bytes)
{
    struct header header;
    memcpy(&header, file, sizeof header);
    header.crc = 0;
    uint32_t crc = dk_crc32c(0, &header, sizeof header);
    return dk_crc32c(crc, file + sizeof header, bytes - sizeof header);
}

/* The file's bytes. DK_ETOOBIG without memory too. */
static int put_together(struct dk_buf *file, const struct dk_manifest *manifest,
                        int (*write_annex)(void *arg, struct dk_buf *out), void *arg)
{
    size_t segment_bytes = manifest->segment_count * sizeof *manifest->segments;
    struct header header = {.format = MANIFEST_FORMAT,
                            .stamp = manifest->stamp,
                            .position = manifest->position,
                            .segment_count = manifest->segment_count};
    memcpy(header.magic, magic, sizeof magic);
    int rc = dk_buf_append(file, &header, sizeof header);
    rc = rc != 0 ? rc : dk_buf_append(file, manifest->segments, segment_bytes);
    rc = rc != 0 ? rc : write_annex(arg, file);
    if (rc != 0)
        return rc;
    header.annex_bytes = file->size - sizeof header - segment_bytes;
    memcpy(file->data, &header, sizeof header);
    header.crc = crc_of(file->data, file->size);
    memcpy(file->data, &header, sizeof header);
    return 0;
}

int dk_manifest_write(const char *dir, const struct dk_manifest *manifest,
                      int (*write_annex)(void *arg, struct dk_buf *out), void *arg, bool *placed,
                      struct dk_err *err)
{
    struct dk_buf file;
    dk_buf_init(&file, MANIFEST_MAX_BYTES);
    int rc = put_together(&file, manifest, write_annex, arg);
    if (rc != 0)
        rc = dk_err_set(err, DK_ENOMEM, "no memory to write the manifest of %s", dir);
    /* The segments' names must be on disk before a manifest that lists them. */
    rc = rc != 0 ? rc : dk_dir_sync(dir, err);
    rc = rc != 0 ? rc : dk_file_replace(dir, MANIFEST_NAME, file.data, file.size, err);
    dk_buf_close(&file);
    *placed = rc == 0;
    return rc != 0 ? rc : dk_dir_sync(dir, err);
}

static int read_file(int fd, const char *path, void **memory, size_t *bytes, struct dk_err *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return dk_err_errno(err, DK_EIO, errno, "cannot stat %s", path);
    size_t size = (size_t)info.st_size;
    uint8_t *file = malloc(size + 1);
    if (file == NULL)
        return dk_err_set(err, DK_ENOMEM, "no memory to read %s", path);
    *memory = file;
    for (*bytes = 0; *bytes < size;) {
        ssize_t got = read(fd, file + *bytes, size - *bytes);
        if (got < 0 && errno != EINTR)
            return dk_err_errno(err, DK_EIO, errno, "cannot read %s", path);
        if (got == 0)
            break;
        *bytes += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

/* A sentence about what does not fit, or NULL. */
static const char *check(const uint8_t *file, size_t bytes, const struct dk_heads_stamp *stamp,
                         struct header *header)
{
    if (bytes < sizeof *header)
        return "the manifest is cut short";
    memcpy(header, file, sizeof *header);
    if (memcmp(header->magic, magic, sizeof magic) != 0 || header->format != MANIFEST_FORMAT)
        return "the manifest has a format not known here";
    if (header->crc != crc_of(file, bytes))
        return "the manifest is damaged";
    if (memcmp(header->stamp.uuid, stamp->uuid, sizeof stamp->uuid) != 0)
        return "the heads are another log's";
    if (header->stamp.fold_version != stamp->fold_version)
        return "the heads were made by another fold version";
    if (header->stamp.entry_bytes != stamp->entry_bytes)
        return "the heads' entries have another size";
    return NULL;
}

int dk_manifest_read(const char *dir, const struct dk_heads_stamp *stamp,
                     struct dk_manifest *manifest, void **memory, const char **why,
                     struct dk_err *err)
{
    char path[PATH_MAX];
    *memory = NULL;
    *why = NULL;
    int rc = dk_path(path, dir, MANIFEST_NAME, err);
    if (rc != 0)
        return rc;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *why = "there are no heads yet";
        return 0;
    }
    if (fd < 0)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot open %s", path);
    size_t bytes = 0;
    rc = read_file(fd, path, memory, &bytes, err);
    close(fd);
    if (rc != 0)
        return rc;

    struct header header;
    const uint8_t *file = *memory;
    *why = check(file, bytes, stamp, &header);
    if (*why != NULL)
        return 0;
    const uint8_t *segments = file + sizeof header;
    const uint8_t *annex = segments + header.segment_count * sizeof *manifest->segments;
    *manifest = (struct dk_manifest){
        header.stamp,         header.position, (const struct dk_segment_id *)segments,
        header.segment_count, annex,           header.annex_bytes};
    return 0;
}

int dk_manifest_remove(const char *dir, struct dk_err *err)
{
    char path[PATH_MAX];
    int rc = dk_path(path, dir, MANIFEST_NAME, err);
    if (rc != 0)
        return rc;
    if (unlink(path) != 0 && errno != ENOENT)
        return dk_err_errno(err, dk_sys_code(errno), errno, "cannot remove %s", path);
    return dk_dir_sync(dir, err);
}
