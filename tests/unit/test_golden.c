/* Logs that were written once (tests/unit/golden: by run_scenario.py --records, and one with
 * imports and dead letters) and the state that each role makes of them. A fold that changes gives
 * another state from the same log: then its version must change with it, or nodes would go on from
 * checkpoints of the old one, and compare hashes that cannot be equal. When all four change it is
 * the ticket's own fold (DK_TICKET_FOLD_VERSION), whose state the heads file holds, too. */
#include "nodes/roles.h"
#include "nodes/runtime/folder.h"
#include "tests/lib/assert.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LOG_MAX_BYTES (1 << 20)

/* In the order of dk_roles: routing, sla, notification, analytics. */
static const uint32_t versions[DK_ROLE_COUNT] = {5, 7, 5, 10};

static const struct golden {
    const char *log;
    uint64_t hash[DK_ROLE_COUNT];
} golden[] = {
    {"auto_solve",
     {UINT64_C(0x04743edc944fb7af), UINT64_C(0xd81f0ed37e7c8dbe), UINT64_C(0xb8fd33efc732e3ea),
      UINT64_C(0x05653152afff5943)}},
    {"fields_and_approvals",
     {UINT64_C(0x8ef04ebec03afeb9), UINT64_C(0xc7ae36f4b765dafb), UINT64_C(0xa39412aef6f16367),
      UINT64_C(0x4d2afc4551d47a81)}},
    {"follow_the_sun",
     {UINT64_C(0x080152ebc8d77bca), UINT64_C(0x3db85a2a24caa2ee), UINT64_C(0x9fecddb5c6ca6d6c),
      UINT64_C(0x9a7187b128288ef9)}},
    {"imported_and_dead",
     {UINT64_C(0x15518807c9c196c5), UINT64_C(0x1ebdc3b920382334), UINT64_C(0xe79eaad26f28d8f6),
      UINT64_C(0x9e0ce0d9fa2f3482)}},
    {"merged",
     {UINT64_C(0xa9d7e6713b8d2078), UINT64_C(0x80fa7171aecec2bc), UINT64_C(0x96f900279c63b33d),
      UINT64_C(0xc9e315df633f95a7)}},
    {"nobody_there",
     {UINT64_C(0x55d07bcdaf92b7a4), UINT64_C(0x5455d4cc147230b1), UINT64_C(0xdd3a33e299ebc9ff),
      UINT64_C(0x9c6c83ac97396c82)}},
    {"offline_desk",
     {UINT64_C(0x9541b7cd0f6ad296), UINT64_C(0xa3a41a4164449556), UINT64_C(0xfcf57b23792bed48),
      UINT64_C(0x2d1eb5d688eaa440)}},
    {"ownership",
     {UINT64_C(0xf1d883683b3b2b15), UINT64_C(0x82b0a82ac36f7d38), UINT64_C(0x567bed6e69118827),
      UINT64_C(0xd4dac15abccef1a3)}},
    {"policy_change",
     {UINT64_C(0xa08e4f168b7672ff), UINT64_C(0x7303876893b12f07), UINT64_C(0xca9e0c46c6219e84),
      UINT64_C(0x30b6f570b01fe61e)}},
    {"reopened",
     {UINT64_C(0x9a6b064013619b26), UINT64_C(0xbf3fa06ac3ef8fff), UINT64_C(0x98e5fed5ea662157),
      UINT64_C(0xd8ad9fc64f03e8f8)}},
    {"supplier",
     {UINT64_C(0x412280b144c25014), UINT64_C(0xaa1a941a37a15aa1), UINT64_C(0x16ae060b37ab6ac2),
      UINT64_C(0xebe23d7db489cc6c)}},
    {"unacknowledged",
     {UINT64_C(0x53510ffd0b88a69f), UINT64_C(0x4c39b6cfce80eec2), UINT64_C(0x932cbb6d0ad6f77b),
      UINT64_C(0xd2a48dbfd4a7172f)}},
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
