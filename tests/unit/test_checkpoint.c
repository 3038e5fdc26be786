#include "nodes/runtime/checkpoint.h"

#include "tests/lib/core_fixture.h"
#include "tests/lib/folder.h"
#include "tests/lib/random.h"
#include "tests/lib/role_world.h"
#include "tests/lib/small_role.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A log on disk that holds what `role` has folded, and a folder for nodes' states beside it. */
struct world {
    struct test_folder dir;
    struct dk_config config;
    struct dk_log *log;
    struct dk_source *source;
    struct role_world role;
    struct dk_role_ops ops;
    uint64_t written; /* of its records to the log */
    uint8_t uuid[16];
    struct dk_err err;
};

static void open_log(struct world *w)
{
    ASSERT_OK(dk_log_create(w->config.log, 1, &w->err), &w->err);
    ASSERT_OK(dk_log_open(&w->log, w->config.log, DK_LOG_WRITE, &w->err), &w->err);
    memcpy(w->uuid, dk_log_identity(w->log)->uuid, sizeof w->uuid);
    w->written = 0;
    /* Read by the writer's process: LMDB wants an environment opened once. */
    dk_log_close(&w->log);
}

static void write_log(struct world *w, uint64_t last)
{
    ASSERT_OK(dk_log_open(&w->log, w->config.log, DK_LOG_WRITE, &w->err), &w->err);
    while (w->written < last) {
        size_t bytes;
        const uint8_t *record = world_record(&w->role, ++w->written, &bytes);
        uint32_t offset[2] = {0, (uint32_t)bytes};
        struct dk_batch batch = {.first = w->written, .count = 1, .data = record, .offset = offset};
        ASSERT_OK(dk_log_commit(w->log, &batch, &w->err), &w->err);
    }
    dk_log_close(&w->log);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    *state = w;
    test_folder_make(&w->dir);
    (void)snprintf(w->config.log, sizeof w->config.log, "%.400s/log", w->dir.path);
    (void)snprintf(w->config.state, sizeof w->config.state, "%.400s/state", w->dir.path);
    w->ops = small_role_ops();
    world_open(&w->role, &w->ops);
    open_log(w);
    (void)world_define(&w->role, DK_KIND_GROUP_DEFINED, fixture_group(SMALL_GROUP_KEY));
    for (uint64_t n = 1; n <= 40; n++) {
        Docket__Opened opened = DOCKET__OPENED__INIT;
        uint64_t ticket = world_open_ticket(&w->role, &opened);
        for (uint64_t i = 0; i < n % 5; i++)
            (void)world_append(&w->role, ticket, DK_KIND_NOTE_ADDED, fixture_note("a note"));
    }
    (void)world_define(&w->role, DK_KIND_GROUP_DEFINED, fixture_group("other"));
    write_log(w, w->role.count);
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    world_close(&w->role);
    test_folder_remove(&w->dir);
    free(w);
    return 0;
}

/* A folder of the role at `position`, checkpointed there. */
static void checkpoint_at(struct world *w, const struct dk_role_ops *ops, uint64_t position)
{
    struct dk_checkpoint *checkpoint;
    struct dk_folder *folder;
    ASSERT_OK(dk_checkpoint_open(&checkpoint, w->config.state, ops, w->uuid, &w->err), &w->err);
    ASSERT_OK(dk_folder_new(&folder, ops, &w->err), &w->err);
    world_fold(&w->role, folder, position);
    ASSERT_OK(dk_checkpoint_write(checkpoint, folder, &w->err), &w->err);
    dk_folder_free(&folder);
    dk_checkpoint_close(&checkpoint);
}

/* What a starting node has: restored, or fresh. */
static struct dk_folder *restore(struct world *w, const struct dk_role_ops *ops,
                                 struct dk_checkpoint **checkpoint)
{
    struct dk_folder *folder;
    ASSERT_OK(dk_source_open(&w->source, DK_SOURCE_SHARED, NULL, &w->config, "", &w->err), &w->err);
    ASSERT_OK(dk_source_uuid(w->source, w->uuid, &w->err), &w->err);
    ASSERT_OK(dk_checkpoint_open(checkpoint, w->config.state, ops, w->uuid, &w->err), &w->err);
    ASSERT_OK(dk_folder_new(&folder, ops, &w->err), &w->err);
    ASSERT_OK(dk_checkpoint_restore(*checkpoint, &folder, w->source, &w->err), &w->err);
    dk_source_close(&w->source);
    return folder;
}

/* Restores and says where it stands; what is folded from there on must come out right, and be
 * checkpointed again. */
static uint64_t restored_position(struct world *w, const struct dk_role_ops *ops)
{
    struct dk_checkpoint *checkpoint;
    struct dk_folder *folder = restore(w, ops, &checkpoint);
    uint64_t position = dk_folder_position(folder);
    world_fold(&w->role, folder, w->role.count);
    ASSERT_TRUE(dk_folder_hash(folder) == dk_folder_hash(w->role.folder));
    ASSERT_TRUE(dk_refs_by_key(dk_folder_world(folder)->refs, DK_SUBJECT_GROUP, SMALL_GROUP_KEY,
                               strlen(SMALL_GROUP_KEY)) != 0);
    ASSERT_OK(dk_checkpoint_write(checkpoint, folder, &w->err), &w->err);
    dk_folder_free(&folder);
    dk_checkpoint_close(&checkpoint);
    return position;
}

static void test_checkpoint_restores_the_state_that_was_written(void **state)
{
    struct world *w = *state;
    struct dk_checkpoint *checkpoint;
    for (uint64_t position = 1; position <= w->role.count; position += 13) {
        struct dk_folder *fresh, *restored;
        ASSERT_OK(dk_folder_new(&fresh, &w->ops, &w->err), &w->err);
        world_fold(&w->role, fresh, position);
        checkpoint_at(w, &w->ops, position);
        restored = restore(w, &w->ops, &checkpoint);
        ASSERT_EQ(dk_folder_position(restored), position);
        ASSERT_TRUE(dk_folder_hash(restored) == dk_folder_hash(fresh));
        ASSERT_EQ(dk_folder_world(restored)->recorded_us, dk_folder_world(fresh)->recorded_us);
        ASSERT_EQ(dk_refs_epoch(dk_folder_world(restored)->refs),
                  dk_refs_epoch(dk_folder_world(fresh)->refs));
        ASSERT_EQ(dk_folder_next_due_us(restored), dk_folder_next_due_us(fresh)); /* touched */
        dk_folder_free(&fresh);
        dk_folder_free(&restored);
        dk_checkpoint_close(&checkpoint);
    }
}

static void test_checkpoint_of_nothing_is_a_fresh_start(void **state)
{
    struct world *w = *state;
    ASSERT_EQ(restored_position(w, &w->ops), 0);
    ASSERT_EQ(restored_position(w, &w->ops), w->role.count);
}

static void test_checkpoint_writes_what_changed_since(void **state)
{
    struct world *w = *state;
    struct dk_checkpoint *checkpoint;
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    checkpoint_at(w, &w->ops, 30);
    struct dk_folder *folder = restore(w, &w->ops, &checkpoint);
    size_t count = dk_folder_tables(folder, table, DK_FOLDER_TABLES_MAX);
    for (size_t i = 0; i < count; i++)
        ASSERT_EQ(dk_table_dirty_count(table[i]), 0); /* what was just read */
    dk_table_remove(table[2], dk_ticket_make(7, 1));
    uint64_t hash = dk_folder_hash(folder);
    ASSERT_OK(dk_checkpoint_write(checkpoint, folder, &w->err), &w->err);
    dk_folder_free(&folder);
    dk_checkpoint_close(&checkpoint);
    folder = restore(w, &w->ops, &checkpoint);
    ASSERT_EQ(dk_folder_position(folder), 30);
    ASSERT_TRUE(dk_folder_hash(folder) == hash); /* the removed entry is gone */
    dk_folder_free(&folder);
    dk_checkpoint_close(&checkpoint);
}

static void test_checkpoint_of_another_log_is_discarded(void **state)
{
    struct world *w = *state;
    checkpoint_at(w, &w->ops, 30);
    char data[600];
    (void)snprintf(data, sizeof data, "%s/data.mdb", w->config.log);
    ASSERT_EQ(unlink(data), 0);
    open_log(w); /* the same events under another uuid */
    write_log(w, w->role.count);
    ASSERT_EQ(restored_position(w, &w->ops), 0);
    ASSERT_EQ(restored_position(w, &w->ops), w->role.count); /* rebuilt, and kept */
}

static void test_checkpoint_ahead_of_the_log_is_discarded(void **state)
{
    struct world *w = *state;
    (void)world_append(&w->role, dk_ticket_make(7, 1), DK_KIND_NOTE_ADDED, fixture_note("lost"));
    checkpoint_at(w, &w->ops, w->role.count); /* of an event that the log has lost */
    ASSERT_EQ(restored_position(w, &w->ops), 0);
}

/* Another event than the role's at the log's next position. */
static void write_other(struct world *w, uint64_t position)
{
    size_t bytes;
    const uint8_t *record = world_record(&w->role, position, &bytes);
    uint8_t other[512];
    struct dk_envelope envelope;
    ASSERT_TRUE(bytes <= sizeof other);
    memcpy(other, record, bytes);
    dk_event_load(other, &envelope);
    envelope.recorded_us++;
    dk_event_store(other, &envelope);
    dk_stamp_crc32c(other, dk_event_crc(other, bytes));
    uint32_t offset[2] = {0, (uint32_t)bytes};
    struct dk_batch batch = {.first = position, .count = 1, .data = other, .offset = offset};
    ASSERT_OK(dk_log_open(&w->log, w->config.log, DK_LOG_WRITE, &w->err), &w->err);
    ASSERT_OK(dk_log_commit(w->log, &batch, &w->err), &w->err);
    dk_log_close(&w->log);
}

static void test_checkpoint_of_a_log_that_went_on_otherwise_is_discarded(void **state)
{
    struct world *w = *state;
    uint64_t lost = world_append(&w->role, dk_ticket_make(7, 1), DK_KIND_NOTE_ADDED,
                                 fixture_note("lost with the disk"));
    checkpoint_at(w, &w->ops, lost);
    write_other(w, lost); /* the log was set back to a backup, and written on */
    ASSERT_EQ(restored_position(w, &w->ops), 0);
}

static void test_checkpoint_that_does_not_hash_is_discarded(void **state)
{
    struct world *w = *state;
    struct dk_checkpoint *checkpoint;
    struct dk_folder *folder;
    struct dk_table *table[DK_FOLDER_TABLES_MAX];
    checkpoint_at(w, &w->ops, 30);
    /* As after a power cut: an entry is of another moment than the mark. */
    folder = restore(w, &w->ops, &checkpoint);
    (void)dk_folder_tables(folder, table, DK_FOLDER_TABLES_MAX);
    *(uint64_t *)dk_table_edit(table[2], dk_ticket_make(7, 2), 0) += 1;
    dk_table_clean(table[2]); /* the hash counts it, the checkpoint will not */
    ASSERT_OK(dk_checkpoint_write(checkpoint, folder, &w->err), &w->err);
    dk_folder_free(&folder);
    dk_checkpoint_close(&checkpoint);
    ASSERT_EQ(restored_position(w, &w->ops), 0);
}

static void damage(struct world *w, size_t keep_bytes, const char *garbage)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/routing/v1/data.mdb", w->config.state);
    ASSERT_EQ(truncate(path, (off_t)keep_bytes), 0);
    FILE *file = fopen(path, "r+b");
    ASSERT_TRUE(file != NULL);
    for (size_t i = 0; i < 8192; i += strlen(garbage))
        ASSERT_EQ(fwrite(garbage, 1, strlen(garbage), file), strlen(garbage));
    ASSERT_EQ(fclose(file), 0);
}

static void test_checkpoint_that_is_no_environment_is_discarded(void **state)
{
    struct world *w = *state;
    checkpoint_at(w, &w->ops, 30);
    damage(w, 8192, "no pages of LMDB's ");
    ASSERT_EQ(restored_position(w, &w->ops), 0);
    ASSERT_EQ(restored_position(w, &w->ops), w->role.count);
}

/* LMDB aborts on some damage: a node that read it at each start would never start again. */
static void test_checkpoint_that_kills_its_reader_is_discarded(void **state)
{
    struct world *w = *state;
    char path[600];
    int status = 0;
    checkpoint_at(w, &w->ops, w->role.count);
    (void)snprintf(path, sizeof path, "%s/routing/v1/data.mdb", w->config.state);
    ASSERT_EQ(truncate(path, 2 * 4096), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGBUS, SIG_DFL); /* not cmocka's, which would go on with the tests */
        (void)restored_position(w, &w->ops);
        _exit(EXIT_SUCCESS);
    }
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS);
    ASSERT_EQ(restored_position(w, &w->ops), 0);
    ASSERT_EQ(restored_position(w, &w->ops), w->role.count);
}

static void test_checkpoint_of_another_fold_version_stands_beside(void **state)
{
    struct world *w = *state;
    struct dk_role_ops newer = w->ops;
    newer.fold_version = 2;
    checkpoint_at(w, &w->ops, 30);
    ASSERT_EQ(restored_position(w, &newer), 0);
    struct dk_checkpoint *checkpoint;
    struct dk_folder *old = restore(w, &w->ops, &checkpoint);
    ASSERT_EQ(dk_folder_position(old), 30);
    dk_folder_free(&old);
    dk_checkpoint_close(&checkpoint);
}

static void test_checkpoint_belongs_to_one_process(void **state)
{
    struct world *w = *state;
    struct dk_checkpoint *checkpoint, *second;
    char pid[24];
    ASSERT_OK(dk_checkpoint_open(&checkpoint, w->config.state, &w->ops, w->uuid, &w->err), &w->err);
    ASSERT_CODE(dk_checkpoint_open(&second, w->config.state, &w->ops, w->uuid, &w->err), DK_EBUSY);
    (void)snprintf(pid, sizeof pid, "process %d", (int)getpid());
    ASSERT_CONTAINS(w->err.message, pid);
    ASSERT_TRUE(second == NULL);
    dk_checkpoint_close(&checkpoint);
    ASSERT_OK(dk_checkpoint_open(&second, w->config.state, &w->ops, w->uuid, &w->err), &w->err);
    dk_checkpoint_close(&second);
}

/* ---------------------------------------------------------------- what is cold */

/* The role with its numbers and its tickets packed. */
static struct dk_role_ops packing_ops(const struct world *w)
{
    struct dk_role_ops ops = w->ops;
    ops.table_layout[0] = (struct dk_pack_layout){1, 0};
    ops.tickets_layout = (struct dk_pack_layout){sizeof(struct dk_ticket) / 8, 0};
    return ops;
}

static size_t cold_count(const struct dk_folder *folder)
{
    const struct dk_table *tickets = dk_folder_world(folder)->tickets;
    return dk_table_count(tickets) - dk_table_hot_count(tickets);
}

static void test_checkpoint_keeps_what_is_cold(void **state)
{
    struct world *w = *state;
    struct dk_role_ops ops = packing_ops(w);
    struct dk_checkpoint *checkpoint;
    struct test_random random = {7};
    size_t cold = 0;
    checkpoint_at(w, &ops, 1);
    for (uint64_t position = 3; position <= w->role.count; position += 5) {
        struct dk_folder *folder = restore(w, &ops, &checkpoint), *fresh;
        world_fold(&w->role, folder, position);
        for (uint64_t i = test_random_below(&random, 4); i > 0; i--)
            dk_folder_chill(folder);
        cold = cold_count(folder);
        ASSERT_OK(dk_checkpoint_write(checkpoint, folder, &w->err), &w->err);
        dk_folder_free(&folder);
        dk_checkpoint_close(&checkpoint);
        folder = restore(w, &ops, &checkpoint);
        ASSERT_OK(dk_folder_new(&fresh, &w->ops, &w->err), &w->err); /* without */
        world_fold(&w->role, fresh, position);
        ASSERT_EQ(dk_folder_position(folder), position);
        ASSERT_EQ(cold_count(folder), cold);
        ASSERT_TRUE(dk_folder_hash(folder) == dk_folder_hash(fresh));
        dk_folder_free(&fresh);
        dk_folder_free(&folder);
        dk_checkpoint_close(&checkpoint);
    }
    ASSERT_TRUE(cold > 0);
}

/* A byte in each segment of tickets in the file, found by what its header says of its form. */
static void flip_in_segment(struct world *w)
{
    char path[600];
    static uint8_t data[1 << 22];
    (void)snprintf(path, sizeof path, "%s/routing/v1/data.mdb", w->config.state);
    FILE *file = fopen(path, "r+b");
    size_t size = fread(data, 1, sizeof data, file), flipped = 0;
    for (size_t at = 0; at + 24 < size; at++) {
        /* rows, head_words, item_words, format, zero: pack_format.h */
        const uint8_t form[] = {sizeof(struct dk_ticket) / 8, 0, 1, 0, 0, 0, 0, 0, 0, 0};
        if (memcmp(data + at + 14, form, sizeof form) == 0) {
            data[at + 200] ^= 4;
            flipped++;
        }
    }
    ASSERT_TRUE(flipped > 0);
    rewind(file);
    ASSERT_EQ(fwrite(data, 1, size, file), size);
    ASSERT_EQ(fclose(file), 0);
}

static void test_checkpoint_with_a_flipped_byte_in_a_segment_is_discarded(void **state)
{
    struct world *w = *state;
    struct dk_role_ops ops = packing_ops(w);
    struct dk_checkpoint *checkpoint;
    struct dk_folder *folder;
    char said[800] = "", path[600];
    ASSERT_OK(dk_checkpoint_open(&checkpoint, w->config.state, &ops, w->uuid, &w->err), &w->err);
    ASSERT_OK(dk_folder_new(&folder, &ops, &w->err), &w->err);
    world_fold(&w->role, folder, w->role.count);
    dk_folder_chill(folder);
    dk_folder_chill(folder);
    ASSERT_EQ(cold_count(folder), 40);
    ASSERT_OK(dk_checkpoint_write(checkpoint, folder, &w->err), &w->err);
    dk_folder_free(&folder);
    dk_checkpoint_close(&checkpoint);
    flip_in_segment(w);
    (void)snprintf(path, sizeof path, "%.400s/said", w->dir.path);
    int out = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    (void)dup2(fd, STDERR_FILENO);
    uint64_t position = restored_position(w, &ops);
    (void)dup2(out, STDERR_FILENO);
    ASSERT_TRUE(pread(fd, said, sizeof said - 1, 0) > 0);
    (void)close(fd);
    (void)close(out);
    ASSERT_EQ(position, 0);
    ASSERT_CONTAINS(said, "checkpoint-discarded");
    ASSERT_CONTAINS(said, "segment 0: a packed segment is not what its CRC says");
    ASSERT_EQ(restored_position(w, &ops), w->role.count); /* made anew */
}

/* Folds, packs and writes a few records at a time, until it is killed. */
static void work_until_killed(struct world *w, const struct dk_role_ops *ops)
{
    struct dk_checkpoint *checkpoint;
    struct dk_folder *folder = restore(w, ops, &checkpoint);
    for (uint64_t i = 0;; i++) {
        uint64_t position = dk_folder_position(folder);
        if (position < w->role.count)
            world_fold(&w->role, folder, position + 1);
        if (i % 3 == 0)
            dk_folder_chill(folder);
        if (dk_checkpoint_write(checkpoint, folder, &w->err) != 0)
            _exit(EXIT_FAILURE);
    }
}

static void test_checkpoint_survives_kills_while_segments_are_written(void **state)
{
    struct world *w = *state;
    struct dk_role_ops ops = packing_ops(w);
    struct test_random random = {11};
    struct dk_checkpoint *checkpoint;
    uint64_t last = 0;
    checkpoint_at(w, &ops, 1);
    for (int i = 0; i < 60; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0)
            work_until_killed(w, &ops);
        (void)usleep((useconds_t)test_random_below(&random, 8000));
        (void)kill(child, SIGKILL);
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        struct dk_folder *folder = restore(w, &ops, &checkpoint), *fresh;
        uint64_t position = dk_folder_position(folder);
        ASSERT_OK(dk_folder_new(&fresh, &w->ops, &w->err), &w->err);
        world_fold(&w->role, fresh, position);
        ASSERT_TRUE(dk_folder_hash(folder) == dk_folder_hash(fresh));
        last = position > last ? position : last;
        dk_folder_free(&fresh);
        dk_folder_free(&folder);
        dk_checkpoint_close(&checkpoint);
    }
    ASSERT_TRUE(last > 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_checkpoint_restores_the_state_that_was_written),
        CASE(test_checkpoint_of_nothing_is_a_fresh_start),
        CASE(test_checkpoint_writes_what_changed_since),
        CASE(test_checkpoint_of_another_log_is_discarded),
        CASE(test_checkpoint_ahead_of_the_log_is_discarded),
        CASE(test_checkpoint_of_a_log_that_went_on_otherwise_is_discarded),
        CASE(test_checkpoint_that_does_not_hash_is_discarded),
        CASE(test_checkpoint_that_is_no_environment_is_discarded),
        CASE(test_checkpoint_that_kills_its_reader_is_discarded),
        CASE(test_checkpoint_of_another_fold_version_stands_beside),
        CASE(test_checkpoint_belongs_to_one_process),
        CASE(test_checkpoint_keeps_what_is_cold),
        CASE(test_checkpoint_with_a_flipped_byte_in_a_segment_is_discarded),
        CASE(test_checkpoint_survives_kills_while_segments_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
