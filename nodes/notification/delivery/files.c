#include "nodes/notification/delivery/files.h"
#include "proto/base/address.h"
#include "proto/base/err.h"
#include "proto/base/map.h"
#include "proto/peer/config.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* How every line begins; its sixteen hexadecimal digits follow. */
#define LINE_BEGIN       "{\"notice\":\""
#define LINE_BEGIN_BYTES (sizeof LINE_BEGIN - 1)
#define ID_DIGITS        16

struct file {
    char path[DK_ADDRESS_PATH_BYTES]; /* "" = free */
    int fd;
    int64_t size;        /* before the last line written */
    struct dk_map known; /* ids that stood in its tail when it was opened */
    bool dirty;
};

struct written {
    uint64_t notice;
    struct file *file;
    int64_t at; /* where its line begins; -1: it was there before */
};

struct dk_files {
    char dir[DK_PATH_BYTES];
    struct file file[DK_FILES_OPEN];
    size_t next_victim;
    struct written written[DK_LANES_IN_FLIGHT];
    size_t written_count;
};

struct dk_files *dk_files_new(const char *dir)
{
    struct dk_files *files = calloc(1, sizeof *files);
    DK_ASSERT(files != NULL);
    (void)snprintf(files->dir, sizeof files->dir, "%s", dir);
    return files;
}

static void close_file(struct file *file)
{
    if (file->path[0] != '\0') {
        (void)close(file->fd);
        dk_map_close(&file->known);
        memset(file, 0, sizeof *file);
    }
}

void dk_files_free(struct dk_files **files)
{
    if (*files != NULL) {
        for (size_t i = 0; i < DK_FILES_OPEN; i++) {
            close_file(&(*files)->file[i]);
        }
        free(*files);
        *files = NULL;
    }
}

/* ---------------------------------------------------------------- opening */

static int sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);
    if (fd >= 0) {
        (void)close(fd);
    }
    return rc;
}

/* Makes the folders above `path`, which is changed meanwhile, from its part `from` on. */
static int make_folders(char *path, size_t from)
{
    for (char *slash = strchr(path + from, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool failed = mkdir(path, 0750) != 0 && errno != EEXIST;
        *slash = '/';
        if (failed) {
            return -1;
        }
    }
    return 0;
}

/* The ids of the lines in `tail`, which begins at the start of a line. Returns where the last,
 * unfinished line begins: `bytes` when there is none. */
static size_t read_ids(struct file *file, const char *tail, size_t bytes)
{
    size_t at = 0;
    const char *end;
    while (at < bytes && (end = memchr(tail + at, '\n', bytes - at)) != NULL) {
        const char *digits = tail + at + LINE_BEGIN_BYTES;
        uint64_t notice = 0;
        if (end - digits > ID_DIGITS && memcmp(tail + at, LINE_BEGIN, LINE_BEGIN_BYTES) == 0 &&
            sscanf(digits, "%16" SCNx64, &notice) == 1 && notice != 0) {
            DK_ASSERT(dk_map_put(&file->known, notice, NULL) != NULL);
        }
        at = (size_t)(end - tail) + 1;
    }
    return at;
}

/* Ends a line that a power cut tore: it was told to nobody, so it goes; what is none of ours gets
 * its newline. */
static int mend(struct file *file, const char *torn, size_t bytes)
{
    size_t n = bytes < LINE_BEGIN_BYTES ? bytes : LINE_BEGIN_BYTES;
    if (bytes == 0) {
        return 0;
    }
    if (memcmp(torn, LINE_BEGIN, n) != 0) {
        file->size++;
        return write(file->fd, "\n", 1) == 1 ? 0 : -1;
    }
    file->size -= (int64_t)bytes;
    return ftruncate(file->fd, file->size);
}

static int read_tail(struct file *file)
{
    size_t bytes =
        file->size < (int64_t)DK_FILES_TAIL_BYTES ? (size_t)file->size : DK_FILES_TAIL_BYTES;
    int64_t from = file->size - (int64_t)bytes;
    char *tail = malloc(bytes + 1);
    DK_ASSERT(tail != NULL);
    size_t got = 0;
    while (got < bytes) {
        ssize_t n = pread(file->fd, tail + got, bytes - got, from + (int64_t)got);
        if (n <= 0) {
            free(tail);
            errno = n == 0 ? EIO : errno;
            return -1;
        }
        got += (size_t)n;
    }
    tail[bytes] = '\0';
    const char *first = from == 0 ? tail : memchr(tail, '\n', bytes);
    size_t skip = first == NULL ? bytes : (size_t)(first - tail) + (from != 0);
    size_t last = skip + read_ids(file, tail + skip, bytes - skip);
    int rc = mend(file, tail + last, bytes - last);
    free(tail);
    return rc;
}

static int open_file(const struct dk_files *files, struct file *file, const char *path)
{
    char full[DK_PATH_BYTES + DK_ADDRESS_PATH_BYTES];
    struct stat st;
    int n = snprintf(full, sizeof full, "%s/%s", files->dir, path);
    DK_ASSERT(n > 0 && (size_t)n < sizeof full);
    if (make_folders(full, 1) != 0) {
        return -1;
    }
    int fd = open(full, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) {
        return -1;
    }
    *strrchr(full, '/') = '\0';
    file->fd = fd;
    (void)snprintf(file->path, sizeof file->path, "%s", path);
    dk_map_init(&file->known, 1, DK_FILES_TAIL_BYTES);
    int rc = fstat(fd, &st);
    file->size = rc == 0 ? st.st_size : 0;
    rc = rc != 0 || file->size > 0 ? rc : sync_folder(full);
    rc = rc != 0 ? rc : read_tail(file);
    if (rc != 0) {
        int saved = errno;
        close_file(file);
        errno = saved;
    }
    return rc;
}

/* A place for one more file: a free one, or that of a file which is synced. */
static struct file *place(struct dk_files *files)
{
    for (size_t i = 0; i < DK_FILES_OPEN; i++) {
        if (files->file[i].path[0] == '\0') {
            return &files->file[i];
        }
    }
    struct file *victim;
    do {
        victim = &files->file[files->next_victim++ % DK_FILES_OPEN];
    } while (victim->dirty);
    close_file(victim);
    return victim;
}

static struct file *find_file(struct dk_files *files, const char *path)
{
    for (size_t i = 0; i < DK_FILES_OPEN; i++) {
        if (strcmp(files->file[i].path, path) == 0) {
            return &files->file[i];
        }
    }
    struct file *file = place(files);
    return open_file(files, file, path) == 0 ? file : NULL;
}

/* ---------------------------------------------------------------- writing */

/* One write, so that a kill leaves a whole line or none; a short one is taken back. */
static int append_line(struct file *file, const uint8_t *line, size_t bytes)
{
    struct iovec parts[] = {{(void *)(uintptr_t)line, bytes}, {(void *)(uintptr_t) "\n", 1}};
    file->size = lseek(file->fd, 0, SEEK_END); /* whoever rotates files may have cut it */
    ssize_t n = writev(file->fd, parts, 2);
    if (n == (ssize_t)(bytes + 1)) {
        return 0;
    }
    int saved = n < 0 ? errno : ENOSPC;
    (void)ftruncate(file->fd, file->size);
    errno = saved;
    return -1;
}

bool dk_files_write(struct dk_files *files, const char *path, size_t path_bytes, uint64_t notice,
                    const uint8_t *line, size_t line_bytes, struct dk_outcome *outcome)
{
    char name[DK_ADDRESS_PATH_BYTES];
    DK_ASSERT(files->written_count < DK_LANES_IN_FLIGHT);
    if (!dk_address_is_path_below(path, path_bytes)) {
        dk_outcome_set(outcome, DK_GIVE_UP, "the address is no path below the outbox");
        return false;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)path_bytes, path);
    struct file *file = find_file(files, name);
    if (file == NULL) {
        dk_outcome_set(outcome, DK_TRY_AGAIN, "cannot open: %s", strerror(errno));
        return false;
    }
    bool there = dk_map_get(&file->known, notice) != NULL;
    if (!there && append_line(file, line, line_bytes) != 0) {
        dk_outcome_set(outcome, DK_TRY_AGAIN, "cannot write: %s", strerror(errno));
        return false;
    }
    file->dirty = true;
    files->written[files->written_count++] =
        (struct written){notice, file, there ? -1 : file->size};
    return true;
}

void dk_files_sync(struct dk_files *files,
                   void (*on_synced)(void *arg, uint64_t notice, const struct dk_outcome *outcome),
                   void *arg)
{
    int failed[DK_FILES_OPEN] = {0};
    for (size_t i = 0; i < DK_FILES_OPEN; i++) {
        if (files->file[i].dirty) {
            failed[i] = fdatasync(files->file[i].fd) == 0 ? 0 : errno;
            files->file[i].dirty = false;
        }
    }
    for (size_t i = 0; i < files->written_count; i++) {
        const struct written *written = &files->written[i];
        struct dk_outcome outcome;
        int error = failed[written->file - files->file];
        if (error != 0) {
            dk_outcome_set(&outcome, DK_TRY_AGAIN, "cannot sync: %s", strerror(error));
        } else if (written->at < 0) {
            dk_outcome_set(&outcome, DK_DELIVERED, "there already");
        } else {
            dk_outcome_set(&outcome, DK_DELIVERED, "byte %" PRId64, written->at);
        }
        on_synced(arg, written->notice, &outcome);
    }
    files->written_count = 0;
    for (size_t i = 0; i < DK_FILES_OPEN; i++) {
        if (failed[i] != 0) {
            close_file(&files->file[i]); /* what it holds is read again */
        }
    }
}

_Static_assert(DK_FILES_OPEN > DK_LANES_IN_FLIGHT, "a file that is synced can always be closed");
