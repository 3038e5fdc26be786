/* Logs that were written once (tests/unit/golden: by run_scenario.py --records, and one with imports
 * and dead letters) and the state that each role makes of them. A fold that changes gives another
 * state from the same log: then its version must change with it, or nodes would go on from
 * checkpoints of the old one, and compare hashes that cannot be equal. When all four change it is the
 * ticket's own fold (DK_TICKET_FOLD_VERSION), whose state the heads file holds, too. */
#include "nodes/roles.h"
#include "nodes/runtime/folder.h"
#include "tests/lib/assert.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LOG_MAX_BYTES (1 << 20)

/* In the order of dk_roles: routing, sla, notification, analytics. */
static const uint32_t versions[DK_ROLE_COUNT] = {4, 5, 4, 7};

static const struct golden {
    const char *log;
    uint64_t hash[DK_ROLE_COUNT];
} golden[] = {
    {"auto_solve",
     {UINT64_C(0x3015501361b16a6d), UINT64_C(0x1e7b26b1edeff905), UINT64_C(0xe49e4526949496a8),
      UINT64_C(0xb25801a4840e0c32)}},
    {"fields_and_approvals",
     {UINT64_C(0x5629f629316658b1), UINT64_C(0xc3699761562dcc69), UINT64_C(0x6acdba19681cbd5f),
      UINT64_C(0xcd4a8266e7419178)}},
    {"follow_the_sun",
     {UINT64_C(0xf62e88e37a4ed582), UINT64_C(0x7ec8fabe72b0ebe8), UINT64_C(0x8e1a13ad7841c724),
      UINT64_C(0x743dc406e5c237a9)}},
    {"imported_and_dead",
     {UINT64_C(0x9a9c71997c4361e6), UINT64_C(0x981017e990c1df6e), UINT64_C(0x6ce9946421aaa417),
      UINT64_C(0x5687e82443fed7ed)}},
    {"merged",
     {UINT64_C(0x4008296851e853dc), UINT64_C(0x1317cd6ea499fd65), UINT64_C(0x2d29431eb2bee6a1),
      UINT64_C(0x3a130224592b4ca2)}},
    {"nobody_there",
     {UINT64_C(0x79cccb986d1ee6ac), UINT64_C(0x78522496d1fe5fb9), UINT64_C(0x013683ad5777f907),
      UINT64_C(0xea78d1b2aeea8a2f)}},
    {"offline_desk",
     {UINT64_C(0x98f420acafd6f8cb), UINT64_C(0xe4e745f1ddeeaa2f), UINT64_C(0x00a7e4031998137d),
      UINT64_C(0xb6574381d21b4f5f)}},
    {"ownership",
     {UINT64_C(0x9720174e189bcec2), UINT64_C(0x324a4697f74e93dd), UINT64_C(0xfbc3815446722bd4),
      UINT64_C(0xb5789302b1c6019e)}},
    {"policy_change",
     {UINT64_C(0xadb5fb8175bd91e9), UINT64_C(0x932006d58b82a1f3), UINT64_C(0xd7c5b8b1b068bd6e),
      UINT64_C(0xe0eba51323dad790)}},
    {"reopened",
     {UINT64_C(0x8e8d00c624bdf7e9), UINT64_C(0xb3619af0d54becc2), UINT64_C(0x8d07f95bfbc27e1a),
      UINT64_C(0x0ce7a01c831f7bd8)}},
    {"supplier",
     {UINT64_C(0xc67f00af0e85db46), UINT64_C(0x321e5e0567d1e689), UINT64_C(0x9c0a8609016ef5f4),
      UINT64_C(0x4df39eca76fc8ca6)}},
    {"unacknowledged",
     {UINT64_C(0x963d214fac8d35f0), UINT64_C(0x315cbe5014239641), UINT64_C(0xd618ccbfabdb86cc),
      UINT64_C(0xce55800f691f391c)}},
};

static void fold_log(struct dk_folder *folder, const char *name)
{
    static uint8_t bytes[LOG_MAX_BYTES];
    char path[512];
    struct dk_err err;
    (void)snprintf(path, sizeof path, "%s/tests/unit/golden/%s.records", DK_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    ASSERT_TRUE(file != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, file), at = 0;
    ASSERT_TRUE(size > 0 && size < sizeof bytes && fclose(file) == 0);
    while (at < size) {
        uint32_t record_bytes;
        memcpy(&record_bytes, bytes + at, sizeof record_bytes);
        ASSERT_TRUE(at + sizeof record_bytes + record_bytes <= size);
        ASSERT_OK(dk_folder_apply(folder, bytes + at + sizeof record_bytes, record_bytes, &err),
                  &err);
        at += sizeof record_bytes + record_bytes;
    }
}

static uint64_t hash_of(const char *name, const struct dk_role_ops *ops)
{
    struct dk_folder *folder;
    struct dk_err err;
    ASSERT_OK(dk_folder_new(&folder, ops, &err), &err);
    fold_log(folder, name);
    uint64_t hash = dk_folder_hash(folder);
    dk_folder_free(&folder);
    return hash;
}

/* Prints the table as it would be. */
static void print_table(uint64_t hash[][DK_ROLE_COUNT])
{
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        (void)fprintf(stderr, "    {\"%s\",\n     {", golden[i].log);
        for (size_t r = 0; r < DK_ROLE_COUNT; r++)
            (void)fprintf(stderr, "%sUINT64_C(0x%016" PRIx64 ")", r > 0 ? ", " : "", hash[i][r]);
        (void)fprintf(stderr, "}},\n");
    }
}

static void test_golden_logs_give_each_role_s_state_by_its_fold_version(void **state)
{
    uint64_t hash[sizeof golden / sizeof *golden][DK_ROLE_COUNT];
    const char *changed = NULL, *renumbered = NULL;
    (void)state;
    for (size_t r = 0; r < DK_ROLE_COUNT; r++) {
        bool same = true;
        for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
            hash[i][r] = hash_of(golden[i].log, dk_roles[r]);
            same = same && hash[i][r] == golden[i].hash[r];
        }
        renumbered = dk_roles[r]->fold_version != versions[r] ? dk_roles[r]->name : renumbered;
        changed = !same && dk_roles[r]->fold_version == versions[r] ? dk_roles[r]->name : changed;
    }
    if (changed != NULL || renumbered != NULL)
        print_table(hash);
    if (changed != NULL)
        fail_msg("%s makes another state of the same log: raise its fold version", changed);
    if (renumbered != NULL)
        fail_msg("%s has another fold version: note it here, with its hashes", renumbered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_logs_give_each_role_s_state_by_its_fold_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
