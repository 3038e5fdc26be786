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
static const uint32_t versions[DK_ROLE_COUNT] = {3, 3, 3, 6};

static const struct golden {
    const char *log;
    uint64_t hash[DK_ROLE_COUNT];
} golden[] = {
    {"auto_solve",
     {UINT64_C(0x5f00e83e6807f842), UINT64_C(0x8309cf5fc1641efb), UINT64_C(0x3c889e87b8b55450),
      UINT64_C(0x0a425b05a82ec9da)}},
    {"fields_and_approvals",
     {UINT64_C(0xfb1d8cddaf43bc90), UINT64_C(0x2d2fd04d7a09869a), UINT64_C(0x0915ac07b9950f06),
      UINT64_C(0x6b92745538b9e31f)}},
    {"follow_the_sun",
     {UINT64_C(0x37b36924226790bc), UINT64_C(0x2f96f1de38156bf5), UINT64_C(0xc15938b5f72b2759),
      UINT64_C(0xa77ce90f64ab97de)}},
    {"imported_and_dead",
     {UINT64_C(0x57d93e04f4afe35c), UINT64_C(0x4ed72d0babbdf2a5), UINT64_C(0x23b0a9863ca6b74e),
      UINT64_C(0x0d4efd465efaeb24)}},
    {"merged",
     {UINT64_C(0x78585cac5a3fa996), UINT64_C(0x903d58a51eb63dfb), UINT64_C(0xa63be75b0c4b2e7c),
      UINT64_C(0xb325a660b2b7947d)}},
    {"nobody_there",
     {UINT64_C(0xfdedc29170ff7b0a), UINT64_C(0x0809d75cf53df4b2), UINT64_C(0x90ee36737ab78e00),
      UINT64_C(0x7a308478d22a1f28)}},
    {"offline_desk",
     {UINT64_C(0x48c93128db13835a), UINT64_C(0x45edb608c52784a4), UINT64_C(0xd697dc8168148f46),
      UINT64_C(0x8c473c002097cb28)}},
    {"ownership",
     {UINT64_C(0x710e7800f53f5d4c), UINT64_C(0x818b9fa76d9a1339), UINT64_C(0x5556e4eb133c1e28),
      UINT64_C(0x0f0bf6997e8ff3f2)}},
    {"policy_change",
     {UINT64_C(0x6185c5bbcd3fcce7), UINT64_C(0xe9ccf6af7f200e21), UINT64_C(0xe88e3cc795a8087d),
      UINT64_C(0xf1b42929091a229f)}},
    {"reopened",
     {UINT64_C(0x24c82f01197e3bac), UINT64_C(0x733db29fa4a78291), UINT64_C(0x4ce4110acb1e13e9),
      UINT64_C(0xccc3b7cb527b11a7)}},
    {"supplier",
     {UINT64_C(0x0fa8a61ac2e877f4), UINT64_C(0x700ab30b30a79bdb), UINT64_C(0xdc9e24fc30b1abfc),
      UINT64_C(0x8e873dbda63f42ae)}},
    {"unacknowledged",
     {UINT64_C(0xd4bbcd8e1f772310), UINT64_C(0x58e1c6721d703dbe), UINT64_C(0x9fd4cb0f59c64677),
      UINT64_C(0x98117e5f1709f8c7)}},
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
